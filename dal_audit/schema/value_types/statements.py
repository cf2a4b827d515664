"""What the types of expressions tell of statements, before and after they are run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from dal_audit.facts.sql import (
    AlterAction,
    AlterTable,
    Change,
    CreateIndex,
    CreateObject,
    CreateTable,
    Query,
    Structure,
)
from dal_audit.facts.sql_trees import QueryTree
from dal_audit.schema.objects_model import VIEWS, SchemaError
from dal_audit.schema.state import State
from dal_audit.schema.value_types.changes import judge_change
from dal_audit.schema.value_types.definitions import (
    judge_column,
    judge_constraints,
    judge_default,
    judge_index,
    judge_type_change,
    note_results,
)
from dal_audit.schema.value_types.divergences import of_answer
from dal_audit.schema.value_types.objections import Objections
from dal_audit.schema.value_types.queries import QueryTyper


def value_errors_before(state: State, structure: Structure) -> tuple[SchemaError, ...]:
    """Return what PostgreSQL objects to in the expressions of a statement that is to be run."""
    return _errors(_BEFORE, state, structure)


def value_errors_after(state: State, structure: Structure) -> tuple[SchemaError, ...]:
    """Return the same for what was just made, whose own columns its expressions name."""
    return _errors(_AFTER, state, structure)


def _errors(
    judges: dict[type, Callable[[State, Any], Objections | None]],
    state: State,
    structure: Structure,
) -> tuple[SchemaError, ...]:
    judge = judges.get(type(structure))
    if judge is None or state.is_sqlite or state.makes_operators:
        return ()
    objections = judge(state, structure)
    return objections.errors() if objections is not None else ()


def _change(state: State, change: Change) -> Objections | None:
    if change.tree is None:
        return None
    objections = Objections(state)
    judge_change(objections, change.tree)
    return objections


def _query(state: State, query: Query) -> Objections | None:
    if query.tree is None:
        return None
    objections = Objections(state)
    QueryTyper(objections).results(query.tree)
    of_answer(objections, query.tree)
    return objections


def _index(state: State, create: CreateIndex) -> Objections:
    objections = Objections(state, "")
    judge_index(objections, state.fold(create.table), create)
    return objections


def _alter(state: State, alter: AlterTable) -> Objections:
    objections = Objections(state, "")
    table = state.fold(alter.table)
    for action in alter.actions:
        _action(objections, table, action)
    return objections


def _action(objections: Objections, table: str, action: AlterAction) -> None:
    match action.kind:
        case "set-default":
            judge_default(objections, table, action)
        case "add-constraint" if action.constraint is not None:
            judge_constraints(objections, table, (action.constraint,))
        case "alter-type" if action.name is not None:
            relation = objections.state.seen_table(table)
            column = objections.state.fold(action.name)
            part = relation.parts.get(("column", column)) if relation is not None else None
            if part is not None:
                judge_type_change(objections, table, part, action)
        case _:
            pass


def _added(state: State, alter: AlterTable) -> Objections:
    """Judge the columns that were just added."""
    objections = Objections(state, "")
    for action in alter.actions:
        if action.kind == "add-column" and action.column is not None:
            judge_column(objections, state.fold(alter.table), action.column)
    return objections


def _table(state: State, create: CreateTable) -> Objections | None:
    name = state.fold(create.name)
    if create.query is not None:
        return _of_query(state, name, create.query.tree, [])
    if name not in state.placed or state.seen_table(name) is None:
        return None
    objections = Objections(state, "")
    for column in create.columns:
        judge_column(objections, name, column)
    judge_constraints(objections, name, create.constraints)
    return objections


def _object(state: State, create: CreateObject) -> Objections | None:
    if create.what not in VIEWS or create.name is None or create.rest is None:
        return None
    tokens = create.rest.tokens
    names: list[str] = []
    if tokens[:1] == ("(",) and ")" in tokens:
        names = [state.fold_token(name) for name in tokens[1 : tokens.index(")") : 2]]
    return _of_query(state, state.fold(create.name), create.rest.tree, names)


def _of_query(state: State, name: str, tree: object, names: list[str]) -> Objections | None:
    """Judge the query that a relation is made by, and keep in mind what columns that has."""
    if not isinstance(tree, QueryTree):
        return None
    objections, relation = Objections(state), state.seen(name)
    results = QueryTyper(objections).results(tree)
    if relation is not None:
        note_results(state, relation, results, names)
    return objections


_BEFORE: Final[dict[type, Callable[[State, Any], Objections | None]]] = {
    Change: _change,
    Query: _query,
    CreateIndex: _index,
    AlterTable: _alter,
}
_AFTER: Final[dict[type, Callable[[State, Any], Objections | None]]] = {
    CreateTable: _table,
    CreateObject: _object,
    AlterTable: _added,
}
