"""Feed every reader what nobody would write: `python -m tests.tools.fuzz [--count N] [READER…]`.

Each reads N made-up inputs (source, notebooks, SQL, Rust, migrations, CI, configuration, baselines,
caches); it must read them or refuse them in its own words, and come to an end. SQL that a grammar
made is run by SQLite, too: what that takes must be understood. Fixes must leave a module sound, and
lose no comment. After edits, an audit with a cache must say what one without says. Where
hypothesmith is installed, source that Python's grammar made is read as well. `--seed` makes other
inputs; what fails is written to `--kept`. Ends with 1 where anything fails.
"""

from __future__ import annotations

import argparse
import signal
import sys
import time
import warnings
from pathlib import Path
from types import FrameType
from typing import NoReturn

from tests.tools.fuzz.readers import Reader, readers
from tests.tools.fuzz.runs import Failed, fed


class HungError(Exception):
    """A reader has not come to an end."""


def main() -> int:
    """Feed the readers, tell of each, and return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.tools.fuzz",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("readers", nargs="*", help="their names [all]")
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seconds", type=int, default=60, help="when an input counts as hung")
    parser.add_argument("--kept", type=Path, help="a folder for the inputs that fail")
    options = parser.parse_args()
    signal.signal(signal.SIGALRM, _hung)
    warnings.simplefilter("ignore")
    total = 0
    for reader in readers():
        if not options.readers or reader.name in options.readers:
            total += _told(reader, options)
    return int(total > 0)


def _hung(_number: int, _frame: FrameType | None) -> NoReturn:
    raise HungError


def _told(reader: Reader, options: argparse.Namespace) -> int:
    began = time.monotonic()

    def watched(data: bytes) -> None:
        signal.alarm(options.seconds)
        try:
            reader.read(data)
        finally:
            signal.alarm(0)

    found, refused = fed(reader, options.count, options.seed, watched)
    seconds = time.monotonic() - began
    print(
        f"{reader.name:26}{options.count:>9} inputs{refused:>9} refused{len(found):>6} failed"
        f"{options.count / seconds:>9.0f} a second",
        flush=True,
    )
    for failed in found[:5]:
        print(f"  input {failed.number}: {failed.what}", flush=True)
    _keep(found, options.kept, reader.name)
    return len(found)


def _keep(found: list[Failed], kept: Path | None, name: str) -> None:
    if kept is not None:
        kept.mkdir(parents=True, exist_ok=True)
        for failed in found:
            (kept / f"{name.replace(' ', '-')}-{failed.number}").write_bytes(failed.data)


if __name__ == "__main__":
    sys.exit(main())
