"""What the handlers of a module catch together, and what they raise in the place of it."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Final

from dal_audit.extract.python.annotations import TypeReader
from dal_audit.extract.python.parse.import_places import blocks_of, node_span, own_statements
from dal_audit.extract.python.parse.newer_syntax import TRIES
from dal_audit.extract.python.parse.walk import nodes_in
from dal_audit.extract.source import Lines
from dal_audit.facts import CaughtTuple, ErrorTranslation, HandlerTies

_OF_ALL: Final = frozenset(
    {"add_note", "args", "with_traceback", "__cause__", "__class__", "__context__", "__dict__"}
    | {"__notes__", "__str__", "__suppress_context__", "__traceback__"}
)
"""What every exception has."""


def error_translations(
    tree: ast.Module, lines: Lines, types: TypeReader
) -> Iterator[ErrorTranslation | CaughtTuple | HandlerTies]:
    """Yield what the handlers of a module do; `types` knows its imports."""
    if "except" not in lines.text:
        return
    for handler, counted in _handlers(tree, types):
        if handler.type is None:
            continue
        span = node_span(lines, handler.type)
        parts = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
        if len(parts) > 1:
            yield CaughtTuple(span, tuple(node_span(lines, part) for part in parts))
        raised = tuple(dict.fromkeys(_raised(handler, types)))
        if raised:
            yield ErrorTranslation(span, _caught(handler, types), raised)
        own = Counter(_caught(handler, types))
        beside = tuple(origin for origin, count in counted.items() if count > own[origin])
        is_inspected = _is_inspected(handler)
        if beside or is_inspected:
            yield HandlerTies(span, beside, is_inspected)


def _handlers(
    tree: ast.Module, types: TypeReader
) -> Iterator[tuple[ast.ExceptHandler, Mapping[str, int]]]:
    """Yield each handler of a module, and how often what its `try` catches is named in that."""
    waiting: list[Any] = [tree]
    while waiting:
        node = waiting.pop()
        if type(node) in TRIES:
            counted = Counter(name for part in node.handlers for name in _caught(part, types))
            yield from ((handler, counted) for handler in node.handlers)
        for block in blocks_of(node):
            waiting += block


def _caught(handler: ast.ExceptHandler, types: TypeReader) -> tuple[str, ...]:
    """Return what a handler catches; nothing where it catches whatever comes."""
    node = handler.type
    parts = node.elts if isinstance(node, ast.Tuple) else [node] if node is not None else []
    return tuple(origin for part in parts for origin in types.origins(part))


def _is_inspected(handler: ast.ExceptHandler) -> bool:
    """Return whether a handler reads attributes that its exception has and others may not."""
    if handler.name is None:
        return False
    reads = (node for part in handler.body for node in nodes_in(part))
    return any(
        isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == handler.name
        and node.attr not in _OF_ALL
        for node in reads
    )


def _raised(handler: ast.ExceptHandler, types: TypeReader) -> Iterator[str]:
    """Yield the classes of which a handler raises objects, or which it raises themselves."""
    for statement in own_statements(ast.Module(handler.body, [])):
        if isinstance(statement, ast.Raise) and statement.exc is not None:
            made = statement.exc
            yield from types.origins(made.func if isinstance(made, ast.Call) else made)
