"""What a module hands out on demand: its `__getattr__` (PEP 562), worked out name by name.

The function is read once for each name that it is known to be asked for, with the parameter bound
to that name: what is compared with it, and the keys of the tables that it is looked up in.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from dal_audit.extract.holes import UNKNOWN
from dal_audit.extract.python.annotations import TypeReader
from dal_audit.extract.python.bindings import bind_all, bind_parameters
from dal_audit.extract.python.constant_folding import fold_constant, fold_elements
from dal_audit.extract.python.function_results import dotted
from dal_audit.extract.python.literal_values import follow_assignment
from dal_audit.extract.python.parse.walk import Function, inside
from dal_audit.extract.python.scopes import Assigned, Scope
from dal_audit.extract.python.value_inference import Inference


class NamesOnDemand:
    """Reads module-level `__getattr__` functions."""

    def __init__(self, types: TypeReader, module: Scope) -> None:
        """Read names by a module's imports, and by what its outermost scope binds."""
        self.types = types
        self.module = module

    def of(self, node: Function) -> Iterator[tuple[str, list[str]]]:
        """Yield the names that a `__getattr__` answers, each with what it stands for."""
        if len(node.args.args) != 1:
            return
        asked = node.args.args[0].arg
        for name in sorted(set(self._names(node, asked))):
            origins = list(dict.fromkeys(self._answers(node, asked, name)))
            if origins:
                yield name, origins

    def _names(self, node: Function, asked: str) -> Iterator[str]:
        """Yield the names that a function compares its parameter with, or looks up."""
        scope = self.module.open("function")
        bind_parameters(node.args, scope)
        for part in inside(node.body):
            for other in _beside(part, asked):
                for text in (*fold_constant(other, scope), *fold_elements(other, scope)):
                    if UNKNOWN not in text:
                        yield text

    def _answers(self, node: Function, asked: str, name: str) -> Iterator[str]:
        """Yield what a function returns when it is asked for a name."""
        scope = self.module.open("function")
        scope.bindings[asked] = [Assigned(ast.Constant(name), self.module)]
        nodes = bind_all(list(_reached(node.body, asked, name, scope)), scope)
        for part in nodes:
            if isinstance(part, ast.Assign):
                _unpack(part, scope)
        inference = Inference(self.types)
        for part in nodes:
            if isinstance(part, ast.Return):
                yield from map(dotted, inference.infer(part.value, scope))


def attached(call: ast.Call, scope: Scope) -> Iterator[tuple[str, str]]:
    """Yield what `lazy_loader.attach(__name__, submodules, submod_attrs)` lets a package answer.

    Each name comes with the relative name of what it stands for.
    """
    arguments: dict[str, ast.expr] = {
        **dict(zip(("package", "submodules", "submod_attrs"), call.args, strict=False)),
        **{keyword.arg: keyword.value for keyword in call.keywords if keyword.arg},
    }
    if "submodules" in arguments:
        for name in fold_elements(arguments["submodules"], scope):
            yield name, f".{name}"
    table = follow_assignment(arguments.get("submod_attrs", call), scope)
    if isinstance(table, ast.Dict):
        for key, value in zip(table.keys, table.values, strict=True):
            for module in fold_constant(key, scope) if key is not None else ():
                yield from ((name, f".{module}.{name}") for name in fold_elements(value, scope))


def _beside(node: ast.AST, asked: str) -> Iterator[ast.expr]:
    """Yield what a parameter is compared with, what it is looked up in, and its cases."""
    if isinstance(node, ast.Compare):
        sides = [node.left, *node.comparators]
        if any(_is_name(side, asked) for side in sides):
            yield from (side for side in sides if not _is_name(side, asked))
    elif isinstance(node, ast.Subscript) and _is_name(node.slice, asked):
        yield node.value
    elif isinstance(node, ast.Call) and node.args and _is_name(node.args[0], asked):
        if isinstance(node.func, ast.Attribute):
            yield node.func.value
    elif isinstance(node, ast.Match) and _is_name(node.subject, asked):
        for case in node.cases:
            yield from _values(case.pattern)


def _values(pattern: ast.pattern) -> list[ast.expr]:
    return [part.value for part in ast.walk(pattern) if isinstance(part, ast.MatchValue)]


def _is_name(node: ast.expr, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


def _reached(body: Sequence[ast.stmt], asked: str, name: str, scope: Scope) -> Iterator[ast.stmt]:
    """Yield the statements that a name leads to; where a condition is open, both ways are."""
    for statement in body:
        if isinstance(statement, ast.If):
            holds = _holds(statement.test, asked, name, scope)
            yield from _reached(statement.body if holds is not False else [], asked, name, scope)
            yield from _reached(statement.orelse if not holds else [], asked, name, scope)
        elif isinstance(statement, ast.Match) and _is_name(statement.subject, asked):
            for case in statement.cases:
                values = _values(case.pattern)
                if not values or any(name in fold_constant(value, scope) for value in values):
                    yield from _reached(case.body, asked, name, scope)
        else:
            yield statement


def _holds(test: ast.expr, asked: str, name: str, scope: Scope) -> bool | None:
    """Return whether a condition on the name holds; None where that is not known."""
    if not isinstance(test, ast.Compare) or len(test.ops) != 1:
        return None
    sides = [side for side in (test.left, *test.comparators) if not _is_name(side, asked)]
    if len(sides) != 1:
        return None
    operator = test.ops[0]
    is_membership = isinstance(operator, (ast.In, ast.NotIn))
    texts = (fold_elements if is_membership else fold_constant)(sides[0], scope)
    if UNKNOWN in "".join(texts):
        return None
    return (name in texts) is not isinstance(operator, (ast.NotIn, ast.NotEq))


def _unpack(statement: ast.Assign, scope: Scope) -> None:
    """Bind the names of a tuple that is set to an entry of a literal table."""
    target = statement.targets[0]
    entry = _entry(statement.value, scope)
    if isinstance(target, ast.Tuple) and isinstance(entry, (ast.Tuple, ast.List)):
        for part, value in zip(target.elts, entry.elts, strict=False):
            if isinstance(part, ast.Name):
                scope.bindings[part.id] = [Assigned(value, scope)]


def _entry(node: ast.expr, scope: Scope) -> ast.expr | None:
    """Return what a literal table holds under a known key; None where that is not known."""
    if isinstance(node, ast.Subscript):
        owner, key = node.value, node.slice
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args:
        owner, key = node.func.value, node.args[0]
    else:
        return None
    table = follow_assignment(owner, scope)
    if not isinstance(table, ast.Dict):
        return None
    wanted = set(fold_constant(key, scope)) - {UNKNOWN}
    pairs = zip(table.keys, table.values, strict=True)
    return next(
        (value for name, value in pairs if name and wanted & set(fold_constant(name, scope))), None
    )
