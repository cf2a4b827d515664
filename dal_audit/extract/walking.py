"""Walk syntax trees: what `ast` does too, without looking at what holds no node."""

from __future__ import annotations

import ast
from typing import Final

_LEAVES: Final = frozenset(
    {"attr", "conversion", "ctx", "id", "is_async", "kind", "level", "op", "ops", "type_comment"}
)
"""Fields of any node that hold a name, a number, an operator or a context: nothing to walk."""


def children(node: ast.AST) -> list[ast.AST]:
    """Return the nodes right below one, in the order of its fields; operators are left out."""
    found: list[ast.AST] = []
    for name in _fields(type(node)):
        value = getattr(node, name, None)
        if isinstance(value, list):
            found += [one for one in value if isinstance(one, ast.AST)]
        elif isinstance(value, ast.AST):
            found.append(value)
    return found


def _fields(kind: type[ast.AST]) -> tuple[str, ...]:
    found = _FIELDS.get(kind)
    if found is None:
        found = _FIELDS[kind] = tuple(name for name in kind._fields if name not in _LEAVES)
    return found


_FIELDS: Final[dict[type[ast.AST], tuple[str, ...]]] = {}
"""The fields of each class of nodes that can hold nodes."""
