"""Fold expressions to the strings that they can be, without guessing.

Literals, `+`, `%`, f-strings, `.format`, `.join`, names assigned once, loops over literals and
look-ups in literal dictionaries are folded; what is unknown becomes `UNKNOWN` inside a longer text
(`f"sqlalchemy.dialects.{name}"`), so that a known beginning still counts. Each text keeps of its
characters by which literals they are spelled (`SpelledText`).
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import count, product
from math import prod
from typing import Any, Final, TypeAlias

from dal_audit.extract.holes import UNKNOWN
from dal_audit.extract.python.bindings import bind_parameters
from dal_audit.extract.python.constant_methods import (
    FUNCTIONS,
    KEEP_HOLES,
    METHODS,
    OF_BYTES,
    applied,
    decoded,
    encoded,
)
from dal_audit.extract.python.constant_sets import (
    MAX_CANDIDATES,
    MAX_DEPTH,
    MAX_LENGTH,
    NOTHING,
    ConstantSet,
    added,
    concatenated,
    literal_text,
    value_of_key,
)
from dal_audit.extract.python.literal_values import (
    attribute_of_class,
    elements_of,
    follow_assignment,
    literal_elements,
    only_binding,
)
from dal_audit.extract.python.look_ups import element_of, found_or_default, has_default, part_of
from dal_audit.extract.python.qualified_names import QualifiedNames
from dal_audit.extract.python.scopes import Assigned, Binding, Defined, Scope
from dal_audit.extract.python.spelled_text import spelled
from dal_audit.extract.python.text_formats import (
    converted,
    fields_of,
    format_values,
    in_format,
    percent_fields,
    template_fields,
)


def fold_constant(node: ast.expr, scope: Scope, depth: int = 0) -> ConstantSet:
    """Return the texts that an expression can be, sorted; `(UNKNOWN,)` where nothing is known."""
    return tuple(map(str, fold_spelled(node, scope, depth)))


def fold_spelled(node: ast.expr, scope: Scope, depth: int = 0) -> ConstantSet:
    """Return the same texts, each with the places where it is spelled, as far as it has any."""
    if depth > MAX_DEPTH:
        return NOTHING
    found = _fold(node, scope, depth + 1)
    unique = sorted({text for text in found if len(text) <= MAX_LENGTH})
    return tuple(unique) if unique and len(unique) <= MAX_CANDIDATES else NOTHING


def _fold(node: ast.expr, scope: Scope, depth: int) -> ConstantSet:
    if isinstance(node, ast.Constant):
        return literal_text(node)
    folding = _FOLDINGS.get(type(node))
    return folding(node, scope, depth) if folding is not None else NOTHING


def _formatted(node: ast.JoinedStr, scope: Scope, depth: int) -> ConstantSet:
    parts: list[ConstantSet] = []
    fields = 0
    for part in node.values:
        if isinstance(part, ast.Constant):
            parts.append((spelled(str(part.value), node, fields),))
        else:
            fields += 1
            parts.append(_piece(part, scope, depth))
    return concatenated(parts)


def _operation(node: ast.BinOp, scope: Scope, depth: int) -> ConstantSet:
    if isinstance(node.op, ast.Add):
        return concatenated([fold_spelled(part, scope, depth) for part in added(node)])
    return _percent(node, scope, depth) if isinstance(node.op, ast.Mod) else NOTHING


def _either(node: ast.IfExp | ast.BoolOp, scope: Scope, depth: int) -> ConstantSet:
    values = node.values if isinstance(node, ast.BoolOp) else [node.body, node.orelse]
    if isinstance(node, ast.IfExp) and (holds := _holds(node.test, scope, depth)) is not None:
        values = [node.body if holds else node.orelse]
    return tuple(text for value in values for text in fold_spelled(value, scope, depth))


def _holds(test: ast.expr, scope: Scope, depth: int) -> bool | None:
    """Return whether a test that compares two texts holds; None where that is open."""
    if not isinstance(test, ast.Compare) or len(test.ops) > 1:
        return None
    operator, sides = test.ops[0], (test.left, test.comparators[0])
    if not isinstance(operator, (ast.Eq, ast.NotEq)):
        return None
    before, after = (_only_text(side, scope, depth) for side in sides)
    if before is None or after is None:
        return None
    return (before == after) == isinstance(operator, ast.Eq)


def _only_text(node: ast.expr, scope: Scope, depth: int) -> str | None:
    """Return the text that an expression always is; None where that is open.

    An attribute is: what sets it on an object, or in a class that inherits it, is not known.
    """
    written = follow_assignment(node, scope)
    is_number = isinstance(written, ast.Constant) and not isinstance(written.value, str)
    if is_number or any(isinstance(part, ast.Attribute) for part in ast.walk(written)):
        return None
    texts = fold_constant(node, scope, depth)
    return texts[0] if len(texts) == 1 and UNKNOWN not in texts[0] else None


def _piece(node: ast.expr, scope: Scope, depth: int) -> ConstantSet:
    """Fold one part of an f-string; a conversion other than `!s` is not followed."""
    if not isinstance(node, ast.FormattedValue):
        return fold_spelled(node, scope, depth)
    if node.conversion not in {-1, ord("s")}:
        return NOTHING
    found = fold_spelled(node.value, scope, depth)
    if node.format_spec is None:
        return found
    wanted = fold_spelled(node.format_spec, scope, depth)
    return tuple(in_format(text, only) for text in found for only in wanted)


def _percent(node: ast.BinOp, scope: Scope, depth: int) -> ConstantSet:
    """Fold `"…" % …`; a value that is not known, or not formatted in a way that is, is a hole."""
    return tuple(
        made
        for text in fold_spelled(node.left, scope, depth)
        for made in _converted(text, node.right, scope, depth)
    )


def _converted(text: str, values: ast.expr, scope: Scope, depth: int) -> ConstantSet:
    try:
        fields = list(percent_fields(text))
    except ValueError:
        return NOTHING
    wanted = sum(field is not None for _, field in fields)
    by_position = values.elts if isinstance(values, ast.Tuple) else [values] * (wanted == 1)
    if isinstance(values, ast.Tuple) and len(by_position) != wanted:
        return NOTHING
    positions = iter(by_position)
    parts: list[ConstantSet] = []
    for literal, field in fields:
        parts.append((literal,))
        if field is None:
            continue
        value = next(positions, None)
        value = value_of_key(values, field.name) if field.name else value
        texts = NOTHING if value is None else fold_spelled(value, scope, depth)
        parts.append(tuple(converted(only, field.how) for only in texts))
    return concatenated(parts)


def _call(node: ast.Call, scope: Scope, depth: int) -> ConstantSet:
    """Fold a call of a text's method, or of a function that makes one text of another."""
    func = node.func
    if isinstance(func, ast.Attribute) and func.attr in METHODS:
        return _applied(
            METHODS[func.attr], fold_spelled(func.value, scope, depth), node.args, scope, depth
        )
    if isinstance(func, ast.Attribute) and func.attr == "decode":
        return _applied(decoded, fold_bytes(func.value, scope, depth), node.args, scope, depth)
    made = _by_function(FUNCTIONS, node, scope, depth)
    if made is not None:
        return made
    if has_default(node):
        return _looked_up(node, scope, depth)
    if isinstance(func, ast.Name):
        return _returned(func, scope, depth)
    return _method(node, func, scope, depth) if isinstance(func, ast.Attribute) else NOTHING


