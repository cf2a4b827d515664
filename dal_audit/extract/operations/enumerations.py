"""Enumerations that a migration makes and drops itself: `ENUM(…).create(bind, checkfirst=True)`."""

from __future__ import annotations

import ast
from typing import Final

from dal_audit.extract.operations.call_arguments import Arguments, joined, quoted
from dal_audit.extract.operations.effects import Effect
from dal_audit.extract.operations.types import type_text
from dal_audit.extract.python.expression_uses import last_name
from dal_audit.extract.python.literal_values import follow_assignment
from dal_audit.extract.python.scopes import Scope

_VERBS: Final = frozenset({"create", "drop"})


def enumeration_effects(call: ast.Call, scope: Scope) -> list[Effect] | None:
    """Return what a call does that makes or drops an enumeration; None for any other call."""
    verb = last_name(call.func)
    if verb not in _VERBS or not isinstance(call.func, ast.Attribute):
        return None
    owner = follow_assignment(call.func.value, scope)
    if not isinstance(owner, ast.Call) or last_name(owner.func) not in {"Enum", "ENUM"}:
        return None
    made = type_text(owner, scope, "postgresql").enumeration
    if made is None:
        return None
    arguments = Arguments(call, ("bind", "checkfirst"), scope)
    looks_by_itself = last_name(owner.func) == "ENUM" and not arguments.is_false("checkfirst")
    is_guarded = looks_by_itself or arguments.is_true("checkfirst")
    if verb == "create":
        sql = joined("CREATE TYPE ", quoted(made.name), " AS ENUM (", made.labels, ")")
    else:
        sql = joined("DROP TYPE ", "IF EXISTS " if is_guarded else "", quoted(made.name))
    return [Effect(sql, is_guarded=is_guarded)]
