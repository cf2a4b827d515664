"""The processes of a replay, seen from the one that starts them."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import msgspec

from dal_audit.replay.child_process import ChildProcess
from dal_audit.replay.database import AbsentSetError, EngineError
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
    Raises AbsentSetError for a set in Python that the project does not run.
    """
    with _child("dal_audit.replay.worker") as child:
        child.send(msgspec.json.encode(job))
        while True:
            line = child.next(job.seconds + GRACE)
            if line is None:
                raise EngineError(f"{job.engine} does not answer; it was stopped")
            event = _event(line)
            if event.error:
                raise (AbsentSetError if event.is_absent else EngineError)(event.error)
            if event.outcome is not None:
                return event.outcome
            heard(event.done, event.total)


def _event(line: bytes) -> Event:
    if not line:
        return Event(error="the process that runs the migrations ended without a word")
    return msgspec.json.decode(line, type=Event)


class Postgres:
    """A PostgreSQL at hand, kept by a process that clears up after it."""

    def __init__(self, keeper: ChildProcess) -> None:
        """Take the keeper's process."""
        self._keeper = keeper

    def scratch(self) -> str:
        """Return what to connect to for an empty database; the one before it is dropped.

        Raises EngineError where none can be had.
        """
        with contextlib.suppress(BrokenPipeError):  # It may have said why it ended.
            self._keeper.send(b"new")
        line = self._keeper.next(START)
        answer: dict[str, str] = json.loads(line) if line else {}
        if "address" not in answer:
            raise EngineError(answer.get("error", "PostgreSQL does not start"))
        return answer["address"]


@contextlib.contextmanager
def postgres(url: str) -> Iterator[Postgres]:
    """Keep a PostgreSQL at hand: the one at a URL, or, where that is empty, one of our own."""
    with _child("dal_audit.replay.server_process", alone=True) as keeper:
        keeper.send(url.encode())
        try:
            yield Postgres(keeper)
        finally:
            keeper.let_go()
            keeper.wait()


@contextlib.contextmanager
def _child(module: str, *, alone: bool = False) -> Iterator[ChildProcess]:
    """Start a module of ours; at the end, let it go."""
    child = ChildProcess(
        [sys.executable, "-I", "-c", _BEGIN, module, *_paths()],
        alone=alone,
    )
    with contextlib.closing(child):
        yield child


def _paths() -> list[str]:
    """Return where modules are looked for here, without the current folder."""
    own = str(Path(__file__).resolve().parents[2])
    return [own, *(path for path in sys.path if path not in {"", own, str(Path.cwd())})]
