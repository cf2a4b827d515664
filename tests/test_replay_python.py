"""Replays of sets in Python: a small Alembic project and a small Django project, on both engines."""

from __future__ import annotations

import re
import sys
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from dal_audit.commands.parser import cli
from dal_audit.replay.database import EngineError
from dal_audit.replay.model import Program
from dal_audit.replay.project_process import ProjectProcess
from dal_audit.replay.run import ReplayRequest, replay
from dal_audit.report.render import Report
from dal_audit.report.summary import verdicts
from tests.test_replay import left_on, silent

ENV = """\
from alembic import context
from sqlalchemy import engine_from_config, pool

section = context.config.get_section(context.config.config_ini_section, {})
engine = engine_from_config(section, prefix="sqlalchemy.", poolclass=pool.NullPool)
with engine.connect() as connection:
    context.configure(connection=connection, target_metadata=None)
    with context.begin_transaction():
        context.run_migrations()
"""

HEAD = """\
import sqlalchemy as sa
from alembic import op

revision = "{0}"
down_revision = {1!r}


"""

USERS = """\
def upgrade():
    op.create_table(
        "users",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("name", sa.Text(), nullable=False),
        if_not_exists=True,
    )


def downgrade():
    op.drop_table("users", if_exists=True)
"""

NOTES = """\
def upgrade():
    op.create_table("notes", sa.Column("id", sa.String(36), primary_key=True))
    op.create_index("notes_id", "notes", ["id"], if_not_exists=True)
    with op.batch_alter_table("users") as batch:
        batch.alter_column("name", nullable=True)


def downgrade():
    op.drop_table("notes")
"""


def alembic_project(root: Path, *revisions: str, env: str = ENV, url: str = "sqlite://") -> Path:
    """Write a project with revisions `r1`, `r2`, ..."""
    versions = root / "migrations" / "versions"
    versions.mkdir(parents=True)
    (root / "alembic.ini").write_text(
        f"[alembic]\nscript_location = migrations\nsqlalchemy.url = {url}\n", encoding="utf-8"
    )
    (root / "migrations" / "env.py").write_text(env, encoding="utf-8")
    (root / "migrations" / "script.py.mako").write_text("", encoding="utf-8")
    for number, text in enumerate(revisions, 1):
        head = HEAD.format(f"r{number}", f"r{number - 1}" if number > 1 else None)
        (versions / f"r{number}_step.py").write_text(head + text, encoding="utf-8")
    (root / "dal-audit.toml").write_text('backends = ["sqlite", "postgresql"]\n', encoding="utf-8")
    return root


def run(root: Path, *words: str, url: str = "") -> Result:
    """Run the command with this very interpreter as the project's."""
    arguments = ["replay", str(root), "--color", "never", "--python", sys.executable, *words]
    return CliRunner().invoke(cli, arguments, env={"POSTGRES_TEST_URL": url})


def reported(root: Path, url: str = "") -> Report:
    """Replay a project on both engines, or without a server on SQLite."""
    on = None if url else ("sqlite",)
    request = ReplayRequest(str(root), url=url, python=sys.executable, on=on)  # type: ignore[arg-type]
    return replay(request, silent).report


def said(report: Report) -> set[tuple[str, str, int, str]]:
    """Return the rule, the file, the line and the words of each finding."""
    return {
        (found.rule.id, found.place.path, found.place.span.line, found.breach.message)
        for found in report.open
    }


HANDED = """\
from alembic import context

context.configure(connection=context.config.attributes["connection"])
with context.begin_transaction():
    context.run_migrations()
"""

MERGE = "def upgrade():\n    pass\n\n\ndef downgrade():\n    pass\n"

TABLE = """\
def upgrade():
    op.create_table("t", sa.Column("id", sa.String(36), primary_key=True), if_not_exists=True)


def downgrade():
    op.drop_table("t", if_exists=True)
"""


