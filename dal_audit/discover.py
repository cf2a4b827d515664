"""Discover: which files belong to a project and are to be audited.

Git's view of the tree where there is one (tracked and untracked files, ignored ones left out), the
file system elsewhere. What cannot be looked at is listed with its flaw: it becomes a finding.
"""

from __future__ import annotations

import os
import re
import stat
import subprocess
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from dal_audit.facts import SourceFile
from dal_audit.policy import Policy, compile_globs

PYTHON_SUFFIXES: Final = (".py", ".pyi", ".pyw")

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
        ".dal_audit_cache",
        "__pycache__",
        "__pypackages__",
        "node_modules",
        "site-packages",
        "venv",
    }
)
"""Folders that hold nobody's own source, left out at any depth."""

BUILD_OUTPUT: Final = frozenset({"_build", "buck-out", "build", "dist"})
"""Folders of build output, unless they are Python packages (hold an `__init__.py`)."""

MAX_BYTES: Final = 256 << 20
"""Larger files are not read into memory; they are reported."""

_UNOPENED: Final = re.compile(r"could not open directory '(.*)': (.*)")


class DiscoveryError(RuntimeError):
    """Git is there but does not answer."""


@dataclass(frozen=True, slots=True)
class Tree:
    """A project's files: those to audit, and the paths of all Python files, audited or not."""

    files: tuple[SourceFile, ...]
    modules: frozenset[str]
    markers: frozenset[str]
    """Paths of the files that mark folders: project files and Alembic's."""


MARKERS: Final = frozenset(
    {"pyproject.toml", "setup.py", "setup.cfg", "dal-audit.toml", "script.py.mako"}
)


def list_paths(root: Path, within: Iterable[str] = ()) -> dict[str, str]:
    """Return the POSIX paths of all files below a root, each with the flaw that it has."""
    listed = _git_paths(root)
    if listed is None:
        return dict(_walk(root, ""))
    for path in within:
        below = path.rstrip("/") + "/"
        known = path in listed or any(one.startswith(below) for one in listed)
        if path not in {"", "."} and not known:
            listed.update(_walk(root, path))
    return listed


def tree_of(policy: Policy, listed: Mapping[str, str], *, nested: Iterable[str] = ()) -> Tree:
    """Return the project's files among the listed paths."""
    others = tuple(folder.rstrip("/") + "/" for folder in nested)
    packages = {path.rpartition("/")[0] for path in listed if path.endswith("/__init__.py")}
    excluded = compile_globs(policy.exclude, anchored=False)
    included = compile_globs(policy.include, anchored=False) if policy.include else None
    audited: list[SourceFile] = []
    modules: set[str] = set()
    markers: set[str] = set()
    for path, flaw in listed.items():
        name = path.rpartition("/")[2]
        if name in MARKERS and not path.startswith(others) and not excluded(path):
            markers.add(path)
        is_python = name.endswith(PYTHON_SUFFIXES)
        if not is_python and not flaw:
            continue
        if _built_in(path, packages):
            continue
        if is_python:
            modules.add(path)
        if (
            path.startswith(others)
            or excluded(path)
            or (included is not None and not included(path))
        ):
            continue
        file = _examine(policy.root, path, flaw)
        if file is not None:
            audited.append(file)
    audited = list(_without_deleted(policy.root, audited))
    audited.sort(key=lambda file: file.path)
    return Tree(tuple(audited), frozenset(modules), frozenset(markers))


def _built_in(path: str, packages: set[str]) -> bool:
    folders = path.split("/")[:-1]
    if BUILT_IN_EXCLUDES.intersection(folders):
        return True
    return any(
        folder in BUILD_OUTPUT and "/".join(folders[: index + 1]) not in packages
        for index, folder in enumerate(folders)
    )


def _git_paths(root: Path) -> dict[str, str] | None:
    """Return git's view of the files below a root; None where there is no git repository."""
    if git_toplevel(root) is None:
        return None
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        answer = subprocess.run(command, cwd=root, capture_output=True, check=False)
    except OSError:
        return None  # No git on this machine: the file system serves.
    if answer.returncode:
        message = os.fsdecode(answer.stderr).strip()
        raise DiscoveryError(f"`git ls-files` failed in {root}: {message}")
    found = dict.fromkeys(filter(None, os.fsdecode(answer.stdout).split("\0")), "")
    for folder, reason in _UNOPENED.findall(os.fsdecode(answer.stderr)):
        found[folder.rstrip("/")] = reason.lower()
    for path in [path for path in found if path.endswith("/") or _is_folder(root, path)]:
        # A submodule, or a repository inside this one: git names the folder alone.
        del found[path]
        inner = list_paths(root / path)
        found.update({f"{path.rstrip('/')}/{one}": flaw for one, flaw in inner.items()})
    return found


