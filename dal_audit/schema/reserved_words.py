"""Words that an engine reserves, where they name something without quotes.

Which words those are, the engines say themselves (`rules/catalogue/engines`). Sources: SQLite's
lang_keywords.html, PostgreSQL's sql-keywords-appendix.html, and the grammar of both: PostgreSQL
takes any word after a point, SQLite none that it reserves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from dal_audit.catalogue.engine_names import engine_names
from dal_audit.facts.sql import (
    AlterTable,
    Change,
    Column,
    Constraint,
    CreateIndex,
    CreateObject,
    CreateTable,
    Drop,
    Key,
    SqlName,
    Structure,
)
from dal_audit.schema.objects_model import VIEWS, SchemaError
from dal_audit.schema.other_objects import RELATIONS
from dal_audit.schema.state import State

_CURE: Final = "Choose another name; in double quotes it would have to be written so everywhere."


def reserved_word_errors(state: State, structure: Structure) -> Iterator[SchemaError]:
    """Yield the names in a statement that its engine does not take without quotes."""
    names = _NAMES.get(type(structure))
    listed = engine_names(state.backend)
    if names is None or listed is None:
        return
    for name in names(structure):
        word = _reserved_part(name, listed.reserved, after_point=state.is_sqlite)
        if word:
            reason = f"`{word}` is a reserved word"
            yield SchemaError(name.span, (state.backend,), reason, _CURE)


def _reserved_part(name: SqlName, reserved: frozenset[str], *, after_point: bool) -> str:
    """Return the part of a name that is a reserved word without quotes; empty where none is."""
    for part, quoted in zip(name.parts, name.quoted, strict=False):
        if not quoted and part.lower() in reserved:
            return part
        if not after_point:
            break
    return ""


def _of_table(create: CreateTable) -> Iterator[SqlName]:
    yield create.name
    for column in create.columns:
        yield from _of_column(column)
    yield from _of_constraints(create.constraints)


def _of_column(column: Column) -> Iterator[SqlName]:
    yield column.name
    yield from _of_constraints(column.constraints)


def _of_constraints(constraints: Iterable[Constraint]) -> Iterator[SqlName]:
    for constraint in constraints:
        yield from filter(None, (constraint.name, constraint.table))
        yield from _of_keys(constraint.keys)


def _of_keys(keys: Iterable[Key]) -> Iterator[SqlName]:
    """Yield the names of the keys that are a column and nothing else."""
    for key in keys:
        spelled = key.expression.tokens
        if key.column and len(spelled) == 1:
            yield SqlName(key.span, (key.column,), (spelled[0] != key.column,))


def _of_alter(alter: AlterTable) -> Iterator[SqlName]:
    yield alter.table
    for action in alter.actions:
        if action.column is not None:
            yield from _of_column(action.column)
        elif action.constraint is not None:
            yield from _of_constraints((action.constraint,))
        else:
            yield from filter(None, (action.name, action.new_name))


def _of_index(create: CreateIndex) -> Iterator[SqlName]:
    yield from filter(None, (create.name, create.table))
    yield from _of_keys(create.keys)


def _of_object(create: CreateObject) -> Iterator[SqlName]:
    if create.what in VIEWS and create.name is not None:
        yield create.name


def _of_drop(drop: Drop) -> Iterator[SqlName]:
    if drop.what in RELATIONS:
        yield from drop.names


def _of_change(change: Change) -> Iterator[SqlName]:
    if change.table is not None:
        yield change.table
    yield from change.columns


_NAMES: Final[dict[type, Callable[[Any], Iterator[SqlName]]]] = {
    CreateTable: _of_table,
    AlterTable: _of_alter,
    CreateIndex: _of_index,
    CreateObject: _of_object,
    Drop: _of_drop,
    Change: _of_change,
}
