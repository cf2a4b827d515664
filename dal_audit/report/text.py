"""The report for people: each finding with its source, its cure, and a verdict a clause."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Final

from msgspec import Struct

from dal_audit.report.excerpt import Excerpts, Mark
from dal_audit.report.fixes import described, fixable
from dal_audit.report.folding import folded
from dal_audit.report.links import document_of
from dal_audit.report.model import Report
from dal_audit.report.paths import shown_path
from dal_audit.report.quoting import Quoted
from dal_audit.report.summary import counts, plural, verdicts
from dal_audit.report.terminal import PLAIN, Look, Paint, Style, safe, wrapped
from dal_audit.rule import Finding, Related

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

MANY: Final = 50
"""Findings from which the report says how to have an overview."""


def render_text(report: Report, *, look: Look = PLAIN, show_suppressed: bool = False) -> str:
    """Return the whole report."""
    writer = _Writer(report, Paint(look))
    shown = [one for one in report.findings if one.standing == "open" or show_suppressed]
    lines = [line for group in folded(shown) for line in writer.group(group)]
    return "\n".join([*lines, *writer.summary()]) + "\n"


class _Writer:
    """Writes the parts of a report."""

    def __init__(self, report: Report, paint: Paint) -> None:
        self.report = report
        self.paint = paint
        self.quoted = Quoted(report.sources)

    def group(self, findings: Sequence[Finding]) -> Iterator[str]:
        """Yield one finding, or several that are alike, and an empty line."""
        first = findings[0]
        breach = first.breach
        style: Style = "info" if first.severity == "off" else first.severity
        yield from self.head(first, len(findings) - 1, style)
        shown = _shown(findings)
        gutter = len(str(max(one.place.span.line for one in shown.marks)))
        excerpts = Excerpts(self.quoted, self.paint, gutter, style)
        for path, here in _by_file(shown.marks):
            arrow = "-->" if path == breach.place.path else ":::"
            span = here[0].place.span
            where = f"{shown_path(path, self.report)}:{span.line}:{span.column}"
            yield f"{' ' * gutter}{self.paint(arrow, 'frame')} {where}"
            yield from excerpts.draw(here)
        for title, text in _notes(findings, shown):
            yield from self.note(title, text, gutter)
        yield ""

    def head(self, finding: Finding, more: int, style: Style) -> Iterator[str]:
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

    def note(self, title: str, text: str, gutter: int) -> Iterator[str]:
        """Yield a remark below the excerpts, wrapped where the terminal's width is known."""
        indent = gutter + 3 + len(title) + 2
        columns = self.paint.look.columns
        rows = wrapped(safe(text), max(columns - indent, 20) if columns else 0)
        head = f"{' ' * gutter} {self.paint('=', 'frame')} {self.paint(title, 'strong')}: "
        yield head + next(rows)
        yield from (" " * indent + row for row in rows)

    def summary(self) -> Iterator[str]:
        """Yield what the audit comes to."""
        report, paint = self.report, self.paint
        for assumption in report.assumptions:
            yield f"{paint('assumed', 'faint')} {safe(assumption)}"
        if report.assumptions:
            yield ""
        yield paint(counts(report), "strong")
        if can := fixable(report):
            yield can
        yield ""
        longest = max((len(clause.id) for clause in report.clauses), default=0)
        titles = max((len(clause.title) for clause in report.clauses), default=0)
        unseen = []
        for clause, verdict, against in verdicts(report):
            if verdict == "not audited":
                unseen.append(clause.id)
                continue
            word = paint(
                verdict.upper(),
                "error" if against else "warning" if verdict == "baselined" else "good",
            )
            count = f"  {plural(against, 'finding')}" if against else ""
            yield f"{clause.id:<{longest}}  {clause.title:<{titles}}  {word}{count}"
        if report.limited:
            yield paint("These verdicts are for the given paths only.", "faint")
        if unseen:
            left = f"{plural(len(unseen), 'clause')} not audited"
            yield paint(f"{left}: {', '.join(unseen)}", "faint")
        names = list(dict.fromkeys(one.rule.name for one in report.open))
        if names:
            yield ""
            shown = " ".join(names[:3]) + (" ..." if len(names) > 3 else "")  # noqa: PLR2004
            yield f"Why, and how to fix it: dal-audit explain {shown}"
        if len(report.open) >= MANY:
            yield "How many of which rule: dal-audit --statistics"


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
    is_alone = len(findings) == 1
    steps = first.related[: first.way][-STEPS_SHOWN:]
    number = f"{len(steps) + 1}. " if steps else ""
    marks = [
        Mark(one.place, f"{number}{one.breach.label if is_alone else _what(one)}", main=True)
        for one in findings[:ALIKE_SHOWN]
    ]
    marks += [Mark(one.place, f"{step}. {one.message}") for step, one in enumerate(steps, 1)]
    uses = _first_of_lines(
        one for finding in findings for one in finding.breach.related[first.way :]
    )
    # Findings alike share what is in other files; of uses, their own lines say enough.
    path = first.place.path
    worth = uses if is_alone else [one for one in uses if one.place.path != path]
    # Never all but one: that line would say no more than the source itself.
    worth = worth[: USES_SHOWN + (len(worth) == USES_SHOWN + 1)]
    marks += [Mark(one.place, one.message) for one in worth]
    alike = [Related(one.place, one.breach.message) for one in findings[ALIKE_SHOWN:]]
    return _Shown(marks, alike, [one for one in uses if one not in worth])


def _what(finding: Finding) -> str:
    """Return what a message says before it comes to what is the same for all findings alike."""
    return _SHARED.split(finding.breach.message, maxsplit=1)[0]


def _first_of_lines(related: Iterable[Related]) -> list[Related]:
    """Return the first place of each line."""
    first: dict[tuple[str, int], Related] = {}
    for one in related:
        first.setdefault((one.place.path, one.place.span.line), one)
    return list(first.values())


def _by_file(marks: Iterable[Mark]) -> Iterator[tuple[str, list[Mark]]]:
    """Yield marks file by file: the file of the first one, then the others in their order."""
    files: dict[str, list[Mark]] = {}
    for one in marks:
        files.setdefault(one.place.path, []).append(one)
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
    yield "help", finding.cure
    fixes = {one.breach.fix and described(one.breach.fix) for one in findings}
    if len(fixes) == 1 and (fix := fixes.pop()):
        yield "fix", fix


def _named(left: Sequence[Related], path: str) -> str:
    """Return the lines that are not shown; in other files than the finding's with their names."""
    ordered = sorted(left, key=lambda one: (one.place.path != path, one.place))
    shown = []
    for name, group in groupby(ordered[:NUMBERS_SHOWN], key=lambda one: one.place.path):
        numbers = ", ".join(str(one.place.span.line) for one in group)
        word = "line" if "," not in numbers else "lines"
        shown.append(f"{word} {numbers}" if name == path else f"{name}:{numbers}")
    more = f", and {len(left) - NUMBERS_SHOWN} more" if len(left) > NUMBERS_SHOWN else ""
    return f"on {'; '.join(shown)}{more}"
