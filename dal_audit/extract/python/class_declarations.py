"""What declares a class: its bases, and what stands in its body outside of functions."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence

from dal_audit.extract.python.parse.walk import nodes_in

_DECLARING = (ast.Assign, ast.AnnAssign, ast.Expr)


def declaring_classes(tree: ast.Module) -> Mapping[int, str]:
    """Return the class that each expression declares a part of, by the expression's identity.

    A class is named as others reach it, dotted where it is nested. What lies in functions declares
    none, nor do their signatures.
    """
    return {
        id(node): name
        for name, part in _parts(tree.body, "")
        for node in nodes_in(part)
        if isinstance(node, ast.expr)
    }


def _parts(statements: Sequence[ast.stmt], outer: str) -> Iterator[tuple[str, ast.AST]]:
    """Yield the parts of the classes among some statements; `outer` ends in a dot, or is empty."""
    for statement in statements:
        if isinstance(statement, ast.ClassDef):
            name = f"{outer}{statement.name}"
            yield from ((name, base) for base in statement.bases)
            yield from _parts(statement.body, f"{name}.")
        elif isinstance(statement, _DECLARING) and outer:
            yield outer[:-1], statement
        elif isinstance(statement, (ast.If, ast.Try)):
            yield from _parts([*statement.body, *statement.orelse], outer)
