"""Measure the downs that are written for migrations: how many take their ups back on real engines.

    python -m tests.tools.truth.downs SOURCES [--set WORD] [--all] [--show N]

SOURCES is a folder, or an archive of one, whose `sets-index.json` lists the `ups` and `downs` of each
set in their order, and in `claim` which engines it is for. A down is written for each migration that
lacks one, and what one that is there lacks; with `--all` each is written anew, and those that are
there are left aside. Each is tried right after its up, on each engine that the set is for: the schema
must be what it was before, and the up must run once more. Printed are, for each set and engine, how
many downs were written (some of which hold nothing but remarks), how many of these could be tried, for
their ups apply, how many restored the schema, and how many count as safe.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any, Final

from dal_audit.catalogue.engine_names import ENGINES, Engine
from dal_audit.migrations.model import Migration, Part
from dal_audit.replay.downs import WrittenDown, missing_downs, tried
from dal_audit.replay.plan import Planned
from dal_audit.replay.run import Engines, ReplayRequest
from dal_audit.replay.scripts import Scripts
from dal_audit.replay.verdicts import NO_UP
from tests.tools.truth.sql import copied

ENGINES_OF: Final[dict[str, tuple[Engine, ...]]] = {
    "both": ENGINES,
    "sqlite": ("sqlite",),
    "postgres": ("postgresql",),
    "both/sqlite": ("sqlite",),
    "both/postgres": ("postgresql",),
}
"""The engines that a set is for, by what is claimed of it; others are not run."""

_QUOTED: Final = re.compile(r"`[^`]*`|'[^']*'|\"[^\"]*\"")


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the downs, try them, and print what came of them."""
    parser = argparse.ArgumentParser(prog="tests.tools.truth.downs", description=__doc__)
    parser.add_argument("sources", type=Path)
    parser.add_argument("--set", default="", help="only sets whose name holds this")
    parser.add_argument("--all", action="store_true", help="also where there is a down")
    parser.add_argument("--show", type=int, default=3, help="how many that fail to print of a set")
    options = parser.parse_args(arguments)
    total: Counter[tuple[Engine, str]] = Counter()
    doubts: Counter[str] = Counter()
    with ExitStack() as stack:
        root = options.sources
        if not root.is_dir():
            root = copied(root, Path(stack.enter_context(tempfile.TemporaryDirectory())))
        engines = stack.enter_context(closing(Engines(ReplayRequest())))
        for entry in json.loads((root / "sets-index.json").read_bytes()):
            if options.set not in entry["set"] or entry["claim"] not in ENGINES_OF:
                continue
            planned = planned_set(entry, root, with_downs=not options.all)
            downs = tried(planned, missing_downs(planned), engines, lambda *_: None)
            missing = [down for down in downs if not down.present]
            partial = [down for down in downs if down.present]
            doubts.update(doubted(downs))
            for engine in planned.steps:
                for kind, own in (("missing", missing), ("partial", partial)):
                    total.update(counted(entry["set"], kind, engine, own, options.show))
    for engine, kind in sorted(total):
        print(f"{engine:<11} {kind:<17} {total[engine, kind]:>5}")
    for doubt, number in doubts.most_common():
        print(f"{number:>5} {doubt}")
    return 0


def planned_set(entry: dict[str, Any], root: Path, *, with_downs: bool) -> Planned:
    """Return a set as it is run; a down belongs to the up of the same number or name."""
    scripts = Scripts(lambda path: (root / path).read_bytes())
    downs = {_stem(path): path for path in entry["downs"]} if with_downs else {}
    migrations = tuple(
        Migration(
            path,
            up=(Part(path, "up"),),
            down=(Part(downs[_stem(path)], "down"),) if _stem(path) in downs else (),
        )
        for path in entry["ups"]
    )
    steps = tuple(scripts.steps(migrations))
    run = ENGINES_OF[entry["claim"]]
    return Planned(
        entry["set"],
        dict.fromkeys(run, steps),
        migrations=dict.fromkeys(run, migrations),
    )


def _stem(path: str) -> str:
    folder, _, name = path.rpartition("/")
    return folder if name in {"up.sql", "down.sql"} else f"{folder}/{name.split('.')[0]}"


def doubted(downs: Sequence[WrittenDown]) -> Iterator[str]:
    """Yield the doubts about downs that restored the schema, without the names in them."""
    for down in downs:
        if down.proved_on:
            yield from {_QUOTED.sub("…", doubt) for doubt in down.doubts()}


def counted(
    name: str, kind: str, engine: Engine, downs: Sequence[WrittenDown], show: int
) -> Counter[tuple[Engine, str]]:
    """Print and count what came of a set's downs on an engine; `kind` says what they were before."""
    ran = [down for down in downs if not down.said.get(engine, NO_UP).startswith(NO_UP)]
    restored = [down for down in ran if not down.said[engine]]
    safe = [down for down in restored if not [*down.doubts()]]
    print(
        f"{name} {engine}: {len(downs)} {kind} written, {len(ran)} tried,"
        f" {len(restored)} restored, {len(safe)} safe",
        flush=True,
    )
    for down in [down for down in ran if down.said[engine]][:show]:
        print(f"    {down.migration.path.rpartition('/')[2]}: {down.said[engine]}")
    counts = {
        "written": len(downs),
        "tried": len(ran),
        "restored": len(restored),
        "safe": len(safe),
    }
    return Counter({(engine, f"{kind} {what}"): count for what, count in counts.items()})


if __name__ == "__main__":
    sys.exit(main())
