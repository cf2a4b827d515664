"""The places of an SQL text that is put together in code: those in the code."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol

from dal_audit.extract.sql.places import Places
from dal_audit.extract.sql.tokens import HOLE
from dal_audit.facts import Edit, Span

_QUOTES: Final = ("'", '"')
_NEVER: Final = frozenset(f"\\{{}}%\r\n{HOLE}")
"""What is something else in a literal, or in one that is formatted."""


class Stretches(Protocol):
    """The lines of a module, in whatever its extents count."""

    def span(self, start: int, end: int) -> Span:
        """Return the span of a stretch, the end exclusive."""


class EmbeddedPlaces(Places):
    """Tells where in a module each stretch of a text stands.

    A stretch begins where its first character that stands anywhere does, and ends with the last one
    in the same expression: what is put in from elsewhere is no part of it.
    """

    __slots__ = ("_around", "_extents", "_lines", "_spelling", "_text")

    def __init__(
        self,
        lines: Stretches,
        extents: Sequence[tuple[int, int] | None],
        around: tuple[int, int],
        *,
        text: str = "",
        spelling: str = "",
    ) -> None:
        """Take the module's lines, each character's extent, and that of the whole expression.

        `text` is the SQL and `spelling` the module's, where it may be edited.
        """
        self._lines = lines
        self._extents = extents
        self._around = around
        self._text = text
        self._spelling = spelling

    def position(self, offset: int) -> tuple[int, int]:
        """Return the line and the column of an offset in the text."""
        span = self.span(offset, offset + 1)
        return span.line, span.column

    def span(self, start: int, end: int) -> Span:
        """Return the place in the module of a stretch of the text, the end exclusive."""
        known = [extent for extent in self._extents[start:end] if extent is not None]
        if not known:
            known = [self._nearest(start)]
        first = known[0]
        low, high = self._around
        is_inside = low <= first[0] < high
        last = first
        for extent in known:
            if (low <= extent[0] < high) == is_inside and extent[1] > last[1]:
                last = extent
            elif not is_inside and extent[0] < last[0]:
                break
        return self._lines.span(first[0], last[1])

    def edit(self, start: int, end: int, text: str) -> Edit | None:
        """Return what lets another text stand in a literal from one offset to another.

        None where the old one is not spelled as it is, or where the new one cannot be: what ends a
        literal, begins an escape or a field, or is not known, is not written.
        """
        spelled = self._plain(start, end)
        if spelled is None or not _NEVER.isdisjoint(text):
            return None
        first, last = spelled
        old = self._spelling[first:last]
        if any(quote in text and quote not in old for quote in _QUOTES):
            return None
        if text[-1:] in _QUOTES and text[-1:] != old[-1:]:
            return None  # It might touch the quotes around it.
        return Edit(self._lines.span(first, last), text)

    def _plain(self, start: int, end: int) -> tuple[int, int] | None:
        """Return where a stretch is spelled, character by character, in one literal.

        That of an empty one is told by its neighbours, which must be.
        """
        low, high = (start, end) if start < end else (start - 1, start + 1)
        known = [extent for extent in self._extents[low:high] if extent is not None]
        if low < 0 or len(known) < high - low or not self._spelling:
            return None
        first, last = known[0][0], known[-1][1]
        if last - first != high - low or self._spelling[first:last] != self._text[low:high]:
            return None
        return (first, last) if start < end else (first + 1, first + 1)

    def _nearest(self, offset: int) -> tuple[int, int]:
        """Return the place of the nearest character before an offset that stands anywhere."""
        for extent in reversed(self._extents[:offset]):
            if extent is not None:
                return extent[1], extent[1]
        return self._around[0], self._around[0]
