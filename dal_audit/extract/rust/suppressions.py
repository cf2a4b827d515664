"""Suppressions in comments of Rust: `// dal-audit: allow[rule] reason`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from dal_audit.extract.source import Lines, decode_script
from dal_audit.extract.suppressions import RUST_MARK, read_suppression
from dal_audit.facts import Suppression

if TYPE_CHECKING:
    from tree_sitter import Node

    from dal_audit.extract.rust.syntax import RustSource


def suppressions(source: RustSource) -> Iterator[Suppression]:
    """Yield the suppressions among a file's comments."""
    if b"dal-audit:" not in source.data:
        return
    lines = Lines(decode_script(source.data))
    first = _next_code(lines, 1, len(lines))
    for comment in _comments(source.root):
        text = source.text(comment)
        mark = RUST_MARK.search(text)
        if mark is not None:
            row, column = comment.start_point
            own = row + 1
            alone = not lines.line(own).encode()[:column].strip()
            about = _next_code(lines, own + 1, own) if alone else own
            begin = lines.offset(own, column)
            yield read_suppression(lines, begin, text.rstrip("\n"), mark, about, first)


def _next_code(lines: Lines, start: int, otherwise: int) -> int:
    """Return the first line of code from a line on; another number where there is none."""
    for number in range(start, len(lines) + 1):
        text = lines.line(number).strip()
        if text and not text.startswith(("//", "#!")):
            return number
    return otherwise


def _comments(root: Node) -> Sequence[Node]:
    found: list[Node] = []
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if node.type == "line_comment":
            found.append(node)
        else:
            waiting += reversed(node.named_children)
    return found
