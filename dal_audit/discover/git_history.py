"""History: what git says about how a project's files came to be what they are.

Git is asked in such a way that neither the repository's nor the user's configuration changes the
answer, and nothing that a repository brings along is run: it compares trees, and never a file.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

from msgspec import Struct

from dal_audit.discover.errors import UsageError
from dal_audit.discover.git_command import ask_git
from dal_audit.discover.git_listing import git_toplevel, holds_repository
from dal_audit.discover.git_snapshot import submodules, work_tree_index

DEFAULT_BRANCHES: Final = ("origin/HEAD", "origin/main", "origin/master", "main", "master")
"""What a release is made from, the likeliest first."""

_DIFF: Final = (
    *("diff-index", "--cached", "--no-ext-diff", "--no-textconv", "--no-color", "--no-relative"),
    *("--text", "--find-renames", "--ignore-submodules=dirty", "--submodule=short"),
)

_PATCH: Final = (
    *(*_DIFF, "--patch", "--unified=0", "--inter-hunk-context=0"),
    *("--src-prefix=a/", "--dst-prefix=b/", "--ignore-cr-at-eol"),
)

_HUNK: Final = re.compile(rb"@@ -\d+(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")
_PARTIAL: Final = r"^(extensions\.partialclone|remote\..*\.promisor)$"
_ESCAPE: Final = re.compile(rb"\\([0-7]{3}|.)", re.DOTALL)
_PLAIN: Final = {b"a": 7, b"b": 8, b"t": 9, b"n": 10, b"v": 11, b"f": 12, b"r": 13}

ALL: Final = ((1, 1 << 62),)
"""The lines of a file that is new as a whole."""

Lines = tuple[tuple[int, int], ...]
"""Stretches of lines, from the first to the last, both 1-based and included."""


class HistoryError(UsageError):
    """Git cannot say what was asked of it; the message tells how to mend that."""


class ChangedFile(Struct, frozen=True):
    """A file that a commit had, and that is another one now.

    `state` is git's letter: `M` changed, `D` deleted, `R` renamed (and perhaps changed), `T` of
    another type. `path` is where it is now (where it was, if it was deleted).
    """

    state: str
    before: str
    path: str


class Repository:
    """The repository that a folder lies in; all paths are POSIX and relative to that folder."""

    def __init__(self, root: Path) -> None:
        """Find the repository of a folder. Raises HistoryError where there is none."""
        place = Path(os.path.realpath(root))
        top = git_toplevel(place)
        if top is None:
            raise HistoryError(f"error: {root} lies in no git repository, so it has no history")
        self._top = top
        relative = place.relative_to(top).as_posix()
        self._prefix = "" if relative == "." else f"{relative}/"

    def merge_base(self, revision: str) -> str:
        """Return the commit at which HEAD and a revision parted.

        Raises HistoryError for a revision that there is not, and where no such commit is known.
        """
        cure = self._cure()
        commit = self._commit(revision)
        if commit is None:
            raise HistoryError(f"error: git knows no revision `{revision}`{cure}")
        if self._commit("HEAD") is None:
            raise HistoryError(
                "error: the repository has no commit yet, so nothing to compare with"
            )
        bases = self._run("merge-base", commit, "HEAD")
        if bases is None:
            raise HistoryError(f"error: HEAD and `{revision}` have no commit in common{cure}")
        return bases.decode("ascii").split()[0]

    def default_merge_base(self) -> str | None:
        """Return the commit at which HEAD parted from the default branch; None if not known."""
        for branch in DEFAULT_BRANCHES:
            if self._commit(branch) is not None:
                try:
                    return self.merge_base(branch)
                except HistoryError:
                    return None
        return None

    def changed_lines(self, commit: str, paths: Collection[str]) -> dict[str, Lines]:
        """Return the lines of files in the work tree that a commit did not have.

        `paths` are those that are asked for; others may be missing. A line that only lost what
        stood before it counts as changed, too: a suppression may have gone from there. Files that
        git does not track are new, unless it ignores them. Raises HistoryError.
        """
        wanted = {f"{self._prefix}{path}" for path in paths}
        with self._work_tree(wanted.__contains__) as environment:
            patch = self._asked(*_PATCH, commit, "--", environment=environment)
        changed = dict(self._parsed(patch))
        changed.update(tuple(self._in_submodules(wanted, changed)))
        listed = self._asked("ls-files", "-z", "--others", "--exclude-standard")
        # Below a submodule's folder, or another repository's, all may have changed.
        others = (os.fsdecode(name).rstrip("/") for name in listed.split(b"\0") if name)
        changed.update(dict.fromkeys(others, ALL))
        return {
            path.removeprefix(self._prefix): lines
            for path, lines in changed.items()
            if path.startswith(self._prefix)
        }

    def _in_submodules(
        self, wanted: Collection[str], moved: Collection[str]
    ) -> Iterator[tuple[str, Lines]]:
        """Yield the changes in submodules, of those that stand at the commit that they stood at."""
        for folder in submodules(self._asked):
            if folder in moved:
                continue
            inside = {path[len(folder) + 1 :] for path in wanted if path.startswith(f"{folder}/")}
            if inside and holds_repository(self._top / folder):
                repository = Repository(self._top / folder)
                for path, lines in repository.changed_lines("HEAD", inside).items():
                    yield f"{folder}/{path}", lines

    def changed_files(self, commit: str, is_wanted: Callable[[str], bool]) -> Iterator[ChangedFile]:
        """Yield what became of the files of a commit that are not in the work tree as they were.

        The contents of files that are not wanted are taken to be those of the index. Raises
        HistoryError.
        """

        def is_inside(path: str) -> bool:
            return path.startswith(self._prefix) and is_wanted(path.removeprefix(self._prefix))

        with self._work_tree(is_inside) as environment:
            words = (*_DIFF, "--raw", "-z", "--abbrev=40", commit, "--")
            entries = self._asked(*words, environment=environment)
        words_of = iter(os.fsdecode(entries).split("\0"))
        for word in words_of:
            if not word.startswith(":"):
                continue
            state = word.rpartition(" ")[2][:1]
            before = next(words_of)
            path = next(words_of) if state in {"R", "C"} else before
            if state in {"A", "C"} or not before.startswith(self._prefix):
                continue
            yield ChangedFile(
                state, before.removeprefix(self._prefix), os.path.relpath(path, self._prefix or ".")
            )

    def holds(self, commit: str, path: str) -> bool:
        """Return whether a commit has a file, be its content here or not."""
        full = f"{self._prefix}{path}"
        return self._asked("ls-tree", "-z", commit, "--", f":(top,literal){full}") != b""

    def content(self, commit: str, path: str) -> bytes:
        """Return a file as it stood in a commit. Raises HistoryError where it cannot be had."""
        return self._asked("cat-file", "blob", f"{commit}:{self._prefix}{path}")

    @contextmanager
    def _work_tree(self, is_wanted: Callable[[str], bool]) -> Iterator[Mapping[str, str]]:
        with ExitStack() as stack:
            try:
                lent = stack.enter_context(work_tree_index(self._asked, self._top, is_wanted))
            except OSError as error:
                raise HistoryError(f"error: no room to compare with a commit: {error}") from error
            yield lent

    def _commit(self, revision: str) -> str | None:
        found = self._run(
            "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}"
        )
        return None if found is None else found.decode("ascii").strip()

    def _cure(self) -> str:
        if self._run("rev-parse", "--is-shallow-repository") == b"true\n":
            return "; the clone is shallow: fetch all of it (`fetch-depth: 0` of actions/checkout)"
        if self._run("config", "--get-regexp", _PARTIAL):
            return (
                "; the clone is partial, and dal-audit fetches nothing:"
                " fetch all of it (`git fetch --refetch --no-filter`)"
            )
        return ""

    def _asked(
        self,
        *words: str,
        top: Path | None = None,
        given: bytes = b"",
        environment: Mapping[str, str] | None = None,
    ) -> bytes:
        """Return what git says, of a submodule's `top` where one is given.

        Raises HistoryError where it fails.
        """
        try:
            answer = ask_git(top or self._top, *words, given=given, environment=environment)
        except (OSError, ValueError) as error:
            raise HistoryError(f"error: git cannot be run: {error}") from error
        if answer.fails:
            raise HistoryError(f"error: `git {words[0]}` failed in {self._top}{self._cure()}")
        return answer.output

    def _run(self, *words: str) -> bytes | None:
        """Return what git says; None where it fails."""
        try:
            answer = ask_git(self._top, *words)
        except (OSError, ValueError) as error:
            raise HistoryError(f"error: git cannot be run: {error}") from error
        return None if answer.fails else answer.output

    def _parsed(self, patch: bytes) -> Iterator[tuple[str, Lines]]:
        """Yield the files of a patch, each with its changed lines."""
        path = ""
        found: list[tuple[int, int]] = []
        waiting = 0
        for line in patch.split(b"\n"):
            # What stands in a file is counted off, so that none of it passes for a header.
            if waiting and line[:1] in {b"-", b"+"}:
                waiting -= 1
            elif line.startswith(b"diff --git "):
                yield from self._counted(path, found)
                path, found = "", []
            elif line.startswith(b"+++ "):
                path = _unquoted(line[4:])
            elif path and (hunk := _HUNK.match(line)):
                lines, waiting = _stretch(hunk)
                found.append(lines)
        yield from self._counted(path, found)

    def _counted(self, path: str, found: list[tuple[int, int]]) -> Iterator[tuple[str, Lines]]:
        """Yield a file with its changed lines, if there are any."""
        if found:
            yield path, self._as_counted(path, found)

    def _as_counted(self, path: str, found: Iterable[tuple[int, int]]) -> Lines:
        """Return lines as dal-audit counts them: to git, a CR alone ends none."""
        try:
            data = (self._top / path).read_bytes() if (self._top / path).is_file() else b""
        except OSError:
            data = b""
        return ALL if re.search(rb"\r(?!\n)", data) else tuple(found)


def _stretch(hunk: re.Match[bytes]) -> tuple[tuple[int, int], int]:
    """Return the new lines of a hunk, and how many lines of both files follow its header.

    Where lines only went, the one that now stands there counts as new.
    """
    start, count = int(hunk[2]), int(hunk[3] or 1)
    lines = (start, start + count - 1) if count else (start + 1, start + 1)
    return lines, int(hunk[1] or 1) + count


def _unquoted(name: bytes) -> str:
    """Return the path of a `+++` line; nothing for a file that is gone."""
    name = name.removesuffix(b"\t")
    if name.startswith(b'"'):
        name = _ESCAPE.sub(_meant, name[1:].removesuffix(b'"'))
    return os.fsdecode(name.removeprefix(b"b/")) if name.startswith(b"b/") else ""


def _meant(found: re.Match[bytes]) -> bytes:
    word = found[1]
    if word.isdigit():
        return bytes([int(word, 8)])
    return bytes([_PLAIN[word]]) if word in _PLAIN else word
