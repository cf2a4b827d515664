"""What takes one step of a migration back, and what does not come back with it."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct, field

from dal_audit.fix.downs.written_schema import Copy, Key, WrittenTable, told


class Inverse(Struct):
    """What takes a step back: statements in their order, and what a person must know.

    `remarks` are sentences about what no statement brings back; `risks` are clauses that say why
    the statements may fail, or do too little, where rows stand. `table` is the one that the step is
    about, `makes` the one that these statements bring back, `copy` are the rows that the step
    copies; `goes_with` is an object that goes with its table, unless another one of its key comes
    back before.
    """

    statements: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    risks: list[str] = field(default_factory=list)
    table: WrittenTable | None = None
    makes: WrittenTable | None = None
    copy: Copy | None = None
    goes_with: Key | None = None


Inverses = Iterator[Inverse]


def undoing(*statements: str) -> Inverse:
    """Return an inverse of statements alone."""
    return Inverse([*statements])


def lost_rows(copy: Copy) -> Inverse:
    """Return what is to be known of rows that are not copied back, nothing where they are."""
    if not copy.why_not:
        return Inverse()
    source, target = told(copy.source.name), told(copy.target.name)
    what = f"rows of {source} do not come back from {target}: {copy.why_not}"
    return Inverse(remarks=[f"The {what}."], risks=[f"the {what}"])


def untold(what: str, why: str = "") -> Inverse:
    """Return the inverse of what no statement is known to undo; `why` is a clause."""
    remark = f"Not taken back: {what}; {why}." if why else f"Not taken back: {what}."
    return Inverse(remarks=[remark], risks=[f"{what} is not taken back"])
