"""LibCST reads the statements that findings rest on, and has the last word about them.

What proposes findings is a scout: it looks for bytes first and reads by `ast`, as LibCST is dear by
the file (ten times `ast`) and cheap by the statement. So each finding is a claim about a stretch of
text (`facts.claims`), and LibCST reads the statement around it: a claim is borne out where a node
of its tree spans just that stretch and plays the part that is claimed.

Where a statement cannot be cut out, or does not bear a claim out, the whole file is read: a cut
alone denies nothing.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import accumulate
from typing import Final

import libcst as cst
from libcst.metadata import CodeRange, MetadataWrapper, PositionProvider
from msgspec import Struct

from dal_audit.extract.python.claimed_parts import SHOWN_IN_PART, may_be_part, plays
from dal_audit.extract.python.logical_lines import LogicalLines
from dal_audit.extract.python.parse.deep_stack import deeply
from dal_audit.extract.python.parse.parser import is_too_deep
from dal_audit.extract.source import Lines
from dal_audit.facts import Span
from dal_audit.facts.claims import Claim, Denial

Extent = tuple[int, int, int, int]
"""First line from 1 and column from 0 in characters, and the same of the end, as LibCST counts."""

_WORD: Final = re.compile(r"[a-z]+|@")

_PREFIXES: Final[Mapping[str, str]] = {
    "elif": "if 1: pass\n",
    "else": "if 1: pass\n",
    "except": "try: pass\n",
    "finally": "try: pass\n",
    "case": "match 1:\n ",
}
"""What makes a statement of a clause that is none by itself, by the word that it begins with."""

_SUFFIXES: Final[Mapping[str, str]] = {"@": "\ndef _(): pass", "match": "\n case _: pass"}
"""What completes a decorator or the head of a statement, by what it begins with."""

_BLOCK: Final = "\n  pass"
"""What completes the head of any other statement."""


class Reading(Struct, frozen=True):
    """What LibCST says of a claim.

    `node` is the one that spans the claimed stretch and plays its part, which is what a fix of it
    rewrites; `span` is its place, and `statement` that of the logical line around it. Where the
    claim is not borne out, there is no node, and `span` is the statement's.
    """

    claim: Claim
    span: Span
    statement: Span
    node: cst.CSTNode | None


def read_claims(
    text: str, claims: Sequence[Claim], *, by_statement: bool = True
) -> list[Reading] | None:
    """Return what LibCST says of each claim about a module; None where it cannot read the module.

    Without `by_statement` it reads the whole module at once.
    """
    return StatementReader(text).read(claims, by_statement=by_statement)


def denials(text: str, claims: Sequence[Claim], *, by_statement: bool = True) -> list[Denial]:
    """Return the claims about a module that LibCST does not bear out; it may not know its text."""
    found = read_claims(text, claims, by_statement=by_statement)
    return [Denial(read.claim, read.statement) for read in found or () if read.node is None]


class StatementReader:
    """Reads statements of one module."""

    def __init__(self, text: str) -> None:
        """Take the module's text; nothing is read yet."""
        self.lines = Lines(text)
        self.logical = LogicalLines(self.lines)

    def read(self, claims: Sequence[Claim], *, by_statement: bool) -> list[Reading] | None:
        """Return what is said of each claim; None where the module cannot be read."""
        found = dict(self._by_statement(claims)) if by_statement else {}
        left = [claim for claim in claims if claim not in found]
        if left:
            whole = deeply(lambda: _tree(self.lines.text))
            if whole is None:
                return None
            found.update(self._borne_out(whole, left, 0))
        return [self._reading(claim, found.get(claim)) for claim in claims]

    def _reading(self, claim: Claim, node: cst.CSTNode | None) -> Reading:
        line = min(claim.span.line, len(self.lines))
        statement = self.logical.span(self.lines.index(line, claim.span.column))
        return Reading(claim, statement if node is None else claim.span, statement, node)

    def _by_statement(self, claims: Sequence[Claim]) -> Iterator[tuple[Claim, cst.CSTNode]]:
        """Yield the claims that their statements bear out, with their nodes."""
        together: dict[tuple[int, int], list[Claim]] = {}
        for claim in claims:
            if claim.span.end_line <= len(self.lines):
                start = self.lines.index(claim.span.line, claim.span.column)
                stop = self.lines.index(claim.span.end_line, claim.span.end_column)
                together.setdefault(self.logical.around(start, stop), []).append(claim)
        for (start, end), group in together.items():
            own = self.lines.text[start:end]
            for before, after in _completions(own):
                tree = None if "\f" in own else _tree(f"{before}{own}{after}")
                if tree is not None:
                    yield from self._borne_out(tree, group, start, before)
                    break

    def _borne_out(
        self, tree: cst.Module, claims: Iterable[Claim], start: int, before: str = ""
    ) -> Iterator[tuple[Claim, cst.CSTNode]]:
        """Yield the claims that a tree bears out; its text begins at an index of the module's."""
        wanted: dict[Extent, list[Claim]] = {}
        for claim in claims:
            if claim.span.end_line <= len(self.lines):
                wanted.setdefault(self._extent(claim.span, start, before), []).append(claim)
        visitor = ClaimVisitor(wanted, is_whole=not start)
        # The tree is used once, so MetadataWrapper's protective deep copy would be waste.
        deeply(lambda: MetadataWrapper(tree, unsafe_skip_copy=True).visit(visitor))
        yield from visitor.found.items()

    def _extent(self, span: Span, start: int, before: str) -> Extent:
        """Return a span as LibCST counts in a text that begins at an index of the module's."""
        first = self.lines.line_of(start)
        above = before.count("\n")
        shift = start - self.lines.starts[first - 1] - len(before.rpartition("\n")[2])

        def place(line: int, column: int) -> tuple[int, int]:
            own = self.lines.index(line, column) - self.lines.starts[line - 1]
            return line - first + 1 + above, own - (shift if line == first else 0)

        return (*place(span.line, span.column), *place(span.end_line, span.end_column))


