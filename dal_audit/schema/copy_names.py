"""What a tool that copies a table calls the constraints of it that have no name.

Source: Alembic's `operations/batch.py` (`naming_convention`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from dal_audit.catalogue.constraint_names import NamedPart, NameKind, conventional_name
from dal_audit.facts.sql import AlterTable
from dal_audit.schema.objects_model import DbObject
from dal_audit.schema.state import State

_KINDS: Final[dict[str, NameKind]] = {"primary-key": "pk", "references": "fk", "unique": "uq"}


def copy_names(table: DbObject, alter: AlterTable) -> Iterator[tuple[str, str]]:
    """Yield constraints of a table that have no name, each with the one that a copy gives it."""
    convention = dict(alter.convention)
    bare = table.name.rpartition(".")[2]
    for own in table.names("constraint") if convention else ():
        part = table.parts["constraint", own]
        if not part.has_name:
            referred = (part.table, *part.referenced)
            named = NamedPart(_KINDS.get(part.kind), part.columns, referred)
            name = conventional_name(named, "", bare, convention, engine="sqlite")
            if name:
                yield own, name.lower()


def name_constraints(state: State, table: DbObject, alter: AlterTable) -> None:
    """Give the constraints of a table that is copied the names that its copy has for them."""
    for own, name in list(copy_names(table, alter)):
        part = table.parts["constraint", own]
        state.unrefer(table, own)
        state.set_part(table, ("constraint", own), None)
        state.set_part(table, ("constraint", name), part)
        state.refer(table, name, part)
