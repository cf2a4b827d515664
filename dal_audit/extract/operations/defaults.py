"""What SQLAlchemy's compilers make of an expression that a column's default or an index is of."""

from __future__ import annotations

import ast
import re
from typing import Final

from msgspec import Struct

from dal_audit.extract.holes import UNKNOWN
from dal_audit.extract.operations.call_arguments import joined, name_in, origin_of
from dal_audit.extract.python.expression_uses import last_name
from dal_audit.extract.python.literal_values import follow_assignment
from dal_audit.extract.python.scopes import Scope

TEXTS: Final = frozenset({"text", "literal_column", "TextClause", "DDL"})
"""Calls whose argument is SQL as it stands."""

_CLOCKS: Final = frozenset({"now", "current_timestamp"})
_TRUTHS: Final = {"true": ("TRUE", "1"), "false": ("FALSE", "0")}
_SIMPLE: Final = re.compile(r"\s*['\"(]|\w*\Z")
"""Defaults that SQLite takes without parentheses."""
_CONSTANT: Final = re.compile(
    r"\(*\s*(?:[-+]?\s*[\d.]+|'(?:[^']|'')*'|null|true|false)\s*\)*(?:::\w+)?\s*\Z", re.IGNORECASE
)
_CLOCK: Final = re.compile(r"\(*\s*current_(?:timestamp|date|time)\s*\)*\s*\Z", re.IGNORECASE)


TRUTHS: Final = {"0": False, "false": False, "1": True, "true": True}
"""What a text says of a Boolean: as a number, which PostgreSQL takes for none, or as a word."""


class ExpressionText(Struct, frozen=True):
    """An expression as an engine's SQL has it, and what kind of one it is (`default:text`)."""

    sql: str
    marks: tuple[str, ...] = ()


def default_text(node: ast.expr, scope: Scope, engine: str) -> ExpressionText:
    """Return what a server default comes to on an engine."""
    node = follow_assignment(node, scope)
    if not isinstance(node, ast.Call) or last_name(node.func) in {"f", "dedent"}:
        text = name_in(node, scope)
        if UNKNOWN in text:
            return ExpressionText("NULL", ("default:unknown",))
        return ExpressionText(joined("'", _doubled(text), "'"), ("default:constant",))
    name = last_name(node.func)
    origin = origin_of(node.func, scope)
    if name in _TRUTHS and origin.startswith("sqlalchemy."):
        truth, number = _TRUTHS[name]
        return ExpressionText(number if engine == "sqlite" else truth, ("default:constant",))
    if name in TEXTS and node.args:
        return _of_text(name_in(node.args[0], scope), engine)
    if ".func." in f".{origin}.":
        return _of_function(node, name, scope, engine)
    return ExpressionText("NULL", ("default:unknown",))


def truth_of(node: ast.expr, scope: Scope) -> tuple[bool, str] | None:
    """Return the truth that a text is, and whether it is a `number` or a `word`; None for others.

    `text("'0'")` and a plain string are texts of the database's own, and none of these.
    """
    node = follow_assignment(node, scope)
    if not isinstance(node, ast.Call) or last_name(node.func) not in TEXTS or len(node.args) != 1:
        return None
    word = name_in(node.args[0], scope).strip().lower()
    truth = TRUTHS.get(word)
    return None if truth is None else (truth, "number" if word.isdigit() else "word")


def _doubled(text: str) -> str:
    return text.replace("'", "''") if "'" in text else text


def _of_text(text: str, engine: str) -> ExpressionText:
    if UNKNOWN in text or not text.strip():
        return ExpressionText("NULL", ("default:unknown",))
    kind = "default:constant" if _CONSTANT.match(text) else "default:expression"
    marks = ["default:text", kind]
    if kind == "default:expression" and not _SIMPLE.match(text):
        marks.append("default:bare")
    if _CLOCK.match(text):
        marks.append("default:clock")
    if engine == "sqlite" and not _SIMPLE.match(text):
        return ExpressionText(joined("(", text, ")"), tuple(marks))
    return ExpressionText(text, tuple(marks))


def _of_function(node: ast.Call, name: str, scope: Scope, engine: str) -> ExpressionText:
    """Return a call of `func`, whose name the compilers write as it stands."""
    if name.lower() in _CLOCKS:
        sql = "(CURRENT_TIMESTAMP)" if engine == "sqlite" else "now()"
        return ExpressionText(sql, ("default:function", "default:expression", "default:clock"))
    arguments = [name_in(argument, scope) for argument in node.args]
    if arguments:
        return ExpressionText("NULL", ("default:unknown", "default:expression"))
    return ExpressionText(f"({name}())", ("default:function", "default:expression"))


def condition_text(node: ast.expr | None, scope: Scope) -> str:
    """Return a condition, or a key of an index, that is SQL as it stands; empty for any other."""
    if node is None:
        return ""
    node = follow_assignment(node, scope)
    if isinstance(node, ast.Call):
        if last_name(node.func) not in TEXTS or not node.args:
            return ""
        node = node.args[0]
    text = name_in(node, scope)
    return "" if UNKNOWN in text else text
