"""Find out whether a delimiter stands inside a statement: in a routine's body, or in a rule's."""

from __future__ import annotations

from typing import Final

from dal_audit.extract.sql.tokens import Kind, Token

_ROUTINES: Final = frozenset({"TRIGGER", "FUNCTION", "PROCEDURE", "EVENT"})
_HEAD: Final = 8
"""Within so many tokens a `CREATE` says what it creates."""

_CONTROL: Final = frozenset({"IF", "LOOP", "WHILE", "REPEAT", "FOR"})
"""What `END` closes besides blocks, in the languages of MySQL and Oracle: the word follows it."""

_LENGTHS: Final = frozenset({len("BEGIN"), len("CASE"), len("END")})
_END: Final = Token(Kind.UNKNOWN, "", 0, 0)

_BEFORE_BLOCK: Final = frozenset({"BEGIN", "THEN", "ELSE", "DO", "LOOP", "REPEAT"})


class Blocks:
    """Counts the blocks that the tokens of one statement open and close.

    SQLite's triggers, PostgreSQL's `BEGIN ATOMIC`, and MySQL's routines have statements with their
    own delimiters between `BEGIN` and `END`. `CASE … END` is told from them: its `END` closes a
    `CASE`, and does not follow a delimiter. Each token is looked at once.
    """

    __slots__ = ("_cases", "_looked_at", "_opened", "_what")

    def __init__(self) -> None:
        """Begin before the first token of a statement."""
        self._what: str | None = None
        self._looked_at = 0
        self._opened = 0
        self._cases = 0

    def open_after(self, tokens: list[Token], depth: int) -> bool:
        """Return whether the statement goes on after the delimiter that is its last token so far.

        `depth` are the parentheses that are open there.
        """
        if self._what is None:
            self._what = _created(tokens)
        if not self._what:
            return False
        if self._what == "RULE":
            return depth > 0
        for index in range(self._looked_at, len(tokens) - 1):
            self._count(tokens, index, tokens[index + 1])
        self._looked_at = len(tokens) - 1
        return self._opened > 0

    def is_left_open(self, tokens: list[Token]) -> bool:
        """Return whether a statement that ends without a delimiter lacks an `END`."""
        if self._what is None:
            self._what = _created(tokens)
        if not self._what or self._what == "RULE":
            return False
        for index in range(self._looked_at, len(tokens)):
            after = tokens[index + 1] if index + 1 < len(tokens) else _END
            self._count(tokens, index, after)
        return self._opened > 0

    def _count(self, tokens: list[Token], index: int, after: Token) -> None:
        """Count the token of an index; `after` is the one that follows it."""
        token = tokens[index]
        if token.kind is not Kind.WORD or len(token.text) not in _LENGTHS:
            return
        word, before = token.text.upper(), tokens[index - 1]
        if word == "BEGIN":
            is_inner = before.text in {";", ":"} or before.is_word(*_BEFORE_BLOCK)
            self._opened += is_inner if self._opened else _opens(tokens, index, after)
        elif self._opened and before.text != ".":
            if word == "CASE":
                self._cases += not before.is_word("END")
            if word == "END":
                self._end(before, after)

    def _end(self, before: Token, after: Token) -> None:
        """Count an `END`: of a `CASE`, of a block with all that is open in it, or of neither."""
        if after.is_word(*_CONTROL):
            return
        if after.is_word("CASE"):
            self._cases = max(self._cases - 1, 0)
        elif self._cases and before.text != ";":
            self._cases -= 1
        else:
            self._opened -= 1
            self._cases = 0


def _created(tokens: list[Token]) -> str:
    """Return which of the things with a body a statement creates; empty if none."""
    if not tokens[0].is_word("CREATE"):
        return ""
    for token in tokens[1:_HEAD]:
        word = token.upper
        if token.kind is Kind.WORD and (word in _ROUTINES or word == "RULE"):
            return word
        if token.text == "(":
            break
    return ""


def _opens(tokens: list[Token], index: int, after: Token) -> bool:
    """Return whether the first `BEGIN` of a statement opens its body, and is no name."""
    before = tokens[index - 1]
    if before.text in {".", ",", "("} or before.is_word("OF", *_ROUTINES):
        return False
    return after.text not in {"(", ".", ","} and tokens[index].depth == 0
