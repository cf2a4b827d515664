"""Replays on real engines: the fixture, the documents' examples, and what must never happen."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from click.testing import CliRunner, Result

from dal_audit.audit import audit
from dal_audit.catalogue.rulebook import find_rule, rules
from dal_audit.commands.parser import cli
from dal_audit.policy.request import Request
from dal_audit.replay import server_process
from dal_audit.replay.database import EngineError
from dal_audit.replay.portable_types import default_of
from dal_audit.replay.postgresql import Postgresql
from dal_audit.replay.run import ReplayRequest, replay
from dal_audit.replay.scratch_database import PREFIX
from dal_audit.replay.sqlite import Sqlite
from dal_audit.replay.sqlite_schema import definition_of
from dal_audit.report.render import Report, render
from dal_audit.report.summary import verdicts
from tests.examples import Example, Mark, all_examples
from tests.processes import HANGING, wait_until

FIXTURE = Path(__file__).resolve().parent.parent / "fixtures" / "replay"
REPLAYED = {rule.id for rule in rules() if rule.proof == "replay"}
EXAMPLES = [
    one
    for one in all_examples()
    if (rule := find_rule(Path(one.document).stem)) is not None and rule.id in REPLAYED
]


def silent(_what: str, _done: int, _total: int) -> None:
    """Show no progress."""


def run(root: Path, *words: str, url: str = "") -> Result:
    """Run the command."""
    arguments = ["replay", str(root), "--color", "never", *words]
    return CliRunner().invoke(cli, arguments, env={"POSTGRES_TEST_URL": url})


def written(root: Path, **files: str) -> Path:
    """Write migrations into a folder: `up_1` and `down_1` for the first, and so on."""
    folder = root / "migrations"
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        side, _, number = name.partition("_")
        (folder / f"000{number}_step.{side}.sql").write_text(text, encoding="utf-8")
    return root


def left_on(url: str) -> list[str]:
    """Return the scratch databases on a server."""
    with psycopg.connect(url) as connection:
        rows = connection.execute("SELECT datname FROM pg_database").fetchall()
    return [name for (name,) in rows if name.startswith(PREFIX)]


# What it reports


@pytest.fixture(scope="module")
def replayed(server: str, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Report]:
    """Replay the fixture as a user would; return the text, and the findings behind it."""
    root = tmp_path_factory.mktemp("fixture") / "replay"
    shutil.copytree(FIXTURE, root, ignore=shutil.ignore_patterns("expected.*"))
    result = replay(ReplayRequest(folder=root, url=server), silent)
    text = f"{render(result.report, 'text')}\n{result.table}"
    assert left_on(server) == []
    return text, result.report


def test_the_fixture_is_replayed_as_it_is_kept(replayed: tuple[str, Report]) -> None:
    kept = FIXTURE / "expected.replay.txt"
    shown = re.sub(r"(SQLite|PostgreSQL) [\d.]+ *", lambda found: f"{found[1]:<12}", replayed[0])
    shown = re.sub(r"-{5,}  ", "-----  ", shown)
    if os.environ.get("UPDATE_EXPECTED"):
        kept.write_text(shown, encoding="utf-8")
        pytest.fail("rewritten")
    assert shown == kept.read_text(encoding="utf-8")


def test_a_set_that_passes_is_green_on_both_engines(server: str) -> None:
    result = run(FIXTURE / "passes", url=server)
    assert result.exit_code == 0, result.output
    assert re.search(r"passes +SQLite [\d.]+ +2 of 2 +2 of 2 +ok +ok +ok +same\n", result.stdout)
    assert re.search(r"PostgreSQL [\d.]+ +2 of 2 +2 of 2 +ok +ok +ok\n", result.stdout)
    assert "\r" not in result.output


ONE_SIDED = {
    # That the table which is put aside is another one the second time shows on engines alone.
    "replay": {("replay", "DAL404", "twice/0002_flags.up.sql")},
    "demo": set(),
    # Of a down that does nothing an audit says so (DAL402), a replay what that leaves behind.
    "migrations": {("replay", "DAL403", "berths/migrations/0009_pilots.up.sql")},
    # These do not apply, so that no engine can be asked about a second run.
    "portable": {
        ("audit", "DAL404", "migrations/0002_loans.sql"),
        ("audit", "DAL404", "migrations/0003_fines.sql"),
    },
}
"""What only an audit, or only a replay, says of the sets of a fixture."""


@pytest.mark.parametrize("name", sorted(ONE_SIDED))
def test_reading_and_running_agree(name: str, server: str) -> None:
    """What an audit of the text says of second runs and downs, the engines say, too."""
    folder = FIXTURE.parent / name
    reports = {
        "audit": audit(Request(folder=folder)),
        "replay": replay(ReplayRequest(str(folder), url=server), silent).report,
    }
    said = {
        by: {
            (one.rule.id, one.place.path.partition(f"fixtures/{name}/")[2])
            for one in report.open
            if one.rule.id in {"DAL403", "DAL404"} and one.severity == "error"
            if one.place.path.endswith(".sql")  # Migrations in Python are not replayed.
        }
        for by, report in reports.items()
    }
    one_sided = {("audit", *one) for one in said["audit"] - said["replay"]}
    one_sided |= {("replay", *one) for one in said["replay"] - said["audit"]}
    assert one_sided == ONE_SIDED[name]
    assert name != "replay" or len(said["replay"]) == 4


def test_no_clause_passes_by_a_run_that_did_not_come_that_far() -> None:
    result = replay(ReplayRequest(str(FIXTURE.parent / "portable"), on=("sqlite",)), silent)
    said = {found.clause.id: found.verdict for found in verdicts(result.report)}
    assert said["CX-DBP-011"] == "fail"
    assert said["CX-DBP-022A"] == said["CX-DBP-022B"] == "not audited"
    result = replay(ReplayRequest(str(FIXTURE / "passes"), on=("sqlite",)), silent)
    said = {found.clause.id: found.verdict for found in verdicts(result.report)}
    assert said["CX-DBP-022A"] == said["CX-DBP-022B"] == "pass"


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_an_example_that_only_a_replay_judges(
    example: Example, server: str, tmp_path: Path
) -> None:
    example.write(tmp_path)
    report = replay(ReplayRequest(str(tmp_path), url=server), silent).report
    marks: Counter[Mark] = Counter(
        {one: count for one, count in example.marks.items() if one.rule in REPLAYED}
    )
    assert example.compared(report, marks) == []


def test_there_are_examples_that_only_a_replay_judges() -> None:
    assert {mark.rule for one in EXAMPLES for mark in one.marks} == REPLAYED != set()


def test_a_suppression_in_a_migration_holds_for_a_replay(tmp_path: Path) -> None:
    text = "CREATE TABLE a (id TEXT); -- dal-audit: allow[not-replay-safe] the tool runs it once\n"
    root = written(tmp_path, up_1=text, down_1="DROP TABLE a;")
    result = run(root, "--on", "sqlite")
    assert (result.exit_code, "1 suppressed" in result.stdout) == (0, True), result.output


def test_a_failure_that_follows_hangs_on_its_cause(tmp_path: Path) -> None:
    root = written(tmp_path, up_1="CREATE TABLE a (;\nCREATE INDEX i ON a (id);\nSELEC 1;")
    (first, second) = replay(ReplayRequest(str(root), on=("sqlite",)), silent).report.open
    assert [first.place.span.line, second.place.span.line] == [1, 3]
    assert [one.place.span.line for one in first.breach.related] == [2]
    assert {first.rule.id, second.rule.id} == {"DAL311"}


def test_ups_that_come_back_otherwise_are_found(tmp_path: Path) -> None:
    up = "CREATE TABLE IF NOT EXISTS a (id TEXT); CREATE TABLE IF NOT EXISTS b (id TEXT);"
    more = "ALTER TABLE a ADD COLUMN note TEXT; ALTER TABLE a DROP COLUMN note;"
    root = written(tmp_path, up_1=up, down_1="DROP TABLE a; DROP TABLE b;", up_2=more, down_2="")
    result = run(root, "--on", "sqlite", "--format", "concise")
    assert "DAL403" not in result.output


# What is not replayed


def test_what_cannot_be_replayed_is_said_and_is_no_success(tmp_path: Path) -> None:
    versions = tmp_path / "migrations" / "versions"
    versions.mkdir(parents=True)
    (tmp_path / "migrations" / "script.py.mako").write_text("", encoding="utf-8")
    (versions / "a1_x.py").write_text(
        "revision = 'a1'\ndown_revision = None\ndef upgrade():\n    op.execute('SELECT 1')\n",
        encoding="utf-8",
    )
    result = run(tmp_path, "--on", "sqlite")
    assert result.exit_code == 2
    assert "there is no SQL migration set to replay" in result.output


def test_what_a_tool_fills_in_is_not_run_and_is_said(tmp_path: Path) -> None:
    text = "CREATE TABLE IF NOT EXISTS a (id TEXT);\nCREATE TABLE IF NOT EXISTS ${name} (id TEXT);"
    root = written(tmp_path, up_1=text, down_1="DROP TABLE a;")
    result = run(root, "--on", "sqlite")
    assert result.exit_code == 0, result.output
    assert "not run: a placeholder that a tool fills in (migrations/0001_step.up.sql:2)" in (
        result.stderr
    )


def test_what_only_a_replay_may_not_run_is_said_and_accuses_nobody(
    server: str, tmp_path: Path
) -> None:
    text = "CREATE EXTENSION IF NOT EXISTS vector;\nCREATE TABLE IF NOT EXISTS a (b no_such_type);"
    root = written(tmp_path, up_1=text, down_1="DROP TABLE IF EXISTS a;")
    result = run(root, "--on", "postgresql", url=server)
    assert "migrations/0001_step.up.sql:1, for a replay's role may not run it" in result.stderr
    assert "DAL" not in result.stdout.partition("0001_step")[2].partition("\n")[0]
    assert result.exit_code == 0, result.output


@pytest.mark.parametrize(
    ("words", "url", "said"),
    [
        (["--on", "oracle"], "", "there is no engine `oracle`"),
        ([], "postgresql://me:s3cr3t@127.0.0.1:1/x", "cannot be reached"),
        ([], "postgresql://me:s3cr3t@127.0.0.1:port/x", "is not one that"),
        ([], "s3cr3t", "is not one that"),
    ],
)
def test_an_engine_that_cannot_be_had_is_an_error(
    words: list[str], url: str, said: str, tmp_path: Path
) -> None:
    result = run(written(tmp_path, up_1="SELECT 1;"), *words, url=url)
    assert result.exit_code == 2
    assert said in result.output
    assert "s3cr3t" not in result.output
    assert "127.0.0.1" not in result.output


def test_a_database_that_holds_anything_is_refused(server: str) -> None:
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute("CREATE DATABASE full_one")
    address = psycopg.conninfo.make_conninfo(server, dbname="full_one")
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute("CREATE TABLE theirs (id int)")
    with pytest.raises(EngineError, match="not empty"):
        Postgresql(address, 5, is_shared=True)


# What a migration may not do


@pytest.mark.parametrize(
    "text",
    [
        "ATTACH 'stolen.db' AS other",
        "VACUUM INTO 'copy.db'",
        "SELECT load_extension('evil')",
        "PRAGMA temp_store_directory = '/'",
    ],
)
def test_sqlite_is_kept_from_files(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with closing(Sqlite(5)) as database:
        refusal = database.run(text)
    assert refusal is not None
    assert "not allowed" in refusal.message or "no such function" in refusal.message
    assert list(tmp_path.iterdir()) == []


def test_sqlite_may_tidy_itself_up() -> None:
    with closing(Sqlite(5)) as database:
        assert database.run("VACUUM") is None


def test_a_statement_without_end_is_ended(server: str) -> None:
    endless = (
        "WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT max(x) FROM n"
    )
    address = server_scratch(server)
    engines: list[Sqlite | Postgresql] = [Sqlite(0.3), Postgresql(address, 0.3, is_shared=True)]
    for engine in engines:
        refusal = engine.run(endless)  # It would never end by itself.
        assert refusal is not None
        assert refusal.message == "it took longer than 0.3 seconds"
        engine.close()


@pytest.mark.parametrize(
    "text",
    [
        "CREATE DATABASE mine",
        "COPY (SELECT 1) TO '/tmp/x'",
        "COPY a FROM PROGRAM 'id'",
        "-- a word\nALTER SYSTEM SET fsync = on",
        "CREATE ROLE anybody",
    ],
)
def test_postgresql_is_kept_to_its_database(text: str, server: str) -> None:
    database = Postgresql(server_scratch(server), 5, is_shared=True)
    refusal = database.run(text)
    database.close()
    assert refusal is not None
    assert "not allowed in a replay" in refusal.message


def test_a_lock_is_taken_as_in_a_tool_s_transaction(server: str) -> None:
    database = Postgresql(server_scratch(server), 5, is_shared=True)
    assert database.run("CREATE TABLE a (id int)") is None
    assert database.run("LOCK TABLE a IN EXCLUSIVE MODE") is None
    database.close()


def server_scratch(server: str) -> str:
    """Return the address of a database on the test's own server that is not dropped."""
    name = f"empty_{secrets.token_hex(6)}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE template0".encode())
    return psycopg.conninfo.make_conninfo(server, dbname=name)


