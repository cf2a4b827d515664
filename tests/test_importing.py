"""What the bytes say of a file's imports is what Python's parser says, or nothing."""

from __future__ import annotations

import ast
import tokenize
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dal_audit.assemble.import_index import ImportIndex
from dal_audit.assemble.import_texts import written
from dal_audit.extract.python.prefilter import import_statements as importing
from dal_audit.extract.python.prefilter.driver_marks import searchable
from dal_audit.extract.python.prefilter.import_statements import MAX_HEAD, import_statements
from dal_audit.extract.source import UndecodableError
from dal_audit.facts import FileFacts
from tests.sampling import runs
from tests.steps import steps

PLAIN = [
    "import a",
    "import a.b",
    "import a as b",
    "import a . b  as c",
    "import a,b.c as d, e",
    "import\ta",
    "import \\\n    a, \\\n    b as c",
    "from a import b",
    "from a.b import c as d, e",
    "from . import a",
    "from .. import a as b",
    "from.a import b",
    "from . a . b import c",
    "from a import *",
    "from a import*",
    "from a import(b)",
    "from a import (b, c as d,)",
    "from a import (\n    b as\n    c,  # why, d\n    e,\n)",
    "from a \\\n    import b",
    "from \\\n    a import \\\n    b",
    "from a import b  # c; import d",
    "from important import import_, from_",
    "def f():\n\timport a\n\tfrom b import c",
]
LAZY = [
    "lazy import a",
    "lazy import a.b as c, d",
    "lazy  from a import b",
    "lazy from . import a",
    "lazy from a import (\n    b as c,\n    d,\n)",
    "def f():\n\tlazy import a",
    "lazy \\\n from a import b",
]
"""PEP 810: the running Python need not know it."""
ODD_LAZY = ["lazy \\\n import a", "x = 1; lazy import a", "if x: lazy from a import b"]
ODD = [
    "from a import (  # (so)\n    b\n)",
    "import a; import b",
    "if x: import a",
    "if x:\n    from a import b",
    "try: from a import b\nexcept E: import c",
    "x = 1; from a import b",
    "# so \\\nimport a",
    '"""You can\nimport a\n"""\nimport b',
    "\fimport a",
    "import\fa",
]


