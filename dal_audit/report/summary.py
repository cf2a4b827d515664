"""What an audit comes to: counts, and a verdict for each clause of the law."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, TypeAlias

from dal_audit.catalogue.rulebook import Clause
from dal_audit.report.model import Report

Verdict: TypeAlias = Literal["pass", "pass in part", "baselined", "fail", "not audited"]


def plural(count: int, word: str) -> str:
    """Return a count with its word."""
    return f"{count} {word}" if count == 1 else f"{count} {word}s"


def counts(report: Report) -> str:
    """Return one line that counts the findings and owns up to those that do not count."""
    found = report.open
    severities = [
        plural(number, word) if word != "info" else f"{number} info"
        for word in ("error", "warning", "info")
        if (number := sum(finding.severity == word for finding in found))
    ]
    text = plural(len(found), "finding") if found else "No findings"
    if severities:
        text += f": {', '.join(severities)}"
    accepted = [
        f"{number} {standing}"
        for standing in ("suppressed", "waived", "baselined")
        if (number := sum(finding.standing == standing for finding in report.accepted))
    ]
    if accepted:
        text += f" ({', '.join(accepted)})"
    return f"{text}. {looked_at(report)}"


def looked_at(report: Report) -> str:
    """Return a sentence on how much was audited, and how closely."""
    text = f"{plural(report.files, 'file')} audited"
    return (
        f"{text}, {report.ruled_out} of them by their bytes alone."
        if report.ruled_out
        else f"{text}."
    )


def verdicts(report: Report) -> Iterator[tuple[Clause, Verdict, int]]:
    """Yield each clause with its verdict and the number of open findings against it.

    A clause that no rule of this audit looks at, or that is about a language of which there was no
    file, is not passed, but not audited. One that only the baseline keeps from failing
    is not passed either.
    """
    looked = report.files > 0 or bool(report.findings)
    breached = {finding.rule.id for finding in report.findings}
    enforced = {
        clause
        for rule in report.rules
        if not report.languages.isdisjoint(rule.languages) or rule.id in breached
        for clause in rule.clauses
    }
    for clause in report.clauses:
        against = sum(clause.id in finding.rule.clauses for finding in report.open)
        if clause.id not in enforced or not looked:
            yield clause, "not audited", 0
        elif against:
            yield clause, "fail", against
        elif any(
            finding.standing == "baselined" and clause.id in finding.rule.clauses
            for finding in report.findings
        ):
            yield clause, "baselined", 0
        else:
            yield clause, "pass in part" if clause.partly else "pass", 0
