"""Read the rows of `VALUES` behind the first: what stands in them as a single literal."""

from __future__ import annotations

from typing import Final

from dal_audit.extract.sql.cursor import Cursor
from dal_audit.extract.sql.tokens import Kind

MAX_ROWS: Final = 64
"""How many rows are read; there may be thousands."""

_LITERALS: Final = frozenset({Kind.STRING, Kind.NUMBER})


def rows_behind(cursor: Cursor) -> tuple[tuple[str, ...], ...]:
    """Return the rows behind the one that opens behind `VALUES`; the place stays where it is.

    Each value is its literal as spelled, and empty where anything else stands.
    """
    start = cursor.at
    found: list[tuple[str, ...]] = []
    if cursor.takes("VALUES") and cursor.sees("("):
        cursor.skip_group()
        while cursor.sees(",", "(") and len(found) < MAX_ROWS:
            cursor.at += 1
            found.append(_row(cursor))
    cursor.at = start
    return tuple(found)


def _row(cursor: Cursor) -> tuple[str, ...]:
    """Read a parenthesis with values."""
    end = cursor.group_end()
    values: list[str] = []
    cursor.at += 1
    while cursor.at < end:
        first = cursor.token
        at = cursor.at
        cursor.skip_to(",")
        is_literal = cursor.at == at + 1 and first.kind in _LITERALS
        values.append(first.text if is_literal else "")
        cursor.at += 1
    cursor.at = end + 1
    return tuple(values)
