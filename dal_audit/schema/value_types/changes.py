"""What PostgreSQL objects to in statements that change rows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeAlias

from dal_audit.facts.sql_names import SqlName
from dal_audit.facts.sql_trees import (
    Assignment,
    ChangeTree,
    DeleteTree,
    InsertTree,
    QueryTree,
    Row,
    UpdateTree,
    Values,
)
from dal_audit.schema.value_types.assignments import assign_all, assign_type, put
from dal_audit.schema.value_types.objections import Objections
from dal_audit.schema.value_types.queries import QueryTyper
from dal_audit.schema.value_types.relations import Relation, part_of
from dal_audit.schema.value_types.scopes import Scope

_Columns: TypeAlias = Sequence[tuple[str, str | None]]


def judge_change(objections: Objections, tree: ChangeTree) -> None:
    """Object to what PostgreSQL refuses in a change of rows."""
    queries = QueryTyper(objections)
    common = queries.common(tree.common, None)
    scope = Scope(common=common)
    match tree:
        case InsertTree():
            _judge_insert(queries, tree, scope)
        case UpdateTree() | DeleteTree():
            target = objections.relation(objections.state.fold(tree.table))
            scope.sources[part_of(tree.alias or tree.table)] = target
            queries.add_sources(scope, tree.sources)
            scope.guards += [tree.where] if tree.where is not None else []
            if isinstance(tree, UpdateTree):
                _set(queries, scope, target, tree.assignments)
            queries.typer(scope).truth(tree.where, "WHERE")
    queries.given(tree.returning, scope)


def _set(
    queries: QueryTyper, scope: Scope, target: Relation, assignments: Iterable[Assignment]
) -> None:
    typer = queries.typer(scope)
    for assignment in assignments:
        columns = [_column(target, name) for name in assignment.columns]
        if len(columns) == 1:
            put(typer, assignment.value, columns[0])
        elif isinstance(assignment.value, Row) and len(assignment.value.items) == len(columns):
            assign_all(typer, assignment.value.items, columns)
        else:
            typer.type_of(assignment.value)


def _column(target: Relation, name: SqlName) -> tuple[str, str | None]:
    """Return a column's name and type; one that is set in part (`a.b`) is of none."""
    column = part_of(name)
    return column, target.columns.get(column) if len(name.parts) == 1 else None


def _judge_insert(queries: QueryTyper, tree: InsertTree, scope: Scope) -> None:
    target = queries.objections.relation(queries.objections.state.fold(tree.table))
    columns: _Columns = [_column(target, column) for column in tree.columns]
    if not columns:
        is_known = target.complete and target.ordered
        columns = list(target.columns.items()) if is_known else []
    if tree.rows is not None:
        _put_in(queries, scope, tree.rows, columns)
    scope.sources[part_of(tree.alias or tree.table)] = target
    if tree.assignments:
        scope.sources["excluded"] = target
        # A bare name is the table's own here.
        own = Scope({part_of(tree.alias or tree.table): target}, outer=scope)
        _set(queries, own, target, tree.assignments)
        queries.typer(own).truth(tree.where, "WHERE")


def _put_in(queries: QueryTyper, scope: Scope, rows: QueryTree, columns: _Columns) -> None:
    """Judge the rows that are put into columns."""
    if isinstance(rows.body, Values) and not rows.common:
        typer = queries.typer(scope)
        for row in rows.body.rows:
            assign_all(typer, row, columns)
            for operand in row[len(columns) :]:
                typer.type_of(operand)
        return
    results = queries.raw_results(rows, scope)
    for (_, own), column in zip(results or (), columns, strict=False):
        assign_type(queries.objections, rows.body.span, own, column)
