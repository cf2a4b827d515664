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
        self._roots = frozenset(crate.root for crate in crates)
        self._packages: dict[str, dict[str, Crate]] = {}
        """The packages by their folders: the first crate of each folder that crates begin in."""
        for crate in crates:
            package = self._packages.setdefault(crate.folder, {})
            package.setdefault(crate.root.rpartition("/")[0], crate)
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
        if path in self._roots or name in {"mod.rs", "lib.rs", "main.rs"}:
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
        above = tuple(_folders_above(path))
        package = next((self._packages[folder] for folder in above if folder in self._packages), {})
        around = (package[folder] for folder in above if folder in package)
        otherwise = next(iter((*package.values(), *self.crates)), Crate("::crate", "", "", None))
        return next(around, otherwise)

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


def _folders_above(path: str) -> Iterator[str]:
    """Yield the folders that a file lies in, the deepest first."""
    while path:
        path = path.rpartition("/")[0]
        yield path
