"""Reports for the tests of the formats: findings of real rules, some with names that play tricks."""

from __future__ import annotations

from typing import Any

from dal_audit.catalogue.rulebook import Clause, Rule, clauses, find_rule
from dal_audit.facts import Place, Span
from dal_audit.judge.breach import Breach, Finding, Related
from dal_audit.report.model import Report

CLAUSES: tuple[Clause, ...] = clauses()
SOURCE = "import sqlite3\nx = '😀'; import sqlite3  # é\n\nprint(x)\n"

TRICKS = (
    "\n::error::owned",
    "a%0A::warning::b,c:d",
    "##[add-mask]x]y",
    "]]>&<b x='\"'>",
    "</script><script>alert(1)</script>",
    "--><!--",
    "\x1b[31mred\x07\x00\x0b",
    "\u202eevil\u2066\u200f\u2028",
    "bad-\udcff.py",
    "\ufffe\uffff",
    "| a | `b` ``c`` |",
    "[x](javascript:alert(1)) ![y](http://e.example/z) <http://e.example>",
    "https://e.example www.e.example me@e.example @user #1 $x$ ~~z~~ **s** _e_",
    "a\tb\rc\r\nd",
    " ",
    "`",
    "${x} {{y}} <% z %> &amp;",
)
"""What file names and messages may hold that one format or another would take for its own."""


def rule_of(name: str) -> Rule:
    """Return a rule of the rule book."""
    rule = find_rule(name)
    assert rule is not None
    return rule


RULE = rule_of("driver-import")


def finding_of(
    path: str = "app/a.py", line: int = 1, *, rule: Rule = RULE, **fields: Any
) -> Finding:
    """Return a finding; fields of a breach and of a finding may be given."""
    known = ("standing", "justification", "in_source", "origin")
    own = {key: fields.pop(key) for key in known if key in fields}
    severity = fields.pop("severity", rule.severity)
    place = Place(path, fields.pop("span", Span(line, 8, line, 15)))
    message = fields.pop("message", "`sqlite3` is a database driver; only `storage` may import it")
    return Finding(rule, severity, Breach(place, message, **fields), **own)


def report_of(*findings: Finding, **fields: Any) -> Report:
    """Return a report with findings, in the order of reports, and with the rules that they need."""
    rules = {one.rule.id: one.rule for one in findings} or {RULE.id: RULE}
    ordered = sorted(findings, key=lambda one: (one.place.path, one.place.span, one.rule.id))
    given: dict[str, Any] = {
        "rules": tuple(rules.values()),
        "clauses": CLAUSES,
        "files": 12,
        "version": "0.1.0",
        **fields,
    }
    return Report(tuple(ordered), **given)


def hostile_report() -> Report:
    """Return a report in which every text that comes from outside plays a trick."""
    findings = [
        finding_of(
            f"{trick}/f.py",
            message=f"{trick} in `{trick}`",
            label=trick,
            related=(Related(Place(f"r/{trick}.py", Span(1, 1, 1, 4)), trick),),
            driver=trick,
            remedy=trick,
        )
        for trick in TRICKS
    ]
    findings.append(finding_of(standing="waived", justification=TRICKS[4]))
    tested = tuple((trick, trick, bool(index % 2)) for index, trick in enumerate(TRICKS))
    sources = {one.place.path: TRICKS[4].encode() for one in findings}
    return report_of(*findings, sources=sources, assumptions=TRICKS, tested=tested)
