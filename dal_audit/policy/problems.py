"""What is wrong with a configuration, and how a person is told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dal_audit.facts import Span

WIDTH_LIMIT: Final = 100
"""How many columns of a source line are shown; a longer line is cut around the caret."""

_TAB: Final = "    "
_QUOTE_LIMIT: Final = 60
_SUGGESTION_LIMIT: Final = 64
_LEAD: Final = 30


class Problem(Struct, frozen=True):
    """One thing that is wrong with a configuration file.

    `path` is the file as it is shown, `span` the text at fault (None when the file as a whole is),
    and `line` the source line on which the span begins.
    """

    path: str
    span: Span | None
    message: str
    line: str = ""

    @property
    def place(self) -> tuple[str, int, int]:
        """What problems are sorted by."""
        return (self.path, *((self.span.line, self.span.column) if self.span else (0, 0)))


class ConfigurationError(Exception):
    """A configuration that cannot be used; `problems` are all that is wrong with it."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        """Sort the problems by place."""
        self.problems = tuple(sorted(problems, key=lambda it: (it.place, it.message)))
        super().__init__(self.problems)

    def __str__(self) -> str:
        """Return all problems as a person is shown them."""
        return "\n".join(render_problem(problem) for problem in self.problems)


def render_problem(problem: Problem) -> str:
    """Return a problem as plain text, with the source line and a caret; ends in a newline.

    The text comes from a file that may mean harm, so whatever would steer a terminal is escaped.
    """
    head = f"error: {printable(problem.message)}\n"
    if problem.span is None:
        return f"{head} --> {printable(problem.path)}\n"
    span = problem.span
    number = str(span.line)
    gutter = " " * len(number)
    text, caret = _excerpt(problem.line, span)
    return (
        f"{head} --> {printable(problem.path)}:{span.line}:{span.column}\n"
        f"{gutter} |\n"
        f"{f'{number} | {text}'.rstrip()}\n"
        f"{gutter} | {caret}\n"
    )


def printable(text: str) -> str:
    """Escape what is not plain text: control characters, direction marks, lone surrogates."""
    if text.isprintable():
        return text
    return "".join(map(_shown, text))


def quoted(text: str) -> str:
    """Return a text in backticks, cut when it is long."""
    cut = text if len(text) <= _QUOTE_LIMIT else f"{text[: _QUOTE_LIMIT - 1]}…"
    return f"`{cut}`"


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return `; did you mean …?` with the known word most like this one, else nothing."""
    # Loaded only when something is wrong already.
    from difflib import get_close_matches

    if len(word) > _SUGGESTION_LIMIT:
        return ""
    spellings = {name.lower(): name for name in known}
    close = get_close_matches(word.lower(), spellings, n=1)
    return f"; did you mean `{spellings[close[0]]}`?" if close else ""


def _shown(char: str) -> str:
    return char if char.isprintable() else ascii(char)[1:-1]


def _excerpt(line: str, span: Span) -> tuple[str, str]:
    """Return the source line as it is shown, and the carets that go under it."""
    start = _index(line, span.column)
    end = _index(line, span.end_column) if span.end_line == span.line else len(line)
    cells = [_TAB if char == "\t" else _shown(char) for char in line]
    widths = [_width(char, cell) for char, cell in zip(line, cells, strict=True)]
    first, last = _window(widths, start)
    before = sum(widths[first:start])
    under = sum(widths[start : min(end, last)])
    text = "".join(cells[first:last])
    if first:
        text, before = f"…{text}", before + 1
    if last < len(line):
        text += "…"
    return text, " " * before + "^" * max(under, 1)


def _index(line: str, column: int) -> int:
    """Return the index of the character at a UTF-16 column."""
    units = 1
    for index, char in enumerate(line):
        if units >= column:
            return index
        units += 2 if char > "\uffff" else 1
    return len(line)


def _width(char: str, cell: str) -> int:
    """Return how many columns of a terminal a character takes as it is shown."""
    if len(cell) > 1 or char.isascii():
        return len(cell)
    # Loaded only for a line with a problem that is not ASCII.
    from unicodedata import category, east_asian_width

    if category(char) in {"Mn", "Me"}:
        return 0
    return 2 if east_asian_width(char) in "WF" else 1


def _window(widths: list[int], start: int) -> tuple[int, int]:
    """Return which part of a line is shown: all of it, or what fits with the caret in sight."""
    if sum(widths) <= WIDTH_LIMIT:
        return 0, len(widths)
    first = start
    lead = 0
    while first and lead + widths[first - 1] <= _LEAD:
        first -= 1
        lead += widths[first]
    last = first
    room = WIDTH_LIMIT
    while last < len(widths) and widths[last] <= room:
        room -= widths[last]
        last += 1
    return first, last
