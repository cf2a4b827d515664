"""What `CREATE`, `ALTER` and `DROP` of anything but tables and indexes do to a database.

Sources: PostgreSQL's reference of SQL commands, SQLite's lang_createview.html,
lang_createtrigger.html and lang_droptrigger.html.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest
from typing import Any, Final

from msgspec.structs import replace

from dal_audit.facts.sql import AlterObject, CreateObject, Drop, SqlName
from dal_audit.schema.column_demands import type_name
from dal_audit.schema.functions import argument_count, declared_count, with_arguments
from dal_audit.schema.journal import UNKNOWN
from dal_audit.schema.objects_model import (
    NAME,
    READS,
    UNORDERED,
    VIEWS,
    DbObject,
    Key,
    qualified,
)
from dal_audit.schema.reads import has_open_star, reading_of, words_read
from dal_audit.schema.state import State
from dal_audit.schema.tables import GUARD_CREATE, GUARD_DROP

RELATIONS: Final = VIEWS | {"table", "index", "sequence", "foreign table"}
_OF_TABLES: Final = frozenset({"trigger", "constraint trigger", "policy", "rule"})
_KINDS: Final = {
    "constraint trigger": "trigger",
    "enum": "type",
    "domain": "type",
    "user": "role",
    "group": "role",
    "procedure": "function",
    "routine": "function",
    "aggregate": "function",
}
"""Kinds of objects that share their names with others."""

_LOOK_FIRST: Final = "Do it in a `DO` block that looks first."
_CURES: Final = {
    "view": "Write `DROP VIEW IF EXISTS` before it.",
    "trigger": "Write `DROP TRIGGER IF EXISTS` before it.",
    "function": "Write `CREATE OR REPLACE`.",
    "policy": "Write `DROP POLICY IF EXISTS` before it.",
    "type": "Make it in a `DO` block that catches `duplicate_object`.",
    "role": "Make it in a `DO` block that looks into `pg_roles` first.",
}


def create_object(state: State, create: CreateObject) -> None:
    """Make an object."""
    kind = _KINDS.get(create.what, create.what)
    if kind in RELATIONS and create.name is not None:
        _create_relation(state, create, kind, create.name)
        return
    key = (kind, _name_of(state, create, kind))
    table = _table_of(state, create)
    holder = state.others if table is None or state.is_sqlite else table.parts
    if holder.get(key) is not None and not create.or_replace:
        if create.if_not_exists:
            return
        _taken(state, create.name, kind, key[1])
    if table is None or state.is_sqlite:
        _let_stand(state, create, table, key)
    else:
        _hang_on(state, create, table, key)


def _let_stand(state: State, create: CreateObject, table: DbObject | None, key: Key) -> None:
    """Let an object stand by itself, which goes with a table where one is given."""
    made = DbObject(key[0], complete=bool(create.values), base=create.type)
    made.parts.update({("label", label): DbObject("label") for label in create.values})
    made.parts[NAME] = key
    state.journal.write(state.others, key, made)
    if table is not None:
        state.own(table, key)


def _hang_on(state: State, create: CreateObject, table: DbObject, key: Key) -> None:
    """Make something a part of a table, and keep in mind which functions a trigger names."""
    state.set_part(table, key, DbObject(key[0]))
    for word in state.words_of(create.rest) if key[0] == "trigger" else ():
        state.callers.setdefault(word, []).append((table, key))


def _name_of(state: State, create: CreateObject, kind: str) -> str:
    """Return the folded name of what is made, or its text where it has none."""
    rest = create.rest
    if create.name is None:
        return rest.text if rest is not None else ""
    name = state.fold(create.name)
    if kind == "function" and rest is not None:
        return with_arguments(state, name, declared_count(rest.tokens))
    return name


def _create_relation(state: State, create: CreateObject, kind: str, own: SqlName) -> None:
    name = state.fold(own)
    relation = state.relations.get(name)
    if relation is not None:
        if create.or_replace and relation.kind in VIEWS:
            _read(state, create, name, relation)
        if create.or_replace or create.if_not_exists:
            return
        _taken(state, own, kind, name)
    relation = DbObject(kind, text=create.rest.text if create.rest else "")
    state.place(name, relation)
    if kind in VIEWS:
        _read(state, create, name, relation)


def _read(state: State, create: CreateObject, name: str, view: DbObject) -> None:
    """Keep in mind what a view reads."""
    tokens = create.rest.tokens if create.rest is not None else ()
    words = words_read(state, tokens)
    for word in words:
        state.readers.setdefault(word, set()).add(name)
    if has_open_star(state, tokens):
        words |= _columns_meant(state, tokens)
    state.set_part(view, READS, words)


def _columns_meant(state: State, tokens: Sequence[str]) -> frozenset[str]:
    """Return what a `*` in a view stands for: itself, or the columns that PostgreSQL writes there.

    It does so when the view is made: a column that is added later is none of the view's.
    """
    tables = [state.seen_table(table) for table in reading_of(state, tokens).tables.values()]
    if state.is_sqlite or not all(table is not None and table.complete for table in tables):
        return frozenset({"*"})
    columns = (
        f"{table.name}.{name}" for table in tables if table for name in table.names("column")
    )
    return frozenset(columns)


def _taken(state: State, name: SqlName | None, kind: str, folded: str) -> None:
    if name is not None:
        cure = _CURES.get(kind, GUARD_CREATE)
        state.existing_object(name.span, f"the {kind} `{name.name}` stands already", cure, folded)


def _table_of(state: State, create: CreateObject) -> DbObject | None:
    """Return the table that an object is on, where it is on one."""
    if create.what == "rule" and create.rest is not None:
        words = [token.upper() for token in create.rest.tokens]
        at = words.index("TO") + 1 if "TO" in words else len(words)
        name = state.fold_token(create.rest.tokens[at]) if at < len(words) else ""
        return state.table(name) if name else None
    if create.table is None:
        return None
    name = state.fold(create.table)
    if state.is_gone(name):
        reason = f"there is no `{create.table.name}`"
        cure = "Make it in the migration that makes the table."
        state.missing_object(create.table.span, reason, cure, name)
    return state.table(name)


def drop_objects(state: State, drop: Drop) -> None:
    """Take objects away."""
    kind = _KINDS.get(drop.what, drop.what)
    if kind in RELATIONS:
        dropped = {state.fold(name) for name in drop.names}
        for name in drop.names:
            _drop_relation(state, drop, name, dropped)
        return
    for name, count in zip_longest(drop.names, drop.arguments):
        folded = state.fold(name)
        own = with_arguments(state, folded, count) if kind == "function" else folded
        _drop_other(state, drop, (kind, own), name)


def _drop_other(state: State, drop: Drop, key: Key, name: SqlName) -> None:
    kind, folded = key[0], state.fold(name)
    holder: dict[Key, Any] = state.others
    if kind in _OF_TABLES and drop.table is not None and not state.is_sqlite:
        holder = state.table(state.fold(drop.table)).parts
    if holder.get(key, UNKNOWN) is None and not drop.if_exists:
        _gone(state, name, kind, folded)
    state.journal.write(holder, key, None)
    if kind == "function" and drop.cascade:
        for caller, trigger in state.callers.get(folded, ()):
            state.set_part(caller, trigger, None)
    elif kind == "schema":
        _empty_schema(state, folded)


def _empty_schema(state: State, schema: str) -> None:
    for relation in [name for name in state.relations if name.startswith(f"{schema}.")]:
        state.drop_relation(relation)


def _drop_relation(state: State, drop: Drop, name: SqlName, dropped: set[str]) -> None:
    folded = state.fold(name)
    if state.is_gone(folded) and drop.if_exists:
        return
    if not drop.if_exists and (state.is_gone(folded) or state.is_unseen(folded)):
        state.touched_unknown |= folded not in state.relations
        _gone(state, name, _KINDS.get(drop.what, drop.what), folded)
    if drop.cascade:
        _drop_views(state, folded)
        state.journal.remove(state.references, folded)
    else:
        _needed(state, name, folded, dropped)
    state.drop_relation(folded)


def _gone(state: State, name: SqlName, kind: str, folded: str) -> None:
    state.missing_object(name.span, f"there is no {kind} `{name.name}`", GUARD_DROP, folded)


def _drop_views(state: State, name: str) -> None:
    """Take away the views that read a relation, and those that read them."""
    pending = state.views_on(name)
    while pending:
        view = pending.pop()
        if state.relations.get(view) is not None:
            state.drop_relation(view)
            pending += state.views_on(view)


def _needed(state: State, name: SqlName, folded: str, dropped: set[str]) -> None:
    """Note what keeps PostgreSQL from dropping a relation: what refers to it, and what reads it."""
    if state.is_sqlite or state.relations.get(folded) is None:
        return
    tables = [table for table in state.tables_on(folded) if table not in dropped]
    views = [view for view in state.views_on(folded) if view not in dropped]
    if tables:
        reason = f"`{tables[0]}` refers to `{name.name}`"
        state.missing_object(name.span, reason, "Drop what refers to it first.", folded)
    elif views:
        reason = f"the view `{views[0]}` reads it"
        state.existing_object(name.span, reason, "Drop the view first.", folded)


def alter_object(state: State, alter: AlterObject) -> None:
    """Change an object: its name, or the labels of an enumeration."""
    if alter.name is None:
        return
    kind = _KINDS.get(alter.what, alter.what)
    if alter.new_name is not None:
        _rename(state, alter, kind, alter.name, alter.new_name)
    elif kind == "type" and alter.rest is not None:
        _alter_type(state, alter.name, alter.rest.tokens)


def _rename(
    state: State, alter: AlterObject, kind: str, old_name: SqlName, new_name: SqlName
) -> None:
    tokens = alter.rest.tokens if alter.rest is not None else ()
    if kind in RELATIONS:
        _rename_relation(state, alter, kind, old_name, new_name)
    elif kind != "type" or [token.upper() for token in tokens[:1]] != ["TO"]:
        name, new = state.fold(old_name), state.fold(new_name)
        if kind == "function":
            name = with_arguments(state, name, None)
            new = with_arguments(state, new, argument_count(name))
        has_table = kind in _OF_TABLES and len(tokens) > 1
        table = state.table(state.fold_token(tokens[1])) if has_table else None
        keys = (kind, name), (kind, qualified(new, name))
        _rename_other(state, table, keys, (old_name, new_name))


def _rename_other(
    state: State, table: DbObject | None, keys: tuple[Key, Key], names: tuple[SqlName, SqlName]
) -> None:
    """Give an object, which is on a table or by itself, another key; both are old and new."""
    holder: dict[Key, Any] = table.parts if table is not None else state.others
    (kind, old), (_, new) = keys
    old_name, new_name = names
    if holder.get(keys[0], UNKNOWN) is None:
        reason = f"there is no {kind} `{old_name.name}`"
        state.missing_object(old_name.span, reason, _LOOK_FIRST, old)
    if holder.get(keys[1]) is not None:
        reason = f"the {kind} `{new_name.name}` stands already"
        state.existing_object(new_name.span, reason, _LOOK_FIRST, new)
    renamed = holder.get(keys[0]) or DbObject(kind)
    state.journal.write(holder, keys[0], None)
    state.journal.write(holder, keys[1], renamed)
    if table is None:
        state.set_part(renamed, NAME, keys[1])
        if kind == "type":
            _rename_declared(state, old, new)
        called = tuple(name.partition("/")[0] for name in (old, new))
        state.callers.setdefault(called[1], []).extend(state.callers.get(called[0], ()))
        return
    for callers in state.callers.values():
        if (table, keys[0]) in callers:
            callers.append((table, keys[1]))


def _rename_declared(state: State, old: str, new: str) -> None:
    """Let the columns that are of a type be of it under its new name."""
    for table in filter(None, list(state.relations.values())):
        for column in table.names("column"):
            part = table.parts["column", column]
            if part.declared is not None and type_name(part.declared) == old:
                declared = replace(part.declared, name=new, quoted=True)
                state.set_part(table, ("column", column), replace(part, declared=declared))


def _rename_relation(
    state: State, alter: AlterObject, kind: str, old_name: SqlName, new_name: SqlName
) -> None:
    name = state.fold(old_name)
    new = qualified(state.fold(new_name), name)
    if state.is_gone(name):
        if alter.if_exists:
            return
        reason = f"there is no {kind} `{old_name.name}`"
        state.missing_object(old_name.span, reason, "Write `IF EXISTS`.", name)
    if state.relations.get(new) is not None:
        reason = f"`{new_name.name}` stands already"
        state.existing_object(new_name.span, reason, _LOOK_FIRST, new)
    state.rename_relation(name, new)


def _alter_type(state: State, name: SqlName, tokens: tuple[str, ...]) -> None:
    """Add a label to an enumeration, or rename one; or add or drop an attribute or constraint."""
    words = [token.upper() for token in tokens]
    altered = _type(state, state.fold(name))
    verb, kind = (*words, "", "")[:2]
    is_guarded = "EXISTS" in words[2:5]
    rest = tokens[words.index("EXISTS") + 1 if is_guarded else 2 :]
    if not rest or kind not in {"VALUE", "ATTRIBUTE", "CONSTRAINT"}:
        return
    what = {"VALUE": "label"}.get(kind, kind.lower())
    part = (what, rest[0].strip("'") if kind == "VALUE" else state.fold_token(rest[0]))
    if not is_guarded:
        _check_part(state, name, altered, part, verb)
    state.set_part(altered, part, DbObject(what) if verb == "ADD" else None)
    if {"BEFORE", "AFTER"} & set(words):
        state.set_part(altered, UNORDERED, DbObject(what))
    if verb == "RENAME" and words[-2] == "TO":
        state.set_part(altered, (what, tokens[-1].strip("'")), DbObject(what))


def _type(state: State, name: str) -> DbObject:
    """Return the type of a name; where none was seen, it is one of which nothing is known.

    That one stands is no change: what is altered was there before.
    """
    key = ("type", name)
    found = state.others.get(key)
    if found is None:
        found = DbObject("type", parts={NAME: key})
        was_dropped = key in state.others
        state.journal.write(state.others, key, found, is_assumed=not was_dropped)
    return found


def _check_part(state: State, name: SqlName, altered: DbObject, part: Key, verb: str) -> None:
    """Note that a type has a part already that is to be added, or lacks one that is not."""
    what, own = part
    if verb == "ADD" and altered.parts.get(part) is not None:
        reason = f"it has a {what} `{own}` already"
        state.existing_object(name.span, reason, GUARD_CREATE, state.fold(name))
    elif verb != "ADD" and altered.lacks(part):
        cure = GUARD_DROP if verb == "DROP" else _LOOK_FIRST
        reason = f"it has no {what} `{own}` any more"
        state.missing_object(name.span, reason, cure, state.fold(name))
