"""What becomes of each migration's statements when they are run again, and taken back.

Every set is followed from its first migration to its last, on each backend that runs it. The ups
of a migration are run twice, one run after the other: that is what happens when a tool lost track
of what it ran, or was stopped before it could note it. Then its downs are run, and what stands is
compared with what stood before the ups. In the end all ups are run again from the first on, as the
law has it: that finds what an earlier migration needs and a later one has taken away.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Literal, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from dal_audit.assemble.migration_sets import leaves_nothing, statements_of
from dal_audit.assemble.project import Project
from dal_audit.facts import Span
from dal_audit.facts.sql import (
    AlterObject,
    AlterTable,
    Change,
    CreateIndex,
    CreateObject,
    CreateTable,
    Drop,
    SqlStatement,
)
from dal_audit.migrations.model import Migration, Part
from dal_audit.standing import (
    FOLLOWED,
    Database,
    Difference,
    Effect,
    Losses,
    Problem,
    differences,
)

Run: TypeAlias = Literal["again", "all-again", "back", "loss"]
"""What a remark is about: a second run of one migration, or of all, the way back, or a loss."""

_CHANGES = {
    "left": "the down leaves {}",
    "lost": "the down does not bring back {}",
    "changed": "the down brings back {}",
}
_TAKEN_AWAY = (
    "Let the later migration keep what this one needs, or guard this statement with a look at "
    "whether it stands."
)
_LEFT = "Undo in the down what the up does, in the opposite order."


class Remark(Struct, frozen=True):
    """What is to be said of a statement; each backend has its cure, and the rest is `Problem`'s."""

    run: Run
    span: Span
    effect: Effect
    reason: str
    cures: Mapping[str, str]


class _Remarks:
    """Gathers remarks by their statements; what holds on several backends is one remark."""

    def __init__(self) -> None:
        self._found: dict[int, dict[tuple[Run, Span, Effect, str], dict[str, str]]] = {}

    def add(self, run: Run, statement: SqlStatement, problem: Problem, backend: str) -> None:
        """Note a remark on a statement."""
        key = (run, problem.span, problem.effect, problem.reason)
        own = self._found.setdefault(id(statement), {})
        own.setdefault(key, {})[backend] = problem.cure

    def all(self) -> dict[int, tuple[Remark, ...]]:
        """Return the remarks by the identity of their statements."""
        return {
            statement: tuple(Remark(*key, cures) for key, cures in own.items())
            for statement, own in self._found.items()
        }


@lru_cache(maxsize=8)
def remarks_of(project: Project) -> Mapping[int, tuple[Remark, ...]]:
    """Return what is to be said of statements, by their identity."""
    found = _Remarks()
    in_sets: set[str] = set()
    series: list[Sequence[Migration]] = []
    for one in project.layout.sets:
        in_sets |= one.paths()
        # A baseline is run instead of what was before it, and not after that.
        series.append([migration for migration in one.migrations if migration.role != "baseline"])
        series += [(migration,) for migration in one.migrations if migration.role == "baseline"]
    series += [
        (_alone(file.path),)
        for file in project.files
        if file.path not in in_sets and project.sql_files.is_migration(file.path)
    ]
    for migrations in series:
        for backend in FOLLOWED:
            run = [one for one in migrations if _is_run(one, backend, project)]
            if run:
                _follow(run, backend, project, found)
    return found.all()


def _alone(path: str) -> Migration:
    """Return a file that is in no set as a migration."""
    return Migration(path, up=(Part(path, "up"),))


def _is_run(one: Migration, backend: str, project: Project) -> bool:
    return any(backend in project.sql_files.backends_of(part.path) for part in one.up)


