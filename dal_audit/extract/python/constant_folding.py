"""Fold expressions to the strings that they can be, without guessing.

Literals, `+`, `%`, f-strings, `.format`, `.join`, names assigned once, loops over literals and
look-ups in literal dictionaries are folded; what is unknown becomes `UNKNOWN` inside a longer text
(`f"sqlalchemy.dialects.{name}"`), so that a known beginning still counts.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from itertools import count
from string import Formatter
from typing import Any, Final, TypeAlias

from dal_audit.extract.python.scopes import Assigned, Binding, Imported, Scope

UNKNOWN: Final = "\N{REPLACEMENT CHARACTER}"
"""Stands for text that is not known; no dotted name holds it."""

MAX_CANDIDATES: Final = 32
MAX_DEPTH: Final = 20
MAX_LENGTH: Final = 10_000

ConstantSet: TypeAlias = tuple[str, ...]
"""All texts that an expression can be."""
_NOTHING: Final[ConstantSet] = (UNKNOWN,)


def fold_constant(node: ast.expr, scope: Scope, depth: int = 0) -> ConstantSet:
    """Return the texts that an expression can be, sorted; `(UNKNOWN,)` where nothing is known."""
    if depth > MAX_DEPTH:
        return _NOTHING
    found = _fold(node, scope, depth + 1)
    unique = sorted({text for text in found if len(text) <= MAX_LENGTH})
    return tuple(unique) if unique and len(unique) <= MAX_CANDIDATES else _NOTHING


def _fold(node: ast.expr, scope: Scope, depth: int) -> ConstantSet:
    if isinstance(node, ast.Constant):
        return (node.value,) if isinstance(node.value, str) else _NOTHING
    folding = _FOLDINGS.get(type(node))
    return folding(node, scope, depth) if folding is not None else _NOTHING


def _formatted(node: ast.JoinedStr, scope: Scope, depth: int) -> ConstantSet:
    return _concatenate([_piece(part, scope, depth) for part in node.values])


def _operation(node: ast.BinOp, scope: Scope, depth: int) -> ConstantSet:
    if isinstance(node.op, ast.Add):
        return _concatenate([fold_constant(part, scope, depth) for part in added(node)])
    return _percent(node, scope, depth) if isinstance(node.op, ast.Mod) else _NOTHING


def _either(node: ast.IfExp | ast.BoolOp, scope: Scope, depth: int) -> ConstantSet:
    values = node.values if isinstance(node, ast.BoolOp) else [node.body, node.orelse]
    return tuple(text for value in values for text in fold_constant(value, scope, depth))


def _walrus(node: ast.NamedExpr, scope: Scope, depth: int) -> ConstantSet:
    return fold_constant(node.value, scope, depth)


def added(node: ast.expr) -> list[ast.expr]:
    """Return what `+` puts together, in order: a chain is as deep as it is long, but reads flat."""
    parts: list[ast.expr] = []
    while isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        parts.append(node.right)
        node = node.left
    return [node, *reversed(parts)]


def _concatenate(parts: list[ConstantSet]) -> ConstantSet:
    texts: ConstantSet = ("",)
    for part in parts:
        if len(texts) * len(part) > MAX_CANDIDATES:
            return _NOTHING
        texts = tuple(before + after for before in texts for after in part)
        if any(len(text) > MAX_LENGTH for text in texts):
            return _NOTHING
    return texts


def _piece(node: ast.expr, scope: Scope, depth: int) -> ConstantSet:
    """Fold one part of an f-string; a conversion other than `!s` or a format is not followed."""
    if not isinstance(node, ast.FormattedValue):
        return fold_constant(node, scope, depth)
    if node.format_spec is not None or node.conversion not in {-1, ord("s")}:
        return _NOTHING
    return fold_constant(node.value, scope, depth)


def _percent(node: ast.BinOp, scope: Scope, depth: int) -> ConstantSet:
    arguments = node.right.elts if isinstance(node.right, ast.Tuple) else [node.right]
    found: list[str] = []
    for text in fold_constant(node.left, scope, depth):
        pieces = text.split("%s")
        if "%" in "".join(pieces) or len(pieces) != len(arguments) + 1:
            return _NOTHING
        parts: list[ConstantSet] = [(pieces[0],)]
        for argument, piece in zip(arguments, pieces[1:], strict=True):
            parts += [fold_constant(argument, scope, depth), (piece,)]
        found += _concatenate(parts)
    return tuple(found)


def _method(node: ast.Call, scope: Scope, depth: int) -> ConstantSet:
    """Fold `"…".format(…)` and `"…".join([…])`."""
    if not isinstance(node.func, ast.Attribute):
        return _NOTHING
    texts = fold_constant(node.func.value, scope, depth)
    if node.func.attr == "join" and len(texts) == len(node.args) == 1:
        return _joined(texts, node.args[0], scope, depth)
    if node.func.attr == "format" and UNKNOWN not in texts:
        return tuple(made for text in texts for made in _format(text, node, scope, depth))
    return _NOTHING


def _joined(between: ConstantSet, node: ast.expr, scope: Scope, depth: int) -> ConstantSet:
    argument = follow_assignment(node, scope)
    if not isinstance(argument, (ast.List, ast.Tuple)):
        return _NOTHING
    parts: list[ConstantSet] = []
    for element in argument.elts:
        parts += [between, fold_constant(element, scope, depth)]
    return _concatenate(parts[1:])


def _format(text: str, node: ast.Call, scope: Scope, depth: int) -> ConstantSet:
    """Fold the fields `{}`, `{0}` and `{name}`; any other kind ends the folding."""
    try:
        fields = list(Formatter().parse(text))
    except ValueError:
        return _NOTHING
    values = _format_values(node)
    automatic = count()
    parts: list[ConstantSet] = []
    for literal, field, specification, conversion in fields:
        parts.append((literal,))
        if field is None:
            continue
        value = values.get(field or str(next(automatic)))
        if value is None or specification or conversion:
            return _NOTHING
        parts.append(fold_constant(value, scope, depth))
    return _concatenate(parts)


def _format_values(node: ast.Call) -> dict[str, ast.expr]:
    """Return what each field can name; none where a starred argument shifts the positions."""
    if any(isinstance(argument, ast.Starred) for argument in node.args):
        return {}
    named = {keyword.arg: keyword.value for keyword in node.keywords if keyword.arg}
    return named | {str(index): value for index, value in enumerate(node.args)}


def _name(node: ast.Name, scope: Scope, depth: int) -> ConstantSet:
    binding = _only_binding(node.id, scope)
    if not isinstance(binding, Assigned):
        return _NOTHING
    if not binding.each:
        return fold_constant(binding.value, binding.scope, depth)
    values = follow_assignment(binding.value, binding.scope)
    if isinstance(values, (ast.List, ast.Tuple, ast.Set)):
        return tuple(
            text for element in values.elts for text in fold_constant(element, binding.scope, depth)
        )
    return _NOTHING


def _look_up(node: ast.Subscript, scope: Scope, depth: int) -> ConstantSet:
    """Fold a look-up in a literal dictionary: the value of a known key, else any of its values."""
    table = follow_assignment(node.value, scope)
    if not isinstance(table, ast.Dict):
        return _NOTHING
    keys = fold_constant(node.slice, scope, depth)
    pairs = [(key, value) for key, value in zip(table.keys, table.values, strict=True) if key]
    named = [value for key, value in pairs if set(fold_constant(key, scope, depth)) & set(keys)]
    values = named if UNKNOWN not in keys else [value for _, value in pairs]
    return tuple(text for value in values for text in fold_constant(value, scope, depth))


def _only_binding(name: str, scope: Scope) -> Binding:
    bindings = scope.lookup(name)
    return bindings[0] if len(bindings) == 1 else None


def follow_assignment(node: ast.expr, scope: Scope) -> ast.expr:
    """Follow names that are assigned once to what they are assigned."""
    for _ in range(MAX_DEPTH):
        binding = _only_binding(node.id, scope) if isinstance(node, ast.Name) else None
        if not isinstance(binding, Assigned) or binding.each:
            break
        node, scope = binding.value, binding.scope
    return node


def qualified_names(node: ast.expr, scope: Scope, depth: int = 0) -> frozenset[str]:
    """Return the dotted names that an expression can mean: imports followed, builtins marked.

    A relative import keeps its dots (`.tools.load`); a name that nothing binds is a builtin.
    """
    if depth > MAX_DEPTH:
        return frozenset()
    if isinstance(node, ast.Attribute):
        owners = qualified_names(node.value, scope, depth + 1)
        return frozenset(f"{owner}.{node.attr}" for owner in owners)
    if isinstance(node, ast.Call):
        return _read_by_name(node, scope, depth + 1)
    return _named(node, scope, depth + 1) if isinstance(node, ast.Name) else frozenset()


def _named(node: ast.Name, scope: Scope, depth: int) -> frozenset[str]:
    bindings = scope.lookup(node.id)
    if not bindings:
        return frozenset([f"builtins.{node.id}"])
    found: set[str] = set()
    for binding in bindings:
        if isinstance(binding, Imported):
            found.add(binding.origin)
        elif isinstance(binding, Assigned) and len(bindings) == 1 and not binding.each:
            found |= qualified_names(binding.value, binding.scope, depth)
    return frozenset(found)


def _read_by_name(node: ast.Call, scope: Scope, depth: int) -> frozenset[str]:
    """Return what `getattr(x, "y")` can mean; nothing for another call."""
    if len(node.args) < 2:  # noqa: PLR2004  # an object and a name
        return frozenset()
    if "builtins.getattr" not in qualified_names(node.func, scope, depth):
        return frozenset()
    return frozenset(
        f"{owner}.{name}"
        for owner in qualified_names(node.args[0], scope, depth)
        for name in fold_constant(node.args[1], scope, depth)
    )


_Folding: TypeAlias = Callable[[Any, Scope, int], ConstantSet]

_FOLDINGS: Final[dict[type[ast.AST], _Folding]] = {
    ast.BinOp: _operation,
    ast.BoolOp: _either,
    ast.Call: _method,
    ast.IfExp: _either,
    ast.JoinedStr: _formatted,
    ast.Name: _name,
    ast.NamedExpr: _walrus,
    ast.Subscript: _look_up,
}