def _returned(func: ast.Name, scope: Scope, depth: int) -> ConstantSet:
    """Fold what a function of the module returns, which does nothing else."""
    found = only_binding(func.id, scope)
    if not isinstance(found, Defined) or not isinstance(found.node, ast.FunctionDef):
        return NOTHING
    *before, last = found.node.body
    does_more = found.node.decorator_list or not all(isinstance(part, ast.Expr) for part in before)
    if does_more or not isinstance(last, ast.Return) or last.value is None:
        return NOTHING
    inside = found.scope.open("function")
    bind_parameters(found.node.args, inside)
    return fold_spelled(last.value, inside, depth)


def _looked_up(node: ast.Call, scope: Scope, depth: int) -> ConstantSet:
    """Fold a call that looks something up, and may say what stands in for it."""
    owner = node.func.value if isinstance(node.func, ast.Attribute) else node.func
    fold = partial(fold_spelled, scope=scope, depth=depth)
    return found_or_default(node, follow_assignment(owner, scope), fold)


def fold_bytes(node: ast.expr, scope: Scope, depth: int = 0) -> ConstantSet:
    """Return the bytes that an expression can be, as the texts of the same values."""
    if depth > MAX_DEPTH:
        return NOTHING
    made = follow_assignment(node, scope)
    if isinstance(made, ast.Constant) and isinstance(made.value, bytes):
        return (made.value.decode("latin-1"),)
    if not isinstance(made, ast.Call):
        return NOTHING
    if isinstance(made.func, ast.Attribute) and made.func.attr == "encode":
        texts = fold_spelled(made.func.value, scope, depth + 1)
        return _applied(encoded, texts, made.args, scope, depth + 1)
    return _by_function(OF_BYTES, made, scope, depth + 1) or NOTHING


