"""In which order a migration's code runs its calls, and what is run only under a condition.

Statements are followed as they stand, functions of the module where they are called. A branch on
the engine is no condition here: which engines run it is told of each statement.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple, TypeAlias

from dal_audit.extract.embedded.guards import (
    ALTERNATIVE,
    NO_GUARD,
    Guard,
    are_alternatives,
    asks_offline,
    blocks_run,
    guard_of,
)
from dal_audit.extract.embedded.turns import handed, truth_of, turns_of
from dal_audit.extract.python.dialect_branches import DialectBranches
from dal_audit.extract.python.dialect_tests import assigned_once
from dal_audit.extract.python.expression_uses import last_name
from dal_audit.extract.python.parse.newer_syntax import TRIES
from dal_audit.extract.python.parse.walk import FUNCTIONS, Function, children
from dal_audit.extract.python.prefilter.sql_marks import executes

_LEAVING: Final = (ast.Return, ast.Raise, ast.Continue, ast.Break)
_DEPTH: Final = 6
"""How deep functions that call functions are followed."""
_APART: Final = (ast.Lambda, ast.GeneratorExp, ast.ListComp, ast.SetComp, ast.DictComp)


class Frame(NamedTuple):
    """What names stand for while a function runs that is handed them, or a loop takes one.

    `call` is the call that enters the function, where what it hands on is read; None for a loop.
    """

    values: tuple[tuple[str, ast.expr], ...]
    call: ast.Call | None = None
    outer: Frame | None = None


class Run(NamedTuple):
    """A call that is run, with the frames that it is run in.

    It is guarded where that hangs on a condition that is not understood; `looks` where such a
    condition may look at what stands in the database.
    """

    call: ast.Call
    statement: ast.stmt
    is_guarded: bool
    looks: bool = False
    frame: Frame | None = None


class _State(NamedTuple):
    """Where the execution is: in which frame, and under which conditions."""

    is_guarded: bool = False
    looks: bool = False
    frame: Frame | None = None

    def under(self, guard: Guard) -> _State:
        """Return the state under a further condition."""
        return self._replace(
            is_guarded=self.is_guarded or guard.is_one, looks=self.looks or guard.looks
        )


def _executed_before(call: ast.Call) -> ast.Call | None:
    """Return the call that executes what another takes rows of: `execute(…).scalars().all()`."""
    node: ast.expr | None = call
    while isinstance(node, ast.Call):
        node = node.func.value if isinstance(node.func, ast.Attribute) else None
        if isinstance(node, ast.Call) and executes(last_name(node.func)):
            return node
    return None


def _named_in(frame: Frame | None) -> dict[str, ast.expr]:
    """Return what names stand for in a frame and in those around it, up to the function's own."""
    found: dict[str, ast.expr] = {}
    while frame is not None:
        found = {**dict(frame.values), **found}
        frame = frame.outer if frame.call is None else None
    return found


def _with_choices(frame: Frame, values: Mapping[str, ast.expr]) -> Frame:
    """Return a frame with the names that a condition chooses, which may ask what is handed."""
    chosen = [(name, value) for name, value in values.items() if isinstance(value, ast.IfExp)]
    return Frame(tuple(chosen), None, frame) if chosen else frame


Functions: TypeAlias = Mapping[str, Function]
"""The functions of a module by their names."""


def functions_of(tree: ast.Module) -> Functions:
    """Return the functions of a module, and those in its functions."""
    outer = [function for function in tree.body if isinstance(function, FUNCTIONS)]
    inner = [own for function in outer for own in function.body if isinstance(own, FUNCTIONS)]
    return {function.name: function for function in (*inner, *outer)}


