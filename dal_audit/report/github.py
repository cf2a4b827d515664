"""Workflow commands: GitHub shows them as annotations of a run and of a pull request's changes.

Sources: GitHub's "Workflow commands", for the limits `docs/problem-matchers.md` of actions/toolkit,
and for what a runner takes for a command `ActionCommand.cs` of actions/runner.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from dal_audit.catalogue.rulebook import Severity
from dal_audit.judge.breach import Finding
from dal_audit.report.model import Report
from dal_audit.report.summary import counts, plural
from dal_audit.report.terminal import visible

SHOWN: Final = 10
"""GitHub shows no more annotations of one kind in a step, and drops the others in silence."""

RELATED_SHOWN: Final = 5
"""Related places that an annotation names; a reader has only a few lines of it in view."""

_KINDS: Final[dict[Severity, str]] = {
    "error": "error",
    "warning": "warning",
    "info": "notice",
    "off": "notice",
}


def render_github(report: Report) -> str:
    """Return the open findings as annotations, as many as GitHub shows, and the others as a group.

    What is left out of the annotations is announced by one of its own: nobody takes ten for all.
    """
    annotated, others = _divided(report.open)
    lines = [_annotation(finding) for finding in annotated]
    if others:
        more = f"{plural(len(others), 'more finding')} in the log of this step"
        limit = f"GitHub shows {SHOWN} annotations of a kind. {counts(report)}"
        lines.append(f"::notice title={_property(f'dal-audit: {more}')}::{_data(limit)}")
        lines.append(f"::group::{_data(more.removesuffix(' in the log of this step'))}")
        lines.extend(_plain(other) for other in others)
        lines.append("::endgroup::")
    lines.append(_broken(counts(report)))
    return "\n".join(lines) + "\n"


def _divided(findings: Sequence[Finding]) -> tuple[list[Finding], list[Finding]]:
    """Return the findings that become annotations, most severe kind first, and the others."""
    by_kind: dict[str, list[Finding]] = {"error": [], "warning": [], "notice": []}
    for finding in findings:
        by_kind[_KINDS[finding.severity]].append(finding)
    # Where something is left out, one notice is the word about it.
    room = {
        "error": SHOWN,
        "warning": SHOWN,
        "notice": SHOWN - any(len(found) > SHOWN for found in by_kind.values()),
    }
    annotated = [finding for kind, found in by_kind.items() for finding in found[: room[kind]]]
    others = [finding for kind, found in by_kind.items() for finding in found[room[kind] :]]
    return annotated, others


def _annotation(finding: Finding) -> str:
    """Return a finding as one workflow command."""
    span = finding.place.span
    properties = {"file": visible(finding.place.path), "line": str(span.line)}
    if span.line == span.end_line:
        # The checks API takes columns only of a place on one line.
        properties |= {"col": str(span.column), "endColumn": str(span.end_column)}
    properties["endLine"] = str(span.end_line)
    properties["title"] = f"{finding.rule.name} ({finding.rule.id})"
    told = ",".join(f"{key}={_property(value)}" for key, value in properties.items())
    message = "\n".join([visible(finding.breach.message), *_remarks(finding)])
    return f"::{_KINDS[finding.severity]} {told}::{_data(message)}"


def _remarks(finding: Finding) -> list[str]:
    """Return what follows a finding's message, a line each."""
    related = finding.breach.related
    lines = [
        f"{visible(relation.place.path)}:{relation.place.span.line}: {visible(relation.message)}"
        for relation in related[:RELATED_SHOWN]
    ]
    if len(related) > RELATED_SHOWN:
        lines.append(f"and {plural(len(related) - RELATED_SHOWN, 'more place')}")
    if finding.breach.fails_on:
        lines.append(f"Fails on {', '.join(finding.breach.fails_on)}.")
    if finding.remedy:
        lines.append(f"Help: {visible(finding.remedy)}")
    return lines


def _plain(finding: Finding) -> str:
    """Return a finding as a line that is no command; it begins with no word of ours to choose."""
    span = finding.place.span
    where = f"{visible(finding.place.path)}:{span.line}:{span.column}"
    told = f"{finding.severity} {finding.rule.id} {where}: {visible(finding.breach.message)}"
    return _broken(told)


def _broken(line: str) -> str:
    """Return a line without a command of the old form, which a runner finds anywhere in a line."""
    return line.replace("##[", "#\\x23[")


def _data(text: str) -> str:
    """Return text as it stands after a command's second `::`."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    """Return text as the value of a command's property."""
    return _data(text).replace(":", "%3A").replace(",", "%2C")
