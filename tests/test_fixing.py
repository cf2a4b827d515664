"""Fixing: what is written, what is left alone, and what is said about it."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from click.testing import CliRunner, Result

from dal_audit.audit import audit
from dal_audit.catalogue.operations import ALEMBIC, forms
from dal_audit.catalogue.portability import feature_by_id, features
from dal_audit.catalogue.rulebook import find_rule, rules
from dal_audit.commands import fix as fix_module
from dal_audit.commands.fix import fixed, write_changes
from dal_audit.commands.fix_search import BROKEN
from dal_audit.commands.parser import cli
from dal_audit.extract.sql.scripts import statements_of
from dal_audit.fix.model import Fix
from dal_audit.fix.rewrite import amended
from dal_audit.fix.sql import fix_of
from dal_audit.policy.request import Request
from dal_audit.report.render import Report
from tests.examples import Example
from tests.sampling import examples
from tests.test_cli import Answer, run

MIGRATION = "migrations/0001_init.up.sql"
OLD = "CREATE TABLE IF NOT EXISTS t (id TEXT NOT NULL PRIMARY KEY, a CLOB);\n"
NEW = "CREATE TABLE IF NOT EXISTS t (id TEXT NOT NULL PRIMARY KEY, a TEXT);\n"
UNSAFE = OLD.replace("t (", "u (").replace("CLOB", "DATETIME")
ACCEPTED = "CREATE TABLE IF NOT EXISTS w (a CLOB);  -- dal-audit: allow[backend-only-type] wanted\n"
UNUSED = "x = 1  # dal-audit: allow[driver-import] it was here\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project in a repository without a commit: nothing in it was released."""
    git(tmp_path, "init", "-q")
    put(tmp_path, MIGRATION, OLD + UNSAFE + ACCEPTED)
    put(tmp_path, "app/a.py", UNUSED)
    return tmp_path


def put(root: Path, path: str, text: str | bytes) -> Path:
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return file


def git(root: Path, *words: str) -> None:
    who = ("-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")
    subprocess.run(("git", *who, *words), cwd=root, check=True, capture_output=True)


def fix(root: Path, *words: str) -> Answer:
    return run(root, "--no-cache", "--fix", "--format", "concise", *words)


def fix_here(root: Path, *paths: str, unsafe: bool = False) -> None:
    """Fix without a process of its own."""
    write_changes(fixed(Request(folder=root, paths=paths or (".",)), unsafe=unsafe).changes)


def test_safe_fixes_are_applied_and_the_rest_is_reported(project: Path) -> None:
    answer = fix(project)
    assert (project / MIGRATION).read_text() == NEW + UNSAFE + ACCEPTED
    assert (project / "app/a.py").read_text() == "x = 1\n"
    assert answer.returncode == 1
    assert answer.stderr == "Fixed 2 findings in 2 files.\n"
    assert "the type `DATETIME`" in answer.stdout
    assert "1 fixable with `--fix --unsafe-fixes`." in answer.stdout
    assert "CLOB" not in answer.stdout


def test_unsafe_fixes_are_applied_when_asked_for(project: Path) -> None:
    answer = fix(project, "--unsafe-fixes", "--select", "DAL101,DAL304,DAL903")
    text = NEW + UNSAFE.replace("DATETIME", "TIMESTAMP") + ACCEPTED
    assert (project / MIGRATION).read_text() == text
    assert answer.returncode == 0
    assert "No findings" in answer.stdout
    assert fix(project, "--unsafe-fixes").stderr == "Fixed 0 findings in 0 files.\n"


def test_a_diff_changes_nothing_and_is_what_fixing_changes(project: Path) -> None:
    before = {path: (project / path).read_bytes() for path in (MIGRATION, "app/a.py")}
    answer = run(project, "--no-cache", "--diff")
    assert answer.returncode == 1
    assert {path: (project / path).read_bytes() for path in before} == before
    (project / "changes.diff").write_bytes(answer.stdout.encode())
    assert run(project, "--no-cache", "--diff", "--exit-zero").returncode == 0
    fix(project)
    after = {path: (project / path).read_bytes() for path in before}
    for path, data in before.items():
        (project / path).write_bytes(data)
    git(project, "apply", "-p0", "changes.diff")
    assert {path: (project / path).read_bytes() for path in before} == after
    again = run(project, "--no-cache", "--diff")
    assert (again.returncode, again.stdout, again.stderr) == (0, "", "")


