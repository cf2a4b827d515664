"""What a finding rests on: the part that a stretch of Python is said to play in its statement."""

from __future__ import annotations

from typing import Literal, TypeAlias

from dal_audit.facts.python import UseKind
from dal_audit.facts.source import FactRecord, Span

ClaimedPart: TypeAlias = (
    UseKind | Literal["import", "module", "class", "string", "argument", "node"]
)
"""What stands at a place: a use in a part; what an import names, or the module that it takes it
from; the name of a class that is defined; a string annotation; what a call is handed; or just a
node of the syntax tree, whichever it is."""


class Claim(FactRecord, frozen=True, order=True):
    """That a stretch of a module is a node of its syntax tree, and plays a part.

    `name` is the dotted name that is spelled there, or one that ends with it; empty where that does
    not matter.
    """

    span: Span
    part: ClaimedPart
    name: str = ""


class Denial(FactRecord, frozen=True):
    """A claim that a second reader does not bear out, and the statement around its place."""

    claim: Claim
    statement: Span
