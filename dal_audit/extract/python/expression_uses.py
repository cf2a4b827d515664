"""The walk over expressions: uses of names with their role, and calls that may load modules."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, Final, TypeAlias

from msgspec import Struct, field

from dal_audit.extract.python.bindings import COMPREHENSIONS, bind, scoped_children
from dal_audit.extract.python.parse.walk import children
from dal_audit.extract.python.scopes import Binding, Declared, Scope
from dal_audit.facts import UseKind


class NameUse(Struct, frozen=True):
    """A dotted name that is read: `node` covers it whole, `dotted` begins with the name bound."""

    node: ast.expr
    dotted: str
    scope: Scope
    role: UseKind
    spelled: str | None = None
    """What stands at `node` where that is another name for it; empty where that is no name."""
    is_early: bool = False
    """Whether it is read in a class's body that has not bound it yet."""

    @property
    def bindings(self) -> Sequence[Binding]:
        """All that the name can mean; empty for a builtin or unknown."""
        return self.scope.lookup(self.dotted.partition(".")[0], is_early=self.is_early)


class Question(Struct, frozen=True):
    """An expression that names the classes which are asked for, or the exceptions to catch.

    `string` is the f-string that it stands in, if it does.
    """

    node: ast.expr
    scope: Scope
    role: UseKind
    string: ast.expr | None = None


class CallSite(Struct, frozen=True):
    """A call or a subscript that is read, kept where modules may be loaded at run time."""

    node: ast.Call | ast.Subscript
    scope: Scope
    statement: ast.stmt | ast.ExceptHandler
    type_checking: bool


class FileNames(Struct):
    """What the walk found."""

    module: Scope
    uses: list[NameUse] = field(default_factory=list)
    questions: list[Question] = field(default_factory=list)
    call_sites: list[CallSite] = field(default_factory=list)
    imports: list[tuple[ast.Import | ast.ImportFrom, bool]] = field(default_factory=list)
    """The import statements, each with whether it stands under `TYPE_CHECKING`."""


_TRANSPARENT = (ast.BinOp, ast.Dict, ast.Starred, ast.Tuple)
"""What stands in these plays the part that they play: `A | B`, `*Ts`, `(A, B)`, `{"key": A}`."""


DEPENDENCIES: Final = frozenset({"Depends", "Security", "Provide", "Inject"})
"""Calls by which frameworks hand a parameter what a function returns (FastAPI and its like)."""

CALLING: Final = frozenset({"partial", "run_in_threadpool", "run_sync", "submit", "to_thread"})
"""Functions of functools, asyncio, anyio, Starlette and executors that call their first argument,
or make something that does."""

_ARGUMENT_ROLES: Mapping[str, tuple[UseKind, range]] = {
    "isinstance": ("isinstance", range(1, 2)),
    "issubclass": ("issubclass", range(1, 2)),
    "cast": ("cast", range(1)),
    "ForwardRef": ("annotation", range(1)),
    "NamedTuple": ("annotation", range(1, 2)),
    "NewType": ("annotation", range(1, 2)),
    "TypeAliasType": ("annotation", range(1, 2)),
    "TypeVar": ("annotation", range(1, 256)),
    "TypedDict": ("annotation", range(1, 2)),
    "assert_type": ("annotation", range(1, 2)),
    **dict.fromkeys(DEPENDENCIES, ("dependency", range(1))),
    **dict.fromkeys(CALLING, ("dependency", range(1))),
}
"""Calls that ask for a class, name a type, or have a function called, with the positions of these
among the arguments."""

_NO_ROLE: tuple[UseKind, range] = ("value", range(0))

_READER: Final = "getattr"
"""What reads an attribute by its name in a text."""

_TYPE_KEYWORDS: Final = frozenset({"bound", "default", "value"})
"""The keywords by which a maker of types is handed one."""

_ASKING: Final[frozenset[UseKind]] = frozenset({"except", "isinstance", "issubclass", "cast"})
"""The parts of what names a class which is asked for, or an exception to catch."""

_BUILTINS: Final = frozenset(dir(builtins))

QUOTABLE: Final[frozenset[UseKind]] = frozenset({"annotation", "cast"})
"""Where a string is read as the type that it names."""


