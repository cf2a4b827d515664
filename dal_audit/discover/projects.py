"""Scope: which projects an audit is about, and which paths of each were asked for.

Each file belongs to the nearest configuration at or above it, as with ruff; so one tree can hold
several projects. Files that were asked for only limit what is reported: a project is always read
whole.
"""

from __future__ import annotations

import os
from collections.abc import Container, Iterable, Iterator, Mapping
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from dal_audit.discover.errors import UsageError
from dal_audit.discover.git_listing import (
    BUILT_IN_EXCLUDES,
    git_toplevel,
    list_paths,
    paths_beyond,
)
from dal_audit.policy import (
    Policy,
    compile_globs,
    default_policy,
    find_configuration,
    load_policy,
)

CONFIGURATION_FILES = ("dal-audit.toml", "pyproject.toml")
PROJECT_FILES = ("pyproject.toml", "setup.py", "setup.cfg")


class ProjectScope(Struct, frozen=True):
    """One project of an audit.

    `requested` are POSIX paths relative to the root ("." for all of it), `nested` the folders of
    other projects below the root, `listed` the paths below the root with their flaws.
    """

    policy: Policy
    requested: tuple[str, ...]
    nested: tuple[str, ...]
    listed: Mapping[str, str]
    links: Mapping[str, str] = {}
    """What the requested links lead to, where that is a file below the root, too."""
    beyond: frozenset[str] = frozenset()
    """The paths that are listed only because they are asked for."""

    def settled(self, files: Iterable[str]) -> ProjectScope:
        """Return the scope with each requested link under the name that its file is read by."""
        if not self.links:
            return self
        known = frozenset(files)
        settled = {path if path in known else self.links.get(path, path) for path in self.requested}
        return replace(self, requested=tuple(sorted(settled)))

    def empty_folders(self, files: Iterable[str]) -> tuple[str, ...]:
        """Return the requested folders in which none of these files lies, nor another project."""
        known = [*files, *(f"{folder}/" for folder in self.nested)]
        return tuple(
            path
            for path in self.requested
            if (self.policy.root / path).is_dir()
            and not any(path == "." or inner.startswith(f"{path}/") for inner in known)
        )

    def unread(self, files: Iterable[str]) -> tuple[str, ...]:
        """Return the requested files that are none of these, nor in another project."""
        known = frozenset(files)
        others = tuple(f"{folder}/" for folder in self.nested)
        return tuple(
            path
            for path in self.requested
            if path not in known
            and not path.startswith(others)
            and (self.policy.root / path).is_file()
        )


class AuditPlan(Struct, frozen=True):
    """The projects to audit, and the folder that reported paths are relative to."""

    scopes: tuple[ProjectScope, ...]
    base: Path


def plan_audit(
    paths: Iterable[str],
    folder: Path,
    config: Path | None,
    known_rules: tuple[tuple[str, str], ...],
    *,
    unsaved: Container[str] = (),
    baseline_expected: bool = True,
) -> AuditPlan:
    """Find the projects that paths belong to, and their configurations.

    Paths that are `unsaved` need not exist; `baseline_expected` is False where a configured
    baseline may be yet to be written. Raises UsageError for paths that do not exist or cannot be
    audited, ConfigurationError for a faulty configuration.
    """
    requested = [_followed(path, folder) for path in _existing(paths, folder, unsaved)]
    if config is not None:
        outside = [path for path in requested if not _is_within(path, folder)]
        if outside:
            raise UsageError(
                f"error: with --config, a path must lie in the current folder: `{outside[0]}`"
            )
        policy = load_policy(
            config, root=folder, known_rules=known_rules, baseline_expected=baseline_expected
        )
        scope = _scope(policy, requested, (), *_listing(folder, requested))
        return AuditPlan((scope,), _base([folder], folder))
    roots = _by_root(requested, folder)
    search = _Search(_joined(roots), known_rules, baseline_expected=baseline_expected)
    made = search.scopes()
    ordered = tuple(made[root] for root in sorted(made))
    return AuditPlan(ordered, _base(list(made), folder))


