"""Score the verdicts about SQL against statements that were run on the real engines.

    python -m tests.tools.truth.sql LABELLED SOURCES [--predictions FILE] [--kind migrations] [--classes N]

LABELLED has a JSON object a line: `source`, `file`, `line`, `statement`, `kind`, and for each of
`sqlite` and `pg` whether it took the statement (`ok` or `error`) and what it said. SOURCES is the
folder, or an archive of it, that `file` counts from; what it lacks is put together from the rows. The command is run over all of it as a project
with both backends as targets, in their newest versions; a statement is predicted to fail on the
backends that the findings in it name. Precision and recall are printed for each engine and for any,
then the largest classes of false alarms (by rule and message) and of misses (by the engine's words).
"""

from __future__ import annotations

import argparse
import bisect
import json
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

ENGINES: Final = {"sqlite": "sqlite", "pg": "postgresql"}
"""What the labels call the engines, and what dal-audit does."""

CONFIGURATION: Final = """\
backends = ["sqlite", "postgresql"]
placeholder-style = "any"

[backend-versions]
sqlite = "3.54"
postgresql = "18"

[[migrations]]
path = "."
backends = ["sqlite", "postgresql"]
"""
"""Every file is a migration for both, in the versions that the labels were made with."""

_NAMES: Final = re.compile(r"\"[^\"]*\"|'[^']*'|\d+")
_LINE_END: Final = re.compile(r"\r\n|\r|\n")


