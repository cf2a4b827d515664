"""Run statements on a database that is only thought of."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from msgspec.structs import replace

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
    Structure,
)
from dal_audit.schema.alter_table import actions_of, alter_table
from dal_audit.schema.demands import errors_after, errors_before
from dal_audit.schema.divergence_kinds import Divergence
from dal_audit.schema.divergent_definitions import note_divergent_definitions
from dal_audit.schema.exemptions import Exemption, exemptions_of
from dal_audit.schema.objects_model import Problem, SchemaError
from dal_audit.schema.opaque_code import ANYTHING, NONE, OpaqueCode
from dal_audit.schema.other_objects import alter_object, create_object, drop_objects
from dal_audit.schema.refusals import is_refused
from dal_audit.schema.rows import change_rows
from dal_audit.schema.state import State
from dal_audit.schema.tables import create_index, create_table


class Database:
    """A database of one backend, and what becomes of the statements that are run on it."""

    def __init__(self, backend: str) -> None:
        """Begin with a database that nothing is known of."""
        self.state = State(backend)

    def begin(self, statements: Sequence[SqlStatement]) -> None:
        """Begin a script: what stands since is known for sure to stand in the rest of it.

        Of what the code in its `DO` blocks names, nothing is said.
        """
        state = self.state
        structures = [statement.structure for statement in statements]
        state.file += 1
        state.is_chained = any(statement.within is not None for statement in statements)
        state.to_come = {}
        for create in structures:
            if isinstance(create, CreateTable):
                name = state.fold(create.name)
                state.to_come[name] = state.to_come.get(name, 0) + 1
        bodies = [other.body for other in structures if isinstance(other, OtherStatement)]
        state.opaque_code = OpaqueCode.of(bodies) if any(bodies) else NONE
        if state.opaque_code != NONE:
            state.former_code[state.file] = state.opaque_code

    def apply(self, statement: SqlStatement) -> tuple[SchemaError, ...]:
        """Run a statement for the first time; return what it fails for.

        What fails is run all the same, so that one mistake is one error.
        """
        state = self.state
        errors: dict[SchemaError, None] = {}
        state.problems = []
        state.divergences = {}
        state.touched_unknown = False
        state.is_refusing = is_refused(statement, state.backend)
        within = statement.within
        state.is_guarded = within is not None and within.is_guarded
        state.is_optional = within is not None and within.is_optional
        if isinstance(statement.structure, CreateTable):
            name = state.fold(statement.structure.name)
            state.to_come[name] = state.to_come.get(name, 0) - 1
        for step in _steps(statement.structure):
            state.placed.clear()
            for error in errors_before(state, step):
                errors[error] = None
            _run(state, step)
            for error in errors_after(state, step):
                errors[error] = None
            note_divergent_definitions(state, step)
        is_surprised = state.touched_unknown and not state.has_others
        if is_surprised or (_may_do_anything(statement) and not _says_all(statement)):
            state.sees_all = False
        if _is_unknown_operation(statement):
            state.doubt_tables()
        if _may_do_anything(statement):
            state.doubt_absence()
        if statement.structure is None or statement.head in _MAY_MAKE_TYPES:
            state.hides_types = True
        state.makes_operators |= statement.head in _MAKE_OPERATORS
        return tuple(errors)

    @property
    def divergences(self) -> tuple[Divergence, ...]:
        """Return what SQLite makes of the statement that was just run otherwise than PostgreSQL."""
        return tuple(self.state.divergences)

    def exemptions(self, statement: SqlStatement) -> tuple[Exemption, ...]:
        """Return what the catalogue is wrong about in a statement that was just run."""
        return exemptions_of(self.state, statement)

    def apply_anyway(self, statement: SqlStatement) -> tuple[Problem, ...]:
        """Run a statement as if it did not fail; return what is wrong with that."""
        state = self.state
        state.problems = []
        state.touched_unknown = False
        _run(state, statement.structure)
        return tuple(state.problems)

    def dry_run(self, statement: SqlStatement) -> tuple[Problem, ...]:
        """Run a statement, which does nothing where it fails; return what is wrong with that.

        Of all for which it fails that is the first: an engine says no more.
        """
        savepoint = self.state.journal.savepoint
        self.state.is_trial = True
        problems = self.apply_anyway(statement)
        self.state.is_trial = False
        failures = tuple(problem for problem in problems if problem.effect == "fails")
        if not failures:
            return problems
        self.state.journal.roll_back(savepoint)
        return failures[:1]


def _steps(structure: Structure | None) -> Iterator[Structure]:
    """Yield what is done one after the other: the actions of an `ALTER TABLE`, or all at once."""
    if isinstance(structure, AlterTable) and len(structure.actions) > 1:
        for action in actions_of(structure):
            yield replace(structure, actions=(action,))
    elif structure is not None:
        yield structure


def _run(state: State, structure: Structure | None) -> None:
    run = _READERS.get(type(structure))
    if run is not None:
        run(state, structure)


def _may_do_anything(statement: SqlStatement) -> bool:
    """Return whether a statement may make relations that no text shows."""
    structure = statement.structure
    if structure is None or statement.head == "CREATE EXTENSION":
        return True
    return isinstance(structure, OtherStatement) and structure.words[:1] in _OPAQUE


def _says_all(statement: SqlStatement) -> bool:
    """Return whether code in a migration names all tables that it changes."""
    structure, within = statement.structure, statement.within
    is_code = isinstance(structure, OtherStatement) and structure.body != ANYTHING
    return is_code and within is not None and within.is_unread


def _is_unknown_operation(statement: SqlStatement) -> bool:
    """Return whether an operation of a tool does something to a table that is not known."""
    within = statement.within
    return within is not None and within.is_operation and within.is_unread


_OPAQUE: Final = {("DO",), ("CALL",), ("EXECUTE",), ("IMPORT",), ("LOAD",), ("ATTACH",)}
_MAY_MAKE_TYPES: Final = frozenset(
    {"CREATE EXTENSION", "DO", "CALL", "EXECUTE", "IMPORT", "LOAD", "SET"}
)
"""Statements after which there may be types that no text shows; `SET search_path` is one."""

_MAKE_OPERATORS: Final = frozenset({"CREATE OPERATOR", "CREATE CAST"})

_READERS: Final[dict[type, Callable[[State, Any], None]]] = {
    CreateTable: create_table,
    CreateIndex: create_index,
    AlterTable: alter_table,
    CreateObject: create_object,
    AlterObject: alter_object,
    Drop: drop_objects,
    Change: change_rows,
}