def whole_project(policy: Policy) -> ProjectScope:
    """Return the scope of a project that is audited from its root, all of it."""
    listed = list_paths(policy.root)
    return ProjectScope(policy, (".",), tuple(sorted(_nested(policy, listed))), listed)


def relative_to(root: Path, folder: Path, files: Mapping[str, Path]) -> dict[str, Path]:
    """Return files by their paths relative to a root, where those given count from a folder."""
    return {
        Path(os.path.relpath(os.path.normpath(folder / path), root)).as_posix(): file
        for path, file in files.items()
    }


def only_root(paths: Iterable[str], folder: Path, config: Path | None) -> Path | None:
    """Return the root of the one project that paths belong to.

    None where there are several, or where a path is a link, or is not there.
    """
    absolute = [Path(os.path.normpath(folder / path)) for path in paths]
    if any(path.is_symlink() or not path.exists() for path in absolute):
        return None
    if config is not None:
        return folder if all(_is_within(path, folder) for path in absolute) else None
    starts = {path if path.is_dir() else path.parent for path in absolute}
    roots = {_root_of(start, folder) for start in starts}
    return roots.pop() if len(roots) == 1 else None


def base_of(root: Path, folder: Path) -> Path:
    """Return the folder that reported paths are relative to, where there is one project."""
    return _base([root], folder)


def root_of(folder: Path, current: Path) -> Path:
    """Return the root of the project that an audit of a folder is about."""
    return _root_of(folder, current)


class _Search:
    """The search for the projects that were asked for, from the roots of those paths."""

    def __init__(
        self,
        roots: Mapping[Path, list[Path]],
        known_rules: tuple[tuple[str, str], ...],
        *,
        baseline_expected: bool,
    ) -> None:
        self.roots = roots
        self.known_rules = known_rules
        self.baseline_expected = baseline_expected
        self.made: dict[Path, ProjectScope] = {}

    def scopes(self) -> dict[Path, ProjectScope]:
        """Return the projects by their roots."""
        for root, wanted in self.roots.items():
            self._add(root, wanted)
        return self.made

    def _add(self, root: Path, wanted: list[Path]) -> None:
        """Add the scope of a root, and of the projects below it that were asked for with it."""
        listed, beyond = _listing(root, wanted)
        policy = self._policy(root)
        nested = tuple(sorted(_nested(policy, listed)))
        for inner in (root / below for below in nested):
            is_asked = any(path.is_dir() and _is_within(inner, path) for path in wanted)
            if is_asked and inner not in self.made and inner not in self.roots:
                self._add(inner, [inner])
        if not nested or _owns_any(listed, nested):
            self.made[root] = _scope(policy, wanted, nested, listed, beyond)

    def _policy(self, root: Path) -> Policy:
        return policy_of(root, self.known_rules, baseline_expected=self.baseline_expected)


def policy_of(
    root: Path, known_rules: tuple[tuple[str, str], ...], *, baseline_expected: bool = True
) -> Policy:
    """Return what the configuration in a project's root says; the usual where there is none."""
    file = find_configuration(root)
    if file is None or file.parent != root:
        return default_policy(root)
    return load_policy(file, known_rules=known_rules, baseline_expected=baseline_expected)


def _owns_any(paths: Iterable[str], nested: Iterable[str]) -> bool:
    """Return whether a path lies in none of the projects below."""
    folders = tuple(f"{below}/" for below in nested)
    return not all(path.startswith(folders) for path in paths)


def _existing(paths: Iterable[str], folder: Path, unsaved: Container[str]) -> Iterator[Path]:
    missing = []
    for path in paths:
        absolute = Path(os.path.normpath(folder / path))
        if path in unsaved or os.path.lexists(absolute):
            yield absolute
        else:
            missing.append(path)
    if missing:
        named = ", ".join(f"`{path}`" for path in missing)
        raise UsageError(f"error: no such file or folder: {named}")


def _followed(path: Path, folder: Path) -> Path:
    """Return what is audited where a symbolic link is asked for.

    A folder within the same project is audited under its own name. Which name a file goes by, the
    link's or its own, is known when the project's files are (`ProjectScope.settled`).
    """
    if not path.is_symlink() or not path.is_dir():
        return path
    target = Path(os.path.realpath(path))
    root = _root_of(path, folder)
    if _is_within(target, Path(os.path.realpath(root))):
        return root / target.relative_to(os.path.realpath(root))
    return target


