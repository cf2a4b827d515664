"""What a file in any language says: comments that allow findings, and what was not understood."""

from __future__ import annotations

from typing import Literal, TypeAlias

from dal_audit.facts.source import FactRecord, Span, TaggedFact

Failure: TypeAlias = Literal["unreadable", "undecodable", "unparsable"]
"""Why a file, or a part of one, was not understood."""


class AllowedRule(FactRecord, frozen=True):
    """One rule named by a suppression, as it is written, and where."""

    span: Span
    name: str


class Suppression(TaggedFact, frozen=True):
    """A `dal-audit: allow[…]` comment.

    `line` is the line of code that it is about: its own, the next code line for a comment that
    stands alone, and None for `allow-file`, which is about the whole file. `flaw` says why a
    comment that was meant as a suppression is none, and is empty for a sound one. `whole` is what
    goes with it when it is taken out: the space before it, and its line where it stands alone.
    """

    span: Span
    line: int | None
    rules: tuple[AllowedRule, ...]
    reason: str
    flaw: str = ""
    whole: Span | None = None


class NotUnderstood(TaggedFact, frozen=True):
    """A file, or a part of one, that could not be read, decoded or parsed."""

    span: Span
    gap: Failure
    detail: str
    is_part: bool = False
    """Whether the rest of the file was understood, and says what it says."""


class NotebookCell(TaggedFact, frozen=True):
    """A code cell of a notebook: its number among all cells, from 1, and where its lines begin.

    `starts` are the line and the column in the notebook's file of each line of the cell.
    """

    span: Span
    number: int
    starts: tuple[tuple[int, int], ...]
