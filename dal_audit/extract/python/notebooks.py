"""Notebooks: the Python in the code cells of a `.ipynb` file, and where it stands in that file.

The cells' lines become one text, which is read as any module is; what is found in it is moved to
the places in the file. The format is nbformat's (https://nbformat.readthedocs.io), versions 3 and
4; what IPython adds to Python is told in its documentation, "Built-in magic commands".
"""

from __future__ import annotations

import json
import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from typing import Any, Final, TypeAlias

from msgspec import Struct
from msgspec.structs import asdict, replace

from dal_audit.extract.source import Lines
from dal_audit.facts import (
    AttributeRead,
    ClassDefinition,
    Fact,
    NotebookCell,
    NotUnderstood,
    Span,
    Suppression,
    Target,
    packed,
)
from dal_audit.facts.claims import Claim
from dal_audit.facts.source import FactRecord
from dal_audit.facts.sql import Embedding

Path: TypeAlias = tuple[str | int, ...]
"""The keys and indices that lead to a value in a JSON document."""

_TOKEN: Final = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{},:]')
_CHARACTER: Final = re.compile(r"(?:\\u[0-9a-fA-F]{4}){1,2}|\\.|[^\\]", re.DOTALL)
_SURROGATES: Final = re.compile(r"\\u[dD][89abAB]\w\w\\u[dD][c-fC-F]\w\w")
_LINE_MAGIC: Final = re.compile(r"(\s*)(?:%[A-Za-z_%]|!|\?|[,;/][A-Za-z_]).*|(\s*)\S.*\?\s*\Z")
_ASSIGNED: Final = re.compile(r"(\s*[\w.,\s\[\]]+=\s*)[%!][^=].*")
_CELL_MAGIC: Final = re.compile(r"\s*%%(\w+)")
_PYTHON_MAGICS: Final = frozenset(
    {"capture", "memit", "prun", "python", "python3", "time", "timeit"}
)
"""The magics whose cells hold Python; of another's nothing is known."""


class _Line(Struct, frozen=True):
    """A line of code, and where each of its characters (and its end) stands in the file."""

    text: str
    offsets: Sequence[int]


class _Cell(Struct):
    """A code cell: its place among all cells, from 1, and its lines."""

    number: int
    lines: list[_Line]

    @property
    def text(self) -> str:
        """The code."""
        return "".join(f"{line.text}\n" for line in self.lines)


class Notebook:
    """The code of a notebook as one text; its places are those of the file once they are moved."""

    def __init__(self, text: str) -> None:
        """Read the file's text; raises ValueError for one that is no notebook."""
        self.file = Lines(text)
        document: Any = json.loads(text)
        cells = list(_cells(text)) if _is_python(document) else []
        self.flaws: list[NotUnderstood] = []
        self._lines: list[_Line] = []
        self.cells: list[NotebookCell] = []
        for cell in cells:
            self._take(cell)
        self.text = "".join(f"{line.text}\n" for line in self._lines)
        self._text_lines = Lines(self.text)

    def _take(self, cell: _Cell) -> None:
        """Add a cell; one that is no Python, even without its magics, is not understood."""
        starts = [self.file.span(line.offsets[0], line.offsets[-1]) for line in cell.lines]
        if not starts:
            return
        span = Span(starts[0].line, starts[0].column, starts[-1].end_line, starts[-1].end_column)
        places = tuple((start.line, start.column) for start in starts)
        self.cells.append(NotebookCell(span, cell.number, places))
        flaw = _flaw(cell.text)
        if flaw is not None:
            cell.lines = list(_without_magics(cell.lines))
            flaw = _flaw(cell.text)
        if flaw is None:
            self._lines += cell.lines
        else:
            where = starts[min(flaw.lineno or 1, len(starts)) - 1]
            detail = f"cell {cell.number}: {flaw.msg}"
            self.flaws.append(NotUnderstood(where, "unparsable", detail))

    def facts(self, found: Sequence[Fact]) -> tuple[Fact, ...]:
        """Return facts of the text at their places in the file, with the cells and their flaws."""
        moved: list[Any] = [self.moved(fact) for fact in found]
        return (*moved, *self.flaws, *self.cells)

    def moved(self, value: Any) -> Any:
        """Return a fact of the text, or a part of one, at its place in the file."""
        if isinstance(value, Span):
            return self._span(value)
        if isinstance(value, tuple):
            return tuple(map(self.moved, value))
        if not isinstance(value, FactRecord):
            return value
        moved = type(value)(**{name: self.moved(part) for name, part in asdict(value).items()})
        if isinstance(moved, Suppression):
            return self._suppression(moved)
        if isinstance(moved, Target):
            return replace(moved, packed_uses=packed(self.moved(moved.uses)))
        if isinstance(moved, ClassDefinition):
            return replace(moved, packed_members=packed(self.moved(moved.members)))
        if isinstance(moved, (AttributeRead, Embedding)):
            first, last = moved.lines
            return replace(moved, lines=(self._line(first), self._line(last)))
        return moved

    def inside(self, claim: Claim) -> Claim:
        """Return a claim about the file as one about the text."""
        span = claim.span
        start = self._place(self.file.index(span.line, span.column))
        end = self._place(self.file.index(span.end_line, span.end_column))
        return replace(claim, span=self._text_lines.span(start, max(start, end)))

    def _place(self, offset: int) -> int:
        """Return which index in the text stands at an offset of the file."""
        number = max(0, bisect_right(self._lines, offset, key=lambda line: line.offsets[0]) - 1)
        within = bisect_left(self._lines[number].offsets, offset) if self._lines else 0
        return self._text_lines.starts[number] + within

    def _suppression(self, found: Suppression) -> Suppression:
        """Return a suppression of a line of the file, where no other line of code stands."""
        if found.line is None:
            return found
        line = self._line(found.line)
        if [self._line(number) for number in range(1, len(self._lines) + 1)].count(line) > 1:
            return replace(found, line=line, flaw="several lines of code stand on its line")
        return replace(found, line=line)

    def _line(self, number: int) -> int:
        return self._span(Span(number, 1, number, 1)).line

    def _span(self, span: Span) -> Span:
        start = self._offset(span.line, span.column)
        end = self._offset(span.end_line, span.end_column)
        return self.file.span(start, max(start, end))

    def _offset(self, line: int, column: int) -> int:
        """Return where a place in the text stands in the file."""
        if not self._lines:
            return 0
        if line > len(self._lines):
            return self._lines[-1].offsets[-1]
        offsets = self._lines[line - 1].offsets
        index = self._text_lines.index(line, column) - self._text_lines.starts[line - 1]
        return offsets[min(index, len(offsets) - 1)]


