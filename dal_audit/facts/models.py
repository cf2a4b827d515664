"""What migrations say of an ORM's models, in records that are frozen and picklable.

They say what is written: which table and which columns it comes to hangs on the migrations before,
and on the engine (`dal_audit.schema.orm`).
"""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

from dal_audit.facts import FactRecord, TaggedFact

COMPOSITE: Final = "CompositePrimaryKey"
"""The field that is a primary key of several others, and no column."""

FieldWord: TypeAlias = Literal[
    "null", "unique", "primary-key", "index", "no-index", "no-constraint", "default"
]
"""What a field is told to be; `default` is a default of the database's own."""

IndexKind: TypeAlias = Literal["index", "unique", "check", "exclude", "primary-key"]


class ModelField(FactRecord, frozen=True):
    """A field of a model.

    `kind` is the name of its class, and `is_foreign` says that the ORM does not know it. `column`
    and `table` are given names, of its column and of the table between two models; `target` is the
    model that it refers to, empty where that is not known; `remote` the field there, `through` the
    model between. `sizes` are the length, or the digits and the places. `element` is what an array
    is of, or what an expression comes to.
    """

    name: str
    kind: str
    is_foreign: bool = False
    column: str = ""
    table: str = ""
    target: str = ""
    remote: str = ""
    through: str = ""
    sizes: tuple[str, ...] = ()
    words: tuple[FieldWord, ...] = ()
    element: ModelField | None = None


class ModelIndex(FactRecord, frozen=True):
    """An index or a constraint: its fields, of a check those that its condition names.

    `is_partial` says that it has a condition, `is_expression` that it is of more than fields;
    `is_deferred` that it has what SQLite makes none for.
    """

    name: str
    kind: IndexKind
    fields: tuple[str, ...] = ()
    is_partial: bool = False
    is_expression: bool = False
    is_deferred: bool = False


class ModelOptions(FactRecord, frozen=True):
    """The options of a model; those that are None are not given.

    A model that `has_table` is one that the ORM makes a table for.
    """

    has_table: bool | None = None
    table: str | None = None
    together: tuple[tuple[str, ...], ...] | None = None
    ordered_by: str | None = None
    indexes: tuple[ModelIndex, ...] = ()


class ModelOperation(TaggedFact, frozen=True):
    """An operation of a migration on a model.

    `name` is its class, `model` the model in small letters, empty where that is not known. `field`
    and `new_name` are what it is about, and what that is called afterwards. What is not `is_whole`
    is not all known. `runs` says whether it is run on the database, on the state that later
    operations begin with, or on both; those of one `group` are run on a state of their own.
    """

    name: str
    model: str
    fields: tuple[ModelField, ...] = ()
    options: ModelOptions = ModelOptions()
    index: ModelIndex | None = None
    field: str = ""
    new_name: str = ""
    is_whole: bool = True
    runs: Literal["both", "database", "state"] = "both"
    group: int = 0
