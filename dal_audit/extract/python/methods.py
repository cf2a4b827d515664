"""The methods and properties of a class: parameters, what they give, and whether they do anything.

What a method gives is told by its annotation, by what it calls for the value that it returns or
yields, and by the attributes of its object that it returns.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from dal_audit.extract.python.annotations import TypeReader
from dal_audit.extract.python.assigned_values import values
from dal_audit.extract.python.definitions import OWN, assignments, own_attribute
from dal_audit.extract.python.expression_uses import last_name
from dal_audit.extract.python.handed_sql import ExecutedParameters
from dal_audit.extract.python.named_reads import GETTERS as READERS
from dal_audit.extract.python.parse.import_places import MarkedLines, name_span, node_span
from dal_audit.extract.python.parse.walk import Function, inside
from dal_audit.extract.source import Lines
from dal_audit.facts import FORWARDING, Member, MemberKind, Parameter, ParameterKind, TypeName

GETTERS: Final = frozenset({"property", "cached_property", "abstractproperty"})
"""What makes a property of the method that reads it."""

_PROPERTIES: Final = GETTERS | {"setter", "deleter", "getter"}
_CONTEXTS: Final = frozenset({"asynccontextmanager"})
"""Decorators after which a call gives something to enter, not something to await."""
_ABSTRACT: Final = frozenset({"abstractmethod", "abstractproperty"})


class Methods:
    """Reads functions in a class as its members."""

    def __init__(self, lines: Lines, types: TypeReader, executed: ExecutedParameters) -> None:
        """Take the text, what its imports say, and which parameters come to be executed."""
        self.lines = lines
        self.types = types
        words = re.finditer("yield", lines.text) if "yield" in lines.text else ()
        self.executed = executed
        self.yielding = MarkedLines(lines.line_of(word.start()) for word in words)

    def member(self, node: Function, own: Sequence[ast.stmt]) -> Member:
        """Return a function as a member; `own` are the statements of its own block."""
        decorators = tuple(map(_decorator, node.decorator_list))
        kind: MemberKind = "method" if _PROPERTIES.isdisjoint(decorators) else "property"
        is_static = "staticmethod" in decorators
        yields = self.yields(node)
        given = list(_given(own, yields))
        enters = not _CONTEXTS.isdisjoint(decorators)
        return Member(
            node.name,
            name_span(self.lines, node),
            kind,
            types=tuple(self.returned_types(node)),
            parameters=tuple(self.parameters(node.args, is_bound=not is_static)),
            made_by=tuple(origin for value in given for origin in self.types.called(value)),
            gives=(*own_attributes(given), *_forwarded(node, given)),
            is_async=isinstance(node, ast.AsyncFunctionDef) and not yields and not enters,
            is_abstract=not _ABSTRACT.isdisjoint(decorators),
            is_bound=not is_static,
            has_body=_has_body(node),
            refuses=_refuses(node),
            decorators=decorators,
            executed=tuple(self.executed.of(node)),
        )

    def unnamed(self, node: ast.expr, kind: MemberKind) -> Member | None:
        """Return what a function without a name is as a member; None where it is none.

        It is a lambda, or reads an attribute by its name (`attrgetter("_pool")`).
        """
        span = node_span(self.lines, node)
        if not isinstance(node, ast.Lambda):
            name = _read_by_name(node)
            return Member("", span, kind, gives=(name,), has_body=True) if name else None
        gives = own_attribute(node.body, [parameter.arg for parameter in node.args.args[:1]])
        return Member(
            "",
            span,
            kind,
            parameters=tuple(self.parameters(node.args, is_bound=True)),
            made_by=tuple(self.types.called(node.body)),
            gives=(gives,) if gives else (),
            has_body=True,
        )

    def returned_types(self, node: Function) -> Iterator[TypeName]:
        """Yield the types that a function is annotated to return, and its parameters' bounds."""
        if node.returns is not None:
            yield from self.types.names(node.returns)
            yield from self.types.literal(node.returns, is_annotation=True)
        yield from self.types.bounds(node)

    def yields(self, node: Function) -> list[ast.Yield | ast.YieldFrom]:
        """Return what a function yields, without looking where the text has no such word."""
        if not self.yielding.touch(node):
            return []
        return [part for part in inside(node.body) if isinstance(part, (ast.Yield, ast.YieldFrom))]

    def parameters(self, node: ast.arguments, *, is_bound: bool) -> Iterator[Parameter]:
        """Yield the parameters of a function, without the object that it is bound to."""
        positional = [*node.posonlyargs, *node.args]
        kinds: list[ParameterKind] = ["positional-only"] * len(node.posonlyargs)
        kinds += ["plain"] * len(node.args)
        without = len(positional) - len(node.defaults)
        defaults = [*[None] * without, *node.defaults]
        given = list(zip(positional, kinds, defaults, strict=True))
        for parameter, kind, default in given[1:] if is_bound else given:
            yield self.parameter(parameter, kind, default)
        if node.vararg is not None:
            yield self.parameter(node.vararg, "list", None)
        for parameter, default in zip(node.kwonlyargs, node.kw_defaults, strict=True):
            yield self.parameter(parameter, "keyword-only", default)
        if node.kwarg is not None:
            yield self.parameter(node.kwarg, "mapping", None)

    def parameter(self, node: ast.arg, kind: ParameterKind, default: ast.expr | None) -> Parameter:
        """Return one parameter, with the types of its annotation and what its default names."""
        types = [
            *(self.types.names(node.annotation) if node.annotation else ()),
            *(name for part in _named_parts(default) for name in self.types.names(part)),
        ]
        is_many = kind in {"list", "mapping"}
        return Parameter(node.arg, kind, is_many or default is not None, tuple(types))


