"""The state of a database: what stands, what is known to be gone, and how that is changed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from dal_audit.facts import Span
from dal_audit.facts.sql import Expression, SqlName
from dal_audit.standing.journal import UNKNOWN, Journal
from dal_audit.standing.model import (
    CONSTRAINT_INDEX,
    MAX_NAME,
    NAME,
    SQLITE,
    ColumnPart,
    ConstraintPart,
    Effect,
    Key,
    Problem,
    Thing,
    fold_identifier,
    folded,
)

_WORD: Final = re.compile(r"[^\W\d][\w$]*\Z")
_WORDS: Final = re.compile(r"[^\W\d][\w$]*")
_CLAUSES: Final = re.compile(
    r"\b(EXECUTE)\b(?!\s+(?:FUNCTION|PROCEDURE)\b).*|\b(CREATE|ADD|DROP|RENAME)\b[^;]*",
    re.IGNORECASE | re.DOTALL,
)
"""A statement in a block of code that makes or removes something; of `EXECUTE` all that follows."""


class Doubts(Struct, frozen=True):
    """What code that is run and not followed may have made and removed: the words in it."""

    made: frozenset[str] = frozenset()
    removed: frozenset[str] = frozenset()

    @classmethod
    def of(cls, bodies: Iterable[str]) -> Doubts:
        """Return the doubts that blocks of code leave.

        Code that puts statements together may do anything to what it names.
        """
        made: set[str] = set()
        removed: set[str] = set()
        for body in bodies:
            for found in _CLAUSES.finditer(body):
                words = {one.lower()[:MAX_NAME] for one in _WORDS.findall(found[0])}
                verb = (found[1] or found[2]).upper()
                if verb != "DROP":
                    made |= words
                if verb not in {"CREATE", "ADD"}:
                    removed |= words
        return cls(frozenset(made), frozenset(removed))


class State:
    """A database of one backend.

    Nothing is known of it at first. `relations` are what shares one set of names: tables, views,
    indexes, sequences; `others` everything else, by kind and name. None stands for what is known to
    be absent. Whatever is written goes through `journal`.
    """

    def __init__(self, backend: str) -> None:
        """Begin with a database that nothing is known of."""
        self.backend = backend
        self.journal = Journal()
        self.relations: dict[str, Thing | None] = {}
        self.others: dict[Key, Thing | None] = {}
        self.references: dict[str, dict[tuple[Thing, str], str]] = {}
        """The foreign keys that refer to a table: whose they are, their names and that table's."""
        self.former: dict[str, set[str]] = {}
        """All columns that tables of a name ever had; it only grows."""
        self.readers: dict[str, set[str]] = {}
        """The views that ever read a relation of a name; it only grows."""
        self.holders: dict[int, Thing] = {}
        """The things by the identity of their parts; it only grows."""
        self.is_closed = True
        """Whether no relation stands that was not seen being made."""
        self.met_unseen = False
        """Whether the statement that is run has met one that stands all the same."""
        self.callers: dict[str, list[tuple[Thing, Key]]] = {}
        """The triggers that ever named a function, with their tables; it only grows."""
        self.counts: dict[str, set[int]] = {}
        """How many arguments functions of a name ever had; it only grows."""
        self.problems: list[Problem] = []
        self.is_trial = False
        """Whether the statement that is run does nothing where it fails."""
        self.doubts = Doubts()
        self._folded: dict[tuple[tuple[str, ...], tuple[bool, ...]], str] = {}
        self._spelled: dict[str, str] = {}
        self._numbers: dict[tuple[Thing | None, str], int] = {}

    # What is wrong

    def clashes(self, span: Span, reason: str, cure: str, *names: str) -> None:
        """Note that the statement fails for what stands, unless code may have removed that."""
        if self.doubts.removed.isdisjoint(map(last_of, names)):
            self.problems.append(Problem(span, "fails", reason, cure))

    def misses(self, span: Span, reason: str, cure: str, *names: str) -> None:
        """Note that the statement fails for what is gone, unless code may have made that."""
        if self.doubts.made.isdisjoint(map(last_of, names)):
            self.problems.append(Problem(span, "fails", reason, cure))

    def changes(self, effect: Effect, span: Span, reason: str, cure: str) -> None:
        """Note that the statement runs, and changes something."""
        self.problems.append(Problem(span, effect, reason, cure))

    # Names

    def fold(self, name: SqlName) -> str:
        """Return the name by which the backend finds an object."""
        key = (name.parts, name.quoted)
        found = self._folded.get(key)
        if found is None:
            found = self._folded[key] = folded(name, self.backend)
        return found

    def fold_token(self, token: str) -> str:
        """Return the name that a token spells, as the backend folds it; empty where it is none."""
        found = self._spelled.get(token)
        if found is None:
            found = self._spelled[token] = self._fold_token(token)
        return found

    def _fold_token(self, token: str) -> str:
        if len(token) > 1 and token[0] in '"`[':
            return fold_identifier(token[1:-1], self.backend, quoted=token[0] == '"')
        return fold_identifier(token, self.backend, quoted=False) if _WORD.match(token) else ""

    def words_of(self, *expressions: Expression | None) -> frozenset[str]:
        """Return all names in expressions, folded."""
        found = {
            self.fold_token(token) for one in expressions if one is not None for token in one.tokens
        }
        return frozenset(found - {""})

    def next_free(self, within: Thing | None, stem: str, is_taken: Callable[[str], bool]) -> str:
        """Return a name that is not taken: the stem, or the stem with a number.

        It goes on from the last number that was given, so that many names take no longer each.
        """
        if not is_taken(stem):
            return stem
        number = self._numbers.get((within, stem), 1)
        while is_taken(f"{stem}{number}"):
            number += 1
        self._numbers[within, stem] = number
        return f"{stem}{number}"

    # Relations

    def table(self, name: str) -> Thing:
        """Return the table of a name.

        Where none was seen being made it is one of which nothing is known. That it stands is then
        nothing that the statement did, and is not noted as such.
        """
        thing = self.relations.get(name)
        if thing is None:
            thing = Thing("table", parts={NAME: name})
            if name in self.relations:
                self.place(name, thing)
            else:
                self.met_unseen = True
                self.relations[name] = thing
        return thing

    def is_gone(self, name: str) -> bool:
        """Return whether a relation is known to be absent."""
        return self.relations.get(name, UNKNOWN) is None

    def is_standing(self, thing: Thing) -> bool:
        """Return whether a relation, or a type, still stands."""
        name = thing.parts.get(NAME, "")
        return (self.others if isinstance(name, tuple) else self.relations).get(name) is thing

    def is_unseen(self, name: str) -> bool:
        """Return whether a relation was never made, although all is known that was."""
        return self.is_closed and name not in self.relations

    def place(self, name: str, thing: Thing) -> None:
        """Let a relation stand."""
        self.journal.put(self.relations, name, thing)
        self.set_part(thing, NAME, name)

    def remember(self, table: str, column: str) -> None:
        """Keep in mind that a table of a name had a column."""
        self.former.setdefault(table, set()).add(column)

    def own(self, table: Thing, key: Key) -> None:
        """Let what has a name of its own go with a table."""
        self.journal.put(table.owned, key, None)

    def indexes_of(self, table: Thing) -> Iterator[tuple[str, Thing]]:
        """Yield the indexes of a table that stand, with their names."""
        for kind, name in list(table.owned):
            if kind == "relation":
                index = self.relations.get(name)
                if index is not None and index.table is table:
                    yield name, index

    def drop_relation(self, name: str) -> None:
        """Take a relation away, with all that goes with it."""
        thing = self.relations.get(name)
        self.journal.put(self.relations, name, None)
        if thing is None:
            return
        if thing.table is not None:
            self.journal.remove(thing.table.owned, ("relation", name))
        for constraint in thing.names("constraint"):
            self.unrefer(thing, constraint)
        for kind, owned in thing.owned:
            if kind == "relation":
                self.journal.put(self.relations, owned, None)
            else:
                self.journal.put(self.others, (kind, owned), None)

    def views_on(self, name: str) -> list[str]:
        """Return the views that read a relation, in the order of their names."""
        return [
            view
            for view in sorted(self.readers.get(name, ()))
            if (thing := self.relations.get(view)) is not None and name in thing.words
        ]

    def rename_relation(self, old: str, new: str) -> None:
        """Give a relation another name; what belongs to it keeps its own."""
        thing = self.table(old)
        self.journal.put(self.relations, old, None)
        self.place(new, thing)
        self.former.setdefault(new, set()).update(self.former.get(old, ()))
        if old in self.references:
            self.journal.put(self.references, new, self.references[old])
            self.journal.remove(self.references, old)
        if thing.table is None:
            return
        self.journal.remove(thing.table.owned, ("relation", old))
        self.own(thing.table, ("relation", new))
        constraint = thing.table.parts.get(("constraint", old))
        if thing.kind == CONSTRAINT_INDEX and constraint is not None:
            self.set_part(thing.table, ("constraint", old), None)
            self.set_part(thing.table, ("constraint", new), constraint)

    def with_arguments(self, name: str, count: int | None) -> str:
        """Return the name of a function with the number of its arguments, as `f/2`.

        Functions of one name are told apart by that alone. Where no number is given, it is the one
        that stands, or the bare name.
        """
        if count is not None:
            self.counts.setdefault(name, set()).add(count)
            return f"{name}/{count}"
        known = [f"{name}/{one}" for one in sorted(self.counts.get(name, ()))]
        standing = (one for one in known if self.others.get(("function", one)) is not None)
        return next(standing, known[0] if known else name)

    def argument_count(self, name: str) -> int | None:
        """Return the number in what `with_arguments` returned; None for a bare name."""
        count = name.rpartition("/")[2]
        return int(count) if "/" in name and count.isdigit() else None

    # Parts

    def set_part(self, thing: Thing, key: Key, part: object) -> None:
        """Set a part of a thing; None says that it is absent."""
        self.holders[id(thing.parts)] = thing
        self.journal.put(thing.parts, key, part)

    def refer(self, table: Thing, table_name: str, name: str, part: ConstraintPart) -> None:
        """Keep in mind that a foreign key refers to a table."""
        if part.kind == "references" and part.table:
            holders = self.references.get(part.table)
            if holders is None:
                holders = {}
                self.journal.put(self.references, part.table, holders)
            self.journal.put(holders, (table, name), table_name)

    def unrefer(self, table: Thing, name: str) -> None:
        """Forget a foreign key, where the constraint of a name is one."""
        part = table.parts.get(("constraint", name))
        if isinstance(part, ConstraintPart) and part.kind == "references":
            self.journal.remove(self.references.get(part.table, {}), (table, name))

    def drop_column(self, table: Thing, column: str) -> None:
        """Take a column away, with the indexes and constraints that use it."""
        self.set_part(table, ("column", column), None)
        for name, index in self.indexes_of(table):
            if column in index.words:
                self.drop_relation(name)
        for name in table.names("constraint"):
            if column in table.parts[("constraint", name)].columns:
                self.drop_constraint(table, name)

    def drop_constraint(self, table: Thing, name: str) -> None:
        """Take a constraint away, with its index."""
        self.unrefer(table, name)
        self.set_part(table, ("constraint", name), None)
        index = self.relations.get(name)
        if index is not None and index.table is table:
            self.drop_relation(name)

    def rename_column(self, table: Thing, old: str, new: str) -> None:
        """Give a column another name, also in the indexes and constraints of its table."""

        def renamed(columns: tuple[str, ...]) -> tuple[str, ...]:
            return tuple(new if one == old else one for one in columns)

        part = table.parts.get(("column", old))
        self.set_part(table, ("column", old), None)
        self.set_part(table, ("column", new), part or EMPTY)
        for name, index in self.indexes_of(table):
            if old in index.words:
                words = (index.words - {old}) | {new}
                self.place(name, replace(index, columns=renamed(index.columns), words=words))
        for name in table.names("constraint"):
            one = table.parts[("constraint", name)]
            if old in one.columns:
                self.set_part(
                    table, ("constraint", name), replace(one, columns=renamed(one.columns))
                )

    @property
    def is_sqlite(self) -> bool:
        """Whether this is a database of SQLite."""
        return self.backend == SQLITE


def last_of(name: str) -> str:
    """Return the last part of a folded name, in lower case, without a number of arguments."""
    return name.rpartition(".")[2].partition("/")[0].lower()


EMPTY: Final = ColumnPart()
"""A column of which nothing is known but its name."""
