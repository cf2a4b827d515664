"""The facts of a file of SQL."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

from msgspec import structs

from dal_audit.catalogue.portability import feature_by_id
from dal_audit.extract.secrets import text_for_facts
from dal_audit.extract.source import Lines, UndecodableError, decode_script, not_decoded
from dal_audit.extract.sql.calls import lacked_calls
from dal_audit.extract.sql.pattern_view import View
from dal_audit.extract.sql.patterns import shipped_matcher
from dal_audit.extract.sql.placeholders import placeholders_of
from dal_audit.extract.sql.places import Places
from dal_audit.extract.sql.rewriting import Respeller
from dal_audit.extract.sql.second_reader import misfit
from dal_audit.extract.sql.statements import Statement, each_statement, split
from dal_audit.extract.sql.structure import Reading, head_of, read_structure
from dal_audit.extract.sql.templates import Templates, rendered
from dal_audit.extract.sql.tokens import Kind, Token
from dal_audit.extract.suppressions import SQL_MARK, read_suppression
from dal_audit.facts import Fact, Span, Suppression
from dal_audit.facts.sql import SqlConstruct, SqlStatement


def script_facts(data: bytes) -> tuple[Fact, ...]:
    """Return the facts of an SQL file's bytes: its statements, in the order in which they stand."""
    try:
        text = text_for_facts(decode_script(data), is_program=True)
    except UndecodableError as error:
        return (not_decoded(data, error),)
    if "dal-audit:" not in text:
        return tuple(statements_of(text))
    return (*suppressions_in(text), *statements_of(text))


def suppressions_in(text: str) -> list[Suppression]:
    """Return the suppressions among the comments of an SQL text.

    One that stands alone on its line is about the line of the next token, in a statement or not.
    """
    script = split(text)
    lines = Lines(text)
    starts = [token.start for statement in script.statements for token in statement.tokens]
    first = lines.line_of(starts[0]) if starts else None
    found: list[Suppression] = []
    for comment in script.comments:
        mark = SQL_MARK.match(comment.text)
        if mark is None:
            continue
        line = lines.line_of(comment.start)
        after = bisect_left(starts, comment.end)
        if after < len(starts) and not text[lines.starts[line - 1] : comment.start].strip():
            line = lines.line_of(starts[after])
        found.append(read_suppression(lines, comment.start, comment.text, mark, line, first))
    return found


def statements_of(text: str) -> list[SqlStatement]:
    """Return the statements of an SQL text, each with its structure."""
    templates = Templates()
    found: list[SqlStatement] = []
    places = Places(text)

    def take(statement: Statement, comments: Sequence[Token]) -> None:
        if "{" in text:
            tokens = rendered(statement.tokens)
            if not tokens:
                return
            statement = structs.replace(statement, tokens=tokens, start=tokens[0].start)
            if templates.made_by_template(tokens):
                found.append(_of_template(statement, comments, places))
                return
        found.append(statement_fact(statement, comments, places, text))

    each_statement(text, take)
    found.sort(key=lambda fact: fact.span)
    return found


def statement_fact(
    statement: Statement, comments: Sequence[Token], places: Places, text: str
) -> SqlStatement:
    """Return a statement of a text as a fact."""
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
    head = head_of(statement.tokens)
    view = shipped_matcher().view(statement.tokens)
    odd = misfit(head, statement.tokens, text) if reading.structure is not None else None
    if odd is not None:
        reading = structs.replace(reading, flaw="what stands here does not fit what is before it")
        flaw_span = places.span(odd.start, odd.end)
    return SqlStatement(
        span,
        head,
        reading.structure,
        statement.part,
        reading.flaw,
        flaw_span,
        tuple(comment.text for comment in comments),
        constructs=constructs_of(view, places, comments),
        placeholders=placeholders_of(statement.tokens, places),
        calls=lacked_calls(view, places) if reading.structure is not None else (),
    )


def _of_template(statement: Statement, comments: Sequence[Token], places: Places) -> SqlStatement:
    """Return a statement of which nobody knows what a template makes of it."""
    at = next((token for token in statement.tokens if token.kind is Kind.TEMPLATE), None)
    at = at or statement.tokens[0]
    return SqlStatement(
        places.span(statement.start, statement.end),
        head_of(statement.tokens),
        None,
        statement.part,
        "a template decides what it is",
        places.span(at.start, at.end),
        tuple(comment.text for comment in comments),
        is_template=True,
    )


def constructs_of(
    view: View, places: Places, comments: Sequence[Token] = ()
) -> tuple[SqlConstruct, ...]:
    """Return the places in a statement where rows of the portability catalogue are recognised.

    The view is the shipped matcher's.
    """
    matches = shipped_matcher().matches_in(view)
    if not matches:
        return ()
    tokens = view.tokens
    known, respeller = feature_by_id(), Respeller(tokens, comments, places)
    return tuple(
        SqlConstruct(
            places.span(tokens[match.start].start, tokens[match.end - 1].end),
            match.feature,
            match.start,
            match.end,
            respeller.rewriting(known[match.feature], match.start, match.end),
        )
        for match in matches
    )
