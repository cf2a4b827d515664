"""The facts of a file of SQL."""

from __future__ import annotations

import codecs
from collections.abc import Sequence

from dal_audit.extract.source import UndecodableError, place_in_bytes
from dal_audit.extract.sql.patterns import shipped_matcher
from dal_audit.extract.sql.placeholders import placeholders_of
from dal_audit.extract.sql.places import Places
from dal_audit.extract.sql.statements import Statement, each_statement
from dal_audit.extract.sql.structure import Reading, head_of, read_structure
from dal_audit.extract.sql.suppressions import suppressions
from dal_audit.extract.sql.tokens import Token
from dal_audit.facts import Fact, NotUnderstood, Span
from dal_audit.sql_facts import SqlConstruct, SqlStatement


def script_facts(data: bytes) -> tuple[Fact, ...]:
    """Return the facts of an SQL file's bytes: its statements in their order, and suppressions."""
    try:
        text = decode_script(data)
    except UndecodableError as error:
        place = place_in_bytes(data, error.offset)
        return (NotUnderstood(place, "undecodable", str(error)),)
    return (*statements_of(text), *suppressions(text))


def statements_of(text: str) -> list[SqlStatement]:
    """Return the statements of an SQL text, each with its structure."""
    places = Places(text)
    found: list[SqlStatement] = []

    def take(statement: Statement, comments: Sequence[Token]) -> None:
        found.append(_fact(statement, comments, places))

    each_statement(text, take)
    found.sort(key=lambda one: one.span)
    return found


def decode_script(data: bytes) -> str:
    """Return the text of an SQL file, without its byte order mark.

    Both engines' clients read UTF-8. Raises UndecodableError for anything else.
    """
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise UndecodableError("UTF-16, which neither psql nor sqlite3 reads")
    start = len(codecs.BOM_UTF8) if data.startswith(codecs.BOM_UTF8) else 0
    try:
        return data[start:].decode("utf-8")
    except UnicodeDecodeError as error:
        detail = f"byte 0x{error.object[error.start]:02x} is not utf-8"
        raise UndecodableError(detail, start + error.start) from error


def _fact(statement: Statement, comments: Sequence[Token], places: Places) -> SqlStatement:
    span = places.span(statement.start, statement.end)
    flaw_span: Span | None = None
    reading = Reading(None, statement.flaw)
    if statement.flaw:
        flaw_span = places.span(statement.flaw_start, statement.end)
    else:
        reading = read_structure(statement.tokens, places)
        if reading.structure is None:
            at = reading.flaw_token or statement.tokens[-1]
            flaw_span = places.span(at.start, at.end)
    return SqlStatement(
        span,
        head_of(statement.tokens),
        reading.structure,
        statement.part,
        reading.flaw,
        flaw_span,
        tuple(one.text for one in comments),
        constructs=constructs_of(statement.tokens, places),
        placeholders=placeholders_of(statement.tokens, places),
    )


def constructs_of(tokens: tuple[Token, ...], places: Places) -> tuple[SqlConstruct, ...]:
    """Return the places in a statement where rows of the portability catalogue are recognised."""
    return tuple(
        SqlConstruct(
            places.span(tokens[match.start].start, tokens[match.end - 1].end),
            match.feature,
            match.start,
            match.end,
        )
        for match in shipped_matcher().matches(tokens)
    )
