"""Released migrations: which of those that a commit had are not what they were."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from dal_audit.catalogue.rulebook import Rule
from dal_audit.facts.migrations import Tool
from dal_audit.migrations.model import MigrationLayout, MigrationSet, Side
from dal_audit.migrations.tools import TOOLS, MigrationTool

if TYPE_CHECKING:
    from dal_audit.discover.git_history import ChangedFile, Repository

ChangeKind: TypeAlias = Literal["changed", "renamed", "deleted"]

_NUMBERED: Final = re.compile(r"[UV]?(\d[\d._]*)", re.IGNORECASE)
_NO_DEFAULT: Final = (
    "released migrations are unknown, for git knows no default branch"
    " (give --since, or fetch the whole history)"
)
_LINE_END: Final = re.compile(rb"\r\n|\r|\n")


class ReleasedChange(Struct, frozen=True):
    """A migration that is not what was released.

    `path` and `line` are where that is shown: the first line that differs, or, for a file that is
    gone, the folder of its set. `before` is the file's path as it was released; `side` tells
    whether only the way back changed.
    """

    kind: ChangeKind
    path: str
    line: int
    before: str
    tool: Tool
    side: Side


def edited_migrations(
    layout: MigrationLayout, root: Path, rules: Iterable[Rule], revision: str | None
) -> tuple[tuple[ReleasedChange, ...], tuple[str, ...]]:
    """Return what became of released migrations, and what is to be said if that is not known.

    Git is asked only where there are migrations and a rule that wants to know: it takes time. They
    are compared with the commit at which HEAD parted from a revision, or from the default
    branch where none is given. Raises HistoryError for a revision that git does not know.
    """
    if not layout.sets or all(rule.name != "edited-migration" for rule in rules):
        return (), ()
    if revision is None and not _is_in_repository(root):
        return (), ()
    from dal_audit.discover.git_history import HistoryError, Repository  # only where git is asked

    repository = Repository(root)
    if revision is not None:
        commit = repository.merge_base(revision)
        return tuple(_Released(repository, commit, root).changes(layout.sets)), ()
    try:
        default = repository.default_merge_base()
        if default is None:
            return (), (_NO_DEFAULT,)
        return tuple(_Released(repository, default, root).changes(layout.sets)), ()
    except HistoryError as error:
        return (), (f"released migrations are unknown: {str(error).removeprefix('error: ')}",)


def _is_in_repository(root: Path) -> bool:
    from dal_audit.discover.git_listing import git_toplevel

    return git_toplevel(Path(os.path.realpath(root))) is not None


class _Released:
    """What was released: a commit of a repository."""

    def __init__(self, repository: Repository, commit: str, root: Path) -> None:
        self.repository = repository
        self.commit = commit
        self.root = root

    def changes(self, sets: Sequence[MigrationSet]) -> Iterator[ReleasedChange]:
        """Yield what became of the files of the sets; each file is one set's."""
        members = {path for migrations in sets for path, _ in _files(migrations)}

        def is_wanted(path: str) -> bool:
            return path in members or any(_could_be_of(path, migrations) for migrations in sets)

        for file in self.repository.changed_files(self.commit, is_wanted):
            changes = (self._change(file, migrations) for migrations in sets)
            change = next(filter(None, changes), None)
            if change is not None:
                yield change

    def _change(self, file: ChangedFile, migrations: MigrationSet) -> ReleasedChange | None:
        """Return what became of a file of a set; None where it is none, or nothing that matters."""
        files = dict(_files(migrations))
        if file.state == "D" or file.path not in files:
            if not _was_migration(file.before, migrations, files):
                return None
            # Git sees no renaming where the new file is not tracked yet, or much else changed.
            new = next((path for path in files if self._replaces(path, file, migrations)), None)
            if new is None:
                side: Side = "down" if ".down." in file.before else "up"
                root = migrations.root
                return ReleasedChange("deleted", root, 1, file.before, migrations.tool, side)
            file = replace(file, state="R", path=new)
        return self._present(file, migrations, files)

    def _present(
        self, file: ChangedFile, migrations: MigrationSet, files: Mapping[str, Side]
    ) -> ReleasedChange | None:
        """Return what became of a file that a set still has, be it under another name."""
        tool, side = TOOLS[migrations.tool], files[file.path]
        if file.state == "R" and not _was_migration(file.before, migrations, files):
            return None  # It became a migration only now.
        if file.state == "R" and _name(file.before, tool) != _name(file.path, tool):
            return ReleasedChange("renamed", file.path, 1, file.before, tool.name, side)
        before = self.repository.content(self.commit, file.before)
        try:
            now = (self.root / file.path).read_bytes()
        except OSError:
            return None  # That is a finding already.
        if _is_same(before, now, tool, file.path):
            return None
        line = _first_difference(before, now)
        return ReleasedChange("changed", file.path, line, file.before, tool.name, side)

    def _replaces(self, path: str, file: ChangedFile, migrations: MigrationSet) -> bool:
        """Return whether a file that is new is to its tool what a file that is gone was."""
        tool = TOOLS[migrations.tool]
        name = _name(path, tool)
        is_same = path != file.before and name != "" and name == _name(file.before, tool)
        return is_same and not self.repository.holds(self.commit, path)


