"""Types and defaults as texts that can be compared, and which literals PostgreSQL takes for which.

SQLite takes any literal for any column (datatype3.html), so all of it is about PostgreSQL
(datatype.html, typeconv-query.html, sql-createtable.html).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from dal_audit.facts.sql import Expression, SqlType

_NAMES: Final = {
    "integer": (
        "int, integer, int2, int4, int8, smallint, bigint, serial, serial2, serial4, serial8, "
        "smallserial, bigserial"
    ),
    "number": "numeric, decimal, dec, real, float, float4, float8, double precision",
    "boolean": "boolean, bool",
    "text": (
        "text, varchar, character varying, char varying, char, character, bpchar, name, citext, "
        "national character, national character varying, nchar"
    ),
    "timestamp": "timestamp, timestamptz, timestamp with time zone, timestamp without time zone",
    "date": "date",
    "time": "time, timetz, time with time zone, time without time zone",
    "interval": "interval",
    "json": "json, jsonb",
    "uuid": "uuid",
    "bytes": "bytea",
}
FAMILIES: Final = {name: family for family, names in _NAMES.items() for name in names.split(", ")}
"""The family of each type that PostgreSQL has, by its name in lower case."""

_ONE_NAME: Final = {
    "bool": "boolean",
    "bigserial": "bigint",
    "char": "character",
    "decimal": "numeric",
    "float4": "real",
    "float8": "double precision",
    "int": "integer",
    "int2": "smallint",
    "int4": "integer",
    "int8": "bigint",
    "serial": "integer",
    "smallserial": "smallint",
    "timestamp": "timestamp without time zone",
    "timestamptz": "timestamp with time zone",
    "varchar": "character varying",
}
"""PostgreSQL's second names of its types (datatype.html), and the first."""

_CLOCK_FITS: Final = {
    "CURRENT_TIMESTAMP": frozenset({"timestamp", "date", "time", "text"}),
    "CURRENT_DATE": frozenset({"timestamp", "date", "text"}),
    "CURRENT_TIME": frozenset({"time", "interval", "text"}),
}
"""What each clock can be assigned to (pg_cast, assignment casts)."""

_NUMBER: Final = re.compile(r"[0-9.][0-9._eE+-]*\Z")
_STRING: Final = re.compile(r"'((?:[^']|'')*)'\Z")
_INTEGER_TEXT: Final = re.compile(r"\s*[+-]?(?:[0-9]+|0[xX][0-9a-fA-F]+)\s*\Z")
_NUMBER_TEXT: Final = re.compile(
    r"\s*[+-]?(?:[0-9]+\.?[0-9]*(?:[eE][+-]?[0-9]+)?|\.[0-9]+(?:[eE][+-]?[0-9]+)?|nan|infinity)\s*\Z",
    re.IGNORECASE,
)
_UUID_TEXT: Final = re.compile(r"\{?(?:[0-9a-fA-F]{4}-?){7}[0-9a-fA-F]{4}\}?\Z")
_BOOLEAN_TEXTS: Final = frozenset(
    word[:length] for word in ("true", "false", "yes", "no") for length in range(1, len(word) + 1)
) | {"on", "of", "off", "1", "0"}
"""`datatype-boolean.html`: unique prefixes of the words count, too."""

_NO_CLOCK_TEXT: Final = re.compile(r"\s*(?:0000-00-00.*|current_timestamp.*|)\Z", re.IGNORECASE)
"""Texts that are surely no point in time; whether others are depends on settings."""

_TIME_WORD: Final = re.compile(
    r"allballs|epoch|infinity|now|today|tomorrow|yesterday", re.IGNORECASE
)
"""`datatype-datetime.html`, "Special Values"."""


def type_text(declared: SqlType | None) -> str:
    """Return a type as a text that can be compared: one name for each of PostgreSQL's."""
    if declared is None:
        return ""
    name = declared.name if declared.quoted else declared.name.lower()
    arguments = f"({', '.join(declared.arguments)})" if declared.arguments else ""
    return f"{_ONE_NAME.get(name, name)}{arguments}{'[]' * declared.dimensions}"


def default_text(expression: Expression) -> str:
    """Return a default as a text that can be compared: without parentheses, casts and case."""
    tokens = list(expression.tokens)
    while len(tokens) > 1 and tokens[0] == "(" and tokens[-1] == ")" and ")" not in tokens[1:-1]:
        tokens = tokens[1:-1]
    if "::" in tokens and tokens[0][:1] == "'":
        tokens = tokens[: tokens.index("::")]
    text = " ".join(token if token[:1] == "'" else token.lower() for token in tokens)
    return "current_timestamp" if text == "now ( )" else text


def family_of(name: str) -> str:
    """Return the family of a type, by its name in lower case; empty for one that has none."""
    return FAMILIES.get(name, "")


def comparable(family: str, other: str) -> bool:
    """Return whether PostgreSQL compares two families, as a foreign key demands."""
    if family == other or {family, other} in ({"integer", "number"}, {"timestamp", "date"}):
        return True
    return not family or not other


def unfit_default(tokens: Sequence[str], family: str, labels: Sequence[str] | None) -> str:
    """Return what kind of value a default is, where PostgreSQL refuses it for a type's family.

    `labels` are those of the enumeration that the type is, None where it is none. Only single
    literals are judged, with a sign and in parentheses; empty where it fits, or is not known.
    """
    parts = [token for token in tokens if token not in {"(", ")"}]
    if parts[:1] in (["-"], ["+"]):
        parts = parts[1:]
    if len(parts) != 1:
        return ""
    text = parts[0]
    found = _STRING.match(text)
    if found is not None:
        return _unfit_text(found[1].replace("''", "'"), family, labels)
    what, fits = _value_of(text)
    is_fit = labels is None and (not family or family in fits)
    return "" if is_fit else what


def _value_of(text: str) -> tuple[str, frozenset[str]]:
    """Return what kind of value a word or a number is, and the families that take it."""
    upper = text.upper()
    if upper in {"TRUE", "FALSE"}:
        return "a boolean", frozenset({"boolean", "text"})
    if _NUMBER.match(text):
        return "a number", frozenset({"integer", "number", "text"})
    return (f"`{upper}`", _CLOCK_FITS[upper]) if upper in _CLOCK_FITS else ("", frozenset())


def _unfit_text(text: str, family: str, labels: Sequence[str] | None) -> str:
    if labels is not None:
        return "" if text in labels else "no label of the type"
    wrong = {
        "integer": not _INTEGER_TEXT.match(text),
        "number": not _NUMBER_TEXT.match(text),
        "boolean": text.strip().lower() not in _BOOLEAN_TEXTS,
        "uuid": not _UUID_TEXT.match(text),
        "json": not _is_json(text),
        "timestamp": bool(_NO_CLOCK_TEXT.match(text)) or _has_no_time(text),
        "date": bool(_NO_CLOCK_TEXT.match(text)) or _has_no_time(text),
        "time": bool(_NO_CLOCK_TEXT.match(text)) or _has_no_time(text),
        "interval": _has_no_time(text),
    }.get(family, False)
    return f"the text `'{text}'`" if wrong else ""


def _has_no_time(text: str) -> bool:
    """Return whether a text has neither a digit nor a word that stands for a time."""
    return not any(char.isdigit() for char in text) and not _TIME_WORD.search(text)


def _is_json(text: str) -> bool:
    import json  # only for a text that is put into a column of JSON

    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True
