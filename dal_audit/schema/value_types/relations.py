"""The columns of relations with their types, as far as a schema knows them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from msgspec import Struct

from dal_audit.catalogue.type_system import type_system
from dal_audit.facts.sql_names import SqlName, SqlType
from dal_audit.schema.column_demands import MAX_DOMAINS, primary_key
from dal_audit.schema.objects_model import POSTGRESQL, RESULTS, DbObject, fold_identifier
from dal_audit.schema.state import State
from dal_audit.schema.value_types.conversions import ENUM, UNKNOWN

SYSTEM_COLUMNS: Final = frozenset({"cmax", "cmin", "ctid", "tableoid", "xmax", "xmin"})


class Relation(Struct, frozen=True):
    """A relation's columns with their types, None for a type that is not known.

    `complete` says that there are no others, and `ordered` that they stand in their order. `key` is
    a table's primary key, by which all its other columns are determined. `nullable` are the columns
    that surely take NULL, `checked` those that a `CHECK` is about.
    """

    columns: Mapping[str, str | None]
    complete: bool = False
    key: tuple[str, ...] = ()
    ordered: bool = True
    nullable: frozenset[str] = frozenset()
    checked: frozenset[str] = frozenset()

    def named(self, names: Sequence[str]) -> Relation:
        """Return the relation with other names for its first columns."""
        if not names:
            return self
        if len(names) > len(self.columns) or not self.ordered:
            return NOTHING_KNOWN
        types = list(self.columns.values())
        given = [*names, *list(self.columns)[len(names) :]]
        return Relation(dict(zip(given, types, strict=True)), self.complete)


_PORTED: Final = {"blob": "bytea", "datetime": "timestamp"}
"""Types that PostgreSQL lacks, which is told by itself, and what they are once that is mended."""
NOTHING_KNOWN: Final = Relation({})


def part_of(name: SqlName, index: int = -1) -> str:
    """Return one part of a name as PostgreSQL keeps it."""
    quoted = name.quoted[index] if name.quoted else False
    return fold_identifier(name.parts[index], POSTGRESQL, quoted=quoted)


def relation_of(state: State, name: str) -> Relation:
    """Return what is known of a relation, by its folded name."""
    relation = state.seen(name)
    if relation is None:
        return NOTHING_KNOWN
    results = relation.parts.get(RESULTS)
    if results is not None:
        return Relation(dict(results), complete=True)
    return _of_table(state, relation) if relation.kind == "table" else NOTHING_KNOWN


def _of_table(state: State, relation: DbObject) -> Relation:
    names = relation.names("column")
    columns = {own: column_type(state, relation, own) for own in names}
    key = _key(relation) if relation.complete else ()
    return Relation(
        columns,
        complete=relation.complete,
        key=key,
        ordered=_are_ordered(relation),
        nullable=frozenset(
            own for own in names if own not in key and not relation.parts["column", own].not_null
        ),
        checked=frozenset(own for check in relation.constraints("check") for own in check.columns),
    )


def _key(table: DbObject) -> tuple[str, ...]:
    """Return the primary key's columns as they are called."""
    lower = primary_key(table)
    return tuple(name for name in table.names("column") if name.lower() in lower)


def column_type(state: State, table: DbObject, column: str) -> str | None:
    """Return the type of a table's column; None where it is not known."""
    part = table.parts.get(("column", column))
    return declared_type(state, part.declared) if part is not None else None


def declared_type(state: State, declared: SqlType | None) -> str | None:
    """Return the type that is declared, domains followed; None where it is not known."""
    for _ in range(MAX_DOMAINS):
        if declared is None or declared.quoted:
            return None
        own = state.others.get(("type", declared.name.lower()))
        if own is None:
            return _built_in(declared)
        if declared.dimensions:
            return None
        if own.complete and own.names("label"):
            return f"{ENUM}{declared.name.lower()}"
        declared = own.base
    return None


def _built_in(declared: SqlType) -> str | None:
    types = type_system()
    written = declared.name.lower()
    name = types.names.get(_PORTED.get(written, written))
    if name is None or not declared.dimensions:
        return name
    array = f"_{name}"
    return array if types.item_of(array) == name else None


def _are_ordered(table: DbObject) -> bool:
    """Return whether the columns of a table are kept in the order in which they stand.

    One that was renamed is kept behind the others.
    """
    return all(part is not None for (kind, _), part in table.parts.items() if kind == "column")


def as_text(types: Iterable[tuple[str, str | None]]) -> dict[str, str | None]:
    """Return named types in which a literal in quotes has become text."""
    return {name: "text" if own == UNKNOWN else own for name, own in types}
