"""The downs that operations of Django's lack: `reverse_sql` and `reverse_code`, tried on engines.

Nothing of the project is run. What its operations come to is read, of all its apps in the order in
which they are run, and each is a step: its down has to bring back what was right before it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Final

from msgspec import Struct

from dal_audit.assemble.migration_sets import leaves_nothing
from dal_audit.assemble.model_runs import lacks_some
from dal_audit.catalogue.engine_names import ENGINE_TITLES, POSTGRESQL, SQLITE, Engine
from dal_audit.discover.errors import UsageError
from dal_audit.extract.embedded.operation_source import (
    MigrationSource,
    OperationSource,
    UnreadableMigrationError,
    migration_source,
)
from dal_audit.extract.operations.revision_text import ModuleNames
from dal_audit.extract.sql.scripts import statements_of
from dal_audit.extract.sql.tokens import Kind, tokenize
from dal_audit.facts import START, Edit, Place
from dal_audit.facts.models import ModelOperation
from dal_audit.facts.sql import Change as RowChange
from dal_audit.fix.downs.down import Down, down_of
from dal_audit.fix.downs.down import Step as SqlStep
from dal_audit.fix.downs.written_schema import WrittenSchema
from dal_audit.fix.reverses.reverse import Reverse, name_of, reverse_edits
from dal_audit.fix.rewrite import AmendError, text_of
from dal_audit.migrations.apps import series_of_apps
from dal_audit.migrations.model import Migration
from dal_audit.migrations.tools import DJANGO
from dal_audit.replay.model import Command
from dal_audit.replay.model import Step as RunStep
from dal_audit.replay.plan import ReplayPlan
from dal_audit.replay.run import Engines, Progress
from dal_audit.replay.verdicts import UNTRIED, Verdicts, trials
from dal_audit.schema import Change, ModelReplay, table_of, texts_of

UNKNOWN_BEFORE: Final = "its up does not run after what is known of the operations before"
UNKNOWN_SCHEMA: Final = "not all is known of what the operations before it leave"

Read = Callable[[str], bytes]
"""Returns the bytes of a file by its path. Raises OSError."""


class WrittenReverse(Verdicts):
    """The way back that an operation lacks; `text` is its file before.

    `unknown` says, where it was written, what of the schema before is not known.
    """

    migration: Migration
    reverse: Reverse
    text: str
    names: ModuleNames
    unknown: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """What a message calls the operation."""
        return f"{self.migration.path}:{self.reverse.operation.line}"

    def doubts(self) -> Iterator[str]:
        """Yield why a person must look at it, a clause each; none where it is safe."""
        return self.doubts_beside((*self.reverse.risks, *self.unknown))

    def edits(self, doubts: Sequence[str] = ()) -> tuple[Edit, ...]:
        """Return the edits of its file; `doubts` are sentences that stand before all."""
        return reverse_edits(self.reverse, self.text, self.names, doubts)


class _Deed(Struct):
    """What an operation runs on an engine, and the way back that is tried after it."""

    up: tuple[str, ...]
    down: tuple[str, ...] | None = None
    written: WrittenReverse | None = None


class OperationChain:
    """The operations of a project's migrations, one after the other, as each engine runs them."""

    def __init__(self, engines: Sequence[Engine], read: Read) -> None:
        """Take the engines that run the migrations, and who reads their files."""
        self.engines = engines
        self.read = read
        self.first: Engine = POSTGRESQL if POSTGRESQL in engines else SQLITE
        is_shared = len(engines) > 1
        self.schemas = {engine: WrittenSchema(engine, is_shared=is_shared) for engine in engines}
        self.models = ModelReplay()
        self.is_known = True
        self.doubtful: set[frozenset[str]] = set()
        self.deeds: dict[Engine, list[_Deed]] = {engine: [] for engine in engines}

    def follow(self, migration: Migration, engines: Sequence[Engine]) -> list[WrittenReverse]:
        """Follow a migration that some engines run, and return what its operations lack.

        Raises OSError, and what `migration_source` raises.
        """
        text = text_of(self.read(migration.path), is_script=False)
        source = migration_source(text)
        taken = {*source.names.bound}
        found = []
        for operation in source.operations:
            if operation.kind == "models":
                self._models(migration.id.partition(".")[0], operation, engines)
                continue
            written = self._run(migration, operation, engines, (text, source, taken))
            found += [written] if written is not None else []
        return found

    def _models(self, label: str, operation: OperationSource, engines: Sequence[Engine]) -> None:
        """Run an operation on models."""
        self.is_known &= not operation.may_change
        for fact in operation.facts:
            if not isinstance(fact.structure, ModelOperation) or not fact.structure.model:
                continue
            change = self.models.run(label, fact.structure)
            for engine in engines:
                told = texts_of(change, engine, START)
                self.doubtful |= told.doubtful
                if not operation.is_exact:
                    self.doubtful |= {frozenset({own}) for own in _tables(change, engine)}
                self._step(engine, told.statements)
                self.deeds[engine].append(_Deed(told.statements))

    def _step(self, engine: Engine, statements: Sequence[str]) -> Down:
        """Run statements on the schema as it is written, and return what takes them back."""
        steps: list[SqlStep] = [(own, text) for text in statements for own in statements_of(text)]
        if all(leaves_nothing(statement) for statement, _ in steps):
            return Down(())
        return down_of(self.schemas[engine], steps, leaves_nothing)

    def _run(
        self,
        migration: Migration,
        operation: OperationSource,
        engines: Sequence[Engine],
        module: tuple[str, MigrationSource, set[str]],
    ) -> WrittenReverse | None:
        """Run an operation that runs SQL or code, and return its way back where it lacks one."""
        known = {engine: operation.sql.get(engine) for engine in engines}
        statements = {engine: own for engine, own in known.items() if own is not None}
        doubts = self._unknown(statements)
        downs = {engine: self._step(engine, own) for engine, own in statements.items()}
        self.is_known &= not operation.may_change
        deeds = {engine: _Deed(own) for engine, own in statements.items()}
        for engine, deed in deeds.items():
            self.deeds[engine].append(deed)
        if operation.lacks is None or not operation.sql or migration.role != "versioned":
            return None
        text, source, taken = module
        grouped = _grouped(operation, downs, self.first)
        name = "" if operation.function is None else name_of(operation.function, taken)
        reverse = Reverse(operation, grouped, name, is_of_rows=_changes_rows(statements))
        written = WrittenReverse(migration, reverse, text, source.names)
        written.unknown = (*doubts, *self._unknown({e: d.statements for e, d in downs.items()}))[:1]
        for engine, deed in deeds.items():
            own = next(
                (down for group, down in grouped.items() if engine in (group or (engine,))),
                Down(()),
            )
            deed.down, deed.written = own.statements, written
            written.untried[engine] = UNTRIED
        return written

    def _unknown(self, statements: Mapping[Engine, Sequence[str]]) -> tuple[str, ...]:
        """Return what statements are about that is not known, a clause."""
        if not self.is_known:
            return (UNKNOWN_SCHEMA,)
        words = {word for own in statements.values() for word in _words(own)}
        if any(own <= words for own in self.doubtful):
            return (UNKNOWN_SCHEMA,)
        return ()

    def steps(self, engine: Engine) -> tuple[RunStep, ...]:
        """Return the operations as an engine runs them."""
        return tuple(
            RunStep("", _commands(deed.up), None if deed.down is None else _commands(deed.down))
            for deed in self.deeds[engine]
        )


