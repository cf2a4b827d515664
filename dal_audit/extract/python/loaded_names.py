"""The dotted names that a module imports: by its statements, and by calls with a name."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from dal_audit.extract.holes import UNKNOWN
from dal_audit.extract.python.constant_folding import fold_constant
from dal_audit.extract.python.expression_uses import last_name
from dal_audit.extract.python.function_bodies import parse_cut
from dal_audit.extract.python.name_uses import read_names
from dal_audit.extract.python.parse.import_places import MarkedLines
from dal_audit.extract.python.parse.parser import parse
from dal_audit.extract.python.parse.walk import nodes_in
from dal_audit.extract.python.scopes import imported_names, source_module
from dal_audit.extract.source import Lines, occurrences
from dal_audit.facts import LOADER


def loaded_names(text: str) -> list[str]:
    """Return the modules that a module loads by names that are written in it.

    Raises UnparsableError, and RecursionError for what is nested too deeply to walk.
    """
    if LOADER not in text:
        return []
    lines = Lines(text)
    marked = MarkedLines(map(lines.line_of, occurrences(text, [LOADER])))
    tree = parse_cut(lines, marked)
    return [
        name
        for site in read_names(tree, frozenset(), call_sites=True).call_sites
        if isinstance(site.node, ast.Call) and site.node.args
        if last_name(site.node.func) == LOADER
        for name in fold_constant(site.node.args[0], site.scope)
        if UNKNOWN not in name
    ]


def stated_names(text: str) -> Iterator[str]:
    """Yield the names that all import statements in a module import, wherever they stand.

    Raises UnparsableError, and RecursionError for what is nested too deeply to parse.
    """
    for node in nodes_in(parse(text)):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            yield from (imported.origin for imported in imported_names(node))
            if isinstance(node, ast.ImportFrom) and node.names[0].name == "*":
                yield f"{source_module(node)}.*" if node.module else f"{source_module(node)}*"
