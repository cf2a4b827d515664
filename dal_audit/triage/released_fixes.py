"""Which fixes would change released migrations: those are for a person to decide about.

A migration that was released is not edited (DAL407): databases ran the old text, and the tools that
keep checksums refuse the new one, for a comment's sake, too. Released is what the default branch
has by the commit at which HEAD parted from it, and what was tagged since; where git knows no such
branch, what the last commit has.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from dal_audit.discover.git_command import ask_git
from dal_audit.discover.git_listing import git_toplevel
from dal_audit.judge.breach import Finding

_GUARDED: Final = "not-replay-safe"
"""The rule whose fixes are guards."""


def mark_released_fixes_unsafe(
    findings: Sequence[Finding], is_migration: Callable[[str], bool], root: Path
) -> list[Finding]:
    """Return the findings, those with unsafe fixes whose fixes would edit a released migration.

    A guard is no fix there: databases have run the migration, or have to be brought on by hand, and
    to edit it is another finding (DAL407).
    """
    paths = {
        finding.place.path
        for finding in findings
        if _is_held_to_releases(finding) and is_migration(finding.place.path)
    }
    if not paths:
        return list(findings)
    free, held = _told(paths, root)
    return [
        own
        if own.place.path not in paths - free
        else _in_release(own, is_known=own.place.path in held)
        for own in findings
    ]


def _is_held_to_releases(finding: Finding) -> bool:
    """Return whether it matters to the fix of a finding what is released."""
    fix = finding.breach.fix
    return fix is not None and (fix.is_safe or finding.rule.name == _GUARDED)


def _in_release(finding: Finding, *, is_known: bool) -> Finding:
    """Return a finding in a migration that is released, or of which that is not known."""
    fix = finding.breach.fix
    is_no_fix = is_known and finding.rule.name == _GUARDED
    kept = None if fix is None or is_no_fix else fix.as_unsafe()
    return replace(finding, breach=replace(finding.breach, fix=kept))


def not_released(paths: Iterable[str], root: Path) -> frozenset[str]:
    """Return the paths below a root of which git says that no release holds them.

    Where there is no repository, or git does not answer, nothing is known to be so.
    """
    return _told(paths, root)[0]


def _told(paths: Iterable[str], root: Path) -> tuple[frozenset[str], frozenset[str]]:
    """Return the paths of which git says that no release holds them, and that one does."""
    place = Path(os.path.realpath(root))
    by_repository: dict[Path, list[str]] = {}
    for path in sorted(paths):
        top = git_toplevel((place / path).parent)
        if top is not None:
            by_repository.setdefault(top, []).append(path)
    free: set[str] = set()
    told: set[str] = set()
    for top, members in by_repository.items():
        held = _held(top)
        if held is not None:
            told.update(members)
            free.update(path for path in members if os.path.relpath(place / path, top) not in held)
    return frozenset(free), frozenset(told - free)


def _held(top: Path) -> frozenset[str] | None:
    """Return the files of a repository's releases; None where git does not say."""
    if not _git(top, "rev-parse", "--git-dir"):
        return None
    if not _git(top, "rev-parse", "--verify", "--quiet", "HEAD^{commit}"):
        return frozenset()  # There is no commit yet.
    trees = [_files_of(top, commit) for commit in _releases(top)]
    known = [tree for tree in trees if tree is not None]
    return frozenset[str]().union(*known) if len(known) == len(trees) else None


def _releases(top: Path) -> Iterator[str]:
    """Yield the commits that hold what is released; the last one where git does not tell others."""
    # Only who fixes migrations pays for this module.
    from dal_audit.discover.git_history import HistoryError, Repository

    try:
        parted = Repository(top).default_merge_base()
    except HistoryError:
        parted = None
    if parted is None:
        yield "HEAD"
        return
    yield parted
    tagged = _git(
        top, "for-each-ref", "--merged=HEAD", f"--no-merged={parted}",
        "--format=%(objectname)", "refs/tags",
    )  # fmt: skip
    yield from ["HEAD"] if tagged is None else tagged.decode("ascii").split()


def _files_of(top: Path, commit: str) -> frozenset[str] | None:
    listed = _git(top, "ls-tree", "-r", "-z", "--name-only", "--full-tree", commit)
    return None if listed is None else frozenset(os.fsdecode(listed).split("\0"))


def _git(top: Path, *words: str) -> bytes | None:
    """Return what git answers; None where it refuses, or is not there."""
    try:
        answer = ask_git(top, *words)
    except OSError:
        return None
    return None if answer.fails else answer.output
