"""Whatever is edited between two audits, a warm one says what a cold one says, byte for byte.

The projects are put together of modules that import each other, so that an edit of one file makes or
ends a finding in another; storage, its interface, migrations and the configuration are edited, too.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import dal_audit.extract.cache as cache_module
from dal_audit.audit import audit
from dal_audit.extract import extractor as extract
from dal_audit.policy.request import Request
from dal_audit.report.render import render
from tests.examples import TODAY
from tests.sampling import runs

LATER_NS: Final = 3600 * 1_000_000_000

STORE: Final = """\
import sqlite3
from app.storage.interface import Books

Row = sqlite3.Row

class Store(Books):
    def __init__(self, path: str) -> None:
        self.pool = sqlite3.connect(path)

    def find(self, name: str) -> str:
        return self.pool.execute("SELECT name FROM books WHERE name = ?", (name,)).fetchone()[0]
"""
PURE: Final = """\
from typing import Protocol

class Books(Protocol):
    def find(self, name: str) -> str: ...
"""
IMPURE: Final = """\
import sqlite3
from typing import Protocol

class Books(Protocol):
    def find(self, name: str) -> sqlite3.Row: ...
    def raw(self) -> sqlite3.Connection: ...
"""
MODULES: Final = {
    "leak": "import sqlite3\n\ndef f() -> sqlite3.Row: ...\n",
    "carrier": "from app.storage.store import Row\n",
    "carrier of a carrier": "from app.one import Row\n\ndef f(row: Row) -> Row:\n    return row\n",
    "star": "from app.one import *\nfrom app.storage.store import *\n",
    "relative": "from .one import Row as Line\nfrom . import one\n\nx: one.Row\n",
    "facade": "from app.storage import Store, Row\n__all__ = ['Store', 'Row']\n",
    "reader": "from app.storage.store import Store\n\ndef f(store: Store):\n    return store.pool\n",
    "reader of a link": (
        "from app.storage.store import Store\n\ndef f(store: Store):\n    return store.link\n"
    ),
    "store with a link": STORE.replace("pool", "link"),
    "borrower": "from app.two import Store\n\ndef f(store: Store):\n    return store.pool\n",
    "downcast": (
        "from app.storage.interface import Books\nfrom app.storage.store import Store\n\n"
        "def f(books: Books) -> None:\n    if isinstance(books, Store):\n        books.pool.commit()\n"
    ),
    "dynamic": 'import importlib\n\nDRIVER = importlib.import_module("redis.asyncio")\n',
    "sql": 'def f(cursor):\n    cursor.execute("INSERT OR REPLACE INTO a VALUES (1)")\n',
    "forgiven": "import sqlite3  # dal-audit: allow[DAL101] a script of one day\n",
    "plain": "import json\n\nRow = dict\nStore = dict\n",
    "cupboard": (
        "import importlib\n\nSHELF = importlib.import_module('cupboard.shelf')\n"
        "import cupboard as board\n\ndef f() -> board.Row: ...\n"
    ),
    "broken": "import sqlite3\ndef f(:\n",
    "undecodable": "# coding: latin-9x\nimport sqlite3\n",
    "store": STORE,
    "pure": PURE,
    "impure": IMPURE,
    "nothing": "",
}
SCRIPTS: Final = {
    "portable": "CREATE TABLE books (name TEXT PRIMARY KEY);\n",
    "of SQLite": "CREATE TABLE books (id INTEGER PRIMARY KEY AUTOINCREMENT);\n",
    "of PostgreSQL": "CREATE TABLE books (id SERIAL, at TIMESTAMPTZ DEFAULT now());\n",
    "twice": "CREATE TABLE IF NOT EXISTS books (name TEXT);\nDROP TABLE loans;\n",
    "broken": "CREATE TABLE (;\n'",
    "nothing": "",
}
CONFIGURATIONS: Final = {
    "usual": 'storage = ["app/storage/**"]\nsource-roots = ["."]\n',
    "found": "",
    "wide": 'storage = ["app/**"]\nsource-roots = ["."]\n',
    "elsewhere": 'storage = ["app/part/**"]\nsource-roots = ["."]\n',
    "root": 'storage = ["app/storage/**"]\nsource-roots = ["app"]\n',
    "more drivers": 'storage = ["app/storage/**"]\nextend-drivers = ["json", "cupboard"]\n',
    "other drivers": 'storage = ["app/storage/**"]\ndrivers = ["redis"]\n',
    "types": 'storage = ["app/storage/**"]\ndriver-types = ["app.two.*"]\n',
    "accessors": 'storage = ["app/storage/**"]\naccessors = ["commit"]\n',
    "less": 'storage = ["app/storage/**"]\nexclude = ["app/one.py", "migrations/**"]\n',
    "one engine": 'storage = ["app/storage/**"]\nbackends = ["sqlite"]\n',
}
PYTHON_FILES: Final = (
    "app/one.py",
    "app/two.py",
    "app/part/three.py",
    "app/part/__init__.py",
    "app/redis.py",
    "app/storage/__init__.py",
    "app/storage/store.py",
    "app/storage/interface.py",
    "tests/test_app.py",
)
SQL_FILES: Final = (
    "migrations/0001_books.sql",
    "migrations/0002_loans.up.sql",
    "migrations/0002_loans.down.sql",
    "seeds/books.sql",
)
START: Final = {
    "app/__init__.py": "",
    "app/one.py": MODULES["carrier"],
    "app/two.py": MODULES["facade"],
    "app/part/__init__.py": "",
    "app/part/three.py": MODULES["borrower"],
    "app/storage/__init__.py": "from app.storage.store import Row, Store\n",
    "app/storage/store.py": STORE,
    "app/storage/interface.py": PURE,
    "migrations/0001_books.sql": SCRIPTS["portable"],
}

write_python = st.tuples(
    st.just("write"), st.sampled_from(PYTHON_FILES), st.sampled_from(list(MODULES.values()))
)
write_sql = st.tuples(
    st.just("write"), st.sampled_from(SQL_FILES), st.sampled_from(list(SCRIPTS.values()))
)
configure = st.tuples(
    st.just("write"), st.just("dal-audit.toml"), st.sampled_from(list(CONFIGURATIONS.values()))
)
of_two = st.tuples(
    st.sampled_from(["move", "copy", "link"]),
    st.sampled_from(PYTHON_FILES + SQL_FILES),
    st.sampled_from(PYTHON_FILES + SQL_FILES),
)
of_one = st.tuples(
    st.sampled_from(["delete", "touch", "append"]),
    st.sampled_from(PYTHON_FILES + SQL_FILES),
    st.just(""),
)
edits = st.one_of(write_python, write_python, write_sql, configure, of_two, of_one)
rounds = st.tuples(
    st.lists(edits, min_size=1, max_size=4),
    st.sampled_from([(".",), (".",), ("app/part",), ("app/__init__.py", "app/storage")]),
)


@pytest.fixture(autouse=True)
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Audit an hour later: what was changed just before an audit is not kept."""
    now = time.time_ns
    monkeypatch.setattr(cache_module, "now_ns", lambda: now() + LATER_NS)


