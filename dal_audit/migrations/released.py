"""Released migrations: which of those that a commit had are not what they were."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final, Literal, TypeAlias

from msgspec import Struct

from dal_audit.catalogue.rulebook import Rule
from dal_audit.discover.git_history import Moved, Repository
from dal_audit.migrations.model import MigrationLayout, MigrationSet

Fate: TypeAlias = Literal["changed", "renamed", "deleted"]

CHECKED: Final = frozenset({"atlas", "flyway", "liquibase", "prisma", "refinery", "sqlx"})
"""Tools that keep a checksum of each file, so that a comment more is a change, too."""

BY_NUMBER: Final = frozenset({"dbmate", "diesel", "golang-migrate", "goose", "tern"})
"""Tools that know a migration by its number alone, so that the words behind it may change."""

BY_CONTENT: Final = frozenset({"alembic", "liquibase"})
"""Tools that find a migration's id in the file, whatever the file is called."""

_NUMBERED: Final = re.compile(r"[UV]?(\d[\d._]*)", re.IGNORECASE)
_LINE_END: Final = re.compile(rb"\r\n|\r|\n")


class Edited(Struct, frozen=True):
    """A migration that is not what was released.

    `path` and `line` are where that is shown: the first line that differs, or, for a file that is
    gone, the folder of its set. `before` is the file's path as it was released; `side` tells
    whether only the way back changed.
    """

    fate: Fate
    path: str
    line: int
    before: str
    tool: str
    side: Literal["up", "down"]


def edited_migrations(
    layout: MigrationLayout, root: Path, rules: Iterable[Rule], revision: str | None
) -> tuple[tuple[Edited, ...], tuple[str, ...]]:
    """Return what became of released migrations, and what is to be said if that is not known.

    Git is asked only where there are migrations and a rule that wants to know: it takes time. They
    are compared with the commit at which HEAD parted from a revision, or from the default
    branch where none is given. Raises HistoryError for a revision that git does not know.
    """
    if not layout.sets or all(rule.name != "edited-migration" for rule in rules):
        return (), ()
    if revision is None and not _is_in_repository(root):
        return (), ()
    repository = Repository(root)
    commit = repository.default_fork() if revision is None else repository.fork(revision)
    if commit is None:
        unknown = (
            "released migrations are unknown, for git knows no default branch"
            " (give --since, or fetch the whole history)"
        )
        return (), (unknown,)
    found = []
    for one in repository.moved(commit):
        for migrations in layout.sets:
            edited = _edited(one, migrations, repository, commit, root)
            if edited is not None:
                found.append(edited)
                break
    return tuple(found), ()


def _is_in_repository(root: Path) -> bool:
    from dal_audit.discover.git_listing import git_toplevel

    return git_toplevel(Path(os.path.realpath(root))) is not None


def _edited(
    one: Moved, migrations: MigrationSet, repository: Repository, commit: str, root: Path
) -> Edited | None:
    """Return what became of a file of a set; None where it is none, or nothing that matters."""
    tool = migrations.tool
    files = dict(_files(migrations))
    if one.state == "D" or one.path not in files:
        if not _was_migration(one.before, migrations, files):
            return None
        # Git sees no renaming where the new file is not tracked yet, or much else changed.
        new = next((path for path in files if _replaces(path, one, tool, repository, commit)), None)
        if new is not None:
            return _edited(Moved("R", one.before, new), migrations, repository, commit, root)
        side: Literal["up", "down"] = "down" if ".down." in one.before else "up"
        return Edited("deleted", migrations.root, 1, one.before, tool, side)
    side = files[one.path]
    if one.state == "R" and not _was_migration(one.before, migrations, files):
        return None  # It became a migration only now.
    if one.state == "R" and _name(one.before, tool) != _name(one.path, tool):
        return Edited("renamed", one.path, 1, one.before, tool, side)
    before = repository.content(commit, one.before)
    try:
        now = (root / one.path).read_bytes()
    except OSError:
        return None  # That is a finding already.
    if before is None or _is_same(before, now, tool, one.path):
        return None
    return Edited("changed", one.path, _first_difference(before, now), one.before, tool, side)


def _replaces(path: str, one: Moved, tool: str, repository: Repository, commit: str) -> bool:
    """Return whether a file that is new is to its tool what a file that is gone was."""
    name = _name(path, tool)
    is_same = path != one.before and name != "" and name == _name(one.before, tool)
    return is_same and repository.content(commit, path) is None


def _files(migrations: MigrationSet) -> Iterator[tuple[str, Literal["up", "down"]]]:
    """Yield the files that run once, each with its direction; one that holds both is an up."""
    for one in migrations.migrations:
        if one.role in {"versioned", "baseline"}:
            yield from ((part.path, "down") for part in one.down)
    for one in migrations.migrations:
        if one.role in {"versioned", "baseline"}:
            yield from ((part.path, "up") for part in one.up)


def _was_migration(
    path: str, migrations: MigrationSet, files: dict[str, Literal["up", "down"]]
) -> bool:
    """Return whether a path that is no more looks like one of a set's."""
    inside = migrations.root in {"", "."} or path.startswith(f"{migrations.root}/")
    suffix = Path(path).suffix
    if not inside or not any(one.endswith(suffix) for one in files):
        return False
    depth = path.count("/")
    if not any(one.count("/") == depth for one in files):
        return False
    name = path.rpartition("/")[2]
    folder = path.split("/")[-2] if "/" in path else ""
    if migrations.series in {"graph", "named"}:
        siblings = {one.rpartition("/")[0] for one in files}
        return path.rpartition("/")[0] in siblings and not name.startswith("__")
    return _NUMBERED.match(name) is not None or _NUMBERED.match(folder) is not None


def _name(path: str, tool: str) -> str:
    """Return what a tool knows a migration by, as far as its path says it."""
    if tool in BY_CONTENT:
        return ""
    folder, _, name = path.rpartition("/")
    below = folder.rpartition("/")[2]
    # Where each migration has a folder of its own, that bears the name.
    whole = name if _NUMBERED.match(name) or not _NUMBERED.match(below) else f"{below}/{name}"
    if tool in BY_NUMBER and (number := _NUMBERED.match(whole)):
        return f"{number[1].strip('._')} {'.down.' in name or name == 'down.sql'}"
    return whole


def _is_same(before: bytes, now: bytes, tool: str, path: str) -> bool:
    if _LINE_END.split(before) == _LINE_END.split(now):
        return True
    if tool in CHECKED:
        return False
    from dal_audit.extract.migrations.normalised_text import essence_of

    is_python = path.endswith(".py")
    return essence_of(before, is_python=is_python) == essence_of(now, is_python=is_python)


def _first_difference(before: bytes, now: bytes) -> int:
    """Return the first line of the present file that differs, its last where it lost its end."""
    old, new = _LINE_END.split(before), _LINE_END.split(now)
    for row, (one, other) in enumerate(zip(old, new, strict=False), 1):
        if one != other:
            return row
    return min(len(old) + 1, len(new)) or 1
