"""The places of an SQL text that is put together in code: those in the code."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from dal_audit.extract.sql.places import Places
from dal_audit.facts import Span


class Stretches(Protocol):
    """The lines of a module, in whatever its extents count."""

    def span(self, start: int, end: int) -> Span:
        """Return the span of a stretch, the end exclusive."""


class EmbeddedPlaces(Places):
    """Tells where in a module each stretch of a text stands.

    A stretch begins where its first character that stands anywhere does, and ends with the last one
    in the same expression: what is put in from elsewhere is no part of it.
    """

    __slots__ = ("_around", "_extents", "_lines")

    def __init__(
        self, lines: Stretches, extents: Sequence[tuple[int, int] | None], around: tuple[int, int]
    ) -> None:
        """Take the module's lines, each character's extent, and that of the whole expression."""
        self._lines = lines
        self._extents = extents
        self._around = around

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

    def _nearest(self, offset: int) -> tuple[int, int]:
        """Return the place of the nearest character before an offset that stands anywhere."""
        for extent in reversed(self._extents[:offset]):
            if extent is not None:
                return extent[1], extent[1]
        return self._around[0], self._around[0]
