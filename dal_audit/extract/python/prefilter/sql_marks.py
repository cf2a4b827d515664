"""What a file's bytes must mention before it is searched for SQL or for database URLs.

What decides whether a file is read decides also what it is read for. Mixed case is none (`Select a
file`), and nothing here looks at what precedes a word: in some encodings that byte belongs to
another character.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Final

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
    r"(?:SELECT|INSERT|UPDATE|MERGE|CREATE|ALTER|DROP|WITH|PRAGMA|EXPLAIN|TRUNCATE)[\s(*\\{]"
    r"|REPLACE\s+INTO|DELETE\s+FROM"
)
_LOWER: Final = (
    r"(?:select|pragma|explain)[\s(*\\]"
    r"|(?:insert|replace|merge)\s+(?:or\s+\w+\s+|ignore\s+)?into\s"
    rf"|update\s+\S+\s+set\s|delete\s+from\s|truncate\s+table\s"
    rf"|(?:create|alter|drop)\s+(?:\w+\s+){{0,3}}{_OBJECT}\s"
)
_START: Final = r"""(?:["'(;}\n]|\\n)[ \t\r]*"""
"""Where a statement can begin: in a string, in a line of it, after a bracket or a field."""

_OPENING: Final = (
    rf"""{_START}(?:{_UPPER}|{_LOWER})"""
    rf"""|execute\w*\(\s*[fr]?["']+\s*(?:{_BARE}|{_BARE.upper()})[\s"';]"""
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
def _sql_opening() -> re.Pattern[bytes]:
    return re.compile(_OPENING.encode())


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
    if _EXECUTE in text or any(f"{name}(" in text for name in _names()):
        yield from (found.start() for found in _called().finditer(text))


@cache
def _called() -> re.Pattern[str]:
    return re.compile(_call().pattern.decode())


def opens_sql(data: bytes) -> bool:
    """Return whether searchable bytes hold a word that SQL begins with."""
    return _sql_opening().search(data) is not None


def gives_functions(data: bytes) -> bool:
    """Return whether bytes name how a connection of SQLite is given functions."""
    return any(name in data for name in (b"create_function", b"load_extension", b"loadextension"))


def names_constructor(data: bytes) -> bool:
    """Return whether searchable bytes name a function that makes SQL out of text."""
    return any(name in data for name in _CONSTRUCTORS)
