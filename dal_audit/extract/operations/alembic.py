"""What Alembic's operations come to on an engine: the statements that it runs there.

Sources: Alembic's `operations/ops.py`, `operations/toimpl.py`, `operations/batch.py` and `ddl/`,
and SQLAlchemy's compilers of the two dialects.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Sequence
from typing import Final, TypeAlias

from msgspec.structs import replace

from dal_audit.catalogue.constraint_names import NamedPart, NameKind
from dal_audit.extract.holes import UNKNOWN
from dal_audit.extract.operations.call_arguments import joined, listed, quoted
from dal_audit.extract.operations.columns import ColumnReader, ColumnText, is_boolean, key_of
from dal_audit.extract.operations.constraints import (
    Written,
    constraint_text,
    deferred,
    is_exact,
    names_of,
    reference_text,
    table_name,
)
from dal_audit.extract.operations.defaults import condition_text, default_text, truth_of
from dal_audit.extract.operations.effects import Effect, Operation
from dal_audit.extract.operations.indexes import create_index, drop_index, index_statement
from dal_audit.extract.operations.inserts import bulk_insert
from dal_audit.extract.operations.types import Enumeration, type_text
from dal_audit.extract.python.expression_uses import last_name

_Writer: TypeAlias = Callable[[Operation], Iterator[Effect]]

_NAMED: Final = ("constraint_name", "table_name")
PARAMETERS: Final[dict[str, tuple[str, ...]]] = {
    "add_column": ("table_name", "column"),
    "alter_column": ("table_name", "column_name"),
    "bulk_insert": ("table", "rows"),
    "create_check_constraint": (*_NAMED, "condition"),
    "create_exclude_constraint": _NAMED,
    "create_foreign_key": (
        "constraint_name", "table_name", "referent_table", "local_cols", "remote_cols",
    ),
    "create_index": ("index_name", "table_name", "columns", "schema"),
    "create_primary_key": (*_NAMED, "columns"),
    "create_table": ("table_name",),
    "create_table_comment": ("table_name", "comment"),
    "create_unique_constraint": (*_NAMED, "columns"),
    "drop_column": ("table_name", "column_name"),
    "drop_constraint": (*_NAMED, "type_"),
    "drop_index": ("index_name", "table_name"),
    "drop_table": ("table_name",),
    "drop_table_comment": ("table_name",),
    "rename_table": ("old_table_name", "new_table_name"),
}  # fmt: skip
"""The parameters of each operation; in a block of `batch_alter_table` without the table's name."""

ALIASES: Final = {
    "name": "constraint_name",
    "source": "table_name",
    "source_table": "table_name",
    "tablename": "table_name",
    "referent": "referent_table",
    "cols": "columns",
    "type": "type_",
    "local": "local_cols",
    "remote": "remote_cols",
}
"""Older and other names of parameters."""


_NAME_KINDS: Final[dict[str, NameKind]] = {
    "check": "ck",
    "foreignkey": "fk",
    "primary": "pk",
    "unique": "uq",
}
"""Kinds of constraints as `drop_constraint` is told them."""


def effects_of(operation: Operation) -> list[Effect]:
    """Return what an operation does, in order; marks are added to the operation on the way."""
    return list(_WRITERS[operation.name](operation))


def _alter(operation: Operation, action: str) -> Effect:
    """Return an action on the operation's table."""
    sql = joined("ALTER TABLE ", operation.table, " ", action)
    copied = operation.copy_convention
    return Effect(
        sql,
        rebuilds=operation.is_rebuild,
        knows_names=None not in (operation.convention, copied),
        convention=tuple(sorted((copied or {}).items())) if operation.is_rebuild else (),
    )


# Tables


def _create_table(operation: Operation) -> Iterator[Effect]:
    arguments = operation.arguments
    reader = ColumnReader(arguments.scope, operation.engine)
    columns: list[ColumnText] = []
    constraints: list[Written] = []
    indexes: list[ast.Call] = []
    is_whole = arguments.is_whole or not arguments.call.args
    for node in arguments.rest:
        column = reader.column(node)
        own = constraint_text(node, arguments.scope) if column is None else None
        if column is not None:
            columns.append(column)
            operation.note(column.marks)
        elif own is not None:
            constraints.append(own)
            is_whole &= own.is_read
            operation.note(dict.fromkeys(own.marks, node))
        elif isinstance(node, ast.Call) and last_name(node.func) == "Index":
            indexes.append(node)
        else:
            is_whole = False
    columns = _without_replaced(columns)
    for column in columns:
        yield from _enumerations(operation, column.enumeration)
    yield _table_statement(operation, columns, constraints, is_whole=is_whole)
    for column in columns:
        yield from _index_of(operation, column)
    for node in indexes:
        yield from index_statement(operation, node)


def _without_replaced(columns: Sequence[ColumnText]) -> list[ColumnText]:
    """Return columns without those that one of the same name stands behind.

    SQLAlchemy 1.4 takes the last (`Table.append_column`), 2.0 takes none of them.
    """
    last = {column.name: number for number, column in enumerate(columns)}
    return [
        column
        for number, column in enumerate(columns)
        if UNKNOWN in column.name or last[column.name] == number
    ]


