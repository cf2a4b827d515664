"""Symbolic links to folders: what lies behind them belongs to the project, or it is said.

Git keeps a link, and not what it leads to; so does the walk. A package that is linked in is
imported under the link's name all the same.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from msgspec import Struct, field

from dal_audit.discover.git_listing import git_toplevel, walk

MAX_ENTRIES: Final = 10_000
"""So many files behind a link out of the repository are looked at, and no more: it may lead to all
of a disk."""


class Linked(Struct):
    """What lies behind links to folders.

    `files` are paths of sources below a link; `targets` are the paths of the same files below the
    root, where they lie there; `unread` are the links that lead out of the repository to sources.
    """

    files: list[str] = field(default_factory=list)
    targets: dict[str, str] = field(default_factory=dict)
    unread: list[str] = field(default_factory=list)


def linked_files(root: Path, folders: Iterable[str], is_source: Callable[[str], bool]) -> Linked:
    """Return the sources behind links to folders, those behind further links there included.

    A folder that several links lead to is read under the first one's name alone.
    """
    found = Linked()
    waiting = sorted(folders, reverse=True)
    if not waiting:
        return found
    inside = os.path.realpath(root)
    top = os.path.realpath(git_toplevel(Path(inside)) or inside)
    seen: set[str] = set()
    while waiting:
        path = waiting.pop()
        target = os.path.realpath(f"{root}{os.sep}{path}")
        if target in seen:
            continue
        seen.add(target)
        if not _is_below(target, top):
            if _holds_source(root, path, is_source):
                found.unread.append(path)
            continue
        for inner, _ in walk(root, path):
            if is_source(inner):
                found.files.append(inner)
                if _is_below(target, inside):
                    found.targets[inner] = _name_of(target + inner.removeprefix(path), inside)
            elif is_linked_folder(f"{root}{os.sep}{inner}"):
                waiting.append(inner)
    return found


def is_linked_folder(file: str) -> bool:
    """Return whether a path is a symbolic link to a folder."""
    return os.path.islink(file) and os.path.isdir(file)  # noqa: PTH112, PTH114  # strings, and many


def _is_below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)


def _name_of(path: str, root: str) -> str:
    return os.path.relpath(path, root).replace(os.sep, "/")


def _holds_source(root: Path, path: str, is_source: Callable[[str], bool]) -> bool:
    """Return whether sources lie below a path; more than one may look at are taken for some."""
    for count, (inner, _) in enumerate(walk(root, path)):
        if count >= MAX_ENTRIES or is_source(inner):
            return True
    return False
