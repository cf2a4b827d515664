"""Texts by format specifications and conversions, as far as they are known."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from string import Formatter, Template
from typing import Final, NamedTuple

from dal_audit.extract.holes import UNKNOWN

_SPECIFICATION: Final = re.compile(r"[-<>^=+ #0]*\d{0,3}[sdxXob]?")
"""What numbers and texts are formatted by; widths of more digits would make texts of any length."""

_CONVERSION: Final = re.compile(r"%%|%(?:\((?P<name>\w+)\))?(?P<how>[-0 +#]*\d{0,3}[sdifr])")


def in_format(text: str, specification: str) -> str:
    """Return a text, or a number that it stands for, by a format specification."""
    if not specification:
        return text
    if UNKNOWN in text + specification or not _SPECIFICATION.fullmatch(specification):
        return UNKNOWN
    value = int(text) if text.isdecimal() and specification[-1:] != "s" else text
    try:
        return format(value, specification)
    except ValueError:
        return UNKNOWN


def converted(text: str, conversion: str) -> str:
    """Return a text, or a number that it stands for, by a conversion such as `02d` or `s`."""
    flags, kind = conversion[:-1], conversion[-1]
    if kind in "fr":
        return UNKNOWN
    return text if conversion == "s" else in_format(text, flags + ("" if kind == "s" else "d"))


class FormatField(NamedTuple):
    """A field of a text that `str.format` fills: `{name!conversion:specification}`."""

    name: str
    conversion: str
    specification: str


def fields_of(text: str) -> Iterator[tuple[str, FormatField | None]]:
    """Yield what stands between the fields of a text, each with the field behind it.

    Doubled braces are one. Raises ValueError for a text that cannot be formatted.
    """
    at = 0
    for literal, name, specification, conversion in Formatter().parse(text):
        end = at + len(literal)
        yield text[at:end], None
        if name is None:
            # A doubled brace ends what stands together; its second one is passed over.
            at = end + (text[end - 1 : end + 1] in {"{{", "}}"})
            continue
        yield text[end:end], FormatField(name, conversion or "", specification or "")
        written = 2 + len(name) + (1 + len(conversion) if conversion else 0)
        written += len(specification or "")
        at = text.index("}", end + written - 1) + 1


class PercentField(NamedTuple):
    """A conversion of a text that `%` fills: `%(name)how`; the name can be empty."""

    name: str
    how: str


def percent_fields(text: str) -> Iterator[tuple[str, PercentField | None]]:
    """Yield what stands between the conversions of a text, each with the one behind it.

    Doubled signs are one. Raises ValueError for a text with a conversion that is not known.
    """
    if "%" in _CONVERSION.sub("", text):
        raise ValueError
    at = 0
    for found in _CONVERSION.finditer(text):
        is_sign = found[0] == "%%"
        yield text[at : found.start() + is_sign], None
        at = found.end()
        if not is_sign:
            yield text[at:at], PercentField(found["name"] or "", found["how"])
    yield text[at:], None


def template_fields(text: str) -> Iterator[tuple[str, str | None]]:
    """Yield what stands between the fields of a `string.Template`, each with the one behind it.

    Doubled signs are one; a sign that begins no field stays, as `safe_substitute` leaves it.
    """
    at = 0
    for found in Template.pattern.finditer(text):
        name = found["named"] or found["braced"]
        is_text = name is None
        yield text[at : found.start() + is_text], None
        at = found.end()
        if not is_text:
            yield text[at:at], name
    yield text[at:], None


def with_holes(text: str, pattern: re.Pattern[str]) -> str:
    """Return a text in which what a pattern matches is not known, character by character."""
    made: str = text[:0]
    start = 0
    for found in pattern.finditer(text):
        made = made + text[start : found.start()] + UNKNOWN * len(found[0])
        start = found.end()
    return made + text[start:]


def format_values(node: ast.Call) -> dict[str, ast.expr]:
    """Return what each field can name; none where a starred argument shifts the positions."""
    if any(isinstance(argument, ast.Starred) for argument in node.args):
        return {}
    named = {keyword.arg: keyword.value for keyword in node.keywords if keyword.arg}
    return named | {str(index): value for index, value in enumerate(node.args)}
