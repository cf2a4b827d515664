"""Discover: which files belong to a project and are to be audited.

Git's view of the tree where there is one (tracked and untracked files, ignored ones left out), the
file system elsewhere. What cannot be looked at is listed with its flaw: it becomes a finding.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from dal_audit.discover.cache_folder import CACHE
from dal_audit.discover.ci_listing import ci_paths, suite_paths
from dal_audit.discover.git_listing import (
    ABSENT,
    BARE_SUBMODULE,
    BUILT_IN_EXCLUDES,
    reason_of,
)
from dal_audit.discover.linked_folders import (
    Linked,
    is_candidate,
    is_linked_folder,
    linked_files,
)
from dal_audit.facts import SourceFile, stamp_of
from dal_audit.facts.ci_files import is_ci_configuration
from dal_audit.policy import Policy, compile_globs

PYTHON_SUFFIXES: Final = (".py", ".pyi", ".pyw")
_PYTHON: Final = (*PYTHON_SUFFIXES, ".ipynb")
RUST_SUFFIX: Final = ".rs"
MANIFEST: Final = "Cargo.toml"
"""What says which crates there are, and what they depend on."""
_SOURCES: Final = (*_PYTHON, RUST_SUFFIX)
_SHEBANG: Final = re.compile(
    rb"#![^\r\n]*?(?:[/! \t](?:python|pypy)[\d.]*w?(?![\w.-])|[/ \t]uv[ \t]+run\b)"
)
"""The first line of a script that Python runs; `uv run` does so, too (PEP 723)."""
_FIRST_LINE: Final = 256
"""How many bytes of a first line are read; Linux reads as many (`BINPRM_BUF_SIZE`)."""

_SQL_NAME: Final = re.compile(
    r"\.sql(?:\.(?:duckdb|mariadb|mysql|pg|postgres|postgresql|sqlite|sqlite3))?\Z", re.IGNORECASE
)
"""Names of SQL files: `0001_init.up.sql`, and `full.sql.postgres` for one backend."""


BUILD_OUTPUT: Final = frozenset({"_build", "buck-out", "build", "dist"})
"""Folders of build output, unless they are Python packages (hold an `__init__.py`)."""

MAX_BYTES: Final = 256 << 20
"""Larger files are not read into memory; they are reported."""


class ProjectFiles(Struct, frozen=True):
    """A project's files: those to audit, and the paths of all sources, audited or not."""

    files: tuple[SourceFile, ...]
    modules: frozenset[str]
    markers: frozenset[str]
    """Paths of the files that mark folders: project files and Alembic's."""
    scripts: tuple[SourceFile, ...] = ()
    """The SQL files to audit."""
    templates: tuple[str, ...] = ()
    """Paths of files that become Python or SQL once they are filled in: nobody reads them."""
    has_cache: bool = False
    """Whether a cache of dal-audit's is among the project's own files."""
    absent: Mapping[str, tuple[str, ...]] = {}
    """Paths of sources that git has and nobody could read, by why that is."""
    rust: tuple[SourceFile, ...] = ()
    """The Rust files to audit."""
    manifests: tuple[SourceFile, ...] = ()
    """The files that say what a project's crates are (`Cargo.toml`)."""
    ci: tuple[SourceFile, ...] = ()
    suites: tuple[SourceFile, ...] = ()
    """The files of CI and those of tests, where there is CI."""


MARKERS: Final = frozenset(
    {"pyproject.toml", "setup.py", "setup.cfg", "dal-audit.toml", "script.py.mako"}
)


FILLED_IN: Final = (
    *(".erb", ".hbs", ".j2", ".jinja", ".jinja2", ".mako", ".mustache", ".template", ".tmpl"),
    ".tpl",
)
"""What ends the names of templates (`schema.sql.j2`)."""


