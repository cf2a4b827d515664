"""The names of a module: its imports, uses of what they bind, calls that may load modules."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable
from collections.abc import Set as AbstractSet
from typing import Any, Final, TypeAlias

from dal_audit.extract.python.asked_classes import asked_for
from dal_audit.extract.python.bindings import (
    bind,
    bind_parameters,
    defaults,
    open_type_parameters,
    parameters,
)
from dal_audit.extract.python.expression_uses import (
    CallSite,
    Expressions,
    FileNames,
    NameUse,
    last_name,
)
from dal_audit.extract.python.parse.newer_syntax import TRIES, TYPE_ALIASES
from dal_audit.extract.python.parse.walk import Function, children
from dal_audit.extract.python.scopes import Imported, Scope
from dal_audit.facts import UseKind

__all__ = ["CallSite", "FileNames", "NameUse", "read_names"]


def read_names(
    tree: ast.Module,
    wanted: AbstractSet[str] | None = None,
    *,
    call_sites: bool = False,
) -> FileNames:
    """Walk a module; `wanted` are the names whose uses are noted, None for all.

    What a string annotation names is always noted. Raises RecursionError for a tree that is nested
    too deeply to walk.
    """
    walker = _Walker(wanted, call_sites=call_sites)
    names = walker.names
    walker.body(tree.body, names.module)
    names.uses += [use for question in names.questions for use in asked_for(question)]
    return names


class _Walker(Expressions):
    def body(self, statements: Iterable[ast.stmt], scope: Scope) -> None:
        for statement in statements:
            self.statement = statement
            visit = _VISITS.get(type(statement))
            if visit is not None:
                visit(self, statement, scope)
            else:
                self.parts(statement, scope)

    def imported(self, node: ast.Import | ast.ImportFrom, scope: Scope) -> None:
        self.names.imports.append((node, self.type_checking))
        bind(node, scope)

    def assign(self, node: ast.Assign, scope: Scope) -> None:
        self.expression(node.value, scope)
        bind(node, scope)
        for target in node.targets:
            self.target(target, scope)

    def annotated(self, node: ast.AnnAssign, scope: Scope) -> None:
        self.expression(node.annotation, scope, "annotation")
        if node.value is not None:
            role: UseKind = "annotation" if _says_alias(node.annotation) else "value"
            self.expression(node.value, scope, role)
        bind(node, scope)
        self.target(node.target, scope)

    def augmented(self, node: ast.AugAssign, scope: Scope) -> None:
        self.expression(node.value, scope)
        bind(node, scope)
        self.target(node.target, scope)

    def type_alias(self, node: Any, scope: Scope) -> None:
        bind(node, scope)
        self.expression(node.value, self.type_parameters(node, scope), "annotation")

    def loop(self, node: ast.For | ast.AsyncFor, scope: Scope) -> None:
        self.expression(node.iter, scope)
        bind(node, scope)
        self.target(node.target, scope)
        self.body(node.body, scope)
        self.body(node.orelse, scope)

    def context(self, node: ast.With | ast.AsyncWith, scope: Scope) -> None:
        bind(node, scope)
        for item in node.items:
            self.expression(item.context_expr, scope)
            if item.optional_vars is not None:
                self.target(item.optional_vars, scope)
        self.body(node.body, scope)

    def branch(self, node: ast.If, scope: Scope) -> None:
        self.expression(node.test, scope)
        outer = self.type_checking
        body, orelse = self.only_for_types(node.test, scope)
        self.type_checking = outer or body
        self.body(node.body, scope)
        self.type_checking = outer or orelse
        self.body(node.orelse, scope)
        self.type_checking = outer

    def only_for_types(self, test: ast.expr, scope: Scope) -> tuple[bool, bool]:
        """Return whether the body, and whether the `else`, is for type checkers only."""
        if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
            body, orelse = self.only_for_types(test.operand, scope)
            return orelse, body
        if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And):
            return any(self.only_for_types(value, scope)[0] for value in test.values), False
        if isinstance(test, ast.Attribute):
            return test.attr == "TYPE_CHECKING", False
        return isinstance(test, ast.Name) and _means_type_checking(test.id, scope), False

    def attempt(self, node: ast.Try, scope: Scope) -> None:
        self.body(node.body, scope)
        for handler in node.handlers:
            self.statement = handler
            if handler.type is not None:
                elements = handler.type.elts if isinstance(handler.type, ast.Tuple) else None
                for caught in elements or [handler.type]:
                    self.expression(caught, scope, "except")
                    self.question(caught, scope, "except")
            bind(handler, scope)
            self.body(handler.body, scope)
        self.body(node.orelse, scope)
        self.body(node.finalbody, scope)

    def match(self, node: ast.Match, scope: Scope) -> None:
        self.expression(node.subject, scope)
        for case in node.cases:
            self.pattern(case.pattern, scope)
            if case.guard is not None:
                self.statement = node
                self.expression(case.guard, scope)
            self.body(case.body, scope)

    def pattern(self, node: ast.pattern, scope: Scope) -> None:
        bind(node, scope)
        for child in children(node):
            if isinstance(child, ast.pattern):
                self.pattern(child, scope)
            elif isinstance(child, ast.expr):
                is_class = isinstance(node, ast.MatchClass)
                self.expression(child, scope, "pattern" if is_class else "value")
                if is_class:
                    self.question(child, scope, "pattern")

    def alone(self, node: ast.Expr | ast.Return, scope: Scope) -> None:
        if node.value is not None:
            self.expression(node.value, scope)

    def redirected(self, node: ast.Global | ast.Nonlocal, scope: Scope) -> None:
        bind(node, scope)

    def function(self, node: Function, scope: Scope) -> None:
        for decorator in node.decorator_list:
            self.expression(decorator, scope)
        outside = self.type_parameters(node, scope)
        for default in defaults(node.args):
            self.expression(default, scope)
        for parameter in parameters(node.args):
            if parameter.annotation is not None:
                self.expression(parameter.annotation, outside, "annotation")
        if node.returns is not None:
            self.expression(node.returns, outside, "annotation")
        bind(node, scope)
        inside = outside.open("function")
        bind_parameters(node.args, inside)
        self.body(node.body, inside)

    def definition(self, node: ast.ClassDef, scope: Scope) -> None:
        for decorator in node.decorator_list:
            self.expression(decorator, scope)
        outside = self.type_parameters(node, scope)
        for base in node.bases:
            self.expression(base, outside, "base")
        for keyword in node.keywords:
            self.expression(keyword.value, outside)
        bind(node, scope)
        self.body(node.body, outside.open("class"))

    def type_parameters(self, node: Any, scope: Scope) -> Scope:
        """Visit the bounds and defaults of type parameters; return the scope that they open."""
        made = open_type_parameters(node, scope)
        for parameter in getattr(node, "type_params", ()):
            for part in ("bound", "default_value"):
                if getattr(parameter, part, None) is not None:
                    self.expression(getattr(parameter, part), made, "annotation")
        return made


_Visit: TypeAlias = Callable[[_Walker, Any, Scope], None]

_VISITS: Final[dict[type[ast.AST], _Visit]] = {
    ast.AnnAssign: _Walker.annotated,
    ast.Assign: _Walker.assign,
    ast.AsyncFor: _Walker.loop,
    ast.AsyncFunctionDef: _Walker.function,
    ast.AsyncWith: _Walker.context,
    ast.AugAssign: _Walker.augmented,
    ast.ClassDef: _Walker.definition,
    ast.Expr: _Walker.alone,
    ast.For: _Walker.loop,
    ast.FunctionDef: _Walker.function,
    ast.Global: _Walker.redirected,
    ast.If: _Walker.branch,
    ast.Import: _Walker.imported,
    ast.ImportFrom: _Walker.imported,
    ast.Match: _Walker.match,
    ast.Nonlocal: _Walker.redirected,
    ast.Return: _Walker.alone,
    ast.With: _Walker.context,
    **dict.fromkeys(TRIES, _Walker.attempt),
    **dict.fromkeys(TYPE_ALIASES, _Walker.type_alias),
}


def _means_type_checking(name: str, scope: Scope) -> bool:
    """Return whether a name is `TYPE_CHECKING`, or was imported as another name for it."""
    return name == "TYPE_CHECKING" or any(
        isinstance(binding, Imported) and binding.alias.name == "TYPE_CHECKING"
        for binding in scope.lookup(name)
    )


def _says_alias(annotation: ast.expr) -> bool:
    """Return whether an annotation is `TypeAlias` (PEP 613), which makes the value a type."""
    return last_name(annotation) == "TypeAlias"
