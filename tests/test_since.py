"""`--since`: what counts as changed, in real repositories, and what git is not let do."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
from click.testing import CliRunner

from dal_audit.audit import audit
from dal_audit.commands.parser import cli
from dal_audit.discover.git_history import ALL, HistoryError, Repository
from dal_audit.policy.request import Request

IMPORT = "import sqlite3\n"
CLEAN = "import json\n"


class Work:
    """A repository with a work tree, on a branch `topic` that has left `main`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir(exist_ok=True)
        self.git("init", "-q", "-b", "main")

    def git(self, *words: str) -> str:
        names = {"GIT_AUTHOR_NAME": "A", "GIT_AUTHOR_EMAIL": "a@b", "GIT_CONFIG_GLOBAL": os.devnull}
        names |= {"GIT_COMMITTER_NAME": "A", "GIT_COMMITTER_EMAIL": "a@b"}
        done = subprocess.run(
            ["git", "-c", "protocol.file.allow=always", *words],
            cwd=self.root,
            env={**os.environ, **names},
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout

    def write(self, files: Mapping[str, str | bytes]) -> None:
        for name, text in files.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text if isinstance(text, bytes) else text.encode())

    def commit(self, files: Mapping[str, str | bytes] | None = None) -> None:
        self.write(files or {})
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", "x")

    def found(self, revision: str = "main", *paths: str) -> list[tuple[str, int]]:
        request = Request(paths or (".",), folder=self.root, since=revision)
        return [(one.place.path, one.place.span.line) for one in audit(request).open]


@pytest.fixture
def work(tmp_path: Path) -> Work:
    """A repository in which `topic` is as `main` is, with two leaks."""
    one = Work(tmp_path / "work")
    one.commit(
        {
            "app/storage/db.py": IMPORT,
            "app/old.py": f"{CLEAN}{IMPORT}x = 1\n",
            "app/other.py": IMPORT,
        }
    )
    one.git("checkout", "-q", "-b", "topic")
    return one


def test_nothing_changed(work: Work) -> None:
    assert work.found() == []


def test_changed_lines_of_commits_index_work_tree_and_new_files(work: Work) -> None:
    work.commit({"app/committed.py": IMPORT})
    work.write({"app/staged.py": IMPORT})
    work.git("add", "app/staged.py")
    work.write({"app/untracked.py": IMPORT, "app/old.py": f"{CLEAN}{IMPORT}x = 1\n{IMPORT}"})
    assert work.found() == [
        ("app/committed.py", 1),
        ("app/old.py", 4),
        ("app/staged.py", 1),
        ("app/untracked.py", 1),
    ]
    assert work.found("main", "app/staged.py") == [("app/staged.py", 1)]


def test_what_happened_on_the_other_branch_is_not_this_ones(work: Work) -> None:
    work.git("checkout", "-q", "main")
    work.commit({"app/other.py": ""})
    work.git("checkout", "-q", "topic")
    assert work.found() == []


def test_what_a_change_makes_of_an_older_line_is_reported_by_its_use(work: Work) -> None:
    work.write({"app/old.py": f"{CLEAN}{IMPORT}x = 1\nsqlite3.connect('')\n"})
    assert work.found() == [("app/old.py", 2)]


def test_a_suppression_that_went(work: Work) -> None:
    allowed = f"x = 1\n# dal-audit: allow[DAL101] a copy of the old one\n{IMPORT}"
    work.git("checkout", "-q", "main")
    work.commit({"app/allowed.py": allowed})
    work.git("checkout", "-q", "-b", "next")
    assert work.found() == []
    work.write({"app/allowed.py": f"x = 1\n{IMPORT}"})
    assert work.found() == [("app/allowed.py", 2)]


def test_a_renamed_file_is_not_new_and_a_deleted_one_no_matter(work: Work) -> None:
    work.git("mv", "app/old.py", "app/renamed.py")
    work.git("rm", "-q", "app/other.py")
    assert work.found() == []
    work.write({"app/renamed.py": f"{CLEAN}{IMPORT}x = 1\nimport psycopg\n"})
    assert work.found() == [("app/renamed.py", 4)]


def test_lines_that_look_like_headers_and_names_that_are_hostile(work: Work) -> None:
    name = 'app/a "b"\\ü\t\n+++ b.py'
    text = "'''\n++ b/app/other.py\n@@ -1 +1 @@\ndiff --git a/x b/x\n'''\n"
    work.commit({name: f"{text}x = 1\n"})
    work.write({name: f"{text}{IMPORT}"})
    assert work.found() == [(name, 6)]


def test_a_lone_carriage_return_ends_a_line_for_python(work: Work) -> None:
    work.write({"app/cr.py": b"x = 1\rimport sqlite3\r"})
    work.git("add", "-A")
    assert work.found() == [("app/cr.py", 2)]


def test_crlf_and_no_line_end_at_the_end(work: Work) -> None:
    work.commit({"app/crlf.py": b"x = 1\r\ny = 2"})
    work.git("branch", "-f", "main")
    work.write({"app/crlf.py": b"x = 1\r\nimport sqlite3"})
    assert work.found() == [("app/crlf.py", 2)]


def test_files_that_git_takes_for_binary_are_compared_line_by_line(work: Work) -> None:
    work.commit({".gitattributes": "*.py binary\n"})
    work.git("branch", "-f", "main")
    work.write({"app/old.py": f"{CLEAN}{IMPORT}import psycopg\n"})
    assert work.found() == [("app/old.py", 3)]