class Expressions:
    """Visits expressions; what it finds is kept in `names`."""

    def __init__(self, wanted: AbstractSet[str] | None, *, call_sites: bool) -> None:
        self.wanted = wanted
        self.keep_call_sites = call_sites
        self.asks = wanted is None or bool(wanted)
        self.names = FileNames(Scope("module"))
        self.type_checking = False
        self.statement: ast.stmt | ast.ExceptHandler | None = None
        self.string: ast.expr | None = None

    def body(self, statements: Iterable[ast.stmt], scope: Scope) -> None:
        """Visit statements, which may stand below an expression's parent."""
        raise NotImplementedError

    def parts(self, node: ast.AST, scope: Scope, role: UseKind = "value") -> None:
        """Visit what lies directly below a node."""
        for child in children(node):
            visit = _VISITS.get(type(child))
            if visit is not None:
                visit(self, child, scope, role)
            elif isinstance(child, ast.expr):
                self.expression(child, scope, role)
            elif isinstance(child, ast.stmt):
                self.body([child], scope)
            else:
                self.parts(child, scope, role)

    def target(self, node: ast.expr, scope: Scope) -> None:
        """Visit what an assignment's target reads: nothing in a name."""
        if isinstance(node, (ast.Tuple, ast.List)):
            for element in node.elts:
                self.target(element, scope)
        elif isinstance(node, ast.Starred):
            self.target(node.value, scope)
        elif not isinstance(node, ast.Name):
            self.expression(node, scope)

    def expression(self, node: ast.expr, scope: Scope, role: UseKind = "value") -> None:
        """Visit an expression that plays a part."""
        visit = _VISITS.get(type(node))
        if visit is not None:
            visit(self, node, scope, role)
        else:
            self.parts(node, scope, role if isinstance(node, _TRANSPARENT) else "value")

    def name(self, node: ast.Name, scope: Scope, role: UseKind) -> None:
        """Note a name that is read."""
        if (self.wanted is None or node.id in self.wanted) and not isinstance(node.ctx, ast.Store):
            self._use(node, node.id, scope, role)

    def attribute(self, node: ast.Attribute, scope: Scope, role: UseKind) -> None:
        """Note a dotted name, or visit what an attribute is taken from."""
        first = node.value
        while isinstance(first, ast.Attribute):
            first = first.value
        if isinstance(first, ast.Name):
            if self.wanted is None or first.id in self.wanted:
                self._use(node, dotted_name(node), scope, role)
        elif text := dotted_name(node):
            self.dotted(node, text, scope, role)
        else:
            self.expression(node.value, scope)

    def _use(self, node: ast.expr, text: str, scope: Scope, role: UseKind) -> None:
        bound = scope.bindings.get(text.partition(".")[0], ()) if scope.kind == "class" else (None,)
        is_early = all(isinstance(binding, Declared) for binding in bound)
        self.names.uses.append(NameUse(self.string or node, text, scope, role, is_early=is_early))

    def dotted(self, node: ast.expr, text: str, scope: Scope, role: UseKind) -> None:
        """Note a dotted name, and visit what stands in for attributes that are not there."""
        if self.wanted is None or text.partition(".")[0] in self.wanted:
            self._use(node, text, scope, role)
        while isinstance(node, (ast.Attribute, ast.Call, ast.NamedExpr)):
            if isinstance(node, ast.Call):
                for default in node.args[2:]:
                    self.expression(default, scope)
            node = node.args[0] if isinstance(node, ast.Call) else node.value

    def call(self, node: ast.Call, scope: Scope, outer: UseKind) -> None:
        """Visit a call; some of them ask for a class.

        What is called for what an `except` catches is caught (`psycopg.errors.lookup("23505")`).
        """
        self.call_site(node, scope)
        name = last_name(node.func)
        if name == _READER and (text := dotted_name(node)):
            self.dotted(node, text, scope, outer if outer in _ASKING else "value")
            return
        self.expression(node.func, scope, "except" if outer == "except" else "call")
        role, positions = _ARGUMENT_ROLES.get(name, _NO_ROLE)
        for index, argument in enumerate(node.args):
            own = role if index in positions else "value"
            self.expression(argument, scope, own)
            if own in _ASKING:
                self.question(argument, scope, own)
        for keyword in node.keywords:
            is_type = role == "annotation" and keyword.arg in _TYPE_KEYWORDS
            self.expression(keyword.value, scope, role if is_type else "value")

    def subscript(self, node: ast.Subscript, scope: Scope, role: UseKind) -> None:
        """Visit a subscript, which in an annotation is a generic type."""
        if isinstance(node.ctx, ast.Load):
            self.call_site(node, scope)
        self.expression(node.value, scope, role)
        if role not in QUOTABLE:
            self.expression(node.slice, scope)
            return
        name = last_name(node.value)
        if name == "Literal":
            return
        if name == "Annotated" and isinstance(node.slice, ast.Tuple) and node.slice.elts:
            first, *metadata = node.slice.elts
            self.expression(first, scope, role)
            for element in metadata:
                self.expression(element, scope)
            return
        self.expression(node.slice, scope, role)

    def comparison(self, node: ast.Compare, scope: Scope, _role: UseKind) -> None:
        """Visit a comparison; one of `type(x)` asks for a class."""
        operands = [node.left, *node.comparators]
        role: UseKind = "type" if any(map(is_type_of, operands)) else "value"
        for operand in operands:
            self.expression(operand, scope, role)
            if role == "type":
                self.question(operand, scope, role)

    def question(self, node: ast.expr, scope: Scope, role: UseKind) -> None:
        """Keep what is asked for, where it may be more than a builtin's name."""
        if self.asks and not (isinstance(node, ast.Name) and node.id in _BUILTINS):
            self.names.questions.append(Question(node, scope, role, self.string))

    def call_site(self, node: ast.Call | ast.Subscript, scope: Scope) -> None:
        """Keep a call or a subscript, if that is asked for."""
        if self.keep_call_sites and self.statement is not None:
            site = CallSite(node, scope, self.statement, self.type_checking)
            self.names.call_sites.append(site)

    def elements(self, node: ast.List, scope: Scope, role: UseKind) -> None:
        """Visit a list; in `Callable[[Connection], None]` it holds annotations."""
        for element in node.elts:
            self.expression(element, scope, role)

    def constant(self, node: ast.Constant, scope: Scope, role: UseKind) -> None:
        """Read a string annotation; all names in it stand where the string stands."""
        if role not in QUOTABLE or not isinstance(node.value, str) or self.string is not None:
            return
        try:
            inner = ast.parse(node.value.strip(), mode="eval").body
        except (SyntaxError, ValueError, MemoryError, RecursionError):
            return
        wanted = self.wanted
        self.string, self.wanted = node, None
        self.expression(inner, scope, role)
        self.string, self.wanted = None, wanted

    def formatted(self, node: ast.JoinedStr, scope: Scope, _role: UseKind) -> None:
        """Visit an f-string.

        Before Python 3.12, `ast` misplaces what lies in it: the string's place serves.
        """
        outer, self.string = self.string, self.string or node
        self.parts(node, scope)
        self.string = outer

    def named(self, node: ast.NamedExpr, scope: Scope, _role: UseKind) -> None:
        """Visit `name := value`."""
        self.expression(node.value, scope)
        bind(node, scope)

    def opening(self, node: ast.expr, scope: Scope, _role: UseKind) -> None:
        """Visit a comprehension or a lambda, which is a scope of its own."""
        for part, where in scoped_children(node, scope):
            if isinstance(part, ast.expr):
                self.expression(part, where)


