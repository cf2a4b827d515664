"""An operation as it is read for one engine, and what it does there."""

from __future__ import annotations

import ast
from collections.abc import Mapping

from msgspec import Struct, field

from dal_audit.extract.operations.call_arguments import Arguments
from dal_audit.extract.operations.constraints import table_name


class Effect(Struct, frozen=True):
    """A statement that an operation runs; empty where it is not known which.

    What `rebuilds` makes the table anew. A table that is not `is_whole` has columns that are not
    known. What is `is_guarded` does nothing where it was done already.
    """

    sql: str
    rebuilds: bool = False
    is_whole: bool = True
    is_guarded: bool = False
    table: str = ""
    """The table of an index that is dropped, or of what is done to it that is not known."""


class Operation(Struct):
    """An operation on one engine.

    `marks` are the words by which the catalogue knows it, each with the part that it is about: None
    for all of it. `made_types` are the enumerations that the same direction has made.
    """

    name: str
    arguments: Arguments
    engine: str
    plain_table: str
    is_rebuild: bool
    made_types: set[str]
    is_early: bool = False
    """Whether a copy of the table has columns that are added behind it."""
    is_readded: bool = False
    """Whether a copy of the table has the column again that is dropped: what uses it, stays."""
    marks: dict[str, ast.expr | None] = field(default_factory=dict)

    @property
    def table(self) -> str:
        """The operation's table, as SQL."""
        return table_name(self.plain_table, self.arguments.text("schema"))

    def note(self, marks: Mapping[str, ast.expr | None]) -> None:
        """Add marks; of two parts that bear the same one the first counts."""
        for mark, node in marks.items():
            self.marks.setdefault(mark, node)

    def note_given(self, *names: str) -> None:
        """Note which of some arguments are given and are not None or False."""
        for name in names:
            node = self.arguments.node(name)
            is_default = node is None or self.arguments.is_false(name)
            if not is_default or (name == "nullable" and self.arguments.is_false(name)):
                self.marks.setdefault(name, self.arguments.values.get(name))
