"""The classes of a module: bases, members, parameters and their types."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from typing import Final

from dal_audit.extract.expressions import last_name
from dal_audit.extract.source import Lines
from dal_audit.extract.statements import node_span
from dal_audit.extract.types import TypeReader
from dal_audit.facts import ClassShape, Member, MemberKind, Parameter, ParameterKind, Span

_PROPERTIES: Final = frozenset({"property", "cached_property", "abstractproperty"})
_ABSTRACT: Final = frozenset({"abstractmethod", "abstractproperty"})

Function = ast.FunctionDef | ast.AsyncFunctionDef


def class_shapes(tree: ast.Module, lines: Lines, types: TypeReader) -> Iterator[ClassShape]:
    """Yield the classes of a module's own block and the classes nested in them."""
    yield from _Classes(lines, types).block(tree.body, "")


class _Classes:
    def __init__(self, lines: Lines, types: TypeReader) -> None:
        self.lines = lines
        self.types = types

    def block(self, body: Sequence[ast.stmt], prefix: str) -> Iterator[ClassShape]:
        for statement in body:
            if isinstance(statement, ast.ClassDef):
                yield self.shape(statement, prefix)
                yield from self.block(statement.body, f"{prefix}{statement.name}.")
            elif not isinstance(statement, Function):
                for inner in ("body", "orelse", "finalbody"):
                    yield from self.block(getattr(statement, inner, []), prefix)
                for handler in getattr(statement, "handlers", []):
                    yield from self.block(handler.body, prefix)

    def shape(self, node: ast.ClassDef, prefix: str) -> ClassShape:
        heads = [one.value if isinstance(one, ast.Subscript) else one for one in node.bases]
        bases = tuple(name for head in heads for name in self.types.names(head))
        first = min([node.lineno, *(one.lineno for one in node.decorator_list)])
        header = max(node.body[0].lineno - 1, node.lineno) if node.body else node.lineno
        decorators = tuple(
            origin
            for one in node.decorator_list
            for origin in self.types.origins(one.func if isinstance(one, ast.Call) else one)
        )
        return ClassShape(
            prefix + node.name,
            self.name_span(node),
            (first, header),
            bases,
            tuple(self.members(node)),
            decorators,
        )

    def name_span(self, node: ast.ClassDef | Function) -> Span:
        start = self.lines.text.find(node.name, self.lines.offset(node.lineno, node.col_offset))
        return self.lines.span(start, start + len(node.name))

    def members(self, node: ast.ClassDef) -> Iterator[Member]:
        for statement in _flat(node.body):
            if isinstance(statement, Function):
                yield self.function(statement)
                yield from self.set_in(statement)
            elif isinstance(statement, ast.ClassDef):
                yield Member(statement.name, self.name_span(statement), "class")
            elif isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
                yield Member(
                    statement.target.id,
                    node_span(self.lines, statement.target),
                    "attribute",
                    types=tuple(self.types.names(statement.annotation)),
                    made_by=tuple(self.called(statement.value)),
                )
            elif isinstance(statement, ast.Assign):
                for target in statement.targets:
                    if isinstance(target, ast.Name):
                        yield Member(
                            target.id,
                            node_span(self.lines, target),
                            "attribute",
                            types=tuple(self.types.names(statement.value)),
                            made_by=tuple(self.called(statement.value)),
                            is_value=True,
                        )

    def function(self, node: Function) -> Member:
        decorators = {last_name(one) for one in node.decorator_list}
        kind: MemberKind = "property" if decorators & _PROPERTIES else "method"
        is_static = "staticmethod" in decorators
        returned = [one.value for one in _own(node) if isinstance(one, ast.Return) and one.value]
        yielded = [one.value for one in _own(node) if isinstance(one, ast.Yield) and one.value]
        values = [_awaited(one) for one in (*returned, *yielded)]
        return Member(
            node.name,
            self.name_span(node),
            kind,
            types=tuple(self.types.names(node.returns)) if node.returns else (),
            parameters=tuple(self.parameters(node.args, is_bound=not is_static)),
            made_by=tuple(origin for value in values for origin in self.called(value)),
            gives=tuple(dict.fromkeys(name for value in values for name in _of_self(value))),
            is_async=isinstance(node, ast.AsyncFunctionDef),
            is_abstract=bool(decorators & _ABSTRACT),
            is_bound=not is_static,
            has_body=_has_body(node),
        )

    def parameters(self, node: ast.arguments, *, is_bound: bool) -> Iterator[Parameter]:
        positional = [*node.posonlyargs, *node.args]
        without = len(positional) - len(node.defaults)
        for index, one in enumerate(positional):
            if index == 0 and is_bound:
                continue
            kind: ParameterKind = "positional-only" if index < len(node.posonlyargs) else "plain"
            yield self.parameter(one, kind, has_default=index >= without)
        if node.vararg is not None:
            yield self.parameter(node.vararg, "list", has_default=True)
        for one, default in zip(node.kwonlyargs, node.kw_defaults, strict=True):
            yield self.parameter(one, "keyword-only", has_default=default is not None)
        if node.kwarg is not None:
            yield self.parameter(node.kwarg, "mapping", has_default=True)

    def parameter(self, node: ast.arg, kind: ParameterKind, *, has_default: bool) -> Parameter:
        types = tuple(self.types.names(node.annotation)) if node.annotation else ()
        return Parameter(node.arg, kind, has_default, types)

    def set_in(self, node: Function) -> Iterator[Member]:
        """Yield the attributes that a method sets on its object."""
        annotated = {
            one.arg: tuple(self.types.names(one.annotation))
            for one in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)
            if one.annotation is not None
        }
        for statement in _own(node):
            if isinstance(statement, ast.AnnAssign):
                targets: list[ast.expr] = [statement.target]
                types = tuple(self.types.names(statement.annotation))
            elif isinstance(statement, ast.Assign):
                targets = statement.targets
                types = ()
            else:
                continue
            value = _awaited(statement.value) if statement.value else None
            if not types and isinstance(value, ast.Name):
                types = annotated.get(value.id, ())
            for target in targets:
                if _is_of_self(target):
                    yield Member(
                        target.attr,  # type: ignore[attr-defined]  # an attribute of self
                        node_span(self.lines, target),
                        "attribute",
                        types=types,
                        made_by=tuple(self.called(value)),
                        local=True,
                    )

    def called(self, node: ast.expr | None) -> Iterator[str]:
        """Yield the origins of what an expression calls for its value."""
        node = _awaited(node) if node is not None else None
        if isinstance(node, ast.Call):
            yield from self.types.origins(node.func)


