"""A run that nothing changed for prints what the last one printed; any change makes it audit anew."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from dal_audit.commands import last_report
from dal_audit.commands.last_report import Rerun
from dal_audit.commands.parser import cli
from dal_audit.discover import sweep
from dal_audit.discover.cache_folder import CACHE
from dal_audit.discover.git_command import Answer, ask_git
from dal_audit.extract.cache_file import remove_cache
from dal_audit.extract.cache_form import head_of
from dal_audit.triage.baseline import baseline_text
from tests.examples import CHECKOUT
from tests.sampling import runs
from tests.test_cache_edits import CONFIGURATIONS, edit, edits, put, start

CALLS: Final = (
    ("check",),
    ("--format", "sarif"),
    ("check", "app"),
    ("--format", "json", "--exit-zero", "--show-suppressed"),
)


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep what is as young as the run, too; `tick` sees to it that edits have stamps of their own."""
    monkeypatch.setattr(last_report, "SETTLED_NS", 0)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a project in a repository, with a second one inside, some ignored and some empty."""
    root = tmp_path / "project"
    start(root)
    put(root / ".gitignore", "*.log\nignored/\nsecret.jsonl\n")
    put(root / "logs" / "a.log", "")
    put(root / "ignored" / "deep" / "a.py", "import sqlite3\n")
    (root / "empty" / "inner").mkdir(parents=True)
    configuration = f'baseline = "secret.jsonl"\n{CONFIGURATIONS["usual"]}'
    put(root / "dal-audit.toml", f"{configuration}\n[ci]\nstorage-tests = ['tests/*.json']\n")
    for path in ("words.json", "package.json", "tests/cases.json"):
        put(root / path, "")
    put(root / "secret.jsonl", baseline_text(Counter()))
    put(root / "library" / "own.py", "import redis\n")
    for folder in (root / "library", root):
        git(folder, "init", "-q", "-b", "main", ".")
        git(folder, "add", ".")
        git(folder, "commit", "-q", "-m", "first")
    (root / CACHE).mkdir()
    monkeypatch.chdir(root)
    monkeypatch.setenv("HOME", str(tmp_path))
    tick(tmp_path)
    return root


def git(folder: Path, *words: str) -> None:
    """Run git in a folder."""
    settings = ("-c", "user.name=a", "-c", "user.email=a@b", "-c", "advice.addEmbeddedRepo=false")
    subprocess.run(["git", *settings, *words], cwd=folder, check=True, capture_output=True)


def tick(outside: Path) -> None:
    """Wait until a file that is written now is younger than all that was written before."""
    mark = outside / "tick"
    mark.write_text("")
    before = mark.stat().st_mtime_ns
    while mark.stat().st_mtime_ns == before:
        time.sleep(0.001)
        mark.write_text("")


def ran(*words: str) -> tuple[int, bytes]:
    """Audit, and keep what is printed."""
    rerun = Rerun(words)
    result = CliRunner().invoke(cli, list(words), obj=rerun)
    return result.exit_code, result.stdout_bytes


def printed(*words: str) -> tuple[int, bytes] | None:
    """Return what a run prints that does not audit."""
    return Rerun(words).printed()


@pytest.mark.parametrize("words", CALLS, ids=" ".join)
def test_the_next_run_prints_the_same(project: Path, words: tuple[str, ...]) -> None:
    assert printed(*words) is None
    first = ran(*words)
    assert printed(*words) == first
    assert first[1]
    for other in CALLS:
        assert (printed(*other) is None) == (other != words), project


def test_a_run_in_a_folder_of_the_project_does_so_too(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project / "app")
    first = ran("check", ".")
    assert printed("check", ".") == first
    monkeypatch.chdir(project)
    assert printed("check", ".") is None


def test_a_folder_that_git_ignores_counts_where_it_is_asked_for(
    project: Path, tmp_path: Path
) -> None:
    ran("check")
    put(project / "app" / "one.py", "import redis\n")
    tick(tmp_path)
    ran("check", "ignored")
    assert printed("check", "ignored") is not None
    tick(tmp_path)
    put(project / "ignored" / "deep" / "b.py", "import redis\n")
    assert printed("check", "ignored") is None


def link_elsewhere(root: Path) -> None:
    (root / "app" / "two.py").unlink()
    (root / "app" / "two.py").symlink_to("one.py")


def swap(root: Path) -> None:
    """Exchange two files of one size, with their times."""
    one, other = root / "app" / "one.py", root / "app" / "two.py"
    one.replace(root / "app" / "three.py")
    other.replace(one)
    (root / "app" / "three.py").replace(other)


CHANGES: Final[dict[str, Callable[[Path], object]]] = {
    "a file is edited": lambda root: put(root / "app" / "one.py", "import redis\n"),
    "a file is touched": lambda root: (root / "app" / "one.py").touch(),
    "two files are exchanged": swap,
    "a file becomes a link": link_elsewhere,
    "a file is removed": lambda root: (root / "app" / "one.py").unlink(),
    "a file is added": lambda root: put(root / "app" / "new.py", "import redis\n"),
    "a file is added to an empty folder": lambda root: put(root / "empty" / "inner" / "a.py", ""),
    "a file is added to a folder of ignored files": lambda root: put(root / "logs" / "a.py", ""),
    "a folder is moved": lambda root: (root / "app" / "part").rename(root / "app" / "parts"),
    "a file of words becomes a program": lambda root: (root / "words.json").replace(root / "words"),
    "a file of settings is edited": lambda root: put(root / "package.json", "{}"),
    "a configured file is edited": lambda root: put(root / "tests" / "cases.json", "{}"),
    "a file can no longer be read": lambda root: (root / "app" / "one.py").chmod(0),
    "git ignores less": lambda root: put(root / ".gitignore", "*.log\nsecret.jsonl\n"),
    "git ignores more by another file": lambda root: put(root / "app" / ".gitignore", "one.py\n"),
    "git ignores more in this clone": lambda root: put(root / ".git/info/exclude", "one.py\n"),
    "git ignores more for this user": lambda root: put(
        root.parent / ".config/git/ignore", "one.py\n"
    ),
    "git is configured for this user": lambda root: put(
        root.parent / ".gitconfig", "[core]\n\texcludesFile = ~/mine\n"
    ),
    "a file is added to the index": lambda root: git(root, "add", "-f", "ignored/deep/a.py"),
    "a commit is made": lambda root: git(root, "commit", "-q", "--allow-empty", "-m", "next"),
    "a branch appears": lambda root: git(root, "branch", "other"),
    "the inner repository commits": lambda root: git(
        root / "library", "commit", "-q", "--allow-empty", "-m", "next"
    ),
    "the repository goes": lambda root: shutil.rmtree(root / ".git"),
    "the project is configured otherwise": lambda root: put(
        root / "dal-audit.toml", CONFIGURATIONS["wide"]
    ),
    "the ignored baseline is edited": lambda root: put(root / "secret.jsonl", ""),
    "a folder inside is configured": lambda root: put(root / "app/part/dal-audit.toml", ""),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=list(CHANGES))
def test_after_a_change_it_is_audited_anew(
    project: Path, change: Callable[[Path], object], tmp_path: Path
) -> None:
    ran("check")
    assert printed("check") is not None
    tick(tmp_path)
    change(project)
    assert printed("check") is None


@pytest.mark.parametrize(
    "change",
    [
        lambda root: put(root / "logs" / "b.log", "more"),
        lambda root: put(root / "ignored" / "deep" / "a.py", "import redis\n"),
        lambda root: put(root / "ignored" / "b.py", "import redis\n"),
        lambda root: put(root / CACHE / "else", ""),
        lambda root: put(root.parent / "else", ""),
        lambda root: put(root / "app" / "words.json", "{}"),
    ],
    ids=[
        *("a log that holds nothing", "an ignored file", "a new one", "the cache", "elsewhere"),
        "a listed file that nobody reads",
    ],
)
def test_what_is_no_part_of_the_project_may_change(
    project: Path, change: Callable[[Path], object], tmp_path: Path
) -> None:
    (project / "logs" / "b.log").write_text("")
    put(project / "app" / "words.json", "")
    tick(tmp_path)
    first = ran("check")
    tick(tmp_path)
    change(project)
    assert printed("check") == first


def test_a_configuration_above_a_project_without_one_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "above" / "project"
    put(root / "a.py", "import sqlite3\n")
    (root / CACHE).mkdir()
    monkeypatch.chdir(root)
    tick(tmp_path)
    first = ran("check", "--select", "DAL101", ".")
    assert printed("check", "--select", "DAL101", ".") == first
    put(tmp_path / "above" / "dal-audit.toml", 'exclude = ["a.py"]\n')
    assert printed("check", "--select", "DAL101", ".") is None


@pytest.mark.parametrize("name", [*last_report.ENVIRONMENT, "GIT_CONFIG_GLOBAL"])
def test_the_environment_counts(project: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    ran("check")
    monkeypatch.setenv(name, str(project))
    assert printed("check") is None


def test_every_variable_that_the_package_reads_is_known() -> None:
    """But those that git is run with, and what decides of completions and progress."""
    read = set()
    for file in (CHECKOUT / "dal_audit" / "commands").glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            called = ast.unparse(node.func) if isinstance(node, ast.Call) else ""
            if called in {"environment.get", "os.environ.get"}:
                read.update(re.findall(r"\('(\w+)'", ast.unparse(node)))
    assert "NO_COLOR" in read
    assert read <= {*last_report.ENVIRONMENT}


def test_a_date_counts(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ran("check")
    assert printed("check") is not None, project
    now = time.localtime(time.time() + 86_400)
    monkeypatch.setattr(last_report, "localtime", lambda: now)
    assert printed("check") is None


@pytest.mark.parametrize(
    "words",
    [
        ("--no-cache",),
        ("--no-shortcuts",),
        ("--verbose",),
        ("--cache-dir", "kept"),
        ("--output", "out.txt", "--format", "text"),
        ("--diff",),
        ("--stdin-filename", "app/one.py", "-"),
        ("no-such-folder",),
    ],
    ids=" ".join,
)
def test_what_does_more_than_print_is_done_each_time(project: Path, words: tuple[str, ...]) -> None:
    ran(*words)
    assert printed(*words) is None
    assert not list((project / CACHE).glob("*.report"))


def test_nothing_is_kept_that_is_as_young_as_the_run(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(last_report, "SETTLED_NS", 10**15)
    ran("check")
    assert printed("check") is None, project


def test_a_folder_of_reports_that_git_tracks_or_a_link_leads_to_is_not_believed(
    project: Path, tmp_path: Path
) -> None:
    ran("check")
    folder = project / CACHE
    folder.rename(tmp_path / "moved")
    folder.symlink_to(tmp_path / "moved")
    assert printed("check") is None
    folder.unlink()
    (tmp_path / "moved").rename(folder)
    git(project, "add", "-f", CACHE)
    tick(tmp_path)
    ran("check")
    assert printed("check") is None


def test_nothing_is_kept_where_a_link_leads_to_a_folder(project: Path, tmp_path: Path) -> None:
    put(tmp_path / "elsewhere" / "a.py", "import redis\n")
    (project / "linked").symlink_to(tmp_path / "elsewhere")
    tick(tmp_path)
    ran("check")
    assert printed("check") is None


def test_a_report_counts_in_the_project_that_it_was_kept_of(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran("check")
    inner = project / "app"
    (project / CACHE).rename(inner / CACHE)
    monkeypatch.chdir(inner)
    assert printed("check") is None, tmp_path


def test_few_reports_are_kept_and_clean_removes_them(project: Path) -> None:
    for number in range(last_report.MOST_KEPT + 3):
        ran("check", "--jobs", str(number + 1))
    kept = list((project / CACHE).glob("*.report"))
    assert len(kept) == last_report.MOST_KEPT
    remove_cache(project / CACHE)
    assert not (project / CACHE).exists()


@settings(max_examples=runs(200))
@given(data=st.data())
def test_whatever_is_wrong_with_the_file_it_is_as_if_it_were_not_there(data: st.DataObject) -> None:
    key = b"k" * 32
    payload = last_report.encoded(1, (b"/root", b"report", b"a\0b", bytes(64)))
    whole = head_of(key, payload) + payload
    assert last_report.decoded(whole, key) is not None
    size = data.draw(st.integers(0, len(whole) - 1))
    changed = bytearray(whole)
    changed[size] ^= data.draw(st.integers(1, 255))
    for damaged in (whole[:size], bytes(changed), whole + b"x", data.draw(st.binary())):
        assert last_report.decoded(damaged, key) is None


def test_a_right_checksum_over_wrong_counts_is_nothing() -> None:
    key = b"k" * 32
    for payload in (b"", b"\0" * 39, b"\xff" * 40, (2**40).to_bytes(8, "little") * 5, b"\0" * 48):
        assert last_report.decoded(head_of(key, payload) + payload, key) is None
    payload = b"\0" * 40
    assert last_report.decoded(head_of(key, payload) + payload, key) is not None


@settings(max_examples=runs(60))
@given(done=st.lists(st.lists(edits, min_size=0, max_size=2), min_size=1, max_size=5))
def test_after_any_edits_it_prints_what_an_audit_without_a_cache_prints(
    done: Sequence[Sequence[tuple[str, str, str]]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    outside = tmp_path_factory.mktemp("edited")
    root = outside / "project"
    start(root)
    (root / CACHE).mkdir()
    before = Path.cwd()
    os.chdir(root)
    try:
        for several in done:
            for what, name, said in several:
                edit(root, what, name, said)
            tick(outside)
            cold = CliRunner().invoke(cli, ["--no-cache", "--format", "json"])
            expected = cold.exit_code, cold.stdout_bytes
            assert (printed("--format", "json") or ran("--format", "json")) == expected
            kept = printed("--format", "json")
            assert kept is None or kept == expected
    finally:
        os.chdir(before)


def test_git_is_asked_once_what_it_ignores_however_many_folders_are_empty(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def counted(top: Path, *words: str, **given: Any) -> Answer:
        asked.append(words[0])
        return ask_git(top, *words, **given)

    monkeypatch.setattr(sweep, "ask_git", counted)
    for number in range(5):
        (project / "empty" / str(number)).mkdir()
    ran("check")
    assert sorted(asked) == ["check-ignore", "config"]


def test_a_file_that_says_what_git_ignores_counts_though_git_ignores_it(
    project: Path, tmp_path: Path
) -> None:
    rules = project / "app" / ".gitignore"
    put(rules, ".gitignore\n")
    tick(tmp_path)
    ran("check")
    assert printed("check") is not None
    tick(tmp_path)
    put(rules, ".gitignore\none.py\n")
    assert printed("check") is None


def test_the_index_of_a_linked_work_tree_counts(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree = tmp_path / "tree"
    git(project, "worktree", "add", "-q", str(tree), "-b", "topic")
    (tree / CACHE).mkdir()
    put(tree / "ignored" / "a.py", "import sqlite3\n")
    put(tree / "secret.jsonl", baseline_text(Counter()))
    monkeypatch.chdir(tree)
    tick(tmp_path)
    ran("check")
    assert printed("check") is not None
    tick(tmp_path)
    git(tree, "add", "-f", "ignored/a.py")
    assert printed("check") is None
