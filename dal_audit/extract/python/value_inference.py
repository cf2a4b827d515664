"""What the values in a module evidently are: light inference over names, calls and annotations.

A name has the union of what its scope binds to it, whatever the order; what cannot be told from the
module's own text is left out, never guessed.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Final, TypeAlias

from msgspec import Struct, field

from dal_audit.extract.python.annotations import TypeReader
from dal_audit.extract.python.constant_folding import imported_name
from dal_audit.extract.python.expression_uses import last_name, parameters
from dal_audit.extract.python.parse.walk import Function
from dal_audit.extract.python.scopes import Imported
from dal_audit.facts import CALL, LOCAL, Known

Bound: TypeAlias = ast.expr | Known
"""What a name is bound to: an expression that is read in the same scope, or what is known."""

DEPENDENCIES: Final = frozenset({"Depends", "Security", "Provide", "Inject"})
"""Calls by which frameworks hand a parameter what a function returns (FastAPI and its like)."""

MAX_DEPTH: Final = 24
"""How deep expressions and names are followed for one value."""

MAX_KNOWN: Final = 16
"""How many things one name can be; what else it is bound to is left out."""


class Block(Struct, eq=False):
    """A function's, class's or module's block, with what it binds."""

    parent: Block | None = None
    bound: dict[str, list[Bound]] = field(default_factory=dict)
    is_class: bool = False

    def find(self, name: str) -> tuple[Block, Sequence[Bound]] | None:
        """Return the block that binds a name which is read here, and what it binds to it."""
        block: Block | None = self
        while block is not None:
            visible = not block.is_class or block is self
            if visible and name in block.bound:
                return block, block.bound[name]
            block = block.parent
        return None


class Values:
    """Reads what expressions stand for."""

    def __init__(self, types: TypeReader) -> None:
        """Read names by a module's own imports."""
        self.types = types
        self._known: dict[tuple[Block, str], tuple[Known, ...]] = {}

    def of(self, node: ast.expr | None, block: Block, depth: int = 0) -> Iterator[Known]:
        """Yield all that an expression can be; nothing where that is not known."""
        if node is None or depth > MAX_DEPTH:
            return
        if isinstance(node, ast.Name):
            yield from self._name(node.id, block, depth)
        elif isinstance(node, ast.Attribute):
            yield from self._step(node.value, node.attr, block, depth)
        elif isinstance(node, ast.Call):
            yield from self._call(node, block, depth)
        elif isinstance(node, (ast.Await, ast.NamedExpr)):
            yield from self.of(node.value, block, depth)
        elif isinstance(node, ast.IfExp):
            yield from self.of(node.body, block, depth)
            yield from self.of(node.orelse, block, depth)
        elif isinstance(node, ast.BoolOp):
            for value in node.values:
                yield from self.of(value, block, depth)

    def annotated(self, node: ast.expr) -> Iterator[Known]:
        """Yield the types that an annotation names, as objects of them."""
        for name in self.types.names(node):
            yield Known(name.origin, is_object=True)

    def _name(self, name: str, block: Block, depth: int) -> Iterator[Known]:
        found = block.find(name)
        if found is None:
            for origin in self.types.imported.get(name) or [LOCAL + name]:
                yield Known(origin)
            return
        where, bindings = found
        key = where, name
        if key not in self._known:
            self._known[key] = ()  # A name that is made from itself ends here.
            values = (
                known
                for one in bindings
                for known in ((one,) if isinstance(one, Known) else self.of(one, where, depth + 1))
            )
            self._known[key] = tuple(dict.fromkeys(islice(values, MAX_KNOWN)))
        yield from self._known[key]

    def _step(self, node: ast.expr, step: str, block: Block, depth: int) -> Iterator[Known]:
        for one in self.of(node, block, depth + 1):
            yield Known(one.origin, one.is_object, (*one.steps, step))

    def _call(self, node: ast.Call, block: Block, depth: int) -> Iterator[Known]:
        name = last_name(node.func)
        if name == "cast" and node.args:
            yield from self.annotated(node.args[0])
        elif name in DEPENDENCIES and node.args:
            yield from self._step(node.args[0], CALL, block, depth)
        elif (attribute := read_by_name(node)) is not None:
            yield from self._step(node.args[0], attribute, block, depth)
        else:
            func = node.func.value if isinstance(node.func, ast.Subscript) else node.func
            yield from self._step(func, CALL, block, depth)