def test_alembic_is_run_on_both_engines(server: str, tmp_path: Path) -> None:
    root = alembic_project(tmp_path, USERS, NOTES)
    before = {path for path in root.rglob("*") if path.is_file()}
    report = reported(root, server)
    path = "migrations/versions/r2_step.py"
    assert said(report) == {
        (
            "DAL404",
            path,
            9,
            (
                "on SQLite a second run fails: table notes already exists; on PostgreSQL a second"
                ' run fails: relation "notes" already exists'
            ),
        ),
        (
            "DAL403",
            path,
            11,
            (
                "on SQLite the down does not bring back table `users` as it was; on PostgreSQL the"
                " down does not bring back column `users.name` as it was"
            ),
        ),
    }
    assert {path for path in root.rglob("*") if path.is_file()} == before
    assert left_on(server) == []


def test_what_one_engine_s_toolkit_refuses_is_found_at_its_operation(
    server: str, tmp_path: Path
) -> None:
    text = """\
def upgrade():
    op.add_column("users", sa.Column("boss", sa.String(36)))
    op.create_foreign_key(
        "users_boss", "users", "users", ["boss"], ["id"]
    )


def downgrade():
    raise NotImplementedError
"""
    report = reported(alembic_project(tmp_path, USERS, text), server)
    found = {(rule, line, words.partition(":")[0]) for rule, _, line, words in said(report)}
    assert found == {
        ("DAL305", 10, "on SQLite this fails"),
        ("DAL402", 15, "on PostgreSQL nothing undoes this migration"),
        ("DAL404", 9, "on PostgreSQL a second run fails"),
    }


def test_what_was_not_reached_is_no_success(tmp_path: Path) -> None:
    text = "def upgrade():\n    op.execute('CREATE TABLE (')\n\n\ndef downgrade():\n    pass\n"
    report = reported(alembic_project(tmp_path, text, USERS))
    assert [(rule, line) for rule, _, line, _ in said(report)] == [("DAL311", 9)]
    assert {found.verdict for found in verdicts(report)} == {"fail", "not audited"}


def test_an_empty_downgrade_undoes_nothing(tmp_path: Path) -> None:
    """Here `env.py` runs on the connection that it is handed over."""
    text = TABLE.partition("def downgrade")[0] + "def downgrade():\n    pass\n"
    assert said(reported(alembic_project(tmp_path, text, env=HANDED))) == {
        (
            "DAL402",
            "migrations/versions/r1_step.py",
            12,
            "on SQLite nothing undoes this migration, which leaves table `t`",
        )
    }


def test_branches_and_a_merge_that_pass_are_green_on_both_engines(
    server: str, tmp_path: Path
) -> None:
    left = TABLE.replace('"t"', '"left"')
    right = TABLE.replace('"t"', '"right"')
    root = alembic_project(tmp_path, USERS, left, right, MERGE)
    versions = root / "migrations" / "versions"
    for name, was, now in (("r3", "'r2'", "'r1'"), ("r4", "'r3'", "('r2', 'r3')")):
        path = versions / f"{name}_step.py"
        path.write_text(path.read_text("utf-8").replace(was, now), encoding="utf-8")
    result = run(root, url=server)
    assert result.exit_code == 0, result.output
    assert re.search(r"migrations +SQLite \S+ +4 of 4 +4 of 4 +ok +ok +ok +same\n", result.output)
    assert re.search(r"PostgreSQL \S+ +4 of 4 +4 of 4 +ok +ok +ok\n", result.output)


def test_an_environment_of_asyncio_is_run(server: str, tmp_path: Path) -> None:
    env = """\
import asyncio
from alembic import context
from sqlalchemy.ext.asyncio import async_engine_from_config
from sqlalchemy.pool import NullPool


def work(connection):
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()


async def main():
    section = context.config.get_section("alembic", {})
    engine = async_engine_from_config(section, poolclass=NullPool)
    async with engine.connect() as connection:
        await connection.run_sync(work)
    await engine.dispose()


asyncio.run(main())
"""
    root = alembic_project(tmp_path, USERS, env=env, url="postgresql+asyncpg://")
    result = run(root, "--on", "postgresql", url=server)
    assert re.search(r"1 of 1 +1 of 1 +ok +ok +ok", result.output), result.output


FIXED = """\
import os
from alembic import context
from sqlalchemy import create_engine

assert "SECRET_OF_MINE" not in os.environ
print("a word")
engine = create_engine("sqlite:///theirs.db")
with engine.connect() as connection:
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()
"""


