"""A table as its operations were written: the terms that make it again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from msgspec import Struct, field
from msgspec.structs import replace

from dal_audit.catalogue.engine_names import MAX_NAME
from dal_audit.extract.operations.revision_source import text_of
from dal_audit.extract.operations.terms import Term, string

SA: Final = "sqlalchemy"
CONSTRAINTS: Final = frozenset(
    {"PrimaryKeyConstraint", "UniqueConstraint", "ForeignKeyConstraint", "CheckConstraint"}
)
ENUMS: Final = frozenset({"Enum", "ENUM"})
BESIDE: Final = frozenset(
    {"ForeignKey", "Identity", "Computed", "Sequence", "CheckConstraint", "FetchedValue"}
)
_SUFFIXES: Final = {"UniqueConstraint": "key", "ForeignKeyConstraint": "fkey"}


class SourceIndex(Struct, frozen=True):
    """An index: its name, its columns and further arguments, as written."""

    name: Term
    columns: Term
    keywords: tuple[tuple[str, Term], ...] = ()


class SourceTable(Struct, eq=False):
    """A table: its columns by name, constraints, indexes by name, and further arguments.

    One that is not `is_complete` has parts that are not known. `is_made` says that the revision
    which is followed has made it.
    """

    name: Term
    columns: dict[str, Term] = field(default_factory=dict)
    constraints: list[Term] = field(default_factory=list)
    indexes: dict[str, SourceIndex] = field(default_factory=dict)
    options: tuple[tuple[str, Term], ...] = ()
    is_complete: bool = True
    is_made: bool = False

    def copy(self) -> SourceTable:
        """Return a table that can change by itself."""
        return replace(
            self,
            columns={**self.columns},
            constraints=[*self.constraints],
            indexes={**self.indexes},
        )

    @property
    def parts(self) -> tuple[Term, ...]:
        """The columns, then the constraints."""
        return (*self.columns.values(), *self.constraints)

    def constraint(self, name: str) -> Term | None:
        """Return the constraint of a name, be it the one that PostgreSQL gives."""
        return next((own for own in self.constraints if self.name_of(own) == name), None)

    def name_of(self, constraint: Term) -> str:
        """Return the name of a constraint; empty where it is not known."""
        given = text_of(constraint.keyword("name"))
        if given or constraint.last_name == "CheckConstraint":
            return given
        table = text_of(self.name)
        if constraint.last_name == "PrimaryKeyConstraint":
            return given_name(table, "", "pkey")
        columns = "_".join(columns_of(constraint))
        return given_name(table, columns, _SUFFIXES.get(constraint.last_name, ""))


def given_name(table: str, columns: str, label: str) -> str:
    """Return the name that PostgreSQL gives to what has none, where nothing else has that name.

    The longer of both parts is cut until the whole is as long as a name may be (`makeObjectName`
    in its `commands/indexcmds.c`); the names are those of a language with one byte a character.
    """
    room = MAX_NAME - len(label) - 1 - bool(columns)
    while len(table) + len(columns) > room:
        if len(table) > len(columns):
            table = table[:-1]
        else:
            columns = columns[:-1]
    return "_".join(part for part in (table, columns, label) if part)


def columns_of(constraint: Term) -> list[str]:
    """Return the columns of the table that a constraint is about."""
    if constraint.last_name == "ForeignKeyConstraint":
        first = constraint.arguments[0] if constraint.arguments else constraint.keyword("columns")
        return [text_of(own) for own in first.arguments] if first is not None else []
    if constraint.last_name == "CheckConstraint":
        return []
    return [text_of(own) for own in constraint.arguments]


def type_of(column: Term) -> Term | None:
    """Return a column's type; None where it has none."""
    if len(column.arguments) > 1 and column.arguments[1].last_name not in BESIDE:
        return column.arguments[1]
    return column.keyword("type_")


def with_type(column: Term, declared: Term) -> Term:
    """Return a column of another type."""
    if column.keyword("type_") is not None:
        return column.with_keyword("type_", declared)
    rest = column.arguments[2:] if type_of(column) is not None else column.arguments[1:]
    return replace(column, arguments=(*column.arguments[:1], declared, *rest))


def enumerations_in(term: Term) -> Iterator[Term]:
    """Yield the enumerations in an expression that PostgreSQL keeps as types of their own."""
    for own in term.each():
        is_kept = own.kind == "call" and own.last_name in ENUMS and text_of(own.keyword("name"))
        if is_kept and not any(
            value.value == "False" for key, value in own.keywords if key == "native_enum"
        ):
            yield own


def part_of(kind: str, arguments: tuple[Term, ...], keywords: tuple[tuple[str, Term], ...]) -> Term:
    """Return a constraint of SQLAlchemy's."""
    return Term("call", f"{SA}.{kind}", arguments=arguments, keywords=keywords)


def speaks_of(columns: Term, name: str) -> bool:
    """Return whether the keys of an index are about a column."""
    return any(name in own.text.split() or own.text == name for own in columns.each() if own.text)


def clause_of(table: SourceTable, name: str) -> tuple[str, str, Term] | None:
    """Return the constraint of a name that a column has itself: the column, its keyword, and it.

    The keyword is empty for a `ForeignKey` among the column's arguments.
    """
    own = text_of(table.name)
    for column, term in table.columns.items():
        if term.is_true("unique") and name == given_name(own, column, "key"):
            return column, "unique", part_of("UniqueConstraint", (string(column),), ())
        for argument in term.arguments:
            if argument.last_name == "ForeignKey" and name == (
                text_of(argument.keyword("name")) or given_name(own, column, "fkey")
            ):
                return column, "", argument
    return None
