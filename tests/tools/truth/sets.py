"""Score the verdicts about migrations against sets that were run on the real engines.

    python -m tests.tools.truth.sets SETS SOURCES [--classes N]

SETS has a JSON object a line: a set, and for each of `sqlite` and `pg`, `per_file`, whether each
file of its ups applies and whether it could be run again right after it had run (`replay_safe`, with
the engine's words where not); and where all ups applied, what the downs gave when they were run in
reverse (`down_errors`, `restored_empty`, `left_over`). SOURCES is the folder, or an archive of it,
that files count from; its `sets-index.json` lists the `ups` and `downs` of each set in their order.

Each set is audited for each engine as a project of its own, which has that engine as its only
target. Of the files that apply, precision and recall are printed of those that DAL404 finds to fail
the second time. Counted apart are findings that data or the schema changes, for no error tells of
them, and that a file fails only when all are run again, for the labels are about a file by itself
(those of `whole_set_replay_file_errors` have no names). Of the downs there is one line a set: whether they restore the empty schema and which of them
fail, as they did and as DAL402, DAL403 and, where an engine does not take one, DAL3xx say.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from dal_audit.audit import audit
from dal_audit.judge.breach import Finding
from dal_audit.policy.request import Request
from tests.tools.truth.sql import ENGINES, copied

CONFIGURATION: Final = """\
backends = ["{engine}"]
placeholder-style = "any"

[backend-versions]
sqlite = "3.54"
postgresql = "18"

[[migrations]]
path = "{root}"
backends = ["{engine}"]
"""
_LEAVES: Final = re.compile(r"the down leaves the (?!column|constraint|index|label)")
"""What no later down takes away with something else."""

_NAMES: Final = re.compile(r"\"[^\"]*\"|'[^']*'|\S*[._]\S*|\d+")


@dataclass(slots=True)
class Tally:
    """What was counted: files by (fails, is found to), and the ones that were judged wrongly."""

    files: Counter[tuple[bool, bool]] = field(default_factory=Counter)
    lines: Counter[bool] = field(default_factory=Counter)
    changes: int = 0
    of_all: int = 0
    alarms: list[str] = field(default_factory=list)
    misses: list[str] = field(default_factory=list)


def main(arguments: Sequence[str] | None = None) -> int:
    """Audit every set for every engine, and print how well that agrees with the labels."""
    parser = argparse.ArgumentParser(prog="tests.tools.truth.sets", description=__doc__)
    parser.add_argument("sets", type=Path)
    parser.add_argument("sources", type=Path)
    parser.add_argument("--classes", type=int, default=10, help="how many classes to print")
    options = parser.parse_args(arguments)
    labelled = {one["set"]: one for one in map(json.loads, options.sets.open(encoding="utf-8"))}
    tallies = {engine: Tally() for engine in ENGINES}
    downs = []
    with tempfile.TemporaryDirectory() as folder:
        root = copied(options.sources, Path(folder))
        for one in json.loads((root / "sets-index.json").read_text(encoding="utf-8")):
            for engine in ENGINES:
                label = labelled[one["set"]][engine]
                findings = findings_of(one, root, Path(folder), ENGINES[engine])
                count(label, findings, tallies[engine])
                if "down_errors" in label:
                    downs.append(compared(f"{one['set']} {engine}", label, one, findings))
    for engine, tally in tallies.items():
        show(engine, tally, options.classes)
    print("downs: all restored / as judged; failing files / as judged; left over")
    print("\n".join(downs))
    return 0


def findings_of(
    one: dict[str, Any], sources: Path, folder: Path, engine: str
) -> dict[str, list[Finding]]:
    """Audit a set for an engine; return the findings of each file."""
    project = folder / "project"
    files = dict.fromkeys((*one["ups"], *one["downs"]))
    for path in files:
        (project / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(sources / path, project / path)
    root = os.path.commonpath([str(Path(path).parent) for path in files])
    text = CONFIGURATION.format(engine=engine, root=root)
    (project / "dal-audit.toml").write_text(text, encoding="utf-8")
    report = audit(Request(folder=project, select=("DAL3", "DAL4"), jobs=1))
    shutil.rmtree(project)
    found: dict[str, list[Finding]] = {}
    for finding in report.findings:
        found.setdefault(finding.place.path, []).append(finding)
    return found


def count(label: dict[str, Any], findings: dict[str, list[Finding]], tally: Tally) -> None:
    """Count the files of a set that apply and of which it is known whether they can be rerun."""
    for file in label["per_file"]:
        if not file["applies"] or file["replay_safe"] is None:
            continue
        own = [one for one in findings.get(file["file"], ()) if one.rule.id == "DAL404"]
        failing = [one for one in own if one.breach.fails_later_on and not _is_of_all(one)]
        tally.changes += any(not one.breach.fails_later_on for one in own) and not failing
        tally.of_all += any(map(_is_of_all, own))
        tally.files[not file["replay_safe"], bool(failing)] += 1
        if failing and file["replay_safe"]:
            tally.alarms.append(_NAMES.sub("X", failing[0].breach.message))
        elif failing:
            line = file["replay_error"][0]
            tally.lines[any(one.breach.place.span.line >= line for one in failing)] += 1
        elif not file["replay_safe"]:
            tally.misses.append(_NAMES.sub("X", file["replay_error"][2]))


def _is_of_all(finding: Finding) -> bool:
    """Return whether a finding is about running all migrations again, and not the file alone."""
    return "a second run of all migrations" in finding.breach.message


def compared(
    name: str, label: dict[str, Any], one: dict[str, Any], findings: dict[str, list[Finding]]
) -> str:
    """Return a line that compares what the downs of a set gave with what is said of them."""
    failing = {error["file"] for error in label["down_errors"]}
    downs = set(one["downs"]) - set(one["ups"])
    said = [finding for several in findings.values() for finding in several]
    told = {
        finding.place.path
        for finding in said
        if (finding.breach.fails_on or finding.breach.fails_later_on)
        and finding.place.path in downs
    }
    leaves = any(
        finding.rule.id == "DAL402" or _LEAVES.search(finding.breach.message) for finding in said
    )
    return (
        f"{name}: {label['restored_empty']} / {not leaves};"
        f" {len(failing)} / {len(told)}, {len(failing & told)} of them the same;"
        f" {label['n_left']}"
    )


def show(engine: str, tally: Tally, classes: int) -> None:
    """Print precision and recall for an engine, and the largest classes of what is amiss."""
    right, alarms = tally.files[True, True], tally.files[False, True]
    misses = tally.files[True, False]
    print(
        f"{engine:7} precision {right / max(right + alarms, 1):.4f}"
        f"  recall {right / max(right + misses, 1):.4f}"
        f"  ({right} right, {alarms} false alarms, {misses} missed;"
        f" {tally.lines[True]} at the engine's line or after; {tally.changes} only change something,"
        f" {tally.of_all} fail only when all are run again)"
    )
    for title, found in (("false alarms", tally.alarms), ("misses", tally.misses)):
        for text, number in _largest(found, classes):
            print(f"{number:5}  {title}: {text[:90]}")


def _largest(found: Sequence[str], classes: int) -> Iterator[tuple[str, int]]:
    yield from Counter(found).most_common(classes)


if __name__ == "__main__":
    sys.exit(main())
