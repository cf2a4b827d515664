"""A graph in each format; all say the same."""

from __future__ import annotations

from typing import Final, Literal, TypeAlias, get_args

from dal_audit.graph.survey import Graph

GraphFormat: TypeAlias = Literal["text", "dot", "mermaid", "json", "html"]
GRAPH_FORMATS: Final[tuple[GraphFormat, ...]] = get_args(GraphFormat)


def render_graph(graph: Graph, form: GraphFormat) -> str:
    """Return a graph in a format. Equal graphs give equal text."""
    # Each format is imported when it is asked for.
    match form:
        case "text":
            from dal_audit.graph.text import render_text

            return render_text(graph)
        case "dot":
            from dal_audit.graph.drawings import render_dot

            return render_dot(graph)
        case "mermaid":
            from dal_audit.graph.drawings import render_mermaid

            return render_mermaid(graph)
        case "json":
            from dal_audit.graph.json_document import render_json

            return render_json(graph)
        case "html":
            from dal_audit.graph.html_page import render_page

            return render_page(graph)
