"""Names and types in SQL, as they are written."""

from __future__ import annotations

from typing import Final

from dal_audit.facts import FactRecord, Span

MODEL_TABLE: Final = "__tablename__"
"""Stands in a name that is a model's table's: which that is, is not known where it is used."""

ANY_NAME: Final = "*"
"""Stands for the name of a function that is not known, such as one of a library."""


class SqlName(FactRecord, frozen=True):
    """A name, with the schema before it: its parts without their quotes, and which were quoted."""

    span: Span
    parts: tuple[str, ...]
    quoted: tuple[bool, ...] = ()

    @property
    def name(self) -> str:
        """The last part, as written."""
        return self.parts[-1]

    @property
    def schema(self) -> str:
        """What stands before the last part; empty where nothing does."""
        return ".".join(self.parts[:-1])


class SqlType(FactRecord, frozen=True):
    """A declared type: its words in lower case with single spaces, and its arguments as spelled.

    `timestamp(3) with time zone[]` has the name `timestamp with time zone`, the argument `3` and
    one dimension. A name in quotes keeps its case.
    """

    span: Span
    name: str
    arguments: tuple[str, ...] = ()
    dimensions: int = 0
    quoted: bool = False
