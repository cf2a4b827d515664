"""Texts of SQL that a condition chooses from: `"BIGINT" if is_wide else "INTEGER"`."""

from __future__ import annotations

import ast

from msgspec.structs import replace

from dal_audit.extract.python.parse.walk import nodes_in
from dal_audit.extract.python.scopes import Assigned, Scope
from dal_audit.facts.sql import SqlStatement


def is_chosen(argument: ast.expr, scope: Scope) -> bool:
    """Return whether a condition chooses which text an expression is, or a part of it."""
    nodes = list(nodes_in(argument))
    names = [node.id for node in nodes if isinstance(node, ast.Name)]
    bindings = [binding for name in names for binding in scope.lookup(name)]
    values = [binding.value for binding in bindings if isinstance(binding, Assigned)]
    return any(isinstance(node, ast.IfExp) for node in (*nodes, *values))


def instead(statement: SqlStatement) -> SqlStatement:
    """Return a statement that is run instead of another one, or not."""
    within = statement.within
    if within is None:
        return statement
    return replace(statement, within=replace(within, is_optional=True, is_guarded=True))
