"""What the values in a module evidently are: light inference over names, calls and annotations.

A name has the union of what its scope binds to it, whatever the order; what cannot be told from the
module's own text is left out, never guessed.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final

from dal_audit.extract.holes import UNKNOWN
from dal_audit.extract.python.annotations import TypeReader
from dal_audit.extract.python.assigned_values import SAME_VALUE
from dal_audit.extract.python.bindings import SAME_ELEMENTS
from dal_audit.extract.python.constant_folding import fold_constant
from dal_audit.extract.python.definitions import chosen
from dal_audit.extract.python.expression_uses import DEPENDENCIES, last_name
from dal_audit.extract.python.literal_values import (
    elements_of,
    follow_assignment,
)
from dal_audit.extract.python.look_ups import held_values
from dal_audit.extract.python.named_reads import read_by_call
from dal_audit.extract.python.scopes import Assigned, Binding, Declared, Entered, Imported, Scope
from dal_audit.facts import CALL, ITEM, OWN_MODULE, AbstractValue

MAX_DEPTH: Final = 24
"""How deep expressions and names are followed for one value."""

MAX_KNOWN: Final = 16
"""How many things one name can be; what else it is bound to is left out."""

_FAR: Final = 8
"""What a look-up in a collection adds to the depth: collections of collections grow fast."""

_HANDING_ON: Final = SAME_VALUE | {"partial"}
"""Functions whose result is their first argument, or is called in its place."""


_TAKING: Final = frozenset({"next", "anext", "choice"})
"""Functions whose result is an element of their first argument."""

_LOOK_UPS: Final = frozenset({"get", "pop", "setdefault", "__getitem__"})
"""Methods whose result is an item of a collection, by its key."""


class Inference:
    """Reads what expressions stand for."""

    def __init__(self, types: TypeReader) -> None:
        """Read names by a module's own imports."""
        self.types = types
        self._known: dict[tuple[Scope, str], tuple[AbstractValue, ...]] = {}

    def infer(self, node: ast.expr | None, scope: Scope, depth: int = 0) -> Iterator[AbstractValue]:
        """Yield all that an expression can be; nothing where that is not known."""
        if node is None or depth > MAX_DEPTH:
            return
        if isinstance(node, ast.Name):
            yield from self._name(node.id, scope, depth)
        elif isinstance(node, ast.Attribute):
            yield from self._step(node.value, node.attr, scope, depth)
        elif isinstance(node, ast.Call):
            yield from self._call(node, scope, depth)
        elif isinstance(node, ast.Subscript):
            yield from self._item(node.value, node.slice, scope, depth + 1)
        elif isinstance(node, (ast.Await, ast.NamedExpr)):
            yield from self.infer(node.value, scope, depth)
        elif isinstance(node, (ast.IfExp, ast.BoolOp)):
            for value in chosen(node):
                yield from self.infer(value, scope, depth)

    def annotated(self, node: ast.expr | None) -> Iterator[AbstractValue]:
        """Yield the types that an annotation names, as objects of them."""
        for origin in self.types.own_names(node) if node is not None else ():
            yield AbstractValue(origin, is_object=True)

    def _name(self, name: str, scope: Scope, depth: int) -> Iterator[AbstractValue]:
        found = scope.find(name)
        if found is None or found[0].kind == "module":
            # What the module's own names are is known when the project is linked.
            for origin in self.types.imported.get(name) or [OWN_MODULE + name]:
                yield AbstractValue(origin)
            return
        where, bindings = found
        key = where, name
        if key not in self._known:
            self._known[key] = ()  # A name that is made from itself ends here.
            values = (known for binding in bindings for known in self.bound(binding, depth + 1))
            self._known[key] = tuple(dict.fromkeys(islice(values, MAX_KNOWN)))
        yield from self._known[key]

    def bound(self, binding: Binding, depth: int = 0) -> Iterator[AbstractValue]:
        """Yield what a name is by one of its bindings."""
        if isinstance(binding, AbstractValue):
            yield binding
        elif isinstance(binding, Imported):
            yield AbstractValue(binding.origin)
        elif isinstance(binding, Entered):
            yield from self.infer(binding.context, binding.scope, depth)
        elif isinstance(binding, Declared):
            yield from self.annotated(binding.annotation)
            if isinstance(binding.default, ast.Call):
                yield from self.infer(binding.default, binding.scope, depth)
            for dependency in _injected(binding.annotation):
                yield from self.infer(dependency, binding.scope, depth)
        elif isinstance(binding, Assigned):
            yield from self.annotated(binding.annotation)
            if binding.each:
                for element in elements_of(binding):
                    yield from self.infer(element, binding.scope, depth)
                if binding.part is None:
                    yield from self._items(binding.value, binding.scope, depth)
                    yield from self._step(_collection(binding.value), ITEM, binding.scope, depth)
            else:
                yield from self.infer(binding.value, binding.scope, depth)

    def _items(self, node: ast.expr, scope: Scope, depth: int) -> Iterator[AbstractValue]:
        """Yield what each element of a collection is by the annotation of the collection."""
        if depth > MAX_DEPTH:
            return
        is_value = isinstance(node, ast.Call) and last_name(node.func) == "values"
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and is_value:
            node = node.func.value
        elif isinstance(node, ast.Call) and last_name(node.func) in SAME_ELEMENTS and node.args:
            yield from self._items(node.args[0], scope, depth + 1)
        for binding in scope.lookup(node.id) if isinstance(node, ast.Name) else ():
            annotation = getattr(binding, "annotation", None)
            for origin in self.types.item_names(annotation, is_value=is_value):
                yield AbstractValue(origin, is_object=True)

    def _item(
        self, node: ast.expr, key: ast.expr | None, scope: Scope, depth: int
    ) -> Iterator[AbstractValue]:
        """Yield what an item of a collection is: of one that is written out, by its key."""
        if depth > MAX_DEPTH:
            return
        made = follow_assignment(node, scope)
        values = held_values(made, key, lambda part: fold_constant(part, scope))
        for value in values[:MAX_KNOWN]:
            yield from self.infer(value, scope, depth + _FAR)
        for binding in scope.lookup(node.id) if isinstance(node, ast.Name) else ():
            yield from self.held(getattr(binding, "annotation", None))
        yield from self._step(node, ITEM, scope, depth)

    def held(self, annotation: ast.expr | None) -> Iterator[AbstractValue]:
        """Yield what a collection of an annotation holds; a mapping, as its values."""
        for origin in self.types.item_names(annotation, is_value=True):
            yield AbstractValue(origin, is_object=True)

    def collected(self, node: ast.expr | None, scope: Scope) -> Iterator[AbstractValue]:
        """Yield what a collection that is written out holds; a mapping, as its values."""
        for value in held_values(node, None, lambda part: fold_constant(part, scope)):
            yield from self.infer(value, scope)

    def _step(self, node: ast.expr, step: str, scope: Scope, depth: int) -> Iterator[AbstractValue]:
        yield from self._steps(node, (step,), scope, depth)

    def _steps(
        self, node: ast.expr, steps: Iterable[str], scope: Scope, depth: int
    ) -> Iterator[AbstractValue]:
        for known in self.infer(node, scope, depth + 1):
            yield AbstractValue(known.origin, known.is_object, (*known.steps, *steps))

    def _call(self, node: ast.Call, scope: Scope, depth: int) -> Iterator[AbstractValue]:
        name = last_name(node.func)
        if name == "cast" and node.args:
            yield from self.annotated(node.args[0])
        elif name in DEPENDENCIES and node.args:
            yield from self._step(node.args[0], CALL, scope, depth)
        elif name in _HANDING_ON and node.args:
            yield from self.infer(node.args[0], scope, depth + 1)
        elif name in _TAKING and node.args:
            yield from self._taken(node, scope, depth + _FAR)
        elif name == "super":
            yield from self._name("self", scope, depth)
        elif name == "import_module" and node.args:
            yield from _loaded(node.args[0], scope)
        elif by_name := list(read_by_call(node, scope)):
            for receiver, attribute in by_name:
                yield from self._steps(receiver, attribute.split("."), scope, depth)
        elif (referent := _referent(node, scope)) is not None:
            yield from self.infer(referent, scope, depth + 1)
        else:
            func = node.func.value if isinstance(node.func, ast.Subscript) else node.func
            yield from self._step(func, CALL, scope, depth)
            if isinstance(func, ast.Attribute) and name in _LOOK_UPS and node.args:
                yield from self._item(func.value, node.args[0], scope, depth + 1)

    def _taken(self, node: ast.Call, scope: Scope, depth: int) -> Iterator[AbstractValue]:
        """Yield what a call takes out of a collection (`next(iter(stores.values()))`)."""
        yield from self.bound(Assigned(node.args[0], scope, each=True), depth)


