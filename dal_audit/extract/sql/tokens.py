r"""Read SQL text into tokens, each with the place where it stands.

One reading serves SQLite and PostgreSQL at once, because one migration is meant for both: every
form that either of them quotes or names things by is a token of its kind here. sqlglot's tokenizer
does not serve: it reads one dialect at a time (SQLite's fails on `E'\''`, PostgreSQL's takes
`[a b]` for an array), raises at the first quote that is left open, so that what stood before it is
lost, and takes twice the time after an import of a tenth of a second. So this is one compiled
expression; sqlglot stays the parser of whole statements.

Where one spelling means two things, what stands before and after decides: `[1]` after an operand
is a subscript and `[name]` elsewhere a quoted identifier; `?` between two operands is jsonb's
operator and elsewhere a parameter; `%s` after an operand is a remainder. Comments nest where that
closes them all (PostgreSQL), and are flat where it does not (SQLite).
"""

from __future__ import annotations

import enum
import re
from collections.abc import Sequence
from typing import Final, NamedTuple

from dal_audit.extract.sql import grammar

DELIMITER: Final = ";"
"""What ends a statement, unless a directive says otherwise."""


HOLE: Final = "\N{REPLACEMENT CHARACTER}"
"""Stands for what is not known of a text that a program puts together: a letter, to SQL."""


class Kind(enum.IntEnum):
    """What a token is, by its spelling alone."""

    WORD = 1
    """A keyword or a name without quotes."""
    PUNCTUATION = 2
    """One of `( ) , . ;`, a bracket of an array, or the delimiter in force."""
    STRING = 3
    """`'…'`, with a prefix (`E'…'`, `X'…'`, `B'…'`, `N'…'`, `U&'…'`) or between dollar tags."""
    NUMBER = 4
    OPERATOR = 5
    QUOTED = 6
    """An identifier in `"…"`, `` `…` ``, `[…]` or `U&"…"`; it may be meant as a string."""
    PARAMETER = 7
    """`?`, `?1`, `$1`, `$name`, `:name`, `:'name'`, `@name`, `%s`, `%(name)s`."""
    TEMPLATE = 8
    """What a tool replaces before the SQL is run: `${name}`, `{{ … }}`, `{% … %}`, `#{name}`."""
    UNTERMINATED = 9
    """A string, identifier or comment that nothing closes: all the rest of the text."""
    UNKNOWN = 10
    """A character that neither engine's SQL has outside quotes."""
    COMMENT = 11
    """`-- …` up to the end of the line, or `/* … */`; kept apart from the other tokens."""


class Token(NamedTuple):
    """A token: its kind, its text as spelled, its extent, and the parentheses around it.

    `start` and `end` are offsets in code points into the file's text, the end exclusive. A
    parenthesis itself stands outside the pair that it belongs to. A tuple, and not a dataclass,
    because it is made in a fifth of the time, and there is one for every five bytes.
    """

    kind: Kind
    text: str
    start: int
    end: int
    depth: int = 0

    @property
    def upper(self) -> str:
        """The text in capitals: how keywords are compared."""
        return self.text.upper()

    def is_word(self, *words: str) -> bool:
        """Return whether this is one of the words (given in capitals), without quotes."""
        return self.kind is Kind.WORD and self.text.upper() in words


class Stop(enum.IntEnum):
    """Why the reading of a stretch ended."""

    END = 1
    """The text, or the stretch that was asked for, is at its end."""
    DELIMITER = 2
    """A delimiter was read; it is the last of the tokens."""
    LINE = 3
    """A line stands there that is no SQL: a client's command or a migration tool's directive."""


_KINDS: Final = {
    grammar.STRING: Kind.STRING,
    grammar.ESCAPED: Kind.STRING,
    grammar.QUOTED: Kind.QUOTED,
    grammar.NUMBER: Kind.NUMBER,
    grammar.TEMPLATE: Kind.TEMPLATE,
    grammar.PARAMETER: Kind.PARAMETER,
    grammar.OPERATOR: Kind.OPERATOR,
    grammar.UNKNOWN: Kind.UNKNOWN,
}
"""What needs no second look, except at the end of the text."""

_AWAITS_OPERAND: Final = frozenset(
    {
        "ADD", "ALL", "ALTER", "AND", "ANY", "AS", "BETWEEN", "BY", "CASE", "CHECK", "COLUMN",
        "CONSTRAINT", "CREATE", "DEFAULT", "DELETE", "DISTINCT", "DROP", "ELSE", "ESCAPE", "EXCEPT",
        "EXISTS", "FROM", "GLOB", "GROUP", "HAVING", "IF", "ILIKE", "IN", "INDEX", "INTERSECT",
        "INTO", "IS", "JOIN", "KEY", "LIKE", "LIMIT", "MATCH", "NOT", "OFFSET", "ON", "OR",
        "REFERENCES", "REGEXP", "RETURN", "RETURNING", "SELECT", "SET", "SIMILAR", "SOME", "TABLE",
        "THEN", "TO", "UNION", "UNIQUE", "UPDATE", "USING", "VALUES", "VIEW", "WHEN", "WHERE",
    }
)  # fmt: skip
"""Words after which an operand or a name comes: what follows is no operator and no subscript."""

