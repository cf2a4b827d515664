"""The SQL statements in a module: a migration's in their order, all others each by itself."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from typing import Final

from msgspec.structs import replace

from dal_audit.catalogue.drivers import Catalogue
from dal_audit.extract.embedded.migration import statements_of_migration
from dal_audit.extract.embedded.operations import made_function, makes_function
from dal_audit.extract.embedded.statements import Embedder
from dal_audit.extract.python.name_uses import CallSite, read_names
from dal_audit.extract.python.parse.import_places import node_span
from dal_audit.extract.python.parse.walk import nodes_in
from dal_audit.extract.python.sql_sources import sql_sources
from dal_audit.extract.source import Lines
from dal_audit.extract.surroundings import ALONE, Surroundings
from dal_audit.facts import START, Span
from dal_audit.facts.migrations import Revision
from dal_audit.facts.sql import Embedding, OtherStatement, SqlFileName, SqlStatement

_FILE: Final = re.compile(r"[\w./\\ -]*\w\.sql")
_FILE_ENDS: Final = re.compile(r"\.sql[\\'\"{}\r\n]")
"""How a text ends in code that is the name of such a file."""


def statements_of_file(
    tree: ast.Module,
    lines: Lines,
    revision: Revision | None,
    catalogue: Catalogue,
    surroundings: Surroundings = ALONE,
) -> tuple[SqlStatement | SqlFileName, ...]:
    """Return the statements of a module, which may be a migration, and the files that it names."""
    files = tuple(_file_names(tree, lines))
    if revision is not None:
        migration = statements_of_migration(tree, lines, revision.framework, surroundings)
        return (*migration, *files)
    return (*statements_of_module(tree, lines, catalogue), *files)


def not_followed() -> SqlStatement:
    """Return what stands for a module that is nested too deeply: it may run anything."""
    within = Embedding((START.line, START.end_line), is_unread=True)
    return SqlStatement(START, "DO", OtherStatement(("DO",)), within=within)


def _file_names(tree: ast.Module, lines: Lines) -> Iterator[SqlFileName]:
    """Yield the texts that end as the names of SQL files do."""
    if not _FILE_ENDS.search(lines.text):
        return
    for node in nodes_in(tree):
        value = node.value if isinstance(node, ast.Constant) else None
        if isinstance(node, ast.expr) and isinstance(value, str) and _FILE.fullmatch(value):
            yield SqlFileName(node_span(lines, node), value)


def statements_of_module(
    tree: ast.Module, lines: Lines, catalogue: Catalogue
) -> tuple[SqlStatement, ...]:
    """Return the statements of a module, in the order of their places."""
    names = read_names(tree, frozenset(), call_sites=True)
    try:
        embedder = Embedder(tree, lines)
        found = [
            statement
            for source in sql_sources(names, tree, catalogue)
            for statement in embedder.statements(source)
        ]
        found += _functions(names.call_sites, embedder)
    finally:
        names.module.forget()
    return tuple(sorted(_once(found), key=lambda statement: statement.span))


def _functions(sites: Iterable[CallSite], embedder: Embedder) -> Iterator[SqlStatement]:
    """Yield what stands for the functions that connections are given."""
    for site in sites:
        if isinstance(site.node, ast.Call) and makes_function(site.node):
            lines = (site.node.lineno, site.node.end_lineno or site.node.lineno)
            span = embedder.span(site.node.func)
            within = Embedding(lines, ("sqlite",), "create_function")
            yield made_function(site.node, site.scope, span, within)


def _once(statements: Iterable[SqlStatement]) -> list[SqlStatement]:
    """Return each statement once: a text that several calls run is one, for the engines of all."""
    found: dict[tuple[Span, str, tuple[object, ...]], SqlStatement] = {}
    for statement in statements:
        key = (statement.span, statement.head, statement.constructs)
        before = found.get(key)
        found[key] = statement if before is None else _joined(before, statement)
    return list(found.values())


def _joined(before: SqlStatement, statement: SqlStatement) -> SqlStatement:
    first, second = before.within, statement.within
    if first is None or second is None or not second.how:
        return before  # What stands by itself says less than the call that runs it.
    engines = None
    if first.engines is not None and second.engines is not None:
        engines = tuple(sorted({*first.engines, *second.engines}))
    receivers = first.receivers if first.receivers == second.receivers else ()
    return replace(before, within=replace(first, engines=engines, receivers=receivers))
