"""Line moves: whether two versions of a file say the same, on whatever lines they say it.

Checks compare the places that facts name with each other and count none of the lines between. So
what they find in the one version they find in the other, where its lines have gone to.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Final

from msgspec import Struct

from dal_audit.facts import START, Edit, Span

LINE_FIELDS: Final = frozenset({"line", "end_line", "together", "extent", "lines"})
"""The fields of facts that hold the numbers of lines; all other numbers are compared."""


class UnknownLineError(LookupError):
    """Nothing that a file says lies on a line."""


class LineMoves:
    """Where the lines went on which a file says something."""

    def __init__(self) -> None:
        """Begin with no line known."""
        self._lines: dict[int, int] = {}
        self._removals: dict[Span, Span] = {}
        """What is taken out with an import: how many of the blank lines around it differs."""

    def covers(self, before: object, after: object) -> bool:
        """Return whether facts are the same but for their lines, and take down where those went."""
        if type(before) is not type(after):
            return False
        if isinstance(before, Span) and isinstance(after, Span):
            return self._covers_span(before, after)
        if isinstance(before, tuple) and isinstance(after, tuple):
            return len(before) == len(after) and all(map(self.covers, before, after))
        if isinstance(before, Struct):
            # What a record holds as bytes it has as records, too, and these have lines.
            names = (field.removeprefix("packed_") for field in before.__struct_fields__)
            return all(
                self._covers_field(name, getattr(before, name), getattr(after, name))
                for name in names
            )
        return before == after

    def _covers_field(self, name: str, before: object, after: object) -> bool:
        if name == "removal" and isinstance(before, tuple) and isinstance(after, tuple):
            return len(before) == len(after) and all(map(self._covers_removal, before, after))
        return (self._covers_lines if name in LINE_FIELDS else self.covers)(before, after)

    def _covers_lines(self, before: object, after: object) -> bool:
        """Return whether a field of lines is the same but for these: another may bear its name."""
        if isinstance(before, int) and isinstance(after, int):
            return self._covers_line(before, after)
        if isinstance(before, tuple) and isinstance(after, tuple):
            return len(before) == len(after) and all(map(self._covers_lines, before, after))
        return before == after

    def _covers_removal(self, before: object, after: object) -> bool:
        if not isinstance(before, Edit) or not isinstance(after, Edit):
            return self.covers(before, after)
        is_known = self._removals.setdefault(before.span, after.span) == after.span
        return is_known and before.text == after.text

    def _covers_span(self, before: Span, after: Span) -> bool:
        if START in {before, after}:
            return before == after  # It speaks of the file, wherever its first statement is.
        return (
            (before.column, before.end_column) == (after.column, after.end_column)
            and _ends_a_line(before) == _ends_a_line(after)
            and self._covers_line(before.line, after.line)
            and self._covers_line(_last_line(before), _last_line(after))
        )

    def _covers_line(self, before: int, after: int) -> bool:
        return self._lines.setdefault(before, after) == after

    @property
    def are_in_order(self) -> bool:
        """Whether all that came before something else still does."""
        after = [line for _, line in sorted(self._lines.items())]
        return all(first < second for first, second in pairwise(after))

    def line(self, before: int) -> int:
        """Return where a line went. Raises UnknownLineError where nothing is said on it."""
        if before not in self._lines:
            raise UnknownLineError(before)
        return self._lines[before]

    def span(self, before: Span) -> Span:
        """Return where a span went. Raises UnknownLineError as `line` does."""
        if before == START:
            return before
        last = self.line(_last_line(before)) + _ends_a_line(before)
        return Span(self.line(before.line), before.column, last, before.end_column)

    def edit(self, before: Edit) -> Edit:
        """Return where an edit went. Raises UnknownLineError as `line` does."""
        span = self._removals.get(before.span)
        if span is None and _is_between_lines(before.span):
            span = self._between(before.span.line)
        return Edit(self.span(before.span) if span is None else span, before.text)

    def _between(self, below: int) -> Span:
        """Return where the place before a line went.

        Raises UnknownLineError where something came between that line and the one above it: to
        which of the two the place belongs is not known.
        """
        line = self.line(below)
        if self._lines.get(below - 1, line - 1) != line - 1:
            raise UnknownLineError(below)
        return Span(line, 1, line, 1)


def _ends_a_line(span: Span) -> bool:
    """Return whether a span ends where the next line begins, and holds nothing of that."""
    return span.end_column == 1 and span.end_line > span.line


def _is_between_lines(span: Span) -> bool:
    return span == Span(span.line, 1, span.line, 1)


def _last_line(span: Span) -> int:
    return span.end_line - _ends_a_line(span)
