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
from dal_audit.report.terminal import Paint, indented, safe

SHOWN: Final = 5
"""Rules, and origins, that are named."""

_INDENT: Final = "  "

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
        left = plural(len(rows) - SHOWN, "more rule")
        yield from _row(f"and {left}: dal-audit --statistics", paint.look.columns)
    found = mends(report)
    if found:
        yield ""
        yield paint("What one change would mend", "strong")
        yield from _table([_told(mend, report) for mend in found[:SHOWN]], paint.look.columns)
    if len(found) > SHOWN:
        left = plural(len(found) - SHOWN, "more place")
        yield from _row(f"and {left} that several findings come from", paint.look.columns)
    yield ""
    yield paint("Where to begin", "strong")
    steps = list(_steps(report))
    widest = max(len(command) for command, _ in steps)
    for command, what in steps:
        yield from _row(f"{command:<{widest}}  {what}", paint.look.columns)


def _steps(report: Report) -> Iterator[tuple[str, str]]:
    """Yield the commands that come next, with what each is for."""
    if any(scope.policy.file is None for scope in report.scopes):
        yield "dal-audit init", "write down what was assumed, to be set right"
    if not any(finding.standing == "baselined" for finding in report.accepted):
        yield "dal-audit baseline", "accept these findings, so that only new ones fail"
    (row, *_) = statistics(report)
    yield f"dal-audit explain {row.rule.name}", "why it matters, and how to fix it"


def _told(mend: Mend, report: Report) -> tuple[str, ...]:
    where = f"{shown_path(mend.place.path, report)}:{mend.place.span.line}"
    return plural(mend.findings, "finding"), safe(mend.name), plural(mend.files, "file"), where


def _row(text: str, columns: int) -> Iterator[str]:
    """Yield a sentence below a heading, wrapped."""
    rows = indented(text, max(columns - len(_INDENT), 0), _INDENT)
    return (f"{_INDENT}{row}" for row in rows)


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
