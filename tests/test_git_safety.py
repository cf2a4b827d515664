"""What a repository's own configuration names is never run, nor waited for, nor fetched from."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from dal_audit.audit import audit
from dal_audit.discover import git_command
from dal_audit.discover.git_snapshot import large_file_pointer
from dal_audit.policy.request import Request
from tests.invocation import run
from tests.test_since import CLEAN, IMPORT, Work

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="scripts and pipes of POSIX")

MIGRATION: Final = "db/migration/V1__users.sql"
TABLE: Final = "CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT);\n"
HOOKS: Final = ("post-index-change", "fsmonitor-watchman", "post-checkout", "reference-transaction")
COMMANDS: Final = (
    ("check",),
    ("check", "--since", "main"),
    ("check", "--fix"),
    ("baseline",),
    ("init",),
    ("config",),
)


class Trap:
    """A program that leaves a trace, in every place where a repository can name one."""

    def __init__(self, folder: Path) -> None:
        self.trace = folder / "trace"
        self.program = folder / "program"
        self.program.write_text(f"#!/bin/sh\necho \"$0 $*\" >> '{self.trace}'\ncat\n")
        self.program.chmod(0o755)

    @property
    def settings(self) -> dict[str, str]:
        program = str(self.program)
        return {
            "alias.diff-index": f"!{program}",
            "alias.ls-files": f"!{program}",
            "core.alternateRefsCommand": program,
            "core.askPass": program,
            "core.editor": program,
            "core.fsmonitor": program,
            "core.gitProxy": program,
            "core.pager": program,
            "core.sshCommand": program,
            "credential.helper": program,
            "diff.external": program,
            "diff.own.command": program,
            "diff.own.textconv": program,
            "filter.long.process": program,
            "filter.long.required": "true",
            "filter.own.clean": program,
            "filter.own.smudge": program,
            "gpg.program": program,
            "pager.diff-index": program,
            "pager.ls-files": program,
            "protocol.allow": "always",
        }

    def laid(self, work: Work, git_folder: Path | None = None) -> None:
        """Lay it: in the configuration, in a file that this includes, in hooks and attributes."""
        place = git_folder or work.root / ".git"
        hooks = place / "hooks"
        hooks.mkdir(exist_ok=True)
        for name in HOOKS:
            (hooks / name).unlink(missing_ok=True)
            (hooks / name).symlink_to(self.program)
        included = place / "included"
        for name, value in self.settings.items():
            work.git("config", "--file", str(included), name, value)
        work.git("config", "include.path", str(included))
        (work.root / ".gitattributes").write_text("*.py filter=own diff=own\n*.sql filter=long\n")


@pytest.fixture
def trap(tmp_path: Path) -> Trap:
    return Trap(tmp_path)


@pytest.fixture
def work(tmp_path: Path) -> Work:
    """A repository on `topic`, with a migration and a module that were touched since."""
    work = Work(tmp_path / "work")
    work.commit({"app/storage/db.py": IMPORT, "app/a.py": f"x = 1\n{IMPORT}", MIGRATION: TABLE})
    work.git("checkout", "-q", "-b", "topic")
    return work


def touched(root: Path) -> None:
    (root / "app/a.py").write_text(f"y = 2\n{CLEAN}{IMPORT}import psycopg\n")
    (root / MIGRATION).write_text(f"{TABLE}-- more\n")


def test_the_trap_is_one(work: Work, trap: Trap) -> None:
    touched(work.root)
    trap.laid(work)
    subprocess.run(["git", "diff", "main"], cwd=work.root, capture_output=True, check=False)
    assert trap.trace.exists()


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_nothing_of_the_repository_is_run(work: Work, trap: Trap, command: tuple[str, ...]) -> None:
    touched(work.root)
    trap.laid(work)
    answer = run(work.root, *command)
    assert answer.exit_code in {0, 1}, answer.output
    assert not trap.trace.exists(), trap.trace.read_text()


def test_what_was_changed_is_still_seen(work: Work, trap: Trap) -> None:
    touched(work.root)
    trap.laid(work)
    answer = run(work.root, "check", "--since", "main", "--format", "concise")
    assert "app/a.py:4" in answer.output
    assert f"{MIGRATION}:2" in answer.output
    assert not trap.trace.exists()


@pytest.mark.parametrize("kind", ["worktree", "sparse", "shallow", "sha256"])
def test_kinds_of_work_trees(work: Work, trap: Trap, tmp_path: Path, kind: str) -> None:
    root = tmp_path / kind
    git_folder = root / ".git"
    if kind == "worktree":
        work.git("worktree", "add", "-q", "-b", "next", str(root))
        git_folder = work.root / ".git"
    elif kind == "sha256":
        root.mkdir()
        work.git("init", "-q", "--object-format=sha256", "-b", "main", str(root))
    else:
        depth = ["--depth=1"] if kind == "shallow" else []
        work.git("clone", "-q", "--branch=main", *depth, f"file://{work.root}", str(root))
    tree = Work(root) if kind == "sha256" else _at(root)
    if kind == "sparse":
        tree.git("sparse-checkout", "set", "app", "db")
    if kind == "sha256":
        tree.commit({"app/storage/db.py": IMPORT, "app/a.py": IMPORT, MIGRATION: TABLE})
    touched(root)
    trap.laid(tree, git_folder)
    for command in COMMANDS[:2]:
        answer = run(root, *command, "--format", "concise")
        assert answer.exit_code == 1, answer.output
        assert "app/a.py:4" in answer.output
    assert not trap.trace.exists(), trap.trace.read_text()


def _at(root: Path) -> Work:
    """Return a work tree that is there already."""
    work = Work.__new__(Work)
    work.root = root
    return work


def test_a_submodule_is_compared_by_its_own_last_commit(
    work: Work, trap: Trap, tmp_path: Path
) -> None:
    inner = Work(tmp_path / "inner")
    inner.commit({"a.py": f"x = 1\n{IMPORT}"})
    work.git("submodule", "--quiet", "add", str(inner.root), "lib")
    work.commit()
    work.git("branch", "-f", "main")
    assert work.found() == []
    trap.laid(_at(work.root / "lib"), work.root / ".git/modules/lib")
    (work.root / "lib/a.py").write_text(f"x = 1\n{IMPORT}import psycopg\n")
    assert work.found() == [("lib/a.py", 3)]
    assert not trap.trace.exists(), trap.trace.read_text()


def test_a_bare_repository_inside_is_a_folder_as_others(work: Work, trap: Trap) -> None:
    bare = work.root / "bare"
    work.git("init", "-q", "--bare", str(bare))
    for name, value in trap.settings.items():
        work.git("config", "--file", str(bare / "config"), name, value)
    (bare / "a.py").write_text(IMPORT)
    assert ("bare/a.py", 1) in work.found()
    run(bare, "check")
    assert not trap.trace.exists()


@pytest.mark.parametrize("way", ["ssh", "ext", "file"])
def test_a_partial_clone_fetches_nothing(work: Work, trap: Trap, tmp_path: Path, way: str) -> None:
    work.git("config", "uploadpack.allowFilter", "true")
    clone = tmp_path / "clone"
    source = f"file://{work.root}"
    work.git("clone", "-q", "--filter=blob:none", "--branch=main", source, str(clone))
    tree = _at(clone)
    (clone / MIGRATION).write_text(f"{TABLE}-- more\n")
    for blob in _blobs(tree):
        blob.unlink()
    url = {"ssh": "ssh://host/x", "ext": f"ext::{trap.program} %S", "file": source}[way]
    tree.git("config", "remote.origin.url", url)
    tree.git("config", "remote.origin.uploadpack", str(trap.program))
    trap.laid(tree)
    plain = run(clone, "check")
    assert plain.exit_code in {0, 1}, plain.output
    assert "the clone is partial" in plain.output
    since = run(clone, "check", "--since", "origin/main")
    assert since.exit_code == 2
    assert "git fetch --refetch" in since.stderr
    assert not trap.trace.exists(), trap.trace.read_text()


def _blobs(work: Work) -> list[Path]:
    """Return the packs of a clone that hold blobs only."""
    packs = (work.root / ".git/objects/pack").glob("*.pack")
    return [pack for pack in packs if "commit" not in work.git("verify-pack", "-v", str(pack))]


def test_a_configuration_that_never_ends(work: Work, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(git_command, "SECONDS", 0.2)
    pipe = work.root / ".git/pipe"
    os.mkfifo(pipe)
    work.git("config", "include.path", str(pipe))
    answer = run(work.root, "check")
    assert answer.exit_code == 2
    assert "gave no answer" in answer.stderr


def test_a_corrupt_index_is_said(work: Work) -> None:
    (work.root / ".git/index").write_bytes(b"DIRC nonsense")
    answer = run(work.root, "check")
    assert answer.exit_code == 2
    assert "git ls-files" in answer.stderr


def test_a_repository_of_somebody_else_is_said(work: Work, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    answer = run(work.root, "check")
    assert answer.exit_code == 2
    assert "safe.directory" in answer.stderr


def test_without_git_the_walk_is_taken(work: Work, monkeypatch: pytest.MonkeyPatch) -> None:
    """A `git` of the project is none, be PATH as careless as it may."""
    program = work.root / "git"
    program.write_text(f"#!/bin/sh\ntouch '{work.root.parent}/trace'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f".{os.pathsep}")
    answer = run(work.root, "check", "--format", "concise")
    assert answer.exit_code == 1
    assert "app/a.py:2" in answer.output
    assert not (work.root.parent / "trace").exists()


def test_line_ends_alone_are_no_change(work: Work) -> None:
    work.git("config", "core.autocrlf", "true")
    for name in ("app/a.py", MIGRATION):
        data = (work.root / name).read_bytes()
        (work.root / name).write_bytes(data.replace(b"\n", b"\r\n"))
    assert work.found() == []
    assert audit(Request(folder=work.root, select=("DAL407",))).open == ()


def test_an_expanded_id_is_no_change(work: Work) -> None:
    work.commit({MIGRATION: f"-- $Id$\n{TABLE}"})
    work.git("branch", "-f", "main")
    work.write({MIGRATION: f"-- $Id: 0123abc $\n{TABLE}"})
    assert work.found() == []


def test_what_a_sparse_checkout_keeps_out_is_said(work: Work, tmp_path: Path) -> None:
    root = tmp_path / "sparse"
    work.commit({"lib/a.py": IMPORT, "lib/notes.txt": "", ".github/workflows/a.yml": "on: push\n"})
    work.git("clone", "-q", f"file://{work.root}", str(root))
    _at(root).git("sparse-checkout", "set", "app")
    answer = run(root, "check", "--format", "json")
    said = json.loads(answer.stdout)
    reason = "not in this sparse checkout"
    assert any(line.endswith(f": {reason}") for line in said["assumptions"])
    passed = [clause for clause in said["clauses"] if reason in (clause.get("reason") or "")]
    assert {clause["verdict"] for clause in passed} == {"pass in part"}
    assert any(f"{reason}: lib/a.py" in clause["reason"] for clause in passed)
    assert not any(finding["rule"] == "DAL501" for finding in said["findings"])


def test_a_submodule_that_is_not_checked_out_is_said(work: Work, tmp_path: Path) -> None:
    inner = Work(tmp_path / "inner")
    inner.commit({"a.py": IMPORT})
    allowed = ("-c", "protocol.file.allow=always")
    work.git(*allowed, "submodule", "add", "-q", f"file://{inner.root}", "vendored")
    work.git("commit", "-q", "-m", "more")
    root = tmp_path / "clone"
    work.git("clone", "-q", f"file://{work.root}", str(root))
    answer = run(root, "check")
    assert "nothing wrong in vendored: submodules are not checked out" in answer.output


def test_a_large_file_is_compared_by_its_pointer(work: Work) -> None:
    pointer = large_file_pointer(TABLE.encode()).decode()
    work.commit({MIGRATION: pointer})
    work.git("branch", "-f", "main")
    work.write({MIGRATION: TABLE})
    assert work.found() == []
    work.write({MIGRATION: f"{TABLE}-- more\n"})
    assert work.found() != []


def test_what_another_filter_made_is_as_it_was_when_git_looked(work: Work, trap: Trap) -> None:
    """The index has what a filter made of a file, and the file's stamp."""
    trap.program.write_text("#!/bin/sh\ntr a-z n-za-m\n")
    work.git("config", "filter.turned.clean", str(trap.program))
    work.git("config", "filter.turned.smudge", str(trap.program))
    work.write({".gitattributes": "*.sql filter=turned\n"})
    work.commit({MIGRATION: f"{TABLE}-- turned\n"})
    work.git("branch", "-f", "main")
    assert "ghearq" in work.git("cat-file", "blob", f"HEAD:{MIGRATION}")
    trap.program.write_text(f"#!/bin/sh\ntouch '{trap.trace}'\ncat\n")
    assert work.found() == []
    work.write({MIGRATION: f"{TABLE}-- more\n"})
    assert work.found() != []
    assert not trap.trace.exists()
