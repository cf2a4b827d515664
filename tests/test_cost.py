"""What an audit costs, in files read and parsed instead of seconds: a guard that no clock can upset.

The trees are made here: their sizes double, and every cost has to double with them.
"""

from __future__ import annotations

import importlib
import itertools
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import libcst
import pytest

import dal_audit.extract.cache
import dal_audit.extract.extractor
from dal_audit.audit import audit
from dal_audit.discover.cache_folder import CACHE
from dal_audit.extract import extractor as extract
from dal_audit.extract import second_look as inspection
from dal_audit.extract.cache_form import SETTLED_NS
from dal_audit.extract.embedded import reader as embedded
from dal_audit.extract.python.parse import parser as syntax
from dal_audit.policy.request import Request

CONFIGURATION = """\
storage = ["app/storage/**"]
source-roots = ["."]
"""

STORAGE = """\
import sqlite3

class Store:
    def __init__(self, path: str) -> None:
        self.pool = sqlite3.connect(path)

Row = sqlite3.Row
"""
LEAK = "import redis\n\ndef cache():\n    return redis.Redis()\n"
REACHED = "from app.storage.store import Row\n\ndef f(row: Row) -> Row:\n    return row\n"
READER = "from app.storage.store import Store\n\ndef f(store: Store):\n    return store.pool\n"
PLAIN = "import os\nimport json\n\ndef f(x):\n    return json.dumps(os.listdir(x))\n"
MENTIONS = '"""Redistribute sqlite3 as you like."""\n\nname = "redis"\n'


