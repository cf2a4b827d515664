"""The report for people: each finding with its source, its cure, and a verdict a clause."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from dal_audit.report.model import Report
from dal_audit.report.suggestions import fixable
from dal_audit.report.summary import TESTED, ClauseVerdict, counts, not_audited, plural, verdicts
from dal_audit.report.terminal import (
    LEAST,
    PLAIN,
    Paint,
    Style,
    TerminalStyle,
    indented,
    safe,
    width,
    wrapped,
)

SCREEN: Final = 40
"""Lines of findings above which a report begins with an overview: they fill more than a screen."""

ITEMS: Final = 5
"""Of a longer list of what was assumed, so many items are named, and how many more there are."""

_INDENT: Final = "    "
"""Before lines that go on with a sentence."""


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
        # A clean run has nothing to draw.
        from dal_audit.report.diagnostic import DiagnosticRenderer

        drawn = DiagnosticRenderer(report, paint, show_all=show_all)
        lines = "\n".join(drawn.findings(shown)).split("\n")
    assumed = list(_assumed(report, paint, show_all=show_all))
    head = _head(report, assumed, paint) if report.open and len(lines) > SCREEN else ()
    return "\n".join([*head, *lines, *_summary(report, assumed, paint)]) + "\n"


def _head(report: Report, assumed: Sequence[str], paint: Paint) -> Iterator[str]:
    """Yield what is to be known before many findings."""
    from dal_audit.report.overview import overview

    yield from _counted(report, paint)
    yield ""
    yield from assumed
    yield from overview(report, paint)
    yield ""


def _word(said: ClauseVerdict, paint: Paint) -> str:
    """Return the word of a verdict in its colour."""
    style: Style = "good"
    if said.against:
        style = "error"
    elif said.verdict == "baselined":
        style = "warning"
    return paint(said.verdict.upper(), style)


def _of_clause(said: ClauseVerdict, name: str, paint: Paint) -> Iterator[str]:
    """Yield a verdict behind its clause's name.

    What counts against it, or why it is not a whole one, stands below where there is no room.
    """
    columns, word = paint.look.columns, _word(said, paint)
    told = plural(said.against, "finding") if said.against else safe(said.reason)
    style: Style | None = None if said.against else "faint"
    shown = paint(told, style) if style else told
    behind = f"  {shown}" if told else ""
    if not columns or width(f"{name}  {said.verdict}  {told}".rstrip()) <= columns:
        yield f"{name}  {word}{behind}"
        return
    if width(f"{name}  {said.verdict}") > columns:
        yield from indented(" ".join(name.split()), columns, _INDENT)
        yield f"{_INDENT}{word}"
    else:
        yield f"{name}  {word}"
    for row in wrapped(told, max(columns - len(_INDENT), LEAST)) if told else ():
        yield _INDENT + (paint(row, style) if style else row)


def _summary(report: Report, assumed: Sequence[str], paint: Paint) -> Iterator[str]:
    """Yield what the audit comes to."""
    yield from assumed
    yield from _counted(report, paint)
    yield ""
    yield from _verdict_lines(report, paint)
    names = list(dict.fromkeys(finding.rule.name for finding in report.open))
    if names:
        yield ""
        shown = " ".join(names[:3]) + (" ..." if len(names) > 3 else "")  # noqa: PLR2004
        yield from indented(
            f"Why, and how to fix it: dal-audit explain {shown}", paint.look.columns, _INDENT
        )


def _assumed(report: Report, paint: Paint, *, show_all: bool) -> Iterator[str]:
    for assumption in report.assumptions:
        told = assumption if show_all else _shortened(assumption)
        yield from _headed("assumed", "faint", told, paint)
    for note in report.notes:
        yield from _headed("note", "warning", note, paint)
    if report.assumptions or report.notes:
        yield ""


def _shortened(assumption: str) -> str:
    """Return what was assumed; of a list that would fill the screen its beginning."""
    items = assumption.split(", ")
    left = len(items) - ITEMS
    if left < ITEMS:
        return assumption
    return f"{', '.join(items[:ITEMS])} and {left} more (`--show-all` names them)"


def _headed(head: str, style: Style, text: str, paint: Paint) -> Iterator[str]:
    """Yield a sentence behind a word that says what it is."""
    first, *rows = indented(f"{head} {safe(text)}", paint.look.columns, _INDENT)
    yield paint(head, style) + first.removeprefix(head)
    yield from rows


def _counted(report: Report, paint: Paint) -> Iterator[str]:
    for row in indented(counts(report), paint.look.columns, _INDENT):
        yield paint(row, "strong")
    if can := fixable(report):
        yield from indented(can, paint.look.columns, _INDENT)


def _verdict_lines(report: Report, paint: Paint) -> Iterator[str]:
    """Yield a line for each clause that was audited, and one for all others."""
    longest = max((len(clause.id) for clause in report.clauses), default=0)
    titles = max((len(clause.title) for clause in report.clauses), default=0)
    found = list(verdicts(report))
    for said in found:
        if said.verdict != "not audited":
            name = f"{said.clause.id:<{longest}}  {said.clause.title:<{titles}}"
            yield from _of_clause(said, name, paint)
        if said.clause.id == TESTED:
            for backend, by, _ in report.tested or ():
                rows = indented(
                    f"{safe(backend)}: {safe(by)}", max(paint.look.columns - longest, 0), "    "
                )
                yield from (f"{'':<{longest}}  {row}" for row in rows)
    if report.limited:
        yield paint("These verdicts are for the given paths only.", "faint")
    for line in not_audited(found):
        rows = indented(safe(line), paint.look.columns, _INDENT)
        yield from (paint(row, "faint") for row in rows)
