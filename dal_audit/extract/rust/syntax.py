"""Trees of Rust by tree-sitter, and places in them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, Final

from dal_audit.extract.rust.byte_lines import ByteLines
from dal_audit.facts import Span
from dal_audit.facts.rust import RustType

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


@cache
def kinds_of_nodes() -> tuple[str, ...]:
    """Return the kinds of named nodes by their numbers; what is no named node has an empty one."""
    language = parser().language
    if language is None:
        return ()
    return tuple(
        (language.node_kind_for_id(number) or "") if language.node_kind_is_named(number) else ""
        for number in range(language.node_kind_count)
    )


_ATTRIBUTE: Final = re.compile(rb"#\[(?:cfg|cfg_attr|allow|expect)\([^\]\n]*\]")


def flawed(root: Node) -> Iterator[Node]:
    """Yield what the grammar does not take, the outermost alone."""
    waiting: list[Node] = [root] if root.has_error else []
    while waiting:
        node = waiting.pop()
        if node.is_error or node.is_missing:
            yield node
        elif node.has_error:
            waiting += reversed(node.children)


def _without_attributes(data: bytes, root: Node) -> Node:
    """Return the tree of a file without attributes where the grammar does not take them.

    Rust has them in patterns and among arguments, too; blanks in their stead move nothing.
    """
    places = list(flawed(root))
    spans = ((node.start_point[0] - 1, node.end_point[0] + 2) for node in places)
    rows = {row for span in spans for row in range(*span)}

    def blank(found: re.Match[bytes]) -> bytes:
        row = data.count(b"\n", 0, found.start())
        return b" " * len(found[0]) if row in rows else found[0]

    again = parser().parse(_ATTRIBUTE.sub(blank, data)).root_node
    return again if sum(1 for _ in flawed(again)) < len(places) else root


def called(node: Node) -> tuple[Node | None, Node | None]:
    """Return what a call calls, and what it hands over."""
    parts = node.children
    if len(parts) == 2:  # noqa: PLR2004  # Nothing stands between.
        return parts[0], parts[1]
    return node.child_by_field_name("function"), node.child_by_field_name("arguments")


def owned(node: Node) -> tuple[Node | None, Node | None]:
    """Return what a field or a method is one of, and its name."""
    parts = node.children
    if len(parts) == 3:  # noqa: PLR2004  # The dot is between them.
        return parts[0], parts[2]
    return node.child_by_field_name("value"), node.child_by_field_name("field")


class RustSource:
    """A file's bytes with its tree, and the spans of what stands in it."""

    def __init__(self, data: bytes) -> None:
        """Parse UTF-8."""
        self.data = data
        self.root = parser().parse(data).root_node
        if self.root.has_error and _ATTRIBUTE.search(data):
            self.root = _without_attributes(data, self.root)
        self.lines = ByteLines(data)
        self._characters = data.decode("ascii") if self.lines.is_ascii else ""
        """The text, where a byte is a character."""
        self.types: dict[int, tuple[RustType, ...]] = {}
        """What types name, by their nodes: several facts ask for the same one."""

    def text(self, node: Node) -> str:
        """Return what a node spells."""
        start, end = node.start_byte, node.end_byte
        if self._characters:
            return self._characters[start:end]
        return self.data[start:end].decode("utf-8", "replace")

    def quotes(self, node: Node) -> bool:
        """Return whether there is a quote in what a node spells; without one there is no text."""
        return self.data.find(b'"', node.start_byte, node.end_byte) >= 0

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
