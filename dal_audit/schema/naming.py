"""What is objected to a name: that it stands already, was dropped, or differs in case."""

from __future__ import annotations

from collections.abc import Iterator

from dal_audit.facts.sql import SqlName
from dal_audit.schema.model import (
    BOTH,
    POSTGRESQL,
    SQLITE,
    Objection,
    Schema,
    exact_of,
    key_of,
)


def taken(schema: Schema, name: SqlName) -> Iterator[Objection]:
    """Object to a name that an object of the same file bears already."""
    key = key_of(name)
    if not schema.is_certain(key):
        return
    table = schema.tables.get(key)
    is_same = table is None or table.exact == exact_of(name)
    yield Objection(
        name.span,
        BOTH if is_same else (SQLITE,),
        f"`{name.name}` stands already" if is_same else "names that differ in case are one name",
        "Choose another name, or write `IF NOT EXISTS`.",
    )


def folded(schema: Schema, name: SqlName) -> Iterator[Objection]:
    """Object to the name of a table whose case PostgreSQL does not find."""
    table = schema.tables[key_of(name)]
    if table.exact != exact_of(name):
        yield misspelled(name, table.exact)


def missing(name: SqlName) -> Objection:
    """Object to the name of what was dropped before."""
    return Objection(
        name.span, BOTH, f"`{name.name}` was dropped before", "Write `IF EXISTS`, or leave it out."
    )


def misspelled(name: SqlName, exact: str) -> Objection:
    """Object to a name that is another one for PostgreSQL, which minds the case of quoted names."""
    return Objection(
        name.span,
        (POSTGRESQL,),
        f"the name is `{exact}`, and case counts in a name that was quoted",
        "Write all names in lower case, without quotes.",
    )
