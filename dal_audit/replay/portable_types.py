"""How what two engines say of one declaration is made comparable.

PostgreSQL writes a default out with its casts (`'new'::text`), and `1` is SQLite's `true`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal, InvalidOperation
from typing import Final

EXPRESSION: Final = "(expression)"
"""Stands for an expression in an index: each engine writes it in a way of its own."""

_CAST: Final = re.compile(
    r"::(?:timestamp|time)(?:\(\d+\))? with(?:out)? time zone"
    r"|::(?:double precision|character varying|bit varying|\"char\"|\w+(?:\.\w+)?)"
    r"(?:\(\d+(?:,\s*\d+)?\))?(?:\[\])*"
)
_PIECES: Final = re.compile(r"('(?:[^']|'')*')")
_COUNTER: Final = re.compile(r"nextval\(", re.IGNORECASE)
_WORDS: Final = {"true": "1", "false": "0", "null": "", "now()": "current_timestamp"}


def default_of(expression: str | None) -> str:
    """Return a default in portable terms; empty where there is none, or a counter."""
    if expression is None or _COUNTER.match(expression):
        return ""
    pieces = _PIECES.split(expression)
    # Every second piece is a string, and stays as it is.
    pieces[::2] = [" ".join(_CAST.sub("", piece).lower().split()) for piece in pieces[::2]]
    text = _bare("".join(pieces).strip())
    text = _WORDS.get(text, text)
    try:
        number = Decimal(text.strip("'"))
    except InvalidOperation:
        return text
    return f"{number.normalize():f}" if number.is_finite() else text


def _bare(text: str) -> str:
    """Take away the parentheses around all of an expression."""
    while text.startswith("(") and text.endswith(")"):
        depth = 0
        for index, char in enumerate(text):
            depth += (char == "(") - (char == ")")
            if depth == 0 and index < len(text) - 1:
                return text
        text = text[1:-1].strip()
    return text


def columns_of(names: Iterable[str]) -> str:
    """Return columns in their order, as a value names them."""
    return f"({', '.join(name.lower() for name in names)})"


def several(values: Iterable[str]) -> str:
    """Return several values as one, whatever their order was."""
    return ", ".join(sorted(values))


def foreign_key(
    columns: Iterable[str], table: str, referenced: Iterable[str], deleted: str, updated: str
) -> str:
    """Return a foreign key as a value: what refers to what, and what follows where that goes."""
    actions = [
        f" on {event} {action.lower()}"
        for event, action in (("delete", deleted), ("update", updated))
        if action.upper() != "NO ACTION"
    ]
    return f"{columns_of(columns)} to {table.lower()} {columns_of(referenced)}{''.join(actions)}"


def index_value(table: str, keys: Iterable[str], *, unique: bool, partial: bool) -> str:
    """Return an index as a value: its table, its keys, and whether it is unique or partial."""
    words = f"{'unique ' if unique else ''}on {table.lower()} {columns_of(keys)}"
    return f"{words} where" if partial else words
