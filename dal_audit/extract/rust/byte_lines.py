"""The lines of a file by its bytes, and the spans of stretches of it."""

from __future__ import annotations

from bisect import bisect_right
from functools import cached_property
from itertools import accumulate

from dal_audit.facts import Span


class ByteLines:
    """Tells where stretches of UTF-8 stand; columns count UTF-16 code units."""

    def __init__(self, data: bytes) -> None:
        """Take a file's bytes."""
        self.data = data
        self.is_ascii = data.isascii()

    @cached_property
    def _starts(self) -> list[int]:
        """The bytes at which the lines begin."""
        return [0, *accumulate(len(line) + 1 for line in self.data.split(b"\n"))]

    def span(self, start: int, end: int) -> Span:
        """Return the span of a stretch of bytes, the end exclusive."""
        return Span(*self._place(start), *self._place(end))

    def _place(self, offset: int) -> tuple[int, int]:
        row = bisect_right(self._starts, offset) - 1
        begin = self._starts[row]
        before = self.data[begin:offset]
        if self.is_ascii or before.isascii():
            return row + 1, offset - begin + 1
        return row + 1, len(before.decode("utf-8", "replace").encode("utf-16-le")) // 2 + 1

    def offset(self, line: int, column: int) -> int:
        """Return the byte at a line and a column of it."""
        begin = self._starts[line - 1]
        if self.is_ascii:
            return begin + column - 1
        written = self.data[begin : self._starts[line]].decode("utf-8", "replace")
        before = written.encode("utf-16-le")[: 2 * (column - 1)]
        return begin + len(before.decode("utf-16-le", "replace").encode())