# Killed at any moment


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_killed_it_leaves_no_database_behind(
    number: signal.Signals, server: str, tmp_path: Path
) -> None:
    root = written(tmp_path, up_1="SELECT pg_sleep(60);")
    process = started(root, server)
    wait_until(lambda: left_on(server))
    time.sleep(0.2)
    process.send_signal(number)
    assert process.wait(HANGING) != 0
    wait_until(lambda: not left_on(server))
    assert running_below(process.pid) == []


def test_killed_it_leaves_no_server_behind(tmp_path: Path) -> None:
    root = written(tmp_path, up_1="SELECT pg_sleep(60);")
    before = set(folders())
    process = started(root, "")
    own = f"{server_process.FOLDER}*/data/postmaster.pid"
    wait_until(
        lambda: [
            one for one in Path(tempfile.gettempdir()).glob(own) if one.parents[1] not in before
        ],
    )
    process.kill()
    process.wait(HANGING)
    wait_until(lambda: not set(folders()) - before)
    assert running_below(process.pid) == []


def test_what_a_killed_keeper_left_is_cleared_by_the_next(server: str, tmp_path: Path) -> None:
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {PREFIX}dead_0".encode())
    result = run(written(tmp_path, up_1="SELECT 1;"), "--on", "postgresql", url=server)
    assert result.exit_code == 0, result.output
    assert left_on(server) == []


