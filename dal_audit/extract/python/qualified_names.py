"""The dotted names that expressions can mean, by what the module imports and binds once."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from typing import Final

from msgspec import Struct

from dal_audit.extract.python.constant_sets import MAX_DEPTH, ConstantSet
from dal_audit.extract.python.definitions import OWN, chosen
from dal_audit.extract.python.expression_uses import last_name
from dal_audit.extract.python.literal_values import elements_of, follow_assignment
from dal_audit.extract.python.look_ups import values_of_key
from dal_audit.extract.python.scopes import Assigned, Binding, Declared, Imported, Scope

_BUILTINS: Final = frozenset(dir(builtins))
_SAME: Final = frozenset({"builtins.staticmethod"})
_KEY_READERS: Final = frozenset({"__getitem__", "get"})
_ATTRIBUTE_READERS: Final = frozenset(
    {"builtins.getattr", "builtins.object.__getattribute__", "inspect.getattr_static"}
)
_IMPORTERS: Final = frozenset(
    {"builtins.__import__", "importlib.__import__", "importlib.import_module"}
)
_NAMESPACES: Final = frozenset({"builtins.globals", "builtins.locals", "builtins.vars"})


class QualifiedNames(Struct, frozen=True):
    """Reads them; `fold` returns the texts that an expression can be in a scope, at a depth."""

    fold: Callable[[ast.expr, Scope, int], ConstantSet]

    def of(self, node: ast.expr, scope: Scope, depth: int = 0) -> frozenset[str]:
        """Return the dotted names that an expression can mean: imports followed, builtins marked.

        A relative import keeps its dots (`.tools.load`); a name that nothing binds is a builtin, or
        what a star brings.
        """
        if depth > MAX_DEPTH:
            return frozenset()
        if isinstance(node, ast.Attribute):
            return self._attribute(node, scope, depth + 1)
        if isinstance(node, (ast.Call, ast.Subscript)):
            return self._reflected(node, scope, depth + 1)
        if isinstance(node, (ast.IfExp, ast.BoolOp, ast.NamedExpr)):
            return self._any(_choices(node), scope, depth + 1)
        return self._named(node, scope, depth + 1) if isinstance(node, ast.Name) else frozenset()

    def _any(self, parts: Sequence[ast.expr], scope: Scope, depth: int) -> frozenset[str]:
        """Return what several expressions mean; the more there are, the less deep they are read."""
        inner = depth + len(parts) - 1
        return frozenset(name for part in parts for name in self.of(part, scope, inner))

    def _attribute(self, node: ast.Attribute, scope: Scope, depth: int) -> frozenset[str]:
        """Return what an attribute means, be it one of a method's own object."""
        owners = self.of(node.value, scope, depth)
        if not owners and last_name(node.value) in OWN:
            return self._bound(scope.of_class(node.attr), depth)
        return frozenset(f"{owner}.{node.attr}" for owner in owners)

    def _named(self, node: ast.Name, scope: Scope, depth: int) -> frozenset[str]:
        bindings = scope.lookup(node.id)
        if bindings:
            return self._bound(bindings, depth)
        if node.id == "__builtins__":
            return frozenset(["builtins"])
        stars = [] if node.id in _BUILTINS else scope.module().stars
        return frozenset(f"{module}.{node.id}" for module in ("builtins", *stars))

    def _bound(self, bindings: Sequence[Binding], depth: int) -> frozenset[str]:
        """Return what a name means by its bindings: what is assigned counts where that is the only.

        A parameter can be its default.
        """
        found: set[str] = set()
        for binding in bindings:
            if isinstance(binding, Imported):
                found.add(binding.origin)
            elif isinstance(binding, Declared) and binding.default is not None:
                found |= self.of(binding.default, binding.scope, depth)
            elif isinstance(binding, Assigned) and len(bindings) == 1:
                values = elements_of(binding) if binding.each else [binding.value]
                found |= self._any(values, binding.scope, depth)
        return frozenset(found)

    def _reflected(
        self, node: ast.Call | ast.Subscript, scope: Scope, depth: int
    ) -> frozenset[str]:
        """Return what is meant by `getattr(x, "y")`, `vars(x)["y"]`, `__import__("x")`."""
        if isinstance(node, ast.Subscript):
            return self._by_key(node.value, node.slice, scope, depth)
        if isinstance(node.func, ast.Attribute) and node.args and node.func.attr in _KEY_READERS:
            found = self._by_key(node.func.value, node.args[0], scope, depth)
            if found:
                return found
        callees = self.of(node.func, scope, depth)
        if node.args and callees & _SAME:
            return self.of(node.args[0], scope, depth)
        if node.args and callees & _IMPORTERS:
            return frozenset(self.fold(node.args[0], scope, depth))
        if len(node.args) >= 2 and callees & _ATTRIBUTE_READERS:  # noqa: PLR2004  # an object and a name
            return self._members(self.of(node.args[0], scope, depth), node.args[1], scope, depth)
        return frozenset()

    def _by_key(self, owner: ast.expr, key: ast.expr, scope: Scope, depth: int) -> frozenset[str]:
        """Return what a key means: of a table that is written out, or of a namespace.

        A namespace is `x.__dict__["y"]`, `vars(x)["y"]` and the like.
        """
        table = follow_assignment(owner, scope)
        if isinstance(table, ast.Dict):
            values = values_of_key(table, key, lambda part: self.fold(part, scope, depth))
            return self._any(values, scope, depth)
        if isinstance(owner, ast.Call):
            callees = self.of(owner.func, scope, depth)
            if callees & _NAMESPACES and not owner.args:
                names = (ast.Name(name, ast.Load()) for name in self.fold(key, scope, depth))
                found = (self._named(name, scope.module(), depth) for name in names)
                return frozenset(name for several in found for name in several)
            if "builtins.vars" in callees and owner.args:
                return self._members(self.of(owner.args[0], scope, depth), key, scope, depth)
        owners = self.of(owner, scope, depth)
        of_modules = {
            name.removesuffix(".__dict__") for name in owners if name.endswith(".__dict__")
        }
        if "sys.modules" in owners:
            return frozenset(self.fold(key, scope, depth))
        return self._members(of_modules | (owners & {"builtins"}), key, scope, depth)

    def _members(
        self, owners: AbstractSet[str], name: ast.expr, scope: Scope, depth: int
    ) -> frozenset[str]:
        return frozenset(
            f"{owner}.{member}" for owner in owners for member in self.fold(name, scope, depth)
        )


def _choices(node: ast.IfExp | ast.BoolOp | ast.NamedExpr) -> list[ast.expr]:
    """Return what an expression chooses between, or names."""
    return [node.value] if isinstance(node, ast.NamedExpr) else chosen(node)
