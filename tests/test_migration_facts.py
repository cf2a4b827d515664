"""What a file says about the migrations that it is part of."""

from __future__ import annotations

from textwrap import dedent

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dal_audit.extract.migrations.directives import migration_marks
from dal_audit.extract.migrations.python_revisions import may_be_revision, revision_of
from dal_audit.extract.migrations.reader import marks_of_bytes, revision_of_bytes, settings_of_bytes
from dal_audit.extract.migrations.tool_settings import tool_settings
from dal_audit.facts import Span
from dal_audit.facts.migrations import Revision


def directives(text: str) -> list[tuple[int, str, str, str]]:
    """Return each directive's line, tool, kind and text."""
    return [
        (one.span.line, one.tool, one.kind, one.text) for one in migration_marks(text).directives
    ]


def revision(text: str) -> Revision:
    """Return the migration that a text declares."""
    found = revision_of(dedent(text))
    assert found is not None
    return found


def test_goose() -> None:
    text = dedent("""\
        -- +goose NO TRANSACTION
        -- +goose Up
        CREATE TABLE a (b INT);
        -- +goose StatementBegin
        SELECT 1;
        -- +goose StatementEnd
        --+goose  down
        -- +goose ENVSUB ON
        """)
    assert directives(text) == [
        (1, "goose", "no-transaction", ""),
        (2, "goose", "up", ""),
        (4, "goose", "statement-begin", ""),
        (6, "goose", "statement-end", ""),
        (7, "goose", "down", ""),
        (8, "goose", "other", "ON"),
    ]


def test_sql_migrate_and_dbmate() -> None:
    assert directives("-- +migrate Up notransaction\n-- +migrate Down\n") == [
        (1, "sql-migrate", "no-transaction", "up"),
        (1, "sql-migrate", "up", "notransaction"),
        (2, "sql-migrate", "down", ""),
    ]
    assert directives("-- migrate:up transaction:false\n--migrate:down\n-- migrate:upward\n") == [
        (1, "dbmate", "no-transaction", "up"),
        (1, "dbmate", "up", "transaction:false"),
        (2, "dbmate", "down", ""),
    ]


def test_directives_without_parts() -> None:
    assert directives("-- no-transaction\nSELECT 1;\n") == [(1, "sqlx", "no-transaction", "")]
    assert directives("\n-- no-transaction\n") == []  # sqlx looks at the first byte.
    assert directives("a;\n--> statement-breakpoint\nb;") == [(2, "drizzle", "breakpoint", "")]
    assert directives("-- atlas:txmode none\n-- atlas:delimiter \\n\\n\n") == [
        (1, "atlas", "no-transaction", "none"),
        (2, "atlas", "delimiter", "\\n\\n"),
    ]
    assert directives("a\n---- create above / drop below ----\nb") == [(2, "tern", "down", "")]
    assert directives("-- Deploy flipr:users to pg\n") == [(1, "sqitch", "dialect", "pg")]
    assert directives("-- dialect: sqlite\nSELECT 1;\n-- engine: pg\n") == [
        (1, "plain", "dialect", "sqlite")
    ]
    assert directives("-- sqlfluff:dialect:postgres\n") == [(1, "plain", "dialect", "postgres")]
    assert directives("-- Database: the one of orders\n") == []


def test_settings_of_yoyo_stand_before_the_first_statement() -> None:
    text = "-- about\n-- depends: 01.a 02.b\n\n-- transactional: false\nSELECT 1;\n-- depends: x\n"
    assert directives(text) == [
        (2, "yoyo", "depends", "01.a 02.b"),
        (4, "yoyo", "no-transaction", "false"),
    ]


def test_liquibase() -> None:
    text = dedent("""\
        --liquibase formatted sql
        --changeset ann:1 dbms:postgresql runInTransaction:false
        CREATE TABLE a (b INT);
        --rollback DROP TABLE a;
        --changeset ann:2
        SELECT 1;
        --rollback empty
        /* liquibase rollback
        DROP VIEW v;
        */
        """)
    assert directives(text) == [
        (1, "liquibase", "format", ""),
        (2, "liquibase", "changeset", "ann:1 dbms:postgresql runInTransaction:false"),
        (2, "liquibase", "no-transaction", "ann:1"),
        (4, "liquibase", "rollback", "DROP TABLE a;"),
        (5, "liquibase", "changeset", "ann:2"),
        (7, "liquibase", "no-rollback", "empty"),
        (8, "liquibase", "rollback", "DROP VIEW v;"),
    ]
    assert directives("--changeset ann:1\n--rollback x\n") == []


