"""What the texts in a file say, with the place of each character: literals, `concat!`, `format!`.

Places are in bytes of the file, so that what a text says as SQL can be shown where it is written.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from dal_audit.extract.holes import UNKNOWN
from dal_audit.extract.rust.tokens import ESCAPE, LITERAL, TokenText, character, tokens

_MACRO: Final = re.compile(rb"(?:\w+\s*::\s*)*(?P<name>\w+)\s*!\s*[(\[{]")
_HOLE: Final = re.compile(r"\{\{|\}\}|\{[^{}]*\}")
_FILLED: Final = frozenset({b"format", b"formatdoc"})
_KEPT: Final = _FILLED | {b"concat", b"indoc"}


class SpelledText(NamedTuple):
    """A text, the bytes that each of its characters is spelled by, and those of all of it."""

    text: str
    extents: tuple[tuple[int, int], ...]
    around: tuple[int, int]


def text_at(data: bytes, start: int, end: int) -> SpelledText | None:
    """Return the text that a stretch of a file is; None where it is none that is known."""
    macro = _MACRO.match(data, start, end)
    if macro is None:
        return _made(data, start, end, is_filled=False)
    if macro["name"] not in _KEPT:
        return None
    return _made(data, macro.end(), end, is_filled=macro["name"] in _FILLED)


def _made(data: bytes, start: int, end: int, *, is_filled: bool) -> SpelledText | None:
    """Return what the literals in a stretch say together; of what is formatted the first alone."""
    literals = [found for found in tokens(data, start, end) if isinstance(found, TokenText)]
    if not literals:
        return None
    shown = literals[:1] if is_filled else literals
    spelled = [part for literal in shown for part in _spelled(data, literal.start, literal.end)]
    if is_filled:
        spelled = list(_with_holes(spelled))
    text = "".join(letter for letter, _ in spelled)
    extents = tuple(extent for _, extent in spelled)
    return SpelledText(text, extents, (shown[0].start, shown[-1].end))


_Letter = tuple[str, tuple[int, int]]


def _spelled(data: bytes, start: int, end: int) -> Iterator[_Letter]:
    """Yield the characters of a literal, or of several that are joined by `+`."""
    for literal in LITERAL.finditer(data, start, end):
        written = literal[0]
        before = len(written) - len(written.lstrip(b"bcr#")) + 1
        after = len(written) - len(written.rstrip(b"#")) + 1
        first, last = literal.start() + before, literal.end() - after
        if b"r" in written[:3].partition(b'"')[0]:
            yield from _plain(data, first, last)
        else:
            yield from _escaped(data, first, last)


def _escaped(data: bytes, start: int, end: int) -> Iterator[_Letter]:
    at = start
    for found in ESCAPE.finditer(data, start, end):
        yield from _plain(data, at, found.start())
        meant = character(found)
        if meant:
            yield meant, (found.start(), found.end())
        at = found.end()
    yield from _plain(data, at, end)


def _plain(data: bytes, start: int, end: int) -> Iterator[_Letter]:
    at = start
    for letter in data[start:end].decode("utf-8", "replace"):
        width = 1 if letter.isascii() else len(letter.encode())
        yield letter, (at, at + width)
        at += width


def _with_holes(spelled: list[_Letter]) -> Iterator[_Letter]:
    """Yield the characters of what a format comes to, with a hole for each thing put in."""
    text = "".join(letter for letter, _ in spelled)
    at = 0
    for found in _HOLE.finditer(text):
        yield from spelled[at : found.start()]
        extent = spelled[found.start()][1][0], spelled[found.end() - 1][1][1]
        yield (found[0][0] if len(set(found[0])) == 1 else UNKNOWN), extent
        at = found.end()
    yield from spelled[at:]
