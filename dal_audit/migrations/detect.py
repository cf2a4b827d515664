"""Find the migration sets of a project from its files and their facts.

In this order: what is configured; directives in the files; tools' own files beside them; patterns
of names; plain numbers. Nothing is read here and nothing judged.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final, TypeAlias

from msgspec.structs import replace

from dal_audit.catalogue.engine_words import engine_of
from dal_audit.migrations.assembly import common_backends
from dal_audit.migrations.backends import backend_of_folder, neutral_folder
from dal_audit.migrations.folder_each import folders_set, releases_set, sqitch_set
from dal_audit.migrations.folders import is_sure_home, name_of, parent_of, within
from dal_audit.migrations.graphs import alembic_sets, django_sets
from dal_audit.migrations.listing import Listing, join
from dal_audit.migrations.model import (
    Migration,
    MigrationLayout,
    MigrationSet,
    Part,
    Sources,
    Unrecognised,
)
from dal_audit.migrations.names import is_script, parse_name
from dal_audit.migrations.one_folder import engine, flat_set
from dal_audit.migrations.tool_detection import settings_near
from dal_audit.migrations.tools import PLAIN, TOOLS, Layout, MigrationTool
from dal_audit.policy.model import Migrations, ToolChoice


def find_sets(
    sources: Sources, configured: Sequence[Migrations] = (), version_table: str | None = None
) -> MigrationLayout:
    """Return the migration sets of a project, by their roots.

    `configured` are the folders that the policy names: what lies in them is a set, whatever it
    looks like; the innermost of them counts, and the first of two for one folder. `version_table`
    is the one that the policy names.
    """
    roots = list(map(_root, configured))
    listing = Listing(sources, roots)
    found: list[MigrationSet] = []
    for wish in sorted(configured, key=_depth, reverse=True):
        found.extend(_configured(listing, wish))
    found.extend(_sets_in(listing, "", "auto"))
    unrecognised = tuple(_unrecognised(listing))
    finished = [_finish(listing, single, version_table) for single in found]
    finished.sort(key=lambda single: (single.root, single.tool))
    return MigrationLayout(tuple(_pair(finished)), unrecognised)


def _configured(listing: Listing, wish: Migrations) -> list[MigrationSet]:
    root = _root(wish)
    sets = [replace(found, evidence="configured") for found in _sets_in(listing, root, wish.tool)]
    rest = _rest(listing, root, wish.tool) if not sets else None
    if rest is not None:
        sets.append(rest)
    if wish.backends is not None:
        sets = [replace(found, backends=tuple(wish.backends)) for found in sets]
    return sets


def _root(wish: Migrations) -> str:
    """Return a configured folder as paths of files begin with it; empty for the project's own."""
    root = wish.path.removeprefix("./").rstrip("/")
    return "" if root == "." else root


def _depth(wish: Migrations) -> int:
    return len(list(filter(None, _root(wish).split("/"))))


def _rest(listing: Listing, root: str, tool: ToolChoice) -> MigrationSet | None:
    """Return all SQL files in a configured folder that fits no pattern, by their paths."""
    paths = [
        join(folder, name) for folder in listing.folders(root) for name in listing.scripts(folder)
    ]
    if not paths:
        return None
    listing.take(paths)
    migrations = tuple(_named(path, path[len(root) :].strip("/")) for path in sorted(paths))
    return MigrationSet(
        root, PLAIN.name if tool == "auto" else tool, "named", migrations, "configured"
    )


def _named(path: str, label: str) -> Migration:
    name = parse_name(name_of(path))
    backends = (name.backend,) if name is not None and name.backend else None
    return Migration(label, label, up=(Part(path, "up"),), backends=backends)


def _sets_in(listing: Listing, root: str, tool: ToolChoice) -> list[MigrationSet]:
    """Return the sets in a folder, at any depth; their files are taken from the listing."""
    tools = TOOLS.values() if tool == "auto" else (TOOLS[tool],)
    layouts = {layout for row in tools for layout in row.layouts}
    found: list[MigrationSet] = []
    for layout, find in _FINDERS.items():
        for single in find(listing, root, tool) if layout in layouts else ():
            listing.take(single.paths())
            found.append(single)
    return found


_Find: TypeAlias = Callable[[Listing, str, ToolChoice], Iterable[MigrationSet]]


def _each(find: Callable[[Listing, str, ToolChoice], MigrationSet | None]) -> _Find:
    """Return what looks for sets in a folder and in each below it."""

    def find_all(listing: Listing, root: str, tool: ToolChoice) -> Iterator[MigrationSet]:
        for folder in listing.folders(root):
            found = find(listing, folder, tool)
            if found is not None:
                yield found

    return find_all


_FINDERS: Final[Mapping[Layout, _Find]] = {
    "environment": lambda listing, root, _tool: alembic_sets(listing, root),
    "app": lambda listing, root, _tool: django_sets(listing, root),
    "plan": _each(lambda listing, folder, _tool: sqitch_set(listing, folder)),
    "releases": _each(lambda listing, folder, _tool: releases_set(listing, folder)),
    "folder-each": _each(folders_set),
    "one-folder": _each(flat_set),
}
"""What finds the sets of each layout. The first that finds one takes its files."""


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
        names = sorted(filter(is_script, listing.free[folder]))
        expected = is_sure_home(folder) or any(within(folder, home) for home in listing.homes)
        if names and expected:
            yield Unrecognised(folder, tuple(join(folder, name) for name in names))


def _finish(listing: Listing, found: MigrationSet, version_table: str | None) -> MigrationSet:
    """Add what follows from the tool, from the folder's name, and from what the program needs."""
    tool = TOOLS[found.tool]
    stated = tuple(_as_stated(listing, migration) for migration in found.migrations)
    found = replace(found, migrations=stated)
    table = version_table or found.version_table or tool.version_table
    is_unbound = found.backends is None and common_backends(found.migrations) is None
    if is_unbound and not tool.has_neutral_folders:
        found = replace(found, backends=_backends_around(listing, found.root, tool))
    return replace(found, version_table=table)


def _as_stated(listing: Listing, migration: Migration) -> Migration:
    """Return a migration for the backend that its files say that they are for: `-- dialect: x`."""
    if migration.backends is not None:
        return migration
    marks = (listing.sources.marks.get(part.path) for part in migration.up)
    said = {
        engine_of(directive.text)
        for own in marks
        for directive in (own.directives if own is not None else ())
        if directive.kind == "dialect" and directive.tool == "plain"
    }
    return replace(migration, backends=tuple(sorted(said))) if said and all(said) else migration


def _backends_around(listing: Listing, root: str, tool: MigrationTool) -> tuple[str, ...] | None:
    """Return the backend that a set's folder is named after, or that the tool is built for."""
    named = backend_of_folder(root)
    if named:
        return (named,)
    near = settings_near(listing, root, tool, (tool.engine_file,)) if tool.engine_file else None
    return None if near is None else engine(near)


def _pair(sets: Sequence[MigrationSet]) -> Iterator[MigrationSet]:
    """Name for each set those that make the same schema on other backends.

    Their folders are alike but for the backends' names, and they are meant for one each.
    """
    groups: dict[str, list[MigrationSet]] = {}
    for found in sets:
        if found.backends is not None and len(found.backends) == 1:
            groups.setdefault(neutral_folder(found.root), []).append(found)
    for found in sets:
        others = groups.get(neutral_folder(found.root), ()) if found.backends else ()
        paired = {
            other.root
            for other in others
            if other.backends != found.backends and other.root != found.root
        }
        yield replace(found, paired=tuple(sorted(paired)))
