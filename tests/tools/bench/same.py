"""Prove on real trees that nothing but the files decides: `python -m tests.tools.bench.same TREE…`.

A tree is audited by 1, 2 and 4 processes, with three seeds for the order of sets, without a cache,
with a new one and with a full one; all must print the same bytes. `--without-shortcuts` also reads
every file whole, which takes long (a minute for a thousand files). `--config` may hold the name
`{tree}`, which stands for the tree's folder name. Ends with 1 where two runs differ.
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

SEEDS: Final = ("0", "1", "2")
JOBS: Final = (1, 2, 4)

RUN: Final = """\
import sys
from pathlib import Path
from dal_audit.audit import Request, audit
from dal_audit.report.render import render
folder, config, kept, jobs, shortcuts = sys.argv[1:]
report = audit(
    Request(
        folder=Path(folder),
        config=Path(config) if config else None,
        cache=bool(kept),
        cache_folder=Path(kept) if kept else None,
        jobs=int(jobs),
        shortcuts=shortcuts == "with",
    )
)
print(len(report.findings), *report.assumptions, sep="\\n")
print(render(report, "sarif"))
# These also tell how many files were ruled out by their bytes.
if shortcuts == "with":
    print(render(report, "concise"))
    print(render(report, "json"))
"""


def main() -> int:
    """Compare all runs over each tree, and tell of each tree."""
    parser = argparse.ArgumentParser(prog="python -m tests.tools.bench.same", description=__doc__)
    parser.add_argument("trees", nargs="+", type=Path)
    parser.add_argument("--config", default="", help="a dal-audit.toml; {tree} is the tree's name")
    parser.add_argument("--without-shortcuts", action="store_true")
    options = parser.parse_args()
    differ = False
    for tree in options.trees:
        config = options.config.replace("{tree}", tree.resolve().name)
        differ |= not is_same(tree.resolve(), config, shortcuts_off=options.without_shortcuts)
    return int(differ)


def is_same(tree: Path, config: str, *, shortcuts_off: bool) -> bool:
    """Return whether all runs over a tree say the same, and print which do not."""
    config = str(Path(config).resolve()) if config else ""
    first = printed(tree, config)
    wrong = []
    runs = 1
    for seed, jobs in itertools.product(SEEDS, JOBS):
        with tempfile.TemporaryDirectory() as kept:
            for state, folder in (("cold", ""), ("new cache", kept), ("warm", kept)):
                runs += 1
                if printed(tree, config, kept=folder, jobs=jobs, seed=seed) != first:
                    wrong.append(f"seed {seed}, {jobs} processes, {state}")
    if shortcuts_off:
        runs += 1
        if not first.startswith(printed(tree, config, shortcuts="without")):
            wrong.append("without shortcuts")
    count = first.partition(b"\n")[0].decode()
    digest = hashlib.sha256(first).hexdigest()[:12]
    print(f"{tree.name}: {count} findings, {runs} runs, {digest}", flush=True)
    for one in wrong:
        print(f"  differs: {one}", flush=True)
    return not wrong


def printed(
    tree: Path,
    config: str,
    *,
    kept: str = "",
    jobs: int = 1,
    seed: str = "0",
    shortcuts: str = "with",
) -> bytes:
    """Return all that an audit says of a tree.

    Raises CalledProcessError where it fails.
    """
    return subprocess.run(
        [sys.executable, "-c", RUN, str(tree), config, kept, str(jobs), shortcuts],
        env={**os.environ, "PYTHONHASHSEED": seed},
        stdout=subprocess.PIPE,
        check=True,
    ).stdout


if __name__ == "__main__":
    sys.exit(main())
