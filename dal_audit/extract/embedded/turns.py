"""What names stand for in each turn of a loop over a literal, and in a function that is called."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, TypeAlias

from dal_audit.extract.python.dialect_tests import Values
from dal_audit.extract.python.parse.walk import Function

Named: TypeAlias = tuple[tuple[str, ast.expr], ...]
"""Names, and what they stand for."""

_MOST: Final = 40
"""A longer literal is not followed turn by turn."""
_HOPS: Final = 4


def turns_of(loop: ast.For, values: Sequence[Values]) -> list[Named]:
    """Return what the names of a loop stand for in each turn; none where not all is known."""
    members = _members(loop.iter, values)
    turns = [_bound(loop.target, member) for member in members[:_MOST]]
    return turns if len(members) <= _MOST and all(turns) else []


def _members(node: ast.expr, values: Sequence[Values]) -> Sequence[ast.expr]:
    """Return the members of a literal, or those of a dictionary's `items()`."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and not node.args:
        table = _followed(node.func.value, values)
        if isinstance(table, ast.Dict) and node.func.attr == "items":
            return [
                ast.Tuple([key, value], ast.Load())
                for key, value in zip(table.keys, table.values, strict=True)
                if key is not None
            ]
    node = _followed(node, values)
    return node.elts if isinstance(node, (ast.List, ast.Tuple, ast.Set)) else ()


def _followed(node: ast.expr, values: Sequence[Values]) -> ast.expr:
    for _hop in range(_HOPS):
        name = node.id if isinstance(node, ast.Name) else ""
        node = next((own[name] for own in reversed(values) if name in own), node)
    return node


def _bound(target: ast.expr, member: ast.expr) -> Named:
    """Return what a target's names stand for; nothing where it takes more apart than is known."""
    if isinstance(target, ast.Name):
        return ((target.id, member),)
    if not isinstance(target, (ast.Tuple, ast.List)) or not isinstance(
        member, (ast.Tuple, ast.List)
    ):
        return ()
    if len(target.elts) != len(member.elts):
        return ()
    several = [_bound(own, part) for own, part in zip(target.elts, member.elts, strict=True)]
    return tuple(pair for pairs in several for pair in pairs) if all(several) else ()


def handed(call: ast.Call, function: Function) -> Iterator[tuple[str, ast.expr]]:
    """Yield what a function's parameters stand for that is called."""
    parameters = [*function.args.posonlyargs, *function.args.args]
    given = [own for own in call.args if not isinstance(own, ast.Starred)]
    taken = {keyword.arg for keyword in call.keywords}
    for parameter, argument in zip(parameters, given, strict=False):
        yield parameter.arg, argument
    yield from (
        (keyword.arg, keyword.value) for keyword in call.keywords if keyword.arg is not None
    )
    defaults = function.args.defaults
    for parameter, default in zip(
        parameters[len(parameters) - len(defaults) :], defaults, strict=True
    ):
        if parameters.index(parameter) >= len(given) and parameter.arg not in taken:
            yield parameter.arg, default


def truth_of(test: ast.expr, named: Mapping[str, ast.expr]) -> bool | None:
    """Return whether a comparison of names' values with literals holds; None where that is open."""
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        inner = truth_of(test.operand, named)
        return None if inner is None else not inner
    if not isinstance(test, ast.Compare) or len(test.ops) != 1:
        return None
    own, other = _value_of(test.left, named), test.comparators[0]
    if own is None:
        return None
    operator = test.ops[0]
    if isinstance(operator, (ast.Eq, ast.NotEq)):
        second = _value_of(other, named)
        return None if second is None else (own == second) == isinstance(operator, ast.Eq)
    members = other.elts if isinstance(other, (ast.List, ast.Tuple, ast.Set)) else []
    values = [_value_of(member, named) for member in members]
    if not isinstance(operator, (ast.In, ast.NotIn)) or not values or None in values:
        return None
    return (own in values) == isinstance(operator, ast.In)


def _value_of(node: ast.expr, named: Mapping[str, ast.expr]) -> str | None:
    """Return the text that an expression is: a literal, a name's, or a member of its table."""
    if isinstance(node, ast.Name):
        node = named.get(node.id, node)
    elif isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name):
        table = named.get(node.value.id)
        pairs = zip(table.keys, table.values, strict=True) if isinstance(table, ast.Dict) else ()
        wanted = ast.dump(node.slice)
        node = next((own for key, own in pairs if key and ast.dump(key) == wanted), node)
    is_text = isinstance(node, ast.Constant) and isinstance(node.value, str)
    return node.value if is_text else None  # type: ignore[attr-defined]
