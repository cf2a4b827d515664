"""SQL in Python: what is read as SQL, where it stands, and what keeps parsers away."""

from __future__ import annotations

import ast
import logging
import subprocess
import sys

import pytest

from dal_audit.catalogue.drivers import catalogue_in_force
from dal_audit.extract.holes import UNKNOWN
from dal_audit.extract.python.handed_sql import sql_argument
from dal_audit.extract.python.module_facts import python_facts
from dal_audit.extract.python.name_uses import read_names
from dal_audit.extract.python.prefilter.driver_marks import Prefilter, searchable
from dal_audit.extract.python.prefilter.sql_marks import AMBIGUOUS_CALLS, executors
from dal_audit.extract.sql_detection import read_sql
from dal_audit.facts import Span, SqlText

CATALOGUE = catalogue_in_force()
PREFILTER = Prefilter(CATALOGUE)


def facts(text: str) -> list[SqlText]:
    """Return the SQL of a module, the same with and without shortcuts."""
    found = [one for one in python_facts(text, CATALOGUE) if isinstance(one, SqlText)]
    slowly = python_facts(text, CATALOGUE, shortcuts=False)
    assert found == [one for one in slowly if isinstance(one, SqlText)]
    if found:
        assert PREFILTER.signals(searchable(text.encode()))
    return found


@pytest.mark.parametrize(
    ("text", "does"),
    [
        ("SELECT * FROM users WHERE id = ?", "`SELECT` on `users`"),
        ("SELECT 1", "`SELECT`"),
        ("SELECT EXISTS (SELECT 1 FROM users)", "`SELECT` on `users`"),
        ("select max(id) from users", "`SELECT` on `users`"),
        (f"SELECT {UNKNOWN} FROM {UNKNOWN} WHERE x IN ({UNKNOWN})", "`SELECT`"),
        ("\n  -- why\n  INSERT INTO a.b (c) VALUES (1);\n", "`INSERT` on `a.b`"),
        (f"INSERT INTO users {UNKNOWN} VALUES {UNKNOWN}", "`INSERT` on `users`"),
        ('UPDATE "users" SET name = :name', "`UPDATE` on `users`"),
        ("DELETE FROM users", "`DELETE` on `users`"),
        ("WITH x AS (SELECT 1) SELECT * FROM x", "`WITH`"),
        ("CREATE TABLE users (id INTEGER)", "`CREATE` on `users`"),
        (f"DROP TABLE {UNKNOWN}", "`DROP`"),
        ("PRAGMA foreign_keys = ON", "`PRAGMA`"),
    ],
)
def test_sql_is_read_whatever_it_is_handed_to(text: str, does: str) -> None:
    assert read_sql(text, certain=False) == does
    assert read_sql(text, certain=True) == does


@pytest.mark.parametrize(
    "text", ["BEGIN", "commit", "VACUUM", "SET search_path TO app", "select id from users"]
)
def test_short_statements_are_sql_only_for_a_database(text: str) -> None:
    assert read_sql(text, certain=True)
    assert not read_sql(text, certain=False)


@pytest.mark.parametrize(
    "text",
    [
        "Select one from the list",
        "select one from the list",
        "Update available",
        "UPDATE AVAILABLE",
        "update the settings",
        "Delete from cart",
        "Drop table",
        "with pleasure",
        "create an index",
        "query { select { id } }",
        "ls -l | grep SELECT",
        "SELECT",
        "",
        UNKNOWN,
    ],
)
def test_english_and_other_languages_are_no_sql(text: str) -> None:
    assert not read_sql(text, certain=True)
    assert not read_sql(text, certain=False)


def test_a_literal_is_marked_where_its_sql_begins() -> None:
    (one,) = facts('c.execute(\n    """\n    SELECT id\n    FROM users\n    """, [])\n')
    assert one.span == Span(3, 5, 3, 14)
    assert (one.statement.line, one.statement.end_line) == (1, 5)
    assert one.written is None


def test_text_that_is_written_elsewhere_is_shown_there() -> None:
    (one,) = facts('Q = "SELECT id FROM users"\ncursor.execute(Q)\n')
    assert one.span == Span(2, 16, 2, 17)
    assert one.written == Span(1, 5, 1, 27)
    assert one.how == "cursor.execute"
    assert one.does == "`SELECT` on `users`"


def test_a_receiver_that_is_no_database_for_sure_is_told() -> None:
    source = 'import httpx\nhttpx.query("SELECT * FROM users")\n'
    assert [one.receivers for one in facts(source)] == [("httpx",)]
    source = 'import sqlite3\nx = sqlite3.connect("")\nx.execute("SELECT * FROM users")\n'
    assert [one.receivers for one in facts(source)] == [()]


def test_one_call_gives_one_fact() -> None:
    assert len(facts('cursor.execute("SELECT 1", "SELECT 2", sql="SELECT 3")\n')) == 1


def test_wide_letters_and_odd_encodings_change_nothing() -> None:
    assert len(facts('cursor.\uff45xecute("SELECT 1")\nx.execute("\uff33ELECT 1")\n')) == 1
    source = '# coding: shift_jis\n# ソ\ncursor.execute("SELECT 1")  # ソ\n'
    assert PREFILTER.signals(searchable(source.encode("shift_jis")))


@pytest.mark.parametrize(
    "source",
    [
        'executor.submit("SELECT 1 FROM x")',
        'print("SELECT 1 FROM x")',
        'x.execute("Select one")',
        'x.execute_command("SELECT")',
        "SELECT = 1\nx.execute(SELECT)",
        "# select this\nx.execute(y)",
    ],
)
def test_files_without_sql_are_ruled_out_by_their_bytes(source: str) -> None:
    assert not PREFILTER.signals(searchable(source.encode())).executes
    assert not PREFILTER.signals(searchable(source.encode()))


def test_names_come_from_the_catalogue() -> None:
    assert {
        "execute",
        "executemany",
        "fetchrow",
        "scalar",
        "query",
        "exec_driver_sql",
    } <= executors()
    assert not executors() & AMBIGUOUS_CALLS


def test_sqlglot_is_imported_only_for_doubtful_texts() -> None:
    code = (
        "import sys\n"
        "from dal_audit.extract.sql_detection import read_sql\n"
        "read_sql('SELECT * FROM users', certain=True)\n"
        "read_sql('Select one from the list', certain=False)\n"
        "assert 'sqlglot' not in sys.modules\n"
        "read_sql('SELECT * FROM users', certain=False)\n"
        "assert 'sqlglot' in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_nothing_that_sqlglot_logs_is_seen(capfd: pytest.CaptureFixture[str]) -> None:
    logger = logging.getLogger("sqlglot")
    assert read_sql("CREATE TABLE t (a INT) WITHOUT ROWID", certain=False)
    assert read_sql("ALTER TABLE t ALTER COLUMN a TYPE TEXT, ADD UNIQUE NULLS x", certain=False)
    assert not logger.disabled
    assert capfd.readouterr() == ("", "")


def test_sql_that_a_class_keeps_is_handed_on_by_its_name() -> None:
    text = """
from app import run
class Queries:
    ALL = "SELECT id FROM users WHERE id = 1"
def load(run_id):
    run(Queries.ALL)
    run(run_id, 1)
"""
    names = read_names(ast.parse(text), call_sites=True)
    handed = [
        sql_argument(site.node, site.scope)
        for site in names.call_sites
        if isinstance(site.node, ast.Call)
    ]
    assert [found is not None for found in handed] == [True, False]
