"""The command that writes downs: into each tool's own layout, only what is proved, and never half."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from dal_audit.audit import audit
from dal_audit.policy.request import Request
from tests.invocation import run
from tests.trial_runs import begin, put, run_in_process

UP = "CREATE TABLE IF NOT EXISTS t (a TEXT NOT NULL PRIMARY KEY);\n"
DOWN = "DROP TABLE IF EXISTS t;\n"

LAYOUTS: dict[str, tuple[dict[str, str], str, str]] = {
    "dbmate": ({"1_a.sql": f"-- migrate:up\n{UP}"}, "1_a.sql", f"\n-- migrate:down\n{DOWN}"),
    "goose": ({"1_a.sql": f"-- +goose Up\n{UP}"}, "1_a.sql", f"\n-- +goose Down\n{DOWN}"),
    "sql-migrate": ({"1_a.sql": f"-- +migrate Up\n{UP}"}, "1_a.sql", f"\n-- +migrate Down\n{DOWN}"),
    "tern": (
        {"1_a.sql": UP},
        "1_a.sql",
        f"\n---- create above / drop below ----\n{DOWN}",
    ),
    "golang-migrate": ({"1_a.up.sql": UP}, "1_a.down.sql", DOWN),
    "plain": ({"1_a.sqlite.sql": UP}, "1_a.sqlite.down.sql", DOWN),
    "sqlx": ({"1_a.sql": UP}, "1_a.down.sql", DOWN),
    "diesel": ({"00000000000001_a/up.sql": UP}, "00000000000001_a/down.sql", DOWN),
    "prisma": ({"20250101000000_a/migration.sql": UP}, "20250101000000_a/down.sql", DOWN),
    "yoyo": ({"1_a.sql": UP}, "1_a.rollback.sql", DOWN),
    "flyway": ({"V1__a.sql": UP}, "U1__a.sql", DOWN),
    "sqlalchemy-migrate": ({"001_sqlite_upgrade.sql": UP}, "001_sqlite_downgrade.sql", DOWN),
    "sqitch": (
        {"sqitch.plan": "%project=p\n\na 2025-01-01T00:00:00Z a <a@b.c> # a\n", "deploy/a.sql": UP},
        "revert/a.sql",
        DOWN,
    ),
    "liquibase": (
        {"1_a.sql": f"--liquibase formatted sql\n--changeset me:1\n{UP}"},
        "1_a.sql",
        f"--rollback {DOWN}",
    ),
}
"""The files of a set, and where its down goes: after what stands there already."""


@pytest.fixture(autouse=True)
def _in_process(monkeypatch: pytest.MonkeyPatch) -> None:
    run_in_process(monkeypatch)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A repository without a commit: nothing in it was released."""
    begin(tmp_path, 'backends = ["sqlite"]\n')
    return tmp_path


def rules_at(root: Path, folder: str = "") -> set[str]:
    """Return the rules that find something in a folder."""
    report = audit(Request(folder=root))
    return {own.rule.id for own in report.open if own.place.path.startswith(folder)}


def test_each_tool_finds_its_down(root: Path) -> None:
    sets = "".join(f'[[migrations]]\npath = "{tool}"\ntool = "{tool}"\n' for tool in LAYOUTS)
    put(root, "dal-audit.toml", f'backends = ["sqlite"]\n{sets}')
    for tool, (files, _, _) in LAYOUTS.items():
        for path, text in files.items():
            put(root, f"{tool}/{path}", text)
    answer = run(root, "fix", "--downs")
    assert answer.exit_code == 0, answer.output
    assert answer.stderr == f"Wrote {len(LAYOUTS)} downs in {len(LAYOUTS)} files.\n"
    for tool, (files, path, added) in LAYOUTS.items():
        assert (root / tool / path).read_text() == files.get(path, "") + added, tool
        assert not rules_at(root, f"{tool}/") & {"DAL402", "DAL403", "DAL408"}, tool
    assert run(root, "fix", "--downs").stderr == "Wrote 0 downs in 0 files.\n"


def test_a_diff_shows_and_writes_nothing(root: Path) -> None:
    put(root, "migrations/1_a.up.sql", UP)
    answer = run(root, "fix", "--downs", "--diff")
    assert answer.exit_code == 1
    assert answer.stdout == (f"--- /dev/null\n+++ migrations/1_a.down.sql\n@@ -0,0 +1 @@\n+{DOWN}")
    assert not (root / "migrations/1_a.down.sql").exists()


def test_what_is_not_proved_is_written_only_where_asked_for_and_says_why(root: Path) -> None:
    put(root, "migrations/1_a.up.sql", UP)
    put(root, "migrations/2_b.up.sql", "INSERT INTO t VALUES ('a');\nCREATE VIEW v AS SELECT 1;\n")
    put(root, "migrations/3_c.up.sql", "DELETE FROM t;\n")
    answer = run(root, "fix", "--downs")
    assert answer.exit_code == 1
    assert answer.stderr == (
        "note: `3_c.up.sql` is not taken back by any statement\n"
        "note: the down of `2_b.up.sql` is written with `--unsafe-fixes` only: on SQLite its up does"
        " not run after it: UNIQUE constraint failed: t.a\n"
        "Wrote 1 down in 1 file.\n"
    )
    run(root, "fix", "--downs", "--unsafe-fixes")
    assert (root / "migrations/2_b.down.sql").read_text() == (
        "-- Look at this before it is run: on SQLite its up does not run after it: UNIQUE constraint"
        " failed: t.a.\n"
        "DROP VIEW IF EXISTS v;\n"
        "-- Rows are not taken back: `INSERT INTO t VALUES ('a')`.\n"
    )


