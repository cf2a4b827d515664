"""What names of the project's modules stand for, followed from module to module by their text."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Sequence
from typing import Final, TypeAlias

from msgspec import Struct

from dal_audit.extract.migrations.project_modules import (
    imported_origins,
    module_tree,
    path_of_module,
)
from dal_audit.extract.python.parse.import_places import blocks_of

_DEPTH: Final = 12
"""How many names are followed one to the next."""


class Spelled(Struct, frozen=True):
    """An expression, a class or a function, with the path of the module that it stands in."""

    path: str
    node: ast.expr | ast.ClassDef | ast.FunctionDef


class Foreign(Struct, frozen=True):
    """A dotted name that is none of the project's."""

    name: str


class OfModule(Struct, frozen=True):
    """A module of the project."""

    path: str


Meaning: TypeAlias = Spelled | Foreign | OfModule | None
"""What a name stands for; None where that is not known."""


class _Names(Struct):
    """The names that a module binds at its outermost level, and what it sets on others' attributes.

    Of what is bound twice the last counts, but for what one module of two is imported for.
    """

    origins: dict[str, str] = {}
    bound: dict[str, ast.expr | ast.ClassDef | ast.FunctionDef] = {}
    set_on: dict[str, ast.expr] = {}


class ModuleValues:
    """Follows names through the modules of a project, reading each module once."""

    def __init__(self, paths: Sequence[str], read: Callable[[str], str | None]) -> None:
        """Take the paths of all Python files, and what reads the text of one."""
        self._paths = paths
        self._read = read
        self._names: dict[str, _Names] = {}
        self._texts: dict[str, str] = {}

    def text(self, path: str) -> str:
        """Return the text of a module; empty where there is none to be had."""
        if path not in self._texts:
            self._texts[path] = self._read(path) or ""
        return self._texts[path]

    def home(self, module: str, path: str) -> str:
        """Return the path of a module that a file imports; empty for none of the project's."""
        return path_of_module(module, path, self._paths)

    def names(self, path: str) -> _Names:
        """Return what a module binds."""
        if path not in self._names:
            tree = module_tree(self.text(path))
            self._names[path] = _names_in(tree.body if tree is not None else ())
        return self._names[path]

    def assigned(self, path: str, target: str) -> ast.expr | None:
        """Return what a module sets an attribute to: `Base.metadata = …`."""
        return self.names(path).set_on.get(target)

    def of_name(self, path: str, name: str, depth: int = 0) -> Meaning:
        """Return what a name of a module stands for."""
        names = self.names(path)
        if name in names.bound:
            node = names.bound[name]
            if isinstance(node, (ast.ClassDef, ast.FunctionDef)):
                return Spelled(path, node)
            return self.of(path, node, depth + 1)
        return self.of_origin(names.origins[name], path, depth) if name in names.origins else None

    def of_origin(self, origin: str, path: str, depth: int = 0) -> Meaning:
        """Return what an imported name stands for."""
        if depth > _DEPTH:
            return None
        module, _, name = origin.rpartition(".")
        itself = self.home(origin, path)
        if itself:
            return OfModule(itself)
        home = self.home(module or "." * len(origin), path) if module or name else ""
        if home:
            return self.of_name(home, name, depth + 1)
        return None if origin.startswith(".") else Foreign(origin)

    def of(self, path: str, node: ast.expr, depth: int = 0) -> Meaning:
        """Return what an expression of a module stands for; a call stands for itself."""
        if depth > _DEPTH:
            return None
        if isinstance(node, ast.Name):
            return self.of_name(path, node.id, depth + 1)
        if not isinstance(node, ast.Attribute):
            return Spelled(path, node)
        owner = self.of(path, node.value, depth + 1)
        if isinstance(owner, Foreign):
            return Foreign(f"{owner.name}.{node.attr}")
        if isinstance(owner, OfModule):
            return self._of_member(owner.path, node.attr, depth)
        return Spelled(path, node) if owner is not None else None

    def _of_member(self, path: str, name: str, depth: int) -> Meaning:
        """Return a module's member, which may be a module below it."""
        found = self.of_name(path, name, depth + 1)
        folder, _, last = path.rpartition("/")
        below = [f"{folder}/{name}.py", f"{folder}/{name}/__init__.py"]
        if found is None and last == "__init__.py":
            return next((OfModule(own) for own in below if own in self._paths), None)
        return found


def _names_in(body: Sequence[ast.stmt]) -> _Names:
    statements = list(_outermost(body))
    names = _Names(imported_origins(statements), {}, {})
    for statement in statements:
        if isinstance(statement, (ast.ClassDef, ast.FunctionDef)):
            names.bound[statement.name] = statement
        targets = statement.targets if isinstance(statement, ast.Assign) else []
        if isinstance(statement, ast.AnnAssign) and statement.value is not None:
            targets = [statement.target]
        for target in targets:
            value: ast.expr = statement.value  # type: ignore[attr-defined]
            if isinstance(target, ast.Name):
                names.bound[target.id] = value
            elif isinstance(target, ast.Attribute):
                names.set_on[ast.unparse(target)] = value
    return names


def _outermost(body: Sequence[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield the statements of a module that are in no function or class, those in branches too."""
    for statement in body:
        yield statement
        if not isinstance(statement, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            for block in blocks_of(statement):
                yield from _outermost(block)
