"""What is wrong with the numbers of a set: gaps, doubles, widths, and files without a number.

Nothing here is said of a set that is ordered by a graph (`dal_audit.migrations.ancestry`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from msgspec import Struct

from dal_audit.migrations.model import Migration, MigrationSet

_NUMBERED: Final = frozenset({"integers", "timestamps", "versions"})
_BY_PLAN: Final = frozenset({"drizzle", "sqitch"})
"""Tools that run what a plan lists, whatever its number."""

_RENUMBER: Final = "Give the younger one the next free number, as long as it was not released."
_FILL: Final = "Number on without a gap, or put a migration there that does nothing and says why."
_ALIKE: Final = "Write the number as the others are written, as long as it was not released."
_PLACE: Final = "Give it the name of a migration, or move it out of the folder."

_OTHERS: Final = frozenset({"alembic", "django", "liquibase", "sqitch"})
"""Tools beside whose migrations SQL files lie that these read, or that verify them."""


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
    doubles = {id(one) for group in found.duplicates() for one in group[1:]}
    for group in found.duplicates():
        for one in group[1:]:
            reason = f"has the number of `{group[0].title}`"
            yield Fault(one.path, reason, _RENUMBER, one, group[0])
    if found.series in _NUMBERED and found.tool not in _BY_PLAN and not found.shares_versions:
        numbered = [one for one in found.migrations if one.version and one.role != "hook"]
        odd = [*_fallen_out(found, numbered), *_widths(found, numbered)]
        yield from (one for one in odd if id(one.migration) not in doubles)
        if found.series == "integers":
            yield from _gaps(numbered)
    if found.tool not in _OTHERS:
        yield from _unnumbered(found)


def _gaps(numbered: Sequence[Migration]) -> Iterator[Fault]:
    """Yield each migration before which numbers are missing.

    What is meant for one backend fills a gap for all: the number is not lost. Where a set begins is
    its own affair: a history that was cut off begins where it was cut.
    """
    before: Migration | None = None
    for one in numbered:
        if one.stamped or one.number is None or one.role == "repeatable":
            continue
        if before is not None and before.number is not None and one.number - before.number > 1:
            first, last = before.number + 1, one.number - 1
            width = len(one.written) if one.written.startswith("0") else 0
            lost = f"{first:0{width}}"
            lost += f" to {last:0{width}}" if last > first else ""
            are = "are" if last > first else "is"
            yield Fault(one.path, f"comes after a gap: {lost} {are} missing", _FILL, one, before)
        before = one


def _fallen_out(found: MigrationSet, numbered: Sequence[Migration]) -> Iterator[Fault]:
    """Yield integers among points in time, and the other way round."""
    for one in numbered:
        if one.role != "versioned":
            continue
        if found.series == "timestamps" and not one.stamped:
            reason = "has a number where the others have a point in time"
            yield Fault(one.path, reason, _ALIKE, one)
        elif found.series == "integers" and one.stamped:
            reason = "has a point in time where the others have a number"
            yield Fault(one.path, reason, _ALIKE, one)


def _widths(found: MigrationSet, numbered: Sequence[Migration]) -> Iterator[Fault]:
    """Yield numbers that are written with other widths than most.

    A tool that goes by names runs `010` before `9`. Without leading zeros a number has the width
    that it has, and one that has outgrown its width cannot be written otherwise.
    """
    if found.series == "versions":
        return
    stamps = found.series == "timestamps"
    own = [
        one
        for one in numbered
        if one.stamped == stamps and one.number  # Only zeros: diesel's own first migration.
    ]
    widths = Counter(_digits(one) for one in own)
    if len(widths) < 2 or not (stamps or any(_is_padded(one) for one in own)):  # noqa: PLR2004
        return
    width = max(widths, key=lambda one: (widths[one], one))
    for one in own:
        digits = _digits(one)
        outgrown = digits > width and not _is_padded(one) and not stamps
        if digits != width and not outgrown:
            reason = f"has a number of {digits} digits, the others of {width}"
            yield Fault(one.path, reason, _ALIKE, one)


def _digits(one: Migration) -> int:
    """Return how many digits a number has, without the dashes of a date."""
    return sum(map(str.isdigit, one.written))


def _is_padded(one: Migration) -> bool:
    return len(one.written) > 1 and one.written.startswith("0")


def _unnumbered(found: MigrationSet) -> Iterator[Fault]:
    """Yield the SQL files that lie among the migrations and are none, and the other way round."""
    why = "is not listed in `meta/_journal.json`" if found.tool == "drizzle" else "has no number"
    if found.tool in {"flyway", "refinery"}:
        why = f"is not named as {found.tool} names migrations"
    for path in found.strays:
        yield Fault(path, f"{why}, so it has no place in the series", _PLACE)
    if found.series in _NUMBERED:
        for one in found.migrations:
            if not one.version and one.role == "versioned" and one.up:
                yield Fault(one.path, f"{why}, so it has no place in the series", _PLACE, one)
