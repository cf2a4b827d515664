"""How texts name database engines: words, URLs, images of containers."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

_WORDS: Final = {
    "postgresql": re.compile(r"postgres|pgsql|psycopg|asyncpg|(?<![a-z])pg(?![a-z])"),
    "sqlite": re.compile(r"sqlite"),
    "mysql": re.compile(r"mysql|mariadb|aiomysql|asyncmy"),
    "mssql": re.compile(r"mssql|sqlserver|pyodbc"),
    "oracle": re.compile(r"oracle|(?<![a-z])oci(?![a-z])"),
    "cockroachdb": re.compile(r"cockroach"),
    "duckdb": re.compile(r"duckdb"),
    "mongodb": re.compile(r"mongo"),
    "bigquery": re.compile(r"bigquery"),
    "clickhouse": re.compile(r"clickhouse"),
    "databricks": re.compile(r"databricks"),
    "redshift": re.compile(r"redshift"),
    "snowflake": re.compile(r"snowflake"),
    "trino": re.compile(r"trino"),
}
_URLS: Final = {
    "postgresql": re.compile(
        r"(?:^|[\s,;'\"=])(?:postgres(?:ql)?(?:\+\w+)?://|postgis://|host=\S+ .*dbname=)"
    ),
    "sqlite": re.compile(r"(?:^|[\s,;'\"=])(?:sqlite3?(?:\+\w+)?:|:memory:$|file::memory:)"),
    "mysql": re.compile(r"(?:^|[\s,;'\"=])(?:mysql|mariadb)(?:\+\w+)?://"),
    "mssql": re.compile(r"(?:^|[\s,;'\"=])mssql(?:\+\w+)?://"),
}
_IMAGE: Final = re.compile(
    r"(?:^|/)(?:[\w.-]*postgres(?:ql)?[\w.-]*|postgis|[\w.-]*pgvector[\w.-]*|timescaledb?(?:-ha)?"
    r"|pgautoupgrade|paradedb)(?::|@|$)"
)
_NO_SERVER: Final = re.compile(r"postgrest|exporter|pgadmin|backup|client")
_PASSWORD: Final = re.compile(r"://[^\s:/@]*:[^\s@/]+@|\bpassword=\S")


@lru_cache(maxsize=4096)
def backends_named(text: str) -> frozenset[str]:
    """Return the engines that a name or a value names by one of their words."""
    lowered = text.lower()
    return frozenset(name for name, pattern in _WORDS.items() if pattern.search(lowered))


@lru_cache(maxsize=4096)
def backends_of_url(text: str) -> frozenset[str]:
    """Return the engines of the URLs in a text, which may list several."""
    return frozenset(name for name, pattern in _URLS.items() if pattern.search(text))


def is_server_image(image: str) -> bool:
    """Return whether a container's image holds a PostgreSQL server, or one of its kin."""
    lowered = image.lower()
    return _IMAGE.search(lowered) is not None and _NO_SERVER.search(lowered) is None


def has_password(text: str) -> bool:
    """Return whether a connection URL in a text holds a password, also one that is not known."""
    return bool(backends_of_url(text)) and _PASSWORD.search(text) is not None
