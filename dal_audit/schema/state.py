"""The state of a database: what stands, what is known to be gone, and how that is changed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from dal_audit.facts import Span
from dal_audit.facts.sql import Expression, SqlName
from dal_audit.schema.divergence_kinds import Divergence
from dal_audit.schema.journal import UNKNOWN, Journal
from dal_audit.schema.objects_model import (
    CONSTRAINT_INDEX,
    NAME,
    POSTGRESQL,
    READS,
    SQLITE,
    TEMPORARY,
    ConstraintPart,
    DbObject,
    Effect,
    Key,
    Problem,
    fold_identifier,
    folded,
)
from dal_audit.schema.opaque_code import NONE, OpaqueCode

_WORD: Final = re.compile(r"[^\W\d][\w$]*\Z")


class State:
    """A database of one backend.

    Nothing is known of it at first. `relations` are what shares one set of names: tables, views,
    indexes, sequences; `others` everything else, by kind and name. None stands for what is known to
    be absent. Whatever is written goes through `journal`.
    """

    is_chained = False
    """Whether each script says which one is run before it."""
    is_copying = False
    """Whether the statement that is run makes its table anew, and copies the rows."""
    is_undoing = False
    """Whether the statement that is run takes back what a script did just before."""
    is_guarded = False
    """Whether the statement that is run may not be: the code around it looks first."""
    is_optional = False
    """Whether the statement is run under a condition of which nothing is known."""
    makes_operators = False
    """Whether operators or casts were made, so that types fit together in other ways."""
    hides_types = False
    """Whether something was run that may have made types which no text shows."""
    has_others = False
    """Whether tables stand that no script of these makes: those of other packages' migrations."""
    touched_unknown = False
    """Whether the statement that is run has met one that stands all the same."""

    def __init__(self, backend: str) -> None:
        """Begin with a database that nothing is known of."""
        self.backend = backend
        self.is_sqlite = backend == SQLITE
        """Whether this is a database of SQLite."""
        self.journal = Journal()
        self.relations: dict[str, DbObject | None] = {}
        self.others: dict[Key, DbObject | None] = {}
        self.references: dict[str, dict[tuple[DbObject, str], None]] = {}
        """The foreign keys that refer to a table, by the tables whose they are and their names."""
        self.file = 0
        """The number of the script that is being run."""
        self.made: dict[str, int] = {}
        """In which script each relation that stands was made, where that was seen."""
        self.dropped: dict[str, int] = {}
        """In which script each relation that is gone was dropped, where it was seen being made."""
        self.placed: set[str] = set()
        """The relations that the statement which is run has made."""
        self.to_come: dict[str, int] = {}
        """How many statements of the script are still to make a table of a name."""
        self.spelled: dict[str, str] = {}
        """Names of tables in lower case, and as PostgreSQL keeps them; it only grows."""
        self.former_columns: dict[str, set[str]] = {}
        """All columns that tables of a name ever had; it only grows."""
        self.readers: dict[str, set[str]] = {}
        """The views that ever read a relation of a name; it only grows."""
        self.owner_of_parts: dict[int, DbObject] = {}
        """The objects by the identity of their parts; it only grows."""
        self.sees_all = True
        """Whether no relation stands that was not seen being made."""
        self.callers: dict[str, list[tuple[DbObject, Key]]] = {}
        """The triggers that ever named a function, with their tables; it only grows."""
        self.counts: dict[str, set[int]] = {}
        """How many arguments functions of a name ever had; it only grows."""
        self.problems: list[Problem] = []
        self.is_trial = False
        """Whether the statement that is run does nothing where it fails."""
        self.is_refusing = False
        """Whether the engine takes the statement that is run in no version, whatever stands."""
        self.divergences: dict[Divergence, None] = {}
        """What SQLite makes of the statement that is run otherwise than PostgreSQL."""
        self.opaque_code = NONE
        self.former_code: dict[int, OpaqueCode] = {}
        """The code that is run and not followed, by the scripts that run it; it only grows."""
        self.readings: dict[tuple[int, str], tuple[Sequence[str], Any]] = {}
        """What statements read, by the identity of their tokens and their tables."""
        self._folded: dict[tuple[tuple[str, ...], tuple[bool, ...]], str] = {}
        self._folded_names: dict[int, tuple[SqlName, str]] = {}  # By their identity.
        self._spelled: dict[str, str] = {}
        self._numbers: dict[tuple[DbObject | None, str], int] = {}

    @property
    def run(self) -> tuple[int, bool]:
        """The run that a statement belongs to: its script's number, and whether it is a trial."""
        return self.file, self.is_trial

    @property
    def is_all_seen(self) -> bool:
        """Whether no relation stands but those that were seen being made."""
        return self.sees_all and not self.has_others

    # What is wrong

    def existing_object(self, span: Span, reason: str, cure: str, *names: str) -> None:
        """Note that the statement fails for what stands, unless code may have removed that."""
        if not self.opaque_code.may_remove_any(names):
            self.problems.append(Problem(span, "fails", reason, cure))

    def missing_object(self, span: Span, reason: str, cure: str, *names: str) -> None:
        """Note that the statement fails for what is gone, unless code may have made that."""
        if not self.opaque_code.may_make_any(names):
            self.problems.append(Problem(span, "fails", reason, cure))

    def note_change(self, effect: Effect, span: Span, reason: str, cure: str) -> None:
        """Note that the statement runs, and changes something."""
        self.problems.append(Problem(span, effect, reason, cure))

    # Names

    def fold(self, name: SqlName) -> str:
        """Return the name by which the backend finds an object."""
        known = self._folded_names.get(id(name))
        return known[1] if known is not None else self._fold(name)

    def _fold(self, name: SqlName) -> str:
        key = (name.parts, name.quoted)
        found = self._folded.get(key)
        if found is None:
            found = self._folded[key] = folded(name, self.backend)
        self._folded_names[id(name)] = name, found
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
            self.fold_token(token)
            for expression in expressions
            if expression is not None
            for token in expression.tokens
        }
        return frozenset(found - {""})

    def next_free(self, within: DbObject | None, stem: str, is_taken: Callable[[str], bool]) -> str:
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

    def spell(self, name: SqlName) -> None:
        """Keep in mind in which case a table's name is written."""
        self.spelled[self.fold(name).lower()] = folded(name, POSTGRESQL)

    # What is known for sure

    def is_certain(self, name: str) -> bool:
        """Return whether a relation was made in the script that is being run.

        Of another script it is not known for sure that it is run before, and that nothing between
        was left out; unless each script says itself which one is run before it. What is run under a
        condition may be run for the very reason that it is otherwise.
        """
        if self.is_optional:
            return False
        relation = self.seen(name)
        is_known = self.is_chained and self.sees_all and relation is not None
        return (is_known or self.made.get(name) == self.file) and not self.may_be_lost(name)

    def may_be_lost(self, name: str) -> bool:
        """Return whether code that was run since may have dropped an index of a table it names."""
        index = self.seen(name)
        table = index.table if index is not None else None
        return table is not None and any(
            code.may_remove_any((table.name,))
            for script, code in self.former_code.items()
            if script >= self.made[name]
        )

    def is_dropped_here(self, name: str) -> bool:
        """Return whether a relation was made before, and dropped in this script for certain."""
        return not self.is_optional and self.dropped.get(name) == self.file

    def seen(self, name: str) -> DbObject | None:
        """Return a relation that stands, and was seen being made; those that pass are none."""
        relation = self.relations.get(name) if name in self.made else None
        return relation if relation is not None and relation.text != TEMPORARY else None

    def seen_table(self, name: str) -> DbObject | None:
        """Return a table that stands, and was seen being made."""
        relation = self.seen(name)
        return relation if relation is not None and relation.kind == "table" else None

    def doubt_tables(self) -> None:
        """Let the tables that the code of the script names have columns that were not seen."""
        for name, relation in self.relations.items():
            if relation is not None and relation.complete and self.opaque_code.names(name):
                relation.complete = False

    def doubt_absence(self) -> None:
        """Let what is known to be absent stand again, for all that is known, that code may make."""
        for name, relation in list(self.relations.items()):
            if relation is None and self.opaque_code.may_make(name):
                self.journal.remove(self.relations, name)

    # Relations

    def table(self, name: str) -> DbObject:
        """Return the table of a name.

        Where none was seen being made it is one of which nothing is known. That it stands is then
        nothing that the statement did, and is not noted as such.
        """
        table = self.relations.get(name)
        if table is None:
            table = DbObject("table", parts={NAME: name})
            if name in self.relations:
                self.stand(name, table)
            else:
                self.touched_unknown = True
                self.relations[name] = table
        return table

    def is_gone(self, name: str) -> bool:
        """Return whether a relation is known to be absent."""
        return self.relations.get(name, UNKNOWN) is None

    def is_standing(self, thing: DbObject) -> bool:
        """Return whether a relation, or a type, still stands."""
        name = thing.parts.get(NAME, "")
        return (self.others if isinstance(name, tuple) else self.relations).get(name) is thing

    def knows_indexes_of(self, table: DbObject, index: str) -> bool:
        """Return whether an index of a table would have been seen, had it been made.

        Only a statement behind the one that made the table can make one, or code that names it.
        """
        code = [own for script, own in self.former_code.items() if script >= table.script]
        return table.script > 0 and not any(own.may_make(index) for own in code)

    def is_unseen(self, name: str) -> bool:
        """Return whether a relation was never made, although all is known that was."""
        return self.is_all_seen and name not in self.relations

    def stand(self, name: str, relation: DbObject) -> None:
        """Let a relation stand of which it was not seen how it was made."""
        self.journal.write(self.relations, name, relation)
        self.set_part(relation, NAME, name)

    def place(self, name: str, relation: DbObject) -> None:
        """Let a relation stand that was made."""
        self.stand(name, relation)
        relation.refused = relation.refused or self.is_refusing
        self.journal.write(self.made, name, self.file)
        self.journal.remove(self.dropped, name)
        self.placed.add(name)

    def _remove(self, name: str) -> None:
        """Let a relation be absent."""
        self.journal.write(self.relations, name, None)
        if name in self.made:
            self.journal.remove(self.made, name)
            self.journal.write(self.dropped, name, self.file)

    def remember(self, table: str, column: str) -> None:
        """Keep in mind that a table of a name had a column."""
        self.former_columns.setdefault(table, set()).add(column)

    def own(self, table: DbObject, key: Key) -> None:
        """Let what has a name of its own go with a table."""
        self.journal.write(table.owned, key, None)

    def indexes_of(self, table: DbObject) -> Iterator[tuple[str, DbObject]]:
        """Yield the indexes of a table that stand, with their names."""
        for kind, name in list(table.owned):
            if kind == "relation":
                index = self.relations.get(name)
                if index is not None and index.table is table:
                    yield name, index

    def drop_relation(self, name: str) -> None:
        """Take a relation away, with all that goes with it."""
        relation = self.relations.get(name)
        self._remove(name)
        if relation is None:
            return
        if relation.table is not None:
            self.journal.remove(relation.table.owned, ("relation", name))
        for constraint in relation.names("constraint"):
            self.unrefer(relation, constraint)
        for kind, owned in relation.owned:
            if kind == "relation":
                self._remove(owned)
            else:
                self.journal.write(self.others, (kind, owned), None)

    def rename_relation(self, old: str, new: str) -> None:
        """Give a relation another name; what belongs to it keeps its own."""
        relation = self.table(old)
        bear = self.place if old in self.made else self.stand
        self._remove(old)
        bear(new, relation)
        self.former_columns.setdefault(new, set()).update(self.former_columns.get(old, ()))
        if old in self.references:
            self.journal.write(self.references, new, self.references[old])
            self.journal.remove(self.references, old)
        if relation.table is None:
            return
        self.journal.remove(relation.table.owned, ("relation", old))
        self.own(relation.table, ("relation", new))
        constraint = relation.table.parts.get(("constraint", old))
        if relation.kind == CONSTRAINT_INDEX and constraint is not None:
            self.set_part(relation.table, ("constraint", old), None)
            self.set_part(relation.table, ("constraint", new), constraint)

    # What depends on what

    def set_part(self, thing: DbObject, key: Key, part: object) -> None:
        """Set a part of an object; None says that it is absent."""
        self.owner_of_parts[id(thing.parts)] = thing
        self.journal.write(thing.parts, key, part)

    def refer(self, table: DbObject, name: str, part: ConstraintPart) -> None:
        """Keep in mind that a foreign key refers to a table."""
        if part.kind == "references" and part.table:
            referring = self.references.get(part.table)
            if referring is None:
                referring = {}
                self.journal.write(self.references, part.table, referring)
            self.journal.write(referring, (table, name), None)

    def unrefer(self, table: DbObject, name: str) -> None:
        """Forget a foreign key, where the constraint of a name is one.

        The table that it refers to may have been given another name since.
        """
        part = table.parts.get(("constraint", name))
        if isinstance(part, ConstraintPart) and part.kind == "references":
            own = self.references.get(part.table, {})
            if (table, name) not in own:
                every = self.references.values()
                own = next((others for others in every if (table, name) in others), {})
            self.journal.remove(own, (table, name))

    def referring(self, name: str) -> Iterator[tuple[DbObject, str]]:
        """Yield the foreign keys of other tables that refer to one: their tables, their names."""
        for table, constraint in self.references.get(name, {}):
            if table.name != name and self.is_standing(table):
                yield table, constraint

    def tables_on(self, name: str) -> list[str]:
        """Return the other tables that refer to a table, in the order in which they came to.

        One that the engine does not take is none.
        """
        tables = (table for table, _ in self.referring(name) if not table.refused)
        return list(dict.fromkeys(table.name for table in tables))

    def views_on(self, name: str, column: str = "") -> list[str]:
        """Return the views that read a relation, or may read its column, in their names' order."""
        wanted = {column or name, f"{name}.{column}"}
        return [
            view
            for view in sorted(self.readers.get(name, ()))
            if (relation := self.relations.get(view)) is not None
            and not relation.refused
            and not wanted.isdisjoint(relation.parts.get(READS, frozenset()))
        ]
