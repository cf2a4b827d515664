"""Functions of a migration that only give something back: `def stamp(name): return Column(name)`.

Where one is called for an operation's argument, or for the block of a `with`, what it gives back
takes the call's place.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from copy import deepcopy
from typing import Final

_DEPTH: Final = 3
"""How deep functions that call functions are followed."""


def inline_functions(tree: ast.Module) -> None:
    """Put what a module's functions give back where arguments and blocks call them."""
    functions = {
        own.name: own for own in tree.body if isinstance(own, ast.FunctionDef) and _gives(own)
    }
    if not functions:
        return
    inliner = _Inliner(functions)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            node.args = [inliner.visit(argument) for argument in node.args]
            for keyword in node.keywords:
                keyword.value = inliner.visit(keyword.value)
        elif isinstance(node, ast.withitem):
            opening = node.context_expr
            node.context_expr = ast.copy_location(inliner.visit(opening), opening)


def _gives(function: ast.FunctionDef) -> ast.expr | None:
    """Return the expression that is all that a function is; None where it is more."""
    body = function.body
    if len(body) > 1 and isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant):
        body = body[1:]
    arguments = function.args
    is_plain = not (arguments.vararg or arguments.kwarg or function.decorator_list)
    only = body[0] if len(body) == 1 and is_plain else None
    return only.value if isinstance(only, ast.Return) and isinstance(only.value, ast.Call) else None


class _Inliner(ast.NodeTransformer):
    """Replaces calls of functions by what these give back."""

    def __init__(self, functions: Mapping[str, ast.FunctionDef]) -> None:
        self._functions = functions
        self._depth = 0

    def visit_Call(self, node: ast.Call) -> ast.AST:
        """Return what a call comes to; the call itself where it is of no such function."""
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        function = self._functions.get(name)
        given = _gives(function) if function is not None else None
        if function is None or given is None or self._depth >= _DEPTH:
            return node
        values = _bound(function, node)
        if values is None:
            return node
        self._depth += 1
        result = self.generic_visit(_Substitution(values).visit(deepcopy(given)))
        self._depth -= 1
        return result


def _bound(function: ast.FunctionDef, call: ast.Call) -> dict[str, ast.expr] | None:
    """Return what a function's parameters stand for; None where that is not all known."""
    arguments = function.args
    names = [own.arg for own in (*arguments.posonlyargs, *arguments.args)]
    known = {*names, *(own.arg for own in arguments.kwonlyargs)}
    is_whole = not any(isinstance(own, ast.Starred) for own in call.args)
    if not is_whole or any(keyword.arg not in known for keyword in call.keywords):
        return None
    values = dict(
        zip(names[len(names) - len(arguments.defaults) :], arguments.defaults, strict=True)
    )
    pairs = zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    values.update({own.arg: default for own, default in pairs if default is not None})
    values.update(dict(zip(names, call.args, strict=False)))
    values.update({keyword.arg: keyword.value for keyword in call.keywords if keyword.arg})
    return values if known <= values.keys() and len(call.args) <= len(names) else None


class _Substitution(ast.NodeTransformer):
    """Replaces names by what they stand for."""

    def __init__(self, values: Mapping[str, ast.expr]) -> None:
        self._values = values

    def visit_Name(self, node: ast.Name) -> ast.AST:
        """Return what a name stands for."""
        return self._values.get(node.id, node)
