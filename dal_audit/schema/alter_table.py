"""What the actions of an `ALTER TABLE` do to a database.

Sources: PostgreSQL's sql-altertable.html, SQLite's lang_altertable.html.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from msgspec.structs import replace

from dal_audit.facts.sql import AlterAction, AlterTable, Constraint, SqlName
from dal_audit.schema.conversions import unfit_function
from dal_audit.schema.copy_names import name_constraints
from dal_audit.schema.objects_model import (
    COPIED,
    EMPTY,
    GUESSED,
    ColumnPart,
    DbObject,
    qualified,
)
from dal_audit.schema.state import State
from dal_audit.schema.table_parts import (
    CONSTRAINTS,
    GUARD_CONSTRAINT,
    add_column,
    column_holder,
    columns_of,
    constrain,
    drop_column,
    drop_constraint,
    free_name,
    rename_column,
)
from dal_audit.schema.tables import ANEW, GUARD_DROP
from dal_audit.schema.type_families import default_text

_USING_INDEX: Final = "USING INDEX "
_GUARD_RENAME: Final = "Make it anew under the new name, and copy."
_ONCE_ONLY: Final = {
    ("ATTACH", "PARTITION"): "the partition is attached already",
    ("DETACH", "PARTITION"): "the partition is detached already",
    ("NO", "INHERIT"): "the table inherits no longer",
    ("INHERIT",): "the table inherits already",
}
"""Actions that can be done once only, and why."""


def actions_of(alter: AlterTable) -> list[AlterAction]:
    """Return the actions in the order in which they are done.

    PostgreSQL drops what an `ALTER TABLE` drops before it does all the rest.
    """
    first = ("drop-c", "drop-default")
    return sorted(alter.actions, key=lambda action: not action.kind.startswith(first))


def alter_table(state: State, alter: AlterTable) -> None:
    """Change a table."""
    name = state.fold(alter.table)
    state.is_copying = alter.rebuilds
    if state.is_gone(name):
        if alter.if_exists:
            return
        state.missing_object(
            alter.table.span, f"there is no `{alter.table.name}`", GUARD_DROP, name
        )
    if alter.rebuilds:
        _lose_indexes(state, state.table(name))
        name_constraints(state, state.table(name), alter)
    for action in actions_of(alter):
        change = _ACTIONS.get(action.kind)
        if change is not None:
            change(state, action, state.table(name), name)


def _lose_indexes(state: State, table: DbObject) -> None:
    """Take away what a tool that copies a table cannot read: keys that are expressions, and orders.

    Source: `get_indexes` in SQLAlchemy's `dialects/sqlite/base.py`, which leaves them out.
    """
    for name, index in list(state.indexes_of(table)):
        if index.kind == "index" and index.words and not index.columns:
            state.drop_relation(name)
        elif index.kind == "index" and index.text:
            state.stand(name, replace(index, text=COPIED))


def _add_column(state: State, action: AlterAction, table: DbObject, name: str) -> None:
    if action.column is None:
        return
    added = action.column.name
    column = state.fold(added)
    if table.parts.get(("column", column)) is not None:
        if action.if_not_exists or state.is_copying:
            return
        cure = "Write `ADD COLUMN IF NOT EXISTS`."
        if state.is_sqlite:
            cure = f"SQLite has no `IF NOT EXISTS` here. {ANEW}"
        reason = f"the table has a column `{added.name}` already"
        state.existing_object(added.span, reason, cure, column)
    add_column(state, name, table, action.column)


def _drop_column(state: State, action: AlterAction, table: DbObject, name: str) -> None:
    if action.name is None:
        return
    column = state.fold(action.name)
    state.remember(name, column)
    if table.lacks(("column", column)):
        if action.if_exists:
            return
        _no_column(state, action.name, column)
    is_held = state.is_sqlite and not action.cascade
    holder = column_holder(state, table, column) if is_held else ""
    if holder:
        cure = "Drop what uses the column first."
        state.missing_object(action.name.span, f"{holder} the column", cure, column)
    drop_column(state, table, column)


def _no_column(state: State, name: SqlName, column: str) -> None:
    cure = f"SQLite has no `IF EXISTS` here. {ANEW}" if state.is_sqlite else GUARD_DROP
    state.missing_object(name.span, f"the table has no column `{name.name}`", cure, column)


def _alter_column(state: State, action: AlterAction, table: DbObject, _: str) -> None:
    """Change a column: its type, its default, or whether it takes NULL."""
    if action.name is None:
        return
    column = state.fold(action.name)
    if table.lacks(("column", column)):
        _no_column(state, action.name, column)
    elif ("column", column) not in table.parts:
        # It was there before, whatever it is.
        state.journal.write(table.parts, ("column", column), EMPTY, is_assumed=True)
    part = table.parts.get(("column", column)) or EMPTY
    if action.kind == "alter-type":
        _check_conversion(state, action, column, part)
        part = replace(part, declared=action.type)
    elif action.kind in {"set-default", "drop-default"}:
        value = action.expression if action.kind == "set-default" else None
        part = replace(part, default=default_text(value) if value is not None else None)
    elif action.kind in {"set-not-null", "drop-not-null"}:
        part = replace(part, not_null=action.kind == "set-not-null")
    else:
        _alter_identity(state, action, table, action.name)
        return
    state.set_part(table, ("column", column), part)


def _check_conversion(state: State, action: AlterAction, column: str, part: ColumnPart) -> None:
    """Note that PostgreSQL cannot make a type of a column with a function that does not take it."""
    function = "" if state.is_sqlite else unfit_function(state, column, part, action.expression)
    if function:
        reason = f"`{column}` is of type `{part.type}`, which `{function}()` does not take"
        cure = "Guard it in a `DO` block that looks at the column's type first."
        state.missing_object(action.span, reason, cure, column)


def _alter_identity(state: State, action: AlterAction, table: DbObject, name: SqlName) -> None:
    """Make a column an identity column, or take that, or its expression, from it."""
    words = {token.upper() for token in action.expression.tokens} if action.expression else set()
    kind = "expression" if "EXPRESSION" in words else "identity"
    if kind.upper() not in words or words.isdisjoint({"ADD", "DROP"}):
        return
    column = state.fold(name)
    key = (kind, column)
    if "ADD" in words:
        if table.parts.get(key) is not None:
            reason = f"`{name.name}` is an identity column already"
            cure = "Write `DROP IDENTITY IF EXISTS` before it."
            state.existing_object(action.span, reason, cure, column)
        state.set_part(table, key, kind)
        return
    if table.lacks(key) and "EXISTS" not in words:
        reason = f"`{name.name}` has no {kind} any more"
        state.missing_object(action.span, reason, GUARD_DROP, column)
    state.set_part(table, key, None)


def _rename_column(state: State, action: AlterAction, table: DbObject, name: str) -> None:
    if action.name is None or action.new_name is None:
        return
    old, new = state.fold(action.name), state.fold(action.new_name)
    if table.lacks(("column", old)):
        reason = f"the table has no column `{action.name.name}`"
        state.missing_object(action.name.span, reason, _GUARD_RENAME, old)
    elif table.parts.get(("column", new)) is not None and new != old:
        reason = f"the table has a column `{action.new_name.name}` already"
        state.existing_object(action.new_name.span, reason, _GUARD_RENAME, new)
    state.remember(name, old)
    state.remember(name, new)
    rename_column(state, table, old, new)


def _rename_table(state: State, action: AlterAction, _: DbObject, name: str) -> None:
    if action.new_name is None:
        return
    new = qualified(state.fold(action.new_name), name)
    if state.relations.get(new) is not None and new != name:
        reason = f"`{action.new_name.name}` stands already"
        state.existing_object(action.new_name.span, reason, _GUARD_RENAME, new)
    state.rename_relation(name, new)
    state.spell(action.new_name)


def _set_schema(state: State, action: AlterAction, _: DbObject, name: str) -> None:
    if action.new_name is not None:
        schema = state.fold(action.new_name)
        last = name.rpartition(".")[2]
        new = last if schema == "public" else f"{schema}.{last}"
        if new != name:
            state.rename_relation(name, new)
            # It is still found under its name, where `search_path` has its schema.
            state.journal.remove(state.dropped, name)


def _add_constraint(state: State, action: AlterAction, table: DbObject, name: str) -> None:
    constraint = action.constraint
    if constraint is None:
        return
    if state.is_copying:
        _give_way(state, table, constraint)
    elif state.is_sqlite and constraint.kind != "check":
        return  # SQLite adds no other (lang_altertable.html).
    columns = columns_of(state, constraint)
    for column in columns:
        if table.lacks(("column", column)):
            reason = f"the table has no column `{column}`"
            state.missing_object(constraint.span, reason, ANEW, column)
    if constraint.kind == "primary-key" and table.constraints("primary-key"):
        own = state.fold(constraint.name) if constraint.name else ""
        reason = "the table has a primary key already"
        state.existing_object(constraint.span, reason, GUARD_CONSTRAINT, own, name)
    elif constraint.name is None and constraint.kind in CONSTRAINTS:
        other, is_another = free_name(state, name, table, constraint, columns)
        if is_another:
            state.note_change(
                "changes-schema",
                constraint.span,
                f"the same constraint is made once more, as `{other}`",
                f"Give the constraint a name. {GUARD_CONSTRAINT}",
            )
    _take_index(state, table, constraint)
    constrain(state, name, table, constraint, columns)


def _give_way(state: State, table: DbObject, constraint: Constraint) -> None:
    """Let a constraint go that the copy of a table has another one instead of."""
    for name in table.names("constraint"):
        is_key = constraint.kind == table.parts["constraint", name].kind == "primary-key"
        if is_key or (constraint.name is not None and name == state.fold(constraint.name)):
            drop_constraint(state, table, name)


def _take_index(state: State, table: DbObject, constraint: Constraint) -> None:
    """Let an index go that `USING INDEX` makes the constraint's own, and gives its name."""
    wanted = {
        words.removeprefix(_USING_INDEX).strip('"')
        for words in constraint.words
        if words.startswith(_USING_INDEX)
    }
    for name, _ in list(state.indexes_of(table)) if wanted else ():
        if name.upper() in wanted:
            state.drop_relation(name)


