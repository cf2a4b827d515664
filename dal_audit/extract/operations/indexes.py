"""What Alembic's and SQLAlchemy's indexes come to on an engine."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from dal_audit.catalogue.constraint_names import NamedPart
from dal_audit.extract.holes import UNKNOWN
from dal_audit.extract.operations.call_arguments import Arguments, joined, listed, name_in, quoted
from dal_audit.extract.operations.constraints import table_name
from dal_audit.extract.operations.defaults import TEXTS, condition_text
from dal_audit.extract.operations.effects import Effect, Operation
from dal_audit.extract.python.expression_uses import last_name
from dal_audit.extract.python.literal_values import follow_assignment
from dal_audit.extract.python.scopes import Scope

_GIVEN = (
    "unique", "if_not_exists", "postgresql_where", "sqlite_where", "postgresql_using",
    "postgresql_include", "postgresql_ops", "postgresql_nulls_not_distinct",
)  # fmt: skip


def create_index(operation: Operation) -> Iterator[Effect]:
    """Yield what `create_index` does."""
    yield _statement(operation, operation.arguments, operation.arguments.members("columns"))


def index_statement(operation: Operation, node: ast.Call) -> Iterator[Effect]:
    """Yield what an `Index` among a table's columns does."""
    arguments = Arguments(node, ("index_name",), operation.arguments.scope)
    if "name" in arguments.values:
        arguments.values["index_name"] = arguments.values["name"]
    yield _statement(operation, arguments, arguments.rest)


def _statement(
    operation: Operation, arguments: Arguments, columns: Sequence[ast.expr] | None
) -> Effect:
    for name in _GIVEN:
        if arguments.node(name) is not None and not arguments.is_false(name):
            operation.marks.setdefault(name, arguments.values[name])
    if arguments.is_true("postgresql_concurrently"):
        operation.marks["postgresql_concurrently"] = arguments.values["postgresql_concurrently"]
    name = arguments.text("index_name") or _given_name(operation, arguments, columns or ())
    if columns is None or not name:
        return Effect("")
    unique = "UNIQUE " if arguments.is_true("unique") else ""
    guard = "IF NOT EXISTS " if arguments.is_true("if_not_exists") else ""
    keys = "(NULL)"
    if not operation.is_early:
        keys = listed([_key(node, arguments.scope) for node in columns])
    where = condition_text(arguments.node(f"{operation.engine}_where"), arguments.scope)
    condition = joined(" WHERE ", where) if where else ""
    head = joined("CREATE ", unique, "INDEX ", guard, quoted(name), " ON ", operation.table)
    return Effect(joined(head, " (", keys, ")", condition))


def _given_name(operation: Operation, arguments: Arguments, columns: Sequence[ast.expr]) -> str:
    """Return the name that an index has which is given none; empty where it is not known."""
    names = [name_in(node, arguments.scope) for node in columns]
    return operation.name_of(NamedPart("ix", tuple(names))) if names else ""


def _key(node: ast.expr, scope: Scope) -> str:
    """Return a key of an index: a column, or an expression of which nothing may be known."""
    node = follow_assignment(node, scope)
    if isinstance(node, ast.Call):
        ordered = _ordered(node, scope)
        if ordered:
            return ordered
        name = name_in(node, scope)
        if UNKNOWN not in name:
            return quoted(name)
        return condition_text(node, scope) or "(NULL)"
    return quoted(name_in(node, scope))


def _ordered(node: ast.Call, scope: Scope) -> str:
    """Return a key that SQLAlchemy is told to order: `desc("a")`, `column("a").desc()`."""
    word = last_name(node.func).upper()
    owner = node.func.value if isinstance(node.func, ast.Attribute) else None
    inner = node.args[0] if node.args else owner
    if word not in {"ASC", "DESC"} or inner is None:
        return ""
    if isinstance(inner, ast.Call) and last_name(inner.func) in {"column", *TEXTS} and inner.args:
        inner = inner.args[0]
    name = name_in(inner, scope)
    return joined(quoted(name), " ", word) if name.isidentifier() else ""


def drop_index(operation: Operation) -> Iterator[Effect]:
    """Yield what `drop_index` does."""
    operation.note_given("if_exists")
    arguments = operation.arguments
    if arguments.is_true("postgresql_concurrently"):
        operation.marks["postgresql_concurrently"] = arguments.values["postgresql_concurrently"]
    guard = "IF EXISTS " if arguments.is_true("if_exists") else ""
    name = table_name(arguments.text("index_name"), arguments.text("schema"))
    table = operation.plain_table
    known = "" if UNKNOWN in table else str(table)
    # Which index goes may not be known, and whose is: so none of the table's stands for sure.
    owner = joined(" ON ", operation.table) if UNKNOWN in name and known else ""
    yield Effect(joined("DROP INDEX ", guard, name, owner), table=known)
