"""Findings as an editor shows them: diagnostics with their ways, and where a way begins."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from lsprotocol import types

from dal_audit.catalogue.rulebook import Severity
from dal_audit.facts import Place, Span
from dal_audit.judge.breach import Finding
from dal_audit.report.links import document_of

SOURCE: Final = "dal-audit"

_SEVERITIES: Final[Mapping[Severity, types.DiagnosticSeverity]] = {
    "error": types.DiagnosticSeverity.Error,
    "warning": types.DiagnosticSeverity.Warning,
    "info": types.DiagnosticSeverity.Information,
    "off": types.DiagnosticSeverity.Hint,
}

_UNNECESSARY: Final = frozenset({"unused-suppression"})
"""The rules whose findings mark what can go: editors draw it pale."""


def open_by_file(findings: Iterable[Finding]) -> dict[str, list[Finding]]:
    """Return the open findings of a project by the paths of their files."""
    found: dict[str, list[Finding]] = {}
    for finding in findings:
        if finding.standing == "open":
            found.setdefault(finding.place.path, []).append(finding)
    return found


def diagnostic_of(finding: Finding, root: Path) -> types.Diagnostic:
    """Return what an editor shows of a finding."""
    breach, rule = finding.breach, finding.rule
    return types.Diagnostic(
        range=range_of(finding.place.span),
        message="\n".join(filter(None, (breach.message, finding.remedy))),
        severity=_SEVERITIES[finding.severity],
        code=rule.id,
        code_description=types.CodeDescription(href=document_of(rule)),
        source=SOURCE,
        tags=[types.DiagnosticTag.Unnecessary] if rule.name in _UNNECESSARY else None,
        related_information=[
            types.DiagnosticRelatedInformation(location_of(related.place, root), related.message)
            for related in breach.related
        ],
    )


def origin_of(finding: Finding, root: Path) -> types.Location | None:
    """Return what handed a driver's object on to here; None where no other file did."""
    return None if finding.origin is None else location_of(finding.origin.place, root)


def location_of(place: Place, root: Path) -> types.Location:
    """Return a place in a project as an editor knows it."""
    return types.Location((root / place.path).as_uri(), range_of(place.span))


def range_of(span: Span) -> types.Range:
    """Return a span as a range: both count UTF-16 units, a span from 1, a range from 0."""
    return types.Range(
        types.Position(span.line - 1, span.column - 1),
        types.Position(span.end_line - 1, span.end_column - 1),
    )


def covers(span: Span, at: types.Range) -> bool:
    """Return whether a span and a range have a place in common, be it an empty one."""
    own = range_of(span)
    starts_before = (own.start.line, own.start.character) <= (at.end.line, at.end.character)
    ends_after = (own.end.line, own.end.character) >= (at.start.line, at.start.character)
    return starts_before and ends_after
