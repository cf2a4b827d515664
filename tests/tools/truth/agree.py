"""Where reading and running disagree: audit each labelled set, replay it, and compare the two.

    python -m tests.tools.truth.agree SETS SOURCES [--set WORD] [--engine sqlite|pg] [--show N]

SETS and SOURCES are those of `tests.tools.truth.sets`. No label is used: a set is audited for one engine, and
replayed on it. Compared are, file by file, whether the engine takes it (DAL3xx says that it does
not) and, where it does, whether a second run right after the first fails (DAL404); and for a set
whose ups all apply, whether its downs leave something (DAL402, DAL403). What only one side says is
printed with its words, the largest classes first.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

from dal_audit.catalogue.engine_names import Engine
from dal_audit.judge.breach import Finding
from dal_audit.replay.model import Outcome, Step
from dal_audit.replay.workers import postgres
from tests.tools.truth.replay import LABELS, replayed
from tests.tools.truth.sets import findings_of
from tests.tools.truth.sql import copied

_NAMES: Final = re.compile(r"\"[^\"]*\"|'[^']*'|`[^`]*`|\S*[._]\S*|\d+")
_LEAVES: Final = re.compile(r"the down leaves the (?!column|constraint|index|label)")


def main(arguments: Sequence[str] | None = None) -> int:
    """Audit and replay the sets, and print how far the two agree."""
    parser = argparse.ArgumentParser(prog="tests.tools.truth.agree", description=__doc__)
    parser.add_argument("sets", type=Path)
    parser.add_argument("sources", type=Path)
    parser.add_argument("--set", default="", help="only sets whose name holds this")
    parser.add_argument("--engine", choices=sorted(LABELS), help="only this engine")
    parser.add_argument("--show", type=int, default=8, help="how many classes of each to print")
    options = parser.parse_args(arguments)
    labels = [one for one in LABELS if options.engine in {None, one}]
    counts: Counter[tuple[str, str, bool, bool]] = Counter()
    words: Counter[tuple[str, str, bool, str]] = Counter()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        root = options.sources if options.sources.is_dir() else copied(options.sources, folder)
        server = stack.enter_context(postgres("")) if "pg" in labels else None
        for entry in json.loads((root / "sets-index.json").read_bytes()):
            for label in labels if options.set in entry["set"] else ():
                engine = LABELS[label]
                outcome, steps, why = replayed(entry, root, engine, server)
                if outcome is None:
                    print(f"{entry['set']} {label}: not replayed: {why}")
                    continue
                said = findings_of(entry, root, folder, engine)
                for kind, read, ran, text in compared(entry, engine, said, outcome, steps):
                    counts[label, kind, read, ran] += 1
                    if read != ran:
                        words[label, kind, read, _NAMES.sub("X", text)] += 1
    show(counts, words, options.show)
    return 0


def compared(
    entry: dict[str, Any],
    engine: Engine,
    said: dict[str, list[Finding]],
    outcome: Outcome,
    steps: Sequence[Step],
) -> Iterator[tuple[str, bool, bool, str]]:
    """Yield what is compared, whether reading and running say that it fails, and in which words."""
    failed = {steps[one.step].path: one.refusal.message for one in reversed(outcome.applied)}
    again = {steps[one.step].path: one.refusal.message for one in reversed(outcome.again)}
    again |= {steps[one.step].path: one.what for one in outcome.changed}
    for step in steps:
        own = said.get(step.path, ())
        rejected = [one for one in own if engine in (one.breach.fails_on or ())]
        yield "applies", bool(rejected), step.path in failed, _text(rejected, failed, step)
        if rejected or step.path in failed:
            continue
        unsafe = [
            one
            for one in own
            if one.rule.id == "DAL404"
            and engine in one.breach.fails_later_on
            and "of all migrations" not in one.breach.message
        ]
        yield "second run", bool(unsafe), step.path in again, _text(unsafe, again, step)
    if outcome.left is not None and entry["downs"]:
        every = [one for several in said.values() for one in several]
        leaves = [
            one for one in every if one.rule.id == "DAL402" or _LEAVES.search(one.breach.message)
        ]
        words = leaves[0].breach.message if leaves else str(outcome.left[:2])
        yield "downs leave something", bool(leaves), bool(outcome.left), words


def _text(findings: Sequence[Finding], failures: dict[str, str], step: Step) -> str:
    return findings[0].breach.message if findings else failures.get(step.path, "")


def show(
    counts: Counter[tuple[str, str, bool, bool]],
    words: Counter[tuple[str, str, bool, str]],
    classes: int,
) -> None:
    """Print a table of who says what, and the largest classes of what one side alone says."""
    print("| engine | what fails | both | neither | only reading | only running |")
    print("|---|---|---|---|---|---|")
    for label, kind in dict.fromkeys((label, kind) for label, kind, _, _ in counts):
        ways = ((True, True), (False, False), (True, False), (False, True))
        cells = " | ".join(str(counts[label, kind, read, ran]) for read, ran in ways)
        print(f"| {label} | {kind} | {cells} |")
    for label, kind, by_reading in dict.fromkeys(one[:3] for one in words):
        print(f"\n{label}, {kind}, only by {'reading' if by_reading else 'running'}:")
        own = [
            (number, text)
            for (a, b, c, text), number in words.items()
            if (a, b, c) == (label, kind, by_reading)
        ]
        for number, text in sorted(own, key=lambda one: (-one[0], one[1]))[:classes]:
            print(f"  {number:4} {text[:150]}")


if __name__ == "__main__":
    sys.exit(main())
