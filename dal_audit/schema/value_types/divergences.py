"""What runs on both engines and means something else on each, as far as types tell.

SQLite knows no types but those of single values, PostgreSQL those of columns. Sources: SQLite's
datatype3.html, lang_expr.html, lang_corefunc.html, nulls.html, PostgreSQL's functions-math.html,
sql-select.html; the tests run each on both.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from dal_audit.facts.sql_trees import (
    Call,
    Cast,
    ColumnName,
    Constant,
    Operand,
    Operation,
    QueryTree,
    Select,
    Star,
    TableSource,
    parts_of,
)
from dal_audit.schema.objects_model import OUTGROWN
from dal_audit.schema.value_types.relations import part_of

if TYPE_CHECKING:
    from dal_audit.schema.value_types.objections import Objections
    from dal_audit.schema.value_types.operands import Typer
    from dal_audit.schema.value_types.scopes import Scope

_WHOLE: Final = frozenset({"int2", "int4", "int8"})
_FLOATS: Final = frozenset({"float4", "float8"})
_FRACTIONS: Final = _FLOATS | {"numeric"}
_NUMBERS: Final = _WHOLE | _FRACTIONS
_POINTS_IN_TIME: Final = frozenset({"date", "timestamp", "timestamptz"})
_TEXTS: Final = frozenset({"text", "varchar", "bpchar"})
_COMPARISONS: Final = frozenset({"=", "<>", "!="})
_BOOLEAN: Final = "bool"


def of_operation(typer: Typer, operation: Operation, own: Sequence[str | None]) -> None:
    """Note in what an operator with its operands differs, of which the types are told."""
    if len(own) != len(("left", "right")):
        return
    operator = operation.operator
    if operator == "/":
        _note_quotient(typer, operation, own)
    if operator in {"/", "%"}:
        _note_zero(typer, operation, own)
    elif operator == "||":
        _note_text(typer, operation, own)
    elif operator in {"+", "-"} and not _POINTS_IN_TIME.isdisjoint(own) and "interval" not in own:
        typer.objections.diverge(operation.span, "time-arithmetic")
    elif operator in _COMPARISONS:
        _note_comparison(typer, operation, own)


def _note_quotient(typer: Typer, operation: Operation, own: Sequence[str | None]) -> None:
    """Note a quotient of numbers that are whole in SQLite wherever they can be."""
    exact = [
        isinstance(operand, ColumnName) and name == "numeric"
        for operand, name in zip(operation.operands, own, strict=True)
    ]
    others = _WHOLE | {"numeric"}
    plain = all(
        isinstance(operand, (ColumnName, Constant)) and name in others
        for operand, name in zip(operation.operands, own, strict=True)
    )
    decimal = any(
        isinstance(operand, Constant) and not operand.text.isdigit()
        for operand in operation.operands
    )
    if any(exact) and plain and not decimal:
        typer.objections.diverge(operation.span, "numeric-quotient")


def _note_zero(typer: Typer, operation: Operation, own: Sequence[str | None]) -> None:
    """Note a division by a column that nothing keeps from being 0."""
    divisor = operation.operands[1]
    if not isinstance(divisor, ColumnName) or own[1] not in _NUMBERS:
        return
    if not typer.scope.is_checked(divisor.name) and not is_guarded(typer.scope, divisor):
        typer.objections.diverge(divisor.span, "division-by-column")


def is_guarded(scope: Scope, column: ColumnName) -> bool:
    """Return whether a condition around an expression asks about a column."""
    name = part_of(column.name)
    return any(_mentions(guard, name) for guard in scope.guards)


def _mentions(operand: Operand, name: str) -> bool:
    if isinstance(operand, ColumnName):
        return part_of(operand.name) == name
    return any(_mentions(part, name) for part in parts_of(operand))


def _note_text(typer: Typer, operation: Operation, own: Sequence[str | None]) -> None:
    """Note what is put into a text in another form than PostgreSQL's."""
    for operand, name in zip(operation.operands, own, strict=True):
        if isinstance(operand, Constant):
            continue
        if name in _FRACTIONS:
            typer.objections.diverge(operand.span, "fraction-as-text")
        elif name == _BOOLEAN:
            typer.objections.diverge(operand.span, "boolean-as-text")


def _note_comparison(typer: Typer, operation: Operation, own: Sequence[str | None]) -> None:
    for operand, other, name in zip(
        operation.operands, reversed(operation.operands), own, strict=True
    ):
        is_text = isinstance(other, Constant) and other.kind == "string"
        if is_text and isinstance(operand, ColumnName) and name == _BOOLEAN:
            typer.objections.diverge(operation.span, "boolean-and-text")
        elif is_text and _is_folded(operand) and isinstance(other, Constant):
            _note_letters(typer, operation, other)


def of_match(typer: Typer, operation: Operation) -> None:
    """Note a pattern with letters beyond ASCII for what is in lower or upper case."""
    operand, pattern = operation.operands[:2]
    if _is_folded(operand) and isinstance(pattern, Constant):
        _note_letters(typer, operation, pattern)


def _is_folded(operand: Operand) -> bool:
    return isinstance(operand, Call) and operand.name.name.lower() in {"lower", "upper"}


def _note_letters(typer: Typer, operation: Operation, text: Constant) -> None:
    if any(not char.isascii() and char.lower() != char.upper() for char in text.text):
        typer.objections.diverge(operation.span, "case-beyond-ascii")


def of_cast(typer: Typer, cast: Cast, own: str | None, wanted: str | None) -> None:
    """Note a cast that cuts off in SQLite and rounds in PostgreSQL, or gives another text."""
    if isinstance(cast.operand, Constant):
        return
    if own in _FRACTIONS and wanted in _WHOLE:
        typer.objections.diverge(cast.span, "cast-of-fraction")
    elif own in _FLOATS and wanted in _TEXTS:
        typer.objections.diverge(cast.span, "fraction-as-text")
    elif own == _BOOLEAN and wanted in _TEXTS:
        typer.objections.diverge(cast.span, "boolean-as-text")


def of_call(typer: Typer, call: Call, name: str, own: Sequence[str | None]) -> None:
    """Note what is rounded: PostgreSQL rounds a half of a double to what is even."""
    if name == "round" and len(own) == 1 and own[0] in _FLOATS:
        typer.objections.diverge(call.span, "round-of-double")


def of_assignment(typer: Typer, operand: Operand, wanted: str) -> None:
    """Note a text that is put into a column of truth values."""
    if wanted == _BOOLEAN and isinstance(operand, Constant) and operand.kind == "string":
        typer.objections.diverge(operand.span, "boolean-and-text")


def of_answer(objections: Objections, query: QueryTree) -> None:
    """Note in what the rows differ that a statement answers, or puts into a table."""
    select = query.body
    if not isinstance(select, Select):
        return
    state = objections.state
    starred = any(isinstance(result.operand, Star) for result in select.results)
    for source in select.sources if starred else ():
        view = state.seen(state.fold(source.name)) if isinstance(source, TableSource) else None
        if view is not None and view.parts.get(OUTGROWN):
            objections.diverge(select.span, "star-in-view")


def of_order(typer: Typer, query: QueryTree) -> None:
    """Note that the first rows are others, where a column that may be NULL says which are first."""
    select = query.body
    if not isinstance(select, Select) or not query.limits or query.nulls_placed:
        return
    first = query.order[0] if query.order else None
    if not isinstance(first, ColumnName) or select.grouped is not None:
        return
    if typer.scope.may_be_null(first.name) and not is_guarded(typer.scope, first):
        typer.objections.diverge(first.span, "order-of-nulls")