def _collection(node: ast.expr) -> ast.expr:
    """Return the collection that is gone through, by its values or by itself."""
    while isinstance(node, ast.Call):
        if isinstance(node.func, ast.Attribute) and node.func.attr == "values" and not node.args:
            node = node.func.value
        elif last_name(node.func) in SAME_ELEMENTS and node.args:
            node = node.args[0]
        else:
            break
    return node


def _loaded(name: ast.expr, scope: Scope) -> Iterator[AbstractValue]:
    """Yield the modules that are loaded by a name; a relative one counts from the package."""
    for text in fold_constant(name, scope):
        if UNKNOWN not in text:
            yield AbstractValue(text)


def _referent(node: ast.Call, scope: Scope) -> ast.expr | None:
    """Return what a weak reference that is called refers to (`weakref.ref(store)()`)."""
    made = node.func if node.args else follow_assignment(node.func, scope)
    is_one = isinstance(made, ast.Call) and last_name(made.func) == "ref"
    return made.args[0] if isinstance(made, ast.Call) and is_one and made.args else None


def is_own(node: ast.expr) -> bool:
    """Return whether an expression is `self`: what an object reads from itself stays in it."""
    return isinstance(node, ast.Name) and node.id == "self"


def _injected(annotation: ast.expr | None) -> Iterator[ast.expr]:
    """Yield the dependencies in the metadata of `Annotated[…, Depends(…)]`."""
    if isinstance(annotation, ast.Subscript) and isinstance(annotation.slice, ast.Tuple):
        for element in annotation.slice.elts[1:]:
            if isinstance(element, ast.Call) and last_name(element.func) in DEPENDENCIES:
                yield element
