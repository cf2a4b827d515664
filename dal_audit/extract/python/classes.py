"""The classes of a module: bases, members, and what methods set on their objects."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Final

from msgspec.structs import replace

from dal_audit.extract.python.annotations import TypeReader
from dal_audit.extract.python.assigned_values import pairs, values
from dal_audit.extract.python.bindings import parameters
from dal_audit.extract.python.definitions import (
    OWN,
    Assignment,
    assignments,
    own_attribute,
    without_brackets,
)
from dal_audit.extract.python.expression_uses import last_name
from dal_audit.extract.python.handed_sql import ExecutedParameters
from dal_audit.extract.python.methods import GETTERS, Methods, assigned_once, own_attributes
from dal_audit.extract.python.parse.import_places import name_span, node_span, own_statements
from dal_audit.extract.python.parse.walk import FUNCTIONS, Function, inside
from dal_audit.extract.source import Lines
from dal_audit.facts import ClassDefinition, Member, TypeName, packed

_TABLE: Final = "__dict__"
_SETTERS: Final = frozenset({"setattr", "__setattr__"})
_SETTING: Final = (ast.Assign, ast.AnnAssign, ast.Expr, ast.With, ast.AsyncWith)
"""What may set attributes of an object."""


def class_shapes(
    tree: ast.Module, lines: Lines, types: TypeReader, executed: ExecutedParameters
) -> Iterator[ClassDefinition]:
    """Yield the classes of a module's own block and the classes nested in them."""
    yield from _Classes(lines, types, executed).block(tree, "")


class _Classes:
    def __init__(self, lines: Lines, types: TypeReader, executed: ExecutedParameters) -> None:
        self.lines = lines
        self.types = types
        self.methods = Methods(lines, types, executed)

    def block(self, node: ast.Module | ast.ClassDef, prefix: str) -> Iterator[ClassDefinition]:
        for statement in own_statements(node):
            if isinstance(statement, ast.ClassDef):
                yield self.shape(statement, prefix)
                yield from self.block(statement, f"{prefix}{statement.name}.")

    def shape(self, node: ast.ClassDef, prefix: str) -> ClassDefinition:
        bases = (name for base in without_brackets(node.bases) for name in self.types.names(base))
        first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
        header = max(node.body[0].lineno - 1, node.lineno) if node.body else node.lineno
        decorators = (
            origin
            for decorator in node.decorator_list
            for origin in self.types.origins(
                decorator.func if isinstance(decorator, ast.Call) else decorator
            )
        )
        return ClassDefinition(
            prefix + node.name,
            name_span(self.lines, node),
            (first, header),
            tuple(bases),
            packed(self.members(node)),
            tuple(decorators),
            tuple(self.arguments(node)),
        )

    def arguments(self, node: ast.ClassDef) -> Iterator[TypeName]:
        """Yield the types in the brackets of the bases, and the bounds of type parameters."""
        for base in node.bases:
            if isinstance(base, ast.Subscript):
                yield from self.types.names(base.slice)
        yield from self.types.bounds(node)

    def members(self, node: ast.ClassDef) -> Iterator[Member]:
        for statement in own_statements(node):
            if isinstance(statement, FUNCTIONS):
                own = list(own_statements(statement))
                yield self.methods.member(statement, own)
                yield from self.set_in(statement, own)
            elif isinstance(statement, ast.ClassDef):
                yield Member(statement.name, name_span(self.lines, statement), "class")
            elif isinstance(statement, (ast.Assign, ast.AnnAssign)):
                yield from self.attributes(statement, node)

    def attributes(
        self, statement: ast.Assign | ast.AnnAssign, owner: ast.ClassDef
    ) -> Iterator[Member]:
        """Yield the attributes that a class sets, or only annotates, in its own block.

        `property(f)` makes a property of a method of the block; a lambda is a method.
        """
        for targets, value, annotation in assignments(statement):
            function = self.function(value, owner)
            if function is not None:
                yield from self.named(function, targets)
                continue
            said = annotation if annotation is not None else value
            names = tuple(self.types.names(said)) if said is not None else ()
            for target in targets:
                if isinstance(target, ast.Name):
                    yield Member(
                        target.id,
                        node_span(self.lines, target),
                        "attribute",
                        types=(*names, *self.types.literal(value)),
                        made_by=tuple(self.makers(values(value))),
                        has_body=value is not None,
                        is_value=annotation is None,
                    )

    def function(self, value: ast.expr | None, owner: ast.ClassDef) -> Member | None:
        """Return the property or method that a value makes; None where it makes none."""
        if isinstance(value, ast.Lambda):
            return self.methods.unnamed(value, "method")
        if not isinstance(value, ast.Call) or last_name(value.func) not in GETTERS:
            return None
        named = [keyword.value for keyword in value.keywords if keyword.arg in {"fget", "func"}]
        for getter in (*value.args, *named)[:1]:
            methods = (part for part in own_statements(owner) if isinstance(part, FUNCTIONS))
            for method in methods:
                if method.name == last_name(getter):
                    member = self.methods.member(method, list(own_statements(method)))
                    return replace(member, kind="property")
            return self.methods.unnamed(getter, "property")
        return None

    def named(self, member: Member, targets: Sequence[ast.expr]) -> Iterator[Member]:
        """Yield a member under each name that it is given."""
        for target in targets:
            if isinstance(target, ast.Name):
                span = node_span(self.lines, target)
                types = tuple(replace(name, span=span) for name in member.types)
                yield replace(member, name=target.id, span=span, types=types)

    def set_in(self, node: Function, own: Sequence[ast.stmt]) -> Iterator[Member]:
        """Yield the attributes that a method sets on its object."""
        setting = list(_set_on_object(own))
        if not setting:
            return
        annotated = self.annotated(node.args)
        bound = _bound_in(node)
        named = assigned_once(own)
        for made, target, attribute in setting:
            given = list(values(made.value, named))
            types, is_value = self.set_to(made, given, annotated, bound)
            yield Member(
                attribute,
                node_span(self.lines, target),
                "attribute",
                types=types,
                made_by=tuple(self.makers(given)),
                gives=tuple(name for name in own_attributes(given) if name != attribute),
                has_body=made.value is not None,
                local=True,
                is_value=is_value,
            )

    def makers(self, given: Iterable[ast.expr]) -> Iterator[str]:
        """Yield the origins of what some values are made by, where a call makes them."""
        for value in given:
            yield from self.types.called(value)

    def annotated(self, node: ast.arguments) -> Mapping[str, tuple[TypeName, ...]]:
        """Return the types of a method's parameters but for those that take all further ones."""
        return {
            parameter.arg: tuple(self.types.names(parameter.annotation))
            for parameter in (*node.posonlyargs, *node.args, *node.kwonlyargs)
            if parameter.annotation is not None
        }

    def set_to(
        self,
        made: Assignment,
        given: Sequence[ast.expr],
        annotated: Mapping[str, tuple[TypeName, ...]],
        bound: AbstractSet[str],
    ) -> tuple[tuple[TypeName, ...], bool]:
        """Return the types that an attribute is set to, and whether the value itself is a type.

        `given` are all that it is set to, `annotated` are the types of the parameters, `bound` the
        names that the method binds.
        """
        types = tuple(self.types.names(made.annotation)) if made.annotation is not None else ()
        names = [value for value in given if isinstance(value, (ast.Name, ast.Attribute))]
        if types or not names:
            return types, False
        handed = [annotated.get(value.id, ()) for value in names if isinstance(value, ast.Name)]
        if any(handed) or len(given) > 1:
            return tuple(name for several in handed for name in several), False
        types = () if _root(names[0]) in bound else tuple(self.types.names(names[0]))
        return types, bool(types)


