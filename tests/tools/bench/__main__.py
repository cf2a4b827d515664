"""Time dal-audit beside its peers: `python -m tests.tools.bench [TREE…] [--sizes small,medium,large]`.

Without a TREE, real packages are fetched and unpacked (`trees`). Each tree is audited with all
rules about Python, and `ruff check --select TID251` bans the same modules: cold (no tool's own
cache; the disk's is warm), warm, with one file changed before each run, and on three files by name.
Three files are timed alone, too, in a folder that holds no others. ripgrep and import-linter run
where they are installed. `--config tests/tools/bench/storage.toml` asks of a few drivers only. `--jobs` and `--growth` add tables with
1, 2 and 4 processes, and with trees that double from 1,000 to 30,000 files. `--sql FOLDER` compares
portability findings with squawk and sqlfluff. Compare ratios of one run, never times of machines.
"""

from __future__ import annotations

import argparse
import math
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from dal_audit.discover.cache_folder import CACHE
from dal_audit.extract.cache_file import remove_cache
from tests.tools.bench.peers import (
    audit_command,
    banned_modules,
    linter_command,
    ripgrep_command,
    ruff_command,
    sql_commands,
)
from tests.tools.bench.timing import Figures, in_turn
from tests.tools.bench.trees import PACKAGES, build, grown, python_files

SIZES: Final = (1_000, 2_000, 4_000, 8_000, 16_000, 30_000)


def main() -> None:
    """Measure what was asked for, and print tables in Markdown."""
    parser = argparse.ArgumentParser(prog="python -m tests.tools.bench", description=__doc__)
    parser.add_argument("trees", nargs="*", type=Path)
    parser.add_argument("--config", type=Path, help="a dal-audit.toml for the trees")
    parser.add_argument("--sizes", default="small,medium,large", help=", ".join(PACKAGES))
    parser.add_argument(
        "--kept", type=Path, default=Path(tempfile.gettempdir()) / "dal-audit-bench"
    )
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--jobs", action="store_true", help="also with 1, 2 and 4 processes")
    parser.add_argument("--growth", action="store_true", help="also with trees that double")
    parser.add_argument("--sql", type=Path, help="a folder of migrations, for squawk and sqlfluff")
    options = parser.parse_args()
    options.kept.mkdir(parents=True, exist_ok=True)
    trees = [tree.resolve() for tree in options.trees]
    if not trees and not options.sql:
        trees = [build(options.kept, name) for name in options.sizes.split(",")]
    if trees:
        head("tree", "case")
    for tree in trees:
        measure(tree, options.config, options.runs)
    if options.jobs:
        head("tree", "processes")
        for tree in trees:
            processes(tree, options.config, options.runs)
    if options.growth:
        growth(options.kept, trees[-1], options.runs)
    if options.sql:
        migrations(options.sql.resolve(), options.runs)


def measure(tree: Path, config: Path | None, runs: int) -> None:
    """Print the rows of one tree."""
    with tempfile.TemporaryDirectory() as kept:
        ours = audit_command(config)
        modules = banned_modules(tree, config)
        theirs = ruff_command(modules, Path(kept))
        linter = linter_command(tree, modules, Path(kept))
        files = python_files(tree)
        three = files[:: max(len(files) // 3, 1)][:3]
        changed = tree / files[len(files) // 2]
        text = changed.read_bytes()
        count = 0

        def change(_name: str) -> None:
            nonlocal count
            count += 1
            changed.write_bytes(text + f"\n# {count}\n".encode())

        uncached = ("--no-cache",)
        cold: dict[str, Sequence[str]] = {
            "dal-audit": [*ours, *uncached, "."],
            "ruff": [*theirs, *uncached, "."],
        }
        if linter:
            cold["import-linter"] = [*linter, "--no-cache"]
        if ripgrep := ripgrep_command(modules):
            cold["ripgrep"] = ripgrep
        row(tree, len(files), "cold", in_turn(cold, tree, runs))
        warm = {"dal-audit": [*ours, "."], "ruff": [*theirs, "."]}
        if linter:
            warm["import-linter"] = [*linter, "--cache-dir", f"{kept}/graph"]
        row(tree, len(files), "warm", in_turn(warm, tree, runs))
        try:
            row(tree, len(files), "one file changed", in_turn(warm, tree, runs, change))
        finally:
            changed.write_bytes(text)
        named = {"dal-audit": [*ours, *three], "ruff": [*theirs, *three]}
        row(tree, len(files), "3 files, warm", in_turn(named, tree, runs))
        named = {"dal-audit": [*ours, *uncached, *three], "ruff": [*theirs, *uncached, *three]}
        row(tree, len(files), "3 files, cold", in_turn(named, tree, runs))
        alone = Path(kept) / "alone"
        alone.mkdir()
        for number, name in enumerate(three):
            shutil.copyfile(tree / name, alone / f"file_{number}.py")
        named = {"dal-audit": [*ours, "."], "ruff": [*theirs, "."]}
        row(tree, 3, "3 files alone", in_turn(named, alone, runs))
        remove_cache(tree / CACHE)


def processes(tree: Path, config: Path | None, runs: int) -> None:
    """Print how long a cold audit takes with one, two and four processes."""
    for count in (1, 2, 4):
        command = [*audit_command(config), "--no-cache", "--jobs", str(count), "."]
        row(tree, len(python_files(tree)), str(count), in_turn({"dal-audit": command}, tree, runs))


def growth(kept: Path, source: Path, runs: int) -> None:
    """Print how the time of a cold audit grows with the tree, and the exponent of that."""
    head("tree", "case")
    points = []
    for size in SIZES:
        tree = grown(kept, source, size)
        command = [*audit_command(None), "--no-cache", "."]
        figures = in_turn({"dal-audit": command}, tree, min(runs, 3))
        points.append((math.log(size), math.log(figures["dal-audit"].processor)))
        row(tree, size, "cold", figures)
    print(f"\nProcessor time grows with the number of files to the power of {slope(points):.2f}.\n")


def slope(points: Sequence[tuple[float, float]]) -> float:
    """Return the slope of the line that fits points best (least squares)."""
    x = sum(one for one, _ in points) / len(points)
    y = sum(one for _, one in points) / len(points)
    above = sum((one - x) * (other - y) for one, other in points)
    return above / sum((one - x) ** 2 for one, _ in points)


def migrations(folder: Path, runs: int) -> None:
    """Print how long the migrations of a folder take, beside SQL linters that are installed."""
    files = sorted(str(path.relative_to(folder)) for path in folder.rglob("*.sql"))
    head("tree", "case")
    row(folder, len(files), "cold", in_turn(sql_commands(files), folder, runs))


def head(*titles: str) -> None:
    """Print the head of a table."""
    columns = (*titles, "tool", "s", "processor s", "MiB", "ratio")
    print(f"\n| {' | '.join(columns)} |\n|{'---|' * len(columns)}")


def row(tree: Path, files: int, case: str, figures: dict[str, Figures]) -> None:
    """Print a row for each tool; the ratio is dal-audit's time by the tool's."""
    for name, one in figures.items():
        ratio = figures["dal-audit"].wall / one.wall
        print(
            f"| {tree.name} ({files:,}) | {case} | {name} | {one.wall:.3f} | {one.processor:.3f} "
            f"| {one.memory:.0f} | {'' if name == 'dal-audit' else f'{ratio:.2f} ×'} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
