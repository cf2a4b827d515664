"""Scopes: which names a module binds where, and what a name can mean where it is read.

The rules are those of the language reference, "Naming and binding": function bodies are blocks of
their own, a class body's names are not seen from the functions in it, comprehensions and lambdas
have a scope, `global` and `nonlocal` redirect. A name has the union of what its scope binds to it,
never the last alone: `try: import x / except ImportError: x = None` leaves the import visible.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import Literal, TypeAlias

from msgspec import Struct, field

ScopeKind: TypeAlias = Literal["module", "class", "function", "comprehension", "types"]


class Imported(Struct, frozen=True):
    """A name bound by an import statement: the statement and the alias in it."""

    statement: ast.Import | ast.ImportFrom
    alias: ast.alias


class Assigned(Struct, frozen=True):
    """A name bound to the value of an expression, which is read in `scope`."""

    value: ast.expr
    scope: Scope
    each: bool = False
    """Whether the name takes one element of the value after another (a loop's target)."""


Binding: TypeAlias = Imported | Assigned | None
"""None stands for a binding of which nothing more is known."""


class Scope(Struct, eq=False):
    """A block of names."""

    kind: ScopeKind
    parent: Scope | None
    bindings: dict[str, list[Binding]] = field(default_factory=dict)
    global_names: set[str] = field(default_factory=set)
    nonlocal_names: set[str] = field(default_factory=set)

    def lookup(self, name: str) -> Sequence[Binding]:
        """Return all that a name can mean when it is read here; empty for a builtin or unknown."""
        scope: Scope | None = self
        inner = False
        while scope is not None:
            if name in scope.global_names:
                return scope.module().bindings.get(name, ())
            visible = scope.kind != "class" or not inner
            if visible and name not in scope.nonlocal_names:
                found = scope.bindings.get(name)
                if found:
                    return found
            # A class's names are seen from its own body and from the annotation scopes in it, not
            # from the functions, comprehensions and classes.
            inner = inner or scope.kind != "types"
            scope = scope.parent
        return ()

    def bind(self, name: str, binding: Binding = None) -> None:
        """Bind a name from here; `global`, `nonlocal` and comprehensions redirect it."""
        scope = self
        while scope.kind == "comprehension" and scope.parent is not None:
            scope = scope.parent
        if name in scope.global_names:
            scope = scope.module()
        elif name in scope.nonlocal_names:
            scope = scope.owner(name)
        scope.bindings.setdefault(name, []).append(binding)

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
