"""Trees of Rust by tree-sitter, and places in them."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from dal_audit.extract.rust.byte_lines import ByteLines
from dal_audit.facts import Span

if TYPE_CHECKING:
    from tree_sitter import Node, Parser


class MissingParserError(RuntimeError):
    """The optional parser of Rust is not installed."""


@cache
def parser() -> Parser:
    """Return the parser of Rust. Raises MissingParserError where it is not installed."""
    try:
        import tree_sitter
        import tree_sitter_rust
    except ImportError as error:
        raise MissingParserError(error.name or "tree_sitter") from error
    return tree_sitter.Parser(tree_sitter.Language(tree_sitter_rust.language()))


class RustSource:
    """A file's bytes with its tree, and the spans of what stands in it."""

    def __init__(self, data: bytes) -> None:
        """Parse UTF-8."""
        self.data = data
        self.root = parser().parse(data).root_node
        self.lines = ByteLines(data)

    def text(self, node: Node) -> str:
        """Return what a node spells."""
        return self.data[node.start_byte : node.end_byte].decode("utf-8", "replace")

    def line(self, node: Node) -> int:
        """Return the 1-based line that a node begins on."""
        return node.start_point[0] + 1

    def span(self, node: Node) -> Span:
        """Return where a node stands."""
        (row, column), (end_row, end_column) = node.start_point, node.end_point
        if not self.lines.is_ascii:
            begin = node.start_byte
            if not self.data[begin - column : node.end_byte].isascii():
                return self.between(begin, node.end_byte)
        return Span(row + 1, column + 1, end_row + 1, end_column + 1)

    def between(self, start: int, end: int) -> Span:
        """Return the span of a stretch of bytes."""
        return self.lines.span(start, end)
