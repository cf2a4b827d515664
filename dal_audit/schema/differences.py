"""How a database differs from what it was, after a migration and the way back from it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any, Final, Literal, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from dal_audit.schema.journal import UNKNOWN, Write
from dal_audit.schema.objects_model import (
    CONSTRAINT_INDEX,
    COPIED,
    EMPTY,
    GUESSED,
    NAME,
    TEMPORARY,
    UNORDERED,
    UNSAID,
    ColumnPart,
    ConstraintPart,
    DbObject,
)
from dal_audit.schema.state import State

_SHARED: Final = frozenset({"database", "extension", "language", "role", "tablespace"})
"""What belongs to a whole database or server, and others may need."""

Change: TypeAlias = Literal["left", "lost", "changed", "copied"]
"""How it differs; what is `copied` is another because a tool's copy of its table made it so."""


class Difference(Struct, frozen=True):
    """Something that is not as it was: left behind, lost, or another than it was.

    `what` says what it is, as in "the column `a` of `t`", and `name` is its own name. `step`
    numbers the statement of the way up that is to be undone, or else the first of the way back.
    `table` is the folded name of the table that it is a part of; empty where it is none.
    """

    change: Change
    what: str
    name: str
    step: int
    table: str = ""


def differences(state: State, savepoint: int, last_up: int) -> Iterator[Difference]:
    """Yield what differs since a point of the journal; steps up to `last_up` are the way up.

    An object's parts are told only where it stood before and still does; what goes with a table is
    told with the table.
    """
    writes = state.journal.writes[savepoint:]
    firsts: dict[tuple[int, Any], Write] = {}
    ups: dict[tuple[int, Any], int] = {}
    lasts: dict[tuple[int, Any], int] = {}
    for write in writes:
        key = (id(write.mapping), write.key)
        firsts.setdefault(key, write._replace(old=write.new) if write.is_assumed else write)
        if write.step <= last_up:
            ups.setdefault(key, write.step)
            lasts[key] = write.step
    comparison = _Comparison(state, list(firsts.values()))
    for key, first in firsts.items():
        change, what = comparison.of(first) or (None, "")
        if change is not None:
            name = key[1] if isinstance(key[1], str) else key[1][1]
            steps = ups if change in {"changed", "copied"} else lasts
            step = steps.get(key, first.step)
            yield Difference(change, what, name, step, _table_of(state, first))


def _table_of(state: State, first: Write) -> str:
    """Return the name of the table whose part, or index, was written; empty where it is none."""
    owner = state.owner_of_parts.get(id(first.mapping))
    if owner is None and first.mapping is state.relations:
        relation = first.old if isinstance(first.old, DbObject) else first.new
        owner = relation.table if isinstance(relation, DbObject) else None
    name = owner.parts.get(NAME, "") if owner is not None else ""
    return name if isinstance(name, str) else ""


