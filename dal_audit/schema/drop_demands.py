"""What a `DROP` fails for the first time, and what any statement does whose table is gone.

Sources: PostgreSQL's ddl-depend.html, sql-droptable.html and sql-droptype.html.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from dal_audit.facts.sql import Drop, SqlName
from dal_audit.schema.column_demands import (
    ONE_CASE,
    error,
    is_misspelled,
    name_meant,
    type_name,
    wrong_case,
)
from dal_audit.schema.objects_model import CONSTRAINT_INDEX, VIEWS, SchemaError
from dal_audit.schema.other_objects import RELATIONS
from dal_audit.schema.state import State
from dal_audit.schema.table_parts import unique_keys

_TYPES: Final = frozenset({"type", "domain"})


def drop_errors(state: State, drop: Drop) -> Iterator[SchemaError]:
    """Yield what a `DROP` fails for that is about to be run."""
    dropped = {state.fold(name) for name in drop.names}
    for name in drop.names:
        if drop.what == "table":
            yield from table_errors(state, name, if_exists=drop.if_exists)
            yield from _drop_table(state, drop, name, dropped)
        elif drop.what in RELATIONS:
            yield from _drop_other_relation(state, drop, name)
            yield from _drop_view(state, drop, name, dropped)
        elif drop.what in _TYPES and not drop.cascade:
            yield from _drop_type(state, name)


def _drop_other_relation(state: State, drop: Drop, name: SqlName) -> Iterator[SchemaError]:
    if state.is_dropped_here(state.fold(name)) and not drop.if_exists:
        yield dropped_before(state, name)
    elif drop.what == "index" and drop.table is not None and _is_missing(state, drop, name):
        reason = f"`{drop.table.name}` has no index `{name.name}`"
        yield error(state, name.span, reason, "Drop the index that was made.")
    elif drop.what == "index" and not drop.cascade:
        yield from _drop_index(state, name)
        # Of another script, it need not stand where that is asked.
        if not drop.if_exists or state.is_certain(state.fold(name)):
            yield from _key_index_errors(state, name)


def _is_missing(state: State, drop: Drop, name: SqlName) -> bool:
    """Return whether a table has no index of a name, as far as its indexes were seen being made."""
    is_asked = drop.if_exists or state.is_optional
    if drop.table is None or is_asked or state.fold(name) in state.relations:
        return False
    own = state.fold(drop.table)
    table = state.seen_table(own)
    if table is None:  # A way back may only drop what its history has made.
        return state.is_undoing and state.is_unseen(own)
    return table.complete and state.knows_indexes_of(table, state.fold(name))


def _drop_type(state: State, name: SqlName) -> Iterator[SchemaError]:
    """Yield that columns are of a type that PostgreSQL is to drop."""
    own = state.fold(name).rpartition(".")[2]
    tables = () if state.is_sqlite else filter(None, map(state.seen_table, list(state.made)))
    for table in tables:
        for column in table.names("column"):
            declared = table.parts["column", column].declared
            if declared is not None and type_name(declared) == own:
                reason = f"the type cannot be dropped while `{table.name}.{column}` is of it"
                yield error(state, name.span, reason, "Drop what is of it first.")
                return


def _drop_table(
    state: State, drop: Drop, name: SqlName, dropped: set[str]
) -> Iterator[SchemaError]:
    own = state.fold(name)
    if state.is_sqlite or drop.cascade or state.seen_table(own) is None:
        return
    tables = [table for table in state.tables_on(own) if table not in dropped]
    views = state.views_on(own)
    if tables or views:
        holder = f"`{min(tables)}` refers to it" if tables else f"the view `{views[0]}` reads it"
        reason = f"the table cannot be dropped while {holder}"
        yield error(state, name.span, reason, "Drop what depends on it first.")


def _drop_view(state: State, drop: Drop, name: SqlName, dropped: set[str]) -> Iterator[SchemaError]:
    """Yield that PostgreSQL keeps a view that another one reads."""
    if state.is_sqlite or drop.cascade or drop.what not in VIEWS:
        return
    readers = [view for view in state.views_on(state.fold(name)) if view not in dropped]
    if readers:
        reason = f"the view cannot be dropped while the view `{readers[0]}` reads it"
        yield error(state, name.span, reason, "Drop what depends on it first.")


def _drop_index(state: State, name: SqlName) -> Iterator[SchemaError]:
    owner = constraint_owner(state, state.fold(name))
    if owner:
        reason = f"the index belongs to a constraint of `{owner}`"
        yield error(state, name.span, reason, "Drop the constraint.")


def _key_index_errors(state: State, name: SqlName) -> Iterator[SchemaError]:
    """Yield that a foreign key needs an index in PostgreSQL: no other key has these columns."""
    index = state.seen(state.fold(name))
    if state.is_sqlite or index is None or index.table is None or not index.unique:
        return
    columns = {column.lower() for column in index.columns}
    keys = [{column.lower() for column in key} for key in unique_keys(state, index.table)]
    if keys.count(columns) != 1:
        return
    for other, constraint in state.referring(index.table.name):
        if set(other.parts["constraint", constraint].referenced) == columns:
            reason = f"the index cannot be dropped while a foreign key of `{other.name}` needs it"
            yield error(state, name.span, reason, "Drop the foreign key first.")
            return


def table_errors(state: State, name: SqlName, *, if_exists: bool = False) -> Iterator[SchemaError]:
    """Yield that there is no table of a name: it was dropped, or is written in another case."""
    meant = name_meant(state, name)
    if if_exists:
        return
    if state.is_dropped_here(meant):
        yield dropped_before(state, name)
    elif is_misspelled(state, name, meant) and state.seen_table(meant) is not None:
        yield error(state, name.span, wrong_case(meant), ONE_CASE)


def dropped_before(state: State, name: SqlName) -> SchemaError:
    """Return that a relation was dropped by the same script."""
    reason = f"`{name.name}` was dropped before"
    return error(state, name.span, reason, "Write `IF EXISTS`, or leave it out.")


def constraint_owner(state: State, index: str) -> str:
    """Return the table a constraint of which has made an index; empty where none has."""
    relation = state.seen(index)
    if relation is None or relation.kind != CONSTRAINT_INDEX or relation.table is None:
        return ""
    return relation.table.name
