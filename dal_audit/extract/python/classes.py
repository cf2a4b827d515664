"""The classes of a module: bases, members, parameters and their types."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from dal_audit.extract.python.annotations import TypeReader
from dal_audit.extract.python.bindings import parameters
from dal_audit.extract.python.expression_uses import last_name
from dal_audit.extract.python.parse.import_places import (
    MarkedLines,
    blocks_of,
    name_span,
    node_span,
    own_statements,
)
from dal_audit.extract.python.parse.walk import FUNCTIONS, Function, children
from dal_audit.extract.source import Lines
from dal_audit.facts import (
    ClassShape,
    Member,
    MemberKind,
    Parameter,
    ParameterKind,
    TypeName,
)

_PROPERTIES: Final = frozenset(
    {"property", "cached_property", "abstractproperty", "setter", "deleter", "getter"}
)
_CONTEXTS: Final = frozenset({"asynccontextmanager"})
"""Decorators after which a call gives something to enter, not something to await."""
_ABSTRACT: Final = frozenset({"abstractmethod", "abstractproperty"})

_NAMES: Final = (ast.Name, ast.Attribute)
_LITERALS: Final[Mapping[type, str]] = {
    ast.List: "list",
    ast.ListComp: "list",
    ast.Tuple: "tuple",
    ast.Dict: "dict",
    ast.DictComp: "dict",
    ast.Set: "set",
    ast.SetComp: "set",
    ast.JoinedStr: "str",
}

_BLOCKS: Final = (*FUNCTIONS, ast.ClassDef, ast.Lambda)


def class_shapes(tree: ast.Module, lines: Lines, types: TypeReader) -> Iterator[ClassShape]:
    """Yield the classes of a module's own block and the classes nested in them."""
    yield from _Classes(lines, types).block(tree.body, "")


