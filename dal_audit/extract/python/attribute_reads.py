"""Where a module reads attributes that matter, and what is known of the receivers."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from functools import lru_cache
from itertools import islice
from typing import Final

from ahocorasick_rs import AhoCorasick
from msgspec import Struct

from dal_audit.extract.python.parse.import_places import MarkedLines, node_span
from dal_audit.extract.python.parse.walk import FUNCTIONS, children
from dal_audit.extract.python.value_inference import Block, Values, is_own, read_by_name
from dal_audit.extract.source import Lines
from dal_audit.facts import Access

_WORD: Final = re.compile(r"\w")
MAX_SHOWN: Final = 200
"""The most nodes of a receiver that is shown whole: a chain of accesses has a receiver for each."""


class _Place(Struct):
    """Where the reader is.

    It is in a statement, of which a part counts for the end, and perhaps in an f-string, whose
    inside has no places of its own.
    """

    statement: ast.stmt
    part: ast.AST
    string: ast.expr | None = None


def accessing_lines(lines: Lines, words: AbstractSet[str]) -> Iterator[int]:
    """Yield the lines with what looks like an access to an attribute of one of these names."""
    text = lines.text
    for _, start, end in _automaton(frozenset(words)).find_matches_as_indexes(
        text, overlapping=True
    ):
        if not _WORD.match(text, end):
            yield lines.line_of(start)


@lru_cache(maxsize=2)
def _automaton(words: frozenset[str]) -> AhoCorasick:
    """Return a search for many names at once, ten times as fast as a regular expression."""
    return AhoCorasick([before + word for word in sorted(words) for before in ".\"'"])


class Accesses:
    """Finds the accesses to attributes of some names; they are kept in `found`."""

    def __init__(self, lines: Lines, words: AbstractSet[str], values: Values) -> None:
        """Begin with none."""
        self.lines = lines
        self.words = words
        self.values = values
        self.marked = MarkedLines(accessing_lines(lines, words))
        self.found: list[Access] = []
        self._lines: dict[int, tuple[int, int]] = {}

    def _extent(self, place: _Place) -> tuple[int, int]:
        """Return the first and the last line of a statement, of a compound one up to the part."""
        key = id(place.part)
        if key not in self._lines:
            first = place.statement.lineno
            ends = (getattr(one, "end_lineno", None) or first for one in ast.walk(place.part))
            self._lines[key] = first, max(ends, default=first)
        return self._lines[key]

    def read(self, body: Sequence[ast.stmt], block: Block) -> None:
        """Note the accesses in a block, without the functions and classes in it."""
        for statement in body:
            if not self.marked.touch(statement):
                continue
            for child in _expressions(statement):
                part = child if hasattr(statement, "body") else statement
                self.expression(child, block, _Place(statement, part))
            for inner in _bodies(statement):
                self.read(inner, block)

    def expression(self, node: ast.AST, block: Block, place: _Place) -> None:
        """Note the accesses in an expression."""
        if isinstance(node, ast.JoinedStr) and place.string is None:
            # Before Python 3.12, `ast` misplaces what lies in an f-string: its own place serves.
            place = _Place(place.statement, place.part, node)
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
            if node.attr in self.words and not is_own(node.value):
                self.access(node, node.value, node.attr, block, place)
        elif isinstance(node, ast.Call):
            attribute = read_by_name(node)
            if attribute in self.words and attribute is not None and not is_own(node.args[0]):
                self.access(node, node.args[0], attribute, block, place)
        for child in children(node):
            self.expression(child, block, place)

    def access(
        self, node: ast.expr, receiver: ast.expr, attribute: str, block: Block, place: _Place
    ) -> None:
        """Note one access; its place is the narrowest text on one line."""
        span = node_span(self.lines, place.string or node)
        if place.string is None and isinstance(node, ast.Attribute):
            end = self.lines.offset(
                node.end_lineno or node.lineno, node.end_col_offset or node.col_offset
            )
            start = end - len(attribute)
            if self.lines.text[start - 1 : start] != ".":
                return  # The prefilter looks for the name right behind its dot.
            if span.line != span.end_line:
                span = self.lines.span(start, end)
        found = tuple(dict.fromkeys(self.values.of(receiver, block)))
        self.found.append(Access(span, self._extent(place), attribute, _shown(receiver), found))


def _shown(receiver: ast.expr) -> str:
    """Return a receiver as code; of one too large to read, what it ends in."""
    if sum(1 for _ in islice(ast.walk(receiver), MAX_SHOWN + 1)) <= MAX_SHOWN:
        return ast.unparse(receiver)
    called = isinstance(receiver, ast.Call)
    named = receiver.func if isinstance(receiver, ast.Call) else receiver
    step = f".{named.attr}" if isinstance(named, ast.Attribute) else ""
    return f"…{step}{'()' if called else ''}"


def _expressions(statement: ast.stmt) -> Iterator[ast.AST]:
    """Yield what a statement reads itself, in its block: not the statements in it."""
    if isinstance(statement, FUNCTIONS):
        yield from statement.decorator_list
        yield from statement.args.defaults
        yield from (one for one in statement.args.kw_defaults if one is not None)
        return
    for child in children(statement):
        if isinstance(child, (ast.ExceptHandler, ast.match_case)):
            yield from (one for one in children(child) if isinstance(one, ast.expr))
        elif not isinstance(child, ast.stmt):
            yield child


def _bodies(statement: ast.stmt) -> Iterator[Sequence[ast.stmt]]:
    """Yield the blocks of a compound statement that are no scope of their own."""
    if isinstance(statement, (*FUNCTIONS, ast.ClassDef)):
        return
    for name in ("body", "orelse", "finalbody"):
        yield getattr(statement, name, [])
    for part in (*getattr(statement, "handlers", ()), *getattr(statement, "cases", ())):
        yield part.body