def test_a_diff_of_a_text_without_a_last_line_end_can_be_applied(project: Path) -> None:
    data = b"\xef\xbb\xbfx = 1\r\n# dal-audit: allow[driver-import] it was here"
    file = put(project, "app/a.py", data)
    answer = run(project, "--no-cache", "--diff", "app/a.py")
    assert answer.stdout.count("\\ No newline at end of file\n") == 2
    fix(project, "app/a.py")
    assert file.read_bytes() == b"\xef\xbb\xbfx = 1"


def test_a_diff_is_no_report(project: Path) -> None:
    answer = run(project, "--diff", "--format", "json")
    assert (answer.returncode, answer.stdout) == (2, "")
    assert "--diff" in answer.stderr


def test_only_what_is_asked_for_is_changed(project: Path) -> None:
    assert fix(project, "app").stderr == "Fixed 1 finding in 1 file.\n"
    assert (project / MIGRATION).read_text() == OLD + UNSAFE + ACCEPTED
    assert fix(project, "--select", "DAL9").returncode == 0
    assert (project / MIGRATION).read_text() == OLD + UNSAFE + ACCEPTED


def test_reports_for_programs_stay_clean(project: Path) -> None:
    answer = run(project, "--no-cache", "--fix", "--format", "json")
    assert answer.stdout.startswith("{")
    assert run(project, "--no-cache", "--fix", "-q").stderr == ""


# One at a time


def asked(root: Path, answers: str, *words: str) -> Result:
    before = Path.cwd()
    os.chdir(root)
    try:
        return CliRunner().invoke(cli, ["fix", "--ask", *words], input=answers)
    finally:
        os.chdir(before)


@pytest.mark.parametrize(
    ("answers", "mended", "count"),
    [
        ("y\nn\n", (0,), 2),
        ("n\ny\n", (1,), 2),
        ("what\ny\ny\n", (0, 1), 2),
        ("a\n", (0, 1), 1),
        ("s\n", (), 1),
        ("q\n", (), 1),
        ("", (), 1),
    ],
)
def test_each_fix_is_asked_about(
    tmp_path: Path, answers: str, mended: tuple[int, ...], count: int
) -> None:
    git(tmp_path, "init", "-q")
    old = [OLD.replace(" t ", f" {name} ") for name in ("one", "two")]
    file = put(tmp_path, MIGRATION, "".join(old))
    answer = asked(tmp_path, answers)
    expected = [text.replace("CLOB", "TEXT") if n in mended else text for n, text in enumerate(old)]
    assert file.read_text() == "".join(expected)
    assert answer.stdout.count("DAL304 backend-only-type") == count
    assert f"Fixed {len(mended)} finding" in answer.stderr
    assert answer.exit_code == 1  # Its down is missing.


def test_what_an_unsafe_fix_is_called(project: Path) -> None:
    answer = asked(project, "n\n" * 9, "--unsafe-fixes", "migrations")
    assert "(unsafe: it may mean something else)" in answer.stdout
    assert "+CREATE TABLE IF NOT EXISTS t (id TEXT NOT NULL PRIMARY KEY, a TEXT);" in answer.stdout


# Released migrations


def test_a_migration_of_the_last_commit_is_released(project: Path) -> None:
    git(project, "add", MIGRATION)
    assert run(project, "--no-cache", "--diff", "migrations").returncode == 1  # staged only
    git(project, "commit", "-qm", "x")
    put(project, "migrations/0002_more.up.sql", OLD)
    assert fix(project, "migrations").stderr == "Fixed 1 finding in 1 file.\n"
    assert (project / MIGRATION).read_text() == OLD + UNSAFE + ACCEPTED
    assert (project / "migrations/0002_more.up.sql").read_text() == NEW
    fix(project, "migrations", "--unsafe-fixes")
    assert (project / MIGRATION).read_text().startswith(NEW)


