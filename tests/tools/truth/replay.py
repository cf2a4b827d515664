"""Replay labelled sets of migrations and compare with what the labels say of each.

    python -m tests.tools.truth.replay SETS SOURCES [--set WORD] [--engine sqlite|pg] [--show N]

SETS and SOURCES are those of `tests.tools.truth.sets`. Each set is run on both engines, whichever it is
meant for, in the order that SOURCES' `sets-index.json` gives. Compared are, file by file, whether it
applies and whether it can be run again right after (`replay_safe`); and where the whole set applies,
whether a second run of all passes, whether the downs run without error, and whether they restore
the empty schema. Every difference is printed, and the time that each engine took.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

from dal_audit.catalogue.engine_names import Engine
from dal_audit.extract.source import UndecodableError
from dal_audit.migrations.model import Part
from dal_audit.replay.database import EngineError
from dal_audit.replay.model import Job, Outcome, Step
from dal_audit.replay.scripts import Scripts
from dal_audit.replay.workers import Postgres, postgres, run_job
from tests.tools.truth.sql import copied

LABELS: Final[dict[str, Engine]] = {"sqlite": "sqlite", "pg": "postgresql"}
"""What the labels call the engines, and what dal-audit does."""

SECONDS: Final = 30.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the sets and print how well the outcomes agree with the labels."""
    parser = argparse.ArgumentParser(prog="tests.tools.truth.replay", description=__doc__)
    parser.add_argument("sets", type=Path)
    parser.add_argument("sources", type=Path)
    parser.add_argument("--set", default="", help="only sets whose name holds this")
    parser.add_argument("--engine", choices=sorted(LABELS), help="only this engine")
    parser.add_argument(
        "--show", type=int, default=4, help="how many differences of a set to print"
    )
    options = parser.parse_args(arguments)
    rows = [json.loads(line) for line in options.sets.open(encoding="utf-8")]
    labels = [one for one in LABELS if options.engine in {None, one}]
    counts: Counter[tuple[str, str, bool]] = Counter()
    spent: Counter[str] = Counter()
    with ExitStack() as stack:
        root = options.sources
        if not root.is_dir():
            root = copied(root, Path(stack.enter_context(tempfile.TemporaryDirectory())))
        index = {one["set"]: one for one in json.loads((root / "sets-index.json").read_bytes())}
        server = stack.enter_context(postgres("")) if "pg" in labels else None
        for row in rows:
            if options.set not in row["set"]:
                continue
            for label in labels:
                started = time.monotonic()
                outcome, steps, why = replayed(index[row["set"]], root, LABELS[label], server)
                spent[label] += int(1000 * (time.monotonic() - started))
                if outcome is None:
                    print(f"{row['set']} {label}: {why}")
                    counts[label, "no outcome", False] += 1
                    continue
                wrong = []
                for kind, name, said, seen, words in compared(row[label], outcome, steps):
                    counts[label, kind, said == seen] += 1
                    if said != seen:
                        wrong.append(
                            f"    {kind}: {said} in the labels, {seen} here: {name} {words}"
                        )
                print(f"{row['set']} {label}: {len(wrong)} differences")
                print("\n".join(wrong[: options.show]), end="\n" if wrong else "")
    report(counts, spent)
    return 0


def replayed(
    entry: dict[str, Any], root: Path, engine: Engine, server: Postgres | None
) -> tuple[Outcome | None, tuple[Step, ...], str]:
    """Run one set on one engine; where there is no outcome, the text says why."""
    scripts = Scripts(lambda path: (root / path).read_bytes())
    try:
        ups = [tuple(scripts.commands([Part(path, "up")])) for path in entry["ups"]]
        downs = tuple(scripts.commands([Part(path, "down") for path in entry["downs"]]))
    except (OSError, UndecodableError) as error:
        return None, (), str(error)
    # Which up a down belongs to does not matter here: all of them are run in the order given.
    has_downs = bool(entry["downs"])
    steps = tuple(
        Step(path, up, (downs if number == 0 else ()) if has_downs else None)
        for number, (path, up) in enumerate(zip(entry["ups"], ups, strict=True))
    )
    try:
        address = server.scratch() if server is not None and engine == "postgresql" else ""
        return run_job(Job(engine, steps, SECONDS, address), lambda _done, _total: None), steps, ""
    except EngineError as error:
        return None, steps, str(error)


def compared(
    row: dict[str, Any], outcome: Outcome, steps: Sequence[Step]
) -> Iterator[tuple[str, str, bool, bool, str]]:
    """Yield what is compared, of what, as it is labelled and as it was seen, and some words."""
    failed = {one.step: one.refusal.message for one in reversed(outcome.applied)}
    unsafe = {one.step: one.refusal.message for one in outcome.again}
    unsafe |= {one.step: one.what for one in outcome.changed}
    by_path = {step.path: number for number, step in enumerate(steps)}
    for one in row["per_file"]:
        number = by_path[one["file"]]
        words = f"| {one.get('first_error', [''])[-1]} | {failed.get(number, '')}"
        yield "applies", one["file"], one["applies"], number not in failed, words
        if one["applies"] and number not in failed:
            words = f"| {one.get('replay_error', [''])[-1]} | {unsafe.get(number, '')}"
            yield "replay_safe", one["file"], one["replay_safe"], number not in unsafe, words
    yield "set applies", "", row["applies"], not failed, ""
    if not row["applies"] or failed or outcome.whole is None:
        return
    again = not outcome.whole and not outcome.whole_changed
    yield "whole set replay", "", row["whole_set_replay_safe"], again, ""
    if "downs_error_free" in row and outcome.undone is not None:
        words = "; ".join(one.refusal.message for one in outcome.undone[:2])
        yield "downs run", "", row["downs_error_free"], not outcome.undone, words
        words = f"{row['left_over'][:3]} | {list(outcome.left or ())[:3]}"
        yield "restored", "", row["restored_empty"], not outcome.left, words


def report(counts: Counter[tuple[str, str, bool]], spent: Counter[str]) -> None:
    """Print, for each engine and kind, how many agree."""
    for label, kind in sorted({(label, kind) for label, kind, _ in counts}):
        right, wrong = counts[label, kind, True], counts[label, kind, False]
        print(f"{label:<7} {kind:<17} {right:>5} of {right + wrong}")
    print(", ".join(f"{label} {1e-3 * took:.1f} s" for label, took in spent.items()))


if __name__ == "__main__":
    sys.exit(main())
