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
        elif isinstance(statement, ast.AugAssign):
            targets, value = [statement.target], _with_more(statement, found)
        else:
            continue
        found.update({target.id: value for target in targets if isinstance(target, ast.Name)})
    return found


def _with_more(statement: ast.AugAssign, names: Names) -> ast.expr:
    """Return what a name stands for behind `name += more`."""
    before = names.get(statement.target.id) if isinstance(statement.target, ast.Name) else None
    if before is None:
        before = statement.value
        return ast.copy_location(ast.Starred(before, ast.Load()), before)
    return ast.copy_location(ast.BinOp(before, statement.op, statement.value), before)


def members_in(node: ast.expr | None) -> list[ast.expr]:
    """Return the members of a list, or of several with `+` between them.

    What is no literal list stands there as one that is unpacked: it may have any.
    """
    if node is None:
        return []
    if isinstance(node, (ast.List, ast.Tuple)):
        return list(node.elts)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return [*members_in(node.left), *members_in(node.right)]
    return [ast.copy_location(ast.Starred(node, ast.Load()), node)]


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
