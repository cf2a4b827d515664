"""What the runs ask of an engine, whichever it is."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from dal_audit.catalogue.engine_names import Engine
from dal_audit.replay.model import Aspects, Command, Objects, Refusal


class EngineError(RuntimeError):
    """An engine that was asked for cannot be had, or went away; the message names no URL."""


class AbsentSetError(RuntimeError):
    """A project as it is set up does not run a set: it belongs to another one, or to nobody."""


class WatchedDatabase(Protocol):
    """A database that another process runs migrations on, while this one looks at what they do."""

    name: Engine
    version: str
    address: str
    """What it is connected to with: SQLite's file, PostgreSQL's words; it may hold a password."""

    def trial(self, *, apart: bool) -> AbstractContextManager[WatchedDatabase]:
        """Lend a database like this one, which is dropped after."""

    def definitions(self) -> Objects:
        """Return what stands in the database, however it is spelled and in whatever order."""

    def aspects(self) -> Aspects:
        """Return the schema in portable terms."""


class Database(Protocol):
    """An empty database of its own, which is gone once the run is over."""

    name: Engine
    version: str

    def run(self, text: str) -> Refusal | None:
        """Run one statement; return what the engine says where it does not take it."""

    def settle(self) -> None:
        """Take back what a migration has begun and not ended."""

    def trial(self, *, apart: bool) -> AbstractContextManager[Database]:
        """Lend a database like this one; nothing that is run on it stays.

        `apart` asks for a copy, where statements cannot stand in a transaction.
        """

    def needs_apart(self, commands: Sequence[Command], refusal: Refusal | None) -> bool:
        """Return whether a trial that is not apart cannot run these, or did not do them justice."""

    def objects(self) -> Objects:
        """Return what stands in the database, to the letter."""

    def definitions(self) -> Objects:
        """Return what stands in the database, however it is spelled and in whatever order."""

    def aspects(self) -> Aspects:
        """Return the schema in portable terms."""
