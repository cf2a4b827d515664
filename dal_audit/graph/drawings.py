"""A graph in the languages of Graphviz and Mermaid.

Sources: the DOT language (graphviz.org/doc/info/lang.html), and Mermaid's flowcharts
(mermaid.js.org/syntax/flowchart.html), whose texts take characters by their codes (`#quot;`).
"""

from __future__ import annotations

from typing import Final

from dal_audit.graph.hops import Node, hops_of, nodes_of
from dal_audit.graph.survey import Graph
from dal_audit.report.terminal import visible

_DOT_STYLES: Final = {
    "open": 'color="#b3121d", penwidth=2',
    "accepted": 'color="#57606a", style=dashed',
    "storage": 'color="#116329"',
}
_ARROWS: Final = {"open": "==>", "accepted": "-.->", "storage": "-->"}
_SHAPES: Final = {"package": "box", "driver": "cylinder"}


def render_dot(graph: Graph) -> str:
    """Return a digraph: findings red, accepted ones dashed, storage's own imports green."""
    lines = ["digraph drivers {", "  rankdir=LR;", '  node [fontname="monospace"];']
    hops = hops_of(graph)
    ids = _ids(nodes_of(hops))
    lines += [
        f'  {name} [shape={_SHAPES[node.sort]}, label="{_dot_text(node.name)}"];'
        for node, name in ids.items()
    ]
    lines += [
        f"  {ids[hop.source]} -> {ids[hop.target]} "
        f'[{_DOT_STYLES[hop.standing]}, label="{hop.count}"];'
        for hop in hops
    ]
    lines += [f"  // not followed: {visible(line)}" for line in graph.unread]
    return "\n".join([*lines, "}"]) + "\n"


def render_mermaid(graph: Graph) -> str:
    """Return a flowchart: findings as thick arrows, accepted ones dotted, storage's own thin."""
    lines = ["flowchart LR"]
    hops = hops_of(graph)
    ids = _ids(nodes_of(hops))
    for node, name in ids.items():
        opening, closing = ("[(", ")]") if node.sort == "driver" else ("[", "]")
        lines.append(f'  {name}{opening}"{_mermaid_text(node.name)}"{closing}')
    lines += [
        f"  {ids[hop.source]} {_ARROWS[hop.standing]}|{hop.count}| {ids[hop.target]}"
        for hop in hops
    ]
    lines += [f"  %% not followed: {visible(line)}" for line in graph.unread]
    return "\n".join(lines) + "\n"


def _ids(nodes: list[Node]) -> dict[Node, str]:
    return {node: f"n{index}" for index, node in enumerate(nodes)}


def _dot_text(text: str) -> str:
    return visible(text).replace("\\", "\\\\").replace('"', '\\"')


def _mermaid_text(text: str) -> str:
    """Return text in which nothing is markup: Mermaid shows HTML, and some Markdown."""
    return "".join(
        char if char.isalnum() or char in " /._-" else f"#{ord(char)};" for char in visible(text)
    )
