"""What a file's bytes must mention before it is searched for SQL or for database URLs.

What decides whether a file is read decides also what it is read for. Mixed case is none (`Select a
file`), and nothing here looks at what precedes a word: in some encodings that byte belongs to
another character.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache, lru_cache
from typing import Final

from ahocorasick_rs import BytesAhoCorasick, Implementation

from dal_audit.catalogue.drivers import shipped_drivers

SQL_ONLY_CALLS: Final = frozenset(
    [
        "bulk_query",
        "execute_batch",
        "execute_fetchall",
        "execute_insert",
        "execute_many",
        "execute_partitioned_dml",
        "execute_query",
        "execute_query_dict",
        "execute_script",
        "execute_sql",
        "execute_string",
        "execute_update",
        "execute_values",
        "executemany",
        "executescript",
        "exec_driver_sql",
        "cmd_query",
        "copy_expert",
        "copy_from_query",
        "fetch_val",
        "fetchrow",
        "fetchval",
        "get_by_sql",
        "mogrify",
        "query_and_wait",
        "query_arrow",
        "query_dataframe",
        "query_df",
        "query_np",
        "query_row_block_stream",
        "query_rows_stream",
        "querystring",
        "raw_query",
        "raw_sql",
        "runOperation",
        "runQuery",
        "select_by_sql",
        "set_sql_query",
        "read_sql",
        "read_sql_query",
        "read_database",
        "read_database_uri",
    ]
)
"""Functions that nobody gives another meaning; the last four are pandas' and polars'."""

AMBIGUOUS_CALLS: Final = frozenset(
    [
        "all",
        "batch",
        "callproc",
        "command",
        "copy",
        "cursor",
        "describe",
        "first",
        "from_query",
        "insert_dataframe",
        "iterate",
        "one",
        "one_or_none",
        "parse",
        "prepare",
        "query_file",
        "bulk_query_file",
        "run",
        "status",
        "step",
        "stream",
    ]
)
"""Names in the catalogue that say too little to mean SQL, or that are handed none."""

CONSTRUCTORS: Final = frozenset({"DDL", "QueryString", "RawSQL", "RunSQL", "SQL", "text"})
"""Names in the catalogue that make SQL out of text instead of running it."""
_CONSTRUCTORS: Final = tuple(name.encode() for name in sorted(CONSTRUCTORS))

_OPEN: Final = re.compile(rb"\s*\(")
_GAP: Final = b" \t\r\n\\"
"""What may stand between a name and the bracket or the dot beside it."""
_QUOTES: Final = frozenset({b'"', b"'"})
READERS_BY_NAME: Final = (b"getattr", b"attrgetter", b"methodcaller", b"__dict__", b"vars")
"""What reads an attribute by a name that is a text."""
_FAR: Final = 100
"""How far these are looked for; where they are farther, they may be anything."""


@cache
def executors() -> frozenset[str]:
    """Return the functions that are handed SQL, whichever drivers are in force: SQL is SQL."""
    catalogued = {
        name for driver in shipped_drivers() if driver.kind != "store" for name in driver.executes
    }
    return frozenset((catalogued | SQL_ONLY_CALLS) - AMBIGUOUS_CALLS - CONSTRUCTORS)


_OBJECT: Final = r"(?:table|index|view|trigger|function|procedure|schema|database|sequence|type)"
_BARE: Final = (
    r"analyze|attach|begin|call|comment|commit|copy|detach|grant|listen|lock|notify|refresh|reindex"
    r"|release|revoke|rollback|savepoint|set|show|truncate|unlisten|vacuum"
)
_UPPER: Final = (
    r"(?:SELECT|INSERT|UPDATE|MERGE|CREATE|ALTER|DROP|WITH|PRAGMA|EXPLAIN|TRUNCATE)[\s(*\\{\"']"
    r"|REPLACE\s+INTO|DELETE\s+FROM"
)
_LOWER: Final = (
    r"(?:select|pragma|explain)[\s(*\\]"
    r"|(?:insert|replace|merge)\s+(?:or\s+\w+\s+|ignore\s+)?into\s"
    rf"|update\s+\S+\s+set\s|delete\s+from\s|truncate\s+table\s"
    rf"|(?:create|alter|drop)\s+(?:\w+\s+){{0,3}}{_OBJECT}\s"
)
_STATEMENT: Final = re.compile(rf"{_UPPER}|{_LOWER}".encode())
_FIRST_WORDS: Final = (
    *("alter", "create", "delete", "drop", "explain", "insert", "merge", "pragma", "replace"),
    *("select", "truncate", "update", "with"),
)
"""The words that these statements begin with; only in capitals `with` is one."""
_BEFORE_STATEMENT: Final = frozenset(b"\"'(;}\n")
"""Where a statement can begin: in a string, in a line of it, after a bracket or a field."""
_LINE_END: Final = b"\\n"
"""An escape in a string, behind which a statement can begin, too."""
_BLANKS: Final = frozenset(b" \t\r")
_EXECUTED: Final = re.compile(
    rf"""execute\w*\(\s*[fr]?["']+\s*(?:{_BARE}|{_BARE.upper()})[\s"';]""".encode()
)

_WRAPPER: Final = (
    r"execute(?:_(?:all|and|async|batch|fetch|fetchall|fetchone|insert|iter|many|one|params|queries"
    r"|query|raw|read|returning|rows|scalar|script|select|sql|statement|stmt|sync|update|values"
    r"|with|write))+"
)
"""How wrappers of `execute` are called; `execute_command` and its like run something else."""
_EXECUTE: Final = "execute"


@cache
def _names() -> tuple[str, ...]:
    return tuple(sorted(name for name in executors() if not re.fullmatch(_WRAPPER, name)))


@cache
def _call() -> re.Pattern[bytes]:
    return re.compile(rf"(?:{_WRAPPER}|{'|'.join(_names())})\(".encode())


@cache
def _openings() -> BytesAhoCorasick:
    """Return what finds the words that SQL, or a call that is handed some, may begin with."""
    words = [_EXECUTE, *_FIRST_WORDS, *(word.upper() for word in _FIRST_WORDS)]
    words.remove("with")
    return BytesAhoCorasick([word.encode() for word in words], implementation=Implementation.DFA)


@cache
def _call_names() -> BytesAhoCorasick:
    """Return what finds the names of execute-like calls in bytes."""
    return BytesAhoCorasick(execute_marks(), implementation=Implementation.DFA)


def execute_marks() -> list[bytes]:
    """Return the byte strings without which no text is handed to an execute-like call."""
    other = (name for name in _names() if not name.startswith(_EXECUTE))
    return [_EXECUTE.encode(), *(f"{name}(".encode() for name in other)]


def construction_marks() -> list[bytes]:
    """Return the byte strings without which no object's own maker of SQL is called."""
    return [b"." + name for name in _CONSTRUCTORS]


def begins_call(data: bytes, position: int) -> bool:
    """Return whether a bracket opens where a name ended."""
    return _OPEN.match(data, position) is not None


@lru_cache(1 << 12)
def executes(name: str) -> bool:
    """Return whether a function bears the name of one that runs SQL."""
    return name in executors() or re.fullmatch(_WRAPPER, name) is not None


def url_marks(schemes: Iterable[str]) -> list[bytes]:
    """Return the byte strings with one of which a literal that is such a URL begins."""
    return [
        f"{quote}{scheme}{after}".encode()
        for scheme in schemes
        for quote in "\"'"
        for after in ("://", "+")
    ]


def begins_execution(data: bytes, position: int) -> bool:
    """Return whether an execute-like call begins where one of the marks was found."""
    return _call().match(data, position) is not None


def execution_starts(text: str) -> Iterator[int]:
    """Yield where execute-like calls may begin in a module's text."""
    data = text.encode("utf-8", "replace")
    found = _call_names().find_matches_as_indexes(data, overlapping=True)
    place = before = 0
    for start in sorted(start for _, start, _ in found if begins_execution(data, start)):
        place += len(data[before:start].decode("utf-8", "replace"))
        before = start
        yield place


def opens_sql(data: bytes) -> bool:
    """Return whether searchable bytes hold a word that SQL begins with."""
    found = _openings().find_matches_as_indexes(data, overlapping=True)
    return any(_opens_at(data, start) for _, start, _ in found)


def _opens_at(data: bytes, start: int) -> bool:
    """Return whether SQL, or a call that is handed a word of it, begins at one of the words."""
    if data.startswith(_EXECUTE.encode(), start):
        return _EXECUTED.match(data, start) is not None
    before = start
    while before and data[before - 1] in _BLANKS:
        before -= 1
    can_begin = before and (
        data[before - 1] in _BEFORE_STATEMENT or data.endswith(_LINE_END, 0, before)
    )
    return bool(can_begin) and _STATEMENT.match(data, start) is not None


def gives_functions(data: bytes) -> bool:
    """Return whether bytes name how a connection of SQLite is given functions."""
    return any(name in data for name in (b"create_function", b"load_extension", b"loadextension"))


def names_constructor(data: bytes, importing: Iterable[str] | None) -> bool:
    """Return whether searchable bytes may call a function that makes SQL out of text.

    They call its name, read it of something, spell it in a text, or import it, be it to give it
    another name: `importing` are their import statements, None where these are not known.
    """
    named = [name for name in _CONSTRUCTORS if name in data]
    if not named:
        return False
    imports = None if importing is None else "\n".join(importing).encode("utf-8", "replace")
    return any(_may_call(name, data, imports) for name in named)


def _may_call(name: bytes, data: bytes, imports: bytes | None) -> bool:
    """Return whether bytes with these imports may call what bears a name."""
    word = _as_word(name)
    if imports is None or (name in imports and word.search(imports)):
        return True
    can_quote = any(reader in data for reader in READERS_BY_NAME)
    places = (found.span() for found in word.finditer(data))
    return any(_is_called(data, *place, can_quote=can_quote) for place in places)


def _is_called(data: bytes, start: int, end: int, *, can_quote: bool) -> bool:
    """Return whether a name is called, read of something, or spelled in a text that may be read."""
    before = data[max(start - _FAR, 0) : start].rstrip(_GAP)[-1:]
    after = data[end : end + _FAR].lstrip(_GAP)[:1]
    is_quoted = before in _QUOTES or after in _QUOTES
    return before in {b".", b""} or after in {b"(", b""} or (is_quoted and can_quote)


@cache
def _as_word(name: bytes) -> re.Pattern[bytes]:
    """Return what finds a name as a word; it begins with the letters, which are found quickly."""
    letter = rb"[\w\x80-\xff]"
    return re.compile(name + rb"(?!" + letter + rb")(?<!" + letter + name + rb")")
