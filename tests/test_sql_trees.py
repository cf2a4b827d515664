"""Expressions, queries and changes of rows as trees: what binds what, and what is not understood."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dal_audit.extract.sql.scripts import statements_of
from dal_audit.facts.sql import Change, CreateObject, CreateTable, Query, SqlStatement
from dal_audit.facts.sql_trees import (
    Call,
    Case,
    Cast,
    ColumnName,
    Constant,
    InsertTree,
    Operand,
    Operation,
    QueryTree,
    Row,
    Select,
    Star,
    Subquery,
    Unread,
    UpdateTree,
    parts_of,
)
from tests.sampling import runs
from tests.test_sql_tokens import PIECES


def tree_of(text: str) -> QueryTree | None:
    (statement,) = statements_of(text)
    assert isinstance(statement.structure, Query)
    return statement.structure.tree


def value(text: str) -> Operand:
    tree = tree_of(f"SELECT {text}")
    assert tree is not None, text
    assert isinstance(tree.body, Select)
    return tree.body.results[0].operand


def shown(operand: Operand) -> str:
    """Return an expression with a parenthesis around all that binds."""
    match operand:
        case Constant(text=text):
            return text
        case ColumnName(name=name):
            return ".".join(name.parts)
        case Operation(operator=operator):
            return f"({operator} {' '.join(map(shown, parts_of(operand)))})"
        case Call(name=name, arguments=arguments):
            return f"{name.name}({', '.join(map(shown, arguments))})"
        case Cast(operand=inner, type=declared):
            return f"({shown(inner)}::{declared.name})"
        case Case():
            return f"case({' '.join(map(shown, parts_of(operand)))})"
        case Row(items=items):
            return f"row({', '.join(map(shown, items))})"
        case Subquery(form=form):
            return f"{form or 'value'}-query"
        case Star():
            return "*"
        case Unread():
            return "?"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a + b * c", "(+ a (* b c))"),
        ("a - b - c", "(- (- a b) c)"),
        ("-a ^ 2", "(^ (- a) 2)"),
        ("NOT a = b AND c OR d", "(OR (AND (NOT (= a b)) c) d)"),
        ("a AND b AND c", "(AND a b c)"),
        ("a || b = c", "(= (|| a b) c)"),
        ("a BETWEEN 1 AND 2 AND b", "(AND (BETWEEN a 1 2) b)"),
        ("a NOT BETWEEN 1 AND 2", "(NOT BETWEEN a 1 2)"),
        ("a NOT IN (1, 2)", "(NOT IN a 1 2)"),
        ("a IN (SELECT 1)", "(IN a value-query)"),
        ("a NOT LIKE 'x' ESCAPE '!'", "(NOT LIKE a 'x' '!')"),
        ("a IS NOT NULL OR b NOTNULL", "(OR (IS NULL a) (IS NULL b))"),
        ("a IS NOT DISTINCT FROM b", "(IS DISTINCT FROM a b)"),
        ("a = b IS TRUE", "(IS TRUE (= a b))"),
        ("a::text || 'x'", "(|| (a::text) 'x')"),
        ("a::double precision + 1", "(+ (a::double precision) 1)"),
        ("a::timestamp with time zone > b", "(> (a::timestamp with time zone) b)"),
        ("CAST(a AS VARCHAR(3))", "(a::varchar)"),
        ("date '2024-01-01'", "('2024-01-01'::date)"),
        ("interval '1' day", "('1'::interval)"),
        ("CASE a WHEN 1 THEN b ELSE c END", "case(a c 1 b)"),
        ("count(*) FILTER (WHERE a) OVER (PARTITION BY b)", "count(*)"),
        ("s.f(a, 1)", "f(a, 1)"),
        ("left(a, 1)", "left(a, 1)"),
        ("extract(year FROM a)", "extract()"),
        ("substring(a FROM 2)", "substring()"),
        ("(a, b)", "row(a, b)"),
        ("((SELECT 1) + 1)", "(+ value-query 1)"),
        ("((SELECT 1) UNION (SELECT 2))", "value-query"),
        ("EXISTS (SELECT 1)", "EXISTS-query"),
        ("ARRAY[1, 2]", "?"),
        ("a[1] + 2", "(+ ? 2)"),
        ("a = ANY ($1)", "(ANY a ?)"),
        ("$1 + ?", "(+ ? ?)"),
        ("a AT TIME ZONE 'utc' > b", "(> (AT TIME ZONE a 'utc') b)"),
        ("a COLLATE nocase = b", "(= (COLLATE a) b)"),
        ("t.a.b", "t.a.b"),
        ("current_timestamp(3)", "CURRENT_TIMESTAMP"),
        ("current_user", "?"),
    ],
)
def test_what_binds_what(text: str, expected: str) -> None:
    assert shown(value(text)) == expected


@pytest.mark.parametrize(
    "text",
    [
        "SELECT a + FROM t",
        "SELECT a b c FROM t",
        "SELECT CASE WHEN a THEN b",
        "SELECT (a",
        "SELECT f(a) WITHIN GROUP x",
        "SELECT a FROM t WHERE",
        "SELECT a FROM t GROUP BY",
        "SELECT a FROM (SELECT 1",
        "SELECT (a).b FROM t",
        "SELECT ${schema}.a FROM t",
        "SELECT " + "(" * 60 + "1" + ")" * 60,
        "SELECT " + " + ".join(["1"] * 200),
        "SELECT 1 " + "UNION ALL SELECT 1 " * 200,
        "SELECT * FROM " + " JOIN ".join(["t"] * 200),
    ],
)
def test_what_is_built_otherwise_has_no_tree(text: str) -> None:
    assert tree_of(text) is None


def test_many_conditions_are_no_high_tree() -> None:
    assert shown(value(" OR ".join(["a"] * 5000))).startswith("(OR a a")


def test_each_part_has_its_place() -> None:
    operand = value("a\n  + lower(b)")
    assert isinstance(operand, Operation)
    assert [(part.span.line, part.span.column) for part in operand.operands] == [(1, 8), (2, 5)]
    assert (operand.span.line, operand.span.end_line, operand.span.end_column) == (1, 2, 13)


def test_a_query_has_its_sources_and_clauses() -> None:
    tree = tree_of(
        "WITH w (x) AS (SELECT 1), d AS (DELETE FROM t RETURNING a) SELECT u.*, a AS b, c d FROM s.t AS u (p), "
        "(SELECT 2) q LEFT JOIN LATERAL f(1) r ON true NATURAL JOIN w WHERE a GROUP BY ROLLUP (a), b HAVING c "
        "ORDER BY a DESC NULLS LAST LIMIT 3 OFFSET 1 FOR UPDATE"
    )
    assert tree is not None
    assert isinstance(tree.body, Select)
    assert [table.query is None for table in tree.common] == [False, True]
    assert [result.alias.name if result.alias else "" for result in tree.body.results] == [
        "",
        "b",
        "d",
    ]
    assert [type(source).__name__ for source in tree.body.sources] == ["TableSource", "Join"]
    assert [type(item).__name__ for item in tree.body.grouped or ()] == ["Unread", "ColumnName"]
    assert tree.nulls_placed
    assert len(tree.limits) == 2


def test_changes_have_trees() -> None:
    insert, update, delete = (
        statement.structure.tree
        for statement in statements_of(
            "INSERT INTO t AS x (a, b) VALUES (1, DEFAULT), (2, 3), (4, 5), (6, 7), (8, 9) "
            "ON CONFLICT (a) DO UPDATE SET b = excluded.b WHERE x.a > 1 RETURNING *;"
            "UPDATE ONLY t AS x SET a = 1, (b, c) = (2, 3) FROM u WHERE x.a = u.a;"
            "DELETE FROM t USING u WHERE t.a = u.a RETURNING a"
        )
        if isinstance(statement.structure, Change)
    )
    assert isinstance(insert, InsertTree)
    assert insert.rows is not None
    assert len(insert.assignments) == len(insert.returning) == 1
    assert isinstance(update, UpdateTree)
    assert [len(assignment.columns) for assignment in update.assignments] == [1, 2]
    assert delete is not None


def test_definitions_have_trees() -> None:
    view, table, made = (
        statement.structure
        for statement in statements_of(
            "CREATE MATERIALIZED VIEW v (a) AS SELECT 1 WITH NO DATA;"
            "CREATE TABLE t (a INT DEFAULT (1 + 2) CHECK (a > 0), CHECK (a < 9));"
            "CREATE TABLE u AS SELECT 1 AS a WITH DATA"
        )
    )
    assert isinstance(view, CreateObject)
    assert view.rest is not None
    assert isinstance(view.rest.tree, QueryTree)
    assert isinstance(table, CreateTable)
    constraints = (*table.columns[0].constraints, *table.constraints)
    assert all(constraint.expression and constraint.expression.tree for constraint in constraints)
    assert isinstance(made, CreateTable)
    assert made.query is not None
    assert isinstance(made.query.tree, QueryTree)


WORDS = st.sampled_from(
    ("SELECT ", "FROM ", "WHERE ", "(", ")", "a ", ", ", "CASE ", "END ", "IN ")
)


@given(st.lists(PIECES | WORDS, max_size=30).map("".join))
@settings(max_examples=runs(400))
def test_no_text_ends_the_reading(text: str) -> None:
    statements = statements_of(f"SELECT {text}")
    data = msgspec.msgpack.encode(statements)
    assert msgspec.msgpack.decode(data, type=list[SqlStatement]) == statements