def _set_on_object(own: Sequence[ast.stmt]) -> Iterator[tuple[Assignment, ast.expr, str]]:
    """Yield the assignments to attributes of the object, each with its target and the attribute."""
    setting = (statement for statement in own if isinstance(statement, _SETTING))
    for made in (made for statement in setting for made in _settings(statement)):
        for target, value in _parted(made):
            attribute = own_attribute(target, OWN) or _entry(target)
            if attribute:
                yield Assignment([target], value, made.annotation), target, attribute


def _settings(statement: ast.stmt) -> Iterator[Assignment]:
    if not isinstance(statement, ast.Expr):
        yield from assignments(statement)
    elif isinstance(statement.value, ast.Call) and last_name(statement.value.func) in _SETTERS:
        yield from _set_by_name(statement)


def _parted(made: Assignment) -> Iterator[tuple[ast.expr, ast.expr | None]]:
    """Yield the single targets of an assignment, each with what is assigned to it."""
    for target in made.targets:
        if made.value is None:
            yield target, None
        else:
            yield from pairs(target, made.value)


def _entry(target: ast.expr) -> str:
    """Return the attribute that an entry of the object's own table sets; empty for other targets.

    It is `self.__dict__["pool"]`.
    """
    match target:
        case ast.Subscript(table, ast.Constant(str(name))) if own_attribute(table, OWN) == _TABLE:
            return name
        case _:
            return ""


def _set_by_name(statement: ast.stmt) -> Iterator[Assignment]:
    """Yield what `setattr(self, "pool", …)` sets, or `object.__setattr__` on a frozen object."""
    match statement:
        case ast.Expr(ast.Call(func, [ast.Name(own), ast.Constant(str(name)), value])) if (
            own in OWN and last_name(func) in _SETTERS
        ):
            target = ast.Attribute(ast.Name(own, ast.Load()), name, ast.Store())
            yield Assignment([ast.copy_location(target, statement.value)], value)
        case _:
            pass


def _bound_in(node: Function) -> set[str]:
    """Return the names that a function binds, its parameters among them."""
    stored = {
        part.id
        for part in inside(node.body)
        if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)
    }
    return stored.union(parameter.arg for parameter in parameters(node.args))


def _root(node: ast.expr) -> str:
    """Return the first name of a dotted one; empty for any other expression."""
    while isinstance(node, ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""
