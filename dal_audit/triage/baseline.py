"""The baseline: findings that were accepted on the day of adoption, and how they are known again.

The file holds one JSON object a line, sorted, so that two branches merge line by line. An entry
says rule, path, enclosing symbol, and a hash of the finding's line without its blanks, and how many
findings are alike in all four. Line numbers are left out: what stands above does not matter.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from msgspec import Struct

from dal_audit.discover.errors import UsageError
from dal_audit.disk.regular_file import read_regular
from dal_audit.judge.breach import Finding

NEVER_ACCEPTED: Final = frozenset({"unreadable-file", "nothing-audited", "expired-waiver"})
"""Rules whose findings no baseline holds: with one, an audit could be green for having looked at
nothing, or a waiver could outlive its date."""

_HEAD: Final = {"dal-audit-baseline": 1}
_FIELDS: Final = ("path", "rule", "symbol", "line", "count")
_LINE_END: Final = re.compile(rb"\r\n|\r|\n")
_DEFINITION: Final = re.compile(r"(?:async[ \t]+def|def|class)[ \t]+(\w+)")
_CONFLICT: Final = re.compile(r"(?:<{7}|={7}|>{7}|\|{7})")


class BaselineError(UsageError):
    """The baseline cannot be read; the message names the file and the line."""


class Key(Struct, frozen=True, order=True):
    """What a finding is known by: `line` is a hash of the text of the line that it begins on."""

    path: str
    rule: str
    symbol: str
    line: str


class Entry(Struct, frozen=True):
    """A line of the baseline; `row` is its 1-based number in the file."""

    key: Key
    count: int
    row: int


def read_baseline(file: Path) -> tuple[Entry, ...]:
    """Return the entries of a baseline; of two for one key, as a merge leaves them, the larger.

    Raises BaselineError for a file that cannot be read, or that holds anything else.
    """
    found: dict[Key, Entry] = {}
    lines = _text_of(file).removesuffix("\n").split("\n")
    for row, line in enumerate(lines, 1):
        if _CONFLICT.match(line):
            flaw = "a merge conflict; keep the lines of both sides and run `dal-audit baseline`"
            raise BaselineError(f"error: {file}:{row}: {flaw}")
        value = _object(line)
        if row == 1:
            if value != _HEAD:
                raise BaselineError(f"error: {file}:1: not a baseline of this version of dal-audit")
            continue
        entry = _entry(value, row)
        if entry is None:
            raise BaselineError(f"error: {file}:{row}: not an entry of a baseline")
        known = found.get(entry.key)
        if known is None or known.count < entry.count:
            found[entry.key] = entry
    return tuple(found.values())


def _text_of(file: Path) -> str:
    try:
        return read_regular(file).decode("utf-8")
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        raise BaselineError(f"error: {file}: the baseline cannot be read: {reason}") from error
    except UnicodeDecodeError as error:
        raise BaselineError(f"error: {file}: the baseline is not UTF-8: {error.reason}") from error


def _object(line: str) -> object:
    """Return what a line of JSON says, None for a line that is none."""
    try:
        value: object = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return value


def _entry(value: Any, row: int) -> Entry | None:
    if not isinstance(value, dict) or tuple(value) != _FIELDS:
        return None
    *words, count = value.values()
    if not all(isinstance(word, str) for word in words) or type(count) is not int or count < 1:
        return None
    return Entry(Key(*words), count, row)


def baseline_text(counts: Mapping[Key, int]) -> str:
    """Return the file that holds these keys, each as often as it occurs."""
    lines = [json.dumps(_HEAD)]
    for key in sorted(counts):
        values = (key.path, key.rule, key.symbol, key.line, counts[key])
        lines.append(json.dumps(dict(zip(_FIELDS, values, strict=True))))
    return "\n".join(lines) + "\n"


def keys_of(findings: Sequence[Finding], read: Callable[[str], bytes]) -> list[Key]:
    """Return each finding's key; `read` returns the bytes of a file, nothing if there is none."""
    rows: dict[str, set[int]] = {}
    for finding in findings:
        rows.setdefault(finding.place.path, set()).add(finding.place.span.line)
    known = {path: _contexts(path, read(path), wanted) for path, wanted in rows.items()}
    return [
        Key(
            finding.place.path, finding.rule.id, *known[finding.place.path][finding.place.span.line]
        )
        for finding in findings
    ]


