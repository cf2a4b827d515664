"""Report: findings as text for people and as data for tools; pure functions, one a format."""

from __future__ import annotations

from dal_audit.catalogue.rulebook import Severity
from dal_audit.report.formats import FORMATS, Format
from dal_audit.report.model import Report, fails
from dal_audit.report.terminal import PLAIN, TerminalStyle

__all__ = ["FORMATS", "Format", "Report", "TerminalStyle", "exit_code", "render"]


def render(
    report: Report,
    form: Format,
    *,
    look: TerminalStyle = PLAIN,
    show_suppressed: bool = False,
    show_all: bool = False,
    fail_on: Severity = "info",
) -> str:
    """Return a report in a format.

    `fail_on` is the least severity that fails an audit; the exit code and the formats that tell
    failures from remarks decide by it alike.
    """
    # Each format is imported when it is asked for: a hook pays for one.
    match form:
        case "text":
            from dal_audit.report.text import render_text

            return render_text(
                report, look=look, show_suppressed=show_suppressed, show_all=show_all
            )
        case "concise":
            from dal_audit.report.concise import render_concise

            return render_concise(report, look=look, show_suppressed=show_suppressed)
        case "json":
            from dal_audit.report.json_report import render_json

            return render_json(report)
        case "sarif":
            from dal_audit.report.sarif import render_sarif

            return render_sarif(report, suppressed=show_suppressed)
        case "github":
            from dal_audit.report.github import render_github

            return render_github(report)
        case "gitlab":
            from dal_audit.report.gitlab import render_gitlab

            return render_gitlab(report)
        case "junit":
            from dal_audit.report.junit import render_junit

            return render_junit(report, show_suppressed=show_suppressed, fail_on=fail_on)
        case "rdjson":
            from dal_audit.report.rdjson import render_rdjson

            return render_rdjson(report)
        case "markdown":
            from dal_audit.report.markdown import render_markdown

            return render_markdown(report, show_suppressed=show_suppressed)
        case "html":
            from dal_audit.report.html import render_html

            return render_html(report, show_suppressed=show_suppressed)


def exit_code(report: Report, *, fail_on: Severity = "info") -> int:
    """Return 1 where an open finding is at or above a severity, else 0, for every format."""
    return int(any(fails(finding, fail_on) for finding in report.findings))