class _Classes:
    def __init__(self, lines: Lines, types: TypeReader) -> None:
        self.lines = lines
        self.types = types
        words = re.finditer("yield", lines.text) if "yield" in lines.text else ()
        self.yielding = MarkedLines(lines.line_of(word.start()) for word in words)

    def block(self, body: Sequence[ast.stmt], prefix: str) -> Iterator[ClassShape]:
        for statement in body:
            if isinstance(statement, ast.ClassDef):
                yield self.shape(statement, prefix)
                yield from self.block(statement.body, f"{prefix}{statement.name}.")
            elif not isinstance(statement, FUNCTIONS):
                for inner in blocks_of(statement):
                    yield from self.block(inner, prefix)

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
            name_span(self.lines, node),
            (first, header),
            bases,
            tuple(self.members(node)),
            decorators,
            tuple(self.arguments(node)),
        )

    def arguments(self, node: ast.ClassDef) -> Iterator[TypeName]:
        """Yield the types in the brackets of the bases, and the bounds of type parameters."""
        for base in node.bases:
            if isinstance(base, ast.Subscript):
                yield from self.types.names(base.slice)
        yield from self.bounds(node)

    def bounds(self, node: ast.ClassDef | Function) -> Iterator[TypeName]:
        """Yield the types that a class's or a function's own type parameters are bound by."""
        for one in getattr(node, "type_params", ()):
            if getattr(one, "bound", None) is not None:
                yield from self.types.names(one.bound)

    def members(self, node: ast.ClassDef) -> Iterator[Member]:
        for statement in _flat(node.body):
            if isinstance(statement, FUNCTIONS):
                own = list(own_statements(statement))
                yield self.function(statement, own)
                yield from self.set_in(statement, own)
            elif isinstance(statement, ast.ClassDef):
                yield Member(statement.name, name_span(self.lines, statement), "class")
            elif isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
                yield Member(
                    statement.target.id,
                    node_span(self.lines, statement.target),
                    "attribute",
                    types=(*self.types.names(statement.annotation), *self.literal(statement.value)),
                    made_by=tuple(self.called(statement.value)),
                    has_body=statement.value is not None,
                )
            elif isinstance(statement, ast.Assign):
                for target in statement.targets:
                    if isinstance(target, ast.Name):
                        yield Member(
                            target.id,
                            node_span(self.lines, target),
                            "attribute",
                            types=(
                                *self.types.names(statement.value),
                                *self.literal(statement.value),
                            ),
                            made_by=tuple(self.called(statement.value)),
                            has_body=True,
                            is_value=True,
                        )

    def function(self, node: Function, own: Sequence[ast.stmt]) -> Member:
        decorators = tuple(
            last_name(one.func if isinstance(one, ast.Call) else one) for one in node.decorator_list
        )
        kind: MemberKind = "method" if _PROPERTIES.isdisjoint(decorators) else "property"
        is_static = "staticmethod" in decorators
        returned = [one.value for one in own if isinstance(one, ast.Return) and one.value]
        yields = list(_yields(node)) if self.yielding.touch(node) else []
        yielded = [one.value for one in yields if isinstance(one, ast.Yield) and one.value]
        named = _assigned_once(own)
        values = [_awaited(_what(one, named)) for one in (*returned, *yielded)]
        types = [
            *(self.types.names(node.returns) if node.returns else ()),
            *self.literal(node.returns, is_annotation=True),
            *self.bounds(node),
        ]
        return Member(
            node.name,
            name_span(self.lines, node),
            kind,
            types=tuple(types),
            parameters=tuple(self.parameters(node.args, is_bound=not is_static)),
            made_by=tuple(origin for value in values for origin in self.called(value)),
            gives=tuple(dict.fromkeys(name for value in values for name in _of_self(value))),
            is_async=(
                isinstance(node, ast.AsyncFunctionDef)
                and not yields
                and _CONTEXTS.isdisjoint(decorators)
            ),
            is_abstract=not _ABSTRACT.isdisjoint(decorators),
            is_bound=not is_static,
            has_body=_has_body(node),
            refuses=_refuses(node),
            decorators=decorators,
        )

    def literal(self, node: ast.expr | None, *, is_annotation: bool = False) -> Iterator[TypeName]:
        """Yield the type of a value that says it: `None` in an annotation, a number, a list."""
        name = _LITERALS.get(type(node))
        if name is not None and node is not None:
            yield TypeName(node_span(self.lines, node), name)
        elif isinstance(node, ast.Constant) and not (is_annotation and isinstance(node.value, str)):
            name = "None" if node.value is None else type(node.value).__name__
            yield TypeName(node_span(self.lines, node), name)

    def parameters(self, node: ast.arguments, *, is_bound: bool) -> Iterator[Parameter]:
        positional = [*node.posonlyargs, *node.args]
        without = len(positional) - len(node.defaults)
        for index, one in enumerate(positional):
            if index == 0 and is_bound:
                continue
            kind: ParameterKind = "positional-only" if index < len(node.posonlyargs) else "plain"
            default = node.defaults[index - without] if index >= without else None
            yield self.parameter(one, kind, default)
        if node.vararg is not None:
            yield self.parameter(node.vararg, "list", None)
        for one, default in zip(node.kwonlyargs, node.kw_defaults, strict=True):
            yield self.parameter(one, "keyword-only", default)
        if node.kwarg is not None:
            yield self.parameter(node.kwarg, "mapping", None)

    def parameter(self, node: ast.arg, kind: ParameterKind, default: ast.expr | None) -> Parameter:
        types = [
            *(self.types.names(node.annotation) if node.annotation else ()),
            # A string as a default is a string.
            *(self.types.names(default) if isinstance(default, _NAMES) else ()),
        ]
        is_many = kind in {"list", "mapping"}
        return Parameter(node.arg, kind, is_many or default is not None, tuple(types))

    def set_in(self, node: Function, own: Sequence[ast.stmt]) -> Iterator[Member]:
        """Yield the attributes that a method sets on its object."""
        setting = [
            (one, targets)
            for one in own
            if isinstance(one, (ast.Assign, ast.AnnAssign))
            for targets in [one.targets if isinstance(one, ast.Assign) else [one.target]]
            if any(map(_is_of_self, targets))
        ]
        if not setting:
            return
        annotated = {
            one.arg: tuple(self.types.names(one.annotation))
            for one in parameters(node.args)
            if one.annotation is not None and one not in (node.args.vararg, node.args.kwarg)
        }
        bound = {one.arg for one in parameters(node.args)}
        bound |= {
            one.id
            for one in _nodes(node)
            if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store)
        }
        for statement, targets in setting:
            types: tuple[TypeName, ...] = ()
            if isinstance(statement, ast.AnnAssign):
                types = tuple(self.types.names(statement.annotation))
            value = _awaited(statement.value) if statement.value else None
            is_value = not types and _root(value) not in bound
            if not types and isinstance(value, ast.Name) and not is_value:
                types = annotated.get(value.id, ())
            elif is_value and isinstance(value, _NAMES):
                types = tuple(self.types.names(value))
            for target in targets:
                if _is_of_self(target):
                    yield Member(
                        target.attr,  # type: ignore[attr-defined]  # an attribute of self
                        node_span(self.lines, target),
                        "attribute",
                        types=types,
                        made_by=tuple(self.called(value)),
                        has_body=statement.value is not None,
                        local=True,
                        is_value=is_value and bool(types),
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


def _nodes(node: Function) -> Iterator[ast.AST]:
    """Yield what lies in a function, but not in a function or class inside it."""
    waiting: list[ast.AST] = list(reversed(node.body))
    while waiting:
        one = waiting.pop()
        yield one
        if not isinstance(one, _BLOCKS):
            waiting.extend(reversed(children(one)))


def _yields(node: Function) -> Iterator[ast.Yield | ast.YieldFrom]:
    return (one for one in _nodes(node) if isinstance(one, (ast.Yield, ast.YieldFrom)))


def _root(node: ast.expr | None) -> str:
    """Return the first name of a dotted one; empty for any other expression."""
    while isinstance(node, ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


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


def _assigned_once(own: Sequence[ast.stmt]) -> Mapping[str, ast.expr]:
    """Return the values of the names that a function assigns once, or enters a context by."""
    values: dict[str, list[ast.expr]] = {}
    for one in own:
        if isinstance(one, ast.Assign):
            for target in one.targets:
                if isinstance(target, ast.Name):
                    values.setdefault(target.id, []).append(one.value)
        elif isinstance(one, (ast.With, ast.AsyncWith)):
            for item in one.items:
                if isinstance(item.optional_vars, ast.Name):
                    values.setdefault(item.optional_vars.id, []).append(item.context_expr)
    return {name: found[0] for name, found in values.items() if len(found) == 1}


def _what(node: ast.expr, named: Mapping[str, ast.expr]) -> ast.expr:
    """Return what a local name stands for, or the expression itself."""
    return named.get(node.id, node) if isinstance(node, ast.Name) else node


def _has_body(node: Function) -> bool:
    return not all(isinstance(one, (ast.Pass, ast.Raise)) or _is_text(one) for one in node.body)


def _refuses(node: Function) -> bool:
    return isinstance(node.body[-1], ast.Raise) and not _has_body(node)


def _is_text(statement: ast.stmt) -> bool:
    """Return whether a statement is a docstring or `...`."""
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