class _Comparison:
    """Compares what stands with what stood before the first writes to each key."""

    def __init__(self, state: State, firsts: list[Write]) -> None:
        self._state = state
        self._before = {
            write.key: write.old
            for write in firsts
            if write.mapping is state.relations or write.mapping is state.others
        }
        self._parts: dict[int, list[Write]] = {}
        for write in firsts:
            self._parts.setdefault(id(write.mapping), []).append(write)

    def of(self, first: Write) -> tuple[Change, str] | None:
        """Return how a key differs, and what it is called; None where it is as it was."""
        now = first.mapping.get(first.key, UNKNOWN)
        if first.mapping is self._state.relations:
            return self._of_relation(first, now)
        if first.mapping is self._state.others:
            kind, name = first.key
            change = _presence(self._state, first, now) if kind not in _SHARED else None
            shown = name.partition("/")[0] if kind == "function" else name
            if change is None and kind == "type" and self._has_other_labels(first.old, now):
                return "changed", f"the type `{name}` with other labels"
            return (change, f"the {kind} `{shown}`") if change else None
        owner = self._state.owner_of_parts.get(id(first.mapping))
        if owner is None or first.key in UNSAID or GUESSED in (now, first.old):
            return None
        if first.old is EMPTY:  # It was altered, and not made.
            return None
        return self._of_part(owner, first, now)

    def _of_relation(self, first: Write, now: Any) -> tuple[Change, str] | None:
        relation = now if isinstance(now, DbObject) else first.old
        if not isinstance(relation, DbObject) or _is_unsaid(relation):
            return None
        change = _presence(self._state, first, now)
        if change is None:
            return self._of_remade(first, now)
        is_told = relation.table is not None and self._goes_with(relation.table, change)
        return None if is_told else (change, f"the {relation.kind} `{first.key}`")

    def _of_remade(self, first: Write, now: Any) -> tuple[Change, str] | None:
        """Return how a relation differs that stood before, and was made anew."""
        old = first.old
        if old is now or not isinstance(old, DbObject) or not isinstance(now, DbObject):
            return None
        was = self._as_it_was(old)
        if _is_disordered(was, now):
            return "copied", f"the index `{first.key}` without the order or collation of its keys"
        difference = _contents(was, now)
        if not difference and not self._state.is_sqlite:
            difference = _other_name(was, now)
        return ("changed", f"the {now.kind} `{first.key}`{difference}") if difference else None

    def _has_other_labels(self, old: Any, now: Any) -> bool:
        """Return whether an enumeration was made anew with other labels, or in another order."""
        if old is now or not isinstance(old, DbObject) or not isinstance(now, DbObject):
            return False
        was = self._as_it_was(old)
        labels, others = was.names("label"), now.names("label")
        if not (was.complete and now.complete) or UNORDERED in (
            was.parts.keys() | now.parts.keys()
        ):
            return False
        return labels != others

    def _as_it_was(self, relation: DbObject) -> DbObject:
        """Return a relation with the parts that it had before they were written."""
        was = dict(relation.parts)
        for write in self._parts.get(id(relation.parts), ()):
            if write.old is UNKNOWN:
                was.pop(write.key, None)
            else:
                was[write.key] = write.old
        return replace(relation, parts=was)

    def _goes_with(self, table: DbObject, change: Change) -> bool:
        """Return whether an index is left, or lost, because its whole table is."""
        now = self._state.relations.get(table.name)
        return not isinstance(
            self._before.get(table.name, now) if change == "left" else now, DbObject
        )

    def _of_part(self, thing: DbObject, first: Write, now: Any) -> tuple[Change, str] | None:
        """Return how a part differs of an object that stood before, and stands."""
        kind, name = first.key
        owner = thing.parts.get(NAME)
        if owner is None or self._before.get(owner, thing) is not thing:
            return None
        change = _presence(self._state, first, now)
        if change is None and _is_redefined(first.old, now, self._state):
            change = "changed"
        if change is None or not self._state.is_standing(thing):
            return None
        where = f" of `{owner}`" if isinstance(owner, str) else f" of the {owner[0]} `{owner[1]}`"
        return change, f"the {kind} `{name}`{where}{' as another' if change == 'changed' else ''}"


def _presence(state: State, first: Write, now: Any) -> Change | None:
    """Return whether something is left or lost.

    Of what was not known before, that it was made says that it did not stand, and that it was
    dropped, that it did, unless all is known that stands.
    """
    old = first.old
    if old is UNKNOWN:
        is_new = first.new is not None or (state.is_all_seen and first.mapping is state.relations)
        old = None if is_new else first
    if old is None:
        return "left" if now is not None and now is not UNKNOWN else None
    if now is None and first.old is not UNKNOWN:
        return "lost"
    return None


def _is_unsaid(relation: DbObject) -> bool:
    """Return whether a relation is told with another, or is not known to have been made.

    What a constraint makes is told with the constraint; a table of which nothing was seen but its
    name is guessed; and what is temporary goes with the connection.
    """
    is_guessed = (
        relation.kind == "table" and not relation.complete and set(relation.parts) <= UNSAID
    )
    texts = {relation.text, relation.table.text if relation.table is not None else ""}
    return is_guessed or relation.kind == CONSTRAINT_INDEX or TEMPORARY in texts