def test_configuration_and_environment_change_nothing(
    work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran = work.root.parent / "ran"
    script = work.root.parent / "script"
    script.write_text(f"#!/bin/sh\ntouch '{ran}'\n", encoding="utf-8")
    script.chmod(0o755)
    settings = {
        "diff.external": str(script),
        "diff.own.textconv": str(script),
        "diff.own.command": str(script),
        "core.fsmonitor": str(script),
        "diff.noprefix": "true",
        "diff.mnemonicPrefix": "true",
        "diff.renames": "false",
        "diff.interHunkContext": "9",
        "diff.context": "9",
        "color.ui": "always",
        "core.quotePath": "false",
        "diff.relative": "true",
    }
    for name, value in settings.items():
        work.git("config", name, value)
    monkeypatch.setenv("GIT_DIFF_OPTS", "--unified=9")
    monkeypatch.setenv("GIT_EXTERNAL_DIFF", str(script))
    work.write({".gitattributes": "*.py diff=own\n", "app/ü.py": IMPORT})
    work.write({"app/old.py": f"{CLEAN}{IMPORT}x = 1\nimport psycopg\n"})
    assert work.found() == [("app/old.py", 4), ("app/ü.py", 1)]
    assert not ran.exists()


def test_another_repository_in_the_environment_is_none_of_ours(
    work: Work, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    other = Work(tmp_path / "other")
    other.commit({"app/old.py": ""})
    work.write({"app/new.py": IMPORT})
    monkeypatch.setenv("GIT_DIR", str(other.root / ".git"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(other.root / ".git/index"))
    assert work.found() == [("app/new.py", 1)]


def test_a_project_below_the_repositorys_top(work: Work) -> None:
    work.commit({"sub/dal-audit.toml": "", "sub/storage/db.py": IMPORT, "sub/a.py": IMPORT})
    work.git("branch", "-f", "main")
    work.write({"sub/a.py": f"{IMPORT}import psycopg\n"})
    request = Request(folder=work.root / "sub", since="main")
    assert [one.place.span.line for one in audit(request).open] == [2]


def test_all_of_a_submodule_that_moved_on_has_changed(work: Work, tmp_path: Path) -> None:
    inner = Work(tmp_path / "inner")
    inner.commit({"a.py": IMPORT})
    work.git("submodule", "--quiet", "add", str(inner.root), "lib")
    work.commit()
    work.git("branch", "-f", "main")
    assert work.found() == []
    inner.commit({"b.py": CLEAN})
    work.git("-C", "lib", "pull", "-q")
    assert work.found() == [("lib/a.py", 1)]


def test_an_audit_that_saw_nothing_is_said_whatever_changed(work: Work) -> None:
    work.commit({"app/broken.py": "def\n"})
    work.git("branch", "-f", "main")
    assert work.found() == [("app/broken.py", 1)]


@pytest.mark.parametrize("revision", ["nowhere", "", "-p", "--output=x", "a..b", "main:app"])
def test_a_revision_that_there_is_not(work: Work, revision: str) -> None:
    with pytest.raises(HistoryError, match="git knows no revision"):
        work.found(revision)
    assert not (work.root / "x").exists()


def test_a_shallow_clone_says_how_to_mend_it(work: Work, tmp_path: Path) -> None:
    work.commit()
    clone = tmp_path / "clone"
    work.git("clone", "-q", "--depth=1", f"file://{work.root}", str(clone))
    with pytest.raises(HistoryError, match="fetch-depth: 0"):
        audit(Request(folder=clone, since="main"))


def test_branches_without_a_common_commit(work: Work) -> None:
    work.git("checkout", "-q", "--orphan", "alone")
    work.commit({"more.py": ""})
    with pytest.raises(HistoryError, match="no commit in common"):
        work.found()


def test_no_repository_and_no_commit(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(IMPORT, encoding="utf-8")
    with pytest.raises(HistoryError, match="lies in no git repository"):
        audit(Request(folder=tmp_path, since="main"))
    Work(tmp_path)
    with pytest.raises(HistoryError, match="git knows no revision"):
        audit(Request(folder=tmp_path, since="main"))


def test_no_git(work: Work, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(HistoryError, match="git cannot be run"):
        work.found()


def test_what_moved_since_a_commit(work: Work) -> None:
    work.git("mv", "app/old.py", "app/renamed.py")
    work.git("rm", "-q", "app/other.py")
    work.write({"app/storage/db.py": CLEAN, "app/new.py": ""})
    work.git("add", "-A")
    repository = Repository(work.root)
    fork = repository.default_merge_base()
    assert fork is not None
    found = [
        (file.state, file.before, file.path)
        for file in repository.changed_files(fork, lambda _: True)
    ]
    assert found == [
        ("D", "app/other.py", "app/other.py"),
        ("R", "app/old.py", "app/renamed.py"),
        ("M", "app/storage/db.py", "app/storage/db.py"),
    ]
    assert repository.content(fork, "app/storage/db.py") == IMPORT.encode()
    assert repository.holds(fork, "app/other.py")
    assert not repository.holds(fork, "app/new.py")
    with pytest.raises(HistoryError, match="cat-file"):
        repository.content(fork, "app/new.py")
    assert repository.changed_lines(fork, ["app/storage/db.py"])["app/storage/db.py"] == ((1, 1),)
    work.write({"new.py": ""})
    assert repository.changed_lines(fork, ["new.py"])["new.py"] == ALL


def test_the_command_line_says_what_git_lacks(work: Work, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(work.root)
    answer = CliRunner().invoke(cli, ["--since", "nowhere"])
    assert (answer.exit_code, answer.stdout) == (2, "")
    assert answer.stderr == "error: git knows no revision `nowhere`\n"
    work.write({"app/new.py": IMPORT})
    answer = CliRunner().invoke(cli, ["--since", "main", "--format", "concise"])
    assert answer.exit_code == 1
    assert "app/new.py:1" in answer.stdout
    assert "app/other.py" not in answer.stdout
