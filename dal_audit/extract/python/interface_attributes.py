"""The attributes that a class sets, in its block and in its methods, with what is told of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

import libcst as cst
from libcst.helpers import get_full_name_for_node

from dal_audit.extract.python.interface_types import TypeWriter

_TYPES: Final[Mapping[type, str]] = {
    cst.SimpleString: "str",
    cst.FormattedString: "str",
    cst.Integer: "int",
    cst.Float: "float",
}
_BOOLEANS: Final = frozenset({"True", "False"})
_FORMS: Final = frozenset({"TypeVar", "NewType", "NamedTuple", "TypedDict", "Enum"})
"""What makes types, and no objects of its own."""


class Attribute(NamedTuple):
    """An attribute, its type where that is known, and whether it is never set again."""

    name: str
    type: cst.BaseExpression | None
    is_final: bool = False


def attributes(
    node: cst.ClassDef, methods: Sequence[cst.FunctionDef], writer: TypeWriter
) -> Iterator[Attribute]:
    """Yield what a class's own block sets or declares, then what its methods set beside that."""
    lines = [part for part in node.body.body if isinstance(part, cst.SimpleStatementLine)]
    own = [part for line in lines for small in line.body for part in _targets(small, writer)]
    yield from own
    taken = {method.name.value for method in methods} | {part.name for part in own}
    yield from (part for part in _set_in(methods, writer) if part.name not in taken)


def _targets(small: cst.CSTNode, writer: TypeWriter) -> Iterator[Attribute]:
    """Yield the plain names that a statement of a class's block sets, with their types."""
    if isinstance(small, cst.AnnAssign) and isinstance(small.target, cst.Name):
        yield Attribute(small.target.value, *_declared(small, writer))
    elif isinstance(small, cst.Assign):
        for target in small.targets:
            for part, value in _unpacked(target.target, small.value):
                if isinstance(part, cst.Name):
                    yield Attribute(part.value, _type_of(value, writer))


def _unpacked(
    target: cst.BaseExpression, value: cst.BaseExpression | None
) -> Iterator[tuple[cst.BaseExpression, cst.BaseExpression | None]]:
    """Yield the parts of a target that is taken apart, each with its value if that is written."""
    if not isinstance(target, (cst.Tuple, cst.List)):
        yield target, value
        return
    values = value.elements if isinstance(value, (cst.Tuple, cst.List)) else ()
    is_matched = len(values) == len(target.elements)
    for index, element in enumerate(target.elements):
        starred = isinstance(element, cst.StarredElement)
        yield from _unpacked(
            element.value, values[index].value if is_matched and not starred else None
        )


def _type_of(value: cst.BaseExpression | None, writer: TypeWriter) -> cst.BaseExpression | None:
    """Return the type of a value that says it: of a literal, or of what a class or driver makes."""
    if isinstance(value, cst.Name) and value.value in _BOOLEANS:
        return cst.Name("bool")
    if isinstance(value, (cst.Name, cst.Attribute)):
        return value if writer.is_drivers(value) else None
    if isinstance(value, cst.Call):
        name = (get_full_name_for_node(value.func) or "").rpartition(".")[2]
        is_class = name[:1].isupper() and not name.isupper() and name not in _FORMS
        return value.func if is_class or writer.is_drivers(value.func) else None
    known = _TYPES.get(type(value))
    return None if known is None else cst.Name(known)


def _declared(node: cst.AnnAssign, writer: TypeWriter) -> tuple[cst.BaseExpression | None, bool]:
    """Return the type of what is annotated, and whether it is final."""
    annotation = node.annotation.annotation
    outer = annotation.value if isinstance(annotation, cst.Subscript) else annotation
    if (get_full_name_for_node(outer) or "").rpartition(".")[2] != "Final":
        return annotation, False
    part = annotation.slice[0].slice if isinstance(annotation, cst.Subscript) else None
    return part.value if isinstance(part, cst.Index) else _type_of(node.value, writer), True


def _set_in(methods: Sequence[cst.FunctionDef], writer: TypeWriter) -> Iterator[Attribute]:
    """Yield the attributes that methods set, each once, with the types that these tell of.

    The first that is said counts; but what is a driver's anywhere, is.
    """
    found: dict[str, Attribute] = {}
    for method in methods:
        visitor = _Attributes(method, writer)
        method.body.visit(visitor)
        for field in visitor.found:
            is_drivers = field.type is not None and writer.is_drivers(field.type)
            if field.name not in found or is_drivers:
                found[field.name] = field
    yield from found.values()


class _Attributes(cst.CSTVisitor):
    """Collects what a method sets its object's attributes to."""

    def __init__(self, method: cst.FunctionDef, writer: TypeWriter) -> None:
        super().__init__()
        self.writer = writer
        first = [*method.params.posonly_params, *method.params.params][:1]
        self.own = first[0].name.value if first else ""
        every = (*method.params.posonly_params, *method.params.params, *method.params.kwonly_params)
        self.types = {each.name.value: each.annotation for each in every}
        self.found: list[Attribute] = []

    def visit_AnnAssign(self, node: cst.AnnAssign) -> None:
        if name := self._own_name(node.target):
            self.found.append(Attribute(name, *_declared(node, self.writer)))

    def visit_Assign(self, node: cst.Assign) -> None:
        value = node.value
        known = self.types.get(value.value) if isinstance(value, cst.Name) else None
        for target in node.targets:
            for part, given in _unpacked(target.target, value):
                said = _type_of(given, self.writer)
                self._add(part, said if known is None else known.annotation)

    def _add(self, target: cst.BaseExpression, said: cst.BaseExpression | None) -> None:
        name = self._own_name(target)
        if name:
            self.found.append(Attribute(name, said))

    def _own_name(self, target: cst.BaseExpression) -> str:
        """Return which attribute of the method's object a target is; empty for another target."""
        if not isinstance(target, cst.Attribute) or not isinstance(target.value, cst.Name):
            return ""
        return target.attr.value if target.value.value == self.own else ""
