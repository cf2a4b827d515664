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
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Final, TypeAlias

import libcst as cst
from msgspec import Struct

from dal_audit.extract.python.claim_finder import ClaimFinder, Extent
from dal_audit.extract.python.logical_lines import LogicalLines
from dal_audit.extract.python.parse.deep_stack import deeply
from dal_audit.extract.python.parse.parser import is_too_deep
from dal_audit.extract.python.statement_outline import outline
from dal_audit.extract.source import Lines
from dal_audit.facts import Span
from dal_audit.facts.claims import Claim, Denial

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

MAX_KNOWN: Final = 512
"""Of so many statements it is kept what LibCST said of them."""

_Reader: TypeAlias = Callable[[str, tuple[Claim, ...]], "dict[Claim, cst.CSTNode] | None"]
"""Returns what in a text bears claims out."""


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
    reader = StatementReader(text)
    found = reader.nodes(claims, by_statement=by_statement)
    return None if found is None else [reader.reading(claim, found.get(claim)) for claim in claims]


def denials(text: str, claims: Sequence[Claim], *, by_statement: bool = True) -> list[Denial]:
    """Return the claims about a module that LibCST does not bear out; it may not know its text."""
    reader = StatementReader(text)
    found = reader.nodes(claims, by_statement=by_statement)
    denied = [] if found is None else [claim for claim in claims if claim not in found]
    return [Denial(claim, reader.statement(claim)) for claim in denied]


class StatementReader:
    """Reads statements of one module."""

    def __init__(self, text: str) -> None:
        """Take the module's text; nothing is read yet."""
        self.lines = Lines(text)
        self.logical = LogicalLines(self.lines)

    def nodes(
        self, claims: Sequence[Claim], *, by_statement: bool
    ) -> dict[Claim, cst.CSTNode] | None:
        """Return what bears claims out; None where the module cannot be read."""
        found = dict(self._by_statement(claims)) if by_statement else {}
        left = [claim for claim in claims if claim not in found]
        if left:
            whole = self._found(self.lines.text, left, 0, _borne_out)
            if whole is None:
                return None
            found.update(whole)
        return found

    def reading(self, claim: Claim, node: cst.CSTNode | None) -> Reading:
        """Return what is said of a claim, that a node bears out or none."""
        statement = self.statement(claim)
        return Reading(claim, statement if node is None else claim.span, statement, node)

    def statement(self, claim: Claim) -> Span:
        """Return the logical line around a claim's place."""
        line = min(claim.span.line, len(self.lines))
        return self.logical.span(self.lines.index(line, claim.span.column))

    def _by_statement(self, claims: Sequence[Claim]) -> Iterator[tuple[Claim, cst.CSTNode]]:
        """Yield the claims that their statements bear out, with their nodes."""
        together: dict[Extent, list[Claim]] = {}
        for claim in claims:
            if claim.span.end_line <= len(self.lines):
                together.setdefault(self.logical.around(*self._extent(claim)), []).append(claim)
        for (start, end), group in together.items():
            yield from self._read_statement(start, end, group).items()

    def _read_statement(
        self, start: int, end: int, claims: Sequence[Claim]
    ) -> dict[Claim, cst.CSTNode]:
        """Return what a statement bears out; it is read whole where its outline does not do."""
        own = self.lines.text[start:end]
        if "\f" in own:
            return {}
        short = outline(own, start, map(self._extent, claims))
        found = {} if short == own else self._completed(short, start, claims)
        return found if len(found) == len(claims) else self._completed(own, start, claims)

    def _completed(
        self, statement: str, start: int, claims: Sequence[Claim]
    ) -> dict[Claim, cst.CSTNode]:
        """Return what a statement bears out with what it needs around it to be one."""
        for before, after in _completions(statement):
            text = f"{before}{statement}{after}"
            found = self._found(text, claims, start - len(before), _known)
            if found is not None:
                return found
        return {}

    def _found(
        self, text: str, claims: Iterable[Claim], start: int, read: _Reader
    ) -> dict[Claim, cst.CSTNode] | None:
        """Return the claims that a text bears out, which begins at an index of the module's.

        None where LibCST does not take the text, could not survive it, or loses some of it.
        """
        inside = {
            claim: self._inside(claim, start)
            for claim in claims
            if claim.span.end_line <= len(self.lines)
        }
        found = read(text, tuple(inside.values()))
        if found is None:
            return None
        return {claim: found[own] for claim, own in inside.items() if own in found}

    def _inside(self, claim: Claim, start: int) -> Claim:
        """Return a claim as one about a text of one line, which begins at an index of the module's.

        So equal statements of several modules are one.
        """
        begun, ended = self._extent(claim)
        return Claim(Span(1, begun - start + 1, 1, ended - start + 1), claim.part, claim.name)

    def _extent(self, claim: Claim) -> Extent:
        """Return where a claim's stretch begins and ends in the module's text."""
        span = claim.span
        return (
            self.lines.index(span.line, span.column),
            self.lines.index(span.end_line, span.end_column),
        )


def _completions(statement: str) -> Iterator[tuple[str, str]]:
    """Yield what a logical line may need before and behind it to be a statement, likeliest first.

    Words such as `case` may be names, and a clause may hold its block: then it needs less.
    """
    word = _WORD.match(statement)
    begins = word[0] if word else ""
    before, after = _PREFIXES.get(begins, ""), _SUFFIXES.get(begins, _BLOCK)
    found = [(before, after), (before, ""), ("", "")]
    yield from found if statement.rstrip().endswith(":") or begins == "@" else reversed(found)


def _borne_out(text: str, claims: Sequence[Claim]) -> dict[Claim, cst.CSTNode] | None:
    """Return what in a text bears claims out, as if it were one line.

    None where LibCST does not take all of the text.
    """
    if is_too_deep(text):
        return None
    wanted: dict[Extent, list[Claim]] = {}
    for claim in claims:
        extent = claim.span.column - 1, claim.span.end_column - 1
        wanted.setdefault(extent, []).append(claim)
    return deeply(lambda: _read(text, wanted))


_known: Final[_Reader] = lru_cache(MAX_KNOWN)(_borne_out)
"""The same of statements: many modules import, or catch, the same."""


def _read(text: str, wanted: Mapping[Extent, Sequence[Claim]]) -> dict[Claim, cst.CSTNode] | None:
    try:
        tree = cst.parse_module(text)
    except (cst.ParserSyntaxError, cst.CSTLogicError, cst.CSTValidationError):
        return None
    finder = ClaimFinder(tree, wanted)
    # It drops some blanks and backslashes, and what stands behind them has other places.
    is_whole = finder.written().rstrip("\r\n") == text.rstrip("\r\n")
    return finder.found if is_whole else None