def _contexts(path: str, data: bytes, wanted: Iterable[int]) -> dict[int, tuple[str, str]]:
    """Return the symbol and the hash of each wanted line; a line that is not there is empty."""
    lines = _LINE_END.split(data)
    last = max(wanted)
    symbols = list(_symbols(lines[:last])) if path.endswith((".py", ".pyi", ".pyw")) else []
    contexts = {}
    for row in wanted:
        text = lines[row - 1] if row <= len(lines) else b""
        symbol = symbols[row - 1] if row <= len(symbols) else ""
        contexts[row] = (symbol, hashlib.sha256(b"".join(text.split())).hexdigest()[:16])
    return contexts


def _symbols(lines: Iterable[bytes]) -> Iterator[str]:
    """Yield, line by line, the dotted name of the class and function around it.

    Read off the indentation, without a parser. Where that errs (text in a string at the margin) it
    errs in the same way each time, and the match that leaves symbols out still holds.
    """
    around: list[tuple[int, str]] = []
    for line in lines:
        text = line.decode("utf-8", "replace")
        bare = text.lstrip(" \t\f")
        if bare and not bare.startswith(("#", ")", "]", "}")):
            indent = len(text) - len(bare)
            while around and around[-1][0] >= indent:
                around.pop()
            defined = _DEFINITION.match(bare)
            if defined:
                around.append((indent, defined[1]))
        yield ".".join(name for _, name in around)


class Match(Struct, frozen=True):
    """Which findings a baseline accepts, by their indexes, and what is left of its entries."""

    accepted: frozenset[int]
    left: Mapping[Entry, int]
    """How many findings each entry could still accept."""


def match(entries: Sequence[Entry], keys: Sequence[Key], gone: Callable[[str], bool]) -> Match:
    """Find again what was accepted: each entry accepts as many findings as it counts, no more.

    First what is equal in all; then what moved out of its function or class, in the same file; then
    what lies in another file, where the entry's own is `gone` (renamed, moved or split); then what
    moved to another file with its function or class. Among equal findings the first ones are
    accepted.
    """
    left = {entry: entry.count for entry in entries}
    accepted: set[int] = set()
    missing = set(filter(gone, {entry.key.path for entry in entries}))
    views: tuple[tuple[Callable[[Key], object], Callable[[Entry], bool]], ...] = (
        (lambda key: key, lambda _entry: True),
        (lambda key: (key.path, key.rule, key.line), lambda _entry: True),
        (lambda key: (key.rule, key.symbol, key.line), lambda entry: entry.key.path in missing),
        (lambda key: (key.rule, key.line), lambda entry: entry.key.path in missing),
        (lambda key: (key.rule, key.symbol, key.line), lambda entry: bool(entry.key.symbol)),
    )
    for view, serves in views:
        waiting = _by_view(view, [entry for entry in filter(serves, entries) if left[entry]])
        if not waiting:
            continue
        for index, key in enumerate(keys):
            if index not in accepted and _take(waiting.get(view(key)), left):
                accepted.add(index)
    return Match(frozenset(accepted), left)


def _by_view(view: Callable[[Key], object], entries: Sequence[Entry]) -> dict[object, list[Entry]]:
    """Return the entries that look the same in a view, the last of them first."""
    waiting: dict[object, list[Entry]] = {}
    for entry in reversed(entries):
        waiting.setdefault(view(entry.key), []).append(entry)
    return waiting


def _take(stock: list[Entry] | None, left: dict[Entry, int]) -> bool:
    """Let the next entry of a stock accept a finding; one that accepts no more leaves the stock."""
    if not stock:
        return False
    left[stock[-1]] -= 1
    if not left[stock[-1]]:
        stock.pop()
    return True


def acceptable(finding: Finding) -> bool:
    """Return whether a baseline may hold a finding."""
    return finding.standing == "open" and finding.rule.name not in NEVER_ACCEPTED


def renewed(
    entries: Sequence[Entry],
    keys: Sequence[Key],
    found: Match,
    *,
    judged: Callable[[Key], bool],
    grow: bool,
) -> Counter[Key]:
    """Return what the baseline is to hold from now on.

    What was accepted and is still there stands under its present key, what is gone is left out, and
    what was not judged stays. Only to `grow` takes in new findings.
    """
    counts = Counter(key for index, key in enumerate(keys) if grow or index in found.accepted)
    for entry in entries:
        if found.left[entry] and not judged(entry.key):
            counts[entry.key] += found.left[entry]
    return counts
