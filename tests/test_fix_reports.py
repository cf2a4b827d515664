"""Fixes in reports: what a program applies by any of them is what `--fix` writes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from jsonschema import Draft202012Validator
from msgspec.structs import replace

from dal_audit.audit import audit
from dal_audit.fix.rewrite import amended
from dal_audit.policy.request import Request
from dal_audit.report.render import Report, render

Replacement: TypeAlias = tuple[int, int, int, int, str]
"""Line and column of the first and behind the last character, and what stands there then."""

TEXT = (
    "UPDATE t SET a = '🦆é' WHERE b == 'é' AND c = ?1;\n"
    "UPDATE t SET a = ifnull(b, '🦆') WHERE (b) IS UNKNOWN;\r\n"
    "CREATE TABLE u (`Größe` TEXT, d DATETIME);\n"
    "SELECT iif(a, 'é', b) FROM t;"
)
SCHEMA = Path(__file__).parent / "data" / "sarif-2.1.0.json"


@pytest.fixture
def report(tmp_path: Path) -> Report:
    """A report of fixes on lines with characters of one, two and four bytes."""
    (tmp_path / "q.sql").write_bytes(TEXT.encode())
    found = audit(
        Request(folder=tmp_path, paths=("q.sql",), select=("DAL301", "DAL302", "DAL304", "DAL308"))
    )
    assert sum(one.breach.fix is not None for one in found.open) == 7
    return found


def of_json(text: str) -> list[list[Replacement]]:
    return [
        [
            (one["line"], one["column"], one["end_line"], one["end_column"], one["text"])
            for one in finding["fix"]["edits"]
        ]
        for finding in json.loads(text)["findings"]
        if finding["fix"]
    ]


def of_sarif(text: str) -> list[list[Replacement]]:
    log = json.loads(text)
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    assert list(Draft202012Validator(schema).iter_errors(log)) == []
    found = []
    for result in log["runs"][0]["results"]:
        for fix in result.get("fixes", []):
            (change,) = fix["artifactChanges"]
            place = result["locations"][0]["physicalLocation"]["artifactLocation"]
            assert change["artifactLocation"] == place
            assert fix["description"]["text"].endswith(".")
            found.append([of_region(one) for one in change["replacements"]])
    return found


def of_region(replacement: Any) -> Replacement:
    region = replacement["deletedRegion"]
    text = replacement.get("insertedContent", {}).get("text", "")
    names = ("startLine", "startColumn", "endLine", "endColumn")
    return (*(region[name] for name in names), text)


def of_rdjson(text: str) -> list[list[Replacement]]:
    return [
        [
            (
                one["range"]["start"]["line"],
                one["range"]["start"]["column"],
                one["range"]["end"]["line"],
                one["range"]["end"]["column"],
                one["text"],
            )
            for one in diagnostic["suggestions"]
        ]
        for diagnostic in json.loads(text)["diagnostics"]
        if "suggestions" in diagnostic
    ]


def applied(edits: list[Replacement], encoding: str) -> bytes:
    """Apply edits as a program does that counts columns in units of an encoding."""
    width = {"utf-8": 1, "utf-16-le": 2}[encoding]
    lines = [line.encode(encoding) for line in TEXT.splitlines(keepends=True)]
    for line, column, end_line, end_column, text in sorted(edits, reverse=True):
        assert line == end_line
        data = lines[line - 1]
        start, end = (column - 1) * width, (end_column - 1) * width
        lines[line - 1] = data[:start] + text.encode(encoding) + data[end:]
    return b"".join(lines).decode(encoding).encode()


@pytest.mark.parametrize(
    ("form", "read", "encoding"),
    [
        ("json", of_json, "utf-16-le"),
        ("sarif", of_sarif, "utf-16-le"),
        ("rdjson", of_rdjson, "utf-8"),
    ],
)
def test_what_a_report_offers_is_what_fixing_writes(
    report: Report, form: Any, read: Callable[[str], list[list[Replacement]]], encoding: str
) -> None:
    offered = read(render(report, form))
    fixes = [one.breach.fix for one in report.open if one.breach.fix is not None]
    if form == "rdjson":  # What a person must decide about is no suggestion.
        fixes = [one for one in fixes if one.is_safe]
    assert len(offered) == len(fixes) > 3
    for edits, fix in zip(offered, fixes, strict=True):
        new = amended(TEXT.encode(), [fix], is_script=True)
        assert applied(edits, encoding) == new != TEXT.encode()


@pytest.mark.parametrize("form", ["sarif", "rdjson"])
def test_nothing_is_offered_where_columns_may_not_fit(report: Report, form: Any) -> None:
    for sources in ({}, {"q.sql": TEXT.encode("latin-1", "replace").replace(b"?1", b"\xe9")}):
        text = render(replace(report, sources=sources), form)
        lines = {edits[0][0] for edits in (of_sarif if form == "sarif" else of_rdjson)(text)}
        assert 1 not in lines


PYTHON = (
    "import json, sqlite3\r\n"
    "\r\n"
    "from psycopg import (\r\n    connect,\r\n    Row,\r\n)\r\n"
    "\r\n"
    "x = 'é🦆'; import asyncpg  # 🦆\r\n"
    "print(json, x)\r\n"
)


@pytest.mark.parametrize(
    ("form", "read", "encoding"),
    [("sarif", of_sarif, "utf-16-le"), ("rdjson", of_rdjson, "utf-8")],
)
def test_imports_are_taken_out_by_reports_too(
    tmp_path: Path, form: Any, read: Callable[[str], list[list[Replacement]]], encoding: str
) -> None:
    """Their edits reach over lines, as those of SQL do not."""
    (tmp_path / "storage").mkdir()
    (tmp_path / "storage" / "s.py").write_text("import sqlite3\n")
    (tmp_path / "a.py").write_bytes(PYTHON.encode())
    report = audit(Request(folder=tmp_path, cache=False, select=("DAL101",)))
    fixes = [found.breach.fix for found in report.open if found.breach.fix is not None]
    offered = read(render(report, form))
    assert len(offered) == len(fixes) == 3
    for edits, fix in zip(offered, fixes, strict=True):
        new = amended(PYTHON.encode(), [fix], is_script=False)
        assert over_lines(edits, encoding) == new != PYTHON.encode()


def over_lines(edits: list[Replacement], encoding: str) -> bytes:
    """Apply edits to PYTHON that may reach over lines."""
    width = {"utf-8": 1, "utf-16-le": 2}[encoding]
    lines = [line.encode(encoding) for line in PYTHON.splitlines(keepends=True)]
    starts = [sum(map(len, lines[:index])) for index in range(len(lines) + 1)]
    data = b"".join(lines)
    for line, column, end_line, end_column, text in sorted(edits, reverse=True):
        start = starts[line - 1] + (column - 1) * width
        end = starts[end_line - 1] + (end_column - 1) * width
        data = data[:start] + text.encode(encoding) + data[end:]
    return data.decode(encoding).encode()


def test_the_text_says_what_can_be_fixed(report: Report) -> None:
    text = render(report, "text")
    assert "= fix: write `coalesce(…)`\n" in text
    assert "= fix: write `TIMESTAMP` (unsafe: it may mean something else)\n" in text
    assert "4 fixable with `--fix`, 3 more with `--unsafe-fixes`." in text
    assert "4 fixable with `--fix`, 3 more with `--unsafe-fixes`." in render(report, "concise")
    assert "fixable" not in render(replace(report, findings=()), "text")
