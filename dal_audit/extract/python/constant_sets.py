"""Sets of the texts that an expression can be, and how they are put together."""

from __future__ import annotations

import ast
from typing import Final, TypeAlias

from dal_audit.extract.holes import UNKNOWN
from dal_audit.extract.python.spelled_text import spelled

MAX_CANDIDATES: Final = 32
MAX_DEPTH: Final = 20
MAX_LENGTH: Final = 10_000

ConstantSet: TypeAlias = tuple[str, ...]
"""All texts that an expression can be."""
NOTHING: Final[ConstantSet] = (UNKNOWN,)


def literal_text(node: ast.Constant) -> ConstantSet:
    """Return the text of a constant; a number counts, as it is formatted into texts."""
    value = node.value
    if isinstance(value, str):
        return (spelled(value, node),)
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return (str(value),) if is_number else NOTHING


def added(node: ast.expr) -> list[ast.expr]:
    """Return what `+` puts together, in order: a chain is as deep as it is long, but reads flat."""
    parts: list[ast.expr] = []
    while isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        parts.append(node.right)
        node = node.left
    return [node, *reversed(parts)]


def concatenated(parts: list[ConstantSet]) -> ConstantSet:
    """Return all texts that some parts can make together, in the order of the parts."""
    texts: ConstantSet = ("",)
    for part in parts:
        if len(texts) * len(part) > MAX_CANDIDATES:
            return NOTHING
        texts = tuple(before + after for before in texts for after in part)
        if any(len(text) > MAX_LENGTH for text in texts):
            return NOTHING
    return texts


def value_of_key(values: ast.expr, name: str) -> ast.expr | None:
    """Return the value of a key that is written out."""
    if not isinstance(values, ast.Dict):
        return None
    for key, value in zip(values.keys, values.values, strict=True):
        if isinstance(key, ast.Constant) and key.value == name:
            return value
    return None
