"""Apply a catalogue row's respellings to the tokens that the row was recognised in.

A respelling has two texts, the old and the new. Both are words and marks between spaces, as the
tokenizer tells them apart; `INT|INTEGER` stands for either word. Between them stand holes:

- `{a}`, a letter: whatever stands there, up to the next word or mark of the text at this depth of
  parentheses; one that ends the text ends where the construct does.
- `{1}`, a digit: one token that is a name, a string or a number.
- `{1:name}` and `{1:string}`, in the new text alone: that token's content as a name in double
  quotes, or as a string in single ones.

What stands in a hole keeps its very text. Only what stands between holes is edited, unless the new
text has the holes in another order.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Final, NamedTuple

from dal_audit.catalogue.portability import Feature, Respelling
from dal_audit.extract.sql.places import Places
from dal_audit.extract.sql.tokens import Kind, Token, parenthesis_pairs
from dal_audit.facts.sql import Rewriting

_HOLE: Final = re.compile(r"\{(\w)(?::(name|string))?\}")
_SINGLE: Final = frozenset({Kind.WORD, Kind.QUOTED, Kind.STRING, Kind.NUMBER})
_CLOSING: Final = {'"': '"', "`": "`", "[": "]", "'": "'"}
_RESULT_BEGINS: Final = frozenset({"SELECT", "RETURNING"})
_RESULT_ENDS: Final = frozenset(
    {"FROM", "WHERE", "GROUP", "HAVING", "ORDER", "LIMIT", "UNION", "EXCEPT", "INTERSECT", "INTO"}
)


class _Template(NamedTuple):
    """A respelling's text: what stands before, between and behind its holes, and the holes."""

    fixed: tuple[str, ...]
    holes: tuple[tuple[str, str], ...]
    """The name of each, and what it is written as (empty for its own text)."""


class _Fit(NamedTuple):
    """Where a template's parts lie, as ranges of tokens: those of the fixed parts and the holes."""

    fixed: tuple[tuple[int, int], ...]
    holes: tuple[tuple[int, int], ...]


@cache
def _template(text: str) -> _Template:
    """Take a respelling's text apart."""
    parts = _HOLE.split(text)
    return _Template(
        tuple(part.strip() for part in parts[::3]),
        tuple((name, form or "") for name, form in zip(parts[1::3], parts[2::3], strict=True)),
    )


class Respeller:
    """Respells the constructs of one statement, in time that grows with what they hold."""

    __slots__ = ("_comments", "_pairs", "_places", "_results", "_tokens")

    def __init__(self, tokens: Sequence[Token], comments: Sequence[Token], places: Places) -> None:
        """Take a statement's tokens, and the comments in it and before it."""
        self._tokens = tokens
        self._comments = sorted((comment.start, comment.end) for comment in comments)
        self._places = places
        self._pairs: dict[int, int] | None = None
        self._results: list[bool] | None = None

    def rewriting(self, feature: Feature, first: int, last: int) -> Rewriting | None:
        """Return the first respelling of a row that fits a construct; None where none does.

        `first` and `last` are the construct's tokens, the last exclusive. Where a comment stands
        in what would be edited, nothing is.
        """
        if not feature.fixes or (first and self._tokens[first - 1].text == "."):
            return None  # A name with a schema before it is more than the row saw.
        if self._pairs is None:
            self._pairs = parenthesis_pairs(self._tokens)
        for number, respelling in enumerate(feature.fixes):
            edits = _edits(respelling, (first, last), self._tokens, self._pairs)
            if edits is None:
                continue
            if any(self._is_commented(start, end) for start, end, _ in edits):
                return None
            written = [self._places.edit(*edit) for edit in edits]
            known = tuple(edit for edit in written if edit is not None)
            if len(known) < len(written):
                return None
            return Rewriting(known, number, self._names_a_result(first))
        return None

    def _names_a_result(self, index: int) -> bool:
        """Return whether a token lies in a list of results, and may name a column of it."""
        if self._results is None:
            self._results = _results(self._tokens)
        return self._results[index]

    def _is_commented(self, start: int, end: int) -> bool:
        """Return whether a comment begins between two offsets: in one, no token does."""
        index = bisect_left(self._comments, (start, 0))
        return index < len(self._comments) and self._comments[index][0] < end


def _edits(
    respelling: Respelling,
    bounds: tuple[int, int],
    tokens: Sequence[Token],
    pairs: Mapping[int, int],
) -> list[tuple[int, int, str]] | None:
    """Return the edits that a respelling comes to, by offsets; None where it does not fit."""
    old, new = _template(respelling.of), _template(respelling.to)
    fit = _fit(old, bounds, tokens, pairs)
    if fit is None:
        return None
    if [name for name, _ in new.holes] == [name for name, _ in old.holes]:
        return _edits_around_holes(new, fit, tokens)
    texts = {
        name: " ".join(token.text for token in tokens[first:last])
        for (name, _), (first, last) in zip(old.holes, fit.holes, strict=True)
    }
    parts = [new.fixed[0]]
    for (name, _), following in zip(new.holes, new.fixed[1:], strict=True):
        parts += [texts[name], following]
    first, last = bounds[0], fit.fixed[-1][1]
    written = _apart(" ".join(filter(None, parts)), first, last, tokens)
    return [(tokens[first].start, tokens[last - 1].end, written)]


def _edits_around_holes(
    new: _Template, fit: _Fit, tokens: Sequence[Token]
) -> list[tuple[int, int, str]] | None:
    """Return the edits where the holes stay in their order; None where one cannot be quoted."""
    edits = _between_holes(new, fit, tokens)
    for (_, form), (first, _) in zip(new.holes, fit.holes, strict=True):
        if not form:
            continue
        written = _quoted(tokens[first], form)
        if written is None:
            return None
        edits.append((tokens[first].start, tokens[first].end, written))
    return sorted(edits)


