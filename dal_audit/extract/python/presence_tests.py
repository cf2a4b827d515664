"""Whether a call's result is only tested for being there, or not used at all."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import Final

from dal_audit.extract.python.expression_uses import last_name
from dal_audit.extract.python.parse.walk import children

_CHANGING: Final = frozenset({"pop", "setdefault"})
_TESTING: Final = (ast.If, ast.While, ast.Assert, ast.IfExp)
_IDENTITIES: Final = (ast.Is, ast.IsNot, ast.Eq, ast.NotEq)


def is_probe(call: ast.Call, statement: ast.AST) -> bool:
    """Return whether a statement only asks whether a call in it gives anything, or drops that.

    What changes a table (`pop`, `setdefault`) is called for the change.
    """
    node: ast.AST = call
    for parent in _parents(call, statement):
        if isinstance(parent, ast.Expr):
            return node is call and last_name(call.func) in _CHANGING
        if _tests(parent, node):
            return True
        if not isinstance(parent, ast.BoolOp):
            return False
        node = parent
    return False


def _tests(parent: ast.AST, node: ast.AST) -> bool:
    """Return whether an expression's parent is about its truth alone, or compares it with None."""
    if isinstance(parent, _TESTING):
        return parent.test is node
    if isinstance(parent, ast.UnaryOp):
        return isinstance(parent.op, ast.Not)
    if isinstance(parent, ast.comprehension):
        return node in parent.ifs
    if isinstance(parent, ast.Call):
        return isinstance(parent.func, ast.Name) and parent.func.id == "bool"
    return isinstance(parent, ast.Compare) and _compares_with_none(parent, node)


def _compares_with_none(parent: ast.Compare, node: ast.AST) -> bool:
    others = [side for side in (parent.left, *parent.comparators) if side is not node]
    return all(isinstance(operator, _IDENTITIES) for operator in parent.ops) and all(
        isinstance(side, ast.Constant) and side.value is None for side in others
    )


def _parents(call: ast.expr, statement: ast.AST) -> Sequence[ast.AST]:
    """Return what an expression stands in, up to its statement, the nearest first."""
    above: dict[int, ast.AST] = {}
    waiting = [statement]
    while waiting and id(call) not in above:
        node = waiting.pop()
        inner = children(node)
        above.update((id(child), node) for child in inner)
        waiting += inner
    found: list[ast.AST] = []
    node = call
    while id(node) in above:
        node = above[id(node)]
        found.append(node)
    return found
