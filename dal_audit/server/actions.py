"""What an editor offers to do about a finding.

To fix it, to accept it with a reason, or to write it into the baseline.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from lsprotocol import types

from dal_audit.fix.model import Fix
from dal_audit.judge.breach import Finding
from dal_audit.report.suggestions import described
from dal_audit.server.diagnostics import diagnostic_of, range_of
from dal_audit.triage.baseline import acceptable

ACCEPT: Final = "dal-audit.accept"
"""The command that writes a finding into the baseline: URI, rule, line and column, from 1."""

_MARKS: Final = {
    **dict.fromkeys((".py", ".pyi", ".pyw", ".toml", ".yml", ".yaml"), "  # "),
    ".rs": "  // ",
    ".sql": "  -- ",
}
"""How a comment begins behind a line's end, by the suffix of the file."""

_ALLOWED: Final = re.compile(r"dal-audit:\s*allow\s*\[[^\]]*(?=\])")
"""A suppression up to the end of its rules."""


def actions_on(
    finding: Finding, root: Path, lines: list[str], *, is_saved: bool
) -> Iterator[types.CodeAction]:
    """Yield what can be done about a finding in a file whose lines are these."""
    fix = finding.breach.fix
    if fix is not None:
        yield _fixing(finding, fix, root)
    suppression = _suppression(finding, lines)
    if suppression is not None:
        yield _action(finding, root, f"Suppress {finding.rule.id} here, with a reason", suppression)
    if is_saved and acceptable(finding):  # A baseline knows a finding by its line on the disk.
        yield _accepting(finding, root)


def _fixing(finding: Finding, fix: Fix, root: Path) -> types.CodeAction:
    edits = [types.TextEdit(range_of(edit.span), edit.text) for edit in fix.edits]
    said = described(fix)
    action = _action(finding, root, f"{said[:1].upper()}{said[1:]}", *edits)
    action.is_preferred = fix.is_safe
    return action


def _action(finding: Finding, root: Path, title: str, *edits: types.TextEdit) -> types.CodeAction:
    uri = (root / finding.place.path).as_uri()
    return types.CodeAction(
        title=title,
        kind=types.CodeActionKind.QuickFix,
        diagnostics=[diagnostic_of(finding, root)],
        edit=types.WorkspaceEdit(changes={uri: list(edits)}),
    )


def _accepting(finding: Finding, root: Path) -> types.CodeAction:
    place = finding.place
    title = f"Accept this {finding.rule.id} in the baseline"
    uri = (root / place.path).as_uri()
    words = [uri, finding.rule.id, place.span.line, place.span.column]
    return types.CodeAction(
        title=title,
        kind=types.CodeActionKind.QuickFix,
        diagnostics=[diagnostic_of(finding, root)],
        command=types.Command(title, ACCEPT, arguments=words),
    )


def _suppression(finding: Finding, lines: list[str]) -> types.TextEdit | None:
    """Return what accepts a finding on its line: a comment, or its id in the one that is there.

    None where no comment can stand.
    """
    mark = _MARKS.get(Path(finding.place.path).suffix)
    last = finding.breach.lines[1]
    if mark is None or last > len(lines):
        return None
    line = lines[last - 1].rstrip("\r\n")
    there = _ALLOWED.search(line)
    if there is not None:
        return _insertion(last, line[: there.end()], f", {finding.rule.id}")
    if line.endswith("\\") or "dal-audit:" in line:
        return None
    return _insertion(last, line, f"{mark}dal-audit: allow[{finding.rule.id}] reason")


def _insertion(row: int, before: str, text: str) -> types.TextEdit:
    """Return the edit that puts a text behind another one, which begins its line (from 1)."""
    end = types.Position(row - 1, len(before.encode("utf-16-le")) // 2)
    return types.TextEdit(types.Range(end, end), text)
