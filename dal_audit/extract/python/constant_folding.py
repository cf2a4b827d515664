"""Fold expressions to the strings that they can be, without guessing.

Literals, `+`, `%`, f-strings, `.format`, `.join`, names assigned once, loops over literals and
look-ups in literal dictionaries are folded; what is unknown becomes `UNKNOWN` inside a longer text
(`f"sqlalchemy.dialects.{name}"`), so that a known beginning still counts.
"""

from __future__ import annotations

import ast
from string import Formatter
from typing import Final

from dal_audit.extract.python.scopes import Assigned, Binding, Imported, Scope

UNKNOWN: Final = "\N{REPLACEMENT CHARACTER}"
"""Stands for text that is not known; no dotted name holds it."""

MAX_CANDIDATES: Final = 32
MAX_DEPTH: Final = 20
MAX_LENGTH: Final = 10_000

ConstantSet = tuple[str, ...]
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
    if isinstance(node, ast.JoinedStr):
        return _concatenate([_piece(one, scope, depth) for one in node.values])
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return _concatenate([fold_constant(part, scope, depth) for part in added(node)])
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod):
        return _percent(node, scope, depth)
    if isinstance(node, ast.IfExp):
        return fold_constant(node.body, scope, depth) + fold_constant(node.orelse, scope, depth)
    if isinstance(node, ast.BoolOp):
        return tuple(text for value in node.values for text in fold_constant(value, scope, depth))
    if isinstance(node, ast.NamedExpr):
        return fold_constant(node.value, scope, depth)
    if isinstance(node, ast.Name):
        return _name(node, scope, depth)
    if isinstance(node, ast.Subscript):
        return _look_up(node, scope, depth)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        return _method(node, node.func, scope, depth)
    return _NOTHING


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


def _method(node: ast.Call, func: ast.Attribute, scope: Scope, depth: int) -> ConstantSet:
    """Fold `"…".format(…)` and `"…".join([…])`."""
    texts = fold_constant(func.value, scope, depth)
    if func.attr == "join" and len(node.args) == 1:
        argument = follow_assignment(node.args[0], scope)
        if isinstance(argument, (ast.List, ast.Tuple)) and len(texts) == 1:
            parts: list[ConstantSet] = []
            for element in argument.elts:
                parts += [texts, fold_constant(element, scope, depth)]
            return _concatenate(parts[1:])
    if func.attr == "format" and UNKNOWN not in texts:
        return tuple(one for text in texts for one in _format(text, node, scope, depth))
    return _NOTHING


def _format(text: str, node: ast.Call, scope: Scope, depth: int) -> ConstantSet:
    """Fold the fields `{}`, `{0}` and `{name}`; any other kind ends the folding."""
    try:
        fields = list(Formatter().parse(text))
    except ValueError:
        return _NOTHING
    if any(isinstance(one, ast.Starred) for one in node.args):
        return _NOTHING
    positions = {str(index): value for index, value in enumerate(node.args)}
    named = {one.arg: one.value for one in node.keywords if one.arg} | positions
    automatic = 0
    parts: list[ConstantSet] = []
    for literal, name, specification, conversion in fields:
        parts.append((literal,))
        if name is None:
            continue
        if name == "":
            name, automatic = str(automatic), automatic + 1  # noqa: PLW2901  # as `format` does
        value = named.get(name)
        if value is None or specification or conversion:
            return _NOTHING
        parts.append(fold_constant(value, scope, depth))
    return _concatenate(parts)


def _name(node: ast.Name, scope: Scope, depth: int) -> ConstantSet:
    binding = _only_binding(node.id, scope)
    if not isinstance(binding, Assigned):
        return _NOTHING
    if not binding.each:
        return fold_constant(binding.value, binding.scope, depth)
    values = follow_assignment(binding.value, binding.scope)
    if isinstance(values, (ast.List, ast.Tuple, ast.Set)):
        return tuple(t for one in values.elts for t in fold_constant(one, binding.scope, depth))
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
        return frozenset(
            [f"{origin}.{node.attr}" for origin in qualified_names(node.value, scope, depth + 1)]
        )
    if isinstance(node, ast.Call) and len(node.args) >= 2:  # noqa: PLR2004  # getattr(x, "y")
        if "builtins.getattr" in qualified_names(node.func, scope, depth + 1):
            return frozenset(
                f"{origin}.{name}"
                for origin in qualified_names(node.args[0], scope, depth + 1)
                for name in fold_constant(node.args[1], scope, depth + 1)
            )
        return frozenset()
    if not isinstance(node, ast.Name):
        return frozenset()
    bindings = scope.lookup(node.id)
    if not bindings:
        return frozenset([f"builtins.{node.id}"])
    found: set[str] = set()
    for binding in bindings:
        if isinstance(binding, Imported):
            found.add(binding.origin)
        elif isinstance(binding, Assigned) and len(bindings) == 1 and not binding.each:
            found |= qualified_names(binding.value, binding.scope, depth + 1)
    return frozenset(found)
