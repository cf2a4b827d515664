"""What the actions of an `ALTER TABLE` do to a database.

Sources: PostgreSQL's sql-altertable.html, SQLite's lang_altertable.html.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from msgspec.structs import replace

from dal_audit.facts.sql import AlterAction, AlterTable, Constraint, SqlName
from dal_audit.standing.model import GUESSED, Thing
from dal_audit.standing.state import EMPTY, State
from dal_audit.standing.tables import (
    ANEW,
    CONSTRAINTS,
    GUARD_CONSTRAINT,
    GUARD_DROP,
    add_column,
    columns_of,
    constrain,
    default_text,
    free_name,
    type_text,
)

_USING_INDEX: Final = "USING INDEX "
_GUARD_RENAME: Final = "Make it anew under the new name, and copy."
_ONCE_ONLY: Final = {
    ("ATTACH", "PARTITION"): "the partition is attached already",
    ("DETACH", "PARTITION"): "the partition is detached already",
    ("NO", "INHERIT"): "the table inherits no longer",
    ("INHERIT",): "the table inherits already",
}
"""Actions that can be done once only, and why."""


def alter_table(state: State, one: AlterTable) -> None:
    """Change a table.

    PostgreSQL drops what an `ALTER TABLE` drops before it does all the rest.
    """
    name = state.fold(one.table)
    if state.is_gone(name):
        if one.if_exists:
            return
        state.misses(one.table.span, f"there is no `{one.table.name}`", GUARD_DROP, name)
    actions = sorted(one.actions, key=lambda action: not action.kind.startswith("drop-c"))
    for action in actions:
        change = _ACTIONS.get(action.kind)
        if change is not None:
            change(state, action, state.table(name), name)


def _alter_add(state: State, action: AlterAction, table: Thing, name: str) -> None:
    if action.column is None:
        return
    column = state.fold(action.column.name)
    if table.parts.get(("column", column)) is not None:
        if action.if_not_exists:
            return
        cure = "Write `ADD COLUMN IF NOT EXISTS`."
        if state.is_sqlite:
            cure = f"SQLite has no `IF NOT EXISTS` here. {ANEW}"
        state.clashes(
            action.column.name.span,
            f"the table has a column `{action.column.name.name}` already",
            cure,
            column,
        )
    add_column(state, name, table, action.column)


def _alter_drop(state: State, action: AlterAction, table: Thing, name: str) -> None:
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
            state.misses(
                action.name.span,
                f"the index `{holder}` uses the column",
                "Drop what uses the column first.",
                column,
            )
    state.drop_column(table, column)


def _no_column(state: State, name: SqlName, column: str) -> None:
    cure = f"SQLite has no `IF EXISTS` here. {ANEW}" if state.is_sqlite else GUARD_DROP
    state.misses(name.span, f"the table has no column `{name.name}`", cure, column)


def _alter_column(state: State, action: AlterAction, table: Thing, _: str) -> None:
    """Change a column: its type, its default, or whether it takes NULL."""
    if action.name is None:
        return
    column = state.fold(action.name)
    if table.lacks(("column", column)):
        _no_column(state, action.name, column)
    part = table.parts.get(("column", column)) or EMPTY
    if action.kind == "alter-type":
        part = replace(part, type=type_text(action.type))
    elif action.kind in {"set-default", "drop-default"}:
        value = action.expression if action.kind == "set-default" else None
        part = replace(part, default=default_text(value) if value is not None else None)
    elif action.kind in {"set-not-null", "drop-not-null"}:
        part = replace(part, not_null=action.kind == "set-not-null")
    else:
        _alter_identity(state, action, table, action.name)
        return
    state.set_part(table, ("column", column), part)


def _alter_identity(state: State, action: AlterAction, table: Thing, name: SqlName) -> None:
    """Make a column an identity column, or take that, or its expression, from it."""
    words = {token.upper() for token in action.expression.tokens} if action.expression else set()
    kind = "expression" if "EXPRESSION" in words else "identity"
    if kind.upper() not in words or words.isdisjoint({"ADD", "DROP"}):
        return
    column = state.fold(name)
    if "ADD" in words:
        if table.parts.get((kind, column)) is not None:
            state.clashes(
                action.span,
                f"`{name.name}` is an identity column already",
                "Write `DROP IDENTITY IF EXISTS` before it.",
                column,
            )
        state.set_part(table, (kind, column), kind)
    else:
        if table.lacks((kind, column)) and "EXISTS" not in words:
            state.misses(action.span, f"`{name.name}` has no {kind} any more", GUARD_DROP, column)
        state.set_part(table, (kind, column), None)


def _rename_column(state: State, action: AlterAction, table: Thing, name: str) -> None:
    if action.name is None or action.new_name is None:
        return
    old, new = state.fold(action.name), state.fold(action.new_name)
    if table.lacks(("column", old)):
        state.misses(
            action.name.span,
            f"the table has no column `{action.name.name}`",
            _GUARD_RENAME,
            old,
        )
    elif table.parts.get(("column", new)) is not None and new != old:
        state.clashes(
            action.new_name.span,
            f"the table has a column `{action.new_name.name}` already",
            _GUARD_RENAME,
            new,
        )
    state.remember(name, old)
    state.remember(name, new)
    state.rename_column(table, old, new)


def _rename_table(state: State, action: AlterAction, _: Thing, name: str) -> None:
    if action.new_name is None:
        return
    new = state.fold(action.new_name)
    if "." in name and "." not in new:
        new = f"{name.rpartition('.')[0]}.{new}"
    if state.relations.get(new) is not None and new != name:
        state.clashes(
            action.new_name.span, f"`{action.new_name.name}` stands already", _GUARD_RENAME, new
        )
    state.rename_relation(name, new)


def _set_schema(state: State, action: AlterAction, _: Thing, name: str) -> None:
    if action.new_name is not None:
        schema = state.fold(action.new_name)
        last = name.rpartition(".")[2]
        new = last if schema == "public" else f"{schema}.{last}"
        if new != name:
            state.rename_relation(name, new)


def _add_constraint(state: State, action: AlterAction, table: Thing, name: str) -> None:
    one = action.constraint
    if one is None:
        return
    columns = columns_of(state, one)
    for column in columns:
        if table.lacks(("column", column)):
            state.misses(one.span, f"the table has no column `{column}`", ANEW, column)
    if one.kind == "primary-key" and any(
        table.parts[("constraint", other)].kind == "primary-key"
        for other in table.names("constraint")
    ):
        own = state.fold(one.name) if one.name else ""
        state.clashes(one.span, "the table has a primary key already", GUARD_CONSTRAINT, own, name)
    elif one.name is None and one.kind in CONSTRAINTS:
        other, is_another = free_name(state, name, table, one, columns)
        if is_another:
            state.changes(
                "changes-schema",
                one.span,
                f"the same constraint is made once more, as `{other}`",
                f"Give the constraint a name. {GUARD_CONSTRAINT}",
            )
    _take_index(state, table, one)
    constrain(state, name, table, one, columns)


def _take_index(state: State, table: Thing, one: Constraint) -> None:
    """Let an index go that `USING INDEX` makes the constraint's own, and gives its name."""
    for words in one.words:
        if words.startswith(_USING_INDEX):
            wanted = words.removeprefix(_USING_INDEX).strip('"')
            for name, _ in list(state.indexes_of(table)):
                if name.upper() == wanted:
                    state.drop_relation(name)


