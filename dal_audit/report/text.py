"""The report for people: each finding with its source, its cure, and a verdict a clause."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from dal_audit.report.model import Report
from dal_audit.report.suggestions import fixable
from dal_audit.report.summary import TESTED, ClauseVerdict, counts, not_audited, plural, verdicts
from dal_audit.report.terminal import PLAIN, Paint, TerminalStyle, safe

MANY: Final = 50
"""Findings from which the report says how to have an overview."""


def render_text(
    report: Report,
    *,
    look: TerminalStyle = PLAIN,
    show_suppressed: bool = False,
    show_all: bool = False,
) -> str:
    """Return the whole report."""
    paint = Paint(look)
    shown = [
        finding for finding in report.findings if finding.standing == "open" or show_suppressed
    ]
    lines: list[str] = []
    if shown:
        from dal_audit.report.diagnostic import (
            DiagnosticRenderer,
        )  # a clean run has nothing to draw

        drawn = DiagnosticRenderer(report, paint, show_all=show_all)
        lines = list(drawn.findings(shown))
    return "\n".join([*lines, *_summary(report, paint)]) + "\n"


def _said(said: ClauseVerdict, paint: Paint) -> str:
    """Return a verdict with what counts against it, or with why it is not a whole one."""
    word = paint(
        said.verdict.upper(),
        "error" if said.against else "warning" if said.verdict == "baselined" else "good",
    )
    if said.against:
        return f"{word}  {plural(said.against, 'finding')}"
    return f"{word}  {paint(safe(said.reason), 'faint')}" if said.reason else word


def _summary(report: Report, paint: Paint) -> Iterator[str]:
    """Yield what the audit comes to."""
    for assumption in report.assumptions:
        yield f"{paint('assumed', 'faint')} {safe(assumption)}"
    if report.assumptions:
        yield ""
    yield paint(counts(report), "strong")
    if can := fixable(report):
        yield can
    yield ""
    yield from _verdict_lines(report, paint)
    names = list(dict.fromkeys(finding.rule.name for finding in report.open))
    if names:
        yield ""
        shown = " ".join(names[:3]) + (" ..." if len(names) > 3 else "")  # noqa: PLR2004
        yield f"Why, and how to fix it: dal-audit explain {shown}"
    if len(report.open) >= MANY:
        yield "How many of which rule: dal-audit --statistics"


def _verdict_lines(report: Report, paint: Paint) -> Iterator[str]:
    """Yield a line for each clause that was audited, and one for all others."""
    longest = max((len(clause.id) for clause in report.clauses), default=0)
    titles = max((len(clause.title) for clause in report.clauses), default=0)
    found = list(verdicts(report))
    for said in found:
        if said.verdict != "not audited":
            name = f"{said.clause.id:<{longest}}  {said.clause.title:<{titles}}"
            yield f"{name}  {_said(said, paint)}"
        if said.clause.id == TESTED:
            for backend, by, _ in report.tested or ():
                yield f"{'':<{longest}}  {safe(backend)}: {safe(by)}"
    if report.limited:
        yield paint("These verdicts are for the given paths only.", "faint")
    yield from (paint(safe(line), "faint") for line in not_audited(found))
