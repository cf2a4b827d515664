"""Run statements on a database that is only thought of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from dal_audit.facts.sql import (
    AlterObject,
    AlterTable,
    Change,
    CreateIndex,
    CreateObject,
    CreateTable,
    Drop,
    OtherStatement,
    SqlStatement,
)
from dal_audit.standing.alterations import alter_table
from dal_audit.standing.model import Problem
from dal_audit.standing.objects import alter_object, create_object, drop
from dal_audit.standing.rows import change
from dal_audit.standing.state import Doubts, State, last_of
from dal_audit.standing.tables import create_index, create_table


class Database:
    """A database of one backend, and what becomes of the statements that are run on it."""

    def __init__(self, backend: str) -> None:
        """Begin with a database that nothing is known of."""
        self.state = State(backend)

    def begin(self, statements: Sequence[SqlStatement]) -> None:
        """Say nothing about what the code in `DO` blocks among these statements names."""
        self.state.doubts = Doubts.of(
            one.structure.body for one in statements if isinstance(one.structure, OtherStatement)
        )

    def is_doubtful(self, name: str) -> bool:
        """Return whether code that is not followed names something."""
        doubts = self.state.doubts
        return last_of(name) in doubts.made or last_of(name) in doubts.removed

    def take(self, statement: SqlStatement) -> None:
        """Run a statement that is known to have run."""
        self.force(statement)
        if self.state.met_unseen or _may_do_anything(statement):
            self.state.is_closed = False

    def force(self, statement: SqlStatement) -> tuple[Problem, ...]:
        """Run a statement as if it did not fail; return what is wrong with that."""
        state = self.state
        state.problems = []
        state.met_unseen = False
        run = _READERS.get(type(statement.structure))
        if run is not None:
            run(state, statement.structure)
        return tuple(state.problems)

    def try_out(self, statement: SqlStatement) -> tuple[Problem, ...]:
        """Run a statement, which does nothing where it fails; return what is wrong with that.

        Of all for which it fails that is the first: an engine says no more.
        """
        mark = self.state.journal.mark
        self.state.is_trial = True
        problems = self.force(statement)
        self.state.is_trial = False
        failures = tuple(one for one in problems if one.effect == "fails")
        if not failures:
            return problems
        self.state.journal.back_to(mark)
        return failures[:1]


def _may_do_anything(statement: SqlStatement) -> bool:
    """Return whether a statement may make relations that no text shows."""
    one = statement.structure
    if one is None or statement.head == "CREATE EXTENSION":
        return True
    return isinstance(one, OtherStatement) and one.words[:1] in _OPAQUE


_OPAQUE: Final = {("DO",), ("CALL",), ("EXECUTE",), ("IMPORT",), ("LOAD",), ("ATTACH",)}
_READERS: Final[dict[type, Callable[[State, Any], None]]] = {
    CreateTable: create_table,
    CreateIndex: create_index,
    AlterTable: alter_table,
    CreateObject: create_object,
    AlterObject: alter_object,
    Drop: drop,
    Change: change,
}
