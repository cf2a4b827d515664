"""What `CREATE TABLE` and `CREATE INDEX` do to a database, and how a table gets its parts.

Sources: PostgreSQL's sql-createtable.html and sql-createindex.html, SQLite's lang_createtable.html
and lang_createindex.html.
"""

from __future__ import annotations

from typing import Final

from dal_audit.facts.sql import (
    Clause,
    Column,
    Constraint,
    CreateIndex,
    CreateTable,
    Expression,
    Key,
    SqlType,
)
from dal_audit.standing.model import CONSTRAINT_INDEX, ColumnPart, ConstraintPart, Thing
from dal_audit.standing.reads import check_reads
from dal_audit.standing.state import State

GUARD_CREATE: Final = "Write `IF NOT EXISTS`."
GUARD_DROP: Final = "Write `IF EXISTS`."
ANEW: Final = (
    "Make the table anew as it is to be: create it under another name, copy the rows, drop the old "
    "one, rename."
)
GUARD_CONSTRAINT: Final = "Write `DROP CONSTRAINT IF EXISTS` before it."
_NAMED_BY_INDEX: Final = frozenset({"primary-key", "unique", "exclude"})
_ONE_NAME: Final = {
    "bool": "boolean",
    "bigserial": "bigint",
    "char": "character",
    "decimal": "numeric",
    "float4": "real",
    "float8": "double precision",
    "int": "integer",
    "int2": "smallint",
    "int4": "integer",
    "int8": "bigint",
    "serial": "integer",
    "smallserial": "smallint",
    "timestamp": "timestamp without time zone",
    "timestamptz": "timestamp with time zone",
    "varchar": "character varying",
}
"""PostgreSQL's second names of its types (datatype.html), and the first."""

_SUFFIXES: Final = {
    "primary-key": "pkey",
    "unique": "key",
    "references": "fkey",
    "check": "check",
    "exclude": "excl",
}
"""How PostgreSQL names a constraint of each kind."""

CONSTRAINTS: Final = frozenset(_SUFFIXES)


def create_table(state: State, one: CreateTable) -> None:
    """Make a table."""
    name = state.fold(one.name)
    if state.relations.get(name) is not None:
        if one.if_not_exists:
            return
        state.clashes(one.name.span, f"`{one.name.name}` stands already", GUARD_CREATE, name)
        if state.is_trial and state.problems:
            return
    check_reads(state, one.query, ())
    table = Thing("table", text="temporary" if one.temporary else one.module)
    table.complete = bool(one.columns) and not (one.query or one.module or _borrows(one.options))
    state.former.setdefault(name, set())
    for column in one.columns:
        add_column(state, name, table, column)
    for constraint in one.constraints:
        if constraint.kind == "other":
            table.complete = False  # `LIKE another`, or what only another engine knows.
        constrain(state, name, table, constraint, columns_of(state, constraint))
    state.place(name, table)


def _borrows(options: tuple[Clause, ...]) -> bool:
    """Return whether a table has columns from elsewhere: a parent, a partitioned table, a type."""
    return any(
        one.words[:1] in {("INHERITS",), ("PARTITION",), ("OF",)}
        and one.words != ("PARTITION", "BY")
        for one in options
    )


def add_column(state: State, name: str, table: Thing, column: Column) -> None:
    """Give a table a column, with its constraints."""
    own = state.fold(column.name)
    default = next(
        (
            default_text(one.expression)
            for one in column.constraints
            if one.kind == "default" and one.expression is not None
        ),
        None,
    )
    not_null = any(one.kind in {"not-null", "primary-key"} for one in column.constraints)
    state.set_part(table, ("column", own), ColumnPart(type_text(column.type), default, not_null))
    state.remember(name, own)
    for constraint in column.constraints:
        constrain(state, name, table, constraint, (own,))


def type_text(declared: SqlType | None) -> str:
    """Return a type as a text that can be compared: one name for each of PostgreSQL's."""
    if declared is None:
        return ""
    name = declared.name if declared.quoted else declared.name.lower()
    arguments = f"({', '.join(declared.arguments)})" if declared.arguments else ""
    return f"{_ONE_NAME.get(name, name)}{arguments}{'[]' * declared.dimensions}"


def default_text(expression: Expression) -> str:
    """Return a default as a text that can be compared: without parentheses, casts and case."""
    tokens = list(expression.tokens)
    while len(tokens) > 1 and tokens[0] == "(" and tokens[-1] == ")" and ")" not in tokens[1:-1]:
        tokens = tokens[1:-1]
    if "::" in tokens and tokens[0][:1] == "'":
        tokens = tokens[: tokens.index("::")]
    text = " ".join(one if one[:1] == "'" else one.lower() for one in tokens)
    return "current_timestamp" if text == "now ( )" else text


