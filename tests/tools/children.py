"""Runs of the command line in processes of their own: what they say, and what they take."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from msgspec import Struct

CHECKOUT: Final = str(Path(__file__).parents[2])
_RUN: Final = "from dal_audit.commands.main import main\nmain()"


class Ended(Struct, frozen=True):
    """How a run ended: its exit code (below zero by a signal), what it said, its time and memory.

    `seconds` are of the clock on the wall; `peak` is the most memory, in MiB.
    """

    code: int
    out: bytes
    err: bytes
    seconds: float
    peak: int
    is_hung: bool = False

    @property
    def is_crash(self) -> bool:
        """Whether it ended in a way that no input may bring about."""
        return self.code not in {0, 1, 2} or b"Traceback" in self.err


def audited(
    folder: Path,
    *words: str,
    python: str = sys.executable,
    code: str = "",
    environment: Mapping[str, str] | None = None,
    most: float = 600,
    checkout: str = CHECKOUT,
) -> Ended:
    """Run a checkout's dal-audit in a folder; `code` is run before it; after `most` seconds it ends."""
    # A tree may hold modules that are called as Python's own, some of which `-c` itself loads.
    begin = f"import sys\nsys.path[:] = [{checkout!r}, *filter(None, sys.path)]\n{code}\n{_RUN}"
    command = [python, "-c", begin, *words]
    return ended(command, folder, {"PYTHONSAFEPATH": "1", **(environment or {})}, most)


def ended(
    command: Sequence[str], folder: Path, environment: Mapping[str, str], most: float
) -> Ended:
    """Run a command, and wait for it."""
    began = time.monotonic()
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            start_new_session=True,
        )
        hung = threading.Event()
        timer = threading.Timer(most, _end, (process.pid, hung))
        timer.start()
        _, status, usage = os.wait4(process.pid, 0)
        timer.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        seconds = time.monotonic() - began
        peak = usage.ru_maxrss // 1024
        return Ended(process.returncode, out.read(), err.read(), seconds, peak, hung.is_set())


def _end(process: int, hung: threading.Event) -> None:
    hung.set()
    os.killpg(process, signal.SIGKILL)
