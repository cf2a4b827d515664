"""Triage: breaches become findings with a severity and a standing; none is dropped."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from dal_audit.facts import FileFacts, Suppression
from dal_audit.policy import Policy, Waiver, compile_globs, per_file_ignored, severity_of
from dal_audit.project import Project
from dal_audit.rule import Breach, Finding, SuppressionUse
from dal_audit.rulebook import Rule, find_rule


@dataclass(slots=True)
class _Watched:
    """A suppression, and the rules whose findings it has hidden so far."""

    file: FileFacts
    suppression: Suppression
    known: Mapping[str, str]
    hid: set[str] = field(default_factory=set)


class Triage:
    """Decides the standing of findings, and remembers which suppressions were of use."""

    def __init__(self, project: Project, rules: Iterable[Rule], *, today: datetime.date) -> None:
        """Read the suppressions of all files and the policy; `today` decides which waivers hold."""
        self.policy: Policy = project.policy
        self.in_force = frozenset(rule.id for rule in rules)
        self.ignored = per_file_ignored(self.policy)
        self.watched: dict[str, list[_Watched]] = {}
        for file in project.files:
            for fact in file.facts:
                if isinstance(fact, Suppression):
                    known = {
                        one.name: rule.id for one in fact.rules if (rule := find_rule(one.name))
                    }
                    self.watched.setdefault(file.path, []).append(_Watched(file, fact, known))
        self.waivers = [
            (waiver, compile_globs(waiver.paths, anchored=True))
            for waiver in self.policy.waivers
            if waiver.expires >= today
        ]

    def finding(self, rule: Rule, breach: Breach) -> Finding:
        """Return a breach as a finding."""
        severity = severity_of(self.policy, rule.id, breach.severity or rule.severity)
        finding = Finding(rule, severity, breach)
        if self.ignored(breach.place.path, rule.id):
            return replace(finding, standing="suppressed", justification="per-file-ignores")
        # A suppression cannot vouch for itself.
        if rule.name != "unused-suppression":
            reason = self._suppressed(rule, breach)
            if reason is not None:
                return replace(finding, standing="suppressed", justification=reason, in_source=True)
        for waiver, covers in self.waivers:
            if _names(waiver, rule) and covers(breach.place.path):
                reason = f"{waiver.id}: {waiver.reason}"
                return replace(finding, standing="waived", justification=reason)
        return finding

    def _suppressed(self, rule: Rule, breach: Breach) -> str | None:
        """Return the reason of the suppression that hides a breach; all that do are of use."""
        reason = None
        first, last = breach.lines
        for one in self.watched.get(breach.place.path, ()):
            line = one.suppression.line
            if one.suppression.flaw or rule.id not in one.known.values():
                continue
            if line is None or first <= line <= last:
                one.hid.add(rule.id)
                reason = reason or one.suppression.reason
        return reason

    def uses(self) -> list[tuple[FileFacts, SuppressionUse]]:
        """Return every suppression with what it has hidden, once all breaches were seen."""
        return [
            (
                one.file,
                SuppressionUse(
                    one.suppression,
                    tuple(one.known.items()),
                    self.in_force,
                    frozenset(one.hid),
                ),
            )
            for file in self.watched.values()
            for one in file
        ]


def _names(waiver: Waiver, rule: Rule) -> bool:
    return rule.id.startswith(waiver.rules)
