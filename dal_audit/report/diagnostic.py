"""Findings as people are shown them: what is wrong, the source with marks, and what to do."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Final

from msgspec import Struct

from dal_audit.judge.breach import Finding, Related
from dal_audit.report.grouping import folded
from dal_audit.report.links import document_of
from dal_audit.report.model import Report
from dal_audit.report.paths import shown_path
from dal_audit.report.snippet import Excerpts, Mark
from dal_audit.report.source_lines import Quoted
from dal_audit.report.suggestions import described
from dal_audit.report.terminal import Paint, Style, safe, wrapped

USES_SHOWN: Final = 3
"""Lines of uses that are shown with their source; the rest is named by its numbers."""

ALIKE_SHOWN: Final = 8
"""Lines of findings alike that are shown with their source."""

STEPS_SHOWN: Final = 8
"""Steps of a way that are shown."""

NUMBERS_SHOWN: Final = 12
"""Lines that are named by their numbers."""

_INDENT: Final = "    "

_SHARED: Final = re.compile("; |, and ")
"""Where a message comes to the boundary or to the reason."""


class DiagnosticRenderer:
    """Draws the findings of a report."""

    def __init__(self, report: Report, paint: Paint) -> None:
        """Keep what excerpts are taken from, and how they may look."""
        self.report = report
        self.paint = paint
        self.quoted = Quoted(report.sources)

    def findings(self, shown: Iterable[Finding]) -> Iterator[str]:
        """Yield the lines of findings; those that are alike are shown as one."""
        for group in folded(shown):
            yield from self.group(group)

    def group(self, findings: Sequence[Finding]) -> Iterator[str]:
        """Yield one finding, or several that are alike, and an empty line."""
        first = findings[0]
        breach = first.breach
        style: Style = "info" if first.severity == "off" else first.severity
        yield from self._headline(first, len(findings) - 1, style)
        shown = _shown(findings)
        gutter = len(str(max(mark.place.span.line for mark in shown.marks)))
        excerpts = Excerpts(self.quoted, self.paint, gutter, style)
        for path, here in _by_file(shown.marks):
            arrow = "-->" if path == breach.place.path else ":::"
            span = here[0].place.span
            where = f"{shown_path(path, self.report)}:{span.line}:{span.column}"
            yield f"{' ' * gutter}{self.paint(arrow, 'frame')} {where}"
            yield from excerpts.draw(here)
        for title, text in _notes(findings, shown):
            yield from self._note(title, text, gutter)
        yield ""

    def _headline(self, finding: Finding, more: int, style: Style) -> Iterator[str]:
        """Yield what is wrong, wrapped where the terminal's width is known."""
        name, paint = finding.rule.name, self.paint
        columns = paint.look.columns
        told = f"{finding.severity}[{name}]: {safe(finding.breach.message)}"
        rows = wrapped(told, max(columns - len(_INDENT), 20) if columns else 0)
        # The severity and the name are the beginning of the first row: there is no blank in them.
        first = next(rows).removeprefix(f"{finding.severity}[{name}]")
        linked = paint.link(name, document_of(finding.rule))
        lines = [
            f"{paint(f'{finding.severity}[{linked}]', style)}{paint(first, 'strong')}",
            *(_INDENT + paint(row, "strong") for row in rows),
        ]
        lines[-1] += f" (and {more} more in this file)" if more else ""
        yield from lines

    def _note(self, title: str, text: str, gutter: int) -> Iterator[str]:
        """Yield a remark below the excerpts, wrapped where the terminal's width is known."""
        indent = gutter + 3 + len(title) + 2
        columns = self.paint.look.columns
        rows = wrapped(safe(text), max(columns - indent, 20) if columns else 0)
        head = f"{' ' * gutter} {self.paint('=', 'frame')} {self.paint(title, 'strong')}: "
        yield head + next(rows)
        yield from (" " * indent + row for row in rows)


class _Shown(Struct, frozen=True):
    """What is shown of findings alike, and what is only named: one place a line."""

    marks: list[Mark]
    alike: list[Related]
    """Places of further findings."""
    uses: list[Related]
    """Further places where what is found is used."""


