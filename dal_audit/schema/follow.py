"""Apply statements to a schema, one after the other, and say which backends object to each.

What an engine objects to for its grammar alone is the catalogue's business: here stands what
depends on what was made before. A statement that fails is applied all the same, so that one
mistake is one objection. Sources: SQLite's lang_altertable.html and lang_createtable.html,
PostgreSQL's sql-altertable.html, sql-createtable.html, ddl-depend.html and ddl-constraints.html;
the tests run each objection on both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from dal_audit.facts.sql import (
    AlterAction,
    AlterTable,
    Change,
    CreateIndex,
    CreateObject,
    CreateTable,
    Drop,
    SqlName,
    SqlStatement,
)
from dal_audit.schema.columns import Columns, words_of
from dal_audit.schema.model import (
    BOTH,
    POSTGRESQL,
    SQLITE,
    Index,
    Objection,
    Schema,
    Table,
    TableColumn,
    exact_of,
    key_of,
)
from dal_audit.schema.naming import folded, missing, misspelled, taken

_MAY_MAKE_TYPES: Final = frozenset(
    {"CREATE EXTENSION", "DO", "CALL", "EXECUTE", "IMPORT", "LOAD", "SET"}
)
"""Statements after which there may be types that no text shows; `SET search_path` is one."""

_VIEWS: Final = frozenset({"view", "materialized view"})


class Follower:
    """Follows one set of migrations; `schema` is what stands after the statements so far."""

    def __init__(self) -> None:
        """Begin with an empty database."""
        self.schema = Schema()
        self._columns = Columns(self.schema)

    def follow(self, statements: Sequence[SqlStatement]) -> Iterator[tuple[Objection, ...]]:
        """Apply the statements of a file in their order, and yield what is objected to each."""
        self.schema.file += 1
        self.schema.last_made = {
            key_of(one.structure.name): index
            for index, one in enumerate(statements)
            if isinstance(one.structure, CreateTable)
        }
        for index, statement in enumerate(statements):
            self.schema.statement = index
            yield self.apply(statement)

    def apply(self, statement: SqlStatement) -> tuple[Objection, ...]:
        """Apply a statement, and return what is objected to it, in the order of its text."""
        structure = statement.structure
        if structure is None or statement.head in _MAY_MAKE_TYPES:
            self.schema.is_open = True
        reader = self._READERS.get(type(structure))
        return tuple(reader(self, structure)) if reader is not None else ()

    # Tables

    def _create_table(self, one: CreateTable) -> Iterator[Objection]:
        key = key_of(one.name)
        if one.temporary:
            return
        if self.schema.holds(key):
            if one.if_not_exists:
                return
            yield from taken(self.schema, one.name)
        table = Table(exact_of(one.name))
        table.known = not (one.query or one.module or _takes_columns(one))
        self.schema.tables[key] = table
        self.schema.dropped.pop(key, None)
        self.schema.made[key] = self.schema.file
        for column in one.columns:
            if column.name.name.lower() in table.columns:
                yield Objection(
                    column.name.span,
                    BOTH,
                    f"the table has two columns `{column.name.name}`",
                    "Give one of them another name.",
                )
            yield from self._columns.add(key, column)
        for constraint in one.constraints:
            table.known = table.known and constraint.kind != "other"
            yield from self._columns.constrain(key, constraint)
        table.known = table.known and bool(table.columns)

    def _alter_table(self, one: AlterTable) -> Iterator[Objection]:
        key = key_of(one.table)
        if key in self.schema.tables:
            yield from folded(self.schema, one.table)
            for action in one.actions:
                change = self._ACTIONS.get(action.kind)
                if change is not None:
                    yield from change(self, key, action)
                if action.kind == "rename-table" and action.new_name is not None:
                    key = key_of(action.new_name)
        elif self.schema.is_gone(key) and not one.if_exists:
            yield missing(one.table)

    def _add_column(self, key: str, action: AlterAction) -> Iterator[Objection]:
        column, table = action.column, self.schema.tables[key]
        if column is None:
            return
        if column.name.name.lower() in table.columns:
            if not action.if_not_exists and self.schema.is_certain(key):
                yield Objection(
                    column.name.span,
                    BOTH,
                    f"the table has a column `{column.name.name}` already",
                    "Leave the column out, or give it another name.",
                )
            return
        for constraint in column.constraints:
            if constraint.kind in {"unique", "primary-key"}:
                what = "UNIQUE" if constraint.kind == "unique" else "PRIMARY KEY"
                yield Objection(
                    constraint.span,
                    (SQLITE,),
                    f"a column that is added cannot be `{what}`",
                    "Add the column, then `CREATE UNIQUE INDEX` on it.",
                )
        yield from self._columns.add(key, column)

    def _drop_column(self, key: str, action: AlterAction) -> Iterator[Objection]:
        table = self.schema.tables[key]
        if action.name is None:
            return
        name = action.name.name.lower()
        if name not in table.columns:
            if self.schema.knows(key) and not action.if_exists:
                yield Objection(
                    action.name.span,
                    BOTH,
                    f"the table has no column `{action.name.name}`",
                    "Drop a column that stands.",
                )
            return
        held = self._columns.holders(key, name)
        if held:
            yield Objection(
                action.name.span,
                (SQLITE,),
                f"the column cannot be dropped while {held} it",
                "Drop what uses the column first, or make the table anew without it.",
            )
        needed = "" if action.cascade else self._columns.dependents(key, name)
        if needed:
            yield Objection(
                action.name.span,
                (POSTGRESQL,),
                f"the column cannot be dropped while {needed} it",
                "Drop what depends on it first.",
            )
        self._columns.drop(key, name)

    def _alter_column(self, key: str, action: AlterAction) -> Iterator[Objection]:
        column = self._column(key, action)
        if column is None:
            return
        if action.kind == "alter-type":
            column.type = action.type
        elif action.expression is not None:
            yield from self._columns.default(column.type, action.expression)

    def _rename_column(self, key: str, action: AlterAction) -> Iterator[Objection]:
        table = self.schema.tables[key]
        if action.name is None or action.new_name is None:
            return
        old, new = action.name.name.lower(), action.new_name.name.lower()
        if new in table.columns and new != old and self.schema.is_certain(key):
            yield Objection(
                action.new_name.span,
                BOTH,
                f"the table has a column `{action.new_name.name}` already",
                "Choose another name.",
            )
        if old in table.columns:
            self._columns.rename(key, old, action.new_name)
        elif self.schema.knows(key):
            yield Objection(
                action.name.span,
                BOTH,
                f"the table has no column `{action.name.name}`",
                "Rename a column that stands.",
            )

    def _rename_table(self, key: str, action: AlterAction) -> Iterator[Objection]:
        if action.new_name is None:
            return
        new = key_of(action.new_name)
        if self.schema.holds(new) and new != key:
            yield from taken(self.schema, action.new_name)
        self.schema.rename_table(key, new, exact_of(action.new_name))

    def _add_constraint(self, key: str, action: AlterAction) -> Iterator[Objection]:
        if action.constraint is not None:
            yield from self._columns.constrain(key, action.constraint)

    def _drop_constraint(self, key: str, action: AlterAction) -> Iterator[Objection]:
        if action.name is not None:
            self._columns.release(key, action.name.name.lower())
        return iter(())

    def _column(self, key: str, action: AlterAction) -> TableColumn | None:
        if action.name is None:
            return None
        return self.schema.tables[key].columns.get(action.name.name.lower())

    # Indexes

    def _create_index(self, one: CreateIndex) -> Iterator[Objection]:
        table = self.schema.tables.get(key_of(one.table))
        if table is not None:
            yield from folded(self.schema, one.table)
        if one.name is not None:
            yield from self._named_index(one, one.name)
        if table is None:
            return
        for key in one.keys:
            if (
                key.column
                and self.schema.knows(key_of(one.table))
                and key.column.lower() not in table.columns
            ):
                yield Objection(
                    key.span,
                    BOTH,
                    f"the table has no column `{key.column}`",
                    "Index a column that stands.",
                )
        if one.name is not None:
            self.schema.made[key_of(one.name)] = self.schema.file
            self.schema.indexes[key_of(one.name)] = Index(
                key_of(one.table),
                tuple(key.column.lower() for key in one.keys if key.column),
                frozenset().union(
                    *(words_of(key.expression) for key in one.keys),
                    words_of(one.where) if one.where else (),
                ),
                unique=one.unique and all(key.column for key in one.keys),
                partial=one.where is not None,
            )

    def _named_index(self, one: CreateIndex, name: SqlName) -> Iterator[Objection]:
        key = key_of(name)
        if one.if_not_exists:
            return
        if self.schema.holds(key):
            yield from taken(self.schema, name)
        elif key in self.schema.implied:
            yield Objection(
                name.span,
                (POSTGRESQL,),
                f"a constraint of `{self.schema.implied[key]}` has made an index of this name",
                "Choose another name, or leave the index to the constraint.",
            )

    # Dropping

    def _drop(self, one: Drop) -> Iterator[Objection]:
        dropped = {key_of(name) for name in one.names}
        for name in one.names:
            key = key_of(name)
            if self.schema.is_gone(key) and not self._stands(one.what, key):
                if not one.if_exists:
                    yield missing(name)
            elif one.what == "table" and key in self.schema.tables:
                yield from self._drop_table(name, dropped, cascade=one.cascade)
            elif one.what == "index":
                yield from self._drop_index(name, cascade=one.cascade)
            elif one.what in _VIEWS and key in self.schema.views:
                self._forget(self.schema.views, key)
            elif one.what in {"type", "enum", "domain"}:
                self.schema.types.pop(key, None)
                self.schema.domains.pop(key, None)

    def _stands(self, what: str, key: str) -> bool:
        if what == "table":
            return key in self.schema.tables
        return key in (self.schema.indexes if what == "index" else self.schema.views)

    def _drop_table(
        self, name: SqlName, dropped: set[str], *, cascade: bool
    ) -> Iterator[Objection]:
        key = key_of(name)
        yield from folded(self.schema, name)
        others = sorted({other for other, _ in self.schema.referring(key)} - dropped)
        views = sorted(view for view, words in self.schema.views.items() if key in words)
        if (others or views) and not cascade:
            holder = f"`{others[0]}` refers to it" if others else f"the view `{views[0]}` reads it"
            yield Objection(
                name.span,
                (POSTGRESQL,),
                f"the table cannot be dropped while {holder}",
                "Drop what depends on it first.",
            )
        for other in others:
            foreign = self.schema.tables[other].foreign
            foreign[:] = [one for one in foreign if one.table != key]
        for index in [index for index, _ in self.schema.indexes_of(key)]:
            self._forget(self.schema.indexes, index)
        self.schema.implied = {n: t for n, t in self.schema.implied.items() if t != key}
        self._forget(self.schema.tables, key)

    def _drop_index(self, name: SqlName, *, cascade: bool) -> Iterator[Objection]:
        key = key_of(name)
        if key in self.schema.indexes:
            self._forget(self.schema.indexes, key)
        elif key in self.schema.implied and not cascade:
            yield Objection(
                name.span,
                (POSTGRESQL,),
                f"the index belongs to a constraint of `{self.schema.implied[key]}`",
                "Drop the constraint.",
            )

    def _forget(self, objects: dict[str, Any], key: str) -> None:
        del objects[key]
        self.schema.dropped[key] = self.schema.file

    # Further objects

    def _create_object(self, one: CreateObject) -> Iterator[Objection]:
        if one.name is None:
            return
        key = key_of(one.name)
        if one.what in _VIEWS:
            if self.schema.holds(key) and not one.or_replace and not one.if_not_exists:
                yield from taken(self.schema, one.name)
            self.schema.views[key] = words_of(one.rest) if one.rest else frozenset()
            self.schema.dropped.pop(key, None)
            self.schema.made[key] = self.schema.file
        elif one.what == "domain":
            if one.type is not None:
                self.schema.domains[key] = one.type
        elif one.what in {"type", "enum"}:
            self.schema.types[key] = one.values or None

    def _change(self, one: Change) -> Iterator[Objection]:
        if one.table is None:
            return
        key = key_of(one.table)
        table = self.schema.tables.get(key)
        if table is None:
            if self.schema.is_gone(key) and key not in self.schema.views:
                yield missing(one.table)
            return
        yield from folded(self.schema, one.table)
        for name in one.columns:
            column = table.columns.get(name.name.lower())
            if column is None and self.schema.knows(key):
                yield Objection(
                    name.span,
                    BOTH,
                    f"the table has no column `{name.name}`",
                    "Name columns that stand.",
                )
            elif column is not None and column.name != exact_of(name):
                yield misspelled(name, column.name)
        table.filled = table.filled or one.verb in {"INSERT", "REPLACE"}

    _READERS: Final[dict[type, Callable[..., Iterator[Objection]]]] = {
        CreateTable: _create_table,
        AlterTable: _alter_table,
        CreateIndex: _create_index,
        Drop: _drop,
        CreateObject: _create_object,
        Change: _change,
    }
    _ACTIONS: Final[dict[str, Callable[..., Iterator[Objection]]]] = {
        "add-column": _add_column,
        "drop-column": _drop_column,
        "alter-type": _alter_column,
        "set-default": _alter_column,
        "rename-column": _rename_column,
        "rename-table": _rename_table,
        "add-constraint": _add_constraint,
        "drop-constraint": _drop_constraint,
    }


def _takes_columns(one: CreateTable) -> bool:
    """Return whether a table has columns from elsewhere: a parent, a partitioned table, a type."""
    return any(
        clause.words[:1] in {("INHERITS",), ("PARTITION",), ("OF",)} for clause in one.options
    )
