"""The concise report: one line a finding, which editors and grep understand."""

from __future__ import annotations

from dal_audit.report.model import Report
from dal_audit.report.paths import shown_path
from dal_audit.report.suggestions import fixable
from dal_audit.report.summary import counts
from dal_audit.report.terminal import PLAIN, Paint, TerminalStyle, safe


def render_concise(
    report: Report, *, look: TerminalStyle = PLAIN, show_suppressed: bool = False
) -> str:
    """Return `path:line:column: ID message`, the column in UTF-16 units, and a line that counts."""
    paint = Paint(look)
    lines = []
    for finding in report.findings:
        if finding.standing != "open" and not show_suppressed:
            continue
        span = finding.place.span
        path = paint(shown_path(finding.place.path, report), "strong")
        note = "" if finding.standing == "open" else f" [{finding.standing}]"
        lines.append(
            f"{path}:{span.line}:{span.column}: {paint(finding.rule.id, 'error')} "
            f"{safe(finding.breach.message)}{note}"
        )
    lines.append(" ".join(filter(None, (counts(report), fixable(report)))))
    return "\n".join(lines) + "\n"