@dataclass(slots=True)
class Labelled:
    """A labelled statement, where it stands, and what is said of it."""

    row: dict[str, Any]
    start: tuple[int, int]
    end: tuple[int, int]
    findings: list[dict[str, Any]]

    def truth(self) -> set[str]:
        """The engines that rejected it."""
        return {engine for engine in ENGINES if self.row[engine] == "error"}

    def predicted(self) -> set[str]:
        """The engines that findings in it name."""
        named = {backend for one in self.findings for backend in one["fails_on"] or ()}
        return {engine for engine, backend in ENGINES.items() if backend in named}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command over the sources and print how well it agrees with the labels."""
    parser = argparse.ArgumentParser(prog="tests.tools.truth.sql", description=__doc__)
    parser.add_argument("labelled", type=Path)
    parser.add_argument("sources", type=Path)
    parser.add_argument("--predictions", type=Path, help="write the predictions to this file")
    parser.add_argument("--kind", default="migrations", help="the kind of statements to score")
    parser.add_argument("--classes", type=int, default=15, help="how many classes to print")
    options = parser.parse_args(arguments)
    rows = [json.loads(line) for line in options.labelled.open(encoding="utf-8")]
    rows = [row for row in rows if row["kind"] == options.kind and not row["data_error"]]
    with tempfile.TemporaryDirectory() as folder:
        root = copied(options.sources, Path(folder))
        rebuild(rows, root)
        statements = located(rows, root)
        outside = assign(statements, findings_of(root, Path(folder)))
    print(f"{len(statements)} statements; {outside} findings in none of them")
    score(statements)
    classes(statements, options.classes)
    if options.predictions:
        options.predictions.write_text("".join(predictions(statements)), encoding="utf-8")
    return 0


def copied(sources: Path, folder: Path) -> Path:
    """Return a folder with a copy of the sources."""
    root = folder / "sources"
    if sources.is_dir():
        shutil.copytree(sources, root)
    else:
        with tarfile.open(sources) as archive:
            archive.extractall(root, filter="data")
    return root


def rebuild(rows: Iterable[dict[str, Any]], root: Path) -> None:
    """Write the labelled files that the sources lack, each statement on its line."""
    lacking: dict[Path, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        if not (root / row["file"]).exists():
            lacking[root / row["file"]].append(row)
    for path, several in lacking.items():
        text = ""
        for row in sorted(several, key=lambda one: int(one["line"])):
            text += "\n" * max(row["line"] - 1 - text.count("\n"), 0) + row["statement"] + ";"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def findings_of(root: Path, folder: Path) -> list[dict[str, Any]]:
    """Return the findings of the command that name backends."""
    configuration = folder / "dal-audit.toml"
    configuration.write_text(CONFIGURATION, encoding="utf-8")
    command = [sys.executable, "-m", "dal_audit", ".", "--config", str(configuration)]
    answer = subprocess.run(
        [*command, "--format", "json"], cwd=root, capture_output=True, check=False
    )
    if answer.returncode not in {0, 1}:
        raise SystemExit(answer.stderr.decode())
    return [one for one in json.loads(answer.stdout)["findings"] if one["fails_on"] is not None]


def located(rows: Iterable[dict[str, Any]], root: Path) -> list[Labelled]:
    """Return the labelled statements with the places where they begin and end.

    Where the text does not stand on the line that is given, they span whole lines.
    """
    lines: dict[str, list[str]] = {}
    found = []
    for row in rows:
        if row["file"] not in lines:
            data = (root / row["file"]).read_bytes()
            lines[row["file"]] = _LINE_END.split(data.decode("utf-8-sig", "replace"))
        written = _LINE_END.split(row["statement"])
        first = lines[row["file"]][row["line"] - 1]
        column = _columns(first[: max(first.find(written[0]), 0)]) + 1
        last = row["line"] + len(written) - 1
        width = _columns(written[-1]) + (column if len(written) == 1 else 1)
        found.append(Labelled(row, (row["line"], column), (last, width), []))
    return found


def _columns(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def assign(statements: Iterable[Labelled], findings: Iterable[dict[str, Any]]) -> int:
    """Give each finding to the statement that it stands in; return how many stand in none."""
    by_file: dict[str, list[Labelled]] = defaultdict(list)
    for one in statements:
        by_file[one.row["file"]].append(one)
    for several in by_file.values():
        several.sort(key=lambda one: one.start)
    starts = {path: [one.start for one in several] for path, several in by_file.items()}
    outside = 0
    for finding in findings:
        place = (finding["line"], finding["column"])
        index = bisect.bisect_right(starts.get(finding["path"], []), place) - 1
        if index >= 0 and place <= by_file[finding["path"]][index].end:
            by_file[finding["path"]][index].findings.append(finding)
        else:
            outside += 1
    return outside


def score(statements: Sequence[Labelled]) -> None:
    """Print precision and recall for each engine, and for failing on any."""
    for engine in (*ENGINES, "any"):
        counted = Counter(
            (
                bool(one.truth() & {engine}) or (engine == "any" and bool(one.truth())),
                bool(one.predicted() & {engine}) or (engine == "any" and bool(one.predicted())),
            )
            for one in statements
        )
        right, alarms, misses = counted[True, True], counted[False, True], counted[True, False]
        print(
            f"{engine:7} precision {right / max(right + alarms, 1):.4f}"
            f"  recall {right / max(right + misses, 1):.4f}"
            f"  ({right} right, {alarms} false alarms, {misses} missed)"
        )


def classes(statements: Iterable[Labelled], count: int) -> None:
    """Print the largest classes of false alarms and of misses."""
    alarms: Counter[str] = Counter()
    misses: Counter[str] = Counter()
    sources: dict[str, set[str]] = defaultdict(set)
    for one in statements:
        for engine in one.predicted() - one.truth():
            for finding in one.findings:
                if ENGINES[engine] in (finding["fails_on"] or ()):
                    name = f"{engine}: {finding['rule']['id']} {finding['message'][:70]}"
                    alarms[name] += 1
                    sources[name].add(one.row["source"])
        for engine in one.truth() - one.predicted():
            name = f"{engine}: {_NAMES.sub('X', one.row[f'{engine}_msg'])[:70]}"
            misses[name] += 1
            sources[name].add(one.row["source"])
    for title, counted in (("false alarms", alarms), ("misses", misses)):
        print(title)
        for name, number in counted.most_common(count):
            print(f"{number:5}  {name}  ({len(sources[name])} sources)")


def predictions(statements: Iterable[Labelled]) -> Iterator[str]:
    """Yield the predictions, a line each, for scorers that read them."""
    for one in statements:
        engines = sorted(one.predicted())
        if engines:
            row = {key: one.row[key] for key in ("source", "file", "line")}
            yield json.dumps({**row, "predicted_fail_on": engines}) + "\n"


if __name__ == "__main__":
    sys.exit(main())