def test_what_a_branch_alone_has_is_released_by_its_tag(project: Path) -> None:
    git(project, "branch", "-m", "main")
    git(project, "add", MIGRATION)
    git(project, "commit", "-qm", "x")
    git(project, "switch", "-qc", "more")
    more = put(project, "migrations/0002_more.up.sql", OLD)
    git(project, "add", "migrations")
    git(project, "commit", "-qm", "y")
    git(project, "tag", "v1")
    fix_here(project, "migrations")
    assert more.read_text() == OLD
    git(project, "tag", "-d", "v1")
    fix_here(project, "migrations")
    assert more.read_text() == NEW
    assert (project / MIGRATION).read_text() == OLD + UNSAFE + ACCEPTED


def test_a_released_migration_gets_no_guard(project: Path) -> None:
    bare = OLD.replace("IF NOT EXISTS ", "")
    file = put(project, MIGRATION, bare)
    git(project, "add", MIGRATION)
    git(project, "commit", "-qm", "x")
    fix_here(project, "migrations", unsafe=True)
    assert file.read_text() == bare.replace("CLOB", "TEXT")


def test_without_a_repository_no_migration_is_known_to_be_new(tmp_path: Path) -> None:
    put(tmp_path, MIGRATION, OLD)
    put(tmp_path, "queries/all.sql", "UPDATE t SET a = 1 WHERE b == 2;\n")
    assert fix(tmp_path).stderr == "Fixed 0 findings in 0 files.\n"
    assert (tmp_path / MIGRATION).read_text() == OLD
    fix(tmp_path, "queries/all.sql")
    assert (tmp_path / "queries/all.sql").read_text() == "UPDATE t SET a = 1 WHERE b = 2;\n"


# Files


def test_permissions_stay(project: Path) -> None:
    file = project / "app/a.py"
    file.chmod(0o750)
    fix(project)
    assert stat.S_IMODE(file.stat().st_mode) == 0o750
    assert sorted(one.name for one in file.parent.iterdir()) == ["a.py"]


def test_nothing_is_written_where_a_file_is_read_only(project: Path) -> None:
    (project / "app/a.py").chmod(0o444)
    answer = fix(project)
    assert answer.returncode == 2
    assert "`app/a.py` is read-only" in answer.stderr
    assert (project / MIGRATION).read_text() == OLD + UNSAFE + ACCEPTED
    assert run(project, "--no-cache", "--diff").returncode == 1


def test_nothing_is_written_where_a_file_was_changed_meanwhile(project: Path) -> None:
    result = fixed(Request(folder=project))
    put(project, "app/a.py", "y = 2\n")
    with pytest.raises(ValueError, match="changed meanwhile"):
        write_changes(result.changes)
    assert (project / MIGRATION).read_text() == OLD + UNSAFE + ACCEPTED


def test_a_link_out_of_the_project_is_not_followed(
    project: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    target = put(tmp_path_factory.mktemp("elsewhere"), "b.py", UNUSED)
    (project / "app/b.py").symlink_to(target)
    answer = fix(project, "app")
    assert "`app/b.py` cannot be fixed: it is a link that leads out" in answer.stderr
    assert answer.returncode == 1
    assert target.read_text() == UNUSED
    assert (project / "app/a.py").read_text() == "x = 1\n"


REVISION = """\
import sqlalchemy as sa
from alembic import op

revision = "1a"
down_revision = None


def upgrade():
    op.create_table(
        "jobs",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("made", sa.DateTime(), server_default=sa.text("now()")),
        sa.Column("seen", sa.DateTime(), server_default=sa.text("(now())"), onupdate=sa.func.now()),
        sa.Column("kind", sa.String(9), server_default=sa.text("'now()'")),
        if_not_exists=True,
    )


def downgrade():
    op.drop_table("jobs", if_exists=True)
"""


def test_what_an_operation_has_in_several_columns_is_fixed_in_each(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    put(tmp_path, "dal-audit.toml", '[[migrations]]\npath = "migrations"\n')
    revision = put(tmp_path, "migrations/versions/1a_jobs.py", REVISION)
    fix_here(tmp_path)
    written = REVISION.replace('sa.text("now()")', "sa.func.now()")
    assert revision.read_text() == written.replace('sa.text("(now())")', "sa.func.now()")


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "gbk"])
def test_encodings_stay(project: Path, encoding: str) -> None:
    text = f"# coding: {encoding}\nx = '§'\n{UNUSED}"
    file = put(project, "app/a.py", text.encode(encoding))
    fix(project)
    assert file.read_bytes() == text.replace(UNUSED, "x = 1\n").encode(encoding)


