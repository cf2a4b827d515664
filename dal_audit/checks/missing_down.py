"""DAL402 missing-down."""

from __future__ import annotations

from collections.abc import Iterator

from dal_audit.assemble.migration_sets import (
    audited_sets,
    does_nothing,
    is_audited,
    runs_elsewhere,
    start_of,
)
from dal_audit.assemble.project import Project
from dal_audit.facts import START, Place
from dal_audit.judge.breach import Breach, Related
from dal_audit.judge.check import check
from dal_audit.migrations.model import Migration, MigrationSet, Part
from dal_audit.migrations.tools import TOOLS


@check("DAL402")
def missing_down(project: Project) -> Iterator[Breach]:
    """Flag a migration that does something and that nothing takes back.

    Of a tool that knows no downs, the first migration is flagged, for all of the set. A program
    that is not read, in Go or Java, may hold its down.
    """
    for migration_set in audited_sets(project):
        acting = [
            migration for migration in migration_set.migrations if _is_acting(migration, project)
        ]
        if not TOOLS[migration_set.tool].runs_downs:
            bare = [migration for migration in acting if not migration.down]
            yield from _without_any(bare, migration_set, project)
        else:
            for migration in acting:
                yield from _missing(migration, migration_set, project)


def _is_acting(migration: Migration, project: Project) -> bool:
    """Return whether a migration is judged, runs by itself, and changes something."""
    return (
        bool(migration.up)
        and migration.role == "versioned"
        and is_audited(migration.path, project)
        and not all(does_nothing(part, project) for part in migration.up)
    )


def _without_any(
    bare: list[Migration], migration_set: MigrationSet, project: Project
) -> Iterator[Breach]:
    if bare:
        place, extent = start_of(bare[0], project)
        count = f"the {len(bare)} migrations" if len(bare) > 1 else "the one migration"
        folder = migration_set.root or "."
        message = f"{migration_set.tool} runs no downs: nothing takes back {count} in `{folder}`"
        yield Breach(place, message, extent=extent)


def _missing(
    migration: Migration, migration_set: MigrationSet, project: Project
) -> Iterator[Breach]:
    place, extent = start_of(migration, project)
    if not migration.down:
        if migration.up[0].language != "other":
            message = f"`{migration.title}` has no down{_where(migration_set, migration)}"
            yield Breach(place, message, extent=extent)
        return
    down = migration.down[0]
    if down.language == "python":
        if down.state == "empty" and runs_elsewhere(migration.up, project):
            return
        flaw = _flaw_of_code(down, migration_set)
        if flaw:
            span = down.anchor or START
            yield Breach(Place(down.path, span), f"`{migration.title}` {flaw}")
    elif all(does_nothing(part, project) for part in migration.down):
        there = Place(down.path, down.anchor or START)
        yield Breach(
            place,
            f"the down of `{migration.title}` does nothing",
            extent=extent,
            related=(Related(there, "the down"),) if there != place else (),
        )


def _where(migration_set: MigrationSet, migration: Migration) -> str:
    """Return where a down was looked for, as a message says it."""
    tool = TOOLS[migration_set.tool]
    is_python = migration.up[0].language == "python"
    words = tool.missing_function if is_python else tool.missing_down
    return f": {words.replace('{id}', migration.id)}" if words else ""


def _flaw_of_code(down: Part, migration_set: MigrationSet) -> str:
    if down.state == "empty":
        return TOOLS[migration_set.tool].empty_function
    return TOOLS[migration_set.tool].refusing_function if down.state == "raises" else ""
