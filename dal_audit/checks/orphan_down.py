"""DAL408 orphan-down."""

from __future__ import annotations

from collections.abc import Iterator

from dal_audit.assemble.migration_sets import audited_sets, is_audited, start_of, statements_of
from dal_audit.assemble.project import Project
from dal_audit.facts import START, Place
from dal_audit.judge.breach import Breach
from dal_audit.judge.check import check


@check("DAL408")
def orphan_down(project: Project) -> Iterator[Breach]:
    """Flag a down, be it a file or a section of one, that takes back a migration that is not there.

    A number that two ups share names neither, so a down of another name than both has no up.
    """
    for audited_migration_set in audited_sets(project):
        for part in audited_migration_set.orphans:
            if is_audited(part.path, project):
                own = statements_of(part, project)
                yield Breach(
                    Place(part.path, START),
                    f"`{part.path.rpartition('/')[2]}` takes back a migration that is not there",
                    extent=(1, own[0].span.line if own else 1),
                )
        for migration in audited_migration_set.migrations:
            if migration.down and not migration.up and is_audited(migration.down[0].path, project):
                place, extent = start_of(migration, project)
                message = f"`{migration.title}` has a down and no up"
                yield Breach(place, message, extent=extent)