def test_a_password_is_not_shown(project: Path) -> None:
    url = 'URL = "postgresql://me:s3cret-€word@db/x"'
    put(project, "app/a.py", f"{url}  # dal-audit: allow[driver-import] it was here\n{UNUSED}")
    answer = run(project, "--no-cache", "--diff", "app")
    assert "postgresql://me:" in answer.stdout
    assert "s3cret" not in answer.stdout
    fix(project)
    assert (project / "app/a.py").read_text() == f"{url}\nx = 1\n"


# Suppressions


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("x = 1  # dal-audit: allow[raw-sql] a\n", "x = 1\n"),
        ("x = 1  # dal-audit: allow[raw-sql] a  # noqa: E501\n", "x = 1  # noqa: E501\n"),
        ("x = 1  # type: ignore # dal-audit: allow[raw-sql] see #12\n", "x = 1  # type: ignore\n"),
        ("# dal-audit: allow[raw-sql] a\nx = 1\n", "x = 1\n"),
        ("if x:\n    # dal-audit: allow[raw-sql] a\n    y = 1\n", "if x:\n    y = 1\n"),
        ("# dal-audit: allow-file[raw-sql] a\n\nx = 1\n", "\nx = 1\n"),
        ("x = 1\n# dal-audit: allow[raw-sql] a", "x = 1"),
        ("x = 1  # dal-audit: allow[raw-sql, DAL103] a\n", "x = 1\n"),
        ("x = 1  # dal-audit: allow[raw-sql, DAL103, DAL104, DAL105] a\n", "x = 1\n"),
        (
            "import sqlite3  # dal-audit: allow[raw-sql, DAL101, DAL104] a\n",
            "import sqlite3  # dal-audit: allow[DAL101] a\n",
        ),
        (
            "import sqlite3  # dal-audit: allow[DAL101 , raw-sql] a\n",
            "import sqlite3  # dal-audit: allow[DAL101] a\n",
        ),
        (
            "import sqlite3  # dal-audit: allow[driver-import] a\n",
            "import sqlite3  # dal-audit: allow[driver-import] a\n",
        ),
    ],
)
def test_unused_suppressions_are_taken_out(project: Path, before: str, after: str) -> None:
    file = put(project, "app/a.py", before)
    fix_here(project)
    assert file.read_text() == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            "import sqlite3  # dal-audit: allow[driver-imprt] a\n",
            "import sqlite3  # dal-audit: allow[driver-import] a\n",
        ),
        ("x = 1  # dal-audit: allow[rule-of-tomorrow] a\n", "x = 1\n"),
    ],
)
def test_a_rule_that_is_not_known_is_left_to_a_person(
    project: Path, before: str, after: str
) -> None:
    file = put(project, "app/a.py", before)
    fix_here(project)
    assert file.read_text() == before
    fix_here(project, unsafe=True)
    assert file.read_text() == after


def test_a_rule_that_does_not_run_keeps_its_suppression(project: Path) -> None:
    fix(project, "--ignore", "DAL101")
    assert (project / "app/a.py").read_text() == UNUSED


# Placeholders


@pytest.mark.parametrize(
    ("style", "before", "safely", "unsafely"),
    [
        ("dollar", "a = ?1 AND b = ?2 AND c = ?1", "a = $1 AND b = $2 AND c = $1", None),
        ("dollar", "a = ?2 AND b = ?1", None, None),
        ("dollar", "a = ?1 AND b = ?3", None, None),
        ("dollar", "a = ? AND b = ?", None, "a = $1 AND b = $2"),
        ("dollar", "a = ?1 AND b = :b", None, None),
        ("dollar", "a = :a", None, None),
        ("numbered-question", "a = $1 AND b = $2", "a = ?1 AND b = ?2", None),
        ("question", "a = $1 AND b = $2", None, "a = ? AND b = ?"),
        ("question", "a = ?1 AND b = ?1", None, None),
    ],
)
def test_placeholders_keep_their_numbers(
    project: Path, style: str, before: str, safely: str | None, unsafely: str | None
) -> None:
    put(project, "dal-audit.toml", f'placeholder-style = "{style}"\n')
    file = put(project, "queries/q.sql", f"DELETE FROM t WHERE {before};\n")
    fix_here(project, "queries/q.sql")
    assert file.read_text() == f"DELETE FROM t WHERE {safely or before};\n"
    fix_here(project, "queries/q.sql", unsafe=True)
    assert file.read_text() == f"DELETE FROM t WHERE {safely or unsafely or before};\n"


