"""Where statements, their blocks, and the names in them stand in the text of a module."""

from __future__ import annotations

import ast
import re
from bisect import bisect_left
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from dal_audit.extract.python.parse.newer_syntax import TRIES
from dal_audit.extract.python.parse.walk import FUNCTIONS, children
from dal_audit.extract.source import Lines, occurrences, spells_plainly
from dal_audit.facts import Span

_NAME: Final = r"[^\s.*,()#;\\]+"
_DOTTED: Final = rf"{_NAME}(?:[\s\\]*\.[\s\\]*{_NAME})*"
"""A dotted name as the text has it, perhaps with white space around its dots."""
_IMPORTED: Final = re.compile(rf"\*|{_DOTTED}")
_MODULE: Final = re.compile(rf"(?:lazy[\s\\]+)?from[\s\\.]*({_DOTTED})")


def imported_span(lines: Lines, alias: ast.alias) -> Span:
    """Return the span of what an import names: `a.b` in `import a.b as c`, or a star."""
    start = lines.offset(alias.lineno, alias.col_offset)
    if lines.ascii and lines.text.startswith(alias.name, start):
        column = alias.col_offset + 1
        return Span(alias.lineno, column, alias.lineno, column + len(alias.name))
    found = _IMPORTED.match(lines.text, start)
    return lines.span(start, found.end() if found else start)


def module_span(lines: Lines, statement: ast.ImportFrom) -> Span | None:
    """Return the span of the module after `from`, without leading dots; None where it is dots."""
    if statement.module is None:
        return None
    found = _MODULE.match(lines.text, lines.offset(statement.lineno, statement.col_offset))
    return lines.span(*found.span(1)) if found else None


def node_bounds(lines: Lines, node: ast.stmt | ast.expr | ast.alias) -> tuple[int, int]:
    """Return where a statement, an expression or an alias begins and ends in the text."""
    start = lines.offset(node.lineno, node.col_offset)
    end_line, end_column = node.end_lineno, node.end_col_offset
    if end_line is None or end_column is None:
        return start, start
    return start, lines.offset(end_line, end_column)


def blocks_of(node: ast.AST) -> list[list[ast.stmt]]:
    """Return the blocks of a statement or a module in the order of the text; there may be none."""
    fields = _BLOCKS.get(type(node))
    if fields is None:
        return []
    if fields:
        return [getattr(node, name) for name in fields]
    if isinstance(node, ast.Match):
        return [case.body for case in node.cases]
    tried: Any = node
    handlers = [handler.body for handler in tried.handlers]
    return [tried.body, *handlers, tried.orelse, tried.finalbody]


_BLOCKS: Final[dict[type[ast.AST], tuple[str, ...]]] = {
    ast.AsyncFor: ("body", "orelse"),
    ast.AsyncFunctionDef: ("body",),
    ast.AsyncWith: ("body",),
    ast.ClassDef: ("body",),
    ast.For: ("body", "orelse"),
    ast.FunctionDef: ("body",),
    ast.If: ("body", "orelse"),
    ast.Match: (),
    ast.Module: ("body",),
    ast.While: ("body", "orelse"),
    ast.With: ("body",),
    **dict.fromkeys(TRIES, ()),
}
"""The fields of compound statements that are blocks; empty for those that hold more than blocks."""

_NESTING: Final = frozenset(_BLOCKS) - {ast.Module, ast.ClassDef, *FUNCTIONS}
"""What holds statements that belong to the block around it."""


class MarkedLines:
    """Some lines of a module, and which statements they lie in."""

    def __init__(self, numbers: Iterable[int]) -> None:
        """Take their 1-based numbers."""
        self.numbers = sorted(set(numbers))

    @classmethod
    def of_words(cls, lines: Lines, words: Iterable[str]) -> MarkedLines:
        """Return the lines of a text on which one of some words begins.

        All are where identifiers may be spelled in another way (NFKC).
        """
        if not spells_plainly(lines.text):
            return cls(range(1, len(lines) + 1))
        return cls(lines.line_of(start) for start in occurrences(lines.text, words))

    def touch(self, node: ast.stmt) -> bool:
        """Return whether a marked line lies in a statement, decorators included."""
        decorators: Sequence[ast.expr] = getattr(node, "decorator_list", ())
        first = decorators[0].lineno if decorators else node.lineno
        return self.within(first, node.end_lineno or first)

    def within(self, first: int, last: int) -> bool:
        """Return whether one of them is among the lines from one to another."""
        index = bisect_left(self.numbers, first)
        return index < len(self.numbers) and self.numbers[index] <= last


def nodes_on(tree: ast.Module, marked: MarkedLines) -> Iterator[ast.AST]:
    """Yield the nodes below a tree that lie on marked lines, level by level, as `nodes_in` does.

    What holds no marked line is not walked; what has no place of its own is not yielded.
    """
    waiting = deque[ast.AST]([tree])
    while waiting:
        for child in children(waiting.popleft()):
            if isinstance(child, ast.stmt):
                is_on = marked.touch(child)
            elif isinstance(child, (ast.expr, ast.excepthandler, ast.pattern)):
                is_on = marked.within(child.lineno, child.end_lineno or child.lineno)
            else:
                waiting.append(child)
                continue
            if is_on:
                yield child
                waiting.append(child)


def own_statements(node: ast.stmt | ast.Module) -> Iterator[ast.stmt]:
    """Yield the statements in a block, but not those of functions and classes inside it."""
    for block in blocks_of(node):
        for statement in block:
            yield statement
            if type(statement) in _NESTING:
                yield from own_statements(statement)


def name_span(lines: Lines, node: ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> Span:
    """Return the span of the name that a definition gives, after its keyword."""
    keyword = "class" if isinstance(node, ast.ClassDef) else "def"
    start = lines.offset(node.lineno, node.col_offset)
    start = lines.text.find(node.name, lines.text.find(keyword, start) + len(keyword))
    return lines.span(start, start + len(node.name))


def node_span(lines: Lines, node: ast.expr | ast.stmt) -> Span:
    """Return the span of an expression or a statement."""
    end_line = node.end_lineno or node.lineno
    end_column = node.end_col_offset or node.col_offset
    if lines.ascii:
        # A byte, a code point and a UTF-16 code unit are one.
        return Span(node.lineno, node.col_offset + 1, end_line, end_column + 1)
    return lines.span(
        lines.offset(node.lineno, node.col_offset), lines.offset(end_line, end_column)
    )
