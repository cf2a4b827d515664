"""Time dal-audit on any tree, beside `ruff check --select TID251` with the same modules banned.

`python -m tests.bench TREE… [--config FILE] [--runs N]` runs each command alternately in fresh
processes, cold (the tools' own caches off; the disk's is warm), warm (ruff's cache on; dal-audit has
none yet, so its figure is a second cold one) and on three files by name, and prints a table of
medians: wall seconds, the ratio to ruff, and peak memory of the largest process in MiB.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from dal_audit.catalogue import catalogue_in_force
from dal_audit.policy import default_policy, load_policy
from dal_audit.rulebook import known_rules

if sys.platform != "win32":
    import resource


def main() -> None:
    """Measure each tree and print the table."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("trees", nargs="+", type=Path)
    parser.add_argument("--config", type=Path, help="a dal-audit.toml for the trees")
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    print("| tree | case | dal-audit s | ruff s | ratio | dal-audit MiB | ruff MiB |")
    print("|---|---|---|---|---|---|---|")
    for tree in options.trees:
        measure(tree.resolve(), options.config, options.runs)


def measure(tree: Path, config: Path | None, runs: int) -> None:
    """Print the rows of one tree."""
    policy = (
        load_policy(config.resolve(), root=tree, known_rules=known_rules())
        if config
        else default_policy(tree)
    )
    modules = sorted(catalogue_in_force(only=policy.drivers, also=policy.extend_drivers).by_module)
    ours = [sys.executable, "-m", "dal_audit", "check", "--format", "concise"]
    if config:
        ours += ["--config", str(config.resolve())]
    files = sorted(str(path.relative_to(tree)) for path in tree.rglob("*.py"))
    three = files[:: max(len(files) // 3, 1)][:3]
    with tempfile.TemporaryDirectory() as folder:
        banned = "\n".join(f'"{module}".msg = "banned"' for module in modules)
        settings = Path(folder) / "ruff.toml"
        settings.write_text(
            f'[lint]\nselect = ["TID251"]\n[lint.flake8-tidy-imports.banned-api]\n{banned}\n',
            encoding="utf-8",
        )
        theirs = [sys.executable, "-m", "ruff", "check", "-q", "--config", str(settings)]
        cold = [*theirs, "--no-cache"]
        warm = [*theirs, "--cache-dir", f"{folder}/cache"]
        cases = {
            "cold": ([*ours, "."], [*cold, "."]),
            "warm": ([*ours, "."], [*warm, "."]),
            "3 files": ([*ours, *three], [*cold, *three]),
        }
        for case, (mine, other) in cases.items():
            a, b = alternate(tree, mine, other, runs)
            print(
                f"| {tree.name} ({len(files)} files) | {case} | {a[0]:.3f} | {b[0]:.3f} "
                f"| {a[0] / b[0]:.2f} | {a[1]:.0f} | {b[1]:.0f} |",
                flush=True,
            )


def alternate(
    tree: Path, mine: Sequence[str], other: Sequence[str], runs: int
) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return the medians (seconds, MiB) of two commands that are run in turn, after one warm-up."""
    figures: tuple[list[tuple[float, float]], list[tuple[float, float]]] = ([], [])
    for _ in range(runs + 1):
        for command, kept in zip((mine, other), figures, strict=True):
            kept.append(run(command, tree))
    mine_figures, other_figures = (
        (
            statistics.median(seconds for seconds, _ in kept[1:]),
            statistics.median(memory for _, memory in kept[1:]),
        )
        for kept in figures
    )
    return mine_figures, other_figures


def run(command: Sequence[str], folder: Path) -> tuple[float, float]:
    """Return the wall seconds of a command and its peak memory in MiB (0 where unknown)."""
    start = time.perf_counter()
    process = subprocess.Popen(
        command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    if sys.platform == "win32":
        process.wait()
        return time.perf_counter() - start, 0.0
    _, _, usage = wait4(process.pid)
    seconds = time.perf_counter() - start
    unit = 1 if sys.platform == "darwin" else 1024
    return seconds, usage.ru_maxrss * unit / (1 << 20)


if sys.platform != "win32":
    import os

    def wait4(pid: int) -> tuple[int, int, resource.struct_rusage]:
        """Wait for a process and return what it used, its children included."""
        return os.wait4(pid, 0)


if __name__ == "__main__":
    main()
