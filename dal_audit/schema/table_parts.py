"""How a table gets its columns and constraints, and how it loses them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from msgspec.structs import replace

from dal_audit.facts.sql import Column, Constraint, Key
from dal_audit.schema.objects_model import (
    CONSTRAINT_INDEX,
    EMPTY,
    ColumnPart,
    ConstraintPart,
    DbObject,
)
from dal_audit.schema.state import State
from dal_audit.schema.type_families import default_text

GUARD_CONSTRAINT: Final = "Write `DROP CONSTRAINT IF EXISTS` before it."
_NAMED_BY_INDEX: Final = frozenset({"primary-key", "unique", "exclude"})
_SUFFIXES: Final = {
    "primary-key": "pkey",
    "unique": "key",
    "references": "fkey",
    "check": "check",
    "exclude": "excl",
}
"""How PostgreSQL names a constraint of each kind."""

CONSTRAINTS: Final = frozenset(_SUFFIXES)


def add_column(state: State, name: str, table: DbObject, column: Column) -> None:
    """Give a table a column, with its constraints."""
    own = state.fold(column.name)
    expressions = {constraint.kind: constraint.expression for constraint in column.constraints}
    default, generated = expressions.get("default"), expressions.get("generated")
    part = ColumnPart(
        column.type,
        default_text(default) if default is not None else None,
        "not-null" in expressions or "primary-key" in expressions,
        state.words_of(generated) if generated is not None else frozenset(),
    )
    state.set_part(table, ("column", own), part)
    state.remember(name, own)
    for constraint in column.constraints:
        constrain(state, name, table, constraint, (own,), inline=True)


def drop_column(state: State, table: DbObject, column: str) -> None:
    """Take a column away, with the indexes and constraints that use it."""
    state.set_part(table, ("column", column), None)
    for name, index in state.indexes_of(table):
        if column in index.words:
            state.drop_relation(name)
    for name in table.names("constraint"):
        if column in table.parts["constraint", name].columns:
            drop_constraint(state, table, name)


def rename_column(state: State, table: DbObject, old: str, new: str) -> None:
    """Give a column another name, also in the indexes and constraints that use it."""

    def renamed(columns: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(new if column == old else column for column in columns)

    part = table.parts.get(("column", old))
    state.set_part(table, ("column", old), None)
    state.set_part(table, ("column", new), part or EMPTY)
    for name, index in state.indexes_of(table):
        if old in index.words:
            words = (index.words - {old}) | {new}
            changed = replace(index, columns=renamed(index.columns), words=words)
            state.stand(name, changed)
    for name in table.names("constraint"):
        own = table.parts["constraint", name]
        if old in own.columns:
            own = replace(own, columns=renamed(own.columns))
            state.set_part(table, ("constraint", name), own)
    for other, name in state.referring(table.name):
        foreign = other.parts.get(("constraint", name))
        if foreign is not None and old in foreign.referenced:
            foreign = replace(foreign, referenced=renamed(foreign.referenced))
            state.set_part(other, ("constraint", name), foreign)


def columns_of(state: State, constraint: Constraint) -> tuple[str, ...]:
    """Return the columns that a constraint names, folded."""
    return tuple(column for key in constraint.keys if (column := column_of(state, key)))


def column_of(state: State, key: Key) -> str:
    """Return the column that a key is, folded; empty where it is an expression."""
    return state.fold_token(key.expression.tokens[0]) if key.column else ""


def constrain(
    state: State,
    table_name: str,
    table: DbObject,
    constraint: Constraint,
    columns: tuple[str, ...],
    *,
    inline: bool = False,
) -> None:
    """Add a constraint to a table, or to a column of it."""
    if not _can_stand(table, constraint):
        return
    if constraint.kind == "check" and not columns:
        words = state.words_of(constraint.expression)
        columns = tuple(sorted(words & set(table.names("column"))))
    name = (
        state.fold(constraint.name)
        if constraint.name
        else free_name(state, table_name, table, constraint, columns)[0]
    )
    part = _part_of(state, constraint, columns, inline=inline)
    if table.parts.get(("constraint", name)) is not None:
        reason = f"the table has a constraint `{name}` already"
        state.existing_object(constraint.span, reason, GUARD_CONSTRAINT, name, table_name)
    state.set_part(table, ("constraint", name), part)
    state.refer(table, name, part)
    if _has_index(state, constraint):
        _make_index(state, table, name, constraint, columns)


def _can_stand(table: DbObject, constraint: Constraint) -> bool:
    """Return whether something is a constraint, and not the second primary key of a table."""
    has_key = constraint.kind == "primary-key" and bool(table.constraints("primary-key"))
    return constraint.kind in CONSTRAINTS and not has_key


def _part_of(
    state: State, constraint: Constraint, columns: tuple[str, ...], *, inline: bool
) -> ConstraintPart:
    expression = constraint.expression
    return ConstraintPart(
        constraint.kind,
        columns,
        state.fold(constraint.table) if constraint.table else "",
        expression.text if expression else _referring(constraint),
        tuple(column.lower() for column in constraint.referenced),
        inline,
        constraint.name is not None,
    )


def _referring(constraint: Constraint) -> str:
    """Return what a foreign key does, as a text that can be compared."""
    actions = [f"{event} {action}" for event, action in constraint.actions if action != "no action"]
    return " ".join((*constraint.referenced, *sorted(actions)))


def _has_index(state: State, constraint: Constraint) -> bool:
    """Return whether a constraint makes an index of its name."""
    return not state.is_sqlite and constraint.kind in _NAMED_BY_INDEX


def _make_index(
    state: State, table: DbObject, name: str, constraint: Constraint, columns: tuple[str, ...]
) -> None:
    """Make the index of a constraint."""
    other = state.relations.get(name)
    if other is not None and other.table is not table:
        state.existing_object(
            constraint.span,
            f"the index `{name}` of another table stands already",
            "Leave the constraint without a name, or choose one that is free again.",
            name,
        )
    words = frozenset(columns)
    state.place(name, DbObject(CONSTRAINT_INDEX, table=table, columns=columns, words=words))
    state.own(table, ("relation", name))


def free_name(
    state: State,
    table_name: str,
    table: DbObject,
    constraint: Constraint,
    columns: tuple[str, ...],
) -> tuple[str, bool]:
    """Return the name that a constraint without one gets, and whether the first choice was taken.

    PostgreSQL counts on to the next name that is free.
    """
    bare = table_name.rpartition(".")[2]
    kind = constraint.kind
    is_of_table = kind == "primary-key" or (kind == "check" and len(columns) > 1)
    within = () if is_of_table else columns
    stem = "_".join((bare, *within, _SUFFIXES[kind]))
    has_index = _has_index(state, constraint)

    def is_taken(name: str) -> bool:
        stands = table.parts.get(("constraint", name)) is not None
        return stands or (has_index and state.relations.get(name) is not None)

    name = state.next_free(table, stem, is_taken)
    return name, name != stem


def drop_constraint(state: State, table: DbObject, name: str) -> None:
    """Take a constraint away, with its index."""
    state.unrefer(table, name)
    state.set_part(table, ("constraint", name), None)
    index = state.relations.get(name)
    if index is not None and index.table is table:
        state.drop_relation(name)


def unique_keys(state: State, table: DbObject) -> list[tuple[str, ...]]:
    """Return the columns of each key in which no two rows of a table are alike."""
    keys = [part.columns for part in table.constraints("primary-key", "unique")]
    keys += [index.columns for _, index in state.indexes_of(table) if index.unique]
    return [key for key in keys if key]


def is_generated_from(table: DbObject, column: str) -> bool:
    """Return whether a generated column of a table is made from another."""
    columns = (table.parts["column", name] for name in table.names("column"))
    return any(column in part.generated_from for part in columns)


def column_holder(state: State, table: DbObject, column: str) -> str:
    """Return what keeps SQLite from dropping a column, with its verb; empty where nothing does.

    The list is that of lang_altertable.html, "ALTER TABLE DROP COLUMN".
    """
    return next(_holders(state, table, column), "")


def _holders(state: State, table: DbObject, column: str) -> Iterator[str]:
    if not state.is_copying:
        yield from _constraints_on(table, column, _HELD_FIRST)
    for name, index in state.indexes_of(table):
        if column in index.words and index.kind == "index":
            yield f"the index `{name}` uses"
    last = {"check": _HELD_LAST["check"]} if state.is_copying else _HELD_LAST
    yield from _constraints_on(table, column, last)
    if is_generated_from(table, column):
        yield "a generated column uses"
    for view in state.views_on(table.name, column):
        yield f"the view `{view}` may read"


def _constraints_on(table: DbObject, column: str, holders: dict[str, str]) -> Iterator[str]:
    """Yield the constraints of some kinds on a column; its own checks and references go with it."""
    for kind, holder in holders.items():
        parts = [part for part in table.constraints(kind) if column in part.columns]
        if any(not part.inline or holders is _HELD_FIRST for part in parts):
            yield holder


_HELD_FIRST: Final = {
    "primary-key": "the primary key holds",
    "unique": "a `UNIQUE` constraint holds",
}
_HELD_LAST: Final = {
    "check": "a `CHECK` of the table uses",
    "references": "a foreign key of the table uses",
}
