"""The table of import forms says what LibCST says, and places in real text are right."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import libcst as cst
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dal_audit.extract.python.parse import import_places as statements
from dal_audit.extract.python.parse.import_places import import_places, read_import_form

TABLE = Path(statements.__file__).with_name("import_forms.json")


def forms() -> Iterator[str]:
    """Yield the forms that nearly all imports have, with `x` for each name."""
    names = [" . ".join("x" * depth) for depth in range(1, 10)]
    for name in names:
        yield f"import {name}"
        yield f"import {name} as x"
    for dots in range(6):
        for name in names if dots == 0 else ["", *names]:
            yield " ".join(["from", *"." * dots, *([name] if name else []), "import x"])
    yield "from x import *"
    yield "from x import x as x"


def test_the_table_says_what_libcst_says() -> None:
    made = {form: msgspec.to_builtins(read_import_form(form)) for form in forms()}
    lines = ",\n".join(
        f"{msgspec.json.encode(form).decode()}:{msgspec.json.encode(row).decode()}"
        for form, row in made.items()
    )
    text = f"{{{lines}}}\n"
    if os.environ.get("UPDATE_EXPECTED"):
        TABLE.write_text(text, encoding="utf-8")
    assert TABLE.read_text(encoding="utf-8") == text


@pytest.mark.parametrize("known", [True, False], ids=["by the table", "by LibCST"])
@pytest.mark.parametrize(
    ("text", "module", "names"),
    [
        ("import a.b as c, d", None, ["a.b", "d"]),
        ("from . import x", None, ["x"]),
        ("from ..a . b import (c as d, # no, x\n  e,\n)", "a . b", ["c", "e"]),
        ("from a import *", "a", ["*"]),
        ("import \\\n a", None, ["a"]),
        ("from .a import b as c", "a", ["b"]),
        ("from a import b # x, (", "a", ["b"]),
        ("from...a import b", "a", ["b"]),
        ("from a import gro\u0308\u00dfe as b", "a", ["gro\u0308\u00dfe"]),
        ("from imports import a, b as imports", "imports", ["a", "b"]),
        ("from a import (\n# (hi\nb)", "a", ["b"]),
    ],
)
def test_places(
    text: str, module: str | None, names: list[str], monkeypatch: pytest.MonkeyPatch, known: bool
) -> None:
    statements._import_form.cache_clear()
    if not known:
        monkeypatch.setattr(statements, "_known_forms", dict)
    found = import_places(text)
    assert (text[slice(*found.module)] if found.module else None) == module
    assert [text[slice(*one)] for one in found.names] == names


DOTTED = st.lists(st.sampled_from(["a", "bc", "_d"]), min_size=1, max_size=3).map(".".join)
ALIAS = st.tuples(st.sampled_from(["a", "bc"]), st.sampled_from(["", " as c"])).map("".join)


@settings(max_examples=200)
@given(st.integers(0, 4), DOTTED, st.lists(ALIAS, min_size=1, max_size=4), st.booleans())
def test_places_are_those_of_libcst_nodes(
    dots: int, module: str, names: list[str], brackets: bool
) -> None:
    listed = ", ".join(names)
    text = f"from {'.' * dots}{module} import {f'({listed},)' if brackets else listed}"
    line = cst.parse_statement(text)
    assert isinstance(line, cst.SimpleStatementLine)
    statement = line.body[0]
    assert isinstance(statement, cst.ImportFrom)
    assert not isinstance(statement.names, cst.ImportStar)
    found = import_places(text)
    assert found.module is not None
    assert text[slice(*found.module)] == module
    assert [text[slice(*one)] for one in found.names] == [
        cst.Module([]).code_for_node(one.name) for one in statement.names
    ]
