"""Results do not depend on the number of processes, also where each stage does fork.

The fixtures are too small to be worth a process, and a test process may have threads, with which
nothing is forked: so each audit is a process of its own, in which every byte is worth a process.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from tests.examples import CHECKOUT
from tests.sampling import EVERYTHING

FIXTURES: Final = sorted(path for path in (CHECKOUT / "fixtures").glob("*") if path.is_dir())

RUN: Final = """\
import datetime, os, sys
from pathlib import Path
from dal_audit.extract import extractor as extract
from dal_audit.audit import Request, audit
from dal_audit.extract import parallel, second_look as inspection, sql_scripts
from dal_audit.report.render import render

for module in (extract, inspection, sql_scripts):
    for name in list(vars(module)):
        if name.endswith("WORTH_A_PROCESS"):
            setattr(module, name, 1)
if sys.argv[2] == "large project":
    extract.THOROUGH_BYTES = -1
    parallel.APART_BYTES = 1
fork, forks = os.fork, 0
def counted():
    global forks
    forks += 1
    return fork()
os.fork = counted
for jobs in (1, 2, 4):
    forks = 0
    today = datetime.date(2026, 1, 1)
    report = audit(Request(folder=Path(sys.argv[1]), jobs=jobs, today=today, select=("DAL",)))
    said = [render(report, form) for form in ("json", "sarif", "text")]
    print(forks, hash(tuple(said)), hash(report.assumptions))
"""


pytestmark = pytest.mark.skipif(
    not hasattr(os, "fork") or sys.platform == "darwin", reason="nothing is forked there"
)


def forks_and_hashes(folder: Path, size: str) -> list[list[str]]:
    """Return how often one, two and four jobs fork, and hashes of what they say."""
    done = subprocess.run(
        [sys.executable, "-c", RUN, str(folder), size],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [line.split() for line in done.stdout.splitlines()]


SIZED = [(folder, size) for folder in FIXTURES for size in ("small project", "large project")]
"""By day every third, so that both sizes are among them."""


@pytest.mark.parametrize(
    ("folder", "size"),
    SIZED if EVERYTHING else SIZED[::3],
    ids=lambda value: getattr(value, "name", value),
)
def test_a_fixture_is_judged_alike_by_any_number_of_processes(
    folder: Path, size: str, tmp_path: Path
) -> None:
    root = shutil.copytree(folder, tmp_path / folder.name)  # It is no part of this repository.
    one, two, four = forks_and_hashes(root, size)
    assert one[1:] == two[1:] == four[1:]
    files = sum(path.suffix in {".py", ".sql"} for path in folder.rglob("*.*"))
    assert int(one[0]) == 0
    assert int(two[0]) > 0
    assert int(four[0]) > int(two[0]) or files < 3


def test_lone_surrogates_travel_between_processes(tmp_path: Path) -> None:
    """An escape in a string can make what no encoding holds."""
    text = "import sqlite3\n__all__ = ['\\ud801']\n"
    for number in range(4):
        (tmp_path / f"module_{number}.py").write_text(text)
    one, two, four = forks_and_hashes(tmp_path, "large project")
    assert one[1:] == two[1:] == four[1:]
    assert int(two[0]) > 0
