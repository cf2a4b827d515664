"""The text of what an ORM runs for an operation on a model, as far as that is known.

SQLite's tables are made anew for most changes, as Django does it: a table as it is to be, filled
from the old one, takes its place. Sources: Django's `db/backends/base/schema.py`,
`db/backends/sqlite3/schema.py` and `db/backends/postgresql/schema.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from dal_audit.facts import Span
from dal_audit.facts.sql import (
    AlterAction,
    AlterTable,
    Column,
    Constraint,
    CreateIndex,
    CreateTable,
    Drop,
    Key,
    SqlName,
    SqlType,
    Structure,
)
from dal_audit.schema.objects_model import SQLITE
from dal_audit.schema.orm.model_state import Model
from dal_audit.schema.orm.model_tables import Table, TableWriter
from dal_audit.schema.orm.replay import Change
from dal_audit.schema.orm.table_changes import made

Words = frozenset[str]

_NOT_TOLD: Final = frozenset({"check", "exclude"})
"""Constraints of whose conditions only the columns are known."""
_DEFERRED: Final = " DEFERRABLE INITIALLY DEFERRED"
_LIKE: Final = "_like"
"""How the name of an index ends that has classes of operators of its own."""
_STAND_IN: Final = "text"
_COUNTER: Final = "bigint"


class ToolText(Struct, frozen=True):
    """Statements, and what in them is not as it is run.

    `doubtful` are names, and words of statements: a statement that has all of one set of them in it
    is about what is not all known.
    """

    statements: tuple[str, ...] = ()
    doubtful: frozenset[Words] = frozenset()


def texts_of(change: Change, engine: str, span: Span) -> ToolText:
    """Return what an engine runs for an operation on a model."""
    structures, _ = change.statements(engine, span)
    if not structures:
        return ToolText()
    writer = _Writer(change, engine, span)
    statements = tuple(writer.texts(structures))
    return ToolText(statements, frozenset(_doubtful(change, engine, span)))


class _Writer:
    """Spells structures on one engine."""

    def __init__(self, change: Change, engine: str, span: Span) -> None:
        self.change = change
        self.engine = engine
        self.tables = {
            own.name.parts: (before, own)
            for before, own in _pairs_of_tables(change, engine, span)
            if before is not None
        }
        self.anew: set[tuple[str, ...]] = set()

    def texts(self, structures: Sequence[Structure]) -> Iterator[str]:
        """Yield statements in their order."""
        alters = [own for own in structures if isinstance(own, AlterTable)]
        copied = {own.table.parts for own in alters if own.rebuilds and not _is_plain(own)}
        for structure in structures:
            if isinstance(structure, AlterTable):
                if structure.table.parts not in copied or not _renames_column(structure):
                    yield from self._altered(structure)
            elif isinstance(structure, CreateTable):
                yield _table(structure)
            elif isinstance(structure, CreateIndex):
                known = _is_told(structure) and structure.table.parts not in self.anew
                yield from [_index(structure)] if known else []
            elif isinstance(structure, Drop):
                yield _dropped(structure, self.engine)

    def _altered(self, alter: AlterTable) -> Iterator[str]:
        found = self.tables.get(alter.table.parts)
        if alter.rebuilds and found is not None and not _is_plain(alter):
            if alter.table.parts not in self.anew:
                self.anew.add(alter.table.parts)
                yield from self._made_anew(*found)
            return
        for action in alter.actions:
            write = _ACTIONS.get(action.kind)
            if write is not None and (action.constraint is None or _is_told(action.constraint)):
                yield f"ALTER TABLE {_name(alter.table)} {write(action)}"

    def _made_anew(self, before: Table, after: Table) -> Iterator[str]:
        parts = (*after.name.parts[:-1], f"new__{after.name.name}")
        copy = replace(after.name, parts=parts)
        create, *_ = made(replace(after, name=copy), self.engine)
        old = self.change.renamed_fields()
        pairs = [
            (_name(before.columns[old.get(field, field)].name), _name(column.name))
            for field, column in after.columns.items()
            if old.get(field, field) in before.columns
        ]
        olds, news = (", ".join(names) for names in zip(*pairs, strict=True))
        yield _table(create) if isinstance(create, CreateTable) else ""
        yield f"INSERT INTO {_name(copy)} ({news}) SELECT {olds} FROM {_name(after.name)}"  # noqa: S608  # as Django does
        yield f"DROP TABLE {_name(after.name)}"
        yield f"ALTER TABLE {_name(copy)} RENAME TO {_name(after.name)}"
        yield from (_index(own) for own in after.indexes.values() if _is_told(own))


def _pairs_of_tables(
    change: Change, engine: str, span: Span
) -> Iterator[tuple[Table | None, Table]]:
    """Yield the tables after an operation, each with what it was before, if it was there."""
    old, new = (TableWriter(models, engine, span) for models in (change.before, change.after))
    for before, after in change.models():
        tables = old.tables(before)
        yield from ((tables.get(role), table) for role, table in new.tables(after).items())


def _is_plain(alter: AlterTable) -> bool:
    """Return whether SQLite changes a table by a statement: it adds what may be NULL."""
    return all(
        action.column is not None and not action.column.constraints for action in alter.actions
    )


def _renames_column(alter: AlterTable) -> bool:
    """Return whether a table gets a column's new name, as a copy of it would have it."""
    return all(action.kind == "rename-column" for action in alter.actions)


