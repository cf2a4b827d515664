"""The way back from a whole migration: its inverses in strict reverse order, with what to know."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final, TypeAlias

from msgspec import Struct

from dal_audit.facts.sql import OtherStatement, SqlStatement, Transaction
from dal_audit.fix.downs.inverse import inverses_of
from dal_audit.fix.downs.record import Inverse, lost_rows, undoing
from dal_audit.fix.downs.written_schema import Copy, WrittenSchema, WrittenTable, told

Step: TypeAlias = tuple[SqlStatement, str]
"""A statement, and all of its text without the delimiter."""

IsPassing: TypeAlias = Callable[[SqlStatement], bool]
"""Returns whether a statement leaves the database as it was before."""

_FRAMING: Final = frozenset({"PRAGMA", "SET", "RESET"})


class Line(Struct, frozen=True):
    """A line of a down: a statement, or else a sentence for who reads it."""

    text: str
    is_statement: bool = True


class Down(Struct, frozen=True):
    """What takes a migration back; `risks` are clauses that say why a person must look at it."""

    lines: tuple[Line, ...]
    risks: tuple[str, ...] = ()

    @property
    def statements(self) -> tuple[str, ...]:
        """The statements, in the order in which they are run."""
        return tuple(line.text for line in self.lines if line.is_statement)


def down_of(schema: WrittenSchema, steps: Sequence[Step], is_passing: IsPassing) -> Down:
    """Run a migration on the schema as it is written, and return what takes it back.

    What opens and closes a migration, such as `BEGIN` or a pragma, does so on the way back, too.
    """
    down = _joined(downs_by_step(schema, steps, is_passing).values())
    if not down.statements:
        return down
    head, tail = _frame(steps, is_passing)
    return Down((*head, *down.lines, *tail), down.risks)


def downs_by_step(
    schema: WrittenSchema, steps: Sequence[Step], is_passing: IsPassing
) -> dict[int, Down]:
    """Run a migration, and return what takes each statement back, by its index: the last first."""
    schema.begin()
    schema.database.begin([statement for statement, _ in steps])
    found: dict[int, list[Inverse]] = {}
    for number, (statement, text) in enumerate(steps):
        schema.database.state.journal.step = number
        if is_passing(statement):
            schema.database.apply(statement)
        else:
            found[number] = inverses_of(schema, statement, text)
    return {
        number: _down([_resolved(inverse, schema) for inverse in reversed(found[number])])
        for number in reversed(found)
    }


def _down(inverses: Sequence[Inverse]) -> Down:
    risks = dict.fromkeys(risk for inverse in inverses for risk in inverse.risks)
    return Down(tuple(line for inverse in inverses for line in _lines(inverse)), tuple(risks))


def _joined(downs: Iterable[Down]) -> Down:
    """Return what does the one after the other."""
    every = list(downs)
    risks = dict.fromkeys(risk for down in every for risk in down.risks)
    return Down(tuple(line for down in every for line in down.lines), tuple(risks))


def _lines(inverse: Inverse) -> list[Line]:
    remarks = [Line(remark, is_statement=False) for remark in inverse.remarks]
    return [*remarks, *map(Line, inverse.statements)]


def _frame(steps: Sequence[Step], is_passing: IsPassing) -> tuple[list[Line], list[Line]]:
    """Return what stands before the first statement that does something, and after the last."""
    acting = [number for number, (statement, _) in enumerate(steps) if not is_passing(statement)]
    head, tail = steps[: acting[0]], steps[acting[-1] + 1 :]
    return _framing(head), _framing(tail)


def _framing(steps: Sequence[Step]) -> list[Line]:
    return [Line(text.strip()) for statement, text in steps if _is_framing(statement)]


def _is_framing(statement: SqlStatement) -> bool:
    structure = statement.structure
    if isinstance(structure, OtherStatement):
        return not _FRAMING.isdisjoint(structure.words[:1])
    return isinstance(structure, Transaction)


def _resolved(inverse: Inverse, schema: WrittenSchema) -> Inverse:
    """Return an inverse as it is once the whole migration is known."""
    table = inverse.table
    if inverse.copy is not None:
        return _copied_back(inverse.copy)
    if table is not None and table.is_remade:
        return Inverse()
    if inverse.goes_with is not None:
        return inverse if inverse.goes_with in schema.brought_back else Inverse()
    if inverse.makes is not None:
        return _with_rows(inverse, inverse.makes, schema)
    return inverse


def _copied_back(copy: Copy) -> Inverse:
    """Return what copies rows back that go with a table; of others a remark that they stay."""
    source, target = copy.source, copy.target
    if source.is_remade or target.is_remade or (target.is_made and not source.is_dropped):
        return Inverse()
    if not source.is_dropped:
        return Inverse(remarks=[f"The rows stay that went into {told(target.name)}."])
    return lost_rows(copy) if copy.why_not else undoing(copy.back)


def _with_rows(inverse: Inverse, table: WrittenTable, schema: WrittenSchema) -> Inverse:
    """Return what makes a table, with a remark where its rows are gone."""
    if table.is_made or any(copy.source is table for copy in schema.copies):
        return inverse
    remark = f"The rows of {told(table.name)} are gone: they do not come back."
    return Inverse(inverse.statements, [remark], inverse.risks)
