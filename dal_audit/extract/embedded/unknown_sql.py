"""Calls of databases whose SQL is put together where nobody reads it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet

from msgspec import Struct

from dal_audit.catalogue.drivers import Catalogue
from dal_audit.extract.extractor import read_bytes
from dal_audit.extract.limits import MAX_PARSED_BYTES
from dal_audit.extract.parser_warnings import unheard
from dal_audit.extract.python.name_uses import read_names
from dal_audit.extract.python.parse.deep_stack import deeply
from dal_audit.extract.python.parse.import_places import node_span
from dal_audit.extract.python.parse.parser import parse
from dal_audit.extract.python.sql_calls import SqlCalls
from dal_audit.extract.source import Lines, decode
from dal_audit.facts import SourceFile, Span


class UnknownSql(Struct, frozen=True, order=True):
    """What a call runs of which no text is known: its place, and the names that it comes from."""

    span: Span
    origins: tuple[str, ...]


def unknown_sql(
    files: Sequence[SourceFile], paths: AbstractSet[str], catalogue: Catalogue
) -> Mapping[str, tuple[UnknownSql, ...]]:
    """Return the arguments of calls in these paths that are SQL of which nothing is known.

    By file, in their order. A file that cannot be read has none: the audit reports it.
    """
    found = {file.path: _in_file(file, catalogue) for file in files if file.path in paths}
    return {path: calls for path, calls in found.items() if calls}


def _in_file(file: SourceFile, catalogue: Catalogue) -> tuple[UnknownSql, ...]:
    if file.flaw or file.size > MAX_PARSED_BYTES or not file.path.endswith((".py", ".pyi")):
        return ()
    try:
        text = decode(read_bytes(file.absolute, file.size))
        with unheard():
            return deeply(lambda: _in_text(text, catalogue))
    except (OSError, ValueError, RecursionError):
        return ()


def _in_text(text: str, catalogue: Catalogue) -> tuple[UnknownSql, ...]:
    lines = Lines(text)
    names = read_names(parse(text), frozenset(), call_sites=True)
    calls = SqlCalls(catalogue, executed=True, constructed=True)
    try:
        unknown = [calls.unknown(site) for site in names.call_sites]
    finally:
        names.module.forget()
    found = {
        UnknownSql(node_span(lines, node), tuple(sorted(origins)))
        for node, origins in filter(None, unknown)
    }
    return tuple(sorted(found))
