"""How a database differs from what it was, after a migration and the way back from it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any, Final, Literal, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from dal_audit.standing.journal import UNKNOWN, Write
from dal_audit.standing.model import (
    CONSTRAINT_INDEX,
    GUESSED,
    NAME,
    ROWS,
    ColumnPart,
    ConstraintPart,
    Thing,
)
from dal_audit.standing.state import State

_SHARED: Final = frozenset({"database", "extension", "language", "role", "tablespace"})
"""What belongs to a whole database or server, and others may need."""

Change: TypeAlias = Literal["left", "lost", "changed"]


class Difference(Struct, frozen=True):
    """Something that is not as it was: left behind, lost, or another than it was.

    `what` says what it is, as in "the column `a` of `t`", and `name` is its own name. `step`
    numbers the statement of the way up that is to be undone, or else the first of the way back.
    """

    change: Change
    what: str
    name: str
    step: int


def differences(state: State, mark: int, last_up: int) -> Iterator[Difference]:
    """Yield what differs since a mark of the journal; steps up to `last_up` are the way up.

    A thing's parts are told only where the thing itself stood before and still does; what goes
    with a table is told with the table.
    """
    writes = state.journal.writes[mark:]
    firsts: dict[tuple[int, Any], Write] = {}
    ups: dict[tuple[int, Any], int] = {}
    lasts: dict[tuple[int, Any], int] = {}
    for one in writes:
        key = (id(one.mapping), one.key)
        firsts.setdefault(key, one)
        if one.step <= last_up:
            ups.setdefault(key, one.step)
            lasts[key] = one.step
    before = {
        one.key: one.old
        for one in firsts.values()
        if one.mapping is state.relations or one.mapping is state.others
    }
    parts: dict[int, list[Write]] = {}
    for one in firsts.values():
        parts.setdefault(id(one.mapping), []).append(one)
    for key, first in firsts.items():
        now = first.mapping.get(first.key, UNKNOWN)
        found = _difference(state, first, now, before, parts)
        if found is not None:
            name = key[1] if isinstance(key[1], str) else key[1][1]
            steps = ups if found[0] == "changed" else lasts
            yield Difference(found[0], found[1], name, steps.get(key, first.step))


def _difference(
    state: State,
    first: Write,
    now: Any,
    before: dict[Any, Any],
    parts: dict[int, list[Write]],
) -> tuple[Change, str] | None:
    """Return how a key differs, and what it is called; None where it is as it was."""
    if first.mapping is state.relations:
        return _of_relation(state, first, now, before, parts)
    if first.mapping is state.others:
        kind, name = first.key
        if kind in _SHARED:
            return None
        change = _presence(state, first, now)
        shown = name.partition("/")[0] if kind == "function" else name
        return (change, f"the {kind} `{shown}`") if change else None
    thing = state.holders.get(id(first.mapping))
    if thing is None or first.key in {NAME, ROWS} or GUESSED in (now, first.old):
        return None
    return _of_part(state, thing, first, now, before)


def _presence(state: State, first: Write, now: Any) -> Change | None:
    """Return whether something is left or lost.

    Of what was not known before, that it was made says that it did not stand, and that it was
    dropped, that it did, unless all is known that stands.
    """
    old = first.old
    if old is UNKNOWN:
        is_new = first.new is not None or (state.is_closed and first.mapping is state.relations)
        old = None if is_new else first
    if old is None:
        return "left" if now is not None and now is not UNKNOWN else None
    if now is None and first.old is not UNKNOWN:
        return "lost"
    return None


def _as_it_was(thing: Thing, parts: dict[int, list[Write]]) -> Thing:
    """Return a thing with the parts that it had before they were written."""
    writes = parts.get(id(thing.parts))
    if not writes:
        return thing
    was = dict(thing.parts)
    for one in writes:
        if one.old is UNKNOWN:
            was.pop(one.key, None)
        else:
            was[one.key] = one.old
    return replace(thing, parts=was)


def _of_relation(
    state: State,
    first: Write,
    now: Any,
    before: dict[Any, Any],
    parts: dict[int, list[Write]],
) -> tuple[Change, str] | None:
    old = first.old
    thing = now if isinstance(now, Thing) else old if isinstance(old, Thing) else None
    if thing is None or thing.kind == CONSTRAINT_INDEX or _is_guessed(thing):
        return None  # What a constraint makes is told with the constraint.
    change = _presence(state, first, now)
    if change is None and isinstance(old, Thing) and isinstance(now, Thing) and old is not now:
        difference = _contents(_as_it_was(old, parts), now)
        return ("changed", f"the {now.kind} `{first.key}`{difference}") if difference else None
    if change is None or (thing.table is not None and _goes_with(state, thing, change, before)):
        return None
    if "temporary" in {thing.text, thing.table.text if thing.table is not None else ""}:
        return None  # It goes with the connection.
    return change, f"the {thing.kind} `{first.key}`"


def _is_guessed(thing: Thing) -> bool:
    """Return whether a table is one of which nothing was seen but its name."""
    return thing.kind == "table" and not thing.complete and set(thing.parts) <= {NAME, ROWS}


def _goes_with(state: State, index: Thing, change: Change, before: dict[Any, Any]) -> bool:
    """Return whether an index is left, or lost, because its whole table is."""
    table = index.table
    name = table.parts.get(NAME, "") if table is not None else ""
    if change == "left":
        return not isinstance(before.get(name, state.relations.get(name)), Thing)
    return not isinstance(state.relations.get(name), Thing)


def _contents(old: Thing, new: Thing) -> str:
    """Return in which way a relation that was made anew is another; empty where it is the same."""
    if old.kind != new.kind:
        return f", which was a {old.kind},"
    if new.kind != "table":
        return " with another definition" if _definition(old) != _definition(new) else ""
    if not (old.complete and new.complete):
        return ""
    for name in old.names("column"):
        if new.lacks(("column", name)):
            return f" without the column `{name}`"
    for name in new.names("column"):
        if old.lacks(("column", name)):
            return f" with the column `{name}` besides"
    for name in old.names("column"):
        if old.parts["column", name] != new.parts["column", name]:
            return f" with another definition of `{name}`"
    if _constraints(old) != _constraints(new):
        return " with other constraints"
    return ""


def _definition(thing: Thing) -> tuple[object, ...]:
    return (thing.text.lower(), thing.columns, thing.words, thing.unique)


def _constraints(table: Thing) -> Counter[ConstraintPart]:
    return Counter(table.parts["constraint", name] for name in table.names("constraint"))


def _of_part(
    state: State, thing: Thing, first: Write, now: Any, before: dict[Any, Any]
) -> tuple[Change, str] | None:
    """Return how a part differs of a thing that stood before, and stands."""
    kind, name = first.key
    owner = thing.parts.get(NAME)
    if owner is None or not state.is_standing(thing) or before.get(owner, thing) is not thing:
        return None
    where = f" of `{owner}`" if isinstance(owner, str) else f" of the {owner[0]} `{owner[1]}`"
    change = _presence(state, first, now)
    if change is None and isinstance(first.old, (ColumnPart, ConstraintPart)) and now != first.old:
        change = "changed"
    other = " as another" if change == "changed" else ""
    return (change, f"the {kind} `{name}`{where}{other}") if change else None
