"""Fix what cannot be run twice: with the guard that the statement's own grammar has.

Sources: PostgreSQL's reference of SQL commands; of SQLite's manual lang_createtable.html,
lang_createindex.html, lang_droptable.html, lang_upsert.html.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from dal_audit.catalogue.engine_names import POSTGRESQL, SQLITE
from dal_audit.facts import Edit, Span
from dal_audit.facts.sql import (
    AlterTable,
    Change,
    CreateIndex,
    CreateObject,
    CreateTable,
    Drop,
    Embedding,
    SqlStatement,
)
from dal_audit.fix.model import Fix
from dal_audit.fix.sql import PROVEN

_MADE_ONCE: Final = "IF NOT EXISTS "
_DROPPED_ONCE: Final = "IF EXISTS "
_ON_CONFLICT: Final = " ON CONFLICT DO NOTHING"

_GUARDED: Final = {
    SQLITE: frozenset({"view", "trigger"}),
    POSTGRESQL: frozenset({"schema", "sequence", "materialized view", "extension"}),
}
"""What each engine makes with `IF NOT EXISTS`, and the other does not."""

_BY_BOTH: Final = frozenset({"table", "index", "view", "trigger"})
"""What SQLite drops; PostgreSQL drops all else, and guards that, too."""

_INDENT: Final = "    "
_WITH_WORDS: Final = (1, 14)
"""The version of Alembic that has `if_exists` and `if_not_exists` for tables and indexes.

They came with 1.13.3, but of a version only two numbers are told.
"""
_ADDING: Final = frozenset({"add-column"})
_DROPPING: Final = frozenset({"drop-column", "drop-constraint"})


def guarded(
    statement: SqlStatement,
    span: Span,
    backends: Collection[str],
    alembic: tuple[int, ...] | None = None,
) -> Fix | None:
    """Return how a statement is guarded that fails when it is run again; None where it cannot be.

    `span` is the name that the failure is about, `backends` are all that run the statement;
    `alembic` is the oldest version of Alembic that may run it, if that is known.
    """
    if not backends or not PROVEN.issuperset(backends):
        return None
    if statement.within is not None:
        return _operation(statement.within, alembic)
    structure = statement.structure
    if isinstance(structure, (CreateTable, CreateIndex, CreateObject)):
        return _made(structure, span, backends)
    if isinstance(structure, Drop):
        return _dropped(structure, span, backends)
    if isinstance(structure, AlterTable):
        return _altered(structure, span, backends)
    return _inserted(structure, statement) if isinstance(structure, Change) else None


def _operation(within: Embedding, alembic: tuple[int, ...] | None) -> Fix | None:
    """Guard an operation of Alembic's: by an argument that its older versions do not know.

    One that has no such argument is run where an inspector says that it has still to be.
    """
    is_known = alembic is None or alembic >= _WITH_WORDS or within.condition is None
    if within.guard is not None and is_known:
        words = within.guard.text.strip().lstrip(",").strip()
        return Fix(f"write `{words}`", (within.guard,), "unsafe")
    return None if within.condition is None else _inspected(within.condition)


def _inspected(condition: Edit) -> Fix:
    """Put a call below a condition: an inspector needs a database, which offline mode has not."""
    span, indent = condition.span, " " * (condition.span.column - 1)
    start = Span(span.line, span.column, span.line, span.column)
    below = (Span(line, 1, line, 1) for line in range(span.line + 1, span.end_line + 1))
    edits = (
        Edit(start, f"if {condition.text}:\n{indent}{_INDENT}"),
        *(Edit(line, _INDENT) for line in below),
    )
    return Fix(f"write `if {condition.text}:`", edits, "unsafe")


def _before(span: Span, words: str) -> Fix:
    at = Span(span.line, span.column, span.line, span.column)
    return Fix(f"write `{words.strip()}`", (Edit(at, words),), "safe")


def _made(
    create: CreateTable | CreateIndex | CreateObject, span: Span, backends: Collection[str]
) -> Fix | None:
    """Guard what makes something, where it is this that stands already, and not a part of it."""
    if create.name is None or create.name.span != span or create.if_not_exists:
        return None
    if isinstance(create, CreateObject):
        is_known = all(create.what in _GUARDED.get(backend, ()) for backend in backends)
        if create.or_replace or not is_known:
            return None
    return _before(span, _MADE_ONCE)


def _dropped(drop: Drop, span: Span, backends: Collection[str]) -> Fix | None:
    is_known = SQLITE not in backends or drop.what in _BY_BOTH
    if drop.if_exists or not is_known or all(name.span != span for name in drop.names):
        return None
    return _before(drop.names[0].span, _DROPPED_ONCE)


def _altered(alter: AlterTable, span: Span, backends: Collection[str]) -> Fix | None:
    """Guard the action that fails: PostgreSQL knows words for that, SQLite does not."""
    if SQLITE in backends:
        return None
    for action in alter.actions:
        name = action.column.name if action.column is not None else action.name
        if name is None or name.span != span:
            continue
        if action.kind in _ADDING:
            return _before(span, _MADE_ONCE)
        return _before(span, _DROPPED_ONCE) if action.kind in _DROPPING else None
    return None


def _inserted(change: Change, statement: SqlStatement) -> Fix | None:
    """Let an `INSERT` of rows leave alone what stands: also where that is another row."""
    words = {token.upper() for token in change.source.tokens} if change.source else set()
    if change.verb != "INSERT" or change.conflict is not None or "VALUES" not in words:
        return None
    if not words.isdisjoint({"RETURNING", "SELECT"}):
        return None
    span = statement.span
    at = Span(span.end_line, span.end_column, span.end_line, span.end_column)
    return Fix(f"write `{_ON_CONFLICT.strip()}`", (Edit(at, _ON_CONFLICT),), "unsafe")
