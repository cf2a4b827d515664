"""What an operation of a migration comes to: statements, on each engine, with their places."""

from __future__ import annotations

import ast
import textwrap

import pytest

from dal_audit.catalogue.drivers import shipped_catalogue
from dal_audit.catalogue.operations import ALEMBIC, DJANGO, forms
from dal_audit.extract.embedded.module import statements_of_file
from dal_audit.extract.migrations.python_revisions import revision_of
from dal_audit.extract.source import Lines
from dal_audit.facts.sql import AlterTable, CreateObject, CreateTable, SqlStatement
from dal_audit.fix.guards import guarded

HEAD = """\
import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "1a"
down_revision = None


def upgrade():
"""


def ups(body: str) -> list[SqlStatement]:
    """Return the statements of an upgrade."""
    text = f"{HEAD}{textwrap.indent(textwrap.dedent(body), '    ')}"
    tree, lines = ast.parse(text), Lines(text)
    found = statements_of_file(tree, lines, revision_of(text), shipped_catalogue())
    return [
        statement
        for statement in found
        if isinstance(statement, SqlStatement) and statement.part == "up"
    ]


def test_what_is_alike_on_both_engines_is_one_statement() -> None:
    (found,) = ups('op.add_column("users", sa.Column("age", sa.Integer()))')
    assert found.within is not None
    assert found.within.engines is None
    assert isinstance(found.structure, AlterTable)
    assert found.structure.table.span.line == HEAD.count("\n") + 1


def test_an_enumeration_is_a_type_on_one_engine() -> None:
    found = ups('op.create_table("t", sa.Column("e", sa.Enum("a", "b", name="en")))')
    engines = [statement.within.engines for statement in found if statement.within is not None]
    assert engines == [("sqlite",), ("postgresql",), ("postgresql",)]
    made = [statement.structure for statement in found]
    assert [type(structure) for structure in made] == [CreateTable, CreateObject, CreateTable]


def test_a_loop_over_a_literal_is_followed_turn_by_turn() -> None:
    found = ups('for name in ("a", "b"):\n    op.drop_column(name, "x")\n')
    tables = [own.structure.table.name for own in found if isinstance(own.structure, AlterTable)]
    assert tables == ["a", "b"]


def test_a_name_that_is_not_known_is_not_guessed() -> None:
    (found,) = ups('op.drop_column(table(), "x")')
    assert found.within is not None
    assert found.within.is_unread


@pytest.mark.parametrize(
    ("condition", "is_guarded"),
    [
        ('sa.inspect(op.get_bind()).has_table("t")', True),
        ("anything()", True),
        ('op.get_bind().execute(sa.text("SELECT count(*) FROM t")).scalar() > 5', False),
    ],
)
def test_a_look_at_what_stands_is_a_guard(condition: str, is_guarded: bool) -> None:
    found = ups(f'if {condition}:\n    op.drop_table("t")\n')
    within = next(own.within for own in found if own.head == "DROP TABLE")
    assert within is not None
    assert within.is_guarded == is_guarded


def test_a_block_is_a_copy_on_sqlite() -> None:
    found = ups(
        """
        with op.batch_alter_table("t") as batch:
            batch.alter_column("x", nullable=False)
        """
    )
    copies = {
        own.within.engines: own.structure.rebuilds
        for own in found
        if isinstance(own.structure, AlterTable) and own.within is not None
    }
    assert copies == {("sqlite",): True, ("postgresql",): False}


@pytest.mark.parametrize("tool", [ALEMBIC, DJANGO])
def test_every_form_has_an_id_of_its_own_and_a_cure_where_it_is_found(tool: str) -> None:
    ids = [form.id for form in forms(tool)]
    assert len(ids) == len(set(ids))
    assert [form.id for form in forms(tool) if form.marks and not form.cure] == []


def test_a_number_is_no_sql() -> None:
    assert not ups("size = 500\nrows = op.get_bind().fetchmany(size)\n")


def test_a_function_that_only_gives_a_column_back_is_read() -> None:
    text = HEAD.replace(
        "def upgrade",
        "def stamp(name, kind=sa.Date):\n    return sa.Column(name, kind())\n\n\ndef upgrade",
    )
    tree, lines = ast.parse(f'{text}    op.add_column("t", stamp("day"))\n'), Lines(text)
    (found,) = statements_of_file(tree, lines, revision_of(ast.unparse(tree)), shipped_catalogue())
    assert isinstance(found, SqlStatement)
    assert isinstance(found.structure, AlterTable)
    column = found.structure.actions[0].column
    assert column is not None
    assert (column.name.name, column.type and column.type.name) == ("day", "date")


def test_what_is_executed_for_its_rows_is_read() -> None:
    found = ups('rows = op.get_bind().execute(sa.text("SELECT a FROM t")).scalars().all()\n')
    assert [own.head for own in found] == ["SELECT"]


INSPECTED = {
    'op.drop_column("t", "a")': '"a" in {column["name"] for column in I.get_columns("t")}',
    "op.drop_column('t', 'a')": "'a' in {column['name'] for column in I.get_columns('t')}",
    'op.rename_table("t", "u")': 'not I.has_table("u")',
    'op.create_table("t", sa.Column("a", sa.Enum("x", name="e")))': 'not I.has_table("t")',
    'op.drop_constraint("k", "t", type_="unique")': (
        '"k" in {key["name"] for key in I.get_unique_constraints("t")}'
    ),
    'op.drop_constraint("k", "t")': None,
    'op.drop_column("t", "a", schema="s")': None,
    'op.drop_table("t", if_exists=True)': None,
    'op.alter_column("t", "a", nullable=True)': None,
    'op.create_unique_constraint(None, "t", ["a"])': None,
    "op.drop_column(T.name, column)": 'column in {column["name"] for column in I.get_columns(T.name)}',
    'op.drop_column("t", f"{name}")': None,
    'op.create_index(op.f("i"), "t", ["a"])': '"i" not in {index["name"] for index in I.get_indexes("t")}',
    'op.drop_column("t", "a"); op.drop_column("t", "b")': None,
    'op.create_check_constraint("c", "t", """a > 0\n  and a < 9""")': None,
}
"""The condition under which an operation has still to be run, with `I` for the inspector."""


@pytest.mark.parametrize("operation", INSPECTED)
def test_the_condition_of_an_operation_asks_for_what_it_makes_or_takes(operation: str) -> None:
    within = ups(operation)[0].within
    assert within is not None
    told = None if within.condition is None else within.condition.text
    expected = INSPECTED[operation]
    assert told == (expected and expected.replace("I", "sa.inspect(op.get_bind())"))


@pytest.mark.parametrize(
    ("alembic", "written"),
    [(None, ", if_not_exists=True"), ((1, 14), ", if_not_exists=True"), ((1, 8), "if not ")],
)
def test_an_older_alembic_is_not_handed_what_it_does_not_know(
    alembic: tuple[int, ...] | None, written: str
) -> None:
    (made,) = ups('op.create_table("t", sa.Column("a", sa.Integer()))')
    fix = guarded(made, made.span, ("sqlite", "postgresql"), alembic)
    assert fix is not None
    assert fix.edits[0].text.startswith(written)