class ClaimVisitor(cst.CSTVisitor):
    """Finds the nodes that bear claims out, by their extents in a tree."""

    METADATA_DEPENDENCIES = (PositionProvider,)

    def __init__(self, wanted: Mapping[Extent, Sequence[Claim]], *, is_whole: bool) -> None:
        """Take the claims by the extents that they are about.

        Where the tree `is_whole`, all of it is looked at. In a statement it is not where no claim
        lies, by which a claim about a comment may be missed: these stand outside of nodes.
        """
        super().__init__()
        self.wanted = wanted
        self.is_whole = is_whole
        self._extents = sorted(wanted)
        self._starts = [extent[:2] for extent in self._extents]
        self._ends = list(accumulate((extent[2:] for extent in self._extents), max))
        """How far the extents up to one reach."""
        self.found: dict[Claim, cst.CSTNode] = {}
        self._around: list[cst.CSTNode] = []

    def on_visit(self, node: cst.CSTNode) -> bool:
        """Look at a node; return whether to look at those below it."""
        place = self.get_metadata(PositionProvider, node, None)
        extent = _extent_of(place) if isinstance(place, CodeRange) else None
        for claim in () if extent is None else self._claims(node, extent):
            if claim not in self.found and plays(node, self._around, claim):
                self.found[claim] = node
        self._around.append(node)
        # What is no expression may hold more than lies in its place, as parameters do.
        is_open = self.is_whole or not isinstance(node, cst.BaseExpression)
        return is_open or extent is None or self._touches(extent)

    def on_leave(self, original_node: cst.CSTNode) -> None:  # noqa: ARG002  # LibCST's name
        """Go back to the node above."""
        self._around.pop()

    def _touches(self, extent: Extent) -> bool:
        """Return whether a claim lies within an extent, at least in part."""
        begun = bisect_right(self._starts, extent[2:])
        return begun > 0 and self._ends[begun - 1] >= extent[:2]

    def _claims(self, node: cst.CSTNode, extent: Extent) -> Iterator[Claim]:
        """Yield the claims that a node may bear out: it may span more where that is text."""
        yield from self.wanted.get(extent, ())
        if not isinstance(node, SHOWN_IN_PART):
            return
        first, last = bisect_left(self._starts, extent[:2]), bisect_right(self._starts, extent[2:])
        for inner in self._extents[first:last]:
            if inner[2:] <= extent[2:]:
                begins = extent[:2] == inner[:2]
                yield from (
                    claim for claim in self.wanted[inner] if may_be_part(node, claim, begins=begins)
                )


def _extent_of(place: CodeRange) -> Extent:
    return place.start.line, place.start.column, place.end.line, place.end.column


def _completions(statement: str) -> Iterator[tuple[str, str]]:
    """Yield what a logical line may need before and behind it to be a statement, likeliest first.

    Words such as `case` may be names, and a clause may hold its block: then it needs less.
    """
    word = _WORD.match(statement)
    begins = word[0] if word else ""
    before, after = _PREFIXES.get(begins, ""), _SUFFIXES.get(begins, _BLOCK)
    found = [(before, after), (before, ""), ("", "")]
    yield from found if statement.rstrip().endswith(":") or begins == "@" else reversed(found)


def _tree(text: str) -> cst.Module | None:
    """Return LibCST's tree of a text; None for what it does not take or could not survive."""
    if is_too_deep(text):
        return None
    try:
        tree = cst.parse_module(text)
    except (cst.ParserSyntaxError, cst.CSTLogicError, cst.CSTValidationError):
        return None
    # It drops some blanks and backslashes, and what stands behind them has other places.
    return tree if tree.code.rstrip("\r\n") == text.rstrip("\r\n") else None
