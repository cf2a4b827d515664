"""The names of a module: its imports, the uses of what they bind, and calls that may load modules.

The walk can be limited to the lines that mention the names of interest. Nothing is lost by that:
whatever binds or uses a name in a scope mentions it on a line of that scope.
"""

from __future__ import annotations

import ast
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from dal_audit.extract.scopes import Assigned, Binding, Imported, Scope
from dal_audit.facts import Role


@dataclass(frozen=True, slots=True)
class Use:
    """A dotted name that is read: `node` covers it whole, `dotted` begins with the name bound."""

    node: ast.expr
    dotted: str
    scope: Scope
    role: Role


@dataclass(frozen=True, slots=True)
class Load:
    """A call or a subscript that is read, kept where modules may be loaded at run time."""

    node: ast.Call | ast.Subscript
    scope: Scope
    statement: ast.stmt | ast.ExceptHandler
    type_checking: bool


@dataclass(slots=True)
class Names:
    """What the walk found."""

    module: Scope
    uses: list[Use] = field(default_factory=list)
    loads: list[Load] = field(default_factory=list)
    imports: list[tuple[ast.Import | ast.ImportFrom, bool]] = field(default_factory=list)
    """The import statements, each with whether it stands under `TYPE_CHECKING`."""


def read_names(tree: ast.Module, lines: Sequence[int] | None, *, loads: bool = False) -> Names:
    """Walk a module; `lines` are the sorted 1-based lines of interest, None for all.

    Raises RecursionError for a tree that is nested too deeply to walk.
    """
    walker = _Walker(lines, loads=loads)
    walker.body(tree.body, walker.names.module)
    return walker.names


