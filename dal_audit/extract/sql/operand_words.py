"""Words that are operands, words that begin none, and what a constant is by its spelling."""

from __future__ import annotations

from typing import Final

from dal_audit.extract.sql.cursor import Cursor
from dal_audit.extract.sql.tokens import Kind
from dal_audit.facts.sql_trees import ConstantKind

CLOCKS: Final = frozenset(
    {"CURRENT_DATE", "CURRENT_TIME", "CURRENT_TIMESTAMP", "LOCALTIME", "LOCALTIMESTAMP"}
)
"""The clocks that are no calls; in PostgreSQL they may have a precision."""

NO_OPERAND: Final = frozenset(
    {
        "ALL", "AND", "ANY", "AS", "ASC", "BETWEEN", "BY", "CASE", "CHECK", "COLLATE", "CROSS",
        "DESC", "DISTINCT", "ELSE", "END",
        "ESCAPE", "EXCEPT", "EXISTS", "FETCH", "FOR", "FROM", "FULL", "GROUP", "HAVING", "IN",
        "INNER", "INTERSECT", "INTO", "IS", "ISNULL", "JOIN", "LEFT", "LIKE", "LIMIT", "NATURAL",
        "NOT", "NOTNULL", "OFFSET", "ON", "OR", "ORDER", "OUTER", "RETURNING", "RIGHT", "SELECT",
        "SET", "SOME", "TABLE", "THEN", "UNION", "USING", "VALUES", "WHEN", "WHERE", "WINDOW",
        "WITH",
    }
)  # fmt: skip
"""Words that name no column without quotes, or end an expression."""

NAMES_OF_CALLS: Final = frozenset({"LEFT", "RIGHT"})
"""Those of them that name a function where a parenthesis follows."""

WHO: Final = frozenset(
    {
        "CURRENT_CATALOG", "CURRENT_ROLE", "CURRENT_SCHEMA", "CURRENT_USER", "SESSION_USER",
        "SYSTEM_USER", "USER",
    }
)  # fmt: skip
"""Words that say who or where one is: in SQLite they are names."""

OWN_GRAMMAR: Final = frozenset(
    {
        "extract", "json_array", "json_arrayagg", "json_exists", "json_object", "json_objectagg",
        "json_query", "json_scalar", "json_serialize", "json_table", "json_value", "normalize",
        "position", "raise", "treat", "xmlconcat", "xmlelement", "xmlexists", "xmlforest",
        "xmlparse", "xmlpi", "xmlroot", "xmlserialize", "xmltable",
    }
)  # fmt: skip
"""Calls whose arguments may have words between them (gram.y, `func_expr_common_subexpr`)."""

TYPES_BEFORE_STRINGS: Final = frozenset(
    {
        "bool", "bytea", "date", "json", "jsonb", "numeric", "text", "time", "timestamp",
        "timestamptz", "uuid",
    }
)  # fmt: skip
"""Types that may stand before a string to say what it is: `DATE '2024-01-01'`."""


def constant_kind(cursor: Cursor) -> ConstantKind | None:
    """Return what constant stands at the place; None where it is none."""
    if cursor.done:
        return None
    match cursor.token.kind:
        case Kind.STRING:
            return "bits" if cursor.token.text[0] in "xXbB" else "string"
        case Kind.NUMBER:
            return "number"
        case Kind.WORD:
            return _WORDS.get(cursor.word())
        case _:
            return None


_WORDS: Final[dict[str, ConstantKind]] = {"NULL": "null", "TRUE": "boolean", "FALSE": "boolean"}
