"""A place among the tokens of a statement, and the questions that its readers ask there."""

from __future__ import annotations

from typing import Final

from dal_audit.extract.sql.places import Places
from dal_audit.extract.sql.tokens import Kind, Token
from dal_audit.facts import Span
from dal_audit.facts.sql import Expression, SqlName

_END: Final = Token(Kind.UNKNOWN, "", 0, 0)

_NAMES: Final = frozenset({Kind.WORD, Kind.QUOTED, Kind.TEMPLATE, Kind.PARAMETER})


class NotUnderstoodError(Exception):
    """A statement is not built as statements of its kind are; `token` is where that shows."""

    def __init__(self, message: str, token: Token | None) -> None:
        """Keep the message and the token; None stands for the statement's end."""
        super().__init__(message)
        self.token = token


class Cursor:
    """Moves over the tokens of one statement, from the first to the last.

    `words` hold each token's text in capitals where it is a word without quotes, and for
    punctuation and operators the text itself; for all else they are empty, so that a name in quotes
    or a string is never taken for a keyword.
    """

    __slots__ = ("at", "limit", "places", "tokens", "words")

    def __init__(self, tokens: tuple[Token, ...], places: Places) -> None:
        """Begin at the first token."""
        self.tokens = tokens
        self.places = places
        self.words = [
            token.text.upper()
            if token.kind is Kind.WORD
            else token.text
            if token.kind is Kind.PUNCTUATION or token.kind is Kind.OPERATOR
            else ""
            for token in tokens
        ]
        self.at = 0
        self.limit = len(tokens)

    @property
    def done(self) -> bool:
        """Whether no token is left."""
        return self.at >= self.limit

    @property
    def token(self) -> Token:
        """The token at the place; an empty one at the end."""
        return self.tokens[self.at] if self.at < self.limit else _END

    def word(self, ahead: int = 0) -> str:
        """Return the word or the mark at the place, or further on; empty for what is neither."""
        index = self.at + ahead
        return self.words[index] if index < self.limit else ""

    def sees(self, *words: str) -> bool:
        """Return whether these words come next, in this order."""
        at = self.at
        if at >= self.limit or self.words[at] != words[0]:
            return False
        return len(words) == 1 or tuple(self.words[at : at + len(words)]) == words

    def opens_list(self) -> bool:
        """Return whether a parenthesis opens at the place that holds no query."""
        return self.word() == "(" and self.word(1) not in {"SELECT", "WITH"}

    def takes(self, *words: str) -> bool:
        """Move over these words if they come next; return whether they did."""
        if not self.sees(*words):
            return False
        self.at += len(words)
        return True

    def takes_one(self, *words: str) -> str:
        """Move over the next word if it is one of these, and return it; else return nothing."""
        word = self.word()
        if not word or word not in words:
            return ""
        self.at += 1
        return word

    def expect(self, *words: str) -> None:
        """Move over these words; raise NotUnderstoodError if something else is there."""
        if not self.takes(*words):
            raise self.error(f"`{' '.join(words)}` was expected")

    def error(self, message: str) -> NotUnderstoodError:
        """Return the error that something at the place is not understood."""
        return NotUnderstoodError(message, None if self.done else self.token)

    def span(self, start: int, end: int | None = None) -> Span:
        """Return the span from one token's index up to another's (exclusive; None: the place)."""
        last = (self.at if end is None else end) - 1
        first = self.tokens[min(start, len(self.tokens) - 1)]
        return self.places.span(first.start, self.tokens[max(last, 0)].end)

    def expression(self, start: int, end: int | None = None) -> Expression:
        """Return the tokens from one index up to another as an expression."""
        stop = self.at if end is None else end
        return Expression(
            self.span(start, stop), tuple(token.text for token in self.tokens[start:stop])
        )

    def is_name(self, ahead: int = 0) -> bool:
        """Return whether a name can begin at the place, or further on."""
        index = self.at + ahead
        return index < self.limit and self.tokens[index].kind in _NAMES

    def name(self) -> SqlName:
        """Read a name with what qualifies it.

        What a tool fills in (`${schema}_users`) is part of the name that it touches. Raises
        NotUnderstoodError where no name is.
        """
        start = self.at
        parts: list[str] = []
        quoted: list[bool] = []
        while True:
            token = self.token
            if token.kind not in _NAMES and not (
                token.kind is Kind.STRING and token.text[0] == "'"
            ):
                raise self.error("a name was expected")
            text, is_quoted = _unquoted(token)
            self.at += 1
            while self._touches(Kind.TEMPLATE):
                text += self.token.text
                self.at += 1
                if self._touches(Kind.WORD):
                    text += self.token.text
                    self.at += 1
            parts.append(text)
            quoted.append(is_quoted)
            if not self.takes("."):
                return SqlName(self.span(start), tuple(parts), tuple(quoted))

    def _touches(self, kind: Kind) -> bool:
        """Return whether the next token is of a kind and follows without a space."""
        if self.done:
            return False
        before = self.tokens[self.at - 1]
        pair = {before.kind, self.token.kind}
        return self.token.start == before.end and Kind.TEMPLATE in pair and self.token.kind is kind

    def group_end(self) -> int:
        """Return the index of the parenthesis that closes the one at the place.

        Raises NotUnderstoodError if nothing closes it.
        """
        depth = self.token.depth
        for index in range(self.at + 1, self.limit):
            if self.words[index] == ")" and self.tokens[index].depth == depth:
                return index
        raise self.error("a parenthesis that nothing closes")

    def skip_group(self) -> None:
        """Move over a parenthesis and all in it."""
        self.at = self.group_end() + 1

    def skip_to(self, *words: str) -> bool:
        """Move to the first of these words at the present depth; return whether there is one.

        Where there is none, or the surrounding parenthesis ends first, the place is that end.
        """
        depth = self.token.depth
        while self.at < self.limit:
            token = self.tokens[self.at]
            if token.depth < depth:
                return False
            if token.depth == depth and self.words[self.at] in words and self.words[self.at]:
                return True
            self.at += 1
        return False


def _unquoted(token: Token) -> tuple[str, bool]:
    """Return what a name says without its quotes, and whether it had any."""
    text = token.text
    if token.kind not in {Kind.QUOTED, Kind.STRING}:
        return text, False
    if text[0] in "uU":
        text = text[2:]
    closing = "]" if text[0] == "[" else text[0]
    return text[1:-1].replace(closing * 2, closing), True
