"""Imports that nothing uses: what is taken out, what is left alone, and that no comment goes."""

from __future__ import annotations

import ast
import io
import tokenize
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dal_audit.audit import audit
from dal_audit.catalogue.drivers import catalogue_in_force
from dal_audit.commands.fix import fixed
from dal_audit.extract.python.module_facts import python_facts
from dal_audit.facts import Import
from dal_audit.fix.imports import without
from dal_audit.fix.model import Fix
from dal_audit.fix.rewrite import amended, compatible
from dal_audit.policy.request import Request
from dal_audit.report.suggestions import described

CATALOGUE = catalogue_in_force()
STORE = "import sqlite3\n\n\ndef connect():\n    return sqlite3.connect('x')\n"


def fixes_of(text: str) -> list[Fix]:
    """Return how the drivers' names are taken out of a text, a fix each statement."""
    found = []
    for fact in python_facts(text, CATALOGUE):
        if isinstance(fact, Import):
            drivers = [each for each in fact.targets if CATALOGUE.driver_of(each.name) is not None]
            found.append(without(fact, drivers))
    return [fix for fix in found if fix is not None]


def mended(data: bytes, encoding: str = "utf-8") -> bytes:
    """Return a text without the drivers' names that can be taken out of it, in rounds."""
    for _ in range(20):
        fixes = compatible(fixes_of(data.decode(encoding).removeprefix("\ufeff")))
        if not fixes:
            return data
        data = amended(data, fixes, is_script=False)
    raise AssertionError("fixes do not come to an end")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("import sqlite3\n", ""),
        ("import sqlite3\n\n\nx = 1\n", "x = 1\n"),
        ('"""Text."""\n\nimport sqlite3\n\n\nx = 1\n', '"""Text."""\n\n\nx = 1\n'),
        ("import json\n\nimport sqlite3\n\njson\n", "import json\n\njson\n"),
        ("import json\nimport sqlite3\n\njson\n", "import json\n\njson\n"),
        ("x = 1\n\nimport sqlite3", "x = 1\n"),
        ("import json, sqlite3, csv\n", "import json, csv\n"),
        ("import sqlite3, json\n", "import json\n"),
        ("import json, sqlite3 as s\n", "import json\n"),
        ("import json, sqlite3, psycopg\n", "import json\n"),
        ("from sqlite3 import Row, connect\nRow\n", "from sqlite3 import Row\nRow\n"),
        ("from sqlite3 import connect, Row, Error\nRow\n", "from sqlite3 import Row\nRow\n"),
        (
            "from sqlite3 import Row, connect as connect\n",
            "from sqlite3 import connect as connect\n",
        ),
        (
            "from sqlite3 import Row, connect\n__all__ = ['connect']\n",
            "from sqlite3 import connect\n__all__ = ['connect']\n",
        ),
        ("import sqlite3, psycopg\npsycopg\n", "import psycopg\npsycopg\n"),
        ("import json, \\\n    sqlite3\n", "import json\n"),
        ("import json; import sqlite3\n", "import json\n"),
        ("import sqlite3; import json\n", "import json\n"),
        ("# ruff: noqa: E501\nimport sqlite3\n", "# ruff: noqa: E501\n"),
        ("# pylint: disable=invalid-name\nimport sqlite3\n", "# pylint: disable=invalid-name\n"),
        ("if x: import sqlite3\n", "if x: pass\n"),
        ("if x:\n    import sqlite3  # why\n", "if x:\n    pass  # why\n"),
        ("import sqlite3  # why\nx = 1\n", "# why\nx = 1\n"),
        ("def f():\n    import sqlite3\n    return g()\n", "def f():\n    return g()\n"),
        ("if x:\n    import sqlite3\n    import psycopg\n", "if x:\n    pass\n"),
        ("if x:\n    import sqlite3; import psycopg\n", "if x:\n    pass\n"),
        ("from app import (\n    a,\n)\nimport sqlite3\na\n", "from app import (\n    a,\n)\na\n"),
        ("from sqlite3 import (\n    Row,\n)\n", ""),
        ("import sqlite3\r\nx = 1\r\n", "x = 1\r\n"),
        (
            "message = 'install sqlite3 first'\nimport sqlite3\n",
            "message = 'install sqlite3 first'\n",
        ),
        ("# é🦆\nimport json, sqlite3 ; 'é🦆'\n", "# é🦆\nimport json ; 'é🦆'\n"),
    ],
)
def test_what_nothing_uses_is_taken_out(before: str, after: str) -> None:
    assert mended(before.encode()) == after.encode()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            "from app import (\n    a,  # A\n    sqlite3,  # S\n    b,\n)\n",
            "from app import (\n    a,  # A\n    # S\n    b,\n)\n",
        ),
        (
            "from app import (\n    a,  # A\n    sqlite3,\n    b\n)\n",
            "from app import (\n    a,  # A\n    b\n)\n",
        ),
        (
            "from app import (  # A\n    a,\n    sqlite3\n)\n",
            "from app import (  # A\n    a,\n)\n",
        ),
        ("from app import (a, sqlite3,  # S\n    b)\n", "from app import (a,  # S\n    b)\n"),
        ("from app import (sqlite3  # S\n    , b)\n", None),
        ("from app import (\n    a,\n    sqlite3,\n)\n", "from app import (\n    a,\n)\n"),
        ("from app import (\n    sqlite3,\n    a,\n)\n", "from app import (\n    a,\n)\n"),
        ("from app import (  # A\n    sqlite3,\n)\n", None),
    ],
)
def test_comments_in_brackets_stay(before: str, after: str | None) -> None:
    """Whatever is imported: what a name of a driver's comes from does not matter here."""
    (fact,) = (fact for fact in python_facts(before, CATALOGUE) if isinstance(fact, Import))
    targets = [target for target in fact.targets if target.bound == "sqlite3"]
    fix = without(fact, targets)
    new = None if fix is None else amended(before.encode(), [fix], is_script=False).decode()
    assert new == after


