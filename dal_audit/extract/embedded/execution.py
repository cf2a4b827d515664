"""In which order a migration's code runs its calls, and what is run only under a condition.

Statements are followed as they stand, functions of the module where they are called. A branch on
the engine is no condition here: which engines run it is told of each statement.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple, TypeAlias

from dal_audit.extract.python.dialect_branches import DialectBranches
from dal_audit.extract.python.parse.import_places import blocks_of
from dal_audit.extract.python.parse.newer_syntax import TRIES
from dal_audit.extract.python.parse.walk import FUNCTIONS, Function, children

_LEAVING: Final = (ast.Return, ast.Raise, ast.Continue, ast.Break)
_DEPTH: Final = 6
"""How deep functions that call functions are followed."""
_APART: Final = (ast.Lambda, ast.GeneratorExp, ast.ListComp, ast.SetComp, ast.DictComp)


class Run(NamedTuple):
    """A call that is run; `is_guarded` where that hangs on a condition that is not understood."""

    call: ast.Call
    statement: ast.stmt
    is_guarded: bool


Functions: TypeAlias = Mapping[str, Function]
"""The functions of a module by their names."""


def functions_of(tree: ast.Module) -> Functions:
    """Return the functions of a module."""
    return {function.name: function for function in tree.body if isinstance(function, FUNCTIONS)}


class Execution:
    """Follows the code of one module."""

    def __init__(self, functions: Functions, branches: DialectBranches) -> None:
        """Take the module's functions and its branches on the engine."""
        self.functions = functions
        self.branches = branches
        self._entered: list[str] = []

    def of_function(self, name: str, *, is_guarded: bool = False) -> Iterator[Run]:
        """Yield the calls that a function of the module runs; none for one that it has not."""
        function = self.functions.get(name)
        if function is None or name in self._entered or len(self._entered) >= _DEPTH:
            return
        self._entered.append(name)
        yield from self.of_block(function.body, is_guarded=is_guarded)
        self._entered.pop()

    def of_block(self, body: Sequence[ast.stmt], *, is_guarded: bool = False) -> Iterator[Run]:
        """Yield the calls that a block runs."""
        for statement in body:
            yield from self._of_statement(statement, is_guarded=is_guarded)
            is_guarded = is_guarded or self._may_leave(statement)

    def _of_statement(self, statement: ast.stmt, *, is_guarded: bool) -> Iterator[Run]:
        if isinstance(statement, (*FUNCTIONS, ast.ClassDef)):
            return
        for child in children(statement):
            if not isinstance(child, ast.stmt):
                yield from self._of_expression(child, statement, is_guarded=is_guarded)
        inner = is_guarded or self._guards(statement)
        for block in blocks_of(statement):
            yield from self.of_block(block, is_guarded=inner)

    def _of_expression(
        self, node: ast.AST, statement: ast.stmt, *, is_guarded: bool
    ) -> Iterator[Run]:
        """Yield the calls in an expression: those in a call's arguments stand for nothing else."""
        if isinstance(node, (*_APART, ast.ExceptHandler, ast.match_case)):
            return
        if not isinstance(node, ast.Call):
            for child in children(node):
                yield from self._of_expression(child, statement, is_guarded=is_guarded)
            return
        if isinstance(node.func, ast.Name) and node.func.id in self.functions:
            yield from self.of_function(node.func.id, is_guarded=is_guarded)
        else:
            yield Run(node, statement, is_guarded)

    def _guards(self, statement: ast.stmt) -> bool:
        """Return whether what a statement holds is run under a condition, or may fail."""
        if isinstance(statement, ast.If):
            return not self.branches.tells(statement)
        return isinstance(statement, (ast.While, ast.Match, *TRIES))

    def _may_leave(self, statement: ast.stmt) -> bool:
        """Return whether a condition that is not understood may end the block."""
        if not isinstance(statement, ast.If) or self.branches.tells(statement):
            return False
        blocks = [statement.body, statement.orelse]
        return any(block and isinstance(block[-1], _LEAVING) for block in blocks)
