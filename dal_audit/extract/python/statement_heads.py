"""Where statements stand: whole, and of compound ones what stands before their blocks."""

from __future__ import annotations

import ast

from dal_audit.extract.python.parse.import_places import node_span
from dal_audit.extract.source import Lines
from dal_audit.facts import Span


class StatementHeads:
    """Tells the spans of statements, on which a comment about what is in them may stand."""

    def __init__(self, lines: Lines) -> None:
        """Take the module's text."""
        self.lines = lines

    def span(self, statement: ast.stmt | ast.ExceptHandler, node: ast.expr) -> Span:
        """Return the span of a statement; of a compound one only of its head.

        A decorator and the guard of a `case` lie outside that head, and span themselves.
        """
        start = self.lines.offset(statement.lineno, statement.col_offset)
        block = getattr(statement, "body", None) or getattr(statement, "cases", None)
        if not block:
            end_line, end_column = statement.end_lineno, statement.end_col_offset
            end = self.lines.offset(end_line or statement.lineno, end_column or 0)
            return self.lines.span(start, max(start, end))
        own = node_span(self.lines, node)
        last = self._end_of_head(block[0])
        if not statement.lineno <= own.line <= last:
            return own
        last = max(last, own.end_line)
        return self.lines.span(
            start, self.lines.starts[last - 1] + len(self.lines.line(last).rstrip())
        )

    def _end_of_head(self, first: ast.stmt | ast.match_case) -> int:
        """Return the last line of what stands before the first statement or case of a block."""
        line = first.pattern.lineno if isinstance(first, ast.match_case) else first.lineno
        for decorator in getattr(first, "decorator_list", ()):
            line = min(line, decorator.lineno)
        before = self.lines.line(line)[: getattr(first, "col_offset", 0)]
        if before.strip() and not isinstance(first, ast.match_case):
            return line  # `if x: pass`
        line -= 1
        while line > 1 and self.lines.line(line).lstrip()[:1] in {"", "#"}:
            line -= 1
        return line
