"""What `CREATE TABLE`, `CREATE INDEX` and `ALTER TABLE` do to a database.

Sources: PostgreSQL's sql-createtable.html, sql-createindex.html and sql-altertable.html; SQLite's
lang_createtable.html, lang_createindex.html and lang_altertable.html.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from dal_audit.sql_facts import (
    AlterAction,
    AlterTable,
    Clause,
    Column,
    Constraint,
    CreateIndex,
    CreateTable,
    Key,
    SqlName,
    SqlType,
)
from dal_audit.standing.model import ColumnPart, ConstraintPart, Thing
from dal_audit.standing.reads import check_reads
from dal_audit.standing.state import State

GUARD_CREATE: Final = "Write `IF NOT EXISTS`."
GUARD_DROP: Final = "Write `IF EXISTS`."
_ANEW: Final = (
    "Make the table anew as it is to be: create it under another name, copy the rows, drop the old "
    "one, rename."
)
_GUARD_CONSTRAINT: Final = "Write `DROP CONSTRAINT IF EXISTS` before it."
_GUARD_RENAME: Final = "Make it anew under the new name, and copy."
_ONCE_ONLY: Final = {
    ("ATTACH", "PARTITION"): "the partition is attached already",
    ("DETACH", "PARTITION"): "the partition is detached already",
    ("NO", "INHERIT"): "the table inherits no longer",
    ("INHERIT",): "the table inherits already",
}
"""Actions that can be done once only, and why."""

_NAMED_BY_INDEX: Final = frozenset({"primary-key", "unique", "exclude"})
_SUFFIXES: Final = {
    "primary-key": "pkey",
    "unique": "key",
    "references": "fkey",
    "check": "check",
    "exclude": "excl",
}
"""How PostgreSQL names a constraint of each kind."""

_CONSTRAINTS: Final = frozenset(_SUFFIXES)


def create_table(state: State, one: CreateTable) -> None:
    """Make a table."""
    name = state.fold(one.name)
    if state.relations.get(name) is not None:
        if one.if_not_exists:
            return
        state.fails(one.name.span, f"`{one.name.name}` stands already", GUARD_CREATE, name)
    check_reads(state, one.query, ())
    table = Thing("table", text="temporary" if one.temporary else one.module)
    table.complete = bool(one.columns) and not (one.query or one.module or _borrows(one.options))
    state.former.setdefault(name, set())
    for column in one.columns:
        _add_column(state, name, table, column)
    for constraint in one.constraints:
        if constraint.kind == "other":
            table.complete = False  # `LIKE another`, or what only another engine knows.
        _constrain(state, name, table, constraint, _columns(state, constraint))
    state.place(name, table)


def _borrows(options: tuple[Clause, ...]) -> bool:
    """Return whether a table has columns from elsewhere: a parent, a partitioned table, a type."""
    return any(
        one.words[:1] in {("INHERITS",), ("PARTITION",), ("OF",)}
        and one.words != ("PARTITION", "BY")
        for one in options
    )


def _add_column(state: State, name: str, table: Thing, column: Column) -> None:
    own = state.fold(column.name)
    default = next(
        (
            one.expression.text
            for one in column.constraints
            if one.kind == "default" and one.expression is not None
        ),
        None,
    )
    not_null = any(one.kind in {"not-null", "primary-key"} for one in column.constraints)
    state.set_part(table, ("column", own), ColumnPart(type_text(column.type), default, not_null))
    state.remember(name, own)
    for constraint in column.constraints:
        _constrain(state, name, table, constraint, (own,))


def type_text(declared: SqlType | None) -> str:
    """Return a type as a text that can be compared."""
    if declared is None:
        return ""
    arguments = f"({', '.join(declared.arguments)})" if declared.arguments else ""
    return f"{declared.name}{arguments}{'[]' * declared.dimensions}"


def _columns(state: State, constraint: Constraint) -> tuple[str, ...]:
    return tuple(column for key in constraint.keys if (column := column_of(state, key)))


def column_of(state: State, key: Key) -> str:
    """Return the column that a key is, folded; empty where it is an expression."""
    return state.fold_token(key.expression.tokens[0]) if key.column else ""


def _constrain(
    state: State, table_name: str, table: Thing, one: Constraint, columns: tuple[str, ...]
) -> None:
    """Add a constraint to a table."""
    if one.kind not in _CONSTRAINTS:
        return
    name = state.fold(one.name) if one.name else _made_up(state, table_name, table, one, columns)
    if one.kind == "check" and not columns:
        columns = tuple(sorted(state.words_of(one.expression) & set(table.names("column"))))
    target = state.fold(one.table) if one.table else ""
    text = one.expression.text if one.expression else " ".join(one.referenced)
    part = ConstraintPart(one.kind, columns, target, text)
    if table.parts.get(("constraint", name)) is not None:
        state.fails(
            one.span, f"the table has a constraint `{name}` already", _GUARD_CONSTRAINT, name
        )
    state.set_part(table, ("constraint", name), part)
    state.refer(table, table_name, name, part)
    if not state.is_sqlite and one.kind in _NAMED_BY_INDEX:
        other = state.relations.get(name)
        if other is not None and other.table is not table:
            state.fails(
                one.span,
                f"the index `{name}` of another table stands already",
                "Leave the constraint without a name, or choose one that is free again.",
                name,
            )
        state.place(name, Thing("index", table=table, columns=columns, words=frozenset(columns)))
        state.own(table, ("relation", name))


def _made_up(
    state: State, table_name: str, table: Thing, one: Constraint, columns: tuple[str, ...]
) -> str:
    """Return the name that a constraint without one gets: PostgreSQL takes the next free one."""
    bare = table_name.rpartition(".")[2]
    within = () if one.kind == "primary-key" else columns
    stem = "_".join((bare, *within, _SUFFIXES[one.kind]))
    name, number = stem, 0
    while table.parts.get(("constraint", name)) is not None or (
        not state.is_sqlite
        and one.kind in _NAMED_BY_INDEX
        and state.relations.get(name) is not None
    ):
        number += 1
        name = f"{stem}{number}"
    return name


def create_index(state: State, one: CreateIndex) -> None:
    """Make an index."""
    table_name = state.fold(one.table)
    if state.is_gone(table_name):
        state.fails(one.table.span, f"there is no `{one.table.name}`", _ANEW, table_name)
    if one.name is None:
        state.note(
            "changes-schema",
            one.table.span,
            "another index is made, under another name",
            "Give the index a name, and write `IF NOT EXISTS`.",
            table_name,
        )
        return
    name = state.fold(one.name)
    if "." in table_name and "." not in name:
        name = f"{table_name.rpartition('.')[0]}.{name}"
    stands = state.relations.get(name) is not None
    if stands and one.if_not_exists and state.is_sqlite:
        return
    table = state.table(table_name)
    for key in one.keys:
        column = column_of(state, key)
        if column and table.lacks(("column", column)):
            state.fails(key.span, f"`{one.table.name}` has no column `{key.column}`", _ANEW, column)
    if stands:
        if one.if_not_exists:
            return
        state.fails(
            one.name.span, f"the index `{one.name.name}` stands already", GUARD_CREATE, name
        )
    columns = tuple(column for key in one.keys if (column := column_of(state, key)))
    state.place(
        name,
        Thing(
            "index",
            table=table,
            columns=columns if len(columns) == len(one.keys) else (),
            words=state.words_of(*(key.expression for key in one.keys), one.where),
            unique=one.unique and one.where is None,
        ),
    )
    state.own(table, ("relation", name))


def alter_table(state: State, one: AlterTable) -> None:
    """Change a table.

    PostgreSQL drops what an `ALTER TABLE` drops before it does all the rest.
    """
    name = state.fold(one.table)
    if state.is_gone(name):
        if one.if_exists:
            return
        state.fails(one.table.span, f"there is no `{one.table.name}`", GUARD_DROP, name)
    actions = sorted(one.actions, key=lambda action: not action.kind.startswith("drop-c"))
    for action in actions:
        change = _ACTIONS.get(action.kind)
        if change is not None:
            change(state, name, state.table(name), action)


def _alter_add(state: State, name: str, table: Thing, action: AlterAction) -> None:
    if action.column is None:
        return
    column = state.fold(action.column.name)
    if table.parts.get(("column", column)) is not None:
        if action.if_not_exists:
            return
        cure = "Write `ADD COLUMN IF NOT EXISTS`."
        if state.is_sqlite:
            cure = f"SQLite has no `IF NOT EXISTS` here. {_ANEW}"
        state.fails(
            action.column.name.span,
            f"the table has a column `{action.column.name.name}` already",
            cure,
            column,
        )
    _add_column(state, name, table, action.column)


def _alter_drop(state: State, name: str, table: Thing, action: AlterAction) -> None:
    if action.name is None:
        return
    column = state.fold(action.name)
    state.remember(name, column)
    if table.lacks(("column", column)):
        if action.if_exists:
            return
        _no_column(state, action.name, column)
    if state.is_sqlite:
        holder = next((one for one, index in state.indexes_of(table) if column in index.words), "")
        if holder:
            state.fails(
                action.name.span,
                f"the index `{holder}` uses the column",
                "Drop what uses the column first.",
                column,
            )
    state.drop_column(table, column)


def _no_column(state: State, name: SqlName, column: str) -> None:
    cure = f"SQLite has no `IF EXISTS` here. {_ANEW}" if state.is_sqlite else GUARD_DROP
    state.fails(name.span, f"the table has no column `{name.name}`", cure, column)


def _alter_column(state: State, name: str, table: Thing, action: AlterAction) -> None:
    """Change a column: its type, its default, or whether it takes NULL."""
    if action.name is None:
        return
    column = state.fold(action.name)
    if table.lacks(("column", column)):
        _no_column(state, action.name, column)
    old = table.parts.get(("column", column)) or ColumnPart()
    new = old
    tokens = tuple(one.upper() for one in action.expression.tokens) if action.expression else ()
    if action.kind == "alter-type":
        new = ColumnPart(type_text(action.type), old.default, old.not_null)
    elif action.kind in {"set-default", "drop-default"}:
        default = (
            action.expression.text if action.kind == "set-default" and action.expression else None
        )
        new = ColumnPart(old.type, default, old.not_null)
    elif action.kind in {"set-not-null", "drop-not-null"}:
        new = ColumnPart(old.type, old.default, action.kind == "set-not-null")
    elif tokens[:1] == ("ADD",) and "IDENTITY" in tokens:
        if table.parts.get(("identity", column)) is not None:
            state.fails(
                action.span,
                f"`{action.name.name}` is an identity column already",
                GUARD_CREATE,
                column,
            )
        state.set_part(table, ("identity", column), "identity")
        return
    elif tokens[:1] == ("DROP",) and ("IDENTITY" in tokens or "EXPRESSION" in tokens):
        kind = "identity" if "IDENTITY" in tokens else "expression"
        if table.lacks((kind, column)) and "EXISTS" not in tokens:
            state.fails(action.span, "the column has lost that already", GUARD_DROP, column)
        state.set_part(table, (kind, column), None)
        return
    state.set_part(table, ("column", column), new)


def _rename_column(state: State, name: str, table: Thing, action: AlterAction) -> None:
    if action.name is None or action.new_name is None:
        return
    old, new = state.fold(action.name), state.fold(action.new_name)
    if table.lacks(("column", old)):
        state.fails(
            action.name.span,
            f"the table has no column `{action.name.name}`",
            _GUARD_RENAME,
            old,
        )
    elif table.parts.get(("column", new)) is not None and new != old:
        state.fails(
            action.new_name.span,
            f"the table has a column `{action.new_name.name}` already",
            _GUARD_RENAME,
            new,
        )
    state.remember(name, old)
    state.remember(name, new)
    state.rename_column(table, old, new)


def _rename_table(state: State, name: str, table: Thing, action: AlterAction) -> None:
    if action.new_name is None:
        return
    new = state.fold(action.new_name)
    if "." in name and "." not in new:
        new = f"{name.rpartition('.')[0]}.{new}"
    if state.relations.get(new) is not None and new != name:
        state.fails(
            action.new_name.span, f"`{action.new_name.name}` stands already", _GUARD_RENAME, new
        )
    state.rename_relation(name, new)


def _set_schema(state: State, name: str, table: Thing, action: AlterAction) -> None:
    if action.new_name is not None:
        schema = state.fold(action.new_name)
        last = name.rpartition(".")[2]
        new = last if schema == "public" else f"{schema}.{last}"
        if new != name:
            state.rename_relation(name, new)


def _add_constraint(state: State, name: str, table: Thing, action: AlterAction) -> None:
    one = action.constraint
    if one is None:
        return
    columns = _columns(state, one)
    for column in columns:
        if table.lacks(("column", column)):
            state.fails(one.span, f"the table has no column `{column}`", _ANEW, column)
    if one.kind == "primary-key" and any(
        table.parts[("constraint", other)].kind == "primary-key"
        for other in table.names("constraint")
    ):
        own = state.fold(one.name) if one.name else ""
        state.fails(one.span, "the table has a primary key already", _GUARD_CONSTRAINT, own, name)
    elif one.name is None and one.kind in _CONSTRAINTS:
        state.note(
            "changes-schema",
            one.span,
            "another constraint is made, under another name",
            f"Give the constraint a name. {_GUARD_CONSTRAINT}",
            name,
        )
    words = [token.upper() for token in one.words]
    if one.name is not None and "USING INDEX" in " ".join(words):
        columns = ()
    _constrain(state, name, table, one, columns)


def _drop_constraint(state: State, name: str, table: Thing, action: AlterAction) -> None:
    if action.name is None:
        return
    constraint = state.fold(action.name)
    if table.lacks(("constraint", constraint)):
        if action.if_exists:
            return
        state.fails(
            action.name.span,
            f"the table has no constraint `{action.name.name}`",
            GUARD_DROP,
            constraint,
        )
    state.drop_constraint(table, constraint)


def _rename_constraint(state: State, name: str, table: Thing, action: AlterAction) -> None:
    if action.name is None or action.new_name is None:
        return
    old, new = state.fold(action.name), state.fold(action.new_name)
    if table.lacks(("constraint", old)):
        state.fails(
            action.name.span,
            f"the table has no constraint `{action.name.name}`",
            "Drop the constraint `IF EXISTS`, and add it under its new name.",
            old,
        )
    part = table.parts.get(("constraint", old)) or ConstraintPart("")
    state.unrefer(table, old)
    state.set_part(table, ("constraint", old), None)
    state.set_part(table, ("constraint", new), part)
    state.refer(table, name, new, part)
    index = state.relations.get(old)
    if index is not None and index.table is table:
        state.rename_relation(old, new)


def _other(state: State, name: str, table: Thing, action: AlterAction) -> None:
    """Do an action that is done once only, such as attaching a partition."""
    for words, reason in _ONCE_ONLY.items():
        if action.words[: len(words)] == words and action.expression is not None:
            key = (words[-1].lower(), " ".join(action.expression.tokens[len(words) :]))
            if table.parts.get(key) is not None:
                state.fails(action.span, reason, "Guard it in a `DO` block that looks first.", name)
            state.set_part(table, key, reason)


_ACTIONS: Final[dict[str, Callable[[State, str, Thing, AlterAction], None]]] = {
    "add-column": _alter_add,
    "drop-column": _alter_drop,
    "alter-type": _alter_column,
    "set-default": _alter_column,
    "drop-default": _alter_column,
    "set-not-null": _alter_column,
    "drop-not-null": _alter_column,
    "rename-column": _rename_column,
    "rename-table": _rename_table,
    "rename-constraint": _rename_constraint,
    "set-schema": _set_schema,
    "add-constraint": _add_constraint,
    "drop-constraint": _drop_constraint,
    "other": _other,
}
