"""A graph as JSON for programs."""

from __future__ import annotations

from typing import Final

from dal_audit.graph.survey import Graph
from dal_audit.report.json_report import Object, json_text
from dal_audit.report.reach import Reach

VERSION: Final = 1
"""The version of the form; it rises when a member goes or changes, not when one is added."""


def render_json(graph: Graph) -> str:
    """Return the ways as one JSON object.

    Members::

        version: 1
        reaches: [{driver, package: string, through: [string],
            standing: "open" | "accepted" | "storage", count: integer,
            first: {path: string, line, column: integer}}], by driver, package and way
        not_followed: [string]

    Packages are folders, relative to the repository's root, with `/`. `through` are the packages
    that hand the driver on, from the nearest to the one that imports it.
    """
    return json_text(
        {
            "version": VERSION,
            "reaches": [_reach(reach) for reach in graph.reaches],
            "not_followed": list(graph.unread),
        }
    )


def _reach(reach: Reach) -> Object:
    span = reach.place.span
    return {
        "driver": reach.driver,
        "package": reach.package,
        "through": list(reach.through),
        "standing": reach.standing,
        "count": reach.count,
        "first": {"path": reach.place.path, "line": span.line, "column": span.column},
    }
