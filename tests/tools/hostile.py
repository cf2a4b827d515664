"""Read workflows that chance has broken, for as long as one likes.

    python -m tests.tools.hostile [--seconds N] [--first SEED]

Each seed makes a file of one of the CI systems; the first that breaks a promise is printed with its
seed, which makes the same file again.
"""

from __future__ import annotations

import argparse
import itertools
import sys
import time
import traceback
from collections.abc import Sequence
from random import Random

from tests.hostile_workflows import check_workflow, hostile_workflow

_LONGEST = 5.0
"""Seconds of processor time above which a file took too long."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until the time is over, or a file breaks a promise."""
    parser = argparse.ArgumentParser(prog="tests.tools.hostile", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--first", type=int, default=0, help="the seed to begin with")
    options = parser.parse_args(arguments)
    end = time.monotonic() + options.seconds
    slowest = (0.0, options.first)
    for seed in itertools.count(options.first):
        path, data = hostile_workflow(Random(seed))
        began = time.process_time()
        try:
            check_workflow(path, data)
        except Exception:  # noqa: BLE001  # whatever it is, it is what is looked for
            print(f"seed {seed}, {path}:\n{traceback.format_exc()}", file=sys.stderr)
            return 1
        slowest = max(slowest, (time.process_time() - began, seed))
        if slowest[0] > _LONGEST or time.monotonic() > end:
            break
    print(
        f"{seed - options.first + 1} files; the slowest took {slowest[0]:.2f} s (seed {slowest[1]})"
    )
    return int(slowest[0] > _LONGEST)


if __name__ == "__main__":
    sys.exit(main())
