"""Whatever a module looks like: no edit of a name makes it unparsable, or loses a comment."""

from __future__ import annotations

import ast
import io
import tokenize

from hypothesis import given
from hypothesis import strategies as st

from dal_audit.catalogue.drivers import catalogue_in_force
from dal_audit.extract.python.module_facts import python_facts
from dal_audit.facts import Import, ModuleExports
from dal_audit.fix.exports import unlisted
from dal_audit.fix.model import Fix
from dal_audit.fix.new_imports import new_import
from dal_audit.fix.rewrite import AmendError, amended, compatible

CATALOGUE = catalogue_in_force()
COMMENTS = st.sampled_from(["", "", "  # why", "  # é, 🦆"])
ENDS = st.sampled_from(["\n", "\r\n", "\r"])
NAMES = ["Row", "connect", "Users", "Error"]


def comments(text: str) -> list[str]:
    plain = text.replace("\r\n", "\n").replace("\r", "\n")
    tokens = tokenize.generate_tokens(io.StringIO(plain).readline)
    return [token.string for token in tokens if token.type == tokenize.COMMENT]


def listed(text: str) -> object:
    """Return what a module assigns to `__all__`."""
    found: dict[str, object] = {}
    exec("\n".join(text.splitlines()[1:]), found)
    return found["__all__"]


@st.composite
def lists(draw: st.DrawFn) -> list[str]:
    """Draw the lines of a list of names."""
    names = draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=4))
    opening, closing = draw(st.sampled_from([("[", "]"), ("(", ")")]))
    if draw(st.booleans()):
        comma = draw(st.sampled_from(["", ","])) if opening == "[" or len(names) > 1 else ","
        items = ", ".join(f"'{name}'" for name in names)
        return [f"__all__ = {opening}{items}{comma}{closing}{draw(COMMENTS)}"]
    inner = [f"    '{name}',{draw(COMMENTS)}" for name in names]
    loose = ["    # loose"] if draw(st.booleans()) else []
    return [f"__all__ = {opening}{draw(COMMENTS)}", *loose, *inner, f"{closing}{draw(COMMENTS)}"]


@given(lists(), ENDS)
def test_a_list_of_names_stays_one(lines: list[str], end: str) -> None:
    text = end.join(["from sqlite3 import Row, connect, Error", *lines, ""])
    (shape,) = (fact for fact in python_facts(text, CATALOGUE) if isinstance(fact, ModuleExports))
    fixes = [unlisted(shape, name, []) for name in ("Row", "connect", "Error")]
    kept = compatible(fix for fix in fixes if fix is not None)
    new = amended(text.encode(), kept, is_script=False).decode()
    taken = {fix.message.split("`")[1] for fix in kept}
    before = listed(text)
    assert isinstance(before, (list, tuple))
    assert listed(new) == type(before)(name for name in before if name not in taken)
    assert comments(new) == comments(text)
    assert new.count("\n") == new.count("\r\n") or end != "\r\n"


IMPORTS = [
    ["import sqlite3"],
    ["import sqlite3; import app.zoo"],
    ["from app.errors import Busy"],
    ["from app.errors import Busy as B, Gone"],
    ["from app.errors import ("],
    ["from app.a import x, \\", "    y"],
    ["from app.zoo import z"],
    ["if x:", "    import app.errors"],
    ["def f():", "    from app.errors import Busy"],
    ["text = 'é🦆'", "from app.errors import *"],
]


@st.composite
def importing(draw: st.DrawFn) -> str:
    """Draw a module of imports."""
    lines: list[str] = []
    for *head, last in draw(st.lists(st.sampled_from(IMPORTS), min_size=1, max_size=4)):
        lines += [*head, last + draw(COMMENTS)]
        if last.endswith("\\"):
            lines[-1] = last
        if last.endswith("("):
            lines += [f"    Busy,{draw(COMMENTS)}", f"    Gone as G{draw(COMMENTS)}", ")"]
    end = draw(ENDS)
    return end.join(lines) + draw(st.sampled_from(["", end]))


@given(importing())
def test_a_new_import_binds_its_name_and_leaves_the_rest(text: str) -> None:
    imports = [fact for fact in python_facts(text, CATALOGUE) if isinstance(fact, Import)]
    found = new_import("app.errors", "Taken", imports, lambda name: name)
    if found is None:
        return
    try:
        new = amended(text.encode(), [Fix("", found.edits, "unsafe")], is_script=False).decode()
    except AmendError:
        assert found.edits[0].span.line > len(text.splitlines())
        assert not text.endswith(("\n", "\r"))
        return
    bound = [alias.name for node in ast.walk(ast.parse(new)) for alias in names_of(node)]
    assert bound.count("Taken") == 1
    assert comments(new) == comments(text)


def names_of(node: ast.AST) -> list[ast.alias]:
    return node.names if isinstance(node, ast.ImportFrom) else []