def test_places_and_lines() -> None:
    marks = migration_marks("/* \U0001f600 */\r\n  -- +goose Up\r\nx")
    assert marks.directives[0].span == Span(2, 3, 2, 15)
    assert marks.lines == 3
    assert migration_marks("a\n").lines == 1
    assert migration_marks("CREATE UNIQUE INDEX x ON y (z)").defines
    assert not migration_marks("SELECT created FROM tables").defines


def test_a_byte_order_mark_and_bytes_that_are_no_text() -> None:
    assert marks_of_bytes(b"\xef\xbb\xbf-- +goose Up\n\xff").directives[0].span == Span(1, 1, 1, 13)
    assert revision_of_bytes(b"def upgrade(m): pass\n\xff") is None
    assert settings_of_bytes("_journal.json", b"\xff")[0].order == ()


def test_alembic() -> None:
    found = revision('''\
        """init"""
        from alembic import op
        import sqlalchemy as sa

        revision: str = "a1"
        down_revision = ("b2", "c3")
        depends_on = "d4"
        branch_labels = None
        SQL = "DROP TABLE x"

        def upgrade() -> None:
            """Say."""
            op.execute("CREATE TABLE x "
                       "(y INT)")
            op.get_bind().execute(sa.text(f"SELECT {n} FROM x"))

        def downgrade():
            op.execute(SQL)
        ''')
    assert (found.framework, found.id, found.parents, found.depends) == (
        "alembic",
        "a1",
        ("b2", "c3"),
        ("d4",),
    )
    assert found.labels == ()
    assert found.transactional
    assert found.up.span == Span(11, 5, 11, 12)


@pytest.mark.parametrize(
    ("body", "state"),
    [
        ("pass", "empty"),
        ('"""Nothing."""', "empty"),
        ("...", "empty"),
        ("return", "empty"),
        ("raise NotImplementedError", "raises"),
        ("op.drop_table('x')", "code"),
    ],
)
def test_what_a_downgrade_does(body: str, state: str) -> None:
    text = (
        f"revision = 'a'\ndown_revision = None\ndef upgrade(): x()\ndef downgrade():\n    {body}\n"
    )
    found = revision(text)
    assert (found.up.state, found.down.state) == ("code", state)
    without = revision(text.partition("def downgrade")[0])
    assert without.down.state == "absent"


def test_alembic_with_several_databases() -> None:
    found = revision("""\
        revision = "a"
        down_revision = None
        def upgrade(engine_name):
            globals()["upgrade_%s" % engine_name]()
        def downgrade(engine_name):
            globals()["downgrade_%s" % engine_name]()
        def upgrade_one():
            op.execute("CREATE TABLE a (b INT)")
            with op.get_context().autocommit_block():
                op.execute("SELECT 1")
        def downgrade_one():
            pass
        """)
    assert found.down.state == "empty"
    assert not found.transactional


def test_django() -> None:
    found = revision("""\
        from django.db import migrations
        class Migration(migrations.Migration):
            atomic = False
            dependencies = [("shop", "0001_initial"), migrations.swappable_dependency(x)]
            replaces = [("shop", "0002_a")]
            operations = [
                migrations.RunSQL("CREATE TABLE a (b INT)", reverse_sql="DROP TABLE a"),
                migrations.RunSQL(sql=["SELECT 1", ("SELECT %s", [2])], reverse_sql=migrations.RunSQL.noop),
            ]
        """)
    assert (found.framework, found.parents, found.replaces) == (
        "django",
        ("shop.0001_initial",),
        ("shop.0002_a",),
    )
    assert not found.transactional
    assert found.down.state == "code"
    assert found.span == Span(2, 7, 2, 16)


@pytest.mark.parametrize(
    ("operation", "state"),
    [
        ("migrations.RunSQL('SELECT 1')", "raises"),
        ("migrations.RunPython(f)", "raises"),
        ("migrations.RunPython(f, migrations.RunPython.noop)", "code"),
        ("migrations.RunPython(f, reverse_code=None)", "raises"),
        ("migrations.RunPython(**given)", "code"),
        ("migrations.AddField('a', 'b', c)", "code"),
    ],
)
def test_what_django_cannot_reverse(operation: str, state: str) -> None:
    text = f"class Migration(m.Migration):\n    dependencies = []\n    operations = [{operation}]\n"
    assert revision(text).down.state == state


def test_yoyo_and_sqlalchemy_migrate() -> None:
    found = revision("""\
        from yoyo import step
        __depends__ = {"0001.a"}
        __transactional__ = False
        steps = [step("CREATE TABLE a (b INT)", "DROP TABLE a"), step("SELECT 1")]
        """)
    assert (found.framework, found.parents, found.transactional) == ("yoyo", ("0001.a",), False)
    assert found.down.state == "raises"
    found = revision(
        "def upgrade(migrate_engine):\n    x()\ndef downgrade(migrate_engine):\n    pass\n"
    )
    assert (found.framework, found.up.state, found.down.state) == (
        "sqlalchemy-migrate",
        "code",
        "empty",
    )


