"""The catalogue of migration tools' operations: what each does to a schema, on each engine.

`rules/catalogue/operations/*.toml` holds a row for each form that not all engines share, one file a
tool, and the types of SQLAlchemy. A form is an operation with such arguments as change what becomes
of it. Its words are what a finding says; its example is run with the tool itself on the engines,
once and a second time, and read by the audit (tests/engines/test_operations.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import cache, partial
from typing import Any, Final, TypeVar

from msgspec import Struct

from dal_audit.catalogue.portability import Feature, Respelling, feature_by_id
from dal_audit.catalogue.resources import table

ALEMBIC: Final = "alembic"
DJANGO: Final = "django"
Part = TypeVar("Part")


class OperationForm(Feature, frozen=True):
    """A form of an operation, with what each engine makes of it the first time and again.

    `marks` are the words by which an operation is of this form: its name, its arguments, where it
    stands; of words with `|` between them one must be there, one with `!` before it must not. A
    form without marks is known by the schema that it meets, unless it is `unseen`. `examples` are
    in Python, the first of them `example`. `again` maps an engine to what a second run does: it is
    `ok`, it `fails`, or it `changes` the schema. `reverse` is the operation that takes it back.
    `library` is the version of the tool's library from which on the engines that reject it take it.
    """

    marks: tuple[str, ...] = ()
    examples: tuple[str, ...] = ()
    again: Mapping[str, str] | None = None
    reverse: str = ""
    library: str = ""
    unseen: bool = False
    unproved: bool = False
    """Whether what it needs (an extension, no transaction) is not there where examples are run."""
    instead: tuple[str, ...] = ()
    """The rows of the portability catalogue that say the same of its statement, and less."""
    is_taken_back: bool = False
    """Whether it is its way back that engines reject."""

    def fits(self, said: AbstractSet[str]) -> bool:
        """Return whether an operation of which these words are true is of this form."""
        return bool(self.marks) and all(
            (mark[1:] not in said) if mark[0] == "!" else not said.isdisjoint(mark.split("|"))
            for mark in self.marks
        )


def about(form: OperationForm, said: Mapping[str, Part | None]) -> Part | None:
    """Return the part that the first of a form's marks is about; None for the whole operation."""
    words = (word for mark in form.marks for word in mark.split("|"))
    return next((part for word in words if (part := said.get(word)) is not None), None)


class TypeRow(Struct, frozen=True):
    """A type of SQLAlchemy, and its spelling on each engine that has it."""

    names: tuple[str, ...]
    spelled: Mapping[str, str]


class FieldRow(Struct, frozen=True):
    """A field of Django's: the type of its column on each engine, and the check beside it.

    `length` is the one that it has where none is given, `counts` says that the engine numbers it.
    """

    names: tuple[str, ...]
    spelled: Mapping[str, str]
    check: Mapping[str, str]
    length: str = ""
    counts: bool = False


@cache
def forms(tool: str) -> tuple[OperationForm, ...]:
    """Read the forms of a tool's operations, in order of their rows."""
    return table(f"operations/{tool}", tuple[OperationForm, ...], partial(form_in, tool))


@cache
def forms_by_mark(tool: str) -> Mapping[str, Sequence[OperationForm]]:
    """Return the forms of a tool by the first of their marks."""
    found: dict[str, list[OperationForm]] = {}
    for form in forms(tool):
        for mark in form.marks[0].split("|") if form.marks else ():
            found.setdefault(mark, []).append(form)
    return found


def form_of(feature_id: str) -> OperationForm:
    """Return a row of an operation's by its id."""
    return _forms_by_id(feature_id.partition(":")[0])[feature_id]


def feature_of(feature_id: str) -> Feature:
    """Return a row of the portability catalogue, or of an operation's, by its id."""
    tool, colon, _ = feature_id.partition(":")
    return _forms_by_id(tool)[feature_id] if colon else feature_by_id()[feature_id]


@cache
def sqlalchemy_types() -> Mapping[str, TypeRow]:
    """Return SQLAlchemy's types by their names."""
    rows = table("operations/types", tuple[TypeRow, ...], type_in)
    return {name: row for row in rows for name in row.names}


@cache
def django_fields() -> Mapping[str, FieldRow]:
    """Return Django's fields that come to a column, by the names of their classes."""
    rows = table("operations/fields", tuple[FieldRow, ...], field_in)
    return {name: row for row in rows for name in row.names}


@cache
def _forms_by_id(tool: str) -> Mapping[str, OperationForm]:
    return {form.id: form for form in forms(tool)}


def type_in(row: Mapping[str, Any]) -> TypeRow:
    """Return the type of a table in `types.toml`."""
    return TypeRow(
        tuple(row["names"]), {engine: text for engine, text in row.items() if engine != "names"}
    )


def field_in(row: Mapping[str, Any]) -> FieldRow:
    """Return the field of a table in `fields.toml`."""
    return FieldRow(
        tuple(row["names"]),
        {engine: row[engine] for engine in ("sqlite", "postgresql")},
        row.get("check", {}),
        row.get("length", ""),
        row.get("counts", False),
    )


def form_in(tool: str, row: Mapping[str, Any]) -> OperationForm:
    """Return the form of a table in a tool's file."""
    return OperationForm(
        id=f"{tool}:{row['id']}",
        rule=row["rule"],
        title=row["title"],
        kind=tool,
        match="",
        within="",
        engines=row["engines"],
        example=row["examples"][0],
        portable=row.get("portable", ""),
        cure=row["cure"],
        sources=row["sources"],
        setup=row.get("setup", ""),
        differs=row.get("differs", False),
        needs_rows=row.get("needs-rows", False),
        extension=row.get("extension"),
        marks=tuple(row.get("marks", ())),
        examples=tuple(row["examples"]),
        again=row.get("again"),
        reverse=row.get("reverse", ""),
        library=row.get("library", ""),
        unseen=row.get("unseen", False),
        unproved=row.get("unproved", False),
        fixes=tuple(Respelling(**respelling) for respelling in row.get("fixes", ())),
        instead=tuple(row.get("instead", ())),
        is_taken_back=row.get("taken-back", False),
    )
