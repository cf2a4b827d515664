"""Which rows are known to stand in a table: since which run, and which a statement took out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Final

from dal_audit.facts.sql import Change
from dal_audit.schema.objects_model import ABSENT, CLEARED, ROWS, DbObject
from dal_audit.schema.state import State
from dal_audit.schema.table_parts import unique_keys

LITERAL: Final = re.compile(r"[+-]?[0-9.][\w.]*\Z|(?:[eExXbBnN]|[uU]&)?'.*'\Z", re.DOTALL)
FILLING: Final = frozenset({"INSERT", "REPLACE", "MERGE"})
"""The verbs that put rows into a table."""

_WHERE_EQUAL: Final = 4
"""How many tokens `WHERE a = 1` has."""


def was_filled_before(state: State, table: DbObject) -> bool:
    """Return whether rows stand in a table that an earlier run put there."""
    since = table.parts.get(ROWS, CLEARED)
    return since not in {CLEARED, state.run}


def note_rows(state: State, change: Change, table: DbObject) -> None:
    """Keep in mind that a statement has put rows into a table, or taken rows out of it."""
    if change.verb in FILLING:
        if table.parts.get(ROWS, CLEARED) == CLEARED:
            state.set_part(table, ROWS, state.run)
        return
    rows = frozenset(_rows_named(state, change, table))
    if rows:
        state.set_part(table, ABSENT, table.parts.get(ABSENT, frozenset()) | rows)
    else:
        state.set_part(table, ROWS, CLEARED)


def _rows_named(state: State, change: Change, table: DbObject) -> Iterator[tuple[str, str]]:
    """Yield the rows that a `DELETE` takes out, where it names all of them by a unique column.

    Each is that column, folded, and the literal as it is spelled.
    """
    tokens = change.source.tokens if change.verb == "DELETE" and change.source else ()
    words = [token.upper() for token in tokens]
    if words[:1] != ["WHERE"] or len(tokens) < _WHERE_EQUAL:
        return
    column = state.fold_token(tokens[1])
    if (column,) in unique_keys(state, table):
        yield from ((column, literal) for literal in _literals(words[2], tokens[3:]))


def _literals(operator: str, tokens: Sequence[str]) -> Sequence[str]:
    """Return the literals that a column equals one of; none where anything else stands there."""
    found = tokens
    if operator == "IN" and tokens[0] == "(" and tokens[-1] == ")":
        found = tokens[1:-1:2]
    elif operator != "=" or len(tokens) != 1:
        return ()
    return found if all(LITERAL.match(literal) for literal in found) else ()


def takes_place(state: State, table: DbObject, row: tuple[str, str]) -> bool:
    """Return whether a row that is put in, by a unique column and its literal, was taken out."""
    absent = table.parts.get(ABSENT, frozenset())
    if row not in absent:
        return False
    state.set_part(table, ABSENT, absent - {row})
    return True


def ends_itself(
    state: State, values: Mapping[str, Sequence[str]], condition: Sequence[str]
) -> bool:
    """Return whether an `UPDATE` sets a column so that its own condition does not hold again.

    `values` are those of the columns that it sets; `condition` begins with `WHERE`.
    """
    words = [token.upper() for token in condition]
    if words[:1] != ["WHERE"] or "OR" in words:
        return False
    bounds = [0, *(at for at, word in enumerate(words) if word == "AND"), len(words)]
    terms = [condition[start + 1 : end] for start, end in pairwise(bounds)]
    return any(
        _is_undone(term, values.get(state.fold_token(term[0]), ())) for term in terms if term
    )


def _is_undone(term: Sequence[str], value: Sequence[str]) -> bool:
    """Return whether `a = 'x'`, or `a IS NULL`, does not hold where `a` has a value."""
    if len(value) != 1 or not LITERAL.match(value[0]):
        return False
    asked = [token.upper() for token in term[1:]]
    if asked == ["IS", "NULL"]:
        return True
    other = " ".join(term[2:])
    return asked[:1] == ["="] and other != value[0] and LITERAL.match(other) is not None
