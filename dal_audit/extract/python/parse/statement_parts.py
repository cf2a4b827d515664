"""Reading a module statement by statement, where the running Python knows most of its grammar.

What `ast` takes of it is `ast`'s; LibCST, which costs ten times as much, reads only the statements
that hold newer grammar: outermost ones, and those in the blocks of classes. A block is its
statements one after the other: where each part is taken by itself, the whole is what they are.
"""

from __future__ import annotations

import ast
import re
from bisect import bisect_right
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Final, TypeAlias

Reader: TypeAlias = Callable[[str], ast.Module | None]
"""Reads newer grammar; None for a text that it cannot read."""

_TEXT: Final = (
    r"""\"{3}(?s:.*?)\"{3}|'{3}(?s:.*?)'{3}|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|\#[^\n]*"""
)
_START: Final = r"^{indent}(?P<start>(?!(?:elif|else|except|finally)\b)(?:[^\W\d]|@))"
"""Where a statement of a block may begin. A line that begins with a bracket or a quote belongs to
the statement before it."""
_CLASS: Final = re.compile(r"[ \t]*(?:@[^\n]*\n[ \t]*)*class\b")
_DEEPER: Final = re.compile(rf"{_TEXT}|^(?P<indent>[ \t]+)(?=[^\W\d]|@)", re.MULTILINE)
"""Where the block of a class begins, behind its docstring."""
_HEAD: Final = "if 1:\n"
"""What a part of a deeper block is read behind."""
MAX_PARTS: Final = 50
"""Where more statements of a block are newer than the running Python, all are read at once."""


def read_by_statements(text: str, read_newer: Reader) -> ast.Module | None:
    """Return a module's tree; None where it does not show which of its statements are newer."""
    body = _Parts(text, read_newer).block(0, len(text), "")
    return None if body is None else ast.Module(body, [])


class _Parts:
    """Reads stretches of a text that are statements of one block, at their places in the whole."""

    def __init__(self, text: str, read_newer: Reader) -> None:
        self.text = text
        self.read_newer = read_newer

    def block(self, start: int, end: int, indent: str) -> list[ast.stmt] | None:
        """Return the statements of a block; None where it is not told apart which are newer."""
        starts = self.starts(start, end, indent)
        body: list[ast.stmt] = []
        for _ in range(MAX_PARTS):
            try:
                return [*body, *self.known(start, end, indent)]
            except SyntaxError as error:
                first, last = self.around(error.lineno or 1, starts, end)
            newer = self.newer(first, last, indent) if first >= start else None
            if newer is None:
                return None
            try:
                body += self.known(start, first, indent)
            except SyntaxError:
                return None  # What is wrong lies elsewhere.
            body += newer
            start = last
        return None

    def starts(self, start: int, end: int, indent: str) -> list[int]:
        """Return where the statements of a block begin; a decorator begins what it decorates."""
        pattern = re.compile(rf"{_TEXT}|{_START.format(indent=indent)}", re.MULTILINE)
        found = [match for match in pattern.finditer(self.text, start, end) if match["start"]]
        return [
            match.start()
            for before, match in pairwise([None, *found])
            if match is not None and (before is None or before["start"] != "@")
        ]

    def around(self, line: int, starts: Sequence[int], end: int) -> tuple[int, int]:
        """Return where the statement that holds a line begins and ends; -1 without one."""
        offset = sum(len(before) + 1 for before in self.text.split("\n")[: line - 1])
        index = bisect_right(starts, offset) - 1
        if index < 0:
            return -1, -1
        return starts[index], [*starts[index + 1 : index + 2], end][0]

    def known(self, start: int, end: int, indent: str) -> list[ast.stmt]:
        """Return the statements of a part that `ast` takes; SyntaxError where it does not."""
        if start == end:
            return []
        return _inner(ast.parse(self.part(start, end, indent)), indent)

    def newer(self, start: int, end: int, indent: str) -> list[ast.stmt] | None:
        """Return the statements of a part that `ast` does not take; None where nothing does."""
        found = self.in_class(start, end, indent)
        return self.by_newer(start, end, indent) if found is None else [found]

    def by_newer(self, start: int, end: int, indent: str) -> list[ast.stmt] | None:
        """Return the statements of a part as `read_newer` reads them."""
        read = self.read_newer(self.part(start, end, indent))
        return None if read is None else _inner(read, indent)

    def part(self, start: int, end: int, indent: str) -> str:
        """Return the text of a part, in its lines, with its statements no deeper than they may be.

        Lines before it are what tells its place: a tree of newer grammar has nodes that `ast` does
        not know, and would not move.
        """
        before = self.text.count("\n", 0, start) - bool(indent)
        return "\n" * before + (_HEAD if indent else "") + self.text[start:end]

    def in_class(self, start: int, end: int, indent: str) -> ast.ClassDef | None:
        """Return a class whose block was read by its statements; None for anything else."""
        if not _CLASS.match(self.text, start):
            return None
        inner = self.text.find("\n", start)
        begun = (found for found in _DEEPER.finditer(self.text, inner, end) if found["indent"])
        deeper = next(begun, None)
        if deeper is None or not deeper["indent"].startswith(f"{indent} "):
            return None
        first, inner_indent = deeper.start(), deeper["indent"]
        head = _Parts(f"{self.text[:first]}{inner_indent}pass\n", self.read_newer)
        made = head.single(start, indent)
        if not isinstance(made, ast.ClassDef):
            return None
        body = self.block(first, end, inner_indent)
        if not body:
            return None
        made.body[-1:] = body
        made.end_lineno, made.end_col_offset = body[-1].end_lineno, body[-1].end_col_offset
        return made

    def single(self, start: int, indent: str) -> ast.stmt | None:
        """Return the one statement that the text ends with; None where nothing reads it."""
        end = len(self.text)
        try:
            found: list[ast.stmt] | None = self.known(start, end, indent)
        except SyntaxError:
            found = self.by_newer(start, end, indent)
        return found[0] if found and len(found) == 1 else None


def _inner(read: ast.Module, indent: str) -> list[ast.stmt]:
    """Return the statements of a part, without what stands before it."""
    around = read.body[0] if indent else read
    return around.body if isinstance(around, (ast.Module, ast.If)) else []
