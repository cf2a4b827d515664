"""Which migrations run one after the other on one database, whatever set they belong to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from dal_audit.assemble.engine_modules import backends_for
from dal_audit.assemble.migration_sets import statements_of
from dal_audit.assemble.project import Project
from dal_audit.facts import Place
from dal_audit.facts.sql import SqlStatement
from dal_audit.migrations.apps import series_of_apps
from dal_audit.migrations.model import Migration, Part
from dal_audit.migrations.tools import TOOLS
from dal_audit.schema import FOLLOWED


def series_of(project: Project) -> tuple[list[Sequence[Migration]], frozenset[str]]:
    """Return the migrations that run one after the other, and the files of all of them.

    A baseline is run instead of what was before it, and not after that. A file that is in no set is
    a migration of its own.
    """
    series: list[Sequence[Migration]] = []
    paths: set[str] = set()
    apps = [listed for listed in project.layout.sets if listed.label]
    series += series_of_apps(apps)
    for listed in project.layout.sets:
        paths |= listed.paths()
        run = () if listed.label else listed.migrations
        series.append([migration for migration in run if migration.role != "baseline"])
        series += [(migration,) for migration in run if migration.role == "baseline"]
    alone = [
        file.path
        for file in project.files
        if file.path not in paths and project.sql_files.is_migration(file.path)
    ]
    series += [(Migration(path, up=(Part(path, "up"),)),) for path in alone]
    return series, frozenset(paths.union(alone))


def unguarded_operations(project: Project) -> Iterator[tuple[Place, tuple[str, ...]]]:
    """Yield the first operation on a table of each set whose tool knows no guards."""
    for found in project.layout.sets:
        if TOOLS[found.tool].has_guards:
            continue
        steps = (
            (part.path, statement)
            for migration in found.migrations
            for part in migration.up
            for statement in statements_of(part, project)
        )
        first = next(_operations(steps), None)
        if first is not None:
            path, statement = first
            backends = backends_for(statement, path, project)
            yield Place(path, statement.span), tuple(own for own in backends if own in FOLLOWED)


def _operations(steps: Iterable[tuple[str, SqlStatement]]) -> Iterator[tuple[str, SqlStatement]]:
    """Yield the statements that stand for operations on tables; some models have none."""
    without: set[str] = set()
    for path, statement in steps:
        within = statement.within
        if statement.head or within is None or not within.how:
            continue
        name, _, model = within.how.partition(" ")
        if name == "unmanaged":
            without.add(model)
        elif model not in without:
            yield path, statement
