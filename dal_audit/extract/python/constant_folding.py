"""Fold expressions to the strings that they can be, without guessing.

Literals, `+`, `%`, f-strings, `.format`, `.join`, names assigned once, loops over literals and
look-ups in literal dictionaries are folded; what is unknown becomes `UNKNOWN` inside a longer text
(`f"sqlalchemy.dialects.{name}"`), so that a known beginning still counts.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from itertools import count, product
from math import prod
from string import Formatter
from typing import Any, Final, TypeAlias

from dal_audit.extract.python.constant_methods import (
    FUNCTIONS,
    METHODS,
    OF_BYTES,
    applied,
    decoded,
    encoded,
)
from dal_audit.extract.python.scopes import Assigned, Binding, Imported, Scope
from dal_audit.extract.python.text_formats import UNKNOWN, converted, format_values, in_format

MAX_CANDIDATES: Final = 32
MAX_DEPTH: Final = 20
MAX_LENGTH: Final = 10_000

_CONVERSION: Final = re.compile(r"%([-0 +#]*\d{0,3}[sdi])")

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
        return _text_of(node.value)
    folding = _FOLDINGS.get(type(node))
    return folding(node, scope, depth) if folding is not None else _NOTHING


def _text_of(value: object) -> ConstantSet:
    """Return the text of a constant; a number counts, as it is formatted into texts."""
    if isinstance(value, str):
        return (value,)
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return (str(value),) if is_number else _NOTHING


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
    """Fold one part of an f-string; a conversion other than `!s` is not followed."""
    if not isinstance(node, ast.FormattedValue):
        return fold_constant(node, scope, depth)
    if node.conversion not in {-1, ord("s")}:
        return _NOTHING
    found = fold_constant(node.value, scope, depth)
    if node.format_spec is None:
        return found
    wanted = fold_constant(node.format_spec, scope, depth)
    return tuple(in_format(text, only) for text in found for only in wanted)


def _percent(node: ast.BinOp, scope: Scope, depth: int) -> ConstantSet:
    arguments = node.right.elts if isinstance(node.right, ast.Tuple) else [node.right]
    found: list[str] = []
    for text in fold_constant(node.left, scope, depth):
        pieces = _CONVERSION.split(text)
        if "%" in "".join(pieces[::2]) or len(pieces) != 2 * len(arguments) + 1:
            return _NOTHING
        parts: list[ConstantSet] = [(pieces[0],)]
        for argument, wanted, piece in zip(arguments, pieces[1::2], pieces[2::2], strict=True):
            values = fold_constant(argument, scope, depth)
            parts += [tuple(converted(value, wanted) for value in values), (piece,)]
        found += _concatenate(parts)
    return tuple(found)


def _call(node: ast.Call, scope: Scope, depth: int) -> ConstantSet:
    """Fold a call of a text's method, or of a function that makes one text of another."""
    func = node.func
    if isinstance(func, ast.Attribute) and func.attr in METHODS:
        return _applied(
            METHODS[func.attr], fold_constant(func.value, scope, depth), node.args, scope, depth
        )
    if isinstance(func, ast.Attribute) and func.attr == "decode":
        return _applied(decoded, fold_bytes(func.value, scope, depth), node.args, scope, depth)
    made = _by_function(FUNCTIONS, node, scope, depth)
    if made is not None:
        return made
    return _method(node, func, scope, depth) if isinstance(func, ast.Attribute) else _NOTHING


def fold_bytes(node: ast.expr, scope: Scope, depth: int = 0) -> ConstantSet:
    """Return the bytes that an expression can be, as the texts of the same values."""
    if depth > MAX_DEPTH:
        return _NOTHING
    made = follow_assignment(node, scope)
    if isinstance(made, ast.Constant) and isinstance(made.value, bytes):
        return (made.value.decode("latin-1"),)
    if not isinstance(made, ast.Call):
        return _NOTHING
    if isinstance(made.func, ast.Attribute) and made.func.attr == "encode":
        texts = fold_constant(made.func.value, scope, depth + 1)
        return _applied(encoded, texts, made.args, scope, depth + 1)
    return _by_function(OF_BYTES, made, scope, depth + 1) or _NOTHING


def fold_source(node: ast.expr, scope: Scope, depth: int = 0) -> ConstantSet:
    """Return the texts that an expression can be, or its bytes where it is none."""
    texts = fold_constant(node, scope, depth)
    return fold_bytes(node, scope, depth) if texts == _NOTHING else texts