def _is_python(document: Any) -> bool:
    """Return whether a notebook's kernel runs Python; raises ValueError for what is no notebook."""
    if not isinstance(document, dict) or not {"cells", "worksheets"} & set(document):
        message = "not a notebook: it has no cells"
        raise ValueError(message)
    metadata = document.get("metadata")
    about = metadata if isinstance(metadata, dict) else {}
    names = [
        part.get(key)
        for part, key in (
            (about.get("kernelspec"), "language"),
            (about.get("language_info"), "name"),
        )
        if isinstance(part, dict)
    ]
    told = [name.lower() for name in names if isinstance(name, str)]
    return not told or any("python" in name for name in told)


def _cells(text: str) -> Iterator[_Cell]:
    """Yield the code cells of a notebook."""
    kinds: dict[Path, str] = {}
    sources: dict[Path, list[tuple[int, int]]] = {}
    for path, start, end in _strings(text):
        at = path.index("cells") + 2 if "cells" in path else 0
        cell, inside = path[:at], path[at:]
        if inside == ("cell_type",):
            kinds[cell] = text[start + 1 : end - 1]
        elif inside[:1] in {("source",), ("input",)}:
            sources.setdefault(cell, []).append((start + 1, end - 1))
    for number, cell in enumerate(kinds, 1):
        if kinds[cell] == "code":
            yield _Cell(number, _code(text, sources.get(cell, [])))


def _strings(text: str) -> Iterator[tuple[Path, int, int]]:
    """Yield the strings in a sound JSON document that are values: the way there, and its place."""
    keys: list[str | int] = []
    is_key = False
    for token in _TOKEN.finditer(text):
        sign = token[0]
        if sign in "{[":
            keys.append("" if sign == "{" else 0)
            is_key = sign == "{"
        elif sign in "}]":
            keys.pop()
        elif sign == ",":
            is_key = isinstance(keys[-1], str)
            if not is_key:
                keys[-1] = int(keys[-1]) + 1
        elif sign == ":":
            is_key = False
        elif is_key:
            keys[-1] = json.loads(sign)
        else:
            yield tuple(keys), token.start(), token.end()


def _code(text: str, strings: Sequence[tuple[int, int]]) -> list[_Line]:
    """Return the lines that strings hold, one after the other."""
    lines: list[_Line] = []
    shown: list[str] = []
    offsets: list[int] = []
    end = 0
    for start, end in strings:
        for part in _parts(text, start, end):
            if part[0] == "\n":
                lines.append(_Line("".join(shown), (*offsets, part[1])))
                shown, offsets = [], []
            else:
                shown.append(part[0])
                offsets.append(part[1])
    if shown:
        lines.append(_Line("".join(shown), (*offsets, end)))
    return lines


def _parts(text: str, start: int, end: int) -> Iterator[tuple[str, int]]:
    """Yield the characters that a JSON string stands for, and where each is written."""
    position = start
    while position < end:
        found = _CHARACTER.match(text, position, end)
        written = found[0] if found else text[position]
        if len(written) > len("\\u0000") and not _SURROGATES.fullmatch(written):
            written = written[: len("\\u0000")]
        yield (json.loads(f'"{written}"') if written[0] == "\\" else written), position
        position += len(written)


def _flaw(code: str) -> SyntaxError | None:
    """Return why a cell is no Python."""
    from dal_audit.extract.python.parse.parser import UnparsableError, parse

    try:
        parse(code)
    except UnparsableError as error:
        return SyntaxError(str(error), ("", error.line, error.column, ""))
    except RecursionError:
        return SyntaxError("nested too deeply to read", ("", 1, 1, ""))
    return None


def _without_magics(lines: Sequence[_Line]) -> Iterator[_Line]:
    """Yield lines with `pass` in the place of what IPython alone understands."""
    cell = _CELL_MAGIC.match(lines[0].text)
    is_foreign = cell is not None and cell[1] not in _PYTHON_MAGICS
    for line in lines:
        magic = _LINE_MAGIC.fullmatch(line.text)
        assigned = _ASSIGNED.fullmatch(line.text)
        if is_foreign:
            yield replace(line, text="")
        elif magic is not None:
            yield replace(line, text=f"{magic[1] or magic[2] or ''}pass")
        elif assigned is not None:
            yield replace(line, text=f"{assigned[1]}None")
        else:
            yield line
