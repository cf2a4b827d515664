"""Projects whose downs are tried in this process, on SQLite alone: there is no PostgreSQL."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
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


def put(root: Path, path: str, text: str) -> Path:
    """Write a file of a project, whatever the newlines, and return it."""
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(text.encode())
    return file


def begin(root: Path, configuration: str) -> None:
    """Begin a repository without a commit: nothing in it was released."""
    subprocess.run(["git", "init", "-q"], cwd=root, check=True)
    put(root, "dal-audit.toml", configuration)