def _flat(body: Sequence[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield the statements of a class's own block, also below `if` and `try`."""
    for statement in body:
        yield statement
        if isinstance(statement, (ast.If, ast.Try, ast.With)):
            for inner in ("body", "orelse", "finalbody"):
                yield from _flat(getattr(statement, inner, []))
            for handler in getattr(statement, "handlers", []):
                yield from _flat(handler.body)


def _own(node: Function) -> Iterator[ast.AST]:
    """Yield what lies in a function, but not in a function or class inside it."""
    waiting: list[ast.AST] = list(reversed(node.body))
    while waiting:
        one = waiting.pop()
        yield one
        if not isinstance(one, (*Function.__args__, ast.ClassDef, ast.Lambda)):
            waiting.extend(reversed(list(ast.iter_child_nodes(one))))


def _awaited(node: ast.expr) -> ast.expr:
    return node.value if isinstance(node, ast.Await) else node


def _is_of_self(node: ast.expr) -> bool:
    return (
        isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id in {"self", "cls"}
    )


def _of_self(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.Attribute) and _is_of_self(node):
        yield node.attr


def _has_body(node: Function) -> bool:
    for statement in node.body:
        if isinstance(statement, (ast.Pass, ast.Raise)):
            continue
        if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
            continue
        return True
    return False
