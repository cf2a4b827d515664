"""Split a text into its statements, as the program that runs it would.

A statement ends at the delimiter in force (`;`, unless a client's line or a directive names
another), but not inside a routine's `BEGIN … END`; and at whatever else separates statements: `GO`,
drizzle's breakpoints, the bounds of goose's and sql-migrate's blocks, a client's line. Inside such
a block it is split at `;` all the same: the tool hands the block to the engine whole, and the
engine splits it. Sources: the manuals of goose, sql-migrate, dbmate, tern, drizzle-kit, atlas and
Liquibase; psql's and sqlite3's handling of lines that begin with a backslash or a dot;
`sqlite3_complete()` for the end of a trigger.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Final, Literal, TypeAlias

from msgspec import Struct

from dal_audit.extract.sql.blocks import Blocks
from dal_audit.extract.sql.tokens import Kind, Reader, Stop, Token, line_end

Part: TypeAlias = Literal["", "up", "down"]
"""The part of a migration: what a file's markers say, and nothing where there are none."""


class Statement(Struct, frozen=True):
    """A statement: its extent without the delimiter, its tokens, and the part that it belongs to.

    `start` and `end` are offsets in code points, of the first token's start and the last one's end.
    `tokens` hold no comments. `flaw` says why the rest of it is not understood, from `flaw_start`
    on, and is empty where all of it was read.
    """

    start: int
    end: int
    tokens: tuple[Token, ...]
    part: Part = ""
    flaw: str = ""
    flaw_start: int = 0


class Line(Struct, frozen=True):
    """A stretch outside statements that is no comment: a client's line, a directive, or data.

    `text` is the line as it stands; for the data of a `COPY` it is empty.
    """

    start: int
    end: int
    text: str


class Script(Struct, frozen=True):
    """A text's statements and its comments, and the lines between the statements, all in order."""

    text: str
    statements: tuple[Statement, ...]
    comments: tuple[Token, ...] = ()
    lines: tuple[Line, ...] = ()

    def gaps(self) -> tuple[tuple[int, int], ...]:
        """Return the extents between statements: with the statements they are the whole text."""
        found = []
        position = 0
        for statement in self.statements:
            found.append((position, statement.start))
            position = statement.end
        return (*found, (position, len(self.text)))


_MARKER: Final = re.compile(
    r"--[ \t]*(?:\+(?:goose|migrate)[ \t]+(?P<block>StatementBegin|StatementEnd|Up|Down)\b"
    r"|migrate:(?P<dbmate>up|down)\b"
    r"|(?P<changeset>changeset)\b.*?(?:\bendDelimiter:(?P<end>\S+)|$)"
    r"|rollback\b(?P<rollback>.*)"
    r"|atlas:delimiter[ \t]+(?P<atlas>\S+))"
    r"|(?P<tern>---- create above / drop below ----)",
    re.IGNORECASE,
)
_BREAKPOINT: Final = re.compile(r"-->[ \t]*statement-breakpoint", re.IGNORECASE)
_TERN: Final = re.compile(r"^---- create above / drop below ----", re.MULTILINE)
_LIQUIBASE: Final = re.compile(r"\s*--[ \t]*liquibase[ \t]+formatted[ \t]+sql\b", re.IGNORECASE)
_NO_ROLLBACK: Final = re.compile(
    r"\s*(?:empty|not required|changeset(?:id|path|author):.*)?\s*", re.IGNORECASE
)
_ROLLBACK_COMMENT: Final = re.compile(r"/\*\s*liquibase\s+rollback\b", re.IGNORECASE)
_DELIMITER_LINE: Final = re.compile(r"DELIMITER[ \t]+(\S+)", re.IGNORECASE)
_COPY_END: Final = re.compile(r"^\\\.[ \t]*\r?$", re.MULTILINE)

_FLAWS: Final = {
    "'": "a string that nothing closes",
    "$": "a dollar-quoted string that nothing closes",
    '"': "a quoted identifier that nothing closes",
    "`": "a quoted identifier that nothing closes",
    "/": "a comment that nothing closes",
}


def split(text: str) -> Script:
    """Return a text's statements, comments and lines."""
    statements: list[Statement] = []
    splitter = _Splitter(text, lambda statement, _comments: statements.append(statement))
    splitter.read_all()
    statements.sort(key=lambda statement: statement.start)
    comments = sorted(splitter.reader.comments, key=lambda comment: comment.start)
    return Script(text, tuple(statements), tuple(comments), tuple(splitter.lines))


def each_statement(text: str, take: Callable[[Statement, Sequence[Token]], None]) -> list[Token]:
    """Hand over each statement as soon as it is read, so that no text's tokens are all kept.

    With it go the comments since the statement before. Returns all comments. Only Liquibase's
    `/* liquibase rollback … */` come out of order: after all others.
    """
    splitter = _Splitter(text, take)
    splitter.read_all()
    return splitter.reader.comments


