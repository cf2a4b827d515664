"""Type comments are annotations, for both parsers, each at its own place."""

from __future__ import annotations

import ast

import pytest

from dal_audit.extract.python.parse.parser import parse


@pytest.mark.parametrize("shortcuts", [True, False])
@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("x = []  # type: List[Row]", "x: List[Row] = []"),
        ("self.x = y # type:Row", "self.x: Row = y"),
        ("x = 1  # type: ignore", "x = 1"),
        ("x = y = 1  # type: int", "x = y = 1"),
        ("x, y = z  # type: int, int", "x, y = z"),
        ("x = 1  # type: not a type", "x = 1"),
        ("x: int = 1  # type: str", "x: int = 1"),
        ("def f(a, b=1):\n  # type: (A, B) -> C\n  pass", "def f(a: A, b: B=1) -> C:\n    pass"),
        ("def f(self, a):\n  # type: (A) -> C\n  pass", "def f(self, a: A) -> C:\n    pass"),
        ("def f(a, *b):\n  # type: (...) -> C\n  pass", "def f(a, *b) -> C:\n    pass"),
        ("def f(a,  # type: A\n      b):\n  pass", "def f(a: A, b):\n    pass"),
        ("def f(a):\n  # type: (A -> C\n  pass", "def f(a):\n    pass"),
        ("try:\n  x = 1  # type: A\nexcept E:\n  y = 1  # type: B",
         "try:\n    x: A = 1\nexcept E:\n    y: B = 1"),
        ("y = '# type: A'\nx = 1", "y = '# type: A'\nx = 1"),
    ],
)  # fmt: skip
def test_a_comment_is_an_annotation(text: str, read: str, *, shortcuts: bool) -> None:
    # Python 3.10 writes `(x, y) = z`, whatever was read.
    wanted = ast.unparse(ast.parse(read))
    assert ast.unparse(parse(text + "\n", shortcuts=shortcuts)) == wanted


@pytest.mark.parametrize("shortcuts", [True, False])
def test_an_annotation_stands_where_the_comment_does(*, shortcuts: bool) -> None:
    text = "def f(ä):\n    # type: (A) -> None\n    ö = ä  # type: Row\n"
    tree = parse(text, shortcuts=shortcuts)
    places = {
        node.id: (node.lineno, node.col_offset, node.end_col_offset)
        for node in ast.walk(tree)
        if isinstance(node, ast.Name)
    }
    assert places["A"] == (2, 12, 23)
    assert places["Row"] == (3, 21, 24)
