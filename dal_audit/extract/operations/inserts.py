"""Rows that an operation inserts, as far as they are literals: `op.bulk_insert(table, [{…}])`.

A value that is no literal stands as a placeholder: nothing is known of it. Source: Alembic's
`operations/ops.py`, `BulkInsertOp`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from itertools import groupby
from typing import Final

from dal_audit.extract.holes import UNKNOWN
from dal_audit.extract.operations.call_arguments import Arguments, joined, listed, quoted, spread
from dal_audit.extract.operations.constraints import table_name
from dal_audit.extract.operations.effects import Effect, Operation
from dal_audit.extract.python.expression_uses import last_name
from dal_audit.extract.python.scopes import Scope

_TABLES: Final = frozenset({"Table", "create_table", "table"})
"""Calls that give a table, whose first argument is its name."""
_PLAIN: Final = frozenset(
    {"BIGINT", "BigInteger", "CHAR", "INTEGER", "Integer", "SMALLINT", "SmallInteger", "String",
     "TEXT", "Text", "Unicode", "UnicodeText", "VARCHAR"}
)  # fmt: skip
"""Types whose values SQLAlchemy hands to a driver as they are."""
_UNKNOWN_VALUE: Final = "?"
_MOST: Final = 200
"""How many rows are looked at."""


def bulk_insert(operation: Operation) -> Iterator[Effect]:
    """Yield the statements that insert the rows whose columns are known into a known table."""
    arguments = operation.arguments
    made = arguments.node("table")
    if not isinstance(made, ast.Call) or last_name(made.func) not in _TABLES:
        return
    table = _name(made, arguments.scope)
    plain = _plain_columns(made, arguments.scope)
    rows = [_row(node, plain) for node in (arguments.members("rows") or [])[:_MOST]]
    known = [row for row in rows if row is not None]
    for columns, several in groupby(known if table else (), key=tuple):
        head = joined("INSERT INTO ", table, " (", listed([quoted(name) for name in columns]), ")")
        values = listed([joined("(", listed(tuple(row.values())), ")") for row in several])
        yield Effect(joined(head, " VALUES ", values))


def _name(made: ast.Call, scope: Scope) -> str:
    """Return the name of a table that a call gives; empty where it is not known."""
    own = Arguments(made, ("name",), scope)
    name, schema = own.text("name"), own.text("schema")
    return "" if not name or UNKNOWN in name + schema else table_name(name, schema)


def _plain_columns(made: ast.Call, scope: Scope) -> set[str]:
    """Return the columns of a table whose values are in the database as they are in the code."""
    found: set[str] = set()
    for node in spread(made.args[1:], scope):
        if isinstance(node, ast.Call) and last_name(node.func) in {"Column", "column"}:
            own = Arguments(node, ("name", "type_"), scope)
            kind = own.node("type_")
            called = kind.func if isinstance(kind, ast.Call) else kind
            if called is None or last_name(called) in _PLAIN:
                found.add(own.text("name"))
    return found


def _row(node: ast.expr, plain: AbstractSet[str]) -> dict[str, str] | None:
    """Return a row by its columns, each value as SQL; None where its columns are not known."""
    if not isinstance(node, ast.Dict) or not node.keys:
        return None
    row: dict[str, str] = {}
    for key, value in zip(node.keys, node.values, strict=True):
        name = key.value if isinstance(key, ast.Constant) else None
        if not isinstance(name, str):
            return None
        row[name] = _value(value) if name in plain else _UNKNOWN_VALUE
    return row


def _value(node: ast.expr) -> str:
    value = node.value if isinstance(node, ast.Constant) else None
    if isinstance(value, str) and UNKNOWN not in value and "\0" not in value:
        return "'" + value.replace("'", "''") + "'"
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return str(value) if is_number else _UNKNOWN_VALUE
