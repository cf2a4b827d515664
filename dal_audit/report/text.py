"""The report for people: each finding with its source, its cure, and a verdict a clause."""

from __future__ import annotations

from collections.abc import Iterator

from dal_audit.report.model import MANY, Report
from dal_audit.report.suggestions import fixable
from dal_audit.report.summary import TESTED, ClauseVerdict, counts, not_audited, plural, verdicts
from dal_audit.report.terminal import PLAIN, Paint, TerminalStyle, safe


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
    lines = [*_head(report, paint)] if len(report.open) >= MANY else []
    if shown:
        # A clean run has nothing to draw.
        from dal_audit.report.diagnostic import DiagnosticRenderer

        drawn = DiagnosticRenderer(report, paint, show_all=show_all)
        lines += drawn.findings(shown)
    return "\n".join([*lines, *_summary(report, paint)]) + "\n"


def _head(report: Report, paint: Paint) -> Iterator[str]:
    """Yield what is to be known before many findings."""
    from dal_audit.report.overview import overview

    yield from _counted(report, paint)
    yield ""
    yield from _assumed(report, paint)
    yield from overview(report, paint)
    yield ""


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
    yield from _assumed(report, paint)
    yield from _counted(report, paint)
    yield ""
    yield from _verdict_lines(report, paint)
    names = list(dict.fromkeys(finding.rule.name for finding in report.open))
    if names:
        yield ""
        shown = " ".join(names[:3]) + (" ..." if len(names) > 3 else "")  # noqa: PLR2004
        yield f"Why, and how to fix it: dal-audit explain {shown}"


def _assumed(report: Report, paint: Paint) -> Iterator[str]:
    for assumption in report.assumptions:
        yield f"{paint('assumed', 'faint')} {safe(assumption)}"
    for note in report.notes:
        yield f"{paint('note', 'warning')} {safe(note)}"
    if report.assumptions or report.notes:
        yield ""


def _counted(report: Report, paint: Paint) -> Iterator[str]:
    yield paint(counts(report), "strong")
    if can := fixable(report):
        yield can


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
