"""What expressions read which attribute of what: by a dot, or by a name that is a text."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final

from dal_audit.extract.holes import UNKNOWN
from dal_audit.extract.python.constant_folding import fold_constant
from dal_audit.extract.python.expression_uses import last_name
from dal_audit.extract.python.literal_values import follow_assignment
from dal_audit.extract.python.scopes import Scope

GETTERS: Final = frozenset({"attrgetter", "methodcaller"})
"""What makes a function of a name that reads the attribute, or calls it (library reference,
`operator`)."""

_BY_NAME: Final = {"getattr": 2, "__getattribute__": 2, "getattr_static": 2}
"""Functions that read an attribute by its name, with the number of arguments that they need."""


def reads(node: ast.AST, scope: Scope) -> Iterator[tuple[ast.expr, str]]:
    """Yield of what an expression reads which attributes; a dotted one is the attribute's path."""
    if isinstance(node, ast.Attribute):
        if isinstance(node.ctx, ast.Load):
            yield node.value, node.attr
    elif isinstance(node, ast.Call):
        yield from read_by_call(node, scope)
    elif isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load):
        yield from _of_table(node.value, node.slice, scope)


def read_by_call(node: ast.Call, scope: Scope) -> Iterator[tuple[ast.expr, str]]:
    """Yield of what a call reads which attributes by their names."""
    name = last_name(node.func)
    func = follow_assignment(node.func, scope)
    if isinstance(func, ast.Call) and last_name(func.func) in GETTERS:
        several = func.args if last_name(func.func) == "attrgetter" else func.args[:1]
        for named in several if node.args else ():
            yield from ((node.args[0], text) for text in _texts(named, scope))
    elif len(node.args) >= _BY_NAME.get(name, len(node.args) + 1):
        yield from ((node.args[0], text) for text in _texts(node.args[1], scope))
    elif isinstance(node.func, ast.Attribute) and node.args:
        if name == "__getattribute__":
            yield from ((node.func.value, text) for text in _texts(node.args[0], scope))
        elif name in {"get", "pop"}:
            yield from _of_table(node.func.value, node.args[0], scope)


def _of_table(table: ast.expr, key: ast.expr, scope: Scope) -> Iterator[tuple[ast.expr, str]]:
    """Yield what is read of an object's own table of attributes (`vars(x)`, `x.__dict__`)."""
    if isinstance(table, ast.Attribute) and table.attr == "__dict__":
        owner = table.value
    elif isinstance(table, ast.Call) and last_name(table.func) == "vars" and table.args:
        owner = table.args[0]
    else:
        return
    yield from ((owner, text) for text in _texts(key, scope))


def _texts(node: ast.expr, scope: Scope) -> Iterator[str]:
    return (text for text in fold_constant(node, scope) if UNKNOWN not in text)