def _shown(findings: Sequence[Finding]) -> _Shown:
    """Choose what is shown; the steps of a way have numbers, and what they lead to has the last."""
    first = findings[0].breach
    steps = first.related[: first.flow_length][-STEPS_SHOWN:]
    marks = _main_marks(findings, f"{len(steps) + 1}. " if steps else "")
    marks += [
        Mark(relation.place, f"{step}. {relation.message}")
        for step, relation in enumerate(steps, 1)
    ]
    uses = _first_of_lines(
        relation for finding in findings for relation in finding.breach.related[first.flow_length :]
    )
    worth = _worth_showing(uses, findings)
    marks += [Mark(use.place, use.message) for use in worth]
    alike = [Related(finding.place, finding.breach.message) for finding in findings[ALIKE_SHOWN:]]
    return _Shown(marks, alike, [use for use in uses if use not in worth])


def _main_marks(findings: Sequence[Finding], number: str) -> list[Mark]:
    """Return the marks of what is found, each with the number behind those of the steps."""
    is_alone = len(findings) == 1
    return [
        Mark(
            finding.place,
            f"{number}{finding.breach.label if is_alone else _what(finding)}",
            main=True,
        )
        for finding in findings[:ALIKE_SHOWN]
    ]


def _worth_showing(uses: list[Related], findings: Sequence[Finding]) -> list[Related]:
    """Return the uses that are shown with their source."""
    # Findings alike share what is in other files; of uses, their own lines say enough.
    path = findings[0].place.path
    worth = uses if len(findings) == 1 else [use for use in uses if use.place.path != path]
    # Never all but one: that line would say no more than the source itself.
    return worth[: USES_SHOWN + (len(worth) == USES_SHOWN + 1)]


def _what(finding: Finding) -> str:
    """Return what a message says before it comes to what is the same for all findings alike."""
    return _SHARED.split(finding.breach.message, maxsplit=1)[0]


def _first_of_lines(related: Iterable[Related]) -> list[Related]:
    """Return the first place of each line."""
    first: dict[tuple[str, int], Related] = {}
    for relation in related:
        first.setdefault((relation.place.path, relation.place.span.line), relation)
    return list(first.values())


def _by_file(marks: Iterable[Mark]) -> Iterator[tuple[str, list[Mark]]]:
    """Yield marks file by file: the file of the first one, then the others in their order."""
    files: dict[str, list[Mark]] = {}
    for mark in marks:
        files.setdefault(mark.place.path, []).append(mark)
    yield from files.items()


def _notes(findings: Sequence[Finding], shown: _Shown) -> Iterator[tuple[str, str]]:
    """Yield the remarks on findings alike: a title and a text."""
    finding = findings[0]
    path = finding.place.path
    if shown.alike:
        yield "also", _named(shown.alike, path)
    if shown.uses:
        yield "used", _named(shown.uses, path)
    if finding.standing != "open":
        yield finding.standing, finding.justification
    if finding.breach.fails_on:
        yield "fails on", ", ".join(finding.breach.fails_on)
    yield "help", finding.remedy
    fixes = {finding.breach.fix and described(finding.breach.fix) for finding in findings}
    if len(fixes) == 1 and (fix := fixes.pop()):
        yield "fix", fix


def _named(left: Sequence[Related], path: str) -> str:
    """Return the lines that are not shown; in other files than the finding's with their names."""
    ordered = sorted(left, key=lambda relation: (relation.place.path != path, relation.place))
    shown = []
    for name, group in groupby(ordered[:NUMBERS_SHOWN], key=lambda relation: relation.place.path):
        numbers = ", ".join(str(relation.place.span.line) for relation in group)
        word = "line" if "," not in numbers else "lines"
        shown.append(f"{word} {numbers}" if name == path else f"{name}:{numbers}")
    more = f", and {len(left) - NUMBERS_SHOWN} more" if len(left) > NUMBERS_SHOWN else ""
    return f"on {'; '.join(shown)}{more}"
