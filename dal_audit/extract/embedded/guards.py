"""Conditions in a migration's code: whether they may look at what stands in the database."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from dal_audit.extract.python.dialect_tests import Values
from dal_audit.extract.python.parse.import_places import blocks_of
from dal_audit.extract.python.parse.walk import Function, nodes_in

_LOOKS: Final = re.compile(
    r"inspect|has_|exist|reflect|get_(?:table|column|index|foreign|unique|check|pk)|information_schema"
    r"|\bpg_|sqlite_master|sqlite_schema|pragma|table_names|columns|indexes|indices|constraints"
    r"|tables|missing|already|present",
    re.IGNORECASE,
)
"""Words of code that asks for what stands."""
_KNOWN: Final = frozenset(
    {"bool", "count", "execute", "fetchall", "fetchone", "first", "get", "get_bind", "getenv",
     "int", "is_offline_mode", "isinstance", "len", "lower", "rowcount", "scalar", "scalar_one",
     "str", "text"}
)  # fmt: skip
"""Calls that ask for something else: the environment, or rows."""
_HOPS: Final = 3


class Guard(NamedTuple):
    """Whether there is a condition, and whether it may look at what stands."""

    is_one: bool
    looks: bool


NO_GUARD: Final = Guard(is_one=False, looks=False)
ALTERNATIVE: Final = Guard(is_one=True, looks=True)
"""The condition of what is run instead of something else: which of them is not known."""
_OPERATIONS: Final = frozenset({"op", "batch_op"})


def asks_offline(test: ast.expr) -> bool:
    """Return whether a condition asks for Alembic's offline mode, which writes a script."""
    node = test.operand if isinstance(test, ast.UnaryOp) else test
    func = node.func if isinstance(node, ast.Call) else None
    return isinstance(func, ast.Attribute) and func.attr == "is_offline_mode"


def blocks_run(statement: ast.stmt) -> Sequence[Sequence[ast.stmt]]:
    """Return the blocks of a statement that are run on a database: those not of offline mode."""
    if isinstance(statement, ast.If) and asks_offline(statement.test):
        is_inverted = isinstance(statement.test, ast.UnaryOp)
        return [statement.body if is_inverted else statement.orelse]
    return list(blocks_of(statement))


def are_alternatives(statement: ast.If, functions: Mapping[str, Function]) -> bool:
    """Return whether a condition does something to the schema instead of something else.

    That is what stands behind it where its own block ends the function, or what it does else.
    """
    acts = [_acts(block, functions) for block in (statement.body, statement.orelse)]
    leaves = isinstance(statement.body[-1], (ast.Return, ast.Raise))
    return all(acts) or (acts[0] and leaves)


def _acts(block: Sequence[ast.stmt], functions: Mapping[str, Function]) -> bool:
    wanted = _OPERATIONS | functions.keys()
    nodes = (node for own in block for node in nodes_in(own))
    return any(isinstance(node, ast.Name) and node.id in wanted for node in nodes)


def guard_of(test: ast.expr, values: Sequence[Values], functions: Mapping[str, Function]) -> Guard:
    """Return what a condition is: one that looks is no condition at a second run."""
    return Guard(
        is_one=True, looks=any(_may_look(node, functions) for node in _parts(test, values))
    )


def _parts(test: ast.expr, values: Sequence[Values]) -> Iterator[ast.AST]:
    """Yield the nodes of a condition, and of what its names are assigned."""
    waiting: list[tuple[ast.expr, int]] = [(test, 0)]
    seen: set[str] = set()
    while waiting:
        expression, hops = waiting.pop()
        for node in ast.walk(expression):
            yield node
            if isinstance(node, ast.Name) and node.id not in seen and hops < _HOPS:
                seen.add(node.id)
                waiting += [(own[node.id], hops + 1) for own in values if node.id in own]


def _may_look(node: ast.AST, functions: Mapping[str, Function]) -> bool:
    """Return whether a part of a condition asks for what stands, or is not known."""
    if isinstance(node, ast.Constant):
        return isinstance(node.value, str) and _LOOKS.search(node.value) is not None
    name = node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")
    if name and _LOOKS.search(name):
        return True
    if not isinstance(node, ast.Call):
        return False
    called = (
        node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    )
    if called in functions:
        return _LOOKS.search(ast.unparse(functions[called])) is not None
    return called not in _KNOWN
