"""Where an argument goes in a call that lacks it, and the edits that put it there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from msgspec import Struct

from dal_audit.extract.embedded.operation_source import CallPlace
from dal_audit.extract.source import Lines
from dal_audit.facts import Edit
from dal_audit.fix.revisions.spelling import WIDTH

INDENT: Final = "    "


class _Tail(Struct, frozen=True):
    """What is behind the last argument: where it ends with its brackets, and its comma."""

    end: int
    comma: int | None
    is_last_of_line: bool
    line_end: int


def edits_of(
    place: CallPlace, text: str, keyword: str, value: Sequence[str]
) -> tuple[list[Edit], str]:
    """Return the edits that give a call an argument, whose lines are a `value`.

    The first line of the value stands behind the keyword, all else by itself. With them the
    indentation of the call's line is returned.
    """
    lines = Lines(text)
    outer = _indent_of(lines, place.start)
    if place.idle is not None:
        inner = _indent_of(lines, place.idle[0])
        return [Edit(lines.span(*place.idle), _joined(value, inner))], outer
    tail = _tail(text, place)
    opened = text.index("(", place.opening) + 1
    is_open = lines.line_of(place.first) > lines.line_of(opened - 1)
    inner = _indent_of(lines, place.first) if is_open else f"{outer}{INDENT}"
    short = f", {keyword}={value[0]}"
    if _fits(lines, place, tail, short) and len(value) == 1:
        return [_at(lines, tail.end, short)], outer
    edits = [] if is_open else [_at(lines, opened, f"\n{inner}")]
    argument = f"\n{inner}{keyword}={_joined(value, inner)},"
    edits += _appended(lines, tail, argument, f"\n{outer}")
    return edits, outer


def _fits(lines: Lines, place: CallPlace, tail: _Tail, added: str) -> bool:
    """Return whether a call may stay on its line with some more in it."""
    line = lines.line_of(place.start)
    is_short = len(lines.line(line).rstrip()) + len(added) <= WIDTH
    return is_short and line == lines.line_of(place.end) and tail.comma is None


def _appended(lines: Lines, tail: _Tail, argument: str, closing: str) -> Iterator[Edit]:
    if not tail.is_last_of_line:
        after = tail.end if tail.comma is None else tail.comma
        yield _at(lines, after, f"{',' if tail.comma is None else ''}{argument}{closing}")
    elif tail.comma is None and tail.line_end == tail.end:
        yield _at(lines, tail.end, f",{argument}")
    else:
        if tail.comma is None:
            yield _at(lines, tail.end, ",")
        yield _at(lines, tail.line_end, argument)


def _tail(text: str, place: CallPlace) -> _Tail:
    """Read what is between the last argument and the bracket that closes the call."""
    end, comma, index, until = place.last, None, place.last, place.end - 1
    while index < until:
        if text[index] == "#":
            index = text.index("\n", index)
        elif text[index] == ")":
            end = index + 1
        elif text[index] == ",":
            comma = index + 1
        index += 1
    after = end if comma is None else comma
    newline = text.find("\n", after, until)
    rest = text[after : newline if newline >= 0 else until].strip()
    line_end = newline - (text[newline - 1] == "\r") if newline >= 0 else until
    if not rest and newline >= 0:
        line_end = after
    return _Tail(end, comma, newline >= 0 and (not rest or rest.startswith("#")), line_end)


def _at(lines: Lines, index: int, text: str) -> Edit:
    return Edit(lines.span(index, index), text)


def _indent_of(lines: Lines, index: int) -> str:
    line = lines.line(lines.line_of(index))
    return line[: len(line) - len(line.lstrip())]


def _joined(value: Sequence[str], indent: str) -> str:
    """Return the lines of a value as they stand below an argument."""
    first, *rest = value
    return "\n".join((first, *(f"{indent}{line}" for line in rest)))
