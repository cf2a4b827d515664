"""What SQL computes: expressions, queries and changes of rows as trees, each part with its place.

They say what is written: no name is folded, and no dialect is applied but PostgreSQL's precedence
of operators. What a reader does not know is `Unread`, and the rest of the tree stands.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, TypeAlias

from dal_audit.facts import FactRecord, Span, TaggedFact
from dal_audit.facts.sql_names import SqlName, SqlType

ConstantKind: TypeAlias = Literal["string", "bits", "number", "boolean", "null", "clock"]
"""What a constant is by its spelling.

`bits` are `X'…'` and `B'…'`, a `clock` is `CURRENT_TIMESTAMP` and the like.
"""


class Constant(TaggedFact, frozen=True):
    """A literal, or a word that stands for a value; `text` is its spelling."""

    span: Span
    kind: ConstantKind
    text: str


class ColumnName(TaggedFact, frozen=True):
    """A name that may be a column's, with what qualifies it."""

    name: SqlName

    @property
    def span(self) -> Span:
        """Where the name stands."""
        return self.name.span


class Star(TaggedFact, frozen=True):
    """`*`, or `t.*` with the name before it."""

    span: Span
    qualifier: SqlName | None = None


class Operation(TaggedFact, frozen=True):
    """An operator, or a word that is one, with its operands in order.

    Words stand in capitals (`AND`, `NOT LIKE`, `BETWEEN`, `IN`, `IS NULL`, `ANY`, `COLLATE`). `AND`
    and `OR` have two or more operands, `IN` the items of its list after the first.
    """

    span: Span
    operator: str
    operands: tuple[Operand, ...]


class Call(TaggedFact, frozen=True):
    """A call of a function; `f(*)` has a `Star` for an argument.

    `condition` is what stands in `FILTER (WHERE …)`. `is_plain` says that all arguments were read:
    there was no `ORDER BY` in them, no `WITHIN GROUP`, no named argument, no words of a grammar of
    its own.
    """

    span: Span
    name: SqlName
    arguments: tuple[Operand, ...]
    condition: Operand | None = None
    is_window: bool = False
    is_plain: bool = True


class Cast(TaggedFact, frozen=True):
    """`CAST (x AS type)`, `x::type`, or a type before a string."""

    span: Span
    operand: Operand
    type: SqlType


class Case(TaggedFact, frozen=True):
    """`CASE`, with what it compares, if anything; a branch is a condition and its value."""

    span: Span
    subject: Operand | None
    branches: tuple[tuple[Operand, Operand], ...]
    otherwise: Operand | None = None


class Subquery(TaggedFact, frozen=True):
    """A query in parentheses: a value, or after `EXISTS` or `ARRAY`, which `form` names."""

    span: Span
    query: QueryTree
    form: Literal["", "EXISTS", "ARRAY"] = ""


class Row(TaggedFact, frozen=True):
    """Several values in one parenthesis, or after `ROW`."""

    span: Span
    items: tuple[Operand, ...]


class Unread(TaggedFact, frozen=True):
    """A value of which nothing is known: a parameter, `DEFAULT`, a subscript."""

    span: Span


Operand: TypeAlias = (
    Constant | ColumnName | Star | Operation | Call | Cast | Case | Subquery | Row | Unread
)


class Result(FactRecord, frozen=True):
    """What a query gives in a column, and what it calls that, where it says so."""

    operand: Operand
    alias: SqlName | None = None


class TableSource(TaggedFact, frozen=True):
    """A relation after `FROM`; `columns` rename the first of its own."""

    name: SqlName
    alias: SqlName | None = None
    columns: tuple[SqlName, ...] = ()


class QuerySource(TaggedFact, frozen=True):
    """A query after `FROM`."""

    query: QueryTree
    alias: SqlName | None = None
    columns: tuple[SqlName, ...] = ()


class CallSource(TaggedFact, frozen=True):
    """A function after `FROM`."""

    call: Call
    alias: SqlName | None = None


class Join(TaggedFact, frozen=True):
    """Two sources that are joined; `merged` says that columns of both are one (`USING`)."""

    left: Source
    right: Source
    condition: Operand | None = None
    merged: bool = False


Source: TypeAlias = TableSource | QuerySource | CallSource | Join


class CommonTable(FactRecord, frozen=True):
    """A query after `WITH`; it is None where it is none, but a change of rows."""

    name: SqlName
    columns: tuple[SqlName, ...]
    query: QueryTree | None


class Select(TaggedFact, frozen=True):
    """One `SELECT`; `grouped` is None where nothing is grouped by.

    An expression of `GROUP BY` that is none of a plain list (`ROLLUP`, `CUBE`) is `Unread`.
    """

    span: Span
    results: tuple[Result, ...]
    sources: tuple[Source, ...] = ()
    where: Operand | None = None
    grouped: tuple[Operand, ...] | None = None
    having: Operand | None = None
    is_distinct: bool = False


class Values(TaggedFact, frozen=True):
    """`VALUES`, with the first of its rows."""

    span: Span
    rows: tuple[tuple[Operand, ...], ...]


class Compound(TaggedFact, frozen=True):
    """Two queries with `UNION`, `INTERSECT` or `EXCEPT` between them."""

    span: Span
    operator: str
    left: QueryTree
    right: QueryTree


class QueryTree(TaggedFact, frozen=True):
    """A query with what stands before and after it; `limits` are those of `LIMIT` and `OFFSET`."""

    body: Select | Values | Compound
    common: tuple[CommonTable, ...] = ()
    order: tuple[Operand, ...] = ()
    limits: tuple[Operand, ...] = ()
    nulls_placed: bool = False


class Assignment(FactRecord, frozen=True):
    """What an `UPDATE` sets: one column, or several to the columns of one value."""

    columns: tuple[SqlName, ...]
    value: Operand


class InsertTree(TaggedFact, frozen=True):
    """An `INSERT`: its rows (None for `DEFAULT VALUES`), and what it does on a conflict."""

    table: SqlName
    columns: tuple[SqlName, ...]
    rows: QueryTree | None
    alias: SqlName | None = None
    common: tuple[CommonTable, ...] = ()
    assignments: tuple[Assignment, ...] = ()
    where: Operand | None = None
    returning: tuple[Result, ...] = ()


class UpdateTree(TaggedFact, frozen=True):
    """An `UPDATE`; `sources` are what stands after `FROM`."""

    table: SqlName
    assignments: tuple[Assignment, ...]
    alias: SqlName | None = None
    common: tuple[CommonTable, ...] = ()
    sources: tuple[Source, ...] = ()
    where: Operand | None = None
    returning: tuple[Result, ...] = ()


class DeleteTree(TaggedFact, frozen=True):
    """A `DELETE`; `sources` are what stands after `USING`."""

    table: SqlName
    alias: SqlName | None = None
    common: tuple[CommonTable, ...] = ()
    sources: tuple[Source, ...] = ()
    where: Operand | None = None
    returning: tuple[Result, ...] = ()


ChangeTree: TypeAlias = InsertTree | UpdateTree | DeleteTree


def parts_of(operand: Operand) -> Iterator[Operand]:
    """Yield the operands that one consists of; those of a query in it are its own."""
    match operand:
        case Operation(operands=operands):
            yield from operands
        case Call(arguments=arguments):
            yield from arguments
        case Cast(operand=inner):
            yield inner
        case Row(items=items):
            yield from items
        case Case(subject=subject, branches=branches, otherwise=otherwise):
            yield from (part for part in (subject, otherwise) if part is not None)
            for branch in branches:
                yield from branch
        case _:
            pass
