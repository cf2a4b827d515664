"""What an editor offers to do about a finding: to fix it, or to accept it with a reason."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from lsprotocol import types

from dal_audit.fix.model import Fix
from dal_audit.judge.breach import Finding
from dal_audit.report.suggestions import described
from dal_audit.server.diagnostics import diagnostic_of, range_of

_MARKS = {".py": "  # ", ".pyi": "  # ", ".sql": "  -- ", ".yml": "  # ", ".yaml": "  # "}
"""How a comment begins behind a line's end, by the suffix of the file."""


def actions_on(finding: Finding, root: Path, lines: list[str]) -> Iterator[types.CodeAction]:
    """Yield what can be done about a finding in a file whose lines are these."""
    fix = finding.breach.fix
    if fix is not None:
        yield _fixing(finding, fix, root)
    suppression = _suppression(finding, lines)
    if suppression is not None:
        yield _action(finding, root, f"Suppress {finding.rule.id} here, with a reason", suppression)


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


def _suppression(finding: Finding, lines: list[str]) -> types.TextEdit | None:
    """Return the comment that accepts a finding on its line; None where no comment can stand."""
    mark = _MARKS.get(Path(finding.place.path).suffix)
    last = finding.breach.lines[1]
    if mark is None or last > len(lines):
        return None
    line = lines[last - 1].rstrip("\r\n")
    if line.endswith("\\") or "dal-audit:" in line:
        return None
    end = types.Position(last - 1, len(line.encode("utf-16-le")) // 2)
    text = f"{mark}dal-audit: ignore[{finding.rule.id}] -- reason"
    return types.TextEdit(types.Range(end, end), text)
