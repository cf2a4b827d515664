"""SQL's tokens: each form of both engines is one token of its kind, at its place."""

from __future__ import annotations

from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dal_audit.extract.sql.tokens import Reader, Stop, tokenize
from tests.steps import assert_linear


def kinds(text: str) -> list[tuple[str, str]]:
    return [(token.kind.name, token.text) for token in tokenize(text)]


@pytest.mark.parametrize(
    "text",
    [
        "'it''s'",
        "''",
        "''''",
        r"'a\'",
        r"E'it\'s'",
        r"e'a\\'",
        "E'a''b'",
        "X'0aFF'",
        "b'01'",
        "N'é'",
        "U&'d\\0061t'",
        "$$a;b$$",
        "$fn$ $$ ; $x$ $fn$",
        "'a\nb'",
    ],
)
def test_string_is_one_token(text: str) -> None:
    assert kinds(f"({text},") == [("PUNCTUATION", "("), ("STRING", text), ("PUNCTUATION", ",")]


@pytest.mark.parametrize("text", ['"a b"', '"a""b"', "`a``b`", "[a b]", 'U&"x"', "[order]"])
def test_quoted_identifier_is_one_token(text: str) -> None:
    assert kinds(f"FROM {text};") == [("WORD", "FROM"), ("QUOTED", text), ("PUNCTUATION", ";")]


@pytest.mark.parametrize(
    "text", ["?", "?1", "$1", "$name", ":name", ":1", "@p1", "%s", "%(name)s", ":'name'"]
)
def test_parameter_is_one_token(text: str) -> None:
    assert kinds(f"VALUES ({text})")[2] == ("PARAMETER", text)
    assert kinds(f"WHERE a = {text}")[-1] == ("PARAMETER", text)


@pytest.mark.parametrize(
    "text", ["0", "12", "1_000", "1.5", "1.", ".5", "1e5", "1.5E-3", "0x1F", "0b01", "0o17"]
)
def test_number_is_one_token(text: str) -> None:
    assert kinds(f"= {text} ")[1:] == [("NUMBER", text)]


@pytest.mark.parametrize(
    "text",
    [
        "::",
        "->",
        "->>",
        "#>",
        "#>>",
        "@>",
        "<@",
        "?|",
        "?&",
        "||",
        "<>",
        "!=",
        "==",
        "~*",
        "!~~*",
        "&&",
        "<->",
        "<=>",
        ":=",
        "=>",
        "<<",
        "-|-",
        "^",
        "#",
        "~",
    ],
)
def test_operator_is_one_token(text: str) -> None:
    assert kinds(f"a {text} b") == [("WORD", "a"), ("OPERATOR", text), ("WORD", "b")]


@pytest.mark.parametrize("text", ["${schema}", "{{ .Name }}", "{% if x %}", "#{name}"])
def test_template_is_one_token(text: str) -> None:
    assert kinds(f"FROM {text}_users")[1:] == [("TEMPLATE", text), ("WORD", "_users")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a[1]", [("WORD", "a"), ("PUNCTUATION", "["), ("NUMBER", "1"), ("PUNCTUATION", "]")]),
        ("int[]", [("WORD", "int"), ("PUNCTUATION", "["), ("PUNCTUATION", "]")]),
        ("a [1:2]", [("WORD", "a"), ("PUNCTUATION", "["), ("NUMBER", "1"), ("OPERATOR", ":")]),
        ("a[i:n]", [("WORD", "a"), ("PUNCTUATION", "["), ("WORD", "i"), ("OPERATOR", ":")]),
        ("ARRAY[:x]", [("WORD", "ARRAY"), ("PUNCTUATION", "["), ("PARAMETER", ":x")]),
        ("ARRAY[[1],[2]]", [("WORD", "ARRAY"), ("PUNCTUATION", "["), ("PUNCTUATION", "[")]),
        ("[dbo].[t]", [("QUOTED", "[dbo]"), ("PUNCTUATION", "."), ("QUOTED", "[t]")]),
        ("AS [x y]", [("WORD", "AS"), ("QUOTED", "[x y]")]),
        ("a ? 'k'", [("WORD", "a"), ("OPERATOR", "?"), ("STRING", "'k'")]),
        ("LIKE ? ESCAPE", [("WORD", "LIKE"), ("PARAMETER", "?"), ("WORD", "ESCAPE")]),
        ("?||'x'", [("PARAMETER", "?"), ("OPERATOR", "||"), ("STRING", "'x'")]),
        ("a %s", [("WORD", "a"), ("OPERATOR", "%"), ("WORD", "s")]),
        ("= %s", [("OPERATOR", "="), ("PARAMETER", "%s")]),
        ("a::int", [("WORD", "a"), ("OPERATOR", "::"), ("WORD", "int")]),
        ("=@p1", [("OPERATOR", "="), ("PARAMETER", "@p1")]),
        ("=-1", [("OPERATOR", "="), ("OPERATOR", "-"), ("NUMBER", "1")]),
        ("foo$1", [("WORD", "foo$1")]),
        ("nameE'x'", [("WORD", "nameE"), ("STRING", "'x'")]),
        ("a.5", [("WORD", "a"), ("PUNCTUATION", "."), ("NUMBER", "5")]),
        ("a\u00a0b", [("WORD", "a\u00a0b")]),
        ('"{{ index .O "N" }}".t', [("QUOTED", '"{{ index .O "N" }}"'), ("PUNCTUATION", ".")]),
    ],
)
def test_what_stands_around_decides(text: str, expected: list[tuple[str, str]]) -> None:
    assert kinds(text)[: len(expected)] == expected


