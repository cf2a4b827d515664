"""SQLite as this Python brings it, kept from files, extensions and endless loops.

A migration can be anybody's: an authorizer denies what reaches beyond the database (`ATTACH`,
`VACUUM INTO`, `load_extension`), and a handler that SQLite calls while it works ends a statement
that takes too long. Source: the manual, "Compile-Time Authorization Callbacks" and "Query Progress
Callbacks".
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from dal_audit.catalogue.engine_names import SQLITE, Engine
from dal_audit.replay.model import Aspects, Command, Objects, Refusal
from dal_audit.replay.sqlite_schema import aspects_of, definition_of

STEPS: Final = 20_000
"""How many instructions SQLite's machine takes between two looks at the clock."""

MEMORY: Final = ":memory:"
MOST_MEMORY: Final = 1 << 30
_FUNCTIONS: Final = frozenset({"load_extension", "readfile", "writefile", "edit", "fts3_tokenizer"})
_PRAGMAS: Final = frozenset({"temp_store_directory", "data_store_directory", "hard_heap_limit"})


class Sqlite:
    """A database, in memory unless it is given a file."""

    name: Engine = SQLITE

    def __init__(self, seconds: float, address: str = MEMORY) -> None:
        """Make an empty one, in which no statement takes longer than some seconds."""
        self.address = address
        self.version = sqlite3.sqlite_version
        self.seconds = seconds
        self._until = 0.0
        self._denied = ""
        self._connection = sqlite3.connect(address, isolation_level=None)
        self._connection.execute("PRAGMA temp_store = MEMORY")
        self._connection.execute(f"PRAGMA hard_heap_limit = {MOST_MEMORY}")
        self._connection.set_authorizer(self._authorize)
        self._connection.set_progress_handler(self._is_late, STEPS)

    def run(self, text: str) -> Refusal | None:
        """Run one statement; return what SQLite says where it does not take it."""
        self._until = time.monotonic() + self.seconds
        self._denied = ""
        try:
            for _ in self._connection.execute(text):
                pass  # What a query gives is of no interest, only that it can be had.
        except (sqlite3.Error, sqlite3.Warning, ValueError) as error:
            return Refusal(self._said(error))
        return None

    def _said(self, error: Exception) -> str:
        if self._denied:
            return f"`{self._denied}` is not allowed in a replay"
        if "interrupted" in str(error):
            return f"it took longer than {self.seconds:g} seconds"
        return " ".join(str(error).split())

    def settle(self) -> None:
        """Roll back a transaction that a migration left open."""
        if self._connection.in_transaction:
            self.run("ROLLBACK")

    @contextmanager
    def trial(self, *, apart: bool) -> Iterator[Sqlite]:  # noqa: ARG002  # always apart
        """Lend a copy; whether a foreign key is enforced is the connection's, and goes along."""
        is_file = self.address != MEMORY
        copy = Sqlite(self.seconds, f"{self.address}.copy" if is_file else MEMORY)
        try:
            (enforced,) = self._connection.execute("PRAGMA foreign_keys").fetchone()
            self._connection.backup(copy._connection)
            copy.run(f"PRAGMA foreign_keys = {enforced}")
            yield copy
        finally:
            copy.close()
            if is_file:
                Path(copy.address).unlink(missing_ok=True)

    def needs_apart(self, commands: Sequence[Command], refusal: Refusal | None) -> bool:  # noqa: ARG002
        """Return False: every trial is a copy."""
        return False

    def objects(self) -> Objects:
        """Return the schema's table as it stands; what belongs to a table is named with it."""
        rows = self._connection.execute(
            "SELECT type, name, tbl_name, coalesce(sql, '') FROM sqlite_master"
            " WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
        )
        return {
            f"{kind} {name}" if kind in {"table", "view"} else f"{kind} {table}.{name}": sql
            for kind, name, table, sql in rows
        }

    def definitions(self) -> Objects:
        """Return the schema without its spelling."""
        return {name: definition_of(sql) for name, sql in self.objects().items()}

    def aspects(self) -> Aspects:
        """Return the schema in portable terms."""
        return aspects_of(self._connection)

    def close(self) -> None:
        """Give the memory back."""
        self._connection.close()

    def _is_late(self) -> int:
        return int(time.monotonic() > self._until > 0)

    def _authorize(
        self, action: int, first: str | None, second: str | None, _base: str | None, _by: str | None
    ) -> int:
        """Deny what reaches beyond the database; `VACUUM` attaches a file without a name."""
        if action == sqlite3.SQLITE_ATTACH and first:
            self._denied = "ATTACH"
        elif action == sqlite3.SQLITE_FUNCTION and (second or "").lower() in _FUNCTIONS:
            self._denied = f"{second}()"
        elif action == sqlite3.SQLITE_PRAGMA and (first or "").lower() in _PRAGMAS:
            self._denied = f"PRAGMA {first}"
        else:
            return sqlite3.SQLITE_OK
        return sqlite3.SQLITE_DENY
