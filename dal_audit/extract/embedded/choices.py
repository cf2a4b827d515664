"""Texts of SQL that a condition chooses from: `"BIGINT" if is_wide else "INTEGER"`."""

from __future__ import annotations

import ast

from msgspec.structs import replace

from dal_audit.extract.python.parse.walk import nodes_in
from dal_audit.extract.python.scopes import Assigned, Scope
from dal_audit.facts.sql import SqlStatement


def is_chosen(argument: ast.expr, scope: Scope) -> bool:
    """Return whether a condition chooses which text an expression is, or a part of it."""
    waiting = [argument]
    followed: set[str] = set()
    while waiting:
        for node in nodes_in(waiting.pop()):
            if isinstance(node, ast.IfExp):
                return True
            if isinstance(node, ast.Name) and node.id not in followed:
                followed.add(node.id)
                waiting += _assigned(node.id, scope)
    return False


def _assigned(name: str, scope: Scope) -> list[ast.expr]:
    """Return the expressions that a name is bound to by assignments."""
    bindings = (binding for binding in scope.lookup(name) if isinstance(binding, Assigned))
    return [binding.value for binding in bindings]


def instead(statement: SqlStatement) -> SqlStatement:
    """Return a statement that is run instead of another one, or not."""
    within = statement.within
    if within is None:
        return statement
    return replace(statement, within=replace(within, is_optional=True, is_guarded=True))
