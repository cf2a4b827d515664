"""The processes of a replay, seen from the one that starts them.

Each holds the other end of a pipe that its child reads: when the parent ends, however it ends, the
child sees the end of its input, and goes. Nothing secret stands in arguments.
"""

from __future__ import annotations

import contextlib
import json
import queue
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Final

import msgspec

from dal_audit.replay.database import EngineError
from dal_audit.replay.model import Event, Job, Outcome

GRACE: Final = 20.0
"""Seconds that a worker has besides those that a statement may take, before it is killed."""

START: Final = 60.0
"""Seconds that a server may take to start or to make a database."""

_BEGIN: Final = """\
import sys
sys.path[:0] = sys.argv[2:]
from importlib import import_module
import_module(sys.argv[1]).main()
"""
"""Python is started so that the current folder, which is anybody's, is not searched for modules."""

Heard = Callable[[int, int], None]
"""What is told how many migrations have been run, and of how many."""


def run_job(job: Job, heard: Heard) -> Outcome:
    """Run a job in a process of its own.

    Raises EngineError where there is no outcome: the engine is gone, or it does not answer.
    """
    with _child("dal_audit.replay.worker") as (process, lines):
        _send(process, msgspec.json.encode(job))
        while True:
            line = _next(lines, job.seconds + GRACE)
            if line is None:
                raise EngineError(f"{job.engine} does not answer; it was stopped")
            event = _event(line)
            if event.error:
                raise EngineError(event.error)
            if event.outcome is not None:
                return event.outcome
            heard(event.done, event.total)


def _event(line: bytes) -> Event:
    if not line:
        return Event(error="the process that runs the migrations ended without a word")
    return msgspec.json.decode(line, type=Event)


class Postgres:
    """A PostgreSQL at hand, kept by a process that clears up after it."""

    def __init__(self, process: subprocess.Popen[bytes], lines: queue.SimpleQueue[bytes]) -> None:
        """Take the keeper's process and its answers."""
        self._process = process
        self._lines = lines

    def scratch(self) -> str:
        """Return what to connect to for an empty database; the one before it is dropped.

        Raises EngineError where none can be had.
        """
        with contextlib.suppress(BrokenPipeError):  # It may have said why it ended.
            _send(self._process, b"new")
        line = _next(self._lines, START)
        answer: dict[str, str] = json.loads(line) if line else {}
        if "address" not in answer:
            raise EngineError(answer.get("error", "PostgreSQL does not start"))
        return answer["address"]


@contextlib.contextmanager
def postgres(url: str) -> Iterator[Postgres]:
    """Keep a PostgreSQL at hand: the one at a URL, or, where that is empty, one of our own."""
    with _child("dal_audit.replay.server_process", alone=True) as (process, lines):
        _send(process, url.encode())
        try:
            yield Postgres(process, lines)
        finally:
            _close(process)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(START)


@contextlib.contextmanager
def _child(
    module: str, *, alone: bool = False
) -> Iterator[tuple[subprocess.Popen[bytes], queue.SimpleQueue[bytes]]]:
    """Start a module; at the end, let it go, and kill it if it stays.

    `alone` keeps a terminal's Ctrl-C from a child that has to clear up.
    """
    process = subprocess.Popen(
        [sys.executable, "-I", "-c", _BEGIN, module, *_paths()],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=alone,
    )
    lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    out = process.stdout
    if out is None:
        raise EngineError("a process without output")
    listener = threading.Thread(target=_listen, args=(out, lines), daemon=True)
    listener.start()
    try:
        yield process, lines
    finally:
        _close(process)
        if process.poll() is None:
            if not alone:
                process.kill()
            process.wait(START)
        listener.join(GRACE)


def _paths() -> list[str]:
    """Return where modules are looked for here, without the current folder."""
    own = str(Path(__file__).resolve().parents[2])
    return [own, *(path for path in sys.path if path not in {"", own, str(Path.cwd())})]


def _listen(out: IO[bytes], lines: queue.SimpleQueue[bytes]) -> None:
    with out:
        for line in out:
            lines.put(line)
    lines.put(b"")


def _next(lines: queue.SimpleQueue[bytes], seconds: float) -> bytes | None:
    """Return the next line, empty at the end of all; None where none comes in time."""
    try:
        return lines.get(timeout=seconds)
    except queue.Empty:
        return None


def _send(process: subprocess.Popen[bytes], line: bytes) -> None:
    if process.stdin is not None:
        process.stdin.write(line + b"\n")
        process.stdin.flush()


def _close(process: subprocess.Popen[bytes]) -> None:
    if process.stdin is not None:
        with contextlib.suppress(BrokenPipeError):
            process.stdin.close()
