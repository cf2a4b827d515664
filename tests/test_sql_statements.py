"""SQL's statements: where each begins and ends, and to which part it belongs."""

from __future__ import annotations

from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dal_audit.extract.sql.places import Places
from dal_audit.extract.sql.statements import Script, split
from dal_audit.facts import Span
from tests.steps import assert_linear
from tests.test_sql_tokens import PIECES


def texts(text: str) -> list[str]:
    return [text[one.start : one.end] for one in split(text).statements]


def parts(text: str) -> list[tuple[str, str]]:
    return [(one.part, text[one.start : one.end]) for one in split(text).statements]


def rebuilt(script: Script) -> str:
    gaps = iter(script.gaps())
    whole = []
    for statement, (start, end) in zip(script.statements, gaps, strict=False):
        whole += [script.text[start:end], script.text[statement.start : statement.end]]
    start, end = script.gaps()[-1]
    return "".join([*whole, script.text[start:end]])


TRIGGER = "CREATE TRIGGER t AFTER INSERT ON a BEGIN UPDATE b SET c = CASE WHEN 1 THEN 2 END; END"
ATOMIC = (
    "CREATE FUNCTION f() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT 1; SELECT CASE 1 WHEN 1 "
    "THEN 2 END; END"
)
PROCEDURE = (
    "CREATE PROCEDURE p() BEGIN IF a THEN BEGIN SELECT 1; END; END IF; "
    "CASE a WHEN 1 THEN SELECT 2; END CASE; END"
)


@pytest.mark.parametrize(
    "statement",
    [
        TRIGGER,
        ATOMIC,
        PROCEDURE,
        "CREATE TEMP TRIGGER IF NOT EXISTS t UPDATE OF begin, end ON a BEGIN SELECT 1; END",
        "CREATE TRIGGER t AFTER INSERT ON a FOR EACH ROW EXECUTE FUNCTION f()",
        "CREATE FUNCTION f() RETURNS int AS $$ BEGIN RETURN 1; END; $$ LANGUAGE plpgsql",
        "CREATE FUNCTION f() RETURNS int AS $a$ $$;$$ $a$ LANGUAGE sql",
        "DO $$ BEGIN PERFORM 1; END $$",
        "CREATE RULE r AS ON INSERT TO a DO ALSO (SELECT 1; SELECT 2)",
        "BEGIN",
        "BEGIN TRANSACTION",
        "END",
        "SELECT ';' AS \";\" -- ; no end\n, 1 /* ; */ + 1",
        "INSERT INTO begin_end VALUES ('BEGIN;')",
    ],
)
def test_statement_ends_at_its_own_delimiter(statement: str) -> None:
    text = f"SELECT 0;\n{statement};\nSELECT 9;"
    assert texts(text) == ["SELECT 0", statement, "SELECT 9"]
    assert texts(statement) == [statement]
    assert not any(one.flaw for one in split(text).statements)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\\restrict x\nSELECT 1;\n\\unrestrict x\n", ["SELECT 1"]),
        ("\\connect a\nSELECT 1\n\\g\nSELECT 2", ["SELECT 1", "SELECT 2"]),
        (".read a;b\nSELECT a.b;\n.quit", ["SELECT a.b"]),
        (
            "COPY a (b) FROM stdin;\n1;'2\n\\N\n\\.\nSELECT 1;",
            ["COPY a (b) FROM stdin", "SELECT 1"],
        ),
        ("COPY a FROM STDIN WITH CSV;\n'x", ["COPY a FROM STDIN WITH CSV"]),
        ("COPY a FROM 'f';\nSELECT 1;", ["COPY a FROM 'f'", "SELECT 1"]),
        (f"DELIMITER //\n{PROCEDURE}//\nDELIMITER ;\nSELECT 1;", [PROCEDURE, "SELECT 1"]),
        ("DELIMITER $$\nSELECT 1; SELECT 2$$\nDELIMITER ;", ["SELECT 1; SELECT 2"]),
        ("SELECT 1\nGO\nSELECT 2\ngo 5\n", ["SELECT 1", "SELECT 2"]),
        (
            "SELECT 1 --> statement-breakpoint\nSELECT 2;--> statement-breakpoint\n",
            ["SELECT 1", "SELECT 2"],
        ),
        (
            "-- atlas:delimiter \\n\\n\nSELECT 1;\nSELECT 2\n\nSELECT 3",
            ["SELECT 1;\nSELECT 2", "SELECT 3"],
        ),
        (";;/* a */;", []),
        ("", []),
    ],
)
def test_lines_of_clients_and_tools_are_no_sql(text: str, expected: list[str]) -> None:
    assert texts(text) == expected
    assert rebuilt(split(text)) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("-- +goose Up\nA;\n-- +goose Down\nB;", [("up", "A"), ("down", "B")]),
        (
            "-- +goose Up\n-- +goose StatementBegin\nA; B\n-- +goose StatementEnd\nC;",
            [("up", "A"), ("up", "B"), ("up", "C")],
        ),
        ("-- +goose NO TRANSACTION\n-- +goose Up\nA\n,B;", [("up", "A\n,B")]),
        ("-- +migrate Up notransaction\nA;\n-- +migrate Down\nB", [("up", "A"), ("down", "B")]),
        ("-- migrate:up transaction:false\nA;\n-- migrate:down\nB;", [("up", "A"), ("down", "B")]),
        ("A;\n---- create above / drop below ----\nB;", [("up", "A"), ("down", "B")]),
        ("A; -- migrate:down\nB;", [("", "A"), ("", "B")]),
        ("-- depends: x\n-- rollback B;\nA;", [("", "A")]),
        (
            (
                "--liquibase formatted sql\n--changeset a:1 endDelimiter:/\nA; B/\n--rollback C\n"
                "--changeset a:2\nD;\n--rollback empty\nE;"
            ),
            [("up", "A; B"), ("down", "C"), ("up", "D"), ("up", "E")],
        ),
        (
            (
                "--liquibase formatted sql\n--changeset a:1\nA;\n--rollback B\n--rollback  C; D;\n"
                "/* liquibase rollback\nE;\n*/"
            ),
            [("up", "A"), ("down", "B\n--rollback  C"), ("down", "D"), ("down", "E")],
        ),
    ],
)
def test_markers_say_to_which_part_a_statement_belongs(
    text: str, expected: list[tuple[str, str]]
) -> None:
    assert parts(text) == expected
    assert rebuilt(split(text)) == text


