"""What statements define: what they set to what, the bases of a class, attributes of `self`."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Sequence
from typing import Any, Final, NamedTuple

from dal_audit.extract.python.expression_uses import last_name
from dal_audit.extract.python.parse.newer_syntax import TYPE_ALIASES


class Assignment(NamedTuple):
    """What a statement sets: its targets, and the value and the annotation that it may have."""

    targets: Sequence[ast.expr]
    value: ast.expr | None
    annotation: ast.expr | None = None


def assignments(statement: Any) -> Iterator[Assignment]:
    """Yield what `=`, an annotation, `type`, or each `as` of a `with` sets; nothing for others."""
    if isinstance(statement, ast.Assign):
        yield Assignment(statement.targets, statement.value)
    elif isinstance(statement, ast.AnnAssign):
        yield Assignment([statement.target], statement.value, statement.annotation)
    elif isinstance(statement, (ast.With, ast.AsyncWith)):
        for item in statement.items:
            if item.optional_vars is not None:
                yield Assignment([item.optional_vars], item.context_expr)
    elif type(statement) in TYPE_ALIASES:
        yield Assignment([statement.name], statement.value)


_COLLECTIONS: Final = frozenset(
    {"dict", "frozenset", "list", "set", "tuple", "MappingProxyType", "OrderedDict", "ChainMap"}
)
"""What makes a collection of other ones, or of named values."""


def collected(node: ast.expr) -> list[ast.expr] | None:
    """Return what a collection that is written out holds, in all depths; None for another value."""
    if _inside(node) is None:
        return None
    found: list[ast.expr] = []
    waiting = [node]
    while waiting:
        part = waiting.pop()
        inner = _inside(part)
        if inner is None:
            found.append(part)
        else:
            waiting += reversed(inner)
    return found


def _inside(node: ast.expr) -> list[ast.expr] | None:
    """Return what a collection holds; None for what is none."""
    if isinstance(node, (ast.List, ast.Tuple, ast.Set)):
        return list(node.elts)
    if isinstance(node, ast.Starred):
        return [node.value]
    if isinstance(node, ast.Dict):
        return [*filter(None, node.keys), *node.values]
    if isinstance(node, ast.Call) and last_name(node.func) in _COLLECTIONS:
        return [*node.args, *(keyword.value for keyword in node.keywords)]
    return None


def without_brackets(nodes: Sequence[ast.expr]) -> list[ast.expr]:
    """Return bases as classes: `class Store(Base[Connection])` is a `Base` whatever it is told."""
    return [node.value if isinstance(node, ast.Subscript) else node for node in nodes]


def chosen(node: ast.BoolOp | ast.IfExp) -> list[ast.expr]:
    """Return what a value can be that a condition or `or` chooses.

    Of `and`, what is not false is the last.
    """
    if isinstance(node, ast.IfExp):
        return [node.body, node.orelse]
    return node.values[-1:] if isinstance(node.op, ast.And) else node.values


OWN: Final = ("self", "cls")
"""How methods call their object, or its class."""


def own_attribute(node: ast.expr, names: Collection[str] = ("self",)) -> str:
    """Return the attribute of the method's own object that is meant; empty for anything else."""
    if not isinstance(node, ast.Attribute) or not isinstance(node.value, ast.Name):
        return ""
    return node.attr if node.value.id in names else ""
