"""Database URLs in string literals, and the passwords in them.

What is compared, cut off, logged, raised or shown as help is talk about URLs; what is left is
taken to lead to a database.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from msgspec import Struct

from dal_audit.extract.holes import UNKNOWN
from dal_audit.extract.passwords import passwords
from dal_audit.extract.python.constant_folding import fold_constant
from dal_audit.extract.python.expression_uses import last_name
from dal_audit.extract.python.parse.import_places import MarkedLines, node_span
from dal_audit.extract.python.scopes import Scope
from dal_audit.extract.source import Lines
from dal_audit.extract.throwaway_hosts import is_throwaway
from dal_audit.facts import ConnectionUrl, Span

_TALKING_CALLS: Final = frozenset(
    [
        "startswith",
        "endswith",
        "removeprefix",
        "removesuffix",
        "replace",
        "split",
        "rsplit",
        "partition",
        "rpartition",
        "strip",
        "lstrip",
        "rstrip",
        "len",
        "find",
        "rfind",
        "index",
        "count",
        "match",
        "search",
        "fullmatch",
        "sub",
        "subn",
        "compile",
        "findall",
        "finditer",
        "debug",
        "info",
        "warning",
        "warn",
        "error",
        "critical",
        "exception",
        "fatal",
        "log",
        "print",
        "echo",
        "secho",
        "pprint",
        "_",
        "gettext",
    ]
)
"""Functions that test, cut or show a URL, and open nothing with it."""

_TALKING_KEYWORDS: Final = frozenset(
    [
        "help",
        "description",
        "epilog",
        "example",
        "examples",
        "metavar",
        "title",
        "doc",
        "docs",
        "deprecated",
        "message",
        "msg",
        "usage",
        "json_schema_extra",
        "placeholder",
        "summary",
    ]
)
_SLASHES: Final = re.compile(r"[/\\][^\r\n]*")
"""The rest of a line behind a slash, or behind what an escape begins with."""
_NO_TEXT: Final = frozenset({"annotation", "returns", "slice"})
"""Fields whose strings are types or keys."""

_LITERALS: Final = (ast.Constant, ast.JoinedStr, ast.BinOp)


class _Text(Struct, frozen=True):
    node: ast.expr
    statement: ast.stmt | ast.ExceptHandler | ast.match_case


def connection_urls(
    tree: ast.Module, lines: Lines, schemes: Mapping[str, str]
) -> Iterator[ConnectionUrl]:
    """Yield the database URLs in a module's literals; `schemes` are those that are looked for."""
    names = "|".join(sorted(map(re.escape, schemes), key=len, reverse=True))
    pattern = re.compile(rf"({names})(?:\+[\w-]+)?://(?=/*[^/\s])(\S+)")
    slashes = MarkedLines(lines.line_of(line.start()) for line in _SLASHES.finditer(lines.text))
    for literal in _texts(tree, None, slashes):
        for text in fold_constant(literal.node, _NOWHERE):
            found = pattern.fullmatch(text.strip())
            if found is None:
                continue
            secrets = _secrets(lines, literal.node, found[2])
            store = schemes[found[1]]
            yield ConnectionUrl(
                span=node_span(lines, literal.node),
                statement=_statement(lines, literal),
                store=store,
                scheme=found[1],
                secrets=secrets,
                is_throwaway=not secrets and is_throwaway(found[2], store),
            )
            break


_NOWHERE: Final = Scope("module", None)
"""Only what stands in the literal itself counts: what a name holds is written elsewhere."""


def _texts(node: Any, statement: Any, slashes: MarkedLines) -> Iterator[_Text]:
    """Yield the outermost expressions that may make a URL, and are not talk about literal.

    A statement without a slash, or an escape that could be one, holds none.
    """
    if isinstance(node, ast.stmt) and not slashes.touch(node):
        return
    if isinstance(node, (ast.stmt, ast.ExceptHandler, ast.match_case)):
        statement = node
    if isinstance(node, (ast.Compare, ast.Raise)) or _is_docstring(node):
        return
    if isinstance(node, _LITERALS) and _is_text(node):
        yield _Text(node, statement)
        return
    for child in _parts(node):
        yield from _texts(child, statement, slashes)


def _parts(node: Any) -> Iterator[ast.AST]:
    """Yield what lies directly below a node, but for what is talk, a key or an annotation."""
    if isinstance(node, ast.Dict):
        yield from _values(node)
        return
    skipped = _NO_TEXT
    if isinstance(node, ast.Call) and last_name(node.func) in _TALKING_CALLS:
        skipped |= {"args", "keywords"}
    for name, value in ast.iter_fields(node):
        if name not in skipped:
            children = value if isinstance(value, list) else [value]
            yield from (child for child in children if _may_hold_text(child))


def _may_hold_text(node: Any) -> bool:
    talks = isinstance(node, ast.keyword) and node.arg in _TALKING_KEYWORDS
    return isinstance(node, ast.AST) and not talks


def _values(node: ast.Dict) -> Iterator[ast.expr]:
    """Yield the values of a dictionary whose keys do not say that they are talk."""
    for key, value in zip(node.keys, node.values, strict=True):
        if not (isinstance(key, ast.Constant) and key.value in _TALKING_KEYWORDS):
            yield value


def _is_text(node: ast.expr) -> bool:
    """Return whether an expression is put together from text here."""
    if isinstance(node, ast.Constant):
        return isinstance(node.value, str)
    return isinstance(node, ast.JoinedStr) or set(fold_constant(node, _NOWHERE)) != {UNKNOWN}


def _is_docstring(node: Any) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, (ast.Constant, ast.JoinedStr))


def _statement(lines: Lines, literal: _Text) -> Span:
    """Return the span of the statement; of a compound one only up to the literal in it."""
    if hasattr(literal.statement, "body"):
        first = (
            literal.statement.lineno
            if hasattr(literal.statement, "lineno")
            else literal.node.lineno
        )
        last = node_span(lines, literal.node)
        return Span(first, 1, last.end_line, last.end_column)
    start = lines.offset(literal.statement.lineno, literal.statement.col_offset)
    end = lines.offset(
        literal.statement.end_lineno or literal.statement.lineno,
        literal.statement.end_col_offset or 0,
    )
    return lines.span(start, max(start, end))


def _secrets(lines: Lines, node: ast.expr, rest: str) -> tuple[Span, ...]:
    """Return where the passwords of a URL stand; the whole literal where that is not plain."""
    start = lines.offset(node.lineno, node.col_offset)
    end = lines.offset(node.end_lineno or node.lineno, node.end_col_offset or node.col_offset)
    found = []
    for before, secret, after in passwords(rest):
        index = lines.text.find(before + secret + after, start, end)
        plain = index >= 0 and lines.text.count(secret, start, end) == 1
        first = index + len(before) if plain else start
        found.append(lines.span(first, first + len(secret) if plain else end))
    return tuple(found)
