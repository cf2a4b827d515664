"""An operation as it is read for one engine, and what it does there."""

from __future__ import annotations

import ast
from collections.abc import Mapping

from msgspec import Struct, field

from dal_audit.catalogue.constraint_names import (
    NO_CONVENTION,
    Convention,
    NamedPart,
    conventional_name,
)
from dal_audit.extract.holes import UNKNOWN
from dal_audit.extract.operations.call_arguments import Arguments
from dal_audit.extract.operations.constraints import Written, named, table_name


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
    knows_names: bool = False
    convention: tuple[tuple[str, str], ...] = ()
    """Both as `AlterTable` has them."""


class Operation(Struct):
    """An operation on one engine.

    `marks` are the words by which the catalogue knows it, each with the part that it is about: None
    for all of it. `made_types` are the enumerations that the same direction has made. `convention`
    names what has no name; None where it is not known.
    """

    name: str
    arguments: Arguments
    engine: str
    plain_table: str
    is_rebuild: bool
    made_types: set[str]
    convention: Convention | None = None
    is_copied: bool = False
    """Whether SQLite would make the table anew for it, whatever the engine."""
    copy_convention: Convention | None = field(default_factory=lambda: NO_CONVENTION)
    """What such a copy calls constraints without a name; None where that is not known."""
    final_name: str = ""
    """The name of the constraint that it makes or drops, as it is run; set on the way."""
    is_early: bool = False
    """Whether a copy of the table has columns that are added behind it."""
    is_readded: bool = False
    """Whether a copy of the table has the column again that is dropped: what uses it, stays."""
    marks: dict[str, ast.expr | None] = field(default_factory=dict)

    @property
    def table(self) -> str:
        """The operation's table, as SQL."""
        return table_name(self.plain_table, self.arguments.text("schema"))

    def name_of(self, part: NamedPart, given: str = "", *, is_exact: bool = False) -> str:
        """Return the name of something of the table; empty where it has none, or is not known."""
        if is_exact:
            return given
        table = self.plain_table.rpartition(".")[2]
        name = conventional_name(part, given, table, self.convention, engine=self.engine)
        return given if UNKNOWN in name else name

    def named(self, own: Written) -> str:
        """Return a constraint of the table as SQL, with its name."""
        return named(self.name_of(own.part, own.name, is_exact=own.is_exact), own.sql)

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
