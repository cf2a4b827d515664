"""The words that mean an engine, in the names of files, folders, classes and in settings."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

ENGINE_WORDS: Final[dict[str, str]] = {
    "sqlite": "sqlite",
    "sqlite3": "sqlite",
    "pg": "postgresql",
    "pgsql": "postgresql",
    "pgx": "postgresql",
    "postgres": "postgresql",
    "postgresql": "postgresql",
    "psql": "postgresql",
    "bigquery": "bigquery",
    "cockroach": "cockroachdb",
    "cockroachdb": "cockroachdb",
    "clickhouse": "clickhouse",
    "databricks": "databricks",
    "duckdb": "duckdb",
    "h2": "h2",
    "mariadb": "mariadb",
    "mssql": "mssql",
    "mysql": "mysql",
    "oracle": "oracle",
    "redshift": "redshift",
    "singlestore": "singlestore",
    "snowflake": "snowflake",
    "sqlserver": "mssql",
    "turso": "sqlite",
    "libsql": "sqlite",
    "hiqlite": "sqlite",
    "rqlite": "sqlite",
}
"""Names of engines and of their drivers' families, and the backend that each stands for."""

ANY_ENGINE: Final = frozenset({*ENGINE_WORDS.values(), "other"})
"""All engines that a name is known of, and `other` for the rest."""

_INSIDE: Final = re.compile(r"sqlite|postgres|pgsql|pgx|mysql|mariadb", re.IGNORECASE)
"""Names that mean an engine also inside a longer word (`riversqlite`, `riverpgxv5`)."""

_CAMEL: Final = re.compile(r"Pg(?![a-z])")
"""The short name of one, as names of types have it (`PgPool`)."""

_WORD: Final = re.compile(r"[A-Za-z0-9]+")

_SHORTEST: Final = tuple(
    word
    for word in ENGINE_WORDS
    if not any(other in word for other in ENGINE_WORDS if other != word)
)
"""Those of the names of which one stands in each of them."""

_ANYWHERE: Final = re.compile("|".join(ENGINE_WORDS), re.IGNORECASE)
"""What every name holds that means an engine."""


def holds_engine(text: str) -> bool:
    """Return whether a text may name an engine anywhere: most are ruled out."""
    plain = text.lower()
    return any(word in plain for word in _SHORTEST)


def engine_of(name: str) -> str:
    """Return the backend that a name stands for; empty for any other word."""
    return ENGINE_WORDS.get(name.lower(), "")


@lru_cache(maxsize=4096)
def engines_in(name: str) -> frozenset[str]:
    """Return the backends that a name speaks of: a folder's, a class's."""
    if _ANYWHERE.search(name) is None:
        return frozenset()
    found = {ENGINE_WORDS[word] for word in _WORD.findall(name.lower()) if word in ENGINE_WORDS}
    found.update(ENGINE_WORDS[inside.lower()] for inside in _INSIDE.findall(name))
    if _CAMEL.search(name):
        found.add(ENGINE_WORDS["pg"])
    return frozenset(found)
