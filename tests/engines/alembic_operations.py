"""Alembic's operations, run with Alembic on an engine: what comes of them once, and again."""

from __future__ import annotations

import textwrap
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy.dialects import mysql, postgresql, sqlite

TABLES: Final = (
    "CREATE TABLE p (id INTEGER NOT NULL, k INTEGER, PRIMARY KEY (id))",
    """CREATE TABLE t (id INTEGER NOT NULL, a INTEGER, b VARCHAR(50), c INTEGER, u INTEGER,
    PRIMARY KEY (id), CONSTRAINT uq_u UNIQUE (u), CONSTRAINT ck_a CHECK (a > 0))""",
    "CREATE INDEX ix_b ON t (b)",
    """CREATE TABLE f (id INTEGER NOT NULL, p_id INTEGER, PRIMARY KEY (id),
    CONSTRAINT fk_p FOREIGN KEY (p_id) REFERENCES p (id))""",
    "CREATE TABLE q (id INTEGER NOT NULL)",
    "CREATE TABLE w (id INTEGER NOT NULL, k INTEGER, PRIMARY KEY (id), UNIQUE (k))",
)
"""What stands before an operation is run."""


class AlembicEngine:
    """An engine on which operations are run, each on fresh tables."""

    def __init__(self, name: str, url: str) -> None:
        self.name = name
        self._engine = sa.create_engine(url)

    def dispose(self) -> None:
        """Close what is open."""
        self._engine.dispose()

    def outcomes(self, setup: str, body: str) -> tuple[str, str]:
        """Return what an operation fails for the first time, and again; empty where it runs."""
        with self._tables() as connection:
            self._run(connection, setup)
            first = self._run(connection, body)
            return first, first or self._run(connection, body)

    @contextmanager
    def _tables(self) -> Iterator[sa.Connection]:
        with self._engine.connect() as connection, connection.begin() as transaction:
            for statement in TABLES:
                connection.exec_driver_sql(statement)
            yield connection
            transaction.rollback()
        if self.name == "sqlite":
            self._engine.dispose()

    def _run(self, connection: sa.Connection, body: str) -> str:
        """Run the body of an `upgrade` in a savepoint."""
        context = MigrationContext.configure(connection)
        names: dict[str, Any] = {
            "op": Operations(context),
            "sa": sa,
            "postgresql": postgresql,
            "mysql": mysql,
            "sqlite": sqlite,
        }
        code = compile(textwrap.dedent(body), "an example", "exec")
        try:
            with connection.begin_nested(), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                exec(code, names)  # the catalogue's own examples
        except Exception as error:  # noqa: BLE001  # whatever it is: the operation fails
            return f"{type(error).__name__}: {error}".partition("\n")[0]
        return ""