@pytest.mark.parametrize(
    "text",
    [
        "x = 1",
        "def upgrade(): pass",
        "revision = 1\ndown_revision = 2",
        "class Migration: pass",
        "def upgrade(:",
        "step('x')",
        "revision = 'a'\ndown_revision = " + "-" * 20000 + "1",
    ],
)
def test_files_that_are_no_migrations(text: str) -> None:
    assert revision_of(text) is None


def test_names_that_stand_for_themselves_end() -> None:
    found = revision(
        "revision = 'a'\ndown_revision = down_revision\nx = x\ndef upgrade(): op.execute(x)\n"
    )
    assert found.parents == ()


def test_most_files_are_ruled_out_by_their_bytes() -> None:
    assert not may_be_revision(b"import os\nprint(os.name)\n")
    assert may_be_revision(b"down_revision = None")


def test_the_tools_own_files() -> None:
    journal = (
        '{"dialect": "postgresql", "entries": [{"idx": 1, "tag": "b"}, {"idx": 0, "tag": "a"}, 5]}'
    )
    (found,) = tool_settings("_journal.json", journal)
    assert (found.tool, found.order, found.engine) == ("drizzle", ("a", "b"), "postgresql")
    (found,) = tool_settings("migration_lock.toml", 'provider = "sqlite"')
    assert (found.tool, found.engine) == ("prisma", "sqlite")
    (found,) = tool_settings("metadata.toml", "run_in_transaction = false")
    assert not found.transactional
    (found,) = tool_settings("env.py", "from alembic import context\nf(version_table='v')")
    assert found.version_table == "v"
    (found,) = tool_settings("migrate.cfg", "[db_settings]\nversion_table=mv\n")
    assert found.version_table == "mv"
    assert tool_settings("README.md", "") == ()


def test_a_plan_with_a_reworked_change() -> None:
    plan = dedent("""\
        %syntax-version=1.0.0
        %project=flipr

        users 2013-01-01T00:00:00Z Ann <a@b> # Adds users
        +lists [users] 2013-01-02T00:00:00Z Ann <a@b>
        @v1 2013-01-03T00:00:00Z Ann <a@b>
        users [users@v1] 2013-01-04T00:00:00Z Ann <a@b>
        """)
    (found,) = tool_settings("sqitch.plan", plan)
    assert found.order == ("users@v1", "lists", "users")


def test_what_a_program_needs() -> None:
    cargo = '[dependencies]\nsqlx = { version = "0.8", features = ["runtime-tokio", "sqlite"] }\nserde = "1"\n'
    assert [(one.tool, one.engine) for one in tool_settings("Cargo.toml", cargo)] == [
        ("sqlx", "sqlite")
    ]
    for odd in (
        "[dependencies]\nsqlx = { features = 5 }",
        "dependencies = 1",
        "x = [",
        "[workspace]",
    ):
        assert {one.engine for one in tool_settings("Cargo.toml", odd)} <= {""}
    both = cargo.replace('"sqlite"', '"sqlite", "postgres"')
    assert [(one.tool, one.engine) for one in tool_settings("Cargo.toml", both)] == [("sqlx", "")]
    go = "module x\nrequire (\n\tgithub.com/pressly/goose/v3 v3.1.0\n\tgithub.com/gooses/x v1.0.0\n)\n"
    assert [one.tool for one in tool_settings("go.mod", go)] == ["goose"]
    driver = "require modernc.org/sqlite v1.2.0\n"
    other = "require github.com/jackc/pgx/v5 v5.1.0"
    assert tool_settings("go.mod", go + driver)[0].engine == "sqlite"
    assert tool_settings("go.mod", go + driver + other)[0].engine == ""
    assert tool_settings("go.mod", f"{go}{driver}{other} // indirect")[0].engine == "sqlite"


@given(st.text(alphabet=st.sampled_from("-+> \n\r\t/*:;aDg") | st.characters(), max_size=200))
def test_any_text_can_be_read(text: str) -> None:
    marks = migration_marks(text)
    assert all(1 <= one.span.line <= max(marks.lines, 1) for one in marks.directives)
    revision_of(text)
    for name in (
        "_journal.json",
        "sqitch.plan",
        "env.py",
        "Cargo.toml",
        "go.mod",
        "migrate.cfg",
    ):
        tool_settings(name, text)
