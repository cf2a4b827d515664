"""JSON for programs: its members, and that it can always be written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

import dal_audit.report
from dal_audit.catalogue.rulebook import Clause, Rule
from dal_audit.facts import Place, Span
from dal_audit.judge.breach import Breach, Finding, FindingStatus, Related
from dal_audit.report.json_report import SCHEMA, VERSION, render_json
from dal_audit.report.model import Report
from tests.reports import hostile_report, report_of

SCHEMA_FILE = Path(dal_audit.report.__file__).with_name("report.schema.json")

RULE = Rule(
    *("DAL101", "driver-import", "error", "high", ("python",), ("CX-DBP-010",), "0.1.0"),
    Path("driver-import.md"),
)
CLAUSES = (
    Clause("CX-DBP-010", "One storage API", "Every operation goes through one package."),
    Clause("CX-DBP-040", "Trait purity", "The interface shows no backend."),
)


def finding_of(
    path: str = "app.py", message: str = "`sqlite3` is a driver", **fields: Any
) -> Finding:
    """Return a finding of the rule."""
    related = (Related(Place("b.py", Span(3, 1, 3, 4)), "it is used here"),)
    breach = Breach(Place(path, Span(1, 8, 1, 15)), message, "it comes in here", related=related)
    return Finding(RULE, fields.pop("severity", "error"), breach, **fields)


def test_the_whole_report() -> None:
    report = Report(
        findings=(finding_of(),),
        rules=(RULE,),
        clauses=CLAUSES,
        files=12,
        ruled_out=5,
        assumptions=("storage is `app/storage`",),
        tested=(("sqlite", "by tests in ci.yml", True), ("postgresql", "no job", False)),
        version="0.1.0",
    )
    assert json.loads(render_json(report)) == {
        "$schema": "https://github.com/dal-audit/dal-audit/raw/main/dal_audit/report/report.schema.json",
        "version": 1,
        "tool": {"name": "dal-audit", "version": "0.1.0"},
        "summary": {
            "files": 12,
            "ruled_out": 5,
            "open": 1,
            "suppressed": 0,
            "waived": 0,
            "baselined": 0,
            "error": 1,
            "warning": 0,
            "info": 0,
        },
        "assumptions": ["storage is `app/storage`"],
        "notes": [],
        "clauses": [
            {
                "id": "CX-DBP-010",
                "title": "One storage API",
                "verdict": "fail",
                "findings": 1,
                "reason": "",
            },
            {
                "id": "CX-DBP-040",
                "title": "Trait purity",
                "verdict": "not audited",
                "findings": 0,
                "reason": "",
            },
        ],
        "tested": [
            {"backend": "sqlite", "seen": True, "by": "by tests in ci.yml"},
            {"backend": "postgresql", "seen": False, "by": "no job"},
        ],
        "findings": [
            {
                "rule": {"id": "DAL101", "name": "driver-import"},
                "severity": "error",
                "standing": "open",
                "in_source": False,
                "justification": "",
                "clauses": ["CX-DBP-010"],
                "path": "app.py",
                "line": 1,
                "column": 8,
                "end_line": 1,
                "end_column": 15,
                "message": "`sqlite3` is a driver",
                "label": "it comes in here",
                "related": [
                    {
                        "path": "b.py",
                        "line": 3,
                        "column": 1,
                        "end_line": 3,
                        "end_column": 4,
                        "message": "it is used here",
                    }
                ],
                "cure": "",
                "origin": None,
                "fails_on": None,
                "fails_later_on": [],
                "run": None,
                "driver": None,
                "fix": None,
            }
        ],
    }


def test_all_standings_are_there_and_only_open_findings_count() -> None:
    findings = (
        finding_of(severity="warning"),
        finding_of(standing="suppressed", justification="one-off copy", in_source=True),
        finding_of(standing="waived", justification="W-1: until March"),
    )
    log = json.loads(render_json(Report(findings, (RULE,), CLAUSES)))
    assert [one["standing"] for one in log["findings"]] == ["open", "suppressed", "waived"]
    assert [one["in_source"] for one in log["findings"]] == [False, True, False]
    assert log["findings"][2]["justification"] == "W-1: until March"
    counted = {
        key: log["summary"][key] for key in ("open", "suppressed", "waived", "error", "warning")
    }
    assert counted == {"open": 1, "suppressed": 1, "waived": 1, "error": 0, "warning": 1}
    assert log["clauses"][0]["findings"] == 1


def test_an_accepted_finding_breaks_no_clause() -> None:
    log = json.loads(render_json(Report((finding_of(standing="waived"),), (RULE,), CLAUSES)))
    assert log["clauses"][0]["verdict"] == "pass"


def test_nothing_found() -> None:
    text = render_json(Report((), (RULE,), CLAUSES))
    assert json.loads(text)["tested"] is None
    assert json.loads(text)["findings"] == []
    assert text.endswith("}\n")


def test_a_name_that_is_no_text() -> None:
    text = render_json(Report((finding_of("bad-\udcff.py", "é 😀 \x1b"),), (RULE,), CLAUSES))
    (found,) = json.loads(text.encode("utf-8"))["findings"]
    assert found["path"] == "bad-\ufffd.py"
    assert found["message"] == "é 😀 \x1b"
    assert "\x1b" not in text


def test_what_a_terminal_obeys_is_escaped() -> None:
    tricks = "\x1b[31m\x07\x7f\x85\x9b\u061c\u200b\u2060\ufeff\u200e\u2028\u202e\u2066"
    text = render_json(Report((finding_of(f"{tricks}.py", tricks),), (RULE,), CLAUSES))
    assert not set(tricks) & set(text) - set("[31m")
    (found,) = json.loads(text)["findings"]
    assert (found["path"], found["message"]) == (f"{tricks}.py", tricks)


@settings(max_examples=200)
@given(st.text(st.characters(), max_size=20), st.text(st.characters(), max_size=20))
def test_it_can_always_be_written_and_read(path: str, message: str) -> None:
    report = Report((finding_of(path, message),), (RULE,), CLAUSES)
    text = render_json(report)
    assert text == render_json(report)
    (found,) = json.loads(text.encode("utf-8"))["findings"]
    surrogates = dict.fromkeys(range(0xD800, 0xE000), "\ufffd")
    assert found["path"] == path.translate(surrogates)
    assert found["message"] == message.translate(surrogates)


def test_the_published_schema_describes_every_member() -> None:
    schema = json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    assert schema["$id"] == SCHEMA
    assert schema["properties"]["version"]["const"] == VERSION
    finding = schema["$defs"]["finding"]["properties"]
    assert set(finding["standing"]["enum"]) == set(get_args(FindingStatus))
    log = json.loads(render_json(Report((finding_of(),), (RULE,), CLAUSES)))
    place = schema["$defs"]["place"]["properties"].keys()
    assert log.keys() == schema["properties"].keys()
    assert log["summary"].keys() == schema["properties"]["summary"]["properties"].keys()
    (found,) = log["findings"]
    assert found.keys() == finding.keys() | place
    assert found["related"][0].keys() == schema["$defs"]["related"]["properties"].keys() | place


@pytest.mark.parametrize("report", [hostile_report(), report_of()], ids=["hostile", "empty"])
def test_reports_are_valid_by_the_published_schema(report: Report) -> None:
    validator = Draft202012Validator(json.loads(SCHEMA_FILE.read_text(encoding="utf-8")))
    assert [error.message for error in validator.iter_errors(json.loads(render_json(report)))] == []
