"""Which rows and values a migration throws away, so that no way back can bring them again.

What a migration made itself holds nothing yet, and what it has copied is not lost.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from dal_audit.facts import Span
from dal_audit.facts.sql import (
    AlterAction,
    AlterTable,
    Change,
    CreateTable,
    Drop,
    Expression,
    SqlName,
    SqlStatement,
)
from dal_audit.schema.objects_model import EMPTY, TEMPORARY, DbObject, Problem
from dal_audit.schema.reads import reading_of
from dal_audit.schema.rows import set_columns
from dal_audit.schema.state import State
from dal_audit.schema.type_families import type_text

_COPY: Final = "Copy what is to be kept into another table first, and let the down copy it back."
_WIDEN: Final = "Add a column of the new type beside the old one, and keep the old one."
_STAR: Final = "*"
_COPYING: Final = frozenset({"INSERT", "REPLACE", "UPDATE", "MERGE"})

_LENGTH: Final = re.compile(r"\((\d+)(?:, *(\d+))?\)")
_RANKS: Final = {
    "smallint": (1, "integer"),
    "int2": (1, "integer"),
    "integer": (2, "integer"),
    "int": (2, "integer"),
    "int4": (2, "integer"),
    "bigint": (3, "integer"),
    "int8": (3, "integer"),
    "numeric": (4, "integer"),
    "decimal": (4, "integer"),
    "real": (1, "float"),
    "float4": (1, "float"),
    "double precision": (2, "float"),
    "float8": (2, "float"),
    "date": (1, "moment"),
    "timestamp": (2, "moment"),
    "timestamptz": (2, "moment"),
    "timestamp with time zone": (2, "moment"),
    "timestamp without time zone": (2, "moment"),
}
"""Types by how much they hold, among those of their kind (datatype.html)."""

_TEXTS: Final = frozenset({"text", "varchar", "character varying", "char", "character", "bpchar"})


class Losses:
    """Looks at the statements of one migration, in their order, before each is run."""

    def __init__(self, state: State) -> None:
        """Look at a database as it is before the migration."""
        self.state = state
        self._new: set[DbObject] = set()
        self._columns: set[tuple[DbObject, str]] = set()
        self._copied: dict[str, set[str]] = {}

    def of(self, statement: SqlStatement) -> Iterator[Problem]:
        """Yield what a statement throws away, which has not been run yet."""
        structure = statement.structure
        if isinstance(structure, Drop):
            yield from self._drop(structure)
        elif isinstance(structure, AlterTable):
            for action in structure.actions:
                yield from self._alter(structure.table, action)
        elif isinstance(structure, Change) and structure.table is not None:
            yield from self._change(structure, structure.table)

    def note(self, statement: SqlStatement) -> None:
        """Take in what a statement has made and copied, which has been run."""
        structure = statement.structure
        if isinstance(structure, CreateTable):
            table = self.state.relations.get(self.state.fold(structure.name))
            if table is not None and not structure.if_not_exists:
                self._new.add(table)
            self._copy(structure.query)
        elif isinstance(structure, AlterTable):
            self._note_columns(structure)
        elif isinstance(structure, Change) and structure.verb in _COPYING:
            target = structure.table if structure.verb == "UPDATE" else None
            self._copy(structure.source, self.state.fold(target) if target is not None else "")

    def _note_columns(self, alter: AlterTable) -> None:
        table = self.state.relations.get(self.state.fold(alter.table))
        for action in alter.actions:
            if table is not None and action.kind == "add-column" and action.name is not None:
                self._columns.add((table, self.state.fold(action.name)))

    def _copy(self, source: Expression | None, target: str = "") -> None:
        if source is None:
            return
        reading = reading_of(self.state, source.tokens, target)
        names = {name for _, name, _ in reading.names}
        if target:
            names -= set(set_columns(self.state, source.tokens))
        for table in reading.tables.values():
            copied = self._copied.setdefault(table, set())
            copied |= names
            if reading.has_star:
                copied.add(_STAR)

    def _is_own(self, table: DbObject | None) -> bool:
        return table is not None and (table in self._new or table.text == TEMPORARY)

    def _drop(self, drop: Drop) -> Iterator[Problem]:
        for name in drop.names:
            if drop.what == "schema" and drop.cascade:
                yield _loss(name.span, f"the schema `{name.name}` goes with all its rows")
            elif drop.what == "table":
                yield from self._drop_table(name, if_exists=drop.if_exists)

    def _drop_table(self, name: SqlName, *, if_exists: bool) -> Iterator[Problem]:
        """Yield the rows of a table; one that was never made may stand where nobody asks."""
        folded = self.state.fold(name)
        table = self.state.relations.get(folded)
        is_absent = self.state.is_gone(folded) or (if_exists and self.state.is_unseen(folded))
        if self._is_own(table) or is_absent:
            return
        copied = self._copied.get(folded)
        if copied is None:
            yield _loss(name.span, f"the table `{name.name}` goes with all its rows")
        elif table is not None and _STAR not in copied:
            left_out = [column for column in table.names("column") if column not in copied]
            for column in left_out[:1]:
                yield _loss(name.span, f"the column `{column}` of `{name.name}` was not copied")

    def _alter(self, table_name: SqlName, action: AlterAction) -> Iterator[Problem]:
        table = self.state.relations.get(self.state.fold(table_name))
        if action.name is None or self._is_own(table):
            return
        column = self.state.fold(action.name)
        if action.kind == "drop-column":
            yield from self._drop_column(table_name, table, action.name)
        elif action.kind == "alter-type" and table is not None and not self._is_new(table, column):
            part = table.parts.get(("column", column)) or EMPTY
            yield from _narrowed(action.name.span, part.type, type_text(action.type))

    def _drop_column(
        self, table_name: SqlName, table: DbObject | None, name: SqlName
    ) -> Iterator[Problem]:
        column = self.state.fold(name)
        is_absent = table is not None and table.lacks(("column", column))
        if not is_absent and not self._is_kept(self.state.fold(table_name), table, column):
            reason = f"the column `{name.name}` of `{table_name.name}` goes with its values"
            yield _loss(name.span, reason)

    def _is_new(self, table: DbObject | None, column: str) -> bool:
        return table is not None and (table, column) in self._columns

    def _is_kept(self, name: str, table: DbObject | None, column: str) -> bool:
        """Return whether a column's values were copied, or none can be in it."""
        return self._is_new(table, column) or column in self._copied.get(name, ())

    def _change(self, change: Change, target: SqlName) -> Iterator[Problem]:
        folded = self.state.fold(target)
        table = self.state.relations.get(folded)
        if self._is_own(table):
            return
        if change.verb in {"DELETE", "TRUNCATE"} and folded not in self._copied:
            yield _loss(target.span, f"rows of `{target.name}` go")
        elif change.verb == "UPDATE" and change.source is not None:
            tokens = change.source.tokens
            columns = [] if _is_null_test(tokens) else set_columns(self.state, tokens)
            lost = [column for column in columns if not self._is_kept(folded, table, column)]
            for column in lost[:1]:
                yield _loss(target.span, f"`{column}` of `{target.name}` is written over")