# What is not as it is run


def _doubtful(change: Change, engine: str, span: Span) -> Iterator[Words]:
    """Yield what is not all known of the tables that an operation leaves."""
    for _, table in _pairs_of_tables(change, engine, span):
        name = table.name.name.lower()
        if not table.is_whole:
            yield frozenset({name})
        for column in table.columns.values():
            if column.type is None or _has_default(column):
                yield frozenset({name, column.name.name.lower()})
        for index in table.indexes.values():
            if index.name is not None and index.name.name.endswith(_LIKE):
                yield frozenset({index.name.name.lower()})
    for _, key in change.models():
        model = change.after.get(key)
        if model is not None:
            yield from _of_indexes(model, TableWriter({}, engine, span).name_of(model).name)


def _of_indexes(model: Model, table: str) -> Iterator[Words]:
    """Yield what is not all known of a model's indexes: they are not made, or otherwise."""
    for index in model.indexes.values():
        is_more = index.is_partial or index.is_expression or index.is_deferred
        if is_more or index.kind in _NOT_TOLD:
            yield frozenset({index.name.lower()})
            yield frozenset({"drop", table.lower()})


def _has_default(column: Column) -> bool:
    return any(own.kind == "default" for own in column.constraints)


def _is_told(own: CreateIndex | Constraint) -> bool:
    """Return whether an index, or a constraint of a table, is known but for its options."""
    if isinstance(own, CreateIndex):
        return own.where is None and all(key.column for key in own.keys)
    return own.kind not in _NOT_TOLD


# Spelling


def _name(name: SqlName) -> str:
    return ".".join(_quoted(part) for part in name.parts)


def _quoted(name: str) -> str:
    doubled = name.replace('"', '""')
    return f'"{doubled}"'


def _table(create: CreateTable) -> str:
    """Return what makes a table; one of which no column is known has one in their place."""
    keys = [key for own in create.constraints if own.kind == "references" for key in own.keys]
    referring = {key.column for key in keys}
    rows = [_column(own, is_reference=own.name.name in referring) for own in create.columns]
    rows = rows or [f'"id" {_COUNTER} NOT NULL PRIMARY KEY']
    rows += [_constraint(own) for own in create.constraints if _is_told(own)]
    return f"CREATE TABLE {_name(create.name)} ({', '.join(rows)})"


