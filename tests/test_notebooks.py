"""Notebooks: what stands in their cells is found at its place in the file, and told by its cell."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dal_audit.audit import audit
from dal_audit.extract.python.notebooks import Notebook
from dal_audit.facts import (
    ClassDefinition,
    Member,
    NotUnderstood,
    Reference,
    Span,
    Target,
    packed,
)
from dal_audit.policy.request import Request


def notebook(*sources: str | list[str], indent: int | None = 1, **metadata: Any) -> str:
    """Return a notebook of code cells, as Jupyter writes one."""
    cells: list[dict[str, Any]] = [
        {"cell_type": "code", "metadata": {}, "source": source} for source in sources
    ]
    return json.dumps({"cells": cells, "metadata": metadata, "nbformat": 4}, indent=indent)


def at(text: str, span: Span) -> str:
    """Return the text of a span of one line."""
    assert span.line == span.end_line
    line = text.split("\n")[span.line - 1].encode("utf-16-le")
    return line[2 * (span.column - 1) : 2 * (span.end_column - 1)].decode("utf-16-le")


@pytest.mark.parametrize("indent", [None, 1])
@pytest.mark.parametrize("ascii_only", [True, False])
def test_a_place_is_one_in_the_file(indent: int | None, *, ascii_only: bool) -> None:
    code = 's = "\u00e9\U0001f600\t"; import a\n\nimport b'
    document = json.loads(notebook(code.splitlines(keepends=True)))
    text = json.dumps(document, indent=indent, ensure_ascii=ascii_only)
    found = Notebook(text)
    assert found.text == f"{code}\n"
    column = found.text.split("\n")[0].index("import") + 2  # The emoji counts as two.
    first = found.moved(Span(1, column, 1, column + 8))
    assert at(text, first) == "import a"
    assert at(text, found.moved(Span(3, 8, 3, 9))) == "b"


def test_what_facts_hold_as_bytes_has_its_place_in_the_file() -> None:
    found = Notebook(notebook("import a", "a.b"))
    span, moved = Span(2, 1, 2, 4), found.moved(Span(2, 1, 2, 4))
    assert moved.line > span.line
    target = Target(span, "a", "a", packed([Reference(span, "a.b", "value")]))
    assert [use.span for use in found.moved(target).uses] == [moved]
    shape = ClassDefinition("C", span, (2, 2), (), packed([Member("b", span, "attribute")]))
    assert [member.span for member in found.moved(shape).members] == [moved]


LINES = st.lists(
    st.sampled_from(["a = 'b'", "", '# \\ "x"', "if a:\n    b", "\u00fc = 1"]), max_size=4
)


@settings(deadline=None, derandomize=True, max_examples=100)
@given(st.lists(LINES, max_size=3), st.booleans(), st.sampled_from([None, 1]))
def test_every_character_is_found_again(
    cells: list[list[str]], listed: bool, indent: int | None
) -> None:
    texts = ["\n".join(lines) for lines in cells]
    sources = [text.splitlines(keepends=True) if listed else text for text in texts]
    whole = notebook(*sources, indent=indent)
    found = Notebook(whole)
    assert not found.flaws
    lines = found.text.split("\n")[:-1]
    assert lines == [line for text in texts for line in text.splitlines()]
    for number, line in enumerate(lines, 1):
        for column, character in enumerate(line, 1):
            span = found.moved(Span(number, column, number, column + 1))
            assert json.loads(f'"{at(whole, span)}"') == character


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("%matplotlib inline\na", "pass\na\n"),
        ("if a:\n  !ls\n  b", "if a:\n  pass\n  b\n"),
        ("a = !ls\nb = %who", "a = None\nb = None\n"),
        ("a.b?", "pass\n"),
        ("?a", "pass\n"),
        ("%%bash\nls | x", "\n\n"),
        ("%%timeit -n 1\nimport a", "pass\nimport a\n"),
        ("x = (a\n% b)", "x = (a\n% b)\n"),
        ("await a", "await a\n"),
    ],
)
def test_what_ipython_alone_understands_is_passed_over(cell: str, code: str) -> None:
    found = Notebook(notebook(cell))
    assert found.text == code
    assert not found.flaws


def test_a_cell_that_is_no_python_hides_no_other() -> None:
    found = Notebook(notebook("import a", "def (", "import b"))
    assert found.text == "import a\nimport b\n"
    (flaw,) = found.flaws
    assert isinstance(flaw, NotUnderstood)
    assert flaw.detail.startswith("cell 2: ")


def test_a_message_names_the_cell_and_its_line(tmp_path: Path) -> None:
    text = notebook("x = 1", ["y = 2\n", "import sqlite3"])
    (tmp_path / "a.ipynb").write_text(text)
    (found,) = audit(Request(folder=tmp_path, cache=False)).findings
    assert found.breach.message.endswith(" (cell 2, line 2)")
    assert found.place.path == "a.ipynb"
    assert at(text, found.place.span) == "sqlite3"


def test_a_suppression_holds_for_no_other_line_of_the_file(tmp_path: Path) -> None:
    allowed = "import redis  # dal-audit: allow[driver-import] why\n"
    (tmp_path / "a.ipynb").write_text(notebook([allowed, "import sqlite3"], indent=None))
    found = audit(Request(folder=tmp_path, cache=False)).open
    assert sorted(one.rule.id for one in found) == ["DAL101", "DAL101", "DAL903"]
    assert all(one.breach.fix is None for one in found)
    (tmp_path / "a.ipynb").write_text(notebook([allowed, "import sqlite3"]))
    assert [one.rule.id for one in audit(Request(folder=tmp_path, cache=False)).open] == ["DAL101"]


def test_equal_bytes_under_another_name_are_another_thing(tmp_path: Path) -> None:
    text = notebook("import sqlite3")
    for name in ("a.py", "b.ipynb"):
        (tmp_path / name).write_text(text)
    for _ in range(2):
        found = audit(Request(folder=tmp_path)).findings
        assert [one.place.path for one in found] == ["b.ipynb"]


def test_what_storage_keeps_is_not_fetched_in_a_notebook(tmp_path: Path) -> None:
    (tmp_path / "storage").mkdir()
    (tmp_path / "storage" / "__init__.py").write_text(
        "import sqlite3 as _s\n\n\nclass Db:\n    def __init__(self):\n"
        "        self._conn = _s.connect('a')\n"
    )
    cell = "from storage import Db\n\ndb = Db()\nprint(db._conn)"
    (tmp_path / "a.ipynb").write_text(notebook(cell.splitlines(keepends=True)))
    (found,) = audit(Request(folder=tmp_path, cache=False)).findings
    assert found.rule.id == "DAL107"
    assert found.breach.message.endswith("(cell 1, line 4)")


@pytest.mark.parametrize("name", ["notes.txt", "tool", "left.py", "left.ipynb"])
def test_a_path_that_is_named_and_not_audited_is_a_finding(tmp_path: Path, name: str) -> None:
    (tmp_path / "dal-audit.toml").write_text('exclude = ["left.*"]\n')
    (tmp_path / "a.py").write_text("")
    (tmp_path / name).write_text("x\n")
    found = audit(Request((name, "a.py"), folder=tmp_path, cache=False)).open
    assert [(one.rule.id, one.place.path) for one in found] == [("DAL902", name)]
    assert f"`{name}` was not audited" in found[0].breach.message
