"""Fixes as reports offer them: to people, and to programs that can apply them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from dal_audit.facts import Edit, Place
from dal_audit.fix.model import Fix
from dal_audit.judge.breach import Finding
from dal_audit.report.model import Report
from dal_audit.report.source_lines import Quoted

if TYPE_CHECKING:
    from dal_audit.report.json_report import Object

_UNDECODABLE: Final = "\N{REPLACEMENT CHARACTER}"


def fixable(report: Report) -> str:
    """Return a sentence on how many findings can be fixed, and how; empty where none can."""
    fixes = (finding.breach.fix for finding in report.open)
    ending = [fix for fix in fixes if fix is not None and not fix.is_partial]
    safe = sum(fix.is_safe for fix in ending)
    unsafe = len(ending) - safe
    if not unsafe:
        return f"{safe} fixable with `--fix`." if safe else ""
    if not safe:
        return f"{unsafe} fixable with `--fix --unsafe-fixes`."
    return f"{safe} fixable with `--fix`, {unsafe} more with `--unsafe-fixes`."


def described(fix: Fix) -> str:
    """Return what a fix does, whether a person must decide about it, and what it leaves."""
    return fix.message + reservations(fix)


def reservations(fix: Fix) -> str:
    """Return what is to be said of a fix in brackets, if anything."""
    said = ["unsafe: it may mean something else"] * (not fix.is_safe)
    said += ["the finding stays for the rest"] * fix.is_partial
    return f" ({'; '.join(said)})" if said else ""


def is_exact(fix: Fix, lines: Sequence[str]) -> bool:
    """Return whether all places of a fix are in the source as it was read, so that columns fit."""
    return all(
        edit.span.end_line <= len(lines)
        and _UNDECODABLE not in "".join(lines[edit.span.line - 1 : edit.span.end_line])
        for edit in fix.edits
    )


def sarif_fixes(fix: Fix, artifact: Object) -> list[Object]:
    """Return a fix as SARIF has it (§3.55): `artifact` is the location of its file."""
    return [
        {
            "description": {"text": f"{' '.join(described(fix).split())}."},
            "artifactChanges": [
                {
                    "artifactLocation": artifact,
                    "replacements": [_replacement(edit) for edit in fix.edits],
                }
            ],
            "properties": {"applicability": fix.applicability},
        }
    ]


def _replacement(edit: Edit) -> Object:
    span = edit.span
    replacement: Object = {
        "deletedRegion": {
            "startLine": span.line,
            "startColumn": span.column,
            "endLine": span.end_line,
            "endColumn": span.end_column,
        }
    }
    if edit.text:
        replacement["insertedContent"] = {"text": edit.text}
    return replacement


def suggestions(finding: Finding, quoted: Quoted) -> list[Object]:
    """Return a finding's fix as suggestions of the Reviewdog Diagnostic Format (rdjson).

    There columns count bytes of UTF-8. Where places are not exact, and for a fix that a person must
    decide about, nothing is suggested.
    """
    fix, path = finding.breach.fix, finding.place.path
    if fix is None or not fix.is_safe or not is_exact(fix, quoted.lines(path)):
        return []
    found: list[Object] = []
    for edit in fix.edits:
        columns = quoted.utf8_columns(Place(path, edit.span))
        if columns is None:
            return []
        start: Object = {"line": edit.span.line, "column": columns[0]}
        end: Object = {"line": edit.span.end_line, "column": columns[1]}
        found.append({"range": {"start": start, "end": end}, "text": edit.text})
    return found