def _is_folder(root: Path, path: str) -> bool:
    """Return whether a path that git lists is a submodule's folder; names with a dot are files."""
    return "." not in path.rpartition("/")[2] and (root / path / ".git").exists()


def git_toplevel(folder: Path) -> Path | None:
    """Return the nearest folder at or above one that holds a git repository."""
    for candidate in (folder, *folder.parents):
        if (candidate / ".git").exists():
            return candidate
    return None


def _walk(root: Path, start: str) -> Iterator[tuple[str, str]]:
    """Yield the files at or below a path; links to folders are not followed, so no loop is."""
    whole = root / start if start else root
    if not whole.is_dir():
        yield PurePosixPath(start).as_posix(), ""
        return
    waiting = [start]
    while waiting:
        folder = waiting.pop()
        try:
            entries = sorted(os.scandir(root / folder), key=lambda entry: entry.name)
        except OSError as error:
            yield folder or ".", (error.strerror or type(error).__name__).lower()
            continue
        for entry in entries:
            path = f"{folder}/{entry.name}" if folder else entry.name
            if entry.is_dir(follow_symlinks=False):
                if entry.name not in BUILT_IN_EXCLUDES:
                    waiting.append(path)
            else:
                yield path, ""


def _examine(root: Path, path: str, flaw: str) -> SourceFile | None:
    """Return a file with its size, or with its flaw; None for what is no file of the project."""
    absolute = f"{root}{os.sep}{path}"
    if flaw:
        return SourceFile(path, absolute, 0, flaw)
    try:
        status = os.lstat(absolute)
        if stat.S_ISLNK(status.st_mode):
            return _follow(root, path, absolute)
    except OSError as error:
        return SourceFile(path, absolute, 0, (error.strerror or type(error).__name__).lower())
    return _regular(path, absolute, status)


def _follow(root: Path, path: str, absolute: str) -> SourceFile | None:
    """Return what a symbolic link leads to, unless it is audited under its own name."""
    if path.rpartition("/")[2].startswith(".#"):
        return None  # An Emacs lock: a link to no file, by design.
    try:
        target = os.path.realpath(absolute, strict=True)
        status = Path(target).stat()
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        return SourceFile(path, absolute, 0, f"a symbolic link that leads nowhere: {reason}")
    inside = os.path.realpath(root) + os.sep
    if target.startswith(inside) or stat.S_ISDIR(status.st_mode):
        return None
    return _regular(path, absolute, status)


def _regular(path: str, absolute: str, status: os.stat_result) -> SourceFile | None:
    if stat.S_ISDIR(status.st_mode):
        return None
    if not stat.S_ISREG(status.st_mode):
        return SourceFile(path, absolute, 0, "not a regular file")
    if status.st_size > MAX_BYTES:
        return SourceFile(path, absolute, 0, f"larger than {MAX_BYTES >> 20} MiB")
    return SourceFile(path, absolute, status.st_size)


def _without_deleted(root: Path, files: list[SourceFile]) -> Iterator[SourceFile]:
    """Leave out what git tracks but somebody has deleted: it is no part of the tree any more."""
    deleted: set[str] | None = None
    for file in files:
        if file.flaw and not os.path.lexists(file.absolute):
            if deleted is None:
                command = ["git", "ls-files", "-z", "--deleted"]
                answer = subprocess.run(command, cwd=root, capture_output=True, check=False)
                deleted = set(os.fsdecode(answer.stdout).split("\0"))
            if file.path in deleted:
                continue
        yield file


def chosen(paths: Iterable[str]) -> Callable[[str], bool]:
    """Return a test whether a path is one of these, or lies below one of them."""
    exact = {path.rstrip("/") for path in paths}
    if exact & {"", "."}:
        return lambda _path: True
    folders = tuple(f"{path}/" for path in exact)
    return lambda path: path in exact or path.startswith(folders)
