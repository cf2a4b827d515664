"""Sets whose migrations are folders, or files in several folders."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Final

from msgspec.structs import replace

from dal_audit.facts.migrations import Tool
from dal_audit.migrations.assembly import common_backends, in_order, series_of
from dal_audit.migrations.folders import name_of, parent_of
from dal_audit.migrations.listing import Listing, join
from dal_audit.migrations.model import Migration, MigrationSet, Part
from dal_audit.migrations.names import parse_folder, parse_name, version_of_folder
from dal_audit.migrations.one_folder import by_plan, engine
from dal_audit.migrations.tool_detection import settings_near
from dal_audit.migrations.tools import ATLAS, DIESEL, DRIZZLE, PLAIN, PRISMA, SQITCH
from dal_audit.migrations.up_and_down import directives_of
from dal_audit.policy.model import ToolChoice

_RELEASES: Final = re.compile(
    r"(?:\A|[^a-z])(?:versions|versioned|deltas?|migrat(?:e|es|ions?)|up(?:grade|date)s?|patches)"
    r"(?:\Z|[^a-z])",
    re.IGNORECASE,
)
"""Names of folders in which there is a folder of SQL files for each version."""

_OF_DIESEL: Final = "up.sql"
_DOWN: Final = "down.sql"


def folders_set(listing: Listing, root: str, tool: ToolChoice = "auto") -> MigrationSet | None:
    """Return the set whose migrations are folders: diesel's, Prisma's, and drizzle's newest."""
    folders = sorted(listing.children.get(root, ()))
    found = list(_in_folders(listing, folders))
    if not found:
        return None
    snapshots = sum("snapshot.json" in listing.names(parent_of(kept.path)) for kept in found)
    lock = listing.sources.settings.get(join(root, PRISMA.settings[0]), ())
    ordered = in_order(found)
    downs = {part.path for migration in found for part in migration.down}
    return MigrationSet(
        root,
        _tool_of(found, snapshots) if tool == "auto" else tool,
        series_of(ordered),
        ordered,
        "sibling" if tool == "auto" and (lock or snapshots) else "name",
        backends=engine(lock[0]) if lock else None,
        orphans=tuple(_orphans(listing, folders, downs)),
    )


def _in_folders(listing: Listing, folders: Iterable[str]) -> Iterator[Migration]:
    for folder in folders:
        migration = _in_folder(listing, folder)
        if migration is not None:
            yield migration


def _in_folder(listing: Listing, folder: str) -> Migration | None:
    """Return the migration that a folder is; None where it is none."""
    names = listing.names(folder)
    up = next((name for name in (_OF_DIESEL, "migration.sql") if name in names), None)
    parsed = parse_folder(name_of(folder))
    if up is None or (up == _OF_DIESEL and not parsed.version):
        return None
    path = join(folder, up)
    settings = listing.sources.settings.get(join(folder, DIESEL.settings[0]), ())
    return Migration(
        parsed.key,
        parsed.name,
        parsed.written,
        parsed.version,
        parsed.stamped,
        up=(Part(path, "up"),),
        down=(Part(join(folder, _DOWN), "down"),) if _DOWN in names else (),
        transactional=all(said.transactional for said in settings),
        directives=directives_of(listing.sources.marks.get(path), ATLAS),
    )


def _tool_of(found: Sequence[Migration], snapshots: int) -> Tool:
    of_diesel = sum(name_of(migration.path) == _OF_DIESEL for migration in found)
    if of_diesel * 2 > len(found):
        return DIESEL.name
    return DRIZZLE.name if snapshots else PRISMA.name


def _orphans(listing: Listing, folders: Iterable[str], known: Collection[str]) -> Iterator[Part]:
    """Yield the down files of folders without an up."""
    for folder in folders:
        path = join(folder, _DOWN)
        is_down = _DOWN in listing.names(folder) and path not in known
        if is_down and parse_folder(name_of(folder)).version:
            yield Part(path, "down")


