"""Runs that are killed, run side by side or meet a full disk: the cache is whole, or as none.

Each run is a process of its own that takes the time for an hour later, so that the files which were
written just now are kept.
"""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

import pytest

import dal_audit.extract.cache as cache_module
from dal_audit.audit import audit
from dal_audit.policy.request import Request
from tests.examples import CHECKOUT, TODAY
from tests.sampling import in_turn

LATER_NS: Final = 3600 * 1_000_000_000

RUN: Final = """\
import sys, time
import dal_audit.extract.cache as cache
now = time.time_ns
cache.now_ns = lambda: now() + 3600 * 10**9
{before}
from dal_audit.__main__ import main
sys.argv = ["dal-audit", "check", "--format", "json", *sys.argv[1:]]
main()
"""
LIMITED: Final = """\
import resource, signal
resource.setrlimit(resource.RLIMIT_FSIZE, ({size}, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
signal.signal(signal.SIGXFSZ, signal.{action})
sys.dont_write_bytecode = True  # Python takes half of a file for a whole one.
"""
KILLED_BEFORE_REPLACING: Final = """\
import os, pathlib, signal
pathlib.Path.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
"""

posix = pytest.mark.skipif(sys.platform == "win32", reason="limits and signals of POSIX")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a copy of a project."""
    root = tmp_path / "project"
    ignored = shutil.ignore_patterns(".dal_audit_cache")
    shutil.copytree(CHECKOUT / "fixtures" / "leaks", root, ignore=ignored)
    return root


def started(root: Path, *arguments: str, before: str = "") -> subprocess.Popen[bytes]:
    """Begin a run, with something done before it."""
    code = RUN.format(before=before)
    command = [sys.executable, "-c", code, *arguments, "."]
    return subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def run(root: Path, *arguments: str, before: str = "") -> tuple[int, bytes]:
    """Return how a run ends and what it prints; it says nothing on standard error."""
    process = started(root, *arguments, before=before)
    out, err = process.communicate()
    assert err == b""
    return process.returncode, out


def kept(root: Path) -> Path:
    """Return the place of a project's cache."""
    return root / ".dal_audit_cache" / "facts"


def left(root: Path) -> list[Path]:
    """Return what is half written."""
    return list(kept(root).parent.glob("*.tmp"))


@posix
@pytest.mark.parametrize("size", [0, 10, 1000])
def test_a_full_disk_is_as_no_cache(size: int, root: Path) -> None:
    cold = run(root, "--no-cache")
    limit = LIMITED.format(size=size, action="SIG_IGN")
    assert run(root, before=limit) == cold
    assert not kept(root).exists()
    assert left(root) == []
    assert run(root) == cold
    assert kept(root).stat().st_size > 1000  # So that the limit did stop something.


@posix
def test_on_a_full_disk_an_older_cache_stays(root: Path) -> None:
    run(root)
    older = kept(root).read_bytes()
    (root / "ledger" / "new.py").write_text("import sqlite3\n")
    cold = run(root, "--no-cache")
    assert run(root, before=LIMITED.format(size=1000, action="SIG_IGN")) == cold
    assert kept(root).read_bytes() == older
    assert run(root) == cold
    assert kept(root).read_bytes() != older


KILLED = (
    (KILLED_BEFORE_REPLACING, signal.SIGKILL),
    # The system ends the process in the middle of a write, after so many bytes.
    (LIMITED.format(size=1000, action="SIG_DFL"), getattr(signal, "SIGXFSZ", 0)),
)
"""What kills a run while it saves, and by which signal."""


@posix
@pytest.mark.parametrize(("killed", "older"), in_turn(KILLED, (True, False)))
def test_a_run_killed_while_it_saves_changes_nothing(
    killed: tuple[str, int], older: bool, root: Path
) -> None:
    before, number = killed
    if older:
        run(root)
    (root / "ledger" / "new.py").write_text("import sqlite3\n")
    cold = run(root, "--no-cache")
    process = started(root, before=before)
    process.communicate()
    assert process.returncode == -number
    assert len(left(root)) == 1
    assert kept(root).exists() == older
    assert run(root) == cold
    assert run(root) == cold


def test_runs_side_by_side_leave_one_whole_cache(root: Path) -> None:
    cold = run(root, "--no-cache")
    for text in ("import redis\n", ""):
        for _ in range(2):  # With nothing kept of the last edit, then with all of it.
            begun = [started(root) for _ in range(3)]
            ends = [(*process.communicate(), process.returncode) for process in begun]
            assert {(code, out) for out, _, code in ends} == {cold}
            assert {err for _, err, _ in ends} == {b""}
            assert left(root) == []
        whole = kept(root).read_bytes()
        assert run(root) == cold
        assert kept(root).read_bytes() == whole  # All was known.
        (root / "ledger" / "main.py").write_text(text)
        cold = run(root, "--no-cache")


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> None:
    """Audit an hour later in this process."""
    now = time.time_ns
    monkeypatch.setattr(cache_module, "now_ns", lambda: now() + LATER_NS)


@pytest.mark.usefixtures("later")
def test_a_cache_does_not_grow_with_the_number_of_edits(root: Path) -> None:
    request = Request(folder=root, today=TODAY, cache=True, jobs=1)
    audit(request)
    sizes = []
    for number in range(100, 120):
        (root / "tools" / "pool.py").write_text(f"import sqlite3\n\nnumber = {number}\n")
        (root / "tools" / f"one_{number - 1}.py").unlink(missing_ok=True)
        (root / "tools" / f"one_{number}.py").write_text(f"import redis\n\nnumber = {number}\n")
        audit(request)
        sizes.append(kept(root).stat().st_size)
    assert max(sizes) - min(sizes) < 100


@pytest.mark.usefixtures("later")
def test_a_cache_of_more_than_a_limit_is_not_written(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = Request(folder=root, today=TODAY, cache=True, jobs=1)
    monkeypatch.setattr(cache_module, "MAX_BYTES", 1000)
    audit(request)
    assert not kept(root).exists()


def test_the_limit_is_one_that_a_disk_has_room_for() -> None:
    assert cache_module.MAX_BYTES <= 1 << 30