def _drop_constraint(state: State, action: AlterAction, table: DbObject, _: str) -> None:
    if action.name is None:
        return
    constraint = state.fold(action.name)
    if table.lacks(("constraint", constraint)):
        if action.if_exists:
            return
        _no_constraint(state, action.name, constraint, GUARD_DROP)
    if action.cascade:
        _drop_referring(state, table, constraint)
    drop_constraint(state, table, constraint)


def _drop_referring(state: State, table: DbObject, name: str) -> None:
    """Take the foreign keys away that need a key of a table, as `CASCADE` does."""
    key = table.parts.get(("constraint", name))
    columns = {column.lower() for column in key.columns} if key is not None else set()
    for other, foreign in list(state.referring(table.name)):
        referenced = set(other.parts["constraint", foreign].referenced)
        if not columns or not referenced or referenced == columns:
            drop_constraint(state, other, foreign)


def _no_constraint(state: State, name: SqlName, constraint: str, cure: str) -> None:
    reason = f"the table has no constraint `{name.name}`"
    state.missing_object(name.span, reason, cure, constraint)


def _rename_constraint(state: State, action: AlterAction, table: DbObject, _: str) -> None:
    if action.name is None or action.new_name is None or state.is_sqlite:
        return  # SQLite renames none.
    old, new = state.fold(action.name), state.fold(action.new_name)
    if table.lacks(("constraint", old)):
        cure = "Drop the constraint `IF EXISTS`, and add it under its new name."
        _no_constraint(state, action.name, old, cure)
    part = table.parts.get(("constraint", old)) or GUESSED
    state.unrefer(table, old)
    state.set_part(table, ("constraint", old), None)
    state.set_part(table, ("constraint", new), part)
    state.refer(table, new, part)
    index = state.relations.get(old)
    if index is not None and index.table is table:
        state.rename_relation(old, new)


def _other(state: State, action: AlterAction, table: DbObject, name: str) -> None:
    """Do an action that is done once only, such as attaching a partition."""
    if action.name is not None:
        _alter_column(state, action, table, name)
        return
    tokens = action.expression.tokens if action.expression is not None else None
    for words, reason in _ONCE_ONLY.items():
        if action.words[: len(words)] == words and tokens is not None:
            key = (words[-1].lower(), " ".join(tokens[len(words) :]))
            if table.parts.get(key) is not None:
                cure = "Guard it in a `DO` block that looks first."
                state.missing_object(action.span, reason, cure, name)
            state.set_part(table, key, reason)


_ACTIONS: Final[dict[str, Callable[[State, AlterAction, DbObject, str], None]]] = {
    "add-column": _add_column,
    "drop-column": _drop_column,
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