class _Splitter:
    """Reads one text from its beginning to its end."""

    def __init__(self, text: str, take: Callable[[Statement, Sequence[Token]], None]) -> None:
        self.text = text
        self.take = take
        self.reader = Reader(text)
        self.begun = False
        self.commented = 0  # How many of the comments went with a statement.
        self.lines: list[Line] = []
        self.tokens: list[Token] = []
        self.blocks = Blocks()
        self.part: Part = "up" if "---- create" in text and _TERN.search(text) else ""
        self.liquibase = _LIQUIBASE.match(text) is not None
        self.rollback: list[Token] = []

    def read_all(self) -> None:
        """Read the whole text."""
        self._read(0, len(self.text))
        self._end_rollback()
        if self.liquibase:
            self._rollback_comments()

    def _hand_over(self, statement: Statement) -> None:
        comments = self.reader.comments
        self.take(statement, comments[self.commented :])
        self.commented = len(comments)
        self.begun = True

    def _read(self, position: int, limit: int) -> None:
        """Read a stretch; a statement never goes beyond its end."""
        reader = self.reader
        while True:
            stop, position = reader.read(position, limit, self.tokens)
            if stop is Stop.END:
                self._end()
                return
            if stop is Stop.LINE:
                position = self._line(position, limit)
                continue
            if not self.blocks.open_after(self.tokens, reader.depth):
                self.tokens.pop()
                copies = _copies_from_client(self.tokens)
                self._end()
                if copies:
                    position = self._data(position, limit)

    def _end(self) -> None:
        """End the statement whose tokens were read, if there are any."""
        if self.rollback and self.tokens:
            self._end_rollback()
        if self.tokens:
            is_open = self.blocks.is_left_open(self.tokens)
            self._hand_over(_statement(self.tokens, self.part, is_open=is_open))
            self.tokens = []
        self.blocks = Blocks()
        self.reader.begin()

    def _data(self, position: int, limit: int) -> int:
        r"""Pass over the data of a `COPY … FROM stdin`, up to the line `\."""
        start = line_end(self.text, position, limit)
        if self.text[position:start].strip():
            return position
        end = _COPY_END.search(self.text, start, limit)
        stop = end.end() if end else limit
        self.lines.append(Line(start, stop, ""))
        return stop

    def _line(self, position: int, limit: int) -> int:
        """Act upon a line that is no SQL; return where to read on."""
        # More of them may stand on one line, with SQL between them.
        found = _BREAKPOINT.match(self.text, position, limit)
        if found:
            self._end()
            self.lines.append(Line(position, found.end(), found[0]))
            return found.end()
        end = line_end(self.text, position, limit)
        line = self.text[position:end]
        if not line.startswith("--"):
            self._end()
            delimiter = _DELIMITER_LINE.match(line)
            if delimiter:
                self.reader.delimiter = delimiter[1]
            self.lines.append(Line(position, end, line))
            return end
        marker = _MARKER.match(line)
        if marker is None or not self._applies(marker, position):
            self.reader.comments.append(Token(Kind.COMMENT, line, position, end, self.reader.depth))
            return end
        self._end()
        if marker["rollback"] is not None:
            self._rollback_line(position + marker.start("rollback"), end)
        elif marker["changeset"]:
            self.part = "up"
            self.reader.delimiter = marker["end"] or ";"
        elif marker["atlas"]:
            self.reader.delimiter = marker["atlas"].replace(r"\n", "\n").replace(r"\t", "\t")
        else:
            self._enter(marker)
        self.lines.append(Line(position, end, self.text[position:end]))
        return end

    def _applies(self, marker: re.Match[str], position: int) -> bool:
        """Return whether a comment that reads like a directive is one in this file."""
        line_start = max(self.text.rfind("\n", 0, position), self.text.rfind("\r", 0, position)) + 1
        if self.text[line_start:position].strip():
            return False
        if marker["changeset"] or marker["rollback"] is not None:
            return self.liquibase
        return not marker["atlas"] or not (self.begun or self.tokens)

    def _enter(self, marker: re.Match[str]) -> None:
        """Begin the part that a marker names."""
        named = (marker["block"] or marker["dbmate"] or ("down" if marker["tern"] else "")).lower()
        if named in {"up", "down"}:
            self.part = "up" if named == "up" else "down"

    def _rollback_line(self, start: int, end: int) -> None:
        """Read the SQL of one `--rollback` line; a statement may go on in the next one."""
        if _NO_ROLLBACK.fullmatch(self.text, start, end):
            return
        while start < end:
            stop, start = self.reader.read(start, end, self.rollback)
            if stop is Stop.LINE:
                start = end
            elif stop is Stop.DELIMITER:
                self.rollback.pop()
                self._end_rollback()

    def _end_rollback(self) -> None:
        if self.rollback:
            self._hand_over(_statement(self.rollback, "down"))
            self.rollback = []

    def _rollback_comments(self) -> None:
        """Read the SQL in Liquibase's `/* liquibase rollback … */`."""
        for comment in tuple(self.reader.comments):
            opening = _ROLLBACK_COMMENT.match(comment.text)
            if opening:
                self.part = "down"
                self._read(comment.start + opening.end(), comment.end - len("*/"))


def _statement(tokens: list[Token], part: Part, *, is_open: bool = False) -> Statement:
    first, last = tokens[0], tokens[-1]
    flaw, flaw_start = "", 0
    if last.kind is Kind.UNTERMINATED:
        flaw = _FLAWS[last.text.lstrip("eExXbBnNuU&")[0]]
        flaw_start = last.start
    elif is_open:
        flaw, flaw_start = "a `BEGIN` without its `END`", first.start
    return Statement(first.start, last.end, tuple(tokens), part, flaw, flaw_start)


def _copies_from_client(tokens: list[Token]) -> bool:
    """Return whether a statement is a `COPY … FROM stdin`, whose data follows."""
    if not tokens or not tokens[0].is_word("COPY"):
        return False
    return any(
        token.is_word("STDIN") and before.is_word("FROM") for before, token in pairwise(tokens)
    )
