"""What a down that is there lacks, and where in it that goes.

Which statements of the up are not undone, a simulated database tells, as the audit says it
(DAL403). What takes such a statement back stands after all that undoes later ones, and there at the
first place at which nothing fails for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import Struct

from dal_audit.extract.sql.scripts import statements_of
from dal_audit.facts.sql import SqlStatement
from dal_audit.fix.downs.down import Down, IsPassing, Line, Step, downs_by_step
from dal_audit.fix.downs.written_schema import WrittenSchema
from dal_audit.schema import Database, differences


class Insertion(Struct, frozen=True):
    """Lines that go before a statement of a down, by its index; after all by their count.

    `step` is the statement of the up that they take back, -1 for all.
    """

    before: int
    lines: tuple[Line, ...]
    step: int = -1


class Addition(Struct, frozen=True):
    """What is added to the way back from a migration, which is all of it where there is none.

    `statements` are those of the whole, in the order of a run; `risks` are clauses that say why a
    person must look at it.
    """

    insertions: tuple[Insertion, ...]
    statements: tuple[str, ...]
    risks: tuple[str, ...] = ()


def addition_of(down: Down) -> Addition:
    """Return a down as what is added where there is none."""
    return Addition((Insertion(0, down.lines),), down.statements, down.risks)


class _Run(Struct):
    """What a way back comes to: the steps of the up that it leaves, and whether it fails."""

    left: frozenset[int]
    fails: bool


def completion_of(
    schema: WrittenSchema, steps: Sequence[Step], down: Sequence[Step], is_passing: IsPassing
) -> Addition | None:
    """Run a migration, and return what its down lacks.

    None where it lacks nothing, and where it fails by itself: then what is missing is not all that
    is wrong with it.
    """
    by_step = downs_by_step(schema, steps, is_passing)
    trial = _Trial(schema.database, [statement for statement, _ in steps])
    run = trial.run([statement for statement, _ in down])
    if run.fails or not run.left:
        return None
    return _Completing(trial, down, is_passing).with_all(by_step, run.left)


class _Trial:
    """Ways back that are tried on a simulated database, one after the other."""

    def __init__(self, database: Database, up: Sequence[SqlStatement]) -> None:
        """Take a database on which the up was run, since its journal began."""
        self.database = database
        self.up = up

    def run(self, down: Sequence[SqlStatement]) -> _Run:
        """Run a way back, compare what stands with what stood before the up, and undo it."""
        state = self.database.state
        journal = state.journal
        seen = state.sees_all, state.hides_types
        self.database.begin([*self.up, *down])
        savepoint = journal.savepoint
        fails = False
        for number, statement in enumerate(down, len(self.up)):
            journal.step = number
            self.database.apply(statement)
            fails |= any(problem.effect == "fails" for problem in state.problems)
        found = [*differences(state, 0, len(self.up) - 1)]
        journal.roll_back(savepoint)
        state.sees_all, state.hides_types = seen
        left = frozenset(own.step for own in found if own.step < len(self.up))
        return _Run(left, fails)


class _Completing:
    """A down on the way to a whole one."""

    def __init__(self, trial: _Trial, down: Sequence[Step], is_passing: IsPassing) -> None:
        """Take the down that is there; what opens and closes it stays around all."""
        self.trial = trial
        self.pieces: list[tuple[tuple[SqlStatement, ...], Insertion | None]] = [
            ((statement,), None) for statement, _ in down
        ]
        self.texts = {id(statement): text.strip() for statement, text in down}
        acting = [number for number, (own, _) in enumerate(down) if not is_passing(own)]
        self.first = acting[0] if acting else 0
        self.tail = len(down) - (acting[-1] + 1 if acting else 0)

    def with_all(self, by_step: dict[int, Down], left: frozenset[int]) -> Addition | None:
        """Put in what takes each step back that is left; None where that goes nowhere."""
        at = self.first
        for number, down in by_step.items():
            if number in left and down.statements:
                place = self._placed(number, down, max(at, self._after_later(number)))
                if place is None:
                    return None
                at = place
        if not any(insertion for _, insertion in self.pieces):
            return None
        risks = dict.fromkeys(risk for number in left for risk in _risks(by_step, number))
        return Addition(tuple(self._insertions()), tuple(self._statements()), tuple(risks))

    def _after_later(self, number: int) -> int:
        """Return the place behind all that undoes statements of the up which come after one."""
        left = self.trial.run(()).left
        after = 0
        for place in range(1, len(self.pieces) + 1):
            now = self.trial.run([own for piece, _ in self.pieces[:place] for own in piece]).left
            if any(step > number for step in left - now):
                after = place
            left = now
        return after

    def _placed(self, number: int, down: Down, first: int) -> int | None:
        """Put a piece where nothing fails and its step is undone; return the place after it."""
        added = tuple(own for text in down.statements for own in statements_of(text))
        texts = [text for text in down.statements for _ in statements_of(text)]
        self.texts.update(zip(map(id, added), texts, strict=True))
        for place in range(first, len(self.pieces) - self.tail + 1):
            whole = [*self.pieces]
            whole.insert(place, (added, Insertion(self._before(place), down.lines, number)))
            run = self.trial.run([own for piece, _ in whole for own in piece])
            if not run.fails and number not in run.left:
                self.pieces = whole
                return place + 1
        return None

    def _before(self, place: int) -> int:
        """Return which statement of the down that is there a place is before."""
        return sum(insertion is None for _, insertion in self.pieces[:place])

    def _insertions(self) -> Iterator[Insertion]:
        yield from (insertion for _, insertion in self.pieces if insertion is not None)

    def _statements(self) -> Iterator[str]:
        yield from (self.texts[id(own)] for piece, _ in self.pieces for own in piece)


def _risks(by_step: dict[int, Down], number: int) -> tuple[str, ...]:
    return by_step[number].risks if number in by_step else ()
