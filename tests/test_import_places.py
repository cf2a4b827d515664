"""The places of what an import names are right, whichever parser reads the statement."""

from __future__ import annotations

import libcst as cst
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dal_audit.catalogue.drivers import Catalogue
from dal_audit.extract.python.module_facts import python_facts
from dal_audit.extract.source import Lines
from dal_audit.facts import Import, Span


def places(text: str, *, shortcuts: bool = True) -> tuple[str | None, list[str]]:
    """Return the text at the places of a statement's module and names."""
    (statement,) = (
        fact
        for fact in python_facts(text, Catalogue(()), shortcuts=shortcuts)
        if isinstance(fact, Import)
    )
    lines = Lines(text)

    def at(span: Span) -> str:
        start = lines.index(span.line, span.column)
        return text[start : lines.index(span.end_line, span.end_column)]

    module = at(statement.module_span) if statement.module_span else None
    return module, [at(target.span) for target in statement.targets]


@pytest.mark.parametrize("shortcuts", [True, False], ids=["by ast", "by LibCST"])
@pytest.mark.parametrize(
    ("text", "module", "names"),
    [
        ("import a.b as c, d", None, ["a.b", "d"]),
        ("from . import x", None, ["x"]),
        ("from .. import(x)", None, ["x"]),
        ("from ..a . b import (c as d, # no, x\n  e,\n)", "a . b", ["c", "e"]),
        ("from a import *", "a", ["*"]),
        ("from a import*", "a", ["*"]),
        ("import \\\n a", None, ["a"]),
        ("import a . \\\n b as c, d", None, ["a . \\\n b", "d"]),
        ("from \\\n . \\\n a import b", "a", ["b"]),
        ("from .a import b as c", "a", ["b"]),
        ("from a import b # x, (", "a", ["b"]),
        ("from...a import b", "a", ["b"]),
        ("from a import gro\u0308\u00dfe as b", "a", ["gro\u0308\u00dfe"]),
        ("s = '\u00e9\U0001f600'; from \uff41 import b", "\uff41", ["b"]),
        ("from imports import a, b as imports", "imports", ["a", "b"]),
        ("from fromage import asset as a", "fromage", ["asset"]),
        ("from a import (\n# (hi\nb)", "a", ["b"]),
        ("from a import (b # as\n as\n c)", "a", ["b"]),
        ("lazy import a.b as c", None, ["a.b"]),
        ("lazy  from .a import b", "a", ["b"]),
    ],
)
def test_places(text: str, module: str | None, names: list[str], shortcuts: bool) -> None:
    assert places(text, shortcuts=shortcuts) == (module, names)


DOTTED = st.lists(st.sampled_from(["a", "bc", "_d"]), min_size=1, max_size=3).map(".".join)
ALIAS = st.tuples(st.sampled_from(["a", "bc"]), st.sampled_from(["", " as c"])).map("".join)


@settings(deadline=None, derandomize=True, max_examples=200)
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
    aliases = [cst.Module([]).code_for_node(alias.name) for alias in statement.names]
    assert places(text) == (module, aliases)
