"""The tables that a model has on an engine: its own, and those between it and others.

Sources: Django's `db/backends/base/schema.py`, and the schema editors of the two engines.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, Literal

from msgspec import Struct
from msgspec.structs import replace

from dal_audit.facts import Span
from dal_audit.facts.models import COMPOSITE, ModelField, ModelIndex
from dal_audit.facts.sql import Column, Constraint, CreateIndex, Expression, Key, SqlName
from dal_audit.schema.objects_model import SQLITE
from dal_audit.schema.orm.column_types import (
    is_reference,
    is_several,
    primary_key,
    remote_field,
    row_of,
    type_of,
)
from dal_audit.schema.orm.model_state import Model, Models
from dal_audit.schema.orm.table_names import index_name, table_name

_QUOTE: Final = '"'
_NO_COLUMN: Final = frozenset({COMPOSITE, "GenericRelation"})
_TEXTS: Final = frozenset({"varchar", "text"})
"""Types whose indexes PostgreSQL gets a second one beside, for `LIKE`."""


class Table(Struct, frozen=True):
    """A table: its columns by their fields, its constraints and indexes by what they are for."""

    name: SqlName
    columns: Mapping[str, Column]
    constraints: Mapping[str, Constraint]
    indexes: Mapping[str, CreateIndex]
    is_whole: bool


class TableWriter:
    """Writes the tables of models on one engine; all places are that of the operation."""

    def __init__(self, models: Models, engine: str, span: Span) -> None:
        """Take the models, the engine, and the place of the operation."""
        self._models = models
        self._engine = engine
        self._span = span

    def tables(self, key: str, other: Model | None = None) -> Mapping[str, Table]:
        """Return the tables of a model by their fields; its own has an empty name.

        What the model has in common with the `other` one, as it is before or after, is left out.
        """
        model = self._models.get(key)
        if model is None or model.options.has_table is False:
            return {}
        if other is not None:
            model = _differing(model, other)
        found = {"": self._own(model)}
        for field in model.fields.values():
            if is_several(field) and not field.through:
                found[field.name] = self._between(model, field)
        return found

    def _own(self, model: Model) -> Table:
        name = self.name_of(model)
        fields = [field for field in model.fields.values() if self._has_column(field)]
        known = not any(map(_is_manager, model.fields.values()))
        constraints: dict[str, Constraint] = {}
        indexes: dict[str, CreateIndex] = {}
        for field in fields:
            constraints.update(self._foreign_key(name, field))
            indexes.update(self._indexes(name, field))
        for group in model.options.together or ():
            unique = [self._column_of(model, own) for own in group]
            self._together(name, unique, constraints, indexes)
        for index in model.indexes.values():
            self._named(name, model, index, constraints, indexes)
        columns = {field.name: self._column(field) for field in fields}
        return Table(name, columns, constraints, indexes, model.is_whole and known)

    # Names

    def _name(self, text: str) -> SqlName:
        """Return a name that is quoted as it stands, or that has its quotes in it."""
        parts = tuple(text.strip(_QUOTE).split('"."')) if text.startswith(_QUOTE) else (text,)
        return SqlName(self._span, parts, (True,) * len(parts))

    def name_of(self, model: Model) -> SqlName:
        """Return the name of a model's own table."""
        given = model.options.table
        return self._name(given or table_name(f"{model.label}_{model.name}", self._engine))

    def _index_name(self, table: SqlName, columns: Sequence[str], suffix: str) -> SqlName:
        return self._name(index_name(table.name, columns, suffix, self._engine))

    @staticmethod
    def _has_column(field: ModelField) -> bool:
        is_column = field.kind not in _NO_COLUMN and not _is_manager(field)
        return is_column and not is_several(field)

    def _column_name(self, field: ModelField) -> str:
        return field.column or (f"{field.name}_id" if is_reference(field) else field.name)

    def _column_of(self, model: Model, name: str) -> str:
        model = self._models.get(model.key, model)
        field = model.fields.get(name)
        if name == "pk":
            field = primary_key(model)
        return self._column_name(field) if field is not None else name

    # Columns

    def _column(self, field: ModelField) -> Column:
        declared = type_of(field, self._models, self._engine, self._span)
        constraints = tuple(self._constraints(field))
        return Column(self._span, self._name(self._column_name(field)), declared, constraints)

    def _constraints(self, field: ModelField) -> Iterator[Constraint]:
        """Yield what is written beside a column."""
        row = row_of(field)
        if "null" not in field.words and field.kind != "GeneratedField":
            yield Constraint(self._span, "not-null")
        if "primary-key" in field.words:
            counts = row is not None and row.counts
            words = ("AUTOINCREMENT",) if counts and self._engine == SQLITE else ()
            yield Constraint(self._span, "primary-key", words=words)
            if counts and self._engine != SQLITE:
                yield Constraint(self._span, "identity", words=("BY DEFAULT",))
        elif self._is_unique(field):
            yield Constraint(self._span, "unique")
        if "default" in field.words:
            yield Constraint(self._span, "default", expression=self._expression("NULL"))
        check = row.check.get(self._engine, "") if row is not None else ""
        if check:
            column = f'"{self._column_name(field)}"'
            written = check.replace("{column}", column)
            yield Constraint(self._span, "check", expression=self._expression(*written.split(" ")))

    @staticmethod
    def _is_unique(field: ModelField) -> bool:
        return "unique" in field.words or field.kind.endswith("OneToOneField")

    def _expression(self, *tokens: str) -> Expression:
        return Expression(self._span, tokens)

    def _keys(self, columns: Sequence[str]) -> tuple[Key, ...]:
        return tuple(Key(self._span, column, self._expression(f'"{column}"')) for column in columns)

    # Keys, indexes and constraints

    def _foreign_key(self, table: SqlName, field: ModelField) -> Iterator[tuple[str, Constraint]]:
        target = self._models.get(field.target)
        remote = remote_field(field, self._models)
        if not is_reference(field) or target is None or remote is None:
            return
        if "no-constraint" in field.words:
            return
        referred = self.name_of(target)
        columns = [self._column_name(field)]
        suffix = f"_fk_{referred.name}_{self._column_name(remote)}"
        yield (
            f"key:{field.name}",
            Constraint(
                self._span,
                "references",
                self._index_name(table, columns, suffix),
                self._keys(columns),
                table=referred,
                referenced=(self._column_name(remote),),
            ),
        )

    def _indexes(self, table: SqlName, field: ModelField) -> Iterator[tuple[str, CreateIndex]]:
        """Yield the indexes that a field brings."""
        is_key = "primary-key" in field.words
        is_single = self._is_unique(field) or is_key
        wants = "index" in field.words or field.kind == "SlugField" or is_reference(field)
        columns = [self._column_name(field)]
        if wants and not is_single and "no-index" not in field.words:
            yield f"index:{field.name}", self._index(table, columns, "")
        declared = type_of(field, self._models, self._engine, self._span)
        if self._engine == SQLITE or declared is None or declared.name not in _TEXTS:
            return
        if (wants or is_single) and not is_reference(field):
            yield f"like:{field.name}", self._index(table, columns, "_like")

    def _index(self, table: SqlName, columns: Sequence[str], suffix: str) -> CreateIndex:
        name = self._index_name(table, columns, suffix)
        return CreateIndex(name, table, self._keys(columns), unique=suffix == "_uniq")

    def _together(
        self,
        table: SqlName,
        columns: Sequence[str],
        constraints: dict[str, Constraint],
        indexes: dict[str, CreateIndex],
    ) -> None:
        """Add what makes columns unique together: an index on SQLite, else a constraint."""
        role = f"together:{','.join(columns)}"
        if self._engine == SQLITE:
            indexes[role] = self._index(table, columns, "_uniq")
        else:
            name = self._index_name(table, columns, "_uniq")
            constraints[role] = Constraint(self._span, "unique", name, self._keys(columns))

    def _named(
        self,
        table: SqlName,
        model: Model,
        index: ModelIndex,
        constraints: dict[str, Constraint],
        indexes: dict[str, CreateIndex],
    ) -> None:
        """Add an index or a constraint that has a name of its own."""
        if not index.name or (self._engine == SQLITE and _skipped(index)):
            return
        role, name = f"named:{index.name}", self._name(index.name)
        columns = [self._column_of(model, own) for own in index.fields]
        keys = self._keys(columns)
        if index.kind == "primary-key":
            constraints[role] = Constraint(self._span, "primary-key", None, keys)
        elif index.kind == "index" or index.is_partial or index.is_expression:
            keys = keys or (Key(self._span, "", self._expression("NULL")),)
            where = self._expression("NULL") if index.is_partial else None
            unique = index.kind == "unique"
            indexes[role] = CreateIndex(name, table, keys, unique=unique, where=where)
        elif index.kind == "check":
            condition = self._expression(*(f'"{own}"' for own in columns))
            constraints[role] = Constraint(self._span, "check", name, expression=condition)
        else:
            kind: Literal["unique", "exclude"] = "unique" if index.kind == "unique" else "exclude"
            constraints[role] = Constraint(self._span, kind, name, keys)

    # Tables between two models

    def _between(self, model: Model, field: ModelField) -> Table:
        """Return the table of a field of many to many."""
        own = self.name_of(model)
        name = self._name(field.table or table_name(f"{own.name}_{field.name}", self._engine))
        is_same = field.target == model.key
        far = field.target.rpartition(".")[2]
        ends = {
            "from": (f"from_{model.name}" if is_same else model.name, model.key),
            "to": (f"to_{far}" if is_same else far, field.target),
        }
        constraints: dict[str, Constraint] = {}
        indexes: dict[str, CreateIndex] = {}
        columns = {"id": self._counter()}
        known = [(role, ModelField(end, "ForeignKey", target=to)) for role, (end, to) in
                 ends.items() if end]  # fmt: skip
        for role, reference in known:
            columns[role] = self._column(reference)
            constraints.update(self._foreign_key(name, reference))
            indexes.update(self._indexes(name, reference))
        is_whole = len(known) == len(ends) and not field.is_foreign
        if is_whole:
            pair = [self._column_name(reference) for _, reference in known]
            self._together(name, pair, constraints, indexes)
        return Table(name, columns, constraints, indexes, is_whole)

    def _counter(self) -> Column:
        """Return a column for numbers, of what size the settings say."""
        constraints = (
            Constraint(self._span, "not-null"),
            Constraint(self._span, "primary-key"),
            Constraint(self._span, "default", expression=self._expression("NULL")),
        )
        return Column(self._span, self._name("id"), None, constraints)


def _is_manager(field: ModelField) -> bool:
    """Return whether a field is of a class of which nothing is known, and may be no column."""
    return field.is_foreign and not field.kind.endswith(("Field", "Key"))


def table_of(model: Model, engine: str, span: Span) -> str:
    """Return the name of a model's own table, without its schema."""
    return TableWriter({}, engine, span).name_of(model).name


def _differing(model: Model, other: Model) -> Model:
    """Return a model with those fields and indexes alone that another one has not."""
    fields = {
        name: field for name, field in model.fields.items() if other.fields.get(name) is not field
    }
    indexes = {
        name: index for name, index in model.indexes.items() if other.indexes.get(name) is not index
    }
    options = model.options
    if options.together == other.options.together:
        options = replace(options, together=None)
    return replace(model, fields=fields, indexes=indexes, options=options)


def _skipped(index: ModelIndex) -> bool:
    """Return whether SQLite gets nothing for a constraint."""
    return index.kind == "exclude" or (index.kind == "unique" and index.is_deferred)
