"""Conditions under which tests skip: which environment variables they need to run."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from typing import Final

from msgspec import Struct

MAX_DEPTH: Final = 12
_READERS: Final = frozenset({"os.environ.get", "os.getenv", "environ.get", "getenv"})
_TABLES: Final = frozenset({"os.environ", "environ"})


class Needs(Struct, frozen=True):
    """What a test needs to run: variables with the globs of their values, a driver, a server."""

    variables: tuple[tuple[str, str], ...] = ()
    any_of: bool = False
    driver: str = ""
    probes: bool = False


def variable_of(node: ast.expr) -> str:
    """Return the environment variable that an expression reads; empty where it reads none."""
    if isinstance(node, ast.Call) and node.args and ast.unparse(node.func) in _READERS:
        return _constant(node.args[0])
    if isinstance(node, ast.Subscript) and ast.unparse(node.value) in _TABLES:
        return _constant(node.slice)
    return ""


def _constant(node: ast.expr) -> str:
    value = node.value if isinstance(node, ast.Constant) else None
    return value if isinstance(value, str) else ""


class Conditions:
    """Reads conditions with the names of one module: values that are assigned once, functions."""

    def __init__(self, nodes: Iterable[ast.AST]) -> None:
        """Take all nodes of a module."""
        self.values: dict[str, ast.expr | None] = {}
        self.functions: dict[str, ast.FunctionDef | ast.AsyncFunctionDef] = {}
        self.drivers: dict[str, str] = {}
        for node in nodes:
            if isinstance(node, ast.Assign) and len(node.targets) == 1:
                self._bind(node.targets[0], node.value)
            elif isinstance(node, (ast.AnnAssign, ast.NamedExpr)) and node.value is not None:
                self._bind(node.target, node.value)
            elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                self.functions[node.name] = node
            elif isinstance(node, ast.Try):
                self._attempted(node)

    def _bind(self, target: ast.expr, value: ast.expr) -> None:
        if isinstance(target, ast.Name):
            before = self.values.get(target.id, value)
            same = before is not None and ast.dump(before) == ast.dump(value)
            self.values[target.id] = value if same else None

    def _attempted(self, node: ast.Try) -> None:
        """Note the names that tell whether a driver could be imported: `HAS_X = True`, or None."""
        modules = [
            alias.name.partition(".")[0]
            for statement in node.body
            if isinstance(statement, ast.Import)
            for alias in statement.names
        ]
        if not modules or not any(
            "ImportError" in ast.unparse(handler) for handler in node.handlers
        ):
            return
        for handler in node.handlers:
            for statement in handler.body:
                if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
                    self.drivers[statement.targets[0].id] = modules[0]

    def resolved(self, node: ast.expr) -> ast.expr:
        """Return the expression that a name stands for, where it is assigned once."""
        for _ in range(MAX_DEPTH):
            value = self.values.get(node.id) if isinstance(node, ast.Name) else None
            if value is None:
                return node
            node = value
        return node

    def needs(self, node: ast.expr, *, skips: bool) -> Needs | None:
        """Return what must be there for a test to run that a condition skips, or lets run.

        None for a condition that speaks of something else, or of more than can be told.
        """
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            try:
                node = ast.parse(node.value, mode="eval").body
            except (SyntaxError, ValueError):
                return None
        return self._needs(node, not skips, 0)

    def _needs(self, node: ast.expr, wanted: bool, depth: int) -> Needs | None:  # noqa: FBT001  # the value that lets it run
        if depth > MAX_DEPTH:
            return None
        if isinstance(node, ast.Name) and node.id in self.drivers:
            return Needs(driver=self.drivers[node.id]) if wanted else None
        node = self.resolved(node)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            return self._needs(node.operand, not wanted, depth + 1)
        if isinstance(node, ast.BoolOp):
            return self._joined(node, wanted, depth)
        if isinstance(node, ast.Compare) and len(node.ops) == 1:
            return self._compared(node, wanted)
        if isinstance(node, ast.Call):
            return self._called(node, wanted, depth)
        return self._present(node, wanted)

    def _present(self, node: ast.expr, wanted: bool) -> Needs | None:  # noqa: FBT001
        name = variable_of(node)
        if not name or not wanted or _default(node):
            return None
        return Needs(((name, ""),))

    def _joined(self, node: ast.BoolOp, wanted: bool, depth: int) -> Needs | None:  # noqa: FBT001
        parts = [self._needs(value, wanted, depth + 1) for value in node.values]
        known = [part for part in parts if part is not None]
        all_of = isinstance(node.op, ast.And) is wanted
        if not known or (not all_of and len(known) < len(parts)):
            return None
        variables = tuple(dict.fromkeys(pair for part in known for pair in part.variables))
        driver = next((part.driver for part in known if part.driver), "")
        several = len(variables) > 1 and not all_of
        return Needs(variables, several, driver, any(part.probes for part in known))

    def _compared(self, node: ast.Compare, wanted: bool) -> Needs | None:  # noqa: FBT001
        left, operator, right = self.resolved(node.left), node.ops[0], node.comparators[0]
        if isinstance(operator, (ast.In, ast.NotIn)):
            holds = isinstance(operator, ast.In) is wanted
            return self._contained(left, right) if holds else None
        name = variable_of(left) or variable_of(self.resolved(right))
        value = right if variable_of(left) else left
        if not name or not isinstance(value, ast.Constant):
            return None
        equal = isinstance(operator, (ast.Eq, ast.Is)) is wanted
        if value.value in {None, ""}:
            return None if equal else Needs(((name, ""),))
        return Needs(((name, str(value.value)),)) if equal else None

    def _contained(self, left: ast.expr, right: ast.expr) -> Needs | None:
        if _constant(left) and ast.unparse(right) in _TABLES:
            return Needs(((_constant(left), ""),))
        name = variable_of(left)
        right = self.resolved(right)
        if name and isinstance(right, (ast.List, ast.Set, ast.Tuple)):
            values = [_constant(item) for item in right.elts]
            return Needs(tuple((name, value) for value in values if value), any_of=True)
        inside = variable_of(self.resolved(right))
        return Needs(((inside, f"*{_constant(left)}*"),)) if inside and _constant(left) else None

    def _called(self, node: ast.Call, wanted: bool, depth: int) -> Needs | None:  # noqa: FBT001
        if variable_of(node):
            return self._present(node, wanted)
        if isinstance(node.func, ast.Name) and node.func.id == "bool" and node.args:
            return self._needs(node.args[0], wanted, depth + 1)
        if isinstance(node.func, ast.Attribute) and node.func.attr == "startswith" and node.args:
            name = variable_of(self.resolved(node.func.value))
            return Needs(((name, f"{_constant(node.args[0])}*"),)) if name and wanted else None
        function = self.functions.get(node.func.id) if isinstance(node.func, ast.Name) else None
        return self._answered(function, depth) if function is not None and wanted else None

    def _answered(
        self, function: ast.FunctionDef | ast.AsyncFunctionDef, depth: int
    ) -> Needs | None:
        """Return what a function of the module needs to answer yes."""
        parts = list(ast.walk(function))
        returns = [node.value for node in parts if isinstance(node, ast.Return) and node.value]
        if len(returns) == 1 and len(function.body) == 1:
            return self._needs(returns[0], True, depth + 1)  # noqa: FBT003
        calls = [ast.unparse(node.func) for node in parts if isinstance(node, ast.Call)]
        attempts = any(isinstance(node, ast.Try) for node in parts)
        connects = any("connect" in call.lower() for call in calls)
        return Needs(probes=True) if attempts and connects else None


def _default(node: ast.expr) -> bool:
    """Return whether a variable that is not set reads as something that counts as true."""
    if not isinstance(node, ast.Call) or len(node.args) < 2:  # noqa: PLR2004
        return False
    default = node.args[1]
    return not (isinstance(default, ast.Constant) and not default.value)
