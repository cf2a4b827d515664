"""Excerpts of source for people: lines with their numbers, and labelled marks below them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from dal_audit.facts import Place
from dal_audit.report.source_lines import Quoted
from dal_audit.report.terminal import (
    ELLIPSIS,
    Paint,
    Style,
    cut,
    expand,
    safe,
    utf16_index,
    width,
    wrapped,
)

MAX_LINE: Final = 160
"""Cells; longer lines are cut around what is marked, where the terminal's width is not known."""

LEAST_LINE: Final = 24
"""Cells; on a narrower terminal lines are longer than it is wide, and yet say something."""

WHOLE: Final = 5
"""Lines of a mark that are shown; of a longer one all but the last are its first ones."""

_FAR: Final = 4
"""So many times as many letters as there is room for; some letters take none."""


class Mark(Struct, frozen=True):
    """A place that is marked, and what is said of it."""

    place: Place
    label: str
    main: bool = False
    """Whether it is what the finding is about, and not only something that belongs to it."""
    whole: bool = False
    """Whether all lines of it are marked, and a terminal shows what stands around them."""


def last_line(marks: Iterable[Mark], context: int) -> int:
    """Return the number of the last line that is shown of some marks, at the most; at least 1."""
    ends = (
        mark.place.span.end_line + context if mark.whole else mark.place.span.line for mark in marks
    )
    return max(ends, default=1)


