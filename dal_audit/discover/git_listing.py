"""Git's view of a tree, and the walk where there is no git."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from operator import attrgetter
from pathlib import Path, PurePosixPath
from typing import Final

from dal_audit.catalogue.digest import sha256
from dal_audit.discover.cache_folder import CACHE
from dal_audit.discover.git_command import ask_git
from dal_audit.disk.ancestors import ancestors_of

BUILT_IN_EXCLUDES: Final = frozenset(
    {
        ".bzr",
        ".direnv",
        ".eggs",
        ".git",
        ".hg",
        ".ipynb_checkpoints",
        ".mypy_cache",
        ".nox",
        ".pants.d",
        ".pytest_cache",
        ".ruff_cache",
        ".svn",
        ".tox",
        ".venv",
        CACHE,
        "__pycache__",
        "__pypackages__",
        "node_modules",
        "site-packages",
        "venv",
    }
)
"""Folders that hold nobody's own source, left out at any depth."""


LISTING: Final = (
    *("ls-files", "-z", "-t", "--cached", "--stage", "--deleted", "--others", "--exclude-standard"),
)
"""Each file with its state (`-t`) and mode (`--stage`); a deleted one comes twice, as H and R."""


_UNOPENED: Final = re.compile(r"could not open directory '(.*?)/?(?:': ([^'\n]*))?$", re.MULTILINE)
"""What git warns of, in words of at most 4 KiB: a long path is cut, and its reason lost."""


_GITLINK: Final = "160000 "
"""The mode of a submodule's entry."""


_DELETED: Final = "R"
_SKIPPED: Final = "S"
"""The states of what is not in the work tree: it was taken away, or a sparse checkout keeps it out.
"""

SPARSE: Final = "not in this sparse checkout"
BARE_SUBMODULE: Final = "submodules are not checked out"
ABSENT: Final = frozenset({SPARSE, BARE_SUBMODULE})
"""The flaws of what git has and the work tree has not."""


class DiscoveryError(RuntimeError):
    """Git is there but does not answer."""


def list_paths(root: Path, within: Iterable[str] = ()) -> dict[str, str]:
    """Return the POSIX paths of all files below a root, each with the flaw that it has.

    What is asked for (`within`, or the root itself) is listed although git ignores it. Raises
    DiscoveryError where there is a git repository and git cannot read it.
    """
    place = Path(os.path.realpath(root))  # Git goes by where a folder lies, not by a link to it.
    top = git_toplevel(place)
    listed = None if top is None else _git_paths(root, top)
    if listed is None or (not listed and place != top):
        listed = dict(walk(root, ""))
    return {**listed, **paths_beyond(root, listed, within)}


def paths_beyond(root: Path, listed: Mapping[str, str], within: Iterable[str]) -> dict[str, str]:
    """Return the paths that are listed only because they are asked for, each with its flaw."""
    found: dict[str, str] = {}
    folders: set[str] | None = None
    for path in within:
        if path in {"", "."} or path in listed or path in found:
            continue
        if folders is None:
            folders = ancestors_of(listed, "/")
        if path.rstrip("/") not in folders:
            found.update(walk(root, path))
    return found


def listing_digest(listed: Mapping[str, str]) -> bytes:
    """Return a hash of listed paths and their flaws."""
    said = "\0".join(f"{path}\0{listed[path]}" for path in sorted(listed))
    return sha256(os.fsencode(said))


def tracked_digest(root: Path) -> bytes:
    """Return a hash of the paths below a root that git's index has; empty where it cannot tell."""
    top = git_toplevel(Path(os.path.realpath(root)))
    try:
        answer = None if top is None else ask_git(top, "ls-files", "-z", "--cached", folder=root)
    except OSError:
        return b""
    return b"" if answer is None or answer.fails else sha256(answer.output)


def index_places(root: Path) -> frozenset[str]:
    """Return what has another stamp once git wrote the index of the repository around a root."""
    top = git_toplevel(Path(os.path.realpath(root)))
    return frozenset() if top is None else frozenset((f"{top}/.git", f"{top}/.git/index"))


