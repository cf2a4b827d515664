"""What PostgreSQL demands of the types, defaults and foreign keys of columns.

SQLite takes any type and any literal (datatype3.html), and looks at the rows alone for whether a
foreign key holds. Sources: PostgreSQL's sql-createtable.html, ddl-constraints.html.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final, TypeAlias

from dal_audit.catalogue.engine_names import engine_names
from dal_audit.facts import Span
from dal_audit.facts.sql import Column, Constraint, Expression, SqlName, SqlType
from dal_audit.schema.objects_model import POSTGRESQL, VIEWS, DbObject, SchemaError
from dal_audit.schema.state import State
from dal_audit.schema.table_parts import unique_keys
from dal_audit.schema.type_families import comparable, family_of, unfit_default

_WORD: Final = re.compile(r"[^\W\d]\w*\Z")
MAX_DOMAINS: Final = 8
"""How many domains are followed to the type that they are of."""

Declared: TypeAlias = tuple[str, SqlType | None]
"""A column's name, and its type."""

ONE_CASE: Final = "Write all names in lower case, without quotes."
_CURES: Final = {
    "boolean": "Write `FALSE` or `TRUE`.",
    "integer": "Write a number.",
    "number": "Write a number.",
    "json": "Write a JSON document in quotes, such as `'{}'`.",
    "timestamp": "Write `CURRENT_TIMESTAMP`, or a time in quotes.",
}
"""What to write for a default, by the family of the column's type."""


def error(state: State, span: Span, reason: str, cure: str) -> SchemaError:
    """Return what a statement fails for on the backend of a database."""
    return SchemaError(span, (state.backend,), reason, cure)


def wrong_case(kept: str) -> str:
    """Return why PostgreSQL does not find a name that differs in case from the one that it kept."""
    last = kept.rpartition(".")[2]
    return f"the name is `{last}`, and case counts in a name that was quoted"


def name_meant(state: State, name: SqlName) -> str:
    """Return the folded name of a table that is meant, even if PostgreSQL minds its case."""
    folded = state.fold(name)
    if state.is_sqlite or folded in state.made or folded in state.dropped:
        return folded
    return state.spelled.get(folded.lower(), folded)


def is_misspelled(state: State, name: SqlName, meant: str) -> bool:
    """Return whether a name differs in case from the table that is meant, whatever its schema."""
    return state.fold(name).rpartition(".")[2] != meant.rpartition(".")[2]


def column_errors(state: State, column: Column) -> Iterator[SchemaError]:
    """Yield what a column fails for: its type, its default, and what it refers to."""
    if state.is_sqlite:
        return
    yield from _type_errors(state, column.type)
    own = ((state.fold(column.name), column.type),)
    kinds = {constraint.kind for constraint in column.constraints}
    if {"null", "not-null"} <= kinds:
        yield error(state, column.span, "it is `NULL` and `NOT NULL`", "Leave one of them out.")
    for constraint in column.constraints:
        if constraint.kind == "default" and constraint.expression is not None:
            yield from default_errors(state, column.type, constraint.expression)
        yield from foreign_key_errors(state, constraint, own)


def _type_errors(state: State, declared: SqlType | None) -> Iterator[SchemaError]:
    """Yield that there is no such type, where nothing so far has made it."""
    listed = engine_names(POSTGRESQL)
    if declared is None or listed is None or listed.has_type(declared.name.lower()):
        return
    if _is_of_words(declared):
        yield _no_type(state, declared, "no type is called so")
        return
    if state.hides_types or not _WORD.match(declared.name):
        return
    if declared.quoted and not state.sees_all:
        return  # It may have been made where the tables were that were not seen.
    name = type_name(declared)
    relation = state.relations.get(name)
    is_row_type = relation is not None and (relation.kind == "table" or relation.kind in VIEWS)
    if not is_row_type and state.others.get(("type", name)) is None:
        yield _no_type(state, declared, "no statement before makes one")


def _is_of_words(declared: SqlType) -> bool:
    """Return whether a type is of several words: those that PostgreSQL has are all listed."""
    words = declared.name.split(" ")
    is_plain = not declared.quoted and all(map(_WORD.match, words))
    return is_plain and len(words) > 1 and words[0].lower() != "interval"


def _no_type(state: State, declared: SqlType, why: str) -> SchemaError:
    return SchemaError(
        declared.span,
        (state.backend,),
        f"there is no type `{declared.name}`, and {why}",
        "Write a type that both have, such as TEXT, INTEGER, REAL or TIMESTAMP.",
        about="type",
    )