def project_files(
    policy: Policy, listed: Mapping[str, str], *, nested: Iterable[str] = ()
) -> ProjectFiles:
    """Return the project's files among the listed paths."""
    others = tuple(folder.rstrip("/") + "/" for folder in nested)
    excluded = compile_globs(policy.exclude, anchored=False)

    def is_left_out(path: str) -> bool:
        return path.startswith(others) or excluded(path)

    everything, listed = listed, _present(listed)
    own = dict(_outside_of_tools(listed))
    programs, folders = _unsuffixed(policy.root, listed, is_left_out)
    linked = linked_files(policy.root, folders, _is_source)
    own.update(dict.fromkeys((*programs, *linked.files), ""))
    audited = sorted(_audited(policy, own, linked.targets, is_left_out), key=lambda file: file.path)
    files, scripts = _parted(audited)
    files, rust = _without_rust(files)
    known = {file.path: file for file in files}
    ci = _examined(policy.root, ci_paths(policy, listed), others, known)
    known |= {file.path: file for file in rust}
    tests = suite_paths(policy, listed, known) if ci else ()
    absent = dict(_absent(everything, linked, is_left_out))
    markers, templates = _marks(listed, is_left_out)
    return ProjectFiles(
        files,
        frozenset((*filter(_is_module, (*own, *absent)), *programs)),
        markers,
        scripts,
        templates,
        any(path.startswith(CACHE) for path in listed),
        _by_reason(absent),
        rust,
        _examined(policy.root, _manifests(listed), others, {}) if rust else (),
        ci,
        _examined(policy.root, tests, (), known),
    )


def _without_rust(
    files: tuple[SourceFile, ...],
) -> tuple[tuple[SourceFile, ...], tuple[SourceFile, ...]]:
    """Return the files that are not of Rust, and those that are."""
    rust = tuple(file for file in files if file.path.endswith(RUST_SUFFIX))
    if not rust:
        return files, ()
    return tuple(file for file in files if not file.path.endswith(RUST_SUFFIX)), rust


def _is_module(path: str) -> bool:
    """Return whether others can import a file, by its name."""
    return path.endswith(_SOURCES)


def _marks(
    listed: Iterable[str], is_left_out: Callable[[str], bool]
) -> tuple[frozenset[str], tuple[str, ...]]:
    """Return which files mark folders, and which are templates of sources."""
    ends = (*MARKERS, *FILLED_IN)
    likely = [path for path in listed if path.endswith(ends) and not is_left_out(path)]
    markers = frozenset(path for path in likely if path.rpartition("/")[2] in MARKERS)
    return markers, tuple(sorted(filter(_is_template, likely)))


def _manifests(listed: Iterable[str]) -> Iterator[str]:
    return (path for path in listed if path.rpartition("/")[2] == MANIFEST)


def _examined(
    root: Path, paths: Iterable[str], others: tuple[str, ...], known: Mapping[str, SourceFile]
) -> tuple[SourceFile, ...]:
    """Return the files of some paths that can be read and lie in no other project."""
    found: dict[str, SourceFile] = {}
    links: dict[str, str] = {}
    for path in sorted(paths):
        file = known.get(path) or _examine(root, path, "", links)
        # A CI system's file that cannot be read is said; others have their own say elsewhere.
        is_wanted = file and (not file.flaw or is_ci_configuration(path))
        if file and is_wanted and not path.startswith(others):
            found[path] = file
    return tuple(_without_doubles(found, links))


def _is_template(path: str) -> bool:
    """Return whether a file becomes Python or SQL once it is filled in.

    Alembic's own makes the migrations that are yet to come.
    """
    stem, _, ending = path.rpartition(".")
    is_source = stem.endswith(PYTHON_SUFFIXES) or is_script(stem)
    is_one = f".{ending}" in FILLED_IN and is_source and not _built_in(path, set())
    return is_one and path.rpartition("/")[2] not in MARKERS


