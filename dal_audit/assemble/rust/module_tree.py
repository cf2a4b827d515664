"""The tree of modules: which module each file is, by `mod` and `#[path]`, else by its place."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

from dal_audit.assemble.rust.crates import Crate
from dal_audit.facts.rust import RustFile, RustItem

ModulePlace: TypeAlias = tuple[str, int]
"""A file, and the number of the scope in it that is the module."""


class ModuleTree:
    """The modules of a project, by their names, and the names of its files' own ones."""

    def __init__(
        self, crates: Sequence[Crate], files: Mapping[str, RustFile], paths: frozenset[str]
    ) -> None:
        """Take the crates, what was read of the files, and the paths of all of them."""
        self.crates = crates
        self.files = files
        self.paths = paths
        self.names: dict[str, str] = {}
        """The modules' names by the files' paths."""
        self.crate_of: dict[str, Crate] = {}
        """The crates that the files belong to."""
        self.places: dict[str, ModulePlace] = {}
        """Where the modules are, the inline ones among them, of the files that were read."""
        for crate in crates:
            if crate.root in paths:
                self._add(crate.root, crate.name, crate)
        for path in sorted(paths - self.names.keys()):
            self._by_place(path)
        for path, name in self.names.items():
            self._places_in(path, name)

    def _add(self, root: str, name: str, crate: Crate) -> None:
        """Note a file's module, and all that it declares."""
        waiting = [(root, name)]
        while waiting:
            path, module = waiting.pop()
            if path in self.names:
                continue
            self.names[path] = module
            self.crate_of[path] = crate
            waiting += self._declared(path, module)

    def _declared(self, path: str, module: str) -> Iterator[tuple[str, str]]:
        """Yield the files that a file declares as modules, with these modules' names."""
        read = self.files.get(path)
        for item in read.items if read is not None else ():
            if item.kind != "module" or item.is_here or read is None:
                continue
            inner = inner_name(read, item.scope)
            file = next(filter(self.paths.__contains__, self._candidates(path, inner, item)), None)
            if file is not None:
                yield file, ".".join(filter(None, (module, inner, item.name)))

    def _candidates(self, path: str, inner: str, item: RustItem) -> Iterator[str]:
        """Yield where the file of a module may be."""
        folder = path.rpartition("/")[0]
        below = self._folder_of(path)
        if inner:
            below = posixpath.join(below, inner.replace(".", "/"))
        if item.file:
            yield posixpath.normpath(posixpath.join(below if inner else folder, item.file))
            return
        yield posixpath.join(below, f"{item.name}.rs")
        yield posixpath.join(below, item.name, "mod.rs")

    def _folder_of(self, path: str) -> str:
        """Return the folder that a file's modules lie in."""
        folder, _, name = path.rpartition("/")
        is_root = any(crate.root == path for crate in self.crates)
        if is_root or name in {"mod.rs", "lib.rs", "main.rs"}:
            return folder
        return posixpath.join(folder, name.removesuffix(".rs"))

    def _by_place(self, path: str) -> None:
        """Name a file that nothing read declares by where it lies."""
        crate = self._crate_around(path)
        self.crate_of[path] = crate
        base = crate.root.rpartition("/")[0]
        inside = path.startswith(f"{base}/") or not base
        inner = path[len(base) + 1 if base else 0 :] if inside else path
        stem = inner.removesuffix(".rs").removesuffix("/mod")
        parts = [part.replace(".", "-") for part in stem.split("/") if part]
        if not inside:
            parts = ["-".join(parts)]
        self.names[path] = ".".join((crate.name, *parts))

    def _crate_around(self, path: str) -> Crate:
        """Return the crate of whose package a file is most likely a part."""
        near = [crate for crate in self.crates if _is_below(path, crate.folder)]
        deepest = max((crate.folder for crate in near), key=len, default="")
        near = [crate for crate in near if crate.folder == deepest] or list(self.crates[:1])
        below = [crate for crate in near if _is_below(path, crate.root.rpartition("/")[0])]
        closest = max((crate.root.rpartition("/")[0] for crate in below), key=len, default="")
        for crate in below:
            if crate.root.rpartition("/")[0] == closest:
                return crate
        return near[0] if near else Crate("::crate", "", "", None)

    def _places_in(self, path: str, name: str) -> None:
        """Note where a file's modules are."""
        read = self.files.get(path)
        if read is None:
            return
        for number, scope in enumerate(read.scopes):
            if scope.kind == "module":
                inner = inner_name(read, number)
                self.places.setdefault(f"{name}.{inner}" if inner else name, (path, number))


def inner_name(read: RustFile, number: int) -> str:
    """Return the dotted name of a scope's module in its file; empty for the file's own."""
    parts: list[str] = []
    while number > 0:
        scope = read.scopes[number]
        if scope.kind == "module":
            parts.append(scope.name)
        number = scope.parent
    return ".".join(reversed(parts))


def module_scope(read: RustFile, number: int) -> int:
    """Return the number of the module that a scope lies in."""
    while read.scopes[number].kind != "module":
        number = read.scopes[number].parent
    return number


def _is_below(path: str, folder: str) -> bool:
    return not folder or path.startswith(f"{folder}/")
