"""The ways in which a tree is audited; what they say must be the same, byte for byte."""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Literal

from msgspec import Struct

from tests.tools.children import Ended, audited
from tests.tools.ecosystem.trees import sources

SAID = ("--format", "json", "--format", "sarif", "--output", "-", "--output")
EDIT = "\nimport sqlite3 as _added\n"
"""What is put at the end of a file, between two runs with one cache."""


class Audited(Struct, frozen=True):
    """What the ways of auditing a tree came to.

    `findings` are a line each, `seconds` those of the first run, `peak` the most MiB of any, and
    `wrong` sentences on what should not be.
    """

    name: str
    files: int
    on_disk: int
    findings: tuple[str, ...]
    ways: tuple[str, ...]
    seconds: float
    peak: int
    digest: str
    wrong: tuple[str, ...]


class Plan(Struct, frozen=True):
    """In which ways trees are audited.

    `extent` is quick (two runs), rotated (a new cache and a warm one, and one of the further ways
    if it has a `turn`) or full; `pythons` are further Pythons; after `most` seconds a run counts as
    hung.
    """

    extent: Literal["quick", "rotated", "full"] = "full"
    pythons: tuple[str, ...] = ()
    most: float = 600
    turn: int | None = None


Run = tuple[str, Ended, bytes]
"""A way's name, how its run ended, and the SARIF that it wrote."""


def audit_tree(name: str, tree: Path, plan: Plan) -> Audited:
    """Audit a tree in the ways of a plan."""
    with tempfile.TemporaryDirectory(prefix="ecosystem-") as folder:
        copy = Path(folder) / "tree"
        shutil.copytree(tree, copy, symlinks=True, ignore_dangling_symlinks=True)
        runs = list(_runs(Place(copy, Path(folder)), plan))
    _, first, _ = runs[0]
    report = _json(first.out) or {}
    return Audited(
        name,
        report.get("summary", {}).get("files", 0),
        sum(1 for _ in sources(tree)),
        tuple(map(told, report.get("findings", ()))),
        tuple(way for way, *_ in runs),
        first.seconds,
        max(run.peak for _, run, _ in runs),
        digest_of(report),
        (*_faults(runs), *_differences(runs)),
    )


def findings_by(checkout: Path, tree: Path, plan: Plan) -> tuple[str, ...]:
    """Return the findings of another checkout of dal-audit in a tree, a line each."""
    words = ("check", "--show-suppressed", "--no-cache", "--format", "json", ".")
    done = audited(tree, *words, most=plan.most, checkout=str(checkout))
    return tuple(map(told, (_json(done.out) or {}).get("findings", ())))


class Place(Struct, frozen=True):
    """Where a tree is audited: a copy of it, and a folder for what the runs make."""

    tree: Path
    folder: Path

    @property
    def cache(self) -> tuple[str, str]:
        """What tells a run to keep its facts here."""
        return ("--cache-dir", str(self.folder / "kept"))

    def run(self, way: str, plan: Plan, *words: str, seed: str = "0", python: str = "") -> Run:
        """Audit the tree in one way."""
        made = self.folder / "log.sarif"
        made.unlink(missing_ok=True)
        done = audited(
            self.tree,
            *("check", "--show-suppressed", *words, *SAID, str(made), "."),
            python=python or sys.executable,
            environment={"PYTHONHASHSEED": seed},
            most=plan.most,
        )
        return way, done, made.read_bytes() if made.is_file() else b""


def _runs(place: Place, plan: Plan) -> Iterator[Run]:
    if plan.extent == "rotated":
        yield place.run("new cache", plan, *place.cache, "--jobs", "1")
        yield place.run("warm cache, another seed", plan, *place.cache, seed="2")
        further = _further(plan)
        if plan.turn is not None:
            yield from further[plan.turn % len(further)](place)
        return
    yield place.run("1 process", plan, "--no-cache", "--jobs", "1")
    if plan.extent == "quick":
        yield from _several(place, plan)
        return
    yield place.run("new cache", plan, *place.cache)
    yield place.run("warm cache, another seed", plan, *place.cache, seed="2")
    for way in _further(plan):
        yield from way(place)


def _further(plan: Plan) -> list[Callable[[Place], Iterator[Run]]]:
    """Return the ways that take turns; the last edits the tree."""
    pythons = [partial(_by_python, plan=plan, python=python) for python in plan.pythons]
    return [partial(_several, plan=plan), *pythons, partial(_changed, plan=plan)]


def _several(place: Place, plan: Plan) -> Iterator[Run]:
    yield place.run("4 processes, another seed", plan, "--no-cache", "--jobs", "4", seed="1")


def _by_python(place: Place, plan: Plan, python: str) -> Iterator[Run]:
    yield place.run(f"by {python}", plan, "--no-cache", python=python)


def _changed(place: Place, plan: Plan) -> Iterator[Run]:
    edited = next((path for path in sources(place.tree) if path.suffix == ".py"), None)
    if edited is not None:
        with edited.open("ab") as file:
            file.write(EDIT.encode())
        yield place.run("changed, warm", plan, *place.cache)
        yield place.run("changed, cold", plan, "--no-cache")


def _differences(runs: Sequence[Run]) -> Iterator[str]:
    """Yield the ways that say something else than the first of their kind."""
    firsts: dict[bool, tuple[bytes, bytes]] = {}
    for way, run, made in runs:
        said = (run.out, made)
        if firsts.setdefault(way.startswith("changed"), said) != said:
            yield f"{way}: other findings"


def _faults(runs: Sequence[Run]) -> Iterator[str]:
    logs: set[bytes] = set()
    for way, run, made in runs:
        yield from (f"{way}: {what}" for what in _flaws(run, made, is_known=made in logs))
        logs.add(made)


def _flaws(run: Ended, made: bytes, *, is_known: bool) -> Iterator[str]:
    if run.is_hung:
        yield "it hung"
    elif run.is_crash:
        yield f"it ended with {run.code}: {run.err.decode(errors='replace').strip()[-200:]}"
    elif _json(run.out) is None:
        yield "no JSON"
    elif not is_known:  # To hold a log against its schema takes longer than to write it.
        yield from _invalid(_json(made))


def _invalid(log: Any) -> Iterator[str]:
    import jsonschema

    schema = json.loads((Path(__file__).parents[2] / "data/sarif-2.1.0.json").read_text())
    try:
        jsonschema.validate(log, schema)
    except jsonschema.ValidationError as error:
        yield f"invalid SARIF: {error.message[:200]}"


def _json(data: bytes) -> Any:
    try:
        return json.loads(data)
    except ValueError:
        return None


def digest_of(report: Any) -> str:
    """Return a digest of the findings of a report as JSON: where each is, and what it says."""
    found = [
        (finding["rule"], finding["path"], finding["line"], finding["column"], finding["message"])
        for finding in report.get("findings", ())
    ]
    return hashlib.sha256(json.dumps(found).encode()).hexdigest()[:16]


def told(finding: Any) -> str:
    """Return a finding of a report as a line."""
    place = f"{finding['path']}:{finding['line']}:{finding['column']}"
    return f"{place} {finding['rule']} {finding['message']}"
