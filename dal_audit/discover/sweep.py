"""Sweep: all places in the file system that the result of an audit hangs on.

Where none of them has another stamp (`stamps`), the next run finds what this one found. That is
each listed file that may be read, each folder in which another could appear, what configures the
project or git, and the state of each repository.
"""

from __future__ import annotations

import os
import re
from collections.abc import Container, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from dal_audit.discover.files import MANIFEST
from dal_audit.discover.git_command import ask_git
from dal_audit.discover.git_listing import BUILT_IN_EXCLUDES, git_toplevel
from dal_audit.discover.projects import CONFIGURATION_FILES, PROJECT_FILES, ProjectScope
from dal_audit.discover.unread import readable
from dal_audit.disk.ancestors import ancestors_of
from dal_audit.policy import Policy
from dal_audit.policy.request import BASELINE

MAX_PLACES: Final = 400_000
"""Of more places no sweep is kept: to look at all would not be quick."""

_CONFIGURING: Final = (*CONFIGURATION_FILES, *PROJECT_FILES)

_WILDCARD: Final = re.compile(r"[*?\[]")

_IN_A_REPOSITORY: Final = (
    *("HEAD", "commondir", "config", "config.worktree", "gitdir", "index", "packed-refs"),
    *("shallow", "info/attributes", "info/exclude", "info/grafts", "info/sparse-checkout"),
)
"""What git reads beside its objects, which never change."""

_REFERENCES: Final = ("refs", "reftable")
"""The folders of a repository that hold branches and tags, at any depth."""

_LONGEST: Final = 1024
"""A longer text in a configuration is no path."""


class Places(Struct, frozen=True):
    """The places that a project's result hangs on, each once in all three.

    They are relative to the project's root where they lie in it, else absolute.
    """

    configuring: list[str]
    """What configures the project, or could."""
    listing: list[str]
    """What decides which files git lists, or lets new ones appear."""
    listed: list[str]
    """The files, but for those that no audit reads."""
    links: frozenset[str]
    """Those of them that are links."""

    def all(self) -> list[str]:
        """Return all of them in this order."""
        return [*self.configuring, *self.listing, *self.listed]


def places_of(scope: ProjectScope) -> Places | None:
    """Return the places that a project's result hangs on, whatever of it is reported.

    None where links lead to folders: what lies in those is looked at, and could be anything.
    """
    root = scope.policy.root
    folders = _Folders(scope)
    if folders.are_linked:
        return None
    known = dict.fromkeys((*_configuring(scope.policy), *_excluded(scope)))
    known.pop(str(root), None)  # It is among the folders.
    listing = dict.fromkeys(_ignoring([root, *root.parents]))
    listing.update(dict.fromkeys(_of_git(root, folders.repositories)))
    listing.update(dict.fromkeys(folders.rules))
    listing.update(dict.fromkeys(folder or "." for folder in folders.found))
    configuring = list(known)
    deciding = [place for place in listing if place not in known]
    known.update(listing)
    return Places(
        configuring,
        deciding,
        [path for path in readable(scope.policy, scope.listed) if path not in known],
        frozenset(folders.links),
    )


def places_named(
    root: Path, paths: Iterable[str], named: Iterable[str], current: Path
) -> list[str]:
    """Return the further places that a report hangs on which was asked for in some words.

    `paths` are the requested ones, relative to the root; `named` are the words of the command line,
    of which some may be paths, relative to the `current` folder.
    """
    requested = [root / path for path in paths]
    folders = {*requested, *_between(root, requested)} - {root}
    found = [str(folder / name) for folder in folders for name in _CONFIGURING]
    found += _ignoring(folders)
    for word in named:
        found.append(
            str(current / word.partition("=")[2] if word.startswith("--") else current / word)
        )
    return found


def holds_no_more(root: Path, folder: str, known: Container[str]) -> bool:
    """Return whether all is among some places that a folder of a project holds and that decides.

    That are folders, links, and what git reads there.
    """
    base = "" if folder == "." else f"{folder}/"
    try:
        entries = list(os.scandir(root / folder))
    except OSError:
        return False
    deciding = (base + entry.name for entry in entries if _decides(entry))
    return all(path in known or str(root / path) in known for path in deciding)


def _decides(entry: os.DirEntry[str]) -> bool:
    if entry.name in {".git", ".gitignore"} or entry.is_symlink():
        return True
    return entry.name not in BUILT_IN_EXCLUDES and entry.is_dir(follow_symlinks=False)


