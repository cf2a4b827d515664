"""Places and identifiers of a LibCST tree as the standard library's `ast` has them.

Positions follow `ast`: 1-based lines, 0-based columns in UTF-8 bytes.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeVar

import libcst as cst
from libcst.metadata import CodeRange

Made = TypeVar("Made")
Lowering = TypeVar("Lowering")

_LINE: Final = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
_LEADING_FEED: Final = re.compile(r"[ \t\f]*\f")


class Places:
    """Gives lowered nodes the places of the nodes that they are made from."""

    def __init__(
        self,
        ranges: Mapping[cst.CSTNode, CodeRange],
        text: str,
        shifts: Mapping[int, int],
        above: int = 0,
    ) -> None:
        """Take the places of the nodes; the text is needed to count columns in bytes.

        `shifts` says how many characters were taken off the front of a line, `above` how many lines
        stand above the text.
        """
        self.ranges = ranges
        self.shifts = shifts
        self.above = above
        self.lines = None if text.isascii() else _split(text)

    def _utf8(self, line: int, column: int) -> int:
        shift = self.shifts.get(line, 0)
        if self.lines is None or line > len(self.lines):
            return column + shift
        return len(self.lines[line - 1][:column].encode("utf-8")) + shift

    def at(self, node: cst.CSTNode, lowered: Made) -> Made:
        """Give a lowered node the place of the node that it was made from."""
        place = self.ranges[node]
        made: Any = lowered
        made.lineno = place.start.line + self.above
        made.col_offset = self._utf8(place.start.line, place.start.column)
        made.end_lineno = place.end.line + self.above
        made.end_col_offset = self._utf8(place.end.line, place.end.column)
        return lowered


def dotted(node: cst.CSTNode) -> str:
    """Return the text of a dotted name, without white space."""
    if isinstance(node, cst.Attribute):
        return f"{dotted(node.value)}.{plain(node.attr)}"
    if isinstance(node, cst.Name):
        return plain(node)
    message = f"{type(node).__name__} is not a dotted name"
    raise TypeError(message)


def plain(node: cst.Name) -> str:
    """Return an identifier as Python compares it: in NFKC (language reference, "Identifiers")."""
    name = node.value
    return name if name.isascii() else unicodedata.normalize("NFKC", name)


def without_leading_feeds(text: str) -> tuple[str, dict[int, int]]:
    """Take form feeds off the fronts of lines, with what stands before them there.

    To Python, indentation begins anew after a form feed; LibCST loses count of its columns.
    """
    shifts = {}
    lines = _LINE.findall(text)
    for index, line in enumerate(lines):
        found = _LEADING_FEED.match(line)
        if found:
            shifts[index + 1] = found.end()
            lines[index] = line[found.end() :]
    return "".join(lines), shifts


def _split(text: str) -> Sequence[str]:
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def lowering_of(lowerings: Mapping[type, Lowering], node: cst.CSTNode) -> Lowering:
    """Return what lowers a node; raises ValueError for one of a kind that is not known."""
    lowering = lowerings.get(type(node))
    if lowering is None:
        message = f"no lowering for {type(node).__name__}"
        raise ValueError(message)
    return lowering
