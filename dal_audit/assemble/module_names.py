"""The names of a project's modules: which file is which module, and what an import means."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from functools import cached_property
from types import MappingProxyType
from typing import Final

from dal_audit.disk.ancestors import ancestors_of
from dal_audit.facts import OWN_MODULE

PROJECT_MARKERS: Final = frozenset({"pyproject.toml", "setup.py", "setup.cfg", "dal-audit.toml"})
"""The files that make a folder one that absolute imports resolve from, unless it is a package."""

_IMPORTABLE: Final = (".py", ".pyi", ".pyw")

NOTHING_GIVEN: Final[Mapping[str, str]] = MappingProxyType({})

_WILD: Final = frozenset("*?[")
"""The letters that make a glob more than a name."""


class ModuleNames:
    """How the modules of a project are named, and what an import in one of its files can mean."""

    def __init__(
        self,
        modules: frozenset[str],
        markers: frozenset[str],
        roots: Sequence[str] | None,
        given: Mapping[str, str] = NOTHING_GIVEN,
    ) -> None:
        """Take the paths of all sources and project files, and the configured source roots.

        Scripts without a suffix and notebooks are nothing that could be imported; `given` are the
        modules' names of another language, which has rules of its own for them.
        """
        self.modules = modules
        self.importable = [path for path in modules if path.endswith(_IMPORTABLE)]
        self.markers = markers
        self._configured = roots
        self._names: dict[str, str] = dict(given)
        """The modules' names by their paths."""
        self._roots: dict[str, tuple[str, ...]] = {}
        """The source roots that absolute imports resolve from, by the files that they stand in."""
        self._above: dict[tuple[str, int], str] = {}
        """What so many leading dots stand for, by the files that they stand in."""
        self._local: dict[tuple[str, tuple[str, ...]], bool] = {}
        """Whether a dotted name that is imported with these source roots is the project's own."""

    @cached_property
    def source_roots(self) -> tuple[str, ...]:
        """The folders that absolute imports resolve from, configured or found ("" is the root).

        Found are the project's folder (and that of every project file below it), with its `src`.
        A folder is not taken for a root because a package lies in it: it may be a namespace
        package, and then `app/cache/redis/` does not shadow `import redis`.
        """
        if self._configured is not None:
            return tuple(_folder(root) for root in self._configured)
        folders = self._project_folders
        with_src = {f"{folder}/src" if folder else "src" for folder in folders}
        heads = {path.rpartition("/")[0] for path in self.importable}
        return tuple(
            sorted(
                folders
                | {src for src in with_src if any((h + "/").startswith(src + "/") for h in heads)}
            )
        )

    @cached_property
    def _project_folders(self) -> frozenset[str]:
        """The project's folder, and those below it that hold a project file of their own.

        Python imports what lies in a package from above it: a `setup.py` beside an `__init__.py`
        is one of the package's modules, and makes no root whose files shadow others.
        """
        marked = [path.rpartition("/") for path in self.markers]
        folders = {folder for folder, _, name in marked if name in PROJECT_MARKERS}
        packages = {
            path.rpartition("/")[0]
            for path in self.modules
            if path.endswith(("/__init__.py", "/__init__.pyi"))
        }
        return frozenset({"", *(folders - packages)})

    @cached_property
    def files(self) -> Mapping[str, str]:
        """The files by their modules' names; of several the last in order of the paths."""
        return {self.of(path): path for path in sorted(self.modules)}

    @cached_property
    def packages(self) -> Mapping[str, str]:
        """The files by their modules' names; a folder without `__init__` has an empty path.

        Of several files the last in order of the paths counts, but for a stub.
        """
        # The source is the module where there is a stub beside it.
        paths = sorted(self.modules, key=lambda path: (path.endswith(".py"), path))
        found = {self.of(path): path for path in paths}
        for name in tuple(found):
            package = name.rpartition(".")[0]
            while package and package not in found:
                found[package] = ""
                package = package.rpartition(".")[0]
        return found

    @cached_property
    def tops(self) -> frozenset[str]:
        """The first components of all modules' names."""
        return frozenset(name.partition(".")[0] for name in self.files)

    def _resolves_from(self, root: str, path: str) -> bool:
        """Return whether the absolute imports of a file resolve from a source root.

        A root that was found serves what lies below it; a `src` serves also what lies beside it
        (tests, `conftest.py`), as far as that belongs to the same project file.
        """
        if self._configured is not None or _is_below(path, root):
            return True
        folder, _, name = root.rpartition("/")
        if name != "src":
            return False
        above = (marked for marked in self._project_folders if _is_below(path, marked))
        return folder == max(above, key=len)

    @cached_property
    def _regular(self) -> frozenset[str]:
        """Paths, without ending, of modules and of packages with an `__init__`."""
        found = set()
        for path in self.importable:
            stem = path.rpartition(".")[0]
            found.add(stem.removesuffix("/__init__"))
        return frozenset(found)

    def is_local(self, name: str, path: str) -> bool:
        """Return whether an absolute dotted name, imported in a file, is a module of the project.

        A regular package or module hides everything of its name; a folder without `__init__` is a
        namespace package (PEP 420) and hides only what really lies in it.
        """
        roots = self._roots.get(path)
        if roots is None:
            found = (root for root in self.source_roots if self._resolves_from(root, path))
            roots = self._roots[path] = (*found, *self._beside_script(path))
        is_local = self._local.get((name, roots))
        if is_local is None:
            is_local = self._local[name, roots] = self._lies_in(roots, name)
        return is_local

    def _beside_script(self, path: str) -> Iterator[str]:
        """Yield the folder of a script, which is run from there: its neighbours come first.

        Scripts lie outside all configured source roots, in a folder that is no package.
        """
        if self._configured is None or any(_is_below(path, root) for root in self.source_roots):
            return
        folder = path.rpartition("/")[0]
        if folder not in self._regular:
            yield folder

    def _lies_in(self, roots: Iterable[str], name: str) -> bool:
        parts = name.split(".")
        for root in roots:
            where = root
            for part in parts:
                where = f"{where}/{part}" if where else part
                if where in self._regular:
                    return True
                if where not in self._folders:
                    break
        return False

    @cached_property
    def _folders(self) -> frozenset[str]:
        return frozenset(ancestors_of(self.importable, "/"))

    def of(self, path: str) -> str:
        """Return the dotted name of a file's module, from the innermost source root above it.

        What cannot be imported is called by its path, as no module is.
        """
        found = self._names.get(path)
        if found is None and not path.endswith(_IMPORTABLE):
            found = self._names[path] = f"/{path.replace('.', '/')}"
        elif found is None:
            roots = [root for root in self.source_roots if _is_below(path, root)]
            root = max(roots, key=len, default="")
            stem = path[len(root) + 1 if root else 0 :].rpartition(".")[0]
            found = self._names[path] = stem.removesuffix("/__init__").replace("/", ".")
        return found

    def absolute(self, name: str, path: str) -> str:
        """Return a dotted name as an absolute one: leading dots count from the file's package.

        A name that is marked `OWN_MODULE` is one of the file's own module.
        """
        if not name.startswith((".", OWN_MODULE)):
            return name
        if not name.startswith("."):
            return f"{self.of(path)}.{name.removeprefix(OWN_MODULE)}"
        last = name.lstrip(".")
        level = len(name) - len(last)
        above = self._above.get((path, level))
        if above is None:
            package = self.of(path).split(".")
            if not path.endswith(("/__init__.py", "/__init__.pyi")):
                package = package[:-1]
            if level - 1 > len(package):
                above = "." * level  # It leads out of the source root, and names nothing.
            else:
                above = "".join(f"{part}." for part in package[: len(package) - (level - 1)])
            self._above[path, level] = above
        return above + last


def _folder(path: str) -> str:
    folder = path.strip("/").removeprefix("./")
    return "" if folder == "." else folder


def _is_below(path: str, folder: str) -> bool:
    return not folder or path.startswith(folder + "/")


def longest_module(name: str, modules: Container[str]) -> tuple[str, str]:
    """Part a dotted name into the longest of some modules that it begins with, and the rest.

    Either is empty where there is none.
    """
    module, rest = name, ""
    while module and module not in modules:
        module, _, last = module.rpartition(".")
        rest = f"{last}.{rest}" if rest else last
    return module, rest


def is_named(name: str, glob: str) -> bool:
    """Return whether a dotted name matches a dotted glob, whatever root it counts from.

    The `::` before a crate's name may be left out.
    """
    name, glob = name.removeprefix("::"), glob.removeprefix("::")
    if not _WILD.intersection(glob):
        return name == glob or name.endswith(f".{glob}")
    return fnmatchcase(name, glob) or fnmatchcase(name, f"*.{glob}")