def tree(root: Path, size: int) -> None:
    """Write a project: of every twenty files one leaks, one is reached, and one reads the pool."""
    (root / "app" / "storage").mkdir(parents=True)
    (root / "dal-audit.toml").write_text(CONFIGURATION)
    (root / "app" / "__init__.py").write_text("")
    (root / "app" / "storage" / "__init__.py").write_text("")
    (root / "app" / "storage" / "store.py").write_text(STORAGE)
    texts = [LEAK, REACHED, READER, MENTIONS] + [PLAIN] * 16
    for number in range(size):
        # The texts differ, as those of real files do.
        text = f"{texts[number % len(texts)]}\nnumber = {number}\n"
        (root / "app" / f"module_{number}.py").write_text(text)


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Count reads, syntax trees of whole files, and what LibCST parses."""
    counts: Counter[str] = Counter()

    def count(module: object, name: str, key: str) -> None:
        real: Callable[..., object] = getattr(module, name)

        def counting(*arguments: object, **named: object) -> object:
            counts[key] += 1
            return real(*arguments, **named)

        monkeypatch.setattr(module, name, counting)

    count(extract, "read_bytes", "read")
    count(inspection, "read_bytes", "read")
    count(embedded, "read_bytes", "read")
    count(syntax, "_parse", "scouted")
    count(libcst, "parse_module", "modules by LibCST")
    monkeypatch.setattr(extract, "THOROUGH_BYTES", -1)  # As in a large project.
    return counts


def cost(root: Path, counted: Counter[str], *, cache: bool = False) -> Counter[str]:
    """Audit a project in this process, and return what it cost."""
    counted.clear()
    report = audit(Request(folder=root, jobs=1, cache=cache))
    counted["findings"] = len(report.findings)
    assert {one.rule.id for one in report.open} >= {"DAL101", "DAL103", "DAL107"}
    return Counter(counted)


def test_only_what_matters_is_parsed(tmp_path: Path, counted: Counter[str]) -> None:
    tree(tmp_path, 200)
    found = cost(tmp_path, counted)
    # 10 leaks, 10 that are reached, and 10 readers as evidence; the store at first and as evidence.
    assert found["scouted"] <= 10 + 10 + 10 + 2
    # The statements that findings rest on, and nothing else.
    assert 0 < found["modules by LibCST"] <= found["findings"]
    # Each file once, those that are reached once more, all outside storage for accesses, those that
    # have some as evidence, the store; and storage for the SQL in it.
    assert found["read"] <= 203 + 10 + 201 + 10 + 1 + 2


def test_cost_grows_with_the_tree_and_no_faster(tmp_path: Path, counted: Counter[str]) -> None:
    costs = []
    for size in (100, 200, 400, 800):
        root = tmp_path / str(size)
        tree(root, size)
        costs.append(cost(root, counted))
    for smaller, larger in itertools.pairwise(costs):
        for key in ("read", "scouted"):
            assert larger[key] <= 2 * smaller[key] + 10, key


def test_without_shortcuts_everything_is_parsed(tmp_path: Path, counted: Counter[str]) -> None:
    """The counts above would prove nothing if nothing were counted."""
    tree(tmp_path, 20)
    audit(Request(folder=tmp_path, jobs=1, shortcuts=False))
    assert counted["modules by LibCST"] >= 20


def test_a_second_audit_parses_nothing(
    tmp_path: Path, counted: Counter[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.time_ns
    monkeypatch.setattr(dal_audit.extract.cache, "now_ns", lambda: now() + 10**10)
    tree(tmp_path, 100)
    first = cost(tmp_path, counted, cache=True)
    warm = cost(tmp_path, counted, cache=True)
    assert warm == Counter(findings=first["findings"])
    (tmp_path / "app" / "module_4.py").write_text("import redis\n")
    changed = cost(tmp_path, counted, cache=True)
    assert changed["scouted"] <= 3
    assert changed["read"] <= 6


REPRINTING = {
    *("__future__", "_sha2", "_struct", "struct", "zlib"),
    *("dal_audit", "dal_audit.catalogue", "dal_audit.commands", "dal_audit.discover"),
    *("dal_audit.catalogue.digest", "dal_audit.catalogue.installation", "dal_audit.extract"),
    *("dal_audit.commands.last_report", "dal_audit.commands.main", "dal_audit.commands.output"),
    *("dal_audit.discover.cache_folder", "dal_audit.discover.stamps"),
    *("dal_audit.extract.cache_form", "gc"),
}
"""All that is loaded where what was printed is printed again."""

if sys.version_info < (3, 12):
    REPRINTING |= {"hashlib", "_hashlib", "_blake2"}

WATCHED = """\
import sys
opened = []
sys.addaudithook(lambda event, given: event == "open" and opened.append(str(given[0])))
from dal_audit.commands.main import main
try:
    main()
finally:
    print(*opened, sep="\\n", file=sys.stderr)
