"""The places of keys and values: what the scanner finds is what tomllib parses."""

from __future__ import annotations

import json
from typing import Any

import pytest
import tomli
from hypothesis import given, settings
from hypothesis import strategies as st

from dal_audit.facts import Span
from dal_audit.policy.positions import KeyPath, Places, places_of

PROPERTY = settings(max_examples=150)

BARE = st.text("ab1-_", min_size=1, max_size=2)
QUOTED = st.sampled_from(
    [
        '"a.b"',
        "'x y'",
        '"\\u00e9"',
        '""',
        "']'",
        '"#"',
        '"="',
        "'\"'",
        '"\\""',
        '"😀"',
        "'é'",
        '"{"',
    ]
)
KEY = st.one_of(BARE, BARE, QUOTED)
DOTTED = st.builds(
    lambda parts, dot: dot.join(parts),
    st.lists(KEY, min_size=1, max_size=3),
    st.sampled_from([".", " . ", ".\t"]),
)
TEXT = st.text("ab#[]{}=,.'\"\\\t 😀é\n", max_size=8)
MULTI_LINE = st.sampled_from(
    [
        '"""a\n"b" ""c"" # no comment\n"""',
        '""""quoted""""',
        '"""""two"""""',
        '""""""',
        '"""\\\n   trimmed \\""" = ]"""',
        "'''it's ''two''\n[x]\n'''",
        "'''''a'''''",
        "''''''",
    ]
)
LITERAL = st.text('ab#[]{}=,."\\\t 😀é', max_size=8).map(lambda text: f"'{text}'")
OTHER = st.sampled_from(
    [
        *("1", "-0", "+1_000", "0xff", "1.5e3", "inf", "nan", "true", "false"),
        *("1979-05-27", "07:32:00", "1979-05-27T07:32:00Z"),
        *("1979-05-27 07:32:00", "1979-05-27 07:32:00.5-07:00"),
    ]
)
SCALAR = st.one_of(
    TEXT.map(lambda text: json.dumps(text, ensure_ascii=False)), LITERAL, MULTI_LINE, OTHER
)
GAP = st.sampled_from(["", " ", "\n", " # ], } \n\t", "\n\n"])
BLANK = st.sampled_from(["", " ", "\t"])


@st.composite
def arrays(draw: st.DrawFn, items: st.SearchStrategy[str]) -> str:
    """Draw an array over one line or several."""
    parts = draw(st.lists(items, max_size=3))
    last = draw(st.sampled_from(["", ","])) if parts else ""
    inner = ",".join(f"{draw(GAP)}{part}{draw(GAP)}" for part in parts)
    return f"[{inner}{last}{draw(GAP)}]"


@st.composite
def inline_tables(draw: st.DrawFn, items: st.SearchStrategy[str]) -> str:
    """Draw an inline table as TOML 1.0 has them: on one line, without a last comma."""
    keys = draw(st.lists(KEY, max_size=3, unique=True))
    pairs = (f"{draw(BLANK)}{key}{draw(BLANK)}={draw(BLANK)}{draw(items)}" for key in keys)
    return "{" + ",".join(pairs) + draw(BLANK) + "}"


VALUE = st.recursive(
    SCALAR, lambda items: st.one_of(arrays(items), inline_tables(items)), max_leaves=6
)
PAIR = st.builds(
    lambda indent, key, gap, value, comment: f"{indent}{key}{gap}={gap}{value}{comment}",
    BLANK,
    DOTTED,
    BLANK,
    VALUE,
    st.sampled_from(["", " # a = 1", "#"]),
)
HEADER = st.one_of(
    DOTTED.map(lambda key: f"[{key}]"),
    DOTTED.map(lambda key: f" [ {key} ] # header"),
    DOTTED.map(lambda key: f"[[{key}]]"),
    DOTTED.map(lambda key: f"[[ {key} ]]"),
)


def parsed(text: str) -> dict[str, Any] | None:
    """Return the document, or None for what is not TOML."""
    try:
        return tomli.loads(text)
    except tomli.TOMLDecodeError:
        return None


@st.composite
def documents(draw: st.DrawFn, statements: st.SearchStrategy[str]) -> str:
    """Draw a valid document: a statement that clashes with those before it is left out."""
    end = draw(st.sampled_from(["\n", "\r\n"]))
    text = ""
    for statement in draw(st.lists(statements, max_size=7)):
        longer = f"{text}{statement}\n".replace("\r\n", "\n").replace("\n", end)
        if parsed(longer) is not None:
            text = longer
    return text.removesuffix(end) if draw(st.booleans()) else text


