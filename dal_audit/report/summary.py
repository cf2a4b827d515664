"""What an audit comes to: counts, and a verdict for each clause of the law."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, Literal, TypeAlias

from msgspec import Struct

from dal_audit.assemble.blind_spot import BlindSpot
from dal_audit.catalogue.rulebook import Clause, Rule
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


class ClauseVerdict(Struct, frozen=True):
    """What an audit says of a clause, with the number of open findings against it.

    `reason` says why it is not audited, or not all of it; empty where there is nothing to say.
    """

    clause: Clause
    verdict: Verdict
    against: int = 0
    reason: str = ""


def verdicts(report: Report) -> Iterator[ClauseVerdict]:
    """Yield a verdict for each clause.

    A clause that no rule of this audit looks at, or of which there was nothing to look at, is not
    passed, but not audited; where a part of it was not looked at, it is passed in part. One that
    only the baseline keeps from failing is not passed either.
    """
    ran = _rules_by_clause(report)
    against = Counter(_clauses_of(report.open))
    baselined = set(_clauses_of(item for item in report.findings if item.standing == "baselined"))
    for clause in report.clauses:
        if clause.id not in ran:
            yield ClauseVerdict(clause, "not audited")
        elif against[clause.id]:
            yield ClauseVerdict(clause, "fail", against[clause.id])
        else:
            spots = [*_spots(clause, ran[clause.id], report)]
            if clause.id == TESTED:
                spots += _untested(report)
            yield _unbroken(clause, spots, is_baselined=clause.id in baselined)


def _unbroken(clause: Clause, spots: Sequence[BlindSpot], *, is_baselined: bool) -> ClauseVerdict:
    """Return the verdict on a clause against which nothing counts."""
    unseen = [spot.reason for spot in spots if spot.is_total]
    if unseen:
        return ClauseVerdict(clause, "not audited", reason="; ".join(unseen))
    if is_baselined:
        return ClauseVerdict(clause, "baselined")
    reasons = [spot.reason for spot in spots]
    if clause.partly:
        reasons.append("no rule looks at all of it yet")
    verdict: Verdict = "pass in part" if reasons else "pass"
    return ClauseVerdict(clause, verdict, reason="; ".join(reasons))


def _rules_by_clause(report: Report) -> Mapping[str, Sequence[Rule]]:
    """Return the rules that ran on something, by the clauses that they look at."""
    found: dict[str, list[Rule]] = {}
    if report.files == 0 and not report.findings:
        return found
    breached = {finding.rule.id for finding in report.findings}
    for rule in report.rules:
        if not report.languages.isdisjoint(rule.languages) or rule.id in breached:
            for clause in rule.clauses:
                found.setdefault(clause, []).append(rule)
    return found


def _untested(report: Report) -> Iterator[BlindSpot]:
    """Yield the target backends on which no job was seen to run the tests of storage."""
    if report.tested is None:
        return
    if not report.tested:
        yield BlindSpot("", "no target backend is known", is_total=True)
    unproved = [backend for backend, _, is_proved in report.tested if not is_proved]
    if unproved:
        yield BlindSpot("", f"no job was seen to test {' and '.join(unproved)}")


def _clauses_of(findings: Iterable[Finding]) -> Iterator[str]:
    """Yield the clauses that findings are against, once for each."""
    return (clause for finding in findings for clause in finding.rule.clauses)


def _spots(clause: Clause, ran: Iterable[Rule], report: Report) -> list[BlindSpot]:
    """Return the blind spots of an audit that a clause is about."""
    languages = (language for rule in ran for language in rule.languages)
    scopes = {"", clause.id, clause.needs, *languages}
    return [spot for spot in report.blind_spots if spot.scope in scopes]


def not_audited(found: Iterable[ClauseVerdict]) -> Iterator[str]:
    """Yield sentences on the clauses that are not audited: which they are, and why."""
    unseen = [said for said in found if said.verdict == "not audited"]
    if not unseen:
        return
    names = ", ".join(said.clause.id for said in unseen)
    yield f"{plural(len(unseen), 'clause')} not audited: {names}"
    for reason in dict.fromkeys(said.reason for said in unseen if said.reason):
        names = ", ".join(said.clause.id for said in unseen if said.reason == reason)
        yield f"{names}: {reason}"