"""

NEVER = {"libcst", "sqlglot", "yaml", "jsonschema", "rich", "difflib", "dal_audit.schema"}

OPTIONS = {"click", "gettext", "dal_audit.commands.parser", "dal_audit.commands.options"}
"""What reads options."""

FINDINGS = {"dal_audit.report.diagnostic", "dal_audit.report.snippet", "json", "traceback"}
"""What draws findings, and what tells of failures."""

CONFIGURING = {"tomli", "dal_audit.policy.positions"}
"""What reads configurations."""

RARE = {
    *("dataclasses", "pickle", "shutil", "signal", "subprocess", "tempfile"),
    *(
        "dal_audit.migrations.listing",
        "dal_audit.migrations.names",
        "dal_audit.discover.git_history",
    ),
}
"""What only a project with a repository, with migrations, or with work for two processes needs."""

LOOKING = {
    *("ast", "inspect", "ahocorasick_rs", "dal_audit.extract.python.prefilter.driver_marks"),
    *(
        "dal_audit.extract.python.prefilter.import_marks",
        "dal_audit.extract.source",
        "dal_audit.extract.python.parse.parser",
    ),
}
"""What reads files that no cache knows."""


def modules(folder: Path, *arguments: str) -> set[str]:
    """Return the modules that a run of the command line loads."""
    return imported(folder, "-m", "dal_audit", *arguments)


def imported(folder: Path, *arguments: str) -> set[str]:
    """Return the modules that a run of Python loads, as it tells itself."""
    answer = subprocess.run(
        [sys.executable, "-X", "importtime", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    lines = [line for line in answer.stderr.splitlines() if line.startswith("import time:")]
    return {line.rpartition("|")[2].strip() for line in lines}


def opened(folder: Path, *arguments: str) -> str:
    """Return the files of a folder that a run opens, a line each."""
    answer = subprocess.run(
        [sys.executable, "-c", WATCHED, *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    start = f"{folder}/"
    lines = answer.stderr.splitlines()
    return "\n".join(line.removeprefix(start) for line in lines if line.startswith(start))


def test_a_hook_on_clean_files_loads_no_parser_and_nothing_of_sql(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        (tmp_path / f"{name}.py").write_text(PLAIN)
    loaded = modules(tmp_path, "a.py", "b.py", "c.py")
    assert "dal_audit.audit" in loaded
    assert not loaded & (NEVER | OPTIONS | CONFIGURING)
    assert not {name for name in loaded if name.startswith("dal_audit.extract.sql.")}
    time.sleep(SETTLED_NS / 1e9 + 0.1)  # What changed just before an audit is not kept.
    modules(tmp_path, "a.py", "b.py", "c.py")
    time.sleep(SETTLED_NS / 1e9 + 0.1)  # The folder of the cache is new.
    modules(tmp_path, "a.py", "b.py", "c.py")
    again = modules(tmp_path, "a.py", "b.py", "c.py")
    assert "dal_audit.discover.stamps" in again
    assert not again & {"dal_audit.audit", "msgspec", "pathlib", "re"}
    bare = imported(tmp_path, "-m", "keyword") | {"dal_audit.__main__"}
    assert again - bare <= REPRINTING
    assert re.fullmatch(rf"{CACHE}/\w+\.report", opened(tmp_path, "a.py", "b.py", "c.py"))
    (tmp_path / "note.txt").write_text("")  # Not even what stands beside it may be new.
    loaded = modules(tmp_path, "a.py", "b.py", "c.py")
    # What msgspec brings along depends on the Python, and on whether `typing_extensions` is there.
    by_others = imported(tmp_path, "-c", "import msgspec")
    # On a slow machine the file is old enough by now for the report to be kept, heeding signals.
    loaded -= by_others | {"signal"}
    assert not loaded & (NEVER | OPTIONS | FINDINGS | CONFIGURING | RARE | LOOKING)
    assert not modules(tmp_path, "-q", ".") & OPTIONS
    assert modules(tmp_path, "--statistics", ".") >= OPTIONS


def test_a_warm_audit_loads_no_reader_of_python(tmp_path: Path) -> None:
    tree(tmp_path, 20)
    arguments = ("--cache-dir", str(tmp_path / "kept"), ".")
    assert "dal_audit.extract.python.module_facts" in modules(tmp_path, *arguments)
    time.sleep(SETTLED_NS / 1e9 + 0.1)  # What changed just before an audit is not kept.
    modules(tmp_path, *arguments)
    loaded = modules(tmp_path, *arguments)
    assert not loaded & {
        "dal_audit.extract.python.module_facts",
        "dal_audit.extract.python.parse.libcst_to_ast",
        "libcst",
        "sqlglot",
    }


def test_help_and_version_load_next_to_nothing(tmp_path: Path) -> None:
    for argument in ("--version", "--help"):
        loaded = modules(tmp_path, argument)
        assert not loaded & {
            "dal_audit.audit",
            "dal_audit.assemble.project",
            "msgspec",
            "tomli",
            *NEVER,
        }


def test_the_names_that_are_watched_exist() -> None:
    """A module that was renamed would never be loaded, whatever a run pays for."""
    for name in (NEVER | OPTIONS | FINDINGS | CONFIGURING | RARE | LOOKING) - {"yaml", "rich"}:
        importlib.import_module(name)
