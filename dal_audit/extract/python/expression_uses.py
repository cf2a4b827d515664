"""The walk over expressions: uses of names with their role, and calls that may load modules."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from typing import Any, Final, TypeAlias

from msgspec import Struct, field

from dal_audit.extract.python.parse.walk import children
from dal_audit.extract.python.scopes import Assigned, Binding, Scope, ScopeKind
from dal_audit.facts import Role


class Use(Struct, frozen=True):
    """A dotted name that is read: `node` covers it whole, `dotted` begins with the name bound."""

    node: ast.expr
    dotted: str
    scope: Scope
    role: Role


class Load(Struct, frozen=True):
    """A call or a subscript that is read, kept where modules may be loaded at run time."""

    node: ast.Call | ast.Subscript
    scope: Scope
    statement: ast.stmt | ast.ExceptHandler
    type_checking: bool


class Names(Struct):
    """What the walk found."""

    module: Scope
    uses: list[Use] = field(default_factory=list)
    loads: list[Load] = field(default_factory=list)
    imports: list[tuple[ast.Import | ast.ImportFrom, bool]] = field(default_factory=list)
    """The import statements, each with whether it stands under `TYPE_CHECKING`."""
    scopes: list[Scope] = field(default_factory=list)

    def forget(self) -> None:
        """Let go of what the scopes bind, which leads back to them.

        The collector rests while files are read; without this their trees would stay.
        """
        for scope in self.scopes:
            scope.bindings.clear()


_TRANSPARENT = (ast.BinOp, ast.Starred, ast.Tuple)
"""What stands in these plays the part that they play: `A | B`, `*Ts`, `(A, B)`."""


_TESTS: Mapping[str, tuple[Role, int]] = {
    "isinstance": ("isinstance", 1),
    "issubclass": ("issubclass", 1),
    "cast": ("cast", 0),
}
"""Calls that ask for a class or say it, with the position of the class among the arguments."""

_NO_TEST: tuple[Role, int] = ("value", 0)

_QUOTABLE: frozenset[Role] = frozenset({"annotation", "cast"})
"""Where a string is read as the type that it names."""


class Expressions:
    """Visits expressions; what it finds is kept in `names`."""

    def __init__(self, wanted: AbstractSet[str] | None, *, loads: bool) -> None:
        self.wanted = wanted
        self.keep_loads = loads
        module = Scope("module", None)
        self.names = Names(module, scopes=[module])
        self.type_checking = False
        self.statement: ast.stmt | ast.ExceptHandler | None = None
        self.string: ast.expr | None = None

    def inside(self, kind: ScopeKind, outer: Scope) -> Scope:
        """Return a new scope."""
        made = Scope(kind, outer)
        self.names.scopes.append(made)
        return made

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
        """Visit what parameters are by default, where the function is defined."""
        for default in (*node.defaults, *node.kw_defaults):
            if default is not None:
                self.expression(default, scope)

    def expression(self, node: ast.expr, scope: Scope, role: Role = "value") -> None:
        """Visit an expression that plays a part."""
        visit = _VISITS.get(type(node))
        if visit is not None:
            visit(self, node, scope, role)
        else:
            self.parts(node, scope, role if isinstance(node, _TRANSPARENT) else "value")

    def name(self, node: ast.Name, scope: Scope, role: Role) -> None:
        """Note a name that is read."""
        if (self.wanted is None or node.id in self.wanted) and not isinstance(node.ctx, ast.Store):
            self.names.uses.append(Use(self.string or node, node.id, scope, role))

    def attribute(self, node: ast.Attribute, scope: Scope, role: Role) -> None:
        """Note a dotted name, or visit what an attribute is taken from."""
        inner: ast.expr = node.value
        while isinstance(inner, ast.Attribute):
            inner = inner.value
        if not isinstance(inner, ast.Name):
            self.expression(inner, scope)
        elif self.wanted is None or inner.id in self.wanted:
            parts = [node.attr]
            outer = node.value
            while isinstance(outer, ast.Attribute):
                parts.append(outer.attr)
                outer = outer.value
            text = ".".join([inner.id, *reversed(parts)])
            self.names.uses.append(Use(self.string or node, text, scope, role))

    def call(self, node: ast.Call, scope: Scope, _role: Role) -> None:
        """Visit a call; some of them ask for a class."""
        self.load(node, scope)
        self.expression(node.func, scope, "call")
        role, position = _TESTS.get(last_name(node.func), _NO_TEST)
        for index, argument in enumerate(node.args):
            self.expression(argument, scope, role if index == position else "value")
        for keyword in node.keywords:
            self.expression(keyword.value, scope)

    def subscript(self, node: ast.Subscript, scope: Scope, role: Role) -> None:
        """Visit a subscript, which in an annotation is a generic type."""
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

    def comparison(self, node: ast.Compare, scope: Scope, _role: Role) -> None:
        """Visit a comparison; one of `type(x)` asks for a class."""
        operands = [node.left, *node.comparators]
        role: Role = "type" if any(map(_is_type_of, operands)) else "value"
        for operand in operands:
            self.expression(operand, scope, role)

    def load(self, node: ast.Call | ast.Subscript, scope: Scope) -> None:
        """Keep a call or a subscript, if that is asked for."""
        if self.keep_loads and self.statement is not None:
            self.names.loads.append(Load(node, scope, self.statement, self.type_checking))

    def elements(self, node: ast.List, scope: Scope, role: Role) -> None:
        """Visit a list; in `Callable[[Connection], None]` it holds annotations."""
        for element in node.elts:
            self.expression(element, scope, role)

    def constant(self, node: ast.Constant, scope: Scope, role: Role) -> None:
        """Read a string annotation; all names in it stand where the string stands."""
        if role not in _QUOTABLE or not isinstance(node.value, str) or self.string is not None:
            return
        try:
            inner = ast.parse(node.value.strip(), mode="eval").body
        except (SyntaxError, ValueError, MemoryError, RecursionError):
            return
        wanted = self.wanted
        self.string, self.wanted = node, None
        self.expression(inner, scope, role)
        self.string, self.wanted = None, wanted

    def formatted(self, node: ast.JoinedStr, scope: Scope, _role: Role) -> None:
        """Visit an f-string.

        Before Python 3.12, `ast` misplaces what lies in it: the string's place serves.
        """
        outer, self.string = self.string, self.string or node
        self.parts(node, scope)
        self.string = outer

    def anonymous(self, node: ast.Lambda, scope: Scope, _role: Role) -> None:
        """Visit a lambda."""
        self.defaults(node.args, scope)
        inside = self.inside("function", scope)
        for parameter in parameters(node.args):
            inside.bindings.setdefault(parameter.arg, []).append(None)
        self.expression(node.body, inside)

    def named(self, node: ast.NamedExpr, scope: Scope, _role: Role) -> None:
        """Visit `name := value`."""
        self.expression(node.value, scope)
        self.target(node.target, scope, Assigned(node.value, scope))

    def comprehension(self, node: Any, scope: Scope, _role: Role) -> None:
        """Visit a comprehension, which is a scope of its own."""
        inside = self.inside("comprehension", scope)
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


_Visit: TypeAlias = Callable[[Expressions, Any, Scope, Role], None]

_VISITS: Final[dict[type[ast.AST], _Visit]] = {
    ast.Attribute: Expressions.attribute,
    ast.Call: Expressions.call,
    ast.Compare: Expressions.comparison,
    ast.Constant: Expressions.constant,
    ast.DictComp: Expressions.comprehension,
    ast.GeneratorExp: Expressions.comprehension,
    ast.JoinedStr: Expressions.formatted,
    ast.Lambda: Expressions.anonymous,
    ast.List: Expressions.elements,
    ast.ListComp: Expressions.comprehension,
    ast.Name: Expressions.name,
    ast.NamedExpr: Expressions.named,
    ast.SetComp: Expressions.comprehension,
    ast.Subscript: Expressions.subscript,
}
if hasattr(ast, "TemplateStr"):  # Python 3.14: PEP 750
    _VISITS[ast.TemplateStr] = Expressions.formatted


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