def leaves(value: object, path: KeyPath = ()) -> dict[KeyPath, object]:
    """Return all values of a document by their paths."""
    found: dict[KeyPath, object] = {path: value} if path else {}
    if isinstance(value, dict):
        for key, item in value.items():
            found |= leaves(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            found |= leaves(item, (*path, index))
    return found


def cut(text: str, span: Span | None) -> str:
    """Return the text of a span, found by lines and UTF-16 columns alone."""
    assert span is not None
    lines = [line.encode("utf-16-le") for line in text.split("\n")]
    rows = lines[span.line - 1 : span.end_line]
    rows[-1] = rows[-1][: 2 * (span.end_column - 1)]
    rows[0] = rows[0][2 * (span.column - 1) :]
    return "\n".join(row.decode("utf-16-le") for row in rows)


@PROPERTY
@given(documents(st.one_of(PAIR, HEADER, st.sampled_from(["", "# [x]"]))))
def test_the_scanner_finds_what_tomllib_parses(text: str) -> None:
    """The paths are those of the document; keys and scalars parse back from their places."""
    values = leaves(tomli.loads(text))
    places = Places(text)
    assert places.values.keys() == values.keys()
    assert places.keys.keys() == {path for path in values if isinstance(path[-1], str)}
    for path in places.keys:
        raw = cut(text, places.key(path))
        assert list(tomli.loads(f"{raw} = 0")) == [path[-1]]
    for path, value in values.items():
        if not isinstance(value, dict | list):
            raw = cut(text, places.value(path))
            assert repr(tomli.loads(f"x = {raw}")) == repr({"x": value})


@PROPERTY
@given(documents(PAIR))
def test_inline_values_parse_back_whole(text: str) -> None:
    """Arrays and inline tables stand where they are said to, from bracket to bracket."""
    places = Places(text)
    for path, value in leaves(tomli.loads(text)).items():
        raw = cut(text, places.value(path))
        if isinstance(value, list) or raw.startswith("{"):
            assert repr(tomli.loads(f"x = {raw}")) == repr({"x": value})


DOCUMENT = """\
storage = ["a",
  "b/**"] # why
"ünï😀" = { x = 1, y.z = [2] }
[severity]
DAL101 = "off"
[[waivers]]
id = "one"
[waivers.more]
[[waivers]]
id = "two"
[deep.er]
"""


@pytest.mark.parametrize(
    ("path", "span"),
    [
        (("storage",), Span(1, 11, 2, 10)),
        (("storage", 1), Span(2, 3, 2, 9)),
        (("ünï😀", "x"), Span(3, 17, 3, 18)),
        (("ünï😀", "y"), Span(3, 20, 3, 21)),
        (("ünï😀", "y", "z", 0), Span(3, 27, 3, 28)),
        (("severity",), Span(4, 1, 4, 11)),
        (("waivers",), Span(6, 1, 6, 12)),
        (("waivers", 1), Span(9, 1, 9, 12)),
        (("waivers", 1, "id"), Span(10, 6, 10, 11)),
        (("waivers", 0, "more"), Span(8, 1, 8, 15)),
        (("deep",), Span(11, 2, 11, 6)),
        (("nothing",), None),
    ],
)
def test_places_of_values(path: KeyPath, span: Span | None) -> None:
    """Lines and columns are 1-based, columns are UTF-16 code units, ends are exclusive."""
    assert places_of(DOCUMENT).value(path) == span


def test_places_of_keys() -> None:
    """A key's place is its text, quotes and all; of a header it is the last part."""
    places = places_of(DOCUMENT)
    assert places.key(("severity", "DAL101")) == Span(5, 1, 5, 7)
    assert places.key(("ünï😀",)) == Span(3, 1, 3, 8)
    assert places.key(("waivers", 0, "more")) == Span(8, 10, 8, 14)
    assert places.key(("waivers", 0)) is None


def test_toml_1_1_inline_tables() -> None:
    """Newlines, comments and a last comma are read also where this Python refuses them."""
    places = Places('a = { # one\n  b = 1,\n  c = "x", # two\n}\nd = 2')
    assert places.value(("a",)) == Span(1, 5, 4, 2)
    assert places.value(("a", "c")) == Span(3, 7, 3, 10)
    assert places.value(("d",)) == Span(5, 5, 5, 6)


def test_depth_and_size_are_no_danger() -> None:
    """Nesting takes no recursion, and a long document time in proportion."""
    deep = 2_000
    assert len(Places(f"a = {'[' * deep}{']' * deep}").values) == deep
    assert len(Places("# x # x\n" * deep + "a = '''" + "''x" * deep + "'''").values) == 1


def test_text_that_is_no_toml_is_refused() -> None:
    """The scanner never runs on such text, and says so if it does."""
    with pytest.raises(ValueError, match="offset 0"):
        Places("=")
