"""The SQL in files of Rust: what calls and macros are handed, and what constants hold.

Which of it a driver is handed, only names tell; so this is what any call may be handed. Each
statement has its places in the file, at its tokens.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from msgspec.structs import replace

from dal_audit.extract.cache import Cache
from dal_audit.extract.embedded.places import EmbeddedPlaces
from dal_audit.extract.extractor import read_bytes
from dal_audit.extract.holes import UNKNOWN
from dal_audit.extract.parallel import PARSED_WORTH_A_PROCESS, spread
from dal_audit.extract.rust.byte_lines import ByteLines
from dal_audit.extract.rust.literals import SpelledText, text_at
from dal_audit.extract.rust.tokens import TokenText, tokens
from dal_audit.extract.secrets import text_for_facts
from dal_audit.extract.sql.embedded import embedded_statements
from dal_audit.facts import SourceFile, Span
from dal_audit.facts.rust import RustFile
from dal_audit.facts.sql import (
    ANY_NAME,
    CreateObject,
    Embedding,
    SqlFileName,
    SqlName,
    SqlStatement,
)

_FILE: Final = re.compile(r"[\w./\\ -]*\w\.sql")
_GIVES: Final = re.compile(
    rb"\.create_(?:scalar|aggregate|window)_function\(\s*\"(?P<name>\w+)\""
    rb"|\b(?:register_\w*functions?|load_extension|sqlite3_auto_extension)(?=\()"
)
"""Calls by which SQLite's connections are given functions, or whole libraries of them."""

_OVERRIDE: Final = re.compile(r"([\"`])\w+(?P<type>[!?](?::[^\"`]*)?|:[^\"`]*)\1")


def extract_rust_sql(
    files: Sequence[SourceFile],
    read: Mapping[str, RustFile],
    *,
    jobs: int | None,
    cache: Cache | None = None,
) -> list[tuple[SqlStatement | SqlFileName, ...]]:
    """Return the SQL in files that were read, and the names of SQL files, in their order."""

    def compute(missing: Sequence[SourceFile]) -> list[tuple[SqlStatement | SqlFileName, ...]]:
        return spread(
            lambda part: [_of_file(file, read[file.path]) for file in part],
            missing,
            jobs=jobs,
            worth=PARSED_WORTH_A_PROCESS,
            answer=tuple[SqlStatement | SqlFileName, ...],
        )

    return cache.other_of("embedded", files, compute) if cache else compute(files)


def _of_file(file: SourceFile, read: RustFile) -> tuple[SqlStatement | SqlFileName, ...]:
    try:
        data = read_bytes(file.absolute, file.size)
    except OSError:  # The first look reports it.
        return ()
    return (*sql_of_rust(data, read), *_given_functions(data), *_file_names(data))


def sql_of_rust(data: bytes, read: RustFile) -> tuple[SqlStatement, ...]:
    """Return the statements in a file, in the order of their places; each text once."""
    found: dict[Span, Embedding] = {}
    checked: set[Span] = set()
    unfinished: set[Span] = set()
    for call in read.calls:
        if call.does and not call.constant:
            place = call.written or call.span
            around = place if call.written is not None else call.statement
            within = Embedding((around.line, around.end_line), call.engines, call.callee)
            found.setdefault(place, within)
            if call.is_macro:
                checked.add(place)
            if call.is_open:
                unfinished.add(place)
    for text in read.texts:
        within = Embedding((text.span.line, text.span.end_line), text.engines)
        found.setdefault(text.span, within)
    lines = ByteLines(data)
    statements = [
        statement
        for place in _outermost(found)
        for statement in _statements(
            _spelled(lines, place, is_checked=place in checked, is_open=place in unfinished),
            lines,
            found[place],
        )
    ]
    return tuple(sorted(statements, key=lambda statement: statement.span))


def _outermost(places: Iterable[Span]) -> Iterator[Span]:
    """Yield places without those in others: the literal in a `format!` is only a part of a text."""
    end = (0, 0)
    for place in sorted(places, key=lambda place: (place.line, place.column, -place.end_line)):
        if (place.line, place.column) >= end:
            end = (place.end_line, place.end_column)
            yield place


def _without_overrides(spelled: SpelledText) -> SpelledText:
    """Return a text without what sqlx's macros take out of columns' names (`"id!: Uuid"`)."""
    cut = [found.span("type") for found in _OVERRIDE.finditer(spelled.text)]
    kept = [
        index
        for index in range(len(spelled.text))
        if not any(start <= index < end for start, end in cut)
    ]
    text = "".join(spelled.text[index] for index in kept)
    return spelled._replace(text=text, extents=tuple(spelled.extents[index] for index in kept))


def _spelled(
    lines: ByteLines, place: Span, *, is_checked: bool, is_open: bool
) -> SpelledText | None:
    """Return the text at a place; `is_checked` where a macro asks a database about it."""
    start = lines.offset(place.line, place.column)
    end = lines.offset(place.end_line, place.end_column)
    spelled = text_at(lines.data, start, end)
    if spelled is None:
        return None
    if is_checked:
        spelled = _without_overrides(spelled)
    if is_open:
        last = spelled.around[1]
        spelled = spelled._replace(
            text=f"{spelled.text} {UNKNOWN}", extents=(*spelled.extents, (last, last), (last, last))
        )
    return spelled


def _statements(
    spelled: SpelledText | None, lines: ByteLines, within: Embedding
) -> Iterator[SqlStatement]:
    if spelled is None:
        return
    hidden = text_for_facts(spelled.text, is_program=True)
    places = EmbeddedPlaces(lines, spelled.extents, spelled.around)
    for statement in embedded_statements(hidden, places):
        if within.how or not statement.flaw:  # What nobody here runs may be a part of a statement.
            yield replace(statement, within=within)


def _given_functions(data: bytes) -> Iterator[SqlStatement]:
    """Yield what stands for the functions that connections are given, by name or as a whole set."""
    lines = ByteLines(data)
    for found in _GIVES.finditer(data):
        span = lines.span(found.start(), found.end())
        within = Embedding((span.line, span.end_line), ("sqlite",), "create_function")
        name = found["name"].decode() if found["name"] else ANY_NAME
        structure = CreateObject("function", SqlName(span, (name,)))
        yield SqlStatement(span, "CREATE FUNCTION", structure, within=within)


def _file_names(data: bytes) -> Iterator[SqlFileName]:
    """Yield the texts that end as the names of SQL files do."""
    if b'.sql"' not in data:
        return
    lines = ByteLines(data)
    for token in tokens(data, 0, len(data)):
        if isinstance(token, TokenText) and _FILE.fullmatch(token.text):
            yield SqlFileName(lines.span(token.start, token.end), token.text)
