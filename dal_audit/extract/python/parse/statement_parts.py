"""Reading a module statement by statement, where the running Python knows most of its grammar.

What `ast` takes of it is `ast`'s; LibCST, which costs ten times as much, reads only the outermost
statements that hold newer grammar. A module is its statements one after the other: where each part
is taken by itself, the whole is what they are.
"""

from __future__ import annotations

import ast
import re
from bisect import bisect_right
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Final

_STATEMENT: Final = re.compile(
    r"""\"{3}(?s:.*?)\"{3}|'{3}(?s:.*?)'{3}|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|\#[^\n]*"""
    r"""|(?P<start>^(?!(?:elif|else|except|finally)\b)(?:[^\W\d]|@))""",
    re.MULTILINE,
)
"""Where an outermost statement may begin; texts and comments are passed over. A line that begins
with a bracket or a quote belongs to the statement before it."""
MAX_PARTS: Final = 50
"""Where more statements are newer than the running Python, LibCST reads the whole at once."""


def read_by_statements(
    text: str, read_newer: Callable[[str], ast.Module | None]
) -> ast.Module | None:
    """Return a module's tree; None where it does not show which of its statements are newer.

    `read_newer` reads the text of one that `ast` does not take, and returns None where it cannot.
    """
    starts = _starts(text)
    body: list[ast.stmt] = []
    done = 0
    for _ in range(MAX_PARTS):
        try:
            return ast.Module([*body, *_known(text, done, len(text))], [])
        except SyntaxError as error:
            first, last = _around(error.lineno or 1, text, starts)
        newer = _newer(text, first, last, read_newer) if first >= done else None
        if newer is None:
            return None
        try:
            body += _known(text, done, first)
        except SyntaxError:
            return None  # What is wrong lies elsewhere.
        body += newer
        done = last
    return None


def _starts(text: str) -> list[int]:
    """Return where the outermost statements begin; a decorator begins what it decorates."""
    begun = [found.start() for found in _STATEMENT.finditer(text) if found["start"]]
    return begun[:1] + [start for before, start in pairwise(begun) if text[before] != "@"]


def _around(line: int, text: str, starts: Sequence[int]) -> tuple[int, int]:
    """Return where the statement that holds a line begins and ends; -1 for both without one."""
    offset = sum(len(before) + 1 for before in text.split("\n")[: line - 1])
    index = bisect_right(starts, offset) - 1
    if index < 0:
        return -1, -1
    return starts[index], [*starts[index + 1 : index + 2], len(text)][0]


def _known(text: str, start: int, end: int) -> list[ast.stmt]:
    """Return the statements of a part that `ast` takes, at their places in the whole."""
    return ast.parse("\n" * text.count("\n", 0, start) + text[start:end]).body


def _newer(
    text: str, start: int, end: int, read_newer: Callable[[str], ast.Module | None]
) -> list[ast.stmt] | None:
    """Return the statements of a part that `ast` does not take, at their places in the whole."""
    read = read_newer(text[start:end])
    if read is None:
        return None
    ast.increment_lineno(read, text.count("\n", 0, start))
    return read.body
