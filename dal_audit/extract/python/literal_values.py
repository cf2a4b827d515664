"""What names and collections are written out to be, where a module says it once."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from dal_audit.extract.python.bindings import SAME_ELEMENTS
from dal_audit.extract.python.constant_sets import MAX_DEPTH
from dal_audit.extract.python.definitions import OWN
from dal_audit.extract.python.expression_uses import last_name
from dal_audit.extract.python.scopes import Assigned, Binding, Defined, Scope


def elements_of(binding: Assigned) -> list[ast.expr]:
    """Return what a loop's target takes, one after another, of what is written out."""
    elements = literal_elements(binding.value, binding.scope)
    number = binding.part
    if number is None:
        return elements
    rows = [element.elts for element in elements if isinstance(element, (ast.Tuple, ast.List))]
    return [row[number] for row in rows if number < len(row)]


def literal_elements(node: ast.expr, scope: Scope, depth: int = 0) -> list[ast.expr]:
    """Return what a collection holds that is written out; of a dictionary, its keys."""
    values = follow_assignment(node, scope)
    if isinstance(values, (ast.List, ast.Tuple, ast.Set)):
        return values.elts
    if isinstance(values, ast.Dict):
        return [key for key in values.keys if key is not None]
    if depth > MAX_DEPTH or not isinstance(values, ast.Call):
        return []
    if isinstance(values.func, ast.Attribute) and values.func.attr == "values":
        table = follow_assignment(values.func.value, scope)
        return table.values if isinstance(table, ast.Dict) else []
    is_same = values.args and last_name(values.func) in SAME_ELEMENTS
    return literal_elements(values.args[0], scope, depth + 1) if is_same else []


def follow_assignment(node: ast.expr, scope: Scope) -> ast.expr:
    """Follow names that are assigned once to what they are assigned."""
    for _ in range(MAX_DEPTH):
        binding = only_binding(node.id, scope) if isinstance(node, ast.Name) else None
        if not isinstance(binding, Assigned) or binding.each:
            break
        node, scope = binding.value, binding.scope
    return node


def attribute_of_class(node: ast.Attribute, scope: Scope) -> Sequence[Binding]:
    """Return what the body of a class sets an attribute to that is read of it, or by `self`."""
    name = last_name(node.value) if isinstance(node.value, ast.Name) else ""
    if name in OWN:
        return scope.of_class(node.attr)
    found = only_binding(name, scope) if name else None
    if not isinstance(found, Defined) or not isinstance(found.node, ast.ClassDef):
        return []
    return [
        Assigned(statement.value, found.scope)
        for statement in found.node.body
        if isinstance(statement, ast.Assign)
        if any(last_name(target) == node.attr for target in statement.targets)
    ]


def only_binding(name: str, scope: Scope) -> Binding:
    """Return what a name is bound to, where that happens once."""
    bindings = scope.lookup(name)
    return bindings[0] if len(bindings) == 1 else None
