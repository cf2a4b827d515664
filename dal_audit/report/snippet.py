"""Excerpts of source for people: lines with their numbers, and labelled marks below them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from dal_audit.facts import Place
from dal_audit.report.source_lines import Quoted
from dal_audit.report.terminal import ELLIPSIS, Paint, Style, expand, safe, width

MAX_LINE: Final = 160
"""Cells; longer lines are cut around what is marked, where the terminal's width is not known."""

LEAST_LINE: Final = 40
"""Cells; on a narrower terminal lines are longer than it is wide, and yet say something."""

_FAR: Final = 4
"""So many times as many letters as there is room for; some letters take none."""


class Mark(Struct, frozen=True):
    """A place that is marked, and what is said of it."""

    place: Place
    label: str
    main: bool = False
    """Whether it is what the finding is about, and not only something that belongs to it."""


class _Drawn(Struct, frozen=True):
    """A mark on a line as it is shown: its first cell, its width, and how it looks."""

    start: int
    cells: int
    label: str
    sign: str
    style: Style

    @property
    def end(self) -> int:
        return self.start + self.cells


class Excerpts(Struct, frozen=True):
    """Draws marks into their lines; `style` is that of the main ones."""

    quoted: Quoted
    paint: Paint
    gutter: int
    """The width of the widest line number."""
    style: Style

    def draw(self, marks: Iterable[Mark]) -> Iterator[str]:
        """Yield lines of one file with marks below them, in the file's order.

        Nothing is drawn for what the file does not have, as when it could not be read.
        """
        ordered = sorted(marks, key=lambda mark: mark.place.span.line)
        last: int | None = None
        for number, group in groupby(ordered, key=lambda mark: mark.place.span.line):
            of_line = list(group)
            if not "".join(self.quoted.split(of_line[0].place)).strip():
                continue
            if last is None:
                yield self._edge("|")
            elif number > last + 1:
                yield self.paint("." * min(self.gutter, 3), "frame")
            last = number
            yield from self._line(number, of_line)

    def _edge(self, sign: str) -> str:
        return f"{' ' * self.gutter} {self.paint(sign, 'frame')}"

    def _line(self, number: int, marks: Sequence[Mark]) -> Iterator[str]:
        """Yield a line of source and its marks; a long line once for each mark, cut around it."""
        columns = self.paint.look.columns
        room = max(columns - self.gutter - 3, LEAST_LINE) if columns else MAX_LINE
        parts = [self.quoted.split(mark.place) for mark in marks]
        if sum(map(len, parts[0])) > room and len(marks) > 1:
            for mark in marks:
                yield from self._line(number, [mark])
            return
        if len(marks) == 1:
            line, alone = self._cut(marks[0], parts[0], room)
            drawn = [alone]
        else:
            line = expand("".join(parts[0]))
            drawn = [self._drawn(mark, part) for mark, part in zip(marks, parts, strict=True)]
        yield f"{self.paint(f'{number:>{self.gutter}}', 'frame')} {self.paint('|', 'frame')} {line}"
        for row in _rows(drawn, self.paint, room if columns else 0):
            yield f"{self._edge('|')} {row}"

    def _drawn(self, mark: Mark, parts: tuple[str, str, str]) -> _Drawn:
        """Return a mark as it is drawn below its whole line."""
        before, marked, _ = parts
        start, cells = width(expand(before)), max(width(expand(marked)), 1)
        if mark.main:
            return _Drawn(start, cells, mark.label, "^", self.style)
        return _Drawn(start, cells, mark.label, "-", "info")

    def _cut(self, mark: Mark, parts: tuple[str, str, str], room: int) -> tuple[str, _Drawn]:
        """Return a line of at most so many cells, dots apart, and its only mark there."""
        # Of a line as long as a file, what is far from the mark is not even measured.
        before, marked, after = parts
        near = (before[-_FAR * room :], marked[: _FAR * room], after[: _FAR * room])
        drawn = self._drawn(mark, near)
        line = expand("".join(near))
        if width(line) <= room:
            return line, drawn
        begin = max(0, min(drawn.start - room // 4, width(line) - room))
        head, body, tail = _window(line, begin, begin + room)
        shift = len(ELLIPSIS) - width(head) if head else 0
        shown = (ELLIPSIS if head else "") + body + (ELLIPSIS if tail else "")
        cells = min(drawn.cells, begin + room - drawn.start)
        return shown, replace(drawn, start=drawn.start + shift, cells=cells)


def _window(line: str, begin: int, stop: int) -> tuple[str, str, str]:
    """Split a line in three at two cells; a wide letter on an edge stays whole."""
    cells, first, last = 0, len(line), len(line)
    for index, char in enumerate(line):
        if cells >= begin and first == len(line):
            first = index
        if cells >= stop:
            last = index
            break
        cells += width(char)
    return line[:first], line[first:last], line[last:]


def _rows(marks: Sequence[_Drawn], paint: Paint, room: int) -> Iterator[str]:
    """Yield the rows below a line: its marks, and the label of each.

    The last mark has its label beside it; those of the others hang below them. A label that would
    leave the terminal hangs, too.
    """
    apart: list[_Drawn] = []
    end = 0
    for mark in sorted(marks, key=lambda mark: (mark.start, mark.end)):
        if mark.start < end:
            yield from _rows([mark], paint, room)  # What overlaps has rows of its own.
        else:
            apart.append(mark)
            end = mark.end
    row, cell = "", 0
    for mark in apart:
        row += " " * (mark.start - cell) + paint(mark.sign * mark.cells, mark.style)
        cell = mark.end
    hanging = [mark for mark in apart[:-1] if mark.label]
    last = apart[-1]
    label = safe(last.label)
    if room and label and cell + 1 + width(label) > room:
        hanging.append(last)
    elif label:
        row += " " + paint(label, last.style)
    yield row
    yield from _hung(hanging, paint, room, is_alone=len(apart) == 1)


def _hung(hanging: list[_Drawn], paint: Paint, room: int, *, is_alone: bool) -> Iterator[str]:
    """Yield the labels that hang below their marks, the last one first."""
    while hanging:
        mark = hanging.pop()
        label = safe(mark.label)
        bars = _bars(hanging, paint)
        # A label may begin further left to end within the terminal, where no bar is in its way.
        least = hanging[-1].start + 2 if hanging else 0
        start = max(min(mark.start, room - width(label)), least) if room else mark.start
        # A mark that is alone needs no bar to lead to its label.
        if start == mark.start and not is_alone:
            yield _bars([*hanging, mark], paint)
        gap = start - (hanging[-1].start + 1 if hanging else 0)
        yield bars + " " * gap + paint(label, mark.style)


def _bars(marks: Sequence[_Drawn], paint: Paint) -> str:
    """Return a row of bars below marks."""
    row, cell = "", 0
    for mark in marks:
        row += " " * (mark.start - cell) + paint("|", mark.style)
        cell = mark.start + 1
    return row
