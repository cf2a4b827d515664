"""Where a module tells objects apart by the names of their classes."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final

from dal_audit.extract.python.definitions import collected
from dal_audit.extract.python.expression_uses import is_type_of
from dal_audit.extract.python.parse.import_places import MarkedLines, node_span, nodes_on
from dal_audit.extract.source import Lines
from dal_audit.facts import ClassNameTest

_NAMES: Final = frozenset({"__name__", "__qualname__"})


def class_name_tests(tree: ast.Module, lines: Lines) -> Iterator[ClassNameTest]:
    """Yield the comparisons of the names of objects' classes with texts."""
    for node in nodes_on(tree, MarkedLines.of_words(lines, _NAMES)):
        if isinstance(node, ast.Compare):
            operands = [node.left, *node.comparators]
            if any(map(_is_class_name, operands)):
                yield from _test(node, [text for each in operands for text in _texts(each)], lines)
        elif isinstance(node, ast.Match) and _is_class_name(node.subject):
            for case in node.cases:
                for part in ast.walk(case.pattern):
                    if isinstance(part, ast.MatchValue):
                        yield from _test(part.value, list(_texts(part.value)), lines)


def _test(node: ast.expr, names: list[str], lines: Lines) -> Iterator[ClassNameTest]:
    if names:
        yield ClassNameTest(node_span(lines, node), tuple(dict.fromkeys(names)))


def _texts(node: ast.expr) -> Iterator[str]:
    """Yield the texts that are written out in an operand, or in a collection of them."""
    elements = collected(node)
    for element in [node] if elements is None else elements:
        if isinstance(element, ast.Constant) and isinstance(element.value, str):
            yield element.value


def _is_class_name(node: ast.expr) -> bool:
    return isinstance(node, ast.Attribute) and node.attr in _NAMES and is_type_of(node.value)
