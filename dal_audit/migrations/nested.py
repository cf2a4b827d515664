"""Sets whose migrations are folders, or files in several folders."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from msgspec.structs import replace

from dal_audit.migrations.assembly import common_backends, in_order, series_of
from dal_audit.migrations.flat import by_plan, engine
from dal_audit.migrations.homes import name_of
from dal_audit.migrations.listing import Listing, join
from dal_audit.migrations.model import Evidence, Migration, MigrationSet, Part
from dal_audit.migrations.names import parse_folder, parse_name, version_of_folder
from dal_audit.migrations.parts import directives_of
from dal_audit.migrations.tools import settings_near
from dal_audit.policy.model import Tool

_RELEASES: Final = re.compile(
    r"(?:\A|[^a-z])(?:versions|versioned|deltas?|migrat(?:e|es|ions?)|up(?:grade|date)s?|patches)"
    r"(?:\Z|[^a-z])",
    re.IGNORECASE,
)
"""Names of folders in which there is a folder of SQL files for each version."""


def folders_set(listing: Listing, root: str, tool: Tool = "auto") -> MigrationSet | None:
    """Return the set whose migrations are folders: diesel's, Prisma's, and drizzle's newest."""
    found: list[Migration] = []
    of_diesel = 0
    evidence: Evidence = "name"
    snapshots = 0
    for folder in sorted(listing.children.get(root, ())):
        names = listing.names(folder)
        up = next((one for one in ("up.sql", "migration.sql") if one in names), None)
        if up is None:
            continue
        parsed = parse_folder(name_of(folder))
        if not (parsed.version or up == "migration.sql"):
            continue
        of_diesel += up == "up.sql"
        snapshots += "snapshot.json" in names
        path = join(folder, up)
        down = (Part(join(folder, "down.sql"), "down"),) if "down.sql" in names else ()
        settings = listing.sources.settings.get(join(folder, "metadata.toml"), ())
        found.append(
            Migration(
                parsed.key,
                parsed.name,
                parsed.written,
                parsed.version,
                parsed.stamped,
                up=(Part(path, "up"),),
                down=down,
                transactional=all(one.transactional for one in settings),
                directives=directives_of(listing.sources.marks.get(path), "atlas"),
            )
        )
    if not found:
        return None
    lock = listing.sources.settings.get(join(root, "migration_lock.toml"), ())
    if tool == "auto":
        tool = "drizzle" if snapshots else "prisma"
        tool = "diesel" if of_diesel * 2 > len(found) else tool
        evidence = "sibling" if lock or snapshots else "name"
    orphans = _orphans(listing, root, {part.path for one in found for part in one.down})
    ordered = in_order(found)
    backends = engine(lock[0]) if lock else None
    return MigrationSet(
        root, tool, series_of(ordered), ordered, evidence, backends=backends, orphans=orphans
    )


def _orphans(listing: Listing, root: str, known: set[str]) -> tuple[Part, ...]:
    """Return the down files of folders without an up."""
    return tuple(
        Part(join(folder, "down.sql"), "down")
        for folder in sorted(listing.children.get(root, ()))
        if "down.sql" in listing.names(folder)
        and join(folder, "down.sql") not in known
        and parse_folder(name_of(folder)).version
    )


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
        "plain",
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
    names = listing.names(folder)
    scripts = listing.scripts(folder)
    parsed = {name: one for name in scripts if (one := parse_name(name, names)) is not None}
    downs = {
        (one.key, one.backend): join(folder, name)
        for name, one in parsed.items()
        if one.side == "down"
    }
    found = []
    for name, one in parsed.items():
        if one.side == "down":
            continue
        down = downs.pop((one.key, one.backend), None)
        label = name_of(folder)
        migration = Migration(
            f"{label}/{one.key}",
            one.name,
            label,
            release,
            up=(Part(join(folder, name), "up"),),
            down=() if down is None else (Part(down, "down"),),
            backends=(one.backend,) if one.backend else None,
        )
        found.append(migration)
    return found, [Part(path, "down") for path in sorted(downs.values())]


def sqitch_set(listing: Listing, root: str) -> MigrationSet | None:
    """Return the set that a Sqitch plan orders: its scripts in `deploy/` and `revert/`."""
    if not listing.has(root, "sqitch.plan"):
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
                directives=directives_of(marks.get(path), "sqitch"),
            )
        )
    plan = next(iter(listing.sources.settings.get(join(root, "sqitch.plan"), ())), None)
    ordered, outside, missing = (
        (tuple(migrations), [], ()) if plan is None else by_plan(migrations, plan)
    )
    return MigrationSet(
        root,
        "sqitch",
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
        one.text.lower() for item in migrations for one in item.directives if one.kind == "dialect"
    }
    conf = settings_near(listing, root, "sqitch", ("sqitch.conf",))
    if len(said) == 1 and conf is None:
        conf = next(iter(listing.sources.settings.get(join(root, "sqitch.plan"), ())), None)
        conf = None if conf is None else replace(conf, engine=next(iter(said)))
    return engine(conf) if conf is not None else None
