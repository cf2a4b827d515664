"""Texts that a change compares with an enumeration, or puts into it, and that are no label of it.

PostgreSQL refuses them (datatype-enum.html); to SQLite they are texts.
"""

from __future__ import annotations

from collections.abc import Sequence

from dal_audit.facts.sql import SqlType
from dal_audit.schema.column_demands import type_name
from dal_audit.schema.objects_model import DbObject
from dal_audit.schema.row_history import LITERAL
from dal_audit.schema.state import State


def unknown_label(state: State, tokens: Sequence[str], table: DbObject) -> tuple[str, str]:
    """Return the first text that is no label, with the column; both empty where there is none."""
    for at in range(len(tokens) - 2):
        if tokens[at + 1] != "=" or not tokens[at + 2].startswith("'"):
            continue
        column = state.fold_token(tokens[at])
        part = table.parts.get(("column", column))
        labels = _labels(state, part.declared if part is not None else None)
        text = tokens[at + 2]
        if labels and LITERAL.match(text) and text[1:-1].replace("''", "'") not in labels:
            return column, text
    return "", ""


def _labels(state: State, declared: SqlType | None) -> Sequence[str]:
    """Return the labels of the enumeration that a type is; none where they are not all known."""
    if declared is None or declared.dimensions:
        return ()
    own = state.others.get(("type", type_name(declared)))
    return own.names("label") if own is not None and own.complete else ()
