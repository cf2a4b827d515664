"""The places of a statement that an operation comes to: in its literals, or the call."""

from __future__ import annotations

import ast
from bisect import bisect_right
from itertools import accumulate

from dal_audit.extract.python.literal_places import LiteralPlaces
from dal_audit.extract.python.spelled_text import Stretch, stretches_of, with_stretches
from dal_audit.extract.sql.places import Places
from dal_audit.facts import Span


class OperationPlaces(Places):
    """Tells where in a module each stretch of such a statement stands.

    What is spelled in a literal stands there; what the tool puts around it stands at the call.
    """

    __slots__ = ("_call", "_ends", "_known", "_literals", "_stretches")

    def __init__(self, literals: LiteralPlaces, text: str, call: Span) -> None:
        """Take the module's literals, the statement with what spells it, and the call's place."""
        self._literals = literals
        self._stretches = stretches_of(text)
        self._ends = list(accumulate(stretch.length for stretch in self._stretches))
        self._call = call
        self._known: dict[int, Span] = {}

    def position(self, offset: int) -> tuple[int, int]:
        """Return the line and the column of an offset in the statement."""
        span = self.span(offset, offset + 1)
        return span.line, span.column

    def span(self, start: int, end: int) -> Span:
        """Return the place in the module of a stretch of the statement, the end exclusive."""
        end = max(end, start + 1)
        for number in range(bisect_right(self._ends, start), len(self._stretches)):
            stretch = self._stretches[number]
            begin = self._ends[number] - stretch.length
            if begin >= end:
                break
            if self._is_near(stretch):
                return self._within(
                    stretch, max(start - begin, 0), min(end - begin, stretch.length)
                )
        return self._call

    def _is_near(self, stretch: Stretch) -> bool:
        """Return whether a stretch is spelled in the call itself, and not in a name's value."""
        if stretch.literal is None:
            return False
        return self._call.line <= stretch.literal.node.lineno <= self._call.end_line

    def is_spelled(self, offset: int) -> bool:
        """Return whether a character of the statement stands in a literal of the module."""
        number = bisect_right(self._ends, offset)
        return number < len(self._ends) and self._stretches[number].literal is not None

    def _within(self, stretch: Stretch, first: int, last: int) -> Span:
        """Return the place of a part of a literal; of a whole one with its quotes."""
        if first == 0 and last == stretch.length and stretch.literal is not None:
            return self._whole(stretch.literal.node)
        ends = [
            Stretch(1, stretch.literal, stretch.first + first),
            Stretch(1, stretch.literal, stretch.first + last - 1),
        ]
        opening, closing = self._literals.extents(with_stretches("  ", ends))
        if opening is None or closing is None:
            return self._call
        return self._literals.lines.span(opening[0], max(opening[1], closing[1]))

    def _whole(self, node: ast.expr) -> Span:
        place = self._known.get(id(node))
        if place is None:
            place = self._literals.lines.span(*self._literals.bounds(node))
            self._known[id(node)] = place
        return place
