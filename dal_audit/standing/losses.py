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
from dal_audit.standing.model import Problem, Thing
from dal_audit.standing.reads import reading_of
from dal_audit.standing.rows import set_columns
from dal_audit.standing.state import State
from dal_audit.standing.tables import type_text

_COPY: Final = "Copy what is to be kept into another table first, and let the down copy it back."
_WIDEN: Final = "Add a column of the new type beside the old one, and keep the old one."
_STAR: Final = "*"

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
        self._new: set[Thing] = set()
        self._columns: set[tuple[Thing, str]] = set()
        self._copied: dict[str, set[str]] = {}

    def of(self, statement: SqlStatement) -> Iterator[Problem]:
        """Yield what a statement throws away, which has not been run yet."""
        one = statement.structure
        if isinstance(one, Drop) and one.what in {"table", "schema"}:
            for name in one.names:
                yield from self._drop(name, one)
        elif isinstance(one, AlterTable):
            for action in one.actions:
                yield from self._alter(one.table, action)
        elif isinstance(one, Change) and one.table is not None:
            yield from self._change(one, one.table)

    def note(self, statement: SqlStatement) -> None:
        """Take in what a statement has made and copied, which has been run."""
        one = statement.structure
        if isinstance(one, CreateTable):
            thing = self.state.relations.get(self.state.fold(one.name))
            if thing is not None and not one.if_not_exists:
                self._new.add(thing)
            self._copy(one.query)
        elif isinstance(one, AlterTable):
            table = self.state.relations.get(self.state.fold(one.table))
            for action in one.actions:
                if table is not None and action.kind == "add-column" and action.name is not None:
                    self._columns.add((table, self.state.fold(action.name)))
        elif isinstance(one, Change) and one.verb in {"INSERT", "REPLACE", "UPDATE", "MERGE"}:
            target = self.state.fold(one.table) if one.table is not None else ""
            self._copy(one.source, target if one.verb == "UPDATE" else "")

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

    def _is_own(self, table: Thing | None) -> bool:
        return table is not None and (table in self._new or table.text == "temporary")

    def _drop(self, name: SqlName, one: Drop) -> Iterator[Problem]:
        folded = self.state.fold(name)
        table = self.state.relations.get(folded)
        if one.what == "schema":
            if one.cascade:
                yield _loss(name.span, f"the schema `{name.name}` goes with all its rows")
            return
        if self._is_own(table) or self.state.is_gone(folded) or self.state.is_unseen(folded):
            return
        copied = self._copied.get(folded)
        if copied is None:
            yield _loss(name.span, f"the table `{name.name}` goes with all its rows")
        elif table is not None and _STAR not in copied:
            left_out = [column for column in table.names("column") if column not in copied]
            if left_out:
                yield _loss(
                    name.span, f"the column `{left_out[0]}` of `{name.name}` was not copied"
                )

    def _alter(self, table_name: SqlName, action: AlterAction) -> Iterator[Problem]:
        folded = self.state.fold(table_name)
        table = self.state.relations.get(folded)
        if self._is_own(table) or action.name is None:
            return
        column = self.state.fold(action.name)
        if table is not None and (table, column) in self._columns:
            return
        if action.kind == "drop-column":
            copied = self._copied.get(folded, set())
            is_gone = table is not None and table.lacks(("column", column))
            if column not in copied and not is_gone:
                yield _loss(
                    action.name.span,
                    f"the column `{action.name.name}` of `{table_name.name}` goes with its values",
                )
        elif action.kind == "alter-type" and table is not None:
            part = table.parts.get(("column", column))
            new = type_text(action.type)
            if part is not None and _is_narrower(part.type, new):
                yield Problem(
                    action.name.span,
                    "changes-data",
                    f"`{part.type}` becomes `{new}`, which holds less",
                    _WIDEN,
                )

    def _change(self, one: Change, target: SqlName) -> Iterator[Problem]:
        folded = self.state.fold(target)
        table = self.state.relations.get(folded)
        if self._is_own(table):
            return
        if one.verb in {"DELETE", "TRUNCATE"} and folded not in self._copied:
            yield _loss(target.span, f"rows of `{target.name}` go")
        elif one.verb == "UPDATE" and one.source is not None:
            tokens = one.source.tokens
            fills_gaps = _is_null_test(tokens)
            for column in set_columns(self.state, tokens):
                is_new = table is not None and (table, column) in self._columns
                is_kept = column in self._copied.get(folded, set())
                if not is_new and not is_kept and not fills_gaps:
                    yield _loss(target.span, f"`{column}` of `{target.name}` is written over")
                    return


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