def fold_source(node: ast.expr, scope: Scope) -> ConstantSet:
    """Return the texts that an expression can be, or its bytes where it is none."""
    return tuple(map(str, _source(node, scope, 0)))


def _source(node: ast.expr, scope: Scope, depth: int) -> ConstantSet:
    texts = fold_spelled(node, scope, depth)
    return fold_bytes(node, scope, depth) if texts == NOTHING else texts


def _by_function(
    functions: Mapping[str, Callable[..., str]], node: ast.Call, scope: Scope, depth: int
) -> ConstantSet | None:
    """Fold a call of one of these functions; None for a call of another."""
    names = qualified_names(node.func, scope, depth).intersection(functions)
    named = [keyword.value for keyword in node.keywords if keyword.arg in {"source", "encoding"}]
    arguments = [*node.args, *named]
    if not names or not arguments:
        return None
    texts = _source(arguments[0], scope, depth)
    return _applied(functions[min(names)], texts, arguments[1:], scope, depth)


def _applied(
    function: Callable[..., str],
    texts: ConstantSet,
    arguments: Sequence[ast.expr],
    scope: Scope,
    depth: int,
) -> ConstantSet:
    """Fold a function of constant texts."""
    folded = [texts, *(fold_spelled(argument, scope, depth) for argument in arguments)]
    torn = any(UNKNOWN in text for text in texts) and function not in KEEP_HOLES
    if torn or prod(map(len, folded)) > MAX_CANDIDATES:
        return NOTHING
    made = [applied(function, *chosen) for chosen in product(*folded)]
    return tuple(UNKNOWN if text is None else text for text in made)


def _method(node: ast.Call, func: ast.Attribute, scope: Scope, depth: int) -> ConstantSet:
    """Fold `"…".format(…)`, `"…".join([…])` and `Template("…").substitute(…)`."""
    texts = fold_spelled(func.value, scope, depth)
    if func.attr == "join" and len(texts) == len(node.args) == 1:
        return _joined(texts, node.args[0], scope, depth)
    if func.attr == "format" and UNKNOWN not in texts:
        return tuple(made for text in texts for made in _format(text, node, scope, depth))
    if func.attr in _SUBSTITUTIONS and UNKNOWN not in texts:
        return tuple(made for text in texts for made in _substituted(text, node, scope, depth))
    return NOTHING


def _substituted(text: str, node: ast.Call, scope: Scope, depth: int) -> ConstantSet:
    """Fold what a `string.Template` of this text makes of values by their names."""
    values = format_values(node)
    table = values.get("0")
    parts: list[ConstantSet] = []
    for literal, name in template_fields(text):
        parts.append((literal,))
        if name is not None:
            in_table = value_of_key(table, name) if table is not None else None
            value = values.get(name, in_table)
            parts.append(NOTHING if value is None else fold_spelled(value, scope, depth))
    return concatenated(parts)