def _fit(
    template: _Template,
    bounds: tuple[int, int],
    tokens: Sequence[Token],
    pairs: Mapping[int, int],
) -> _Fit | None:
    """Return where a template lies that begins where a construct does; None where it does not."""
    at, end = bounds
    commas = any("," in text.split() for text in template.fixed)
    after = _after(template.fixed[0], at, tokens)
    if after is None:
        return None
    fixed, holes = [(at, after)], []
    for (name, _), following in zip(template.holes, template.fixed[1:], strict=True):
        start = after
        if name.isdigit():
            stop = _after_single(start, tokens)
        elif following:
            # A row may match no more than the beginning of a call.
            limit = len(tokens) if following[0] in {")", ","} else end
            stop = _next(following, (start, limit), tokens, pairs, is_list=not commas)
        else:
            stop = end
        if stop is None or stop <= start:
            return None
        after = _after(following, stop, tokens)
        if after is None:
            return None
        holes.append((start, stop))
        fixed.append((stop, after))
    return _Fit(tuple(fixed), tuple(holes))


def _after_single(place: int, tokens: Sequence[Token]) -> int | None:
    """Return the place after a name, a string or a number; None where there is none."""
    return place + 1 if place < len(tokens) and tokens[place].kind in _SINGLE else None


def _after(words: str, place: int, tokens: Sequence[Token]) -> int | None:
    """Return the place after the words, where they stand at a place; None elsewhere."""
    for word in words.split():
        choice = word.upper().split("|")
        if place >= len(tokens) or tokens[place].upper not in choice:
            return None
        place += 1
    return place


def _next(
    words: str,
    bounds: tuple[int, int],
    tokens: Sequence[Token],
    pairs: Mapping[int, int],
    *,
    is_list: bool,
) -> int | None:
    """Return where the words stand next between two places, in no further parentheses.

    Only where what is passed may be a list, commas are.
    """
    place, end = bounds
    while place < min(end, len(tokens)):
        if _after(words, place, tokens) is not None:
            return place
        text = tokens[place].text
        if text == ")" or (text == "," and not is_list):
            return None
        place = pairs.get(place, place) + 1
    return None


def _between_holes(
    new: _Template, fit: _Fit, tokens: Sequence[Token]
) -> list[tuple[int, int, str]]:
    """Return the edits of what stands between holes which themselves stay as they are."""
    edits = []
    for text, (first, last) in zip(new.fixed, fit.fixed, strict=True):
        if first == last:
            if text:  # An insertion, behind the hole before it.
                at = tokens[first - 1].end
                edits.append((at, at, f" {text}"))
            continue
        start, end = tokens[first].start, tokens[last - 1].end
        old = " ".join(token.text for token in tokens[first:last])
        if _tight(old).upper() == _tight(text).upper():
            continue
        if not text and first:
            start = tokens[first - 1].end
        edits.append((start, end, _apart(_in_case(text, old), first, last, tokens)))
    return edits


def _apart(text: str, first: int, last: int, tokens: Sequence[Token]) -> str:
    """Return a text for the place of some tokens, kept apart from the tokens around them."""
    if text and first and _touch(tokens[first - 1], text[0], tokens[first].start):
        text = f" {text}"
    if text and last < len(tokens) and tokens[last].start == tokens[last - 1].end:
        following = tokens[last].text[0]
        if text[-1].isalnum() and (following.isalnum() or following in "_'\"`[$:@"):
            text = f"{text} "
    return text


def _touch(before: Token, character: str, start: int) -> bool:
    """Return whether a text that begins with a character would run into the token before it."""
    return before.end == start and character.isalnum() and before.text[-1] not in "(.,"


def _quoted(token: Token, form: str) -> str | None:
    """Return a token's content as a name or a string; None where the content is not known."""
    content = _content(token)
    mark = '"' if form == "name" else "'"
    return None if content is None else mark + content.replace(mark, mark * 2) + mark


def _content(token: Token) -> str | None:
    """Return what a quoted token stands for; None where that takes more than its quotes off."""
    text = token.text
    if text[:1] in "eE" and text[1:2] == "'" and "\\" not in text:
        text = text[1:]
    if text.startswith("$"):
        tag = text.index("$", 1) + 1
        return text[tag:-tag]
    closing = _CLOSING.get(text[:1])
    if closing is None or len(text) < 2 or text[-1] != closing:  # noqa: PLR2004  # two quotes
        return None
    inner = text[1:-1]
    return inner if closing == "]" else inner.replace(closing * 2, closing)


def _in_case(text: str, old: str) -> str:
    """Return a function's name in capitals where the old one is."""
    is_name = text[:1].islower() and old[:1].isalpha()
    return text.upper() if is_name and old == old.upper() else text


def _tight(text: str) -> str:
    return "".join(text.split())


def _results(tokens: Sequence[Token]) -> list[bool]:
    """Return of each token whether it lies in a list of results, and may name a column of it."""
    found, lists = [], [False]
    for token in tokens:
        del lists[token.depth + 1 :]
        lists += [lists[-1]] * (token.depth + 1 - len(lists))
        if token.is_word(*_RESULT_BEGINS):
            lists[-1] = True
        elif token.is_word(*_RESULT_ENDS):
            # What stands in parentheses is part of what stands around them.
            lists[-1] = len(lists) > 1 and lists[-2]
        found.append(lists[-1])
    return found
