"""What takes back an action of a revision: by Alembic's own operations, from what stood before.

Sources: Alembic's operation reference, SQLAlchemy's manual ("Metadata", "Enum").
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from dal_audit.catalogue.engine_names import POSTGRESQL
from dal_audit.extract.operations.revision_source import Action, text_of
from dal_audit.extract.operations.terms import FALSE, NONE, OP, TRUE, Term, call, method, string
from dal_audit.fix.revisions.inverse_column import add_column, alter_column, drop_column
from dal_audit.fix.revisions.inverse_constraint import create_constraint, created
from dal_audit.fix.revisions.lowered_step import lowered
from dal_audit.fix.revisions.source_schema import SourceSchema
from dal_audit.fix.revisions.source_table import (
    SourceIndex,
    SourceTable,
    clause_of,
    columns_of,
    enumerations_in,
    speaks_of,
)
from dal_audit.fix.revisions.step import Step, Undoing, in_block, untold
from dal_audit.fix.revisions.table_changes import constraint_of

_UNASKED: Final = ("VARCHAR", "TEXT", "CHAR")
"""What PostgreSQL casts every value to without being told how."""


class Engines(Struct, frozen=True):
    """Which engines run the revisions."""

    sqlite: bool
    postgresql: bool


class Inverter:
    """Follows a revision, and says what takes each action back."""

    def __init__(self, schema: SourceSchema, engines: Engines) -> None:
        """Take the schema before the revision."""
        self.schema = schema
        self.engines = engines

    def undo(self, action: Action) -> Undoing:
        """Run an action, and return what takes it back."""
        read = _READERS.get(action.name)
        table = self.schema.table_of(action)
        goes_with = table is not None and table.is_made and not self._stands_alone(action)
        found = Undoing() if goes_with else read(self, action) if read else untold(_shown(action))
        self.schema.apply(action)
        found.steps = [self._placed(step, action) for step in found.steps]
        is_known = all(step.is_known for step in found.steps)
        return found if is_known else untold(_shown(action), "not all of it is known")

    def _stands_alone(self, action: Action) -> bool:
        """Return whether an action is taken back by itself where its table was made with it.

        A key that refers to another new table keeps that from being dropped.
        """
        if action.name in _OF_ITSELF:
            return True
        target = self.schema.tables.get(action.text("referent_table"))
        return action.name == "create_foreign_key" and target is not None and target.is_made

    def _placed(self, step: Step, action: Action) -> Step:
        """Return a step in a block as its action is, where it can be."""
        if step.block is not None or step.whole is not None or step.table is None:
            return step
        if action.block is not None:
            return replace(step, block=action.block, opened_at=action.opened_at)
        return replace(step, is_autonomous=action.is_autonomous)

    # Tables

    def create_table(self, action: Action) -> Undoing:
        """Return what drops a table, and the enumerations that came with it."""
        name = action.term("table_name")
        if name is None:
            return untold(_shown(action))
        drop = Step("drop_table", (name,), _schema_of(action))
        return Undoing([drop, *map(self.drop_enumeration, self._made_by(action))])

    def _made_by(self, action: Action) -> Iterator[Term]:
        """Yield the enumerations that PostgreSQL has by a new table alone."""
        for part in action.rest if self.engines.postgresql else ():
            for enumeration in enumerations_in(part):
                is_new = text_of(enumeration.keyword("name")) not in self.schema.enumerations
                if is_new and not _is_false(enumeration, "create_type"):
                    yield enumeration

    def drop_enumeration(self, enumeration: Term) -> Step:
        """Return what drops an enumeration, and does nothing on SQLite."""
        name = enumeration.keyword("name") or NONE
        kept = call("sqlalchemy.Enum", name=name)
        bind = call(f"{OP}.get_bind")
        return Step("drop", whole=method(kept, "drop", bind, checkfirst=TRUE))

    def drop_table(self, action: Action) -> Undoing:
        """Return what makes a table again, with its indexes."""
        table = self.schema.table_of(action)
        if table is None:
            return untold(_shown(action), "no revision before made it")
        if not table.is_complete:
            return untold(_shown(action), "not all of it is known")
        steps = [*self.creation(table)]
        if table.is_made:
            return Undoing(steps)
        told = text_of(table.name)
        return Undoing(steps, [f"The rows of `{told}` are gone: they do not come back."])

    def creation(self, table: SourceTable) -> Iterator[Step]:
        """Yield what makes a table and its indexes."""
        parts = tuple(self.with_standing_types(part) for part in table.parts)
        yield Step("create_table", (table.name, *parts), table.options)
        for index in table.indexes.values():
            yield index_step(table, index)

    def with_standing_types(self, term: Term) -> Term:
        """Return an expression that does not make an enumeration which stands already."""
        is_enumeration = any(own is term for own in enumerations_in(term))
        if is_enumeration and text_of(term.keyword("name")) in self.schema.enumerations:
            return self._standing(term)
        return replace(
            term,
            owner=None if term.owner is None else self.with_standing_types(term.owner),
            arguments=tuple(map(self.with_standing_types, term.arguments)),
        )

    def _standing(self, enumeration: Term) -> Term:
        if not self.engines.postgresql or _is_false(enumeration, "create_type"):
            return enumeration
        kept = tuple(pair for pair in enumeration.keywords if pair[0] in {"name", "schema"})
        own = Term(
            "call",
            "sqlalchemy.dialects.postgresql.ENUM",
            arguments=enumeration.arguments,
            keywords=(*kept, ("create_type", FALSE)),
        )
        if not self.engines.sqlite or ".postgresql." in enumeration.value:
            return own
        return method(enumeration, "with_variant", own, string("postgresql"))

    def rename_table(self, action: Action) -> Undoing:
        """Return what gives a table its old name again."""
        old, new = action.term("old_table_name"), action.term("new_table_name")
        if old is None or new is None:
            return untold(_shown(action))
        return Undoing([Step("rename_table", (new, old), _schema_of(action))])

    # Indexes and constraints

    def create_index(self, action: Action) -> Undoing:
        """Return what drops an index."""
        name, table = action.term("index_name"), action.term("table_name")
        if name is None or table is None:
            return untold(_shown(action), "it has no name that is known")
        keywords = [*_schema_of(action)]
        how = action.arguments.get("postgresql_concurrently")
        keywords += [("postgresql_concurrently", how)] if how is not None else []
        step = Step("drop_index", (name,), tuple(keywords), table, table_keyword="table_name")
        return Undoing([step])

    def drop_index(self, action: Action) -> Undoing:
        """Return what makes an index again."""
        found = self.schema.holder(action.text("index_name"))
        if found is None:
            return untold(_shown(action), "no revision before made it")
        return Undoing([index_step(*found)])

    def create_constraint(self, action: Action) -> Undoing:
        """Return what drops a constraint."""
        made = constraint_of(action)
        name = action.term("constraint_name")
        if name is None and made is not None and self._is_named_by_engine(action):
            table = self.schema.table_of(action)
            own = table or SourceTable(action.arguments["table_name"])
            name = string(own.name_of(made))
        return create_constraint(action, name)

    def _is_named_by_engine(self, action: Action) -> bool:
        """Return whether PostgreSQL alone makes a constraint, and names it."""
        if action.name == "create_check_constraint" or "table_name" not in action.arguments:
            return False
        return self.engines.postgresql and (not self.engines.sqlite or action.block is None)

    def drop_constraint(self, action: Action) -> Undoing:
        """Return what makes a constraint again."""
        table, name = self.schema.table_of(action), action.term("constraint_name")
        if table is None or name is None:
            return untold(_shown(action), "no revision before made its table")
        made = table.constraint(text_of(name))
        if made is None:
            clause = clause_of(table, text_of(name))
            made = None if clause is None else _as_constraint(clause[0], clause[2])
        step = (
            None if made is None else created(table.name, made.with_keyword("name", name), action)
        )
        return (
            untold(_shown(action), "no revision before made it")
            if step is None
            else Undoing([step])
        )

    # Columns

    def add_column(self, action: Action) -> Undoing:
        """Return what drops a column."""
        return add_column(action)

    def drop_column(self, action: Action) -> Undoing:
        """Return what adds a column again, with what went with it."""
        table = self.schema.table_of(action)
        column = table.columns.get(action.text("column_name")) if table is not None else None
        if table is None or column is None:
            return untold(_shown(action), "no revision before made it")
        found = drop_column(action, self.with_standing_types(column))
        own = action.text("column_name")
        for index in table.indexes.values():
            if speaks_of(index.columns, own):
                found.steps.append(index_step(table, index))
        for constraint in table.constraints:
            step = created(table.name, constraint, action)
            if step is not None and own in columns_of(constraint):
                found.steps.append(step)
        is_refused = (
            column.keyword("nullable") == FALSE and column.keyword("server_default") is None
        )
        if is_refused and self.engines.sqlite and action.block is None:
            found.steps = [in_block(step, table.name, action.lines[0]) for step in found.steps]
        return found

    def alter_column(self, action: Action) -> Undoing:
        """Return what changes a column back."""
        table = self.schema.table_of(action)
        column = table.columns.get(action.text("column_name")) if table is not None else None
        found = alter_column(action, column)
        if self.engines.postgresql and action.term("type_") is not None:
            found.steps = [_with_cast(step) for step in found.steps]
        return found

    # All else

    def change_enumeration(self, action: Action) -> Undoing:
        """Return what drops an enumeration that was made, or makes one that was dropped."""
        owner = action.owner
        name = text_of(owner.keyword("name")) if owner is not None else ""
        if owner is None or not name:
            return untold(_shown(action))
        if action.name == "create":
            return Undoing(
                [] if name in self.schema.enumerations else [self.drop_enumeration(owner)]
            )
        before = self.schema.enumerations.get(name)
        if before is None:
            return untold(_shown(action), "no revision before made it")
        kept = tuple(pair for pair in before.keywords if pair[0] != "create_type")
        made = method(
            replace(before, keywords=kept), "create", call(f"{OP}.get_bind"), checkfirst=TRUE
        )
        return Undoing([Step("create", whole=made)])

    def bulk_insert(self, action: Action) -> Undoing:
        """Return a remark that rows stay."""
        return Undoing(remarks=[f"Rows are not taken back: `{action.source}`."])


def _with_cast(step: Step) -> Step:
    """Return a change of a type that tells PostgreSQL how to cast the values, where it asks."""
    declared = dict(step.keywords).get("type_")
    sql = lowered(step, POSTGRESQL) if declared is not None and step.is_known else None
    spelled = sql[0].partition(" TYPE ")[2] if sql else ""
    if not spelled or spelled.startswith(_UNASKED):
        return step
    name = text_of(step.arguments[0])
    using = string(f'"{name}"::{spelled}')
    return replace(step, keywords=(*step.keywords, ("postgresql_using", using)))


def index_step(table: SourceTable, index: SourceIndex) -> Step:
    """Return what makes an index."""
    schema = tuple(pair for pair in table.options if pair[0] == "schema")
    return Step(
        "create_index",
        (index.name, index.columns),
        (*index.keywords, *schema),
        table.name,
        table_at=1,
    )


def _as_constraint(column: str, clause: Term) -> Term:
    """Return a column's `ForeignKey` as a constraint of its table."""
    if clause.last_name != "ForeignKey":
        return clause
    own = Term("list", arguments=(string(column),))
    remote = Term("list", arguments=clause.arguments[:1])
    return Term(
        "call", "sqlalchemy.ForeignKeyConstraint", arguments=(own, remote), keywords=clause.keywords
    )


