"""What PostgreSQL objects to in the expressions of definitions: of tables, indexes and views."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from dal_audit.facts.sql import AlterAction, Column, Constraint, CreateIndex, Expression
from dal_audit.facts.sql_trees import Constant, Operand, QueryTree, Subquery, parts_of
from dal_audit.schema.objects_model import RESULTS, ColumnPart, DbObject
from dal_audit.schema.state import State
from dal_audit.schema.value_types.assignments import assign
from dal_audit.schema.value_types.conversions import ASSIGNMENT, UNKNOWN, becomes
from dal_audit.schema.value_types.objections import Objections
from dal_audit.schema.value_types.operands import Results, Typer
from dal_audit.schema.value_types.queries import QueryTyper
from dal_audit.schema.value_types.relations import declared_type, part_of
from dal_audit.schema.value_types.scopes import Scope

_USING: Final = "Write `USING` and an expression that makes the new type of the old."
_NO_QUERY: Final = "Ask the query in the program, and put in what it gives."
_DROP_DEFAULT: Final = "Drop the default first, and set it anew behind."


def _operand_of(objections: Objections, expression: Expression | None) -> Operand | None:
    """Return an expression's tree, where it is one of a value; object to a query in it."""
    tree = expression.tree if expression is not None else None
    if tree is None or isinstance(tree, QueryTree):
        return None
    query = next(_queries_in(tree), None)
    if query is None:
        return tree
    objections.to_clause(query.span, "no query may stand here", _NO_QUERY)
    return None


def _queries_in(operand: Operand) -> Iterator[Subquery]:
    if isinstance(operand, Subquery):
        yield operand
    for part in parts_of(operand):
        yield from _queries_in(part)


def _typer(objections: Objections, table: str) -> Typer:
    """Return who tells types where a table's columns can be named."""
    scope = Scope({table.rpartition(".")[2]: objections.relation(table)})
    return QueryTyper(objections).typer(scope)


def judge_column(objections: Objections, table: str, column: Column) -> None:
    """Judge a column's default and checks, and what it is generated from."""
    judge_constraints(objections, table, column.constraints)
    for constraint in column.constraints:
        if constraint.kind not in {"default", "generated"}:
            continue
        operand = _operand_of(objections, constraint.expression)
        _hold(objections, operand, "a generated column" if constraint.kind == "generated" else "")
        if operand is not None and not _is_judged_alone(operand):
            wanted = declared_type(objections.state, column.type)
            _put(objections, table, operand, (part_of(column.name), wanted))
        objections.holder = ""


def _is_judged_alone(operand: Operand) -> bool:
    """Return whether a value is a literal, which is judged wherever a default is."""
    return isinstance(operand, Constant) and operand.kind != "bits"


def _put(
    objections: Objections, table: str, operand: Operand, target: tuple[str, str | None]
) -> None:
    assign(_typer(objections, table), operand, *target)


def judge_constraints(
    objections: Objections, table: str, constraints: Iterable[Constraint]
) -> None:
    """Judge checks."""
    for constraint in constraints:
        if constraint.kind == "check":
            _typer(objections, table).truth(_operand_of(objections, constraint.expression), "CHECK")


def judge_default(objections: Objections, table: str, action: AlterAction) -> None:
    """Judge what is set as a column's default, unless it is a literal, which is judged as such."""
    operand = _operand_of(objections, action.expression)
    if action.name is not None and operand is not None and not _is_judged_alone(operand):
        column = part_of(action.name)
        wanted = objections.relation(table).columns.get(column)
        _put(objections, table, operand, (column, wanted))


def judge_index(objections: Objections, table: str, create: CreateIndex) -> None:
    """Judge the expressions of an index, and its condition."""
    for key in create.keys:
        operand = _operand_of(objections, key.expression)
        if operand is not None:
            _hold(objections, operand, "an index")
            _typer(objections, table).type_of(operand)
    if create.where is not None:
        condition = _operand_of(objections, create.where)
        _hold(objections, condition, "an index")
        _typer(objections, table).truth(condition, "WHERE")


def _hold(objections: Objections, operand: Operand | None, holder: str) -> None:
    """Say what is to hold the value of an expression.

    With NULL in it PostgreSQL may know the value, and then nothing in it counts.
    """
    objections.holder = "" if operand is None or _has_null(operand) else holder


def _has_null(operand: Operand) -> bool:
    if isinstance(operand, Constant):
        return operand.kind == "null"
    return any(map(_has_null, parts_of(operand)))


def judge_type_change(
    objections: Objections, table: str, part: ColumnPart, action: AlterAction
) -> None:
    """Object to another type of a column that PostgreSQL does not make of the old one."""
    wanted = declared_type(objections.state, action.type)
    own = declared_type(objections.state, part.declared)
    if wanted is None or own is None or action.name is None:
        return
    types, column = objections.types, action.name.name
    is_made = becomes(types, own, wanted, ASSIGNMENT)
    titles = objections.title(own), objections.title(wanted)
    operand = _operand_of(objections, action.expression)
    if action.expression is None and not is_made:
        reason = "`{}` cannot be cast automatically from `{}` to `{}`".format(column, *titles)
        objections.to_clause(action.span, reason, _USING)
    elif operand is not None:
        _judge_using(objections, table, operand, (column, wanted))
    has_default = part.default not in {None, "null"}
    if has_default and not is_made and action.expression is not None:
        reason = "the default of `{}` cannot be cast from `{}` to `{}`".format(column, *titles)
        objections.to_clause(action.span, reason, _DROP_DEFAULT)


def _judge_using(
    objections: Objections, table: str, operand: Operand, target: tuple[str, str]
) -> None:
    own = _typer(objections, table).type_of(operand)
    column, wanted = target
    if own in {None, UNKNOWN} or becomes(objections.types, own or "", wanted, ASSIGNMENT):
        return
    title = objections.title(own)
    reason = f"`USING` gives `{column}` a value of type `{title}`"
    objections.to_clause(operand.span, reason, _USING)


def note_results(
    state: State, relation: DbObject, results: Results | None, names: list[str]
) -> None:
    """Keep in mind which columns a query gives a relation, if they are known."""
    if results is None:
        return
    named = [
        (names[at] if at < len(names) else name, own) for at, (name, own) in enumerate(results)
    ]
    is_plain = len({name for name, _ in named}) == len(named) and all(name for name, _ in named)
    state.set_part(relation, RESULTS, tuple(named) if is_plain else None)
