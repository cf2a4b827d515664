"""Code Quality for GitLab: the part of Code Climate's issues that GitLab reads.

Sources: GitLab's "Code Quality report format"; `app/validators/json_schemas/codeclimate.json` and
`lib/gitlab/ci/reports/codequality_reports.rb` of gitlab-org/gitlab, by which an issue that does not
fit is dropped without a word, and of two with one fingerprint the first.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from typing import Final

from dal_audit.catalogue.rulebook import Severity
from dal_audit.judge.breach import Finding
from dal_audit.report.json_report import Object, json_text
from dal_audit.report.model import Report
from dal_audit.report.source_lines import Quoted

_SEVERITIES: Final[dict[Severity, str]] = {
    "error": "major",
    "warning": "minor",
    "info": "info",
    "off": "info",
}


def render_gitlab(report: Report) -> str:
    """Return the open findings as a JSON array of issues.

    A fingerprint stays where code only moves within its file: GitLab compares those of two branches
    to tell what a merge request adds and what it mends.
    """
    quoted = Quoted(report.sources)
    seen: Counter[tuple[str, ...]] = Counter()
    issues = []
    for finding in report.open:
        key = _key(finding, quoted)
        seen[key] += 1
        issues.append(_issue(finding, _fingerprint(*key, str(seen[key]))))
    return json_text(issues)


def _issue(finding: Finding, fingerprint: str) -> Object:
    span = finding.place.span
    return {
        "type": "issue",
        "check_name": finding.rule.name,
        "description": f"{finding.rule.name}: {finding.breach.message}",
        "categories": ["Compatibility"],
        "severity": _SEVERITIES[finding.severity],
        "fingerprint": fingerprint,
        "location": {
            "path": finding.place.path,
            "lines": {"begin": span.line, "end": span.end_line},
        },
    }


def _key(finding: Finding, quoted: Quoted) -> tuple[str, ...]:
    """Return what makes a finding the same one after other lines of its file have changed."""
    line = quoted.line(finding.place.path, finding.place.span.line)
    message = finding.breach.message
    return finding.rule.id, finding.place.path, message, " ".join(line.split())


def _fingerprint(*parts: str) -> str:
    """Return 128 bits in hexadecimal, the length of the fingerprints in GitLab's examples."""
    joined = "\0".join(parts).encode("utf-8", "surrogatepass")
    return hashlib.sha256(joined).hexdigest()[:32]
