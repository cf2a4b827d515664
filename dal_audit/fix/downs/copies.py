"""How rows that an `INSERT … SELECT` copied from one table into another are copied back.

SQLite changes most of a table by making it anew, so that the way back is such a copy, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from dal_audit.facts.sql import Change
from dal_audit.fix.downs.written_schema import Copy, WrittenSchema, WrittenTable, told

_PLAIN_LENGTH: Final = {1: 0, 3: 2}
"""Where the name stands in a result that is a column: `a`, or `t.a`."""


def copy_of(schema: WrittenSchema, change: Change) -> Copy | None:
    """Return what an `INSERT` copied from a table; None where that is not what it does."""
    tokens = list(change.source.tokens) if change.source is not None else []
    words = [token.upper() for token in tokens]
    if words[:1] != ["SELECT"] or "FROM" not in words or change.table is None:
        return None
    at = words.index("FROM")
    named = schema.fold_token(tokens[at + 1]) if at + 1 < len(tokens) else ""
    source = schema.tables.get(named)
    target = schema.tables.get(schema.fold(change.table))
    if source is None or target is None:
        return None
    pairs = _pairs(schema, change, tokens[1:at], source, target)
    lacking = [
        column.name
        for name, column in source.columns.items()
        if column.needs_value and name not in {old for old, _ in pairs}
    ]
    why_not = f"{told(lacking[0])} takes no NULL, and has no value there" if lacking else ""
    if not pairs or not source.is_complete:
        why_not = "its columns are not copied one to one"
    names = [(source.columns[old].name, target.columns[new].name) for old, new in pairs]
    return Copy(source, target, names, why_not)


def _pairs(
    schema: WrittenSchema,
    change: Change,
    results: Sequence[str],
    source: WrittenTable,
    target: WrittenTable,
) -> list[tuple[str, str]]:
    """Return which column of the source stands as it is in which one of the target."""
    into = [schema.fold(name) for name in change.columns] or list(target.columns)
    taken = _results(schema, results) if results != ["*"] else list(source.columns)
    if len(into) != len(taken):
        return []
    found = {
        old: new
        for old, new in zip(taken, into, strict=True)
        if old in source.columns and new in target.columns
    }
    return list(found.items())


def _results(schema: WrittenSchema, tokens: Sequence[str]) -> list[str]:
    """Return the columns that a list of results names; empty for each that is no column."""
    rows: list[list[str]] = [[]]
    depth = 0
    for word in tokens:
        depth += (word == "(") - (word == ")")
        if word == "," and not depth:
            rows.append([])
        else:
            rows[-1].append(word)
    return [
        schema.fold_token(row[_PLAIN_LENGTH[len(row)]]) if len(row) in _PLAIN_LENGTH else ""
        for row in rows
    ]
