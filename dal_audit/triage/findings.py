"""The stage: every breach becomes a finding, and what accepts findings is judged in its turn."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence

from msgspec import Struct

from dal_audit.assemble.project import Project
from dal_audit.catalogue.rulebook import Rule
from dal_audit.discover.projects import relative_to
from dal_audit.judge.breach import Breach, EntryUse, Finding
from dal_audit.judge.run import judge_suppressions
from dal_audit.policy import Policy
from dal_audit.policy.request import BASELINE, Request
from dal_audit.triage.redaction import secrets_of
from dal_audit.triage.released_fixes import mark_released_fixes_unsafe
from dal_audit.triage.standing import Triage


class Triaged(Struct, frozen=True):
    """The findings of a project; `is_untouched` where no audited line changed since a revision."""

    findings: list[Finding]
    is_untouched: bool = False


def triage(
    project: Project,
    rules: Sequence[Rule],
    breaches: Iterable[tuple[Rule, Breach]],
    request: Request,
) -> Triaged:
    """Return all findings, none dropped but what lies outside the changed lines asked for.

    Raises BaselineError for a faulty baseline, HistoryError where git cannot tell what changed.
    """
    standing = Triage(project, rules, today=request.today)
    findings = [standing.finding(rule, breach) for rule, breach in breaches]
    waivers = [(None, use) for use in standing.waiver_uses()]
    late = judge_suppressions(project, rules, [*standing.uses(), *waivers])
    findings += [standing.finding(rule, breach) for rule, breach in late]
    findings = mark_released_fixes_unsafe(
        findings, project.sql_files.is_migration, project.policy.root
    )
    findings, stale = accepted(findings, project, rules, request)
    late = judge_suppressions(project, rules, [(None, use) for use in stale])
    findings += [standing.finding(rule, breach) for rule, breach in late]
    if request.since is None:
        return Triaged(findings)
    from dal_audit.triage.changed_lines import ChangedLines, paths_of

    audited = [file.path for file in project.files]
    asked = {*audited, *(path for finding in findings for path in paths_of(finding))}
    changed = ChangedLines(project.policy.root, request.since, asked)
    is_touched = changed.touch(audited)
    return Triaged(changed.kept(findings), not is_touched)


def triage_file(
    project: Project,
    rules: Sequence[Rule],
    breaches: Iterable[tuple[Rule, Breach]],
    path: str,
    request: Request,
) -> list[Finding]:
    """Return the findings in one file, given its breaches. Raises as `triage` does."""
    standing = Triage(project, rules, today=request.today)
    findings = [standing.finding(rule, breach) for rule, breach in breaches]
    uses = [(file, use) for file, use in standing.uses() if file.path == path]
    late = judge_suppressions(project, rules, uses)
    findings += [standing.finding(rule, breach) for rule, breach in late]
    return accepted(findings, project, rules, request)[0]


def expects_baseline(policy: Policy, request: Request) -> bool:
    """Return whether findings are held against a baseline."""
    usual = policy.root / (policy.baseline or BASELINE)
    is_expected = request.baseline or policy.baseline or os.path.lexists(usual)
    return request.accept and bool(is_expected)


def accepted(
    findings: list[Finding], project: Project, rules: Sequence[Rule], request: Request
) -> tuple[list[Finding], list[EntryUse]]:
    """Mark the findings that the project's baseline accepts; return its stale entries, too."""
    policy = project.policy
    usual = policy.root / (policy.baseline or BASELINE)
    if not expects_baseline(policy, request):
        return findings, []
    # Only where there is a baseline.
    from dal_audit.triage.baseline_file import apply_baseline, source_reader

    file = request.folder / request.baseline if request.baseline else usual
    unsaved = relative_to(policy.root, request.folder, request.instead)
    read = source_reader(policy.root, secrets_of(project), unsaved)
    return apply_baseline(findings, file, policy.root, rules, read)
