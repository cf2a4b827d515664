"""The types of operators, and of the words that are some, with their operands."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from dal_audit.facts import Span
from dal_audit.facts.sql_trees import Constant, Operand, Operation, Row, Star
from dal_audit.schema.value_types.conversions import UNKNOWN
from dal_audit.schema.value_types.divergences import of_match, of_operation
from dal_audit.schema.value_types.literals import check_literal
from dal_audit.schema.value_types.overloads import choose_function, choose_operator
from dal_audit.schema.value_types.polymorphism import is_polymorphic

if TYPE_CHECKING:
    from dal_audit.schema.value_types.operands import Typer

BOOLEAN: Final = "bool"
_CURE: Final = "Compare and compute what is of one type, or write `CAST (x AS type)`."

_MATCHING: Final = {"LIKE": "~~", "NOT LIKE": "!~~", "ILIKE": "~~*", "NOT ILIKE": "!~~*"}
_DISTINCT: Final = "IS DISTINCT FROM"
_SYMBOLS: Final = {"!=": "<>", _DISTINCT: "="}
_SIGNS: Final = frozenset({"+", "-"})
_COMPARISONS: Final = frozenset({"=", "<>", "<", ">", "<=", ">="})
_NOT_JUDGED: Final = frozenset(
    {
        "==", "ANY", "GLOB", "IS", "IS NULL", "MATCH", "NOT GLOB", "NOT MATCH", "NOT REGEXP",
        "NOT SIMILAR TO", "REGEXP", "SIMILAR TO",
    }
)  # fmt: skip
"""What gives a truth value: PostgreSQL has no such form, or takes any operand for it."""


def operation_type(typer: Typer, operation: Operation) -> str | None:
    """Return what an operation gives; object to operands that it does not take."""
    operator = operation.operator
    if operator in _TRUTHS:
        for operand in operation.operands:
            typer.truth(operand, operator)
        return BOOLEAN
    if operator in _NOT_JUDGED or (
        operator == _DISTINCT and any(map(_is_null, operation.operands))
    ):
        for operand in operation.operands:
            typer.type_of(operand)
        return BOOLEAN
    read = _WORDS.get(operator)
    if read is not None:
        return read(typer, operation)
    return _symbol(typer, _SYMBOLS.get(operator, operator), operation.operands, operation.span)


_TRUTHS: Final = frozenset({"AND", "OR", "NOT", "IS TRUE", "IS FALSE", "IS UNKNOWN"})


def compare(typer: Typer, operand: Operand, other: Operand, own: str | None) -> str | None:
    """Object to two operands that PostgreSQL does not compare; return what the first becomes.

    `own` is the type of the first.
    """
    pair = (own, typer.type_of(other))
    if isinstance(operand, Row) or isinstance(other, Row):
        return None
    _choose(typer, "=", pair, (operand, other), other.span)
    choice = choose_operator("=", pair)
    wanted = choice.arguments if choice is not None else ()
    return wanted[0] if wanted and not is_polymorphic(wanted[0]) else own


def _symbol(typer: Typer, operator: str, operands: Sequence[Operand], span: Span) -> str | None:
    if any(isinstance(operand, (Row, Star)) for operand in operands):
        return BOOLEAN if operator in _COMPARISONS else None
    own = [typer.type_of(operand) for operand in operands]
    if len(own) > 1:
        of_operation(typer, Operation(span, operator, tuple(operands)), own)
    if operator in _SIGNS and len(own) == 1 and own[0] != UNKNOWN and _is_number(operands[0]):
        return own[0]  # A sign is a part of the number.
    return _choose(typer, operator, own, operands, span)


def _is_null(operand: Operand) -> bool:
    """Return whether an operand is a bare NULL: to be distinct from that is to be not NULL."""
    return isinstance(operand, Constant) and operand.kind == "null"


def _is_number(operand: Operand) -> bool:
    return isinstance(operand, Constant) and operand.kind == "number"


def _choose(
    typer: Typer,
    operator: str,
    own: Sequence[str | None],
    operands: Sequence[Operand],
    span: Span,
) -> str | None:
    """Return what an operator gives for operands whose types are told."""
    choice = choose_operator(operator, tuple(own))
    if choice is None:
        return None
    if choice.varies:
        typer.objections.to_change(span)
    if choice.verdict in {"missing", "ambiguous"}:
        titles = [typer.objections.title(name) for name in own]
        shown = f" {operator} ".join(titles) if len(own) > 1 else f"{operator} {titles[0]}"
        typer.objections.to_operands(span, f"it has no operator `{shown}`", _CURE)
    for operand, wanted in zip(operands, choice.arguments, strict=False):
        check_literal(typer.objections, operand, wanted)
    return choice.result


# Operators that are words


def _between(typer: Typer, operation: Operation) -> str:
    operand, lower, upper = operation.operands
    before = len(typer.objections)
    _symbol(typer, ">=", (operand, lower), operation.span)
    if len(typer.objections) == before:
        _symbol(typer, "<=", (operand, upper), operation.span)
    return BOOLEAN


def _in(typer: Typer, operation: Operation) -> str:
    """Judge each item until one is objected to: the others would be for the same."""
    first, *items = operation.operands
    own = typer.type_of(first)
    before = len(typer.objections)
    for item in items if not isinstance(first, Row) else ():
        other = typer.type_of(item)
        if not isinstance(item, Row) and len(typer.objections) == before:
            _choose(typer, "=", (own, other), (first, item), item.span)
    return BOOLEAN


def _like(typer: Typer, operation: Operation) -> str:
    operand, pattern = operation.operands[:2]
    own, other = typer.type_of(operand), typer.type_of(pattern)
    if len(operation.operands) > len((operand, pattern)) and other == UNKNOWN:
        other = "text"  # What `ESCAPE` is applied to is a function's result.
    of_match(typer, operation)
    operator = _MATCHING[operation.operator]
    return _choose(typer, operator, (own, other), (operand, pattern), operation.span) or BOOLEAN


def _collate(typer: Typer, operation: Operation) -> str | None:
    own = typer.type_of(operation.operands[0])
    if own is None or own == UNKNOWN:
        return own and "text"
    if typer.types.category(own) not in {"S", "A", ""}:
        title = typer.objections.title(own)
        reason = f"`COLLATE` is for text, and this is of type `{title}`"
        typer.objections.to_clause(operation.span, reason, "Leave `COLLATE` out.")
    return own


def _zone(typer: Typer, operation: Operation) -> str | None:
    operand, zone = operation.operands
    own = (typer.type_of(zone), typer.type_of(operand))
    choice = choose_function("timezone", own)
    return choice.result if choice is not None else None


_WORDS: Final[dict[str, Callable[[Typer, Operation], str | None]]] = {
    "BETWEEN": _between,
    "NOT BETWEEN": _between,
    "IN": _in,
    "NOT IN": _in,
    "LIKE": _like,
    "NOT LIKE": _like,
    "ILIKE": _like,
    "NOT ILIKE": _like,
    "COLLATE": _collate,
    "AT TIME ZONE": _zone,
}