def _table_statement(
    operation: Operation,
    columns: list[ColumnText],
    constraints: list[Written],
    *,
    is_whole: bool,
) -> Effect:
    operation.note_given("comment", "if_not_exists")
    for prefix in (
        names_of(operation.arguments.values.get("prefixes"), operation.arguments.scope) or ()
    ):
        operation.marks[f"prefix:{prefix.upper()}"] = operation.arguments.values["prefixes"]
    has_key = any(own.part.kind == "pk" for own in constraints)
    every = [] if has_key else [key_of(columns)]
    every += [own for column in columns for own in column.constraints]
    every += constraints
    parts = [column.sql for column in columns]
    parts += [operation.named(own) for own in every if own.sql]
    guard = "IF NOT EXISTS " if operation.arguments.is_true("if_not_exists") else ""
    head = joined("CREATE TABLE ", guard, operation.table)
    is_whole = is_whole and bool(columns)
    return Effect(joined(head, " (", listed(parts or ['"id" INTEGER']), ")"), is_whole=is_whole)


def _enumerations(operation: Operation, made: Enumeration | None) -> Iterator[Effect]:
    """Yield the type that a table's column needs; of one name it is made once in a run."""
    if made is None or not made.is_made or made.name in operation.made_types:
        return
    operation.made_types.add(str(made.name))
    yield Effect(joined("CREATE TYPE ", quoted(made.name), " AS ENUM (", made.labels, ")"))


def _index_of(operation: Operation, column: ColumnText) -> Iterator[Effect]:
    """Yield the index that `index=True` makes, under the name that SQLAlchemy gives it."""
    if column.is_indexed:
        name = operation.name_of(NamedPart("ix", (column.name,)))
        head = joined("CREATE INDEX ", quoted(name), " ON ", operation.table)
        yield Effect(joined(head, " (", quoted(column.name), ")") if name else "")


def _drop_table(operation: Operation) -> Iterator[Effect]:
    operation.note_given("if_exists")
    guard = "IF EXISTS " if operation.arguments.is_true("if_exists") else ""
    yield Effect(joined("DROP TABLE ", guard, operation.table))


def _rename_table(operation: Operation) -> Iterator[Effect]:
    old, new = (operation.arguments.text(name) for name in PARAMETERS["rename_table"])
    schema = operation.arguments.text("schema")
    yield Effect(joined("ALTER TABLE ", table_name(old, schema), " RENAME TO ", quoted(new)))


def _comment(_operation: Operation) -> Iterator[Effect]:
    return iter(())


# Columns


def _add_column(operation: Operation) -> Iterator[Effect]:
    arguments = operation.arguments
    operation.note_given("if_not_exists")
    node = arguments.node("column")
    reader = ColumnReader(arguments.scope, operation.engine)
    column = reader.column(node) if node is not None else None
    if column is None:
        yield Effect("", table=operation.plain_table)
        return
    operation.note(column.marks)
    guard = "IF NOT EXISTS " if arguments.is_true("if_not_exists") else ""
    is_inline = column.is_key and arguments.is_true("inline_primary_key")
    key = " PRIMARY KEY" if is_inline and operation.engine != "sqlite" else ""
    yield _alter(operation, joined("ADD COLUMN ", guard, column.sql, key))
    for own in column.constraints:
        _note_name(operation, operation.name_of(own.part, own.name, is_exact=own.is_exact))
        if own.sql:
            yield _alter(operation, joined("ADD ", operation.named(own)))
    yield from _index_of(operation, column)


def _drop_column(operation: Operation) -> Iterator[Effect]:
    operation.note_given("if_exists")
    guard = "IF EXISTS " if operation.arguments.is_true("if_exists") else ""
    name = operation.arguments.text("column_name")
    rest = " CASCADE" if operation.is_readded else ""
    yield _alter(operation, joined("DROP COLUMN ", guard, quoted(name), rest))


def _alter_column(operation: Operation) -> Iterator[Effect]:
    arguments = operation.arguments
    operation.note_given("type_", "nullable", "server_default", "comment", "new_column_name")
    operation.note_given("postgresql_using")
    name = quoted(arguments.text("column_name"))
    for words in _changes(operation):
        yield _alter(operation, joined("ALTER COLUMN ", name, " ", words))
    if arguments.node("new_column_name") is not None:
        new = quoted(arguments.text("new_column_name"))
        yield _alter(operation, joined("RENAME COLUMN ", name, " TO ", new))