def test_nothing_is_offered_for_backends_that_it_was_not_run_on() -> None:
    (statement,) = statements_of("DROP TABLE t RESTRICT")
    (construct,) = statement.constructs
    feature = feature_by_id()[construct.feature]
    assert fix_of(construct, feature, statement, ("sqlite", "postgresql"))
    assert fix_of(construct, feature, statement, ("sqlite", "mysql")) is None


@pytest.mark.parametrize(
    ("script", "kinds"),
    [
        ("CREATE TABLE t (a TINYINT PRIMARY KEY)", ["unsafe"]),
        ("CREATE TABLE t (a TINYINT, b INTEGER(11), PRIMARY KEY (A))", ["unsafe", "safe"]),
        ("ALTER TABLE t ADD COLUMN a TINYINT", ["safe"]),
        ("CREATE TABLE [t] (`A` TEXT)", ["safe", "unsafe"]),
        ("CREATE TABLE t (a TIMESTAMP DEFAULT (datetime('now')))", ["safe"]),
        ("CREATE TABLE t (a TEXT DEFAULT (datetime('now')))", ["unsafe"]),
        ("CREATE TABLE t (a TIMESTAMP DEFAULT now())", ["safe"]),
        ("CREATE TABLE t (a DATE DEFAULT now())", ["unsafe"]),
        ("CREATE TABLE t (a TIMESTAMP DEFAULT (now() + x))", []),
        ("CREATE TABLE t (a TIMESTAMP DEFAULT lower(now()))", ["safe", "unsafe"]),
        ("UPDATE t SET a = now()", ["unsafe"]),
        ("CREATE VIEW v AS SELECT ifnull(a, b) FROM t", ["unsafe"]),
        ("CREATE VIEW v AS SELECT a FROM t WHERE ifnull(a, b) = 1", ["safe"]),
        ("CREATE VIEW v AS SELECT `a` FROM t", ["safe"]),
    ],
)
def test_what_a_statement_declares_decides(tmp_path: Path, script: str, kinds: list[str]) -> None:
    put(tmp_path, "q.sql", f"{script};\n")
    found = audit(Request(folder=tmp_path, paths=("q.sql",))).findings
    assert [one.breach.fix.applicability for one in found if one.breach.fix] == kinds


# Guards

GUARDS: dict[str, tuple[str, str, str]] = {
    "a table": ("", "CREATE TABLE t (a INT)", "CREATE TABLE IF NOT EXISTS t (a INT)"),
    "an index": (
        "CREATE TABLE t (a INT)",
        "CREATE UNIQUE INDEX i ON t (a)",
        "CREATE UNIQUE INDEX IF NOT EXISTS i ON t (a)",
    ),
    "what goes": ("CREATE TABLE t (a INT)", "DROP TABLE t", "DROP TABLE IF EXISTS t"),
    "rows": (
        "CREATE TABLE t (a INT PRIMARY KEY)",
        "INSERT INTO t (a) VALUES (1), (2)",
        "INSERT INTO t (a) VALUES (1), (2) ON CONFLICT DO NOTHING",
    ),
}
"""What stands before, and a statement that fails the second time, without and with its guard."""

