"""Which sets are replayed, and on which engines; what is not is said."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from pathlib import Path

from msgspec import Struct, field

from dal_audit.assemble.migration_layout import layout_of
from dal_audit.assemble.sql_files import SqlFiles
from dal_audit.catalogue.engine_names import ENGINES, POSTGRESQL, SQLITE, Engine
from dal_audit.discover.errors import UsageError
from dal_audit.discover.files import project_files
from dal_audit.discover.projects import ProjectScope
from dal_audit.disk.regular_file import read_regular
from dal_audit.extract.source import UndecodableError
from dal_audit.facts import START
from dal_audit.facts.migrations import Tool
from dal_audit.migrations.model import Language, Migration, MigrationLayout, MigrationSet
from dal_audit.migrations.tools import ALEMBIC, DJANGO
from dal_audit.replay.model import Program, Step
from dal_audit.replay.scripts import Scripts
from dal_audit.replay.variables import Variables


class Planned(Struct, frozen=True):
    """A set to be replayed: its migrations as each engine runs them.

    `paired` are the roots of the sets that make the same schema on other engines.
    """

    root: str
    steps: dict[Engine, tuple[Step, ...]]
    paired: tuple[str, ...] = ()
    tool: Tool = "plain"
    migrations: dict[Engine, tuple[Migration, ...]] = field(default_factory=dict)
    """The migrations that the steps are, in the same order."""
    programs: dict[Engine, Program] = field(default_factory=dict)
    """What runs the steps, where they are Python."""


class ReplayPlan(Struct, frozen=True):
    """The sets of one project that are replayed; `notes` say what is not, a line each."""

    layout: MigrationLayout
    sets: tuple[Planned, ...]
    notes: tuple[str, ...]


def plan_replay(
    scope: ProjectScope,
    on: Sequence[Engine] | None,
    python: str = "",
    reads: AbstractSet[Tool] = frozenset(),
    variables: Variables = (),
) -> ReplayPlan:
    """Decide what is replayed of a project; `on` are the engines asked for.

    `python` is the project's interpreter, which runs sets in Python: without one, none is run but
    by those of whose tools (`reads`) it is enough to know the order. `variables` are what it is
    handed.
    Raises UsageError for a file of migrations that cannot be read.
    """
    layout = layout_of(scope, project_files(scope.policy, scope.listed, nested=scope.nested))
    known = SqlFiles(scope.policy, layout)
    sets: list[Planned] = []
    notes: list[str] = []
    for found in layout.sets:
        if not _is_asked_for(found.root, scope.requested):
            continue
        why = "" if found.tool in reads and _is_python(found) else _unfit(found, python)
        engines = _engines(found, known) if on is None else tuple(on)
        if not why and not engines:
            why = f"its SQL is for {', '.join(sorted(found.engines()))}"
        if why:
            notes.append(f"`{_shown(found.root)}` ({found.tool}) is not replayed: {why}")
            continue
        if _is_python(found):
            sets.append(_program(found, engines, scope.policy.root, (python, variables)))
            continue
        planned, more = _planned(found, engines, scope.policy.root)
        sets.append(planned)
        notes += more
    for folder in layout.unrecognised:
        if _is_asked_for(folder.folder, scope.requested):
            notes.append(
                f"`{_shown(folder.folder)}` is not replayed: no tool orders its files;"
                " name it in `[[migrations]]`"
            )
    return ReplayPlan(layout, tuple(sets), tuple(notes))


def _is_asked_for(root: str, requested: Sequence[str]) -> bool:
    """Return whether a set lies in a path that was asked for, or holds it."""
    return any(
        path in {".", root}
        or root.startswith(f"{path}/")
        or path.startswith(f"{root}/")
        or root in {"", "."}
        for path in requested
    )


def _unfit(found: MigrationSet, python: str) -> str:
    languages = _languages(found)
    if "python" not in languages:
        return "" if languages == {"sql"} else "its migrations are not SQL"
    if not _is_python(found):
        return "its migrations are Python, and of these only Alembic's and Django's are run"
    if not python:
        return (
            "its migrations are Python, code of the project, which only `dal-audit replay --python"
            " PATH` runs; PATH is the interpreter that has its packages"
        )
    return ""


def _languages(found: MigrationSet) -> set[Language]:
    return {part.language for migration in found.migrations for part in migration.up}


def _is_python(found: MigrationSet) -> bool:
    """Return whether a tool runs a set in the project's interpreter."""
    return found.tool in {ALEMBIC.name, DJANGO.name} and "python" in _languages(found)


