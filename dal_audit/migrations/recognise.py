"""Find the migration sets of a project from its files and their facts.

In this order: what is configured; directives in the files; tools' own files beside them; patterns
of names; plain numbers. Nothing is read here and nothing judged.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

from msgspec.structs import replace

from dal_audit.migrations.assembly import common_backends
from dal_audit.migrations.backends import backend_of_folder, neutral_folder
from dal_audit.migrations.flat import engine, flat_set
from dal_audit.migrations.graphs import alembic_sets, django_sets
from dal_audit.migrations.homes import is_sure_home, name_of, parent_of, within
from dal_audit.migrations.listing import Listing, join
from dal_audit.migrations.model import (
    VERSION_TABLES,
    Migration,
    MigrationLayout,
    MigrationSet,
    Part,
    Sources,
    Unrecognised,
)
from dal_audit.migrations.names import is_script, parse_name
from dal_audit.migrations.nested import folders_set, releases_set, sqitch_set
from dal_audit.migrations.tools import settings_near
from dal_audit.policy.model import Migrations, Tool

_OF_FOLDERS: Final[frozenset[Tool]] = frozenset({"diesel", "drizzle", "prisma"})
"""Tools whose migrations are folders."""


def find_sets(
    sources: Sources, configured: Sequence[Migrations] = (), version_table: str | None = None
) -> MigrationLayout:
    """Return the migration sets of a project, by their roots.

    `configured` are the folders that the policy names: what lies in them is a set, whatever it
    looks like; the innermost of them counts, and the first of two for one folder. `version_table`
    is the one that the policy names.
    """
    roots = [_root(one) for one in configured]
    listing = Listing(sources, roots)
    found: list[MigrationSet] = []
    for one in sorted(configured, key=lambda one: -len(list(filter(None, _root(one).split("/"))))):
        found.extend(_configured(listing, one))
    found.extend(_sets_in(listing, "", "auto"))
    unrecognised = tuple(_unrecognised(listing))
    finished = [_finish(listing, one, version_table) for one in found]
    finished.sort(key=lambda one: (one.root, one.tool))
    return MigrationLayout(tuple(_pair(finished)), unrecognised)


def _configured(listing: Listing, one: Migrations) -> list[MigrationSet]:
    root = _root(one)
    sets = [replace(found, evidence="configured") for found in _sets_in(listing, root, one.tool)]
    rest = _rest(listing, root, one.tool) if not sets else None
    if rest is not None:
        sets.append(rest)
    if one.backends is not None:
        sets = [replace(found, backends=tuple(one.backends)) for found in sets]
    return sets


def _root(one: Migrations) -> str:
    """Return a configured folder as paths of files begin with it; empty for the project's own."""
    root = one.path.removeprefix("./").rstrip("/")
    return "" if root == "." else root


def _rest(listing: Listing, root: str, tool: Tool) -> MigrationSet | None:
    """Return all SQL files in a configured folder that fits no pattern, by their paths."""
    paths = [
        join(folder, one) for folder in listing.folders(root) for one in listing.scripts(folder)
    ]
    if not paths:
        return None
    listing.take(paths)
    migrations = tuple(_named(path, path[len(root) :].strip("/")) for path in sorted(paths))
    return MigrationSet(
        root, "plain" if tool == "auto" else tool, "named", migrations, "configured"
    )


def _named(path: str, label: str) -> Migration:
    name = parse_name(name_of(path))
    backends = (name.backend,) if name is not None and name.backend else None
    return Migration(label, label, up=(Part(path, "up"),), backends=backends)


def _sets_in(listing: Listing, root: str, tool: Tool) -> list[MigrationSet]:
    """Return the sets in a folder, at any depth; their files are taken from the listing."""
    found: list[MigrationSet] = []

    def keep(sets: Iterable[MigrationSet | None]) -> None:
        for one in sets:
            if one is not None:
                listing.take(one.paths())
                found.append(one)

    if tool in {"auto", "alembic"}:
        keep(alembic_sets(listing, root))
    if tool in {"auto", "django"}:
        keep(django_sets(listing, root))
    finders: list[Callable[[str], MigrationSet | None]] = []
    if tool in {"auto", "sqitch"}:
        finders.append(lambda folder: sqitch_set(listing, folder))
    if tool in {"auto", "plain"}:
        finders.append(lambda folder: releases_set(listing, folder))
    if tool in {"auto", *_OF_FOLDERS}:
        finders.append(lambda folder: folders_set(listing, folder, tool))
    if tool not in {"alembic", "django", "sqitch", "diesel", "prisma"}:
        finders.append(lambda folder: flat_set(listing, folder, tool))
    folders = listing.folders(root)
    for find in finders:
        keep(find(folder) for folder in folders)
    return found


def backend_of_script(path: str) -> str:
    """Return the backend that an SQL file which is in no set is meant for; empty for all.

    Its own name decides (`full.sql.postgres`, `schema.postgresql.sql`), then its folders' names.
    """
    name = parse_name(name_of(path))
    return (name.backend if name is not None else "") or backend_of_folder(parent_of(path))


def _unrecognised(listing: Listing) -> Iterator[Unrecognised]:
    """Return the folders with SQL files that are in no set although they should be in one.

    Those are folders that are called `migrations`, and all that are configured.
    """
    for folder in sorted(listing.free):
        names = sorted(one for one in listing.free[folder] if is_script(one))
        expected = is_sure_home(folder) or any(within(folder, one) for one in listing.homes)
        if names and expected:
            yield Unrecognised(folder, tuple(join(folder, one) for one in names))


def _finish(listing: Listing, one: MigrationSet, version_table: str | None) -> MigrationSet:
    """Add what follows from the tool, from the folder's name, and from what the program needs."""
    table = version_table or one.version_table or VERSION_TABLES.get(one.tool, "")
    backends = one.backends
    if backends is None and one.tool != "django" and common_backends(one.migrations) is None:
        named = backend_of_folder(one.root)
        backends = (named,) if named else None
        if not named and one.tool in {"diesel", "refinery", "sqlx"}:
            near = settings_near(listing, one.root, one.tool, ("Cargo.toml",))
            backends = engine(near) if near is not None else None
    return replace(one, version_table=table, backends=backends)


def _pair(sets: Sequence[MigrationSet]) -> Iterator[MigrationSet]:
    """Name for each set those that make the same schema on other backends.

    Their folders are alike but for the backends' names, and they are meant for one each.
    """
    groups: dict[str, list[MigrationSet]] = {}
    for one in sets:
        if one.backends is not None and len(one.backends) == 1:
            groups.setdefault(neutral_folder(one.root), []).append(one)
    for one in sets:
        others = groups.get(neutral_folder(one.root), ()) if one.backends else ()
        paired = sorted(
            {
                other.root
                for other in others
                if other.backends != one.backends and other.root != one.root
            }
        )
        yield replace(one, paired=tuple(paired))
