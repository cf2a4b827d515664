"""Which packages reach which drivers, drawn as a picture (SVG) and told as a table."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from dal_audit.judge.breach import Finding
from dal_audit.report.html.elements import package_of, shown
from dal_audit.report.summary import plural
from dal_audit.report.terminal import width

PACKAGES_SHOWN: Final = 40
"""Packages that are drawn, those with the most findings; nobody tells more lines apart."""

_ROW: Final = 26
_FLIGHT: Final = 260
"""How far the lines fly from the packages to the drivers."""

_LETTER: Final = 7.2
"""The width of a letter, about."""

_LONGEST: Final = 48
"""Letters of a package's name that are drawn: its end, which tells it from its neighbours."""


def picture(findings: Iterable[Finding]) -> Iterator[str]:
    """Yield the section; nothing where no finding reaches a driver."""
    edges = Counter(
        (package_of(finding), finding.breach.driver)
        for finding in findings
        if finding.breach.driver
    )
    if not edges:
        return
    weights: Counter[str] = Counter()
    for (package, _), count in edges.items():
        weights[package] += count
    kept = sorted(sorted(weights, key=lambda name: (-weights[name], name))[:PACKAGES_SHOWN])
    drawn = {edge: count for edge, count in edges.items() if edge[0] in set(kept)}
    yield '<section aria-labelledby="reach"><h2 id="reach">Which packages reach which drivers</h2>'
    yield "<p>A line is a package whose findings lead to a driver, the wider the more of them. "
    yield "A package or a driver can be chosen to see its findings.</p>"
    yield from _drawing(kept, drawn)
    if len(weights) > len(kept):
        yield f"<p>{plural(len(weights) - len(kept), 'more package')} with fewer findings.</p>"
    yield from _table(edges)
    yield "</section>"


def _drawing(packages: Sequence[str], edges: Mapping[tuple[str, str], int]) -> Iterator[str]:
    """Yield two columns of names and a curve an edge."""
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
        f'<div class="wide"><svg viewBox="0 0 {total:.0f} {height}" width="{total:.0f}" '
        f'height="{height}" role="group" aria-label="Packages and the drivers that they reach">'
    )
    for (package, driver), count in sorted(edges.items()):
        start, end, middle = left, left + _FLIGHT, left + _FLIGHT / 2
        y1, y2 = tops[package], ends[driver]
        told = f"{shown(package)} reaches {shown(driver)}: {plural(count, 'finding')}"
        yield (
            f'<path class="edge" stroke-width="{1 + math.log2(count):.1f}" '
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


def _in_order(rows: Mapping[str, int], edges: Mapping[tuple[str, str], int]) -> list[str]:
    """Return the drivers so that few lines cross: by the middle of the packages that reach them."""
    reached: dict[str, list[int]] = {}
    for package, driver in edges:
        reached.setdefault(driver, []).append(rows[package])
    return sorted(reached, key=lambda name: (sum(reached[name]) / len(reached[name]), name))


def _top(row: int, rows: int, height: int) -> float:
    return (height - rows * _ROW) / 2 + row * _ROW + _ROW / 2


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST else f"…{name[-_LONGEST:]}"


def _table(edges: Mapping[tuple[str, str], int]) -> Iterator[str]:
    """Yield the picture's content for whoever cannot see it, or wants numbers."""
    yield "<details><summary>The same as a table</summary>"
    yield '<div class="wide"><table><thead><tr><th scope="col">Package</th>'
    yield '<th scope="col">Driver</th><th scope="col">Findings</th></tr></thead><tbody>'
    for (package, driver), count in sorted(edges.items()):
        yield f"<tr><td>{shown(package)}</td><td>{shown(driver)}</td><td>{count}</td></tr>"
    yield "</tbody></table></div></details>"
