"""A second reader for what is read no further than its head: queries, changes, and conditions.

sqlglot reads them where the order of their tokens is doubtful, in its dialects of both engines.
Only what neither of them reads is said to be no SQL: each by itself rejects what its engine takes.
It is loaded for what is doubtful alone, for that takes a tenth of a second. Tables, indexes and
actions are not its business: it rejects some sixty of ten thousand that an engine takes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final, NamedTuple

from dal_audit.extract.sql.token_order import first_misfit
from dal_audit.extract.sql.tokens import HOLE, Kind, Token

MAX_TOKENS: Final = 4000
"""How long a stretch is looked at; longer ones are the work of programs."""

_WHOLE: Final = frozenset(
    {
        "INSERT", "REPLACE", "UPDATE", "DELETE", "SELECT", "WITH", "VALUES", "CREATE VIEW",
        "CREATE MATERIALIZED VIEW",
    }
)  # fmt: skip
"""The heads of statements that are read whole."""

_WITH_CHECKS: Final = frozenset({"CREATE TABLE", "ALTER TABLE"})
_DIALECTS: Final = ("sqlite", "postgres")


class _Stretch(NamedTuple):
    """Tokens that are read for themselves, and what makes a statement of them."""

    first: int
    last: int
    prefix: str


def misfit(head: str, tokens: Sequence[Token], text: str) -> Token | None:
    """Return the token at which a statement is no SQL of either engine; None where it may be.

    `text` is the file's: a statement's tokens are cut out of it.
    """
    for first, last, prefix in _stretches(head, tokens):
        stretch = tokens[first:last]
        if not stretch or len(stretch) > MAX_TOKENS or _has_holes(stretch):
            continue
        found = first_misfit(stretch, prefix.strip().rpartition(" ")[2])
        if found is None:
            continue
        spelled = text[stretch[0].start : stretch[-1].end]
        if found.is_certain or not _reads(prefix + spelled):
            return stretch[min(found.place, len(stretch) - 1)]
    return None


def _has_holes(tokens: Sequence[Token]) -> bool:
    """Return whether a tool or a program fills in something, which may be anything."""
    return any(
        token.kind in {Kind.TEMPLATE, Kind.UNKNOWN} or HOLE in token.text for token in tokens
    )


def _stretches(head: str, tokens: Sequence[Token]) -> Iterator[_Stretch]:
    """Yield what of a statement is an expression or a query."""
    if head in _WHOLE:
        yield _Stretch(0, len(tokens), "")
    elif head == "CREATE INDEX":
        for place, token in enumerate(tokens):
            if token.depth == 0 and token.is_word("WHERE"):
                yield _Stretch(place, len(tokens), "SELECT 1 FROM t ")
                return
    elif head in _WITH_CHECKS:
        yield from _checks(tokens)


def _checks(tokens: Sequence[Token]) -> Iterator[_Stretch]:
    """Yield what stands in the parentheses of checks."""
    for place, token in enumerate(tokens[:-1]):
        opening = tokens[place + 1]
        if token.is_word("CHECK") and opening.text == "(":
            within = range(place + 2, len(tokens))
            closing = next((at for at in within if tokens[at].depth <= opening.depth), None)
            if closing is not None:
                yield _Stretch(place + 2, closing, "SELECT 1 WHERE ")


def _reads(text: str) -> bool:
    """Return whether sqlglot reads a text in the dialect of one of the engines."""
    import sqlglot
    from sqlglot.errors import SqlglotError

    with silent():
        for dialect in _DIALECTS:
            try:
                sqlglot.parse(text, read=dialect)
            except RecursionError:
                return True  # It is too deep for this reader, not wrong.
            except SqlglotError:
                continue
            return True
    return False


@contextmanager
def silent() -> Iterator[None]:
    """Keep to ourselves what sqlglot logs of the audited project's text."""
    import logging  # only where sqlglot is

    logger = logging.getLogger("sqlglot")
    before = logger.disabled
    logger.disabled = True
    try:
        yield
    finally:
        logger.disabled = before
