"""Definitions that both engines take, and that make other tables or views on each."""

from __future__ import annotations

import re
from typing import Final

from dal_audit.facts.sql import AlterTable, Constraint, CreateTable, Structure
from dal_audit.schema.divergence_kinds import divergence
from dal_audit.schema.objects_model import OUTGROWN, DbObject
from dal_audit.schema.state import State
from dal_audit.schema.table_parts import columns_of

_STAR: Final = re.compile(r"(?:\bSELECT|\bDISTINCT|[.,]) \*", re.IGNORECASE)
"""`*` as a result, in a text with one space between its tokens."""
_ROW_NUMBER: Final = "integer"
"""The type of a column that is SQLite's own key of a row, where it is the primary key alone."""


def note_divergent_definitions(state: State, structure: Structure) -> None:
    """Note what a definition makes otherwise on SQLite and on PostgreSQL, which has been run."""
    match structure:
        case CreateTable() if state.fold(structure.name) in state.placed:
            table = state.seen_table(state.fold(structure.name))
            for constraint in structure.constraints if table is not None else ():
                if constraint.kind == "primary-key" and table is not None:
                    _note_key(state, table, constraint)
        case AlterTable():
            if any(action.kind == "add-column" for action in structure.actions):
                _outgrow_views(state, state.fold(structure.table))
        case _:
            pass


def _outgrow_views(state: State, table: str) -> None:
    """Keep in mind that views read `*` of a table that has a new column."""
    for name in state.views_on(table):
        view = state.seen(name)
        if view is not None and _STAR.search(view.text):
            state.set_part(view, OUTGROWN, table)


def _note_key(state: State, table: DbObject, constraint: Constraint) -> None:
    """Note a key of the table with a column that is not declared `NOT NULL`."""
    columns = [table.parts.get(("column", name)) for name in columns_of(state, constraint)]
    if len(columns) == 1 and columns[0] is not None and columns[0].type == _ROW_NUMBER:
        return
    if any(part is not None and not part.not_null for part in columns):
        state.divergences[divergence(constraint.span, "null-in-key")] = None
