"""A statement without what stands in brackets beside the places that somebody asks about.

A parser takes as long as a statement is long, and most of one is the arguments of its calls and the
parameters of its function. What holds a place, and what it is called with, stays as it is written.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from dal_audit.extract.python.logical_lines import TOKEN

_CAN_BE_EMPTY: Final = "({"
"""Brackets that mean something with nothing in them, wherever they stand; `x[]` is none."""
_NEVER_EMPTY: Final = re.compile(r"\s*(?:from|import|del|with)\b")
"""How a statement begins whose own brackets are more than a group of expressions."""
_SHORT: Final = 3
"""So few letters between brackets are as quickly read as passed over."""


def outline(text: str, start: int, places: Iterable[tuple[int, int]]) -> str:
    """Return a statement with blanks for what stands in brackets that are apart from some places.

    The places are from one index to another, in a text in which the statement begins at `start`;
    whatever lies in the statement stays where it is.
    """
    if _NEVER_EMPTY.match(text):
        return text
    kept = [(first - start, last - start) for first, last in places]
    pieces = []
    done = 0
    for opened, closed in _outermost(text, kept):
        pieces += [text[done:opened], " " * (closed - opened)]
        done = closed
    return "".join((*pieces, text[done:])) if pieces else text


def _outermost(text: str, kept: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Yield what lies between brackets that no place touches, but for those inside another."""
    depths: list[int] = []
    outer: list[tuple[int, int]] = []
    for token in TOKEN.finditer(text):
        if token.lastgroup == "open":
            depths.append(token.end())
        elif token.lastgroup == "close" and depths:
            opened, closed = depths.pop(), token.end() - 1
            if _is_apart(text, opened, closed, kept):
                while outer and outer[-1][0] > opened:
                    outer.pop()
                outer.append((opened, closed))
    yield from outer


def _is_apart(text: str, opened: int, closed: int, kept: list[tuple[int, int]]) -> bool:
    """Return whether brackets can be empty, and neither lie in a place nor hold some of one."""
    return (
        text[opened - 1] in _CAN_BE_EMPTY
        and closed - opened > _SHORT
        and all(closed < first or last < opened for first, last in kept)
    )