@pytest.fixture(params=["small project", "large project"])
def size(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Audit as in a small project, where all is parsed, and as in a large one."""
    if request.param == "large project":
        monkeypatch.setattr(extract, "THOROUGH_BYTES", -1)
    return str(request.param)


def start(root: Path) -> None:
    """Write the project as it is before any edit."""
    for name, text in {**START, "dal-audit.toml": CONFIGURATIONS["usual"]}.items():
        put(root / name, text)


def put(path: Path, text: str) -> None:
    """Write a file, also where there was a link."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_symlink():
        path.unlink()
    path.write_text(text, encoding="utf-8")


def edit(root: Path, what: str, name: str, said: str) -> None:
    """Do one edit; one that takes a file that is not there does nothing.

    `said` is the text to write, or the other file's name.
    """
    path = root / name
    if what == "write":
        put(path, said)
    elif not path.exists():
        return
    elif what in {"move", "copy", "link"} and name != said:
        other = root / said
        other.parent.mkdir(parents=True, exist_ok=True)
        if what == "move":
            path.replace(other)
        elif what == "copy" and not other.exists():
            other.write_bytes(path.read_bytes())
        elif what == "link" and not other.exists():
            other.unlink(missing_ok=True)
            other.symlink_to(path)
    elif what == "delete":
        path.unlink()
    elif what == "touch":
        path.touch()
    elif what == "append":
        path.write_bytes(path.read_bytes() + b"\nimport psycopg as driver\n")


def told(root: Path, paths: tuple[str, ...], *, cache: bool, jobs: int = 1) -> tuple[str, ...]:
    """Audit and return all that is said, or why it could not be audited."""
    request = Request(paths, folder=root, today=TODAY, cache=cache, jobs=jobs, select=("DAL",))
    report = audit(request)
    return (
        *(render(report, form) for form in ("json", "sarif", "text")),
        *report.assumptions,
        str(report.files),
    )


@settings(max_examples=runs(25))
@example(done=[([("write", "app/one.py", MODULES["plain"])], (".",))])
@example(done=[([("write", "app/storage/interface.py", IMPURE)], (".",))])
@example(done=[([("write", "dal-audit.toml", CONFIGURATIONS["wide"])], (".",))])
@example(  # Another catalogue makes another finding of the same bytes.
    done=[
        ([("write", "app/one.py", MODULES["plain"])], (".",)),
        ([("write", "dal-audit.toml", CONFIGURATIONS["more drivers"])], (".",)),
        ([("write", "dal-audit.toml", CONFIGURATIONS["other drivers"])], (".",)),
    ]
)
@example(  # The same with a module that nothing but the configuration knows.
    done=[
        ([("write", "app/one.py", MODULES["cupboard"])], (".",)),
        ([("write", "dal-audit.toml", CONFIGURATIONS["more drivers"])], (".",)),
    ]
)
@example(  # Another attribute is asked for in a file that was inspected before.
    done=[
        ([("write", "app/part/three.py", MODULES["reader of a link"])], (".",)),
        ([("write", "app/storage/store.py", MODULES["store with a link"])], (".",)),
    ]
)
@given(done=st.lists(rounds, min_size=1, max_size=4))
def test_after_any_edits_a_warm_audit_says_what_a_cold_one_says(
    done: Sequence[tuple[Sequence[tuple[str, str, str]], tuple[str, ...]]],
    size: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    root = tmp_path_factory.mktemp("edits")
    start(root)
    told(root, (".",), cache=True)
    for edits_done, paths in done:
        for one in edits_done:
            edit(root, *one)
        present = tuple(path for path in paths if (root / path).exists()) or (".",)
        cold = told(root, present, cache=False)
        assert told(root, present, cache=True) == cold, size
        assert told(root, present, cache=True) == cold, size


def test_the_edits_make_and_end_findings_in_other_files(tmp_path: Path) -> None:
    """The property would prove little if what is edited said nothing of other files."""
    start(tmp_path)

    def found() -> set[tuple[str, str]]:
        report = audit(Request(folder=tmp_path, today=TODAY, jobs=1))
        return {(one.rule.id, one.place.path) for one in report.findings}

    before = found()
    edit(tmp_path, "write", "app/part/three.py", MODULES["carrier of a carrier"])
    led = found() - before
    assert {path for _, path in led} == {"app/part/three.py"}
    edit(tmp_path, "write", "app/one.py", MODULES["plain"])
    assert not led & found()
    edit(tmp_path, "write", "app/part/three.py", MODULES["borrower"])
    reached = found()
    edit(tmp_path, "write", "app/storage/store.py", MODULES["plain"])
    assert {path for _, path in reached - found()} & {"app/part/three.py"}
    edit(tmp_path, "write", "app/storage/store.py", STORE)
    before = found()
    edit(tmp_path, "write", "app/storage/interface.py", IMPURE)
    edit(tmp_path, "write", "migrations/0001_books.sql", SCRIPTS["of SQLite"])
    assert {rule[:4] for rule, _ in found() - before} >= {"DAL2", "DAL3"}