ON_POSTGRESQL: dict[str, tuple[str, str, str]] = {
    "a column": (
        "CREATE TABLE t (a INT)",
        "ALTER TABLE t ADD b INT, DROP COLUMN a",
        "ALTER TABLE t ADD IF NOT EXISTS b INT, DROP COLUMN IF EXISTS a",
    ),
    "a constraint": (
        "CREATE TABLE t (a INT CONSTRAINT c CHECK (a > 0))",
        "ALTER TABLE t DROP CONSTRAINT c",
        "ALTER TABLE t DROP CONSTRAINT IF EXISTS c",
    ),
    "a sequence": ("", "CREATE SEQUENCE q", "CREATE SEQUENCE IF NOT EXISTS q"),
    "a type": ("CREATE TYPE m AS ENUM ('a')", "DROP TYPE m", "DROP TYPE IF EXISTS m"),
    "without any": ("", "CREATE TYPE m AS ENUM ('a')", "CREATE TYPE m AS ENUM ('a')"),
}
ON_SQLITE: dict[str, tuple[str, str, str]] = {
    "a view": ("", "CREATE VIEW v AS SELECT 1", "CREATE VIEW IF NOT EXISTS v AS SELECT 1"),
    "without any": (
        "CREATE TABLE t (a INT)",
        "ALTER TABLE t ADD COLUMN b INT",
        "ALTER TABLE t ADD COLUMN b INT",
    ),
}


def guarded(root: Path, backends: str, case: tuple[str, str, str], name: str) -> str:
    """Return a migration after a fix; what stands before it is another one."""
    before, script, _ = case
    put(root, f"{name}/0001_before.up.sql", f"{before};\n")
    file = put(root, f"{name}/0002_it.up.sql", f"{script};\n")
    put(root, "dal-audit.toml", f"backends = {backends}\n")
    fix_here(root, f"{name}/0002_it.up.sql", unsafe=True)
    return file.read_text()


@pytest.mark.parametrize("what", GUARDS)
def test_a_statement_is_guarded_on_both_engines(project: Path, what: str) -> None:
    case = GUARDS[what]
    assert guarded(project, '["sqlite", "postgresql"]', case, "migrations") == f"{case[2]};\n"
    assert sqlite_takes_twice(case[0], case[2])
    assert not sqlite_takes_twice(case[0], case[1])


@pytest.mark.parametrize("what", ON_POSTGRESQL)
def test_a_statement_is_guarded_as_postgresql_takes_it(project: Path, what: str) -> None:
    case = ON_POSTGRESQL[what]
    assert guarded(project, '["postgresql"]', case, "migrations") == f"{case[2]};\n"


@pytest.mark.parametrize("what", ON_SQLITE)
def test_a_statement_is_guarded_as_sqlite_takes_it(project: Path, what: str) -> None:
    case = ON_SQLITE[what]
    assert guarded(project, '["sqlite"]', case, "migrations") == f"{case[2]};\n"
    assert sqlite_takes_twice(case[0], case[2]) == (what != "without any")


def sqlite_takes_twice(before: str, script: str) -> bool:
    """Return whether SQLite runs a statement a second time."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript(before)
        connection.execute(script)
        try:
            connection.execute(script)
        except sqlite3.Error:
            return False
        return True


def test_postgresql_takes_what_is_guarded_twice(server: str) -> None:
    with psycopg.connect(server, autocommit=True) as connection:
        for before, _, script in (*GUARDS.values(), *ON_POSTGRESQL.values()):
            if script.startswith("CREATE TYPE"):
                continue
            connection.execute("CREATE SCHEMA guarded; SET search_path = guarded")
            for text in filter(None, (before, script, script)):
                connection.execute(text.encode())
            connection.execute("DROP SCHEMA guarded CASCADE")


def test_an_insert_is_guarded_only_where_asked_for(project: Path) -> None:
    """It passes over rows that clash the first time, too."""
    put(
        project,
        "migrations/0001_init.up.sql",
        "CREATE TABLE IF NOT EXISTS t (a INT PRIMARY KEY);\n",
    )
    script = "INSERT INTO t (a) VALUES (1);\n"
    file = put(project, "migrations/0002_rows.up.sql", script)
    fix_here(project)
    assert file.read_text() == script


# What is no better


def test_a_text_that_an_audit_finds_no_better_is_not_written(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither where the finding stays, nor where another one comes; other files are mended."""
    before = (project / MIGRATION).read_bytes()

    for old, new in ((b";", b" ;"), (b"CLOB", b"TINYBLOB DEFAULT now()")):

        def useless(
            data: bytes, fixes: list[Fix], *, is_script: bool, old: bytes = old, new: bytes = new
        ) -> bytes:
            mended = amended(data, fixes, is_script=is_script)
            return data.replace(old, new) if is_script else mended

        monkeypatch.setattr(fix_module, "amended", useless)
        result = fixed(Request(folder=project))
        assert [change.path for change in result.changes] == ["app/a.py"]
        assert result.refused
        assert all(f"`{MIGRATION}:" in own for own in result.refused)
        assert all("an audit of the new text would" in own for own in result.refused)
    assert (project / MIGRATION).read_bytes() == before


