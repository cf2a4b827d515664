"""What `CREATE`, `ALTER` and `DROP` of anything but tables and indexes do to a database.

Sources: PostgreSQL's reference of SQL commands, SQLite's lang_createview.html,
lang_createtrigger.html and lang_droptrigger.html.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest
from typing import Final

from dal_audit.facts.sql import AlterObject, CreateObject, Drop, SqlName
from dal_audit.standing.journal import UNKNOWN
from dal_audit.standing.model import NAME, Key, Thing
from dal_audit.standing.state import State
from dal_audit.standing.tables import GUARD_CREATE, GUARD_DROP

_RELATIONS: Final = frozenset(
    {"table", "index", "view", "materialized view", "sequence", "foreign table"}
)
_VIEWS: Final = frozenset({"view", "materialized view"})
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


def create_object(state: State, one: CreateObject) -> None:
    """Make an object."""
    kind = _KINDS.get(one.what, one.what)
    if kind in _RELATIONS and one.name is not None:
        name = state.fold(one.name)
        if state.relations.get(name) is not None:
            if one.or_replace or one.if_not_exists:
                return
            _taken(state, one.name, kind, name)
        _make_relation(state, one, kind, name)
        return
    name = state.fold(one.name) if one.name is not None else one.rest.text if one.rest else ""
    if kind == "function" and one.rest is not None:
        name = state.with_arguments(name, _argument_count(one.rest.tokens))
    key = (kind, name)
    table = _table_of(state, one)
    text = one.rest.text if one.rest is not None else ""
    if table is not None and not state.is_sqlite:
        if table.parts.get(key) is not None and not one.or_replace:
            if one.if_not_exists:
                return
            _taken(state, one.name, kind, name)
        state.set_part(table, key, Thing(kind, text=text))
        for word in state.words_of(one.rest) if kind == "trigger" else ():
            state.callers.setdefault(word, []).append((table, key))
        return
    if state.others.get(key) is not None and not one.or_replace:
        if one.if_not_exists:
            return
        _taken(state, one.name, kind, name)
    thing = Thing(kind, text=text)
    thing.parts.update({("label", label): Thing("label") for label in one.values})
    thing.parts[NAME] = key
    state.journal.put(state.others, key, thing)
    if table is not None:
        state.own(table, key)


def _make_relation(state: State, one: CreateObject, kind: str, name: str) -> None:
    words = state.words_of(one.rest)
    if kind in _VIEWS:
        for word in words:
            state.readers.setdefault(word, set()).add(name)
    state.place(name, Thing(kind, text=one.rest.text if one.rest else "", words=words))


def _argument_count(tokens: Sequence[str]) -> int | None:
    """Return how many arguments a function takes, by the tokens after its name."""
    if tokens[:1] != ("(",):
        return None
    count, depth = 0, 0
    is_first = True
    for at, spelled in enumerate(tokens):
        if depth == 1 and is_first and spelled != ")":
            count += spelled.upper() not in {"OUT", "TABLE"}
            is_first = False
        depth += (spelled in {"(", "["}) - (spelled in {")", "]"})
        is_first = is_first or (depth == 1 and spelled == ",") or at == 0
        if depth == 0:
            break
    return count


def _taken(state: State, name: SqlName | None, kind: str, folded: str) -> None:
    if name is not None:
        cure = _CURES.get(kind, GUARD_CREATE)
        state.clashes(name.span, f"the {kind} `{name.name}` stands already", cure, folded)


def _table_of(state: State, one: CreateObject) -> Thing | None:
    """Return the table that an object is on, where it is on one."""
    if one.what == "rule" and one.rest is not None:
        words = [token.upper() for token in one.rest.tokens]
        at = words.index("TO") + 1 if "TO" in words else len(words)
        name = state.fold_token(one.rest.tokens[at]) if at < len(words) else ""
        return state.table(name) if name else None
    if one.table is None:
        return None
    name = state.fold(one.table)
    if state.is_gone(name):
        state.misses(
            one.table.span,
            f"there is no `{one.table.name}`",
            "Make it in the migration that makes the table.",
            name,
        )
    return state.table(name)


def drop(state: State, one: Drop) -> None:
    """Take objects away."""
    kind = _KINDS.get(one.what, one.what)
    dropped = {state.fold(name) for name in one.names}
    for name, count in zip_longest(one.names, one.arguments):
        folded = state.fold(name)
        if kind in _RELATIONS:
            _drop_relation(state, one, name, dropped)
            continue
        key = (kind, state.with_arguments(folded, count) if kind == "function" else folded)
        holder: dict[Key, Thing | None] = state.others
        if kind in _OF_TABLES and one.table is not None and not state.is_sqlite:
            holder = state.table(state.fold(one.table)).parts
        if holder.get(key, UNKNOWN) is None and not one.if_exists:
            _gone(state, name, kind, folded)
        state.journal.put(holder, key, None)
        if kind == "function" and one.cascade:
            for table, trigger in state.callers.get(folded, ()):
                state.set_part(table, trigger, None)
        if kind == "schema":
            _drop_schema(state, folded)


def _drop_relation(state: State, one: Drop, name: SqlName, dropped: set[str]) -> None:
    folded = state.fold(name)
    if state.is_gone(folded) and one.if_exists:
        return
    if not one.if_exists and (state.is_gone(folded) or state.is_unseen(folded)):
        state.met_unseen |= folded not in state.relations
        _gone(state, name, _KINDS.get(one.what, one.what), folded)
    if one.cascade:
        _drop_views(state, folded)
    else:
        _needed(state, name, folded, dropped)
    state.drop_relation(folded)


def _gone(state: State, name: SqlName, kind: str, folded: str) -> None:
    state.misses(name.span, f"there is no {kind} `{name.name}`", GUARD_DROP, folded)


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
    thing = state.relations.get(folded)
    if state.is_sqlite or thing is None:
        return
    for (table, _), table_name in state.references.get(folded, {}).items():
        current = state.relations.get(table_name)
        if current is table and table is not thing and table_name not in dropped:
            state.misses(
                name.span,
                f"`{table_name}` refers to `{name.name}`",
                "Drop what refers to it first.",
                folded,
            )
            return
    views = [view for view in state.views_on(folded) if view not in dropped]
    if views:
        state.clashes(name.span, f"the view `{views[0]}` reads it", "Drop the view first.", folded)


def _drop_schema(state: State, schema: str) -> None:
    for name in [one for one in state.relations if one.startswith(f"{schema}.")]:
        state.drop_relation(name)


def alter_object(state: State, one: AlterObject) -> None:
    """Change an object: its name, or the labels of an enumeration."""
    if one.name is None:
        return
    kind = _KINDS.get(one.what, one.what)
    if one.new_name is not None:
        _rename(state, one, one.name, one.new_name)
    elif kind == "type" and one.rest is not None:
        _alter_type(state, one.name, one.rest.tokens)


def _rename(state: State, one: AlterObject, old_name: SqlName, new_name: SqlName) -> None:
    kind = _KINDS.get(one.what, one.what)
    name, new = state.fold(old_name), state.fold(new_name)
    if kind == "function":
        name = state.with_arguments(name, None)
        new = state.with_arguments(new, state.argument_count(name))
    if "." in name and "." not in new:
        new = f"{name.rpartition('.')[0]}.{new}"
    if kind in _RELATIONS:
        if state.is_gone(name):
            if one.if_exists:
                return
            state.misses(
                old_name.span, f"there is no {kind} `{old_name.name}`", "Write `IF EXISTS`.", name
            )
        if state.relations.get(new) is not None:
            state.clashes(new_name.span, f"`{new_name.name}` stands already", _LOOK_FIRST, new)
        state.rename_relation(name, new)
        return
    holder: dict[Key, Thing | None] = state.others
    if kind in _OF_TABLES and one.rest is not None and len(one.rest.tokens) > 1:
        holder = state.table(state.fold_token(one.rest.tokens[1])).parts
    words = [token.upper() for token in one.rest.tokens] if one.rest is not None else []
    if kind == "type" and "TO" in words[:1]:
        return
    if holder.get((kind, name), UNKNOWN) is None:
        state.misses(old_name.span, f"there is no {kind} `{old_name.name}`", _LOOK_FIRST, name)
    if holder.get((kind, new)) is not None:
        state.clashes(
            new_name.span, f"the {kind} `{new_name.name}` stands already", _LOOK_FIRST, new
        )
    thing = holder.get((kind, name)) or Thing(kind)
    state.journal.put(holder, (kind, name), None)
    state.journal.put(holder, (kind, new), thing)
    if holder is state.others:
        state.set_part(thing, NAME, (kind, new))


def _alter_type(state: State, name: SqlName, tokens: tuple[str, ...]) -> None:
    """Add a label to an enumeration, or rename one; or add or drop an attribute or constraint."""
    words = [token.upper() for token in tokens]
    key = ("type", state.fold(name))
    thing = state.others.get(key)
    if thing is None:
        thing = Thing("type", parts={NAME: key})
        state.journal.put(state.others, key, thing)
    verb, kind = (*words, "", "")[:2]
    is_guarded = "EXISTS" in words[2:5]
    skipped = 2 + (0 if not is_guarded else words.index("EXISTS") - 1)
    rest = tokens[skipped:]
    if not rest or kind not in {"VALUE", "ATTRIBUTE", "CONSTRAINT"}:
        return
    what = "label" if kind == "VALUE" else kind.lower()
    part = rest[0].strip("'") if kind == "VALUE" else state.fold_token(rest[0])
    if verb == "ADD":
        if thing.parts.get((what, part)) is not None and not is_guarded:
            state.clashes(name.span, f"it has a {what} `{part}` already", GUARD_CREATE, key[1])
        state.set_part(thing, (what, part), Thing(what))
        return
    if thing.lacks((what, part)) and not is_guarded:
        cure = GUARD_DROP if verb == "DROP" else _LOOK_FIRST
        state.misses(name.span, f"it has no {what} `{part}` any more", cure, key[1])
    state.set_part(thing, (what, part), None)
    if (
        verb == "RENAME"
        and words[skipped + 1 : skipped + 2] == ["TO"]
        and len(rest) == len(("old", "TO", "new"))
    ):
        state.set_part(thing, (what, rest[-1].strip("'")), Thing(what))
