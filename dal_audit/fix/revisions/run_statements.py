"""The statements that a revision runs on an engine, with the copies that SQLite makes of tables.

What a block of `batch_alter_table` comes to there, no statement of Alembic's says: it makes a table
as it is to be, copies the rows, and lets the new one take the old one's place (Alembic's
`operations/batch.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Final

from dal_audit.catalogue.engine_names import SQLITE
from dal_audit.extract.operations.revision_source import Action, text_of
from dal_audit.extract.operations.terms import string
from dal_audit.fix.revisions.inverse import index_step
from dal_audit.fix.revisions.lowered_step import lowered
from dal_audit.fix.revisions.source_schema import SourceSchema
from dal_audit.fix.revisions.source_table import SourceTable
from dal_audit.fix.revisions.step import Step

_COPY: Final = "_alembic_tmp_"


def run_statements(
    schema: SourceSchema, actions: Sequence[Action], engine: str
) -> list[tuple[str, ...] | None]:
    """Run actions on a schema, and return the statements of each on an engine.

    None stands for an action of which they are not known. Those of a whole block that makes a table
    anew are with its last action.
    """
    found: list[tuple[str, ...] | None] = []
    for place, group in groupby(actions, lambda own: (own.opened_at, own.block)):
        several = [*group]
        if place[0] and engine == SQLITE and several[0].copies:
            copied = _copied(schema, several)
            found += [*[() for _ in several[1:]], copied]
            continue
        for action in several:
            schema.apply(action)
            found.append(action.sql.get(engine))
    return found


def _copied(schema: SourceSchema, actions: Sequence[Action]) -> tuple[str, ...] | None:
    """Run the actions of a block, and return what makes their table anew."""
    before = schema.table_of(actions[0])
    names = {own: own for own in before.columns} if before is not None else {}
    for action in actions:
        schema.apply(action)
        new = action.text("new_column_name")
        if action.name == "alter_column" and new:
            names = {
                old: new if now == action.text("column_name") else now for old, now in names.items()
            }
        elif action.name == "drop_column":
            names = {old: now for old, now in names.items() if now != action.text("column_name")}
    table = schema.table_of(actions[0])
    if table is None or not table.is_complete:
        return None
    return _anew(table, names)


def _anew(table: SourceTable, names: dict[str, str]) -> tuple[str, ...] | None:
    own = text_of(table.name)
    copy = f"{_COPY}{own}"
    made = lowered(Step("create_table", (string(copy), *table.parts), table.options), SQLITE)
    indexes = [lowered(index_step(table, index), SQLITE) for index in table.indexes.values()]
    if made is None or None in indexes:
        return None
    olds = ", ".join(f'"{old}"' for old in names)
    news = ", ".join(f'"{new}"' for new in names.values())
    rows = f'INSERT INTO "{copy}" ({news}) SELECT {olds} FROM "{own}"'  # noqa: S608  # as Alembic does
    hung = [text for index in indexes for text in index or ()]
    renamed = f'ALTER TABLE "{copy}" RENAME TO "{own}"'
    return (*made[:1], rows, f'DROP TABLE "{own}"', renamed, *hung)