def test_comments_nest_where_that_closes_them() -> None:
    assert kinds("a /* b /* c */ d */ e") == [("WORD", "a"), ("WORD", "e")]
    assert kinds("a /* b /* c */ d") == [("WORD", "a"), ("WORD", "d")]
    assert kinds("a -- ' /*\r\nb") == [("WORD", "a"), ("WORD", "b")]
    assert kinds("# a") == [("OPERATOR", "#"), ("WORD", "a")]


def test_depth_counts_the_parentheses_around_a_token() -> None:
    assert [(one.text, one.depth) for one in tokenize("a(b(c)),)d")] == [
        ("a", 0), ("(", 0), ("b", 1), ("(", 1), ("c", 2), (")", 1), (")", 0), (",", 0), (")", 0),
        ("d", 0),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "text", ["'a", "'a''", r"E'a\'", "E'a\\", '"a', "`a", "$$a", "$t$ $$", "/* a"]
)
def test_what_nothing_closes_is_the_rest_of_the_text(text: str) -> None:
    assert kinds(f"SELECT {text}") == [("WORD", "SELECT"), ("UNTERMINATED", text)]


@pytest.mark.parametrize(
    "line", [r"\restrict x", ".read x.sql", "GO", "DELIMITER //", "-- +goose Up"]
)
def test_reading_stops_at_a_line_that_is_no_sql(line: str) -> None:
    tokens: list = []  # type: ignore[type-arg]
    assert Reader(f"\n{line}\nb").read(0, len(line) + 3, tokens) == (Stop.LINE, 1)
    assert tokens == []


def test_a_column_called_go_is_no_line() -> None:
    assert kinds("SELECT\nGO\nFROM t") == [
        ("WORD", "SELECT"), ("WORD", "GO"), ("WORD", "FROM"), ("WORD", "t"),
    ]  # fmt: skip


PIECES = st.sampled_from(
    [
        "'",
        '"',
        "`",
        "[",
        "]",
        "$$",
        "$a$",
        "/*",
        "*/",
        "--",
        "\n",
        ";",
        "(",
        ")",
        "E'",
        "\\",
        "a",
        " ",
        ":",
        "?",
        "%s",
        "{{",
        "}}",
        "${",
        "1",
        ".",
        "@",
        "é",
        "😀",
        "BEGIN",
        "END",
        "CASE",
    ]
)


@given(st.lists(PIECES, max_size=60).map("".join))
def test_tokens_are_stretches_of_the_text_in_order(text: str) -> None:
    position = 0
    for token in tokenize(text):
        assert token.start >= position
        assert token.end > token.start
        assert text[token.start : token.end] == token.text
        position = token.end


@pytest.mark.parametrize(
    "piece", ["/*", "/* */", "''", "$a$ ", "{{", "[", "(", "E'\\'", "'", '"{{', "a.", "?"]
)
def test_reading_takes_linear_time(piece: str) -> None:
    assert_linear(lambda size: partial(tokenize, piece * size), 60)
