"""What a copy of a table fails for, and a type that is made twice."""

from __future__ import annotations

from collections.abc import Iterator

from dal_audit.facts.sql import AlterTable, SqlName
from dal_audit.schema.column_demands import error
from dal_audit.schema.objects_model import DbObject, SchemaError
from dal_audit.schema.state import State


def copy_errors(state: State, alter: AlterTable, table: DbObject) -> Iterator[SchemaError]:
    """Yield that the rows of a table cannot be copied, for a generated column takes no value."""
    dropped = {state.fold(action.name) for action in alter.actions if action.name is not None}
    for name in table.names("column"):
        if table.parts["column", name].generated_from and name not in dropped:
            reason = f"a copy of the table cannot fill the generated column `{name}`"
            cure = "Drop the generated column in a block before, and add it again behind."
            yield error(state, alter.table.span, reason, cure)
            return


def taken_type_errors(state: State, name: SqlName) -> Iterator[SchemaError]:
    """Yield that a type of a name stands already, which PostgreSQL does not make anew."""
    own = state.others.get(("type", state.fold(name)))
    if own is not None and own.complete and not state.is_sqlite:
        reason = f"the type `{name.name}` stands already"
        yield error(state, name.span, reason, "Make it once, and look first whether it is there.")