def read_by_name(node: ast.Call) -> str | None:
    """Return the attribute that `getattr(receiver, "name")` reads; None for another call."""
    if isinstance(node.func, ast.Name) and node.func.id == "getattr" and len(node.args) > 1:
        name = node.args[1]
        if isinstance(name, ast.Constant) and isinstance(name.value, str):
            return name.value
    return None


def is_own(node: ast.expr) -> bool:
    """Return whether an expression is `self`: what an object reads from itself stays in it."""
    return isinstance(node, ast.Name) and node.id == "self"


_BINDING: Final = frozenset(
    {ast.Assign, ast.AnnAssign, ast.NamedExpr, ast.For, ast.AsyncFor, ast.comprehension}
    | {ast.With, ast.AsyncWith, ast.Import, ast.ImportFrom}
)
"""The nodes that bind names in their own block."""


def bind_statement(node: ast.AST, values: Values, block: Block) -> None:
    """Bind what a statement, or an assignment in an expression, gives names to in its block."""
    if type(node) not in _BINDING:
        return
    if isinstance(node, ast.Assign):
        for target in node.targets:
            _bind(target, [node.value], block)
    elif isinstance(node, ast.AnnAssign):
        _bind(node.target, [*values.annotated(node.annotation), *_optional(node.value)], block)
    elif isinstance(node, ast.NamedExpr):
        _bind(node.target, [node.value], block)
    elif isinstance(node, (ast.For, ast.AsyncFor, ast.comprehension)):
        _bind(node.target, [], block)
    elif isinstance(node, (ast.With, ast.AsyncWith)):
        for item in node.items:
            if item.optional_vars is not None:
                _bind(item.optional_vars, [item.context_expr], block)
    elif isinstance(node, (ast.Import, ast.ImportFrom)):
        for alias in node.names:
            name = alias.asname or alias.name.partition(".")[0]
            known = Known(imported_name(Imported(node, alias)))
            block.bound.setdefault(name, []).append(known)


def bind_parameters(node: Function, values: Values, block: Block, owner: str) -> None:
    """Bind a function's parameters; the first of a method of the class `owner` is its object."""
    positional = [*node.args.posonlyargs, *node.args.args]
    defaults: dict[str, ast.expr] = dict(
        zip((one.arg for one in reversed(positional)), reversed(node.args.defaults), strict=False)
    )
    for one, default in zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True):
        if default is not None:
            defaults[one.arg] = default
    for one in parameters(node.args):
        bound: list[Bound] = list(values.annotated(one.annotation)) if one.annotation else []
        default = defaults.get(one.arg)
        if isinstance(default, ast.Call):
            bound.append(default)
        if one.annotation is not None:
            bound += _injected(one.annotation)
        block.bound[one.arg] = bound
    decorators = {last_name(one) for one in node.decorator_list}
    if owner and positional and "staticmethod" not in decorators:
        is_object = "classmethod" not in decorators
        block.bound[positional[0].arg] = [Known(LOCAL + owner, is_object)]


def _injected(annotation: ast.expr) -> Iterator[ast.expr]:
    """Yield the dependencies in the metadata of `Annotated[…, Depends(…)]`."""
    if isinstance(annotation, ast.Subscript) and isinstance(annotation.slice, ast.Tuple):
        for one in annotation.slice.elts[1:]:
            if isinstance(one, ast.Call) and last_name(one.func) in DEPENDENCIES:
                yield one


def _bind(target: ast.expr, bound: Iterable[Bound], block: Block) -> None:
    if isinstance(target, ast.Name):
        block.bound.setdefault(target.id, []).extend(bound)
    elif isinstance(target, (ast.Tuple, ast.List)):
        for element in target.elts:
            _bind(element, [], block)
    elif isinstance(target, ast.Starred):
        _bind(target.value, [], block)


def _optional(value: ast.expr | None) -> Iterator[ast.expr]:
    if value is not None:
        yield value
