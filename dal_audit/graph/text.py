"""A graph as text: below each driver the packages that reach it, and by which way."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Final

from dal_audit.graph.survey import Graph
from dal_audit.report.reach import Reach
from dal_audit.report.summary import plural
from dal_audit.report.terminal import safe, width

_WORDS: Final = {"open": "finding", "accepted": "accepted finding", "storage": "import"}


def render_text(graph: Graph) -> str:
    """Return the packages below each driver, and what was not followed."""
    lines = [headline(graph)]
    for driver, reaches in groupby(graph.reaches, key=lambda reach: reach.driver):
        lines += ["", driver, *_rows(list(reaches))]
    if graph.unread:
        lines += [
            "",
            "Not followed, so more may reach a driver",
            *map("  - {}".format, graph.unread),
        ]
    return "".join(f"{safe(line)}\n" for line in lines)


def headline(graph: Graph) -> str:
    """Return how many packages reach how many drivers."""
    packages = {reach.package for reach in graph.reaches}
    drivers = {reach.driver for reach in graph.reaches}
    if not drivers:
        return "No package reaches a driver, in all that was followed."
    verb = "reaches" if len(packages) == 1 else "reach"
    return f"{plural(len(packages), 'package')} {verb} {plural(len(drivers), 'driver')}"


def way_of(reach: Reach) -> str:
    """Return by which way a package reaches its driver."""
    if reach.standing == "storage":
        return "in storage"
    return f"by {', then '.join(reach.through)}" if reach.through else "directly"


def count_of(reach: Reach) -> str:
    """Return how many findings or imports are of a way."""
    return plural(reach.count, _WORDS[reach.standing])


def _rows(reaches: list[Reach]) -> Iterator[str]:
    cells = [
        (
            reach.package,
            count_of(reach),
            way_of(reach),
            f"{reach.place.path}:{reach.place.span.line}",
        )
        for reach in reaches
    ]
    widths = [max(map(width, column)) for column in zip(*cells, strict=True)]
    for row in cells:
        padded = (
            f"{cell}{' ' * (room - width(cell))}" for cell, room in zip(row, widths, strict=True)
        )
        yield f"  {'  '.join(padded).rstrip()}"
