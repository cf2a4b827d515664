"""A file on standard input, and what `--verbose` tells."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from dal_audit.commands.timings import Timings
from dal_audit.report.render import Report

STORE = "import sqlite3\nconnection = sqlite3.connect('x')\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "app/storage").mkdir(parents=True)
    (tmp_path / "app/storage/__init__.py").write_text(STORE, encoding="utf-8")
    (tmp_path / "app/service.py").write_text("import json\n", encoding="utf-8")
    (tmp_path / "app/other.py").write_text("import sqlite3\n", encoding="utf-8")
    return tmp_path


def run(folder: Path, text: bytes, *words: str) -> subprocess.CompletedProcess[str]:
    answer = subprocess.run(
        [sys.executable, "-m", "dal_audit", *words],
        cwd=folder,
        input=text,
        capture_output=True,
        check=False,
    )
    return subprocess.CompletedProcess(
        words, answer.returncode, answer.stdout.decode(), answer.stderr.decode()
    )


def lines(answer: subprocess.CompletedProcess[str]) -> list[str]:
    return [line.partition(" `")[0] for line in answer.stdout.splitlines()[:-1]]


@pytest.mark.parametrize("name", ["app/service.py", "./app/service.py", "app/new.py"])
def test_the_text_stands_for_the_file(project: Path, name: str) -> None:
    text = b"\nfrom app.storage import connection\n"
    answer = run(project, text, "--format", "concise", "--stdin-filename", name, "-")
    assert lines(answer) == [f"{name.removeprefix('./')}:2:25: DAL103"]
    assert (answer.returncode, answer.stderr) == (1, "")


def test_the_text_is_shown_and_not_the_file(project: Path) -> None:
    answer = run(project, b"import psycopg  # unsaved\n", "--stdin-filename", "app/service.py", "-")
    assert "1 | import psycopg  # unsaved" in answer.stdout
    assert (project / "app/service.py").read_text("utf-8") == "import json\n"


def test_a_leak_through_the_text_is_followed_to_what_it_reaches(project: Path) -> None:
    (project / "app/user.py").write_text("from app.service import engine\n", encoding="utf-8")
    text = b"import json\n"
    words = ("--format", "json", "--stdin-filename")
    assert json.loads(run(project, text, *words, "app/user.py", "-").stdout)["findings"] == []
    text = b"from app.storage import connection\n"
    (found,) = json.loads(run(project, text, *words, "app/user.py", "-").stdout)["findings"]
    assert found["path"] == "app/user.py"


def test_the_file_on_the_disk_is_audited_again_afterwards(project: Path) -> None:
    run(project, b"import psycopg\n", "--stdin-filename", "app/service.py", "-")
    assert "app/service.py" not in run(project, b"", "--format", "concise").stdout


def test_an_excluded_file_stays_excluded(project: Path) -> None:
    (project / "dal-audit.toml").write_text('exclude = ["app/service.py"]\n', encoding="utf-8")
    words = ("--format", "concise", "--stdin-filename", "app/service.py", "-")
    assert lines(run(project, b"import psycopg\n", *words)) == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("-",), "`-` needs --stdin-filename"),
        (("--stdin-filename", "x.py"), "needs `-` as the one path"),
        (("--stdin-filename", "x.py", "-", "app"), "needs `-` as the one path"),
    ],
)
def test_wrong_usage_is_told(project: Path, words: tuple[str, ...], said: str) -> None:
    answer = run(project, b"", *words)
    assert (answer.returncode, answer.stdout) == (2, "")
    assert said in answer.stderr


def test_verbose_tells_times_on_standard_error(project: Path) -> None:
    plain, verbose = run(project, b""), run(project, b"", "--verbose")
    assert verbose.stdout == plain.stdout
    assert plain.stderr == ""
    assert [line.split()[0] for line in verbose.stderr.splitlines()] == [
        "looking",
        "reading",
        "following",
        "judging",
        "3",
    ]


def test_a_stage_takes_until_the_next_begins() -> None:
    ticks = iter([0.0, 0.5, 0.75, 1.75])
    told: list[tuple[int, str]] = []
    timings = Timings(lambda stage, doing: told.append((stage, doing)), lambda: next(ticks))
    for stage, doing in enumerate(["a", "long one", "c"]):
        timings(stage, doing)
    report = Report(findings=(), rules=(), clauses=(), files=5, ruled_out=3)
    assert list(timings.lines(report)) == [
        "a             500 ms",
        "long one      250 ms",
        "c            1000 ms",
        "5 files: 3 ruled out by their bytes, 2 read",
    ]
    assert told == [(0, "a"), (1, "long one"), (2, "c")]
