"""Tests that are ended leave no server, and nothing of it on the disk."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil  # type: ignore[import-untyped]  # comes with the embedded server
import psycopg
import pytest

from tests.examples import CHECKOUT
from tests.processes import wait_until
from tests.sampling import EVERYTHING

CONFTEST = "from tests.conftest import server\n\n__all__ = ['server']\n"
ENDLESS = """\
import os, pathlib, time

def test_endless(server):
    written = pathlib.Path("written")
    written.write_text(f"{os.getpid()} {server}")
    written.rename("said")
    while True:
        time.sleep(1)
"""


def started(folder: Path, *words: str) -> subprocess.Popen[bytes]:
    """Start pytest on a test that has asked for the server, and does not end."""
    (folder / "conftest.py").write_text(CONFTEST)
    (folder / "test_endless.py").write_text(ENDLESS)
    process = subprocess.Popen(
        [sys.executable, "-m", "pytest", "-q", "--basetemp", "kept", *words, "."],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    wait_until(lambda: (folder / "said").exists() or process.poll() is not None)
    return process


@pytest.mark.parametrize(
    ("words", "victim", "number"),
    [
        ([], "pytest", signal.SIGINT),
        (["-n", "1"], "pytest", signal.SIGKILL),
        ([], "pytest", signal.SIGTERM),
        (["-n", "1"], "worker", signal.SIGKILL),
    ][: 4 if EVERYTHING else 1],
)
def test_tests_that_are_ended_leave_no_server(
    words: list[str], victim: str, number: signal.Signals, tmp_path: Path
) -> None:
    process = started(tmp_path, *words, *(["--max-worker-restart", "0"] if words else []))
    worker, url = (tmp_path / "said").read_text().split()
    host = psycopg.conninfo.conninfo_to_dict(url)["host"]
    (folder,) = (one for one in Path(str(host)).parents if one.name.startswith("dal-audit-replay-"))
    server = psutil.Process(int((folder / "data" / "postmaster.pid").read_text().split()[0]))
    assert server.is_running()
    os.kill(int(worker) if victim == "worker" else process.pid, number)
    assert process.wait() != 0
    wait_until(lambda: not folder.exists())
    wait_until(lambda: not server.is_running())
    wait_until(lambda: not psutil.pid_exists(int(worker)))
