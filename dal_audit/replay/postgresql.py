"""A scratch database on a PostgreSQL server, through libpq's simple protocol.

So a statement is sent as it stands, as `psql` and most migration tools send it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

import psycopg
from psycopg import pq, sql

from dal_audit.catalogue.engine_names import POSTGRESQL, Engine
from dal_audit.replay.database import EngineError
from dal_audit.replay.model import Aspects, Command, Objects, Refusal
from dal_audit.replay.postgresql_schema import aspects_of, objects_of

_CONTROL: Final = re.compile(
    r"\s*(?:BEGIN|START\s+TRANSACTION|COMMIT|END|ROLLBACK|ABORT|SAVEPOINT|RELEASE|PREPARE\s+TRANSACTION"
    r"|VACUUM|REINDEX\s+(?:.*\s)?CONCURRENTLY|ALTER\s+SYSTEM"
    r"|(?:CREATE|DROP)\s+(?:UNIQUE\s+)?INDEX\s+CONCURRENTLY)\b",
    re.IGNORECASE,
)
"""Statements that end a transaction or cannot stand in one."""

_BEYOND: Final = re.compile(
    r"\s*(?:(?:CREATE|ALTER|DROP)\s+(?:DATABASE|TABLESPACE|SUBSCRIPTION)|ALTER\s+SYSTEM"
    r"|COPY\b.*\b(?:TO|FROM)\s+(?:PROGRAM\b|E?')|LOAD\b)",
    re.IGNORECASE | re.DOTALL,
)
"""Statements that plainly reach beyond the scratch database, into the server or its files.

They are said to; what keeps all others from it is the role that they run as.
"""

_NOT_ALLOWED: Final = "42501"
"""What a role is refused with that may not do what it asks for."""

_ROLES: Final = re.compile(
    r"\s*(?:(?:CREATE|ALTER|DROP)\s+(?:ROLE|USER(?!\s+MAPPING)|GROUP)|REASSIGN\s+OWNED)\b",
    re.IGNORECASE,
)
"""Statements about what all databases of a server share; on a server of our own they may run."""

_DISTURBED: Final = frozenset({"25001", "25P01", "25P02", "55006", "55P04", "2D000"})
"""What a statement is refused with because it stands in a transaction, or after another one in it:
in a run of its own it would do. Source: the manual, "PostgreSQL Error Codes"."""

ALONE: Final = "25P01"
"""What a statement is refused with that only stands in a transaction."""

LEADING_COMMENTS: Final = re.compile(r"(?:\s+|--[^\n]*(?:\n|$)|/\*.*?\*/)*", re.DOTALL)


class Postgresql:
    """An empty database; `is_shared` says that others live on its server."""

    name: Engine = POSTGRESQL

    def __init__(
        self, address: str, seconds: float, *, is_shared: bool, is_copy: bool = False
    ) -> None:
        """Connect. Raises EngineError where that fails, or where the database holds anything.

        Only a copy of a database of ours may.
        """
        self.address = address
        self.seconds = seconds
        self.is_shared = is_shared
        self._connection = connected(address)
        self._limit()
        self.version = str(self._connection.info.parameter_status("server_version")).split(" ")[0]
        if not is_copy and self.objects():
            self.close()
            raise EngineError("the PostgreSQL database is not empty; a replay refuses to run in it")

    def _limit(self) -> None:
        milliseconds = max(int(self.seconds * 1000), 1)
        self._connection.execute(f"SET statement_timeout = {milliseconds}".encode())
        self._connection.execute(b"SET client_min_messages = warning")

    def run(self, text: str) -> Refusal | None:
        """Run one statement; return what PostgreSQL says where it does not take it."""
        bare = text[LEADING_COMMENTS.match(text).end() :]  # type: ignore[union-attr]  # matches ""
        if _BEYOND.match(bare) or (self.is_shared and _ROLES.match(bare)):
            words = " ".join(bare.split()[:2])
            return Refusal(f"`{words}` reaches beyond the database and is not allowed in a replay")
        if "\0" in text:
            return Refusal("a NUL character")
        refusal = self._sent(text)
        if refusal is None or refusal.code != ALONE:
            return refusal
        # A tool runs the migration in a transaction, where `LOCK TABLE` may stand.
        self._sent("BEGIN")
        refusal = self._sent(text)
        self._sent("COMMIT")
        return refusal

    def _sent(self, text: str) -> Refusal | None:
        handle = self._connection.pgconn
        result = handle.exec_(text.encode("utf-8", "replace"))
        while result.status == pq.ExecStatus.COPY_IN:
            # What stands in the file after `COPY … FROM stdin` is data of the tool's.
            handle.put_copy_end()
            result = handle.get_result() or result
            while handle.get_result() is not None:
                pass
        return self._refusal(result)

    def _refusal(self, result: pq.abc.PGresult) -> Refusal | None:
        if result.status not in {pq.ExecStatus.FATAL_ERROR, pq.ExecStatus.BAD_RESPONSE}:
            return None
        code = (result.error_field(pq.DiagnosticField.SQLSTATE) or b"").decode()
        message = result.error_field(pq.DiagnosticField.MESSAGE_PRIMARY) or result.error_message
        if self._connection.pgconn.status != pq.ConnStatus.OK:
            raise EngineError("PostgreSQL closed the connection")
        text = " ".join(message.decode("utf-8", "replace").split())
        if code == "57014":
            text = f"it took longer than {self.seconds:g} seconds"
        if code == _NOT_ALLOWED:
            text += " (a replay's role is no superuser, and owns its database only)"
        return Refusal(text, code)

    def settle(self) -> None:
        """Roll back a transaction that a migration left open."""
        if self._connection.pgconn.transaction_status != pq.TransactionStatus.IDLE:
            self.run("ROLLBACK")

    @contextmanager
    def trial(self, *, apart: bool) -> Iterator[Postgresql]:
        """Lend this very database in a transaction, or a copy of it."""
        if not apart:
            self._connection.execute(b"BEGIN")
            try:
                yield _InTransaction(self)
            finally:
                self.settle()
            return
        name = f"{self._connection.info.dbname}_copy"
        with self._away(name):
            address = psycopg.conninfo.make_conninfo(self.address, dbname=name)
            copy = Postgresql(address, self.seconds, is_shared=self.is_shared, is_copy=True)
            try:
                yield copy
            finally:
                copy.close()

    @contextmanager
    def _away(self, name: str) -> Iterator[None]:
        """Make a copy for a while; nobody may be connected to what is copied."""
        own = self._connection.info.dbname
        settings = self._settings()
        self.close()
        template = psycopg.conninfo.make_conninfo(self.address, dbname="template1")
        with connected(template) as other:
            made = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
            other.execute(made.format(sql.Identifier(name), sql.Identifier(own)))
            try:
                yield
            finally:
                drop_database(other, name)
                self._connection = connected(self.address)
                self._limit()
                self._restore(settings)

    def _settings(self) -> str:
        row = self._connection.execute(b"SHOW search_path").fetchone()
        return str(row[0]) if row else ""

    def _restore(self, search_path: str) -> None:
        self._connection.execute("SELECT set_config('search_path', %s, false)", (search_path,))

    def needs_apart(self, commands: Sequence[Command], refusal: Refusal | None) -> bool:
        """Return whether statements cannot stand in a transaction, or were disturbed by one."""
        if refusal is not None:
            return refusal.code in _DISTURBED
        return any(
            _CONTROL.match(command.text, LEADING_COMMENTS.match(command.text).end())  # type: ignore[union-attr]
            for command in commands
        )

    def objects(self) -> Objects:
        """Return what stands in the catalogues, but for what the server itself brings."""
        return objects_of(self._connection)

    def definitions(self) -> Objects:
        """Return what stands as the server spells it; extensions are the server's, and may stay."""
        objects = self.objects()
        return {name: objects[name] for name in objects if not name.startswith("extension ")}

    def aspects(self) -> Aspects:
        """Return the schema in portable terms."""
        return aspects_of(self._connection)

    def close(self) -> None:
        """Leave the database."""
        self._connection.close()


