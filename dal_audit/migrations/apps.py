"""The migrations of several apps that one database is made by, in the order in which they run.

Django's apps name each other's migrations; so their sets are one series, and what an app says of
another one's tables is known.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from msgspec.structs import replace

from dal_audit.migrations.assembly import by_graph
from dal_audit.migrations.model import Migration, MigrationSet

__all__ = ["series_of_apps"]


def series_of_apps(sets: Iterable[MigrationSet]) -> list[tuple[Migration, ...]]:
    """Return the migrations of apps in the order in which they run, each as `app.name`.

    Apps of one label belong to several projects. Where migrations were squashed, those that are
    run instead of the others are a series, too.
    """
    projects: list[dict[str, MigrationSet]] = []
    for found in sets:
        other = next((own for own in projects if found.label not in own), None)
        if other is None:
            other = {}
            projects.append(other)
        other[found.label] = found
    return [series for project in projects for series in _in_order(project)]


def _in_order(apps: Mapping[str, MigrationSet]) -> list[tuple[Migration, ...]]:
    every = [
        _of_project(migration, label)
        for label, found in apps.items()
        for migration in found.migrations
    ]
    known = {migration.id for migration in every}
    gone = {
        own: migration.id for migration in every for own in migration.replaces if own not in known
    }
    every = _instead_of(every, gone)
    squashed = {
        migration.id: migration.replaces
        for migration in every
        if migration.replaces and known.issuperset(migration.replaces)
    }
    if not squashed:
        return [by_graph(every)]
    instead = {own: new for new, several in squashed.items() for own in several}
    first = [
        replace(
            migration,
            parents=tuple(
                own for parent in migration.parents for own in squashed.get(parent, (parent,))
            ),
        )
        for migration in every
        if migration.id not in squashed
    ]
    return [by_graph(first), by_graph(_instead_of(every, instead))]


def _instead_of(every: Sequence[Migration], instead: Mapping[str, str]) -> list[Migration]:
    """Return migrations without those that another one stands for, which is named instead."""
    return [
        replace(
            migration, parents=tuple(instead.get(parent, parent) for parent in migration.parents)
        )
        for migration in every
        if migration.id not in instead
    ]


def _of_project(migration: Migration, label: str) -> Migration:
    """Return a migration under the name that other apps have for it."""
    own = [f"{label}.{parent}" for parent in migration.parents]
    return replace(
        migration,
        id=f"{label}.{migration.id}",
        parents=(*own, *migration.across),
        replaces=tuple(f"{label}.{other}" for other in migration.replaces),
    )
