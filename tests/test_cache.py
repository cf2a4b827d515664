"""The cache: a warm audit says what a cold one says, whatever happened in between."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

import dal_audit.extract.cache as cache_module
import dal_audit.extract.extractor
from dal_audit.audit import audit
from dal_audit.commands.parser import cli
from dal_audit.extract import second_look as inspection
from dal_audit.extract.cache import Cache
from dal_audit.extract.cache_file import write_cache
from dal_audit.facts import SourceFile
from dal_audit.policy.request import Request
from dal_audit.report.render import render
from tests.examples import CHECKOUT, TODAY
from tests.sampling import runs

LATER_NS = 3600 * 1_000_000_000


@pytest.fixture(autouse=True)
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Audit an hour later: what was changed just before an audit is not kept."""
    now = time.time_ns
    monkeypatch.setattr(cache_module, "now_ns", lambda: now() + LATER_NS)


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Collect the names of the files whose facts are extracted."""
    names: list[str] = []

    def watch(module: ModuleType, name: str) -> None:
        real = getattr(module, name)

        def watched(file: SourceFile, *rest: object, **named: object) -> object:
            names.append(Path(file.path).name)
            return real(file, *rest, **named)

        monkeypatch.setattr(module, name, watched)

    watch(dal_audit.extract.extractor, "read_file")
    watch(inspection, "evidence_of")
    return names


def project(tmp_path: Path, fixture: str = "leaks") -> Path:
    """Copy a fixture."""
    root = tmp_path / "project"
    shutil.copytree(
        CHECKOUT / "fixtures" / fixture, root, ignore=shutil.ignore_patterns(".dal_audit_cache")
    )
    return root


def told(root: Path, *, cache: bool, config: Path | None = None) -> str:
    """Audit a project and return all that is said of it."""
    request = Request(folder=root, today=TODAY, cache=cache, jobs=1, config=config)
    report = audit(request)
    return render(report, "json") + render(report, "sarif") + render(report, "text")


def kept(root: Path) -> Path:
    """Return the place of a project's cache."""
    return root / ".dal_audit_cache" / "facts"


@pytest.mark.parametrize("fixture", ["demo", "interface", "leaks", "portable"])
def test_a_second_audit_reads_nothing_and_says_the_same(
    fixture: str, tmp_path: Path, read: list[str]
) -> None:
    root = project(tmp_path, fixture)
    first = told(root, cache=True)
    assert read
    read.clear()
    assert told(root, cache=True) == first == told(tmp_path / "project", cache=True)
    assert read == []
    assert told(root, cache=False) == first


def test_only_what_changed_is_read_again(tmp_path: Path, read: list[str]) -> None:
    root = project(tmp_path)
    told(root, cache=True)
    changed = root / "tools" / "pool.py"
    changed.write_text(changed.read_text() + "\nimport sqlite3\n")
    read.clear()
    warm = told(root, cache=True)
    assert set(read) == {"pool.py"}
    assert warm == told(root, cache=False)


def test_a_file_is_known_by_its_content_where_its_stamp_differs(
    tmp_path: Path, read: list[str]
) -> None:
    root = project(tmp_path)
    first = told(root, cache=True)
    for path in root.rglob("*.py"):
        os.utime(path, ns=(1, 1))
    read.clear()
    assert told(root, cache=True) == first
    assert read == []


def test_a_changed_configuration_reads_nothing(tmp_path: Path, read: list[str]) -> None:
    root = project(tmp_path)
    told(root, cache=True)
    config = root / "dal-audit.toml"
    config.write_text('severity = { driver-import = "warning" }\n' + config.read_text())
    read.clear()
    warm = told(root, cache=True)
    assert read == []
    assert warm == told(root, cache=False)


@pytest.mark.parametrize("module", ["json", "acme"])
def test_another_catalogue_is_another_cache(tmp_path: Path, module: str) -> None:
    root = project(tmp_path)
    (root / "user.py").write_text(f"import {module}\n")
    told(root, cache=True)
    config = root / "dal-audit.toml"
    config.write_text(f'extend-drivers = ["{module}"]\n' + config.read_text())
    assert told(root, cache=True) == told(root, cache=False)