def _changes(operation: Operation) -> Iterator[str]:
    """Yield what is changed of a column but for its name, as actions of PostgreSQL's."""
    arguments = operation.arguments
    if arguments.is_true("nullable") or arguments.is_false("nullable"):
        operation.marks.setdefault("alter", None)
        yield f"{'DROP' if arguments.is_true('nullable') else 'SET'} NOT NULL"
    if arguments.node("type_") is not None:
        operation.marks.setdefault("alter", None)
        changed = type_text(arguments.values["type_"], arguments.scope, operation.engine)
        operation.note(dict.fromkeys(changed.marks, arguments.values["type_"]))
        using = ""
        if operation.engine == "postgresql":
            using = condition_text(arguments.node("postgresql_using"), arguments.scope)
        yield joined("TYPE ", changed.sql, joined(" USING ", using) if using else "")
    if arguments.has("server_default") and not arguments.is_false("server_default"):
        operation.marks.setdefault("alter", None)
        node = arguments.node("server_default")
        if node is None:
            yield "DROP DEFAULT"
        else:
            default = default_text(node, arguments.scope, operation.engine)
            _note_truth(operation, node)
            yield joined("SET DEFAULT ", default.sql)


def _note_truth(operation: Operation, node: ast.expr) -> None:
    """Note that a Boolean is given a default that is a text."""
    arguments = operation.arguments
    declared = arguments.node("type_") or arguments.node("existing_type")
    truth = truth_of(node, arguments.scope)
    if truth is None or declared is None:
        return
    if is_boolean(type_text(declared, arguments.scope, operation.engine)):
        operation.note({f"default:truth-{truth[1]}": arguments.values["server_default"]})


# Constraints


def _constraint(operation: Operation, own: Written) -> Iterator[Effect]:
    name = operation.arguments.text("constraint_name")
    exact = is_exact(operation.arguments.values.get("constraint_name"))
    own = replace(own, name=name, is_exact=exact)
    name = operation.name_of(own.part, name, is_exact=exact)
    operation.marks[f"constraint:{'named' if name else 'unnamed'}"] = None
    _note_name(operation, name)
    operation.final_name = name
    yield _alter(operation, joined("ADD ", operation.named(own)))


def _note_name(operation: Operation, name: str) -> None:
    """Note that a constraint has no name, where a copy of its table needs one."""
    if not name and operation.convention is not None and operation.is_copied:
        operation.marks["batch:unnamed"] = None


def _create_foreign_key(operation: Operation) -> Iterator[Effect]:
    arguments = operation.arguments
    local = names_of(arguments.node("local_cols"), arguments.scope)
    remote = names_of(arguments.node("remote_cols"), arguments.scope)
    target = arguments.text("referent_table")
    if not local or not remote or not target:
        yield Effect("")
        return
    yield from _constraint(operation, reference_text(arguments, "", local, [target, *remote]))


def _create_key(operation: Operation) -> Iterator[Effect]:
    arguments = operation.arguments
    columns = names_of(arguments.node("columns"), arguments.scope)
    if not columns:
        yield Effect("")
        return
    is_unique = operation.name == "create_unique_constraint"
    words = "UNIQUE" if is_unique else "PRIMARY KEY"
    own = listed([quoted(name) for name in columns])
    sql = joined(words, " (", own, ")", deferred(arguments))
    part = NamedPart("uq" if is_unique else "pk", tuple(columns))
    yield from _constraint(operation, Written(sql, part=part))


def _create_check(operation: Operation) -> Iterator[Effect]:
    arguments = operation.arguments
    condition = condition_text(arguments.node("condition"), arguments.scope) or "1 = 1"
    check = Written(joined("CHECK (", condition, ")"), part=NamedPart("ck"))
    yield from _constraint(operation, check)


def _create_exclude(operation: Operation) -> Iterator[Effect]:
    yield from _constraint(operation, Written("CHECK (1 = 1)"))


def _drop_constraint(operation: Operation) -> Iterator[Effect]:
    operation.note_given("if_exists")
    part = NamedPart(_NAME_KINDS.get(operation.arguments.text("type_")))
    exact = is_exact(operation.arguments.values.get("constraint_name"))
    name = operation.arguments.text("constraint_name")
    if name or part.kind == "pk":  # Of others more than the table is in a name.
        name = operation.name_of(part, name, is_exact=exact)
    operation.final_name = name
    if not name:
        operation.marks["constraint:unnamed"] = None
        yield Effect("")
        return
    guard = "IF EXISTS " if operation.arguments.is_true("if_exists") else ""
    yield _alter(operation, joined("DROP CONSTRAINT ", guard, quoted(name)))


_WRITERS: Final[dict[str, _Writer]] = {
    "add_column": _add_column,
    "alter_column": _alter_column,
    "bulk_insert": bulk_insert,
    "create_check_constraint": _create_check,
    "create_exclude_constraint": _create_exclude,
    "create_foreign_key": _create_foreign_key,
    "create_index": create_index,
    "create_primary_key": _create_key,
    "create_table": _create_table,
    "create_table_comment": _comment,
    "create_unique_constraint": _create_key,
    "drop_column": _drop_column,
    "drop_constraint": _drop_constraint,
    "drop_index": drop_index,
    "drop_table": _drop_table,
    "drop_table_comment": _comment,
    "rename_table": _rename_table,
}
