"""The report for people: each finding with its source, its cure, and a verdict a clause."""

from __future__ import annotations

from collections.abc import Sequence

from dal_audit.facts import Place
from dal_audit.report.model import Report
from dal_audit.report.paths import shown_path
from dal_audit.report.summary import counts, plural, verdicts
from dal_audit.report.terminal import Paint, Style, expand, safe, utf16_index, width
from dal_audit.rule import Finding, Related

RELATED_SHOWN = 3
"""Related places that are shown with their source; the rest is counted."""

MAX_LINE = 160
"""Longer source lines are cut around what is marked."""

_ELLIPSIS = "..."


def render_text(report: Report, *, color: bool = False, show_suppressed: bool = False) -> str:
    """Return the whole report."""
    writer = _Writer(report, Paint(color=color))
    for finding in report.findings:
        if finding.standing == "open" or show_suppressed:
            writer.finding(finding)
    writer.summary()
    return "\n".join(writer.lines) + "\n"


class _Writer:
    def __init__(self, report: Report, paint: Paint) -> None:
        self.report = report
        self.paint = paint
        self.lines: list[str] = []
        self.texts: dict[str, Sequence[str]] = {}

    def finding(self, finding: Finding) -> None:
        """Write one finding."""
        breach = finding.breach
        style: Style = "info" if finding.severity == "off" else finding.severity
        head = f"{finding.severity}[{finding.rule.name}]"
        self.lines.append(
            f"{self.paint(head, style)}{self.paint(f': {safe(breach.message)}', 'strong')}"
        )
        places = [breach.place, *(one.place for one in _shown(breach.related))]
        gutter = len(str(max(place.span.line for place in places)))
        self.excerpt(breach.place, breach.label, "^", style, gutter)
        self.related(breach.place, breach.related, gutter)
        edge = " " * gutter + " " + self.paint("=", "frame")
        if finding.standing != "open":
            self.lines.append(
                f"{edge} {self.paint(finding.standing, 'strong')}: {safe(finding.justification)}"
            )
        if breach.fails_on:
            self.lines.append(
                f"{edge} {self.paint('fails on', 'strong')}: {', '.join(breach.fails_on)}"
            )
        self.lines.append(f"{edge} {self.paint('help', 'strong')}: {safe(finding.cure)}")
        self.lines.append("")

    def related(self, main: Place, related: Sequence[Related], gutter: int) -> None:
        """Write the places that hang on a finding: in one file, below its excerpt."""
        path = main.path
        shown = _shown(related)
        for one in shown:
            if one.place.path != path:
                path = one.place.path
                self.excerpt(one.place, one.message, "-", "info", gutter, arrow=":::")
            elif self.line(one.place) is not None:
                self.lines.append(self.paint("." * min(gutter, 3), "frame"))
                self.marked(one.place, one.message, "-", "info", gutter)
        lines = {(one.place.path, one.place.span.line) for one in related}
        if len(lines) > len(shown):
            more = plural(len(lines) - len(shown), "more line")
            self.lines.append(f"{' ' * gutter} {self.paint('=', 'frame')} and {more}")

    def excerpt(  # the parts of one picture
        self, place: Place, label: str, mark: str, style: Style, gutter: int, arrow: str = "-->"
    ) -> None:
        """Write where a place is, and its line of source with the place marked."""
        bar = " " * gutter + " " + self.paint("|", "frame")
        where = f"{shown_path(place.path, self.report)}:{place.span.line}:{place.span.column}"
        self.lines.append(f"{' ' * gutter}{self.paint(arrow, 'frame')} {where}")
        if self.line(place) is None:
            return
        self.lines.append(bar)
        self.marked(place, label, mark, style, gutter)

    def line(self, place: Place) -> str | None:
        """Return the line of source that a place begins on; None where there is none to show."""
        if place.path not in self.texts:
            data = self.report.sources.get(place.path, b"")
            text = data.decode("utf-8", "replace").removeprefix("\ufeff")
            self.texts[place.path] = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        lines = self.texts[place.path]
        line = lines[place.span.line - 1] if place.span.line <= len(lines) else ""
        return line if line.strip() else None

    def marked(self, place: Place, label: str, mark: str, style: Style, gutter: int) -> None:
        """Write a line of source and, below it, marks under the place."""
        line = self.line(place) or ""
        start = utf16_index(line, place.span.column)
        same_line = place.span.end_line == place.span.line
        end = utf16_index(line, place.span.end_column) if same_line else len(line.rstrip())
        line, start, end = _cut(line.rstrip(), start, end)
        before, inside = expand(line[:start]), expand(line[start:end])
        number = self.paint(f"{place.span.line:>{gutter}}", "frame")
        bar = self.paint("|", "frame")
        self.lines.append(f"{number} {bar} {expand(line)}")
        marks = mark * max(width(inside), 1) + (f" {safe(label)}" if label else "")
        self.lines.append(f"{' ' * gutter} {bar} {' ' * width(before)}{self.paint(marks, style)}")

    def summary(self) -> None:
        """Write what the audit comes to."""
        report = self.report
        for assumption in report.assumptions:
            self.lines.append(f"{self.paint('assumed', 'faint')} {safe(assumption)}")
        if report.assumptions:
            self.lines.append("")
        self.lines.append(self.paint(counts(report), "strong"))
        self.lines.append("")
        longest = max((len(clause.id) for clause in report.clauses), default=0)
        titles = max((len(clause.title) for clause in report.clauses), default=0)
        unseen = []
        for clause, verdict, against in verdicts(report):
            if verdict == "not audited":
                unseen.append(clause.id)
                continue
            word = self.paint(verdict.upper(), "error" if against else "good")
            count = f"  {plural(against, 'finding')}" if against else ""
            self.lines.append(f"{clause.id:<{longest}}  {clause.title:<{titles}}  {word}{count}")
        if report.limited:
            self.lines.append(self.paint("These verdicts are for the given paths only.", "faint"))
        if unseen:
            left = f"{plural(len(unseen), 'clause')} not audited"
            self.lines.append(self.paint(f"{left}: {', '.join(unseen)}", "faint"))
        names = list(dict.fromkeys(one.rule.name for one in report.open))
        if names:
            self.lines.append("")
            shown = " ".join(names[:3]) + (" ..." if len(names) > 3 else "")  # noqa: PLR2004
            self.lines.append(f"Why, and how to fix it: dal-audit explain {shown}")


def _shown(related: Sequence[Related]) -> list[Related]:
    """Return the related places to show: the first of each line, and never all but one."""
    first: dict[tuple[str, int], Related] = {}
    for one in related:
        first.setdefault((one.place.path, one.place.span.line), one)
    lines = list(first.values())
    return lines if len(lines) == RELATED_SHOWN + 1 else lines[:RELATED_SHOWN]


def _cut(line: str, start: int, end: int) -> tuple[str, int, int]:
    """Cut a long line around what is marked."""
    if len(line) <= MAX_LINE:
        return line, start, end
    begin = max(0, min(start - MAX_LINE // 4, len(line) - MAX_LINE))
    stop = begin + MAX_LINE
    head = _ELLIPSIS if begin else ""
    tail = _ELLIPSIS if stop < len(line) else ""
    shift = len(head) - begin
    return head + line[begin:stop] + tail, start + shift, min(end, stop) + shift