_Visit: TypeAlias = Callable[[Expressions, Any, Scope, UseKind], None]

_VISITS: Final[dict[type[ast.AST], _Visit]] = {
    ast.Attribute: Expressions.attribute,
    ast.Call: Expressions.call,
    ast.Compare: Expressions.comparison,
    ast.Constant: Expressions.constant,
    ast.JoinedStr: Expressions.formatted,
    ast.Lambda: Expressions.opening,
    ast.List: Expressions.elements,
    ast.Name: Expressions.name,
    ast.NamedExpr: Expressions.named,
    ast.Subscript: Expressions.subscript,
    **dict.fromkeys(COMPREHENSIONS, Expressions.opening),
}
if hasattr(ast, "TemplateStr"):  # Python 3.14: PEP 750
    _VISITS[ast.TemplateStr] = Expressions.formatted


def is_type_of(node: ast.expr) -> bool:
    """Return whether an expression is the class of an object: `type(x)`, `x.__class__`."""
    if isinstance(node, ast.Call):
        return last_name(node.func) == "type" and len(node.args) == 1
    return isinstance(node, ast.Attribute) and node.attr == "__class__"


def dotted_name(node: ast.expr) -> str:
    """Return the dotted name that an expression spells; empty for another one.

    `getattr(a.b, "c")` spells `a.b.c`, and so does `(b := a.b).c`.
    """
    parts: list[str] = []
    while not isinstance(node, ast.Name):
        if isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
            continue
        step = _read_by_call(node)
        if step is not None:
            node, name = step
            parts.append(name)
        elif isinstance(node, ast.NamedExpr) and parts:
            node = node.value
        else:
            return ""
    return ".".join([node.id, *reversed(parts)])


def _read_by_call(node: ast.expr) -> tuple[ast.expr, str] | None:
    """Return of what a call reads which attribute; None where it reads none by its name."""
    if not isinstance(node, ast.Call) or last_name(node.func) != _READER:
        return None
    match node.args:
        case [owner, ast.Constant(str(name)), *_] if name.isidentifier():
            return owner, name
    return None


def last_name(node: ast.expr) -> str:
    """Return the last component of a dotted name; empty for another expression."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""
