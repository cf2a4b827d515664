"""What runs on both engines and means something else on each: a title and a cure for each kind.

What shows in the text alone is a row of the catalogue; these kinds ask what a column is.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from dal_audit.facts import Span


class Divergence(Struct, frozen=True):
    """A place that the engines do not treat alike.

    `kind` tells alike places, `title` is what stands there, `difference` a clause on what each
    makes of it, and `cure` says what to write instead.
    """

    span: Span
    kind: str
    title: str
    difference: str
    cure: str


KINDS: Final = {
    "time-arithmetic": (
        "a computation with a date",
        "SQLite computes with its first number, the year",
        "Compute in the program, and bind the time.",
    ),
    "numeric-quotient": (
        "a quotient of `NUMERIC`",
        "SQLite cuts the fraction off where both are whole",
        "Write `1.0 *` before it, or declare the column `DOUBLE PRECISION`.",
    ),
    "division-by-column": (
        "a division by a column that may be 0",
        "SQLite gives NULL, and PostgreSQL an error",
        "Write `NULLIF(x, 0)`, or let a `CHECK` keep 0 out.",
    ),
    "fraction-as-text": (
        "a number with a fraction as text",
        "SQLite writes `1.0`, and PostgreSQL `1`, or as many digits as are declared",
        "Make the text in the program.",
    ),
    "boolean-as-text": (
        "a `BOOLEAN` as text",
        "SQLite writes `1`, and PostgreSQL `true`",
        "Write `CASE WHEN x THEN 'true' ELSE 'false' END`.",
    ),
    "boolean-and-text": (
        "a `BOOLEAN` beside a text",
        "SQLite compares 1 with the text, which is never the same",
        "Write `TRUE` or `FALSE`.",
    ),
    "case-beyond-ascii": (
        "letters beyond ASCII in lower or upper case",
        "SQLite changes the case of ASCII alone",
        "Keep a column with the text as the program folds it.",
    ),
    "cast-of-fraction": (
        "a fraction that is cast to a whole number",
        "SQLite cuts off, and PostgreSQL rounds",
        "Write `CAST (round(x) AS INTEGER)`, or `floor(x)`.",
    ),
    "round-of-double": (
        "`round()` of a `DOUBLE PRECISION`",
        "SQLite rounds a half up, and PostgreSQL to the even number",
        "Round a `NUMERIC`, or in the program.",
    ),
    "order-of-nulls": (
        "`ORDER BY` of a column that may be NULL, with `LIMIT`",
        "NULL comes first in SQLite, and last in PostgreSQL",
        "Write `NULLS FIRST` or `NULLS LAST`, or make the column `NOT NULL`.",
    ),
    "null-in-key": (
        "NULL in a `PRIMARY KEY`",
        "SQLite takes NULL in these columns, and PostgreSQL makes them `NOT NULL`",
        "Write `NOT NULL` for each column of the key.",
    ),
    "star-in-view": (
        "`*` of a view that reads `*` of a table to which a column was added",
        "the view has the column in SQLite, and not in PostgreSQL",
        "List the columns in the view.",
    ),
}


def divergence(span: Span, kind: str) -> Divergence:
    """Return a divergence of a kind at a place."""
    return Divergence(span, kind, *KINDS[kind])
