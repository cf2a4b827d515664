"""What is wrong with the numbers of a set: gaps, doubles, widths, and files without a number.

Nothing here is said of a set that is ordered by a graph (`dal_audit.migrations.graph_flaws`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from itertools import pairwise
from typing import Final

from msgspec import Struct

from dal_audit.migrations.model import Migration, MigrationSet
from dal_audit.migrations.tools import TOOLS

_NUMBERED: Final = frozenset({"integers", "timestamps", "versions"})

_RENUMBER: Final = "Give the younger one the next free number, as long as it was not released."
_FILL: Final = "Number on without a gap, or put a migration there that does nothing and says why."
_ALIKE: Final = "Write the number as the others are written, as long as it was not released."
_PLACE: Final = "Give it the name of a migration, or move it out of the folder."


class Fault(Struct, frozen=True):
    """A migration, or a file that should be one, that has no place of its own in the order.

    `path` is the file that the fault is seen in; `reason` is a sentence's end after its name, and
    `cure` a sentence; `other` is the migration that it is at odds with.
    """

    path: str
    reason: str
    cure: str
    migration: Migration | None = None
    other: Migration | None = None


def faults_of_series(found: MigrationSet) -> Iterator[Fault]:
    """Yield the faults of a set's numbers, at most one for each file and kind."""
    tool = TOOLS[found.tool]
    doubles: set[int] = set()
    for first, *others in found.duplicates():
        doubles.update(map(id, others))
        for other in others:
            yield Fault(other.path, f"has the number of `{first.title}`", _RENUMBER, other, first)
    if found.series in _NUMBERED and not tool.plan and not found.shares_versions:
        numbered = _numbered(found)
        yield from _odd(found, numbered, doubles)
        if found.series == "integers":
            yield from _gaps(numbered)
    if not tool.has_scripts_beside:
        yield from _unnumbered(found)


def _numbered(found: MigrationSet) -> list[Migration]:
    """Return the migrations of a set that have a number, without hooks."""
    return [
        migration
        for migration in found.migrations
        if migration.version and migration.role != "hook"
    ]


def _odd(
    found: MigrationSet, numbered: Sequence[Migration], doubles: Collection[int]
) -> Iterator[Fault]:
    """Yield the numbers that are not like the others, without the doubles of another."""
    for fault in (*_fallen_out(found, numbered), *_widths(found, numbered)):
        if id(fault.migration) not in doubles:
            yield fault


def _gaps(numbered: Sequence[Migration]) -> Iterator[Fault]:
    """Yield each migration before which numbers are missing.

    What is meant for one backend fills a gap for all: the number is not lost. Where a set begins is
    its own affair: a history that was cut off begins where it was cut.
    """
    counted = [
        (migration, migration.number)
        for migration in numbered
        if migration.number is not None and not migration.stamped and migration.role != "repeatable"
    ]
    for (before, last), (migration, number) in pairwise(counted):
        if number - last > 1:
            reason = f"comes after a gap: {_missing(last + 1, number - 1, migration)} missing"
            yield Fault(migration.path, reason, _FILL, migration, before)


def _missing(first: int, last: int, migration: Migration) -> str:
    """Return missing numbers as a sentence begins with them, written as the next one is."""
    width = len(migration.written) if migration.written.startswith("0") else 0
    if last > first:
        return f"{first:0{width}} to {last:0{width}} are"
    return f"{first:0{width}} is"


def _fallen_out(found: MigrationSet, numbered: Sequence[Migration]) -> Iterator[Fault]:
    """Yield integers among points in time, and the other way round."""
    for migration in numbered:
        if migration.role != "versioned":
            continue
        if found.series == "timestamps" and not migration.stamped:
            reason = "has a number where the others have a point in time"
            yield Fault(migration.path, reason, _ALIKE, migration)
        elif found.series == "integers" and migration.stamped:
            reason = "has a point in time where the others have a number"
            yield Fault(migration.path, reason, _ALIKE, migration)


def _widths(found: MigrationSet, numbered: Sequence[Migration]) -> Iterator[Fault]:
    """Yield numbers that are written with other widths than most.

    A tool that goes by names runs `010` before `9`. Without leading zeros a number has the width
    that it has, and one that has outgrown its width cannot be written otherwise.
    """
    stamps = found.series == "timestamps"
    own = _of_kind(numbered, stamped=stamps)
    if found.series == "versions" or not (stamps or any(map(_is_padded, own))):
        return
    width = _usual_width(own)
    for migration in own:
        digits = _digits(migration)
        outgrown = digits > width and not _is_padded(migration) and not stamps
        if digits != width and not outgrown:
            reason = f"has a number of {digits} digits, the others of {width}"
            yield Fault(migration.path, reason, _ALIKE, migration)


def _of_kind(numbered: Sequence[Migration], *, stamped: bool) -> list[Migration]:
    """Return the points in time, or the numbers, but for those of zeros only.

    These are diesel's own first migration.
    """
    return [
        migration for migration in numbered if migration.stamped == stamped and migration.number
    ]


def _usual_width(numbered: Sequence[Migration]) -> int:
    """Return the width of most numbers, the largest of those that are as frequent."""
    widths = Counter(map(_digits, numbered))
    return max(widths, key=lambda digits: (widths[digits], digits), default=0)


def _digits(migration: Migration) -> int:
    """Return how many digits a number has, without the dashes of a date."""
    return sum(map(str.isdigit, migration.written))


def _is_padded(migration: Migration) -> bool:
    return len(migration.written) > 1 and migration.written.startswith("0")


def _unnumbered(found: MigrationSet) -> Iterator[Fault]:
    """Yield the SQL files that lie among the migrations and are none, and the other way round."""
    reason = f"{_why_unnumbered(found)}, so it has no place in the series"
    for path in found.strays:
        yield Fault(path, reason, _PLACE)
    if found.series in _NUMBERED:
        for migration in found.migrations:
            if not migration.version and migration.role == "versioned" and migration.up:
                yield Fault(migration.path, reason, _PLACE, migration)


def _why_unnumbered(found: MigrationSet) -> str:
    tool = TOOLS[found.tool]
    if tool.plan:
        return f"is not listed in `{tool.plan}`"
    return f"is not named as {tool.name} names migrations" if tool.prefixes else "has no number"
