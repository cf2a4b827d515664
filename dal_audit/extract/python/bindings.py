"""What each statement, clause and expression binds, and which scopes expressions open."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final, TypeAlias

from dal_audit.extract.python.parse.newer_syntax import TRIES, TYPE_ALIASES
from dal_audit.extract.python.parse.walk import BLOCKS, FUNCTIONS, Function, children
from dal_audit.extract.python.scopes import (
    Appended,
    Assigned,
    Binding,
    Declared,
    Defined,
    Entered,
    Scope,
    imported_names,
    source_module,
)

Comprehension: TypeAlias = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
COMPREHENSIONS: Final = frozenset({ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp})

_COMPOUND: Final = (
    *(ast.AsyncFor, ast.AsyncWith, ast.For, ast.If, ast.While, ast.With, *TRIES),
    *(ast.ExceptHandler, ast.Match, ast.match_case, ast.pattern),
)
"""What holds something that binds names in the block around it."""
_BINDING: Final = (ast.stmt, ast.ExceptHandler, ast.match_case, ast.pattern)

SAME_ELEMENTS: Final = frozenset(
    {"frozenset", "iter", "list", "reversed", "set", "sorted", "tuple"}
)
"""Builtins that go through a collection or copy it."""


def bind(node: ast.AST, scope: Scope) -> None:
    """Bind the names that a node itself gives something to; what lies below it is not looked at."""
    binder = _BINDERS.get(type(node))
    if binder is not None:
        binder(node, scope)


def bind_all(body: Iterable[ast.AST], scope: Scope) -> list[ast.AST]:
    """Bind all that a block binds, and return the nodes in it.

    What lies in functions, classes and lambdas inside it is neither bound nor returned.
    """
    found = []
    waiting = [(node, scope) for node in reversed(list(body))]
    while waiting:
        node, where = waiting.pop()
        found.append(node)
        bind(node, where)
        if isinstance(node, BLOCKS):
            continue
        if type(node) in COMPREHENSIONS:
            waiting += reversed(list(scoped_children(node, where)))
        else:
            waiting += [(child, where) for child in reversed(children(node))]
    return found


def bind_statements(body: Iterable[ast.AST], scope: Scope) -> list[ast.AST]:
    """Bind what the statements of a block bind, and return them, with clauses and patterns.

    So does `bind_all`, which looks into expressions, too: nothing but `:=` binds a name in one.
    """
    found = []
    waiting = list(reversed(list(body)))
    while waiting:
        node = waiting.pop()
        found.append(node)
        bind(node, scope)
        if isinstance(node, _COMPOUND):
            inner = [part for part in children(node) if isinstance(part, _BINDING)]
            waiting += reversed(inner)
    return found


def scoped_children(node: ast.AST, scope: Scope) -> Iterator[tuple[ast.AST, Scope]]:
    """Yield what lies right below an expression, each with the scope that it is read in."""
    if type(node) in COMPREHENSIONS:
        yield from _of_comprehension(node, scope)  # type: ignore[arg-type]  # one of its types
    elif isinstance(node, ast.Lambda):
        for default in defaults(node.args):
            yield default, scope
        inside = scope.open("function")
        bind_parameters(node.args, inside)
        yield node.body, inside
    else:
        for child in children(node):
            yield child, scope


def _of_comprehension(node: Comprehension, scope: Scope) -> Iterator[tuple[ast.AST, Scope]]:
    inside = scope.open("comprehension")
    # The first iterable is read in the scope around the comprehension.
    arounds = [scope, *[inside] * (len(node.generators) - 1)]
    for clause, around in zip(node.generators, arounds, strict=True):
        bind_target(clause.target, inside, Assigned(clause.iter, around, each=True))
    made = (node.key, node.value) if isinstance(node, ast.DictComp) else (node.elt,)
    for part in filter(None, made):  # `{**a for a in b}` (PEP 798) has no value.
        yield part, inside
    for clause, around in zip(node.generators, arounds, strict=True):
        yield clause.target, inside
        yield clause.iter, around
        for condition in clause.ifs:
            yield condition, inside


def bind_target(target: ast.expr, scope: Scope, binding: Binding = None) -> None:
    """Bind the names of an assignment's target, which may take apart what is written out."""
    if isinstance(target, ast.Name):
        scope.bind(target.id, binding)
    elif isinstance(target, (ast.Tuple, ast.List)):
        parts = _parts(binding, len(target.elts)) if isinstance(binding, Assigned) else []
        is_known = len(parts) == len(target.elts) and not any(map(_is_starred, target.elts))
        for index, element in enumerate(target.elts):
            bind_target(element, scope, parts[index] if is_known else None)
    elif isinstance(target, ast.Starred):
        bind_target(target.value, scope)


def _parts(binding: Assigned, count: int) -> list[Assigned | None]:
    """Return what so many parts of a value are, in order, as far as that is written out."""
    value, scope = binding.value, binding.scope
    if binding.part is not None:
        return []  # Of what is taken apart twice nothing is known.
    if binding.each:
        columns = _columns(value)
        if not columns:
            return [Assigned(value, scope, each=True, part=index) for index in range(count)]
        return [
            None if column is None else Assigned(column, scope, each=True) for column in columns
        ]
    if _gives_parts(value):
        return [Assigned(value, scope, each=True) for _ in range(count)]
    if not isinstance(value, (ast.Tuple, ast.List)) or any(map(_is_starred, value.elts)):
        return []
    return [Assigned(part, scope) for part in value.elts]


def _gives_parts(value: ast.expr) -> bool:
    """Return whether what is taken apart is what a function gives, and no copy of a collection."""
    match value.value if isinstance(value, ast.Await) else value:
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)):
            return name not in SAME_ELEMENTS | {"values"}
        case _:
            return False


