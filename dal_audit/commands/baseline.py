"""Adoption: `dal-audit baseline` writes the findings of today down, so that only new ones count."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from dal_audit.audit import audit_project
from dal_audit.catalogue.rulebook import known_rules
from dal_audit.discover.errors import UsageError
from dal_audit.discover.files import path_filter
from dal_audit.discover.projects import plan_audit
from dal_audit.policy.request import BASELINE, Request
from dal_audit.report.summary import plural
from dal_audit.triage.baseline_file import Change, write_baseline

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dal_audit.discover.projects import ProjectScope
    from dal_audit.judge.breach import Finding
    from dal_audit.triage.baseline import Key

REASONS: Final[Mapping[str, str]] = {
    "unreadable-file": "What is not read could hold anything.",
    "nothing-audited": "An audit of nothing proves nothing.",
    "expired-waiver": "A waiver ends on its date.",
}
"""Why no baseline holds the findings of some rules; a test holds it against these."""


def write_baselines(request: Request, *, grow: bool) -> list[Change]:
    """Write the baseline of each project that is asked for.

    Raises what `audit` raises, BaselineError for one that is faulty, OSError for one that cannot be
    written, and UsageError where several projects would share one.
    """
    plans = plan_audit(
        request.paths, request.folder, request.config, known_rules(), baseline_expected=False
    )
    if request.baseline is not None and len(plans.scopes) > 1:
        raise UsageError("error: --baseline is for one project, and PATHS hold several")
    return [_write(scope, request, grow=grow) for scope in plans.scopes]


def _write(scope: ProjectScope, request: Request, *, grow: bool) -> Change:
    policy = scope.policy
    if request.baseline is not None:
        file = request.folder / request.baseline
    else:
        file = policy.root / (policy.baseline or BASELINE)
    part = audit_project(scope, replace(request, accept=False))
    in_force = {rule.id for rule in part.rules}
    known = {rule_id for rule_id, _ in known_rules()}
    is_asked = path_filter(scope.requested)

    def judged(key: Key) -> bool:
        runs = key.rule in in_force or key.rule not in known
        return runs and is_asked(key.path)

    return write_baseline(part.findings, file, policy.root, part.secrets, judged=judged, grow=grow)


def describe(change: Change) -> Iterator[str]:
    """Yield what was done to a baseline, and what keeps an audit from being green all the same."""
    text = f"{change.file}: {plural(change.now, 'finding')} accepted"
    if change.before:
        text += f", {change.before} before"
    if change.new:
        text += f"; {plural(change.new, 'new finding')} left out (`--grow` accepts new ones, too)"
    yield text
    if change.refused:
        count = plural(len(change.refused), "finding")
        yield f"{count} cannot be accepted, and the audit fails for as long as there are any:"
    for finding in change.refused:
        place = finding.place
        yield f"  {place.path}:{place.span.line}: {finding.rule.name}: {finding.breach.message}"
        yield f"    {REASONS[finding.rule.name]} {way_out(finding)}"


def way_out(finding: Finding) -> str:
    """Return what to do about a finding that no baseline may hold."""
    if finding.rule.name != "unreadable-file" or finding.breach.remedy:
        return finding.remedy
    path = json.dumps(finding.place.path, ensure_ascii=False)
    return f"Mend the file, or leave it out: `exclude = [{path}]`."
