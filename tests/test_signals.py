"""Signals that end a run, at every moment: their exit codes, and what is left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Final

import pytest

from dal_audit.disk.scratch_folder import scratch_folder
from dal_audit.disk.whole_file import write_whole
from tests.sampling import EVERYTHING

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")

RUN: Final = """\
import builtins, os, signal, sys

class Watch:
    '''Sends a signal when a module is first looked for.'''

    def find_spec(self, name, path=None, target=None):
        if name == {module!r}:
            sys.meta_path.remove(self)
            os.kill(os.getpid(), signal.{name})
        return None

sys.meta_path.insert(0, Watch())
{before}
sys.argv = ["dal-audit", *{words!r}]
from dal_audit.commands.main import main
main()
"""
WHILE_FIXING: Final = """\
import dal_audit.commands.fix as fix
write = fix._Work._take
def taken(self, texts):
    write(self, texts)
    assert list(self.folder.iterdir())
    os.kill(os.getpid(), signal.{name})
fix._Work._take = taken
"""
WHILE_SAVING: Final = """\
import pathlib
replace = pathlib.Path.replace
pathlib.Path.replace = lambda *_: os.kill(os.getpid(), signal.{name})
"""
RUN_AS_MODULE: Final = """\
import runpy
runpy.run_module("dal_audit", run_name="__main__")
"""
CODES: Final = {"SIGINT": 130, "SIGTERM": 143, "SIGHUP": 129}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project, and beside it the folder for what is temporary."""
    root = tmp_path / "project"
    (root / "migrations").mkdir(parents=True)
    (root / "a.py").write_text("import sqlite3\n")
    (root / "migrations/0001_init.up.sql").write_text("CREATE TABLE IF NOT EXISTS t (a CLOB);\n")
    (tmp_path / "temporary").mkdir()
    return root


def ended(root: Path, *words: str, name: str, module: str = "", before: str = "") -> int:
    """Return the exit code of a run that is sent a signal at some moment; it leaves nothing."""
    code = RUN.format(module=module, name=name, before=before.format(name=name), words=words)
    answer = subprocess.run(
        [sys.executable, "-c", code],
        cwd=root,
        env={**os.environ, "TMPDIR": str(root.parent / "temporary")},
        capture_output=True,
        check=False,
    )
    assert list((root.parent / "temporary").iterdir()) == []
    assert answer.stdout == b""
    # What clears up nothing is left to end as the system ends it.
    is_told = answer.returncode > 0
    assert answer.stderr == (b"error: interrupted\n" if is_told else b"")
    return answer.returncode if is_told else 128 - answer.returncode


MOMENTS: Final = (
    "click",
    "msgspec",
    "dal_audit.commands.parser",
    "dal_audit.commands.check",
    "dal_audit.audit",
    "dal_audit.discover.git_command",
    "dal_audit.extract.python.module_facts",
    "dal_audit.extract.sql.scripts",
    "dal_audit.report.diagnostic",
)
"""Modules, when they are first looked for; by day each of them is met by one signal in turn."""


@pytest.mark.parametrize(
    ("module", "name"),
    [
        (module, name)
        for number, module in enumerate(MOMENTS)
        for turn, name in enumerate(CODES)
        if EVERYTHING or number % len(CODES) == turn
    ],
)
def test_at_every_moment_it_is_the_signal_s_own_code(module: str, name: str, root: Path) -> None:
    words = ("check", "--no-cache", "--shortcuts", ".")  # Such words are click's to read.
    assert ended(root, *words, name=name, module=module) == CODES[name]


@pytest.mark.parametrize("way", ["import dal_audit.__main__", RUN_AS_MODULE])
@pytest.mark.parametrize("module", ["dal_audit.commands", "dal_audit.commands.output"])
def test_while_it_is_loaded_ctrl_c_ends_it_as_the_system_does(
    module: str, way: str, root: Path
) -> None:
    assert ended(root, "check", ".", name="SIGINT", module=module, before=way) == 130


def test_an_ignored_ctrl_c_stays_ignored(root: Path) -> None:
    code = RUN.format(
        module="dal_audit.audit",
        name="SIGINT",
        before="signal.signal(signal.SIGINT, signal.SIG_IGN)\nimport dal_audit.__main__",
        words=("check", "--no-cache", "--exit-zero"),
    )
    answer = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, check=False
    )
    assert (answer.returncode, answer.stderr) == (0, b"")


@pytest.mark.parametrize("name", CODES)
def test_no_copy_of_a_source_stays(name: str, root: Path) -> None:
    words = ("check", "--no-cache", "--fix", "--unsafe-fixes")
    assert ended(root, *words, name=name, before=WHILE_FIXING) == CODES[name]


def test_handlers_are_as_they_were(tmp_path: Path) -> None:
    before = signal.getsignal(signal.SIGTERM)
    write_whole(tmp_path / "file", b"x")
    with scratch_folder():
        assert signal.getsignal(signal.SIGTERM) is not before
    assert signal.getsignal(signal.SIGTERM) is before
    thread = threading.Thread(target=write_whole, args=(tmp_path / "other", b"x"))
    thread.start()
    thread.join()
    assert (tmp_path / "other").is_file()


@pytest.mark.parametrize("name", CODES)
@pytest.mark.parametrize(
    "words",
    [
        ("baseline", "--baseline", "b.toml"),
        ("check", "--no-cache", "--format", "json", "--output", "out.json"),
        ("check", "--no-cache", "--fix", "--unsafe-fixes"),
    ],
)
def test_nothing_half_written_stays(name: str, words: tuple[str, ...], root: Path) -> None:
    before = sorted(root.rglob("*"))
    assert ended(root, *words, name=name, before=WHILE_SAVING) == CODES[name]
    left = [path for path in sorted(root.rglob("*")) if ".dal_audit_cache" not in path.parts]
    assert left == before


def test_what_is_ignored_stays_ignored(root: Path) -> None:
    code = RUN.format(
        module="dal_audit.audit",
        name="SIGHUP",
        before="signal.signal(signal.SIGHUP, signal.SIG_IGN)",
        words=("check", "--no-cache", "--exit-zero"),
    )
    answer = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, check=False
    )
    assert (answer.returncode, answer.stderr) == (0, b"")
