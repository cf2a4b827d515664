"""The runs of a set on one engine, whichever it is.

Each statement is run by itself and commits; after one that fails, the rest of its migration is
run all the same, so that one run tells all. Every migration is run a second time right after its
first, on a schema that is then thrown away; and where all of them applied, all are run a second
time, then all downs in reverse, then all ups once more.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from dal_audit.replay.database import Database
from dal_audit.replay.differences import changes, left_over
from dal_audit.replay.model import Change, Command, Failure, Objects, Outcome, Refusal, Step

Tick = Callable[[int], None]
"""What is told of each statement, before it is run: how many migrations have been run so far."""


def run_set(database: Database, steps: Sequence[Step], tick: Tick) -> Outcome:
    """Run a set on an empty database and return what came of it."""
    return _Run(database, steps, tick).outcome()


def rounds(steps: Sequence[Step]) -> int:
    """Return how many migrations are run at the most, second and third runs included."""
    downs = sum(step.down is not None for step in steps)
    return 2 * len(steps) + downs + (len(steps) if steps and downs == len(steps) else 0)


class _Run:
    """The runs of one set on one database."""

    def __init__(self, database: Database, steps: Sequence[Step], tick: Tick) -> None:
        self.database = database
        self.steps = steps
        self.tick = tick
        self.done = 0

    def outcome(self) -> Outcome:
        """Run all that can be run, and return what came of it."""
        database = self.database
        empty = before = database.objects()
        applied: list[Failure] = []
        again: list[Failure] = []
        changed: list[Change] = []
        made: list[tuple[str, ...]] = []
        for index, step in enumerate(self.steps):
            failures = self.run_part(index, step.up)
            after = database.objects()
            made.append(tuple(sorted(after.keys() - before.keys())))
            applied += failures
            before = after
            if not failures:
                failure, found = self.second(index, step, after)
                again += [failure] if failure else []
                changed += found
        first = Outcome(
            database.name,
            database.version,
            tuple(applied),
            tuple(again),
            tuple(changed),
            tuple(made),
        )
        return first if applied else self.further(first, empty, before)

    def further(self, first: Outcome, empty: Objects, full: Objects) -> Outcome:
        """Run all ups again, all downs, and all ups once more."""
        database = self.database
        aspects = database.aspects()
        whole = self.run_ups()
        after = database.objects()
        undone = left = once_more = None
        differs: list[str] = []
        if any(step.down is not None for step in self.steps):
            undone = self.run_downs()
            left = tuple(left_over(database.objects().keys() - empty.keys()))
            if all(step.down is not None for step in self.steps):
                once_more = self.run_ups()
                differs = [*changes(full, database.objects()).values()]
        return Outcome(
            first.engine,
            first.version,
            first.applied,
            first.again,
            first.changed,
            first.made,
            whole,
            tuple(changes(full, after).values()),
            undone,
            left,
            once_more,
            tuple(differs),
            aspects,
        )

    def run_ups(self) -> tuple[Failure, ...]:
        """Run every up and return what failed."""
        found: list[Failure] = []
        for index, step in enumerate(self.steps):
            found += self.run_part(index, step.up)
        return tuple(found)

    def run_downs(self) -> tuple[Failure, ...]:
        """Run every down, the last migration's first, and return what failed."""
        found: list[Failure] = []
        for index, step in reversed(list(enumerate(self.steps))):
            found += self.run_part(index, step.down or ())
        return tuple(found)

    def run_part(self, index: int, commands: Sequence[Command]) -> list[Failure]:
        """Run all statements of one direction, also after one that fails."""
        found = []
        for command in commands:
            self.tick(self.done)
            refusal = self.database.run(command.text)
            if refusal is not None:
                found.append(Failure(index, command, refusal))
        self.database.settle()
        self.done += 1
        return found

    def second(
        self, index: int, step: Step, before: Objects
    ) -> tuple[Failure | None, list[Change]]:
        """Run a migration that has just been run; return where it fails or what it changes."""
        apart = self.database.needs_apart(step.up, None)
        position, refusal, after = self.attempt(step.up, apart=apart)
        if not apart and self.database.needs_apart(step.up, refusal):
            apart = True
            position, refusal, after = self.attempt(step.up, apart=True)
        if refusal is not None:
            return Failure(index, step.up[position], refusal), []
        if after == before:
            return None, []
        return None, self.culprits(index, step, before, apart=apart)

    def attempt(
        self, commands: Sequence[Command], *, apart: bool
    ) -> tuple[int, Refusal | None, Objects]:
        """Run statements on a trial, up to the first that fails."""
        with self.database.trial(apart=apart) as trial:
            for position, command in enumerate(commands):
                self.tick(self.done)
                refusal = trial.run(command.text)
                if refusal is not None:
                    return position, refusal, {}
            trial.settle()
            return len(commands), None, trial.objects()

    def culprits(self, index: int, step: Step, before: Objects, *, apart: bool) -> list[Change]:
        """Return which statements changed the schema, of those changes that lasted to the end."""
        states = [before]
        with self.database.trial(apart=apart) as trial:
            for command in step.up:
                self.tick(self.done)
                trial.run(command.text)
                states.append(trial.objects())
        found = []
        for name, what in changes(before, states[-1]).items():
            # The last statement that touched it; the first state is `before`.
            touched = (
                number
                for number in range(len(step.up), 0, -1)
                if states[number].get(name) != states[number - 1].get(name)
            )
            found.append(Change(index, step.up[next(touched) - 1], what))
        return found
