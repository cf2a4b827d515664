"""The items of a list in source text, and what goes with one that is taken out of it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from dal_audit.extract.source import Lines
from dal_audit.facts import Span

_COMMA: Final = re.compile(r"[ \t]*,")


class ListItems:
    """Items that commas part, by the indices in the text at which each begins and ends."""

    def __init__(
        self, lines: Lines, bounds: Sequence[tuple[int, int]], around: tuple[int, int]
    ) -> None:
        """Take the items, and where the whole that they stand in begins and ends."""
        self.lines = lines
        self.bounds = bounds
        self.has_comments = "#" in lines.text[slice(*around)]

    def spans(self, index: int) -> tuple[Span, Span] | None:
        """Return what goes with an item where one behind it stays, and where one before it does.

        None where that is not told for a comment. With comments in the list, it stands in brackets.
        """
        if self.has_comments:
            alone = self._beside_comments(index)
            return None if alone is None else (alone, alone)
        (start, end), last = self.bounds[index], len(self.bounds) - 1
        following = self.lines.span(start, self.bounds[index + 1][0] if index < last else end)
        preceding = self.lines.span(self.bounds[index - 1][1] if index else start, end)
        return following, preceding

    def _beside_comments(self, index: int) -> Span | None:
        """Return an item between brackets with its own comma, and the line that it has for itself.

        None where a comment stands before the comma.
        """
        text, (start, end) = self.lines.text, self.bounds[index]
        comma = _COMMA.match(text, end)
        if comma is not None:
            end = comma.end()
        elif index < len(self.bounds) - 1:
            return None
        number = self.lines.line_of(start)
        line_start = self.lines.starts[number - 1]
        line_end = line_start + len(self.lines.line(number))
        before, behind = text[line_start:start], text[end:line_end]
        if before.strip():
            return self.lines.span(line_start + len(before.rstrip(" \t")), end)
        if not behind.strip():
            return self.lines.span(line_start, line_end)
        return self.lines.span(start, end + len(behind) - len(behind.lstrip(" \t")))
