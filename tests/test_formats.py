"""The formats for services: each against its consumer's own schema or grammar, hostile names too."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import xmlschema
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft4Validator
from markdown_it import MarkdownIt

from dal_audit.facts import Place, Span
from dal_audit.judge.breach import Related
from dal_audit.report.markdown import FOLDED_FROM, SIZE_LIMIT
from dal_audit.report.rdjson import RELATED_LIMIT
from dal_audit.report.render import FORMATS, Format, Report, exit_code, render
from dal_audit.report.terminal import TerminalStyle, safe
from tests.reports import (
    RULE,
    SOURCE,
    TRICKS,
    finding_of,
    hostile_report,
    report_of,
    rule_of,
)

DATA = Path(__file__).parent / "data"
GITLAB = {
    # The members that GitLab asks for, and their types, by its documentation ("Code Quality report
    # format"). It takes further members and ignores them.
    "type": "array",
    "items": {
        "type": "object",
        "required": ["description", "check_name", "fingerprint", "severity", "location"],
        "properties": {
            "description": {"type": "string", "minLength": 1},
            "check_name": {"type": "string", "minLength": 1},
            "fingerprint": {"type": "string", "pattern": "^[0-9a-f]{32}$"},
            "severity": {"enum": ["info", "minor", "major", "critical", "blocker"]},
            "location": {
                "type": "object",
                "required": ["path", "lines"],
                "properties": {
                    "path": {"type": "string", "not": {"pattern": r"^(\./|/)"}},
                    "lines": {
                        "type": "object",
                        "required": ["begin"],
                        "properties": {"begin": {"type": "integer", "minimum": 1}},
                    },
                },
            },
        },
    },
}
TEXT = st.text(st.characters(), max_size=20)
EXAMPLES = settings(max_examples=100)


@cache
def rdjson_schema() -> Draft4Validator:
    """From reviewdog/reviewdog 6c307503 (MIT), closed: reviewdog reads no further member."""
    schema = json.loads((DATA / "rdjson.json").read_text(encoding="utf-8"))
    for definition in schema["definitions"].values():
        definition["additionalProperties"] = False
    return Draft4Validator(schema)


@cache
def junit_schema() -> xmlschema.XMLSchema:
    """From jenkinsci/xunit-plugin 8c515de2 (MIT)."""
    return xmlschema.XMLSchema(str(DATA / "junit-10.xsd"))


# Everything that holds for all formats


@pytest.mark.parametrize("form", FORMATS)
def test_equal_reports_give_equal_text_that_can_be_written(form: Format) -> None:
    text = render(hostile_report(), form)
    assert text == render(hostile_report(), form)
    assert text.encode("utf-8")
    assert text.endswith("\n")


@pytest.mark.parametrize("form", FORMATS)
def test_no_terminal_is_told_anything(form: Format) -> None:
    text = render(hostile_report(), form, show_suppressed=True)
    assert safe(text.replace("\n", "")) == text.replace("\n", "")


@pytest.mark.parametrize("form", FORMATS)
def test_nothing_found(form: Format) -> None:
    assert "sqlite3" not in render(report_of(rules=()), form)
    assert render(report_of(), form)


@pytest.mark.parametrize("form", FORMATS)
def test_accepted_findings_are_left_out_of_what_others_act_upon(form: Format) -> None:
    accepted = finding_of(standing="waived", message="nobody sees me", justification="W-1")
    text = render(report_of(accepted), form)
    assert ("nobody sees me" in text) == (form == "json")


@pytest.mark.parametrize("fail_on", ["error", "warning", "info"])
def test_junit_fails_where_the_exit_code_does(fail_on: Any) -> None:
    report = report_of(finding_of(severity="warning"))
    root = ElementTree.fromstring(render(report, "junit", fail_on=fail_on))
    assert int(root.attrib["failures"]) == exit_code(report, fail_on=fail_on)
    assert len(root.findall(".//failure")) == exit_code(report, fail_on=fail_on)


SPANS = st.builds(
    lambda line, column, lines, columns: Span(
        line, column, line + lines, column + columns if not lines else columns + 1
    ),
    *(st.integers(1, 6), st.integers(1, 12), st.integers(0, 3), st.integers(0, 9)),
)
LOOKS = st.builds(TerminalStyle, st.booleans(), st.booleans(), st.integers(0, 60))


@settings(max_examples=150)
@given(
    st.one_of(
        st.binary(max_size=40), st.text(st.sampled_from("aé日😀\t\r\n\ufeff")).map(str.encode)
    ),
    st.lists(SPANS, min_size=1, max_size=5),
    st.integers(0, 4),
    LOOKS,
)
def test_any_place_in_any_source_can_be_shown(
    source: bytes, spans: list[Span], way: int, look: TerminalStyle
) -> None:
    """A file may have changed since it was read, or never have been text."""
    first, *others = spans
    related = tuple(Related(Place("app/a.py", span), "used") for span in others)
    found = finding_of(span=first, related=related, flow_length=min(way, len(others)), label="here")
    report = report_of(found, sources={"app/a.py": source})
    for form in FORMATS:
        assert render(report, form, look=look).encode("utf-8")


# GitLab


def issues_of(report: Report) -> Any:
    issues = json.loads(render(report, "gitlab").encode("utf-8"))
    assert [error.message for error in Draft4Validator(GITLAB).iter_errors(issues)] == []
    assert len({one["fingerprint"] for one in issues}) == len(issues) == len(report.open)
    return issues


def test_a_quality_issue() -> None:
    (issue,) = issues_of(report_of(finding_of(line=3, severity="warning")))
    assert issue["check_name"] == "driver-import"
    assert issue["severity"] == "minor"
    assert issue["location"] == {"path": "app/a.py", "lines": {"begin": 3, "end": 3}}
    assert issue["description"].startswith("driver-import: `sqlite3`")


def test_a_fingerprint_moves_with_its_line_and_changes_with_it() -> None:
    before = report_of(finding_of(line=1), sources={"app/a.py": SOURCE.encode()})
    moved = report_of(finding_of(line=2), sources={"app/a.py": b"\n  " + SOURCE.encode()})
    changed = report_of(finding_of(line=1), sources={"app/a.py": b"import sqlite3, os\n"})
    prints = [issues_of(one)[0]["fingerprint"] for one in (before, moved, changed)]
    assert prints[0] == prints[1] != prints[2]


def test_twice_the_same_has_two_fingerprints() -> None:
    sources = {"app/a.py": b"import sqlite3\nimport sqlite3\n"}
    issues_of(report_of(finding_of(line=1), finding_of(line=2), sources=sources))


def test_hostile_names_are_valid_issues() -> None:
    issues_of(hostile_report())


# JUnit


def suites_of(text: str) -> ElementTree.Element:
    errors = [error.reason for error in junit_schema().iter_errors(ElementTree.fromstring(text))]
    assert errors == []
    root = ElementTree.fromstring(text)
    for suite in root:
        cases = suite.findall("testcase")
        names = [(case.attrib["classname"], case.attrib["name"]) for case in cases]
        assert len(set(names)) == len(names) == int(suite.attrib["tests"])
        assert len(suite.findall("*/failure")) == int(suite.attrib["failures"])
        assert len(suite.findall("*/skipped")) == int(suite.attrib["skipped"])
    for count in ("tests", "failures", "errors"):
        assert int(root.attrib[count]) == sum(int(suite.attrib[count]) for suite in root)
    return root


def test_a_rule_is_a_suite_and_a_finding_a_test() -> None:
    clean = rule_of("driver-type")
    report = report_of(
        finding_of(line=4),
        finding_of(line=4, message="another one"),
        finding_of(line=5, standing="suppressed", justification="legacy"),
        rules=(clean, RULE),
    )
    root = suites_of(render(report, "junit", show_suppressed=True))
    first, second = root
    assert [first.attrib["name"], second.attrib["name"]] == [
        "DAL101 driver-import",
        "DAL103 driver-type",
    ]
    assert [one.attrib["name"] for one in first] == [
        "app/a.py:4:8",
        "app/a.py:4:8 (2)",
        "app/a.py:5:8",
    ]
    assert [len(one) for one in first] == [1, 1, 1]
    skipped = first.find("*/skipped")
    assert skipped is not None
    assert skipped.attrib["message"] == "suppressed: legacy"
    (only,) = second
    assert (only.attrib["name"], len(only)) == ("no findings", 0)


def test_hostile_names_are_valid_suites() -> None:
    root = suites_of(render(hostile_report(), "junit", show_suppressed=True))
    assert len(root.findall(".//failure")) == len(TRICKS)


@EXAMPLES
@given(TEXT)
def test_any_message_is_xml(message: str) -> None:
    root = ElementTree.fromstring(render(report_of(finding_of(message=message)), "junit"))
    assert root.findall(".//failure")


# reviewdog


def diagnostics_of(report: Report) -> Any:
    result = json.loads(render(report, "rdjson").encode("utf-8"))
    assert [error.message for error in rdjson_schema().iter_errors(result)] == []
    return result["diagnostics"]


def test_a_diagnostic_counts_bytes() -> None:
    related = (Related(Place("app/a.py", Span(4, 1, 4, 6)), "it is used here"),)
    found = finding_of(span=Span(2, 18, 2, 25), related=related, severity="info")
    (one,) = diagnostics_of(report_of(found, sources={"app/a.py": SOURCE.encode()}))
    # The emoji is two units of UTF-16, and four bytes.
    assert one["location"] == {
        "path": "app/a.py",
        "range": {"start": {"line": 2, "column": 20}, "end": {"line": 2, "column": 27}},
    }
    assert SOURCE.splitlines()[1].encode()[19:26] == b"sqlite3"
    assert one["related_locations"][0]["message"] == "it is used here"
    assert one["severity"] == "INFO"
    assert one["code"]["value"] == "DAL101"
    assert one["code"]["url"].endswith("/rules/driver-import.md")


def test_a_comment_quotes_a_few_related_places() -> None:
    related = tuple(Related(Place("b.py", Span(n, 1, n, 4)), "used") for n in range(1, 300))
    (one,) = diagnostics_of(report_of(finding_of(related=related)))
    assert len(one["related_locations"]) == RELATED_LIMIT


def test_a_place_without_a_source_has_lines_alone() -> None:
    (one,) = diagnostics_of(report_of(finding_of(line=9)))
    assert one["location"]["range"] == {"start": {"line": 9}, "end": {"line": 9}}


def test_hostile_names_are_valid_diagnostics() -> None:
    assert len(diagnostics_of(hostile_report())) == len(TRICKS)


# Markdown


def rendered(text: str) -> str:
    """Return the HTML that a reader of GitHub's Markdown makes of a text, raw HTML kept as such."""
    return str(MarkdownIt("gfm-like", {"linkify": False, "html": True}).render(text))


