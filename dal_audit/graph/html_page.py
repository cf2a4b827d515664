"""A graph as a page: the picture of the report, and a table of all ways."""

from __future__ import annotations

from collections.abc import Iterator

from dal_audit.graph.survey import Graph
from dal_audit.graph.text import count_of, headline, way_of
from dal_audit.report.html.elements import shown
from dal_audit.report.html.page import page
from dal_audit.report.html.picture import picture


def render_page(graph: Graph) -> str:
    """Return the page. It loads nothing, and is complete without its script."""
    return page(f"dal-audit: {headline(graph)}", graph.version, _body(graph))


def _body(graph: Graph) -> Iterator[str]:
    yield f"<header><h1>dal-audit graph</h1><p>{shown(headline(graph))}</p></header><main>"
    yield from picture(graph.reaches, is_open=True)
    yield '<section aria-labelledby="findings"><h2 id="findings" tabindex="-1">By which way</h2>'
    yield '<div class="wide"><table><thead><tr><th scope="col">Driver</th>'
    yield '<th scope="col">Package</th><th scope="col">Number</th><th scope="col">Way</th>'
    yield '<th scope="col">First place</th></tr></thead><tbody>'
    for reach in graph.reaches:
        place = f"{reach.place.path}:{reach.place.span.line}"
        cells = (reach.driver, reach.package, count_of(reach), way_of(reach), place)
        yield f"<tr>{''.join(f'<td>{shown(cell)}</td>' for cell in cells)}</tr>"
    yield "</tbody></table></div>"
    if graph.unread:
        yield "<p>Not followed, so more may reach a driver:</p><ul>"
        yield from (f"<li>{shown(line)}</li>" for line in graph.unread)
        yield "</ul>"
    yield "</section></main>"
