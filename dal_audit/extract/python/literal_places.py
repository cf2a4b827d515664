"""Where each character of a literal's value is spelled in the text of its module.

A value is shorter than its spelling: quotes, prefixes and escapes go, and what stands between two
literals that are put together without an operator. The spelling is read by the language reference's
"String and Bytes literals" and "f-strings"; what was read must be the value, or nothing is known.
Before Python 3.12, `ast` has no places in f-strings; so these are always read from the text.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from typing import Final, NamedTuple, TypeAlias

from dal_audit.extract.python.spelled_text import Stretch, stretches_of
from dal_audit.extract.source import Lines

_OPENING: Final = re.compile(r"([A-Za-z]{0,2})(\"{3}|'{3}|\"|')")
_BETWEEN: Final = re.compile(r"(?:\s|\\\r?\n|#[^\r\n]*|[()])*")
_ESCAPE: Final = re.compile(
    r"\\(?:(?P<end>\r\n|\r|\n)|(?P<octal>[0-7]{1,3})|x(?P<x>[0-9A-Fa-f]{2})"
    r"|u(?P<u>[0-9A-Fa-f]{4})|U(?P<U>[0-9A-Fa-f]{8})|N\{(?P<name>[^{}]*)\}"
    r"|(?P<mark>[\\'\"abfnrtv]))"
)
_MARKS: Final = dict(zip("\\'\"abfnrtv", "\\'\"\a\b\f\n\r\t\v", strict=True))
_PLAIN: Final = re.compile(r"[^\\'\"{}\r]+")
"""Characters that stand for themselves in every literal."""
_QUOTED: Final = re.compile(r"\"{3}.*?\"{3}|'{3}.*?'{3}|\"[^\"\r\n]*\"|'[^'\r\n]*'", re.DOTALL)


class _Character(NamedTuple):
    """A character of a value, and the extent of its spelling."""

    text: str
    start: int
    end: int


_Stretches: TypeAlias = list[list[_Character]]
"""The characters before the first field of an f-string, between two, and behind the last."""


class LiteralPlaces:
    """Tells the places of the characters in the literals of one module."""

    def __init__(self, lines: Lines) -> None:
        """Take the module's text."""
        self.lines = lines
        self._known: dict[int, tuple[ast.expr, _Stretches]] = {}

    def extents(self, text: str) -> list[tuple[int, int] | None]:
        """Return where in the module each character of a folded text is spelled, start and end.

        None stands for what is not spelled anywhere: a hole, or what was worked out. Where a
        literal's spelling was not understood, each character has the place of the whole.
        """
        found: list[tuple[int, int] | None] = []
        for stretch in stretches_of(text):
            found += self._extents(stretch)
        return found

    def bounds(self, node: ast.expr) -> tuple[int, int]:
        """Return where an expression begins and ends."""
        end_line, end_column = node.end_lineno or node.lineno, node.end_col_offset or 0
        start = self.lines.offset(node.lineno, node.col_offset)
        return start, max(start, self.lines.offset(end_line, end_column))

    def _extents(self, stretch: Stretch) -> Sequence[tuple[int, int] | None]:
        """Return the extents of a stretch's characters."""
        if stretch.literal is None:
            return [None] * stretch.length
        node, number = stretch.literal
        known = self._stretches(node)
        own = known[number] if number < len(known) else []
        wanted = own[stretch.first : stretch.first + stretch.length]
        if len(wanted) < stretch.length:
            return [self.bounds(node)] * stretch.length
        return [(character.start, character.end) for character in wanted]

    def _stretches(self, node: ast.Constant | ast.JoinedStr) -> _Stretches:
        key = id(node)
        if key not in self._known:
            found = _read(self.lines.text, *self.bounds(node))
            self._known[key] = node, found if _spells(found, node) else []
        return self._known[key][1]