def releases_set(listing: Listing, root: str) -> MigrationSet | None:
    """Return the set with a folder for each version, of one or more files: `v1.10/queue.sql`."""
    if not _RELEASES.search(name_of(root)):
        return None
    found: list[Migration] = []
    orphans: list[Part] = []
    for folder in sorted(listing.children.get(root, ())):
        release = version_of_folder(name_of(folder))
        if release:
            migrations, rest = _release(listing, folder, release)
            found.extend(migrations)
            orphans.extend(rest)
    if not found:
        return None
    ordered = in_order(found)
    common = common_backends(ordered)
    return MigrationSet(
        root,
        PLAIN.name,
        "versions",
        ordered,
        "name",
        backends=common if common is not None and len(common) == 1 else None,
        orphans=tuple(orphans),
        shares_versions=True,
    )


def _release(
    listing: Listing, folder: str, release: tuple[int, ...]
) -> tuple[list[Migration], list[Part]]:
    """Return the migrations in a version's folder, each named after the folder and its file."""
    label = name_of(folder)
    names = listing.names(folder)
    scripts = listing.scripts(folder)
    parsed = {name: said for name in scripts if (said := parse_name(name, names)) is not None}
    downs = {
        (said.key, said.backend): join(folder, name)
        for name, said in parsed.items()
        if said.side == "down"
    }
    found = []
    for name, said in parsed.items():
        if said.side == "down":
            continue
        down = downs.pop((said.key, said.backend), None)
        migration = Migration(
            f"{label}/{said.key}",
            said.name,
            label,
            release,
            up=(Part(join(folder, name), "up"),),
            down=() if down is None else (Part(down, "down"),),
            backends=(said.backend,) if said.backend else None,
        )
        found.append(migration)
    return found, [Part(path, "down") for path in sorted(downs.values())]


def sqitch_set(listing: Listing, root: str) -> MigrationSet | None:
    """Return the set that a Sqitch plan orders: its scripts in `deploy/` and `revert/`."""
    if not listing.has(root, SQITCH.plan):
        return None
    deploys, reverts = _scripts(listing, root, "deploy"), _scripts(listing, root, "revert")
    if not deploys:
        return None
    marks = listing.sources.marks
    migrations = []
    for key, path in sorted(deploys.items()):
        down = reverts.pop(key, None)
        migrations.append(
            Migration(
                key,
                key,
                up=(Part(path, "up"),),
                down=() if down is None else (Part(down, "down"),),
                directives=directives_of(marks.get(path), SQITCH),
            )
        )
    plan = next(iter(listing.sources.settings.get(join(root, SQITCH.plan), ())), None)
    ordered, outside, missing = (
        (tuple(migrations), [], ()) if plan is None else by_plan(migrations, plan)
    )
    return MigrationSet(
        root,
        SQITCH.name,
        "named",
        ordered,
        "sibling",
        backends=_sqitch_engine(listing, root, ordered),
        orphans=tuple(Part(path, "down") for path in sorted(reverts.values())),
        missing=missing,
        strays=tuple(sorted({*outside, *_scripts(listing, root, "verify").values()})),
    )


def _scripts(listing: Listing, root: str, kind: str) -> dict[str, str]:
    """Return the scripts of one kind by the name of their change, which may hold slashes."""
    base = join(root, kind)
    if base not in listing.children.get(root, ()):
        return {}
    found = {}
    for folder in listing.folders(base):
        for name in listing.scripts(folder):
            path = join(folder, name)
            found[path[len(base) + 1 :].rpartition(".")[0]] = path
    return found


def _sqitch_engine(
    listing: Listing, root: str, migrations: Sequence[Migration]
) -> tuple[str, ...] | None:
    said = {
        directive.text.lower()
        for migration in migrations
        for directive in migration.directives
        if directive.kind == "dialect"
    }
    conf = settings_near(listing, root, SQITCH, (SQITCH.settings[0],))
    if len(said) == 1 and conf is None:
        conf = next(iter(listing.sources.settings.get(join(root, SQITCH.plan), ())), None)
        conf = None if conf is None else replace(conf, engine=next(iter(said)))
    return engine(conf) if conf is not None else None
