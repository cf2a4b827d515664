"""What a statement fails for the first time, and not for its grammar alone.

What an engine objects to for its grammar is the catalogue's business: here stands what depends on
what was made before, and is known for sure: what this script has made or dropped. Sources: SQLite's
lang_altertable.html and lang_createtable.html, PostgreSQL's sql-altertable.html,
sql-createtable.html, ddl-depend.html and ddl-constraints.html; the tests run each on both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from collections.abc import Set as AbstractSet
from typing import Any, Final

from dal_audit.facts import Span
from dal_audit.facts.sql import (
    AlterAction,
    AlterTable,
    Change,
    Constraint,
    CreateIndex,
    CreateObject,
    CreateTable,
    Drop,
    SqlName,
    Structure,
)
from dal_audit.schema.column_demands import (
    ONE_CASE,
    column_errors,
    default_errors,
    error,
    foreign_key_errors,
    name_meant,
    primary_key,
    wrong_case,
)
from dal_audit.schema.copy_demands import copy_errors, taken_type_errors
from dal_audit.schema.copy_names import copy_names
from dal_audit.schema.drop_demands import constraint_owner, drop_errors, table_errors
from dal_audit.schema.objects_model import (
    MAX_NAME,
    POSTGRESQL,
    VIEWS,
    DbObject,
    SchemaError,
    folded,
    qualified,
)
from dal_audit.schema.quoted_text import quoted_text_errors
from dal_audit.schema.reserved_words import reserved_word_errors
from dal_audit.schema.rows import columns_set_whole
from dal_audit.schema.state import State
from dal_audit.schema.table_parts import (
    column_holder,
    column_of,
    columns_of,
    is_generated_from,
)
from dal_audit.schema.tables import named_index
from dal_audit.schema.value_counts import value_count_errors
from dal_audit.schema.value_types import value_errors_after, value_errors_before

_NOT_NULL: Final = "_not_null"
"""How PostgreSQL 18 and later call constraints of columns that take no NULL."""


def errors_before(state: State, structure: Structure) -> Iterator[SchemaError]:
    """Yield what a statement fails for that is about to be run, an `ALTER TABLE` by its actions."""
    yield from reserved_word_errors(state, structure)
    yield from quoted_text_errors(state, structure)
    check = _CHECKS.get(type(structure))
    if check is not None:
        yield from check(state, structure)
    yield from value_errors_before(state, structure)


def errors_after(state: State, structure: Structure) -> Iterator[SchemaError]:
    """Yield what something fails for that was just made, and that its own parts may name."""
    if isinstance(structure, CreateTable) and not structure.temporary:
        name = state.fold(structure.name)
        table = state.seen_table(name) if name in state.placed else None
        if table is not None:
            yield from _new_table_errors(state, structure, table)
    yield from value_errors_after(state, structure)


# Names


def _taken(state: State, name: SqlName, own: str) -> Iterator[SchemaError]:
    """Yield that a relation of the same script bears a name already."""
    relation = state.seen(own) if state.is_certain(own) else None
    if relation is None:
        return
    is_same = relation.kind != "table" or state.spelled.get(own.lower()) == folded(name, POSTGRESQL)
    reason = (
        f"`{name.name}` stands already" if is_same else "names that differ in case are one name"
    )
    yield error(state, name.span, reason, "Choose another name, or write `IF NOT EXISTS`.")


def _column_errors(
    state: State, table: DbObject, name: tuple[Span, str], own: str, cure: str
) -> Iterator[SchemaError]:
    """Yield that a table has no column: `name` is its place and how it is written, `own` folded."""
    if table.parts.get(("column", own)) is not None or state.opaque_code.may_make(own):
        return
    span, written = name
    kept = next((kept for kept in table.names("column") if kept.lower() == own.lower()), "")
    if kept:
        yield error(state, span, wrong_case(kept), ONE_CASE)
    elif table.complete and state.is_certain(table.name):
        yield error(state, span, f"the table has no column `{written}`", cure)


# Tables


def _create_table(state: State, create: CreateTable) -> Iterator[SchemaError]:
    name = state.fold(create.name)
    if create.temporary or (create.if_not_exists and state.seen(name) is not None):
        return
    yield from _taken(state, create.name, name)
    columns: set[str] = set()
    for column in create.columns:
        own = state.fold(column.name)
        if own in columns:
            reason = f"the table has two columns `{column.name.name}`"
            yield error(state, column.name.span, reason, "Give one of them another name.")
        columns.add(own)
    if state.is_sqlite and create.constraints and create.columns:
        yield from _late_columns(state, create)
    for constraint in create.constraints if not state.is_sqlite else ():
        yield from _taken_by_constraint(state, constraint, name)


def _taken_by_constraint(state: State, constraint: Constraint, table: str) -> Iterator[SchemaError]:
    """Yield that PostgreSQL has an index of another table by the name of a new constraint.

    Where the table itself stands already, that is what is wrong.
    """
    if constraint.name is None or constraint.kind not in _NAMED_BY_INDEX:
        return
    index = state.seen(state.fold(constraint.name))
    if index is None or index.table is None or index.table.refused or index.table.name == table:
        return
    reason = f"an index of `{index.table.name}` is called `{constraint.name.name}`"
    cure = "Choose another name: an index's name is its own in the whole schema."
    yield error(state, constraint.name.span, reason, cure)


def _late_columns(state: State, create: CreateTable) -> Iterator[SchemaError]:
    """Yield that a column stands behind a constraint of the table."""
    first = create.constraints[0].span
    for column in create.columns:
        if (column.span.line, column.span.column) > (first.line, first.column):
            reason = "a column stands behind a constraint of the table"
            yield error(state, column.span, reason, "Write the constraints behind all columns.")
            return


def _new_table_errors(state: State, create: CreateTable, table: DbObject) -> Iterator[SchemaError]:
    keys = 0
    for column in create.columns:
        yield from column_errors(state, column)
    inline = [constraint for column in create.columns for constraint in column.constraints]
    for constraint in (*inline, *create.constraints):
        keys += constraint.kind == "primary-key"
        if constraint.kind == "primary-key" and keys > 1:
            yield _second_key(state, constraint)
    for constraint in create.constraints:
        yield from _foreign_key_errors(state, table, constraint)


def _second_key(state: State, constraint: Constraint) -> SchemaError:
    reason = "the table has two primary keys"
    return error(state, constraint.span, reason, "Leave one of them out.")


def _foreign_key_errors(
    state: State, table: DbObject, constraint: Constraint
) -> Iterator[SchemaError]:
    """Yield what a foreign key of a table fails for."""
    parts = {
        column: table.parts.get(("column", column)) for column in columns_of(state, constraint)
    }
    own = [(column, part.declared if part else None) for column, part in parts.items()]
    yield from foreign_key_errors(state, constraint, own)


def _alter_table(state: State, alter: AlterTable) -> Iterator[SchemaError]:
    yield from table_errors(state, alter.table, if_exists=alter.if_exists)
    state.is_copying = alter.rebuilds
    table = state.seen_table(name_meant(state, alter.table))
    if table is not None and alter.rebuilds:
        yield from copy_errors(state, alter, table)
    for action in alter.actions if table is not None else ():
        if table is not None and action.kind == "drop-constraint" and alter.knows_names:
            yield from _operation_drops(state, table, action, alter)
        check = _ACTIONS.get(action.kind)
        if check is not None:
            yield from check(state, table, action)


def _add_column(state: State, table: DbObject, action: AlterAction) -> Iterator[SchemaError]:
    column = action.column
    if column is None:
        return
    if table.parts.get(("column", state.fold(column.name))) is not None:
        is_allowed = action.if_not_exists or state.is_copying
        if not is_allowed and state.is_certain(table.name):
            reason = f"the table has a column `{column.name.name}` already"
            cure = "Leave the column out, or give it another name."
            yield error(state, column.name.span, reason, cure)
        return
    for constraint in column.constraints:
        if state.is_sqlite and constraint.kind in _NOT_ADDED and not state.is_copying:
            reason = f"a column that is added cannot be `{_NOT_ADDED[constraint.kind]}`"
            cure = "Add the column, then `CREATE UNIQUE INDEX` on it."
            yield error(state, constraint.span, reason, cure)
        yield from _key_errors(state, table, constraint)
    yield from column_errors(state, column)


def _key_errors(state: State, table: DbObject, constraint: Constraint) -> Iterator[SchemaError]:
    """Yield that a table has a primary key already, unless code may have dropped that."""
    is_second = constraint.kind == "primary-key" and primary_key(table) and not state.is_copying
    is_certain = state.is_certain(table.name) and not state.opaque_code.may_change(table.name)
    if is_second and is_certain:
        yield _second_key(state, constraint)


def _add_constraint(state: State, table: DbObject, action: AlterAction) -> Iterator[SchemaError]:
    if action.constraint is not None:
        yield from _key_errors(state, table, action.constraint)
        yield from _foreign_key_errors(state, table, action.constraint)


def _operation_drops(
    state: State, table: DbObject, action: AlterAction, alter: AlterTable
) -> Iterator[SchemaError]:
    """Yield that an operation drops no constraint that was ever made under this name."""
    is_other = state.is_sqlite != alter.rebuilds  # SQLite's own `ALTER TABLE` is the next to judge.
    if action.name is None or action.if_exists or is_other:
        return
    name = state.fold(action.name)
    is_known = table.complete and state.is_certain(table.name)
    made = {
        own
        for own in table.names("constraint")
        if table.parts["constraint", own].has_name or not state.is_sqlite
    }
    made.update(own for _, own in copy_names(table, alter))
    is_here = ("constraint", name) in table.parts and (name in made or not state.is_sqlite)
    if is_known and not is_here and _is_none_of(made, name):
        reason = f"the table has no constraint `{action.name.name}`"
        yield error(state, action.name.span, reason, "Write the name under which it was made.")


def _is_none_of(names: AbstractSet[str], name: str) -> bool:
    """Return whether no constraint is called so, nor may be by PostgreSQL, which cuts names."""
    is_cut = max(map(len, names), default=0) >= MAX_NAME
    return not is_cut and name not in names and not name.endswith(_NOT_NULL)


def _drop_constraint(state: State, table: DbObject, action: AlterAction) -> Iterator[SchemaError]:
    """Yield that SQLite drops no such constraint: a key, or one that it never had by this name."""
    if not state.is_sqlite or action.name is None or action.if_exists or state.is_copying:
        return  # A copy may know constraints by names that a convention gives them.
    name = state.fold(action.name)
    part = table.parts.get(("constraint", name))
    reason = ""
    if part is None or not part.has_name:
        is_known = table.complete and (part is not None or ("constraint", name) not in table.parts)
        reason = f"the table has no constraint `{action.name.name}`" if is_known else ""
    elif part.kind in _NOT_DROPPED:
        reason = f"a constraint that is {_NOT_DROPPED[part.kind]} cannot be dropped"
    if reason:
        yield error(state, action.name.span, reason, "Make the table anew without it.")


def _drop_column(state: State, table: DbObject, action: AlterAction) -> Iterator[SchemaError]:
    name = action.name
    if name is None:
        return
    column = state.fold(name)
    if table.parts.get(("column", column)) is None:
        if not action.if_exists:
            place = (name.span, name.name)
            yield from _column_errors(state, table, place, column, "Drop a column that stands.")
        return
    holder, cure = "", "Drop what depends on it first."
    if state.is_sqlite and not action.cascade:
        holder = column_holder(state, table, column)
        cure = "Drop what uses the column first, or make the table anew without it."
    elif not state.is_sqlite and not action.cascade:
        holder = _dependent(state, table, column)
    if holder:
        reason = f"the column cannot be dropped while {holder} it"
        yield error(state, name.span, reason, cure)


def _dependent(state: State, table: DbObject, column: str) -> str:
    """Return what keeps PostgreSQL from dropping a column, with its verb."""
    for other, constraint in state.referring(table.name):
        part = other.parts["constraint", constraint]
        if other.refused:
            continue
        if column.lower() in (part.referenced or primary_key(table)):
            return f"`{other.name}` refers to"
    if is_generated_from(table, column):
        return "a generated column uses"
    views = {*state.views_on(table.name, column), *state.views_on(table.name, "*")}
    return f"the view `{min(views)}` may read" if views else ""


def _set_default(state: State, table: DbObject, action: AlterAction) -> Iterator[SchemaError]:
    if action.name is not None and action.expression is not None:
        part = table.parts.get(("column", state.fold(action.name)))
        if part is not None:
            yield from default_errors(state, part.declared, action.expression)


def _rename_column(state: State, table: DbObject, action: AlterAction) -> Iterator[SchemaError]:
    name, new_name = action.name, action.new_name
    if name is None or new_name is None:
        return
    old, new = state.fold(name), state.fold(new_name)
    stands = table.parts.get(("column", new)) is not None
    if stands and new != old and state.is_certain(table.name):
        reason = f"the table has a column `{new_name.name}` already"
        yield error(state, new_name.span, reason, "Choose another name.")
    place = (name.span, name.name)
    yield from _column_errors(state, table, place, old, "Rename a column that stands.")


def _rename_table(state: State, table: DbObject, action: AlterAction) -> Iterator[SchemaError]:
    if action.new_name is not None:
        new = qualified(state.fold(action.new_name), table.name)
        if new != table.name:
            yield from _taken(state, action.new_name, new)


# What else is made, dropped and filled


def _create_index(state: State, create: CreateIndex) -> Iterator[SchemaError]:
    yield from table_errors(state, create.table)
    if create.name is not None and not create.if_not_exists:
        name = named_index(state, create.name, state.fold(create.table))
        yield from _taken_index(state, create.name, name)
    table = state.seen_table(name_meant(state, create.table))
    for key in create.keys if table is not None else ():
        own = column_of(state, key)
        if table is not None and own:
            place = (key.span, key.column)
            yield from _column_errors(state, table, place, own, "Index a column that stands.")


def _taken_index(state: State, name: SqlName, own: str) -> Iterator[SchemaError]:
    owner = constraint_owner(state, own)
    if not owner:
        yield from _taken(state, name, own)
        return
    reason = f"a constraint of `{owner}` has made an index of this name"
    cure = "Choose another name, or leave the index to the constraint."
    yield error(state, name.span, reason, cure)


def _create_object(state: State, create: CreateObject) -> Iterator[SchemaError]:
    is_guarded = create.or_replace or create.if_not_exists
    if create.what == "enum" and create.name is not None and not is_guarded:
        yield from taken_type_errors(state, create.name)
    if create.what in VIEWS and create.name is not None and not is_guarded:
        yield from _taken(state, create.name, state.fold(create.name))


def _change(state: State, change: Change) -> Iterator[SchemaError]:
    if change.table is None:
        return
    yield from table_errors(state, change.table)
    table = state.seen_table(name_meant(state, change.table))
    yield from value_count_errors(state, change, table)
    for column in change.columns if table is not None else ():
        if table is not None:
            place, own = (column.span, column.name), state.fold(column)
            yield from _column_errors(state, table, place, own, _STANDING)
    if table is not None and change.verb == "UPDATE" and change.source is not None:
        span = change.source.span
        for own in columns_set_whole(state, change.source.tokens):
            yield from _column_errors(state, table, (span, own), own, _STANDING)


_STANDING: Final = "Name columns that stand."
_NOT_ADDED: Final = {"unique": "UNIQUE", "primary-key": "PRIMARY KEY"}
"""The constraints that SQLite takes for no column which is added."""
_NAMED_BY_INDEX: Final = frozenset({"primary-key", "unique", "exclude"})
"""The constraints that PostgreSQL makes an index for, which bears their name."""
_NOT_DROPPED: Final = {"unique": "`UNIQUE`", "primary-key": "the primary key"}
"""The constraints that SQLite does not drop (lang_altertable.html)."""

_CHECKS: Final[dict[type, Callable[[State, Any], Iterator[SchemaError]]]] = {
    CreateTable: _create_table,
    AlterTable: _alter_table,
    CreateIndex: _create_index,
    Drop: drop_errors,
    CreateObject: _create_object,
    Change: _change,
}
_ACTIONS: Final[dict[str, Callable[[State, Any, AlterAction], Iterator[SchemaError]]]] = {
    "add-column": _add_column,
    "drop-column": _drop_column,
    "set-default": _set_default,
    "rename-column": _rename_column,
    "rename-table": _rename_table,
    "add-constraint": _add_constraint,
    "drop-constraint": _drop_constraint,
}
