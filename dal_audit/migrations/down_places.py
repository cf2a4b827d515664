"""Where a tool looks for the down of a migration that has none, and how one is written there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from msgspec import Struct

from dal_audit.migrations.model import Migration
from dal_audit.migrations.names import ENDING
from dal_audit.migrations.tools import FLYWAY, LIQUIBASE, SQITCH, SQLALCHEMY_MIGRATE, MigrationTool

_SIDES: Final = (".up", "_up", "-up")
_OF_FOLDERS: Final = frozenset({"up.sql", "migration.sql"})


class DownPlace(Struct, frozen=True):
    """Where a down goes: a file, and the line in it after which it stands.

    `after` is 0 for a file that is not there yet; `mark` is the line that begins it, empty where it
    has begun already, or where a file needs none.
    """

    path: str
    after: int = 0
    mark: str = ""


def place_before(line: int, lines: Sequence[str], within: tuple[int, int] | None) -> int:
    """Return the line after which stands what goes before a statement: above its comments.

    `within` are the first and the last line of the down, None for a whole file.
    """
    first = within[0] if within is not None else 1
    while line > first and lines[line - 2].lstrip().startswith("--"):
        line -= 1
    return line - 1


def down_place(migration: Migration, tool: MigrationTool, lines: Sequence[str]) -> DownPlace:
    """Return where the down of a migration goes; `lines` are those of its down's file, or up's.

    A down that is there, and does nothing, is gone on with.
    """
    if migration.down:
        part = migration.down[-1]
        return DownPlace(part.path, _last(lines, part.lines))
    if not tool.down_mark:
        return DownPlace(_down_path(migration.path, tool))
    part = migration.up[-1]
    span = part.lines if tool is LIQUIBASE else None
    mark = "" if tool is LIQUIBASE else tool.down_mark
    return DownPlace(part.path, _last(lines, span), mark)


def _last(lines: Sequence[str], within: tuple[int, int] | None) -> int:
    """Return the last line of some that says anything, 1-based; those of a whole file by None."""
    first, last = within or (1, len(lines))
    said = (number for number in range(last, first - 1, -1) if lines[number - 1].strip())
    return next(said, first - 1)


def _down_path(up: str, tool: MigrationTool) -> str:
    """Return the path of a down in a file of its own."""
    folder, slash, name = up.rpartition("/")
    if name in _OF_FOLDERS:
        return f"{folder}{slash}down.sql"
    if tool is SQITCH:
        before, _, after = up.rpartition("deploy/")
        return f"{before}revert/{after}"
    return f"{folder}{slash}{_down_name(name, tool)}"


def _down_name(name: str, tool: MigrationTool) -> str:
    if tool is FLYWAY:
        return f"U{name[1:]}"
    if tool is SQLALCHEMY_MIGRATE:
        return name.replace("_upgrade.", "_downgrade.")
    ending = ENDING.search(name)
    stem = name[: ending.start()] if ending else name
    rest = name[len(stem) :]
    for side in _SIDES:
        if stem.lower().endswith(side):
            return f"{stem[: -len(side)]}{side[0]}{tool.down_word}{rest}"
    return f"{stem}.{tool.down_word}{rest}"


def down_text(lines: Iterable[tuple[str, bool]], tool: MigrationTool) -> str:
    """Return a down as its tool reads it; of each line it is told whether that is a statement."""
    found = [line for text, is_run in lines for line in _written(text, tool, is_run=is_run)]
    return "".join(f"{line}\n" for line in found)


def _written(text: str, tool: MigrationTool, *, is_run: bool) -> Iterator[str]:
    if not is_run:
        yield f"-- {text}"
    elif tool is LIQUIBASE:
        yield from (f"{tool.down_mark} {line}" for line in f"{text};".splitlines())
    elif tool.block_marks is not None and ";" in text:
        yield tool.block_marks[0]
        yield f"{text};"
        yield tool.block_marks[1]
    else:
        yield f"{text};"
