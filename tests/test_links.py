"""Nothing is written or deleted through a link out of the project, nor what is not our own."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dal_audit.discover import linked_folders
from dal_audit.discover.cache_folder import CACHE
from dal_audit.discover.links import leads_out
from dal_audit.extract import cache
from dal_audit.extract.cache_form import SETTLED_NS
from dal_audit.policy.request import BASELINE
from tests.invocation import run

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="links of POSIX")

LEAK = "import sqlite3\n"
UNUSED = "x = 1  # dal-audit: allow[driver-import] it was here\n"


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project, whose files were changed long enough ago to be kept."""
    monkeypatch.setattr(cache, "now_ns", lambda: time.time_ns() + 10 * SETTLED_NS)
    root = tmp_path / "project"
    (root / "app").mkdir(parents=True)
    (root / "dal-audit.toml").touch()
    (root / "app/a.py").write_text(LEAK)
    return root


@pytest.fixture
def other(tmp_path: Path) -> Path:
    other = tmp_path / "other"
    other.mkdir()
    return other


def precious(folder: Path, name: str) -> Path:
    """Return a file of somebody's, as old as what a killed run left."""
    file = folder / name
    file.write_text("precious")
    os.utime(file, ns=(1, 1))
    return file


def test_no_cache_is_kept_behind_a_link(root: Path, other: Path) -> None:
    """A link that git ignores is not listed."""
    subprocess.run(["git", "init", "-q"], cwd=root, check=True)
    (root / ".gitignore").write_text(f"{CACHE}\n")
    kept = [precious(other, name) for name in ("work.tmp", "facts-1.tmp")]
    (root / CACHE).symlink_to(other)
    assert run(root, "check").exit_code == 1
    assert sorted(other.iterdir()) == sorted(kept)


def test_no_file_of_a_cache_is_written_through_a_link(root: Path, other: Path) -> None:
    target = precious(other, "target")
    target.touch()  # Not so old that the link would be taken for what a killed run left.
    (root / CACHE).mkdir()
    for name in ("facts", f"facts-{os.getpid()}.tmp", ".gitignore", "CACHEDIR.TAG"):
        (root / CACHE / name).symlink_to(target)
    assert run(root, "check").exit_code == 1
    assert target.read_text() == "precious"


def test_only_what_a_run_left_is_cleared_away(root: Path) -> None:
    (root / CACHE).mkdir()
    theirs = [precious(root / CACHE, name) for name in ("work.tmp", "facts-1.tmp")]
    ours = root / CACHE / "facts-2.tmp"
    ours.write_bytes(b"dal-audit fac")
    os.utime(ours, ns=(1, 1))
    run(root, "check")
    assert (root / CACHE / "facts").is_file()
    assert all(file.is_file() for file in theirs)
    assert not ours.exists()


def test_clean_leaves_what_is_not_its_own(root: Path, other: Path) -> None:
    assert run(root, "check", "--cache-dir", str(other)).exit_code == 1
    assert len(list(other.glob("*.facts"))) == 1
    target = precious(root, "target")
    theirs = [precious(other, name) for name in ("facts", "x.facts", "a.tmp", "notes.txt")]
    linked = other / "0123456789abcdef.facts"
    linked.symlink_to(target)
    assert run(root, "clean", "--cache-dir", str(other)).exit_code == 0
    assert sorted(other.iterdir()) == sorted([*theirs, linked])
    assert target.is_file()


def test_clean_removes_nothing_behind_a_link(root: Path, other: Path) -> None:
    assert run(root, "check", "--cache-dir", str(other)).exit_code == 1
    kept = sorted(other.iterdir())
    (root / CACHE).symlink_to(other)
    assert run(root, "clean").exit_code == 0
    assert sorted(other.iterdir()) == kept


def test_marks_of_somebody_elses_stay(root: Path, other: Path) -> None:
    mark = precious(other, ".gitignore")
    run(root, "clean", "--cache-dir", str(other))
    assert mark.read_text() == "precious"


def test_init_writes_through_no_link(root: Path, other: Path) -> None:
    (root / "dal-audit.toml").unlink()
    target = other / "pyproject.toml"
    target.write_text("[project]\nname = 'x'\n")
    (root / "pyproject.toml").symlink_to(target)
    answer = run(root, "init")
    assert answer.exit_code == 2
    assert "leads out of the project" in answer.stderr
    assert target.read_text() == "[project]\nname = 'x'\n"


def test_fixing_another_project_too_opens_no_way_out(root: Path, other: Path) -> None:
    """A base that holds both projects is no project."""
    (other / "dal-audit.toml").touch()
    for name in ("a.py", "b.py"):
        (other / name).write_text(UNUSED)
    (root / "app/b.py").symlink_to(other / "b.py")
    (other / "dal-audit.toml").write_text("exclude = ['b.py']\n")
    answer = run(root, "check", "--fix", ".", "../other/a.py")
    assert "it is a link that leads out" in answer.stderr
    assert (other / "a.py").read_text() == "x = 1\n"
    assert (other / "b.py").read_text() == UNUSED


def test_a_baseline_is_written_through_no_link(root: Path, other: Path) -> None:
    assert run(root, "baseline").exit_code == 0
    target = (root / BASELINE).rename(other / "target")
    (root / BASELINE).symlink_to(target)
    (root / "app/a.py").write_text("")
    before = target.read_bytes()
    answer = run(root, "baseline")
    assert answer.exit_code == 2
    assert "leads out of the project" in answer.stderr
    assert target.read_bytes() == before


