"""What `CREATE TABLE` and `CREATE INDEX` do to a database.

Sources: PostgreSQL's sql-createtable.html and sql-createindex.html, SQLite's lang_createtable.html
and lang_createindex.html.
"""

from __future__ import annotations

import re
from typing import Final

from dal_audit.facts.sql import CreateIndex, CreateTable, SqlName
from dal_audit.schema.objects_model import TEMPORARY, DbObject, qualified
from dal_audit.schema.reads import check_reads
from dal_audit.schema.state import State
from dal_audit.schema.table_parts import add_column, column_of, columns_of, constrain

GUARD_CREATE: Final = "Write `IF NOT EXISTS`."
GUARD_DROP: Final = "Write `IF EXISTS`."
ANEW: Final = (
    "Make the table anew as it is to be: create it under another name, copy the rows, drop the old "
    "one, rename."
)


_BORROWING: Final = {("INHERITS",), ("PARTITION",), ("OF",)}

_PLAIN_ORDER: Final = re.compile(r"\bASC\b|(?<!DESC )\bNULLS LAST\b|(?<=DESC )NULLS FIRST\b")
"""Words of a key that order it as it would be without them."""


def create_table(state: State, create: CreateTable) -> None:
    """Make a table."""
    name = state.fold(create.name)
    if create.temporary and not state.is_trial and state.seen(name) is not None:
        return  # It hides the other for as long as the connection lasts.
    if state.relations.get(name) is not None:
        if create.if_not_exists or (state.is_optional and not state.is_trial):
            return  # Under a condition it is made where it does not stand.
        reason = f"`{create.name.name}` stands already"
        state.existing_object(create.name.span, reason, GUARD_CREATE, name)
        if (state.is_trial or state.is_undoing) and state.problems:
            return
    check_reads(state, create.query, ())
    state.place(name, _new_table(state, create, name))
    state.spell(create.name)


def _new_table(state: State, create: CreateTable, name: str) -> DbObject:
    """Return a table with its columns and constraints, which does not stand yet."""
    table = DbObject("table", text=TEMPORARY if create.temporary else create.module)
    table.complete = bool(create.columns) and not _borrows(create)
    if not create.if_not_exists and not state.is_guarded:
        table.script = state.file
    state.former_columns.setdefault(name, set())
    for column in create.columns:
        add_column(state, name, table, column)
    for constraint in create.constraints:
        constrain(state, name, table, constraint, columns_of(state, constraint))
    return table


def _borrows(create: CreateTable) -> bool:
    """Return whether a table has columns from elsewhere.

    That is a query, a parent, a partitioned table, a type; `LIKE another` is another constraint, as
    is what only another engine knows.
    """
    words = (clause.words for clause in create.options)
    first_words = {phrase[:1] for phrase in words if phrase[:2] != ("PARTITION", "BY")}
    kinds = {constraint.kind for constraint in create.constraints}
    is_like = not first_words.isdisjoint(_BORROWING) or "other" in kinds
    return is_like or create.query is not None or bool(create.module)


def create_index(state: State, create: CreateIndex) -> None:
    """Make an index."""
    table_name = state.fold(create.table)
    if state.is_gone(table_name):
        reason = f"there is no `{create.table.name}`"
        state.missing_object(create.table.span, reason, ANEW, table_name)
    name = _index_name(state, create, table_name)
    stands = state.relations.get(name) is not None
    if stands and create.if_not_exists and state.is_sqlite:
        return
    table = state.table(table_name)
    _check_keys(state, create, table)
    if stands and create.if_not_exists:
        return
    if stands and not state.may_be_lost(name):
        span = (create.name or create.table).span
        state.existing_object(span, f"the index `{name}` stands already", GUARD_CREATE, name)
    state.place(name, _new_index(state, create, table))
    state.own(table, ("relation", name))


def _new_index(state: State, create: CreateIndex, table: DbObject) -> DbObject:
    columns = [column_of(state, key) for key in create.keys]
    return DbObject(
        "index",
        text=_orders(create),
        table=table,
        columns=tuple(columns) if all(columns) else (),
        words=state.words_of(*(key.expression for key in create.keys), create.where) - {"null"},
        unique=create.unique and create.where is None,
    )


def _orders(create: CreateIndex) -> str:
    """Return how the keys of an index are ordered, where that is not the order of their type."""
    orders = [
        f"{number} {order}"
        for number, key in enumerate(create.keys)
        if (order := _PLAIN_ORDER.sub("", " ".join(key.words)).strip())
    ]
    return ", ".join(orders)


def _check_keys(state: State, create: CreateIndex, table: DbObject) -> None:
    """Note the columns that an index is to be on, and that are gone."""
    for key in create.keys:
        column = column_of(state, key)
        if column and table.lacks(("column", column)):
            reason = f"`{create.table.name}` has no column `{key.column}`"
            state.missing_object(key.span, reason, ANEW, column)


def named_index(state: State, name: SqlName, table_name: str) -> str:
    """Return the folded name of an index, which lies in the schema of its table."""
    return qualified(state.fold(name), table_name)


def _index_name(state: State, create: CreateIndex, table_name: str) -> str:
    """Return the name of an index; PostgreSQL gives one without a name the next that is free."""
    if create.name is not None:
        return named_index(state, create.name, table_name)
    columns = (column_of(state, key) or "expr" for key in create.keys)
    stem = "_".join((table_name, *columns, "idx"))
    name = state.next_free(None, stem, lambda free: state.relations.get(free) is not None)
    if name != stem:
        state.note_change(
            "changes-schema",
            create.table.span,
            f"the same index is made once more, as `{name}`",
            "Give the index a name, and write `IF NOT EXISTS`.",
        )
    return name
