"""The names of a module: its imports, the uses of what they bind, and calls that may load modules.

The walk can be limited to the lines that mention the names of interest. Nothing is lost by that:
whatever binds or uses a name in a scope mentions it on a line of that scope.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence
from typing import Any

from dal_audit.extract.expressions import Expressions, Load, Names, Use, last_name, parameters
from dal_audit.extract.scopes import Assigned, Imported, Scope
from dal_audit.extract.walking import children
from dal_audit.facts import Role

__all__ = ["Load", "Names", "Use", "read_names"]


def read_names(tree: ast.Module, lines: Sequence[int] | None, *, loads: bool = False) -> Names:
    """Walk a module; `lines` are the sorted 1-based lines of interest, None for all.

    Raises RecursionError for a tree that is nested too deeply to walk.
    """
    walker = _Walker(lines, loads=loads)
    walker.body(tree.body, walker.names.module)
    return walker.names


class _Walker(Expressions):
    def body(self, statements: Iterable[ast.stmt], scope: Scope) -> None:
        for statement in statements:
            if not self.touches(statement):
                continue
            self.statement = statement
            visit = getattr(self, f"visit_{type(statement).__name__}", None)
            if visit is not None:
                visit(statement, scope)
            else:
                self.parts(statement, scope)

    def visit_Import(self, node: ast.Import, scope: Scope) -> None:
        self.names.imports.append((node, self.type_checking))
        for alias in node.names:
            scope.bind(alias.asname or alias.name.partition(".")[0], Imported(node, alias))

    def visit_ImportFrom(self, node: ast.ImportFrom, scope: Scope) -> None:
        self.names.imports.append((node, self.type_checking))
        for alias in node.names:
            if alias.name != "*":
                scope.bind(alias.asname or alias.name, Imported(node, alias))

    def visit_Assign(self, node: ast.Assign, scope: Scope) -> None:
        self.expression(node.value, scope)
        for target in node.targets:
            self.target(target, scope, Assigned(node.value, scope))

    def visit_AnnAssign(self, node: ast.AnnAssign, scope: Scope) -> None:
        self.expression(node.annotation, scope, "annotation")
        if node.value is not None:
            role: Role = "annotation" if _says_alias(node.annotation) else "value"
            self.expression(node.value, scope, role)
        self.target(node.target, scope, Assigned(node.value, scope) if node.value else None)

    def visit_AugAssign(self, node: ast.AugAssign, scope: Scope) -> None:
        self.expression(node.value, scope)
        self.target(node.target, scope)

    def visit_TypeAlias(self, node: Any, scope: Scope) -> None:
        self.target(node.name, scope, Assigned(node.value, scope))
        self.expression(node.value, self.type_parameters(node, scope), "annotation")

    def visit_For(self, node: ast.For | ast.AsyncFor, scope: Scope) -> None:
        self.expression(node.iter, scope)
        self.target(node.target, scope, Assigned(node.iter, scope, each=True))
        self.body(node.body, scope)
        self.body(node.orelse, scope)

    visit_AsyncFor = visit_For

    def visit_With(self, node: ast.With | ast.AsyncWith, scope: Scope) -> None:
        for item in node.items:
            self.expression(item.context_expr, scope)
            if item.optional_vars is not None:
                self.target(item.optional_vars, scope)
        self.body(node.body, scope)

    visit_AsyncWith = visit_With

    def visit_If(self, node: ast.If, scope: Scope) -> None:
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
        if isinstance(test, ast.Name):
            if test.id == "TYPE_CHECKING":
                return True, False
            return any(
                isinstance(one, Imported) and one.alias.name == "TYPE_CHECKING"
                for one in scope.lookup(test.id)
            ), False
        return False, False

    def visit_Try(self, node: ast.Try, scope: Scope) -> None:
        self.body(node.body, scope)
        for handler in node.handlers:
            if not self.touches(handler):
                continue
            self.statement = handler
            if handler.type is not None:
                elements = handler.type.elts if isinstance(handler.type, ast.Tuple) else None
                for caught in elements or [handler.type]:
                    self.expression(caught, scope, "except")
            if handler.name:
                scope.bind(handler.name)
            self.body(handler.body, scope)
        self.body(node.orelse, scope)
        self.body(node.finalbody, scope)

    visit_TryStar = visit_Try

    def visit_Match(self, node: ast.Match, scope: Scope) -> None:
        self.expression(node.subject, scope)
        for case in node.cases:
            self.pattern(case.pattern, scope)
            if case.guard is not None:
                self.statement = node
                self.expression(case.guard, scope)
            self.body(case.body, scope)

    def pattern(self, node: ast.pattern, scope: Scope) -> None:
        name = getattr(node, "name", None) or getattr(node, "rest", None)
        if name:
            scope.bind(name)
        for child in children(node):
            if isinstance(child, ast.pattern):
                self.pattern(child, scope)
            elif isinstance(child, ast.expr):
                is_class = isinstance(node, ast.MatchClass)
                self.expression(child, scope, "pattern" if is_class else "value")

    def visit_Global(self, node: ast.Global, scope: Scope) -> None:
        scope.global_names.update(node.names)

    def visit_Nonlocal(self, node: ast.Nonlocal, scope: Scope) -> None:
        scope.nonlocal_names.update(node.names)

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef, scope: Scope) -> None:
        scope.bind(node.name)
        for decorator in node.decorator_list:
            self.expression(decorator, scope)
        outside = self.type_parameters(node, scope)
        self.defaults(node.args, scope)
        for parameter in parameters(node.args):
            if parameter.annotation is not None:
                self.expression(parameter.annotation, outside, "annotation")
        if node.returns is not None:
            self.expression(node.returns, outside, "annotation")
        inside = Scope("function", outside)
        for parameter in parameters(node.args):
            inside.bindings.setdefault(parameter.arg, []).append(None)
        self.body(node.body, inside)

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_ClassDef(self, node: ast.ClassDef, scope: Scope) -> None:
        scope.bind(node.name)
        for decorator in node.decorator_list:
            self.expression(decorator, scope)
        outside = self.type_parameters(node, scope)
        for base in node.bases:
            self.expression(base, outside, "base")
        for keyword in node.keywords:
            self.expression(keyword.value, outside)
        self.body(node.body, Scope("class", outside))

    def type_parameters(self, node: Any, scope: Scope) -> Scope:
        """Return the annotation scope of PEP 695, or the scope itself where there is none."""
        parameters = getattr(node, "type_params", None)
        if not parameters:
            return scope
        made = Scope("types", scope)
        for parameter in parameters:
            made.bindings.setdefault(parameter.name, []).append(None)
            for part in ("bound", "default_value"):
                if getattr(parameter, part, None) is not None:
                    self.expression(getattr(parameter, part), made, "annotation")
        return made


def _says_alias(annotation: ast.expr) -> bool:
    """Return whether an annotation is `TypeAlias` (PEP 613), which makes the value a type."""
    return last_name(annotation) == "TypeAlias"
