"""Report: findings as text for people and as data for tools; pure functions, one a format."""

from __future__ import annotations

from dal_audit.report.formats import FORMATS, Format
from dal_audit.report.model import Report

__all__ = ["FORMATS", "Format", "Report", "exit_code", "render"]


def render(
    report: Report, form: Format, *, color: bool = False, show_suppressed: bool = False
) -> str:
    """Return a report in a format."""
    # Each format is imported when it is asked for: a hook pays for one.
    if form == "text":
        from dal_audit.report.text import render_text

        return render_text(report, color=color, show_suppressed=show_suppressed)
    if form == "concise":
        from dal_audit.report.concise import render_concise

        return render_concise(report, color=color, show_suppressed=show_suppressed)
    if form == "json":
        from dal_audit.report.machine import render_json

        return render_json(report)
    from dal_audit.report.sarif import render_sarif

    return render_sarif(report, suppressed=show_suppressed)


def exit_code(report: Report, *, fail_on: str = "info") -> int:
    """Return 1 where an open finding is at or above a severity, else 0, for every format."""
    ranks = {"off": 0, "info": 1, "warning": 2, "error": 3}
    return int(any(ranks[one.severity] >= ranks[fail_on] for one in report.open))
