"""The downs that revisions of Alembic's lack: written, and tried on engines by what they run there.

Nothing of the project is run. What its operations come to is read, and that is run, up and down; so
nothing is proved of a revision that does more than was read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

from msgspec import Struct

from dal_audit.assemble.migration_sets import leaves_nothing
from dal_audit.catalogue.engine_names import ENGINE_TITLES, POSTGRESQL, SQLITE, Engine
from dal_audit.discover.errors import UsageError
from dal_audit.extract.operations.revision_source import (
    Action,
    RevisionSource,
    UnreadableRevisionError,
    revision_source,
)
from dal_audit.extract.sql.scripts import statements_of
from dal_audit.extract.surroundings import ALONE, Surroundings
from dal_audit.facts import START, Edit, Place
from dal_audit.fix.downs.completion import Insertion, completion_of
from dal_audit.fix.downs.down import Down, downs_by_step
from dal_audit.fix.downs.down import Step as SqlStep
from dal_audit.fix.downs.guard_block import unguarded
from dal_audit.fix.downs.written_schema import WrittenSchema
from dal_audit.fix.model import Fix
from dal_audit.fix.revisions.downgrade import (
    Downgrade,
    downgrade_of,
    edits_of,
    sql_undoing,
    undoings,
)
from dal_audit.fix.revisions.inverse import Engines as RunOn
from dal_audit.fix.revisions.inverse import Inverter
from dal_audit.fix.revisions.run_statements import run_statements
from dal_audit.fix.revisions.source_schema import SourceSchema
from dal_audit.fix.revisions.step import Undoing
from dal_audit.fix.rewrite import AmendError, amended, text_of
from dal_audit.migrations.model import Migration
from dal_audit.replay.model import Command
from dal_audit.replay.model import Step as RunStep
from dal_audit.replay.plan import Planned
from dal_audit.replay.run import Engines, Progress
from dal_audit.replay.verdicts import Verdicts, trials

UNKNOWN_UP = "not all that its up does there is known"
UNKNOWN_BEFORE = "its up does not run after what is known of the revisions before"
UNKNOWN_DOWN = "not all that it does there is known"


class Trial(Struct):
    """What a revision runs on an engine; None for a direction of which not all is known."""

    up: tuple[str, ...] = ()
    is_known: bool = True
    down: tuple[str, ...] | None = None


class WrittenDowngrade(Verdicts):
    """A way back that a revision lacks; `text` is its file before.

    It `is_partial` where there is one already, which it completes.
    """

    migration: Migration
    downgrade: Downgrade
    text: str
    is_partial: bool = False

    def doubts(self) -> Iterator[str]:
        """Yield why a person must look at it, a clause each; none where it is safe."""
        return self.doubts_beside(self.downgrade.risks)

    def edits(self, doubts: Sequence[str] = ()) -> tuple[Edit, ...]:
        """Return the edits of its file; `doubts` are sentences that stand before all."""
        return edits_of(self.downgrade, self.text, doubts)


Read = Callable[[str], bytes]
"""Returns the bytes of a file by its path. Raises OSError."""


class RevisionChain:
    """The revisions of one set, one after the other, as each engine runs them."""

    def __init__(
        self,
        engines: Sequence[Engine],
        read: Read,
        surroundings: Mapping[str, Surroundings] | None = None,
    ) -> None:
        """Take the engines that run the set, who reads its files, and what others say of these."""
        self.surroundings = surroundings or {}
        self.engines = engines
        self.read = read
        self.schema = SourceSchema()
        self.run_on = RunOn(SQLITE in engines, POSTGRESQL in engines)
        self.first: Engine = POSTGRESQL if POSTGRESQL in engines else SQLITE
        self.sql = WrittenSchema(self.first, is_shared=len(engines) > 1)
        self.trials: dict[Engine, list[Trial]] = {engine: [] for engine in engines}
        self.paths: list[str] = []

    def written(self, migration: Migration) -> WrittenDowngrade | None:
        """Follow a revision, and return what its way back lacks; None where it lacks nothing.

        Raises OSError, and what `revision_source` raises.
        """
        text = text_of(self.read(migration.path), is_script=False)
        source = revision_source(text, self.surroundings.get(migration.path, ALONE))
        before = self.schema.copy()
        trials = {engine: _up(before.copy(), source.up, engine) for engine in self.engines}
        found = self._written(migration, source, text)
        if found is not None and found.downgrade.is_acting:
            self._read_again(found, before, source.up, trials)
        for engine, trial in trials.items():
            self.trials[engine].append(trial)
        self.paths.append(migration.path)
        return found

    def _written(
        self, migration: Migration, source: RevisionSource, text: str
    ) -> WrittenDowngrade | None:
        sql, owners = _sql_steps(source.up, self.first)
        down = _known_down(source, self.first)
        is_partial = bool(source.place.statements) and source.place.idle is None
        addition = completion_of(self.sql, sql, down or (), leaves_nothing) if is_partial else None
        by_sql = {} if is_partial else downs_by_step(self.sql, sql, leaves_nothing)
        every = undoings(
            Inverter(self.schema, self.run_on), source.up, lambda own: _of_sql(by_sql, owners, own)
        )
        if source.place.refuses or not source.up or migration.role != "versioned":
            return None
        if not is_partial:
            placed = {source.place.after: every}
        elif addition is None or down is None:
            return None
        else:
            placed = _placed(source, addition.insertions, (owners, sql), every)
        return WrittenDowngrade(
            migration, downgrade_of(source, placed), text, is_partial=is_partial
        )

    def _read_again(
        self,
        found: WrittenDowngrade,
        before: SourceSchema,
        up: Sequence[Action],
        trials: Mapping[Engine, Trial],
    ) -> None:
        """Read what was written, as its file would have it, and note what it runs."""
        after = before.copy()
        for action in up:
            after.apply(action)
        surroundings = self.surroundings.get(found.migration.path, ALONE)
        source = revision_source(_text_with(found), surroundings)
        for engine, trial in trials.items():
            statements = run_statements(after.copy(), source.down, engine)
            known = [own for own in statements if own is not None]
            if not trial.is_known:
                found.untried[engine] = UNKNOWN_UP
            elif len(known) < len(statements):
                found.untried[engine] = UNKNOWN_DOWN
            else:
                found.untried[engine] = "it was not tried"
                trial.down = tuple(text for own in known for text in own)

    def knows_before(self, engine: Engine, step: int) -> bool:
        """Return whether all is known that the revisions before one do on an engine."""
        return all(trial.is_known for trial in self.trials[engine][:step])

    def steps(self, engine: Engine) -> tuple[RunStep, ...]:
        """Return the revisions as an engine runs them."""
        return tuple(
            RunStep(path, _commands(trial.up, path), _down_commands(trial, path))
            for path, trial in zip(self.paths, self.trials[engine], strict=True)
        )


def _text_with(found: WrittenDowngrade) -> str:
    """Return the text of the file with the way back in it."""
    fix = Fix("write the down", found.edits(), "safe")
    return amended(found.text.encode(), [fix], is_script=True).decode()


def _up(schema: SourceSchema, actions: Sequence[Action], engine: Engine) -> Trial:
    statements = run_statements(schema, actions, engine)
    known = tuple(text for own in statements for text in own or ())
    return Trial(known, is_known=None not in statements)


def _commands(statements: Sequence[str], path: str) -> tuple[Command, ...]:
    return tuple(Command(Place(path, START), text) for text in statements)


def _down_commands(trial: Trial, path: str) -> tuple[Command, ...] | None:
    return None if trial.down is None else _commands(trial.down, path)


def _sql_steps(actions: Sequence[Action], engine: Engine) -> tuple[list[SqlStep], list[int]]:
    """Return the statements of actions, and of each the number of its action."""
    steps: list[SqlStep] = []
    owners: list[int] = []
    for number, action in enumerate(actions):
        for text in map(unguarded, action.sql.get(engine, ())):
            for statement in statements_of(text):
                steps.append((statement, text))
                owners.append(number)
    return steps, owners


def _known_down(source: RevisionSource, engine: Engine) -> list[SqlStep] | None:
    """Return the statements of the down that is there; None where not all of them are known."""
    if any(engine not in action.sql for action in (*source.up, *source.down)):
        return None
    return _sql_steps(source.down, engine)[0]


def _of_sql(by_step: Mapping[int, Down], owners: Sequence[int], number: int) -> Undoing | None:
    """Return what takes the SQL of an action back; None where it has none that is known."""
    own = [step for step in reversed(range(len(owners))) if owners[step] == number]
    if not own:
        return None
    downs = [by_step[step] for step in own if step in by_step]
    lines = [line for down in downs for line in down.lines]
    return sql_undoing(
        [line.text for line in lines if line.is_statement],
        [line.text for line in lines if not line.is_statement],
        [risk for down in downs for risk in down.risks],
    )


def _placed(
    source: RevisionSource,
    insertions: Sequence[Insertion],
    ups: tuple[Sequence[int], Sequence[SqlStep]],
    every: Sequence[Undoing],
) -> dict[int, list[Undoing]]:
    """Return the ways back that are lacking, by the line after which they go.

    `ups` are the statements of the up, and of each the number of its action.
    """
    owners, sql = ups
    _, down_owners = _sql_steps(source.down, POSTGRESQL)
    lacking: dict[int, list[Insertion]] = {}
    for insertion in insertions:
        lacking.setdefault(owners[insertion.step], []).append(insertion)
    found: dict[int, list[Undoing]] = {}
    for number in sorted(lacking):
        before = max(own.before for own in lacking[number])
        after = source.place.after
        if before < len(down_owners):
            down = source.down[down_owners[before]]
            after = (down.opened_at or down.lines[0]) - 1
        texts = [sql[own.step][1] for own in lacking[number]]
        found.setdefault(after, []).append(_part_of(every[number], texts))
    return found


def _part_of(undoing: Undoing, texts: Sequence[str]) -> Undoing:
    """Return what takes some statements of an action back: a table, or the types that it needs."""
    makes_types = any(step.name == "drop" for step in undoing.steps)
    if not makes_types:
        return undoing
    kept = [
        step
        for step in undoing.steps
        if any(text.startswith("CREATE TYPE") == (step.name == "drop") for text in texts)
    ]
    return Undoing(kept, undoing.remarks, undoing.risks)


def missing_downgrades(
    planned: Planned, read: Read, surroundings: Mapping[str, Surroundings] | None = None
) -> tuple[RevisionChain, list[WrittenDowngrade]]:
    """Return the revisions of a set, and what their ways back lack, none of it tried.

    `surroundings` are what other modules say of revisions, by their paths.

    Raises UsageError for a file that cannot be read.
    """
    engines = [*planned.migrations]
    chain = RevisionChain(engines, read, surroundings)
    found = []
    for migration in planned.migrations[engines[0]]:
        if any(part.language != "python" for part in migration.up):
            continue
        try:
            written = chain.written(migration)
        except (OSError, AmendError, UnreadableRevisionError) as error:
            raise UsageError(f"error: `{migration.path}` cannot be read: {error}") from error
        found += [] if written is None else [written]
    return chain, found


def try_downgrades(
    chain: RevisionChain, found: Sequence[WrittenDowngrade], engines: Engines, progress: Progress
) -> None:
    """Try ways back on all engines that run their set; one that cannot be had tries nothing."""
    by_path = {own.migration.path: own for own in found}
    for engine in chain.engines:
        heard = partial(progress, f"{len(chain.paths)} revisions on {ENGINE_TITLES[engine]}")
        for trial in trials(engine, chain.steps(engine), found, engines, heard):
            written = by_path[chain.paths[trial.step]]
            unknown = "" if chain.knows_before(engine, trial.step) else UNKNOWN_BEFORE
            written.hear(engine, trial.why_not, unknown)
