"""Which packages reach which drivers, drawn as a picture (SVG) and told as a table."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, TypeAlias

from dal_audit.report.html.elements import shown
from dal_audit.report.reach import Reach, Standing
from dal_audit.report.summary import plural
from dal_audit.report.terminal import width

PACKAGES_SHOWN: Final = 12
"""Packages that are drawn, those with the most findings: so many rows are a third of a screen."""

DRIVERS_SHOWN: Final = 12
"""Drivers that are drawn, those with the most findings."""

_ROW: Final = 26
_FLIGHT: Final = 140
"""How far the lines fly from the packages to the drivers."""

_LETTER: Final = 7.2
"""The width of a letter, about."""

_LONGEST: Final = 36
"""Letters of a package's name that are drawn: its end, which tells it from its neighbours."""

_WORDS: Final[Mapping[Standing, str]] = {
    "open": "finding",
    "accepted": "accepted finding",
    "storage": "import",
}

Edges: TypeAlias = Mapping[tuple[str, str, Standing], int]
"""Packages, the drivers that they reach, and how that stands, with the numbers of findings."""


def picture(reaches: Sequence[Reach], *, is_open: bool) -> Iterator[str]:
    """Yield the section; nothing where nothing reaches a driver. It can be folded away."""
    edges: Counter[tuple[str, str, Standing]] = Counter()
    for reach in reaches:
        edges[reach.package, reach.driver, reach.standing] += reach.count
    if not edges:
        return
    packages, drivers = _largest(edges, 0, PACKAGES_SHOWN), _largest(edges, 1, DRIVERS_SHOWN)
    drawn = {
        edge: count for edge, count in edges.items() if edge[0] in packages and edge[1] in drivers
    }
    yield '<section aria-labelledby="reach">'
    yield f"<details{' open' if is_open else ''}><summary>"
    yield '<h2 id="reach">Which packages reach which drivers</h2></summary>'
    yield f"<p>{_legend(edges)}</p>"
    yield from _drawing(sorted(name for name, *_ in drawn), drawn)
    left_out = len({edge[0] for edge in edges}) - len({edge[0] for edge in drawn})
    if left_out:
        yield f"<p>{plural(left_out, 'more package')} with fewer findings in the table.</p>"
    yield from _table(edges)
    yield "</details></section>"


def _largest(edges: Edges, end: int, most: int) -> set[str]:
    """Return the names at one end of the edges that have the most findings which count."""
    weights: dict[str, tuple[int, int]] = {}
    for edge, count in edges.items():
        counts, others = weights.get(edge[end], (0, 0))
        is_open = edge[2] == "open"
        weights[edge[end]] = counts + count * is_open, others + count * (not is_open)
    ordered = sorted(weights.items(), key=lambda item: (-item[1][0], -item[1][1], item[0]))
    return {name for name, _ in ordered[:most]}


def _legend(edges: Edges) -> str:
    """Return what the lines mean, as far as there are such lines."""
    standings = {standing for *_, standing in edges}
    parts = ["A line is a package whose findings lead to a driver, the wider the more of them."]
    if "accepted" in standings:
        parts.append("Dashed are those that were accepted (suppressed, waived, in the baseline).")
    if "storage" in standings:
        parts.append("Thin lines are what storage itself imports.")
    return " ".join(parts)


def _drawing(names_drawn: Sequence[str], edges: Edges) -> Iterator[str]:
    """Yield two columns of names and a curve an edge."""
    packages = list(dict.fromkeys(names_drawn))
    rows = {name: index for index, name in enumerate(packages)}
    drivers = _in_order(rows, edges)
    names = {name: _short(name) for name in packages}
    left = max(width(name) for name in names.values()) * _LETTER + 16
    right = max(width(name) for name in drivers) * _LETTER + 24
    height = max(len(packages), len(drivers)) * _ROW + 8
    # The shorter column stands in the middle of the longer one.
    tops = {name: _top(row, len(packages), height) for name, row in rows.items()}
    ends = {name: _top(row, len(drivers), height) for row, name in enumerate(drivers)}
    total = left + _FLIGHT + right
    yield (
        f'<div class="wide" tabindex="0" role="region" aria-label="Picture">'
        f'<svg viewBox="0 0 {total:.0f} {height}" width="{total:.0f}" '
        f'height="{height}" role="group" aria-label="Packages and the drivers that they reach">'
    )
    for (package, driver, standing), count in sorted(edges.items()):
        start, end, middle = left, left + _FLIGHT, left + _FLIGHT / 2
        y1, y2 = tops[package], ends[driver]
        told = f"{shown(package)} reaches {shown(driver)}: {plural(count, _WORDS[standing])}"
        yield (
            f'<path class="edge {standing}" stroke-width="{_breadth(count, standing):.1f}" '
            f'data-package="{shown(package)}" data-driver="{shown(driver)}" '
            f'd="M{start:.0f} {y1:.0f}C{middle:.0f} {y1:.0f} {middle:.0f} {y2:.0f} '
            f'{end:.0f} {y2:.0f}"><title>{told}</title></path>'
        )
    for package in packages:
        yield (
            f'<a href="#findings" data-package="{shown(package)}"><text x="{left - 8:.0f}" '
            f'y="{tops[package] + 4:.0f}" text-anchor="end">{shown(names[package])}'
            f"<title>{shown(package)}</title></text></a>"
        )
    for driver in drivers:
        yield (
            f'<a href="#findings" data-driver="{shown(driver)}"><text '
            f'x="{left + _FLIGHT + 8:.0f}" y="{ends[driver] + 4:.0f}">{shown(driver)}</text></a>'
        )
    yield "</svg></div>"


def _breadth(count: int, standing: Standing) -> float:
    return 1 + (math.log2(count) if standing == "open" else 0)


def _in_order(rows: Mapping[str, int], edges: Edges) -> list[str]:
    """Return the drivers so that few lines cross: by the middle of the packages that reach them."""
    reached: dict[str, list[int]] = {}
    for package, driver, _ in edges:
        reached.setdefault(driver, []).append(rows[package])
    return sorted(reached, key=lambda name: (sum(reached[name]) / len(reached[name]), name))


def _top(row: int, rows: int, height: int) -> float:
    return (height - rows * _ROW) / 2 + row * _ROW + _ROW / 2


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST else f"…{name[-_LONGEST:]}"


def _table(edges: Edges) -> Iterator[str]:
    """Yield the picture's content for whoever cannot see it, or wants numbers."""
    yield "<details><summary>The same as a table</summary>"
    yield '<div class="wide"><table><thead><tr><th scope="col">Package</th>'
    yield '<th scope="col">Driver</th><th scope="col">Number</th></tr></thead><tbody>'
    for (package, driver, standing), count in sorted(edges.items()):
        told = plural(count, _WORDS[standing])
        yield f"<tr><td>{shown(package)}</td><td>{shown(driver)}</td><td>{told}</td></tr>"
    yield "</tbody></table></div></details>"
