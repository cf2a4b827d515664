"""What the handlers of a module catch together, and what they raise in the place of it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

from dal_audit.extract.python.annotations import TypeReader
from dal_audit.extract.python.parse.import_places import blocks_of, node_span, own_statements
from dal_audit.extract.python.parse.newer_syntax import TRIES
from dal_audit.extract.source import Lines
from dal_audit.facts import CaughtTuple, ErrorTranslation


def error_translations(
    tree: ast.Module, lines: Lines, types: TypeReader
) -> Iterator[ErrorTranslation | CaughtTuple]:
    """Yield what the handlers of a module do; `types` knows its imports."""
    if "except" not in lines.text:
        return
    for handler in _handlers(tree):
        if handler.type is None:
            continue
        span = node_span(lines, handler.type)
        parts = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
        if len(parts) > 1:
            yield CaughtTuple(span, tuple(node_span(lines, part) for part in parts))
        raised = tuple(dict.fromkeys(_raised(handler, types)))
        if raised:
            caught = tuple(origin for part in parts for origin in types.origins(part))
            yield ErrorTranslation(span, caught, raised)


def _handlers(tree: ast.Module) -> Iterator[ast.ExceptHandler]:
    waiting: list[Any] = [tree]
    while waiting:
        node = waiting.pop()
        if type(node) in TRIES:
            yield from node.handlers
        for block in blocks_of(node):
            waiting += block


def _raised(handler: ast.ExceptHandler, types: TypeReader) -> Iterator[str]:
    """Yield the classes of which a handler raises objects, or which it raises themselves."""
    for statement in own_statements(ast.Module(handler.body, [])):
        if isinstance(statement, ast.Raise) and statement.exc is not None:
            made = statement.exc
            yield from types.origins(made.func if isinstance(made, ast.Call) else made)
