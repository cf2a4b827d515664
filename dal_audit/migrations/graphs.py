"""Sets of Python files that say themselves which of them come first: Alembic's and Django's."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Final

from msgspec.structs import replace

from dal_audit.facts.migrations import Revision
from dal_audit.migrations.assembly import by_graph, by_walk
from dal_audit.migrations.backends import backend_of_folder
from dal_audit.migrations.folders import name_of, parent_of, within
from dal_audit.migrations.listing import Listing, join
from dal_audit.migrations.model import Migration, MigrationSet
from dal_audit.migrations.names import ScriptName, parse_name
from dal_audit.migrations.tools import ALEMBIC, DJANGO, MigrationTool
from dal_audit.migrations.up_and_down import halves

_SHORTEST: Final = 4
"""The fewest letters by which Alembic takes a part for an id (its `revision.py`)."""


def alembic_sets(listing: Listing, root: str) -> list[MigrationSet]:
    """Return Alembic's sets: one for each folder with an `env.py` or a template.

    Revisions outside of such a folder make a set with the others in their own. Those in folders
    that are named after engines are a set for each of these (`version_locations`).
    """
    groups: dict[tuple[str, str], dict[str, Revision]] = {}
    for path, revision in _free(listing, root, ALEMBIC):
        folder = _environment(listing, path)
        inner = parent_of(path)[len(folder) :]
        groups.setdefault((folder, backend_of_folder(inner)), {})[path] = revision
    found = []
    for (folder, backend), revisions in sorted(groups.items()):
        migrations = _resolved([_alembic(path, revisions[path]) for path in sorted(revisions)])
        settings = listing.sources.settings.get(join(folder, "env.py"), ())
        tables = (said.version_table for said in settings if said.tool == ALEMBIC.name)
        homes = {parent_of(migration.path) for migration in migrations}
        inner = homes.pop() if len(homes) == 1 else folder
        strays = [join(inner, name) for name in listing.scripts(inner)]
        found.append(
            MigrationSet(
                inner if backend else folder,
                ALEMBIC.name,
                "graph",
                by_graph(migrations),
                "sibling" if _is_environment(listing, folder) else "marker",
                backends=(backend,) if backend else None,
                version_table=next(tables, ""),
                strays=tuple(strays),
            )
        )
    return found


def _free(listing: Listing, root: str, tool: MigrationTool) -> list[tuple[str, Revision]]:
    return [
        (path, revision)
        for path, revision in sorted(listing.sources.revisions.items())
        if revision.framework == tool.name and within(path, root) and listing.is_free(path)
    ]


def _is_environment(listing: Listing, folder: str) -> bool:
    if listing.has(folder, "script.py.mako"):
        return True
    found = listing.sources.settings.get(join(folder, "env.py"), ())
    return any(said.tool == ALEMBIC.name for said in found)


def _environment(listing: Listing, path: str) -> str:
    """Return the folder of the environment that a revision belongs to, else its own folder."""
    folder = own = parent_of(path)
    while True:
        if _is_environment(listing, folder):
            return folder
        if not folder:
            return own
        folder = parent_of(folder)


def _alembic(path: str, revision: Revision) -> Migration:
    up, down = halves(path, revision)
    stem = name_of(path).removesuffix(".py")
    name = stem.removeprefix(revision.id).strip("_-")
    return Migration(
        revision.id,
        name,
        revision.id,
        up=up,
        down=down,
        transactional=revision.transactional,
        parents=(*revision.parents, *revision.depends),
        labels=revision.labels,
        declared=revision.span,
    )


def _resolved(migrations: Sequence[Migration]) -> list[Migration]:
    """Return Alembic's migrations with the ids of what they name.

    A branch may be named by its label, and an id by its beginning.
    """
    ids = sorted(migration.id for migration in migrations)
    known = set(ids)
    labelled = {
        label: migration.id for migration in reversed(migrations) for label in migration.labels
    }

    def resolve(name: str) -> str:
        if name in known:
            return name
        if name in labelled:
            return labelled[name]
        first = bisect_left(ids, name)
        begun = ids[first : first + 2]
        single = [own for own in begun if len(name) >= _SHORTEST and own.startswith(name)]
        return single[0] if len(single) == 1 else name

    return [
        replace(migration, parents=tuple(map(resolve, migration.parents)))
        for migration in migrations
    ]


def django_sets(listing: Listing, root: str) -> list[MigrationSet]:
    """Return Django's sets: one for each app, which is the folder around `migrations`."""
    groups: dict[str, dict[str, Revision]] = {}
    for path, revision in _free(listing, root, DJANGO):
        groups.setdefault(parent_of(path), {})[path] = revision
    apps = {name_of(parent_of(folder)) for folder in groups}
    found = []
    for folder, revisions in sorted(groups.items()):
        backend = backend_of_folder(folder) if len(groups) > 1 else ""
        label = _label(folder, revisions, apps)
        found.append(
            MigrationSet(
                folder,
                DJANGO.name,
                "graph",
                by_walk(_of_app(label, revisions)),
                "marker",
                backends=(backend,) if backend else None,
                strays=tuple(join(folder, name) for name in listing.scripts(folder)),
                label=label,
            )
        )
    return found