def _lines_of(mark: Mark) -> list[int]:
    """Return the lines that are marked: the first and the last ones of many."""
    span = mark.place.span
    # What ends before the first column of a line has nothing on it.
    if not mark.whole or span.end_line == span.line or span.end_column == 1:
        return [span.line]
    numbers = list(range(span.line, span.end_line + 1))
    return numbers if len(numbers) <= WHOLE else [*numbers[: WHOLE - 1], span.end_line]


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

    def draw(self, marks: Sequence[Mark]) -> Iterator[str]:
        """Yield lines of one file with marks below them, in the file's order.

        Nothing is drawn for what the file does not have, as when it could not be read. A mark of
        several lines has a bar beside these, which ends in its label.
        """
        path = marks[0].place.path
        bar = self._bar(marks)
        last: int | None = None
        for number, of_line in sorted(self._lines(marks, bar).items()):
            if last is None:
                yield self._edge("|")
            elif number > last + 1:
                yield self.paint("." * min(self.gutter, 3), "frame")
            last = number
            rail = self._rail(bar, number)
            yield from (
                self._line(number, of_line, rail) if of_line else self._plain(number, path, rail[0])
            )
            if bar is not None and number == bar.place.span.end_line:
                yield self._closed(bar)

    def _bar(self, marks: Iterable[Mark]) -> Mark | None:
        """Return the mark of several lines that is drawn as a bar."""
        found = (mark for mark in marks if len(_lines_of(mark)) > 1)
        return next((mark for mark in found if self._has_source(mark)), None)

    def _has_source(self, mark: Mark) -> bool:
        return bool("".join(self.quoted.split(mark.place)).strip())

    def _lines(self, marks: Iterable[Mark], bar: Mark | None) -> dict[int, list[Mark]]:
        """Return the lines that are shown, each with what is marked in it alone."""
        rows: dict[int, list[Mark]] = {}
        for mark in marks:
            if not self._has_source(mark):
                continue
            if mark is not bar:
                rows.setdefault(mark.place.span.line, []).append(mark)
            for number in (*self._around(mark), *(_lines_of(mark) if mark is bar else ())):
                rows.setdefault(number, [])
        return rows

    def _rail(self, bar: Mark | None, number: int) -> tuple[str, str]:
        """Return what stands before a line of source, and before the rows of marks below it."""
        if bar is None:
            return "", ""
        span = bar.place.span
        if not span.line <= number <= span.end_line:
            return "  ", "  "
        sign = self.paint("/" if number == span.line else "|", self.style)
        below = self.paint("|", self.style) if number < span.end_line else " "
        return f"{sign} ", f"{below} "

    def _closed(self, bar: Mark) -> str:
        """Return the row in which a bar ends below the last letter of its mark."""
        span = bar.place.span
        line = self.quoted.line(bar.place.path, span.end_line)
        cells = max(width(expand(line[: utf16_index(line, span.end_column)])), 1)
        columns = self.paint.look.columns or MAX_LINE
        reach = "_" * min(cells, columns // 2)
        return (
            f"{self._edge('|')} {self.paint(f'|{reach}^ {safe(bar.label)}'.rstrip(), self.style)}"
        )

    def _around(self, mark: Mark) -> Iterator[int]:
        """Yield the lines around a mark that are shown as well, without empty ones at the ends."""
        context = self.paint.look.context if mark.whole else 0
        path, span = mark.place.path, mark.place.span
        count = len(self.quoted.lines(path))
        above = range(max(span.line - context, 1), span.line)
        below = range(span.end_line + 1, min(span.end_line + context, count) + 1)
        for numbers in (above, reversed(below)):
            has_begun = False
            for number in numbers:
                has_begun = has_begun or bool(self.quoted.line(path, number).strip())
                if has_begun:
                    yield number

    def _plain(self, number: int, path: str, rail: str) -> Iterator[str]:
        """Yield a line that nothing is marked in, or that a bar stands beside."""
        line = cut(expand(self.quoted.line(path, number).rstrip()), self._room(rail))
        shown = line if rail.strip() else self.paint(line, "faint")
        yield f"{self._number(number)} {rail}{shown}".rstrip()

    def _number(self, number: int) -> str:
        return f"{self.paint(f'{number:>{self.gutter}}', 'frame')} {self.paint('|', 'frame')}"

    def _room(self, rail: str) -> int:
        """Return how many cells a line of source has."""
        columns = self.paint.look.columns
        taken = self.gutter + 3 + 2 * bool(rail)
        return max(columns - taken, LEAST_LINE) if columns else MAX_LINE

    def _edge(self, sign: str) -> str:
        return f"{' ' * self.gutter} {self.paint(sign, 'frame')}"

    def _line(self, number: int, marks: Sequence[Mark], rail: tuple[str, str]) -> Iterator[str]:
        """Yield a line of source and its marks; a long line once for each mark, cut around it."""
        room = self._room(rail[0])
        parts = [self.quoted.split(mark.place) for mark in marks]
        if sum(map(len, parts[0])) > room and len(marks) > 1:
            for mark in marks:
                yield from self._line(number, [mark], rail)
            return
        if len(marks) == 1:
            line, alone = self._cut(marks[0], parts[0], room)
            drawn = [alone]
        else:
            line = expand("".join(parts[0]))
            drawn = [self._drawn(mark, part) for mark, part in zip(marks, parts, strict=True)]
        yield f"{self._number(number)} {rail[0]}{line}"
        for row in _rows(drawn, self.paint, room if self.paint.look.columns else 0):
            yield f"{self._edge('|')} {rail[1]}{row}"

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
        inner = room - 2 * len(ELLIPSIS)
        begin = max(0, min(drawn.start - inner // 4, width(line) - inner))
        head, body, tail = _window(line, begin, begin + inner)
        shift = len(ELLIPSIS) - width(head) if head else 0
        shown = (ELLIPSIS if head else "") + body + (ELLIPSIS if tail else "")
        cells = min(drawn.cells, begin + inner - drawn.start)
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
        bars = _bars(hanging, paint)
        # A label may begin further left to end within the terminal, where no bar is in its way.
        least = hanging[-1].start + 2 if hanging else 0
        rows = list(wrapped(safe(mark.label), max(room - least, LEAST_LINE) if room else 0))
        start = max(min(mark.start, room - max(map(width, rows))), least) if room else mark.start
        # A mark that is alone needs no bar to lead to its label.
        if start == mark.start and not is_alone:
            yield _bars([*hanging, mark], paint)
        gap = start - (hanging[-1].start + 1 if hanging else 0)
        yield from (bars + " " * gap + paint(row, mark.style) for row in rows)


def _bars(marks: Sequence[_Drawn], paint: Paint) -> str:
    """Return a row of bars below marks."""
    row, cell = "", 0
    for mark in marks:
        row += " " * (mark.start - cell) + paint("|", mark.style)
        cell = mark.start + 1
    return row
