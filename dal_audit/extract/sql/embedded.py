"""SQL that stands in code: a text whose characters have places of their own, and holes.

A hole stands for a part of the text that is not known: a name, an expression, a clause, or nothing.
It is one character that SQL takes for a letter, so that a name with a hole in it is one token. What
stands outside of holes is judged; nothing is said of a construct with a hole in it or right beside
it without a space, and of what a statement with holes declares nothing is known.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from msgspec.structs import replace

from dal_audit.catalogue.portability import feature_by_id
from dal_audit.extract.sql.places import Places
from dal_audit.extract.sql.scripts import statement_fact
from dal_audit.extract.sql.statements import Statement, each_statement
from dal_audit.extract.sql.tokens import HOLE, Kind, Token
from dal_audit.facts.sql import Change, OtherStatement, Query, SqlConstruct, SqlStatement, Structure


def embedded_statements(text: str, places: Places) -> list[SqlStatement]:
    """Return the statements of a text in code, in order."""
    found: list[SqlStatement] = []

    def take(statement: Statement, comments: Sequence[Token]) -> None:
        fact = statement_fact(statement, comments, places, text)
        constructs = tuple(
            replace(own, called=_called(own, statement.tokens)) for own in fact.constructs
        )
        fact = replace(fact, constructs=constructs)
        torn = any(map(_is_open, statement.tokens, (None, *statement.tokens)))
        found.append(_around_holes(fact, statement.tokens) if torn else fact)

    each_statement(text, take)
    return found


def _called(construct: SqlConstruct, tokens: Sequence[Token]) -> str:
    """Return the function that a construct calls; empty where it calls none."""
    following = tokens[construct.first + 1 : construct.first + 2]
    token = tokens[construct.first]
    is_call = token.kind is Kind.WORD and any(mark.text == "(" for mark in following)
    return token.text.lower() if is_call or token.is_word("REGEXP", "MATCH") else ""


def _is_open(token: Token, before: Token | None) -> bool:
    """Return whether a token holds what is not known, or stands for as many rows as are handed.

    `VALUES ?` and `VALUES %s` are filled by `execute_values` and its like.
    """
    is_rows = token.kind is Kind.PARAMETER and before is not None and before.is_word("VALUES")
    return is_rows or HOLE in token.text


def _around_holes(fact: SqlStatement, tokens: Sequence[Token]) -> SqlStatement:
    """Return what is certain of a statement with holes."""
    return replace(
        fact,
        structure=_certain(fact.structure, tokens),
        flaw="",
        flaw_span=None,
        constructs=tuple(own for own in fact.constructs if _is_whole(own, tokens)),
        placeholders=tuple(own for own in fact.placeholders if HOLE not in own.text),
        calls=tuple(own for own in fact.calls if HOLE not in own.name),
    )


def _certain(structure: Structure | None, tokens: Sequence[Token]) -> Structure:
    """Return what a statement does as far as that does not hang on its holes."""
    if isinstance(structure, Query):
        return structure
    if isinstance(structure, Change) and (
        structure.table is None or HOLE not in structure.table.name
    ):
        return Change(structure.verb, structure.table)
    words = " ".join(token.text for token in tokens)
    return OtherStatement(("DO",), words)


_BEFORE_NAME: Final = frozenset(
    {"COLUMN", "EXISTS", "FROM", "INDEX", "INTO", "JOIN", "ON", "ONLY", "TABLE", "TRIGGER", "TYPE"}
    | {"UPDATE", "VIEW"}
)
"""Words behind which a name stands, whatever it is."""


def _is_one_token(tokens: Sequence[Token], index: int, *, is_quoting: bool) -> bool:
    """Return whether a token with a hole is one token of its kind, whatever fills the hole.

    So is what stands in quotes, and a name that is not all hole or stands where a name must.
    """
    token = tokens[index]
    if token.kind in {Kind.QUOTED, Kind.STRING}:
        return not is_quoting or token.text[:1] in {"`", "["}
    if token.kind is not Kind.WORD:
        return False
    is_part = token.text.strip(HOLE) != ""
    return is_part or (index > 0 and tokens[index - 1].upper in _BEFORE_NAME)


def _is_whole(construct: SqlConstruct, tokens: Sequence[Token]) -> bool:
    """Return whether no hole in a construct, or touching it, can make another one of it."""
    own = tokens[construct.first : construct.last]
    is_quoting = feature_by_id()[construct.feature].rule == "DAL308"
    for index in range(construct.first, construct.last):
        if HOLE in tokens[index].text and not _is_one_token(tokens, index, is_quoting=is_quoting):
            return False
    before = tokens[construct.first - 1] if construct.first else None
    after = tokens[construct.last] if construct.last < len(tokens) else None
    touches_before = before is not None and HOLE in before.text and before.end == own[0].start
    touches_after = after is not None and HOLE in after.text and after.start == own[-1].end
    return not touches_before and not touches_after
