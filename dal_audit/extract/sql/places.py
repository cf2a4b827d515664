"""From an offset in a text to its line and column."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from typing import Final

from dal_audit.extract.source import line_starts
from dal_audit.facts import Edit, Span

_PAIRS: Final = re.compile("[\U00010000-\U0010ffff]")


class Places:
    """The places of a text: 1-based lines, and 1-based columns in UTF-16 code units.

    Lines end at LF, CR and CR LF. Each look-up takes logarithmic time, however long the lines are.
    """

    __slots__ = ("_pairs", "_starts")

    def __init__(self, text: str) -> None:
        """Note where the lines begin, and which characters take two code units."""
        self._starts = line_starts(text)
        self._pairs = [] if text.isascii() else [pair.start() for pair in _PAIRS.finditer(text)]

    def position(self, offset: int) -> tuple[int, int]:
        """Return the line and the column of an offset in code points."""
        line = bisect_right(self._starts, offset)
        start = self._starts[line - 1]
        column = offset - start + 1
        if self._pairs:
            column += bisect_left(self._pairs, offset) - bisect_left(self._pairs, start)
        return line, column

    def span(self, start: int, end: int) -> Span:
        """Return the span from one offset to another, the end exclusive."""
        return Span(*self.position(start), *self.position(end))

    def edit(self, start: int, end: int, text: str) -> Edit | None:
        """Return what lets another text stand from one offset to another; None where it cannot."""
        return Edit(self.span(start, end), text)
