"""Read import statements with LibCST, one statement at a time, for the exact place of each name.

LibCST is dear by the file and cheap by the statement, and import statements repeat: one text is
read once a process.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import lru_cache

from dal_audit.extract.source import Lines
from dal_audit.extract.syntax import is_too_deep
from dal_audit.facts import Span


@dataclass(frozen=True, slots=True)
class ImportPlaces:
    """Where the names of an import statement stand, as (start, end) in the statement's text."""

    module: tuple[int, int] | None
    names: tuple[tuple[int, int], ...]


@lru_cache(maxsize=4096)
def import_places(text: str) -> ImportPlaces:
    """Return where a statement's module and names stand.

    Raises libcst.ParserSyntaxError for text that is no statement, RecursionError for one that
    LibCST could not read without exhausting the stack.
    """
    if is_too_deep(text):
        raise RecursionError
    import libcst as cst  # a hook on clean files must not pay for it
    from libcst.metadata import ByteSpanPositionProvider, MetadataWrapper

    wrapper = MetadataWrapper(cst.parse_module(text + "\n"), unsafe_skip_copy=True)
    spans = wrapper.resolve(ByteSpanPositionProvider)
    line = wrapper.module.body[0]
    statement = line.body[0] if isinstance(line, cst.SimpleStatementLine) else line
    if not isinstance(statement, (cst.Import, cst.ImportFrom)):
        message = "not an import statement"
        raise TypeError(message)
    encoded = text.encode("utf-8")

    def place(node: cst.CSTNode) -> tuple[int, int]:
        span = spans[node]
        start = len(encoded[: span.start].decode("utf-8"))
        return start, start + len(encoded[span.start : span.start + span.length].decode("utf-8"))

    module = None
    if isinstance(statement, cst.ImportFrom) and statement.module is not None:
        module = place(statement.module)
    if isinstance(statement.names, cst.ImportStar):
        return ImportPlaces(module, (place(statement.names),))
    return ImportPlaces(module, tuple(place(alias.name) for alias in statement.names))


def statement_bounds(lines: Lines, node: ast.stmt) -> tuple[int, int]:
    """Return where a statement begins and ends in the text."""
    start = lines.offset(node.lineno, node.col_offset)
    end_line, end_column = node.end_lineno, node.end_col_offset
    if end_line is None or end_column is None:
        return start, start
    return start, lines.offset(end_line, end_column)


def node_span(lines: Lines, node: ast.expr) -> Span:
    """Return the span of an expression."""
    start = lines.offset(node.lineno, node.col_offset)
    end = lines.offset(node.end_lineno or node.lineno, node.end_col_offset or node.col_offset)
    return lines.span(start, end)
