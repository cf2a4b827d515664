"""Triage: breaches become findings with a severity and a standing; none is dropped."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable, Mapping
from typing import Final

from msgspec import Struct, field
from msgspec.structs import replace

from dal_audit.assemble.project import Project
from dal_audit.catalogue.rulebook import Rule, find_rule, rules
from dal_audit.extract.quotations import starred
from dal_audit.facts import FileFacts, NotebookCell, Suppression
from dal_audit.judge.breach import Breach, Finding, SuppressionUse, WaiverUse
from dal_audit.policy import Policy, Waiver, compile_globs, per_file_ignored, severity_of
from dal_audit.triage.notebooks import in_cell
from dal_audit.triage.origins import origin_of
from dal_audit.triage.redaction import without_secrets_in

SAYS_NOTHING: Final = frozenset(
    {"fixme", "later", "n a", "na", "no reason", "none", "reason", "tbd", "todo", "xxx"}
)
"""What stands for a reason until there is one; punctuation left out."""

UNWAIVED: Final = frozenset({"expired-waiver"})
"""Rules that no waiver lifts: one cannot vouch for another."""


class _Watched(Struct):
    """A suppression, and the rules whose findings it has hidden so far."""

    file: FileFacts
    suppression: Suppression
    known: Mapping[str, str]
    hid: set[str] = field(default_factory=set)


class Triage:
    """Decides the standing of findings, and remembers which suppressions were of use."""

    def __init__(self, project: Project, rules: Iterable[Rule], *, today: datetime.date) -> None:
        """Read the suppressions of all files and the policy; `today` decides which waivers hold."""
        self.project = project
        self.policy: Policy = project.policy
        self.in_force = frozenset(rule.id for rule in rules)
        self.ignored = per_file_ignored(self.policy)
        self.suppressions: dict[str, list[_Watched]] = {}
        self.cells: dict[str, list[NotebookCell]] = {}
        for file in project.files:
            for fact in file.facts:
                if isinstance(fact, NotebookCell):
                    self.cells.setdefault(file.path, []).append(fact)
                if isinstance(fact, Suppression):
                    self._watch(file, fact, _known(fact))
        self._watch_ci(project)
        self.flaws = [waiver_problem(waiver, today) for waiver in self.policy.waivers]
        self.waivers = [
            (index, waiver, compile_globs(waiver.paths, anchored=True))
            for index, waiver in enumerate(self.policy.waivers)
            if not self.flaws[index]
        ]
        self.used_waivers: set[int] = set()

    def _watch(self, file: FileFacts, fact: Suppression, known: Mapping[str, str]) -> None:
        self.suppressions.setdefault(file.path, []).append(_Watched(file, fact, known))

    def _watch_ci(self, project: Project) -> None:
        """Read the suppressions of files that are read for CI alone, as tests that are left out.

        Nobody looks there for what other rules flag, so what is allowed of them is not judged.
        """
        audited = {file.path for file in project.files}
        for file in (*project.ci.files, *project.ci.suites):
            for fact in file.facts if file.path not in audited else ():
                known = _known(fact, language="ci") if isinstance(fact, Suppression) else {}
                if isinstance(fact, Suppression) and known:
                    self._watch(file, fact, known)

    def finding(self, rule: Rule, breach: Breach) -> Finding:
        """Return a breach as a finding."""
        breach = without_secrets_in(breach, is_program="ci" not in rule.languages)
        severity = severity_of(self.policy, rule.id, breach.severity or rule.severity)
        finding = Finding(
            rule,
            severity,
            in_cell(breach, self.cells.get(breach.place.path, ())),
            origin=origin_of(breach, self.project),
        )
        if self.ignored(breach.place.path, rule.id):
            return replace(finding, standing="suppressed", justification="per-file-ignores")
        # A suppression cannot vouch for itself.
        if rule.name != "unused-suppression":
            reason = self._suppressed(rule, breach)
            if reason is not None:
                said = starred(reason, is_program=True)
                return replace(finding, standing="suppressed", justification=said, in_source=True)
        waived = self._waived(rule, breach)
        return replace(finding, standing="waived", justification=waived) if waived else finding

    def _waived(self, rule: Rule, breach: Breach) -> str:
        """Return the first waiver that covers a breach; each that does was of use."""
        lifted = ""
        for index, waiver, covers in self.waivers:
            if rule.name not in UNWAIVED and _names(waiver, rule) and covers(breach.place.path):
                self.used_waivers.add(index)
                lifted = lifted or f"{waiver.id}: {starred(waiver.reason, is_program=True)}"
        return lifted

    def _suppressed(self, rule: Rule, breach: Breach) -> str | None:
        """Return the reason of the suppression that hides a breach; all that do are of use."""
        reason = None
        first, last = breach.lines
        for watched in self.suppressions.get(breach.place.path, ()):
            line = watched.suppression.line
            if watched.suppression.flaw or rule.id not in watched.known.values():
                continue
            if line is None or first <= line <= last:
                watched.hid.add(rule.id)
                reason = reason or watched.suppression.reason
        return reason

    def uses(self) -> list[tuple[FileFacts, SuppressionUse]]:
        """Return every suppression with what it has hidden, once all breaches were seen."""
        return [
            (
                watched.file,
                SuppressionUse(
                    watched.suppression,
                    tuple(watched.known.items()),
                    self.in_force,
                    frozenset(watched.hid),
                ),
            )
            for file in self.suppressions.values()
            for watched in file
        ]

    def waiver_uses(self) -> list[WaiverUse]:
        """Return every waiver with whether it holds and has lifted anything.

        Where a rule that it names does not run, it is not known to be idle.
        """
        return [
            WaiverUse(
                index,
                waiver,
                flaw,
                idle=not flaw
                and index not in self.used_waivers
                and all(
                    rule.id in self.in_force
                    for rule in rules()
                    if _names(waiver, rule)
                    and severity_of(self.policy, rule.id, rule.severity) != "off"
                ),
            )
            for index, (waiver, flaw) in enumerate(
                zip(self.policy.waivers, self.flaws, strict=True)
            )
        ]


def _known(fact: Suppression, language: str = "") -> dict[str, str]:
    """Return the ids of the rules that a suppression names, and that are about a language."""
    found = ((allowed.name, find_rule(allowed.name)) for allowed in fact.rules)
    return {
        name: rule.id
        for name, rule in found
        if rule is not None and (not language or language in rule.languages)
    }


def waiver_problem(waiver: Waiver, today: datetime.date) -> str:
    """Say why a waiver does not hold on a day; nothing where it does, its last day included."""
    if waiver.expires < today:
        return f"it expired on {waiver.expires}"
    if waiver.granted > today:
        return f"it is granted on {waiver.granted}, which is still to come"
    words = re.sub(r"[\W_]+", " ", waiver.reason).strip().casefold()
    if not words or words in SAYS_NOTHING:
        return f"its reason, `{waiver.reason}`, says nothing"
    return ""


def _names(waiver: Waiver, rule: Rule) -> bool:
    return rule.id.startswith(waiver.rules)