def test_an_engine_that_is_not_there_proves_nothing(root: Path) -> None:
    put(root, "dal-audit.toml", 'backends = ["sqlite", "postgresql"]\n')
    put(root, "migrations/1_a.up.sql", UP)
    reason = "on PostgreSQL it was not tried: there is no PostgreSQL"
    assert reason in run(root, "fix", "--downs").stderr
    assert run(root, "fix", "--downs", "--on", "sqlite").exit_code == 0
    assert (root / "migrations/1_a.down.sql").read_text() == DOWN


def test_a_section_is_not_added_to_a_file_that_may_be_released(root: Path) -> None:
    file = put(root, "migrations/1_a.sql", f"-- migrate:up\n{UP}")
    who = ("-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")
    for words in (("add", "-A"), ("commit", "-qm", "a")):
        subprocess.run(["git", *who, *words], cwd=root, check=True)
    before = file.read_text()
    assert "may be released" in run(root, "fix", "--downs").stderr
    assert file.read_text() == before
    run(root, "fix", "--downs", "--unsafe-fixes")
    assert file.read_text() == f"{before}\n-- migrate:down\n{DOWN}"


def test_bytes_stay_and_a_down_that_does_nothing_is_gone_on_with(root: Path) -> None:
    up = f"\ufeff-- migrate:up\r\n{UP.strip()} -- é\r\n\r\n-- migrate:down\r\n-- nothing\r\n\r\n"
    file = put(root, "migrations/1_a.sql", up)
    assert run(root, "fix", "--downs").exit_code == 0
    expected = up.replace("-- nothing\r\n", f"-- nothing\r\n{DOWN.strip()}\r\n")
    assert file.read_bytes() == expected.encode()


def test_only_what_is_asked_for_is_written(root: Path) -> None:
    for name in ("1_a", "2_b"):
        put(root, f"migrations/{name}.up.sql", UP.replace(" t ", f" {name[2]} "))
    assert run(root, "fix", "--downs", "migrations/2_b.up.sql").exit_code == 0
    assert not (root / "migrations/1_a.down.sql").exists()
    assert (root / "migrations/2_b.down.sql").exists()


def test_statements_that_hold_the_delimiter_are_marked(root: Path) -> None:
    trigger = "CREATE TRIGGER g AFTER INSERT ON t BEGIN DELETE FROM t; END"
    put(root, "migrations/1_a.sql", f"-- +goose Up\n{UP}-- +goose StatementBegin\n{trigger};\n"
        f"-- +goose StatementEnd\n\n-- +goose Down\n{DOWN}")  # fmt: skip
    second = put(root, "migrations/2_b.sql", "-- +goose Up\nDROP TRIGGER g;\n")
    assert run(root, "fix", "--downs").exit_code == 0
    assert second.read_text().endswith(
        f"-- +goose Down\n-- +goose StatementBegin\n{trigger};\n-- +goose StatementEnd\n"
    )


def test_a_down_is_completed_above_the_comments_of_what_it_goes_before(root: Path) -> None:
    up = "CREATE TABLE u (a TEXT REFERENCES t (a));\nCREATE TABLE w (b INT);\n"
    put(root, "migrations/1_a.sql", f"-- migrate:up\n{UP}\n-- migrate:down\n{DOWN}")
    file = put(
        root, "migrations/2_b.sql", f"-- migrate:up\n{up}\n-- migrate:down\n-- first\nDROP TABLE u"
    )
    assert "DAL403" in rules_at(root)
    assert run(root, "fix", "--downs").exit_code == 0
    assert file.read_text().endswith(
        "-- migrate:down\nDROP TABLE IF EXISTS w;\n-- first\nDROP TABLE u"
    )
    assert "DAL403" not in rules_at(root)


def test_one_of_the_two_ways_is_asked_for(root: Path) -> None:
    for words in ((), ("--ask", "--downs")):
        answer = run(root, "fix", *words)
        assert answer.exit_code == 2
        assert "--downs, --ask or --extract-interface" in answer.stderr


def test_a_link_out_of_the_project_is_not_followed(root: Path, tmp_path_factory: Any) -> None:
    put(root, "db/deploy/a.sql", UP)
    put(root, "db/sqitch.plan", "%project=p\n\na 2025-01-01T00:00:00Z a <a@b.c> # a\n")
    (root / "db/revert").symlink_to(tmp_path_factory.mktemp("elsewhere"))
    answer = run(root, "fix", "--downs")
    assert answer.exit_code == 2
    assert "leads out of the project" in answer.stderr