_OPERANDS: Final = frozenset(
    {Kind.WORD, Kind.QUOTED, Kind.STRING, Kind.NUMBER, Kind.PARAMETER, Kind.TEMPLATE}
)
_BOUNDS: Final = re.compile(r"\[[\s0-9:]*\]")
_OPERAND_FOLLOWS: Final = re.compile(r"[\s]*['$:?@]")
_COMMENT_EDGE: Final = re.compile(r"/\*|\*/")
_ESCAPE: Final = re.compile(r"\\.|\\\Z", re.DOTALL)


class Reader:
    """Reads a text stretch by stretch, up to each delimiter, and keeps the comments on the way.

    Stretches let the caller decide at a delimiter what comes next: more of the same statement,
    the data of a `COPY`, another delimiter.
    """

    __slots__ = ("_brackets", "_flat", "comments", "delimiter", "depth", "text")

    def __init__(self, text: str) -> None:
        """Begin with `;` as the delimiter, and outside all parentheses."""
        self.text = text
        self.delimiter = DELIMITER
        self.depth = 0
        self.comments: list[Token] = []
        self._brackets: list[bool] = []  # Of each open one: whether it is a subscript.
        self._flat = False  # Whether comments were seen not to nest.

    def begin(self) -> None:
        """Begin a statement: whatever the last one left open is closed."""
        self.depth = 0
        self._brackets.clear()

    def read(self, position: int, limit: int, tokens: list[Token]) -> tuple[Stop, int]:
        """Add the tokens from a position on to those of the statement; say why and where it ended.

        The tokens given are those of the statement so far. After `Stop.LINE` the position is that
        of the line, which is not read.
        """
        text = self.text
        matches = grammar.expression(self.delimiter).finditer
        made, word = tuple.__new__, Kind.WORD  # Names of this function: most of all time goes here.
        resume = position
        while True:
            for match in matches(text, resume, limit):
                group = match.lastindex or 0
                start, end = match.span(group)
                if group == grammar.WORD:
                    tokens.append(made(Token, (word, match[group], start, end, self.depth)))
                    continue
                if group == grammar.PUNCTUATION:
                    self._mark(match[group], start, end, tokens)
                elif group == grammar.DELIMITER:
                    tokens.append(Token(Kind.PUNCTUATION, match[group], start, end, self.depth))
                    return Stop.DELIMITER, end
                elif group in _KINDS:
                    tokens.append(self._plain(group, match[group], start, end, limit))
                elif _is_line(group, match[group], tokens):
                    return Stop.LINE, start
                elif group == grammar.LINE_COMMENT:
                    self.comments.append(Token(Kind.COMMENT, match[group], start, end, self.depth))
                else:
                    resume = self._second_look(group, start, end, limit, tokens)
                    if resume != end:
                        break
            else:
                return Stop.END, limit

    def _mark(self, mark: str, start: int, end: int, tokens: list[Token]) -> None:
        """Add a mark, and keep count of the parentheses."""
        if mark == ")" and self.depth:
            self.depth -= 1
        tokens.append(Token(Kind.PUNCTUATION, mark, start, end, self.depth))
        if mark == "(":
            self.depth += 1

    def _plain(self, group: int, text: str, start: int, end: int, limit: int) -> Token:
        """Return a token that its first characters tell; it may lack its end, at the text's end."""
        is_open = end == limit and not _is_closed(text, group)
        return Token(Kind.UNTERMINATED if is_open else _KINDS[group], text, start, end, self.depth)

    def _second_look(
        self, group: int, start: int, end: int, limit: int, tokens: list[Token]
    ) -> int:
        """Add a token that is not clear from its first characters; return where it ends."""
        if group == grammar.BLOCK_COMMENT:
            closed = self._comment_end(start, limit)
            if closed > 0:
                text = self.text[start:closed]
                self.comments.append(Token(Kind.COMMENT, text, start, closed, self.depth))
                return closed
        kind, end = self._told(group, start, end, limit, tokens[-1] if tokens else None)
        tokens.append(Token(kind, self.text[start:end], start, end, self.depth))
        return end

    def _told(
        self, group: int, start: int, end: int, limit: int, before: Token | None
    ) -> tuple[Kind, int]:
        """Return what a token is, by what stands in it and before it, and where it ends."""
        mark = self.text[start]
        match group:
            case grammar.BLOCK_COMMENT:
                return Kind.UNTERMINATED, limit
            case grammar.DOLLAR:
                closed = self.text.find(self.text[start:end], end, limit)
                return (
                    (Kind.UNTERMINATED, limit)
                    if closed < 0
                    else (Kind.STRING, closed + end - start)
                )
            case grammar.DOUBTFUL:
                is_parameter = self._is_parameter(mark, start, end, before)
                return (Kind.PARAMETER, end) if is_parameter else (Kind.OPERATOR, start + 1)
            case grammar.CLIENT_LINE:
                length = {".": 1, "g": 2, "d": 9}[mark.lower()]
                return Kind.PUNCTUATION if mark == "." else Kind.WORD, start + length
            case grammar.BRACKETS if not self._is_subscript(start, end, before):
                return Kind.QUOTED, end
            case _:
                self._bracket(mark, start, before)
                return Kind.PUNCTUATION, start + 1

    def _bracket(self, mark: str, start: int, before: Token | None) -> None:
        """Keep count of the brackets of arrays."""
        if mark == "[":
            self._brackets.append(
                before is not None
                and before.end == start
                and _is_operand(before)
                and not before.is_word("ARRAY")
            )
        elif mark == "]" and self._brackets:
            self._brackets.pop()

    def _comment_end(self, start: int, limit: int) -> int:
        """Return where a comment ends, -1 if nowhere."""
        text = self.text
        end = text.find("*/", start + 2, limit)
        if self._flat or end < 0 or text.find("/*", start + 2, end) < 0:
            return end + 2 if end >= 0 else -1
        depth = 1
        for edge in _COMMENT_EDGE.finditer(text, start + 2, limit):
            depth += 1 if edge[0] == "/*" else -1
            if not depth:
                return edge.end()
        # Once for the whole text: trying again at each comment would take quadratic time.
        self._flat = True
        return end + 2

    def _is_parameter(self, mark: str, start: int, end: int, before: Token | None) -> bool:
        """Return whether `?`, `:name` or `%s` stands for a value, and is no operator."""
        adjacent = before is not None and before.end == start
        operand = before is not None and _is_operand(before)
        if mark == ":":
            return not (adjacent and operand) and not (self._brackets and self._brackets[-1])
        if mark == "%":
            return not operand
        return end > start + 1 or not (
            operand and _OPERAND_FOLLOWS.match(self.text, end) is not None
        )

    def _is_subscript(self, start: int, end: int, before: Token | None) -> bool:
        """Return whether a bracket belongs to an array, and quotes no name."""
        if self._brackets or _BOUNDS.fullmatch(self.text, start, end):
            return True
        if before is None or not _is_operand(before):
            return False
        if before.is_word("ARRAY"):
            return True
        return before.end == start and before.text[-1:] != "]"