def _columns(value: ast.expr) -> list[ast.expr | None]:
    """Return the collections that the parts of each element of a value come from, if it has any."""
    match value:
        case ast.Call(func=ast.Attribute(value=table, attr="items"), args=[]):
            values = ast.Call(ast.Attribute(table, "values", ast.Load()), [], [])
            return [table, ast.fix_missing_locations(ast.copy_location(values, value))]
        case ast.Call(func=ast.Name(id="enumerate"), args=[several, *_]):
            return [None, several]
        case ast.Call(func=ast.Name(id="zip"), args=several):
            return [] if any(map(_is_starred, several)) else [*several]
        case _:
            return []


def _is_starred(node: ast.expr) -> bool:
    return isinstance(node, ast.Starred)


def bind_parameters(node: ast.arguments, inside: Scope) -> None:
    """Bind a function's parameters in its scope; defaults are read in the scope around it."""
    around = inside.parent or inside
    positional = [*node.posonlyargs, *node.args]
    default_of = {
        parameter.arg: default
        for parameter, default in (
            *zip(reversed(positional), reversed(node.defaults), strict=False),
            *zip(node.kwonlyargs, node.kw_defaults, strict=True),
        )
    }
    for parameter in parameters(node):
        declared = Declared(parameter.annotation, around, default_of.get(parameter.arg))
        inside.bindings[parameter.arg] = [declared]


def open_type_parameters(node: ast.AST, scope: Scope) -> Scope:
    """Return the annotation scope of PEP 695, or the scope itself where there is none."""
    own = getattr(node, "type_params", None)
    if not own:
        return scope
    inside = scope.open("types")
    for parameter in own:
        inside.bind(parameter.name)
    return inside


def parameters(node: ast.arguments) -> Iterator[ast.arg]:
    """Yield all parameters of a function."""
    yield from node.posonlyargs
    yield from node.args
    if node.vararg is not None:
        yield node.vararg
    yield from node.kwonlyargs
    if node.kwarg is not None:
        yield node.kwarg


def defaults(node: ast.arguments) -> Iterator[ast.expr]:
    """Yield what parameters are by default."""
    yield from node.defaults
    for default in node.kw_defaults:
        if default is not None:
            yield default


def _import(node: ast.Import | ast.ImportFrom, scope: Scope) -> None:
    if isinstance(node, ast.ImportFrom) and node.names[0].name == "*":
        scope.stars.append(source_module(node))
    for imported in imported_names(node):
        scope.bind(imported.name, imported)


def _assign(node: ast.Assign, scope: Scope) -> None:
    for target in node.targets:
        bind_target(target, scope, Assigned(node.value, scope))


def _annotated(node: ast.AnnAssign, scope: Scope) -> None:
    if node.value is None:
        bind_target(node.target, scope, Declared(node.annotation, scope))
    else:
        binding = Assigned(node.value, scope, annotation=node.annotation)
        bind_target(node.target, scope, binding)


def _type_alias(node: Any, scope: Scope) -> None:
    bind_target(node.name, scope, Assigned(node.value, scope))


def _loop(node: ast.For | ast.AsyncFor, scope: Scope) -> None:
    bind_target(node.target, scope, Assigned(node.iter, scope, each=True))


def _context(node: ast.With | ast.AsyncWith, scope: Scope) -> None:
    for item in node.items:
        if item.optional_vars is not None:
            bind_target(item.optional_vars, scope, Entered(item.context_expr, scope))


def _walrus(node: ast.NamedExpr, scope: Scope) -> None:
    bind_target(node.target, scope.around_comprehensions(), Assigned(node.value, scope))


def _named(node: Any, scope: Scope) -> None:
    """Bind the name of a handler or a pattern, which may have none."""
    if node.name:
        scope.bind(node.name)


def _definition(node: ast.ClassDef | Function, scope: Scope) -> None:
    scope.bind(node.name, Defined(node, scope))


def _matched(node: ast.MatchAs, scope: Scope) -> None:
    """Bind the name of a pattern; `Store() as store` says what it is an object of."""
    if node.name and isinstance(node.pattern, ast.MatchClass):
        scope.bind(node.name, Declared(node.pattern.cls, scope))
    elif node.name:
        scope.bind(node.name)


def _mapping_pattern(node: ast.MatchMapping, scope: Scope) -> None:
    if node.rest:
        scope.bind(node.rest)


def _augmented(node: ast.AugAssign, scope: Scope) -> None:
    is_added = isinstance(node.op, ast.Add)
    bind_target(node.target, scope, Appended(node.value, scope) if is_added else None)


def _global(node: ast.Global, scope: Scope) -> None:
    scope.global_names.update(node.names)


def _nonlocal(node: ast.Nonlocal, scope: Scope) -> None:
    scope.nonlocal_names.update(node.names)


_Binder: TypeAlias = Callable[[Any, Scope], None]

_BINDERS: Final[dict[type[ast.AST], _Binder]] = {
    ast.AnnAssign: _annotated,
    ast.Assign: _assign,
    ast.AsyncFor: _loop,
    ast.AsyncWith: _context,
    ast.AugAssign: _augmented,
    ast.ClassDef: _definition,
    ast.ExceptHandler: _named,
    ast.For: _loop,
    ast.Global: _global,
    ast.Import: _import,
    ast.ImportFrom: _import,
    ast.MatchAs: _matched,
    ast.MatchMapping: _mapping_pattern,
    ast.MatchStar: _named,
    ast.NamedExpr: _walrus,
    ast.Nonlocal: _nonlocal,
    ast.With: _context,
    **dict.fromkeys(FUNCTIONS, _definition),
    **dict.fromkeys(TYPE_ALIASES, _type_alias),
}