def test_a_report_is_written_through_no_link(root: Path, other: Path) -> None:
    (root / "report.txt").symlink_to(other / "target")
    answer = run(root, "check", "--output", "report.txt")
    assert answer.exit_code == 2
    assert not (other / "target").exists()


def test_a_path_that_lies_elsewhere_was_chosen(root: Path, other: Path) -> None:
    (root / "inside").symlink_to(root / "app")
    (root / "outside").symlink_to(other)
    assert not leads_out(other / "a", root)
    assert not leads_out(root / "inside/a", root)
    assert leads_out(root / "outside/a", root)
    assert run(root, "check", "--output", str(other / "report.txt")).exit_code == 1
    assert (other / "report.txt").is_file()


@pytest.mark.parametrize("way", ["ignored", "excluded", "suffix", "build", "hidden"])
def test_a_link_to_what_is_not_audited_is_read(root: Path, way: str) -> None:
    target = {
        "ignored": "kept/b.py",
        "excluded": "skipped/b.py",
        "suffix": "b.txt",
        "build": "build/b.py",
        "hidden": "venv/b.py",
    }[way]
    subprocess.run(["git", "init", "-q"], cwd=root, check=True)
    (root / ".gitignore").write_text("kept\n")
    (root / "dal-audit.toml").write_text("exclude = ['skipped']\n")
    (root / target).parent.mkdir(exist_ok=True)
    (root / target).write_text(LEAK)
    (root / "app/link.py").symlink_to(root / target)
    answer = run(root, "check", "--format", "concise")
    assert "app/link.py:1" in answer.output
    named = run(root, "check", "--format", "concise", "app/link.py")
    assert named.exit_code == 1
    assert ("kept/b.py:1" if way == "ignored" else "app/link.py:1") in named.output
    assert "DAL902" not in named.output


@pytest.mark.parametrize("way", ["ignored", "excluded", "chain", "circle"])
def test_a_package_that_is_linked_in_is_read(root: Path, way: str) -> None:
    target = root / ("skipped" if way == "excluded" else "kept") / "package"
    subprocess.run(["git", "init", "-q"], cwd=root, check=True)
    (root / ".gitignore").write_text("kept\n")
    (root / "dal-audit.toml").write_text("exclude = ['skipped']\n")
    target.mkdir(parents=True)
    (target / "b.py").write_text(LEAK)
    (root / "app/linked").symlink_to(target)
    if way == "chain":
        (root / "kept/further").mkdir()
        (root / "kept/further/c.py").write_text(LEAK)
        (target / "inner").symlink_to(root / "kept/further")
    if way == "circle":
        (target / "round").symlink_to(root / "app")
    answer = run(root, "check", "--format", "concise")
    assert "app/linked/b.py:1" in answer.output
    assert ("app/linked/inner/c.py:1" in answer.output) == (way == "chain")
    assert answer.output.count("a.py:1") == 1


def test_a_package_that_is_audited_where_it_lies_is_no_second_one(root: Path) -> None:
    (root / "linked").symlink_to("app")
    answer = run(root, "check", "--format", "concise")
    assert "app/a.py:1" in answer.output
    assert "linked/" not in answer.output


def test_a_script_that_is_linked_in_is_read(root: Path, other: Path) -> None:
    (other / "program").write_text(f"#!/usr/bin/env python\n{LEAK}")
    (root / "app/program").symlink_to(other / "program")
    assert "app/program:2" in run(root, "check", "--format", "concise").output


@pytest.mark.parametrize("name", ["b.py", "b.txt"])
def test_a_package_out_of_the_repository_is_said(root: Path, other: Path, name: str) -> None:
    precious(other, name)
    (root / "app/linked").symlink_to(other)
    answer = run(root, "check", "--verbose")
    assert (
        "nothing wrong in app/linked: links out of the repository are not read" in answer.output
    ) == (name == "b.py")


def test_a_link_to_all_of_the_disk_is_not_walked(
    root: Path, other: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(9):
        precious(other, f"{number}.txt")
    monkeypatch.setattr(linked_folders, "MAX_ENTRIES", 3)
    (root / "app/linked").symlink_to(other)
    answer = run(root, "check", "--verbose")
    assert "nothing wrong in app/linked: links out of the repository are not read" in answer.output


def test_a_link_to_what_is_audited_is_no_second_file(root: Path) -> None:
    (root / "app/link.py").symlink_to("a.py")
    answer = run(root, "check", "--format", "concise")
    assert "app/a.py:1" in answer.output
    assert "link.py" not in answer.output


@pytest.mark.parametrize("way", ["dangling", "folder", "pipe", "device"])
def test_a_configuration_that_is_no_file_is_said(root: Path, way: str) -> None:
    place = root / "dal-audit.toml"
    place.unlink()
    if way == "folder":
        place.mkdir()
    elif way == "pipe":
        os.mkfifo(place)
    else:
        place.symlink_to("nowhere" if way == "dangling" else os.devnull)
    answer = run(root, "check")
    assert answer.exit_code == 2
    assert "dal-audit.toml" in answer.stderr


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_a_configuration_in_utf_16_is_said(root: Path, encoding: str) -> None:
    (root / "dal-audit.toml").unlink()
    text = "\ufeff[tool.dal-audit]\n"
    (root / "pyproject.toml").write_bytes(text.encode(encoding))
    answer = run(root, "check")
    assert answer.exit_code == 2
    assert "UTF-16" in answer.stderr
