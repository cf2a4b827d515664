"""The functions that a statement calls and that some engine does not have."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Final

from dal_audit.catalogue.engine_names import ENGINES, engine_names
from dal_audit.extract.sql.pattern_view import View
from dal_audit.extract.sql.places import Places
from dal_audit.extract.sql.tokens import Kind, Token
from dal_audit.facts.sql import SqlCall

_NO_CALLS: Final = frozenset(
    {"ANALYZE", "COPY", "GRANT", "REVOKE", "COMMENT", "PRAGMA", "DO", "CALL", "SET", "VACUUM"}
)
"""Statements in which a name before a parenthesis is something else, or no engine here calls it."""

_OF_MODULES: Final = {
    "sqlite": frozenset(
        {"matchinfo", "offsets", "snippet", "highlight", "bm25", "json_each", "json_tree"}
    ),
}
"""Functions of virtual tables, and those that are tables: no list of an engine names them
(sqlite.org/fts3.html, fts5.html, json1.html)."""

_DECLARES_AFTER: Final = frozenset(
    {"AS", "USING", "INDEX", "KEY", "FULLTEXT", "SPATIAL", "UNIQUE", "PARTITION", "OF", "ON"}
    | {"ORDINALITY"}
)
"""Words after which a name with parentheses is a list of columns, a method or a key."""


_EMPTY: Final = 3
"""How many tokens a call without arguments has."""


def lacked_calls(view: View, places: Places) -> tuple[SqlCall, ...]:
    """Return the calls in a statement of functions that an engine does not have, in order."""
    tokens = view.tokens
    if not tokens or tokens[0].upper in _NO_CALLS:
        return ()
    found: list[SqlCall] = []
    for place, several in _lacked_names(view):
        token = tokens[place]
        end = view.after_call(place, token.upper, 0, -1)
        if end is None:
            continue
        is_cast = end > place + _EMPTY
        lacking = tuple(own for own in several if not (is_cast and _casts(token.text.lower(), own)))
        if lacking and not _is_alias(tokens, place, end):
            span = places.span(token.start, token.end)
            found.append(SqlCall(span, token.text, lacking, place, end))
    return tuple(found)


def _casts(name: str, engine: str) -> bool:
    """Return whether an engine takes the name of a type for a call that casts: `uuid('…')`.

    Source: PostgreSQL's sql-expressions.html, "Type Casts".
    """
    names = engine_names(engine)
    return names is not None and names.types is not None and name in names.types


def _lacked_names(view: View) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Yield the places of names that may be called, each with the engines that have no such one."""
    tokens = view.tokens
    for place, following in enumerate(view.keys[2:], 1):
        if following != "(" or tokens[place].kind is not Kind.WORD:
            continue
        lacking = _lacking(tokens[place].text.lower())
        if lacking and not _declares(tokens, place):
            yield place, lacking


def _declares(tokens: Sequence[Token], place: int) -> bool:
    """Return whether what stands before a name says that it is not called."""
    before = tokens[place - 1].upper
    if before == "BY":
        return tokens[place - 2].is_word("PARTITION", "SUBPARTITION")
    return before in _DECLARES_AFTER


def _is_alias(tokens: Sequence[Token], place: int, end: int) -> bool:
    """Return whether a name with a list is one of a common table expression or a derived table."""
    after_group = tokens[place - 1].text == ")" or tokens[place - 1].kind is Kind.QUOTED
    return after_group or (end < len(tokens) and tokens[end].is_word("AS") and _is_cte(tokens, end))


def _is_cte(tokens: Sequence[Token], end: int) -> bool:
    following = tokens[end + 1 : end + 4]
    return any(token.text == "(" for token in following[:1]) or any(
        token.is_word("MATERIALIZED") for token in following
    )


@lru_cache(maxsize=4096)
def _lacking(name: str) -> tuple[str, ...]:
    """Return the engines that have no function of a name; none where it is a word of a grammar."""
    known = [names for engine in ENGINES if (names := engine_names(engine)) is not None]
    if any(name in names.keywords for names in known):
        return ()
    return tuple(
        names.engine
        for names in known
        if not names.has_function(name) and name not in _OF_MODULES.get(names.engine, ())
    )
