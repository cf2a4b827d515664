"""Operations of migration tools, as the SQL statements that they come to.

What is not known to be any has the names in it: of what bears one, nothing is said then.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from typing import Final

from dal_audit.extract.holes import UNKNOWN
from dal_audit.extract.python.constant_folding import fold_constant, qualified_names
from dal_audit.extract.python.expression_uses import last_name
from dal_audit.extract.python.literal_values import follow_assignment
from dal_audit.extract.python.parse.walk import nodes_in
from dal_audit.extract.python.prefilter.sql_marks import executes
from dal_audit.extract.python.scopes import Scope
from dal_audit.extract.python.sql_calls import roots
from dal_audit.facts import Span
from dal_audit.facts.sql import (
    ANY_NAME,
    CreateObject,
    Embedding,
    OtherStatement,
    SqlName,
    SqlStatement,
)

_HARMLESS: Final = frozenset(
    {"append", "autocommit_block", "batch_alter_table", "begin_nested", "bulk_insert", "close",
     "commit", "connection", "count", "critical", "cursor", "debug", "decode", "discard", "encode",
     "endswith", "error", "exception", "extend", "f", "fetchall", "fetchmany", "fetchone",
     "format", "get_bind", "get_context", "index", "info", "inline_literal", "items", "join",
     "keys", "lower", "lstrip", "pop", "removeprefix", "removesuffix", "replace", "rsplit",
     "rstrip", "scalar", "setdefault", "sort", "split", "splitlines", "startswith", "strip",
     "upper", "values", "warning"}
)  # fmt: skip
"""Calls that change no schema."""
_READING: Final = ("get", "has_", "is_", "print")
"""How calls are named that only look at a schema, or at anything else."""
_ALEMBIC: Final = "alembic.op."
"""What a plug-in's operations are reached by: `op.create_entity(…)`."""
_CHANGING: Final = ("Create", "Drop", "AddConstraint")
"""How SQLAlchemy's elements are named that change a schema."""
_TABLE: Final = "__table__"
"""The table of a model."""
_LIBRARIES: Final = ("sqlalchemy.", "builtins.", "logging.", "os.", "uuid.", "json.", "datetime.")
"""Whose functions change no schema by themselves."""


def unread(call: ast.Call, scope: Scope, span: Span, within: Embedding) -> Iterator[SqlStatement]:
    """Yield what stands for a call of which it is not known what it does to a schema."""
    name = last_name(call.func)
    if _makes_tables(call, scope):
        yield from _named_by(call, scope, span, within)
        return
    names = qualified_names(call.func, scope) | roots(call.func, scope)
    element = _element_run(call, name, scope)
    if element is not None:
        yield from _named_by(element, scope, span, within)
        return
    if (
        name in _HARMLESS
        or name.startswith(_READING)
        or any(own.startswith(_LIBRARIES) for own in names)
        or _runs_query(call, name)
    ):
        return
    if any(own.startswith(_ALEMBIC) for own in names) and not executes(name):
        yield from _named_by(call, scope, span, within)
        return
    words = sorted(set(_texts_in(call, scope)))
    if words or (isinstance(call.func, ast.Name) and names and _may_reach(call)):
        yield _opaque(words, span, within)


def _makes_tables(call: ast.Call, scope: Scope) -> bool:
    """Return whether a call makes or drops tables that SQLAlchemy knows, by its own objects.

    `metadata.create_all(bind)`, `Model.__table__.create(bind)`, `Table("t", …).drop(bind)`.
    """
    if last_name(call.func) in {"create_all", "drop_all"}:
        return True
    owner = call.func.value if isinstance(call.func, ast.Attribute) else None
    if owner is None or last_name(call.func) not in {"create", "drop"}:
        return False
    made = follow_assignment(owner, scope)
    return last_name(made) == _TABLE or (
        isinstance(made, ast.Call) and last_name(made.func) == "Table"
    )


