"""All SQL texts of a module: those that calls are handed, and those that stand by themselves.

What a module keeps as a constant of its own or of a class, or returns, is executed by another: it
counts where it is SQL by itself.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from dal_audit.catalogue.drivers import Catalogue
from dal_audit.extract.python.expression_uses import last_name
from dal_audit.extract.python.name_uses import FileNames
from dal_audit.extract.python.parse.import_places import blocks_of
from dal_audit.extract.python.parse.walk import children, nodes_in
from dal_audit.extract.python.scopes import Scope
from dal_audit.extract.python.spelled_text import stretches_of
from dal_audit.extract.python.sql_calls import SqlCalls, texts
from dal_audit.extract.python.text_formats import with_holes
from dal_audit.extract.sql_detection import FRAGMENT, read_sql

_PSYCOPG_FIELD: Final = re.compile(r"\{\w*\}")
"""What `psycopg.sql.SQL(…).format(…)` fills."""
_CYPHER: Final = re.compile(r"\bYIELD\b|\bMATCH\s*\(\s*\w*\s*[:){]")
"""What only the language of graph databases has."""
_OPENING: Final = re.compile(r"\s*(?:--[^\n]*\n\s*)*[A-Z]{4,}\b")
"""How a text begins that is SQL by itself: with a word in capitals."""


class SqlSource(Struct, frozen=True):
    """A text of SQL in a module, as far as it is known.

    `written` is the expression that it stands in, `statement` the statement around that or around
    the call, and `user` the node that runs it: the call, or where there is none the text itself.
    """

    text: str
    written: ast.expr
    statement: ast.stmt | ast.ExceptHandler
    user: ast.expr
    how: str = ""
    origins: tuple[str, ...] = ()


def sql_sources(names: FileNames, tree: ast.Module, catalogue: Catalogue) -> Iterator[SqlSource]:
    """Yield the SQL in a module's calls, then that which stands by itself."""
    executed = list(_executed(names, catalogue))
    yield from executed
    told = {id(literal) for source in executed for literal in literals_in(source.text)}
    parts: frozenset[str] | None = None
    for source, name in _Standing(names.module).in_block(tree.body):
        if any(id(literal) in told for literal in literals_in(source.text)):
            parts = _parts_of_texts(tree) if parts is None else parts
            if name in parts:
                continue
        yield source


def _executed(names: FileNames, catalogue: Catalogue) -> Iterator[SqlSource]:
    """Yield the SQL in a module's calls."""
    calls = SqlCalls(catalogue, executed=True, constructed=True, trusting=True)
    for site in names.call_sites:
        for handed in calls.every(site):
            text = handed.text
            if handed.does == FRAGMENT or _CYPHER.search(text):
                continue
            if handed.builds and handed.how.endswith(".SQL"):
                text = with_holes(text, _PSYCOPG_FIELD)
            yield SqlSource(
                text, handed.written, site.statement, site.node, handed.how, handed.origins
            )


def literals_in(text: str) -> Iterator[ast.expr]:
    """Yield the literals that a text is put together of."""
    for stretch in stretches_of(text):
        if stretch.literal is not None:
            yield stretch.literal.node


def _parts_of_texts(tree: ast.Module) -> frozenset[str]:
    """Return the names that texts are put together of: what they stand for is no text by itself."""
    return frozenset(
        last_name(part)
        for text in _texts_put_together(tree)
        for part in nodes_in(text)
        if isinstance(part, (ast.Name, ast.Attribute))
    )


def _texts_put_together(tree: ast.Module) -> Iterator[ast.AST]:
    """Yield the outermost expressions that put parts together."""
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, (ast.JoinedStr, ast.BinOp)):
            yield node
        else:
            waiting += children(node)


class _Standing(Struct, frozen=True):
    """Looks for the SQL in constants and in results of functions."""

    scope: Scope

    def in_block(
        self, body: list[ast.stmt], *, inside: bool = False
    ) -> Iterator[tuple[SqlSource, str]]:
        """Yield the SQL in a block and in those in it, each with the name that it is given."""
        for statement in body:
            keeps = (ast.Return,) if inside else (ast.Assign, ast.AnnAssign)
            if isinstance(statement, keeps):
                name = _target(statement)
                sources = _sources_in(statement.value, statement, self.scope)
                yield from ((source, name) for source in sources)
            is_function = isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef))
            for block in blocks_of(statement):
                yield from self.in_block(block, inside=inside or is_function)


def _target(statement: ast.stmt) -> str:
    """Return the name that a statement gives its value; empty where it gives it none."""
    targets = getattr(statement, "targets", None) or [getattr(statement, "target", None)]
    return last_name(targets[0]) if targets[0] is not None else ""


def _sources_in(node: ast.expr | None, statement: ast.stmt, scope: Scope) -> Iterator[SqlSource]:
    """Yield the SQL in an expression, or in the members of a collection of texts."""
    if isinstance(node, (ast.List, ast.Tuple, ast.Set)):
        members = list(node.elts)
    elif isinstance(node, ast.Dict):
        members = [*node.values]
    elif isinstance(node, (ast.Constant, ast.JoinedStr, ast.BinOp)):
        members = []
        for text, written in texts(node, scope):
            if not _CYPHER.search(text) and read_sql(
                str(text), certain=_OPENING.match(text) is not None
            ):
                yield SqlSource(text, written, statement, written)
    else:
        members = []
    for member in members:
        yield from _sources_in(member, statement, scope)