def _joined(between: ConstantSet, node: ast.expr, scope: Scope, depth: int) -> ConstantSet:
    argument = follow_assignment(node, scope)
    if not isinstance(argument, (ast.List, ast.Tuple)) or not (argument is node or argument.elts):
        return NOTHING  # A list with a name is empty so that it is filled.
    parts: list[ConstantSet] = []
    for element in argument.elts:
        parts += [between, fold_spelled(element, scope, depth)]
    return concatenated(parts[1:])


def _format(text: str, node: ast.Call, scope: Scope, depth: int) -> ConstantSet:
    """Fold the fields `{}`, `{0}`, `{name}` and `{:d}`; any other kind is a hole."""
    values = format_values(node)
    automatic = count()
    parts: list[ConstantSet] = []
    try:
        for literal, field in fields_of(text):
            parts.append((literal,))
            if field is None:
                continue
            value = values.get(field.name or str(next(automatic)))
            known = value if not field.conversion else None
            texts = NOTHING if known is None else fold_spelled(known, scope, depth)
            parts.append(tuple(in_format(only, field.specification) for only in texts))
    except ValueError:
        return NOTHING
    return concatenated(parts)


def _of_class(node: ast.Attribute, scope: Scope, depth: int) -> ConstantSet:
    """Fold what is read of a class of the module, where the class's body says it once.

    The `value` of a member of an enumeration is what that is set to.
    """
    if node.attr == "value" and isinstance(node.value, ast.Attribute):
        return _of_class(node.value, scope, depth)
    bindings = attribute_of_class(node, scope)
    return _bound(bindings[0], depth) if len(bindings) == 1 else NOTHING


def _name(node: ast.Name, scope: Scope, depth: int) -> ConstantSet:
    return _bound(only_binding(node.id, scope), depth)


def _bound(binding: Binding, depth: int) -> ConstantSet:
    if not isinstance(binding, Assigned):
        return NOTHING
    if not binding.each:
        return fold_spelled(binding.value, binding.scope, depth)
    elements = elements_of(binding)
    found = tuple(
        text for element in elements for text in fold_spelled(element, binding.scope, depth)
    )
    return found or NOTHING


def fold_elements(node: ast.expr, scope: Scope) -> ConstantSet:
    """Return the texts in a literal collection; of a dictionary, its keys."""
    elements = literal_elements(node, scope)
    return tuple(text for element in elements for text in fold_constant(element, scope)) or NOTHING


def _look_up(node: ast.Subscript, scope: Scope, depth: int) -> ConstantSet:
    """Fold a look-up in a literal dictionary or list, or a part of a text."""
    fold = partial(fold_spelled, scope=scope, depth=depth)
    if isinstance(node.slice, ast.Slice):
        return part_of(fold(node.value), node.slice)
    return element_of(follow_assignment(node.value, scope), node.slice, fold)


def qualified_names(node: ast.expr, scope: Scope, depth: int = 0) -> frozenset[str]:
    """Return the dotted names that an expression can mean, as `QualifiedNames` reads them."""
    return _NAMES.of(node, scope, depth)


_NAMES: Final = QualifiedNames(fold_constant)


_SUBSTITUTIONS: Final = frozenset({"substitute", "safe_substitute"})

_Folding: TypeAlias = Callable[[Any, Scope, int], ConstantSet]

_FOLDINGS: Final[dict[type[ast.AST], _Folding]] = {
    ast.Attribute: _of_class,
    ast.BinOp: _operation,
    ast.BoolOp: _either,
    ast.Call: _call,
    ast.IfExp: _either,
    ast.JoinedStr: _formatted,
    ast.Name: _name,
    ast.NamedExpr: lambda node, scope, depth: fold_spelled(node.value, scope, depth),
    ast.Subscript: _look_up,
}
