"""What drops the constraints that a revision made, and makes those again that it dropped."""

from __future__ import annotations

from typing import Final

from dal_audit.extract.operations.revision_source import Action, text_of
from dal_audit.extract.operations.terms import Term, string
from dal_audit.fix.revisions.step import Step, Undoing, untold

_TYPES: Final = {
    "create_check_constraint": "check",
    "create_foreign_key": "foreignkey",
    "create_primary_key": "primary",
    "create_unique_constraint": "unique",
}
_OF_TABLE: Final = ("schema", "source_schema")


def create_constraint(action: Action, name: Term | None) -> Undoing:
    """Return what drops a constraint that an action makes; `name` is None where it has none."""
    table = action.term("table_name")
    if name is None or table is None:
        return untold(f"`{action.source}`", "the constraint has no name")
    keywords = [("schema", own) for key in _OF_TABLE if (own := action.term(key)) is not None]
    kind = _TYPES.get(action.name)
    keywords += [("type_", string(kind))] if kind is not None else []
    return Undoing([Step("drop_constraint", (name,), tuple(keywords), table, table_at=1)])


def created(table: Term, constraint: Term, action: Action) -> Step | None:
    """Return what makes a constraint of a table; None where that has no name, or is not known."""
    name = constraint.keyword("name")
    keywords = tuple(pair for pair in constraint.keywords if pair[0] != "name")
    schema = action.term("schema")
    if name is None:
        return None
    kind = constraint.last_name
    if kind == "ForeignKeyConstraint":
        return _foreign_key(table, constraint, name, keywords, schema)
    keywords += () if schema is None else (("schema", schema),)
    if kind == "CheckConstraint":
        return Step(
            "create_check_constraint", (name, *constraint.arguments[:1]), keywords, table, 1
        )
    columns = Term("list", arguments=constraint.arguments)
    verb = "create_unique_constraint" if kind == "UniqueConstraint" else "create_primary_key"
    return Step(verb, (name, columns), keywords, table, 1)


def _foreign_key(
    table: Term,
    constraint: Term,
    name: Term,
    keywords: tuple[tuple[str, Term], ...],
    schema: Term | None,
) -> Step | None:
    pair = constraint.arguments[:2]
    targets = [text_of(own).rpartition(".") for own in pair[1].arguments] if len(pair) > 1 else []
    tables = {before for before, _, _ in targets}
    if len(tables) != 1:
        return None
    before, _, referred = tables.pop().rpartition(".")
    keywords += () if schema is None else (("source_schema", schema),)
    keywords += (("referent_schema", string(before)),) if before else ()
    remote = Term("list", arguments=tuple(string(own) for _, _, own in targets))
    return Step("create_foreign_key", (name, string(referred), pair[0], remote), keywords, table, 1)
