"""What becomes of each migration's statements when they are run, run again, and taken back.

Every set is followed from its first migration to its last, on each backend that runs it. The ups
of a migration are run twice, one run after the other: that is what happens when a tool lost track
of what it ran, or was stopped before it could note it. Then its downs are run, and what stands is
compared with what stood before the ups. In the end all ups are run again from the first on, as the
law has it: that finds what an earlier migration needs and a later one has taken away.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import NamedTuple

from msgspec.structs import replace

from dal_audit.assemble.engine_modules import backends_for, engine_modules
from dal_audit.assemble.memo import query
from dal_audit.assemble.migration_series import series_of, unguarded_operations
from dal_audit.assemble.migration_sets import leaves_nothing, statements_by_file, statements_of
from dal_audit.assemble.model_runs import NONE, ToolStatements, statements_of_models
from dal_audit.assemble.project import AUDITED, LAYOUT, STATEMENTS, Project
from dal_audit.assemble.run_findings import Findings, Gathered, MigrationRuns, SchemaErrors
from dal_audit.extract.holes import UNKNOWN
from dal_audit.extract.parallel import spread
from dal_audit.facts import Place, Span
from dal_audit.facts.sql import (
    MODEL_TABLE,
    AlterObject,
    AlterTable,
    Change,
    CreateIndex,
    CreateObject,
    CreateTable,
    Drop,
    SqlName,
    SqlStatement,
)
from dal_audit.migrations.model import Migration, Part
from dal_audit.schema import (
    FOLLOWED,
    Database,
    Difference,
    Effect,
    Losses,
    OpaqueCode,
    Problem,
    differences,
)

_CHANGES = {
    "left": "the down leaves {}",
    "lost": "the down does not bring back {}",
    "changed": "the down brings back {}",
    "copied": "the down brings back {}",
}
_TAKEN_AWAY = (
    "Let the later migration keep what this one needs, or guard this statement with a look at "
    "whether it stands."
)
_UNGUARDED = (
    "the tool's operations know no guards, and what one of the set made stands already",
    "Keep the tool's own table with the database; write what must be repeatable as SQL.",
)
WORTH_A_PROCESS = 600
"""Statements from which on another process saves more than it costs."""
_LEFT = "Undo in the down what the up does, in the opposite order."
_COPIED = (
    "SQLite's copy of the table makes the index plain: drop it before the block, and create it "
    "behind."
)


class _Task(NamedTuple):
    """Migrations that are followed on a backend, and how many statements they have."""

    migrations: Sequence[Migration]
    backend: str
    size: int


class _Step(NamedTuple):
    """A statement that is run, the place of it, and whether the tool writes and undoes it."""

    place: Place
    statement: SqlStatement
    is_tools: bool = False


@query(
    depends_on=(STATEMENTS, AUDITED, LAYOUT, Project.sql_files, statements_by_file, engine_modules)
)
def runs_of(project: Project) -> MigrationRuns:
    """Run the migrations of a project on databases that are only thought of."""
    gathered = Gathered()
    series, paths = series_of(project)
    tasks = [task for migrations in series for task in _tasks(migrations, project)]
    for findings in spread(
        lambda part: [_followed(task, project) for task in part],
        tasks,
        jobs=project.jobs,
        worth=WORTH_A_PROCESS,
        answer=Findings,
    ):
        gathered.join(findings)
    for place, backends in unguarded_operations(project):
        for backend in backends:
            gathered.add("rerun", place, Problem(place.span, "fails", *_UNGUARDED), backend)
    errors = gathered.errors
    return MigrationRuns(
        errors.all(), errors.exemptions, errors.divergences, gathered.findings(), paths
    )


def _is_run(migration: Migration, backend: str, project: Project) -> bool:
    return any(backend in project.sql_files.backends_of(part.path) for part in migration.up)


def _tasks(migrations: Sequence[Migration], project: Project) -> Iterator[_Task]:
    """Yield the runs of a series, one for each backend that runs any of it."""
    known = statements_by_file(project)
    for backend in FOLLOWED:
        run = [migration for migration in migrations if _is_run(migration, backend, project)]
        paths = {part.path for migration in run for part in (*migration.up, *migration.down)}
        if run:
            size = sum(len(known[path].statements) for path in paths if path in known)
            yield _Task(run, backend, size)


def _followed(task: _Task, project: Project) -> Findings:
    """Follow migrations on one backend."""
    gathered = Gathered()
    _follow(task.migrations, task.backend, project, gathered)
    return gathered.sent()


def _follow(
    migrations: Sequence[Migration], backend: str, project: Project, gathered: Gathered
) -> None:
    """Follow migrations on one backend."""
    database = Database(backend)
    models = statements_of_models(migrations, backend, project)
    database.state.has_others = bool(models)
    followed: list[tuple[Sequence[_Step], bool]] = []
    for migration in migrations:
        ups = list(_steps(migration.up, backend, project, models))
        downs = list(_steps(migration.down, backend, project, models))
        fails = _up(database, ups, backend, gathered)
        followed.append((ups, fails))
        if ups and _is_taken_back(migration, downs):
            _down(database, ups, downs, backend, gathered)
        database.state.journal.clear()
    for steps, fails in () if models else followed:
        _rerun(database, steps, backend, gathered, is_judged=not fails)


def _is_taken_back(migration: Migration, downs: Sequence[_Step]) -> bool:
    """Return whether the down of a migration is run, and does anything: else DAL402 says so."""
    if any(part.state == "raises" for part in migration.down):
        return False
    return not all(step.is_tools or leaves_nothing(step.statement) for step in downs)


def _up(database: Database, ups: Sequence[_Step], backend: str, gathered: Gathered) -> bool:
    """Run the ups of a migration, and once more; return whether they fail then."""
    losses = Losses(database.state)
    database.begin([step.statement for step in ups])
    fails = False
    for is_tools, several in groupby(enumerate(ups), lambda pair: pair[1].is_tools):
        group = list(several)
        for number, (place, statement, _) in group:
            database.state.journal.step = number
            if is_tools:
                database.apply(statement)
            else:
                for problem in losses.of(statement):
                    gathered.add("data-loss", place, problem, backend)
                gathered.errors.run(database, place, statement)
            losses.note(statement)
        if not is_tools:
            fails |= _once_more(database, [step for _, step in group], backend, gathered)
    return fails


def _once_more(
    database: Database, steps: Sequence[_Step], backend: str, gathered: Gathered
) -> bool:
    """Run again what the project writes, and undo that; return whether it fails.

    The tool's own statements, of which none is guarded, are not run again.
    """
    journal = database.state.journal
    savepoint = journal.savepoint
    fails = False
    for place, statement, _ in steps:
        for problem in _again(database, statement):
            gathered.add("rerun", place, problem, backend)
            fails = fails or problem.effect == "fails"
    journal.roll_back(savepoint)
    return fails


def _again(database: Database, statement: SqlStatement) -> tuple[Problem, ...]:
    """Run a statement once more; nothing is known of one that is guarded in code."""
    if statement.within is not None and statement.within.is_guarded:
        return ()
    return database.dry_run(statement)


def _rerun(
    database: Database,
    ups: Sequence[_Step],
    backend: str,
    gathered: Gathered,
    *,
    is_judged: bool,
) -> None:
    """Run the ups of a migration on the schema that all have left; note the first that fails.

    What cannot be run again by itself is known already, and not judged here.
    """
    database.begin([step.statement for step in ups])
    for place, statement, _ in ups:
        problems = _again(database, statement)
        failures = [problem for problem in problems if problem.effect == "fails"]
        if failures and is_judged:
            problem = replace(failures[0], cure=_TAKEN_AWAY)
            gathered.add("rerun-all", place, problem, backend)
            is_judged = False


def _down(
    database: Database,
    ups: Sequence[_Step],
    downs: Sequence[_Step],
    backend: str,
    gathered: Gathered,
) -> None:
    """Run the downs of a migration, compare with what stood before the ups, and undo the downs."""
    journal = database.state.journal
    steps = [*ups, *downs]
    database.begin([step.statement for step in steps])
    savepoint = journal.savepoint
    for number, (place, statement, is_tools) in enumerate(downs, len(ups)):
        journal.step = number
        if is_tools:
            database.apply(statement)
            continue
        failures = _taken_back(database, place, statement, gathered.errors)
        for problem in failures[:1]:
            gathered.add("down", place, problem, backend)
    if all(_is_followed(step.statement) for step in steps) and not _drops_unknown(ups, downs):
        by_number: dict[int, list[Difference]] = {}
        for difference in differences(database.state, 0, len(ups) - 1):
            if not _may_be_undone(difference, database.state.opaque_code):
                by_number.setdefault(difference.step, []).append(difference)
        for number, several in by_number.items():
            place, statement, is_tools = steps[number]
            if is_tools:
                continue
            gathered.add("down", place, _not_undone(statement, several), backend)
    journal.roll_back(savepoint)


def _may_be_undone(difference: Difference, code: OpaqueCode) -> bool:
    """Return whether code that is not followed may have undone what differs."""
    is_of_model = MODEL_TABLE in difference.what
    return is_of_model or code.names(difference.name) or code.may_change(difference.table)


def _taken_back(
    database: Database, place: Place, statement: SqlStatement, errors: SchemaErrors
) -> list[Problem]:
    """Run a statement of a down; return what it fails for, and note what it fails for by itself."""
    state = database.state
    seen = state.sees_all, state.hides_types
    state.is_undoing = True
    found = database.apply(statement)
    state.is_undoing = False
    failures = [problem for problem in state.problems if problem.effect == "fails"]
    is_operation = statement.within is not None and statement.within.is_operation
    if is_operation or not failures:  # Of an operation it is told what an engine rejects in it.
        errors.add(place, found)
    if is_operation and not failures:
        failures = [Problem(error.span, "fails", error.reason, error.cure) for error in found]
    errors.exempt(place, database.exemptions(statement))
    state.sees_all, state.hides_types = seen  # What it makes is undone.
    return failures


def _is_followed(statement: SqlStatement) -> bool:
    """Return whether all is known that a statement does to a schema."""
    is_unread = statement.within is not None and statement.within.is_unread
    return statement.structure is not None and not is_unread


def _drops_unknown(ups: Sequence[_Step], downs: Sequence[_Step]) -> bool:
    """Return whether downs drop what has a name that is not known, and none that the ups give."""
    given = {name.parts for step in ups if (name := _name_of(step.statement)) is not None}
    structures = (step.statement.structure for step in downs)
    drops = (structure for structure in structures if isinstance(structure, Drop))
    dropped = (name.parts for drop in drops for name in drop.names)
    return any(UNKNOWN in "".join(parts) for parts in dropped if parts not in given)


def _not_undone(statement: SqlStatement, several: Sequence[Difference]) -> Problem:
    """Return what a down does not undo of a statement, the first thing by its name."""
    first = min(several, key=lambda difference: difference.change == "copied")
    more = f", and {len(several) - 1} more" if len(several) > 1 else ""
    reason = _CHANGES[first.change].format(first.what) + more
    is_only_other = all(difference.change in {"changed", "copied"} for difference in several)
    effect: Effect = "changes-definition" if is_only_other else "changes-schema"
    cure = _COPIED if first.change == "copied" else _LEFT
    return Problem(_name_span(statement), effect, reason, cure)


def _name_span(statement: SqlStatement) -> Span:
    """Return the place of the name that a statement is about; of all of it where it has none."""
    name = _name_of(statement)
    return name.span if name is not None else statement.span


def _name_of(statement: SqlStatement) -> SqlName | None:
    """Return the name that a statement is about, the first of several."""
    structure = statement.structure
    if isinstance(structure, (CreateTable, CreateIndex, CreateObject, AlterObject)):
        return structure.name
    if isinstance(structure, (AlterTable, Change)):
        return structure.table
    return structure.names[0] if isinstance(structure, Drop) and structure.names else None


def _steps(
    parts: Sequence[Part], backend: str, project: Project, models: Mapping[Place, ToolStatements]
) -> Iterator[_Step]:
    """Yield the statements of a migration that a backend runs, in their order, with their places.

    What is neither SQL nor Python is not read. What an ORM runs stands behind its operation.
    """
    for part in parts:
        for statement in statements_of(part, project) if part.language != "other" else ():
            place = Place(part.path, statement.span)
            if statement.within is None or backend in backends_for(statement, part.path, project):
                yield _Step(place, statement)
                found = models.get(place, NONE)
                for own in found.ups if part.side == "up" else found.downs:
                    yield _Step(place, own, is_tools=True)
