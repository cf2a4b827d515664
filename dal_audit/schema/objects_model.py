"""The objects that stand in a database, with their parts, and what can be wrong with a run."""

from __future__ import annotations

from typing import Any, Final, Literal, TypeAlias

from msgspec import Struct, field

from dal_audit.facts import Span
from dal_audit.facts.sql import MODEL_TABLE, SqlName, SqlType
from dal_audit.schema.type_families import type_text

SQLITE: Final = "sqlite"
POSTGRESQL: Final = "postgresql"
FOLLOWED: Final = (SQLITE, POSTGRESQL)
"""The backends whose databases are followed."""

ROWS: Final = ("rows", "")
"""The part of a table that says in which run rows were put into it, or that it was `CLEARED`."""
ABSENT: Final = ("absent", "")
"""The part of a table that has the rows which were taken out: a unique column, and its literal."""
NAME: Final = ("name", "")
"""The part of a relation or a type that says what it is called."""
READS: Final = ("reads", "")
"""The part of a view that has all names in its query, and `*`; `t.column` where it says whose."""
RESULTS: Final = ("results", "")
"""The part of a view, or of a table made by a query, that has its columns with their types."""
OUTGROWN: Final = ("outgrown", "")
"""The part of a view that reads `*` of a table to which a column was added since."""
UNORDERED: Final = ("unordered", "")
"""The part of an enumeration to which a label was added before or behind another."""
UNSAID: Final = frozenset({NAME, ROWS, ABSENT, READS, RESULTS, OUTGROWN, UNORDERED})
"""Parts that are no objects of their own."""

CONSTRAINT_INDEX: Final = "constraint's index"
"""The kind of an index that PostgreSQL makes for a constraint."""
CLEARED: Final = "cleared"
TEMPORARY: Final = "temporary"
"""The text of a table that goes with the connection."""
COPIED: Final = "copied"
"""The text of an index that lost in a copy of its table how its keys were ordered and compared."""
VIEWS: Final = frozenset({"view", "materialized view"})

MAX_NAME: Final = 63
"""How many bytes PostgreSQL keeps of a name (`NAMEDATALEN`, limits.html)."""

_DEFAULT_SCHEMAS: Final = frozenset({"", "public", "main", "dbo"})

Key: TypeAlias = tuple[str, str]
"""The kind of a part or an object, and its name."""

Effect: TypeAlias = Literal["fails", "changes-schema", "changes-definition", "changes-data"]
"""What comes of it: an error, another object, another definition of one, or other rows."""


About: TypeAlias = Literal["", "type", "function", "query"]
"""What an error is about, where that is not the whole statement.

It is a declared type, an operator or function with its operands, or a clause of a query.
"""


class Problem(Struct, frozen=True):
    """What is wrong with running a statement on a database, once more or to take something back.

    `reason` is a clause that says why in present tense: "`users` stands already". `cure` is one
    sentence.
    """

    span: Span
    effect: Effect
    reason: str
    cure: str


class SchemaError(Struct, frozen=True):
    """What a statement fails for the first time that it is run, and on which backends.

    `reason` is a clause that follows their names, "PostgreSQL: a table of this name stands
    already", and `cure` says what to write instead.
    """

    span: Span
    backends: tuple[str, ...]
    reason: str
    cure: str
    about: About = ""


class ColumnPart(Struct, frozen=True):
    """A column: its type as it is declared, its default, and whether it takes no NULL.

    `generated_from` are the names in the expression that it is generated from.
    """

    declared: SqlType | None = None
    default: str | None = None
    not_null: bool = False
    generated_from: frozenset[str] = frozenset()

    @property
    def type(self) -> str:
        """The type as a text that can be compared; empty where none is known."""
        return type_text(self.declared)

    @property
    def definition(self) -> tuple[object, ...]:
        """What makes a column another one."""
        return (self.type, self.default, self.not_null)


