"""Acceptance: a project's findings are held against its baseline, or make a new one.

This is what reads and writes files for `baseline.py`.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from dal_audit.catalogue.rulebook import Rule, rules
from dal_audit.discover.links import check_within
from dal_audit.disk.whole_file import write_whole
from dal_audit.facts import Place, Span
from dal_audit.judge.breach import EntryUse, Finding
from dal_audit.triage.baseline import (
    Entry,
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
    refused: tuple[Finding, ...] = ()
    """Those that count and that no baseline may hold."""


def apply_baseline(
    findings: Sequence[Finding],
    file: Path,
    root: Path,
    active: Iterable[Rule],
    read: Callable[[str], bytes],
) -> tuple[list[Finding], list[EntryUse]]:
    """Return the findings, the accepted ones marked, and the entries that count too many.

    `read` returns what was audited of a path (`source_reader`). An entry whose rule did not run is
    not judged. Raises BaselineError for a faulty baseline.
    """
    entries = read_baseline(file)
    shown = Path(os.path.relpath(file, root)).as_posix()
    marked = list(findings)
    open_ones = [index for index, finding in enumerate(findings) if acceptable(finding)]
    keys = keys_of([findings[index] for index in open_ones], read)
    found = match(entries, keys, partial(is_deleted, root))
    because = f"accepted in {shown}"
    for index in map(open_ones.__getitem__, found.accepted):
        marked[index] = replace(marked[index], standing="baselined", justification=because)
    silent = {rule.id for rule in rules()}.difference(rule.id for rule in active)
    judged = (entry for entry in entries if entry.key.rule not in silent)
    return marked, list(_stale(judged, found.left, shown))


def _stale(entries: Iterable[Entry], left: Mapping[Entry, int], shown: str) -> Iterator[EntryUse]:
    """Yield the entries that accept fewer findings than they count."""
    for entry in entries:
        if left[entry]:
            place = Place(shown, Span(entry.row, 1, entry.row, 1))
            met = entry.count - left[entry]
            yield EntryUse(place, entry.key.rule, entry.key.path, met, entry.count)


def write_baseline(
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
    BaselineError for a faulty baseline, UsageError for a link out of the project, OSError where it
    cannot be written.
    """
    check_within(file, root)
    exists = os.path.lexists(file)
    entries = read_baseline(file) if exists else ()
    keys = keys_of(
        [finding for finding in findings if acceptable(finding)], source_reader(root, secrets)
    )
    found = match(entries, keys, partial(is_deleted, root)) if exists else Match(frozenset(), {})
    grow = grow or not exists
    counts = renewed(entries, keys, found, judged=judged, grow=grow)
    text = baseline_text(counts)
    file.parent.mkdir(parents=True, exist_ok=True)
    write_whole(file, text.encode())
    before = sum(entry.count for entry in entries)
    new = 0 if grow else len(keys) - len(found.accepted)
    refused = tuple(
        finding for finding in findings if finding.standing == "open" and not acceptable(finding)
    )
    return Change(file, before, counts.total(), new, refused)


def accept(
    finding: Finding, file: Path, root: Path, secrets: Mapping[str, tuple[Span, ...]]
) -> None:
    """Add one finding in a saved text to a baseline, which is made where there is none.

    Raises as `write_baseline` does.
    """
    check_within(file, root)
    entries = read_baseline(file) if os.path.lexists(file) else ()
    counts = Counter({entry.key: entry.count for entry in entries})
    counts.update(keys_of([finding], source_reader(root, secrets)))
    write_whole(file, baseline_text(counts).encode())


def source_reader(
    root: Path, secrets: Mapping[str, tuple[Span, ...]], instead: Mapping[str, Path] | None = None
) -> Callable[[str], bytes]:
    """Return what reads a project's files without their secrets; nothing where there is no file.

    `instead` holds the files with the texts that are not saved yet, by the paths of theirs.
    """

    def read(path: str) -> bytes:
        file = (instead or {}).get(path, root / path)
        try:
            # A pipe or a device would keep the reader waiting.
            data = file.read_bytes() if file.is_file() else b""
        except OSError:
            return b""
        return redacted(data, secrets.get(path, ()), path)

    return read


def is_deleted(root: Path, path: str) -> bool:
    """Return whether there is no such file in a project any more."""
    return not os.path.lexists(root / path)
