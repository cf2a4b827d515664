"""Portable spelling in Python's literals: what SQL comes to is what it comes to in a file of SQL."""

from __future__ import annotations

import ast
import tokenize
from io import StringIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dal_audit.catalogue.drivers import Catalogue, shipped_drivers
from dal_audit.extract.embedded.module import statements_of_file
from dal_audit.extract.source import Lines
from dal_audit.extract.sql.scripts import statements_of
from dal_audit.facts.sql import SqlStatement
from dal_audit.fix.model import Fix
from dal_audit.fix.rewrite import amended, compatible
from tests.sampling import runs

CATALOGUE = Catalogue(shipped_drivers())


def fixed_module(text: str) -> str:
    """Return a module with all rewritings of its SQL applied that do not overlap."""
    found = statements_of_file(ast.parse(text), Lines(text), None, CATALOGUE)
    statements = [fact for fact in found if isinstance(fact, SqlStatement)]
    return amended(text.encode(), fixes(statements), is_script=False).decode()


def fixed_script(text: str) -> str:
    """Return a script of SQL with the same."""
    return amended(text.encode(), fixes(statements_of(text)), is_script=True).decode()


def fixes(statements: list[SqlStatement]) -> list[Fix]:
    return compatible(
        Fix("", construct.rewriting.edits, "safe")
        for statement in statements
        for construct in statement.constructs
        if construct.rewriting is not None
    )


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('"SELECT ifnull(a, b) FROM t"', '"SELECT coalesce(a, b) FROM t"'),
        ("'SELECT ifnull(a, b) FROM t'", "'SELECT coalesce(a, b) FROM t'"),
        ('r"SELECT ifnull(a, b) FROM t"', 'r"SELECT coalesce(a, b) FROM t"'),
        (
            '"""\n    SELECT ifnull(a, b)  -- why\n    FROM t\n"""',
            '"""\n    SELECT coalesce(a, b)  -- why\n    FROM t\n"""',
        ),
        ('f"SELECT ifnull(a, b) FROM {t}"', 'f"SELECT coalesce(a, b) FROM {t}"'),
        (
            '("SELECT ifnull(a, b) "  # one\n "FROM t")',
            '("SELECT coalesce(a, b) "  # one\n "FROM t")',
        ),
        # What is not spelled as it is stays.
        ('"SELECT if\\x6eull(a, b) FROM t"', None),
        ('("SELECT if" "null(a, b) FROM t")', None),
        ('"SELECT " + "ifnull" + "(a, b) FROM t"', None),
        # The new text would end the literal.
        ("'SELECT `a` FROM t'", None),
        ('"SELECT `a` FROM t"', None),
        ("'''SELECT a FROM t WHERE b = \"x\"'''", None),
    ],
)
def test_sql_in_a_literal_is_respelled(before: str, after: str | None) -> None:
    text = "import sqlite3\nsqlite3.connect('x').execute({})\n"
    assert fixed_module(text.format(before)) == text.format(after or before)


PIECES = (
    "ifnull(a, b)",
    "datetime('now')",
    "a == 1",
    "a <> 'it''s'",
    "[a]",
    "`a`",
    '"a"',
    "now()",
    "CAST(a AS DATETIME)",
    "a::text",
    "a % 2",
    "a LIKE '%x'",
    "'é' || 'ü'",
    "/* {why} */ a",
    "-- c\n a",
)
QUOTES = ("'", '"', "'''", '"""')


@st.composite
def literals(draw: st.DrawFn) -> tuple[str, str]:
    """Draw the spelling of a literal, and its value; some characters are escapes."""
    pieces = draw(st.lists(st.sampled_from(PIECES), min_size=1, max_size=4))
    value = f"SELECT {', '.join(pieces)} FROM t"
    quote = draw(st.sampled_from(QUOTES))
    escaped = draw(st.sets(st.integers(0, len(value) - 1), max_size=2))
    spelled = "".join(
        _spelled(letter, quote, is_escaped=place in escaped) for place, letter in enumerate(value)
    )
    return f"{quote}{spelled}{quote}", value


def _spelled(letter: str, quote: str, *, is_escaped: bool) -> str:
    if letter == "\n":
        return letter if len(quote) > 1 else "\\n"
    if letter == quote[0]:
        return f"\\{letter}"
    return f"\\u{ord(letter):04x}" if is_escaped else letter


@given(literals())
@settings(max_examples=runs(400))
def test_what_is_written_is_python_and_the_same_sql(drawn: tuple[str, str]) -> None:
    """Each edit that is made is one of those that a file of SQL would get; comments stay."""
    spelled, value = drawn
    text = f"import sqlite3\nsqlite3.connect('x').execute(  # before\n    {spelled}  # behind\n)\n"
    after = fixed_module(text)
    literal = next(
        node.value
        for node in ast.walk(ast.parse(after))
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and node.value.startswith("SELECT")
    )
    assert comments(after) == comments(text)
    assert fixed_script(literal) == fixed_script(value)


def comments(text: str) -> list[str]:
    """Return the comments of a module."""
    found = tokenize.generate_tokens(StringIO(text).readline)
    return [token.string for token in found if token.type == tokenize.COMMENT]
