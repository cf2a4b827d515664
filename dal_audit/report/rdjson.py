"""rdjson for reviewdog, which comments on the lines that a change touches.

Source: `proto/rdf/reviewdog.proto` of reviewdog/reviewdog.
"""

from __future__ import annotations

from typing import Final

from dal_audit.catalogue.rulebook import Severity
from dal_audit.facts import Place
from dal_audit.judge.breach import Finding
from dal_audit.report.json_report import Object, json_text
from dal_audit.report.links import HOME, document_of
from dal_audit.report.model import Report
from dal_audit.report.source_lines import Quoted
from dal_audit.report.suggestions import suggestions

RELATED_LIMIT: Final = 10
"""reviewdog quotes the source of each related place in its comment."""

_SEVERITIES: Final[dict[Severity, str]] = {
    "error": "ERROR",
    "warning": "WARNING",
    "info": "INFO",
    "off": "INFO",
}


def render_rdjson(report: Report) -> str:
    """Return the open findings as a `DiagnosticResult`.

    Unlike all other formats it counts columns in bytes of UTF-8; a place whose source is not at
    hand is given by its lines alone. Safe fixes are suggestions.
    """
    quoted = Quoted(report.sources)
    return json_text(
        {
            "source": {"name": "dal-audit", "url": HOME},
            "diagnostics": [_diagnostic(finding, quoted) for finding in report.open],
        }
    )


def _diagnostic(finding: Finding, quoted: Quoted) -> Object:
    breach = finding.breach
    diagnostic: Object = {
        "message": "\n".join(filter(None, [breach.message, finding.remedy])),
        "location": _location(breach.place, quoted),
        "severity": _SEVERITIES[finding.severity],
        "code": {"value": finding.rule.id, "url": document_of(finding.rule)},
    }
    if offered := suggestions(finding, quoted):
        diagnostic["suggestions"] = offered
    if breach.related:
        diagnostic["related_locations"] = [
            {"message": relation.message, "location": _location(relation.place, quoted)}
            for relation in breach.related[:RELATED_LIMIT]
        ]
    return diagnostic


def _location(place: Place, quoted: Quoted) -> Object:
    start: Object = {"line": place.span.line}
    end: Object = {"line": place.span.end_line}
    columns = quoted.utf8_columns(place)
    if columns is not None:
        start["column"], end["column"] = columns
    return {"path": place.path, "range": {"start": start, "end": end}}
