"""What a row of the catalogue takes for a thing that one engine lacks, and the schema knows better.

A pattern sees words: `rowid` is SQLite's own column, unless a table has one that is called so, and
`round(x, 2)` is what PostgreSQL refuses for a `REAL`, and takes for a `NUMERIC`. What is refused
only where rows stand is taken while a table is empty. Sources: SQLite's rowidtable.html and
lang_altertable.html, PostgreSQL's functions-math.html and typeconv-func.html.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from msgspec import Struct

from dal_audit.catalogue.operations import feature_of
from dal_audit.facts import Span
from dal_audit.facts.sql import (
    AlterTable,
    Change,
    Constraint,
    CreateIndex,
    CreateObject,
    CreateTable,
    Expression,
    SqlName,
    SqlStatement,
)
from dal_audit.schema.objects_model import CLEARED, ROWS
from dal_audit.schema.reads import Reading, reading_of
from dal_audit.schema.state import State

_ROWID: Final = "rowid"
_ROUND: Final = "function-round-digits"
EXEMPTED: Final = frozenset({_ROWID, _ROUND})
"""The rows of the catalogue of which the schema may know better."""

_PSEUDO_COLUMNS: Final = frozenset({"rowid", "_rowid_"})
_NUMBER: Final = re.compile(r"[0-9.][0-9.eE_]*\Z")
_EXACT_TYPES: Final = frozenset(
    {
        "bigint", "bigserial", "dec", "decimal", "int", "int2", "int4", "int8", "integer",
        "numeric", "serial", "smallint", "smallserial",
    }
)  # fmt: skip
"""The types that PostgreSQL rounds to digits; integers become `NUMERIC` by themselves."""

_KEEPS_EXACT: Final = frozenset(
    {"(", ")", "+", "-", "*", "/", "%", ",", ".", "AVG", "SUM", "MIN", "MAX", "ABS", "COALESCE"}
)
"""What makes of exact numbers exact numbers."""


class Exemption(Struct, frozen=True):
    """A place in a statement in which a row of the catalogue, by its id, is wrong of a backend."""

    span: Span
    feature: str
    backend: str


def exemptions_of(state: State, statement: SqlStatement) -> tuple[Exemption, ...]:
    """Return what the catalogue is wrong about in a statement that was just run."""
    features = {construct.feature for construct in statement.constructs}
    if not features:
        return ()
    found = list(_of_empty_tables(state, statement, features))
    if not state.is_sqlite and not features.isdisjoint(EXEMPTED):
        found += _exemptions(state, statement, features)
    return tuple(found)


def _of_empty_tables(
    state: State, statement: SqlStatement, features: set[str]
) -> Iterator[Exemption]:
    """Yield the rows that need rows to fail, where no statement is known to have put in any."""
    alter = statement.structure
    if not isinstance(alter, AlterTable):
        return
    wanting = sorted(feature for feature in features if feature_of(feature).needs_rows)
    table = state.relations.get(state.fold(alter.table))
    if wanting and (table is None or table.parts.get(ROWS, CLEARED) == CLEARED):
        yield from (Exemption(statement.span, feature, state.backend) for feature in wanting)


def _exemptions(state: State, statement: SqlStatement, features: set[str]) -> Iterator[Exemption]:
    if _ROWID in features:
        for span in _own_rowids(state, statement):
            yield Exemption(span, _ROWID, state.backend)
    for expression, targets in _queries(state, statement) if _ROUND in features else ():
        if _rounds_exact(state, expression.tokens, reading_of(state, expression.tokens, *targets)):
            yield Exemption(expression.span, _ROUND, state.backend)


def _queries(state: State, statement: SqlStatement) -> Iterator[tuple[Expression, tuple[str, ...]]]:
    """Yield the expressions of a statement that read tables, with the table that it changes."""
    match statement.structure:
        case Change(table=SqlName() as table, source=Expression() as source, verb=verb):
            yield source, () if verb in {"INSERT", "REPLACE"} else (state.fold(table),)
        case CreateObject(rest=Expression() as rest):
            yield rest, ()
        case CreateTable(query=Expression() as query):
            yield query, ()
        case _:
            pass


# A column called `rowid`


def _own_rowids(state: State, statement: SqlStatement) -> Iterator[Span]:
    """Yield the stretches of a statement in which `rowid` is a table's own column."""
    structure = statement.structure
    if isinstance(structure, Change):
        yield from _own_listed(state, structure)
    elif any(_has_rowid(state, state.fold(name)) for name in _tables_of(statement)):
        yield statement.span
    for expression, targets in _queries(state, statement):
        reading = reading_of(state, expression.tokens, *targets)
        owners = [_meant(reading, named[0]) for named in reading.names if _is_rowid(named[1])]
        if owners and all(any(_has_rowid(state, table) for table in own) for own in owners):
            yield expression.span


