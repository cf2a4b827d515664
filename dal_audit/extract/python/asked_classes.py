"""Which classes are asked for, or caught, by a name that the file itself has bound to them.

`FAILURES = (sqlite3.Error, OSError)` and `except FAILURES`: what is caught is what the name holds.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from functools import partial

from msgspec import Struct

from dal_audit.extract.python.bindings import SAME_ELEMENTS
from dal_audit.extract.python.constant_folding import fold_constant
from dal_audit.extract.python.constant_sets import MAX_DEPTH
from dal_audit.extract.python.definitions import OWN, chosen
from dal_audit.extract.python.expression_uses import (
    NameUse,
    Question,
    dotted_name,
    last_name,
)
from dal_audit.extract.python.literal_values import elements_of, follow_assignment
from dal_audit.extract.python.look_ups import values_of_key
from dal_audit.extract.python.scopes import Assigned, Binding, Declared, Imported, Scope


class _Part(Struct, frozen=True):
    """An expression that is asked for, and the one that stands for it in the question."""

    node: ast.expr
    scope: Scope
    place: ast.expr | None = None
    depth: int = 0

    @property
    def key(self) -> tuple[int, int]:
        """What tells it from others of the same question."""
        return id(self.node), id(self.place)

    def inner(self, node: ast.expr) -> _Part:
        """Return a part of the expression, which is read where that stands."""
        return _Part(node, self.scope, self.place, self.depth + 1)

    def bound(self, node: ast.expr, scope: Scope) -> _Part:
        """Return what a name or a look-up stands for, which is read somewhere else."""
        return _Part(node, scope, self.place or self.node, self.depth + 1)


def asked_for(question: Question) -> Iterator[NameUse]:
    """Yield the imported names that a question means and does not spell, at what it spells."""
    waiting = [_Part(question.node, question.scope)]
    seen: set[tuple[int, int]] = set()
    while waiting:
        part = waiting.pop()
        if part.key in seen or part.depth > MAX_DEPTH:
            continue
        seen.add(part.key)
        dotted = dotted_name(part.node)
        if part.place is not None and dotted and _is_imported(dotted, part.scope):
            spelled = dotted_name(part.place)
            place = question.string or part.place
            yield NameUse(place, dotted, part.scope, question.role, spelled)
        else:
            waiting += _meant(part)


def _is_imported(dotted: str, scope: Scope) -> bool:
    bindings = scope.lookup(dotted.partition(".")[0])
    return any(isinstance(binding, Imported) for binding in bindings)


def _meant(part: _Part) -> Iterator[_Part]:
    """Yield what an expression stands for: the parts of a collection, what a name is bound to."""
    node, scope = part.node, part.scope
    match node:
        case ast.Name():
            yield from _bound(part, scope.lookup(node.id))
        case ast.Attribute(value=ast.Name(id=owner), attr=name) if owner in OWN:
            yield from _bound(part, scope.of_class(name))
        case ast.Subscript():
            table = follow_assignment(node.value, scope)
            if isinstance(table, ast.Dict):
                fold = partial(fold_constant, scope=scope)
                for value in values_of_key(table, node.slice, fold):
                    yield part.bound(value, scope)
        case ast.Call(args=[several]) if last_name(node.func) in SAME_ELEMENTS:
            yield part.inner(several)
        case _:
            yield from map(part.inner, _alternatives(node))


def _alternatives(node: ast.expr) -> list[ast.expr]:
    """Return the expressions of which one is meant."""
    match node:
        case ast.Tuple() | ast.List() | ast.Set():
            return node.elts
        case ast.Starred():
            return [node.value]
        case ast.BinOp(op=ast.Add() | ast.BitOr()):
            return [node.left, node.right]
        case ast.IfExp() | ast.BoolOp():
            return chosen(node)
        case _:
            return []


def _bound(part: _Part, bindings: Sequence[Binding]) -> Iterator[_Part]:
    for binding in bindings:
        if isinstance(binding, Assigned):
            for value in elements_of(binding) if binding.each else [binding.value]:
                yield part.bound(value, binding.scope)
        elif isinstance(binding, Declared) and binding.default is not None:
            yield part.bound(binding.default, binding.scope)