@pytest.mark.parametrize(
    "text",
    [
        "import sqlite3\nsqlite3.connect\n",
        "import sqlite3\n__all__ = ['sqlite3']\n",
        "import sqlite3\n__all__ = ['x']\n__all__ += ['sqlite3']\n",
        "import sqlite3\nx: 'sqlite3.Row'\n",
        "import sqlite3\nx = []  # type: list[sqlite3.Row]\n",
        "import sqlite3\npatch('app.a.sqlite3.connect')\n",
        "import sqlite3\nglobals()[name]\n",
        "import sqlite3\nexec(text)\n",
        "import sqlite3\ngetattr(sys.modules[__name__], name)\n",
        "import sqlite3\ndel sqlite3\n",
        "import sqlite3\nsqlite3 = None\n",
        "import sqlite3\nimport sqlite3\n",
        "if x:\n    import sqlite3\nelse:\n    import psycopg as sqlite3\n",
        "try:\n    import sqlite3\nexcept ImportError:\n    x = 1\n",
        "try:\n    import json\nexcept ImportError:\n    import sqlite3\n",
        "with suppress(ImportError):\n    import sqlite3\n",
        "class A:\n    import sqlite3\n",
        "def is_here():\n    'Ask.'\n    import sqlite3\n    return True\n",
        "async def is_here():\n    import sqlite3, psycopg\n",
        "import sqlite3  # noqa\n",
        "# flake8: noqa\nimport sqlite3\n",
        "import sqlite3\n# ruff: noqa: E501, F401\n",
        "# pylint: disable=invalid-name,unused-import\nimport sqlite3\n",
        "import sqlite3  # noqa: F401\n",
        "import sqlite3  # registers adapters  # pylint: disable=unused-import\n",
        "import sqlite3  # type: ignore\n",
        "from sqlite3 import (  # noqa: F401\n    Row,\n    connect,\n)\n",
        "from sqlite3 import Row as Row\n",
        "from sqlite3 import connect\n\n\nclass A:\n    connect = connect('x')\n",
        "from sqlite3 import Row\n\n\nclass A:\n    Row: Row\n    last: Row\n",
        "from sqlite3 import Row\n\n\nclass A:\n    @Row\n    def Row(self): ...\n",
        "from sqlite3 import Row\n\n\nclass A:\n    class Row(Row): ...\n",
        "from sqlite3 import Row, connect  # noqa: F401\nRow\n",
        "try:\n    from sqlite3 import Row, connect\nexcept ImportError:\n    x = 1\nRow\n",
        "if TYPE_CHECKING:\n    from sqlite3 import Row, connect\nx: 'Row'\ny = 'connect'\n",
        "from sqlite3 import *\n",
        "import sqlite3\n\n\ndef test(sqlite3):\n    pass\n",
        "import sqlite3\n\n\ndef f():\n    global sqlite3\n    sqlite3 = 1\n",
        'import sqlite3\n\n\ndef f():\n    """Text.\n\n    >>> sqlite3.connect("x")\n    """\n',
    ],
)
def test_what_something_may_use_is_left_alone(text: str) -> None:
    assert mended(text.encode()) == text.encode()