class _InTransaction(Postgresql):
    """A database lent inside a transaction: what settles it must not end that."""

    def __init__(self, lender: Postgresql) -> None:
        """Share the lender's connection."""
        self.address, self.seconds = lender.address, lender.seconds
        self.is_shared, self.version = lender.is_shared, lender.version
        self._connection = lender._connection  # its own kind

    def settle(self) -> None:
        """Leave the transaction to the lender."""


def drop_database(connection: psycopg.Connection[Any], name: str) -> None:
    """Drop a database, whoever is still connected to it.

    The server's own worker that vacuums it is in no role: only a superuser may end it by force,
    and an ordinary drop sends it away. Source: `TerminateOtherDBBackends` and
    `CountOtherDBBackends` of PostgreSQL's `procarray.c`. Raises psycopg.Error.
    """
    dropped = sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(name))
    try:
        connection.execute(dropped + sql.SQL(" WITH (FORCE)"))
    except psycopg.errors.InsufficientPrivilege:
        connection.execute(dropped)


def connected(address: str) -> psycopg.Connection[Any]:
    """Connect, each statement in a transaction of its own.

    Raises EngineError; the driver's own words are kept back, because they may quote the URL.
    """
    try:
        return psycopg.connect(address, autocommit=True, connect_timeout=10)
    except psycopg.OperationalError as error:
        raise EngineError(f"PostgreSQL cannot be reached: {reason(error)}") from None
    except psycopg.Error:
        raise EngineError("the URL of PostgreSQL is not one that its driver takes") from None


def reason(error: psycopg.Error) -> str:
    """Return why a server refused, in words that name neither host nor user."""
    said = str(error).lower()
    for words, shown in (
        ("password authentication failed", "the password was not accepted"),
        ("no password supplied", "it asks for a password"),
        ("invalid", "its URL is not one that the driver takes"),
        ("does not exist", "the user or the database does not exist"),
        ("permission denied", "permission denied"),
        ("connection refused", "the connection was refused"),
        ("could not translate host name", "the host is not known"),
        ("name or service not known", "the host is not known"),
        ("no such file or directory", "there is no server at the socket"),
        ("timeout", "it did not answer in time"),
    ):
        if words in said:
            return shown
    return "the server did not let us in"