def _of_app(app: str, revisions: Mapping[str, Revision]) -> list[Migration]:
    """Return the migrations of an app, in the order of their paths."""
    stems = {path: name_of(path).removesuffix(".py") for path in sorted(revisions)}
    after: dict[str, list[str]] = {}
    for path, stem in stems.items():
        for later in _inside(revisions[path].before, app):
            after.setdefault(later, []).append(stem)
    return [
        _django(path, revisions[path], app, after.get(stem, ())) for path, stem in stems.items()
    ]


def _label(folder: str, revisions: Mapping[str, Revision], apps: AbstractSet[str]) -> str:
    """Return the label by which an app's migrations name each other.

    That is the name of the app's folder, unless the app is configured with another one: then it is
    the label that they name most often, of those that no other app's folder has, and under which
    none comes after itself or after one that is not there.
    """
    app = name_of(parent_of(folder))
    named = [(own, may_be) for own, may_be in _labels(revisions) if own == app or own not in apps]
    counts = Counter(own for own, may_be in named if may_be)
    others = {own for own, may_be in named if not may_be}
    if not counts or counts[app]:
        return app
    return max(sorted(counts), key=lambda label: (label not in others, counts[label]))


def _labels(revisions: Mapping[str, Revision]) -> Iterator[tuple[str, bool]]:
    """Yield the labels that an app's migrations name, each with whether it may be the app's own."""
    stems = {path: name_of(path).removesuffix(".py") for path in revisions}
    for path, revision in revisions.items():
        yield from ((replaced.partition(".")[0], True) for replaced in revision.replaces)
        for label, _dot, name in (parent.partition(".") for parent in revision.parents):
            if not name.startswith("__"):
                yield label, name in stems.values() and name != stems[path]


def _inside(references: tuple[str, ...], app: str) -> list[str]:
    """Return the names of the migrations of one app among references, whether there or not.

    `__first__` and `__latest__` name whatever is.
    """
    pairs = [reference.partition(".") for reference in references]
    return [name for label, _, name in pairs if label == app and not name.startswith("__")]


def _django(path: str, revision: Revision, app: str, earlier: Iterable[str]) -> Migration:
    """Return a migration; `earlier` are those that say themselves that they come before it."""
    up, down = halves(path, revision)
    name = parse_name(name_of(path)) or ScriptName("", "")
    return Migration(
        name_of(path).removesuffix(".py"),
        name.name,
        name.written,
        name.version,
        name.stamped,
        up=up,
        down=down,
        transactional=revision.transactional,
        parents=(*_inside(revision.parents, app), *earlier),
        replaces=tuple(_inside(revision.replaces, app)),
        declared=revision.span,
        across=tuple(own for own in revision.parents if own.partition(".")[0] != app),
    )