@pytest.mark.parametrize(
    ("text", "flaw", "place"),
    [
        ("SELECT 1; SELECT 'a;\nSELECT 2;", "a string that nothing closes", 17),
        ('SELECT 1; SELECT "a;', "a quoted identifier that nothing closes", 17),
        ("SELECT 1; DO $$ a;", "a dollar-quoted string that nothing closes", 13),
        ("SELECT 1; /* a;", "a comment that nothing closes", 10),
        (
            "SELECT 1; CREATE TRIGGER t DELETE ON a BEGIN SELECT 1;",
            "a `BEGIN` without its `END`",
            10,
        ),
    ],
)
def test_what_nothing_closes_is_said_with_its_place(text: str, flaw: str, place: int) -> None:
    first, last = split(text).statements
    assert not first.flaw
    assert (last.flaw, last.flaw_start) == (flaw, place)
    assert rebuilt(split(text)) == text


LINES = st.sampled_from(
    [
        "-- +goose Up\n",
        "--liquibase formatted sql\n",
        "--rollback a; b\n",
        "--changeset a:b endDelimiter:/\n",
        "DELIMITER //\n",
        "GO\n",
        "\\.\n",
        "COPY a FROM stdin;\n",
        "-- atlas:delimiter x\n",
        ".x\n",
        "/* liquibase rollback ",
        "CREATE TRIGGER t ",
        "--> statement-breakpoint",
        "\r\n",
        "\r",
    ]
)


@given(st.lists(st.one_of(PIECES, LINES), max_size=60).map("".join))
def test_statements_and_gaps_are_the_text(text: str) -> None:
    script = split(text)
    assert rebuilt(script) == text
    for statement in script.statements:
        assert statement.tokens[0].start == statement.start
        assert statement.tokens[-1].end == statement.end


@given(st.lists(st.one_of(PIECES, LINES), max_size=40).map("".join))
def test_a_gap_holds_nothing_but_space_comments_lines_and_delimiters(text: str) -> None:
    if any(word in text for word in ("DELIMITER", "endDelimiter", "atlas", "rollback")):
        return  # Another delimiter, or statements inside comments.
    script = split(text)
    known = [(one.start, one.end) for one in script.comments]
    known += [(one.start, one.end) for one in script.lines]
    for start, end in script.gaps():
        left = list(text[start:end])
        for first, last in known:
            for index in range(max(first, start), min(last, end)):
                left[index - start] = " "
        assert set(left) <= set(" \t\r\n\f\v;"), text


@pytest.mark.parametrize(
    "piece",
    [
        "CREATE TRIGGER t DELETE ON a BEGIN SELECT 1;",
        "SELECT 1;",
        "-- +goose Up\n",
        "DELIMITER a\n",
        "COPY a FROM stdin;\n",
        "--> statement-breakpoint",
        "CREATE RULE r AS (;",
        "\\.\n",
        "GO\n",
    ],
)
def test_splitting_takes_linear_time(piece: str) -> None:
    assert_linear(lambda size: partial(split, piece * size), 20)


def test_places_count_lines_and_utf_16_columns() -> None:
    text = "a\r\n\U0001f600é 'x'\rb\nc"
    places = Places(text)
    assert places.position(0) == (1, 1)
    assert places.position(text.index("'")) == (2, 5)
    assert places.position(text.index("b")) == (3, 1)
    assert places.span(text.index("'"), text.index("c")) == Span(2, 5, 4, 1)
