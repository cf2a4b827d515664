"""What is written is whole or as it was, and standard output gets every byte or exit code 2."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from dal_audit.commands.init import plan_init
from dal_audit.discover.errors import UsageError
from dal_audit.disk.scratch_folder import scratch_folder
from dal_audit.disk.whole_file import put, write_whole
from tests.invocation import run
from tests.sampling import in_turn

posix = pytest.mark.skipif(sys.platform == "win32", reason="limits, links and pipes of POSIX")

LIMITED: Final = """\
import os, resource, signal, sys
resource.setrlimit(resource.RLIMIT_FSIZE, ({size}, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
sys.dont_write_bytecode = True  # Python takes half of a file for a whole one.
sys.argv = ["dal-audit", *sys.argv[1:]]
from dal_audit.commands.main import main
main()
"""
LEAKS: Final = "import sqlite3\nimport psycopg\n"
MIGRATION: Final = "CREATE TABLE IF NOT EXISTS t (id TEXT NOT NULL PRIMARY KEY, a CLOB);\n"
PROJECT: Final = "[project]\nname = 'a'\n" + "# what somebody wrote\n" * 100


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project of which much is to be said."""
    root = tmp_path / "project"
    for number in range(40):
        file = root / f"app/module_{number}.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(LEAKS)
    (root / "migrations").mkdir()
    (root / "migrations/0001_init.up.sql").write_text(MIGRATION + f"-- {'x' * 3000}\n")
    (root / "pyproject.toml").write_text(PROJECT)
    (root / "report.json").write_text("older\n")
    (root / "dal-audit-baseline.txt").write_text("")
    return root


def limited(root: Path, size: int, *words: str) -> tuple[int, str]:
    """Run where no file can be longer than a size; return the exit code and what is complained of."""
    command = [sys.executable, "-c", LIMITED.format(size=size), *words]
    answer = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    return answer.returncode, answer.stderr


def contents(root: Path) -> dict[str, bytes]:
    return {
        file.relative_to(root).as_posix(): file.read_bytes()
        for file in root.rglob("*")
        if file.is_file() and ".dal_audit_cache" not in file.parts
    }


WRITING = (
    ("baseline.toml", ("baseline", "--no-cache", "--grow", "--baseline", "baseline.toml")),
    ("report.json", ("check", "--no-cache", "--format", "json", "--output", "report.json")),
    ("pyproject.toml", ("init",)),
    ("migrations/0001_init.up.sql", ("check", "--no-cache", "--fix", "--unsafe-fixes")),
)
"""Files, and the commands that write them."""


@posix
@pytest.mark.parametrize(("writing", "size"), in_turn(WRITING, (0, 500, 2000)))
def test_on_a_full_disk_the_old_file_is_whole(
    writing: tuple[str, tuple[str, ...]], size: int, root: Path
) -> None:
    file, words = writing
    words = tuple(word for word in words if word != "--no-cache" or words[0] == "check")
    if words[0] == "baseline":
        (root / "dal-audit-baseline.txt").unlink()
        assert run(root, *words).exit_code == 0
        for name in "ab":
            (root / f"more_{name}.py").write_text(LEAKS * 20)
    before = contents(root)
    code, said = limited(root, size, *words)
    assert contents(root) == before
    assert code == 2
    # Where no file can be made at all, there is no folder for the time of the run either.
    assert Path(file).name in said or (size == 0 and "temporary directory" in said), said
    assert "Traceback" not in said


@posix
def test_links_stay_links_and_permissions_are_kept(root: Path) -> None:
    target = root / "kept/report.json"
    target.parent.mkdir()
    target.write_text("older")
    target.chmod(0o640)
    (root / "report.json").unlink()
    (root / "report.json").symlink_to(target)
    run(root, "check", "--format", "json", "--output", "report.json")
    assert (root / "report.json").is_symlink()
    assert target.read_text().startswith("{")
    assert target.stat().st_mode & 0o777 == 0o640
    assert sorted(path.name for path in target.parent.iterdir()) == ["report.json"]


@posix
def test_a_new_file_has_the_permissions_that_others_get(root: Path) -> None:
    umask = os.umask(0o027)
    try:
        write_whole(root / "new", b"x")
    finally:
        os.umask(umask)
    assert (root / "new").stat().st_mode & 0o777 == 0o640


@posix
def test_what_is_no_file_is_written_to_as_it_is(root: Path) -> None:
    command = f"exec {sys.executable} -m dal_audit check --format json --output /dev/stdout . | cat"
    shown = subprocess.run(["sh", "-c", command], cwd=root, capture_output=True, check=True)
    assert shown.stdout.startswith(b"{")
    assert shown.stdout.endswith(b"}\n")
    write_whole(Path(os.devnull), b"x")
    assert not Path(os.devnull).is_file()


def test_baselines_written_at_once_leave_a_whole_one(root: Path) -> None:
    (root / "dal-audit-baseline.txt").unlink()
    command = [sys.executable, "-m", "dal_audit", "baseline", "--baseline", "b.toml", "--grow"]
    running = [
        subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for _ in range(4)
    ]
    for process in running:
        process.communicate()
    assert [process.returncode for process in running] == [0] * 4
    assert run(root, "check", "--baseline", "b.toml", "--format", "concise").exit_code == 0
    assert not list(root.glob(".*.tmp"))


def test_init_overwrites_nothing_that_has_come_up(root: Path) -> None:
    plan = plan_init(root)
    (root / "pyproject.toml").write_text("[project]\n")
    with pytest.raises(UsageError, match="changed meanwhile"):
        plan.write()
    (root / "pyproject.toml").unlink()
    plan = plan_init(root)
    (root / "dal-audit.toml").write_text("# mine\n")
    with pytest.raises(FileExistsError, match=r"dal-audit\.toml"):
        plan.write()
    assert (root / "dal-audit.toml").read_text() == "# mine\n"


def test_nothing_is_left_of_what_fails(tmp_path: Path) -> None:
    def pieces() -> object:
        yield b"x"
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        put(tmp_path / "beside", tmp_path / "file", pieces())  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


# Standard output

SLOW: Final = """\
import os, sys, time
os.set_blocking(1, False)
sys.argv = ["dal-audit", "check", "--format", "sarif", "."]
from dal_audit.commands.main import main
main()
"""


@posix
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_all_bytes_or_exit_code_2(unbuffered: str, root: Path) -> None:
    environment = {**os.environ, "PYTHONUNBUFFERED": unbuffered}
    command = [sys.executable, "-c", LIMITED.format(size=1000), "check", "--format", "json", "."]
    with (root.parent / "out").open("wb") as out:
        answer = subprocess.run(
            command, cwd=root, env=environment, stdout=out, stderr=subprocess.PIPE, check=False
        )
    assert answer.returncode == 2
    assert b"standard output: file too large" in answer.stderr


@posix
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_reader_that_is_slow_gets_everything(unbuffered: str, root: Path) -> None:
    environment = {**os.environ, "PYTHONUNBUFFERED": unbuffered}
    whole = run(root, "check", "--format", "sarif").stdout
    with subprocess.Popen(
        [sys.executable, "-c", SLOW], cwd=root, env=environment, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        descriptor = process.stdout.fileno()
        shown = b"".join(iter(lambda: os.read(descriptor, 700), b""))
    assert len(shown) > 1 << 16  # More than a pipe holds.
    assert shown.decode() == whole


@posix
@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize(
    "words", [("check", "."), ("rules",), ("explain", "DAL1"), ("--help",), ("config",)]
)
def test_a_reader_that_goes_away_is_told_by_141(
    words: tuple[str, ...], unbuffered: str, root: Path
) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    answer = subprocess.run(
        [sys.executable, "-m", "dal_audit", *words],
        cwd=root,
        env={**os.environ, "PYTHONUNBUFFERED": unbuffered},
        stdout=writer,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(writer)
    assert (answer.returncode, answer.stderr) == (141, b"")


# Folders for the time of a run


@posix
def test_what_a_killed_run_left_is_removed_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    ours = tmp_path / f"dal-audit-{gone.pid}-abc"
    theirs = [tmp_path / "dal-audit-notes", tmp_path / f"dal-audit-{os.getpid()}-abc"]
    for folder in (ours, *theirs):
        folder.mkdir()
        (folder / "text").write_text("x")
    with scratch_folder() as folder:
        assert folder.is_dir()
        assert folder.stat().st_mode & 0o777 == 0o700
    assert not ours.exists()
    assert sorted(tmp_path.iterdir()) == sorted(theirs)
