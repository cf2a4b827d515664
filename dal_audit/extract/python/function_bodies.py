"""A module's text without the bodies of functions in which nothing matters: it parses faster.

Lines and columns stay as they are. A body is left out only where no line of it is marked, so that
whatever is marked is there, however odd the text; and where its layout leaves a doubt, all is.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Final

from msgspec import Struct

from dal_audit.extract.python.parse.import_places import MarkedLines
from dal_audit.extract.python.parse.parser import UnparsableError, parse
from dal_audit.extract.source import Lines

_STRING: Final = (
    r"\"{3}(?s:[^\\\"]++|\\.|\"(?!\"\"))*+\"{3}|'{3}(?s:[^\\']++|\\.|'(?!''))*+'{3}"
    r"|\"(?:[^\"\\\n]++|\\(?s:.))*+\"|'(?:[^'\\\n]++|\\(?s:.))*+'"
)
_DEPTH: Final = 8
"""How deep brackets may nest; where they nest deeper, no body is left out."""
_INDENTED_BY_TAB: Final = re.compile(r"^ *\t", re.MULTILINE)
_DEFINITION: Final = re.compile(r"(?:async +)?def ")
_CAN_CUT: Final = sys.version_info >= (3, 11)
"""Older versions have no possessive quantifiers, without which the search takes too long."""


class _Line(Struct, frozen=True):
    """A logical line: where it begins behind its indentation, and how deep that is."""

    start: int
    indentation: int


@cache
def _logical_line() -> re.Pattern[str]:
    inside = rf"[^\"'#()\[\]{{}}\\]++|#[^\n]*+|{_STRING}|\\(?s:.)"
    bracket = rf"[(\[{{](?:{inside})*+[)\]}}]"
    for _ in range(_DEPTH - 1):
        bracket = rf"[(\[{{](?:{inside}|{bracket})*+[)\]}}]"
    plain = r"[^\n\"'#()\[\]{}\\]++"
    return re.compile(rf"( *+)(?:{plain}|#[^\n]*+|{_STRING}|\\\n|{bracket})*+\n")


def parse_cut(lines: Lines, marked: MarkedLines) -> ast.Module:
    """Return the tree of a module without the bodies of functions that hold no marked line.

    Raises as `parse` does.
    """
    try:
        return parse(without_unmarked(lines, marked))
    except UnparsableError:
        return parse(lines.text)


def without_unmarked(lines: Lines, marked: MarkedLines) -> str:
    """Return a module's text with `pass` for each body of a function without a marked line."""
    text = lines.text
    if not _CAN_CUT or _is_odd(text):
        return text
    found = _logical_lines(text)
    pieces, last = [], 0
    for start, end in _unmarked(found, lines, marked) if found else ():
        pieces += [text[last:start], "pass", "\n" * text.count("\n", start, end)]
        last = end
    return "".join((*pieces, text[last:]))


def _is_odd(text: str) -> bool:
    """Return whether ends of lines and indentations would have to be counted in another way."""
    if "\r" in text or "\f" in text:
        return True
    return "\t" in text and _INDENTED_BY_TAB.search(text) is not None


def _logical_lines(text: str) -> list[_Line] | None:
    """Return the logical lines that hold code; None where the text cannot be cut into lines."""
    found: list[_Line] = []
    end = 0
    for line in _logical_line().finditer(text if text.endswith("\n") else text + "\n"):
        if line.start() != end:
            return None
        end = line.end()
        start = line.end(1)
        if text[start : start + 1] not in {"", "\n", "#"}:
            found.append(_Line(start, start - line.start()))
    return found if end >= len(text) else None


def _unmarked(
    found: Sequence[_Line], lines: Lines, marked: MarkedLines
) -> Iterator[tuple[int, int]]:
    """Yield where the bodies without a marked line begin and end."""
    index = 0
    while index < len(found):
        line = found[index]
        index += 1
        if not _DEFINITION.match(lines.text, line.start):
            continue
        body = index
        while index < len(found) and found[index].indentation > line.indentation:
            index += 1
        if index == body:
            continue
        end = (
            found[index].start - found[index].indentation if index < len(found) else len(lines.text)
        )
        if not marked.within(lines.line_of(line.start), lines.line_of(end - 1)):
            yield found[body].start, end
