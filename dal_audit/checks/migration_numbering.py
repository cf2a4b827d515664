"""DAL401 migration-numbering."""

from __future__ import annotations

from collections.abc import Iterator

from dal_audit.assemble.migration_sets import audited_sets, is_audited, start_of
from dal_audit.assemble.project import Project
from dal_audit.facts import START, Place
from dal_audit.judge.breach import Breach, Related
from dal_audit.judge.check import check
from dal_audit.migrations.folders import within
from dal_audit.migrations.graph_flaws import faults_of_graph
from dal_audit.migrations.model import MigrationSet
from dal_audit.migrations.numbering_flaws import Fault, faults_of_series
from dal_audit.migrations.tools import TOOLS

_LISTED = "Bring the files back, or take the names out of the plan."
_ORDER = "Number the files, or move them out of the folder if they are no migrations."
SHOWN = 3
"""How many names a message lists."""


@check("DAL401")
def migration_numbering(project: Project) -> Iterator[Breach]:
    """Flag what has no place of its own in the order of its set.

    Numbers: gaps, doubles, other widths, files without one. Graphs: several ends, circles, what is
    named and not there. Plans: what they list that has no file. A folder of migrations whose files
    say no order at all is flagged at its first file.
    """
    sets = list(audited_sets(project))
    for migration_set in sets:
        faults = list(faults_of_series(migration_set))
        if migration_set.series == "graph":
            others = {
                migration.id
                for other in sets
                if other is not migration_set
                and other.tool == migration_set.tool
                and TOOLS[migration_set.tool].shares_ids
                for migration in other.migrations
            }
            faults.extend(faults_of_graph(migration_set, others))
        for fault in faults:
            if is_audited(fault.path, project):
                yield _breach(fault, project)
        yield from _unfiled(migration_set)
    yield from _unordered(sets, project)


def _breach(fault: Fault, project: Project) -> Breach:
    place, extent = Place(fault.path, START), None
    name = fault.path.rpartition("/")[2]
    if fault.migration is not None:
        place, extent = start_of(fault.migration, project)
        name = fault.migration.title
        if fault.migration.declared is not None:
            place, extent = Place(fault.path, fault.migration.declared), None
    related: tuple[Related, ...] = ()
    if fault.other is not None and fault.other.up:
        there = start_of(fault.other, project)[0]
        if fault.other.declared is not None:
            there = Place(there.path, fault.other.declared)
        related = (Related(there, f"`{fault.other.title}`"),)
    message = f"`{name}` {fault.reason}"
    return Breach(place, message, extent=extent, related=related, remedy=fault.cure)


def _unfiled(migration_set: MigrationSet) -> Iterator[Breach]:
    """Yield one breach for all that a plan lists and that has no file."""
    if migration_set.missing:
        plan = TOOLS[migration_set.tool].plan
        named = ", ".join(f"`{name}`" for name in migration_set.missing[:SHOWN])
        more = (
            f" and {len(migration_set.missing) - SHOWN} more"
            if len(migration_set.missing) > SHOWN
            else ""
        )
        path = f"{migration_set.root}/{plan}" if migration_set.root else plan
        message = f"`{plan}` lists what has no file: {named}{more}"
        yield Breach(Place(path, START), message, remedy=_LISTED)


def _unordered(sets: list[MigrationSet], project: Project) -> Iterator[Breach]:
    """Yield each folder that no tool's pattern fits.

    Scripts beside the migrations of a set, or below them, may be read by these: an assumption
    tells of them.
    """
    for folder in project.layout.unordered:
        if any(within(folder.folder, migration_set.root) for migration_set in sets):
            continue
        paths = [path for path in folder.paths if is_audited(path, project)]
        if paths:
            message = (
                f"nothing says in which order the {len(folder.paths)} SQL files in "
                f"`{folder.folder or '.'}` run: no migration tool names its files so"
            )
            yield Breach(Place(paths[0], START), message, remedy=_ORDER)
