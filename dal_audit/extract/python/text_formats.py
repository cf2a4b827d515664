"""Texts by format specifications and conversions, as far as they are known."""

from __future__ import annotations

import ast
import re
from typing import Final

UNKNOWN: Final = "\N{REPLACEMENT CHARACTER}"
"""Stands for text that is not known; no dotted name holds it."""


_SPECIFICATION: Final = re.compile(r"[-<>^=+ #0]*\d{0,3}[sdxXob]?")
"""What numbers and texts are formatted by; widths of more digits would make texts of any length."""


def in_format(text: str, specification: str) -> str:
    """Return a text, or a number that it stands for, by a format specification."""
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
    return text if conversion == "s" else in_format(text, flags + ("" if kind == "s" else "d"))


def format_values(node: ast.Call) -> dict[str, ast.expr]:
    """Return what each field can name; none where a starred argument shifts the positions."""
    if any(isinstance(argument, ast.Starred) for argument in node.args):
        return {}
    named = {keyword.arg: keyword.value for keyword in node.keywords if keyword.arg}
    return named | {str(index): value for index, value in enumerate(node.args)}