def _index(index: CreateIndex) -> str:
    unique = "UNIQUE " if index.unique else ""
    name = _name(index.name) if index.name is not None else ""
    return f"CREATE {unique}INDEX {name} ON {_name(index.table)} ({_keys(index.keys)})"


def _keys(keys: Sequence[Key]) -> str:
    return ", ".join(_quoted(key.column) for key in keys)


def _dropped(drop: Drop, engine: str) -> str:
    guard = "IF EXISTS " if drop.if_exists else ""
    cascade = " CASCADE" if drop.cascade and engine != SQLITE else ""
    return f"DROP {drop.what.upper()} {guard}{', '.join(map(_name, drop.names))}{cascade}"


def _type(declared: SqlType | None) -> str:
    if declared is None:
        return ""
    sizes = f"({', '.join(declared.arguments)})" if declared.arguments else ""
    return f"{declared.name}{sizes}{'[]' * declared.dimensions}"


def _column(column: Column, *, is_reference: bool = False) -> str:
    kinds = {own.kind for own in column.constraints}
    stand_in = _COUNTER if is_reference or "primary-key" in kinds else _STAND_IN
    words = [_name(column.name), _type(column.type) or stand_in]
    words += [_OF_COLUMN[own.kind](own) for own in column.constraints if own.kind in _OF_COLUMN]
    return " ".join(words)


def _check(own: Constraint) -> str:
    tokens = own.expression.tokens if own.expression is not None else ()
    return f"CHECK ({' '.join(tokens)})"


_OF_COLUMN: Final[Mapping[str, Callable[[Constraint], str]]] = {
    "not-null": lambda _own: "NOT NULL",
    "primary-key": lambda own: " ".join(("PRIMARY KEY", *own.words)),
    "identity": lambda _own: "GENERATED BY DEFAULT AS IDENTITY",
    "unique": lambda _own: "UNIQUE",
    "check": _check,
}


def _constraint(own: Constraint) -> str:
    """Return a constraint of a table."""
    before = f"CONSTRAINT {_name(own.name)} " if own.name is not None else ""
    kind = {"primary-key": "PRIMARY KEY", "references": "FOREIGN KEY"}.get(own.kind, "UNIQUE")
    after = ""
    if own.kind == "references" and own.table is not None:
        referenced = ", ".join(map(_quoted, own.referenced))
        after = f" REFERENCES {_name(own.table)} ({referenced}){_DEFERRED}"
    return f"{before}{kind} ({_keys(own.keys)}){after}"


def _of(action: AlterAction) -> str:
    return _name(action.name) if action.name is not None else ""


def _to(action: AlterAction) -> str:
    return _name(action.new_name) if action.new_name is not None else ""


def _new_type(action: AlterAction) -> str:
    declared = _type(action.type) or _STAND_IN
    return f"ALTER COLUMN {_of(action)} TYPE {declared} USING {_of(action)}::{declared}"


_ACTIONS: Final[Mapping[str, Callable[[AlterAction], str]]] = {
    "add-column": lambda own: f"ADD COLUMN {_column(own.column)}" if own.column else "",
    "add-constraint": lambda own: f"ADD {_constraint(own.constraint)}" if own.constraint else "",
    "alter-type": _new_type,
    "drop-column": lambda own: f"DROP COLUMN {_of(own)} CASCADE",
    "drop-constraint": lambda own: f"DROP CONSTRAINT IF EXISTS {_of(own)}",
    "drop-default": lambda own: f"ALTER COLUMN {_of(own)} DROP DEFAULT",
    "drop-not-null": lambda own: f"ALTER COLUMN {_of(own)} DROP NOT NULL",
    "rename-column": lambda own: f"RENAME COLUMN {_of(own)} TO {_to(own)}",
    "rename-table": lambda own: f"RENAME TO {_to(own)}",
    "set-not-null": lambda own: f"ALTER COLUMN {_of(own)} SET NOT NULL",
}
