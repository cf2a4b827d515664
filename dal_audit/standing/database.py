"""Run statements on a database that is only thought of."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

from dal_audit.sql_facts import (
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
from dal_audit.standing.state import Doubts, State
from dal_audit.standing.tables import create_index, create_table


class Database:
    """A database of one backend, and what becomes of the statements that are run on it."""

    def __init__(self, backend: str) -> None:
        """Begin with a database that nothing is known of."""
        self.state = State(backend)

    def begin(self, statements: Iterable[SqlStatement]) -> None:
        """Say nothing about what the code in `DO` blocks among these statements names."""
        self.state.doubts = Doubts.of(
            one.structure.body for one in statements if isinstance(one.structure, OtherStatement)
        )

    def take(self, statement: SqlStatement) -> tuple[Problem, ...]:
        """Run a statement that is known to have run; return what speaks against that."""
        state = self.state
        state.problems = []
        run = _READERS.get(type(statement.structure))
        if run is not None:
            run(state, statement.structure)
        return tuple(state.problems)

    def try_out(self, statement: SqlStatement) -> tuple[Problem, ...]:
        """Run a statement, which does nothing where it fails; return what is wrong with that."""
        mark = self.state.journal.mark
        problems = self.take(statement)
        if any(one.effect == "fails" for one in problems):
            self.state.journal.back_to(mark)
            return tuple(one for one in problems if one.effect == "fails")
        return problems


_READERS: Final[dict[type, Callable[[State, Any], None]]] = {
    CreateTable: create_table,
    CreateIndex: create_index,
    AlterTable: alter_table,
    CreateObject: create_object,
    AlterObject: alter_object,
    Drop: drop,
    Change: change,
}
