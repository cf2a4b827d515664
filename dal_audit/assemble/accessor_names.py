"""Names that give a backend or its plumbing away: `sqlite_pool`, `raw_connection`, `get_engine`."""

from __future__ import annotations

import re
from collections.abc import Set as AbstractSet
from typing import Final

from dal_audit.assemble.memo import query
from dal_audit.assemble.project import CATALOGUE, Project

_WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")

PLUMBING: Final = frozenset(
    {"conn", "connection", "cursor", "engine", "pool", "pools", "sessionmaker"}
    | {"connection_pool", "session_factory", "dbapi_connection"}
)
"""What drivers work with, whichever the driver."""

HANDLES: Final = frozenset(
    {"client", "database", "db", "driver", "handle", "session", "transaction", "txn"}
)
"""What a backend's object is called after the backend's own name (`redis_client`)."""

PRODUCTS: Final = frozenset(
    {"sqlite", "sqlite3", "pg", "postgres", "postgresql", "mysql", "mariadb", "oracle", "mssql"}
    | {"duckdb", "redis", "valkey", "mongo", "mongodb", "sqlalchemy", "psycopg", "asyncpg"}
)
"""What backends and their libraries are called in names."""

LEADING: Final = frozenset(
    {"get", "acquire", "as", "open", "borrow", "checkout", "use", "with"}
    | {"raw", "native", "underlying", "inner", "current", "internal", "direct"}
    | {"async", "sync", "db", "database", "sql", "dbapi", "read", "write", "reader", "writer"}
    | {"readonly", "primary", "replica", "main", "default"}
)
"""Words that say how plumbing is fetched or which one it is; any other word says it is a topic
of its own (`get_pool_limits`, `remove_session`)."""

TELLING: Final = PRODUCTS | {"raw", "native", "underlying", "dbapi"}
"""Words after which even a look-up by arguments fetches plumbing (`pg_connection(name)`)."""


def words(name: str) -> list[str]:
    """Return the words of a name, in lower case."""
    return [
        word.lower() for part in name.split("_") for word in _WORD.findall(part) or [part] if word
    ]


def is_telling(name: str) -> bool:
    """Return whether a name says by itself, whatever it takes, that it is about a backend."""
    return not TELLING.isdisjoint(_whole(name))


def is_accessor(name: str, plumbing: AbstractSet[str]) -> bool:
    """Return whether a name is that of an accessor to a backend or its plumbing.

    It ends in the plumbing, and nothing stands before that but words about fetching and backends.
    """
    parts = _whole(name)
    for count in range(len(parts)):
        before, last = parts[:count], "_".join(parts[count:])
        if not all(word in LEADING or word in PRODUCTS for word in before):
            return False
        if last in plumbing or last in PRODUCTS:
            return True
        if last in HANDLES and before and before[-1] in PRODUCTS:
            return True
    return False


def _whole(name: str) -> list[str]:
    """Return the words of a name, with `sqlite3` as one word and `pgconn` as it is written."""
    return re.sub(r"(?<=[a-z])_(?=\d)", "", "_".join(words(name))).split("_")


@query(depends_on=(CATALOGUE,))
def plumbing_names(project: Project) -> frozenset[str]:
    """Return what the drivers in force call what they work with, beside what all do."""
    drivers = project.catalogue.drivers
    names = {"_".join(words(name)) for driver in drivers for name in driver.accessors}
    return PLUMBING | names