def test_a_summary_says_which_job_tests_a_backend() -> None:
    tested = (("sqlite", "by tests (3.13) in ci.yml", True), ("postgresql", "no job", False))
    html = rendered(render(report_of(tested=tested), "markdown"))
    assert "<li>✅ <code>sqlite</code>: by tests (3.13) in ci.yml</li>" in html
    assert "<li>⚪ <code>postgresql</code>: no job</li>" in html
    assert "Storage tests" not in render(report_of(tested=()), "markdown")


def test_a_summary() -> None:
    related = tuple(Related(Place("b.py", Span(n, 1, n, 4)), "used here") for n in range(1, 9))
    html = rendered(render(report_of(finding_of(related=related)), "markdown"))
    assert "<h2>dal-audit</h2>" in html
    assert "<td><code>CX-DBP-010</code></td>" in html
    assert "❌ fail" in html
    assert (
        '<a href="https://github.com/dal-audit/dal-audit/blob/main/rules/driver-import.md">' in html
    )
    assert "<h3><code>app/a.py</code></h3>" in html
    assert "<code>b.py:5</code>: used here" in html
    assert "and 3 more places" in html
    assert html.count("<em>") == 1


def test_code_is_quoted_whole() -> None:
    found = finding_of("a`b``c|d.py", message="`x|y` and ``z")
    html = rendered(render(report_of(found), "markdown"))
    assert "<h3><code>a`b``c|d.py</code></h3>" in html
    assert "<code>x|y</code> and ``z\n" in html