def _follow(
    migrations: Sequence[Migration], backend: str, project: Project, found: _Remarks
) -> None:
    """Follow the migrations of a set on one backend."""
    database = Database(backend)
    followed: list[tuple[Sequence[SqlStatement], bool]] = []
    for one in migrations:
        ups = list(_statements(one.up, project))
        downs = list(_statements(one.down, project))
        fails = _up(database, ups, backend, found)
        followed.append((ups, fails))
        if ups and not all(map(leaves_nothing, downs)):  # Else DAL402 says that it has no down.
            _down(database, ups, downs, backend, found)
        database.state.journal.forget()
    for statements, fails in followed:
        _again(database, statements, backend, found, is_judged=not fails)


def _up(database: Database, ups: Sequence[SqlStatement], backend: str, found: _Remarks) -> bool:
    """Run the ups of a migration, and once more; return whether they fail then."""
    journal = database.state.journal
    losses = Losses(database.state)
    database.begin(ups)
    for step, statement in enumerate(ups):
        journal.step = step
        for problem in losses.of(statement):
            found.add("loss", statement, problem, backend)
        database.take(statement)
        losses.note(statement)
    mark = journal.mark
    fails = False
    for statement in ups:
        for problem in database.try_out(statement):
            found.add("again", statement, problem, backend)
            fails = fails or problem.effect == "fails"
    journal.back_to(mark)
    return fails


def _again(
    database: Database,
    ups: Sequence[SqlStatement],
    backend: str,
    found: _Remarks,
    *,
    is_judged: bool,
) -> None:
    """Run the ups of a migration on the schema that all have left; note the first that fails.

    What cannot be run again by itself is known already, and not judged here.
    """
    database.begin(ups)
    for statement in ups:
        failures = [one for one in database.try_out(statement) if one.effect == "fails"]
        if failures and is_judged:
            problem = replace(failures[0], cure=_TAKEN_AWAY)
            found.add("all-again", statement, problem, backend)
            is_judged = False


def _down(
    database: Database,
    ups: Sequence[SqlStatement],
    downs: Sequence[SqlStatement],
    backend: str,
    found: _Remarks,
) -> None:
    """Run the downs of a migration, compare with what stood before the ups, and undo the downs."""
    journal = database.state.journal
    statements = [*ups, *downs]
    database.begin(statements)
    mark = journal.mark
    for step, statement in enumerate(downs, len(ups)):
        journal.step = step
        failures = [one for one in database.force(statement) if one.effect == "fails"]
        for problem in failures[:1]:
            found.add("back", statement, problem, backend)
    if all(one.structure is not None for one in statements):
        by_step: dict[int, list[Difference]] = {}
        for one in differences(database.state, 0, len(ups) - 1):
            if not database.is_doubtful(one.name):
                by_step.setdefault(one.step, []).append(one)
        for step, several in by_step.items():
            found.add("back", statements[step], _not_undone(statements[step], several), backend)
    journal.back_to(mark)


def _not_undone(statement: SqlStatement, several: Sequence[Difference]) -> Problem:
    """Return what a down does not undo of a statement, the first thing by its name."""
    first = several[0]
    more = f", and {len(several) - 1} more" if len(several) > 1 else ""
    reason = _CHANGES[first.change].format(first.what) + more
    is_only_other = all(one.change == "changed" for one in several)
    effect: Effect = "changes-definition" if is_only_other else "changes-schema"
    return Problem(_name_span(statement), effect, reason, _LEFT)


def _name_span(statement: SqlStatement) -> Span:
    """Return the place of the name that a statement is about; of all of it where it has none."""
    one = statement.structure
    name = None
    if isinstance(one, (CreateTable, CreateIndex, CreateObject, AlterObject)):
        name = one.name
    elif isinstance(one, (AlterTable, Change)):
        name = one.table
    elif isinstance(one, Drop) and one.names:
        name = one.names[0]
    return name.span if name is not None else statement.span


def _statements(parts: Sequence[Part], project: Project) -> Iterator[SqlStatement]:
    """Yield the statements of the SQL parts of a migration, in their order."""
    for part in parts:
        if part.language == "sql":
            yield from statements_of(part, project)
