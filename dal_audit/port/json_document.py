"""A survey as JSON for programs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from dal_audit.facts import Place
from dal_audit.port.model import Hold, Remark, Survey, files_of, mended
from dal_audit.report.json_report import Object, json_text

VERSION: Final = 1
"""The version of the form; it rises when a member goes or changes, not when one is added."""


def render_json(surveys: Sequence[Survey]) -> str:
    """Return all surveys as one JSON object.

    Members::

        version: 1
        ports: [{project: string, to: {engine, version: string}, today: [string], clear: boolean,
            statements, files: integer,
            summary: {places, files, safe, unsafe, by_hand: integer},
            holds: [{kind, rule, message, cure: string, mending: "safe" | "unsafe" | null, PLACE}],
            not_read: [REMARK], questions: [REMARK]}]
        REMARK: {text: string, places: [{PLACE}]}
        PLACE: path: string, line, column, end_line, end_column: integer

    Paths are relative to the current folder, with `/`; lines and columns are 1-based, columns
    count UTF-16 code units, the end is exclusive. `rule` is null where none is about it.
    """
    return json_text({"version": VERSION, "ports": [_survey(survey) for survey in surveys]})


def _survey(survey: Survey) -> Object:
    holds = survey.holds
    safe, unsafe = mended(holds, "safe"), mended(holds, "unsafe")
    return {
        "project": survey.project,
        "to": {"engine": survey.target, "version": survey.version},
        "today": list(survey.today),
        "clear": survey.is_clear,
        "statements": survey.statements,
        "files": survey.files,
        "summary": {
            "places": len(holds),
            "files": files_of(holds),
            "safe": safe,
            "unsafe": unsafe,
            "by_hand": len(holds) - safe - unsafe,
        },
        "holds": [_hold(hold) for hold in holds],
        "not_read": [_remark(gap) for gap in survey.gaps],
        "questions": [_remark(question) for question in survey.questions],
    }


def _hold(hold: Hold) -> Object:
    return {
        "kind": hold.kind,
        "rule": hold.rule or None,
        "message": hold.message,
        "cure": hold.cure,
        "mending": hold.mending or None,
        **_place(hold.place),
    }


def _remark(remark: Remark) -> Object:
    return {"text": remark.text, "places": [_place(place) for place in remark.places]}


def _place(place: Place) -> Object:
    span = place.span
    return {
        "path": place.path,
        "line": span.line,
        "column": span.column,
        "end_line": span.end_line,
        "end_column": span.end_column,
    }
