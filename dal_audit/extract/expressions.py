"""The walk over expressions: uses of names with their role, and calls that may load modules."""

from __future__ import annotations

import ast
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dal_audit.extract.scopes import Assigned, Binding, Scope
from dal_audit.extract.walking import children
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


_TRANSPARENT = (ast.BinOp, ast.Starred, ast.Tuple)
"""What stands in these plays the part that they play: `A | B`, `*Ts`, `(A, B)`."""


_TESTS: Mapping[str, tuple[Role, int]] = {
    "isinstance": ("isinstance", 1),
    "issubclass": ("issubclass", 1),
    "cast": ("cast", 0),
}
"""Calls that ask for a class or say it, with the position of the class among the arguments."""

_QUOTABLE: frozenset[Role] = frozenset({"annotation", "cast"})
"""Where a string is read as the type that it names."""


class Expressions:
    """Visits expressions; what it finds is kept in `names`."""

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

    def body(self, statements: Iterable[ast.stmt], scope: Scope) -> None:
        """Visit statements, which may stand below an expression's parent."""
        raise NotImplementedError

    def parts(self, node: ast.AST, scope: Scope, role: Role = "value") -> None:
        """Visit what lies directly below a node."""
        for child in children(node):
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

    def defaults(self, node: ast.arguments, scope: Scope) -> None:
        for default in (*node.defaults, *node.kw_defaults):
            if default is not None:
                self.expression(default, scope)

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
            self.parts(node, scope, role if isinstance(node, _TRANSPARENT) else "value")

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
        role, position = _TESTS.get(last_name(node.func), ("value", 0))
        for index, argument in enumerate(node.args):
            self.expression(argument, scope, role if index == position else "value")
        for keyword in node.keywords:
            self.expression(keyword.value, scope)

    def visit_Subscript(self, node: ast.Subscript, scope: Scope, role: Role) -> None:
        if isinstance(node.ctx, ast.Load):
            self.load(node, scope)
        self.expression(node.value, scope, role)
        if role not in _QUOTABLE:
            self.expression(node.slice, scope)
            return
        name = last_name(node.value)
        if name == "Literal":
            return
        if name == "Annotated" and isinstance(node.slice, ast.Tuple) and node.slice.elts:
            first, *metadata = node.slice.elts
            self.expression(first, scope, role)
            for one in metadata:
                self.expression(one, scope)
            return
        self.expression(node.slice, scope, role)

    def visit_Compare(self, node: ast.Compare, scope: Scope, _role: Role) -> None:
        operands = [node.left, *node.comparators]
        role: Role = "type" if any(map(_is_type_of, operands)) else "value"
        for operand in operands:
            self.expression(operand, scope, role)

    def load(self, node: ast.Call | ast.Subscript, scope: Scope) -> None:
        if self.keep_loads and self.statement is not None:
            self.names.loads.append(Load(node, scope, self.statement, self.type_checking))

    def visit_List(self, node: ast.List, scope: Scope, role: Role) -> None:
        # `Callable[[Connection], None]`: what stands in the list is an annotation, too.
        for element in node.elts:
            self.expression(element, scope, role)

    def visit_Constant(self, node: ast.Constant, scope: Scope, role: Role) -> None:
        """Read a string annotation; all names in it stand where the string stands."""
        if role not in _QUOTABLE or not isinstance(node.value, str) or self.string is not None:
            return
        try:
            inner = ast.parse(node.value.strip(), mode="eval").body
        except (SyntaxError, ValueError, MemoryError, RecursionError):
            return
        self.string = node
        self.expression(inner, scope, role)
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
        for parameter in parameters(node.args):
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


def _is_type_of(node: ast.expr) -> bool:
    """Return whether an expression is the class of an object: `type(x)`, `x.__class__`."""
    if isinstance(node, ast.Call):
        return last_name(node.func) == "type" and len(node.args) == 1
    return isinstance(node, ast.Attribute) and node.attr == "__class__"


def parameters(node: ast.arguments) -> Iterator[ast.arg]:
    """Yield all parameters of a function."""
    yield from node.posonlyargs
    yield from node.args
    if node.vararg is not None:
        yield node.vararg
    yield from node.kwonlyargs
    if node.kwarg is not None:
        yield node.kwarg


def last_name(node: ast.expr) -> str:
    """Return the last component of a dotted name; empty for another expression."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""