class Execution:
    """Follows the code of one module."""

    def __init__(self, functions: Functions, branches: DialectBranches, tree: ast.Module) -> None:
        """Take the module's functions, its branches on the engine, and the module."""
        self.functions = functions
        self.branches = branches
        self._entered: list[str] = []
        self._values = [assigned_once(tree.body)]

    def of_function(self, name: str) -> Iterator[Run]:
        """Yield the calls that a function of the module runs; none for one that it has not."""
        return self._enter(name, None, _State())

    def _enter(self, name: str, call: ast.Call | None, state: _State) -> Iterator[Run]:
        function = self.functions.get(name)
        if function is None or name in self._entered or len(self._entered) >= _DEPTH:
            return
        self._entered.append(name)
        self._values.append(assigned_once(function.body))
        if call is not None:
            frame = Frame(tuple(handed(call, function)), call, state.frame)
            state = state._replace(frame=_with_choices(frame, self._values[-1]))
        yield from self._block(function.body, state)
        self._values.pop()
        self._entered.pop()

    def _block(self, body: Sequence[ast.stmt], state: _State) -> Iterator[Run]:
        for statement in body:
            yield from self._of_statement(statement, state)
            decided = self._decided(statement, state)
            if decided is not None and decided and isinstance(decided[-1], _LEAVING):
                return
            if decided is None and self._may_leave(statement):
                state = state.under(self._guard_of(statement))

    def _of_statement(self, statement: ast.stmt, state: _State) -> Iterator[Run]:
        if isinstance(statement, (*FUNCTIONS, ast.ClassDef)):
            return
        for child in children(statement):
            if not isinstance(child, (ast.stmt, ast.withitem)):
                yield from self._of_expression(child, statement, state)
        decided = self._decided(statement, state)
        inner = state if decided is not None else state.under(self._guard_of(statement))
        for own in self._turns(statement, inner):
            for block in blocks_run(statement) if decided is None else [decided]:
                yield from self._block(block, own)

    def _decided(self, statement: ast.stmt, state: _State) -> Sequence[ast.stmt] | None:
        """Return the block that an `if` runs in this turn of a loop; None where that is open."""
        if not isinstance(statement, ast.If) or state.frame is None:
            return None
        truth = truth_of(statement.test, _named_in(state.frame))
        return None if truth is None else statement.body if truth else statement.orelse

    def _turns(self, statement: ast.stmt, state: _State) -> list[_State]:
        """Return the states of a statement's blocks: of a loop over a literal one for each turn."""
        if not isinstance(statement, ast.For):
            return [state]
        turns = turns_of(statement, self._values)
        frames = [Frame(values, None, state.frame) for values in turns]
        return [state._replace(frame=frame) for frame in frames] or [state]

    def _of_expression(self, node: ast.AST, statement: ast.stmt, state: _State) -> Iterator[Run]:
        """Yield the calls in an expression: those in a call's arguments stand for nothing else."""
        if isinstance(node, (*_APART, ast.ExceptHandler, ast.match_case)):
            return
        if not isinstance(node, ast.Call):
            for child in children(node):
                yield from self._of_expression(child, statement, state)
            return
        executed = _executed_before(node)
        if executed is not None:
            yield from self._of_expression(executed, statement, state)
            return
        if isinstance(node.func, ast.Name) and node.func.id in self.functions:
            yield from self._enter(node.func.id, node, state)
        else:
            yield Run(node, statement, state.is_guarded, state.looks, state.frame)

    def _guard_of(self, statement: ast.stmt) -> Guard:
        """Return whether what a statement holds is run under a condition, or may fail."""
        if isinstance(statement, ast.If):
            if self.branches.tells(statement) or asks_offline(statement.test):
                return NO_GUARD
            if are_alternatives(statement, self.functions):
                return ALTERNATIVE
            return guard_of(statement.test, self._values, self.functions)
        return Guard(
            isinstance(statement, (ast.While, ast.Match, *TRIES)), isinstance(statement, TRIES)
        )

    def _may_leave(self, statement: ast.stmt) -> bool:
        """Return whether a condition that is not understood may end the block."""
        if not isinstance(statement, ast.If) or self.branches.tells(statement):
            return False
        if asks_offline(statement.test):
            return False
        blocks = [statement.body, statement.orelse]
        return any(block and isinstance(block[-1], _LEAVING) for block in blocks)
