"""The literals of a Python migration: names, and lists of names."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from typing import Final, TypeAlias

Names: TypeAlias = Mapping[str, ast.expr]
"""What each name of a module or a class is assigned; the last assignment counts."""

_DEPTH: Final = 60
"""A name that stands for a name that stands for more names than this is not followed."""


def names_of(body: Sequence[ast.stmt]) -> Names:
    """Return what the names of a body are assigned, outside any function or condition."""
    found: dict[str, ast.expr] = {}
    for statement in body:
        if isinstance(statement, ast.Assign):
            targets, value = statement.targets, statement.value
        elif isinstance(statement, ast.AnnAssign) and statement.value is not None:
            targets, value = [statement.target], statement.value
        else:
            continue
        found.update({target.id: value for target in targets if isinstance(target, ast.Name)})
    return found


def strings_in(node: ast.expr, names: Names) -> tuple[str, ...]:
    """Return the strings that an expression stands for: one, those of a sequence, or none."""
    for _hop in range(_DEPTH):
        if not isinstance(node, ast.Name) or node.id not in names:
            break
        node = names[node.id]
    if isinstance(node, ast.Constant):
        return (node.value,) if isinstance(node.value, str) else ()
    if isinstance(node, (ast.List, ast.Tuple, ast.Set)):
        return tuple(
            member.value
            for member in node.elts
            if isinstance(member, ast.Constant) and isinstance(member.value, str)
        )
    return ()
