"""What an `ALTER COLUMN … TYPE … USING` made of a column, and that it cannot be made of that again.

So it is where the column is handed to a function that does not take the new type. Sources:
PostgreSQL's functions-string.html, functions-formatting.html and functions-array.html.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from dal_audit.facts.sql import Expression, SqlType
from dal_audit.schema.column_demands import type_family
from dal_audit.schema.objects_model import ColumnPart
from dal_audit.schema.state import State

_TEXT: Final = frozenset({"text"})
_OF_TEXT: Final = (
    "ascii", "btrim", "char_length", "character_length", "decode", "initcap", "left", "lower",
    "lpad", "ltrim", "quote_ident", "regexp_match", "regexp_replace", "regexp_split_to_array",
    "repeat", "replace", "reverse", "right", "rpad", "rtrim", "split_part", "starts_with",
    "string_to_array", "strpos", "to_date", "to_number", "translate", "upper",
)  # fmt: skip
_TAKES: Final = dict.fromkeys(_OF_TEXT, _TEXT) | {
    "array_to_string": frozenset({"array"}),
    "array_length": frozenset({"array"}),
    "to_timestamp": frozenset({"integer", "number", "text"}),
}
"""The families of types of which functions take their first argument without a cast."""


def unfit_function(state: State, column: str, part: ColumnPart, using: Expression | None) -> str:
    """Return a function in `using` that does not take a column as it is; empty where all do."""
    family = _family(state, part.declared)
    if using is None or not family:
        return ""
    for function in _called_with(state, using.tokens, column):
        if family not in _TAKES.get(function, frozenset({family})):
            return function
    return ""


def _family(state: State, declared: SqlType | None) -> str:
    """Return the family of a type, arrays being one; empty where it is not known."""
    is_array = declared is not None and declared.dimensions > 0
    return "array" if is_array else type_family(state, declared)


def _called_with(state: State, tokens: Sequence[str], column: str) -> list[str]:
    """Return the functions whose first argument is a column, and nothing but that."""
    return [
        tokens[at - 1].lower()
        for at in range(1, len(tokens) - 2)
        if tokens[at] == "("
        and state.fold_token(tokens[at + 1]) == column
        and tokens[at + 2] in {",", ")"}
    ]