def _narrowed(span: Span, old: str, new: str) -> Iterator[Problem]:
    if _is_narrower(old, new):
        reason = f"`{old}` becomes `{new}`, which holds less"
        yield Problem(span, "changes-data", reason, _WIDEN)


def _loss(span: Span, reason: str) -> Problem:
    return Problem(span, "changes-data", reason, _COPY)


def _is_null_test(tokens: tuple[str, ...]) -> bool:
    """Return whether an `UPDATE` only fills what is empty: `WHERE x IS NULL`, or `= ''`."""
    words = [token.upper() for token in tokens]
    if "WHERE" not in words:
        return False
    rest = words[words.index("WHERE") :]
    return any(pair in {("IS", "NULL"), ("=", "''")} for pair in pairwise(rest))


def _is_narrower(old: str, new: str) -> bool:
    """Return whether a type surely holds less than another of its kind."""
    before, after = _split(old), _split(new)
    if before[0] in _RANKS and after[0] in _RANKS:
        rank, kind = _RANKS[before[0]]
        other, other_kind = _RANKS[after[0]]
        return kind == other_kind and other < rank
    if before[0] in _TEXTS and after[0] in _TEXTS:
        return after[1] is not None and (before[1] is None or after[1] < before[1])
    return False


def _split(declared: str) -> tuple[str, int | None]:
    """Return a type's name and its length."""
    name = declared.partition("(")[0].strip().lower()
    found = _LENGTH.search(declared)
    return name, int(found[1]) if found else None