def _read_by_name(node: ast.expr) -> str:
    """Return the attribute that `attrgetter` reads or `methodcaller` calls; empty for others."""
    match node:
        case ast.Call(func=func, args=[ast.Constant(str(name))]) if last_name(func) in READERS:
            return name
    return ""


def _named_parts(default: ast.expr | None) -> list[ast.expr]:
    """Return what a default names, or a tuple of names; a string as a default is a string."""
    parts = default.elts if isinstance(default, ast.Tuple) else [default]
    return [part for part in parts if isinstance(part, (ast.Name, ast.Attribute))]


def _decorator(node: ast.expr) -> str:
    return last_name(node.func if isinstance(node, ast.Call) else node)


def _given(
    own: Sequence[ast.stmt], yields: Sequence[ast.Yield | ast.YieldFrom]
) -> Iterator[ast.expr]:
    """Yield the values that a function returns and yields; a name assigned once is its value."""
    named = assigned_once(own)
    returned = [part.value for part in own if isinstance(part, ast.Return)]
    yielded = [part.value for part in yields if isinstance(part, ast.Yield)]
    for value in (*returned, *yielded):
        yield from values(value, named)


def assigned_once(own: Sequence[ast.stmt]) -> Mapping[str, ast.expr]:
    """Return the values of the names that a function assigns once, or enters a context by."""
    assigned: dict[str, list[ast.expr]] = {}
    for made in (made for statement in own for made in assignments(statement)):
        for target in made.targets if made.annotation is None else ():
            if isinstance(target, ast.Name) and made.value is not None:
                assigned.setdefault(target.id, []).append(made.value)
    return {name: found[0] for name, found in assigned.items() if len(found) == 1}


def own_attributes(given: Sequence[ast.expr | None]) -> tuple[str, ...]:
    """Return the attributes of the method's own object among some values, each once."""
    names = (own_attribute(value, OWN) for value in given if value is not None)
    return tuple(dict.fromkeys(filter(None, names)))


def _forwarded(node: Function, given: Sequence[ast.expr | None]) -> tuple[str, ...]:
    """Return the attributes of its object that a method hands all names or keys on to.

    `__getattr__` that returns `getattr(self.x, name)` answers as `self.x` does.
    """
    parameters = [parameter.arg for parameter in node.args.args[1:]]
    if node.name not in FORWARDING or not parameters:
        return ()
    owners = (_asked_for(value, parameters[0]) for value in given)
    return own_attributes([owner for owner in owners if owner is not None])


def _asked_for(value: ast.expr | None, name: str) -> ast.expr | None:
    """Return what an attribute or an item of the name in a parameter is read of, or None."""
    if isinstance(value, ast.Subscript):
        return value.value if isinstance(value.slice, ast.Name) and value.slice.id == name else None
    if not isinstance(value, ast.Call) or last_name(value.func) != "getattr":
        return None
    is_name = len(value.args) > 1 and last_name(value.args[1]) == name
    return value.args[0] if is_name else None


def _has_body(node: Function) -> bool:
    return not all(isinstance(part, (ast.Pass, ast.Raise)) or _is_text(part) for part in node.body)


def _refuses(node: Function) -> bool:
    return isinstance(node.body[-1], ast.Raise) and not _has_body(node)


def _is_text(statement: ast.stmt) -> bool:
    """Return whether a statement is a docstring or `...`."""
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
