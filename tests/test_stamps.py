"""Stamps of places: what is looked at by two processes or already, and what is seen to differ."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from dal_audit.discover.stamps import Looked, are_as_before, changes, latest, stamps

NAMES = [f"{number}.py" for number in range(1000)]

BY_TWO = """
import os, sys
from dal_audit.discover import stamps
forked = []
real = os.fork
os.fork = lambda: forked.append(real()) or forked[-1]
stamps._WORTH_A_PROCESS = 2
stamps._may_fork = lambda: True
names = sys.stdin.read().split()
root = os.open(".", os.O_RDONLY)
kept = stamps.stamps(names, root)
looked = stamps.Looked(".")
print(stamps.are_as_before(names, kept, root, looked), len(forked), len(looked.stamps) // 32)
def refused():
    raise BlockingIOError
os.fork, forking = refused, os.fork
opened = len(os.listdir("/proc/self/fd"))
print(stamps.are_as_before(names, kept, root, stamps.Looked()))
print(len(os.listdir("/proc/self/fd")) - opened)
os.fork = forking
for name in (names[0], names[-1]):
    os.truncate(name, 3)
    print(stamps.are_as_before(names, kept, root, stamps.Looked()))
    os.truncate(name, 0)
    kept = stamps.stamps(names, root)
"""


@pytest.fixture
def root(tmp_path: Path) -> Iterator[int]:
    for name in NAMES:
        (tmp_path / name).touch()
    descriptor = os.open(tmp_path, os.O_RDONLY)
    yield descriptor
    os.close(descriptor)


@pytest.fixture
def count(monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """Return what tells how many places were looked at since it was asked last."""
    seen: list[object] = []
    real = os.stat

    def stat(place: str, **options: Any) -> os.stat_result:
        seen.append(place)
        return real(place, **options)

    monkeypatch.setattr(os, "stat", stat)

    def counted() -> int:
        number = len(seen)
        seen.clear()
        return number

    return counted


def test_what_was_looked_at_is_not_looked_at_again(
    root: int, tmp_path: Path, count: Callable[[], int]
) -> None:
    kept = stamps(NAMES, root)
    (tmp_path / NAMES[700]).write_text("x")
    count()
    looked = Looked(str(tmp_path))
    assert not are_as_before([*NAMES, "more"], kept + kept[:32], root, looked)
    assert count() == 1001
    assert changes(NAMES, kept, root, 5, looked) == [700]
    others = [*NAMES[:900], "other"]
    assert changes(others, kept[: 32 * 900] + kept[-32:], root, 5, looked) == [700, 900]
    assert count() == 133  # The other place, and those that are compared at once with it.
    assert changes(NAMES, kept, root, 5, Looked()) == [700]
    assert count() == 1000


def test_where_nothing_changed_nothing_is_looked_at_twice(
    root: int, count: Callable[[], int]
) -> None:
    kept = stamps(NAMES, root)
    count()
    assert changes(NAMES, kept, root, 5, Looked()) == []
    assert count() == 1000


def test_other_places_are_looked_at(root: int, count: Callable[[], int]) -> None:
    kept = stamps(NAMES, root)
    looked = Looked()
    assert are_as_before(NAMES, kept, root, looked)
    count()
    others = NAMES[::-1]
    assert changes(others, stamps(others, root), root, 5, looked) == []
    assert count() == 2000
    assert changes(NAMES, kept[:-32], root, 5, looked) is None
    assert not are_as_before(NAMES, kept[:-32], root, Looked())


def test_the_latest_time_is_of_content_or_entry(root: int, tmp_path: Path) -> None:
    os.utime(tmp_path / NAMES[0], ns=(0, 10**19 // 2))
    assert latest(stamps(NAMES, root)) == 10**19 // 2
    assert latest(stamps(["not there"], root)) == 0
    assert latest(b"") == 0


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are forked")
def test_two_processes_see_what_one_sees(tmp_path: Path) -> None:
    for name in NAMES[:10]:
        (tmp_path / name).touch()
    answer = subprocess.run(
        [sys.executable, "-c", BY_TWO],
        cwd=tmp_path,
        input="\n".join(NAMES[:10]),
        capture_output=True,
        text=True,
        check=True,
    )
    same, forks, looked, alone, left_open, *changed = answer.stdout.split()
    assert (same, forks, looked) == ("True", "1", "10")
    # Where the system has no process to give, one looks at all, and leaves nothing open.
    assert (alone, left_open) == ("True", "0")
    assert changed == ["False", "False"]