def _program(
    found: MigrationSet, engines: Sequence[Engine], root: Path, interpreter: tuple[str, Variables]
) -> Planned:
    """Plan a set that its tool runs: what its migrations run shows only then."""
    migrations = {engine: tuple(_of_engine(found, engine)) for engine in engines}
    steps = {engine: tuple(_step(own) for own in several) for engine, several in migrations.items()}
    programs = {
        engine: Program(
            interpreter[0],
            found.tool,
            str(root),
            found.root,
            tuple(_name(found, own) for own in several),
            interpreter[1],
        )
        for engine, several in migrations.items()
    }
    return Planned(_shown(found.root), steps, found.paired, found.tool, migrations, programs)


def _step(migration: Migration) -> Step:
    """Return a migration of which only a run tells the statements."""
    if any(part.state == "code" for part in migration.down):
        return Step(migration.path, (), ())
    spans = [part.anchor for part in migration.down if part.anchor is not None]
    return Step(migration.path, (), None, spans[0] if spans else START)


def _name(found: MigrationSet, migration: Migration) -> str:
    """Return what a tool calls a migration: Django the file, Alembic what the file says."""
    if found.tool == DJANGO.name:
        return migration.path.rpartition("/")[2].removesuffix(".py")
    return migration.id


def _engines(found: MigrationSet, known: SqlFiles) -> tuple[Engine, ...]:
    """Return the engines that run any migration of a set, by configuration and names."""
    run = {
        backend for migration in found.migrations for backend in known.backends_of(migration.path)
    }
    return tuple(engine for engine in ENGINES if engine in run)


def _planned(
    found: MigrationSet, engines: Sequence[Engine], root: Path
) -> tuple[Planned, list[str]]:
    scripts = Scripts(lambda path: read_regular(root / path))
    steps: dict[Engine, tuple[Step, ...]] = {}
    migrations = {engine: tuple(_of_engine(found, engine)) for engine in engines}
    for engine in engines:
        try:
            steps[engine] = tuple(scripts.steps(migrations[engine]))
        except OSError as error:
            raise UsageError(
                f"error: `{error.filename}` cannot be read: {error.strerror}"
            ) from error
        except UndecodableError as error:
            raise UsageError(
                f"error: a migration in `{found.root}` is not read: {error}"
            ) from error
    planned = Planned(_shown(found.root), steps, found.paired, found.tool, migrations)
    return planned, list(_skipped(scripts))


def _of_engine(found: MigrationSet, engine: Engine) -> Iterator[Migration]:
    """Yield the migrations that an engine runs; a set named after others, if it is asked for."""
    for migration in found.migrations:
        own = migration.backends
        if own is None or engine in own or not set(own) & set(ENGINES):
            yield migration


def _skipped(scripts: Scripts) -> Iterator[str]:
    for why, places in scripts.skipped.items():
        first = min(places)
        more = f" and in {len(places) - 1} more places" if len(places) > 1 else ""
        yield f"not run: {why} ({first.path}:{first.span.line}{more})"


def _shown(root: str) -> str:
    return root or "."


def engine_of(name: str) -> Engine:
    """Return an engine by its name. Raises ValueError for any other word."""
    if name == SQLITE:
        return SQLITE
    if name in {POSTGRESQL, "postgres"}:
        return POSTGRESQL
    raise ValueError(name)