def _schema_of(action: Action) -> tuple[tuple[str, Term], ...]:
    schema = action.term("schema")
    return () if schema is None else (("schema", schema),)


def _is_false(term: Term, name: str) -> bool:
    return any(key == name and value == FALSE for key, value in term.keywords)


def _shown(action: Action) -> str:
    return f"`{action.source}`"


_OF_ITSELF: Final = frozenset({"create_table", "drop_table", "rename_table", "", "execute", "rows"})
_READERS: Final[Mapping[str, Callable[[Inverter, Action], Undoing]]] = {
    "add_column": Inverter.add_column,
    "alter_column": Inverter.alter_column,
    "bulk_insert": Inverter.bulk_insert,
    "create": Inverter.change_enumeration,
    "create_check_constraint": Inverter.create_constraint,
    "create_exclude_constraint": Inverter.create_constraint,
    "create_foreign_key": Inverter.create_constraint,
    "create_index": Inverter.create_index,
    "create_primary_key": Inverter.create_constraint,
    "create_table": Inverter.create_table,
    "create_unique_constraint": Inverter.create_constraint,
    "drop": Inverter.change_enumeration,
    "drop_column": Inverter.drop_column,
    "drop_constraint": Inverter.drop_constraint,
    "drop_index": Inverter.drop_index,
    "drop_table": Inverter.drop_table,
    "rename_table": Inverter.rename_table,
    "rows": Inverter.bulk_insert,
}