def _git_paths(root: Path, top: Path) -> dict[str, str] | None:
    """Return git's view of the files below a root; None where there is no git on this machine.

    Entries are `? path` for an untracked file, else `tag mode object stage<TAB>path`.
    """
    try:
        answer = ask_git(top, *LISTING, folder=root)
    except TimeoutError as error:
        raise DiscoveryError(str(error)) from error
    except OSError:
        return None
    if answer.fails:
        raise DiscoveryError(f"`git ls-files` failed in {root}: {answer.said.strip()}")
    entries = os.fsdecode(answer.output).split("\0")
    # After the last end of an entry stands nothing.
    found, repositories = _entries(root, entries[:-1])
    for folder, reason in _UNOPENED.findall(answer.said):
        found[folder] = reason.lower() or "a folder that git cannot open"
    for path in repositories:
        found.update(_repository(root, path))
    return found


def _entries(root: Path, entries: Iterable[str]) -> tuple[dict[str, str], list[str]]:
    """Return the files that git lists, and the folders that are repositories, each once."""
    found: dict[str, str] = {}
    repositories: dict[str, None] = {}  # An ordered set.
    doubtful: dict[str, str] = {}
    for entry in entries:
        if entry.startswith("? "):
            state, path = "?", entry[2:]
        else:
            state, _, path = entry.partition("\t")
        if (state == "?" and path.endswith("/")) or state.startswith(_GITLINK, 2):
            repositories[path.rstrip("/")] = None
            continue
        if state[:1] in {_DELETED, _SKIPPED}:
            doubtful[path] = state[:1]
        found[path] = ""
    for path, state in doubtful.items():
        if _is_absent(root, path):
            if state == _SKIPPED:
                found[path] = SPARSE
            else:
                found.pop(path, None)
    return found, list(repositories)


def _is_absent(root: Path, path: str) -> bool:
    """Return whether there is no such file; one that cannot be looked at is there."""
    try:
        os.lstat(f"{root}{os.sep}{path}")
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        pass
    return False


def _repository(root: Path, path: str) -> Iterator[tuple[str, str]]:
    """Yield the files of a submodule, or of a repository inside another: git names its folder."""
    folder = root / path
    if folder.is_symlink() or not folder.is_dir():
        if not _is_absent(root, path):
            yield path, ""
    elif not holds_repository(folder):
        inside = dict(walk(root, path))
        yield from (inside or {path: BARE_SUBMODULE}).items()
    else:
        try:
            inner = _git_paths(folder, folder)
        except DiscoveryError:
            inner = {"": "a repository that git cannot read"}
        for below, flaw in (inner or {}).items():
            yield f"{path}/{below}".rstrip("/"), flaw


def git_toplevel(folder: Path) -> Path | None:
    """Return the nearest folder at or above one that holds a git repository."""
    for candidate in (folder, *folder.parents):
        if holds_repository(candidate):
            return candidate
    return None


def holds_repository(folder: Path) -> bool:
    """Return whether `.git` lies here: a repository, or the file that says where it is.

    Git passes over a folder of that name that has no HEAD.
    """
    place = folder / ".git"
    return place.is_file() or os.path.lexists(place / "HEAD")


def walk(root: Path, start: str) -> Iterator[tuple[str, str]]:
    """Yield the files at or below a path; links to folders below are not followed: no loop is."""
    whole = root / start if start else root
    if not whole.is_dir():
        yield PurePosixPath(start).as_posix(), ""
        return
    waiting = [start]
    while waiting:
        folder = waiting.pop()
        try:
            entries = sorted(os.scandir(f"{root}{os.sep}{folder}"), key=attrgetter("name"))
        except OSError as error:
            yield folder or ".", reason_of(error)
            continue
        base = f"{folder}/" if folder else ""
        for entry in entries:
            if not entry.is_dir(follow_symlinks=False):
                yield base + entry.name, ""
            elif entry.name not in BUILT_IN_EXCLUDES:
                waiting.append(base + entry.name)


def reason_of(error: OSError) -> str:
    """Return why a file or folder cannot be looked at, in the words of a finding."""
    return (error.strerror or type(error).__name__).lower()
