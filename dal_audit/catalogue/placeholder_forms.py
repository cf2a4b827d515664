"""Which placeholders each driver reads in the SQL that it is handed.

Sources: `paramstyle` and the notes on it in each driver's manual (PEP 249); lang_expr.html#varparam
for SQLite, whose drivers leave the reading to the engine; SQLAlchemy's `text()`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

SQLITE_FORMS: Final = frozenset(
    {"question", "numbered-question", "colon", "at", "dollar", "dollar-name"}
)

_BY_FORMS: Final = {
    SQLITE_FORMS: (
        *("sqlite3", "aiosqlite", "apsw", "pysqlite2", "pysqlite3", "sqlcipher3", "libsql"),
        *("libsql_client", "sqlean", "anysqlite", "sqlite_anyio", "pysqlcipher3"),
        *("rusqlite", "libsqlite3-sys", "libsql-rs", "hiqlite"),
    ),
    frozenset({"percent"}): ("psycopg2", "psycopg2cffi", "aiopg"),
    frozenset({"percent", "dollar"}): ("psycopg",),  # `RawCursor` leaves `$1` to the server.
    frozenset({"percent", "colon"}): ("pg8000",),  # The second is its native interface's.
    frozenset({"dollar"}): ("asyncpg", "psqlpy", "tokio-postgres", "deadpool-postgres"),
    frozenset({"colon"}): ("sqlalchemy", "sqlmodel", "alembic", "databases"),
}

FORMS_BY_ENGINE: Final[Mapping[str, frozenset[str]]] = {
    "sqlite": SQLITE_FORMS,
    "postgresql": frozenset({"dollar"}),
}
"""The forms that engines read themselves (lang_expr.html#varparam; PostgreSQL's manual, 4.1.2)."""

PASSING_ON: Final = frozenset({"sqlx", "diesel", "sea-orm"})
"""Drivers of several engines that hand each a text as it is written."""

FORMS_BY_DRIVER: Final[Mapping[str, frozenset[str]]] = {
    driver: forms for forms, drivers in _BY_FORMS.items() for driver in drivers
}
"""The forms of placeholders by the catalogue's name of a driver."""
