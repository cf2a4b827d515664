"""Audit other people's code: `python -m tests.tools.ecosystem [TREE|PACKAGE…]`.

Each tree is audited by 1 and 4 processes, with several seeds for the order of sets, without a
cache, with a new one, with a full one and after an edit, and by each Python that is named. All must
print the same JSON and the same valid SARIF, none may crash or hang. Packages are those of PyPI
(`flask`, `flask==3.1.0`), as their wheels hold them.

`--rotate` is for many trees: each has a new cache and a warm one with another seed, and every
`--share`th takes its turn with the other ways. `--quick` takes two runs a tree.

Without trees, the packages of tests/data/ecosystem.toml are audited, and their findings are held
against the digests there; `--update` writes these anew, so that a review sees what changed.
`--against CHECKOUT` shows which findings that is: each tree is audited by that checkout of dal-audit,
too. Ends with 1 where anything is wrong.
"""

from __future__ import annotations

import argparse
import difflib
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from tests.tools.ecosystem.trees import NoTreeError, tree_of
from tests.tools.ecosystem.ways import Audited, Plan, audit_tree, findings_by

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

PINS: Final = Path(__file__).parents[2] / "data/ecosystem.toml"
HEAD: Final = f"{'tree':34}{'files':>7}{'on disk':>8}{'findings':>9}{'runs':>5}{'seconds':>9}{'MiB':>6}  digest"


def main() -> int:
    """Audit what is asked for, tell of each tree, and return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.tools.ecosystem",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("trees", nargs="*", help="folders, or packages of PyPI")
    parser.add_argument("--update", action="store_true", help="write the digests anew")
    parser.set_defaults(extent="full")
    extents = parser.add_mutually_exclusive_group()
    extents.add_argument("--quick", dest="extent", action="store_const", const="quick")
    extents.add_argument("--rotate", dest="extent", action="store_const", const="rotated")
    parser.add_argument("--share", type=int, default=1, help="how many trees take a turn [all]")
    parser.add_argument("--against", type=Path, help="another checkout, to compare findings with")
    parser.add_argument("--python", action="append", default=[], help="a further Python")
    parser.add_argument("--seconds", type=float, default=600, help="when a run counts as hung")
    parser.add_argument("--kept", type=Path, help="where packages are kept [a temporary folder]")
    options = parser.parse_args()
    pins = {} if options.trees else pinned()
    names = options.trees or sorted(pins)
    with tempfile.TemporaryDirectory(prefix="ecosystem-") as folder:
        kept = options.kept or Path(folder)
        print(HEAD)
        done = [
            audit
            for turn, name in enumerate(names)
            if (audit := _told(name, kept, _plan(options, turn), options.against)) is not None
        ]
    summary(done, len(names))
    moved = [it.name for it in done if pins and pins[it.name]["digest"] != it.digest]
    if options.update:
        PINS.write_text("".join(map(pin, done)), encoding="utf-8")
    elif moved:
        print(f"other findings than in {PINS.name}: {', '.join(moved)}")
    return int(len(done) < len(names) or any(it.wrong for it in done) or bool(moved))


def _plan(options: argparse.Namespace, turn: int) -> Plan:
    turns, rest = divmod(turn, options.share)
    return Plan(options.extent, tuple(options.python), options.seconds, None if rest else turns)


def _told(name: str, kept: Path, plan: Plan, other: Path | None) -> Audited | None:
    try:
        tree = tree_of(name, kept)
    except NoTreeError as error:
        print(f"no tree: {error}")
        return None
    done = audit_tree(name, tree, plan)
    shown = done.name if len(done.name) < 34 else f"…{done.name[-32:]}"  # the column
    print(
        f"{shown:34}{done.files:>7}{done.on_disk:>8}{len(done.findings):>9}{len(done.ways):>5}"
        f"{done.seconds:>9.1f}{done.peak:>6}  {done.digest}",
        flush=True,
    )
    for what in done.wrong:
        print(f"  {what}", flush=True)
    if other is not None:
        _compare(findings_by(other.resolve(), tree, plan), done.findings)
    return done


def _compare(before: Sequence[str], after: Sequence[str]) -> None:
    """Print the findings that are new and those that are gone."""
    for line in difflib.unified_diff(before, after, n=0, lineterm=""):
        if not line.startswith(("---", "+++", "@@")):
            print(f"  {line[0]} {line[1:]}", flush=True)


def summary(done: Sequence[Audited], asked: int) -> None:
    """Print what all of it comes to."""
    print(
        f"{len(done)} of {asked} trees, {sum(it.on_disk for it in done)} files, "
        f"{sum(len(it.ways) for it in done)} runs, {sum(len(it.findings) for it in done)} findings, "
        f"{sum(len(it.wrong) for it in done)} things wrong, "
        f"at most {max((it.peak for it in done), default=0)} MiB"
    )
    files: Counter[str] = Counter()
    for it in done:
        files.update(dict.fromkeys(it.ways, it.on_disk))
    for way, count in files.most_common():
        print(f"  {count:>8} files: {way}")


def pinned() -> dict[str, dict[str, Any]]:
    """Return the packages whose findings are pinned, by their names with versions."""
    document = tomllib.loads(PINS.read_text(encoding="utf-8"))
    return {entry["name"]: entry for entry in document.get("package", ())}


def pin(done: Audited) -> str:
    """Return a tree's entry in the file of digests."""
    return (
        f'[[package]]\nname = "{done.name}"\nfiles = {done.files}\nfindings = {len(done.findings)}\n'
        f'digest = "{done.digest}"\n\n'
    )


if __name__ == "__main__":
    sys.exit(main())
