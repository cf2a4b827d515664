"""Accesses are read alone, without what names stand for, and files without one are ruled out."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

from dal_audit.catalogue.drivers import catalogue_in_force
from dal_audit.extract.python.bindings import bind_all, bind_statements
from dal_audit.extract.python.function_bodies import without_unmarked
from dal_audit.extract.python.parse.import_places import MarkedLines
from dal_audit.extract.python.parse.parser import parse
from dal_audit.extract.python.prefilter.attribute_marks import AccessorWords
from dal_audit.extract.python.prefilter.driver_marks import Prefilter, searchable
from dal_audit.extract.python.prefilter.import_statements import import_statements
from dal_audit.extract.python.scopes import Scope
from dal_audit.extract.python.value_facts import evidence, evidence_of_accesses
from dal_audit.extract.source import Lines
from dal_audit.facts import START, ValueFacts

SHIPPED = catalogue_in_force()
SOURCES = sorted((Path(__file__).parents[1] / "dal_audit/extract/python").glob("*.py"))
DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
WORDS = frozenset({"lines", "names", "types", "scope", "text", "value", "found", "__iter__"})
BINDING = """
import app

def opened():
    global store
    store = app.Store()
    return store

class Holder:
    def keep(self):
        self.store = app.Store()

    def use(self):
        def inner():
            nonlocal other
            other = app.Other()
        other = None
        return other.lines, [item.names for item in store]

def outer():
    def inner(taken: app.Store):
        return (lambda one: one.text)(taken), taken.value
    return inner, store.scope
"""


@pytest.mark.parametrize("source", [*SOURCES[::3], None], ids=lambda file: file and file.stem)
def test_accesses_alone_are_those_of_all_evidence(source: Path | None) -> None:
    text = source.read_text(encoding="utf-8") if source else BINDING
    whole = evidence(parse(text), Lines(text), WORDS)
    alone = evidence(parse(text), Lines(text), WORDS, only_accesses=True)
    assert whole.is_whole
    assert alone == ValueFacts(START, (), (), accesses=whole.accesses, is_whole=False)


@pytest.mark.parametrize("source", [*SOURCES[1::3], None], ids=lambda file: file and file.stem)
def test_accesses_without_other_functions_are_those_of_the_whole_text(source: Path | None) -> None:
    text = source.read_text(encoding="utf-8") if source else BINDING
    for words in ({"lines"}, {"names", "scope"}, {"bindings", "node"}, set(WORDS)):
        whole = evidence(parse(text), Lines(text), words)
        assert evidence_of_accesses(Lines(text), words).accesses == whole.accesses


ODD = """
def first(
    a=(1, [2, {"x": ")"}]),
) -> None:
    \'\'\'Text
with ` " ` in "it" # no comment
\'\'\'
    x = [
1, "# no", # ) a comment
    ]
    return x \\
  or "a\\
def no(): pass"

async  def second(): return 1
if True:
    def third(self):
        # a comment
        def inner(): pass

        return inner
# end
    def fourth(self): return self.pool