@pytest.mark.parametrize(
    ("files", "is_mended"),
    [
        ({"app/a.py": "import sqlite3\n"}, True),
        ({"app/__init__.py": "import sqlite3\n"}, False),
        ({"tests/conftest.py": "from psycopg import connect\n"}, False),
        (
            {"app/a.py": "import sqlite3\n", "app/b.py": "from app.a import sqlite3\n\nsqlite3\n"},
            False,
        ),
        ({"app/a.py": "import sqlite3\n", "app/b.py": "from .a import *\n\nsqlite3\n"}, False),
        ({"app/a.py": "import sqlite3\n", "app/b.py": "import app.a\n\napp.a.sqlite3.x\n"}, False),
        ({"app/a.py": "import sqlite3\n", "app/b.py": "from app import a\n\na.sqlite3.x\n"}, False),
        ({"app/a.py": "import sqlite3\n", "app/b.py": "from app import a\n\na.x\n"}, True),
        ({"app/a.py": "import sqlalchemy.orm\n"}, False),
        ({"app/a.py": "from sqlite3 import Row, connect\n\nRow\n"}, True),
        ({"app/a.py": "import redis\nfrom redis import sentinel\n\nredis.sentinel.x()\n"}, False),
        (
            {
                "app/a.py": "from redis import sentinel\n",
                "app/b.py": "import redis\n\nredis.sentinel.x()\n",
            },
            False,
        ),
        ({"app/a.py": "import redis\nfrom redis import sentinel\n\nredis.Redis()\n"}, True),
        (
            {
                "app/a.py": "from sqlite3 import Row, connect\n",
                "app/b.py": "from app.a import Row, connect\n\nRow\nconnect\n",
            },
            False,
        ),
    ],
)
def test_other_modules_are_asked(tmp_path: Path, files: dict[str, str], is_mended: bool) -> None:
    for path, text in {"app/storage/s.py": STORE, **files}.items():
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    found = fixed(Request(folder=tmp_path))
    assert [change.path for change in found.changes] == [next(iter(files))] * is_mended


def test_fixes_that_overlap_go_in_rounds(tmp_path: Path) -> None:
    (tmp_path / "storage").mkdir()
    (tmp_path / "storage/s.py").write_text(STORE)
    (tmp_path / "a.py").write_text("import sqlite3, psycopg, asyncpg, redis\n\nx = 1\n")
    result = fixed(Request(folder=tmp_path, select=("DAL101",)))
    assert [change.after for change in result.changes] == [b"x = 1\n"]
    assert (result.count, result.refused, len(result.report.open)) == (4, (), 0)


@pytest.mark.parametrize(("use", "is_mended"), [("sa.orm.Session", False), ("sa.select", True)])
def test_what_may_load_a_module_that_is_read_stays(
    tmp_path: Path, use: str, is_mended: bool
) -> None:
    (tmp_path / "storage").mkdir()
    (tmp_path / "storage/s.py").write_text(STORE)
    (tmp_path / "a.py").write_text(f"import sqlalchemy as sa\nimport sqlalchemy.orm\n\n{use}\n")
    assert bool(fixed(Request(folder=tmp_path), unsafe=True).changes) == is_mended


