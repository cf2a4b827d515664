"""Work that grows with what is audited, and no faster: counted, or held against half the size."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from typing import Any, Final

import pytest

from dal_audit.assemble import class_hierarchy
from dal_audit.audit import audit
from dal_audit.extract import limits
from dal_audit.judge.breach import MAX_FLOW
from dal_audit.policy.request import Request
from dal_audit.policy.validate import MAX_FAULTS
from dal_audit.report.render import FORMATS, render
from tests.invocation import run

ALLOWED: Final = 2.6
"""Twice the input may take so many times the calls; four times is what a square takes."""


MOST: Final = 20_000_000
"""More lines than any of these audits may run."""


def lines_run(root: Path) -> int:
    """Return how many lines of dal-audit an audit runs: loops count, whatever machine it is."""
    counted: Counter[str] = Counter()
    package = str(Path(class_hierarchy.__file__).parents[1])

    def line(_frame: Any, event: str, _argument: object) -> Any:
        counted[event] += event == "line"
        if counted[event] > MOST:  # What does not end would never be compared.
            raise AssertionError("far too much work")
        return line

    def call(frame: Any, _event: str, _argument: object) -> Any:
        return line if frame.f_code.co_filename.startswith(package) else None

    request = Request(folder=root, cache=False, jobs=1)
    audit(request)  # What is loaded once is no part of the growth.
    before = sys.gettrace()
    sys.settrace(call)
    try:
        audit(request)
    finally:
        sys.settrace(before)
    return counted["line"]


def inheriting(count: int) -> dict[str, str]:
    classes = (f"class C{i}(C{i - 1}):\n    def a{i}(self): ...\n" for i in range(1, count))
    return {"a.py": "import sqlite3\nclass C0(sqlite3.Connection): ...\n" + "".join(classes)}


def inheriting_twice(count: int) -> dict[str, str]:
    classes = (f"class C{i}(C{i - 1}, Mixin): ...\n" for i in range(1, count))
    return {"a.py": "class Mixin: ...\nclass C0(Mixin): ...\n" + "".join(classes)}


def on_one_line(count: int) -> dict[str, str]:
    return {"a.py": "; ".join(["import redis"] * count) + "\n"}


def bound_anew(count: int) -> dict[str, str]:
    return {"a.py": "import sqlite3\nimport a\n" + "x = a.x\n" * count}


def made_of_itself(count: int) -> dict[str, str]:
    """A text, and an object, that are made of themselves again and again."""
    text = "x = input()\n" + "x = x.strip()\n" * count
    found = "c = sqlite3.connect('a')\n" + "c = c.with_options()\n" * count
    said = f"import sqlite3\n{text}{found}c.execute(x)\n"
    head = "revision = '1'\ndown_revision = None\nfrom alembic import op\n"
    return {"a.py": said, "alembic/script.py.mako": "", "alembic/versions/1.py": head + said}


def statements(count: int) -> dict[str, str]:
    return {"a.py": "import sqlite3\n" + "x = 1\n" * count}


def unparsable(count: int) -> dict[str, str]:
    return {"a.py": "import sqlite3\n" + "x = f'{a:{b}}' if c[1] else {2}\n" * count + "x(10L\n"}


def made_of_each_other(count: int) -> dict[str, str]:
    made = (f"        self.a{i} = self.a{i - 1}.cursor()\n" for i in range(1, count))
    head = "import sqlite3\nclass State:\n    def __init__(self):\n        self.a0 = sqlite3.connect('a')\n"
    return {"a.py": head + "".join(made)}


def keys(count: int) -> dict[str, str]:
    return {"a.py": "", "dal-audit.toml": "".join(f"unknown{i} = 1\n" for i in range(count))}


def inheriting_in_storage(count: int) -> dict[str, str]:
    classes = (f"class C{i}(C{i - 1}):\n    def a{i}(self): ...\n" for i in range(1, count))
    head = "import sqlite3\nclass C0:\n    def __init__(self): self.a = sqlite3.connect('a')\n"
    return {"app/storage/db.py": head + "".join(classes), "app/a.py": "import app.storage.db\n"}


def inheriting_from_file_to_file(count: int) -> dict[str, str]:
    files = {"app/__init__.py": "", "app/m0.py": "import redis\nclass C0(redis.Redis): ...\n"}
    for i in range(1, count):
        base = f"from app.m{i - 1} import C{i - 1}\n"
        files[f"app/m{i}.py"] = f"{base}class C{i}(C{i - 1}):\n    def a{i}(self): ...\n"
    return files


def reexporting(count: int) -> dict[str, str]:
    files = {"app/__init__.py": "", "app/storage/__init__.py": "import sqlite3\n"}
    files["app/m0.py"] = "from sqlite3 import Connection\n"
    for i in range(1, count):
        files[f"app/m{i}.py"] = f"from app.m{i - 1} import Connection\nx: Connection\n"
    return files


def put(root: Path, files: dict[str, str]) -> Path:
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    return root


@pytest.mark.parametrize(
    ("make", "size"),
    [
        (on_one_line, 150),
        (bound_anew, 300),
        (statements, 300),
        (unparsable, 100),
        (made_of_itself, 40),
        (made_of_each_other, 100),
        (inheriting, 100),
        (inheriting_in_storage, 100),
        (inheriting_from_file_to_file, 60),
        (reexporting, 60),
    ],
    ids=lambda value: getattr(value, "__name__", str(value)),
)
def test_twice_as_much_takes_twice_the_work(make: Any, size: int, tmp_path: Path) -> None:
    once, twice = (lines_run(put(tmp_path / str(count), make(count))) for count in (size, 2 * size))
    assert twice < ALLOWED * once


@pytest.mark.parametrize("make", [inheriting, inheriting_twice, made_of_each_other])
def test_chains_are_as_long_as_they_like(make: Any, tmp_path: Path) -> None:
    put(tmp_path, make(3 * sys.getrecursionlimit()))
    audit(Request(folder=tmp_path, cache=False, jobs=1, select=("DAL110", "DAL101")))


def test_of_a_long_way_no_format_tells_every_step(tmp_path: Path) -> None:
    sizes = {}
    for count in (60, 120):
        put(tmp_path / str(count), reexporting(count))
        report = audit(Request(folder=tmp_path / str(count), cache=False, jobs=1))
        longest = max(finding.breach.flow_length for finding in report.findings)
        assert longest == MAX_FLOW
        ways = [finding.breach.related for finding in report.findings if finding.breach.related]
        assert {way[0].place.path for way in ways} == {"app/m0.py"}
        assert any(f"{count - 1 - MAX_FLOW} steps later, " in way[1].message for way in ways)
        sizes[count] = {form: len(render(report, form)) for form in FORMATS}
    for form, size in sizes[120].items():
        assert size < ALLOWED * sizes[60][form], form


def test_of_many_faults_the_first_are_told(tmp_path: Path) -> None:
    answer = run(put(tmp_path, keys(5_000)), "check")
    assert answer.exit_code == 2
    assert answer.stderr.count("unknown key") == MAX_FAULTS
    assert f"and {5_000 - MAX_FAULTS} more faults" in answer.stderr


def test_a_table_of_data_is_said_and_not_parsed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert limits.MAX_PARTS <= 400_000, "a syntax tree takes up to a kilobyte an element"
    put(tmp_path, {"a.py": "import sqlite3\nx = [" + "1," * 500 + "]\n"})
    assert "DAL901" not in run(tmp_path, "check", "--format", "concise").output
    monkeypatch.setattr(limits, "MAX_PARTS", 400)
    shown = run(tmp_path, "check", "--format", "concise", "--no-cache").output
    assert "a.py:1:1: DAL901" in shown
    assert "more than 400 elements and lines" in shown


@pytest.mark.parametrize(
    "key", ["driver-types", "import-helpers", "interfaces", "drivers", "extend-drivers"]
)
def test_a_name_that_no_module_has_is_a_fault(key: str, tmp_path: Path) -> None:
    name = ".".join(["a"] * 250)
    last = ":b" if key in {"import-helpers", "interfaces"} else ""
    value = f"['{name}{last}']"
    put(tmp_path, {"a.py": "", "dal-audit.toml": f"{key} = {value}\n"})
    answer = run(tmp_path, "check")
    assert answer.exit_code == 2
    assert "more than 40 dots" in answer.stderr