class A:
    def fifth(self):
        yield f"{self.pool!r:>{self.width}}"
    def sixth(self):
        return 6""".replace("\\'", "'")


@pytest.mark.skipif(sys.version_info < (3, 11), reason="the search would take too long there")
def test_bodies_without_a_mark_are_left_out_and_nothing_moves() -> None:
    lines = Lines(ODD)
    marked = [number for number, line in enumerate(ODD.split("\n"), 1) if ".pool" in line]
    shown = without_unmarked(lines, MarkedLines(marked))
    assert shown.count("pass") == 3
    assert "with `" not in shown
    assert "inner" not in shown
    for before, after in zip(ODD.split("\n"), shown.split("\n"), strict=True):
        assert after.strip() in {"", "pass"} or before == after
    names = {node.name for node in ast.walk(ast.parse(shown)) if isinstance(node, DEFINITIONS)}
    assert names == {"first", "second", "A", "third", "fourth", "fifth", "sixth"}


@pytest.mark.parametrize(
    "text", ["def f():\n\treturn 1\n", "def f():\r\n    return 1\r\n", "x = (\n"]
)
def test_a_text_of_an_odd_layout_is_left_as_it_is(text: str) -> None:
    assert without_unmarked(Lines(text), MarkedLines(())) == text


def test_the_example_holds_accesses() -> None:
    alone = evidence(parse(BINDING), Lines(BINDING), WORDS, only_accesses=True)
    assert len(alone.accesses) == 6


@pytest.mark.parametrize(
    ("text", "is_accessed"),
    [
        ("from app.session import make\n", False),
        ("    from ..session import make\n", False),
        ("import app.session, os\n", False),
        ("import app.session\napp.session.make()\n", True),
        ("import app; app.session\n", True),
        ("from app import a\nx = a.session\n", True),
        ("def f():\n    yield from a.session\n", True),
        ("x = (yield\nfrom a.session)\n", True),
        ("raise X from a.session\n", True),
    ],
)
def test_a_module_of_that_name_is_no_access(text: str, is_accessed: bool) -> None:
    assert bool(AccessorWords({"session"}).accessed(text.encode())) is is_accessed


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ('"""Made from a sqlite3.Row."""\n', False),
        ("x = sqlite3.connect(path)\n", False),
        ("f('no rows')\nif y: z = sqlite3.Row\n", False),
        ("x: 'sqlite3.Row'\n", True),
        ("x: 'dict[str, list[sqlite3.Row]] | None'\n", True),
        ("x: '''(\n    str |\n    sqlite3.Row\n)'''\n", True),
        ("if x: import sqlite3\n", True),
        ("from os import (\n    path,\n)\nimport sqlite3 as q\n", True),
        ("lazy import sqlite3\n", True),
        ("from sqlalchemy import (\n    text,\n)\n", True),
    ],
)
def test_only_imports_and_annotations_name_a_driver(text: str, names: bool) -> None:
    data = searchable(text.encode())
    assert Prefilter(SHIPPED).signals(data, import_statements(data)).names is names


@pytest.mark.parametrize(
    ("text", "loads"),
    [
        ("import importlib.metadata\n", False),
        ('patch("builtins.print")\n', False),
        ("import importlib\nimportlib.import_module(x)\n", True),
        ('import importlib\ngetattr(importlib, "import" + "_module")(x)\n', True),
        ("import builtins\nbuiltins.exec(x)\n", True),
    ],
)
def test_modules_that_load_by_no_known_name_load_nothing(text: str, loads: bool) -> None:
    assert Prefilter(SHIPPED).signals(searchable(text.encode())).loads is loads


BLOCKS = """
import app
async def f(given):
    try:
        async with given as opened, app.x() as (first, *rest):
            for key, value in opened.items():
                while value:
                    total = other = [part for part in value]
    except* (OSError, ValueError) as error:
        seen: int = 1
    else:
        seen += 2
    finally:
        from app import late
    match given:
        case app.Store(pool=found) | [found, *more] if found:
            class Inner: hidden = 1
        case {"x": held, **others}:
            def inner(): hidden = 2
        case whole:
            global elsewhere
            elsewhere = lambda taken: taken
"""


@pytest.mark.skipif(sys.version_info < (3, 11), reason="no groups of exceptions there")
@pytest.mark.parametrize("source", [*SOURCES[2::9], None], ids=lambda file: file and file.stem)
def test_statements_bind_what_all_binds(source: Path | None) -> None:
    tree = parse(source.read_text(encoding="utf-8") if source else BLOCKS)
    bodies = [node.body for node in ast.walk(tree) if isinstance(node, (*DEFINITIONS, ast.Module))]
    for body in bodies:
        if any(isinstance(node, ast.NamedExpr) for part in body for node in ast.walk(part)):
            continue
        of_all, of_statements = Scope("function"), Scope("function")
        nodes = bind_all(body, of_all)
        kept = (ast.stmt, ast.ExceptHandler, ast.match_case, ast.pattern)
        assert bind_statements(body, of_statements) == [
            node for node in nodes if isinstance(node, kept)
        ]
        assert {name: len(found) for name, found in of_all.bindings.items()} == {
            name: len(found) for name, found in of_statements.bindings.items()
        }
        assert of_all.global_names == of_statements.global_names


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("x = store.pool\n", {"pool"}),
        ("x = store.pooled\n", set()),
        ("x = self.pool\n", set()),
        ("class A(Store):\n    x = self.pool\n", {"pool"}),
        ("x = 'pool'\n", set()),
        ("x = getattr(store, 'pool')\n", {"pool"}),
        ("match x:\n    case Store(pool=found): pass\n", {"pool"}),
        ("match x:\n    case (Store(a=1) |\n          Store(pool=found)): pass\n", {"pool"}),
        ("match x:\n    case \\\n  Store(pool=found): pass\n", {"pool"}),
        ("match x:\n    case Store(pool \\\n  = found): pass\n", {"pool"}),
        ("match x:\n    case Store(pool # it\n  = found): pass\n", {"pool"}),
        ("match = 1\nin_case(pool=2)\n", set()),
        ("match x:\n    case 1: pool = 2\n", set()),
        ("importlib.import_module(x)\n", {"import_module"}),
    ],
)
def test_bytes_tell_which_names_are_accessed(text: str, names: set[str]) -> None:
    words = AccessorWords({"pool", "class Store"})
    assert words.accessed(text.encode()) == names


@pytest.mark.parametrize(
    ("read", "is_read"),
    [
        ("self.pool", True),
        ("ｓelf.pool", True),
        ("(self  # it\n        ).pool", True),
        ("vars(self)['pool']", True),
        ("self.other", False),
        ("store.pool", False),
    ],
)
def test_of_heirs_that_read_nothing_of_themselves_accesses_are_read_alone(
    read: str, is_read: bool
) -> None:
    text = f"from app import Store\n\nclass Heir(Store):\n    def f(self):\n        return {read}\n"
    found = evidence_of_accesses(Lines(text), {"pool", "class Store"})
    assert found.is_whole is is_read