def _by_root(paths: Iterable[Path], folder: Path) -> dict[Path, list[Path]]:
    """Return paths by the roots of their projects; each folder is walked up from once."""
    starts: dict[Path, list[Path]] = {}
    for path in paths:
        starts.setdefault(path if path.is_dir() else path.parent, []).append(path)
    roots: dict[Path, list[Path]] = {}
    for start, within in starts.items():
        roots.setdefault(_root_of(start, folder), []).extend(within)
    return roots


def _joined(roots: Mapping[Path, list[Path]]) -> dict[Path, list[Path]]:
    """Join what is asked for below another root, where no configuration tells the two apart.

    Else a file that lies in both would be reported twice.
    """
    joined: dict[Path, list[Path]] = {}
    for root in sorted(roots):
        own = find_configuration(root)
        above = (other for other in joined if _is_within(root, other))
        outer = next((other for other in above if find_configuration(other) == own), root)
        joined.setdefault(outer, []).extend(roots[root])
    return joined


def _root_of(path: Path, folder: Path) -> Path:
    """Return the root of the project that a path belongs to."""
    start = path if path.is_dir() else path.parent
    file = find_configuration(start)
    return file.parent if file is not None else _fallback(start, folder)


def _listing(root: Path, wanted: Iterable[Path]) -> tuple[dict[str, str], frozenset[str]]:
    """Return the paths below a root, and those that are listed only because they are wanted."""
    paths = [_relative(path, root) for path in wanted]
    within = [*paths, *_targets(root, paths).values()]
    listed = list_paths(root)
    beyond = paths_beyond(root, listed, within)
    return {**listed, **beyond}, frozenset(beyond)


def _scope(
    policy: Policy,
    wanted: list[Path],
    nested: tuple[str, ...],
    listed: dict[str, str],
    beyond: frozenset[str],
) -> ProjectScope:
    requested = tuple(sorted({_relative(path, policy.root) for path in wanted}))
    return ProjectScope(policy, requested, nested, listed, _targets(policy.root, requested), beyond)


def _targets(root: Path, paths: Iterable[str]) -> dict[str, str]:
    """Return the own paths, below the root, of those paths that links lead to."""
    inside = os.path.realpath(root)
    found = {}
    for path in paths:
        target = os.path.realpath(root / path)
        if target != os.path.normpath(f"{inside}/{path}") and _is_within(
            Path(target), Path(inside)
        ):
            found[path] = _relative(Path(target), Path(inside))
    return found


def _nested(policy: Policy, listed: Mapping[str, str]) -> Iterator[str]:
    """Yield the outermost folders below the root that are projects with their own configuration."""
    excluded = compile_globs(policy.exclude, anchored=False)
    found: list[str] = []
    for path in sorted(listed, key=lambda path: (path.count("/"), path)):
        below, _, name = path.rpartition("/")
        if name not in CONFIGURATION_FILES or not below or excluded(path):
            continue
        if BUILT_IN_EXCLUDES.intersection(below.split("/")):
            continue
        inside = any(below == outer or below.startswith(f"{outer}/") for outer in found)
        if not inside and find_configuration(policy.root / below) == policy.root / path:
            found.append(below)
            yield below


def _fallback(start: Path, folder: Path) -> Path:
    """Return the root of a project that has no configuration."""
    top = git_toplevel(start)
    if top is not None:
        return top
    if _is_within(start, folder):
        return folder
    for candidate in (start, *start.parents):
        if any((candidate / name).is_file() for name in PROJECT_FILES):
            return candidate
    return start


def _base(roots: list[Path], folder: Path) -> Path:
    """Return the folder that reported paths are relative to: the repository's, or a common one."""
    tops = {git_toplevel(root) for root in roots}
    top = tops.pop() if len(tops) == 1 else None
    if top is not None:
        return top
    if all(_is_within(root, folder) for root in roots):
        return folder
    return Path(os.path.commonpath(roots))


def _is_within(path: Path, folder: Path) -> bool:
    return path == folder or folder in path.parents


def _relative(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix()