def started(root: Path, url: str) -> subprocess.Popen[bytes]:
    """Start a replay on PostgreSQL that takes long, as a process."""
    return subprocess.Popen(
        [sys.executable, "-m", "dal_audit", "replay", str(root), "--on", "postgresql"],
        env={**os.environ, "POSTGRES_TEST_URL": url},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def folders() -> list[Path]:
    """Return the folders of servers that replays have started."""
    return list(Path(tempfile.gettempdir()).glob(f"{server_process.FOLDER}*"))


def running_below(pid: int) -> list[str]:
    """Return what the processes that a process had started run, of those that still do."""
    shown = subprocess.run(
        ["ps", "-A", "-o", "ppid=,args="], capture_output=True, text=True, check=True
    ).stdout
    return [line for line in shown.splitlines() if line.split()[0] == str(pid)]


# In portable terms


@pytest.mark.parametrize(
    ("sqlite", "postgresql"),
    [
        ("'new'", "'new'::text"),
        ("'new'", "'new'::character varying(20)"),
        ("1", "true"),
        ("TRUE", "true"),
        ("1.50", "1.5"),
        ("-1", "'-1'::integer"),
        ("(1)", "1"),
        ("CURRENT_TIMESTAMP", "CURRENT_TIMESTAMP"),
        ("NULL", "NULL::character varying"),
        (None, "nextval('a_id_seq'::regclass)"),
        ("'it''s ::text'", "'it''s ::text'::text"),
        ("''", "''::text"),
    ],
)
def test_defaults_that_mean_the_same(sqlite: str | None, postgresql: str) -> None:
    assert default_of(sqlite) == default_of(postgresql)


@pytest.mark.parametrize(
    ("one", "other"),
    [("'a'", "'A'"), ("0", "1"), (None, "''"), ("0", None), ("(1) + (2)", "1 + 2")],
)
def test_defaults_that_differ(one: str | None, other: str | None) -> None:
    assert default_of(one) != default_of(other)


def test_a_copy_of_a_table_that_is_only_spelled_otherwise_is_the_same() -> None:
    made = "CREATE TABLE t (a BOOLEAN DEFAULT true NOT NULL, FOREIGN KEY (a) REFERENCES u (id))"
    copied = (
        'CREATE TABLE "t" (a BOOLEAN DEFAULT (true) NOT NULL, '
        "CONSTRAINT t_a FOREIGN KEY (a) REFERENCES u (id))"
    )
    assert definition_of(made) == definition_of(copied)
    assert definition_of(made) != definition_of(copied.replace("(true)", "(false)"))
    assert definition_of(made) != definition_of(copied.replace("(true)", "(1 + 0)"))
