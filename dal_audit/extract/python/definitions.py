"""What statements define: what they set to what, the bases of a class, attributes of `self`."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Sequence
from typing import Any, NamedTuple

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


def without_brackets(nodes: Sequence[ast.expr]) -> list[ast.expr]:
    """Return bases as classes: `class Store(Base[Connection])` is a `Base` whatever it is told."""
    return [node.value if isinstance(node, ast.Subscript) else node for node in nodes]


def own_attribute(node: ast.expr, names: Collection[str] = ("self",)) -> str:
    """Return the attribute of the method's own object that is meant; empty for anything else."""
    if not isinstance(node, ast.Attribute) or not isinstance(node.value, ast.Name):
        return ""
    return node.attr if node.value.id in names else ""
