"""Texts in which SQLAlchemy reads a placeholder that nobody gives a value.

`text()` reads `:word` wherever it stands, also in a literal. Source: `TextClause` in SQLAlchemy's
`sql/elements.py`.
"""

from __future__ import annotations

import ast
import re
from typing import Final

from dal_audit.extract.python.expression_uses import last_name
from dal_audit.facts import Span
from dal_audit.facts.sql import SqlConstruct

_FORM: Final = "alembic:placeholder-in-text"
_WORD: Final = re.compile(r"(?<![:\w\\]):[A-Za-z0-9_]+(?!:)\b")
_OPERATIONS: Final = frozenset({"op", "batch_op"})
_FIRST: Final = 1 << 21
"""Where the construct is counted from: it is no part of the statement's tokens."""


def hands_no_values(call: ast.Call) -> bool:
    """Return whether a call runs a text of SQLAlchemy's, and hands it no values."""
    if len(call.args) != 1 or call.keywords or not isinstance(call.func, ast.Attribute):
        return False
    argument = call.args[0]
    if isinstance(argument, ast.Call):
        return last_name(argument.func) == "text"
    return call.func.attr == "execute" and last_name(call.func.value) in _OPERATIONS


def reads_placeholder(text: str) -> bool:
    """Return whether `text()` reads a placeholder in a text."""
    return _WORD.search(text) is not None


def placeholder(statement: Span) -> SqlConstruct:
    """Return the construct that stands for a placeholder in a statement."""
    return SqlConstruct(statement, _FORM, _FIRST, _FIRST + 1)
