"""Pipes, devices and folders where files are looked for: nothing waits for them, and they are said."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import zlib
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest

from dal_audit.discover.cache_folder import CACHE
from dal_audit.extract import cache
from dal_audit.extract.cache_form import HEAD, MAGIC, SETTLED_NS
from tests.invocation import run
from tests.processes import HANGING
from tests.sampling import in_turn

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="pipes and devices of POSIX")

LEAK: Final = "import sqlite3\n"
SETS: Final = {
    "migrations/0001_init.up.sql": "CREATE TABLE IF NOT EXISTS t (a TEXT);\n",
    "migrations/0001_init.down.sql": "DROP TABLE IF EXISTS t;\n",
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    for path, text in {"app/a.py": LEAK, **SETS}.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    return root


def make(place: Path, kind: str) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    if kind == "pipe":
        os.mkfifo(place)
    elif kind == "folder":
        place.mkdir()
    else:
        place.symlink_to("/dev/zero" if kind == "zero" else "/dev/full")


def ended(root: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run in a process of its own, that is ended where it waits for ever."""
    command = [sys.executable, "-m", "dal_audit", *words]
    return subprocess.run(
        command, cwd=root, capture_output=True, text=True, check=False, timeout=HANGING
    )


READING = (
    ("odd.jsonl", ("check", "--baseline", "odd.jsonl")),
    ("odd.jsonl", ("baseline", "--baseline", "odd.jsonl")),
    (".dal-audit-baseline.jsonl", ("check",)),
    ("odd.toml", ("check", "--config", "odd.toml")),
    ("dal-audit.toml", ("config",)),
)
"""Files, and the commands that read them."""


@pytest.mark.parametrize(("reading", "kind"), in_turn(READING, ("pipe", "zero", "full", "folder")))
def test_what_is_no_file_is_refused(
    reading: tuple[str, tuple[str, ...]], kind: str, root: Path
) -> None:
    name, words = reading
    make(root / name, kind)
    answer = ended(root, *words)
    assert answer.returncode == 2, answer
    assert name in answer.stderr
    assert "Traceback" not in answer.stderr


SOURCES = ("app/b.py", "app/b.ipynb", "migrations/0002_a.up.sql")
READ = (*SOURCES, "app/script", "alembic.ini", "tox.ini", "pyproject.toml", f"{CACHE}/facts")


@pytest.mark.parametrize("kind", ["pipe", "zero", "folder"])
def test_what_is_no_file_keeps_nobody_waiting(kind: str, root: Path) -> None:
    for name in READ:
        make(root / name, kind)
    answer = ended(root, "check", "--format", "concise", ".")
    assert answer.returncode == 1, answer
    assert "app/a.py:1" in answer.stdout
    told = {name for name in READ if f"{name}:1:1: DAL901" in answer.stdout}
    assert told == (set() if kind == "folder" else set(SOURCES))


def test_a_workflow_that_is_no_file_is_said(root: Path) -> None:
    make(root / ".github/workflows/a.yml", "pipe")
    answer = ended(root, "check", "--format", "concise", ".")
    assert ".github/workflows/a.yml:1:1: DAL901" in answer.stdout


def test_a_replay_does_not_wait_for_a_pipe(root: Path) -> None:
    make(root / "migrations/0002_more.up.sql", "pipe")
    answer = ended(root, "replay", "--on", "sqlite")
    assert answer.returncode == 2
    assert "0002_more.up.sql" in answer.stderr


# Caches


def kept(root: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep facts of files that are as young as the test."""
    monkeypatch.setattr(cache, "now_ns", lambda: time.time_ns() + 10 * SETTLED_NS)
    run(root, "check")
    return root / CACHE / "facts"


def test_a_cache_of_three_gibibytes_is_as_none(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = kept(root, monkeypatch)
    first = run(root, "check", "--format", "concise")
    with file.open("r+b") as sparse:
        sparse.truncate(3 << 30)
    answer = run(root, "check", "--format", "concise")
    assert (answer.exit_code, answer.output) == (first.exit_code, first.output)


WRONG: Final[list[Any]] = [
    [],
    {},
    None,
    [b"", [], []],
    [b"", [[b"x" * 16, [], 5]], [["app/a.py", [1, 2, 3, 4], 0]]],
    [b"", [[b"x" * 16]], [["app/a.py", [1, 2, 3, 4], 99]]],
    [b"", [[b"x" * 16]], [["app/a.py", [1, 2, 3, 4], -1]]],
    [b"", [[b"x" * 16]], [[msgspec.Raw(b"\xa1\xff"), [1, 2, 3, 4], 0]]],
]


@pytest.mark.parametrize("content", WRONG)
def test_a_right_checksum_over_wrong_content_is_as_none(
    content: Any, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = kept(root, monkeypatch)
    first = run(root, "check", "--format", "json")
    head = file.read_bytes()[: HEAD - 4]
    assert head.startswith(MAGIC)
    payload = msgspec.msgpack.encode(content)
    file.write_bytes(head + zlib.crc32(payload).to_bytes(4, "big") + payload)
    answer = run(root, "check", "--format", "json")
    assert json.loads(answer.stdout) == json.loads(first.stdout)


def test_facts_of_the_wrong_form_are_computed_anew(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = kept(root, monkeypatch)
    first = run(root, "check", "--format", "json")
    data = file.read_bytes()
    words, contents, files = msgspec.msgpack.decode(data[HEAD:])
    spoiling: list[Any] = [7, [1], ["whole", None, [{"type": "Import"}]], [[], [], []], "text"]
    for wrong in spoiling:
        spoilt = [[content[0], *([wrong] * (len(content) - 1))] for content in contents]
        payload = msgspec.msgpack.encode([words, spoilt, files])
        file.write_bytes(data[: HEAD - 4] + zlib.crc32(payload).to_bytes(4, "big") + payload)
        assert run(root, "check", "--format", "json").stdout == first.stdout