def test_hostile_names_mean_nothing_in_markdown() -> None:
    html = rendered(render(hostile_report(), "markdown", show_suppressed=True))
    assert not re.search(r"<(?:script|img|b|s|del)\b", html)
    assert set(re.findall(r'href="([^"]*)"', html)) == {
        "https://github.com/dal-audit/dal-audit/blob/main/rules/driver-import.md"
    }
    assert html.count("<h3>") == len(TRICKS) + 1
    assert "<em>e</em>" not in html
    assert "<strong>s</strong>" not in html


@EXAMPLES
@given(st.text(st.sampled_from("`*_[]()<>|\\!&#~ax1-.\n"), max_size=20))
def test_any_message_stays_text(message: str) -> None:
    html = rendered(render(report_of(finding_of(message=message, remedy="c")), "markdown"))
    (item,) = re.findall(
        r"<strong>1:8</strong> error <code>driver-import</code>:(.*?)(?:\n|</li>)", html
    )
    assert not re.search(r"<(?!/?code>)", item)


@pytest.mark.parametrize("count", [FOLDED_FROM - 1, FOLDED_FROM])
def test_many_findings_are_folded(count: int) -> None:
    found = [finding_of(f"{number:02}.py", message=f"{number}") for number in range(count)]
    html = rendered(render(report_of(*found), "markdown"))
    assert html.count("<h3>") == count
    is_folded = f"<details>\n<summary>{count} findings by file</summary>\n" in html
    assert is_folded == html.endswith("</ul>\n</details>\n") == (count >= FOLDED_FROM)


def test_a_summary_is_cut_before_nothing_of_it_is_shown() -> None:
    found = [
        finding_of(f"{number:05}.py", message=f"{number} {'é' * 400}") for number in range(3000)
    ]
    text = render(report_of(*found), "markdown")
    assert SIZE_LIMIT * 0.98 < len(text.encode("utf-8")) <= SIZE_LIMIT
    (more,) = re.findall(r"\*\*(\d+) more findings\*\* did not fit", text)
    assert text.count("### ") + int(more) == 3000


# The way to the formats


def test_json_says_which_driver_is_reached() -> None:
    found = finding_of(driver="sqlite3")
    log = json.loads(render(report_of(found, finding_of(line=2)), "json"))
    assert [one["driver"] for one in log["findings"]] == ["sqlite3", None]


def test_a_summary_tells_what_one_cause_makes_as_one_item() -> None:
    found = [finding_of(f"{number:02}.py", line) for number in range(12) for line in (1, 2)]
    text = render(report_of(*found), "markdown")
    assert text.count("`driver-import`:") == 1
    assert "  - `00.py:1` and 1 more\n" in text
    assert "  - and 2 more files\n" in text
    assert "<summary>24 findings by file</summary>" in text