def _is_operand(token: Token) -> bool:
    """Return whether a token can end an operand, so that an operator or a subscript may follow."""
    if token.kind is Kind.WORD:
        return token.text.upper() not in _AWAITS_OPERAND
    return token.kind in _OPERANDS or token.text in {")", "]"}


def _is_closed(text: str, group: int) -> bool:
    """Return whether a quoted token that ends the text is closed."""
    if group == grammar.ESCAPED:
        text = _ESCAPE.sub("", text)
    elif group not in {grammar.STRING, grammar.QUOTED}:
        return True
    return text.count("'" if group != grammar.QUOTED else text.lstrip("uU&")[0]) % 2 == 0


def _is_line(group: int, text: str, tokens: list[Token]) -> bool:
    """Return whether what was matched is a line that is no SQL."""
    if group == grammar.LINE_COMMENT:
        return grammar.DIRECTIVE.match(text) is not None
    return group == grammar.BACKSLASH or (group == grammar.CLIENT_LINE and _is_alone(text, tokens))


def _is_alone(line: str, tokens: list[Token]) -> bool:
    """Return whether what looks like a client's line is one, by the tokens before it."""
    if not tokens:
        return True
    before = tokens[-1]
    return line[0] in "gG" and (
        before.text == ")" or (before.kind is not Kind.PUNCTUATION and _is_operand(before))
    )


def tokenize(text: str, start: int = 0, end: int | None = None) -> tuple[Token, ...]:
    """Return the tokens of a text, or of a stretch of it; lines that are no SQL are left out."""
    tokens: list[Token] = []
    reader = Reader(text)
    limit = len(text) if end is None else end
    while start < limit:
        stop, start = reader.read(start, limit, tokens)
        if stop is Stop.LINE:
            start = line_end(text, start, limit)
    return tuple(tokens)


_LINE_END: Final = re.compile(r"[\r\n]")


def line_end(text: str, position: int, limit: int) -> int:
    """Return where the line of a position ends, before its line end."""
    found = _LINE_END.search(text, position, limit)
    return found.start() if found else limit


def parenthesis_pairs(tokens: Sequence[Token]) -> dict[int, int]:
    """Return where each parenthesis that is closed ends, by where it begins."""
    pairs: dict[int, int] = {}
    waiting: list[int] = []
    for index, token in enumerate(tokens):
        if token.kind is not Kind.PUNCTUATION:
            continue
        if token.text == "(":
            waiting.append(index)
        elif token.text == ")" and waiting:
            pairs[waiting.pop()] = index
    return pairs
