"""The public members of a class as an interface declares them: signatures, docstrings, no code."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Final

import libcst as cst
from libcst.helpers import get_full_name_for_node
from msgspec import Struct

from dal_audit.extract.python.interface_types import ANY, PLAIN, TypeWriter

_KEPT: Final = frozenset(
    {"property", "classmethod", "staticmethod", "overload", "contextmanager", "setter", "deleter"}
    | {"asynccontextmanager", "deprecated", "override"}
)
"""The decorators that change what a member is to its callers, by their last names."""
_CACHED: Final = frozenset({"cached_property", "cachedproperty"})
_LITERALS: Final = (cst.SimpleString, cst.Integer, cst.Float, cst.Ellipsis)
_TYPES: Final[Mapping[type, str]] = {
    cst.SimpleString: "str",
    cst.FormattedString: "str",
    cst.Integer: "int",
    cst.Float: "float",
}
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

    def members(self, wanted: AbstractSet[str]) -> Iterator[InterfaceMember]:
        """Yield the members of some names in the order of the text; attributes of objects first."""
        methods = [part for part in self.node.body.body if isinstance(part, cst.FunctionDef)]
        own = {method.name.value for method in methods} | {name for name, _ in self._fields()}
        fields = [*self._fields(), *(part for part in _set_in(methods) if part[0] not in own)]
        for name, annotation in fields:
            if name in wanted:
                yield self._field(name, annotation)
        found = [method for method in methods if method.name.value in wanted]
        for method in _meant(found):
            yield self._method(method)

    def _fields(self) -> list[tuple[str, cst.BaseExpression | None]]:
        """Return the attributes that the class's own block sets or declares."""
        lines = [part for part in self.node.body.body if isinstance(part, cst.SimpleStatementLine)]
        return [part for line in lines for small in line.body for part in _targets(small)]

    def _field(self, name: str, annotation: cst.BaseExpression | None) -> InterfaceMember:
        written = None if annotation is None else self.writer.written(annotation)
        if written is None:
            self.writer.needed.add(ANY)
        declared = cst.AnnAssign(
            cst.Name(name), cst.Annotation(written or cst.Name(PLAIN)), value=None
        )
        line = cst.SimpleStatementLine([declared])
        return InterfaceMember(name, line, self._taken_leaks(), annotation is not None)

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
            body=_body(node),
        )
        return InterfaceMember(node.name.value, made, self._taken_leaks())

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


def _targets(small: cst.CSTNode) -> Iterator[tuple[str, cst.BaseExpression | None]]:
    """Yield the plain names that a statement of a class's block sets, with their types."""
    if isinstance(small, cst.AnnAssign) and isinstance(small.target, cst.Name):
        yield small.target.value, small.annotation.annotation
    elif isinstance(small, cst.Assign):
        for target in small.targets:
            if isinstance(target.target, cst.Name):
                yield target.target.value, _type_of(small.value)


def _type_of(value: cst.BaseExpression) -> cst.BaseExpression | None:
    """Return the type of a value that says it."""
    if isinstance(value, cst.Name) and value.value in _NAMES - {"None"}:
        return cst.Name("bool")
    name = _TYPES.get(type(value))
    return None if name is None else cst.Name(name)


def _set_in(
    methods: Sequence[cst.FunctionDef],
) -> Iterator[tuple[str, cst.BaseExpression | None]]:
    """Yield the attributes that methods set, each once, with the types that these tell of."""
    seen: set[str] = set()
    for method in methods:
        visitor = _Attributes(method)
        method.body.visit(visitor)
        for name, annotation in visitor.found:
            if name not in seen:
                seen.add(name)
                yield name, annotation


class _Attributes(cst.CSTVisitor):
    """Collects what a method sets its object's attributes to."""

    def __init__(self, method: cst.FunctionDef) -> None:
        super().__init__()
        first = [*method.params.posonly_params, *method.params.params][:1]
        self.own = first[0].name.value if first else ""
        every = (*method.params.posonly_params, *method.params.params, *method.params.kwonly_params)
        self.types = {each.name.value: each.annotation for each in every}
        self.found: list[tuple[str, cst.BaseExpression | None]] = []

    def visit_AnnAssign(self, node: cst.AnnAssign) -> None:
        self._add(node.target, node.annotation.annotation)

    def visit_Assign(self, node: cst.Assign) -> None:
        value = node.value
        known = self.types.get(value.value) if isinstance(value, cst.Name) else None
        for target in node.targets:
            self._add(target.target, _type_of(value) if known is None else known.annotation)

    def _add(self, target: cst.BaseExpression, annotation: cst.BaseExpression | None) -> None:
        is_own = isinstance(target, cst.Attribute) and isinstance(target.value, cst.Name)
        if is_own and target.value.value == self.own:  # type: ignore[attr-defined]  # told above
            self.found.append((target.attr.value, annotation))  # type: ignore[attr-defined]


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
