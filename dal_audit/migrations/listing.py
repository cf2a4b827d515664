"""A project's files by folder, and which of them are worth reading in search of migrations."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from functools import cached_property
from typing import Final

from msgspec import Struct

from dal_audit.migrations.folders import is_home, may_be_module, name_of, parent_of, within
from dal_audit.migrations.model import Sources
from dal_audit.migrations.names import is_script, parse_name, version_of_folder
from dal_audit.migrations.tools import TOOLS

NEEDS_FILES: Final = frozenset(name for tool in TOOLS.values() for name in tool.named_in)
"""The files that list what a program needs, tools of migrations among it."""

SETTINGS_FILES: Final = NEEDS_FILES.union(*(tool.settings for tool in TOOLS.values()))
"""The files in which a tool keeps its settings, or which name it."""

_SIGNS: Final = tuple(tool.sign for tool in TOOLS.values() if tool.sign is not None)

_NEIGHBOURS: Final = frozenset(
    sign.path for sign in _SIGNS if sign.place != "above" and "/" not in sign.path
)
"""Files beside which all SQL files are migrations."""

_HEADS: Final = frozenset(sign.path for sign in _SIGNS if sign.place == "above")
"""Files below which all SQL files are migrations."""

_TELLING: Final = (*_NEIGHBOURS, *_HEADS)
"""How the paths of files end that say of their folders that migrations are in them."""


class Wanted(Struct, frozen=True):
    """The files whose facts `find_sets` can use: SQL files, Python files, tools' own files."""

    scripts: tuple[str, ...]
    modules: tuple[str, ...]
    settings: tuple[str, ...]


def wanted(paths: Iterable[str], configured: Sequence[str] = ()) -> Wanted:
    """Return which files' facts are needed to find the sets; `configured` are policy's folders.

    An SQL file that is neither numbered nor in a folder of migrations is not among them: reading
    every dump and query of a project would say nothing about its migrations.
    """
    listed = sorted(dict.fromkeys(paths))  # Sorted already, for the most part.
    telling = [path for path in listed if path.endswith(_TELLING)]
    folders = _folders_with(_NEIGHBOURS, telling)
    homes = (*configured, *sorted(_folders_with(_HEADS, telling)))
    scripts: list[str] = []
    modules: list[str] = []
    settings: list[str] = []
    for path in listed:
        name = name_of(path)
        if name in SETTINGS_FILES:
            settings.append(path)
        elif is_script(name):
            if _is_telling(path, homes) or parent_of(path) in folders:
                scripts.append(path)
        elif may_be_module(path, homes):
            modules.append(path)
    return Wanted(tuple(scripts), tuple(modules), tuple(settings))


def _folders_with(names: Collection[str], paths: Iterable[str]) -> set[str]:
    """Return the folders of files that have one of some names."""
    return {parent_of(path) for path in paths if name_of(path) in names}


def _is_telling(path: str, homes: Sequence[str]) -> bool:
    """Return whether an SQL file can be a migration, as far as its path says."""
    folder = parent_of(path)
    if is_home(folder) or any(within(path, home) for home in homes):
        return True
    parsed = parse_name(name_of(path))
    if parsed is not None and (parsed.version or parsed.explicit or parsed.prefix):
        return True
    return bool(version_of_folder(name_of(folder)))


class Listing:
    """The files of a project that no set has taken yet."""

    def __init__(self, sources: Sources, homes: Sequence[str] = ()) -> None:
        """Sort the files into their folders; all that lies in `homes` counts as migrations."""
        self.sources = sources
        self.homes = homes
        self.free: dict[str, set[str]] = {}
        self.children: dict[str, set[str]] = {}
        for path in sorted(dict.fromkeys(sources.paths)):
            folder, _, name = path.rpartition("/")
            known = self.free.get(folder)
            if known is not None:
                known.add(name)
                continue
            self.free[folder] = {name}
            while folder and folder not in self.children.setdefault(parent_of(folder), set()):
                self.children[parent_of(folder)].add(folder)
                folder = parent_of(folder)

    @cached_property
    def telling(self) -> frozenset[str]:
        """The folders that hold SQL files, or migrations in Python."""
        found = {parent_of(path) for path in self.sources.revisions}
        found.update(parent_of(path) for path in self.sources.paths if is_script(name_of(path)))
        return frozenset(found)

    @cached_property
    def everything(self) -> frozenset[str]:
        """All paths."""
        return frozenset(self.sources.paths)

    def folders(self, root: str = "") -> list[str]:
        """Return the folders in a folder and itself, at any depth, in order of their paths."""
        found = {root}
        left = [root]
        while left:
            inner = self.children.get(left.pop(), set())
            found |= inner
            left.extend(inner)
        return sorted(found)

    def names(self, folder: str) -> frozenset[str]:
        """Return the names of the files in a folder that are not taken."""
        return frozenset(self.free.get(folder, ()))

    def scripts(self, folder: str) -> list[str]:
        """Return the names of the SQL files in a folder that are not taken, in order."""
        return sorted(name for name in self.free.get(folder, ()) if is_script(name))

    def is_home(self, folder: str) -> bool:
        """Return whether a folder is configured, or called, as one of migrations."""
        return is_home(folder) or any(within(folder, home) for home in self.homes)

    def is_free(self, path: str) -> bool:
        """Return whether a file is there that no set has taken."""
        return name_of(path) in self.free.get(parent_of(path), ())

    def take(self, paths: Iterable[str]) -> None:
        """Take files out: a file is in one set and no more."""
        for path in paths:
            self.free.get(parent_of(path), set()).discard(name_of(path))

    def has(self, folder: str, name: str) -> bool:
        """Return whether a file lies in a folder, taken or not."""
        return join(folder, name) in self.everything


def join(folder: str, name: str) -> str:
    """Return the path of a file in a folder."""
    return f"{folder}/{name}" if folder else name
