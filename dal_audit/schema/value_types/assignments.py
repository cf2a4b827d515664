"""Values that are put into columns: whether PostgreSQL makes them of the column's type."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from dal_audit.facts import Span
from dal_audit.facts.sql_trees import Operand
from dal_audit.schema.value_types.conversions import ASSIGNMENT, UNKNOWN, becomes
from dal_audit.schema.value_types.divergences import of_assignment
from dal_audit.schema.value_types.literals import check_literal, check_range
from dal_audit.schema.value_types.objections import Objections
from dal_audit.schema.value_types.operands import Typer

_CURES: Final = {"bool": "Write `TRUE` or `FALSE`, or a comparison such as `n <> 0`."}
_CURE: Final = "Write a value of the column's type, or `CAST (x AS type)`."


def assign(typer: Typer, operand: Operand, column: str, wanted: str | None) -> None:
    """Object to a value that does not become the type of the column it is for."""
    own = typer.type_of(operand)
    if own == UNKNOWN and wanted is not None:
        check_literal(typer.objections, operand, wanted)
    else:
        assign_type(typer.objections, operand.span, own, (column, wanted))


def assign_type(
    objections: Objections, span: Span, own: str | None, target: tuple[str, str | None]
) -> None:
    """Object to a type that does not become that of a column, which is given by name and type."""
    column, wanted = target
    if own is None or wanted is None or becomes(objections.types, own, wanted, ASSIGNMENT):
        return
    titles = objections.title(wanted), objections.title(own)
    reason = f"`{column}` is of type `{titles[0]}`, and the value of type `{titles[1]}`"
    objections.to_clause(span, reason, _CURES.get(wanted, _CURE))


def assign_all(
    typer: Typer, row: Sequence[Operand], columns: Sequence[tuple[str, str | None]]
) -> None:
    """Object to the values of a row, each for its column."""
    for operand, target in zip(row, columns, strict=False):
        put(typer, operand, target)


def put(typer: Typer, operand: Operand, target: tuple[str, str | None]) -> None:
    """Object to a value that is put into a column, which is given by name and type."""
    assign(typer, operand, *target)
    if target[1] is not None:
        check_range(typer.objections, operand, target[1])
        of_assignment(typer, operand, target[1])
