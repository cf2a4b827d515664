"""The wheel holds all that dal-audit needs, and works alone in an empty environment."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

from dal_audit.catalogue.rulebook import rules

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--outdir", str(folder), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True)
    (built,) = folder.glob("*.whl")
    return built


def test_the_wheel_carries_the_rule_book_and_the_types_marker(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    assert "dal_audit/py.typed" in names
    assert "dal_audit/rules/catalogue/drivers.toml" in names
    assert "dal_audit/policy/dal-audit.schema.json" in names
    assert "dal_audit/report/report.schema.json" in names
    assert {"dal_audit/report/html/page.css", "dal_audit/report/html/page.js"} <= set(names)
    assert {f"dal_audit/rules/{rule.name}.md" for rule in rules()} <= names
    assert not [name for name in names if name.startswith(("tests/", "fixtures/"))]


def test_the_wheel_works_alone_in_an_empty_environment(wheel: Path, tmp_path: Path) -> None:
    venv.create(tmp_path / "venv", with_pip=True)
    scripts = tmp_path / "venv" / ("Scripts" if os.name == "nt" else "bin")
    python = scripts / "python"
    subprocess.run([python, "-m", "pip", "install", "-q", wheel], check=True, capture_output=True)
    project = tmp_path / "project"
    project.mkdir()
    (project / "service.py").write_text("import sqlite3\n", encoding="utf-8")

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [scripts / "dal-audit", *words],
            cwd=project,
            capture_output=True,
            text=True,
            check=False,
        )

    explained = run("explain", "driver-import")
    assert explained.returncode == 0
    assert "\nHow to fix\n" in explained.stdout
    audited = run(".", "--format", "concise")
    assert audited.returncode == 1, audited.stderr
    assert "service.py:1:8: DAL101" in audited.stdout
    assert audited.stderr == ""
