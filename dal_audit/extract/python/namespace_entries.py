"""Names that a module binds by its namespace: `globals()["engine"] = …`, `globals().update(…)`."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Final, TypeAlias

from dal_audit.extract.holes import UNKNOWN
from dal_audit.extract.python.constant_folding import fold_constant, qualified_names
from dal_audit.extract.python.constant_sets import MAX_DEPTH
from dal_audit.extract.python.literal_values import follow_assignment
from dal_audit.extract.python.scopes import Scope

_MARKS: Final = {
    "globals": re.compile(r"globals\s*\(\s*\)"),
    "locals": re.compile(r"locals\s*\(\s*\)"),
    "vars": re.compile(r"vars\s*\(\s*\)"),
    "__name__": re.compile(r"__name__\s*\]"),
}
"""What stands in a text where something here binds a name, by the word that it begins with."""

IN_FUNCTIONS: Final = ("globals", "__name__")
"""Without one of these words a function binds none."""

_SETTING: Final = frozenset({"setdefault", "__setitem__"})
_OF_MODULE: Final = frozenset({"globals", "locals", "vars"})
_OF_FUNCTION: Final = frozenset({"globals"})

_Entry: TypeAlias = tuple[ast.expr | str, ast.expr]
"""A key, as an expression or as its text, and its value."""


def names_namespace(text: str) -> bool:
    """Return whether something in a text may bind a name by the module's namespace."""
    return any(word in text and mark.search(text) for word, mark in _MARKS.items())


class NamespaceEntries:
    """Reads what statements of a block put into the module's namespace."""

    def __init__(self, module: Scope, *, in_function: bool) -> None:
        """Take the module's outermost scope, in which keys are read."""
        self.module = module
        self.namespaces = _OF_FUNCTION if in_function else _OF_MODULE

    def of(self, statement: ast.stmt) -> Iterator[tuple[ast.expr, str, ast.expr]]:
        """Yield the names that a statement binds, each after its place and before its value."""
        for key, value in self._entries(statement):
            names = (key,) if isinstance(key, str) else fold_constant(key, self.module)
            place = value if isinstance(key, str) else key
            yield from ((place, name, value) for name in names if UNKNOWN not in name)

    def _entries(self, statement: ast.stmt) -> Iterator[_Entry]:
        if isinstance(statement, ast.Assign):
            for target in statement.targets:
                if isinstance(target, ast.Subscript) and self._is_namespace(target.value):
                    yield target.slice, statement.value
        elif isinstance(statement, ast.AugAssign) and self._is_namespace(statement.target):
            yield from self._of_table(statement.value)
        elif isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
            yield from self._of_call(statement.value)

    def _of_call(self, call: ast.Call) -> Iterator[_Entry]:
        """Yield what a call of a namespace's method, or `setattr` on the module, puts into it."""
        func = call.func
        if isinstance(func, ast.Name) and func.id == "setattr" and len(call.args) == 3:  # noqa: PLR2004  # an object, a name and a value
            if self._is_own_module(call.args[0]):
                yield call.args[1], call.args[2]
        elif not isinstance(func, ast.Attribute) or not self._is_namespace(func.value):
            return
        elif func.attr == "update":
            yield from self._of_update(call)
        elif func.attr in _SETTING and len(call.args) > 1:
            yield call.args[0], call.args[1]

    def _of_update(self, call: ast.Call, depth: int = 0) -> Iterator[_Entry]:
        """Yield what a table is made of, or updated by: other tables, and keywords."""
        for argument in call.args:
            yield from self._of_table(argument, depth)
        for keyword in call.keywords:
            if keyword.arg is None:
                yield from self._of_table(keyword.value, depth)
            else:
                yield keyword.arg, keyword.value

    def _of_table(self, node: ast.expr, depth: int = 0) -> Iterator[_Entry]:
        """Yield the entries of a table that is written out, here or where its name is set."""
        table = follow_assignment(node, self.module)
        if depth > MAX_DEPTH:
            return
        if isinstance(table, ast.Dict):
            for key, value in zip(table.keys, table.values, strict=True):
                if key is None:
                    yield from self._of_table(value, depth + 1)
                else:
                    yield key, value
        elif isinstance(table, ast.Call) and _calls(table, frozenset({"dict"})):
            yield from self._of_update(table, depth + 1)

    def _is_namespace(self, node: ast.expr) -> bool:
        if isinstance(node, ast.Attribute):
            return node.attr == "__dict__" and self._is_own_module(node.value)
        return isinstance(node, ast.Call) and not node.args and _calls(node, self.namespaces)

    def _is_own_module(self, node: ast.expr) -> bool:
        """Return whether an expression is `sys.modules[__name__]`."""
        return (
            isinstance(node, ast.Subscript)
            and isinstance(node.slice, ast.Name)
            and node.slice.id == "__name__"
            and "sys.modules" in qualified_names(node.value, self.module)
        )


def _calls(node: ast.Call, names: frozenset[str]) -> bool:
    return isinstance(node.func, ast.Name) and node.func.id in names