def _outside_of_tools(listed: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield the paths of source, and those with a flaw, that lie in no folder of a tool's."""
    packages = {path.rpartition("/")[0] for path in listed if path.endswith("/__init__.py")}
    known: dict[str, bool] = {}  # A folder is judged once.
    for path, flaw in listed.items():
        if _is_source(path) or flaw:
            named = _named(path, flaw)
            folder = named.rpartition("/")[0]
            if folder not in known:
                known[folder] = _built_in(named, packages)
            if not known[folder]:
                yield path, flaw


def _is_source(path: str) -> bool:
    """Return whether a file is one of Python, Rust or SQL, by its name."""
    return path.endswith(_SOURCES) or is_script(path)


def _present(listed: Mapping[str, str]) -> Mapping[str, str]:
    """Return the listed paths that are in the work tree: all of them, in most."""
    if ABSENT.isdisjoint(listed.values()):
        return listed
    return {path: flaw for path, flaw in listed.items() if flaw not in ABSENT}


def _absent(
    listed: Mapping[str, str], linked: Linked, is_left_out: Callable[[str], bool]
) -> Iterator[tuple[str, str]]:
    """Yield the sources that could not be read because they are not there, each with why."""
    yield from ((path, "links out of the repository are not read") for path in linked.unread)
    if ABSENT.isdisjoint(listed.values()):
        return
    packages = {path.rpartition("/")[0] for path in listed if path.endswith("/__init__.py")}
    for path, flaw in listed.items():
        is_likely = _is_source(path) or flaw == BARE_SUBMODULE or is_ci_configuration(path)
        is_built_in = _built_in(path, packages)
        if flaw in ABSENT and is_likely and not is_built_in and not is_left_out(path):
            yield path, flaw


def _by_reason(absent: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    reasons = sorted(set(absent.values()))
    return {why: tuple(sorted(path for path in absent if absent[path] == why)) for why in reasons}


def _unsuffixed(
    root: Path, listed: Mapping[str, str], is_left_out: Callable[[str], bool]
) -> tuple[list[str], list[str]]:
    """Return the files without a suffix whose first line says that Python runs them.

    And the links to folders, which have no suffix either.
    """
    programs: list[str] = []
    folders: list[str] = []
    for path, flaw in listed.items():
        name = path.rpartition("/")[2]
        if flaw or not is_candidate(path) or is_left_out(path) or _built_in(path, set()):
            continue
        file = f"{root}{os.sep}{path}"
        if is_linked_folder(file):
            if name not in BUILT_IN_EXCLUDES and not is_left_out(f"{path}/."):
                folders.append(path)
        elif _is_program(file):
            programs.append(path)
    return programs, folders


def _is_program(file: str) -> bool:
    """Return whether a file, or what a link leads to, begins as a script of Python does."""
    try:
        if not stat.S_ISREG(os.stat(file).st_mode):  # noqa: PTH116  # a string, and many
            return False
        descriptor = os.open(file, os.O_RDONLY | getattr(os, "O_BINARY", 0))
        try:
            return _SHEBANG.match(os.read(descriptor, _FIRST_LINE)) is not None
        finally:
            os.close(descriptor)
    except OSError:
        return False


def _named(path: str, flaw: str) -> str:
    """Return the path by which patterns know a file.

    What has a flaw is a folder: whatever would be said of a file in it is said of it.
    """
    return f"{path}/." if flaw else path


def _audited(
    policy: Policy,
    listed: Mapping[str, str],
    targets: Mapping[str, str],
    is_left_out: Callable[[str], bool],
) -> Iterator[SourceFile]:
    included = compile_globs(policy.include, anchored=False) if policy.include else None
    found: dict[str, SourceFile] = {}
    links = dict(targets)
    for path, flaw in listed.items():
        named = _named(path, flaw)
        if not is_left_out(named) and (included is None or included(named)):
            file = _examine(policy.root, path, flaw, links)
            if file is not None:
                found[path] = file
    yield from _without_doubles(found, links)


def _without_doubles(
    found: Mapping[str, SourceFile], links: Mapping[str, str]
) -> Iterator[SourceFile]:
    """Yield files, but for links to what is among them under its own name."""
    return (file for path, file in found.items() if links.get(path) not in found)


def _parted(files: Sequence[SourceFile]) -> tuple[tuple[SourceFile, ...], tuple[SourceFile, ...]]:
    """Return the files of Python, and those of SQL."""
    scripts = tuple(file for file in files if is_script(file.path))
    if not scripts:
        return tuple(files), ()
    return tuple(file for file in files if not is_script(file.path)), scripts


def with_unsaved(tree: ProjectFiles, files: Mapping[str, Path]) -> ProjectFiles:
    """Return a tree of which some files are read from elsewhere, by their paths in the project."""

    def moved(file: SourceFile) -> SourceFile:
        other = files.get(file.path)
        found = None if other is None else _regular(file.path, str(other), other.stat())
        return found or file

    return replace(
        tree,
        files=tuple(map(moved, tree.files)),
        scripts=tuple(map(moved, tree.scripts)),
        ci=tuple(map(moved, tree.ci)),
        suites=tuple(map(moved, tree.suites)),
        rust=tuple(map(moved, tree.rust)),
    )


def is_script(path: str) -> bool:
    """Return whether a file is one of SQL, by its name."""
    return ".sql" in path.lower() and _SQL_NAME.search(path) is not None


def _built_in(path: str, packages: set[str]) -> bool:
    folders = path.split("/")[:-1]
    if BUILT_IN_EXCLUDES.intersection(folders):
        return True
    return any(
        folder in BUILD_OUTPUT and "/".join(folders[: index + 1]) not in packages
        for index, folder in enumerate(folders)
    )


def _examine(root: Path, path: str, flaw: str, links: dict[str, str]) -> SourceFile | None:
    """Return a file with its size, or with its flaw; None for what is no file of the project.

    Where it is a link to a file below the root, `links` is told the path of that.
    """
    absolute = f"{root}{os.sep}{path}"
    if flaw:
        return SourceFile(path, absolute, 0, flaw)
    try:
        status = os.lstat(absolute)
        if stat.S_ISLNK(status.st_mode):
            return _follow(root, path, absolute, links)
    except OSError as error:
        return SourceFile(path, absolute, 0, reason_of(error))
    return _regular(path, absolute, status)


def _follow(root: Path, path: str, absolute: str, links: dict[str, str]) -> SourceFile | None:
    """Return what a symbolic link leads to; None for a folder."""
    if path.rpartition("/")[2].startswith(".#"):
        return None  # An Emacs lock: a link to no file, by design.
    try:
        target = os.path.realpath(absolute, strict=True)
        status = Path(target).stat()
    except OSError as error:
        reason = reason_of(error)
        return SourceFile(path, absolute, 0, f"a symbolic link that leads nowhere: {reason}")
    inside = os.path.realpath(root) + os.sep
    if target.startswith(inside):
        links[path] = target.removeprefix(inside).replace(os.sep, "/")
    return _regular(path, absolute, status)


def _regular(path: str, absolute: str, status: os.stat_result) -> SourceFile | None:
    if stat.S_ISDIR(status.st_mode):
        return None
    if not stat.S_ISREG(status.st_mode):
        return SourceFile(path, absolute, 0, "not a regular file")
    if status.st_size > MAX_BYTES:
        return SourceFile(path, absolute, 0, f"larger than {MAX_BYTES >> 20} MiB")
    return SourceFile(path, absolute, status.st_size, stamp=stamp_of(status))


def path_filter(paths: Iterable[str]) -> Callable[[str], bool]:
    """Return a test whether a path is one of these, or lies below one of them."""
    exact = {path.rstrip("/") for path in paths}
    if exact & {"", "."}:
        return lambda _path: True
    folders = tuple(f"{path}/" for path in exact)
    return lambda path: path in exact or path.startswith(folders)
