"""The facts about SQL in Python: each with the narrowest place that shows it."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from dal_audit.extract.python.name_uses import CallSite
from dal_audit.extract.python.parse.import_places import node_span
from dal_audit.extract.python.parse.walk import nodes_in
from dal_audit.extract.python.sql_calls import Handed, SqlCalls
from dal_audit.extract.secrets import text_for_facts
from dal_audit.extract.source import Lines
from dal_audit.facts import Span, SqlText

_OPENING: Final = re.compile(r"[A-Za-z]{0,2}(\"{3}|'{3}|\"|')(?:\\\r?\n)?\s*")


def sql_texts(
    sites: Sequence[CallSite],
    lines: Lines,
    calls: SqlCalls,
    statement: Callable[[ast.stmt | ast.ExceptHandler, ast.expr], Span],
) -> Iterator[SqlText]:
    """Yield the SQL among a module's calls; `statement` tells the span of the statement around."""
    for site in sites:
        for handed in calls.handed(site):
            yield SqlText(
                span=_first_line(lines, handed.node),
                statement=statement(site.statement, handed.node),
                text=text_for_facts(str(handed.text), is_program=True),
                does=handed.does,
                how=handed.how,
                receivers=handed.receivers,
                builds=handed.builds,
                written=_elsewhere(lines, handed),
            )


def _elsewhere(lines: Lines, handed: Handed) -> Span | None:
    """Return where the text is written; None where the call itself holds it."""
    inside = {id(node) for node in nodes_in(handed.node)}
    return None if id(handed.written) in inside else _first_line(lines, handed.written)


def _first_line(lines: Lines, node: ast.expr) -> Span:
    """Return the span of an expression; of a long string only its first line that is not blank."""
    span = node_span(lines, node)
    if span.line == span.end_line:
        return span
    start = lines.offset(node.lineno, node.col_offset)
    opening = _OPENING.match(lines.text, start)
    if opening is not None and lines.line_of(opening.end()) > span.line:
        start = opening.end()
    line = lines.line_of(start)
    end = lines.starts[line - 1] + len(lines.line(line).rstrip())
    return lines.span(start, max(start, end))
