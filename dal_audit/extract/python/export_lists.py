"""How names are taken out of the lists of `__all__`."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Final

from dal_audit.extract.python.list_items import ListItems
from dal_audit.extract.python.parse.import_places import node_bounds
from dal_audit.extract.source import Lines
from dal_audit.facts import Span

_COMMA: Final = re.compile(r"\s*,")


def list_removals(node: ast.List | ast.Tuple | ast.Set, lines: Lines) -> Iterator[tuple[str, Span]]:
    """Yield each name that a list spells, with what goes with it where it is taken out.

    What would leave no list is left out: the only item, and those of a tuple without a comma at its
    end, of which the last one would need it.
    """
    items = node.elts
    if len(items) <= 1:
        return
    bounds = [node_bounds(lines, item) for item in items]
    if isinstance(node, ast.Tuple) and not _COMMA.match(lines.text, bounds[-1][1]):
        return
    found = ListItems(lines, bounds, node_bounds(lines, node))
    for index, item in enumerate(items):
        spans = found.spans(index)
        if spans is not None and isinstance(item, ast.Constant) and isinstance(item.value, str):
            yield item.value, spans[index == len(items) - 1]