def _own_listed(state: State, change: Change) -> Iterator[Span]:
    """Yield where a change of a table that has such a column lists its columns."""
    if change.table is not None and _has_rowid(state, state.fold(change.table)):
        yield from (column.span for column in change.columns)
        if change.conflict is not None:
            yield change.conflict.span


def _is_rowid(name: str) -> bool:
    return name.lower() in _PSEUDO_COLUMNS


def _has_rowid(state: State, table: str) -> bool:
    """Return whether a table has, or had, a column that is called as SQLite's own."""
    return not _PSEUDO_COLUMNS.isdisjoint(state.former_columns.get(table, ()))


def _meant(reading: Reading, qualifier: str) -> list[str]:
    """Return the tables that a name with a qualifier, or without any, may be a column of."""
    if qualifier:
        return [reading.tables[qualifier]] if qualifier in reading.tables else []
    return list(reading.tables.values())


def _tables_of(statement: SqlStatement) -> Iterator[SqlName]:
    """Yield the tables that a definition is about, and those that its foreign keys refer to."""
    match statement.structure:
        case CreateTable() as create:
            yield create.name
            yield from _referred(create.constraints)
            for column in create.columns:
                yield from _referred(column.constraints)
        case AlterTable() as alter:
            yield alter.table
            for action in alter.actions:
                yield from _referred((action.constraint,) if action.constraint else ())
                yield from _referred(action.column.constraints if action.column else ())
        case CreateIndex() as create:
            yield create.table
        case _:
            pass


def _referred(constraints: Iterable[Constraint]) -> Iterator[SqlName]:
    """Yield the tables that foreign keys refer to."""
    yield from (constraint.table for constraint in constraints if constraint.table is not None)


# What is rounded


def _rounds_exact(state: State, tokens: Sequence[str], reading: Reading) -> bool:
    """Return whether all that is rounded to digits is known to be an exact number."""
    starts = [
        at + 2
        for at, token in enumerate(tokens[:-1])
        if token.upper() == "ROUND" and tokens[at + 1] == "("
    ]
    return bool(starts) and all(
        _is_exact(state, tokens[start : _argument_end(tokens, start)], reading) for start in starts
    )


def _argument_end(tokens: Sequence[str], start: int) -> int:
    """Return where an argument ends: at its comma, or at the parenthesis of the call."""
    depth = 0
    for at in range(start, len(tokens)):
        if depth == 0 and tokens[at] in {",", ")"}:
            return at
        depth += (tokens[at] == "(") - (tokens[at] == ")")
    return len(tokens)


def _is_exact(state: State, tokens: Sequence[str], reading: Reading) -> bool:
    """Return whether an expression is of a type that PostgreSQL rounds to digits."""
    words = [token.upper() for token in tokens]
    if words[-2:-1] == ["::"]:
        return words[-1].lower() in _EXACT_TYPES
    qualifier = ""
    for at, word in enumerate(words):
        if word in _KEEPS_EXACT or _NUMBER.match(word):
            continue
        name = state.fold_token(tokens[at])
        if words[at + 1 : at + 2] == ["."]:
            qualifier = name
        elif not _is_exact_column(state, name, _meant(reading, qualifier)):
            return False
        else:
            qualifier = ""
    return True


def _is_exact_column(state: State, name: str, tables: Sequence[str]) -> bool:
    """Return whether every column of a name in some tables, of which there is one, is exact."""
    declared = [
        part.declared
        for table in tables
        if (relation := state.relations.get(table)) is not None
        and (part := relation.parts.get(("column", name))) is not None
    ]
    return bool(declared) and all(
        of_column is not None and of_column.name in _EXACT_TYPES and not of_column.dimensions
        for of_column in declared
    )
