"""The head of the report: what was audited, when, by what, and under which configuration."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from dal_audit.policy import Policy
from dal_audit.report.html.elements import coded, shown
from dal_audit.report.model import Report
from dal_audit.report.summary import counts


def heading(report: Report) -> Iterator[str]:
    """Yield the header: the project, the outcome, and a list of what it rests on."""
    names = ", ".join(scope.policy.root.name for scope in report.scopes)
    yield "<header>"
    yield f"<h1>{shown(names) + ' · ' if names else ''}dal-audit</h1>"
    yield f'<p class="outcome">{shown(counts(report))}</p>'
    yield "<dl>"
    for term, told in _rows(report):
        yield f"<div><dt>{term}</dt><dd>{told}</dd></div>"
    yield "</dl>"
    if report.assumptions:
        yield "<details><summary>What was assumed where nothing is configured</summary><ul>"
        yield from (f"<li>{coded(line)}</li>" for line in report.assumptions)
        yield "</ul></details>"
    yield "</header>"


def _rows(report: Report) -> Iterator[tuple[str, str]]:
    if report.date:
        yield "Date", f'<time datetime="{shown(report.date)}">{shown(report.date)}</time>'
    yield "Version", f"dal-audit {shown(report.version)}"
    for scope in report.scopes:
        policy = scope.policy
        if policy.file is None:
            yield "Configuration", "none"
        else:
            path = Path(os.path.relpath(policy.file, policy.root)).as_posix()
            yield "Configuration", f"<code>{shown(path)}</code>"
        yield "Backends", shown(", ".join(_versions(policy)))
        if policy.storage is not None:
            yield "Storage", ", ".join(f"<code>{shown(glob)}</code>" for glob in policy.storage)


def _versions(policy: Policy) -> Iterator[str]:
    """Yield each backend with its oldest version."""
    for backend in policy.backends:
        yield f"{backend} {'.'.join(map(str, policy.version_of(backend)))}"
