"""How many findings each rule has: the first thing to know of a project with thousands."""

from __future__ import annotations

from msgspec import Struct

from dal_audit.catalogue.rulebook import Rule, Severity
from dal_audit.judge.breach import Finding
from dal_audit.report.formats import Format
from dal_audit.report.json_report import Object, json_text
from dal_audit.report.model import Report
from dal_audit.report.summary import counts, plural
from dal_audit.report.terminal import PLAIN, Paint, TerminalStyle

_ORDER: tuple[Severity, ...] = ("error", "warning", "info", "off")


class Row(Struct, frozen=True):
    """A rule with its open findings: their number, their severities, in how many files they are."""

    rule: Rule
    count: int
    severities: tuple[Severity, ...]
    files: int


def statistics(report: Report) -> list[Row]:
    """Return a row a rule that has open findings, the most findings first."""
    by_rule: dict[str, list[Finding]] = {}
    for finding in report.open:
        by_rule.setdefault(finding.rule.id, []).append(finding)
    rows = [
        Row(
            found[0].rule,
            len(found),
            tuple(word for word in _ORDER if any(finding.severity == word for finding in found)),
            len({finding.place.path for finding in found}),
        )
        for found in by_rule.values()
    ]
    return sorted(rows, key=lambda row: (-row.count, row.rule.id))


def render_statistics(report: Report, form: Format, *, look: TerminalStyle = PLAIN) -> str:
    """Return a line a rule and a sum; in JSON `[{id, name, count, severities, files}]`."""
    if form == "json":
        return json_text([_record(row) for row in statistics(report)])
    paint = Paint(look)
    rows = statistics(report)
    width = max((len(str(row.count)) for row in rows), default=0)
    names = max((len(row.rule.name) for row in rows), default=0)
    lines = [
        f"{paint(f'{row.count:>{width}}', 'strong')}  "
        f"{paint(row.rule.id, 'info' if row.severities[0] == 'off' else row.severities[0])}  "
        f"{row.rule.name:<{names}}  {', '.join(row.severities)}, "
        f"in {plural(row.files, 'file')}"
        for row in rows
    ]
    if rows:
        lines.append("")
    return "\n".join([*lines, counts(report)]) + "\n"


def _record(row: Row) -> Object:
    return {
        "id": row.rule.id,
        "name": row.rule.name,
        "count": row.count,
        "severities": list(row.severities),
        "files": row.files,
    }