def _spells(found: _Stretches, node: ast.Constant | ast.JoinedStr) -> bool:
    """Return whether what was read of a literal is its value."""
    texts = ["".join(character.text for character in stretch) for stretch in found]
    if isinstance(node, ast.Constant):
        return texts == [node.value]
    expected = [""]
    for part in node.values:
        if isinstance(part, ast.Constant):
            expected[-1] += str(part.value)
        else:
            expected.append("")
    return texts == expected


def _read(text: str, start: int, end: int) -> _Stretches:
    """Read the literals of an expression that are put together without an operator."""
    found: _Stretches = [[]]
    while start < end:
        start = _skipped(text, start)
        opening = _OPENING.match(text, start, end)
        if opening is None:
            return [] if start < end else found
        prefix, quote = opening[1].lower(), opening[2]
        start = _Body(text, end, quote, is_raw="r" in prefix, has_fields="f" in prefix).read(
            opening.end(), found
        )
    return found


def _skipped(text: str, start: int) -> int:
    """Return where the next literal begins."""
    between = _BETWEEN.match(text, start)
    return between.end() if between else start


class _Body:
    """Reads what stands between the quotes of a literal."""

    def __init__(self, text: str, end: int, quote: str, *, is_raw: bool, has_fields: bool) -> None:
        self.text = text
        self.end = end
        self.quote = quote
        self.is_raw = is_raw
        self.has_fields = has_fields

    def read(self, at: int, found: _Stretches) -> int:
        """Add the characters from a place on; return where the literal ends."""
        text = self.text
        while at < self.end and not text.startswith(self.quote, at):
            if text[at] == "\\":
                at = self._escape(at, found[-1])
            elif self.has_fields and text[at] in "{}":
                at = self._brace(at, found)
            elif plain := _PLAIN.match(text, at, self.end):
                characters = enumerate(plain[0], at)
                found[-1] += [_Character(own, place, place + 1) for place, own in characters]
                at = plain.end()
            else:
                at = self._plain(at, found[-1])
        return at + len(self.quote)

    def _plain(self, at: int, found: list[_Character]) -> int:
        """Add a character; each of the line ends is one."""
        end = at + (2 if self.text.startswith("\r\n", at) else 1)
        own = "\n" if self.text[at] == "\r" else self.text[at]
        found.append(_Character(own, at, end))
        return end

    def _escape(self, at: int, found: list[_Character]) -> int:
        """Add what an escape stands for; in a raw literal it guards a quote and stays."""
        if self.is_raw:
            at = self._plain(at, found)
            return self._plain(at, found) if at < self.end else at
        escape = _ESCAPE.match(self.text, at, self.end)
        if escape is None:  # An unknown escape is what is written.
            return self._plain(at, found)
        if escape["end"] is None:
            found.append(_Character(_meant(escape), at, escape.end()))
        return escape.end()

    def _brace(self, at: int, found: _Stretches) -> int:
        """Add a doubled brace, or pass over a field."""
        if self.text.startswith(self.text[at] * 2, at):
            found[-1].append(_Character(self.text[at], at, at + 2))
            return at + 2
        found.append([])
        return self._after_field(at)

    def _after_field(self, at: int) -> int:
        """Return where a field ends that begins at a brace."""
        depth = 0
        while at < self.end:
            character = self.text[at]
            quoted = _QUOTED.match(self.text, at, self.end) if character in "\"'" else None
            if quoted is not None:
                at = quoted.end()
                continue
            depth += (character in "{[(") - (character in "}])")
            at += 1
            if not depth:
                break
        return at


def _meant(escape: re.Match[str]) -> str:
    """Return the character that an escape stands for."""
    if escape["mark"]:
        return _MARKS[escape["mark"]]
    if escape["octal"]:
        return chr(int(escape["octal"], 8))
    if escape["name"] is not None:
        import unicodedata

        return unicodedata.lookup(escape["name"])
    return chr(int(escape["x"] or escape["u"] or escape["U"], 16))
