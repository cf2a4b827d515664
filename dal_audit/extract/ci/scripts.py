"""Scripts in YAML: the commands of a scalar, each at its own line of the file."""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import Final

from yaml.nodes import Node, ScalarNode

from dal_audit.extract.ci.shell import Placed, commands_of
from dal_audit.extract.ci.yaml_tree import Document
from dal_audit.facts import Span
from dal_audit.facts.ci import CiCommand

_INDENT: Final = re.compile(r"[ \t]*")


def commands_in(document: Document, node: Node | None) -> tuple[CiCommand, ...]:
    """Return the commands of a scalar that holds a script."""
    if not isinstance(node, ScalarNode) or not node.value.strip():
        return ()
    rows = _rows(document, node)
    text = node.value
    if rows is not None:
        text, starts = rows
        return commands_of(text, _placed(document, starts))
    span = document.span(node)
    return commands_of(text, lambda _start, _end: span)


def _placed(document: Document, starts: list[tuple[int, int, int]]) -> Placed:
    """Return what tells places by pieces: the offset of each, and its line and column, 0-based."""
    offsets = [start for start, _, _ in starts]
    lines = document.lines

    def place(start: int, end: int) -> Span:
        first = starts[max(bisect_right(offsets, start) - 1, 0)]
        last = starts[max(bisect_right(offsets, max(end - 1, start)) - 1, 0)]
        begin = lines.starts[first[1]] + first[2] + start - first[0]
        stop = lines.starts[last[1]] + last[2] + end - last[0]
        return lines.span(min(begin, len(lines.text)), min(max(stop, begin), len(lines.text)))

    return place


def _rows(document: Document, node: ScalarNode) -> tuple[str, list[tuple[int, int, int]]] | None:
    """Return a scalar's text with the place of each of its lines; None where it is not known."""
    if node.style in {"|", ">"}:
        return _block(document, node)
    return _flow(document, node)


def _block(document: Document, node: ScalarNode) -> tuple[str, list[tuple[int, int, int]]] | None:
    """Read a block scalar: `|` keeps its line ends, `>` makes most of them spaces."""
    first, last = node.start_mark.line + 1, node.end_mark.line
    raw = [document.lines.line(number + 1).rstrip("\r\n") for number in range(first, last + 1)]
    indent = _indent(node, raw)
    starts = []
    pieces = []
    length = 0
    for number, row in enumerate(raw, first):
        if row.strip() and len(_INDENT.match(row)[0]) < indent:  # type: ignore[index]
            break
        folds = node.style == ">" and row.strip() and not row[indent:].startswith((" ", "\t"))
        piece = row[indent:] + (" " if folds else "\n")
        starts.append((length, number, indent))
        pieces.append(piece)
        length += len(piece)
    return "".join(pieces), starts


def _indent(node: ScalarNode, rows: list[str]) -> int:
    """Return how far a block is indented: its first line that is not blank tells."""
    start = next((row for row in rows if row.strip()), "")
    if node.style == ">":
        return len(start) - len(start.lstrip(" "))
    wanted = next(row for row in node.value.split("\n") if row.strip())
    return max(len(start) - len(wanted), 0)


def _flow(document: Document, node: ScalarNode) -> tuple[str, list[tuple[int, int, int]]] | None:
    """Read a plain or quoted scalar: its lines are joined by spaces."""
    start, end = node.start_mark, node.end_mark
    quote = len(node.style or "")
    text, starts = "", []
    for number in range(start.line, end.line + 1):
        row = document.lines.line(number + 1).rstrip("\r\n")
        stop = end.column - quote if number == end.line else len(row)
        begin = start.column + quote if number == start.line else len(_INDENT.match(row)[0])  # type: ignore[index]
        piece = row[begin : max(stop, begin)].rstrip()
        starts.append((len(text), number, begin))
        text += f"{piece} "
    return (text, starts) if text.split() == node.value.split() else None