def test_what_the_other_engine_takes_no_more_is_no_better(project: Path) -> None:
    """One finding stands for the other; but databases had taken the statement."""
    views = "CREATE VIEW IF NOT EXISTS b AS SELECT 1 AS c;\nCREATE VIEW d AS SELECT c FROM b;\n"
    put(project, MIGRATION, views)
    file = put(project, "migrations/0002_drop.up.sql", "DROP VIEW b CASCADE;\n")
    result = fixed(Request(paths=("migrations",), folder=project, select=("DAL305",)), unsafe=True)
    assert "migrations/0002_drop.up.sql" not in [change.path for change in result.changes]
    assert any("the view cannot be dropped" in reason for reason in result.refused)
    assert file.read_text() == "DROP VIEW b CASCADE;\n"


def test_one_fix_that_is_no_better_does_not_keep_the_others_from_being_written(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is found by halves, refused by its place and with its reason, and by nothing else."""
    names = [f"t{number}" for number in range(7)]
    script = "".join(f"CREATE TABLE IF NOT EXISTS {name} (at DATETIME);\n" for name in names)
    file = put(project, MIGRATION, script)

    def spoilt(data: bytes, fixes: list[Fix], *, is_script: bool) -> bytes:
        lines = {edit.span.line for fix in fixes for edit in fix.edits}
        mended = amended(data, fixes, is_script=is_script)
        return mended + b"SELECT strftime('%Y', at) FROM t4;\n" if 5 in lines else mended

    monkeypatch.setattr(fix_module, "amended", spoilt)
    result = fixed(Request(paths=("migrations",), folder=project), unsafe=True)
    write_changes(result.changes)
    lines = file.read_text().splitlines()
    assert [number for number, line in enumerate(lines) if "DATETIME" in line] == [4]
    assert result.count == len(names) - 1
    (reason,) = result.refused
    assert reason == (
        f"`{MIGRATION}:5` (DAL304) cannot be fixed: an audit of the new text would find more:"
        " DAL302, `strftime()`: only SQLite takes this, and PostgreSQL rejects it"
    )


# All rules


@pytest.mark.parametrize("example", examples(), ids=str)
def test_fixing_an_example_ends_and_breaks_nothing(example: Example, tmp_path: Path) -> None:
    if not any(rule.fix for mark in example.marks if (rule := find_rule(mark.rule)) is not None):
        return
    example.write(tmp_path)
    request = example.request(tmp_path)
    before = audit(request)
    if not any(one.breach.fix for one in before.open):
        return
    result = fixed(request, unsafe=True)
    refused = {reason.split("`")[1]: reason for reason in result.refused}
    assert all("its bytes are not what" in reason for reason in refused.values())
    write_changes(result.changes)
    after = audit(request)
    assert [one.breach for one in after.findings] == [one.breach for one in result.report.findings]
    left = {finding.place.path for finding in after.open if finding.breach.fix}
    assert left <= refused.keys()
    assert count(after, BROKEN) <= count(before, BROKEN)
    assert len(after.open) <= len(before.open)


def count(report: Report, names: frozenset[str]) -> int:
    """Return how many findings of some rules a report holds."""
    return sum(one.rule.name in names for one in report.findings)


def test_the_documents_say_which_rules_offer_fixes() -> None:
    every = (*features(), *forms(ALEMBIC))
    rows = {(row.rule, respelling.safe) for row in every for respelling in row.fixes}
    others = {"DAL101", "DAL204", "DAL301", "DAL404", "DAL903"}
    offering = {rule for rule, _ in rows} | others | {"DAL103", "DAL104", "DAL105", "DAL106"}
    safely = {rule for rule, safe in rows if safe} | others
    said = {rule.id: rule.fix for rule in rules() if rule.fix}
    assert said == {rule: "safe" if rule in safely else "unsafe" for rule in offering}
