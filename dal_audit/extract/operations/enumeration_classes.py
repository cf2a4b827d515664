"""Enumerations of SQLAlchemy that are made of a class in the module: `sa.Enum(Color)`.

Their labels are the names of the class's members, or their values where `values_callable` takes
these, and the type is called as the class is, in lower case. Source: `sqlalchemy.types.Enum`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from typing import Final

from dal_audit.extract.operations.call_arguments import origin_of
from dal_audit.extract.python.expression_uses import last_name
from dal_audit.extract.python.literal_values import follow_assignment
from dal_audit.extract.python.scopes import Scope

_TYPES: Final = frozenset({"Enum", "ENUM"})
_VALUES: Final = "values_callable"


def spell_enumerations(tree: ast.Module) -> None:
    """Put the labels of classes that the module defines where enumerations are made of them."""
    classes = dict(_enumerations(tree.body, ""))
    if not classes:
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and len(node.args) == 1 and last_name(node.func) in _TYPES:
            _spell(node, classes)


def class_label(node: ast.expr, scope: Scope) -> str:
    """Return what the type is called that is made of a class; empty for what names none."""
    named = follow_assignment(node, scope)
    if not isinstance(named, (ast.Name, ast.Attribute)):
        return ""
    name = origin_of(named, scope).rpartition(".")[2] or last_name(named)
    return name.lower() if name[:1].isupper() else ""


def _enumerations(body: list[ast.stmt], prefix: str) -> Iterator[tuple[str, ast.ClassDef]]:
    """Yield the enumerations in a block by their dotted names."""
    for definition in (own for own in body if isinstance(own, ast.ClassDef)):
        name = f"{prefix}{definition.name}"
        if any(last_name(base).endswith("Enum") for base in definition.bases):
            yield name, definition
        yield from _enumerations(definition.body, f"{name}.")


def _spell(call: ast.Call, classes: Mapping[str, ast.ClassDef]) -> None:
    """Write the labels of a class into a call, where they are all known."""
    definition = classes.get(ast.unparse(call.args[0]))
    taking = next((own for own in call.keywords if own.arg == _VALUES), None)
    labels = list(_labels(definition, takes_values=taking is not None)) if definition else []
    is_known = taking is None or ".value" in ast.unparse(taking.value)
    if definition is None or not labels or not all(labels) or not is_known:
        return
    if not any(own.arg == "name" for own in call.keywords):
        call.keywords.append(ast.keyword("name", _text(definition.name.lower(), call.args[0])))
    call.args[:] = [label for label in labels if label is not None]


def _labels(definition: ast.ClassDef, *, takes_values: bool) -> Iterator[ast.Constant | None]:
    """Yield the labels that a class's members come to; None for one that is not known."""
    for member in definition.body:
        if not isinstance(member, ast.Assign) or last_name(member.targets[0]).startswith("_"):
            continue
        if not takes_values:
            yield _text(last_name(member.targets[0]), member.targets[0])
            continue
        value = member.value
        is_text = isinstance(value, ast.Constant) and isinstance(value.value, str)
        yield value if is_text else None  # type: ignore[misc]


def _text(text: str, place: ast.expr) -> ast.Constant:
    return ast.copy_location(ast.Constant(text), place)
