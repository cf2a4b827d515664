"""Which backend a set or a file is meant for, by how it is named."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

BACKENDS: Final[dict[str, str]] = {
    "sqlite": "sqlite",
    "sqlite3": "sqlite",
    "pg": "postgresql",
    "pgsql": "postgresql",
    "pgx": "postgresql",
    "postgres": "postgresql",
    "postgresql": "postgresql",
    "psql": "postgresql",
    "cockroach": "cockroachdb",
    "cockroachdb": "cockroachdb",
    "duckdb": "duckdb",
    "h2": "h2",
    "mariadb": "mariadb",
    "mssql": "mssql",
    "mysql": "mysql",
    "oracle": "oracle",
    "snowflake": "snowflake",
    "sqlserver": "mssql",
    "turso": "sqlite",
    "libsql": "sqlite",
    "hiqlite": "sqlite",
    "rqlite": "sqlite",
}
"""Names of engines and of their drivers' families, and the backend that each stands for."""

_INSIDE: Final = re.compile(r"sqlite|postgres|pgsql|pgx|mysql|mariadb", re.IGNORECASE)
"""Names that mean an engine also inside a longer word (`riversqlite`, `riverpgxv5`)."""

_WORD: Final = re.compile(r"[A-Za-z0-9]+")


def backend_of(name: str) -> str:
    """Return the backend that a name stands for; empty for any other word."""
    return BACKENDS.get(name.lower(), "")


def backends_in(component: str) -> frozenset[str]:
    """Return the backends that a folder's name speaks of."""
    found = {BACKENDS[word] for word in _WORD.findall(component.lower()) if word in BACKENDS}
    found.update(BACKENDS[inside.lower()] for inside in _INSIDE.findall(component))
    return frozenset(found)


def backend_of_folder(folder: str) -> str:
    """Return the backend that a folder is named after, or the nearest one around it.

    Empty where there is none, or where a name speaks of several.
    """
    for component in reversed(folder.split("/")):
        found = backends_in(component)
        if found:
            return next(iter(found)) if len(found) == 1 else ""
    return ""


def neutral_folder(folder: str) -> str:
    """Return a folder with the names of backends taken out: equal for sets that are paired."""
    return "/".join(map(_neutral, folder.split("/")))


def _neutral(component: str) -> str:
    def word(found: re.Match[str]) -> str:
        text = found[0].lower()
        if text in BACKENDS:
            return "*"
        return "*" if _INSIDE.search(text) else text

    return _WORD.sub(word, component) if backends_in(component) else component


def split_backend(parts: Sequence[str]) -> tuple[list[str], str]:
    """Take the name of a backend from a file name's parts between dots, wherever it stands."""
    for index in range(len(parts) - 1, -1, -1):
        backend = backend_of(parts[index])
        if backend and len(parts) > 1:
            return [*parts[:index], *parts[index + 1 :]], backend
    return list(parts), ""