def _contents(old: DbObject, new: DbObject) -> str:
    """Return in which way a relation that was made anew is another; empty where it is the same."""
    if old.kind != new.kind:
        return f", which was a {old.kind},"
    if new.kind != "table":
        is_known = all(own.kind != "index" or own.words for own in (old, new))
        is_other = is_known and _definition(old) != _definition(new)
        return " with another definition" if is_other else ""
    if not (old.complete and new.complete):
        return ""
    constraints = [Counter(part.definition for part in table.constraints()) for table in (old, new)]
    is_constrained = constraints[0] == constraints[1]
    return _columns(old, new) or ("" if is_constrained else " with other constraints")


def _other_name(old: DbObject, new: DbObject) -> str:
    """Return which constraint of a table that was made anew is called otherwise, where one is.

    SQLite has no use for such a name; in PostgreSQL it is what `DROP CONSTRAINT` finds it by.
    """
    if not (old.complete and new.complete):
        return ""
    names, new_names = _given_names(old), _given_names(new)
    for definition, given in names.items():
        others = new_names.get(definition, given)
        if len(given) == len(others) and given != others:
            name, other = min(given - others), min(others - given)
            return f" with the constraint `{name}` as `{other}`"
    return ""


def _given_names(table: DbObject) -> dict[object, set[str]]:
    """Return the names that constraints of a table were given, by what makes them others."""
    found: dict[object, set[str]] = {}
    for name in table.names("constraint"):
        part = table.parts["constraint", name]
        if part.has_name:
            found.setdefault(part.definition, set()).add(name)
    return found


def _columns(old: DbObject, new: DbObject) -> str:
    """Return in which way the columns of a table that was made anew are others."""
    names, new_names = old.names("column"), new.names("column")
    less = [name for name in names if new.lacks(("column", name))]
    more = [name for name in new_names if old.lacks(("column", name))]
    if less or more:
        return (
            f" without the column `{less[0]}`" if less else f" with the column `{more[0]}` besides"
        )
    for name in names:
        if not _is_alike(old.parts["column", name], new.parts["column", name]):
            return f" with another definition of `{name}`"
    return ""


def _is_disordered(old: DbObject, new: DbObject) -> bool:
    """Return whether an index differs in what a copy of its table lost, and in nothing else."""
    is_copy = new.kind == old.kind == "index" and new.text == COPIED
    return is_copy and old.text not in {"", COPIED} and _contents(replace(old, text=""), new) == ""


def _definition(thing: DbObject) -> tuple[object, ...]:
    text = "" if thing.text == COPIED else thing.text.lower()
    return (text, thing.columns, thing.words, thing.unique)


def _is_alike(old: ColumnPart | ConstraintPart, new: ColumnPart | ConstraintPart) -> bool:
    """Return whether two parts are the same, as far as is known."""
    if isinstance(old, ColumnPart) and isinstance(new, ColumnPart) and not (old.type and new.type):
        return old.definition[1:] == new.definition[1:]
    return old.definition == new.definition


def _is_redefined(old: Any, new: Any, state: State) -> bool:
    """Return whether a column or a constraint is another than it was.

    PostgreSQL keeps the default of a truth value as one, however it is written.
    """
    if not isinstance(old, (ColumnPart, ConstraintPart)):
        return False
    if isinstance(old, ColumnPart) and isinstance(new, ColumnPart) and not state.is_sqlite:
        old, new = _with_truth(old), _with_truth(new)
    return not isinstance(new, type(old)) or not _is_alike(old, new)


_TRUTHS: Final = {
    "true": "true", "'true'": "true", "'t'": "true", "'1'": "true",
    "false": "false", "'false'": "false", "'f'": "false", "'0'": "false",
}  # fmt: skip
"""How a truth value is written, and how PostgreSQL keeps it."""


def _with_truth(column: ColumnPart) -> ColumnPart:
    """Return a column with its default as PostgreSQL keeps it, where it is a truth value."""
    if column.default is None or column.type.lower() not in {"boolean", "bool"}:
        return column
    return replace(column, default=_TRUTHS.get(column.default.lower(), column.default))
