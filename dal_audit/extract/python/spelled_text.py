"""Texts that know where each of their characters is spelled in the source.

A text that is folded is put together of parts of literals. `SpelledText` is that text, with its
stretches: so many characters from so far on in the value of this literal. Where in the file those
stand is worked out by `literal_places`, for the few texts of which anybody asks.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple


class Literal(NamedTuple):
    """A literal, or the stretch of an f-string before, between or behind its fields.

    `number` counts the fields before it; it is 0 for a literal that is no f-string.
    """

    node: ast.Constant | ast.JoinedStr
    number: int = 0


class Stretch(NamedTuple):
    """Characters that stand together in a literal's value, from an index on.

    Those of which it is not known where they are spelled have no literal.
    """

    length: int
    literal: Literal | None = None
    first: int = 0


class SpelledText(str):
    """A text and its stretches, which are as long as it is; `with_stretches` makes one."""

    __slots__ = ("stretches",)
    stretches: tuple[Stretch, ...]

    def __add__(self, other: str) -> SpelledText:
        """Return this text and another behind it."""
        return with_stretches(str.__add__(self, other), (*self.stretches, *stretches_of(other)))

    def __radd__(self, other: str) -> SpelledText:
        """Return another text and this one behind it."""
        return with_stretches(str.__add__(other, self), (*stretches_of(other), *self.stretches))

    def __getitem__(self, key: Any) -> str:
        """Return a part of the text; of one that does not go forwards no more than its text."""
        made = str.__getitem__(self, key)
        if not isinstance(key, slice):
            return made
        start, stop, step = key.indices(len(self))
        return with_stretches(made, _cut(self.stretches, start, stop)) if step == 1 else made


def with_stretches(text: str, stretches: Iterable[Stretch]) -> SpelledText:
    """Return a text with its stretches."""
    made = SpelledText(text)
    made.stretches = tuple(stretches)
    return made


def spelled(text: str, node: ast.Constant | ast.JoinedStr, number: int = 0) -> SpelledText:
    """Return the text of a literal, or of one stretch of an f-string."""
    return with_stretches(text, (Stretch(len(text), Literal(node, number)),))


def stretches_of(text: str) -> tuple[Stretch, ...]:
    """Return the stretches of any text."""
    if isinstance(text, SpelledText):
        return text.stretches
    return (Stretch(len(text)),) if text else ()


def literals_of(text: str) -> Iterator[tuple[Literal, int] | None]:
    """Yield of each character its literal and its index there; None where that is not known."""
    for stretch in stretches_of(text):
        for ahead in range(stretch.length):
            known = stretch.literal
            yield (known, stretch.first + ahead) if known is not None else None


def respelled(made: str, text: str) -> str:
    """Return what was made of a text by taking characters away or by changing their case.

    Each character is the next one of the text that is like it; other white space may stand for
    white space.
    """
    if not isinstance(text, SpelledText) or not made:
        return made
    known = list(literals_of(text))
    found: list[Stretch] = []
    at = 0
    for character in made:
        place = _next_like(character, text, at)
        if place is None:
            found.append(Stretch(1))
            continue
        at = place + 1
        own = known[place]
        found.append(Stretch(1) if own is None else Stretch(1, *own))
    return with_stretches(made, _joined(found))


def replaced(text: str, old: str, new: str, count: int = -1) -> str:
    """Return a text with one text in it replaced by another, as `str.replace` does."""
    if not isinstance(text, SpelledText) or not old:
        return text.replace(old, new, count)
    made: str = text[:0]
    start = 0
    while count and (found := text.find(old, start)) >= 0:
        made = made + text[start:found] + new
        start = found + len(old)
        count -= 1
    return made + text[start:]


_FAR: Final = 400
"""How many characters ahead a character is looked for: taken away are margins and blank lines."""


def _next_like(character: str, text: str, at: int) -> int | None:
    wanted = character.casefold()
    is_blank = character.isspace()
    for place in range(at, min(len(text), at + _FAR)):
        own = str.__getitem__(text, place)
        if own == character or own.casefold() == wanted:
            return place
        if is_blank and not own.isspace():
            return None
    return None


def _cut(stretches: Iterable[Stretch], start: int, stop: int) -> Iterator[Stretch]:
    """Yield the stretches of a part of a text."""
    position = 0
    for stretch in stretches:
        first = max(start - position, 0)
        last = min(stop - position, stretch.length)
        if first < last:
            yield Stretch(last - first, stretch.literal, stretch.first + first)
        position += stretch.length


def _joined(stretches: Iterable[Stretch]) -> Iterator[Stretch]:
    """Yield stretches, those that go on where the last one ended as one with it."""
    last: Stretch | None = None
    for stretch in stretches:
        if last is not None and _goes_on(last, stretch):
            last = Stretch(last.length + stretch.length, last.literal, last.first)
            continue
        if last is not None:
            yield last
        last = stretch
    if last is not None:
        yield last


def _goes_on(last: Stretch, stretch: Stretch) -> bool:
    if last.literal is None or stretch.literal is None:
        return last.literal is stretch.literal
    is_same = last.literal.node is stretch.literal.node and (
        last.literal.number == stretch.literal.number
    )
    return is_same and last.first + last.length == stretch.first
