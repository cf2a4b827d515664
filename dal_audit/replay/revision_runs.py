"""The runs of a set in Python on one engine: its tool runs each migration, in its own process.

As with sets of SQL, each is run a second time right after its first, on a copy of the database; and
where all of them applied, all are run a second time, on a copy again, then all downs in reverse,
then all ups once more. A tool goes no further than to the first failure, and neither does a run.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from dal_audit.facts import START, Place
from dal_audit.migrations.tools import DJANGO
from dal_audit.replay.database import WatchedDatabase
from dal_audit.replay.differences import changes, left_over, renamed
from dal_audit.replay.django_aspects import django_aspects
from dal_audit.replay.model import Aspects, Change, Command, Failure, Objects, Outcome, Step
from dal_audit.replay.project_process import Answer, ProjectProcess
from dal_audit.replay.rule_of_error import causing_statement, named_in
from dal_audit.replay.runs import Tick


class RevisionRuns:
    """The runs of one set on one database.

    `brought` are the objects that are not the set's: its tool's table, and what the sets make that
    it depends on.
    """

    def __init__(
        self,
        database: WatchedDatabase,
        process: ProjectProcess,
        steps: Sequence[Step],
        tick: Tick,
    ) -> None:
        """Take an empty database, and who runs migrations on it."""
        self.database = database
        self.process = process
        self.names = process.program.names
        self.steps = [*steps]
        self.tick = tick
        self.done = 0
        self.brought: set[str] = set()
        self.before: list[Objects] = []

    def outcome(self) -> Outcome:
        """Run all that can be run, and return what came of it. Raises EngineError."""
        database = self.database
        self.ask("begin", 0, is_first=True)
        self.note_brought({})
        found = Outcome(database.name, database.version, made=())
        for index in range(len(self.steps)):
            found = self.first_and_second(found, index)
            if found.applied:
                break
        else:
            found = self.further(found)
        return replace(found, steps=tuple(self.steps))

    def first_and_second(self, found: Outcome, index: int) -> Outcome:
        """Run a migration for the first time, and again on a copy; return all that came of it."""
        database = self.database
        standing = database.definitions()
        self.ask("before", index, is_first=True)
        self.note_brought(standing)
        before = database.definitions()
        self.before.append(before)
        answer = self.ask("up", index, is_first=True)
        self.steps[index] = replace(self.steps[index], up=self.placed(index, answer))
        after = database.definitions()
        made = (*found.made, tuple(sorted(after.keys() - before.keys())))
        if answer.refused is not None:
            return replace(found, made=made, applied=(self.failure(index, answer),))
        again, changed = self.again(index, after)
        changes_made = tuple(self.change(index, name, what) for name, what in changed.items())
        return replace(
            found,
            made=made,
            again=(*found.again, *again),
            changed=(*found.changed, *changes_made),
        )

    def again(self, index: int, before: Objects) -> tuple[tuple[Failure, ...], dict[str, str]]:
        """Run a migration a second time on a copy; return what fails, else what changes."""
        with self.database.trial(apart=True) as copy:
            answer = self.ask("again", index, copy.address)
            if answer.refused is not None:
                return (self.failure(index, answer),), {}
            return (), self.different(before, copy.definitions())

    def further(self, found: Outcome) -> Outcome:
        """Run all ups again, all downs, and all ups once more."""
        full = self.database.definitions()
        aspects = self.own_aspects(self.database.aspects())
        found = replace(found, aspects=aspects)
        if not found.again:
            found = self.whole(found, full)
        found = self.downs(found)
        if found.undone or found.unrestored:
            return found
        for index in range(len(self.steps)):
            answer = self.ask("up", index)
            if answer.refused is not None:
                return replace(found, once_more=(self.failure(index, answer),))
        differs = self.different(full, self.database.definitions())
        return replace(found, once_more=(), differs=tuple(differs.values()))

    def whole(self, found: Outcome, full: Objects) -> Outcome:
        """Run all ups a second time."""
        failures: list[Failure] = []
        changed: dict[str, str] = {}
        with self.database.trial(apart=True) as copy:
            for index in range(len(self.steps)):
                answer = self.ask("again", index, copy.address)
                if answer.refused is not None:
                    failures.append(self.failure(index, answer))
                    break
            else:
                changed = self.different(full, copy.definitions())
        return replace(found, whole=tuple(failures), whole_changed=tuple(changed.values()))

    def downs(self, found: Outcome) -> Outcome:
        """Run the downs, the last migration's first; each has to bring back what was before."""
        unrestored: list[Change] = []
        told: set[str] = set()
        for index in reversed(range(len(self.steps))):
            answer = self.ask("down", index)
            if answer.refused is not None:
                failure = self.failure(index, answer)
                return replace(found, undone=(failure,), unrestored=tuple(unrestored))
            different = self.different(self.before[index], self.database.definitions())
            unrestored += [
                self.change(index, name, what)
                for name, what in different.items()
                if name not in told
            ]
            told |= different.keys()
        left = left_over(self.database.definitions().keys() - self.brought)
        return replace(found, undone=(), left=tuple(left), unrestored=tuple(unrestored))

    def ask(self, what: str, index: int, address: str = "", *, is_first: bool = False) -> Answer:
        """Have a migration run, on the database unless a copy's address is given."""
        self.tick(self.done)
        answer = self.process.ask(
            what,
            self.names[index],
            address or self.database.address,
            is_first=is_first,
        )
        self.done += what in {"up", "down", "again"}
        return answer

    def note_brought(self, standing: Objects) -> None:
        """Note what has come since as what is not the set's own."""
        now = self.database.definitions()
        self.brought |= now.keys() - standing.keys()

    def different(self, before: Objects, after: Objects) -> dict[str, str]:
        """Return how what is the set's own has changed."""
        beside = self.brought | renamed(before, after)
        return {name: what for name, what in changes(before, after).items() if name not in beside}

    def own_aspects(self, aspects: Aspects) -> Aspects:
        """Return what the set's own tables are, in portable terms."""
        tables = {name.partition(" ")[2].lower() for name in self.brought if name[:6] == "table "}
        found = {
            name: value for name, value in aspects.items() if _table(name, value) not in tables
        }
        return django_aspects(found) if self.process.program.tool == DJANGO.name else found

    def placed(self, index: int, answer: Answer) -> tuple[Command, ...]:
        """Return the statements of an answer; what has no place is the whole migration's."""
        whole = Place(self.steps[index].path, START)
        return tuple(
            command if command.place.path else replace(command, place=whole)
            for command in answer.statements
        )

    def failure(self, index: int, answer: Answer) -> Failure:
        """Return what was refused, as a failure of a migration."""
        if answer.refused is None:
            raise ValueError("nothing was refused")
        return Failure(index, self.placed(index, answer)[-1], answer.refused)

    def change(self, index: int, name: str, what: str) -> Change:
        """Return a change, with the statement of the up that speaks of it."""
        step = self.steps[index]
        command = causing_statement([step], named_in(name))
        return Change(index, command or Command(Place(step.path, START), ""), what)


def _table(name: str, value: str) -> str:
    """Return the table that an aspect is about."""
    kind, _, subject = name.partition(" ")
    if kind == "index":
        return value.partition("on ")[2].partition(" ")[0]
    return subject.partition(".")[0] if kind in {"column", "nullability", "default"} else subject
