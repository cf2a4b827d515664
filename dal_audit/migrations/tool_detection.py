"""Which tool runs the SQL files of a folder: by directives, tools' files, names, plain numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Final

from dal_audit.facts.migrations import Tool, ToolSettings
from dal_audit.migrations.folders import parent_of
from dal_audit.migrations.listing import NEEDS_FILES, Listing, join
from dal_audit.migrations.model import Evidence
from dal_audit.migrations.names import ScriptName
from dal_audit.migrations.tools import TOOLS, DirectiveUse, MigrationTool, NameForm, Place

_FEWEST: Final = 2
"""Numbered files that make a series where the folder's name says nothing."""

Choice = tuple[MigrationTool, Evidence]


def tool_of(listing: Listing, folder: str, parsed: Mapping[str, ScriptName]) -> Choice | None:
    """Return the tool that runs the SQL files of a folder, and by what that was seen.

    None where the files look like no migrations.
    """
    return (
        _by_directives(listing, folder, parsed, {"divides"})
        or _by_sign(listing, folder)
        or _by_names(listing, folder, parsed)
        or _by_directives(listing, folder, parsed, {"sets", "shared"})
        or _by_numbers(listing, folder, parsed)
    )


def _by_directives(
    listing: Listing, folder: str, names: Collection[str], uses: Collection[DirectiveUse]
) -> Choice | None:
    """Return the tool whose directives are in most files."""
    counts: Counter[Tool] = Counter()
    for name in names:
        marks = listing.sources.marks.get(join(folder, name))
        counts.update(marks.tools() if marks else ())
    best = max(
        (tool for tool in TOOLS.values() if tool.directives in uses),
        key=lambda tool: (counts[tool.name], tool.directives != "shared"),
    )
    return (best, "marker") if counts[best.name] else None


def _by_sign(listing: Listing, folder: str) -> Choice | None:
    signed = [
        (tool, tool.sign)
        for tool in TOOLS.values()
        if tool.sign is not None and "one-folder" in tool.layouts
    ]
    for place, folders_of in _FOLDERS.items():
        folders = folders_of(listing, folder)
        for tool, sign in signed:
            if sign.place == place and any(listing.has(near, sign.path) for near in folders):
                return tool, "sibling"
    return None


_FOLDERS: Final[Mapping[Place, Callable[[Listing, str], tuple[str, ...]]]] = {
    "inside": lambda _listing, folder: (folder,),
    "around": lambda _listing, folder: (parent_of(folder),) if folder else (),
    "home": lambda listing, folder: (folder, parent_of(folder)) if listing.is_home(folder) else (),
}
"""Where the sign of a tool is looked for, the surest place first."""


def _by_names(listing: Listing, folder: str, parsed: Mapping[str, ScriptName]) -> Choice | None:
    scripts = [name for name in parsed.values() if name.language == "sql"]
    possible = list(_possible(listing, folder))
    for form, is_borne in _FORMS.items():
        for tool in possible:
            if tool.name_form == form and is_borne(scripts, tool):
                return tool, "name"
    return None


def _possible(listing: Listing, folder: str) -> Iterator[MigrationTool]:
    """Yield the tools that names and numbers can speak of."""
    needed = needs(listing, folder)
    for tool in TOOLS.values():
        if not tool.is_seen_by_need or tool.name in needed:
            yield tool


def _has_sides(scripts: Sequence[ScriptName], tool: MigrationTool) -> bool:
    """Return whether numbers come with a side, in the way in which a tool wants them."""
    numbered = [name for name in scripts if name.version]
    sided = [name for name in numbered if name.explicit]
    if not sided or not tool.has_strict_sides:
        return bool(sided)
    return len(sided) == len(numbered) and all(
        name.key.startswith(f"{name.written}_") for name in sided
    )


_FORMS: Final[Mapping[NameForm, Callable[[Sequence[ScriptName], MigrationTool], bool]]] = {
    "rollback": lambda scripts, _tool: any(name.explicit == "rollback" for name in scripts),
    "upgrade": lambda scripts, _tool: any(name.scripted for name in scripts),
    "prefix": lambda scripts, tool: any(name.prefix in tool.prefixes for name in scripts),
    "sides": _has_sides,
}
"""Whether names have a form, the most telling form first."""


def _by_numbers(listing: Listing, folder: str, parsed: Mapping[str, ScriptName]) -> Choice | None:
    scripts = [name for name, said in parsed.items() if said.language == "sql"]
    numbered = [name for name in scripts if parsed[name].version]
    if not numbered or len(numbered) * 2 < len(scripts):
        return None
    if not listing.is_home(folder) and not _are_defining(listing, folder, numbered):
        return None
    return next(filter(_takes_numbers, _possible(listing, folder))), "number"


def _takes_numbers(tool: MigrationTool) -> bool:
    return tool.takes_numbers


def _are_defining(listing: Listing, folder: str, names: Sequence[str]) -> bool:
    """Return whether most of some files define something, as migrations do."""
    marks = (listing.sources.marks.get(join(folder, name)) for name in names)
    defining = sum(found is not None and found.defines for found in marks)
    return len(names) >= _FEWEST and defining * 2 >= len(names)


def needs(listing: Listing, folder: str) -> frozenset[Tool]:
    """Return the tools that the nearest list of a program's needs around a folder names."""
    for near in _upwards(folder):
        found = frozenset(settings.tool for settings in _said(listing, near, NEEDS_FILES))
        if found:
            return found
    return frozenset()


def settings_near(
    listing: Listing, folder: str, tool: MigrationTool, names: Sequence[str]
) -> ToolSettings | None:
    """Return what a tool's file says that lies in a folder or, failing that, around it."""
    return next(
        (
            settings
            for near in _upwards(folder)
            for settings in _said(listing, near, names)
            if settings.tool == tool.name
        ),
        None,
    )


def _said(listing: Listing, folder: str, names: Collection[str]) -> Iterator[ToolSettings]:
    """Yield what files of these names in a folder say."""
    for name in names:
        yield from listing.sources.settings.get(join(folder, name), ())


def _upwards(folder: str) -> Iterator[str]:
    """Yield a folder and those around it, out to the project's own."""
    yield folder
    while folder:
        folder = parent_of(folder)
        yield folder
