"""How long Rust takes: `python -m tests.tools.bench.rust FOLDER… [--runs N]`.

Each folder is audited cold, by one process and by as many as there are processors, in turn with ripgrep
(the drivers' names, as a search for them is made by hand) and with ast-grep (one path of a driver),
where these are installed (`pip install ripgrep ast-grep-cli`). A file matters where its bytes hold a
driver's name: by what those hold the last column counts.
"""

from __future__ import annotations

import argparse
import re
import shutil
import sys
from pathlib import Path
from typing import Final

from dal_audit.catalogue.drivers import RUST, shipped_rust_drivers
from tests.tools.bench.timing import in_turn

AUDIT: Final = (sys.executable, "-m", "dal_audit", "check", "--format", "concise", "--no-cache")
HEAD: Final = (
    "| tree | files | MB | that matter | MB | command | wall s | CPU s | MiB | MB that matter / CPU s |\n"
    "|---|---|---|---|---|---|---|---|---|---|"
)


def main() -> int:
    """Print a table, a row for each tree and command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="+", type=Path, metavar="FOLDER")
    parser.add_argument("--runs", type=int, default=3, metavar="N")
    options = parser.parse_args()
    crates = sorted(crates_of_drivers())
    print(HEAD)
    for folder in options.folders:
        sources = [path for path in sorted(folder.rglob("*.rs")) if path.is_file()]
        texts = [path.read_bytes() for path in sources]
        names = re.compile("|".join(map(re.escape, crates)).encode())
        that_matter = [len(text) for text in texts if names.search(text)]
        size, matters = sum(map(len, texts)) / 1e6, sum(that_matter) / 1e6
        row = f"{folder.name} | {len(texts)} | {size:.2f} | {len(that_matter)} | {matters:.2f}"
        for name, figures in in_turn(commands(crates), folder, options.runs).items():
            speed = matters / figures.processor if figures.processor else 0.0
            print(
                f"| {row} | {name} | {figures.wall:.2f} | {figures.processor:.2f} "
                f"| {figures.memory:.0f} | {speed:.1f} |",
                flush=True,
            )
    return 0


def crates_of_drivers() -> set[str]:
    """Return the names of the crates that the catalogue knows as drivers."""
    modules = (module for driver in shipped_rust_drivers() for module in driver.modules)
    return {module.removeprefix(RUST).partition(".")[0] for module in modules}


def commands(crates: list[str]) -> dict[str, tuple[str, ...]]:
    """Return what is timed, by its name: dal-audit, and the peers that are installed."""
    found: dict[str, tuple[str, ...]] = {
        "dal-audit, 1 process": (*AUDIT, "--jobs", "1", "."),
        "dal-audit": (*AUDIT, "."),
    }
    if (ripgrep := shutil.which("rg")) is not None:
        pattern = rf"\b(?:{'|'.join(crates)})::"
        found["ripgrep"] = (ripgrep, "--threads", "1", "--type", "rust", pattern, ".")
    if (ast_grep := shutil.which("ast-grep")) is not None:
        found["ast-grep"] = (ast_grep, "run", "--lang", "rust", "--pattern", "sqlx::$NAME", ".")
    return found


if __name__ == "__main__":
    sys.exit(main())