def _element_run(call: ast.Call, name: str, scope: Scope) -> ast.Call | None:
    """Return what of SQLAlchemy's changes a schema that a call executes: `CreateSequence(…)`."""
    if not executes(name) or not call.args:
        return None
    element = follow_assignment(call.args[0], scope)
    is_one = isinstance(element, ast.Call) and last_name(element.func).startswith(_CHANGING)
    return element if is_one else None  # type: ignore[return-value]  # it is a call


def _named_by(
    call: ast.Call, scope: Scope, span: Span, within: Embedding
) -> Iterator[SqlStatement]:
    """Yield that something is done to what a call names itself, or by what made its arguments."""
    owner = call.func.value if isinstance(call.func, ast.Attribute) else call
    made = [follow_assignment(own, scope) for own in (owner, *call.args)]
    yield _opaque(
        sorted({text for node in (call, *made) for text in _texts_in(node, scope)}), span, within
    )


def _opaque(words: Sequence[str], span: Span, within: Embedding) -> SqlStatement:
    body = f"EXECUTE {' '.join(words) or ANY_NAME}"
    return SqlStatement(span, "DO", OtherStatement(("DO",), body), within=within)


_QUERIES: Final = frozenset({"delete", "insert", "select", "union", "union_all", "update"})
"""What SQLAlchemy's queries begin with: they read and change rows."""


def _runs_query(call: ast.Call, name: str) -> bool:
    """Return whether a call executes a query that is put together of SQLAlchemy's functions."""
    node = call.args[0] if call.args and executes(name) else None
    while isinstance(node, ast.Call):
        if last_name(node.func) in _QUERIES:
            return True
        node = node.func.value if isinstance(node.func, ast.Attribute) else None
    return False


_REACHING: Final = frozenset(
    {"op", "batch_op", "bind", "conn", "connection", "cursor", "engine", "session", "schema_editor"}
)
"""What a function is handed that changes a schema by it."""


def _may_reach(call: ast.Call) -> bool:
    """Return whether a function may change a schema: by what it is handed, or by itself."""
    nodes = [node for argument in call.args for node in ast.walk(argument)]
    nodes += [node for keyword in call.keywords for node in ast.walk(keyword.value)]
    names = {node.id for node in nodes if isinstance(node, ast.Name)}
    return not nodes or not names.isdisjoint(_REACHING)


_MAKES_FUNCTIONS: Final = frozenset(
    {"create_function", "create_aggregate", "create_window_function", "create_scalar_function",
     "create_aggregate_function", "create_deterministic_function"}
)  # fmt: skip
"""How connections of SQLite's drivers are given functions."""
_LOADS: Final = frozenset(
    {"enable_load_extension", "enableloadextension", "load_extension", "loadextension"}
)
"""How they are given what an extension brings."""


def makes_function(call: ast.Call) -> bool:
    """Return whether a connection is given functions by a call."""
    return last_name(call.func) in _MAKES_FUNCTIONS | _LOADS and bool(call.args)


def made_function(call: ast.Call, scope: Scope, span: Span, within: Embedding) -> SqlStatement:
    """Return what stands for a function that a connection is given.

    Its name is `ANY_NAME` where it is not known, and where an extension brings any number of them.
    """
    loads = last_name(call.func) in _LOADS
    names = () if loads else fold_constant(call.args[0], scope)
    is_known = len(names) == 1 and names[0].isidentifier()
    name = SqlName(span, names if is_known else (ANY_NAME,))
    return SqlStatement(span, "CREATE FUNCTION", CreateObject("function", name), within=within)


def _texts_in(expression: ast.expr, scope: Scope) -> Iterator[str]:
    """Yield the texts in an expression, as far as they are known."""
    for node in nodes_in(expression):
        if isinstance(node, (ast.Constant, ast.Name)):
            yield from (
                text
                for text in fold_constant(node, scope)
                if any(map(str.isalpha, text)) and UNKNOWN not in text
            )
