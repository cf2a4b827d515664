"""What stands above many findings: which rules have the most, and what one change would mend."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from msgspec import Struct

from dal_audit.facts import Place
from dal_audit.report.model import Report
from dal_audit.report.paths import shown_path
from dal_audit.report.statistics import statistics
from dal_audit.report.summary import plural
from dal_audit.report.terminal import Paint, safe

SHOWN: Final = 5
"""Rules, and origins, that are named."""

_WORTH: Final = 3
"""Findings from which it is worth saying that one change would mend them."""


class Mend(Struct, frozen=True):
    """What is mended where an origin is: how many findings, in how many files."""

    name: str
    place: Place
    findings: int
    files: int


def mends(report: Report) -> list[Mend]:
    """Return what each origin comes to that several open findings have, the most findings first."""
    files: dict[tuple[str, Place], list[str]] = {}
    for finding in report.open:
        if finding.origin is not None:
            own = (finding.origin.name, finding.origin.place)
            files.setdefault(own, []).append(finding.place.path)
    found = [
        Mend(name, place, len(paths), len(set(paths)))
        for (name, place), paths in files.items()
        if len(paths) >= _WORTH
    ]
    return sorted(found, key=lambda mend: (-mend.findings, mend.name, mend.place))


def overview(report: Report, paint: Paint) -> Iterator[str]:
    """Yield the rules with the most findings, and the origins whose change would mend the most."""
    rows = statistics(report)
    yield paint("Most findings", "strong")
    told = [
        (plural(row.count, "finding"), row.rule.name, f"in {plural(row.files, 'file')}")
        for row in rows[:SHOWN]
    ]
    yield from _table(told, paint.look.columns)
    if len(rows) > SHOWN:
        yield f"  and {plural(len(rows) - SHOWN, 'more rule')}: dal-audit --statistics"
    found = mends(report)
    if found:
        yield ""
        yield paint("What one change would mend", "strong")
        yield from _table([_told(mend, report) for mend in found[:SHOWN]], paint.look.columns)
    if len(found) > SHOWN:
        yield f"  and {plural(len(found) - SHOWN, 'more place')} that several findings come from"


def _told(mend: Mend, report: Report) -> tuple[str, ...]:
    where = f"{shown_path(mend.place.path, report)}:{mend.place.span.line}"
    return plural(mend.findings, "finding"), safe(mend.name), plural(mend.files, "file"), where


def _table(rows: Sequence[tuple[str, ...]], columns: int) -> Iterator[str]:
    """Yield rows of which all cells but the last are aligned.

    The last ones stand below where a terminal is not that wide; they are places, and not cut.
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    is_wide = not columns or sum(widths) + 2 * len(widths) <= columns
    for first, *rest in rows:
        cells = [f"{cell:<{width}}" for cell, width in zip(rest, widths[1:], strict=True)]
        if is_wide:
            yield f"  {first:>{widths[0]}}  {'  '.join(cells)}".rstrip()
        else:
            yield f"  {first:>{widths[0]}}  {rest[0]}"
            yield f"{'':<{widths[0] + 4}}{'  '.join(rest[1:])}"
