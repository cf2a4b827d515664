"""Whether downs take back what their ups do: each is run right after its up, on a trial."""

from __future__ import annotations

from collections.abc import Sequence

from dal_audit.replay.database import Database
from dal_audit.replay.differences import changes, listed
from dal_audit.replay.model import Command, DownTrial, Objects, Outcome, Refusal, Step
from dal_audit.replay.runs import Tick


def try_downs(database: Database, steps: Sequence[Step], tick: Tick) -> Outcome:
    """Run the ups of a set in order, and try the down of each that has one.

    A down is good where the schema is afterwards as it was before the up, and where the up runs
    once more then and leaves what it left the first time.
    """
    trials: list[DownTrial] = []
    for index, step in enumerate(steps):
        tick(index)
        before = database.definitions() if step.down is not None else {}
        refusal = _refusal(database, step.up, is_patient=True)
        database.settle()
        if step.down is None:
            continue
        if refusal is not None:
            why_not = f"its up does not run: {refusal.message}"
        else:
            why_not = _tried(database, step.up, step.down, before)
        trials.append(DownTrial(index, why_not))
    return Outcome(database.name, database.version, trials=tuple(trials))


def _refusal(
    database: Database, commands: Sequence[Command], *, is_patient: bool = False
) -> Refusal | None:
    """Run statements; return the first refusal, at which they end unless one is patient."""
    first: Refusal | None = None
    for command in commands:
        refusal = database.run(command.text)
        first = first or refusal
        if refusal is not None and not is_patient:
            break
    return first


def _tried(
    database: Database, up: Sequence[Command], down: Sequence[Command], before: Objects
) -> str:
    """Return why a down does not take its up back; empty where it does."""
    after = database.definitions()
    both = [*down, *up]
    apart = database.needs_apart(both, None)
    why_not, refusal = _trial(database, (up, down), (before, after), apart=apart)
    if not apart and database.needs_apart(both, refusal):
        why_not, _ = _trial(database, (up, down), (before, after), apart=True)
    return why_not


def _trial(
    database: Database,
    sides: tuple[Sequence[Command], Sequence[Command]],
    schemas: tuple[Objects, Objects],
    *,
    apart: bool,
) -> tuple[str, Refusal | None]:
    """Run a down and its up on a trial; `schemas` are those before and after the up."""
    (up, down), (before, after) = sides, schemas
    with database.trial(apart=apart) as trial:
        refusal = _refusal(trial, down)
        if refusal is not None:
            return f"it fails: {refusal.message}", refusal
        trial.settle()
        different = [*changes(before, trial.definitions()).values()]
        if different:
            return f"together with its up it {listed(different)}", None
        refusal = _refusal(trial, up)
        if refusal is not None:
            return f"its up does not run after it: {refusal.message}", refusal
        trial.settle()
        different = [*changes(after, trial.definitions()).values()]
    return (f"its up then {listed(different)}" if different else ""), None
