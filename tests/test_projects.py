"""Whole projects in `fixtures/`, audited as a user would, against the reports kept beside them.

`UPDATE_EXPECTED=1 python -m pytest tests/test_projects.py` rewrites the kept reports; that run
fails, so that it cannot be mistaken for a passing one.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from dal_audit import __version__
from dal_audit.audit import audit
from dal_audit.policy.request import Request
from dal_audit.report.render import Format, exit_code, render
from tests.sampling import EVERYTHING

FIXTURES = Path(__file__).resolve().parent.parent / "fixtures"
WITH_RULES = "demo"
"""The fixture whose SARIF is kept with the list of the rules."""

LINES = re.MULTILINE | re.DOTALL
SUFFIXES: dict[Format, str] = {"text": "txt", "sarif": "sarif"}


@dataclass(frozen=True)
class Run:
    """One run: a fixture, the folder in it where dal-audit is started, and the exit code."""

    fixture: str
    folder: str
    code: int

    def expected(self, form: Format) -> Path:
        """Return the file that keeps the report."""
        return FIXTURES / self.fixture / self.folder / f"expected.{SUFFIXES[form]}"

    def __str__(self) -> str:
        return f"{self.fixture}/{self.folder}".removesuffix("/.")


RUNS = (
    Run("demo", ".", 1),
    Run("clean", ".", 0),
    Run("leaks", ".", 1),
    Run("interface", ".", 1),
    Run("monorepo", ".", 1),
    Run("portable", ".", 1),
    Run("embedded", ".", 1),
    Run("operations", ".", 1),
    Run("migrations", ".", 1),
    Run("replay", ".", 1),
    Run("monorepo", "services/orders", 1),
    Run("rust", ".", 1),
    Run("ci", "faulty", 1),
    Run("ci", "clean", 0),
)
CONFIGURED = tuple(
    run
    for run in RUNS
    if str(run) in {"ci/faulty", "demo", "migrations", "monorepo/services/orders", "portable"}
)
"""Those whose folder holds its configuration: for them it does not matter what lies around it."""

REWRITTEN = {"extraction"}
"""Projects before and after a fix: `test_extract_interface` compares what is written."""

FIXES = re.compile(r"^(?:\d+ fixable with `| {3}= fix: | {3}[-+] ).*\n", re.MULTILINE)
"""The lines of fixes, and those that count them."""

runs = pytest.mark.parametrize("run", RUNS, ids=str)
forms = pytest.mark.parametrize("form", SUFFIXES)


def copied(run: Run, tmp_path: Path) -> Path:
    """Copy the fixture out of this repository, and return the folder to start in."""
    root = tmp_path / run.fixture
    shutil.copytree(FIXTURES / run.fixture, root, ignore=shutil.ignore_patterns("expected.*"))
    return root / run.folder


def kept(run: Run, text: str) -> str:
    """Return a report as it is kept: without this version, and without the rule book's texts.

    The list of the rules is kept once, so that a new rule changes no other report.
    """
    text = re.sub(rf'("(?:version|semanticVersion)": )"{re.escape(__version__)}"', r'\1"0"', text)
    if run.fixture == WITH_RULES:
        help_of_a_rule = r'("help": \{\s*"text": )".*"(,\s*"markdown": )".*"'
        return re.sub(help_of_a_rule, r'\1"the document"\2"the document"', text)
    text = re.sub(r'^( +)"rules": \[$.*?^\1\],$', r'\1"rules": [],', text, count=1, flags=LINES)
    return re.sub(r'^ +"ruleIndex": \d+,\n', "", text, flags=LINES)


def compare(run: Run, form: Format, text: str) -> None:
    """Compare a report with the kept one, byte for byte."""
    assert kept(run, text) == run.expected(form).read_bytes().decode("utf-8")


def test_each_fixture_is_run() -> None:
    assert {run.fixture for run in RUNS} | REWRITTEN == {path.name for path in FIXTURES.iterdir()}
    found = {path for suffix in SUFFIXES.values() for path in FIXTURES.rglob(f"expected.{suffix}")}
    assert found == {run.expected(form) for run in RUNS for form in SUFFIXES}


@runs
@forms
@pytest.mark.parametrize("jobs", [1, 2])
def test_the_report_is_the_kept_one(run: Run, form: Format, jobs: int, tmp_path: Path) -> None:
    report = audit(Request(folder=copied(run, tmp_path), jobs=jobs))
    text = render(report, form)
    if os.environ.get("UPDATE_EXPECTED"):
        run.expected(form).write_bytes(kept(run, text).encode("utf-8"))
        pytest.fail(f"rewrote {run.expected(form)}; run again without UPDATE_EXPECTED")
    compare(run, form, text)
    assert exit_code(report) == run.code


SEEDS = ("0", "1", "20261121")
SEEDED = [
    (run, seed)
    for number, run in enumerate(RUNS)
    for turn, seed in enumerate(SEEDS)
    if EVERYTHING or turn == number % len(SEEDS)
]
"""By day each run has one of the seeds, in turn."""


@pytest.mark.parametrize(("run", "seed"), SEEDED, ids=str)
def test_the_command_line_reports_the_same(run: Run, seed: str, tmp_path: Path) -> None:
    sarif = tmp_path / "report.sarif"
    arguments = f"--color never --format sarif --output {sarif} --format text --jobs 2 ."
    done = command(arguments.split(), copied(run, tmp_path), seed)
    assert (done.returncode, done.stderr) == (run.code, b"")
    compare(run, "text", done.stdout.decode("utf-8"))
    compare(run, "sarif", sarif.read_bytes().decode("utf-8"))


@pytest.mark.parametrize("run", CONFIGURED, ids=str)
def test_a_fixture_in_this_repository_reads_its_own_configuration(run: Run) -> None:
    done = command(["--color", "never", "."], FIXTURES / run.fixture / run.folder, "0")
    assert (done.returncode, done.stderr) == (run.code, b"")
    told = run.expected("text").read_text(encoding="utf-8")
    # This repository's history has released the migrations: nothing edits them any more.
    assert FIXES.sub("", kept(run, done.stdout.decode("utf-8"))) == FIXES.sub("", told)


def command(arguments: list[str], folder: Path, seed: str) -> subprocess.CompletedProcess[bytes]:
    """Run dal-audit in a folder, with a seed for the order of sets."""
    environment = {**os.environ, "PYTHONHASHSEED": seed}
    return subprocess.run(
        [sys.executable, "-m", "dal_audit", *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        check=False,
    )