def columns_of(state: State, constraint: Constraint) -> tuple[str, ...]:
    """Return the columns that a constraint names, folded."""
    return tuple(column for key in constraint.keys if (column := column_of(state, key)))


def column_of(state: State, key: Key) -> str:
    """Return the column that a key is, folded; empty where it is an expression."""
    return state.fold_token(key.expression.tokens[0]) if key.column else ""


def constrain(
    state: State, table_name: str, table: Thing, one: Constraint, columns: tuple[str, ...]
) -> None:
    """Add a constraint to a table."""
    if one.kind not in CONSTRAINTS:
        return
    if one.kind == "check" and not columns:
        columns = tuple(sorted(state.words_of(one.expression) & set(table.names("column"))))
    name = (
        state.fold(one.name) if one.name else free_name(state, table_name, table, one, columns)[0]
    )
    target = state.fold(one.table) if one.table else ""
    text = one.expression.text if one.expression else " ".join(one.referenced)
    part = ConstraintPart(one.kind, columns, target, text)
    if table.parts.get(("constraint", name)) is not None:
        state.clashes(
            one.span, f"the table has a constraint `{name}` already", GUARD_CONSTRAINT, name
        )
    state.set_part(table, ("constraint", name), part)
    state.refer(table, table_name, name, part)
    if not state.is_sqlite and one.kind in _NAMED_BY_INDEX:
        other = state.relations.get(name)
        if other is not None and other.table is not table:
            state.clashes(
                one.span,
                f"the index `{name}` of another table stands already",
                "Leave the constraint without a name, or choose one that is free again.",
                name,
            )
        index = Thing(CONSTRAINT_INDEX, table=table, columns=columns, words=frozenset(columns))
        state.place(name, index)
        state.own(table, ("relation", name))


def free_name(
    state: State, table_name: str, table: Thing, one: Constraint, columns: tuple[str, ...]
) -> tuple[str, bool]:
    """Return the name that a constraint without one gets, and whether the first choice was taken.

    PostgreSQL counts on to the next name that is free.
    """
    bare = table_name.rpartition(".")[2]
    is_of_table = one.kind == "primary-key" or (one.kind == "check" and len(columns) > 1)
    within = () if is_of_table else columns
    stem = "_".join((bare, *within, _SUFFIXES[one.kind]))
    has_index = not state.is_sqlite and one.kind in _NAMED_BY_INDEX

    def is_taken(name: str) -> bool:
        stands = table.parts.get(("constraint", name)) is not None
        return stands or (has_index and state.relations.get(name) is not None)

    name = state.next_free(table, stem, is_taken)
    return name, name != stem


def create_index(state: State, one: CreateIndex) -> None:
    """Make an index."""
    table_name = state.fold(one.table)
    if state.is_gone(table_name):
        state.misses(one.table.span, f"there is no `{one.table.name}`", ANEW, table_name)
    name = _index_name(state, one, table_name)
    stands = state.relations.get(name) is not None
    if stands and one.if_not_exists and state.is_sqlite:
        return
    table = state.table(table_name)
    for key in one.keys:
        column = column_of(state, key)
        if column and table.lacks(("column", column)):
            state.misses(key.span, f"`{one.table.name}` has no column `{key.column}`", ANEW, column)
    if stands:
        if one.if_not_exists:
            return
        span = (one.name or one.table).span
        state.clashes(span, f"the index `{name}` stands already", GUARD_CREATE, name)
    columns = tuple(column for key in one.keys if (column := column_of(state, key)))
    state.place(
        name,
        Thing(
            "index",
            table=table,
            columns=columns if len(columns) == len(one.keys) else (),
            words=state.words_of(*(key.expression for key in one.keys), one.where),
            unique=one.unique and one.where is None,
        ),
    )
    state.own(table, ("relation", name))


def _index_name(state: State, one: CreateIndex, table_name: str) -> str:
    """Return the name of an index; PostgreSQL gives one without a name the next that is free."""
    schema, _, bare = table_name.rpartition(".")
    if one.name is not None:
        name = state.fold(one.name)
        return f"{schema}.{name}" if schema and "." not in name else name
    columns = (column_of(state, key) or "expr" for key in one.keys)
    stem = f"{schema}{'.' if schema else ''}{'_'.join((bare, *columns, 'idx'))}"
    name = state.next_free(None, stem, lambda free: state.relations.get(free) is not None)
    if name != stem:
        state.changes(
            "changes-schema",
            one.table.span,
            f"the same index is made once more, as `{name}`",
            "Give the index a name, and write `IF NOT EXISTS`.",
        )
    return name