def test_no_other_database_is_reached(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_OF_MINE", "1")
    text = USERS.replace(
        "    op.create_table(\n", "    op.create_table(  # dal-audit: allow[DAL404] it runs once\n"
    ).replace("        if_not_exists=True,\n", "")
    root = alembic_project(tmp_path, text, env=FIXED)
    assert said(reported(root)) == set()
    assert not (root / "theirs.db").exists()


@pytest.mark.parametrize(
    ("revision", "env", "words"),
    [
        (
            "def upgrade():\n    {}['x']\n\n\ndef downgrade():\n    pass\n",
            ENV,
            "migrations/versions/r1_step.py:9: the migration itself fails: KeyError: 'x'",
        ),
        (USERS, "import no_such_package\n", "is not run: ModuleNotFoundError"),
        (
            USERS,
            FIXED.replace("sqlite:///theirs.db", "postgresql://localhost:1/x"),
            "env.py connects to postgresql",
        ),
        (USERS, "import os\nos._exit(3)\n", "ended without a word"),
    ],
    ids=["revision", "import", "engine", "end"],
)
def test_what_is_no_matter_of_engines_is_an_error(
    revision: str, env: str, words: str, tmp_path: Path
) -> None:
    root = alembic_project(tmp_path, revision, env=env)
    program = Program(sys.executable, "alembic", str(root), "migrations", ("r1",))
    address = str(tmp_path / "scratch.db")
    with (
        closing(ProjectProcess(program, "sqlite", 30)) as process,
        pytest.raises(EngineError, match=re.escape(words)),
    ):
        process.ask("up", "r1", address, is_first=True)


def test_a_migration_without_end_is_ended(tmp_path: Path) -> None:
    text = "def upgrade():\n    while True:\n        pass\n\n\ndef downgrade():\n    pass\n"
    root = alembic_project(tmp_path, text)
    result = run(root, "--on", "sqlite", "--timeout", "1", "--format", "concise")
    assert result.exit_code == 1, result.output
    assert "it took longer than 1 seconds" in result.output


def test_nothing_of_the_project_runs_unasked(tmp_path: Path) -> None:
    root = alembic_project(tmp_path, f"open('ran', 'w')\n\n\n{USERS}", env="open('ran', 'w')\n")
    result = CliRunner().invoke(cli, ["replay", str(root), "--on", "sqlite"])
    assert result.exit_code == 2
    assert "only `dal-audit replay --python PATH` runs" in result.output
    assert not (root / "ran").exists()


def test_an_interpreter_that_is_none_is_an_error(tmp_path: Path) -> None:
    result = run(alembic_project(tmp_path, USERS), "--python", str(tmp_path / "python"))
    assert result.exit_code == 2
    assert "is no interpreter that can be run" in result.output


# Django

FIRST = """\
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True
    dependencies = [("contenttypes", "0002_remove_content_type_name")]
    operations = [
        migrations.CreateModel(
            name="Item",
            fields=[
                ("id", models.BigAutoField(primary_key=True)),
                ("name", models.CharField(max_length=40, unique=True)),
                ("data", models.JSONField(default=dict)),
                ("count", models.PositiveIntegerField(default=0)),
                ("is_new", models.BooleanField(default=True)),
                ("kind", models.ForeignKey("contenttypes.ContentType", models.CASCADE)),
            ],
            options={"unique_together": {("name", "count")}},
        ),
    ]
"""

SECOND = """\
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("shop", "0001_initial")]
    operations = [
        migrations.RunSQL("CREATE INDEX by_name ON shop_item (name)", "DROP INDEX by_name"),
        migrations.AddField("item", "note", models.TextField(null=True)),
        migrations.AlterField("item", "name", models.CharField(max_length=40)),
        migrations.RunSQL("CREATE TABLE extra (id INT)", migrations.RunSQL.noop),
    ]
"""

THIRD = """\
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("shop", "0002_more")]
    operations = [
        migrations.RunSQL("SELECT 1", ""),
        migrations.RunSQL(
            "ALTER TABLE shop_item ALTER COLUMN note SET DEFAULT 'x'", ""
        ),
    ]
"""


def django_project(root: Path, **migrations: str) -> Path:
    """Write a project with one app, `shop`."""
    folder = root / "shop" / "migrations"
    folder.mkdir(parents=True)
    (root / "site_settings.py").write_text(
        "INSTALLED_APPS = ['django.contrib.contenttypes', 'shop']\nSECRET_KEY = 'x'\n"
        "DATABASES = {'default': {'ENGINE': 'django.db.backends.sqlite3', 'NAME': 'theirs.db'}}\n"
        "DEFAULT_AUTO_FIELD = 'django.db.models.BigAutoField'\n",
        encoding="utf-8",
    )
    (root / "manage.py").write_text(
        "import os\nos.environ.setdefault('DJANGO_SETTINGS_MODULE', 'site_settings')\n",
        encoding="utf-8",
    )
    for package in (root / "shop", folder):
        (package / "__init__.py").write_text("", encoding="utf-8")
    for name, text in migrations.items():
        (folder / f"{name.removeprefix('m')}.py").write_text(text, encoding="utf-8")
    (root / "dal-audit.toml").write_text('backends = ["sqlite", "postgresql"]\n', encoding="utf-8")
    return root


def test_django_is_run_on_both_engines(server: str, tmp_path: Path) -> None:
    root = django_project(tmp_path, m0001_initial=FIRST, m0002_more=SECOND, m0003_x=THIRD)
    found = {
        (rule, path[-7:], line, words) for rule, path, line, words in said(reported(root, server))
    }
    assert not (root / "theirs.db").exists()
    assert found == {
        (
            "DAL404",
            "tial.py",
            8,
            (
                'on SQLite a second run fails: table "shop_item" already exists; on PostgreSQL a'
                ' second run fails: relation "shop_item" already exists'
            ),
        ),
        (
            "DAL404",
            "more.py",
            7,
            # SQLite's table is made anew after it, without an index that Django does not know.
            'on PostgreSQL a second run fails: relation "by_name" already exists',
        ),
        ("DAL403", "more.py", 10, "on PostgreSQL the down leaves table `extra`"),
        ("DAL305", "03_x.py", 8, 'on SQLite this fails: near "ALTER": syntax error'),
        (
            "DAL403",
            "03_x.py",
            8,
            "on PostgreSQL the down does not bring back column `shop_item.note` as it was",
        ),
    }


def test_branches_of_django_run_and_end_in_its_own_order(server: str, tmp_path: Path) -> None:
    """The merge names a parent that comes from another one; both branches change one column."""
    head = "from django.db import migrations, models\n\n\nclass Migration(migrations.Migration):\n"
    wide = 'migrations.AlterField("item", "name", models.CharField(max_length={0}, unique=True))'

    def step(parents: tuple[str, ...], operation: str) -> str:
        named = ", ".join(f'("shop", "{parent}")' for parent in parents)
        return f"{head}    dependencies = [{named}]\n    operations = [{operation}]\n"

    root = django_project(
        tmp_path,
        m0001_initial=FIRST,
        m0002_left=step(("0001_initial",), wide.format(50)),
        m0002_right=step(("0001_initial",), wide.format(60)),
        m0003_more=step(("0002_right",), wide.format(70)),
        m0004_merge=step(("0001_initial", "0002_left", "0003_more"), ""),
    )
    result = run(root, url=server)
    assert re.search(r"SQLite \S+ +5 of 5 +4 of 5 +- +ok +ok +same\n", result.output), result.output
    assert re.search(r"PostgreSQL \S+ +5 of 5 +4 of 5 +- +ok +ok\n", result.output), result.output


def test_what_django_adds_for_an_engine_is_no_difference(server: str, tmp_path: Path) -> None:
    root = django_project(tmp_path, m0001_initial=FIRST)
    other = root / "other" / "migrations"
    other.mkdir(parents=True)
    (other / "0001_initial.py").write_text(FIRST, encoding="utf-8")
    result = run(root, url=server)
    assert "`other/migrations` is not run: no app that is installed has" in result.stderr
    assert re.search(r"SQLite \S+ +1 of 1 +0 of 1 +- +ok +ok +same\n", result.output), result.output
    assert result.output.count("DAL404") + result.output.count("error[") == 1
