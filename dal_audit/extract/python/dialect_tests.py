"""Tests for the engine: for which engines a condition can be true, and for which false.

A test is understood where its text says so itself: something is compared with an engine's name
(`bind.dialect.name == "sqlite"`, `connection.vendor in (…)`), is an object of a class that is named
after one (`isinstance(engine, PostgresEngine)`), or is called so (`is_sqlite()`); also by way of a
name that is assigned once, and of a function of the module that returns such a test.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple, TypeAlias

from dal_audit.catalogue.engine_words import ANY_ENGINE, engine_of, engines_in
from dal_audit.extract.python.expression_uses import last_name
from dal_audit.extract.python.parse.walk import FUNCTIONS, Function

Engines: TypeAlias = frozenset[str]

ANY: Final[Engines] = ANY_ENGINE

Values: TypeAlias = Mapping[str, ast.expr]
"""What the names of a block are assigned once."""

_SAYS: Final = frozenset({"is", "use", "uses", "using", "on", "for"})
"""Words with which a test is called that asks for one engine: `is_sqlite`, `using_postgres`.

`is` may stand within: `database_is_sqlite`.
"""
_HOPS: Final = 5
"""How many names or functions a test may lie behind."""


class Sides(NamedTuple):
    """The engines for which a test can be true, and those for which it can be false."""

    holds: Engines = ANY
    fails: Engines = ANY

    def __invert__(self) -> Sides:
        """Return the sides of the opposite test."""
        return Sides(self.fails, self.holds)


UNTOLD: Final = Sides()
"""The sides of a test that asks for no engine."""


def assigned_once(body: Iterable[ast.stmt]) -> Values:
    """Return what the names of a block are assigned, of those that are assigned once in it."""
    found: dict[str, ast.expr] = {}
    again: set[str] = set()
    for statement in body:
        targets = statement.targets if isinstance(statement, ast.Assign) else []
        for target in targets:
            if isinstance(target, ast.Name):
                again |= found.keys() & {target.id}
                found[target.id] = statement.value  # type: ignore[attr-defined]  # it has targets
    return {name: value for name, value in found.items() if name not in again}


class DialectTests:
    """Reads the tests of a module, whose functions and names they may use."""

    def __init__(self, tree: ast.Module) -> None:
        """Take the module."""
        self._functions = {
            function.name: function for function in tree.body if isinstance(function, FUNCTIONS)
        }
        self.blocks: list[Values] = [assigned_once(tree.body)]
        """The names of the module and of the functions around the place that is looked at."""

    def sides(self, node: ast.expr, hops: int = 0) -> Sides:
        """Return for which engines a test can be true, and for which it can be false."""
        meant = self.followed(node)
        hops += meant is not node  # A name can stand for a test with that name in it.
        ask = _TESTS.get(type(meant))
        return ask(self, meant, hops) if ask is not None and hops < _HOPS else UNTOLD

    def followed(self, node: ast.expr) -> ast.expr:
        """Follow names that are assigned once to what they are assigned."""
        for _hop in range(_HOPS):
            name = node.id if isinstance(node, ast.Name) else ""
            values = (block[name] for block in reversed(self.blocks) if name in block)
            value = next(values, None)
            if value is None:
                break
            node = value
        return node

    def inverted(self, node: ast.UnaryOp, hops: int) -> Sides:
        """Read `not …`."""
        return ~self.sides(node.operand, hops) if isinstance(node.op, ast.Not) else UNTOLD

    def joined(self, node: ast.BoolOp, hops: int) -> Sides:
        """Read `… and …`, `… or …`."""
        sides = [self.sides(value, hops) for value in node.values]
        if isinstance(node.op, ast.Or):
            return ~_both([~side for side in sides])
        return _both(sides)

    def comparison(self, node: ast.Compare, hops: int) -> Sides:
        """Read a comparison with the names of engines, or of a test with a truth value."""
        if len(node.ops) != 1:
            return UNTOLD
        operator, truth = node.ops[0], getattr(node.comparators[0], "value", None)
        if isinstance(truth, bool):
            inner = self.sides(node.left, hops + 1)
            is_same = isinstance(operator, (ast.Eq, ast.Is)) is truth
            is_read = isinstance(operator, (ast.Eq, ast.Is, ast.NotEq, ast.IsNot))
            return (inner if is_same else ~inner) if is_read else UNTOLD
        named = self._named_by(node.comparators[0]) or self._named_by(node.left)
        sides = _sides_of(named)
        if isinstance(operator, (ast.Eq, ast.Is, ast.In)):
            return sides
        return ~sides if isinstance(operator, (ast.NotEq, ast.IsNot, ast.NotIn)) else UNTOLD

    def call(self, node: ast.Call, hops: int) -> Sides:
        """Read `isinstance(…)`, `….startswith(…)`, and a function that tells by its name."""
        name = last_name(node.func)
        if name == "isinstance" and len(node.args) == 2:  # noqa: PLR2004  # an object, its class
            return self._class_test(node.args[1])
        if name == "startswith" and node.args:
            return _sides_of(self._named_by(node.args[0]))
        is_own = isinstance(node.func, ast.Name) and name in self._functions
        sides = self._result(self._functions[name], hops + 1) if is_own else UNTOLD
        return _by_name(name) if sides == UNTOLD else sides

    def name(self, node: ast.Name | ast.Attribute, _hops: int) -> Sides:
        """Read a name that tells by itself: `is_sqlite`."""
        return _by_name(last_name(node))

    def _result(self, function: Function, hops: int) -> Sides:
        """Return for which engines a function can return a true value, and a false one.

        Its last statement returns a test, and what stands before may return early.
        """
        last = function.body[-1]
        if not isinstance(last, ast.Return) or last.value is None:
            return UNTOLD
        self.blocks.append(assigned_once(function.body))
        sides = self.sides(last.value, hops)
        for statement in reversed(function.body[:-1]):
            early = _returned_early(statement)
            if early is not None:
                test = self.sides(early.test, hops)
                sides = _behind(test, sides) if not early.value else ~_behind(test, ~sides)
        self.blocks.pop()
        return sides

    def _named_by(self, node: ast.expr) -> Engines:
        """Return the engines that a text, or a collection of texts, names; none if it is other."""
        node = self.followed(node)
        members = node.elts if isinstance(node, (ast.List, ast.Tuple, ast.Set)) else [node]
        named = {engine_named(self.followed(member)) for member in members}
        return frozenset(named) if named and "" not in named else frozenset()

    def _class_test(self, node: ast.expr) -> Sides:
        node = self.followed(node)
        members = node.elts if isinstance(node, ast.Tuple) else [node]
        named = [engines_in(last_name(member)) for member in members]
        is_told = bool(named) and all(len(engines) == 1 for engines in named)
        return _sides_of(frozenset().union(*named)) if is_told else UNTOLD


def engine_named(node: ast.expr | None) -> str:
    """Return the engine that a literal, or the member of an enumeration, is the name of.

    The name may be that of its URL's scheme; empty for anything else.
    """
    if isinstance(node, ast.Attribute):
        own = node.value if node.attr in {"value", "name"} else node
        return engine_of(last_name(own)) if last_name(own).isupper() else ""
    value = node.value if isinstance(node, ast.Constant) else None
    if not isinstance(value, str):
        return ""
    if value.startswith("django."):  # The setting `ENGINE` names a module.
        named = engines_in(value.rpartition(".")[2])
        return next(iter(named)) if len(named) == 1 else ""
    return engine_of(value.partition(":")[0].partition("+")[0])


class _Early(NamedTuple):
    """A condition under which a function returns a known value before its end."""

    test: ast.expr
    value: bool


def _returned_early(statement: ast.stmt) -> _Early | None:
    if not isinstance(statement, ast.If) or statement.orelse:
        return None
    last = statement.body[-1]
    value = last.value if isinstance(last, ast.Return) else None
    is_known = isinstance(value, ast.Constant)
    return _Early(statement.test, bool(value.value)) if is_known else None  # type: ignore[union-attr]


def _behind(test: Sides, rest: Sides) -> Sides:
    """Return the sides of a value that is false where a test holds, and else the rest's."""
    return Sides(test.fails & rest.holds, test.holds | (test.fails & rest.fails))


def _both(sides: Sequence[Sides]) -> Sides:
    """Return when all of some tests hold."""
    holds = ANY.intersection(*(side.holds for side in sides))
    fails = frozenset[str]().union(*(side.fails for side in sides))
    return Sides(holds, fails)


def _sides_of(engines: Engines) -> Sides:
    return Sides(engines, ANY - engines) if engines else UNTOLD


def _by_name(name: str) -> Sides:
    """Return what a test asks for by its own name."""
    words = name.lower().strip("_").split("_")
    named = engines_in(name)
    if len(named) != 1 or (words[0] not in _SAYS and "is" not in words):
        return UNTOLD
    sides = _sides_of(named)
    return ~sides if "not" in words else sides


_Ask: TypeAlias = Callable[[DialectTests, Any, int], Sides]

_TESTS: Final[dict[type[ast.expr], _Ask]] = {
    ast.Attribute: DialectTests.name,
    ast.BoolOp: DialectTests.joined,
    ast.Call: DialectTests.call,
    ast.Compare: DialectTests.comparison,
    ast.Name: DialectTests.name,
    ast.UnaryOp: DialectTests.inverted,
}
