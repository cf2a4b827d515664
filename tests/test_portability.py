"""The catalogue of what is portable: its rows, and how each is recognised."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
import tomli

from dal_audit.catalogue.portability import Feature, feature_by_id, features, version_key
from dal_audit.extract.sql.patterns import Matcher, compile_pattern, shipped_matcher
from dal_audit.extract.sql.statements import split

DIVERGENCE = Path(__file__).parent / "data" / "divergence.toml"
SCRIPTS = tomli.loads(DIVERGENCE.read_text(encoding="utf-8"))["script"]

NEEDS_SCHEMA = frozenset(
    {
        "BAD-DATE",  # that a column is a date
        "BOOL-STRING",  # that a column is a boolean
        "DATE-ARITH",  # that both operands are dates
        "FK-OFF",  # that the key refers to what is there: where it does not, it is loud
        "GROUP-BARE",  # what a column depends on
        "INSERT-SELECT-TYPE",  # the types of two tables
        "ORDER-NULLS",  # that there are NULLs
        "STR-NUM-CMP",  # that a column is text
        "TYPE-AFFINITY",  # that a column is a number
        "VIEW-STAR",  # that a column was added later
    }
)
"""Differences that the text of the statement alone does not show."""


def seen(text: str, matcher: Matcher | None = None) -> set[str]:
    """Return the ids of the features that a text holds."""
    matcher = matcher or shipped_matcher()
    return {
        match.feature
        for statement in split(text).statements
        for match in matcher.matches(statement.tokens)
    }


def spelled(pattern: str, text: str, within: str = "") -> list[str]:
    """Return the stretches of a text that a pattern matches, their tokens with one space between."""
    matcher = Matcher((compile_pattern("x", pattern, within),))
    return [
        " ".join(token.text for token in statement.tokens[match.start : match.end])
        for statement in split(text).statements
        for match in matcher.matches(statement.tokens)
    ]


# Rows


def test_there_are_rows_of_every_kind() -> None:
    assert len(features()) >= 350
    assert len({feature.kind for feature in features()}) == 17
    assert {feature.rule for feature in features()} == {
        f"DAL{number}" for number in range(301, 310)
    }


def test_ids_are_unique() -> None:
    assert [
        name for name, count in Counter(one.id for one in features()).items() if count > 1
    ] == []
    assert set(feature_by_id()) == {one.id for one in features()}


def test_every_row_is_whole() -> None:
    assert {feature.id: lacking(feature) for feature in features() if lacking(feature)} == {}


def lacking(feature: Feature) -> list[str]:
    """Return what a row should hold and does not."""
    is_portable = all(verdict is True for verdict in feature.engines.values())
    engines = {"sqlite", "postgresql"}
    holds = {
        "title": bool(feature.title),
        "example": bool(feature.example),
        "cure": feature.cure.endswith("."),
        "sources": set(feature.sources) == engines,
        "links": all(url.startswith("https://") for url in feature.sources.values()),
        "probe": feature.differs == bool(feature.probe),
        "engines": set(feature.engines) | set(feature.extension or ()) == engines,
        "reason": not is_portable or feature.differs or bool(feature.extension),
    }
    return [part for part, is_held in holds.items() if not is_held]


def test_every_row_is_recognised_in_its_example() -> None:
    assert [feature.id for feature in features() if feature.id not in seen(feature.example)] == []


def test_no_row_is_recognised_in_its_portable_text() -> None:
    assert [feature.id for feature in features() if feature.id in seen(feature.portable)] == []


def test_what_is_portable_is_rejected_by_nobody() -> None:
    newest = {"sqlite": "", "postgresql": ""}
    wrong = {
        (feature.id, other)
        for feature in features()
        for other in seen(feature.portable)
        if feature_by_id()[other].fails_on(newest)
    }
    assert wrong == set()


def test_the_lowest_versions_decide() -> None:
    returning = feature_by_id()["returning"]
    assert returning.fails_on({"sqlite": "3.34.1", "postgresql": "12"}) == ("sqlite",)
    assert returning.fails_on({"sqlite": "3.35.0", "postgresql": "12"}) == ()
    assert returning.fails_on({"sqlite": "", "postgresql": ""}) == ()
    assert feature_by_id()["ilike"].fails_on({"sqlite": "", "postgresql": ""}) == ("sqlite",)
    assert feature_by_id()["ilike"].fails_on({"postgresql": ""}) == ()
    assert feature_by_id()["ilike"].fails_on({"duckdb": ""}) == ()


def test_versions_compare_by_their_numbers() -> None:
    assert version_key("3.9") < version_key("3.35") < version_key("3.35.1")
    assert version_key("3.35") == version_key("3.35.0")
    with pytest.raises(ValueError, match="invalid literal"):
        version_key("newest")


# Differences


@pytest.mark.parametrize(
    "script",
    [one for one in SCRIPTS if one["shows"] in {"differs", "fails-later"}],
    ids=lambda one: one["name"],
)
def test_a_silent_difference_is_seen(script: dict[str, str]) -> None:
    rows = {one.id for one in features() if script["name"] in one.divergence}
    assert bool(rows & seen(script["sql"])) == (script["name"] not in NEEDS_SCHEMA)


@pytest.mark.parametrize(
    "script",
    [one for one in SCRIPTS if one["shows"] in {"loud", "same"}],
    ids=lambda one: one["name"],
)
def test_a_control_is_left_alone(script: dict[str, str]) -> None:
    found = [feature_by_id()[name] for name in seen(script["sql"])]
    assert [one.id for one in found if one.differs or one.rule == "DAL309"] == []
    if script["shows"] == "same":
        assert [one.id for one in found if one.fails_on({"sqlite": "", "postgresql": ""})] == []


# Patterns


def test_words_match_in_any_case_and_only_outside_quotes() -> None:
    assert spelled("A B", "select a B") == ["a B"]
    assert spelled("ILIKE", "select 'ILIKE', \"ILIKE\" -- ILIKE\n /* ILIKE */") == []


def test_alternatives_and_options() -> None:
    assert spelled("A (B | C) [D] E", "select a b e, a c d e, a e") == ["a b e", "a c d e"]


def test_a_skip_stays_at_its_depth() -> None:
    assert spelled("A … Z", "select a b (z) c z") == ["a b ( z ) c z"]
    assert spelled("A … Z", "select (a b) z") == []
    assert spelled("A …!, Z", "select a b, z, a c z") == ["a c z"]
    assert spelled("A …!STOP Z", "select a stop z, a z") == ["a z"]


def test_groups_and_single_parentheses() -> None:
    assert spelled("A (…) B", "select a (1, (2)) b") == ["a ( 1 , ( 2 ) ) b"]
    assert spelled(r"A \( <number> \)", "select a (1), a (b)") == ["a ( 1 )"]
    assert spelled("A (…)", "select a (1") == []


def test_calls_by_their_arguments() -> None:
    text = "select f(), f(1), f(1, (2, 3)), f(a[1], g(4, 5), 6)"
    assert spelled("f/0", text) == ["f ( )"]
    assert spelled("f/2", text) == ["f ( 1 , ( 2 , 3 ) )"]
    assert len(spelled("f/1..2", text)) == 2
    assert len(spelled("f/1..", text)) == 3


@pytest.mark.parametrize(
    "text",
    [
        "CREATE TABLE date (id INTEGER)",
        "INSERT INTO date (id) VALUES (1)",
        "CREATE TABLE t (a INTEGER REFERENCES date (id))",
        "CREATE INDEX i ON date (id)",
        "CREATE TABLE t (a date(6))",
        "SELECT CAST(a AS date(6))",
        "SELECT a::date(6)",
        "WITH date (id) AS (SELECT 1) SELECT id FROM q",
        "SELECT x.date(1)",
        "SELECT 'date(1)', \"date\"(1)",
    ],
)
def test_what_is_no_call(text: str) -> None:
    assert spelled("date/1", text) == []


def test_a_join_condition_may_be_a_call() -> None:
    assert spelled("date/1", "SELECT 1 FROM a JOIN b ON date(a.d)") == ["date ( a . d )"]


@pytest.mark.parametrize(
    "text",
    [
        "CREATE TABLE t (a blob)",
        'CREATE TEMP TABLE IF NOT EXISTS s.t (id INTEGER, "a" blob NOT NULL)',
        "ALTER TABLE t ADD a blob",
        "ALTER TABLE t ADD COLUMN IF NOT EXISTS a blob",
        "ALTER TABLE t ALTER COLUMN a SET DATA TYPE blob",
        "ALTER TABLE t MODIFY COLUMN a blob",
        "ALTER TABLE t CHANGE a b blob",
        "SELECT CAST((SELECT 1 AS x) AS blob)",
        "SELECT a::blob",
        "CREATE DOMAIN d AS blob",
        "CREATE TYPE y AS (a blob)",
    ],
)
def test_where_types_stand(text: str) -> None:
    assert spelled("@type blob", text) == ["blob"]


@pytest.mark.parametrize(
    "text",
    [
        "CREATE TABLE blob (blob TEXT, CONSTRAINT blob UNIQUE (blob))",
        "SELECT blob, a AS blob FROM blob",
        "CREATE TABLE t AS SELECT a blob FROM x",
        "INSERT INTO t (a, blob) VALUES (1, 2)",
    ],
)
def test_where_no_types_stand(text: str) -> None:
    assert spelled("@type blob", text) == []


def test_the_beginning_and_the_end() -> None:
    assert spelled("^ DROP A $", "drop a; drop a b; x drop a") == ["drop a"]


def test_what_must_not_follow() -> None:
    assert spelled("DOUBLE !PRECISION", "select double, double precision") == ["double"]
    assert spelled("A !(B | C)", "select a b, a c, a d, a") == ["a", "a"]


def test_a_context_is_the_beginning_of_the_statement() -> None:
    assert spelled("A", "create table a; drop table a", "CREATE (TABLE | VIEW)") == ["a"]
    assert spelled("A", "comment on a; select a", "!(COMMENT)") == ["a"]


@pytest.mark.parametrize("text", ["", "(A", "A)", "<any>", "… A <", "[A]", "<name> <name>"])
def test_a_pattern_that_cannot_be_searched_for_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="the pattern of `x`"):
        compile_pattern("x", text)


# Cost


@pytest.mark.parametrize(
    "part",
    [
        "a b ",
        "ALTER COLUMN a ADD CONSTRAINT ",
        ", ADD COLUMN a INTEGER DEFAULT ",
        "CAST (1 AS ",
        "f (",
        "SELECT x LIMIT 1 ",
        "VALUES (TRUE, 'x', ",
        "ON CONFLICT (a) DO ",
        ") AS (",
        "[ ] ",
    ],
)
def test_matching_costs_what_the_statement_is_long(part: str) -> None:
    matcher = Matcher(shipped_matcher().patterns)
    visits = []
    for count in (200, 400):
        tokens = split("ALTER TABLE t " + part * count).statements[0].tokens
        before = matcher.visits
        matcher.matches(tokens)
        visits.append(matcher.visits - before)
    assert visits[1] <= 2.2 * visits[0] + 1000


def test_rows_cost_nothing_where_their_words_are_missing() -> None:
    matcher = Matcher(shipped_matcher().patterns)
    matcher.matches(split("INSERT INTO t (a, b, c) VALUES ($1, $2, $3)").statements[0].tokens)
    assert matcher.visits < 60
