"""A process that runs one set on one engine; it can be killed without harm.

Its job comes as one line of JSON through standard input, whose end is also the leash: when whoever
started it is gone, so is it. Events go out as lines of JSON.
"""

from __future__ import annotations

import os
import sys
import threading
from contextlib import closing
from typing import TYPE_CHECKING

import msgspec

from dal_audit.catalogue.engine_names import SQLITE
from dal_audit.replay.database import AbsentSetError, EngineError
from dal_audit.replay.down_trials import try_downs
from dal_audit.replay.model import Event, Job, Outcome
from dal_audit.replay.project_process import ProjectProcess
from dal_audit.replay.revision_runs import RevisionRuns
from dal_audit.replay.runs import Tick, rounds, run_set

if TYPE_CHECKING:
    from dal_audit.replay.postgresql import Postgresql
    from dal_audit.replay.sqlite import Sqlite


def main() -> None:
    """Run the job, and say what came of it."""
    job = msgspec.json.decode(sys.stdin.buffer.readline(), type=Job)
    threading.Thread(target=_leash, daemon=True).start()
    total = rounds(job.steps)
    try:
        outcome = _outcome(job, lambda done: _say(Event(done, total)))
    except (EngineError, AbsentSetError) as error:
        _say(Event(error=str(error), is_absent=isinstance(error, AbsentSetError)))
    except Exception as error:  # noqa: BLE001  # whatever fails, the other side is told
        _say(Event(error=f"the replay itself failed: {type(error).__name__}: {error}"))
    else:
        _say(Event(total, total, outcome))


def _outcome(job: Job, tick: Tick) -> Outcome:
    database = _database(job)
    if job.program is None:
        run = try_downs if job.tries_downs else run_set
        return run(database, job.steps, tick)
    with closing(ProjectProcess(job.program, job.engine, job.seconds)) as process:
        return RevisionRuns(database, process, job.steps, tick).outcome()


def _database(job: Job) -> Sqlite | Postgresql:
    if job.engine == SQLITE:
        from dal_audit.replay.sqlite import MEMORY, Sqlite

        return Sqlite(job.seconds, job.address or MEMORY)
    from dal_audit.replay.postgresql import Postgresql

    return Postgresql(job.address, job.seconds, is_shared=job.is_shared)


def _say(event: Event) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(event) + b"\n")
    sys.stdout.buffer.flush()


def _leash() -> None:
    """Wait until nobody holds the other end of the input, then end at once."""
    sys.stdin.buffer.read()
    os._exit(1)
