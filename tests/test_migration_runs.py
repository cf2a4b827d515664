"""What is said of the runs of migrations: the messages, the backends, the cures, the severities."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from dal_audit.assemble import second_runs
from dal_audit.audit import audit
from dal_audit.extract import parallel
from dal_audit.judge.breach import Finding
from dal_audit.policy.request import Request

BOTH = 'backends = ["sqlite", "postgresql"]\n'
GUARD_COLUMN = "Write `ADD COLUMN IF NOT EXISTS`."


def found(root: Path, files: dict[str, str], rule: str, settings: str = BOTH) -> list[Finding]:
    """Return the open findings of one rule in a project of migrations."""
    (root / "dal-audit.toml").write_text(settings, encoding="utf-8")
    for name, text in files.items():
        path = root / "migrations" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return list(audit(Request(folder=root, select=(rule,))).open)


def test_one_statement_is_one_finding_on_all_backends(tmp_path: Path) -> None:
    (finding,) = found(tmp_path, {"0001_a.sql": "CREATE TABLE t (\n  a INTEGER\n);\n"}, "DAL404")
    assert finding.breach.message == (
        "a second run fails on SQLite and PostgreSQL: `t` stands already"
    )
    assert finding.breach.fails_later_on == ("sqlite", "postgresql")
    assert finding.severity == "error"
    assert finding.remedy == "Write `IF NOT EXISTS`."
    span = finding.place.span
    assert (span.line, span.column, span.end_column) == (1, 14, 15)


@pytest.mark.parametrize("backend", ["sqlite", "postgresql"])
def test_the_cure_is_the_backends_own(tmp_path: Path, backend: str) -> None:
    text = "ALTER TABLE t ADD COLUMN a TEXT;"
    (finding,) = found(tmp_path, {"0001_a.sql": text}, "DAL404", f'backends = ["{backend}"]\n')
    assert finding.breach.fails_later_on == (backend,)
    assert (finding.remedy == GUARD_COLUMN) == (backend == "postgresql")
    assert ("SQLite has no `IF NOT EXISTS` here." in finding.remedy) == (backend == "sqlite")


def test_a_change_of_data_is_a_warning_and_one_of_the_schema_an_error(tmp_path: Path) -> None:
    text = (
        "CREATE TABLE IF NOT EXISTS log (line TEXT);\n"
        "INSERT INTO log (line) VALUES ('begun');\n"
        "CREATE INDEX ON log (line);\n"
    )
    data, schema = found(tmp_path, {"0001_a.sql": text}, "DAL404", 'backends = ["postgresql"]\n')
    assert (data.severity, data.breach.fails_later_on) == ("warning", ())
    assert data.breach.message == (
        "a second run changes data on PostgreSQL: the rows are put into `log` once more"
    )
    assert (schema.severity, schema.breach.fails_later_on) == ("error", ())
    assert schema.breach.message == (
        "a second run changes the schema on PostgreSQL:"
        " the same index is made once more, as `log_line_idx1`"
    )


def test_what_a_later_migration_took_away_is_said_once_a_migration(tmp_path: Path) -> None:
    files = {
        "0001_a.sql": "CREATE TABLE IF NOT EXISTS t (a TEXT, b TEXT);",
        "0002_b.sql": "UPDATE t SET a = 'x' WHERE b = 'y';\nUPDATE t SET a = 'z' WHERE b = 'w';",
        "0003_c.sql": "CREATE TABLE n (a TEXT);\nDROP TABLE t;\nALTER TABLE n RENAME TO t;",
    }
    (finding,) = found(tmp_path, files, "DAL404")
    assert (finding.place.path, finding.place.span.line) == ("migrations/0002_b.sql", 1)
    assert finding.breach.message == (
        "a second run of all migrations fails on SQLite and PostgreSQL: `t` has no column `b`"
    )


def test_what_is_left_is_told_with_the_statement_that_made_it(tmp_path: Path) -> None:
    files = {
        "0001_a.up.sql": "CREATE TABLE IF NOT EXISTS t (a TEXT);\n"
        "ALTER TABLE u ADD COLUMN b TEXT, ADD COLUMN c TEXT;\n",
        "0001_a.down.sql": "DROP TABLE IF EXISTS other;\n",
    }
    left, several = found(tmp_path, files, "DAL403", 'backends = ["postgresql"]\n')
    assert left.breach.message == "the down leaves the table `t` on PostgreSQL"
    assert left.severity == "error"
    assert several.breach.message == (
        "the down leaves the column `b` of `u`, and 1 more on PostgreSQL"
    )


def test_what_comes_back_as_another_is_a_warning(tmp_path: Path) -> None:
    files = {
        "0001_a.up.sql": "CREATE TABLE IF NOT EXISTS t (a TEXT, b INTEGER);\n",
        "0001_a.down.sql": "DROP TABLE t;\n",
        "0002_b.up.sql": "ALTER TABLE t DROP COLUMN b;\n",
        "0002_b.down.sql": "ALTER TABLE t ADD COLUMN b INTEGER NOT NULL DEFAULT 0;\n",
    }
    (finding,) = found(tmp_path, files, "DAL403")
    assert finding.breach.message == (
        "the down brings back the column `b` of `t` as another on SQLite and PostgreSQL"
    )
    assert finding.severity == "warning"


def test_a_down_that_is_not_there_is_another_rules_business(tmp_path: Path) -> None:
    files = {"0001_a.up.sql": "CREATE TABLE t (a TEXT);\n", "0001_a.down.sql": "-- nothing\n"}
    assert found(tmp_path, files, "DAL403") == []


def test_each_backend_has_its_own_set(tmp_path: Path) -> None:
    files = {
        "sqlite/0001_a.sql": "CREATE TABLE IF NOT EXISTS t (a TEXT);",
        "sqlite/0002_b.sql": "ALTER TABLE t ADD COLUMN b TEXT;",
        "postgres/0001_a.sql": "CREATE TABLE IF NOT EXISTS t (a TEXT);",
        "postgres/0002_b.sql": "ALTER TABLE t ADD COLUMN IF NOT EXISTS b TEXT;",
    }
    (finding,) = found(tmp_path, files, "DAL404")
    assert (finding.place.path, finding.breach.fails_later_on) == (
        "migrations/sqlite/0002_b.sql",
        ("sqlite",),
    )


def test_a_loss_names_what_goes(tmp_path: Path) -> None:
    files = {
        "0001_a.sql": "CREATE TABLE IF NOT EXISTS t (a TEXT, b TEXT);",
        "0002_b.sql": "ALTER TABLE t DROP COLUMN b;\nDROP TABLE IF EXISTS t;\n",
    }
    assert [finding.breach.message for finding in found(tmp_path, files, "DAL409")] == [
        "the column `b` of `t` goes with its values: no down can bring that back",
        "the table `t` goes with all its rows: no down can bring that back",
    ]


def test_what_fails_the_first_time_is_one_finding_on_all_backends(tmp_path: Path) -> None:
    text = "CREATE TABLE t (a TEXT);\nCREATE TABLE t (b TEXT);\n"
    (finding,) = found(tmp_path, {"0001_a.sql": text}, "DAL305")
    assert finding.breach.message == "SQLite and PostgreSQL reject this: `t` stands already"
    assert finding.breach.fails_on == ("sqlite", "postgresql")
    assert finding.remedy == "Choose another name, or write `IF NOT EXISTS`."
    again = found(tmp_path, {"0001_a.sql": text}, "DAL404")
    assert [later.place.span.line for later in again] == [1]


def test_each_backend_keeps_its_own_names(tmp_path: Path) -> None:
    text = 'CREATE TABLE "T" (a TEXT, "A" TEXT);\nCREATE TABLE t (b TEXT);\n'
    pair, table = found(tmp_path, {"0001_a.sql": text}, "DAL305")
    assert pair.breach.message == "SQLite rejects this: the table has two columns `A`"
    assert table.breach.message == "SQLite rejects this: names that differ in case are one name"


def test_a_file_that_is_no_migration_is_followed_by_itself(tmp_path: Path) -> None:
    (tmp_path / "dal-audit.toml").write_text(BOTH, encoding="utf-8")
    text = "CREATE TABLE t (a INT);\nDROP TABLE t;\nDROP TABLE t;\n"
    (tmp_path / "schema.sql").write_text(text, encoding="utf-8")
    request = Request(paths=("schema.sql",), folder=tmp_path, select=("DAL3", "DAL4"))
    (finding,) = audit(request).open
    assert finding.place.span.line == 3
    assert finding.breach.message == "SQLite and PostgreSQL reject this: `t` was dropped before"


MIXED = {
    "0001_a.sql": "CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT);\nCREATE INDEX t_b ON t (c);\n",
    "0002_b.up.sql": "INSERT INTO t (b) VALUES ('x');\nUPDATE t SET a = a + 1;\nDROP TABLE u;\n",
    "0002_b.down.sql": "DELETE FROM v;\n",
    "0003_c.sql": "CREATE VIEW w AS SELECT a, a / 2 FROM t;\nALTER TABLE t DROP COLUMN a;\n",
}


@pytest.mark.parametrize("folders", [("",), ("", "more/")])
def test_two_processes_find_what_one_finds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folders: tuple[str, ...]
) -> None:
    """Each engine's runs are a process's own where there are many; here a single one is many."""
    files = {folder + name: text for folder in folders for name, text in MIXED.items()}
    found(tmp_path, files, "DAL3")
    request = Request(folder=tmp_path, select=("DAL3", "DAL4"), cache=False)
    alone = audit(replace(request, jobs=1))
    forked: list[int] = []
    monkeypatch.setattr(parallel._Worker, "__init__", counted(forked))
    monkeypatch.setattr(second_runs, "WORTH_A_PROCESS", 1)
    assert audit(replace(request, jobs=2)).findings == alone.findings
    assert len(alone.findings) > 5 * len(folders)
    assert forked == [1] or sys.platform in {"darwin", "win32"}


def counted(forked: list[int]) -> Callable[..., None]:
    """Return what makes a worker, and notes that it made one."""
    make = parallel._Worker.__init__

    def made(worker: parallel._Worker[Any], *arguments: Any, **named: Any) -> None:
        forked.append(1)
        make(worker, *arguments, **named)

    return made
