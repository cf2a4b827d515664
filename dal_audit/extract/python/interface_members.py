"""The public members of a class as an interface declares them: signatures, docstrings, no code."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from typing import Final

import libcst as cst
from libcst.helpers import get_full_name_for_node
from msgspec import Struct

from dal_audit.extract.python.interface_attributes import Attribute, attributes
from dal_audit.extract.python.interface_types import ANY, PLAIN, TypeWriter

_KEPT: Final = frozenset(
    {"property", "classmethod", "staticmethod", "overload", "contextmanager", "setter", "deleter"}
    | {"asynccontextmanager", "deprecated", "override"}
)
"""The decorators that change what a member is to its callers, by their last names."""
_CACHED: Final = frozenset({"cached_property", "cachedproperty"})
_LITERALS: Final = (cst.SimpleString, cst.Integer, cst.Float, cst.Ellipsis)
_NAMES: Final = frozenset({"None", "True", "False"})


class InterfaceMember(Struct, frozen=True):
    """A member as the interface has it, and the drivers' types in the class's own signature."""

    name: str
    node: cst.BaseStatement
    leaks: tuple[str, ...]
    is_declared: bool = True
    """Whether its type is known."""


class MemberReader:
    """Reads the members of a class; `writer` writes their types."""

    def __init__(self, node: cst.ClassDef, writer: TypeWriter) -> None:
        """Take a class and what its module's names mean."""
        self.node = node
        self.writer = writer

    def members(
        self, wanted: AbstractSet[str], known: AbstractSet[str]
    ) -> Iterator[InterfaceMember]:
        """Yield the members of some names in the order of the text; attributes of objects first.

        Public attributes that are not `known` are wanted, too.
        """
        methods = [part for part in self.node.body.body if isinstance(part, cst.FunctionDef)]
        for field in attributes(self.node, methods, self.writer):
            if field.name in wanted or not (field.name in known or field.name.startswith("_")):
                yield self._field(field)
        found = [method for method in methods if method.name.value in wanted]
        for method in _meant(found):
            yield self._method(method)

    def _field(self, field: Attribute) -> InterfaceMember:
        """Return an attribute with its type; callers only read one that is final."""
        written = None if field.type is None else self.writer.written(field.type)
        if written is None:
            self.writer.needed.add(ANY)
        annotation, name = cst.Annotation(written or cst.Name(PLAIN)), cst.Name(field.name)
        node: cst.BaseStatement
        if field.is_final:
            node = cst.FunctionDef(
                name,
                cst.Parameters([cst.Param(cst.Name("self"))]),
                cst.SimpleStatementSuite([cst.Expr(cst.Ellipsis())]),
                [cst.Decorator(cst.Name("property"))],
                annotation,
            )
        else:
            node = cst.SimpleStatementLine([cst.AnnAssign(name, annotation, value=None)])
        return InterfaceMember(field.name, node, self._taken_leaks(), field.type is not None)

    def _method(self, node: cst.FunctionDef) -> InterfaceMember:
        """Return a method with its signature and docstring."""
        params = node.params.visit(_Parameters(self.writer))
        returns = node.returns
        if returns is not None:
            returns = returns.with_changes(annotation=self.writer.written(returns.annotation))
        is_generator = node.asynchronous is not None and _yields(node)
        made = node.with_changes(
            params=params,
            returns=returns,
            decorators=list(self._decorators(node)),
            asynchronous=None if is_generator else node.asynchronous,
            leading_lines=(),
            lines_after_decorators=(),
            type_parameters=self.writer.bounded(node.type_parameters),
            body=_body(node),
        )
        is_declared = returns is not None or bool(_decorating(node) & {"setter", "deleter"})
        return InterfaceMember(node.name.value, made, self._taken_leaks(), is_declared)

    def _decorators(self, node: cst.FunctionDef) -> Iterator[cst.Decorator]:
        for decorator in node.decorators:
            dotted = get_full_name_for_node(decorator.decorator) or ""
            last = dotted.rpartition(".")[2]
            if last in _CACHED:
                yield cst.Decorator(cst.Name("property"))
            elif last in _KEPT:
                self.writer.named(decorator.decorator)
                yield decorator.with_changes(leading_lines=())

    def _taken_leaks(self) -> tuple[str, ...]:
        """Return the drivers' types that were met since this was asked the last time."""
        found = tuple(dict.fromkeys(self.writer.leaks))
        self.writer.leaks.clear()
        return found


class _Parameters(cst.CSTTransformer):
    """Rewrites parameters: their types, and defaults that are no literals."""

    def __init__(self, writer: TypeWriter) -> None:
        super().__init__()
        self.writer = writer

    def visit_Param(self, node: cst.Param) -> bool:
        return False

    def leave_Param(
        self,
        original_node: cst.Param,
        updated_node: cst.Param,
    ) -> cst.Param:
        found, default = updated_node.annotation, updated_node.default
        if found is not None:
            found = found.with_changes(annotation=self.writer.written(found.annotation))
        if default is not None and not _is_literal(default):
            default = cst.Ellipsis()
        return updated_node.with_changes(annotation=found, default=default)


def _is_literal(node: cst.BaseExpression) -> bool:
    is_name = isinstance(node, cst.Name) and node.value in _NAMES
    return is_name or isinstance(node, _LITERALS)


def _meant(methods: Sequence[cst.FunctionDef]) -> Iterator[cst.FunctionDef]:
    """Yield the definitions of each name that count: overloads, a property's parts, or the last."""
    for method in methods:
        name = method.name.value
        same = [other for other in methods if other.name.value == name]
        overloads = [other for other in same if "overload" in _decorating(other)]
        parts = [other for other in same if _decorating(other) & {"setter", "deleter"}]
        chosen = overloads or (same if parts else same[-1:])
        if any(method is other for other in chosen):
            yield method


def _decorating(node: cst.FunctionDef) -> AbstractSet[str]:
    names = (get_full_name_for_node(each.decorator) or "" for each in node.decorators)
    return {name.rpartition(".")[2] for name in names}


def _body(node: cst.FunctionDef) -> cst.BaseSuite:
    """Return a body of nothing but the docstring, if there is one."""
    first = node.body.body[0] if node.body.body else None
    if isinstance(first, cst.SimpleStatementLine) and node.get_docstring(clean=False) is not None:
        return cst.IndentedBlock([first.with_changes(leading_lines=())])
    return cst.SimpleStatementSuite([cst.Expr(cst.Ellipsis())])


def _yields(node: cst.FunctionDef) -> bool:
    visitor = _Yields()
    node.body.visit(visitor)
    return visitor.found


class _Yields(cst.CSTVisitor):
    found = False

    def visit_Yield(self, node: cst.Yield) -> None:
        self.found = True

    def visit_FunctionDef(self, node: cst.FunctionDef) -> bool:
        return False

    def visit_Lambda(self, node: cst.Lambda) -> bool:
        return False
