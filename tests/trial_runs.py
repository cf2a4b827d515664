"""Downs are tried in this process, on SQLite alone: there is no PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest

from dal_audit.replay import run as replay_run
from dal_audit.replay.database import EngineError
from dal_audit.replay.down_trials import try_downs
from dal_audit.replay.model import Job, Outcome
from dal_audit.replay.sqlite import Sqlite


def run_in_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run SQLite in this process; PostgreSQL is not there."""

    def run_job(job: Job, _heard: Callable[[int, int], None]) -> Outcome:
        with closing(Sqlite(job.seconds)) as database:
            return try_downs(database, job.steps, lambda _done: None)

    def absent(_url: str) -> Any:
        raise EngineError("there is no PostgreSQL")

    monkeypatch.setattr(replay_run, "run_job", run_job)
    monkeypatch.setattr(replay_run, "_postgres", absent)
