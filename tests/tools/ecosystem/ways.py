"""The ways in which a tree is audited; what they say must be the same, byte for byte."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct

from tests.tools.children import Ended, audited
from tests.tools.ecosystem.trees import sources

SAID = ("--format", "json", "--format", "sarif", "--output", "-", "--output")
EDIT = "\nimport sqlite3 as _added\n"
"""What is put at the end of a file, between two runs with one cache."""


class Audited(Struct, frozen=True):
    """What the ways of auditing a tree came to; `wrong` are sentences on what should not be."""

    name: str
    files: int
    on_disk: int
    findings: int
    runs: int
    seconds: float
    peak: int
    digest: str
    wrong: tuple[str, ...]


def audit_tree(
    name: str, tree: Path, pythons: Sequence[str], most: float, *, quick: bool
) -> Audited:
    """Audit a tree in all ways, or in two of them."""
    with tempfile.TemporaryDirectory(prefix="ecosystem-") as folder:
        copy = Path(folder) / "tree"
        shutil.copytree(tree, copy, symlinks=True, ignore_dangling_symlinks=True)
        runs = list(_runs(copy, Path(folder), pythons, most, quick=quick))
    _, first, sarif = runs[0]
    wrong = [f"{way}: {what}" for way, run, made in runs for what in _faults(run, made)]
    wrong += [
        f"{way}: other findings"
        for way, run, made in runs[1:]
        if not way.startswith("changed") and (run.out, made) != (first.out, sarif)
    ]
    changed = [(way, run.out, made) for way, run, made in runs if way.startswith("changed")]
    wrong += [f"{way}: other findings" for way, *said in changed[1:] if said != [*changed[0][1:]]]
    report = _json(first.out) or {}
    return Audited(
        name,
        report.get("summary", {}).get("files", 0),
        sum(1 for _ in sources(tree)),
        len(report.get("findings", ())),
        len(runs),
        first.seconds,
        max(run.peak for _, run, _ in runs),
        digest_of(report),
        tuple(wrong),
    )


def _runs(
    tree: Path, folder: Path, pythons: Sequence[str], most: float, *, quick: bool
) -> Iterator[tuple[str, Ended, bytes]]:
    """Yield each way with its run, and the SARIF that it wrote."""
    made = folder / "log.sarif"

    def run(*words: str, seed: str = "0", python: str = "") -> tuple[Ended, bytes]:
        made.unlink(missing_ok=True)
        chosen = {"python": python} if python else {}
        environment = {"PYTHONHASHSEED": seed}
        said = ("check", "--show-suppressed", *words, *SAID, str(made), ".")
        done = audited(tree, *said, environment=environment, most=most, **chosen)
        return done, made.read_bytes() if made.is_file() else b""

    kept = ("--cache-dir", str(folder / "kept"))
    yield "1 process", *run("--no-cache", "--jobs", "1")
    yield "4 processes, another seed", *run("--no-cache", "--jobs", "4", seed="1")
    if quick:
        return
    yield "new cache", *run(*kept)
    yield "warm cache", *run(*kept, seed="2")
    for python in pythons:
        yield f"by {python}", *run("--no-cache", python=python)
    edited = next(sources(tree), None)
    if edited is not None and edited.suffix == ".py":
        with edited.open("ab") as file:
            file.write(EDIT.encode())
        yield "changed, warm", *run(*kept)
        yield "changed, cold", *run("--no-cache")


def _faults(run: Ended, made: bytes) -> Iterator[str]:
    if run.is_hung:
        yield "it hung"
    elif run.is_crash:
        yield f"it ended with {run.code}: {run.err.decode(errors='replace').strip()[-200:]}"
    elif _json(run.out) is None:
        yield "no JSON"
    else:
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
