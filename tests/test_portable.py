"""What becomes of a statement's constructs, and how findings say it in each report."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import tomli
from hypothesis import given
from hypothesis import strategies as st

from dal_audit.audit import audit
from dal_audit.catalogue.portability import features
from dal_audit.catalogue.rulebook import find_rule
from dal_audit.extract.sql.scripts import script_facts
from dal_audit.facts import NotUnderstood
from dal_audit.facts.sql import SqlStatement
from dal_audit.policy.request import Request
from dal_audit.report.render import render

if TYPE_CHECKING:
    from dal_audit.report.render import Report

OTHERS = ("DAL1", "DAL2", "DAL3", "DAL9")
"""All rules but those about migrations, which are about other things than portability."""


def report_of(root: Path, text: str, settings: str = "", **fields: Any) -> Report:
    """Audit a project of one migration."""
    (root / "migrations").mkdir(parents=True, exist_ok=True)
    (root / "migrations" / "0001_a.sql").write_text(text, encoding="utf-8")
    (root / "dal-audit.toml").write_text(settings, encoding="utf-8")
    return audit(Request(folder=root, select=OTHERS, **fields))


def found(root: Path, text: str, settings: str = "") -> list[tuple[str, tuple[str, ...] | None]]:
    """Return the rules of the findings in a migration, and the backends that reject it."""
    report = report_of(root, text, settings)
    return [(one.rule.id, one.breach.fails_on) for one in report.open]


# What is told once


@pytest.mark.parametrize(
    ("text", "rules"),
    [
        ("CREATE TABLE t (at TIMESTAMP DEFAULT (datetime('now')));", ["DAL302"]),
        ("CREATE TABLE t (at TIMESTAMP DEFAULT now());", ["DAL302"]),
        ("CREATE TABLE t (n INTEGER DEFAULT (7 % 2.5));", ["DAL309"]),
        ("CREATE TABLE t (n INT(11) UNSIGNED);", ["DAL304"]),
        ("CREATE FUNCTION f() RETURNS int LANGUAGE sql AS $$ SELECT now() $$;", ["DAL305"]),
        ("PRAGMA foreign_keys;", ["DAL307"]),
        ("ALTER TABLE t ADD COLUMN a INT, ADD CONSTRAINT u UNIQUE (a);", ["DAL305", "DAL305"]),
    ],
)
def test_one_construct_one_finding(tmp_path: Path, text: str, rules: list[str]) -> None:
    assert [rule for rule, _ in found(tmp_path, text)] == rules


def test_what_other_backends_reject_in_a_whole_statement_is_told_too(tmp_path: Path) -> None:
    text = "CREATE TRIGGER g AFTER INSERT ON t EXECUTE FUNCTION f(1 <=> 2);"
    assert found(tmp_path, text) == [
        ("DAL303", ("sqlite",)),
        ("DAL302", ("sqlite", "postgresql")),
    ]


# Backends and versions


def test_findings_name_the_backends_in_their_order(tmp_path: Path) -> None:
    assert found(tmp_path / "a", "CREATE INDEX i ON t (btrim(a));") == [("DAL302", ("sqlite",))]
    assert found(tmp_path / "b", "CREATE VIEW v AS SELECT ifnull(a, b);") == [
        ("DAL302", ("postgresql",))
    ]
    both = [("DAL302", ("sqlite", "postgresql"))]
    assert found(tmp_path / "c", "CREATE VIEW v AS SELECT 1 <=> 2;") == both


@pytest.mark.parametrize(
    ("text", "fails_on"),
    [
        ("CREATE VIEW v AS SELECT btrim(a) FROM t;", ()),
        ("CREATE TABLE t (a TEXT DEFAULT (btrim('a')));", ()),
        ("CREATE TABLE t (a TEXT CHECK (btrim(a) = a));", ("sqlite",)),
        ("CREATE INDEX i ON t (btrim(a));", ("sqlite",)),
    ],
)
def test_sqlite_looks_some_functions_up_when_they_are_used(
    tmp_path: Path, text: str, fails_on: tuple[str, ...]
) -> None:
    (finding,) = report_of(tmp_path, text).open
    assert (finding.rule.id, finding.severity) == ("DAL302", "error")
    assert finding.breach.fails_on == fails_on
    assert ("when it is used" in finding.breach.message) == (not fails_on)


def test_a_divergence_is_a_warning_that_fails_on_none(tmp_path: Path) -> None:
    (finding,) = report_of(tmp_path, "CREATE TABLE t (v JSONB);").open
    assert (finding.rule.id, finding.severity) == ("DAL304", "warning")
    assert finding.breach.fails_on == ()


def test_a_rejected_type_is_an_error(tmp_path: Path) -> None:
    (finding,) = report_of(tmp_path, "CREATE TABLE t (v BLOB);").open
    assert (finding.rule.id, finding.severity) == ("DAL304", "error")


def test_a_configured_severity_counts_for_both(tmp_path: Path) -> None:
    report = report_of(tmp_path, "CREATE TABLE t (v JSONB, w BLOB);", 'severity.DAL304 = "info"')
    assert [one.severity for one in report.open] == ["info", "info"]


@pytest.mark.parametrize(("version", "rules"), [("3.34", ["DAL305"]), ("3.35", []), ("3.40", [])])
def test_the_oldest_supported_version_decides(
    tmp_path: Path, version: str, rules: list[str]
) -> None:
    settings = f'[backend-versions]\nsqlite = "{version}"\n'
    text = "ALTER TABLE t DROP COLUMN a;"
    assert [rule for rule, _ in found(tmp_path, text, settings)] == rules


def test_a_divergence_that_an_old_version_lacks_is_none_yet(tmp_path: Path) -> None:
    text = "CREATE VIEW v AS SELECT a -> 'b' FROM t;"
    old = found(tmp_path / "old", text, '[backend-versions]\nsqlite = "3.37"\n')
    new = found(tmp_path / "new", text, '[backend-versions]\nsqlite = "3.38"\n')
    assert old == [("DAL302", ("sqlite",))]
    assert new == [("DAL309", ())]


# Functions that only lists know


def test_a_function_that_no_engine_has(tmp_path: Path) -> None:
    (finding,) = report_of(tmp_path, "CREATE INDEX i ON t (frobnicate(a));").open
    assert (finding.rule.id, finding.breach.fails_on) == ("DAL302", ("sqlite", "postgresql"))
    assert "`frobnicate()`" in finding.breach.message


def test_a_function_that_the_same_set_makes(tmp_path: Path) -> None:
    text = (
        "CREATE FUNCTION frobnicate(a int) RETURNS int LANGUAGE sql AS 'SELECT a';\n"
        "CREATE INDEX i ON t (frobnicate(a));\n"
    )
    assert found(tmp_path, text) == [("DAL305", ("sqlite",)), ("DAL302", ("sqlite",))]


def test_what_an_extension_brings_is_not_known(tmp_path: Path) -> None:
    text = "CREATE EXTENSION cube;\nCREATE INDEX i ON t (cube_dim(a));\n"
    assert found(tmp_path, text) == [("DAL307", ("sqlite",)), ("DAL302", ("sqlite",))]


@pytest.mark.parametrize(
    "text",
    [
        "INSERT INTO frobs (a, b) VALUES (1, 2);",
        "CREATE TABLE frobs (a TEXT, CONSTRAINT c UNIQUE (a));",
        "CREATE INDEX i ON frobs (a);",
        "WITH frobs (a, b) AS (SELECT 1, 2) SELECT a FROM frobs;",
        "SELECT a FROM (SELECT 1, 2) AS frobs (a, b);",
        "CREATE TABLE c (a TEXT REFERENCES frobs (a));",
        "SELECT count(*) FROM frobs WHERE a IN (1, 2) AND (b = 1 OR NOT (b = 2));",
        "CREATE VIEW frobs (a, b) AS SELECT 1, 2;",
    ],
)
def test_what_only_looks_like_a_call(tmp_path: Path, text: str) -> None:
    said = [one.breach.message for one in report_of(tmp_path, text).open]
    assert [message for message in said if "frobs()" in message] == []


# Reports


def test_reports_say_on_which_backends_it_fails(tmp_path: Path) -> None:
    report = report_of(
        tmp_path, "CREATE VIEW v AS SELECT id::text FROM t;\nCREATE TABLE t (v JSONB);"
    )
    text = render(report, "text")
    assert "fails on: sqlite" in text
    assert "help: Write `CAST(x AS type)`." in text
    first, second = json.loads(render(report, "json"))["findings"]
    assert (first["fails_on"], second["fails_on"]) == (["sqlite"], [])
    assert first["cure"] == "Write `CAST(x AS type)`."
    results = json.loads(render(report, "sarif"))["runs"][0]["results"]
    assert [one["properties"]["fails_on"] for one in results] == [["sqlite"], []]
    assert results[0]["message"]["text"].endswith("Write `CAST(x AS type)`.")


def test_findings_about_other_things_name_no_backends(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("import sqlite3\n", encoding="utf-8")
    report = audit(Request(folder=tmp_path, select=OTHERS))
    (result,) = json.loads(render(report, "sarif"))["runs"][0]["results"]
    assert "fails_on" not in result["properties"]


# What is looked at


def test_a_script_whose_path_is_given_is_audited_and_may_change_data(tmp_path: Path) -> None:
    text = "INSERT OR IGNORE INTO t (id) VALUES ('a');\n"
    (tmp_path / "fill.sql").write_text(text, encoding="utf-8")
    (tmp_path / "a.py").write_text("", encoding="utf-8")
    assert audit(Request(folder=tmp_path, select=OTHERS)).open == ()
    report = audit(Request(folder=tmp_path, paths=("fill.sql",), select=OTHERS))
    assert [one.rule.id for one in report.open] == ["DAL306"]


def test_a_file_that_cannot_be_decoded_is_reported(tmp_path: Path) -> None:
    (tmp_path / "migrations").mkdir()
    (tmp_path / "migrations" / "0001_a.sql").write_bytes(b"SELECT 1;\nSELECT '\xff';\n")
    (finding,) = audit(Request(folder=tmp_path, select=OTHERS)).open
    assert (finding.rule.id, finding.place.span.line) == ("DAL901", 2)


def test_any_number_of_processes_gives_the_same_findings(tmp_path: Path) -> None:
    (tmp_path / "migrations").mkdir()
    for number in range(40):
        text = "SELECT now(), id::text FROM t;\n" * 60
        (tmp_path / "migrations" / f"{number:04}_a.sql").write_text(text, encoding="utf-8")
    reports = [audit(Request(folder=tmp_path, jobs=jobs, select=OTHERS)) for jobs in (1, 2)]
    assert reports[0] == reports[1]
    assert len(reports[0].open) == 40 * 60 * 2


def test_nothing_of_sql_is_loaded_without_sql(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("import sqlite3\n", encoding="utf-8")
    program = (
        "import sys\nfrom dal_audit.audit import Request, audit\n"
        f"audit(Request(folder=__import__('pathlib').Path({str(tmp_path)!r})))\n"
        "print(*sorted({'sqlglot', 'dal_audit.extract.sql.patterns',"
        " 'dal_audit.extract.sql.tokens'} & sys.modules.keys()))\n"
    )
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


PIECES = st.sampled_from(
    [
        *" (),;.\n'\"`[]:?$@%-/*{}\\",
        "CREATE TABLE t ",
        "$$",
        "BEGIN",
        "END",
        "DEFAULT ",
        "SELECT ",
        "x",
    ]
)


@given(st.one_of(st.binary(), st.lists(PIECES).map(lambda parts: "".join(parts).encode())))
def test_any_bytes_are_read(data: bytes) -> None:
    for fact in script_facts(data):
        assert isinstance(fact, NotUnderstood | SqlStatement)


# Divergences, as scripts that were run on both engines show them

SCRIPTS = tomli.loads(
    (Path(__file__).parent / "data" / "divergence.toml").read_text(encoding="utf-8")
)["script"]
NEWEST = '[backend-versions]\nsqlite = "3.54"\npostgresql = "18"\n'


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script["name"])
def test_divergence_is_silent_where_there_is_none(script: dict[str, str], tmp_path: Path) -> None:
    rules = {rule for rule, _ in found(tmp_path, script["sql"], NEWEST)} - {"DAL310"}
    if script["shows"] == "same":
        assert rules == set()
    if script["shows"] == "loud":
        assert "DAL309" not in rules


def test_most_divergences_show_in_the_text(tmp_path: Path) -> None:
    silent = [one for one in SCRIPTS if one["shows"] in {"differs", "fails-later"}]
    unseen = [
        one["name"]
        for one in silent
        if {rule for rule, _ in found(tmp_path / one["name"], one["sql"], NEWEST)} <= {"DAL310"}
    ]
    assert len(silent) == 57
    assert len(unseen) <= 10, unseen


# The catalogue


def test_each_row_belongs_to_a_rule_about_sql() -> None:
    rules = {row.rule: find_rule(row.rule) for row in features()}
    assert all(rule is not None and rule.id.startswith("DAL3") for rule in rules.values())
    assert {row.cure == "" for row in features()} == {False}
    assert [row.cure for row in features() if not row.cure.endswith(".")] == []
