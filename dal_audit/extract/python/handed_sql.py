"""SQL on its way: calls that hand some to a function, and parameters that are handed on.

A function that hands a parameter on, as it is, to a call that executes SQL is execute-like itself.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property

from dal_audit.extract.python.bindings import parameters
from dal_audit.extract.python.constant_folding import qualified_names
from dal_audit.extract.python.expression_uses import CallSite, last_name
from dal_audit.extract.python.parse.import_places import MarkedLines, node_span
from dal_audit.extract.python.parse.walk import Function, inside
from dal_audit.extract.python.prefilter.sql_marks import executes, execution_starts
from dal_audit.extract.python.scopes import Assigned, Scope
from dal_audit.extract.python.sql_calls import texts
from dal_audit.extract.source import Lines
from dal_audit.extract.sql_detection import begins_statement, read_sql
from dal_audit.facts import HandedSql, Span


class ExecutedParameters:
    """Reads which parameters of functions come to what executes SQL."""

    def __init__(self, lines: Lines) -> None:
        """Take a module's text."""
        self.lines = lines

    @cached_property
    def marked(self) -> MarkedLines:
        """The lines on which execute-like calls begin."""
        lines = self.lines
        return MarkedLines(lines.line_of(start) for start in execution_starts(lines.text))

    def of(self, node: Function) -> Iterator[str]:
        """Yield the parameters of a function that it hands on to calls which execute SQL."""
        if not self.marked.touch(node):
            return
        names = {parameter.arg for parameter in parameters(node.args)}
        for part in inside(node.body):
            if isinstance(part, ast.Call) and part.args and executes(last_name(part.func)):
                first = part.args[0]
                if isinstance(first, ast.Name) and first.id in names:
                    yield first.id


def sql_argument(node: ast.Call, scope: Scope) -> tuple[ast.expr, str] | None:
    """Return the first argument of a call that is SQL, and what that does; None without one."""
    for argument in _arguments(node, scope):
        found = (read_sql(str(text), certain=False) for text, _ in texts(argument, scope))
        does = next(filter(None, found), "")
        if does:
            return argument, does
    return None


def _arguments(node: ast.Call, scope: Scope) -> list[ast.expr]:
    """Return the arguments of a call that can be texts of statements."""
    arguments = [*node.args, *(keyword.value for keyword in node.keywords)]
    return [argument for argument in arguments if _may_be_text(argument, scope)]


def _may_be_text(node: ast.expr, scope: Scope) -> bool:
    """Return whether an argument can be the text of a statement, by a look at it alone."""
    if isinstance(node, ast.Name):
        return any(isinstance(binding, Assigned) for binding in scope.lookup(node.id))
    if isinstance(node, ast.Constant):
        return isinstance(node.value, str) and begins_statement(node.value)
    return True


def handed_sql(
    sites: Sequence[CallSite],
    lines: Lines,
    statement: Callable[[ast.stmt | ast.ExceptHandler, ast.expr], Span],
) -> Iterator[HandedSql]:
    """Yield the SQL that calls hand to imported functions; what executes it by its name is none."""
    for site in sites:
        node = site.node
        if not isinstance(node, ast.Call) or executes(last_name(node.func).lstrip("_")):
            continue
        if not _arguments(node, site.scope):
            continue
        names = sorted(
            name
            for name in qualified_names(node.func, site.scope)
            if not name.startswith("builtins.")
        )
        handed = sql_argument(node, site.scope) if names else None
        if handed is not None:
            argument, does = handed
            span, extent = node_span(lines, argument), statement(site.statement, argument)
            yield HandedSql(span, extent, names[0], ast.unparse(node.func), does)
