"""The report as JSON for programs: all findings, whatever their standing."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Sequence
from typing import Final, TypeAlias

from dal_audit.facts import Place, Span
from dal_audit.fix.model import Fix
from dal_audit.judge.breach import Finding, Origin
from dal_audit.report.links import HOME
from dal_audit.report.model import Report
from dal_audit.report.summary import verdicts

VERSION: Final = 1
"""The schema's version; it rises when a member goes or changes, not when one is added."""

SCHEMA: Final = f"{HOME}/raw/main/dal_audit/report/report.schema.json"
"""Where the schema is published."""

Object: TypeAlias = dict[str, object]
"""A JSON object under construction."""

_LONE_SURROGATE: Final = re.compile(r"[\ud800-\udfff]")
_OBEYED: Final = re.compile(
    r"[\x7f-\x9f\u061c\u200b-\u200f\u2028\u2029\u202a-\u202e\u2060-\u2069\ufeff]"
)
"""What `json` leaves as it is and a terminal obeys or hides: controls, bidi, what has no width."""


def json_text(value: Object | Sequence[Object]) -> str:
    """Return a JSON document that can be written as UTF-8, whatever bytes file names are made of.

    Bytes that are no UTF-8, kept as lone surrogates by PEP 383, become U+FFFD. What a terminal
    would obey is written as an escape, which means the same to a reader of JSON.
    """
    text = json.dumps(value, ensure_ascii=False, indent=2)
    text = _OBEYED.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
    return _LONE_SURROGATE.sub("\ufffd", text) + "\n"


def render_json(report: Report) -> str:
    """Return the report as one JSON object.

    Equal reports give equal text. `report.schema.json`, beside this module, is the same as a JSON
    Schema. Members, in this order::

        $schema: string
        version: 1
        tool: {name: string, version: string}
        summary: {files, ruled_out, open, suppressed, waived, baselined, error, warning,
            info: integer}
            `files` were audited, `ruled_out` of them by their bytes alone; the severities count
            open findings
        assumptions: [string]
        notes: [string], which assumption many findings hang on, and the line that decides it
        clauses: [{id, title: string, verdict: "pass" | "pass in part" | "baselined" | "fail" |
            "not audited", findings: integer, reason: string}], in the law's order; `findings` are
            the open ones against it, `reason` says why it is not audited, or not all of it
        tested: [{backend: string, seen: boolean, by: string}] | null, the backends on which storage
            tests have to run: whether a job was seen to run them and to block, and which, or why
            not; null where there is no CI
        findings: [FINDING], by path, place and rule

        FINDING: {rule: {id, name: string}, severity: "error" | "warning" | "info" | "off",
            standing: "open" | "suppressed" | "waived" | "baselined", in_source: boolean,
            justification: string,
            clauses: [string], PLACE, message, label: string, related: [{PLACE, message: string}],
            cure: string, fails_on: [string] | null, fails_later_on: [string],
            run: "again" | "all-again" | null,
            driver: string | null, origin: ORIGIN | null, fix: FIX | null}
        ORIGIN: {name: string, PLACE, message: string}
        FIX: {message: string, applicability: "safe" | "unsafe",
            edits: [{line, column, end_line, end_column: integer, text: string}]}
        PLACE: path: string, line, column, end_line, end_column: integer

    A path is relative to the repository's root, with `/`. Lines and columns are 1-based, columns
    count UTF-16 code units, the end is exclusive. `in_source` tells a comment that suppresses a
    finding from the configuration; `justification` is empty where a finding is open, and
    `cure` where the rule's own is all there is to say. `fails_on` are the backends that reject the
    SQL at the place, none of them where all run it and differ in what it means, and null where the
    finding is not about SQL; `fails_later_on` are those that take it, and fail at it when its
    migration is run a second time: `run` says whether at once, or with all others. `driver` is the
    catalogue's name of the driver that is reached from the place, null where there is none.
    `origin` is what handed it on to here from another file, by its full name (`app.db.SessionDep`):
    findings of one origin are mended together. The
    edits of a fix are in the finding's file and do not overlap; `text` is to stand in the place of
    what is between the columns.
    """
    return json_text(
        {
            "$schema": SCHEMA,
            "version": VERSION,
            "tool": {"name": "dal-audit", "version": report.version},
            "summary": _summary(report),
            "assumptions": list(report.assumptions),
            "notes": list(report.notes),
            "clauses": [
                {
                    "id": said.clause.id,
                    "title": said.clause.title,
                    "verdict": said.verdict,
                    "findings": said.against,
                    "reason": said.reason,
                }
                for said in verdicts(report)
            ],
            "tested": None if report.tested is None else [*map(_tested, report.tested)],
            "findings": [_finding(finding) for finding in report.findings],
        }
    )


def _summary(report: Report) -> Object:
    standings = Counter(finding.standing for finding in report.findings)
    severities = Counter(finding.severity for finding in report.open)
    return {
        "files": report.files,
        "ruled_out": report.ruled_out,
        "open": standings["open"],
        "suppressed": standings["suppressed"],
        "waived": standings["waived"],
        "baselined": standings["baselined"],
        "error": severities["error"],
        "warning": severities["warning"],
        "info": severities["info"],
    }


def _tested(row: tuple[str, str, bool]) -> Object:
    backend, by, is_seen = row
    return {"backend": backend, "seen": is_seen, "by": by}


def _finding(finding: Finding) -> Object:
    breach = finding.breach
    return {
        "rule": {"id": finding.rule.id, "name": finding.rule.name},
        "severity": finding.severity,
        "standing": finding.standing,
        "in_source": finding.in_source,
        "justification": finding.justification,
        "clauses": list(finding.rule.clauses),
        **_place(breach.place),
        "message": breach.message,
        "label": breach.label,
        "related": [
            {**_place(relation.place), "message": relation.message} for relation in breach.related
        ],
        "cure": breach.remedy,
        "fails_on": None if breach.fails_on is None else list(breach.fails_on),
        "fails_later_on": list(breach.fails_later_on),
        "run": breach.run or None,
        "driver": breach.driver or None,
        "origin": None if finding.origin is None else _origin(finding.origin),
        "fix": None if breach.fix is None else _fix(breach.fix),
    }


def _origin(origin: Origin) -> Object:
    return {"name": origin.name, **_place(origin.place), "message": origin.message}


def _fix(fix: Fix) -> Object:
    return {
        "message": fix.message,
        "applicability": fix.applicability,
        "edits": [{**_extent(edit.span), "text": edit.text} for edit in fix.edits],
    }


def _place(place: Place) -> Object:
    return {"path": place.path, **_extent(place.span)}


def _extent(span: Span) -> Object:
    return {
        "line": span.line,
        "column": span.column,
        "end_line": span.end_line,
        "end_column": span.end_column,
    }
