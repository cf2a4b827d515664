"""Sets of Python files that say themselves which of them come first: Alembic's and Django's."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Final

from msgspec.structs import replace

from dal_audit.facts.migrations import Revision
from dal_audit.migrations.assembly import by_graph
from dal_audit.migrations.backends import backend_of_folder
from dal_audit.migrations.homes import name_of, parent_of, within
from dal_audit.migrations.listing import Listing, join
from dal_audit.migrations.model import Migration, MigrationSet
from dal_audit.migrations.names import ScriptName, parse_name
from dal_audit.migrations.parts import halves

_SHORTEST: Final = 4
"""The fewest letters by which Alembic takes a part for an id (its `revision.py`)."""


def alembic_sets(listing: Listing, root: str) -> list[MigrationSet]:
    """Return Alembic's sets: one for each folder with an `env.py` or a template.

    Revisions outside of such a folder make a set with the others in their own.
    """
    groups: dict[str, dict[str, Revision]] = {}
    for path, revision in _free(listing, root, "alembic"):
        groups.setdefault(_environment(listing, path), {})[path] = revision
    found = []
    for folder, revisions in sorted(groups.items()):
        migrations = _resolved([_alembic(path, revisions[path]) for path in sorted(revisions)])
        settings = listing.sources.settings.get(join(folder, "env.py"), ())
        table = next((one.version_table for one in settings if one.tool == "alembic"), "")
        home = parent_of(migrations[0].path)
        inner = home if all(parent_of(one.path) == home for one in migrations) else folder
        strays = [join(inner, one) for one in listing.scripts(inner)]
        found.append(
            MigrationSet(
                folder,
                "alembic",
                "graph",
                by_graph(migrations),
                "sibling" if _is_environment(listing, folder) else "marker",
                version_table=table,
                strays=tuple(strays),
            )
        )
    return found


def _free(listing: Listing, root: str, framework: str) -> list[tuple[str, Revision]]:
    return [
        (path, one)
        for path, one in sorted(listing.sources.revisions.items())
        if one.framework == framework and within(path, root) and listing.is_free(path)
    ]


def _is_environment(listing: Listing, folder: str) -> bool:
    if listing.has(folder, "script.py.mako"):
        return True
    found = listing.sources.settings.get(join(folder, "env.py"), ())
    return any(one.tool == "alembic" for one in found)


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
    ids = sorted(one.id for one in migrations)
    known = set(ids)
    labelled = {label: one.id for one in reversed(migrations) for label in one.labels}

    def resolve(name: str) -> str:
        if name in known:
            return name
        if name in labelled:
            return labelled[name]
        first = bisect_left(ids, name)
        begun = ids[first : first + 2]
        single = [one for one in begun if len(name) >= _SHORTEST and one.startswith(name)]
        return single[0] if len(single) == 1 else name

    return [replace(one, parents=tuple(map(resolve, one.parents))) for one in migrations]


def django_sets(listing: Listing, root: str) -> list[MigrationSet]:
    """Return Django's sets: one for each app, which is the folder around `migrations`."""
    groups: dict[str, dict[str, Revision]] = {}
    for path, revision in _free(listing, root, "django"):
        groups.setdefault(parent_of(path), {})[path] = revision
    apps = {name_of(parent_of(folder)) for folder in groups}
    found = []
    for folder, revisions in sorted(groups.items()):
        names = {path: parse_name(name_of(path)) for path in revisions}
        own = {name_of(path).removesuffix(".py") for path in revisions}
        app = _label(folder, own, revisions.values(), apps)
        after: dict[str, list[str]] = {}
        for path, revision in sorted(revisions.items()):
            for one in _inside(revision.before, app):
                after.setdefault(one, []).append(name_of(path).removesuffix(".py"))
        migrations = [
            _django(path, revisions[path], names[path], app, after) for path in sorted(revisions)
        ]
        strays = tuple(join(folder, one) for one in listing.scripts(folder))
        backend = backend_of_folder(folder) if len(groups) > 1 else ""
        found.append(
            MigrationSet(
                folder,
                "django",
                "graph",
                by_graph(migrations),
                "marker",
                backends=(backend,) if backend else None,
                strays=strays,
            )
        )
    return found


def _label(
    folder: str, own: AbstractSet[str], revisions: Iterable[Revision], apps: AbstractSet[str]
) -> str:
    """Return the label by which an app's migrations name each other.

    That is the name of the app's folder, unless the app is configured with another one: then it is
    the label that they name most often, of those that no other app's folder has.
    """
    app = name_of(parent_of(folder))
    counts: Counter[str] = Counter()
    for revision in revisions:
        for one in revision.parents:
            label, _dot, name = one.partition(".")
            if name in own and (label == app or label not in apps):
                counts[label] += 1
    if not counts or counts[app]:
        return app
    return max(sorted(counts), key=lambda one: counts[one])


def _inside(references: tuple[str, ...], app: str) -> list[str]:
    """Return the names of the migrations of one app among references, whether there or not.

    `__first__` and `__latest__` name whatever is.
    """
    pairs = [one.partition(".") for one in references]
    return [name for label, _, name in pairs if label == app and not name.startswith("__")]


def _django(
    path: str,
    revision: Revision,
    name: ScriptName | None,
    app: str,
    after: Mapping[str, list[str]],
) -> Migration:
    up, down = halves(path, revision)
    stem = name_of(path).removesuffix(".py")
    parents = [*_inside(revision.parents, app), *after.get(stem, ())]
    return Migration(
        stem,
        name.name if name else "",
        name.written if name else "",
        name.version if name else (),
        name.stamped if name else False,
        up=up,
        down=down,
        transactional=revision.transactional,
        parents=tuple(parents),
        replaces=tuple(_inside(revision.replaces, app)),
        declared=revision.span,
    )
