"""SQL in Python as facts: which statements, in which order, and where each of them stands."""

from __future__ import annotations

import ast
from pathlib import Path
from textwrap import dedent

import pytest

from dal_audit.catalogue.drivers import Catalogue, shipped_drivers
from dal_audit.extract.embedded.module import statements_of_file
from dal_audit.extract.migrations.python_revisions import revision_of
from dal_audit.extract.source import Lines
from dal_audit.facts.sql import CreateTable, OtherStatement, SqlStatement

CATALOGUE = Catalogue(shipped_drivers())


def statements(text: str) -> tuple[SqlStatement, ...]:
    """Return the statements of a module, which may be a migration."""
    text = dedent(text)
    found = statements_of_file(ast.parse(text), Lines(text), revision_of(text), CATALOGUE)
    return tuple(fact for fact in found if isinstance(fact, SqlStatement))


def told(text: str) -> list[tuple[str, str, int]]:
    """Return the part, the head and the first line of each statement."""
    return [(fact.part, fact.head, fact.span.line) for fact in statements(text)]


ALEMBIC = """\
from alembic import op
import sqlalchemy as sa

revision = "a1"
down_revision = None
SQL = "DROP TABLE x"


def upgrade():
    op.execute("CREATE TABLE x "
               "(y INT)")
    make("z")
    op.get_bind().execute(sa.text("CREATE VIEW v AS SELECT 1").bindparams(a=1))
    with op.get_context().autocommit_block():
        op.execute(sa.DDL("CREATE INDEX i ON x (y)"))
    op.add_column("x", sa.Column("w", sa.Integer))
    for name in ("a", "b"):
        op.execute(f"CREATE TABLE {name} (c INT)")


def make(name):
    op.execute("CREATE TABLE z (y INT)")
    make(name)


def downgrade():
    op.execute(SQL)
"""


def test_alembic_runs_functions_where_they_are_called() -> None:
    assert told(ALEMBIC) == [
        ("up", "CREATE TABLE", 10),
        ("up", "CREATE TABLE", 22),
        ("up", "CREATE VIEW", 13),
        ("up", "CREATE INDEX", 15),
        ("up", "ALTER TABLE", 16),
        ("up", "CREATE TABLE", 18),
        ("up", "CREATE TABLE", 18),
        ("down", "DROP TABLE", 6),
    ]


def test_an_operation_that_is_not_read_has_the_names_in_it() -> None:
    source = ALEMBIC.replace("op.add_column(", "op.run_anything(")
    (operation,) = (fact for fact in statements(source) if fact.within and fact.within.is_unread)
    assert operation.structure == OtherStatement(("DO",), "EXECUTE w x")


@pytest.mark.parametrize(
    ("condition", "guarded"),
    [
        ("if sa.inspect(bind).has_table('x'):", True),
        ("while f():", True),
        ("if bind.dialect.name == 'sqlite':", False),
        ("with f():", False),
        ("for x in y:", False),
    ],
)
def test_what_is_guarded(condition: str, *, guarded: bool) -> None:
    source = f"revision = 'a'\ndown_revision = None\ndef upgrade():\n    {condition}\n        "
    found = statements(source + "op.execute('DROP TABLE x')\n")
    assert [fact.within.is_guarded for fact in found if fact.within] == [guarded]


def test_what_stands_behind_a_condition_that_ends_the_function_is_guarded() -> None:
    source = (
        "revision = 'a'\ndown_revision = None\ndef upgrade():\n    if f():\n        return\n    "
    )
    (found,) = statements(source + "op.execute('DROP TABLE x')\n")
    assert found.within is not None
    assert found.within.is_guarded


def test_django_has_operations_and_functions() -> None:
    found = told("""\
        from django.db import migrations
        def up(apps, schema_editor):
            schema_editor.execute("CREATE TABLE c (d INT)")
            with schema_editor.connection.cursor() as cursor:
                cursor.execute("CREATE TABLE e (d INT)")
        class Migration(migrations.Migration):
            operations = [
                migrations.RunSQL("CREATE TABLE a (b INT)", reverse_sql="DROP TABLE a"),
                migrations.RunSQL(
                    sql=["SELECT 1", ("SELECT 2", [2])],
                    reverse_sql=migrations.RunSQL.noop,
                ),
                migrations.RunPython(up),
                migrations.AddField("a", "b", c),
            ]
        """)
    assert found == [
        ("up", "CREATE TABLE", 8),
        ("up", "SELECT", 10),
        ("up", "SELECT", 10),
        ("up", "CREATE TABLE", 3),
        ("up", "CREATE TABLE", 5),
        ("up", "", 14),  # What it comes to hangs on the models before.
        ("down", "", 14),
        ("down", "DROP TABLE", 8),
    ]


def test_yoyo_takes_steps_back_from_the_last_one_on() -> None:
    found = told("""\
        from yoyo import step
        def more(connection):
            connection.execute("CREATE TABLE c (d INT)")
        steps = [
            step("CREATE TABLE a (b INT); CREATE TABLE e (b INT)", "DROP TABLE a"),
            step(more, rollback="DROP TABLE c"),
        ]
        """)
    assert found == [
        ("up", "CREATE TABLE", 5),
        ("up", "CREATE TABLE", 5),
        ("up", "CREATE TABLE", 3),
        ("down", "DROP TABLE", 6),
        ("down", "DROP TABLE", 5),
    ]


def test_a_text_that_several_calls_run_is_one_statement_for_the_engines_of_all() -> None:
    (found,) = statements("""\
        SQL = "SELECT a FROM t"
        def f(db, name):
            if name == "sqlite":
                db.execute(SQL)
            elif name == "postgresql":
                db.execute(SQL)
        """)
    assert found.within is not None
    assert found.within.engines == ("postgresql", "sqlite")


def test_places_are_those_in_the_module() -> None:
    (found,) = statements("""\
        def f(db, table):
            db.execute(f"CREATE TABLE {table} (\\u00e9 INT,"
                       "\\n    b TEXT)")
        """)
    span = found.span
    assert (span.line, span.column, span.end_line, span.end_column) == (2, 18, 3, 30)
    assert isinstance(found.structure, OtherStatement)


def test_what_is_known_in_full_has_its_structure() -> None:
    (found,) = statements("def f(db):\n    db.execute('CREATE TABLE t (a INT)')\n")
    assert isinstance(found.structure, CreateTable)
    column = found.structure.columns[0].name.span
    assert (column.line, column.column, column.end_column) == (2, 33, 34)


@pytest.mark.parametrize(
    "text",
    [
        "def f(db):\n    db.execute(sql)\n",
        "def f(db):\n    db.execute('get me that')\n",
        "def f(db, x):\n    db.execute(f'{x} TABLE t')\n",
        "LOG = 'Select one of these'\n",
        "def f(executor):\n    executor.execute(command)\n",
    ],
)
def test_what_is_no_sql(text: str) -> None:
    assert statements(text) == ()


def test_parts_of_statements_are_none_by_themselves() -> None:
    found = statements("""\
        HEAD = "WITH a AS (SELECT 1)"
        TAIL = "SELECT b FROM a"
        def f(db):
            db.execute(HEAD + " " + TAIL)
        """)
    assert [(fact.head, fact.span.line) for fact in found] == [("WITH", 1)]


def test_no_file_of_this_project_stops_it() -> None:
    for path in sorted(Path(__file__).parent.glob("test_s*.py")):
        text = path.read_text(encoding="utf-8")
        assert statements_of_file(ast.parse(text), Lines(text), None, CATALOGUE) is not None
