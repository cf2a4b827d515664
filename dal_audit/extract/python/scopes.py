"""Scopes: which names a module binds where, and what a name can mean where it is read.

The rules are those of the language reference, "Naming and binding": function bodies are blocks of
their own, a class body's names are not seen from the functions in it, comprehensions and lambdas
have a scope, `global` and `nonlocal` redirect. A name has the union of what its scope binds to it,
never the last alone: `try: import x / except ImportError: x = None` leaves the import visible.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from typing import Literal, TypeAlias

from msgspec import Struct, field

from dal_audit.facts import AbstractValue

ScopeKind: TypeAlias = Literal["module", "class", "function", "comprehension", "types"]


class Imported(Struct, frozen=True):
    """A name bound by an import statement: the statement and the alias in it."""

    statement: ast.Import | ast.ImportFrom
    alias: ast.alias

    @property
    def name(self) -> str:
        """The name that is bound."""
        return self.alias.asname or self.alias.name.partition(".")[0]

    @property
    def origin(self) -> str:
        """The dotted name that it stands for; a relative one begins with its dots."""
        statement, alias = self.statement, self.alias
        if isinstance(statement, ast.Import):
            return alias.name if alias.asname else alias.name.partition(".")[0]
        module = source_module(statement)
        return f"{module}.{alias.name}" if statement.module else f"{module}{alias.name}"


def imported_names(statement: ast.Import | ast.ImportFrom) -> Iterator[Imported]:
    """Yield what an import statement binds; of a star nothing is known."""
    for alias in statement.names:
        if alias.name != "*":
            yield Imported(statement, alias)


def source_module(statement: ast.ImportFrom) -> str:
    """Return what stands after `from`, with the dots of a relative import."""
    return "." * statement.level + (statement.module or "")


class Assigned(Struct, frozen=True):
    """A name bound to the value of an expression, which is read in `scope`."""

    value: ast.expr
    scope: Scope
    each: bool = False
    """Whether the name takes one element of the value after another (a loop's target)."""
    annotation: ast.expr | None = None
    part: int | None = None
    """Which part of each element the name takes, where the target takes elements apart."""


class Appended(Struct, frozen=True):
    """A name that is given something more by `+=`: an expression, which is read in `scope`."""

    value: ast.expr
    scope: Scope


class Entered(Struct, frozen=True):
    """A name bound to what a context manager gives: an expression, which is read in `scope`."""

    context: ast.expr
    scope: Scope


class Declared(Struct, frozen=True):
    """A parameter, or a name with an annotation and no value; a default is read in `scope`."""

    annotation: ast.expr | None
    scope: Scope
    default: ast.expr | None = None


class Defined(Struct, frozen=True):
    """A name bound to a class or a function, whose definition is read in `scope`."""

    node: ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
    scope: Scope


Binding: TypeAlias = (
    Imported | Assigned | Appended | Entered | Declared | Defined | AbstractValue | None
)
"""`AbstractValue` is what a reader knows without an expression (a method's own object); None stands
for a binding of which nothing more is known."""


class Scope(Struct, eq=False):
    """A block of names."""

    kind: ScopeKind
    parent: Scope | None = None
    bindings: dict[str, list[Binding]] = field(default_factory=dict)
    global_names: set[str] = field(default_factory=set)
    nonlocal_names: set[str] = field(default_factory=set)
    stars: list[str] = field(default_factory=list)
    """The modules that the block takes all names of (`from … import *`)."""
    opened: list[Scope] = field(default_factory=list)
    """All scopes of the module but the outermost, which they share."""

    def open(self, kind: ScopeKind) -> Scope:
        """Return a new scope inside this one."""
        inside = Scope(kind, self, opened=self.opened)
        self.opened.append(inside)
        return inside

    def forget(self) -> None:
        """Let go of what all scopes of the module bind, which leads back to them.

        The collector rests while files are read; without this their trees would stay.
        """
        for scope in (self.module(), *self.opened):
            scope.bindings.clear()
        self.opened.clear()

    def find(self, name: str, *, is_early: bool = False) -> tuple[Scope, Sequence[Binding]] | None:
        """Return the scope that binds a name which is read here, and what it binds to it.

        What is read early is read above all that this scope itself binds to it: a class's body
        then reads what is around the class, as in `pool = pool()`.
        """
        scope: Scope | None = self
        inner = False
        while scope is not None:
            if name in scope.global_names:
                outermost = scope.module()
                found = outermost.bindings.get(name)
                return (outermost, found) if found else None
            visible = scope.kind != "class" or not (inner or is_early)
            if visible and name not in scope.nonlocal_names:
                found = scope.bindings.get(name)
                if found:
                    return scope, found
            # A class's names are seen from its own body and from the annotation scopes in it, not
            # from the functions, comprehensions and classes.
            inner = inner or scope.kind != "types"
            scope = scope.parent
        return None

    def lookup(self, name: str, *, is_early: bool = False) -> Sequence[Binding]:
        """Return all that a name can mean when it is read here; empty for a builtin or unknown."""
        found = self.find(name, is_early=is_early)
        return found[1] if found is not None else ()

    def of_class(self, name: str) -> Sequence[Binding]:
        """Return what the body of the class around this scope binds to a name (`self.name`)."""
        scope: Scope | None = self
        while scope is not None and scope.kind != "class":
            scope = scope.parent
        return scope.bindings.get(name, ()) if scope is not None else ()

    def bind(self, name: str, binding: Binding = None) -> None:
        """Bind a name from here; `global` and `nonlocal` redirect it."""
        scope = self
        if name in scope.global_names:
            scope = scope.module()
        elif name in scope.nonlocal_names:
            scope = scope.owner(name)
        scope.bindings.setdefault(name, []).append(binding)

    def around_comprehensions(self) -> Scope:
        """Return the scope that `:=` binds in: comprehensions are passed."""
        scope = self
        while scope.kind == "comprehension" and scope.parent is not None:
            scope = scope.parent
        return scope

    def owner(self, name: str) -> Scope:
        """Return the enclosing function's scope that a nonlocal name belongs to."""
        outer = self.parent
        while outer is not None:
            if outer.kind == "function" and name not in outer.nonlocal_names:
                return outer
            outer = outer.parent
        return self

    def module(self) -> Scope:
        """Return the outermost scope."""
        scope = self
        while scope.parent is not None:
            scope = scope.parent
        return scope