def test_what_changed_just_now_is_not_kept(
    tmp_path: Path, read: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache_module, "now_ns", time.time_ns)
    root = project(tmp_path)
    first = told(root, cache=True)
    read.clear()
    assert told(root, cache=True) == first
    assert read


def test_a_file_that_changes_during_the_audit_is_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = project(tmp_path)
    victim = root / "tools" / "pool.py"
    real = dal_audit.extract.extractor.extract_file

    def meddling(file: SourceFile, *rest: object) -> object:
        found = real(file, *rest)  # type: ignore[arg-type]
        if file.path.endswith("pool.py"):
            victim.write_text("import sqlite3\n")
        return found

    monkeypatch.setattr(dal_audit.extract.extractor, "extract_file", meddling)
    told(root, cache=True)
    monkeypatch.setattr(dal_audit.extract.extractor, "extract_file", real)
    assert told(root, cache=True) == told(root, cache=False)


OPERATIONS = ("append", "copy", "delete", "empty", "move", "break", "link")


@settings(max_examples=runs(20))
@given(
    edits=st.lists(
        st.tuples(st.sampled_from(OPERATIONS), st.integers(0, 99), st.integers(0, 99)),
        min_size=1,
        max_size=6,
    ),
    fixture=st.sampled_from(["leaks", "interface", "portable"]),
)
def test_after_any_edits_a_warm_audit_says_what_a_cold_one_says(
    edits: Sequence[tuple[str, int, int]],
    fixture: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    root = project(tmp_path_factory.mktemp("edits"), fixture)
    told(root, cache=True)
    for name, one, other in edits:
        files = sorted(
            path for path in root.rglob("*.*") if path.suffix in {".py", ".sql"} and path.exists()
        )
        if files:
            edit(name, files[one % len(files)], files[other % len(files)])
        assert told(root, cache=True) == told(root, cache=False)


def edit(name: str, path: Path, other: Path) -> None:
    """Do something to a file."""
    if name == "append":
        path.write_bytes(path.read_bytes() + b"\nimport psycopg as driver\n")
    elif name == "copy":
        path.write_bytes(other.read_bytes())
    elif name == "delete":
        path.unlink()
    elif name == "empty":
        path.write_bytes(b"")
    elif name == "break":
        path.write_bytes(path.read_bytes() + b"\n\xff (\n")
    elif name == "move" and path != other:
        path.replace(path.with_name(f"moved_{path.name}"))
    elif name == "link" and path != other:
        path.unlink()
        path.symlink_to(other)


@settings(max_examples=runs(60))
@given(data=st.data())
def test_a_spoilt_cache_is_as_none(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    root = SPOILT.setdefault("root", project(tmp_path_factory.mktemp("spoilt")))
    cold = SPOILT_TOLD.setdefault("cold", told(root, cache=False))
    told(root, cache=True)
    whole = kept(root).read_bytes()
    start = data.draw(st.integers(0, len(whole)))
    end = data.draw(st.integers(start, min(len(whole), start + 200)))
    kept(root).write_bytes(whole[:start] + data.draw(st.binary(max_size=50)) + whole[end:])
    assert told(root, cache=True) == cold


SPOILT: dict[str, Path] = {}
SPOILT_TOLD: dict[str, str] = {}


@settings(max_examples=200)
@given(payload=st.binary(max_size=200))
def test_a_payload_of_any_bytes_is_read_by_its_types_or_not_at_all(
    payload: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    place = tmp_path_factory.getbasetemp() / "any"
    key = b"k" * 32
    write_cache(place, key, [payload], 0)
    Cache(place, key)


def test_a_cache_that_cannot_be_written_is_none(tmp_path: Path) -> None:
    root = project(tmp_path)
    (root / ".dal_audit_cache").write_text("a file")
    assert told(root, cache=True) == told(root, cache=False)
    assert (root / ".dal_audit_cache").read_text() == "a file"


def test_a_cache_that_git_tracks_is_not_believed(tmp_path: Path, read: list[str]) -> None:
    root = project(tmp_path)
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b.c"]
    subprocess.run([*git, "init", "-q"], cwd=root, check=True)
    told(root, cache=True)
    subprocess.run([*git, "add", "-f", "."], cwd=root, check=True)
    leak = root / "tools" / "redis.py"
    leak.write_bytes(b"import sqlite3\n")
    stamped = kept(root).stat().st_mtime_ns
    read.clear()
    warm = told(root, cache=True)
    assert "pool.py" in read
    assert warm == told(root, cache=False)
    assert kept(root).stat().st_mtime_ns == stamped


def test_the_folder_is_ignored_by_git_and_backups(tmp_path: Path) -> None:
    root = project(tmp_path)
    subprocess.run(["git", "init", "-q"], cwd=root, check=True)
    told(root, cache=True)
    said = subprocess.run(
        ["git", "status", "--porcelain", "--untracked-files=all"],
        cwd=root,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    assert "dal_audit_cache" not in said
    assert (root / ".dal_audit_cache" / "CACHEDIR.TAG").read_text().startswith("Signature: 8a477f")


def test_what_a_killed_run_left_is_removed_in_time(tmp_path: Path) -> None:
    root = project(tmp_path)
    told(root, cache=True)
    old, young = kept(root).with_name("facts-1.tmp"), kept(root).with_name("facts-2.tmp")
    old.write_bytes(b"")
    young.write_bytes(b"")
    os.utime(old, ns=(1, 1))
    os.utime(young, ns=(time.time_ns() + LATER_NS, time.time_ns() + LATER_NS))
    (root / "tools" / "new.py").write_text("import os\n")
    told(root, cache=True)
    assert not old.exists()
    assert young.exists()


def test_the_file_is_the_user_s_like_any_other(tmp_path: Path) -> None:
    root = project(tmp_path)
    told(root, cache=True)
    if os.name == "posix":
        umask = os.umask(0)
        os.umask(umask)
        assert kept(root).stat().st_mode & 0o777 == 0o666 & ~umask


def test_runs_side_by_side_do_not_disturb_each_other(tmp_path: Path) -> None:
    root = project(tmp_path)
    command = [sys.executable, "-m", "dal_audit", "--format", "json", "."]
    started = [
        subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for _ in range(4)
    ]
    answers = [process.communicate() for process in started]
    assert {process.returncode for process in started} == {1}
    assert len({out for out, _ in answers}) == 1
    assert {err for _, err in answers} == {b""}


def test_several_projects_share_a_folder(tmp_path: Path) -> None:
    root = project(tmp_path, "monorepo")
    request = Request(folder=root, today=TODAY, cache=True, cache_folder=Path("kept"))
    first = render(audit(request), "json")
    assert len(list((root / "kept").glob("*.facts"))) > 1
    assert render(audit(request), "json") == first


def test_clean_removes_the_cache_and_nothing_else(tmp_path: Path) -> None:
    root = project(tmp_path)
    told(root, cache=True)
    own = root / ".dal_audit_cache" / "mine.txt"
    own.write_text("mine")
    answer = CliRunner().invoke(cli, ["clean", str(root)])
    assert answer.exit_code == 0
    assert re.search(
        r"^removed \S*\.dal_audit_cache: 1 file, \d+ KiB$", answer.stdout, re.MULTILINE
    )
    assert list((root / ".dal_audit_cache").iterdir()) == [own]
    own.unlink()
    told(root, cache=True)
    assert CliRunner().invoke(cli, ["clean", str(root)]).exit_code == 0
    assert not (root / ".dal_audit_cache").exists()
    assert CliRunner().invoke(cli, ["clean", str(root)]).exit_code == 0


def test_clean_follows_no_link(tmp_path: Path) -> None:
    root = project(tmp_path)
    other = tmp_path / "other"
    other.mkdir()
    (other / "facts").write_text("precious")
    (root / ".dal_audit_cache").symlink_to(other)
    assert CliRunner().invoke(cli, ["clean", str(root)]).exit_code == 0
    assert (other / "facts").read_text() == "precious"


def test_lone_surrogates_in_strings_are_no_obstacle(tmp_path: Path) -> None:
    """An escape in a string can make what no encoding holds."""
    text = "import sqlite3\n__all__ = ['\\ud801']\nsqlite3.execute('SELECT 1 FROM x -- \\ud801')\n"
    for number in range(4):
        (tmp_path / f"module_{number}.py").write_text(text)
    cold = told(tmp_path, cache=False)
    assert cold.count("DAL108") >= 4
    assert told(tmp_path, cache=True) == cold
    assert told(tmp_path, cache=True) == cold
