"""What stands in a schema at a point: tables, indexes, views, types, and how names are found."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from msgspec import Struct, field
from msgspec.structs import replace

from dal_audit.facts import Span
from dal_audit.facts.sql import SqlName, SqlType

SQLITE: Final = "sqlite"
POSTGRESQL: Final = "postgresql"
BOTH: Final = (SQLITE, POSTGRESQL)


class Objection(Struct, frozen=True):
    """What a statement fails for, on which backends, and what to write instead.

    `reason` is a clause that follows the backends' names: "PostgreSQL: a table of this name stands
    already".
    """

    span: Span
    backends: tuple[str, ...]
    reason: str
    cure: str
    is_about_type: bool = False


class TableColumn(Struct):
    """A column as it stands: its names as SQLite and PostgreSQL fold them, and its type."""

    name: str
    type: SqlType | None
    generated_from: tuple[str, ...] = ()
    """The words of the expression that it is generated from."""


class ForeignKey(Struct, frozen=True):
    """A foreign key as it stands: its columns, the table that it refers to, and the columns there.

    `inline` says that it is a column's own, and goes with it.
    """

    columns: tuple[str, ...]
    table: str
    referenced: tuple[str, ...]
    name: str = ""
    inline: bool = False


class Table(Struct):
    """A table as it stands; names are folded to lower case.

    `exact` is the name as PostgreSQL keeps it. `known` says that all its columns are known, and
    `filled` that rows were inserted.
    """

    exact: str
    columns: dict[str, TableColumn] = field(default_factory=dict)
    primary: tuple[str, ...] = ()
    uniques: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    """The names and columns of unique constraints."""
    checks: list[tuple[str, frozenset[str]]] = field(default_factory=list)
    """The names of the table's own checks, and the words in them."""
    foreign: list[ForeignKey] = field(default_factory=list)
    known: bool = True
    filled: bool = False


class Index(Struct):
    """An index: its table, its plain columns, and all words in its keys and condition."""

    table: str
    columns: tuple[str, ...]
    words: frozenset[str]
    unique: bool = False
    partial: bool = False


class Schema(Struct):
    """The objects that stand, by their names folded to lower case, and what was dropped."""

    tables: dict[str, Table] = field(default_factory=dict)
    indexes: dict[str, Index] = field(default_factory=dict)
    views: dict[str, frozenset[str]] = field(default_factory=dict)
    """Each view with the words of its query."""
    types: dict[str, tuple[str, ...] | None] = field(default_factory=dict)
    """Each type, with its labels where it is an enumeration."""
    domains: dict[str, SqlType] = field(default_factory=dict)
    dropped: dict[str, int] = field(default_factory=dict)
    """What was dropped, and in which file (by its number)."""
    made: dict[str, int] = field(default_factory=dict)
    """In which file each table, index and view was made."""
    is_open: bool = False
    """Whether something was run that may have made types which no text shows."""
    file: int = 0
    """The number of the file that is being followed."""
    implied: dict[str, str] = field(default_factory=dict)
    """The indexes that PostgreSQL makes for constraints, with the tables that they belong to."""
    statement: int = 0
    """The number of the statement in that file."""
    last_made: dict[str, int] = field(default_factory=dict)
    """For each table that the file makes, the last statement that does."""

    def rename_table(self, old: str, new: str, exact: str) -> None:
        """Give a table another name, wherever it is referred to."""
        table = self.tables.pop(old)
        self.dropped[old] = self.file
        self.dropped.pop(new, None)
        self.made[new] = self.file
        table.exact = exact
        self.tables[new] = table
        for index in self.indexes.values():
            if index.table == old:
                index.table = new
        for other in self.tables.values():
            other.foreign[:] = [
                replace(one, table=new) if one.table == old else one for one in other.foreign
            ]
        self.implied = {name: new if one == old else one for name, one in self.implied.items()}

    def is_certain(self, key: str) -> bool:
        """Return whether an object was made in the file that is being followed.

        Of another file it is not known for sure that it is run before, and that nothing between
        was left out.
        """
        return self.made.get(key) == self.file

    def is_gone(self, key: str) -> bool:
        """Return whether an object was dropped in the file that is being followed."""
        return self.dropped.get(key) == self.file

    def knows(self, key: str) -> bool:
        """Return whether all columns of a table are known for sure."""
        return self.tables[key].known and self.is_certain(key)

    def holds(self, key: str) -> bool:
        """Return whether a table, an index or a view has a name: they share one set of names."""
        return key in self.tables or key in self.indexes or key in self.views

    def indexes_of(self, table: str) -> Iterator[tuple[str, Index]]:
        """Yield the indexes of a table."""
        return ((name, one) for name, one in self.indexes.items() if one.table == table)

    def referring(self, table: str) -> Iterator[tuple[str, ForeignKey]]:
        """Yield the foreign keys of other tables that refer to a table, with their tables."""
        for name, one in self.tables.items():
            for key in one.foreign:
                if key.table == table and name != table:
                    yield name, key

    def is_unique(self, table: str, columns: Sequence[str]) -> bool:
        """Return whether PostgreSQL takes these columns for what a foreign key can refer to."""
        wanted = set(columns)
        one = self.tables[table]
        keys = [one.primary, *(names for _, names in one.uniques)]
        keys += [
            index.columns
            for _, index in self.indexes_of(table)
            if index.unique and not index.partial and len(index.columns) == len(set(index.columns))
        ]
        return any(key and set(key) == wanted for key in keys)


def key_of(name: SqlName) -> str:
    """Return the name by which an object is found: SQLite ignores case, quoted or not.

    The schema before a name is a part of it, unless it is the one that is meant anyway.
    """
    schema = name.schema.lower()
    last = name.name.lower()
    return last if schema in {"", "public", "main", "dbo"} else f"{schema}.{last}"


def exact_of(name: SqlName) -> str:
    """Return a name as PostgreSQL keeps it: in lower case unless it is quoted."""
    is_quoted = bool(name.quoted and name.quoted[-1])
    return name.name if is_quoted else name.name.lower()