def test_what_is_used_beside_it_stays_a_finding(tmp_path: Path) -> None:
    app = tmp_path / "app"
    (app / "storage").mkdir(parents=True)
    (app / "storage/s.py").write_text(STORE)
    (app / "a.py").write_text("from sqlite3 import Row, connect, Error\n\nRow\n")
    (app / "b.py").write_text("from app.a import Error\n\nError\n")
    request = Request(folder=tmp_path, select=("DAL101",), cache=False)
    (finding,) = audit(request).open
    assert finding.breach.fix is not None
    assert described(finding.breach.fix) == (
        "take out the import of `connect`, which nothing uses (the finding stays for the rest)"
    )
    result = fixed(request)
    assert [change.after for change in result.changes] == [
        b"from sqlite3 import Row, Error\n\nRow\n"
    ]
    assert (result.count, result.refused) == (0, ())
    (left,) = result.report.open
    assert left.breach.message == finding.breach.message
    assert left.breach.fix is None


NAMES = ("json", "sqlite3", "psycopg as p", "asyncpg", "csv as c", "redis", "pymongo")
COMMENTS = st.sampled_from(["", "", "", "  # why", "  # é🦆", "  # noqa"])


@st.composite
def statements(draw: st.DrawFn) -> list[str]:
    """Draw the lines of an import statement."""
    names = draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=4, unique=True))
    if draw(st.booleans()):
        return [f"import {', '.join(names)}{draw(COMMENTS)}"]
    if draw(st.booleans()):
        return [f"from sqlite3 import {', '.join(names)}{draw(COMMENTS)}"]
    inner = [f"    {name},{draw(COMMENTS)}" for name in names]
    return [f"from psycopg import ({draw(COMMENTS)}", *inner, f"){draw(COMMENTS)}"]


@st.composite
def modules(draw: st.DrawFn) -> str:
    """Draw a module of import statements at all kinds of places."""
    lines: list[str] = []
    for _ in range(draw(st.integers(1, 4))):
        head = draw(st.sampled_from(["", "", "if x:", "def f():", "try:", "class A:"]))
        indent = "    " if head else ""
        block = draw(st.lists(statements(), min_size=1, max_size=3))
        lines += [head] if head else draw(st.sampled_from([[], [""], ["# é"], ["x = 1", ""]]))
        lines += [indent + line for statement in block for line in statement]
        lines += ["finally:", "    pass"] if head == "try:" else []
        lines += draw(st.sampled_from([[], [""], ["", "json.dumps(p)"], ["y = 'redis'"]]))
    end = draw(st.sampled_from(["\n", "\r\n", "\r"]))
    return end.join(lines) + draw(st.sampled_from(["", end]))


def comments(text: str) -> list[str]:
    tokens = tokenize.generate_tokens(
        io.StringIO(text.replace("\r\n", "\n").replace("\r", "\n")).readline
    )
    return [token.string for token in tokens if token.type == tokenize.COMMENT]


def other_code(text: str) -> Counter[str]:
    """Return a module's statements that are no imports and no `pass`, each by itself."""
    return Counter(
        ast.dump(node)
        for node in ast.walk(ast.parse(text))
        if isinstance(node, (ast.Expr, ast.Assign))
    )


@given(modules(), st.booleans())
def test_no_fix_breaks_a_module_or_loses_a_comment(text: str, is_marked: bool) -> None:
    mark = b"\xef\xbb\xbf" if is_marked else b""
    data = mended(mark + text.encode())
    assert data.startswith(mark)
    new = data.removeprefix(mark).decode()
    ast.parse(new)
    assert comments(new) == comments(text)
    assert other_code(new) == other_code(text)
    assert ("\r\n" in new) <= ("\r\n" in text)
    assert new.count("\n") == new.count("\r\n") or "\r" not in text
