"""The engines that the tests run SQL on: two builds of SQLite, and PostgreSQL.

Each script runs in a database of its own: in memory, or in a transaction that is rolled back, and
where a statement refuses to stand in a transaction, in a schema that is dropped afterwards. What
is missing fails: there is no skip.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from decimal import Decimal
from typing import Any, TypeAlias

import apsw
import psycopg
from psycopg import errors

from dal_audit.extract.sql.statements import split

Parameters: TypeAlias = tuple[str, ...] | Mapping[str, str] | None
Rows: TypeAlias = list[tuple[object, ...]]


class PythonSqlite:
    """SQLite as this Python brings it."""

    name = "sqlite"
    label = "sqlite3 of Python"

    def __init__(self) -> None:
        self.version = sqlite3.sqlite_version
        with closing(sqlite3.connect(":memory:")) as connection:
            self.options = frozenset(row[0] for row in connection.execute("PRAGMA compile_options"))

    def error(self, scripts: Sequence[str], parameters: Parameters = None) -> str:
        connection = sqlite3.connect(":memory:", isolation_level=None)
        try:
            for script in scripts:
                if parameters is None:
                    connection.executescript(script)
                else:
                    connection.execute(script, parameters)
        except sqlite3.Error as error:
            return str(error)
        finally:
            connection.close()
        return ""

    def rows(self, script: str) -> Rows | str:
        connection = sqlite3.connect(":memory:", isolation_level=None)
        try:
            found: Rows = []
            for statement in split(script).statements:
                found = connection.execute(script[statement.start : statement.end]).fetchall()
        except sqlite3.Error as error:
            return str(error)
        finally:
            connection.close()
        return plain(found)


class NewestSqlite:
    """The newest SQLite, as apsw brings it, in its core build."""

    name = "sqlite"
    label = "SQLite of apsw"

    def __init__(self) -> None:
        self.version = apsw.sqlite_lib_version()
        self.options = frozenset(apsw.compile_options)

    def error(self, scripts: Sequence[str], parameters: Parameters = None) -> str:
        connection = apsw.Connection(":memory:")
        try:
            for script in scripts:
                for _ in connection.execute(script, parameters):
                    pass
        except apsw.Error as error:
            return str(error)
        finally:
            connection.close()
        return ""

    def rows(self, script: str) -> Rows | str:
        connection = apsw.Connection(":memory:")
        try:
            found: Rows = []
            for statement in split(script).statements:
                found = list(connection.execute(script[statement.start : statement.end]))
        except apsw.Error as error:
            return str(error)
        finally:
            connection.close()
        return plain(found)


class Postgres:
    """PostgreSQL, on a connection that commits each statement."""

    name = "postgresql"
    label = "PostgreSQL"
    options: frozenset[str] = frozenset()

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self.connection = connection
        self.version = ".".join(connection.info.parameter_status("server_version").split(" ")[:1])  # type: ignore[union-attr]

    def error(self, scripts: Sequence[str], parameters: Parameters = None) -> str:
        try:
            with self.connection.transaction(force_rollback=True):
                for script in scripts:
                    if parameters is None:
                        self.connection.execute(script.encode())
                    else:
                        values = (
                            parameters.values() if isinstance(parameters, Mapping) else parameters
                        )
                        psycopg.RawCursor(self.connection).execute(script.encode(), list(values))
        except errors.ActiveSqlTransaction:
            return self._error_alone(scripts)
        except psycopg.Error as error:
            return str(error).splitlines()[0]
        return ""

    def _error_alone(self, scripts: Sequence[str]) -> str:
        """Run statements that must not stand in a transaction, each alone."""
        self.connection.execute("CREATE SCHEMA scratch; SET search_path = scratch")
        try:
            for script in scripts:
                for statement in split(script).statements:
                    self.connection.execute(script[statement.start : statement.end].encode())
        except psycopg.Error as error:
            return str(error).splitlines()[0]
        finally:
            self.connection.execute("DROP SCHEMA scratch CASCADE; RESET search_path")
        return ""

    def rows(self, script: str) -> Rows | str:
        try:
            with self.connection.transaction(force_rollback=True):
                found: Rows = []
                for statement in split(script).statements:
                    text = script[statement.start : statement.end].encode()
                    cursor = self.connection.execute(text)
                    found = cursor.fetchall() if cursor.description else []
        except psycopg.Error as error:
            return str(error).splitlines()[0]
        return plain(found)


Engine: TypeAlias = PythonSqlite | NewestSqlite | Postgres
"""An engine at hand: its name in the catalogue, its version, the options of its build, and what it
says against running scripts in turn (`error`) or what a script's last statement gives (`rows`)."""


@contextmanager
def postgres(url: str) -> Iterator[Postgres]:
    """Connect to a PostgreSQL, in its default database."""
    with psycopg.connect(url, autocommit=True) as connection:
        yield Postgres(connection)


def plain(rows: Sequence[Sequence[object]]) -> Rows:
    """Return rows as they are compared across drivers: numbers as floats, the rest as text."""
    return [tuple(_plain(value) for value in row) for row in rows]


def _plain(value: object) -> object:
    """Return a value without what only its driver's type says."""
    if isinstance(value, bool | int | float | Decimal):
        return float(value)
    return value if value is None else str(value)