def _by_function(
    functions: Mapping[str, Callable[..., str]], node: ast.Call, scope: Scope, depth: int
) -> ConstantSet | None:
    """Fold a call of one of these functions; None for a call of another."""
    names = qualified_names(node.func, scope, depth).intersection(functions)
    named = [keyword.value for keyword in node.keywords if keyword.arg in {"source", "encoding"}]
    arguments = [*node.args, *named]
    if not names or not arguments:
        return None
    texts = fold_source(arguments[0], scope, depth)
    return _applied(functions[min(names)], texts, arguments[1:], scope, depth)


def _applied(
    function: Callable[..., str],
    texts: ConstantSet,
    arguments: Sequence[ast.expr],
    scope: Scope,
    depth: int,
) -> ConstantSet:
    """Fold a function of constant texts."""
    folded = [texts, *(fold_constant(argument, scope, depth) for argument in arguments)]
    if prod(map(len, folded)) > MAX_CANDIDATES or any(UNKNOWN in text for text in texts):
        return _NOTHING
    made = [applied(function, *chosen) for chosen in product(*folded)]
    return tuple(UNKNOWN if text is None else text for text in made)


def _method(node: ast.Call, func: ast.Attribute, scope: Scope, depth: int) -> ConstantSet:
    """Fold `"…".format(…)` and `"…".join([…])`."""
    texts = fold_constant(func.value, scope, depth)
    if func.attr == "join" and len(texts) == len(node.args) == 1:
        return _joined(texts, node.args[0], scope, depth)
    if func.attr == "format" and UNKNOWN not in texts:
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
    """Fold the fields `{}`, `{0}`, `{name}` and `{:d}`; any other kind ends the folding."""
    try:
        fields = list(Formatter().parse(text))
    except ValueError:
        return _NOTHING
    values = format_values(node)
    automatic = count()
    parts: list[ConstantSet] = []
    for literal, field, specification, conversion in fields:
        parts.append((literal,))
        if field is None:
            continue
        value = values.get(field or str(next(automatic)))
        if value is None or conversion:
            return _NOTHING
        texts = fold_constant(value, scope, depth)
        parts.append(tuple(in_format(only, specification or "") for only in texts))
    return _concatenate(parts)


def _name(node: ast.Name, scope: Scope, depth: int) -> ConstantSet:
    binding = _only_binding(node.id, scope)
    if not isinstance(binding, Assigned):
        return _NOTHING
    if not binding.each:
        return fold_constant(binding.value, binding.scope, depth)
    values = follow_assignment(binding.value, binding.scope)
    return fold_elements(values, binding.scope, depth)


def fold_elements(node: ast.expr, scope: Scope, depth: int = 0) -> ConstantSet:
    """Return the texts in a literal collection; of a dictionary, its keys."""
    values = follow_assignment(node, scope)
    elements: list[ast.expr] = []
    if isinstance(values, (ast.List, ast.Tuple, ast.Set)):
        elements = values.elts
    elif isinstance(values, ast.Dict):
        elements = [key for key in values.keys if key is not None]
    found = tuple(text for element in elements for text in fold_constant(element, scope, depth))
    return found or _NOTHING


def _look_up(node: ast.Subscript, scope: Scope, depth: int) -> ConstantSet:
    """Fold a look-up in a literal dictionary: the value of a known key, else any of its values."""
    table = follow_assignment(node.value, scope)
    if isinstance(node.slice, ast.Slice):
        return _sliced(node.value, node.slice, scope, depth)
    if isinstance(table, (ast.List, ast.Tuple)):
        return _element(table, node.slice, scope, depth)
    if not isinstance(table, ast.Dict):
        return _NOTHING
    keys = fold_constant(node.slice, scope, depth)
    pairs = [(key, value) for key, value in zip(table.keys, table.values, strict=True) if key]
    named = [value for key, value in pairs if set(fold_constant(key, scope, depth)) & set(keys)]
    values = named if UNKNOWN not in keys else [value for _, value in pairs]
    return tuple(text for value in values for text in fold_constant(value, scope, depth))


def _element(table: ast.List | ast.Tuple, index: ast.expr, scope: Scope, depth: int) -> ConstantSet:
    """Fold one element of a literal list, by its number."""
    if not isinstance(index, ast.Constant) or not isinstance(index.value, int):
        return _NOTHING
    is_inside = 0 <= index.value < len(table.elts)
    return fold_constant(table.elts[index.value], scope, depth) if is_inside else _NOTHING


