"""LibCST reads the statements that findings rest on: what it bears out, and what it does not."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import re
import sysconfig
import time
from pathlib import Path

import libcst as cst
import pytest
from libcst.metadata import MetadataWrapper, PositionProvider

import dal_audit
import dal_audit.extract.cache
from dal_audit.audit import audit
from dal_audit.extract.cache import no_cache
from dal_audit.extract.python import claimed_parts
from dal_audit.extract.python.claim_finder import ClaimFinder
from dal_audit.extract.python.logical_lines import LogicalLines
from dal_audit.extract.python.notebooks import Notebook
from dal_audit.extract.python.statement_outline import outline
from dal_audit.extract.python.statement_reader import denials, read_claims
from dal_audit.extract.source import Lines
from dal_audit.facts import Place, SourceFile, Span
from dal_audit.facts.claims import Claim, ClaimedPart
from dal_audit.policy.request import Request
from dal_audit.triage.grounds import STRICT, UnfoundedError
from tests.invocation import run


def marked(text: str) -> tuple[str, Span]:
    """Return a text without the marks `«»`, and the span between them."""
    start, end = text.index("«"), text.index("»") - 1
    plain = text.replace("«", "").replace("»", "")
    return plain, Lines(plain).span(start, end)


def node_of(text: str, part: ClaimedPart, name: str = "") -> str | None:
    """Return the code that bears a claim out, the same by the statement and by the whole."""
    plain, span = marked(text)
    found = []
    for by_statement in (True, False):
        read = read_claims(plain, [Claim(span, part, name)], by_statement=by_statement)
        assert read is not None
        ((reading),) = read
        assert (reading.span == span) == (reading.node is not None) or reading.statement == span
        node = reading.node
        found.append(None if node is None else cst.Module([]).code_for_node(node))
    assert found[0] == found[1]
    return found[0]


BORNE_OUT: tuple[tuple[str, ClaimedPart, str], ...] = (
    ("import os, «sqlite3» as db\n", "import", "sqlite3"),
    ("import «sqlalchemy . orm»\n", "import", "sqlalchemy.orm"),
    ("from «sqlalchemy.orm» import Session\n", "module", "sqlalchemy.orm"),
    ("from .db import (\n    Row,\n    «Session» as S,  # why\n)\n", "import", "app.db.Session"),
    ("from app.db import «*»\n", "import", "app.db.*"),
    ("lazy from «redis» import Redis\n", "module", "redis"),
    ("x = 1; import «redis»\n", "import", "redis"),
    ("if True: import «redis»\n", "import", "redis"),
    ("try:\n    pass\nfinally: import «redis»\n", "import", "redis"),
    ("class A:\n\tdef f(self):\n\t\timport «redis»\n", "import", "redis"),
    ("import redis\r\nx = [\r\n «redis».Redis,\r\n]\r\n", "value", "redis"),
    ("'😀'; import «redis»\n", "import", "redis"),
    ("\f\nimport «redis»\n", "import", "redis"),
    ("x = «redis.Redis»(1)\n", "call", "redis.Redis"),
    ("def f(\n    a: int,\n    row: list[«Row»],\n) -> None:\n    pass\n", "annotation", "Row"),
    ("def f(row) -> «Row»: return row\n", "annotation", "Row"),
    ("async def f(row: «Row»): ...\n", "annotation", "Row"),
    ("row: «'Row | None'» = None\n", "annotation", "Row"),
    ("row: «'sqlite3.Row'» = None\n", "string", "sqlite3.Row"),
    ("Rows: TypeAlias = dict[str, «Row»]\n", "annotation", "Row"),
    ("x = []  # type: «List[Row]»\n", "annotation", "Row"),
    ("def f(row):\n    # type: («Row») -> None\n    return 1\n", "annotation", "Row"),
    ("class A(«Base», Other[int]):\n    pass\n", "base", "Base"),
    ("class «A»(Base):\n    pass\n", "class", "A.B.A"),
    ("try:\n    pass\nexcept (OSError, «sqlite3.Error») as e:\n    pass\n", "except", ""),
    ("try:\n    pass\nexcept* «sqlite3.Error»:\n    pass\n", "except", "sqlite3.Error"),
    ("if a:\n    pass\nelif isinstance(x, «Row»):\n    pass\n", "isinstance", "Row"),
    ("x = type(y) is «Row»\n", "type", "Row"),
    ("match x:\n    case «Row»(a=1) if a:\n        pass\n", "pattern", "Row"),
    ("match «x»:\n    case 1:\n        pass\n", "value", "x"),
    ("match = case = 1\nmatch[«Row»]\n", "value", "Row"),
    ("@retry(«sqlite3.Error»)\ndef f():\n    pass\n", "value", "sqlite3.Error"),
    ("def f(s=Depends(«get_session»)): ...\n", "dependency", "get_session"),
    ("db.execute(«'select 1'»)\n", "argument", ""),
    ("db.execute(\n    '''\n    «select 1»\n    from a''')\n", "argument", ""),
    ("db.execute(«('select {} '»\n  'from a').format(1))\n", "argument", ""),
    ("x = f'{«row»}'\n", "value", "row"),
    ("x = f\"{d['#']}\" + «row»\n", "value", "row"),
    ('x = f"{d["#"]}" + «row»\n', "value", "row"),
    ("x = a \\\n    + «row»\n", "value", "row"),
    ("URL = «'postgresql://db'»", "node", ""),
)


@pytest.mark.parametrize(("text", "part", "name"), BORNE_OUT)
def test_a_statement_bears_a_claim_out(text: str, part: ClaimedPart, name: str) -> None:
    code = node_of(text, part, name)
    assert code is not None
    plain, span = marked(text)
    lines = Lines(plain)
    claimed = plain[
        lines.index(span.line, span.column) : lines.index(span.end_line, span.end_column)
    ]
    # A comment, or SQL in several lines, is longer than what is shown of it.
    assert claimed in code


@pytest.mark.parametrize(("text", "part", "name"), BORNE_OUT)
def test_no_more_than_the_statement_is_read(
    text: str, part: ClaimedPart, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain, span = marked(f"pass\n{text}")
    parsed = []

    def parse(code: str) -> cst.Module:
        parsed.append(code)
        return real(code)

    real = cst.parse_module
    monkeypatch.setattr(cst, "parse_module", parse)
    assert denials(plain, [Claim(span, part, name)]) == []
    assert plain not in parsed


def test_comments_behind_a_statement_are_left_out() -> None:
    """LibCST loses some that are indented deeper than what stands before them."""
    plain, span = marked("f(«redis»)\n   # a\n   # b\n")
    assert read_claims(plain, [Claim(span, "value", "redis")], by_statement=False) is None
    read = read_claims(plain, [Claim(span, "value", "redis")])
    assert read is not None
    assert read[0].node is not None


@pytest.mark.parametrize(
    ("text", "outlined"),
    [
        ("run(«a.b», {one: two}, (1, 2))", "run(a.b, {…}, (…))"),
        ("run(one)(two, [«a», [4, 5]])", "run(one)(two, [a, [4, 5]])"),
        (
            "def «name»(self, other=(1, 2)) -> f(one, two): ...",
            "def name(…) -> f(…): ...",
        ),
        ("«rows» = run(f'{one}', (')', 2))  # (why)", "rows = run(…)  # (why)"),
        ("«rows» = several[one, two]", "rows = several[one, two]"),
        ("«rows» = run(one\n    , two)", "rows = run(…)"),
        ("rows = «run(one, two)»", "rows = run(one, two)"),
        ("from «a.b» import (one, two)", "from a.b import (one, two)"),
        ("«rows» = )run(one, two)(", "rows = )run(…)("),
    ],
)
def test_what_no_place_lies_in_is_left_out(text: str, outlined: str) -> None:
    plain, span = marked(text)
    begins = 7
    places = [(begins + span.column - 1, begins + span.end_column - 1)]
    found = outline(plain, begins, places)
    assert len(found) == len(plain)
    assert re.sub(" {4,}", "…", found) == outlined


@pytest.mark.parametrize(
    "text",
    [
        "for (one, two) in «a.b»: pass\n",
        "async def run(one, *, two): return await «a.b»(one, two)\n",
        "del (one, two), «a.b»\n",
        "with (open(one) as two, «a.b»): pass\n",
        "match (one, two):\n    case «a.b»: pass\n",
        "@«a.b»(one, two)\ndef run(): pass\n",
        "x = {**(one or two), 'a': «a.b»}\n",
        "x = f'{one(two, 3)}' + «a.b»\n",
        "try: pass\nexcept (one, two): «a.b»\n",
    ],
)
def test_a_statement_is_read_whole_where_its_outline_is_none(text: str) -> None:
    assert node_of(text, "value", "a.b") == "a.b"


class PathFinder(ClaimFinder):
    """Takes down what stands around each node, too."""

    def after_codegen(self, node: cst.CSTNode) -> None:
        self.paths[node] = tuple(self._around[:-1])
        super().after_codegen(node)

    paths: dict[cst.CSTNode, tuple[cst.CSTNode, ...]]


class PathVisitor(cst.CSTVisitor):
    """Takes down what stands around each node, as LibCST visits it."""

    def __init__(self) -> None:
        super().__init__()
        self.around: list[cst.CSTNode] = []
        self.paths: dict[cst.CSTNode, tuple[cst.CSTNode, ...]] = {}

    def on_visit(self, node: cst.CSTNode) -> bool:
        self.paths[node] = tuple(self.around)
        self.around.append(node)
        return True

    def on_leave(self, original_node: cst.CSTNode) -> None:  # noqa: ARG002  # LibCST's name
        self.around.pop()


EVERY_KIND = "\n".join(marked(text)[0] for text, _, _ in BORNE_OUT if "\r" not in text)


@pytest.mark.parametrize("text", [EVERY_KIND, inspect.getsource(dataclasses), "x = 1", ""])
def test_nodes_stand_where_libcst_says(text: str) -> None:
    tree = cst.parse_module(text)
    finder = PathFinder(tree, {})
    finder.paths = {}
    assert finder.written() == text
    visitor = PathVisitor()
    tree.visit(visitor)
    assert finder.paths == visitor.paths
    lines = Lines(f"{text}\n")  # Until all is written a last line has its end.
    places = MetadataWrapper(tree, unsafe_skip_copy=True).resolve(PositionProvider)
    shown = {
        id(node): tuple(lines.starts[end.line - 1] + end.column for end in (place.start, place.end))
        for node, place in places.items()
        if node is not tree
    }
    finder.extents.pop(id(tree))
    assert finder.extents == shown


NOT_BORNE_OUT: tuple[tuple[str, ClaimedPart, str], ...] = (
    ("import os, «redis»\n", "import", "sqlite3"),
    ("import «sqlalchemy.orm»\n", "import", "orm.sqlalchemy"),
    ("import re«dis»\n", "node", ""),
    ("from «app» import db\n", "import", "app"),
    ("x = «redis»\n", "import", "redis"),
    ("# import «redis»\n", "import", "redis"),
    ("'''\nimport «redis»\n'''\n", "import", "redis"),
    ("x = «redis.Redis»\n", "call", "redis.Redis"),
    ("f(«Row»)\n", "annotation", "Row"),
    ("class A(f(«Base»)):\n    pass\n", "base", "Base"),
    ("try:\n    «sqlite3.Error»\nexcept OSError:\n    pass\n", "except", "sqlite3.Error"),
    ("x = «Row»\n", "string", "Row"),
    ("x = «'select 1'»\n", "class", ""),
    ("x = «select»\n", "argument", ""),
    ("x = «a»b\n", "value", "a"),
)


@pytest.mark.parametrize(("text", "part", "name"), NOT_BORNE_OUT)
def test_a_statement_does_not_bear_a_claim_out(text: str, part: ClaimedPart, name: str) -> None:
    assert node_of(text, part, name) is None


def test_a_denial_tells_the_statement_around() -> None:
    text = "def f():\n    x = [\n        «redis»,  # why\n    ]\n    # next\n\n    y = 1\n"
    plain, span = marked(text)
    (denial,) = denials(plain, [Claim(span, "import", "redis")])
    assert denial.statement == Span(2, 5, 4, 6)


@pytest.mark.parametrize("text", ["x = (\n", f"x = {'(' * 150}1{')' * 150}\n", "print 'x'\n"])
def test_what_libcst_cannot_read_it_does_not_deny(text: str) -> None:
    claims = [Claim(Span(1, 1, 1, 3), "import", "redis")]
    assert read_claims(text, claims, by_statement=False) is None
    assert denials(text, claims) == []


def test_a_place_beyond_the_text_is_denied() -> None:
    (denial,) = denials("x = 1\n", [Claim(Span(7, 1, 7, 3), "node")])
    assert denial.statement == Span(1, 1, 1, 6)


STANDARD_LIBRARY = Path(sysconfig.get_path("stdlib"))
MODULES = [
    *(
        STANDARD_LIBRARY / f"{name}.py"
        for name in ("ast", "argparse", "difflib", "enum", "inspect")
    ),
    *sorted(Path(dal_audit.__file__).parent.glob("extract/python/*.py")),
]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.name)
def test_logical_lines_begin_where_statements_do(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    lines = Lines(text)
    starts = LogicalLines(lines).starts(len(text))
    begun = (
        lines.offset(node.lineno, node.col_offset)
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.stmt)
    )
    clause = re.compile(r"(else|elif|except|finally|case)\b|@")
    first = {start for start in begun if not text[:start].rpartition("\n")[2].strip()}
    assert [start for start in starts if not clause.match(text, start)] == sorted(
        start for start in first if not clause.match(text, start)
    )


def test_no_more_logical_lines_are_looked_for_than_asked() -> None:
    text = "a = (\n  1)\nb\nc\nd\n"
    logical = LogicalLines(Lines(text))
    assert logical.around(text.index("1"), text.index("1")) == (0, text.index("\nb"))
    assert logical.starts(0) == [0, text.index("b")]
    assert logical.around(text.index("b"), 0) == (text.index("b"), text.index("\nc"))
    assert logical.starts(len(text)) == [0, *map(text.index, "bcd")]


def test_a_claim_about_a_notebook_is_one_about_its_code() -> None:
    text = (
        '{"cells": [{"cell_type": "code", "source": ["%time\\n", "x = \\"a\\"\\n", "import redis"]},'
        ' {"cell_type": "code", "source": "\\timport os\\nredis.Redis()"}]}'
    )
    notebook = Notebook(text)
    lines = Lines(notebook.text)
    for start in range(len(notebook.text)):
        span = lines.span(start, start + 1)
        claim = Claim(span, "node")
        if notebook.text[start] != "\n":
            assert notebook.inside(notebook.moved(claim)) == claim


PROJECT = {
    "dal-audit.toml": 'storage = ["app/storage"]\n',
    "app/storage/__init__.py": "",
    "app/a.py": "if True:\n    from redis import Redis, client\n\nx = Redis()\n",
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for path, text in PROJECT.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    return tmp_path


def test_what_is_not_borne_out_ends_a_test_run(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(claimed_parts._TESTS, "module", lambda _node, _around: False)
    with pytest.raises(UnfoundedError, match=r"app/a\.py:2:10: no `module` of `redis` there"):
        audit(Request(folder=project))


@pytest.mark.parametrize("shortcuts", [True, False])
def test_what_is_not_borne_out_stays_a_finding_of_its_statement(
    project: Path, monkeypatch: pytest.MonkeyPatch, shortcuts: bool
) -> None:
    request = Request(folder=project, select=("DAL101",), shortcuts=shortcuts)
    (usual,) = audit(request).findings
    assert usual.place == Place("app/a.py", Span(2, 10, 2, 15))
    monkeypatch.setitem(claimed_parts._TESTS, "module", lambda _node, _around: False)
    monkeypatch.delenv(STRICT)
    (finding,) = audit(request).findings
    assert finding.place == Place("app/a.py", Span(2, 5, 2, 36))
    assert finding.breach.lines == (2, 2)
    assert finding.breach.message == usual.breach.message


def test_a_user_sees_the_statement(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(STRICT)
    monkeypatch.setitem(claimed_parts._TESTS, "module", lambda _node, _around: False)
    result = run(project, "check", "--format", "concise", "--no-cache", "--select", "DAL101")
    assert result.exit_code == 1
    assert result.output.startswith("app/a.py:2:5: DAL101")


def test_what_was_borne_out_is_kept(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.time_ns
    monkeypatch.setattr(dal_audit.extract.cache, "now_ns", lambda: now() + 10**10)
    request = Request(folder=project, cache=True)
    found = audit(request).findings
    monkeypatch.setitem(claimed_parts._TESTS, "module", lambda _node, _around: False)
    assert audit(request).findings == found
    (project / "app/a.py").write_text(PROJECT["app/a.py"] + "\n")
    with pytest.raises(UnfoundedError):
        audit(request)


def test_what_was_borne_out_of_another_text_is_forgotten() -> None:
    cache = no_cache()
    file, other = SourceFile("a.py", "/a.py", 1), SourceFile("b.py", "/b.py", 1)
    claims = {Claim(Span(1, 1, 1, 2), "node")}
    cache.keep_borne_out(file, claims)
    cache.keep_borne_out(other, claims)
    cache.forget("a.py")
    assert [set(cache.borne_out(told)) for told in (file, other)] == [set(), claims]


def test_what_is_known_of_a_statement_holds_for_the_same_one_elsewhere() -> None:
    for before in ("", "x = 1\n\n", "if x:\n    "):
        assert node_of(f"{before}from «sqlalchemy» import or_\n", "module", "sqlalchemy")
        assert node_of(f"{before}from «sqlalchemy» import or_\n", "module", "redis") is None
        assert node_of(f"{before}from sqlalchemy import «or_»\n", "module", "sqlalchemy") is None
