"""Of a file with newer grammar LibCST reads only the statements that hold it."""

from __future__ import annotations

import ast
from unittest import mock

import libcst
import pytest

from dal_audit.extract.python.parse import parser, statement_parts
from dal_audit.extract.python.parse.parser import UnparsableError, parse

KNOWN = ast.parse
NEWER = "newer_than_this_python"

MODULE = f'''\
"""What this is.

import nothing
"""
from __future__ import annotations
import os, \\
    sqlite3

@decorated(
    1,
)
@twice
class Store(
    Base,
):
    text = """
not a statement
"""

    def open(self):
        return {NEWER}


def plain(rows=[
1,
]):
    try:
        return "é", rows
    except ValueError:
        return None

if os:
    first = 1
else:
    first = {NEWER}
last = (
    sqlite3
)
'''


def older(text: str, **options: object) -> ast.Module:
    """Parse as a Python would that does not know one name."""
    at = text.find(NEWER)
    if at >= 0:
        line = 1 + text.count("\n", 0, at)
        raise SyntaxError("invalid syntax", ("<unknown>", line, 1, "", line, 1))
    return KNOWN(text, **options)  # type: ignore[no-any-return, call-overload]


def dumped(tree: ast.Module) -> str:
    return ast.dump(tree, include_attributes=True)


def test_places_and_nodes_are_those_of_the_whole() -> None:
    read: list[str] = []
    by_libcst = parser._by_libcst

    def noted(text: str) -> ast.Module | None:
        read.append(text)
        return by_libcst(text)

    with mock.patch.object(ast, "parse", older), mock.patch.object(parser, "_by_libcst", noted):
        tree = parse(MODULE)
    assert dumped(tree) == dumped(KNOWN(MODULE))
    assert [text.strip().partition("\n")[0] for text in read] == ["@decorated(", "if os:"]


def test_libcst_reads_no_blank_lines_in_the_place_of_what_stands_above() -> None:
    read: list[str] = []
    whole = libcst.parse_module

    def noted(text: str) -> libcst.Module:
        read.append(text)
        return whole(text)

    text = "x = 1\n" * 100 + f"y = [\n    {NEWER},\n]\n"
    with mock.patch.object(ast, "parse", older), mock.patch.object(libcst, "parse_module", noted):
        tree = parse(text)
    assert dumped(tree) == dumped(KNOWN(text))
    assert read == [f"y = [\n    {NEWER},\n]\n"]


@pytest.mark.parametrize(
    "text",
    [
        f"x = 1\n{NEWER}\n",
        f"{NEWER}\nx = 1",
        f"# {NEWER}\nx = 1\n",
        f"x = '''\nimport a\n'''\ny = {NEWER}\n",
        f"match x:\n    case 1:\n        {NEWER}\n",
        f"x = 1; y = {NEWER}; z = 3\n",
        f"x = 1\r\ny = {NEWER}\r\n",
        f"é = 1\nx = {NEWER}\n",
    ],
)
def test_what_stands_around_does_not_matter(text: str) -> None:
    with mock.patch.object(ast, "parse", older):
        assert dumped(parse(text)) == dumped(KNOWN(text))


@pytest.mark.parametrize(
    ("text", "line"), [("x = 1\ny = = 2\n", 2), ("def f(:\n    pass\nx = 1\n", 1), ("x = (\n", 1)]
)
def test_what_nobody_reads_is_an_error_at_its_place(text: str, line: int) -> None:
    with pytest.raises(UnparsableError) as raised:
        parse(text)
    assert raised.value.line == line


CLASSES = f'''\
import os

@decorated
class Store(Base):
    """What it is.

    not a statement
    """
    # A comment.
    rows: list[int] = [
    1,
    ]

    class Inner:
        first = {NEWER}

        def plain(self): return "é"

    @property
    @cached
    def made(self):
        return {NEWER}

    if os:
        two = 2
    else:
        two = 3

    def last(self):
        return 1

# The end.
class Bare:
    x = {NEWER}
    text = """
    y = 1
"""
'''


def test_of_a_class_only_the_newer_statements_are_read() -> None:
    read: list[str] = []
    by_libcst = parser._by_libcst

    def noted(text: str) -> ast.Module | None:
        read.append(text)
        return by_libcst(text)

    with mock.patch.object(ast, "parse", older), mock.patch.object(parser, "_by_libcst", noted):
        tree = parse(CLASSES)
    assert dumped(tree) == dumped(KNOWN(CLASSES))
    assert [text.lstrip("\n").split("\n")[1].strip() for text in read] == [
        f"first = {NEWER}",
        "@property",
        f"x = {NEWER}",
    ]


def test_a_file_of_newer_statements_is_read_at_once() -> None:
    text = f"x = {NEWER}\n" * statement_parts.MAX_PARTS
    with mock.patch.object(ast, "parse", older):
        assert statement_parts.read_by_statements(text, parser._by_libcst) is None
        assert dumped(parse(text)) == dumped(KNOWN(text))


@pytest.mark.parametrize("shortcuts", [True, False])
def test_nothing_is_said_of_odd_escapes(*, shortcuts: bool) -> None:
    """Python warns of them, and here, as in some environments, its warnings are errors."""
    assert ast.unparse(parse('x = "\\d"\n', shortcuts=shortcuts)) == "x = '\\\\d'"
