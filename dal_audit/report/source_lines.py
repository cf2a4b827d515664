"""Lines of the sources that findings lie in, as reports quote and measure them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from msgspec import Struct, field

from dal_audit.facts import Place
from dal_audit.report.terminal import utf16_index

_LINE_END: Final = re.compile(r"\r\n|\r|\n")


class Quoted(Struct, frozen=True):
    """The sources of a report by path; each is decoded once, when its first line is asked for."""

    sources: Mapping[str, bytes]
    _lines: dict[str, Sequence[str]] = field(default_factory=dict)

    def line(self, path: str, number: int) -> str:
        """Return a line by its 1-based number; nothing where the file has no such line."""
        lines = self.lines(path)
        return lines[number - 1] if number <= len(lines) else ""

    def lines(self, path: str) -> Sequence[str]:
        """Return the lines of a source without their ends, as columns count in them."""
        if path not in self._lines:
            text = self.sources.get(path, b"").decode("utf-8", "replace")
            self._lines[path] = _LINE_END.split(text.removeprefix("\ufeff"))
        return self._lines[path]

    def split(self, place: Place) -> tuple[str, str, str]:
        """Return a place's first line in three: what precedes the place, the place, what follows.

        A place of several lines reaches to the end of its first one, without the blanks there.
        """
        span = place.span
        line = self.line(place.path, span.line).rstrip()
        start = utf16_index(line, span.column)
        same = span.end_line == span.line
        end = max(start, utf16_index(line, span.end_column)) if same else len(line)
        return line[:start], line[start:end], line[end:]

    def utf8_columns(self, place: Place) -> tuple[int, int] | None:
        """Return a place's columns in bytes of UTF-8, from 1; None where its lines are missing."""
        span = place.span
        first = self.line(place.path, span.line)
        last = self.line(place.path, span.end_line)
        if (span.column > 1 and not first) or (span.end_column > 1 and not last):
            return None
        return _utf8_column(first, span.column), _utf8_column(last, span.end_column)


def _utf8_column(line: str, column: int) -> int:
    """Return a column in bytes of UTF-8 for one in UTF-16 units."""
    if line.isascii():
        return column
    return len(line[: utf16_index(line, column)].encode("utf-8", "replace")) + 1