def default_errors(
    state: State, declared: SqlType | None, expression: Expression
) -> Iterator[SchemaError]:
    """Yield that a type does not take a default."""
    if state.is_sqlite or declared is None or declared.dimensions:
        return
    own = state.others.get(("type", type_name(declared)))
    labels = own.names("label") if own is not None and own.complete else None
    family = type_family(state, declared)
    found = unfit_default(expression.tokens, family, labels)
    if found:
        reason = f"{found} is no default for `{declared.name}`"
        cure = _CURES.get(family, "Write a literal of the column's type.")
        yield error(state, expression.span, reason, cure)


def type_name(declared: SqlType) -> str:
    """Return the name by which PostgreSQL finds a type."""
    return declared.name if declared.quoted else declared.name.lower()


def type_family(state: State, declared: SqlType | None) -> str:
    """Return the family of a declared type, domains followed; empty where it is not known."""
    for _ in range(MAX_DOMAINS):
        if declared is None or declared.dimensions:
            return ""
        own = state.others.get(("type", type_name(declared)))
        if own is None:
            return family_of(declared.name.lower())
        declared = own.base
    return ""


def foreign_key_errors(
    state: State, constraint: Constraint, own: Sequence[Declared]
) -> Iterator[SchemaError]:
    """Yield that PostgreSQL refuses a foreign key, `own` being the columns that have it."""
    if state.is_sqlite or constraint.kind != "references" or constraint.table is None:
        return
    name = name_meant(state, constraint.table)
    target = state.seen_table(name)
    if target is None:
        refused = _refused_name(state, constraint.table, name)
    elif is_misspelled(state, constraint.table, name):
        refused = wrong_case(name), ONE_CASE
    else:
        refused = _refused_columns(state, constraint, constraint.table.name, target, own)
    if refused is not None:
        yield error(state, constraint.table.span, *refused)


def _refused_name(state: State, written: SqlName, name: str) -> tuple[str, str] | None:
    """Return why a foreign key cannot refer to something that is no table, and the cure."""
    relation = state.seen(name)
    if relation is not None and relation.kind in VIEWS:
        return f"`{written.name}` is a view", "Refer to a table."
    if state.to_come.get(name, 0) <= 0 or written.schema:
        return None
    reason = f"the table `{written.name}` does not stand yet"
    return reason, "Make the table that is referred to first."


def _refused_columns(
    state: State, constraint: Constraint, name: str, target: DbObject, own: Sequence[Declared]
) -> tuple[str, str] | None:
    """Return why a foreign key cannot refer to columns of a table, and the cure."""
    if not target.complete:
        return None
    standing = _declared(target)
    columns = _referred(constraint, target)
    if not columns:
        return f"`{name}` has no primary key", "Name a column that is unique."
    unknown = [column for column in columns if column not in standing]
    if unknown:
        return f"`{name}` has no column `{unknown[0]}`", "Name a column that stands."
    if not _is_unique(state, target, columns):
        named = ", ".join(f"`{column}`" for column in columns)
        cure = "Make what is referred to the primary key, or `UNIQUE`."
        return f"{named} of `{name}` is not unique", cure
    for (column, declared), other in zip(own, columns, strict=False):
        if not comparable(type_family(state, declared), type_family(state, standing[other])):
            reason = f"`{column}` and `{name}.{other}` are of types that cannot be compared"
            return reason, "Give both the same type."
    return None


def _declared(table: DbObject) -> dict[str, SqlType | None]:
    """Return the types of a table's columns, by their names in lower case."""
    names = table.names("column")
    return {name.lower(): table.parts["column", name].declared for name in names}


def _referred(constraint: Constraint, target: DbObject) -> tuple[str, ...]:
    """Return the columns that a foreign key refers to, in lower case."""
    if constraint.referenced:
        return tuple(column.lower() for column in constraint.referenced)
    return primary_key(target)


def primary_key(table: DbObject) -> tuple[str, ...]:
    """Return the columns of a table's primary key, in lower case; none where it has none."""
    keys = table.constraints("primary-key")
    return tuple(column.lower() for column in keys[-1].columns) if keys else ()


def _is_unique(state: State, table: DbObject, columns: Sequence[str]) -> bool:
    """Return whether PostgreSQL takes these columns for what a foreign key can refer to."""
    keys = ([column.lower() for column in key] for key in unique_keys(state, table))
    return any(set(key) == set(columns) and len(key) == len(set(key)) for key in keys)
