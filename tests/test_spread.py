"""Work that is spread over processes: who does it, what comes back, and what a failure says.

A test process may have threads, with which nothing is forked: so all of it runs in its own process.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any, Final

import pytest

from tests.examples import CHECKOUT

RUN: Final = """\
import importlib, json, os, sys
from dal_audit.extract import parallel
from dal_audit.facts import SourceFile

files = [SourceFile(f"f{number}", "", 1 + number) for number in range(40)]
said = {}

def spread(batch, **further):
    return parallel.spread(batch, files, jobs=3, worth=1, **further)

def pids(part):
    return (os.getpid() for _ in part)

def sizes(part):
    return [file.size for file in part]

def failing(part):
    for file in part:
        if file.size == 7:
            raise ValueError("seven")
        yield file.size

def dying(part):
    for file in part:
        if file.size == 9:
            os._exit(3)
        yield "x" * 100_000

def loading(part):
    import colorsys
    return sizes(part)

def error_of(batch):
    try:
        spread(batch, apart=lambda: None)
    except parallel.WorkerError as error:
        return str(error)

said["few"] = os.getpid() in spread(pids, apart=lambda: None)
parallel.APART_BYTES = 1
said["shared"] = os.getpid() in spread(pids)
called = []
apart = spread(pids, apart=lambda: called.append(1))
said["apart"] = os.getpid() in apart, len(set(apart)), len(called)
said["order"] = spread(sizes, apart=lambda: None) == sizes(files) == spread(sizes)
said["large"] = spread(lambda part: ["y" * 300_000] * len(part), apart=lambda: None) == ["y" * 300_000] * 40
said["surrogates"] = spread(lambda part: ["\\ud800"] * len(part), apart=lambda: None) == ["\\ud800"] * 40
said["taken"] = spread(sizes, apart=lambda: None, taken=lambda size: -size) == [-1 - n for n in range(40)]
said["failing"] = error_of(failing)
said["dying"] = error_of(dying)
said["before"] = "colorsys" in sys.modules
spread(loading, apart=lambda: None)
spread(sizes, apart=lambda: None)
said["after"] = "colorsys" in sys.modules

def few_forks():
    forks.append(1)
    if len(forks) == 3:
        raise BlockingIOError("no more processes")
    return fork()

fork, forks, os.fork = os.fork, [], few_forks
try:
    spread(sizes, apart=lambda: None)
except BlockingIOError:
    said["left"] = True
    try:
        os.waitpid(-1, os.WNOHANG)
    except ChildProcessError:
        said["left"] = False
print(json.dumps(said))
"""

pytestmark = pytest.mark.skipif(
    not hasattr(os, "fork") or sys.platform == "darwin", reason="nothing is forked there"
)


@pytest.fixture(scope="module")
def said() -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-c", RUN], cwd=CHECKOUT, capture_output=True, text=True, check=True
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_much_work_is_done_apart_where_that_is_asked_for(said: dict[str, Any]) -> None:
    """What syntax trees leave in memory is gone with the processes that made them."""
    assert said["few"] is True
    assert said["shared"] is True
    is_own, processes, loaded = said["apart"]
    assert (is_own, processes, loaded) == (False, 3, 1)


@pytest.mark.parametrize("what", ["order", "large", "surrogates", "taken"])
def test_results_come_back_whole_and_in_order(what: str, said: dict[str, Any]) -> None:
    assert said[what] is True


def test_a_failure_is_told(said: dict[str, Any]) -> None:
    assert said["failing"] == "ValueError: seven"
    assert said["dying"] == "a worker process ended with status 768"


def test_where_no_process_can_be_had_none_is_left(said: dict[str, Any]) -> None:
    assert said["left"] is False


def test_what_a_process_had_to_load_is_there_for_the_next(said: dict[str, Any]) -> None:
    assert (said["before"], said["after"]) == (False, True)