def _changes_rows(statements: Mapping[Engine, Sequence[str]]) -> bool:
    """Return whether all that is done is done to rows."""
    every = {text for own in statements.values() for text in own}
    facts = [fact for text in every for fact in statements_of(text)]
    return all(isinstance(fact.structure, RowChange) or leaves_nothing(fact) for fact in facts)


def _grouped(
    operation: OperationSource, downs: Mapping[Engine, Down], first: Engine
) -> dict[tuple[Engine, ...], Down]:
    """Return ways back by the engines that run them, of which none are all that there are."""
    if len({*operation.sql.values()}) == 1:
        return {(): downs.get(first) or next(iter(downs.values()))}
    return {(engine,): down for engine, down in downs.items()}


def _tables(change: Change, engine: Engine) -> Iterator[str]:
    """Yield the tables that an operation on a model is about."""
    for _, key in change.models():
        model = change.after.get(key)
        if model is not None:
            yield table_of(model, engine, START).lower()


def _words(statements: Sequence[str]) -> Iterator[str]:
    """Yield the words and names of statements in small letters."""
    for text in statements:
        for token in tokenize(text):
            if token.kind in {Kind.WORD, Kind.QUOTED}:
                yield token.text.strip('"`[]').lower()


def _commands(statements: Sequence[str]) -> tuple[Command, ...]:
    return tuple(Command(Place("", START), text) for text in statements)


def missing_reverses(
    plan: ReplayPlan, read: Read
) -> list[tuple[OperationChain, list[WrittenReverse]]]:
    """Return the series of Django's migrations, and what their operations lack, none of it tried.

    Raises UsageError for a file that cannot be read.
    """
    planned = [own for own in plan.sets if own.tool == DJANGO.name]
    engines = [*dict.fromkeys(engine for own in planned for engine in own.migrations)]
    if not engines:
        return []
    asked: dict[str, list[Engine]] = {}
    for own in planned:
        for engine, several in own.migrations.items():
            for migration in several:
                asked.setdefault(migration.path, []).append(engine)
    found: list[tuple[OperationChain, list[WrittenReverse]]] = []
    told: set[str] = set()
    sets = [own for own in plan.layout.sets if own.tool == DJANGO.name]
    for series in series_of_apps(sets):
        chain = OperationChain(engines, read)
        chain.is_known = not lacks_some(series)
        written = list(_followed(chain, series, asked))
        found.append((chain, [own for own in written if own.migration.path not in told]))
        told |= {migration.path for migration in series}
    return found


def _followed(
    chain: OperationChain, series: Sequence[Migration], asked: Mapping[str, Sequence[Engine]]
) -> Iterator[WrittenReverse]:
    for migration in series:
        engines = asked.get(migration.path, chain.engines)
        try:
            yield from chain.follow(migration, engines)
        except (OSError, AmendError, UnreadableMigrationError) as error:
            raise UsageError(f"error: `{migration.path}` cannot be read: {error}") from error


def try_reverses(
    chain: OperationChain, wanted: Sequence[WrittenReverse], engines: Engines, progress: Progress
) -> None:
    """Try ways back on all engines; one that cannot be had tries nothing."""
    for engine in chain.engines:
        deeds = chain.deeds[engine]
        heard = partial(progress, f"{len(deeds)} operations on {ENGINE_TITLES[engine]}")
        for trial in trials(engine, chain.steps(engine), wanted, engines, heard):
            written = deeds[trial.step].written
            if written is not None:
                written.hear(engine, trial.why_not, UNKNOWN_BEFORE if written.unknown else "")
