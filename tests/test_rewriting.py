"""Respelling: which tokens a row's respelling edits, and where it keeps its hands off."""

from __future__ import annotations

import pytest

from dal_audit.catalogue.portability import feature_by_id, features
from dal_audit.extract.sql.places import Places
from dal_audit.extract.sql.rewriting import Respeller
from dal_audit.extract.sql.scripts import statements_of
from dal_audit.extract.sql.tokens import tokenize
from dal_audit.fix.model import Fix
from dal_audit.fix.rewrite import amended, compatible


def once(script: str) -> str:
    """Return a script with all its rewritings applied that do not overlap."""
    found = [
        Fix("", one.rewriting.edits, "safe")
        for statement in statements_of(script)
        for one in statement.constructs
        if one.rewriting is not None
    ]
    return amended(script.encode(), compatible(found), is_script=True).decode()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("SELECT ifnull(a,b)", "SELECT coalesce(a,b)"),
        ("SELECT IFNULL  (\n  a, -- why\n  b)", "SELECT COALESCE(\n  a, -- why\n  b)"),
        ("SELECT iif(a,b,c)", "SELECT CASE WHEN a THEN b ELSE c END"),
        ("SELECT iif(f(a, b), (c), d)", "SELECT CASE WHEN f(a, b) THEN (c) ELSE d END"),
        ("SELECT a==b", "SELECT a=b"),
        ("CREATE TABLE t (a NVARCHAR(20)NOT NULL)", "CREATE TABLE t (a TEXT NOT NULL)"),
        ("CREATE TABLE t(`a`INTEGER)", 'CREATE TABLE t("a"INTEGER)'),
        ("CREATE TABLE t ([a b] TEXT)", 'CREATE TABLE t ("a b" TEXT)'),
        ('CREATE TABLE t (`a"b` TEXT)', 'CREATE TABLE t ("a""b" TEXT)'),
        ('CREATE TABLE t (a TEXT DEFAULT "it\'s")', "CREATE TABLE t (a TEXT DEFAULT 'it''s')"),
        ("DROP TABLE t RESTRICT;", "DROP TABLE t;"),
        ("SELECT a FROM t ORDER BY a LIMIT 2,3", "SELECT a FROM t ORDER BY a LIMIT 3 OFFSET 2"),
        ("DELETE FROM t x", "DELETE FROM t AS x"),
        ("SELECT E'a' , $$it's$$", "SELECT 'a' , 'it''s'"),
    ],
)
def test_only_what_must_change_does(before: str, after: str) -> None:
    assert once(before) == after


@pytest.mark.parametrize(
    "script",
    [
        "SELECT ifnull /* so */ (a, b)",
        "CREATE TABLE t (a NVARCHAR /* 20 */ (20))",
        "SELECT pg_catalog.now()",
        "SELECT E'a\\n'",
        "SELECT datetime('now', '+1 day')",
        "SELECT a FROM t LIMIT ?, ?",
        "CREATE INDEX i ON t USING gin (a)",
        "SELECT iif(a, b, c, d)",
    ],
)
def test_what_is_not_sure_stays(script: str) -> None:
    assert once(script) == script


@pytest.mark.parametrize(
    ("script", "named"),
    [
        ("SELECT ifnull(a, b) FROM t", True),
        ("SELECT (SELECT ifnull(a, b) FROM t)", True),
        ("SELECT EXTRACT(YEAR FROM ifnull(a, b)) FROM t", True),
        ("SELECT a FROM t WHERE ifnull(a, b) = 1", False),
        ("SELECT a FROM (SELECT ifnull(a, b) AS a FROM t) AS q", True),
        ("DELETE FROM t WHERE a = 1 RETURNING ifnull(a, b)", True),
        ("UPDATE t SET a = ifnull(a, b)", False),
        ("INSERT INTO t VALUES (ifnull(1, 2))", False),
    ],
)
def test_what_may_name_a_column_of_a_result_is_told(script: str, *, named: bool) -> None:
    (statement,) = statements_of(script)
    found = [one.rewriting for one in statement.constructs if one.feature == "function-ifnull"]
    assert [one.names_result for one in found if one] == [named]


def test_every_respelling_has_a_known_condition() -> None:
    from dal_audit.fix.sql import CONDITIONS

    respellings = [respelling for one in features() for respelling in one.fixes]
    assert len(respellings) > 100
    assert {one.safe for one in respellings} == set(CONDITIONS)


def test_calls_in_calls_are_respelled_at_every_depth() -> None:
    feature, depth = feature_by_id()["function-ifnull"], 3000
    text = "SELECT " + "ifnull(" * depth + "a" + ", 1)" * depth
    tokens = tokenize(text)
    respeller = Respeller(tokens, (), Places(text))
    starts = [index for index, one in enumerate(tokens) if one.text == "ifnull"]
    found = [respeller.rewriting(feature, start, len(tokens)) for start in starts]
    assert sum(len(one.edits) for one in found if one) == depth
