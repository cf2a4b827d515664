"""What operations change in a table that stands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from msgspec.structs import replace

from dal_audit.extract.operations.revision_source import Action, text_of
from dal_audit.extract.operations.terms import TRUE, Term, string
from dal_audit.fix.revisions.source_table import (
    SourceIndex,
    SourceTable,
    clause_of,
    columns_of,
    part_of,
    speaks_of,
    with_type,
)


def _add_column(table: SourceTable, action: Action) -> None:
    column = action.term("column")
    if column is not None and column.arguments:
        add_column_to(table, column)


def add_column_to(table: SourceTable, column: Term) -> None:
    """Add a column to a table; the index that it makes (`index=True`) is one of the table's."""
    name = text_of(column.arguments[0])
    if column.is_true("index"):
        unique = (("unique", TRUE),) if column.is_true("unique") else ()
        index = string(f"ix_{text_of(table.name)}_{name}")
        columns = Term("list", arguments=(string(name),))
        table.indexes[text_of(index)] = SourceIndex(index, columns, unique)
        column = column.with_keyword("index", None)
        column = column.with_keyword("unique", None)
    table.columns[name] = column


def _drop_column(table: SourceTable, action: Action) -> None:
    name = action.text("column_name")
    table.columns.pop(name, None)
    table.constraints = [own for own in table.constraints if name not in columns_of(own)]
    gone = [key for key, own in table.indexes.items() if speaks_of(own.columns, name)]
    for key in gone:
        del table.indexes[key]


def _alter_column(table: SourceTable, action: Action) -> None:
    name = action.text("column_name")
    column = table.columns.get(name)
    if column is None:
        return
    table.columns[name] = altered(column, action)
    new = action.term("new_column_name")
    if new is not None:
        _rename_column(table, name, new)


def altered(column: Term, action: Action) -> Term:
    """Return a column as `alter_column` leaves it, but for its name."""
    declared = action.term("type_")
    if declared is not None:
        column = with_type(column, declared)
    for name in ("nullable", "server_default", "comment"):
        given = action.arguments.get(name)
        if given is not None and not (name != "nullable" and given.value == "False"):
            column = column.with_keyword(name, None if given.value == "None" else given)
    return column


def _rename_column(table: SourceTable, old: str, new: Term) -> None:
    name = text_of(new)
    column = table.columns[old]
    renamed = replace(column, arguments=(new, *column.arguments[1:]))
    table.columns = {
        (name if key == old else key): (renamed if key == old else own)
        for key, own in table.columns.items()
    }
    table.constraints = [_with_string(own, old, name) for own in table.constraints]
    table.indexes = {
        key: replace(own, columns=_with_string(own.columns, old, name))
        for key, own in table.indexes.items()
    }


def _with_string(term: Term, old: str, new: str) -> Term:
    """Return an expression with another string in all places of one, but for keywords."""
    if term.text == old:
        return string(new)
    return replace(term, arguments=tuple(_with_string(own, old, new) for own in term.arguments))


def _create_index(table: SourceTable, action: Action) -> None:
    name, columns = action.term("index_name"), action.term("columns")
    known = {"index_name", "columns", "table_name", "schema", "if_not_exists"}
    if name is not None and columns is not None:
        rest = tuple(pair for pair in action.arguments.items() if pair[0] not in known)
        table.indexes[text_of(name)] = SourceIndex(name, columns, rest)


def _add_constraint(table: SourceTable, action: Action) -> None:
    made = constraint_of(action)
    if made is None:
        table.is_complete = False
    else:
        table.constraints.append(made)


def constraint_of(action: Action) -> Term | None:
    """Return what an operation makes as a part of its table; None where that is not known."""
    name = action.term("constraint_name")
    known = {"constraint_name", "table_name", "columns", "condition", "local_cols", "remote_cols",
             "referent_table", "source_schema", "referent_schema", "schema"}  # fmt: skip
    rest = tuple(pair for pair in action.arguments.items() if pair[0] not in known)
    keywords = (*((("name", name),) if name is not None else ()), *rest)
    columns = action.term("columns")
    kind = _KINDS.get(action.name, "")
    if kind == "ForeignKeyConstraint":
        return _foreign_key(action, keywords)
    if kind == "CheckConstraint":
        condition = action.term("condition")
        return None if condition is None else part_of(kind, (condition,), keywords)
    return (
        None
        if columns is None or columns.kind != "list"
        else part_of(kind, columns.arguments, keywords)
    )


def _foreign_key(action: Action, keywords: tuple[tuple[str, Term], ...]) -> Term | None:
    local, remote = action.term("local_cols"), action.term("remote_cols")
    target = action.text("referent_table")
    schema = action.text("referent_schema")
    if local is None or remote is None or not target:
        return None
    before = f"{schema}.{target}" if schema else target
    referred = tuple(string(f"{before}.{text_of(own)}") for own in remote.arguments)
    return part_of("ForeignKeyConstraint", (local, Term("list", arguments=referred)), keywords)


def _drop_constraint(table: SourceTable, action: Action) -> None:
    name = action.text("constraint_name")
    made = table.constraint(name)
    if made is not None:
        table.constraints.remove(made)
        return
    found = clause_of(table, name)
    if found is None:
        table.is_complete = False
        return
    column, keyword, key = found
    if keyword:
        table.columns[column] = table.columns[column].with_keyword(keyword, None)
    else:
        kept = tuple(own for own in table.columns[column].arguments if own is not key)
        table.columns[column] = replace(table.columns[column], arguments=kept)


_KINDS: Final[Mapping[str, str]] = {
    "create_primary_key": "PrimaryKeyConstraint",
    "create_unique_constraint": "UniqueConstraint",
    "create_foreign_key": "ForeignKeyConstraint",
    "create_check_constraint": "CheckConstraint",
}
CHANGES: Final = {
    "add_column": _add_column,
    "drop_column": _drop_column,
    "alter_column": _alter_column,
    "create_index": _create_index,
    "drop_constraint": _drop_constraint,
    **dict.fromkeys(_KINDS, _add_constraint),
}
