"""Where a revision's way back stands in its text, and how its module calls what it imports."""

from __future__ import annotations

import ast
import io
import tokenize
from collections import Counter
from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from dal_audit.extract.python.scopes import imported_names
from dal_audit.extract.source import Lines
from dal_audit.facts import Span

_NAME: Final = "downgrade"
_INDENT: Final = "    "


class FunctionPlace(Struct, frozen=True):
    """Where the way back stands.

    `idle` is the statement in it that does nothing and makes place; where there is none, lines go
    `after` a line, 1-based. `head` is what begins the function where there is none; `indent` is
    what its lines begin with, and where `is_inline`, they begin behind its colon. `statements` are
    the first and the last lines of its statements; `refuses` says that the first raises an error.
    """

    after: int
    indent: str = _INDENT
    idle: Span | None = None
    head: str = ""
    is_inline: bool = False
    statements: tuple[tuple[int, int], ...] = ()
    refuses: bool = False


class ModuleNames(Struct, frozen=True):
    """How a module says a dotted name, by what it imports; and what else it binds.

    `quote` is the mark that most of its strings begin with; imports go in `after` a line.
    """

    imported: Mapping[str, str]
    bound: frozenset[str]
    after: int
    quote: str = '"'

    @classmethod
    def of(cls, tree: ast.Module, text: str) -> ModuleNames:
        """Return the names of a module."""
        imported: dict[str, str] = {}
        after = _after_docstring(tree)
        for statement in tree.body:
            if isinstance(statement, (ast.Import, ast.ImportFrom)):
                after = max(after, statement.end_lineno or 0)
                imported.update({own.origin: own.name for own in imported_names(statement)})
        bound = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)} | {
            own.name for own in tree.body if isinstance(own, (ast.FunctionDef, ast.ClassDef))
        }
        return cls(imported, frozenset(bound) | {*imported.values()}, after, _quote(text))


def _after_docstring(tree: ast.Module) -> int:
    first = tree.body[0] if tree.body else None
    is_text = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    return (first.end_lineno or 0) if first is not None and is_text else 0


def _quote(text: str) -> str:
    """Return the mark that most strings of a module begin with: `"` where there are as many."""
    marks: Counter[str] = Counter()
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.STRING:
                bare = token.string.lstrip("rRbBuUfF")
                marks[bare[0]] += not bare.startswith(('"""', "'''"))
    except (tokenize.TokenError, SyntaxError):
        return '"'
    return "'" if marks["'"] > marks['"'] else '"'


def place_of(tree: ast.Module, lines: Lines) -> FunctionPlace:
    """Return where the way back of a revision stands, or would."""
    functions = {own.name: own for own in tree.body if isinstance(own, ast.FunctionDef)}
    function = functions.get(_NAME)
    if function is None:
        return FunctionPlace(_last_line(lines), head=_head(functions.get("upgrade")))
    first, last = function.body[0], function.body[-1]
    before = lines.line(first.lineno)[: first.col_offset]
    body = function.body[1:] if _is_docstring(first) else [*function.body]
    idle = body[0] if len(body) == 1 and _is_idle(body[0]) else None
    return FunctionPlace(
        last.end_lineno or last.lineno,
        _INDENT if before.strip() else before,
        None if idle is None else _bounds(idle, lines, before),
        is_inline=bool(before.strip()),
        statements=tuple((own.lineno, own.end_lineno or own.lineno) for own in body),
        refuses=bool(body) and isinstance(body[0], ast.Raise),
    )


def _bounds(idle: ast.stmt, lines: Lines, before: str) -> Span:
    """Return the place of a statement, with the space behind a colon before it."""
    start = lines.offset(idle.lineno, idle.col_offset)
    if before.strip():
        start -= len(before) - len(before.rstrip())
    return lines.span(start, lines.offset(idle.end_lineno or idle.lineno, idle.end_col_offset or 0))


def _is_docstring(statement: ast.stmt) -> bool:
    value = statement.value if isinstance(statement, ast.Expr) else None
    return isinstance(value, ast.Constant) and isinstance(value.value, str)


def _is_idle(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.Pass):
        return True
    value = statement.value if isinstance(statement, (ast.Expr, ast.Return)) else statement
    return value is None or (isinstance(value, ast.Constant) and value.value in {None, ...})


def _head(up: ast.FunctionDef | None) -> str:
    """Return what begins the way back: annotated as the way there is."""
    result = "" if up is None or up.returns is None else f" -> {ast.unparse(up.returns)}"
    return f"def {_NAME}(){result}:"


def _last_line(lines: Lines) -> int:
    """Return the last line that says anything."""
    return next((number for number in range(len(lines), 0, -1) if lines.line(number).strip()), 0)