class _Folders:
    """The folders of a project in which a file could appear that an audit would read.

    `found` are their paths, `repositories` those that hold one of git's, `rules` the paths of files
    that say what git ignores, listed or not, `links` those of links; `are_linked` tells whether one
    leads to a folder.
    """

    def __init__(self, scope: ProjectScope) -> None:
        self.root = scope.policy.root
        self.requested = scope.requested
        self.found = dict.fromkeys(["", *sorted(ancestors_of(scope.listed, "/"))])
        self.repositories: list[str] = []
        self.links: list[str] = []
        self.rules: list[str] = []
        self.are_linked = False
        others = self._scanned(list(self.found))
        ignored = self._ignored(others)
        waiting = [folder for folder in others if folder not in ignored]
        while waiting:
            self.found.update(dict.fromkeys(waiting))
            waiting = self._scanned(waiting)

    def _scanned(self, folders: Sequence[str]) -> list[str]:
        """Return the folders in these that hold nothing listed; note what else matters in them."""
        return [below for folder in folders for below in self._below(folder)]

    def _below(self, folder: str) -> Iterator[str]:
        base = f"{folder}/" if folder else ""
        try:
            entries = sorted(os.scandir(self.root / folder), key=lambda entry: entry.name)
        except OSError:
            return  # Its stamp tells when it can be read.
        for entry in entries:
            path = base + entry.name
            if entry.name == ".git":
                self.repositories.append(folder)
            elif entry.name == ".gitignore":
                self.rules.append(path)
            elif entry.is_symlink():
                self.links.append(path)
                is_folder = os.path.isdir(entry.path)  # noqa: PTH112  # it raises nothing
                self.are_linked = self.are_linked or is_folder
            elif entry.name not in BUILT_IN_EXCLUDES and self._is_other(entry, path):
                yield path

    def _is_other(self, entry: os.DirEntry[str], path: str) -> bool:
        return path not in self.found and entry.is_dir(follow_symlinks=False)

    def _ignored(self, folders: Sequence[str]) -> frozenset[str]:
        """Return those of some folders that git ignores, with all that is ever in them.

        What was asked for by name is read although git ignores it.
        """
        top = git_toplevel(Path(os.path.realpath(self.root)))
        if top is None or not folders:
            return frozenset()
        asked = [path for path in self.requested if path != "."]
        given = [".", *asked, *folders]
        try:
            words = "\0".join(given) + "\0"
            answer = ask_git(
                top, "check-ignore", "-z", "--stdin", folder=self.root, given=os.fsencode(words)
            )
        except OSError:
            return frozenset()
        ignored = frozenset(os.fsdecode(answer.output).split("\0")[:-1])
        if "." in ignored:
            return frozenset()
        exempt = tuple(f"{path}/" for path in ignored.intersection(asked))
        return frozenset(
            path for path in ignored if path not in asked and not path.startswith(exempt)
        )


def _configuring(policy: Policy) -> Iterator[str]:
    """Yield what configures a project, or could: also files that are not there, or ignored."""
    for folder in (policy.root, *policy.root.parents):
        yield from (str(folder / name) for name in _CONFIGURING)
    yield from (str(policy.root / name) for name in (BASELINE, MANIFEST))
    for text in _texts(policy):
        yield str(policy.root / text)


def _excluded(scope: ProjectScope) -> Iterator[str]:
    """Yield what excluded paths begin with and git does not list: whether it is there counts."""
    folders = ancestors_of(scope.listed, "/")
    for glob in scope.policy.exclude:
        plain = _WILDCARD.split(glob)[0].rstrip("/")
        if plain not in folders and plain not in scope.listed:
            yield str(scope.policy.root / plain)


def _ignoring(folders: Iterable[Path]) -> Iterator[str]:
    """Yield what could make a folder a repository, and what could tell what git ignores in it."""
    return (str(folder / name) for folder in folders for name in (".git", ".gitignore"))


def _between(root: Path, paths: Iterable[Path]) -> Iterator[Path]:
    return (folder for path in paths for folder in path.parents if root in folder.parents)


def _texts(policy: Policy) -> Iterator[str]:
    """Yield all texts of a configuration, of which some are paths."""
    waiting: list[object] = [msgspec.to_builtins(policy, enc_hook=str)]
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            if value and len(value) < _LONGEST and "\n" not in value and "\0" not in value:
                yield value
        elif isinstance(value, dict):
            waiting.extend(value.values())
        elif isinstance(value, list | tuple):
            waiting.extend(value)


def _of_git(root: Path, repositories: Iterable[str]) -> Iterator[str]:
    """Yield the places of all that git reads of its repositories, and of its configuration."""
    place = Path(os.path.realpath(root))
    top = git_toplevel(place)
    if top is None:
        return
    for folder in {top, *(place / repository for repository in repositories)}:
        for own in _git_folders(folder / ".git"):
            yield from (str(own / name) for name in _IN_A_REPOSITORY)
            for name in _REFERENCES:
                yield from _all_below(own / name)
    yield from _git_configuration(top)


def _git_folders(marker: Path) -> Iterator[Path]:
    """Yield the folders that hold a repository's state: its own, and one that work trees share."""
    own = _pointed(marker, b"gitdir:") if marker.is_file() else marker
    if own is not None:
        yield own
        shared = _pointed(own / "commondir", b"")
        if shared is not None:
            yield shared


def _pointed(file: Path, mark: bytes) -> Path | None:
    """Return the folder that a file of git's names, by a path that counts from the file's own."""
    try:
        with file.open("rb") as opened:
            line = opened.read(4096).strip()
    except OSError:
        return None
    return file.parent / os.fsdecode(line.removeprefix(mark).strip())


def _all_below(folder: Path) -> Iterator[str]:
    """Yield a folder, and all files and folders in it."""
    yield str(folder)
    for path, folders, files in os.walk(folder):
        yield from (f"{path}{os.sep}{name}" for name in (*folders, *files))


def _git_configuration(top: Path) -> Iterator[str]:
    """Yield the files that configure git here, and those that would if they were there."""
    home = Path(os.environ.get("HOME", "/"))
    common = Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config") / "git"
    yield from map(str, (home / ".gitconfig", common / "config", common / "ignore"))
    yield "/etc/gitconfig"
    try:
        answer = ask_git(top, "config", "--list", "--show-origin", "-z")
    except OSError:
        return
    texts = os.fsdecode(answer.output).split("\0")
    for origin, entry in zip(texts[::2], texts[1::2], strict=False):
        kind, _, file = origin.partition(":")
        if kind == "file":
            yield str(top / file)
        key, _, value = entry.partition("\n")
        if key == "core.excludesfile":
            yield str(top / value.replace("~", str(home), 1))
