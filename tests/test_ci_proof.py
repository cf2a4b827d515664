"""The clause on tests passes only for what was seen to run; what is not read is said."""

from __future__ import annotations

from pathlib import Path

import pytest

from dal_audit.audit import audit
from dal_audit.policy.request import Request
from dal_audit.report.model import Report
from dal_audit.report.summary import TESTED, verdicts

CHECKOUT = Path(__file__).resolve().parent.parent
STORE = {"app/storage/store.py": "import sqlite3\nimport psycopg\n"}
SERVER = "    services: {db: {image: 'postgres:16', options: --health-cmd pg_isready}}\n"
BOTH = """\
on: [pull_request]
jobs:
  tests:
    services: {db: {image: 'postgres:16', options: --health-cmd pg_isready}}
    strategy: {matrix: {db: [sqlite, postgresql]}}
    env: {DB: '${{ matrix.db }}'}
    steps: [{run: pytest}]
"""
WORKFLOW = ".github/workflows/ci.yml"


def report_of(folder: Path, files: dict[str, str]) -> Report:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return audit(Request(folder=folder))


def verdict_of(report: Report) -> tuple[str, str]:
    """Return the verdict on the clause on tests, and the reason of it."""
    return next(
        (said.verdict, said.reason) for said in verdicts(report) if said.clause.id == TESTED
    )


def proved(report: Report) -> dict[str, bool]:
    return {backend: is_proved for backend, _, is_proved in report.tested or ()}


def test_a_leg_for_each_backend_is_a_pass(tmp_path: Path) -> None:
    report = report_of(tmp_path, {**STORE, WORKFLOW: BOTH})
    assert verdict_of(report) == ("pass", "")
    assert report.tested == (
        ("sqlite", f"by `tests` (sqlite) in {WORKFLOW}", True),
        ("postgresql", f"by `tests` (postgresql) in {WORKFLOW}", True),
    )


def test_a_server_alone_proves_neither_backend(tmp_path: Path) -> None:
    workflow = f"on: [pull_request]\njobs:\n  tests:\n{SERVER}    steps: [{{run: pytest}}]\n"
    report = report_of(tmp_path, {**STORE, WORKFLOW: workflow})
    assert report.open == ()
    assert proved(report) == {"sqlite": False, "postgresql": False}
    assert verdict_of(report)[0] == "pass in part"


def test_a_suite_that_is_not_to_be_seen_proves_nothing(tmp_path: Path) -> None:
    workflow = BOTH.replace("pytest", "invoke tests")
    report = report_of(tmp_path, {**STORE, WORKFLOW: workflow})
    assert proved(report) == {"sqlite": False, "postgresql": False}


def test_what_ran_before_a_suite_does_not_hide_it(tmp_path: Path) -> None:
    workflow = BOTH.replace("{run: pytest}", "{run: ./prepare}, {run: pytest}")
    assert proved(report_of(tmp_path, {**STORE, WORKFLOW: workflow})) == {
        "sqlite": True,
        "postgresql": True,
    }


def test_a_suite_for_another_engine_proves_nothing(tmp_path: Path) -> None:
    workflow = "on: [pull_request]\njobs:\n  t:\n    steps: [{run: pytest --bigquery}]\n"
    report = report_of(tmp_path, {**STORE, WORKFLOW: workflow})
    assert proved(report)["sqlite"] is False


@pytest.mark.parametrize(
    ("path", "text", "reason"),
    [
        (".drone.yml", "kind: pipeline\n", "a CI system that is not read: .drone.yml"),
        (
            ".gitlab-ci.yml",
            "include: [{local: a.yml}]\nt: {script: [pytest]}\n",
            "jobs from further files are not read: .gitlab-ci.yml",
        ),
        (
            "azure-pipelines.yml",
            "jobs:\n  - template: a.yml\n",
            "jobs from further files are not read: azure-pipelines.yml",
        ),
        (
            ".circleci/config.yml",
            "setup: true\njobs:\n  t: {steps: [{run: pytest}]}\n",
            "jobs from further files are not read: .circleci/config.yml",
        ),
        (
            ".circleci/config.yml",
            "jobs:\n  t: {steps: [{run: pytest}]}\nworkflows:\n  a:\n    jobs:\n      - t\n      - acme/go\n",
            "what these jobs call is not read: .circleci/config.yml:7",
        ),
        (
            ".gitlab-ci.yml",
            "a: {script: [pytest]}\nb:\n  trigger: {include: b.yml}\n",
            "what these jobs call is not read: .gitlab-ci.yml:2",
        ),
        (
            ".github/workflows/b.yml",
            "on: [push]\njobs:\n  a:\n    uses: acme/flows/.github/workflows/x.yml@v1\n",
            "what these jobs call is not read: .github/workflows/b.yml:3",
        ),
    ],
)
def test_what_is_not_read_is_said(tmp_path: Path, path: str, text: str, reason: str) -> None:
    """Although a leg for each backend was seen: further jobs may let something else pass."""
    report = report_of(tmp_path, {**STORE, WORKFLOW: BOTH, path: text})
    assert verdict_of(report) == ("pass in part", reason)


def test_a_job_from_elsewhere_that_no_change_waits_for_is_nothing(tmp_path: Path) -> None:
    release = "on: {push: {tags: ['v*']}}\njobs:\n  a: {uses: acme/flows/x.yml@v1}\n"
    report = report_of(tmp_path, {**STORE, WORKFLOW: BOTH, ".github/workflows/r.yml": release})
    assert verdict_of(report) == ("pass", "")


def test_a_workflow_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    broken = {WORKFLOW: BOTH, ".github/workflows/b.yml": "jobs: ["}
    report = report_of(tmp_path, {**STORE, **broken})
    (finding,) = report.open
    assert (finding.rule.id, finding.remedy[:14]) == ("DAL901", "Mend the file:")
    assert verdict_of(report) == ("pass in part", "not understood: .github/workflows/b.yml")


def test_a_password_in_a_matrix_is_not_shown(tmp_path: Path) -> None:
    workflow = BOTH.replace("[sqlite, postgresql]", "['postgresql://me:geheim@db/a']").replace(
        "[pull_request]", "{push: {branches: [main]}}"
    )
    report = report_of(tmp_path, {**STORE, WORKFLOW: workflow})
    said = [finding.breach.message for finding in report.open]
    assert any("`tests` (postgresql://me:xxxxxx@db/a)" in message for message in said)
    assert not any("geheim" in message for message in said)


def test_this_repository_is_tested_on_both_backends() -> None:
    report = audit(Request(folder=CHECKOUT, select=("DAL5",)))
    assert [finding for finding in report.open if finding.rule.id.startswith("DAL5")] == []
    assert report.tested is not None
    assert {(backend, is_proved) for backend, _, is_proved in report.tested} == {
        ("sqlite", True),
        ("postgresql", True),
    }
    assert all(".github/workflows/ci.yml" in by for _, by, _ in report.tested)
