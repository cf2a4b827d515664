"""Read import statements with LibCST, one statement at a time, for the exact place of each name.

LibCST is dear by the file and cheap by the statement, and import statements repeat: one text is
read once a process.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final, cast

from dal_audit.extract.newer_syntax import TRIES
from dal_audit.extract.source import Lines
from dal_audit.extract.syntax import is_too_deep
from dal_audit.facts import Span

if TYPE_CHECKING:
    import libcst as cst


@dataclass(frozen=True, slots=True)
class ImportPlaces:
    """Where the names of an import statement stand, as (start, end) in the statement's text."""

    module: tuple[int, int] | None
    names: tuple[tuple[int, int], ...]


_TOKEN: Final = re.compile(r"#[^\r\n]*|[^\W\d]\w*|[.*,]")


@lru_cache(maxsize=4096)
def import_places(text: str) -> ImportPlaces:
    """Return where a statement's module and names stand.

    LibCST says what they are; they are then found one after the other, as resolving the places of
    all its nodes takes five times as long.

    Raises libcst.ParserSyntaxError for text that is no statement, RecursionError for one that
    LibCST could not read without exhausting the stack.
    """
    if is_too_deep(text):
        raise RecursionError
    import libcst as cst  # a hook on clean files must not pay for it

    line = cst.parse_statement(text)
    statement = line.body[0] if isinstance(line, cst.SimpleStatementLine) else line
    if not isinstance(statement, (cst.Import, cst.ImportFrom)):
        message = "not an import statement"
        raise TypeError(message)
    tokens = (one for one in _TOKEN.finditer(text) if not one[0].startswith("#"))
    module = None
    if isinstance(statement, cst.ImportFrom):
        next(tokens)
        for _ in statement.relative:
            next(tokens)
        if statement.module is not None:
            module = _place(statement.module, tokens)
    next(tokens)
    if isinstance(statement.names, cst.ImportStar):
        return ImportPlaces(module, (next(tokens).span(),))
    names = []
    for alias in statement.names:
        names.append(_place(alias.name, tokens))
        # `as` and the new name, and the comma, come before the next one.
        for _ in range(2 * (alias.asname is not None) + (alias is not statement.names[-1])):
            next(tokens)
    return ImportPlaces(module, tuple(names))


def _place(name: cst.Attribute | cst.Name, tokens: Iterator[re.Match[str]]) -> tuple[int, int]:
    """Return where a dotted name stands, which begins at the next token."""
    first = last = next(tokens)
    while not isinstance(name.value, str):
        next(tokens)
        last = next(tokens)
        name = cast("cst.Attribute | cst.Name", name.value)
    return first.start(), last.end()


def statement_bounds(lines: Lines, node: ast.stmt) -> tuple[int, int]:
    """Return where a statement begins and ends in the text."""
    start = lines.offset(node.lineno, node.col_offset)
    end_line, end_column = node.end_lineno, node.end_col_offset
    if end_line is None or end_column is None:
        return start, start
    return start, lines.offset(end_line, end_column)


def blocks_of(statement: ast.stmt) -> list[list[ast.stmt]]:
    """Return the blocks of a statement in the order of its text; none of one that has none."""
    fields = _BLOCKS.get(type(statement))
    if fields is None:
        return []
    if fields:
        return [getattr(statement, name) for name in fields]
    if isinstance(statement, ast.Match):
        return [case.body for case in statement.cases]
    handlers = [one.body for one in statement.handlers]  # type: ignore[attr-defined]  # a `try`
    return [statement.body, *handlers, statement.orelse, statement.finalbody]  # type: ignore[attr-defined]


_BLOCKS: Final[dict[type[ast.AST], tuple[str, ...]]] = {
    ast.AsyncFor: ("body", "orelse"),
    ast.AsyncFunctionDef: ("body",),
    ast.AsyncWith: ("body",),
    ast.ClassDef: ("body",),
    ast.For: ("body", "orelse"),
    ast.FunctionDef: ("body",),
    ast.If: ("body", "orelse"),
    ast.Match: (),
    ast.While: ("body", "orelse"),
    ast.With: ("body",),
    **dict.fromkeys(TRIES, ()),
}
"""The fields of compound statements that are blocks; empty for those that hold more than blocks."""


def name_span(lines: Lines, node: ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> Span:
    """Return the span of the name that a definition gives, after its keyword."""
    keyword = "class" if isinstance(node, ast.ClassDef) else "def"
    start = lines.offset(node.lineno, node.col_offset)
    start = lines.text.find(node.name, lines.text.find(keyword, start) + len(keyword))
    return lines.span(start, start + len(node.name))


def node_span(lines: Lines, node: ast.expr) -> Span:
    """Return the span of an expression."""
    start = lines.offset(node.lineno, node.col_offset)
    end = lines.offset(node.end_lineno or node.lineno, node.end_col_offset or node.col_offset)
    return lines.span(start, end)
