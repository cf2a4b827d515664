"""The line that tells of a long run: on a terminal, after a while, and gone in the end."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from dal_audit.audit import audit
from dal_audit.commands.progress import WIDTH, Progress
from dal_audit.policy.request import STAGES, Request

LONG_RUN = """
import os, sys, time
import dal_audit.commands.progress as progress
progress.AFTER, progress.EVERY = 0.05, 0.02
with progress.shown(progress.Progress(4), quiet="quiet" in sys.argv) as told:
    told(2, "reading 7 files")
    child = os.fork()
    time.sleep(0.4)
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
time.sleep(0.1)
sys.stderr.write("the end")
"""
CLEAR = b"\r\x1b[K"

on_posix = pytest.mark.skipif(os.name != "posix", reason="there is no SIGALRM elsewhere")


def stderr_of(*words: str, term: str = "xterm") -> bytes:
    """Return what a long run writes on a terminal."""
    terminal, theirs = os.openpty()
    run = subprocess.Popen(
        [sys.executable, "-c", LONG_RUN, *words], stderr=theirs, env={**os.environ, "TERM": term}
    )
    os.close(theirs)
    written = b""
    while True:
        try:
            data = os.read(terminal, 4096)
        except OSError:  # Linux says so when the last writer is gone.
            break
        if not data:
            break
        written += data
    os.close(terminal)
    assert run.wait() == 0
    return written


@on_posix
def test_a_long_run_draws_and_wipes_out() -> None:
    first, *drawn, last = stderr_of().split(CLEAR)
    assert (first, last) == (b"", b"the end")
    assert drawn.pop() != b""
    assert len(drawn) > 3
    assert all(one.endswith(b"] reading 7 files, 0 s") for one in drawn)
    # Two processes that draw would not leave one line a time.
    assert len(drawn) < 40


@on_posix
@pytest.mark.parametrize(("words", "term"), [(("quiet",), "xterm"), ((), "dumb")])
def test_nothing_is_drawn_where_nobody_wants_it(words: tuple[str, ...], term: str) -> None:
    assert stderr_of(*words, term=term) == b"the end"


@on_posix
def test_nothing_is_drawn_elsewhere_than_on_a_terminal() -> None:
    run = subprocess.run([sys.executable, "-c", LONG_RUN], capture_output=True, check=True)
    assert run.stderr == b"the end"


def test_the_bar_counts_stages() -> None:
    progress = Progress(4, started=100.0)
    progress(1, "looking")
    assert progress.line(100.0) == f"[>{' ' * (WIDTH - 1)}] looking, 0 s"
    progress(3, "following")
    assert progress.line(107.32) == f"[{'=' * 10}   >      ] following, 7 s"
    progress(2, "reading")
    assert progress.line(200.0).startswith("[=====")
    assert len(progress.line(200.0)) == len("[] reading, 100 s") + WIDTH


def test_an_audit_tells_of_its_stages(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("import json\n", encoding="utf-8")
    told: list[tuple[int, str]] = []
    audit(Request(folder=tmp_path, watch=lambda stage, doing: told.append((stage, doing))))
    assert [stage for stage, _ in told] == list(range(1, STAGES + 1))
    assert told[1] == (2, "reading 1 file")


def test_the_bar_counts_files() -> None:
    progress = Progress(4, started=0)
    progress(2, "reading 8 files")
    progress.count(4, 8)
    assert progress.line(0.0) == f"[{'=' * 10}>{' ' * 9}] reading files: 4 of 8, 0 s"
    progress(3, "following names through files")
    assert "following names" in progress.line(0.0)


def test_an_audit_tells_how_many_files_are_read(tmp_path: Path) -> None:
    for number in range(3):
        (tmp_path / f"m{number}.py").write_text("import sqlite3\n")
    told: list[tuple[int, int]] = []
    audit(Request(folder=tmp_path, count=lambda read, of: told.append((read, of))))
    assert told[:3] == [(0, 3), (1, 3), (2, 3)]
