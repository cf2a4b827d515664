"""Which tool runs the SQL files of a folder: by directives, tools' files, names, plain numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

from dal_audit.facts.migrations import MarkingTool, SettingsTool, ToolSettings
from dal_audit.migrations.homes import parent_of
from dal_audit.migrations.listing import Listing, join
from dal_audit.migrations.model import Evidence
from dal_audit.migrations.names import ScriptName
from dal_audit.policy.model import Tool

_DIVIDING: Final[tuple[MarkingTool, ...]] = ("goose", "dbmate", "sql-migrate", "liquibase", "tern")
"""Tools without whose directives a file of theirs does nothing; in the order of preference."""

_SETTING: Final[tuple[MarkingTool, ...]] = ("drizzle", "yoyo", "sqlx", "atlas")
"""Tools whose directives are rare, or read by other tools' linters, too."""

_FEWEST: Final = 2
"""Numbered files that make a series where the folder's name says nothing."""

Choice = tuple[Tool, Evidence]


def tool_of(listing: Listing, folder: str, parsed: Mapping[str, ScriptName]) -> Choice | None:
    """Return the tool that runs the SQL files of a folder, and by what that was seen.

    None where the files look like no migrations.
    """
    return (
        _by_marks(listing, folder, parsed, _DIVIDING)
        or _by_siblings(listing, folder)
        or _by_names(listing, folder, parsed)
        or _by_marks(listing, folder, parsed, _SETTING)
        or _by_numbers(listing, folder, parsed)
    )


def _by_marks(
    listing: Listing, folder: str, parsed: Mapping[str, ScriptName], known: Sequence[MarkingTool]
) -> Choice | None:
    counts: Counter[MarkingTool] = Counter()
    for name in parsed:
        marks = listing.sources.marks.get(join(folder, name))
        counts.update(marks.tools() if marks else ())
    best = max(known, key=lambda one: counts[one])  # The first of those that are equal.
    return (best, "marker") if counts[best] else None


def _by_siblings(listing: Listing, folder: str) -> Choice | None:
    if listing.has(folder, "atlas.sum"):
        return "atlas", "sibling"
    if listing.has(join(folder, "meta"), "_journal.json"):
        return "drizzle", "sibling"
    if listing.has(parent_of(folder), "migrate.cfg") and folder:
        return "sqlalchemy-migrate", "sibling"
    if listing.is_home(folder) and any(
        listing.has(one, "yoyo.ini") for one in (folder, parent_of(folder))
    ):
        return "yoyo", "sibling"
    return None


def _by_names(listing: Listing, folder: str, parsed: Mapping[str, ScriptName]) -> Choice | None:
    sql = [one for one in parsed.values() if one.language == "sql"]
    if any(one.explicit == "rollback" for one in sql):
        return "yoyo", "name"
    if any(one.scripted for one in sql):
        return "sqlalchemy-migrate", "name"
    needed = needs(listing, folder)
    if any(one.prefix in {"V", "B", "R"} for one in sql):
        return ("refinery" if "refinery" in needed else "flyway"), "name"
    if "refinery" in needed and any(one.prefix == "U" for one in sql):
        return "refinery", "name"
    directed = [one for one in sql if one.explicit and one.version]
    if directed:
        if "sqlx" in needed:
            return "sqlx", "name"
        strict = all(one.written + "_" == one.key[: len(one.written) + 1] for one in directed)
        every = all(one.explicit for one in sql if one.version)
        return ("golang-migrate" if strict and every else "plain"), "name"
    return None


def _by_numbers(listing: Listing, folder: str, parsed: Mapping[str, ScriptName]) -> Choice | None:
    sql = {name: one for name, one in parsed.items() if one.language == "sql"}
    numbered = [name for name, one in sql.items() if one.version]
    if not numbered or len(numbered) * 2 < len(sql):
        return None
    if not listing.is_home(folder):
        marks = (listing.sources.marks.get(join(folder, name)) for name in numbered)
        defining = sum(one is not None and one.defines for one in marks)
        if len(numbered) < _FEWEST or defining * 2 < len(numbered):
            return None
    needed = needs(listing, folder)
    if "sqlx" in needed:
        return "sqlx", "number"
    return ("tern" if "tern" in needed else "plain"), "number"


def needs(listing: Listing, folder: str) -> frozenset[SettingsTool]:
    """Return the tools that the nearest list of a program's needs around a folder names."""
    while True:
        named: set[SettingsTool] = set()
        for name in ("Cargo.toml", "refinery.toml", "go.mod"):
            found = listing.sources.settings.get(join(folder, name), ())
            named.update(one.tool for one in found)
        if named or not folder:
            return frozenset(named)
        folder = parent_of(folder)


def settings_near(
    listing: Listing, folder: str, tool: Tool, names: Sequence[str]
) -> ToolSettings | None:
    """Return what a tool's file says that lies in a folder or, failing that, around it."""
    while True:
        for name in names:
            for one in listing.sources.settings.get(join(folder, name), ()):
                if one.tool == tool:
                    return one
        if not folder:
            return None
        folder = parent_of(folder)