class _Walker:
    def __init__(self, lines: Sequence[int] | None, *, loads: bool) -> None:
        self.lines = lines
        self.keep_loads = loads
        self.names = Names(Scope("module", None))
        self.type_checking = False
        self.statement: ast.stmt | ast.ExceptHandler | None = None
        self.string: ast.expr | None = None

    def touches(self, node: Any) -> bool:
        """Return whether a line of interest lies in a node."""
        if self.lines is None or self.string is not None:
            return True
        first = getattr(node, "lineno", None)
        if first is None:
            return True
        decorators = getattr(node, "decorator_list", None)
        if decorators:
            first = min(first, decorators[0].lineno)
        index = bisect_left(self.lines, first)
        return index < len(self.lines) and self.lines[index] <= node.end_lineno

    # Statements

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

    def parts(self, node: ast.AST, scope: Scope, role: Role = "value") -> None:
        """Visit what lies directly below a node."""
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr):
                self.expression(child, scope, role)
            elif isinstance(child, ast.stmt):
                self.body([child], scope)
            else:
                self.parts(child, scope, role)

    def target(self, node: ast.expr, scope: Scope, binding: Binding = None) -> None:
        """Bind the names of an assignment's target."""
        if isinstance(node, ast.Name):
            scope.bind(node.id, binding)
        elif isinstance(node, (ast.Tuple, ast.List)):
            for element in node.elts:
                self.target(element, scope)
        elif isinstance(node, ast.Starred):
            self.target(node.value, scope)
        else:
            self.expression(node, scope)

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
                self.expression(case.guard, scope)
            self.body(case.body, scope)

    def pattern(self, node: ast.pattern, scope: Scope) -> None:
        name = getattr(node, "name", None) or getattr(node, "rest", None)
        if name:
            scope.bind(name)
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.pattern):
                self.pattern(child, scope)
            elif isinstance(child, ast.expr):
                self.expression(child, scope)

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
        for parameter in _parameters(node.args):
            if parameter.annotation is not None:
                self.expression(parameter.annotation, outside, "annotation")
        if node.returns is not None:
            self.expression(node.returns, outside, "annotation")
        inside = Scope("function", outside)
        for parameter in _parameters(node.args):
            inside.bindings.setdefault(parameter.arg, []).append(None)
        self.body(node.body, inside)

    visit_AsyncFunctionDef = visit_FunctionDef

    def defaults(self, node: ast.arguments, scope: Scope) -> None:
        for default in (*node.defaults, *node.kw_defaults):
            if default is not None:
                self.expression(default, scope)

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

    # Expressions

    def expression(self, node: ast.expr, scope: Scope, role: Role = "value") -> None:
        if not self.touches(node):
            return
        if isinstance(node, (ast.Name, ast.Attribute)):
            self.dotted(node, scope, role)
            return
        visit = getattr(self, f"visit_{type(node).__name__}", None)
        if visit is not None:
            visit(node, scope, role)
        else:
            self.parts(node, scope, role if isinstance(node, (ast.BinOp, ast.Tuple)) else "value")

    def dotted(self, node: ast.Name | ast.Attribute, scope: Scope, role: Role) -> None:
        """Note a dotted name, or visit what an attribute is taken from."""
        parts: list[str] = []
        inner: ast.expr = node
        while isinstance(inner, ast.Attribute):
            parts.append(inner.attr)
            inner = inner.value
        if isinstance(inner, ast.Name):
            if not isinstance(inner.ctx, ast.Store):
                text = ".".join([inner.id, *reversed(parts)])
                self.names.uses.append(Use(self.string or node, text, scope, role))
        else:
            self.expression(inner, scope)

    def visit_Call(self, node: ast.Call, scope: Scope, _role: Role) -> None:
        self.load(node, scope)
        self.expression(node.func, scope, "call")
        for argument in node.args:
            self.expression(argument, scope)
        for keyword in node.keywords:
            self.expression(keyword.value, scope)

    def visit_Subscript(self, node: ast.Subscript, scope: Scope, role: Role) -> None:
        if isinstance(node.ctx, ast.Load):
            self.load(node, scope)
        self.expression(node.value, scope, role)
        if role != "annotation":
            self.expression(node.slice, scope)
            return
        name = _last_name(node.value)
        if name == "Literal":
            return
        if name == "Annotated" and isinstance(node.slice, ast.Tuple) and node.slice.elts:
            first, *metadata = node.slice.elts
            self.expression(first, scope, "annotation")
            for one in metadata:
                self.expression(one, scope)
            return
        self.expression(node.slice, scope, "annotation")

    def load(self, node: ast.Call | ast.Subscript, scope: Scope) -> None:
        if self.keep_loads and self.statement is not None:
            self.names.loads.append(Load(node, scope, self.statement, self.type_checking))

    def visit_List(self, node: ast.List, scope: Scope, role: Role) -> None:
        # `Callable[[Connection], None]`: what stands in the list is an annotation, too.
        for element in node.elts:
            self.expression(element, scope, role)

    def visit_Constant(self, node: ast.Constant, scope: Scope, role: Role) -> None:
        """Read a string annotation; all names in it stand where the string stands."""
        if role != "annotation" or not isinstance(node.value, str) or self.string is not None:
            return
        try:
            inner = ast.parse(node.value.strip(), mode="eval").body
        except (SyntaxError, ValueError, MemoryError, RecursionError):
            return
        self.string = node
        self.expression(inner, scope, "annotation")
        self.string = None

    def visit_JoinedStr(self, node: ast.JoinedStr, scope: Scope, _role: Role) -> None:
        # Before Python 3.12, `ast` misplaces what lies in an f-string: the string's place serves.
        outer, self.string = self.string, self.string or node
        self.parts(node, scope)
        self.string = outer

    visit_TemplateStr = visit_JoinedStr

    def visit_Lambda(self, node: ast.Lambda, scope: Scope, _role: Role) -> None:
        self.defaults(node.args, scope)
        inside = Scope("function", scope)
        for parameter in _parameters(node.args):
            inside.bindings.setdefault(parameter.arg, []).append(None)
        self.expression(node.body, inside)

    def visit_NamedExpr(self, node: ast.NamedExpr, scope: Scope, _role: Role) -> None:
        self.expression(node.value, scope)
        self.target(node.target, scope, Assigned(node.value, scope))

    def visit_ListComp(self, node: Any, scope: Scope, _role: Role) -> None:
        inside = Scope("comprehension", scope)
        for index, clause in enumerate(node.generators):
            # The first iterable is read in the scope around the comprehension.
            around = inside if index else scope
            self.expression(clause.iter, around)
            self.comprehension_target(
                clause.target, inside, Assigned(clause.iter, around, each=True)
            )
            for condition in clause.ifs:
                self.expression(condition, inside)
        for part in ("elt", "key", "value"):
            if hasattr(node, part):
                self.expression(getattr(node, part), inside)

    visit_SetComp = visit_DictComp = visit_GeneratorExp = visit_ListComp

    def comprehension_target(self, node: ast.expr, inside: Scope, binding: Binding) -> None:
        """Bind a comprehension's variables in its own scope, where `:=` does not reach."""
        if isinstance(node, ast.Name):
            inside.bindings.setdefault(node.id, []).append(binding)
        elif isinstance(node, (ast.Tuple, ast.List)):
            for element in node.elts:
                self.comprehension_target(element, inside, None)
        elif isinstance(node, ast.Starred):
            self.comprehension_target(node.value, inside, None)
        else:
            self.expression(node, inside)


def _parameters(node: ast.arguments) -> Iterator[ast.arg]:
    yield from node.posonlyargs
    yield from node.args
    if node.vararg is not None:
        yield node.vararg
    yield from node.kwonlyargs
    if node.kwarg is not None:
        yield node.kwarg


def _last_name(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _says_alias(annotation: ast.expr) -> bool:
    """Return whether an annotation is `TypeAlias` (PEP 613), which makes the value a type."""
    return _last_name(annotation) == "TypeAlias"