def _could_be_of(path: str, migrations: MigrationSet) -> bool:
    """Return whether a file lies below a set's folder."""
    return migrations.root in {"", "."} or path.startswith(f"{migrations.root}/")


def _files(migrations: MigrationSet) -> Iterator[tuple[str, Side]]:
    """Yield the files that run once, each with its direction; one that holds both is an up."""
    lasting = [
        migration
        for migration in migrations.migrations
        if migration.role in {"versioned", "baseline"}
    ]
    yield from ((part.path, "down") for migration in lasting for part in migration.down)
    yield from ((part.path, "up") for migration in lasting for part in migration.up)


def _was_migration(path: str, migrations: MigrationSet, files: Collection[str]) -> bool:
    """Return whether a path that is no more looks like one of a set's."""
    suffix = Path(path).suffix
    if not _could_be_of(path, migrations) or not any(file.endswith(suffix) for file in files):
        return False
    if path.count("/") not in {file.count("/") for file in files}:
        return False
    folder, _, name = path.rpartition("/")
    if migrations.series in {"graph", "named"}:
        siblings = {file.rpartition("/")[0] for file in files}
        return folder in siblings and not name.startswith("__")
    return any(map(_NUMBERED.match, (name, folder.rpartition("/")[2])))


def _name(path: str, tool: MigrationTool) -> str:
    """Return what a tool knows a migration by, as far as its path says it."""
    if tool.known_by == "content":
        return ""
    folder, _, name = path.rpartition("/")
    below = folder.rpartition("/")[2]
    # Where each migration has a folder of its own, that bears the name.
    whole = name if _NUMBERED.match(name) or not _NUMBERED.match(below) else f"{below}/{name}"
    if tool.known_by == "number" and (number := _NUMBERED.match(whole)):
        return f"{number[1].strip('._')} {'.down.' in name or name == 'down.sql'}"
    return whole


def _is_same(before: bytes, now: bytes, tool: MigrationTool, path: str) -> bool:
    if _LINE_END.split(before) == _LINE_END.split(now):
        return True
    if tool.keeps_checksums:
        return False
    from dal_audit.extract.migrations.normalised_text import essence_of

    is_python = path.endswith(".py")
    return essence_of(before, is_python=is_python) == essence_of(now, is_python=is_python)


def _first_difference(before: bytes, now: bytes) -> int:
    """Return the first line of the present file that differs, its last where it lost its end."""
    old, new = _LINE_END.split(before), _LINE_END.split(now)
    for row, (was, present) in enumerate(zip(old, new, strict=False), 1):
        if was != present:
            return row
    return min(len(old) + 1, len(new)) or 1
