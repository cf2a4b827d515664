"""Let everything fail that can: `python -m tests.tools.faults [--count N] [FAULT…]`.

Runs are killed at a random write of the cache, of `--fix`, of a baseline, of `init` and of a report;
they meet a full disk, a folder that is read-only, no HOME, no more open files, 400 MB of memory, a
clock that goes back, and seven others on one cache. Whatever was written is whole or as it was, the
exit code is one of the documented ones, and the next run finds what a first one finds. Ends with 1
where that is not so.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Final

from msgspec import Struct

from tests.tools.children import CHECKOUT, Ended, audited

SECONDS: Final = 300
KILL: Final = """\
import os, signal
import dal_audit.disk.whole_file as disk
left = {left}
def counted(function):
    def called(*words, **named):
        global left
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*words, **named)
    return called
class Stream:
    def __init__(self, stream):
        self.stream = stream
        self.flush, self.fileno = counted(stream.flush), stream.fileno
    def write(self, data):
        for start in range(0, len(data), 512):
            counted(self.stream.write)(data[start : start + 512])
            self.stream.flush()
    def __enter__(self):
        return self
    def __exit__(self, *_):
        self.stream.close()
opened = disk._opened
disk._opened = lambda *words: Stream(counted(opened)(*words))
disk.Path.replace = counted(disk.Path.replace)
disk.Path.unlink = counted(disk.Path.unlink)
disk._move_new = counted(disk._move_new)
"""
"""Ends the process at one of the steps of a write, by number: each 512 bytes are one."""

SETTLED: Final = """\
import time
import dal_audit.extract.cache as cache
cache.now_ns = lambda: time.time_ns() + {ahead} * 10**9
"""
"""Keep facts of files that are as young as the run; or let the clock be wrong."""

LIMIT: Final = """\
import resource, signal, sys
resource.setrlimit(resource.{what}, ({size}, {size}))
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
sys.dont_write_bytecode = True
"""

WRITERS: Final[dict[str, tuple[str, ...]]] = {
    "cache": ("check", "--format", "json", "."),
    "fix": ("check", "--no-cache", "--fix", "--unsafe-fixes", "--format", "json", "."),
    "baseline": ("baseline", "--grow", "."),
    "init": ("init", "."),
    "output": ("check", "--no-cache", "--format", "json", "--output", "report.json", "."),
}
FILES: Final[dict[str, str]] = {
    "cache": ".dal_audit_cache/facts",
    "fix": "migrations/0001_init.up.sql",
    "baseline": ".dal-audit-baseline.jsonl",
    "init": "dal-audit.toml",
    "output": "report.json",
}


class Tally(Struct):
    """How often a fault was met, and what went wrong by it."""

    name: str
    count: int = 0
    hit: int = 0
    wrong: list[str] = []

    def expect(self, what: str, *, holds: bool) -> None:
        """Note what does not hold."""
        if not holds:
            self.wrong.append(what)


def main() -> int:
    """Meet each fault as often as asked for, and tell of each."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.tools.faults",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("faults", nargs="*", help=f"of {', '.join(FAULTS)} [all]")
    parser.add_argument("--count", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    wrong = 0
    for name in options.faults or FAULTS:
        for tally in FAULTS[name](options.count, random.Random(options.seed)):
            print(
                f"{tally.name:26}{tally.count:>6} runs{tally.hit:>6} hit{len(tally.wrong):>5} wrong"
            )
            print("".join(f"  {what}\n" for what in tally.wrong[:5]), end="", flush=True)
            wrong += len(tally.wrong)
    return int(wrong > 0)


def project(folder: Path) -> Path:
    """Make a project in a folder that has something for each writer."""
    root = folder / "project"
    shutil.copytree(Path(CHECKOUT) / "fixtures/leaks", root)
    shutil.rmtree(root / ".dal_audit_cache", ignore_errors=True)
    (root / "dal-audit.toml").unlink(missing_ok=True)
    (root / "pyproject.toml").unlink(missing_ok=True)
    (root / "migrations").mkdir(exist_ok=True)
    table = "CREATE TABLE IF NOT EXISTS t{0} (id TEXT NOT NULL PRIMARY KEY, a CLOB);\n"
    (root / FILES["fix"]).write_text("".join(map(table.format, range(99))))
    (root / FILES["output"]).write_text("older\n" * 99)
    return root


def said(root: Path) -> bytes:
    """Return what a run finds that neither takes nor keeps anything."""
    return audited(root, "check", "--no-cache", "--format", "json", ".").out


def is_documented(done: Ended) -> bool:
    """Return whether a run ended as the documents say that runs end."""
    return not done.is_crash and not done.is_hung


def killed(
    count: int, chance: random.Random, writers: Collection[str] = tuple(WRITERS)
) -> Iterator[Tally]:
    """End each writer at random steps of a write, so many times."""
    for writer in writers:
        words = WRITERS[writer]
        tally = Tally(f"killed, {writer}", wrong=[])
        with tempfile.TemporaryDirectory() as folder:
            root = project(Path(folder))
            if writer == "cache":
                audited(root, *words, code=SETTLED.format(ahead=60))
                (root / "new.py").write_text("import sqlite3\n")
            _kill(root, writer, words, count, chance, tally)
        yield tally


def _kill(
    root: Path,
    writer: str,
    words: tuple[str, ...],
    count: int,
    chance: random.Random,
    tally: Tally,
) -> None:
    file = root / FILES[writer]
    before = file.read_bytes() if file.exists() else None
    settled = SETTLED.format(ahead=60)
    audited(root, *words, code=settled)
    after = file.read_bytes() if file.exists() else None
    steps = 6 + len(after or b"") // 512
    first = None
    for _ in range(count):
        _restore(file, before)
        done = audited(root, *words, code=settled + KILL.format(left=chance.randrange(steps)))
        now = file.read_bytes() if file.exists() else None
        tally.count += 1
        tally.hit += done.code < 0
        is_whole = now in {before, after} or (writer == "cache" and now is not None)
        tally.expect(f"{file.name} is neither old nor new", holds=is_whole)
        if writer == "cache":
            first = first or said(root)
            again = audited(root, *words, code=settled)
            tally.expect("the next run finds something else", holds=again.out == first)


def _restore(file: Path, data: bytes | None) -> None:
    """Put a file back as it was; what the last run printed would be printed again."""
    for report in file.parent.glob("*.report"):
        report.unlink()
    if data is None:
        file.unlink(missing_ok=True)
    else:
        file.write_bytes(data)


def full_disk(
    count: int, chance: random.Random, writers: Collection[str] = tuple(WRITERS)
) -> Iterator[Tally]:
    """Let each writer run out of room, so many times."""
    for writer in writers:
        words = WRITERS[writer]
        tally = Tally(f"full disk, {writer}", wrong=[])
        with tempfile.TemporaryDirectory() as folder:
            root = project(Path(folder))
            file = root / FILES[writer]
            before = file.read_bytes() if file.exists() else None
            settled = SETTLED.format(ahead=60)
            audited(root, *words, code=settled)
            after = file.read_bytes() if file.exists() else b""
            for _ in range(count):
                _restore(file, before)
                limit = LIMIT.format(what="RLIMIT_FSIZE", size=chance.randrange(2 * len(after) + 9))
                done = audited(root, *words, code=limit + settled)
                now = file.read_bytes() if file.exists() else None
                tally.count += 1
                tally.hit += now == before
                tally.expect(f"ended with {done.code}", holds=is_documented(done))
                is_whole = now in {before, after} or (writer == "cache" and now is not None)
                tally.expect(f"{file.name} is neither old nor new", holds=is_whole)
        yield tally


def _limited(name: str, what: str, sizes: tuple[int, ...]) -> Callable[..., Iterator[Tally]]:
    def met(count: int, chance: random.Random) -> Iterator[Tally]:
        tally = Tally(name, wrong=[])
        with tempfile.TemporaryDirectory() as folder:
            root = project(Path(folder))
            first = said(root)
            for _ in range(count):
                limit = LIMIT.format(what=what, size=chance.choice(sizes))
                done = audited(root, *WRITERS["cache"], code=limit, most=SECONDS)
                tally.count += 1
                tally.hit += done.out != first
                tally.expect(
                    f"ended with {done.code}: {done.err[-150:]!r}", holds=is_documented(done)
                )
                tally.expect("other findings", holds=done.out in {first, b""})
        yield tally

    return met


def _surroundings(count: int, _chance: random.Random) -> Iterator[Tally]:
    """Run without HOME, in a folder that is read-only, by a clock that goes back."""
    with tempfile.TemporaryDirectory() as folder:
        root = project(Path(folder))
        first = said(root)
        words = WRITERS["cache"]
        homeless = Tally("no HOME", wrong=[])
        back = Tally("clock goes back", wrong=[])
        for turn in range(count):
            done = audited(
                root, *words, environment={"HOME": "/nonexistent", "XDG_CONFIG_HOME": ""}
            )
            homeless.count += 1
            homeless.expect("other findings", holds=done.out == first)
            wrong = SETTLED.format(ahead=60 if turn % 2 else -86_400 * turn)
            os.utime(root / "new.py" if turn > 1 else root, ns=(0, 10**18 * (turn % 3)))
            done = audited(root, *words, code=wrong)
            back.count += 1
            back.expect("other findings", holds=done.out == first)
            if turn == 1:
                (root / "new.py").write_text("import sqlite3\n")
                first = said(root)
        yield homeless
        yield back
        yield _read_only(root, first)


def _read_only(root: Path, first: bytes) -> Tally:
    tally = Tally("read-only", wrong=[])
    shutil.rmtree(root / ".dal_audit_cache", ignore_errors=True)
    for path in (root, *root.rglob("*")):
        path.chmod(0o555 if path.is_dir() else 0o444)
    for writer in ("cache", "fix", "baseline", "init"):
        done = audited(root, *WRITERS[writer])
        tally.count += 1
        tally.hit += done.code == 2  # an error; the superuser may write anyway
        tally.expect(f"{writer} ended with {done.code}", holds=is_documented(done))
        if writer == "cache":
            tally.expect("other findings", holds=done.out == first)
    for path in (root, *root.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    return tally


def _eight(count: int, _chance: random.Random) -> Iterator[Tally]:
    tally = Tally("eight on one cache", wrong=[])
    with tempfile.TemporaryDirectory() as folder:
        root = project(Path(folder))
        first = said(root)
        code = f"import sys\nsys.path[:1] = [{CHECKOUT!r}]\n{SETTLED.format(ahead=60)}"
        code += "from dal_audit.commands.main import main\nmain()"
        for _ in range(count):
            shutil.rmtree(root / ".dal_audit_cache", ignore_errors=True)
            running = [
                subprocess.Popen(
                    [sys.executable, "-c", code, *WRITERS["cache"]],
                    cwd=root,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL,
                )
                for _ in range(8)
            ]
            found = [process.communicate()[0] for process in running]
            tally.count += 8
            tally.hit += 8
            tally.expect("other findings", holds=set(found) == {first})
            left = list((root / ".dal_audit_cache").glob("*.tmp"))
            tally.expect("something is half written", holds=not left)
    yield tally


FAULTS: Final[dict[str, Callable[[int, random.Random], Iterator[Tally]]]] = {
    "kills": killed,
    "full-disk": full_disk,
    "open-files": _limited("no more open files", "RLIMIT_NOFILE", (8, 12, 16, 20, 32)),
    "memory": _limited("400 MB of address space", "RLIMIT_AS", (400 << 20,)),
    "surroundings": _surroundings,
    "eight": _eight,
}


if __name__ == "__main__":
    sys.exit(main())
