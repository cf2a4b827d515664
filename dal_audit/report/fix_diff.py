"""A fix as a diff: the lines that it changes, before and after."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from dal_audit.fix.model import Fix
from dal_audit.report.suggestions import is_exact
from dal_audit.report.terminal import utf16_index

MOST: Final = 12
"""Lines; a longer diff would hide what is found."""


def fix_diff(fix: Fix, lines: Sequence[str]) -> list[tuple[str, str]]:
    """Return the lines that a fix changes as pairs of a sign, `-` or `+`, and a line.

    `lines` are those of the finding's file. Nothing where places are not exact in them, or where
    the diff is long: `--diff` shows it.
    """
    if not fix.edits or not is_exact(fix, lines):
        return []
    first = min(edit.span.line for edit in fix.edits)
    last = max(edit.span.end_line for edit in fix.edits)
    before = list(lines[first - 1 : last])
    text = "\n".join(before)
    starts = [0]
    for line in before:
        starts.append(starts[-1] + len(line) + 1)

    def offset(line: int, column: int) -> int:
        return starts[line - first] + utf16_index(before[line - first], column)

    for edit in sorted(fix.edits, key=lambda edit: edit.span, reverse=True):
        span = edit.span
        head, tail = offset(span.line, span.column), offset(span.end_line, span.end_column)
        text = text[:head] + edit.text + text[tail:]
    found = list(_changed(before, text.split("\n")))
    return found if len(found) <= MOST else []


def _changed(before: Sequence[str], after: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield the lines that differ, without those that are the same at both ends."""
    from difflib import ndiff  # only where there is a fix to show

    for row in ndiff(before, after):
        if row[:2] in {"- ", "+ "} and row[2:].strip():
            yield row[0], row[2:]
