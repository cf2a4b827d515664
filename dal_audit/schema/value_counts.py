"""How many values an `INSERT` has for how many columns.

SQLite wants one for each; PostgreSQL takes fewer where no columns are listed. Sources: SQLite's
lang_insert.html, PostgreSQL's sql-insert.html; the tests run each on both.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from dal_audit.facts import Span
from dal_audit.facts.sql import Change
from dal_audit.schema.objects_model import DbObject, SchemaError
from dal_audit.schema.row_history import FILLING
from dal_audit.schema.state import State

_ENDS_LIST: Final = frozenset({"FROM", "WHERE", "UNION", "EXCEPT", "INTERSECT", "ORDER", "LIMIT"})
_CURE: Final = "List the columns, and give each a value."


def value_count_errors(
    state: State, change: Change, table: DbObject | None
) -> Iterator[SchemaError]:
    """Yield that an `INSERT` has more values than columns, or fewer."""
    if change.verb not in FILLING or change.source is None:
        return
    values = _count_values(change.source.tokens)
    columns = len(change.columns) or _count_columns(table)
    if not values or not columns or values == columns:
        return
    if values < columns and not change.columns and not state.is_sqlite:
        return
    reason = f"there are {values} values for {columns} columns"
    yield SchemaError(_place(change), (state.backend,), reason, _CURE)


def _place(change: Change) -> Span:
    return change.table.span if change.table is not None else Span(1, 1, 1, 1)


def _count_columns(table: DbObject | None) -> int:
    """Return how many columns a table has; zero where that is not known."""
    if table is None or not table.complete:
        return 0
    columns = [table.parts["column", name] for name in table.names("column")]
    return 0 if any(part.generated_from for part in columns) else len(columns)


def _count_values(tokens: Sequence[str]) -> int:
    """Return how many values the first row has; zero where they cannot be counted."""
    first = tokens[0].upper() if tokens else ""
    if first == "VALUES":
        return _count_items(tokens[2:-1])
    if first == "SELECT" and [token.upper() for token in tokens[1:2]] != ["DISTINCT"]:
        return _count_items(tokens[1:])
    return 0


def _count_items(tokens: Sequence[str]) -> int:
    """Return how many expressions stand in a list; zero where one stands for several columns."""
    depth, commas, before = 0, 0, ","
    for spelled in tokens:
        depth += (spelled in {"(", "["}) - (spelled in {")", "]"})
        if depth == 0 and spelled.upper() in _ENDS_LIST:
            break
        if depth == 0 and spelled == "*" and before in {",", "."}:
            return 0
        commas += depth == 0 and spelled == ","
        before = spelled
    return commas + 1 if before != "," else 0
