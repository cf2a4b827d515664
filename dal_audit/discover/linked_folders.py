"""Symbolic links to folders: what lies behind them belongs to the project, or it is said.

Git keeps a link, and not what it leads to; so does the walk. A package that is linked in is
imported under the link's name all the same.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
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
    inside = os.path.realpath(root)
    for path, target, is_within in _followed(root, folders):
        if not is_within:
            if any(map(is_source, _first(root, path))):
                found.unread.append(path)
            continue
        for inner in filter(is_source, _below(root, path)):
            found.files.append(inner)
            if _is_below(target, inside):
                found.targets[inner] = _name_of(target + inner.removeprefix(path), inside)
    return found


def is_candidate(path: str) -> bool:
    """Return whether a path may be a folder's that is linked in: packages have no suffix."""
    return "." not in path.rpartition("/")[2]


def _followed(root: Path, folders: Iterable[str]) -> Iterator[tuple[str, str, bool]]:
    """Yield links with what they lead to, and whether that lies in the repository; each once."""
    waiting = sorted(folders, reverse=True)
    if not waiting:
        return
    inside = os.path.realpath(root)
    top = os.path.realpath(git_toplevel(Path(inside)) or inside)
    seen: set[str] = set()
    while waiting:
        path = waiting.pop()
        target = os.path.realpath(f"{root}{os.sep}{path}")
        if target in seen:
            continue
        seen.add(target)
        is_within = _is_below(target, top)
        yield path, target, is_within
        if is_within:
            waiting += [inner for inner in _below(root, path) if _is_further(root, inner)]


def _is_further(root: Path, path: str) -> bool:
    return is_candidate(path) and is_linked_folder(f"{root}{os.sep}{path}")


def _below(root: Path, path: str) -> Iterator[str]:
    return (inner for inner, _ in walk(root, path))


def _first(root: Path, path: str) -> Iterator[str]:
    """Yield what lies below a path, but no more than one may look at; more is a source, as it were.

    Whoever asks for sources finds one then, and so it is said.
    """
    for count, inner in enumerate(_below(root, path)):
        if count >= MAX_ENTRIES:
            yield f"{path}/more.py"
            return
        yield inner


def is_linked_folder(file: str) -> bool:
    """Return whether a path is a symbolic link to a folder."""
    return os.path.islink(file) and os.path.isdir(file)  # noqa: PTH112, PTH114  # strings, and many


def _is_below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)


def _name_of(path: str, root: str) -> str:
    return os.path.relpath(path, root).replace(os.sep, "/")
