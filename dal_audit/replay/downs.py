"""The downs that migrations lack, or lack something in: written, and tried on engines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import TypeAlias

from msgspec import field
from msgspec.structs import replace

from dal_audit.assemble.migration_sets import leaves_nothing
from dal_audit.catalogue.engine_names import ENGINE_TITLES, Engine
from dal_audit.extract.sql.scripts import statements_of
from dal_audit.facts import START, Place
from dal_audit.facts.migrations import Tool
from dal_audit.fix.downs.completion import Addition, addition_of, completion_of
from dal_audit.fix.downs.down import Step, down_of
from dal_audit.fix.downs.guard_block import unguarded
from dal_audit.fix.downs.written_schema import WrittenSchema
from dal_audit.migrations.model import Migration
from dal_audit.migrations.tools import LIQUIBASE, TOOLS
from dal_audit.replay.model import Command
from dal_audit.replay.model import Step as RunStep
from dal_audit.replay.plan import Planned
from dal_audit.replay.run import Engines, Progress
from dal_audit.replay.verdicts import NO_UP, UNTRIED, Verdicts, trials


class WrittenDown(Verdicts):
    """A down that a migration lacks, in the words of the engines that it is `written_for`."""

    migration: Migration
    down: Addition
    present: tuple[Command, ...] = ()
    """The statements of the down that is there."""
    written_for: list[Engine] = field(default_factory=list)

    def rank(self) -> tuple[int, int]:
        """Return how good it is among others: where it is proved, and where it can be tried."""
        ran = [engine for engine, said in self.said.items() if not said.startswith(NO_UP)]
        return len(self.proved_on), sum(engine in self.written_for for engine in ran)

    def doubts(self) -> Iterator[str]:
        """Yield why a person must look at it, a clause each; none where it is safe."""
        return self.doubts_beside(self.down.risks)


_Ways: TypeAlias = Mapping[tuple[str, str], WrittenDown]
"""A way back for each of some migrations, by the path and the id of these."""


def missing_downs(planned: Planned) -> list[WrittenDown]:
    """Return what the downs of a set's migrations lack, none of it tried.

    Of one that several engines run, and that they take back by other words, each way is returned.
    """
    if not TOOLS[planned.tool].runs_downs:
        return []
    found: dict[tuple[str, str], list[WrittenDown]] = {}
    for engine, steps in planned.steps.items():
        schema = WrittenSchema(engine, is_shared=len(planned.steps) > 1)
        for migration, step in zip(planned.migrations[engine], steps, strict=True):
            down = _addition(schema, migration, step, planned.tool)
            if down is None:
                continue
            ways = found.setdefault(_key(migration), [])
            same = next((way for way in ways if way.down.insertions == down.insertions), None)
            if same is None:
                same = WrittenDown(migration, down, step.down or ())
                ways.append(same)
            same.written_for.append(engine)
            same.untried[engine] = UNTRIED
    return [way for ways in found.values() for way in ways]


def _addition(
    schema: WrittenSchema, migration: Migration, step: RunStep, tool: Tool
) -> Addition | None:
    """Run a migration, and return what its down lacks; None where it lacks nothing, or needs none.

    Liquibase's rollbacks stand in comments, where none is told from the next.
    """
    up, down = [*_read(step.up)], [*_read(step.down or ())]
    found: Addition | None
    if _does_nothing(down):
        found = addition_of(down_of(schema, up, leaves_nothing))
    else:
        found = completion_of(schema, up, down, leaves_nothing)
        is_broken = any(own.flaw or own.structure is None for own, _ in down)
        found = None if is_broken or tool == LIQUIBASE.name else found
    return None if migration.role != "versioned" or _does_nothing(up) else found


def _read(commands: Sequence[Command]) -> Iterator[Step]:
    """Yield statements with their texts, in which their places count."""
    for command in commands:
        text = unguarded(command.text)
        for statement in statements_of(text):
            yield statement, text


def _does_nothing(steps: Sequence[Step]) -> bool:
    return all(leaves_nothing(statement) for statement, _ in steps)


def tried(
    planned: Planned, downs: Sequence[WrittenDown], engines: Engines, progress: Progress
) -> list[WrittenDown]:
    """Try downs on all engines that run their migrations; of several ways, return the best.

    An engine that cannot be had is no error: it has tried nothing then, and that is said.
    """
    rounds: list[dict[tuple[str, str], WrittenDown]] = []
    for written in downs:
        key = _key(written.migration)
        free = next((ways for ways in rounds if key not in ways), None)
        if free is None:
            rounds.append({key: written})
        else:
            free[key] = written
    for ways in rounds:
        for engine in planned.steps:
            _try(planned, engine, ways, engines, progress)
    best: dict[tuple[str, str], WrittenDown] = {}
    for ways in rounds:
        for key, written in ways.items():
            if key not in best or best[key].rank() < written.rank():
                best[key] = written
    return list(best.values())


def _key(migration: Migration) -> tuple[str, str]:
    return migration.path, migration.id


def _try(
    planned: Planned, engine: Engine, ways: _Ways, engines: Engines, progress: Progress
) -> None:
    """Run the ups of a set on an engine, each with the way back that is tried after it."""
    own = [ways.get(_key(migration)) for migration in planned.migrations[engine]]
    steps = tuple(
        replace(step, down=None if written is None else _commands(written.down, step.path))
        for step, written in zip(planned.steps[engine], own, strict=True)
    )
    what = f"{planned.root} on {ENGINE_TITLES[engine]}"
    heard = partial(progress, what)
    for trial in trials(engine, steps, filter(None, own), engines, heard):
        tried_way = own[trial.step]
        if tried_way is not None:
            tried_way.hear(engine, trial.why_not)


def _commands(down: Addition, path: str) -> tuple[Command, ...]:
    return tuple(Command(Place(path, START), text) for text in down.statements)
