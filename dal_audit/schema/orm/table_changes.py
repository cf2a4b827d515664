"""The statements by which one table becomes another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from msgspec.structs import replace

from dal_audit.facts.sql import (
    ActionKind,
    AlterAction,
    AlterTable,
    Clause,
    Column,
    Constraint,
    CreateIndex,
    CreateTable,
    Drop,
    Expression,
    Key,
    SqlName,
    Structure,
)
from dal_audit.schema.objects_model import SQLITE
from dal_audit.schema.orm.model_tables import Table
from dal_audit.schema.orm.table_names import index_name

_UNREAD: Final = ("INHERITS",)
"""The words of an option by which a table has columns that are not known."""
_PLAIN: Final = frozenset({"rename-table", "rename-column"})
"""What SQLite's tables are not made anew for."""


def made(table: Table, engine: str) -> Iterator[Structure]:
    """Yield the statements that make a table."""
    span = table.name.span
    options = () if table.is_whole else (Clause(span, _UNREAD, ()),)
    constraints = tuple(_in_table(table.constraints, engine))
    yield CreateTable(table.name, tuple(table.columns.values()), constraints, options)
    yield from table.indexes.values()


def _in_table(constraints: Mapping[str, Constraint], engine: str) -> Iterator[Constraint]:
    """Yield the constraints of a table; on SQLite foreign keys have no name."""
    for constraint in constraints.values():
        if engine == SQLITE and constraint.kind == "references":
            yield _unnamed(constraint)
        else:
            yield constraint


def _unnamed(constraint: Constraint) -> Constraint:
    return Constraint(
        constraint.span,
        constraint.kind,
        None,
        constraint.keys,
        table=constraint.table,
        referenced=constraint.referenced,
    )


def dropped(table: Table) -> Iterator[Structure]:
    """Yield the statement that drops a table."""
    yield Drop("table", (table.name,), cascade=True)


def changed(
    before: Table, after: Table, fields: Mapping[str, str], engine: str
) -> Iterator[Structure]:
    """Yield the statements by which a table becomes another; `fields` are old names by new ones."""
    yield from _Change(before, after, fields, engine).statements()


class _Change:
    def __init__(self, before: Table, after: Table, fields: Mapping[str, str], engine: str) -> None:
        self._before = before
        self._after = after
        self._old = {new: fields.get(new, new) for new in after.columns}
        self._engine = engine

    def statements(self) -> Iterator[Structure]:
        """Yield what goes first, then what is changed, then what comes."""
        if self._before == self._after:
            return
        before, after = self._before, self._after
        for role, index in before.indexes.items():
            if role not in after.indexes and index.name is not None:
                yield Drop("index", (index.name,), if_exists=True, table=before.name)
        for role, constraint in before.constraints.items():
            if role not in after.constraints and constraint.name is not None:
                yield self._alter(before.name, "drop-constraint", constraint.name)
        if before.name.parts != after.name.parts:
            yield self._alter(before.name, "rename-table", new_name=after.name)
        yield from self._columns()
        for role, constraint in after.constraints.items():
            if role not in before.constraints:
                yield self._alter(after.name, "add-constraint", constraint=constraint)
        yield from self._indexes()

    def _indexes(self) -> Iterator[CreateIndex]:
        for role, index in self._after.indexes.items():
            if role not in self._before.indexes:
                yield index

    def _columns(self) -> Iterator[Structure]:
        table, before = self._after.name, self._before.columns
        kept = set(self._old.values())
        for field, column in before.items():
            if field not in kept:
                yield self._alter(table, "drop-column", column.name)
        for field, column in self._after.columns.items():
            old = before.get(self._old[field])
            if old is None:
                yield self._alter(table, "add-column", column.name, column=column)
            elif old != column:
                yield from self._column(table, old, column)

    def _column(self, table: SqlName, old: Column, new: Column) -> Iterator[Structure]:
        if old.name.parts != new.name.parts:
            yield self._alter(table, "rename-column", old.name, new_name=new.name)
        if old.type != new.type:
            yield self._alter(table, "alter-type", new.name, type=new.type)
        had, has = _kinds(old), _kinds(new)
        if had.keys() ^ has.keys() >= {"not-null"}:
            kind: ActionKind = "set-not-null" if "not-null" in has else "drop-not-null"
            yield self._alter(table, kind, new.name)
        if "default" in has and "default" not in had:
            yield self._alter(table, "set-default", new.name, expression=has["default"].expression)
        elif "default" in had and "default" not in has:
            yield self._alter(table, "drop-default", new.name)
        if had.keys() ^ has.keys() >= {"unique"}:
            yield from self._uniqueness(table, new, is_unique="unique" in has)

    def _uniqueness(
        self, table: SqlName, column: Column, *, is_unique: bool
    ) -> Iterator[Structure]:
        """Yield what makes a column unique, or no longer: whenever it was made so."""
        own = column.name.name
        name = index_name(table.name, [own], "_uniq", self._engine)
        if not is_unique:
            yield self._alter(table, "drop-constraint", _named(name, table), if_exists=True)
            first = _named(f"{table.name}_{own}_key", table)
            yield self._alter(table, "drop-constraint", first, if_exists=True)
            return
        expression = Expression(table.span, (f'"{own}"',))
        keys = (Key(table.span, own, expression),)
        constraint = Constraint(table.span, "unique", _named(name, table), keys)
        yield self._alter(table, "add-constraint", constraint=constraint)

    def _alter(
        self, table: SqlName, kind: ActionKind, name: SqlName | None = None, **said: object
    ) -> AlterTable:
        action = replace(AlterAction(table.span, kind, (kind.upper(),), name), **said)
        return AlterTable(table, (action,), rebuilds=self._engine == SQLITE and kind not in _PLAIN)


def _named(name: str, table: SqlName) -> SqlName:
    return SqlName(table.span, (name,), (True,))


def _kinds(column: Column) -> dict[str, Constraint]:
    return {constraint.kind: constraint for constraint in column.constraints}
