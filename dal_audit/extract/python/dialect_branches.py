"""Branches on the engine: which engines run what stands at a place of a module.

Where a branch ends in `return` or `raise`, the rest of its block is the other one. A class that is
named after an engine is for that engine, and so are functions and constants that are, and the value
of a table under an engine's name.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Sequence
from typing import Any, Final, NamedTuple, TypeAlias

from dal_audit.catalogue.engine_words import engine_of, engines_in
from dal_audit.extract.python.dialect_tests import (
    ANY,
    UNTOLD,
    DialectTests,
    Engines,
    assigned_once,
    engine_named,
)
from dal_audit.extract.python.expression_uses import last_name
from dal_audit.extract.python.parse.import_places import blocks_of
from dal_audit.extract.python.parse.walk import FUNCTIONS, Function, children, nodes_in
from dal_audit.extract.python.prefilter.sql_marks import executes

_LEAVING: Final = (ast.Return, ast.Raise, ast.Continue, ast.Break)
_LIMITING: Final = frozenset({"only", "require", "required", "requires"})
"""Words of decorators that let a function run on an engine alone: `postgres_only`."""

_ASKING: Final = frozenset({"check", "ensure", "require", "validate", "verify"})
"""What functions do to an engine whose name follows: `validate_postgres_extensions`."""

_ENGINE: Final = "ENGINE"

_Position: TypeAlias = tuple[int, int]


class _Region(NamedTuple):
    """A stretch of the module, by lines and UTF-8 columns, and the engines that run it."""

    start: _Position
    end: _Position
    engines: Engines


class DialectBranches:
    """Tells of each node of a module which engines run it."""

    def __init__(self, tree: ast.Module) -> None:
        """Look for branches."""
        self._tests = DialectTests(tree)
        self._regions: list[_Region] = []
        self._told: set[int] = set()
        self._chosen: dict[str, list[Engines]] = {}
        self._block(tree.body)
        if self._chosen:
            self._functions(tree)

    def engines_at(self, *nodes: ast.AST) -> tuple[str, ...] | None:
        """Return the engines that run all of some nodes; None where nothing narrows them."""
        found = ANY
        for node in nodes:
            at = (getattr(node, "lineno", 0), getattr(node, "col_offset", 0))
            for region in self._regions:
                if region.start <= at < region.end:
                    found &= region.engines
        return None if found == ANY else tuple(sorted(found))

    def tells(self, node: ast.If) -> bool:
        """Return whether a condition asks for the engine."""
        return id(node) in self._told

    def _block(self, body: Sequence[ast.stmt]) -> Engines:
        """Look into a block; return the engines that come to its end."""
        flow = ANY
        for number, statement in enumerate(body):
            flow &= self._statement(statement)
            self._note(body[number + 1 :], flow)
            if isinstance(statement, _LEAVING):
                return frozenset()
        return flow

    def _statement(self, statement: ast.stmt) -> Engines:
        """Look into a statement; return the engines that go on behind it in its block."""
        for child in children(statement):
            if isinstance(child, ast.expr):
                self._expression(child)
        if isinstance(statement, (ast.Assign, *FUNCTIONS)):
            self._named(statement)
        if isinstance(statement, ast.If):
            return self._if(statement)
        if isinstance(statement, (ast.With, ast.AsyncWith)):
            return self._block(statement.body)
        if isinstance(statement, ast.Assert):
            return self._tests.sides(statement.test).holds
        self._inner(statement)
        return ANY

    def _inner(self, statement: ast.stmt) -> None:
        """Look into what has names or an order of its own."""
        if isinstance(statement, FUNCTIONS):
            self._tests.blocks.append(assigned_once(statement.body))
        for block in blocks_of(statement):
            self._block(block)
        if isinstance(statement, FUNCTIONS):
            self._tests.blocks.pop()
        elif isinstance(statement, ast.Match):
            self._match(statement)
        elif isinstance(statement, ast.ClassDef):
            self._class(statement)

    def _if(self, statement: ast.If) -> Engines:
        sides = self._tests.sides(statement.test)
        if sides != UNTOLD:
            self._told.add(id(statement))
        self._note(statement.body, sides.holds)
        self._note(statement.orelse, sides.fails)
        holds = sides.holds & self._block(statement.body)
        return holds | (sides.fails & self._block(statement.orelse))

    def _match(self, statement: ast.Match) -> None:
        left = ANY
        for case in statement.cases:
            named = _engines_of_pattern(case.pattern)
            self._note(case.body, left if named is None else named)
            left = left if named is None or case.guard is not None else left - named

    def _named(self, statement: ast.Assign | Function) -> None:
        """Note that what is named after an engine is for it: `SQLITE_TABLES`, `search_postgres`.

        A function is so only where the name begins or ends with it.
        """
        if isinstance(statement, ast.Assign):
            self._note([statement.value], _engine_named_by(last_name(statement.targets[0])))
            return
        if _is_named_after_engine(statement.name):
            self._note(statement.body, _engine_named_by(statement.name))
        for decorator in statement.decorator_list:
            name = last_name(decorator.func if isinstance(decorator, ast.Call) else decorator)
            if _LIMITING & set(name.lower().split("_")):
                self._note(statement.body, _engine_named_by(name))

    def _class(self, statement: ast.ClassDef) -> None:
        """Note that a class which is named after an engine is for that engine."""
        self._note(statement.body, _engine_named_by(statement.name))

    def _expression(self, node: ast.expr) -> None:
        """Look for `a if test else b`, and for tables by engines, in an expression."""
        waiting: list[ast.AST] = [node]
        while waiting:
            own = waiting.pop()
            waiting += children(own)
            if isinstance(own, ast.IfExp):
                sides = self._tests.sides(own.test)
                self._note([own.body], sides.holds)
                self._note([own.orelse], sides.fails)
            elif isinstance(own, ast.Dict):
                self._table(own)
            elif isinstance(own, ast.Call):
                self._executed(own)
                self._default(own)

    def _executed(self, call: ast.Call) -> None:
        """Note that what runs SQL is the engine that it is named after: `sqlite_cursor`.

        So is what a function gives that is named after one: `cursor = get_postgres_cursor()`; and
        the program that is run with it: `execute("sqlite3", path, "CREATE …")`.
        """
        receiver = call.func.value if isinstance(call.func, ast.Attribute) else None
        if receiver is None or not executes(last_name(call.func)):
            return
        program = engine_named(call.args[0]) if len(call.args) > 1 else ""
        if program:
            self._note([call], frozenset((program,)))
        made = self._tests.followed(receiver)
        if isinstance(made, ast.Call):
            self._note([call], _engine_named_by(last_name(made.func)))
        name = last_name(receiver) if isinstance(receiver, (ast.Name, ast.Attribute)) else ""
        if name and _is_named_after_engine(name):
            self._note([call], _engine_named_by(name))

    def _table(self, node: ast.Dict) -> None:
        """Note of a table whose keys are engines' names for which engine each value is.

        Django's settings of a database name its engine themselves.
        """
        for key, value in zip(node.keys, node.values, strict=True):
            if isinstance(key, ast.Constant) and key.value == _ENGINE and engine_named(value):
                self._note([node], frozenset((engine_named(value),)))
            named = engine_named(key)
            if named:
                self._note([value], frozenset((named,)))
                self._choose(value, frozenset((named,)))

    def _default(self, call: ast.Call) -> None:
        """Note what is for the engines that a table has nothing for: `TABLE.get(name, other)`."""
        is_get = isinstance(call.func, ast.Attribute) and call.func.attr == "get"
        if not is_get or len(call.args) != 2:  # noqa: PLR2004  # a key and a default
            return
        table = self._tests.followed(call.func.value)  # type: ignore[attr-defined]
        keys = table.keys if isinstance(table, ast.Dict) else []
        named = frozenset(engine_named(key) for key in keys)
        if named and "" not in named:
            self._choose(call.args[1], ANY - named)

    def _choose(self, value: ast.expr, engines: Engines) -> None:
        """Note that a name is chosen for some engines."""
        if isinstance(value, ast.Name):
            self._chosen.setdefault(value.id, []).append(engines)

    def _functions(self, tree: ast.Module) -> None:
        """Note which functions are used for nothing but to be chosen for an engine."""
        uses = Counter(node.id for node in nodes_in(tree) if isinstance(node, ast.Name))
        for statement in tree.body:
            if isinstance(statement, FUNCTIONS):
                chosen = self._chosen.get(statement.name, [])
                if chosen and uses[statement.name] == len(chosen):
                    self._note(statement.body, frozenset[str]().union(*chosen))

    def _note(self, nodes: Sequence[ast.AST], engines: Engines) -> None:
        if engines == ANY or not engines or not nodes:
            return  # What no engine comes to is never run.
        first: Any = nodes[0]
        last: Any = nodes[-1]
        decorators = [own.lineno for own in getattr(first, "decorator_list", ())]
        line = min([first.lineno, *decorators])
        start = (line, first.col_offset if line == first.lineno else 0)
        self._regions.append(_Region(start, (last.end_lineno, last.end_col_offset), engines))


def _is_named_after_engine(name: str) -> bool:
    """Return whether a name begins or ends with an engine's, or asks something of an engine."""
    words = name.lower().strip("_").split("_")
    asked = words[1] if words[0] in _ASKING and len(words) > 1 else ""
    return any(map(engine_of, (words[0], words[-1], asked)))


def _engine_named_by(name: str) -> Engines:
    """Return the engine that a name speaks of, if it is one."""
    named = engines_in(name)
    return named if len(named) == 1 else ANY


def _engines_of_pattern(pattern: ast.pattern) -> Engines | None:
    """Return the engines that a pattern names; None where it takes whatever is left."""
    if isinstance(pattern, ast.MatchOr):
        several = [_engines_of_pattern(own) for own in pattern.patterns]
        known = [engines for engines in several if engines is not None]
        return frozenset[str]().union(*known) if len(known) == len(several) else None
    named = engine_named(pattern.value) if isinstance(pattern, ast.MatchValue) else ""
    return frozenset((named,)) if named else None
