"""What an audit comes to: counts, and a verdict for each clause of the law."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Final, Literal, TypeAlias

from dal_audit.catalogue.rulebook import Clause
from dal_audit.judge.breach import Finding
from dal_audit.report.model import Report

TESTED = "CX-DBP-013"
"""The clause on tests, whose verdict rests on what was seen to run."""

Verdict: TypeAlias = Literal["pass", "pass in part", "baselined", "fail", "not audited"]

_SEVERITIES: Final = ("error", "warning", "info")
_ACCEPTED: Final = ("suppressed", "waived", "baselined")


def plural(count: int, word: str) -> str:
    """Return a count with its word."""
    return f"{count} {word}" if count == 1 else f"{count} {word}s"


def counts(report: Report) -> str:
    """Return one line that counts the findings and owns up to those that do not count."""
    found = report.open
    severities = [
        plural(number, word) if word != "info" else f"{number} info"
        for word, number in _numbers(_SEVERITIES, (finding.severity for finding in found))
    ]
    text = plural(len(found), "finding") if found else "No findings"
    if severities:
        text += f": {', '.join(severities)}"
    accepted = [
        f"{number} {standing}"
        for standing, number in _numbers(_ACCEPTED, (item.standing for item in report.accepted))
    ]
    if accepted:
        text += f" ({', '.join(accepted)})"
    return f"{text}. {looked_at(report)}"


def _numbers(words: Iterable[str], found: Iterable[str]) -> Iterator[tuple[str, int]]:
    """Yield those of the words that were found, and how often each was."""
    numbers = Counter(found)
    return ((word, numbers[word]) for word in words if numbers[word])


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
    enforced = _enforced(report)
    against = Counter(_clauses_of(report.open))
    baselined = set(_clauses_of(item for item in report.findings if item.standing == "baselined"))
    for clause in report.clauses:
        if clause.id not in enforced:
            yield clause, "not audited", 0
        elif against[clause.id]:
            yield clause, "fail", against[clause.id]
        else:
            passed = "baselined" if clause.id in baselined else _passed(clause, report)
            yield clause, passed, 0


def _enforced(report: Report) -> set[str]:
    """Return the clauses that rules look at which ran on something."""
    if report.files == 0 and not report.findings:
        return set()
    breached = {finding.rule.id for finding in report.findings}
    return {
        clause
        for rule in report.rules
        if not report.languages.isdisjoint(rule.languages) or rule.id in breached
        for clause in rule.clauses
    }


def _passed(clause: Clause, report: Report) -> Verdict:
    """Return how far a clause is passed that no finding is against.

    That tests run on each backend is passed only where a job was seen to do it.
    """
    if clause.id == TESTED and report.tested is not None:
        proved = [is_proved for _, _, is_proved in report.tested]
        if not proved:
            return "not audited"
        return "pass" if all(proved) else "pass in part"
    return "pass in part" if clause.partly else "pass"


def _clauses_of(findings: Iterable[Finding]) -> Iterator[str]:
    """Yield the clauses that findings are against, once for each."""
    return (clause for finding in findings for clause in finding.rule.clauses)
