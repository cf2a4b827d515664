"""Finds the nodes that bear claims out in one pass over a LibCST tree, while its code is written.

To learn where nodes stand, LibCST has to write the tree's code. That is to be done anyway, as a
tree may lose some of its text; so each node is looked at once it is written, and neither a map of
all places nor a visitor is needed. Places are those of `PositionProvider`: what a node spans
without the blanks around it.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TypeAlias

import libcst as cst
from libcst._nodes.internal import CodegenState

from dal_audit.extract.python.claimed_parts import SHOWN_IN_PART, may_be_part, plays
from dal_audit.facts.claims import Claim

Extent: TypeAlias = tuple[int, int]
"""Where something begins and ends in a text, by indices of characters."""


class ClaimFinder(CodegenState):
    """Writes the code of a tree, and finds the nodes of it that bear claims out."""

    def __init__(self, tree: cst.Module, wanted: Mapping[Extent, Sequence[Claim]]) -> None:
        """Take a tree, and claims by the extents in its code that they are about."""
        super().__init__(tree.default_indent, tree.default_newline)
        self.tree = tree
        self.wanted = wanted
        self.found: dict[Claim, cst.CSTNode] = {}
        """What bears claims out; where several nodes do, the outermost."""
        self.extents: dict[int, Extent] = {}
        """Where nodes stand that are written, or whose place is known before, by their `id`."""
        self.index = 0
        """How many characters are written."""
        self._around: list[cst.CSTNode] = []
        self._begun: list[int] = []
        self._sorted = sorted(wanted)
        self._last_start = max((start for start, _ in wanted), default=-1)
        self._first_end = min((end for _, end in wanted), default=0)

    def written(self) -> str:
        """Return the tree's code, and find what bears claims out on the way."""
        self.tree._codegen(self)  # noqa: SLF001  # `Module.code` does just this
        return "".join(self.tokens)

    def add_indent_tokens(self) -> None:
        """Write the indentation of a line."""
        for token in self.indent_tokens:
            self.add_token(token)

    def add_token(self, value: str) -> None:
        """Write a token."""
        self.tokens.append(value)
        self.index += len(value)

    def before_codegen(self, node: cst.CSTNode) -> None:
        """Begin with a node."""
        self._around.append(node)
        self._begun.append(self.index)

    def after_codegen(self, node: cst.CSTNode) -> None:
        """Look at a node, now that it is written with all that it holds."""
        self._around.pop()
        extent = self.extents.setdefault(id(node), (self._begun.pop(), self.index))
        if extent[0] <= self._last_start and self._first_end <= extent[1]:
            for claim in self.wanted.get(extent, ()):
                self._hear(claim, node)
            if isinstance(node, SHOWN_IN_PART):
                for claim in self._in_part(node, extent):
                    self._hear(claim, node)

    def _hear(self, claim: Claim, node: cst.CSTNode) -> None:
        """Take a node that may bear a claim out for what it is about, if it does."""
        if plays(node, self._around, claim):
            self.found[claim] = node

    def record_syntactic_position(  # type: ignore[override]  # a generator would take twice as long
        self,
        node: cst.CSTNode,
        *,
        start_node: cst.CSTNode | None = None,
        end_node: cst.CSTNode | None = None,
    ) -> AbstractContextManager[None]:
        """Return what takes down the place of a node without the blanks around it.

        It begins and ends with other nodes, where these are given.
        """
        return _Stretch(self, node, start_node, end_node)

    def _in_part(self, node: cst.CSTNode, extent: Extent) -> Iterator[Claim]:
        """Yield the claims about less than a node spans which it may bear out, as it is text."""
        start, end = extent
        first, last = bisect_left(self._sorted, (start, 0)), bisect_right(self._sorted, (end, end))
        for inner in self._sorted[first:last]:
            if inner[1] <= end:
                begins = start == inner[0]
                yield from (
                    claim for claim in self.wanted[inner] if may_be_part(node, claim, begins=begins)
                )


class _Stretch(AbstractContextManager[None]):
    """Takes down where a node stands, from when it is made until it is left."""

    __slots__ = ("finder", "first", "last", "node", "start")

    def __init__(
        self,
        finder: ClaimFinder,
        node: cst.CSTNode,
        first: cst.CSTNode | None,
        last: cst.CSTNode | None,
    ) -> None:
        self.finder = finder
        self.node = node
        self.first = first
        self.last = last
        self.start = finder.index

    def __exit__(self, *_error: object) -> None:
        extents = self.finder.extents
        start = self.start if self.first is None else extents[id(self.first)][0]
        end = self.finder.index if self.last is None else extents[id(self.last)][1]
        extents[id(self.node)] = start, end