def _drop_constraint(state: State, action: AlterAction, table: Thing, _: str) -> None:
    if action.name is None:
        return
    constraint = state.fold(action.name)
    if table.lacks(("constraint", constraint)):
        if action.if_exists:
            return
        state.misses(
            action.name.span,
            f"the table has no constraint `{action.name.name}`",
            GUARD_DROP,
            constraint,
        )
    state.drop_constraint(table, constraint)


def _rename_constraint(state: State, action: AlterAction, table: Thing, name: str) -> None:
    if action.name is None or action.new_name is None:
        return
    old, new = state.fold(action.name), state.fold(action.new_name)
    if table.lacks(("constraint", old)):
        state.misses(
            action.name.span,
            f"the table has no constraint `{action.name.name}`",
            "Drop the constraint `IF EXISTS`, and add it under its new name.",
            old,
        )
    part = table.parts.get(("constraint", old)) or GUESSED
    state.unrefer(table, old)
    state.set_part(table, ("constraint", old), None)
    state.set_part(table, ("constraint", new), part)
    state.refer(table, name, new, part)
    index = state.relations.get(old)
    if index is not None and index.table is table:
        state.rename_relation(old, new)


def _other(state: State, action: AlterAction, table: Thing, name: str) -> None:
    """Do an action that is done once only, such as attaching a partition."""
    if action.name is not None:
        _alter_column(state, action, table, name)
        return
    for words, reason in _ONCE_ONLY.items():
        if action.words[: len(words)] == words and action.expression is not None:
            key = (words[-1].lower(), " ".join(action.expression.tokens[len(words) :]))
            if table.parts.get(key) is not None:
                state.misses(
                    action.span, reason, "Guard it in a `DO` block that looks first.", name
                )
            state.set_part(table, key, reason)


_ACTIONS: Final[dict[str, Callable[[State, AlterAction, Thing, str], None]]] = {
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
