"""A step of a way back: an operation that is to be written, and what to know of it."""

from __future__ import annotations

from msgspec import Struct, field
from msgspec.structs import replace

from dal_audit.extract.operations.terms import OP, Term, call


class Step(Struct, frozen=True):
    """An operation: its arguments without the table, which is put in before one of them.

    `table` is None for what has none. Of what stands in a block, `block` is the call that opens it,
    and `opened_at` tells one block from the next; `is_autonomous` is what runs in no transaction.
    """

    name: str
    arguments: tuple[Term, ...] = ()
    keywords: tuple[tuple[str, Term], ...] = ()
    table: Term | None = None
    table_at: int = 0
    table_keyword: str = ""
    block: Term | None = None
    opened_at: int = 0
    is_autonomous: bool = False
    whole: Term | None = None
    """The whole call, where it is none of `op`."""

    @property
    def term(self) -> Term:
        """The call as it stands outside of a block."""
        if self.whole is not None:
            return self.whole
        arguments, keywords = [*self.arguments], self.keywords
        if self.table is not None and self.table_keyword:
            keywords = ((self.table_keyword, self.table), *keywords)
        elif self.table is not None:
            arguments.insert(self.table_at, self.table)
        return Term("call", f"{OP}.{self.name}", arguments=tuple(arguments), keywords=keywords)

    @property
    def is_known(self) -> bool:
        """Whether nothing in it is unknown."""
        return self.term.is_known and (self.block is None or self.block.is_known)

    @property
    def inner_term(self) -> Term:
        """The call as it stands in a block."""
        owner = f"{BATCH}.{self.name}"
        kept = tuple(pair for pair in self.keywords if pair[0] != "schema")
        return Term("call", owner, arguments=self.arguments, keywords=kept)


BATCH = "batch_op"


class Undoing(Struct):
    """What takes an action back, in the order of a run; `remarks` and `risks` as for SQL."""

    steps: list[Step] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    risks: list[str] = field(default_factory=list)


def untold(what: str, why: str = "") -> Undoing:
    """Return that something is not undone by anything; `why` is a clause."""
    remark = f"Not taken back: {what}; {why}." if why else f"Not taken back: {what}."
    return Undoing([], [remark], [f"{what} is not taken back"])


def in_block(step: Step, table: Term, opened_at: int) -> Step:
    """Return a step in a block of its own table."""
    opening = call(f"{OP}.batch_alter_table", table)
    return replace(step, block=opening, opened_at=opened_at)
