"""Acceptance: a project's findings are held against its baseline, or make a new one.

This is what reads and writes files for `baseline.py`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from dal_audit.catalogue.rulebook import Rule, rules
from dal_audit.facts import Place, Span
from dal_audit.judge.breach import EntryUse, Finding
from dal_audit.triage.baseline import (
    Key,
    Match,
    acceptable,
    baseline_text,
    keys_of,
    match,
    read_baseline,
    renewed,
)
from dal_audit.triage.redaction import redacted


class Change(Struct, frozen=True):
    """What writing a baseline did: findings accepted before and now, and those left out of it."""

    file: Path
    before: int
    now: int
    new: int


def accept(
    findings: Sequence[Finding],
    file: Path,
    root: Path,
    active: Iterable[Rule],
    secrets: Mapping[str, tuple[Span, ...]],
) -> tuple[list[Finding], list[EntryUse]]:
    """Return the findings, the accepted ones marked, and the entries that count too many.

    An entry whose rule did not run is not judged. Raises BaselineError for a faulty baseline.
    """
    entries = read_baseline(file)
    shown = Path(os.path.relpath(file, root)).as_posix()
    open_ones = [index for index, finding in enumerate(findings) if acceptable(finding)]
    keys = keys_of([findings[index] for index in open_ones], reader(root, secrets))
    found = match(entries, keys, gone_from(root))
    chosen = {open_ones[index] for index in found.accepted}
    in_force = {rule.id for rule in active}
    known = {rule.id for rule in rules()}
    marked = [
        replace(finding, standing="baselined", justification=f"accepted in {shown}")
        if index in chosen
        else finding
        for index, finding in enumerate(findings)
    ]
    stale = [
        EntryUse(
            Place(shown, Span(entry.row, 1, entry.row, 1)),
            entry.key.rule,
            entry.key.path,
            entry.count - found.left[entry],
            entry.count,
        )
        for entry in entries
        if found.left[entry] and (entry.key.rule in in_force or entry.key.rule not in known)
    ]
    return marked, stale


def write(
    findings: Sequence[Finding],
    file: Path,
    root: Path,
    secrets: Mapping[str, tuple[Span, ...]],
    *,
    judged: Callable[[Key], bool],
    grow: bool,
) -> Change:
    """Write the baseline of a project; a first one takes in all, a later one only shrinks.

    `judged` tells of which entries this audit would have found what they stand for. Raises
    BaselineError for a faulty baseline, OSError where it cannot be written.
    """
    exists = os.path.lexists(file)
    entries = read_baseline(file) if exists else ()
    keys = keys_of([finding for finding in findings if acceptable(finding)], reader(root, secrets))
    found = match(entries, keys, gone_from(root)) if exists else Match(frozenset(), {})
    grow = grow or not exists
    counts = renewed(entries, keys, found, judged=judged, grow=grow)
    text = baseline_text(counts)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8", newline="\n")
    before = sum(entry.count for entry in entries)
    return Change(file, before, counts.total(), 0 if grow else len(keys) - len(found.accepted))


def reader(root: Path, secrets: Mapping[str, tuple[Span, ...]]) -> Callable[[str], bytes]:
    """Return what reads a project's files without their secrets; nothing where there is no file."""

    def read(path: str) -> bytes:
        file = root / path
        try:
            # A pipe or a device would keep the reader waiting.
            data = file.read_bytes() if file.is_file() else b""
        except OSError:
            return b""
        return redacted(data, secrets[path]) if path in secrets else data

    return read


def gone_from(root: Path) -> Callable[[str], bool]:
    """Return a test whether there is no such file in a project any more."""
    return lambda path: not os.path.lexists(root / path)
