"""JUnit's XML, in the form that Jenkins, GitLab and most other services read.

Source: `junit-10.xsd` of jenkinsci/xunit-plugin. A rule is a suite, a finding a test that fails; a
rule without findings is one test that passes, so that a clean audit does not look like none.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from xml.sax.saxutils import escape, quoteattr

from dal_audit.catalogue.rulebook import Rule, Severity
from dal_audit.judge.breach import Finding
from dal_audit.report.model import Report, fails
from dal_audit.report.terminal import visible


def render_junit(
    report: Report, *, show_suppressed: bool = False, fail_on: Severity = "info"
) -> str:
    """Return the findings as test suites.

    A test fails where the finding makes the audit fail; below `fail_on` it passes, and its output
    says what was found. Accepted findings are skipped tests, where they are asked for.
    """
    suites = _by_rule(report, show_suppressed=show_suppressed)
    tests = sum(len(found) or 1 for _, found in suites)
    failures = sum(fails(finding, fail_on) for _, found in suites for finding in found)
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<testsuites name="dal-audit" tests="{tests}" failures="{failures}" errors="0">',
        *(line for rule, found in suites for line in _suite(rule, found, fail_on)),
        "</testsuites>",
    ]
    return "\n".join(lines) + "\n"


def _by_rule(report: Report, *, show_suppressed: bool) -> list[tuple[Rule, list[Finding]]]:
    """Return the rules that ran, by their ids, each with the findings that are reported."""
    found: dict[str, list[Finding]] = {rule.id: [] for rule in report.rules}
    for finding in report.findings:
        if finding.rule.id in found and (finding.standing == "open" or show_suppressed):
            found[finding.rule.id].append(finding)
    return [(rule, found[rule.id]) for rule in sorted(report.rules, key=lambda rule: rule.id)]


def _suite(rule: Rule, findings: list[Finding], fail_on: Severity) -> Iterator[str]:
    failures = sum(fails(finding, fail_on) for finding in findings)
    skipped = sum(finding.standing != "open" for finding in findings)
    name = _attribute(f"{rule.id} {rule.name}")
    yield (
        f'  <testsuite name={name} tests="{len(findings) or 1}" failures="{failures}" '
        f'errors="0" skipped="{skipped}">'
    )
    yield from _cases(rule, findings, fail_on)
    yield "  </testsuite>"


def _cases(rule: Rule, findings: Iterable[Finding], fail_on: Severity) -> Iterator[str]:
    suite = _attribute(f"dal-audit.{rule.name}")
    none = True
    seen: dict[str, int] = {}
    for finding in findings:
        none = False
        span = finding.place.span
        name = f"{finding.place.path}:{span.line}:{span.column}"
        seen[name] = seen.get(name, 0) + 1
        # Services know a test by its name, and show one of two with the same.
        nth = f" ({seen[name]})" if seen[name] > 1 else ""
        yield f"    <testcase classname={suite} name={_attribute(name + nth)}>"
        yield from _result(finding, fail_on)
        yield "    </testcase>"
    if none:
        yield f'    <testcase classname={suite} name="no findings"/>'


def _result(finding: Finding, fail_on: Severity) -> Iterator[str]:
    kind = _attribute(f"{finding.severity}")
    message = _attribute(finding.breach.message)
    text = escape(_legal("\n".join(_details(finding))))
    if finding.standing != "open":
        why = _attribute(f"{finding.standing}: {finding.justification}")
        yield f"      <skipped type={kind} message={why}>{text}</skipped>"
    elif fails(finding, fail_on):
        yield f"      <failure type={kind} message={message}>{text}</failure>"
    else:
        yield f"      <system-out>{text}</system-out>"


def _details(finding: Finding) -> Iterator[str]:
    """Yield what is known of a finding, a line each, for a reader who sees nothing else."""
    breach = finding.breach
    span = breach.place.span
    where = f"{visible(breach.place.path)}:{span.line}:{span.column}"
    yield f"{where}: {finding.severity}: {visible(breach.message)}"
    for relation in breach.related:
        where = f"{visible(relation.place.path)}:{relation.place.span.line}"
        yield f"  {where}: {visible(relation.message)}"
    if breach.fails_on:
        yield f"Fails on {', '.join(breach.fails_on)}."
    if finding.remedy:
        yield f"Help: {visible(finding.remedy)}"


def _attribute(text: str) -> str:
    """Return text as a quoted attribute; XML 1.0 has no way to write control characters."""
    return quoteattr(_legal(visible(text)))


def _legal(text: str) -> str:
    """Return safe text without the two noncharacters that XML 1.0 forbids besides."""
    return text.replace("\ufffe", "\\ufffe").replace("\uffff", "\\uffff")