class ConstraintPart(Struct, frozen=True):
    """A constraint: its kind, its columns, and the table that a foreign key refers to.

    `referenced` are the columns there that it names, in lower case. `inline` says that it is a
    column's own, and goes with it; `has_name` that it was given one, and not by the engine.
    """

    kind: str
    columns: tuple[str, ...] = ()
    table: str = ""
    text: str = ""
    referenced: tuple[str, ...] = ()
    inline: bool = False
    has_name: bool = True

    @property
    def definition(self) -> tuple[object, ...]:
        """What makes a constraint another one, wherever it is written."""
        return (self.kind, self.columns, self.table, self.text)


GUESSED: Final = ConstraintPart("")
"""A constraint of which nothing is known but its name."""
EMPTY: Final = ColumnPart()
"""A column of which nothing is known but its name."""


class DbObject(Struct, eq=False):
    """An object that stands: a table, an index, a view, a type, and all that has a name.

    `parts` are a table's columns, constraints, triggers and policies, or an enumeration's labels:
    None stands for what is known to be absent, and of what is missing nothing is known. `owned` are
    the names of what goes with it: its indexes, and in SQLite its triggers. `complete` says that a
    table has no other columns, or an enumeration no other labels. `table`, `columns` and `words`
    are an index's: its plain columns, and all names in its keys and condition. `text` is what it
    was made from, and `base` the type that a domain is of. `refused` says that the engine does not
    take the statement that makes it. `script` numbers the script that made a table, from 1.
    """

    kind: str
    text: str = ""
    complete: bool = False
    parts: dict[Key, Any] = field(default_factory=dict)
    owned: dict[Key, None] = field(default_factory=dict)
    table: DbObject | None = None
    columns: tuple[str, ...] = ()
    words: frozenset[str] = frozenset()
    unique: bool = False
    base: SqlType | None = None
    refused: bool = False
    script: int = 0

    @property
    def name(self) -> str:
        """What a relation is called, where it was ever given a name."""
        return str(self.parts.get(NAME, ""))

    def lacks(self, key: Key) -> bool:
        """Return whether a part is known to be absent."""
        if key in self.parts:
            return self.parts[key] is None
        return self.complete and key[0] == "column"

    def names(self, kind: str) -> list[str]:
        """Return the names of the parts of a kind that stand, in the order they were made."""
        return [name for (own, name), part in self.parts.items() if own == kind and part]

    def constraints(self, *kinds: str) -> list[ConstraintPart]:
        """Return the constraints of some kinds, in the order they were made; of all without one."""
        parts = [self.parts["constraint", name] for name in self.names("constraint")]
        return [part for part in parts if not kinds or part.kind in kinds]


def folded(name: SqlName, backend: str) -> str:
    """Return the name by which a backend finds an object.

    SQLite ignores case; PostgreSQL does so where there are no quotes. The schema before a name is a
    part of it, unless it is the one that is meant anyway.
    """
    parts = [
        fold_identifier(part, backend, quoted=index < len(name.quoted) and name.quoted[index])
        for index, part in enumerate(name.parts)
    ]
    if len(parts) > 1 and ".".join(parts[:-1]).lower() in _DEFAULT_SCHEMAS:
        parts = parts[-1:]
    return ".".join(parts)


def fold_identifier(name: str, backend: str, *, quoted: bool) -> str:
    """Return one name without its quotes as a backend keeps it."""
    if backend != POSTGRESQL:
        return name.lower()
    kept = name if quoted else name.lower()
    if len(kept) <= MAX_NAME and kept.isascii():
        return kept
    return kept.encode("utf-8", "replace")[:MAX_NAME].decode("utf-8", "ignore")


def qualified(name: str, schema_of: str) -> str:
    """Return a name in the schema of another, where it names none itself.

    A model that stands for its table, `Model.__tablename__`, is no schema.
    """
    schema = "" if MODEL_TABLE in schema_of else schema_of.rpartition(".")[0]
    return f"{schema}.{name}" if schema and "." not in name else name