def _sliced(node: ast.expr, bounds: ast.Slice, scope: Scope, depth: int) -> ConstantSet:
    """Fold a part of a text, or the text backwards."""
    try:
        ends = [
            None if bound is None else ast.literal_eval(bound)
            for bound in (bounds.lower, bounds.upper, bounds.step)
        ]
        texts = fold_constant(node, scope, depth)
        return (
            _NOTHING
            if any(UNKNOWN in text for text in texts)
            else tuple(text[slice(*ends)] for text in texts)
        )
    except (TypeError, ValueError):
        return _NOTHING


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
    if isinstance(node, (ast.Call, ast.Subscript)):
        return _reflected(node, scope, depth + 1)
    return _named(node, scope, depth + 1) if isinstance(node, ast.Name) else frozenset()


def _named(node: ast.Name, scope: Scope, depth: int) -> frozenset[str]:
    bindings = scope.lookup(node.id)
    if not bindings:
        is_module = node.id == "__builtins__"
        return frozenset(["builtins" if is_module else f"builtins.{node.id}"])
    found: set[str] = set()
    for binding in bindings:
        if isinstance(binding, Imported):
            found.add(binding.origin)
        elif isinstance(binding, Assigned) and len(bindings) == 1 and not binding.each:
            found |= qualified_names(binding.value, binding.scope, depth)
    return frozenset(found)


def _reflected(node: ast.Call | ast.Subscript, scope: Scope, depth: int) -> frozenset[str]:
    """Return what is meant by `getattr(x, "y")`, `vars(x)["y"]`, `__import__("x")` and the like."""
    if isinstance(node, ast.Subscript):
        return _by_key(node.value, node.slice, scope, depth)
    if isinstance(node.func, ast.Attribute) and node.args and node.func.attr in _KEY_READERS:
        found = _by_key(node.func.value, node.args[0], scope, depth)
        if found:
            return found
    callees = qualified_names(node.func, scope, depth)
    if node.args and callees & _IMPORTERS:
        return frozenset(fold_constant(node.args[0], scope, depth))
    if len(node.args) >= 2 and callees & _ATTRIBUTE_READERS:  # noqa: PLR2004  # an object and a name
        return _members(qualified_names(node.args[0], scope, depth), node.args[1], scope, depth)
    return frozenset()


def _by_key(owner: ast.expr, key: ast.expr, scope: Scope, depth: int) -> frozenset[str]:
    """Return what a key of a namespace means: `x.__dict__["y"]`, `vars(x)["y"]` and the like."""
    if isinstance(owner, ast.Call):
        callees = qualified_names(owner.func, scope, depth)
        if callees & _NAMESPACES and not owner.args:
            names = (ast.Name(name, ast.Load()) for name in fold_constant(key, scope, depth))
            found = (_named(name, scope.module(), depth) for name in names)
            return frozenset(name for several in found for name in several)
        if "builtins.vars" in callees and owner.args:
            return _members(qualified_names(owner.args[0], scope, depth), key, scope, depth)
    owners = qualified_names(owner, scope, depth)
    of_modules = {name.removesuffix(".__dict__") for name in owners if name.endswith(".__dict__")}
    if "sys.modules" in owners:
        return frozenset(fold_constant(key, scope, depth))
    return _members(of_modules | (owners & {"builtins"}), key, scope, depth)


def _members(owners: AbstractSet[str], name: ast.expr, scope: Scope, depth: int) -> frozenset[str]:
    return frozenset(
        f"{owner}.{member}" for owner in owners for member in fold_constant(name, scope, depth)
    )


_KEY_READERS: Final = frozenset({"__getitem__", "get"})
_ATTRIBUTE_READERS: Final = frozenset(
    {"builtins.getattr", "builtins.object.__getattribute__", "inspect.getattr_static"}
)
_IMPORTERS: Final = frozenset(
    {"builtins.__import__", "importlib.__import__", "importlib.import_module"}
)
_NAMESPACES: Final = frozenset({"builtins.globals", "builtins.locals", "builtins.vars"})


_Folding: TypeAlias = Callable[[Any, Scope, int], ConstantSet]

_FOLDINGS: Final[dict[type[ast.AST], _Folding]] = {
    ast.BinOp: _operation,
    ast.BoolOp: _either,
    ast.Call: _call,
    ast.IfExp: _either,
    ast.JoinedStr: _formatted,
    ast.Name: _name,
    ast.NamedExpr: _walrus,
    ast.Subscript: _look_up,
}
