"""Columns and clauses as they are written, from what was read of them."""

from __future__ import annotations

from dal_audit.facts.sql import Column, Constraint
from dal_audit.fix.downs.written_schema import (
    Clause,
    Written,
    WrittenColumn,
    WrittenSchema,
    spelled,
)


def column_of(schema: WrittenSchema, column: Column, written: Written) -> WrittenColumn:
    """Return a column as it is written."""
    declared = written.piece(column.type.span) if column.type is not None else ""
    clauses = [clause_of(schema, constraint, written) for constraint in column.constraints]
    return WrittenColumn(spelled(column.name), declared, clauses)


def clause_of(schema: WrittenSchema, constraint: Constraint, written: Written) -> Clause:
    """Return a constraint, or another clause, as it is written."""
    return Clause(
        constraint.kind,
        written.piece(constraint.span),
        schema.fold(constraint.name) if constraint.name is not None else "",
        schema.fold(constraint.table) if constraint.table is not None else "",
    )
