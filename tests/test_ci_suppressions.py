"""Comments that allow findings in the files of CI and in tests that are not audited."""

from __future__ import annotations

from pathlib import Path

import pytest

from dal_audit.audit import audit
from dal_audit.policy.request import Request

STORAGE = {"app/storage/__init__.py": "import sqlite3\nimport psycopg\n"}
TEST = {
    "tests/test_store.py": "import app.storage\n\n\ndef test_a():\n    app.storage.open()\n",
    "dal-audit.toml": 'backends = ["sqlite"]\n',
}
JOB = "on: [pull_request]\njobs:\n  tests:\n    steps:\n"
ALLOWED = "  # dal-audit: allow[failure-does-not-block] flaky"


def findings_of(folder: Path, files: dict[str, str]) -> list[tuple[str, str, str]]:
    """Return the rule, path and standing of what is found in a project."""
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    found = audit(Request(folder=folder, select=("DAL50", "DAL903"))).findings
    return [(finding.rule.id, finding.place.path, finding.standing) for finding in found]


@pytest.mark.parametrize(
    ("comment", "standing"),
    [
        ("", "open"),
        ("  # dal-audit: allow[silent-skip] run by hand", "suppressed"),
        ("  # dal-audit: allow[driver-import] nobody looks for it here", "open"),
    ],
)
def test_a_test_that_is_not_audited_can_allow_what_is_found_in_it(
    comment: str, standing: str, tmp_path: Path
) -> None:
    files = {
        **STORAGE,
        "tests/test_store.py": (
            "import os, pytest\nimport app.storage\n\n\n"
            f'@pytest.mark.skipif(not os.getenv("PG_URL"), reason="no server"){comment}\n'
            "def test_a():\n    app.storage.open()\n"
        ),
        "dal-audit.toml": (
            'exclude = ["tests/**"]\nbackends = ["postgresql"]\n'
            '[ci]\nstorage-tests = ["tests/**"]\n'
        ),
        ".github/workflows/a.yml": (
            f"{JOB}      - run: pytest\n    services:\n"
            "      postgres: {image: 'postgres:16', options: --health-cmd pg_isready}\n"
        ),
    }
    assert findings_of(tmp_path, files) == [("DAL503", "tests/test_store.py", standing)]


@pytest.mark.parametrize("comment", ["", ALLOWED])
@pytest.mark.parametrize("script", ["|\n          echo\n", ">-\n", "|-\n\n"])
def test_in_a_block_scalar_a_comment_is_one(comment: str, script: str, tmp_path: Path) -> None:
    workflow = f"{JOB}      - run: {script}          pytest || true{comment}\n"
    files = {**STORAGE, **TEST, ".github/workflows/a.yml": workflow}
    standing = "suppressed" if comment else "open"
    assert findings_of(tmp_path, files) == [("DAL504", ".github/workflows/a.yml", standing)]


@pytest.mark.parametrize("comment", ["", ALLOWED])
@pytest.mark.parametrize(
    ("path", "text", "call"),
    [
        ("Makefile", "check:\n\tpytest || true{}\n", "make check"),
        ("tools/check.sh", "pytest || true{}\n", "./tools/check.sh"),
        ("tox.ini", "[tox]\nenvlist = py\n[testenv]\ncommands = - pytest{}\n", "tox"),
    ],
)
def test_in_what_a_job_calls_a_comment_is_one(
    path: str, text: str, call: str, comment: str, tmp_path: Path
) -> None:
    workflow = f"{JOB}      - run: {call}\n"
    files = {**STORAGE, **TEST, path: text.format(comment), ".github/workflows/a.yml": workflow}
    standing = "suppressed" if comment else "open"
    assert findings_of(tmp_path, files) == [("DAL504", path, standing)]


def test_a_comment_that_allows_nothing_is_told_where_nothing_else_is_audited(
    tmp_path: Path,
) -> None:
    workflow = f"{JOB}      - run: tox\n"
    tox = f"[tox]\nenvlist = py\n[testenv]\ncommands = pytest{ALLOWED}\n"
    files = {**STORAGE, **TEST, "tox.ini": tox, ".github/workflows/a.yml": workflow}
    assert findings_of(tmp_path, files) == [("DAL903", "tox.ini", "open")]
