"""What takes back that a revision added, dropped or changed a column."""

from __future__ import annotations

from dal_audit.extract.operations.revision_source import Action, text_of
from dal_audit.extract.operations.terms import FALSE, NONE, TRUE, Term, string
from dal_audit.fix.revisions.source_table import type_of
from dal_audit.fix.revisions.step import Step, Undoing, untold


def add_column(action: Action) -> Undoing:
    """Return what drops a column, before it the index that came with it."""
    column, table = action.term("column"), action.term("table_name")
    if column is None or table is None or not column.arguments:
        return untold(f"`{action.source}`")
    schema = _schema_of(action)
    name = column.arguments[0]
    steps = [Step("drop_column", (name,), schema, table)]
    if column.is_true("index"):
        index = string(f"ix_{text_of(table)}_{text_of(name)}")
        steps.insert(0, Step("drop_index", (index,), schema, table, table_keyword="table_name"))
    return Undoing(steps)


def drop_column(action: Action, column: Term) -> Undoing:
    """Return what adds a column again."""
    table = action.term("table_name")
    name = text_of(column.arguments[0])
    found = Undoing(
        [Step("add_column", (column,), _schema_of(action), table)],
        [f"The values of `{name}` are gone: they do not come back."],
    )
    needs_value = column.keyword("nullable") == FALSE or column.is_true("primary_key")
    if needs_value and column.keyword("server_default") is None:
        found.risks = [f"`{name}` takes no NULL, so it cannot be added where rows stand"]
    return found


def alter_column(action: Action, column: Term | None) -> Undoing:
    """Return what changes a column back; `column` is as it was, None where that is not known.

    Then what the action says of it as `existing_…` counts.
    """
    table, name = action.term("table_name"), action.term("column_name")
    if table is None or name is None:
        return untold(f"`{action.source}`")
    keywords: list[tuple[str, Term]] = []
    found = Undoing()
    known = _type_before(action, column)
    changed = action.term("type_")
    if changed is not None and known is None:
        return untold(f"`{action.source}`", "the type before is not known")
    if changed is not None and known is not None:
        keywords += [("existing_type", changed), ("type_", known)]
        found.risks.append(f"the values of `{text_of(name)}` may not fit its type before")
    elif known is not None:
        keywords.append(("existing_type", known))
    for part in (_nullable, _server_default, _comment):
        read = part(action, column)
        if isinstance(read, str):
            return untold(f"`{action.source}`", read)
        keywords += read
    if ("nullable", FALSE) in keywords:
        found.risks.append(f"`{text_of(name)}` may hold NULL by then")
    new = action.term("new_column_name")
    keywords += [] if new is None else [("new_column_name", name)]
    keywords += _schema_of(action)
    found.steps = [Step("alter_column", (new or name,), tuple(keywords), table)]
    return found


def _type_before(action: Action, column: Term | None) -> Term | None:
    declared = type_of(column) if column is not None else None
    return declared or action.term("existing_type")


def _nullable(action: Action, column: Term | None) -> list[tuple[str, Term]] | str:
    given, existing = action.term("nullable"), action.term("existing_nullable")
    if given is None:
        return [] if existing is None else [("existing_nullable", existing)]
    if column is not None:
        is_key = column.is_true("primary_key")
        before = column.keyword("nullable") or (FALSE if is_key else TRUE)
        return [("nullable", before)]
    return [("nullable", existing)] if existing is not None else _opposite(given)


def _opposite(given: Term) -> list[tuple[str, Term]]:
    """Return what was before a change that does something: there are two ways only."""
    return [("nullable", FALSE if given == TRUE else TRUE)]


def _server_default(action: Action, column: Term | None) -> list[tuple[str, Term]] | str:
    given = action.arguments.get("server_default")
    existing = action.arguments.get("existing_server_default")
    if given is None or given == FALSE:
        return [] if existing is None else [("existing_server_default", existing)]
    if column is not None:
        return [("server_default", column.keyword("server_default") or NONE)]
    if existing is None:
        return "the default before is not known"
    return [("server_default", existing)]


def _comment(action: Action, column: Term | None) -> list[tuple[str, Term]] | str:
    given = action.arguments.get("comment")
    if given is None or given == FALSE:
        return []
    before = column.keyword("comment") if column is not None else action.term("existing_comment")
    if before is None and column is None:
        return "the comment before is not known"
    return [("comment", before or NONE), ("existing_comment", given)]


def _schema_of(action: Action) -> tuple[tuple[str, Term], ...]:
    schema = action.term("schema")
    return () if schema is None else (("schema", schema),)