def by_python(text: str) -> set[tuple[str, str]]:
    """Return the names that Python sees imported."""
    found = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            found |= {("", alias.name) for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {("." * node.level + (node.module or ""), one.name) for one in node.names}
    return found


def by_bytes(data: bytes) -> set[tuple[str, str]] | None:
    """Return the names that the bytes show; None where they do not tell."""
    statements = import_statements(searchable(data))
    if statements is None:
        return None
    return {names[:2] for statement in statements for names in written(statement)}


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("text", PLAIN + ODD)
def test_no_import_is_lost(text: str, newline: str) -> None:
    for whole in (text, f"x = 1\n{text}\ny = 2\n", f"\ufeff{text}\n"):
        wanted = by_python(whole.removeprefix("\ufeff"))
        found = by_bytes(whole.replace("\n", newline).encode())
        assert found is None or wanted <= found


@pytest.mark.parametrize("text", PLAIN)
def test_plain_statements_are_told_exactly(text: str) -> None:
    assert by_bytes(text.encode()) == by_python(text)


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("text", LAZY)
def test_a_lazy_import_is_told_as_the_eager_one(text: str, newline: str) -> None:
    eager = text.replace("lazy \\\n ", "").replace("lazy ", "").replace("\t ", "\t").strip()
    for whole in (text, f"x = 1\n{text}\ny = 2\n"):
        assert by_bytes(whole.replace("\n", newline).encode()) == by_python(eager)


@pytest.mark.parametrize("text", ODD_LAZY)
def test_where_a_lazy_import_is_odd_nothing_is_claimed(text: str) -> None:
    assert import_statements(text.encode()) is None


@pytest.mark.parametrize("text", ["import a; import b", "if x: import a", "\fimport a"])
def test_where_the_bytes_do_not_tell_nothing_is_claimed(text: str) -> None:
    assert import_statements(text.encode()) is None


@pytest.mark.parametrize("text", ["# import a", "important = 1", "x = 'to import a'", ""])
def test_what_is_no_statement_does_no_harm(text: str) -> None:
    assert import_statements(text.encode()) == ()


@given(st.lists(st.sampled_from([*PLAIN, *ODD, "\\", "    ", "'''", "(", ")", "#"]), max_size=6))
def test_no_import_is_lost_in_any_company(parts: list[str]) -> None:
    text = "\n".join(parts)
    try:
        wanted = by_python(text)
    except SyntaxError:
        return
    found = by_bytes(text.encode())
    assert found is None or wanted <= found


def test_no_import_of_the_standard_library_is_lost() -> None:
    folder = Path(ast.__file__).parent
    unclear = []
    every = sorted(folder.glob("*.py")) + sorted(folder.glob("[a-j]*/*.py"))
    paths = every[:: len(every) // runs(len(every))]
    for path in paths:
        data = path.read_bytes()
        try:
            with tokenize.open(path) as file:
                wanted = by_python(file.read())
            found = by_bytes(data)
        except (SyntaxError, UnicodeDecodeError, UndecodableError):
            continue
        if found is None:
            unclear.append(path)
        else:
            assert wanted <= found, path
    assert len(unclear) < len(paths) / 10


def test_a_long_line_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    assert import_statements(b"x = " + b"a import " * MAX_HEAD) is None
    monkeypatch.setattr(importing, "MAX_HEAD", 40)
    short, long = (
        steps(partial(import_statements, b"x = " + b"a import " * size)) for size in (10, 60)
    )
    # If each word looked back to the line's beginning, the steps would be its length squared.
    assert short == long > 40


FILES = [
    FileFacts("app/a.py", (), "read", ("from .storage import engine", "import json")),
    FileFacts("app/b.py", (), "read", ("from app.storage import *",)),
    FileFacts("app/c.py", (), "read", ("import app.storage",)),
    FileFacts("app/d.py", (), "read", ("from app import other",)),
    FileFacts("app/e.py", (), "read", ("import app.other as x",)),
    FileFacts("app/f.py", (), "read", ("import app",)),
    FileFacts("app/g.py", (), "ruled-out", None),
    FileFacts("app/h.py", (), "read", ("from . import storage",)),
]


def absolute(name: str, path: str) -> str:
    return name if not name.startswith(".") else f"{path.split('/', maxsplit=1)[0]}{name}"


def test_takers_are_those_who_import_the_name_or_its_module() -> None:
    found = ImportIndex(FILES, absolute).importers_of([("app.storage", "engine")])
    assert found == {"app/a.py", "app/b.py", "app/c.py", "app/h.py"}
    assert ImportIndex(FILES, absolute).importers_of([("json", "loads")]) == {"app/a.py"}


def test_who_holds_a_package_is_in_doubt() -> None:
    index = ImportIndex(FILES, absolute)
    assert index.may_import([("app.storage", "engine")]) == {"app/c.py", "app/f.py", "app/g.py"}
    assert index.may_import([]) == {"app/g.py"}


def test_names_match_globs() -> None:
    index = ImportIndex(FILES, absolute)
    assert index.matching(["app.storage.en*"]) == {"app/a.py", "app/c.py", "app/h.py"}
    assert index.matching(()) == frozenset()


MODULES = ["app", "app.storage", ".storage", ".", "..other", "json"]
FORMS = [
    "from {0} import {1}",
    "from {0} import {1} as x",
    "from {0} import ({1},\n    {1}  # noqa: F401\n)",
    "from {0} import {1}, x  # why, so",
    "from  {0}  import {1}",
    "from {0} import *",
    "import app.{1}",
    "import {1}, app.storage as {1}",
    "from {0} import x.{1}",
]
STATEMENTS = st.builds(
    str.format, st.sampled_from(FORMS), st.sampled_from(MODULES), st.sampled_from("abc")
)
KEYS = st.tuples(
    st.sampled_from(["app", "app.storage", "app.other", "json", "a"]), st.sampled_from("abc")
)


def takes(statement: str, path: str, key: tuple[str, str]) -> bool:
    """Return whether a statement names something, by a look at all that it names."""
    module, name = key
    wanted = {module, f"{module}.{name}", f"{module}.*"}
    for source, what, is_renamed in written(statement):
        whole = f"{source}{what}" if source.endswith(".") else f"{source}.{what}"
        own = {absolute(whole, path)} if source else {what}
        if not source and not is_renamed:
            own.add(what.partition(".")[0])
        if own & wanted:
            return True
    return False


@given(st.lists(st.lists(STATEMENTS, max_size=4), max_size=4), st.lists(KEYS, max_size=4))
def test_statements_that_are_read_late_lead_to_the_same(
    written_in: list[list[str]], keys: list[tuple[str, str]]
) -> None:
    files = [FileFacts(f"app/f{n}.py", (), "read", tuple(own)) for n, own in enumerate(written_in)]
    index = ImportIndex(files, absolute)
    found: set[str] = set()
    for key in keys:
        taking = {
            file.path
            for file in files
            if any(takes(statement, file.path, key) for statement in file.importing or ())
        }
        assert index.importers_of([key]) == taking
        found |= taking
    assert index.importers_of(keys) == found
