"""What messages and remedies say: what stands in the source, and neither more nor less."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

from dal_audit.audit import audit
from dal_audit.policy.request import Request

CONFIGURATION: Final = 'storage = ["app/storage/**"]\n'
INTERFACE: Final = """\
from abc import ABC


class Store(ABC):
    def a(self): raise NotImplementedError
    def b(self): raise NotImplementedError
"""


def made(folder: Path, files: dict[str, str]) -> Path:
    """Write a project down."""
    for name, text in {"dal-audit.toml": CONFIGURATION, **files}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def findings(folder: Path, rule: str) -> list[tuple[str, str]]:
    """Return the messages and remedies of a rule."""
    report = audit(Request(folder=folder, cache=False))
    return [
        (finding.breach.message, finding.remedy)
        for finding in report.findings
        if finding.rule.id == rule
    ]


@pytest.mark.parametrize(
    ("statement", "read", "written", "used"),
    [
        ("from .. import storage", "storage.Row, storage.Row", "storage.Row", "storage.Row"),
        ("import app.storage as s", "s.Row, s.Row", "s.Row", "s.Row"),
        ("import app.storage", "app.storage.Row, app.storage.Row", "app.storage.Row", None),
        ("from ..storage import Row as R", "R", "R", "R"),
        ("from ..storage import *", "Row", "Row", "Row"),
    ],
)
def test_a_type_is_called_what_the_file_calls_it(
    tmp_path: Path, statement: str, read: str, written: str, used: str | None
) -> None:
    files = {
        "app/storage/__init__.py": "from sqlite3 import Row\n",
        "app/deep/use.py": f"{statement}\nprint({read})\n",
    }
    report = audit(Request(folder=made(tmp_path, files), cache=False))
    (found,) = (finding for finding in report.findings if finding.rule.id == "DAL103")
    assert found.breach.message.startswith(f"`{written}` is a sqlite3 type, `sqlite3.Row`; ")
    assert found.breach.related[-1].message == f"`{used or written}` is used here"


def test_a_backend_is_called_what_the_file_calls_it(tmp_path: Path) -> None:
    files = {
        "dal-audit.toml": CONFIGURATION + 'composition-roots = ["main.py"]\n',
        "app/storage/__init__.py": "",
        "app/storage/base.py": INTERFACE,
        "app/storage/lite.py": "import sqlite3\nfrom .base import Store\n\n\n"
        "class Lite(Store):\n    def a(self): return sqlite3.connect('a')\n    def b(self): return 1\n",
        "app/use.py": "from .storage import lite as backend\nprint(backend.Lite)\n",
    }
    ((message, _),) = findings(made(tmp_path, files), "DAL106")
    assert message.startswith("`backend.Lite` is a concrete backend of `Store`")


@pytest.mark.parametrize(
    ("module", "what"),
    [
        ("import sqlalchemy", "`sqlalchemy` is a database toolkit"),
        (
            "from sqlalchemy import ForeignKey",
            "`sqlalchemy.ForeignKey` is a part of the database toolkit `sqlalchemy`",
        ),
        ("import redis.asyncio", "`redis.asyncio` is a part of the database client `redis`"),
    ],
)
def test_a_part_of_a_driver_is_called_a_part(tmp_path: Path, module: str, what: str) -> None:
    files = {
        "app/storage/base.py": f"{module}\n{INTERFACE}",
        "app/storage/lite.py": "import sqlite3\nfrom .base import Store\n\n\n"
        "class Lite(Store):\n    def a(self): return sqlite3.connect('a')\n    def b(self): return 1\n",
    }
    ((message, _),) = findings(made(tmp_path, files), "DAL204")
    assert message == f"{what}, and this module defines the storage interface `Store`"


@pytest.mark.parametrize(
    ("path", "text", "remedy"),
    [
        ("store.py", "import sqlite3\nRow = sqlite3.Row\n", "Call it `_Row`"),
        ("store.py", "import sqlite3 as sqlite3\n", "Leave out `as sqlite3`"),
        ("__init__.py", "from sqlite3 import Row\n", "Import `Row` in the modules that use it"),
        ("__init__.py", "from sqlite3 import *\n", "Import from the driver in the modules"),
        ("store.py", "import sqlite3\n__all__ = ['sqlite3']\n", "Take `sqlite3` out of `__all__`"),
    ],
)
def test_a_remedy_speaks_of_what_is_there(
    tmp_path: Path, path: str, text: str, remedy: str
) -> None:
    files = {"app/storage/__init__.py": "", f"app/storage/{path}": text}
    ((_, found),) = findings(made(tmp_path, files), "DAL105")
    assert found.startswith(remedy)
    assert found.endswith(".")


@pytest.mark.parametrize(
    ("body", "what"),
    [
        ("    def a(self): return 1", "inherits `b` of the interface `Store`, which only raises"),
        ("    x = 1", "inherits `a`, `b` of the interface `Store`, which only raise"),
    ],
)
def test_what_is_inherited_and_raises_is_not_lacked(tmp_path: Path, body: str, what: str) -> None:
    files = {
        "app/storage/base.py": INTERFACE,
        "app/storage/lite.py": "import sqlite3\nfrom .base import Store\n\n\n"
        f"class Lite(Store):\n{body}\n",
        "app/storage/whole.py": "import sqlite3\nfrom .base import Store\n\n\n"
        "class Whole(Store):\n    def a(self): return sqlite3.connect('a')\n    def b(self): return 1\n",
    }
    assert [message for message, _ in findings(made(tmp_path, files), "DAL205")] == [
        f"`Lite` {what}"
    ]


def test_what_is_abstract_beside_it_is_lacked(tmp_path: Path) -> None:
    files = {
        "app/storage/base.py": INTERFACE.replace("import ABC", "import ABC, abstractmethod")
        + "    @abstractmethod\n    def c(self): ...\n",
        "app/storage/lite.py": "import sqlite3\nfrom .base import Store\n\n\n"
        "class Lite(Store):\n    def a(self): return sqlite3.connect('a')\n",
    }
    ((message, _),) = findings(made(tmp_path, files), "DAL205")
    assert message == (
        "`Lite` lacks `c` of the interface `Store`, and inherits `b`, which only raises"
    )


@pytest.mark.parametrize(
    ("access", "shown"),
    [
        ("(conn or db).conn", "(conn or db).conn"),
        ("(await conn).conn", "(await conn).conn"),
        ("(conn if db else db).conn", "(conn if db else db).conn"),
        ("conn.conn", "conn.conn"),
        ("conn.x[0].conn", "conn.x[0].conn"),
    ],
)
def test_a_receiver_keeps_its_brackets(tmp_path: Path, access: str, shown: str) -> None:
    files = {
        "dal-audit.toml": CONFIGURATION + 'accessors = ["conn"]\n',
        "app/storage/__init__.py": "import sqlite3 as _sqlite3\n\n\n"
        "class Lite:\n    def __init__(self):\n        self.conn = _sqlite3.connect('x')\n",
        "app/use.py": "from .storage import Lite\n\n\n"
        f"async def f(conn: Lite, db: Lite):\n    print({access})\n",
    }
    ((message, _),) = findings(made(tmp_path, files), "DAL107")
    assert message.startswith(f"`{shown}` fetches ")


@pytest.mark.parametrize(
    ("configuration", "assumed"),
    [
        (CONFIGURATION, ["backends: sqlite 3.35, postgresql 14"]),
        (CONFIGURATION + 'backends = ["sqlite"]\n', []),
    ],
)
def test_the_backends_that_are_assumed_are_said(
    tmp_path: Path, configuration: str, assumed: list[str]
) -> None:
    files = {"app/migrations/0001_a.sql": "CREATE TABLE a (b integer);\n", "a.py": ""}
    made(tmp_path, {**files, "dal-audit.toml": configuration})
    report = audit(Request(folder=tmp_path, cache=False))
    assert [line for line in report.assumptions if line.startswith("backends")] == assumed


def test_where_no_sql_is_judged_no_backend_is_assumed(tmp_path: Path) -> None:
    report = audit(Request(folder=made(tmp_path, {"a.py": ""}), cache=False))
    assert not any(line.startswith("backends") for line in report.assumptions)


def test_a_composition_root_that_is_not_there_is_said(tmp_path: Path) -> None:
    roots = 'composition-roots = ["app/main.py", "app/mian.py"]\n'
    files = {"app/main.py": "", "dal-audit.toml": CONFIGURATION + roots}
    report = audit(Request(folder=made(tmp_path, files), cache=False))
    said = [line for line in report.assumptions if "composition" in line]
    assert said == ["no composition root by `app/mian.py`, which matches no file"]
