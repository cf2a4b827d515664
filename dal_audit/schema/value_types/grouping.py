"""Columns that stand beside groups without being grouped by.

PostgreSQL takes such a column only where the primary key of its table is grouped by, for that
determines it (sql-select.html, "GROUP BY"); SQLite takes it from any row of the group.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, TypeAlias

from dal_audit.facts.sql_names import SqlName
from dal_audit.facts.sql_trees import (
    Call,
    Cast,
    ColumnName,
    Constant,
    Operand,
    Operation,
    Select,
    Star,
    parts_of,
)
from dal_audit.schema.value_types.calls import is_aggregate
from dal_audit.schema.value_types.operands import Typer
from dal_audit.schema.value_types.relations import SYSTEM_COLUMNS, part_of
from dal_audit.schema.value_types.scopes import Scope

_CURE: Final = "Group by it as well, or write an aggregate such as `max()`."

_Key: TypeAlias = tuple[object, ...]


def check_groups(typer: Typer, select: Select, order: Sequence[Operand]) -> None:
    """Object to the first column that stands beside groups and is not determined by them."""
    if typer.scope.merged or not _is_grouped(typer, select):
        return
    keys = _keys(typer.scope, select)
    if keys is None:
        return
    groups = _Groups(typer, keys)
    loose = (column for operand in _asked(select, order) for column in groups.loose(operand))
    first = next(loose, None)
    if first is not None:
        shown = first.name.name if isinstance(first, ColumnName) else "*"
        reason = f"`{shown}` is not grouped by, and stands in no aggregate"
        typer.objections.to_clause(first.span, reason, _CURE)


def _asked(select: Select, order: Sequence[Operand]) -> Iterator[Operand]:
    """Yield what is asked of each group."""
    for result in select.results:
        yield result.operand
    if select.having is not None:
        yield select.having
    for item in order:
        if not _names_result(item, select):
            yield item


def _is_grouped(typer: Typer, select: Select) -> bool:
    """Return whether a query surely gives groups, and not rows."""
    if select.grouped is not None or select.having is not None:
        return True
    operands = [result.operand for result in select.results]
    return any(_has_aggregate(typer, operand) for operand in operands)


def _has_aggregate(typer: Typer, operand: Operand) -> bool:
    if isinstance(operand, Call) and is_aggregate(typer, operand):
        return True
    return any(_has_aggregate(typer, part) for part in parts_of(operand))


def _keys(scope: Scope, select: Select) -> set[_Key] | None:
    """Return what is grouped by, so that it can be compared; None where that is not known."""
    found: set[_Key] = set()
    for item in select.grouped or ():
        meant = _meant(scope, item, select)
        key = key_of(scope, meant) if meant is not None else None
        if key is None:
            return None
        found.add(key)
    return found


def _meant(scope: Scope, item: Operand, select: Select) -> Operand | None:
    """Return the expression that is grouped by: a result's, where its number or name stands."""
    if isinstance(item, Constant):
        return _numbered(item, select)
    if not isinstance(item, ColumnName) or len(item.name.parts) > 1:
        return item
    owner = scope.owner(item.name)
    if owner:
        return item
    named = [result.operand for result in select.results if _is_named(result.alias, item)]
    if owner is None:
        return None if named else item
    return named[0] if len(named) == 1 else None


def _numbered(item: Constant, select: Select) -> Operand | None:
    """Return the result of a number; None where `*` hides which that is."""
    operands = [result.operand for result in select.results]
    at = int(item.text) if item.text.isdigit() else 0
    is_plain = not any(isinstance(operand, Star) for operand in operands)
    return operands[at - 1] if is_plain and 1 <= at <= len(operands) else None


def _is_named(alias: SqlName | None, item: ColumnName) -> bool:
    return alias is not None and part_of(alias) == part_of(item.name)


def _names_result(item: Operand, select: Select) -> bool:
    if isinstance(item, Constant):
        return True
    return isinstance(item, ColumnName) and any(
        _is_named(result.alias, item) for result in select.results
    )


def key_of(scope: Scope, operand: Operand) -> _Key | None:
    """Return an expression in a form in which it can be compared; None where it cannot be told."""
    match operand:
        case ColumnName(name=name):
            owner = scope.owner(name)
            return ("column", owner, part_of(name)) if owner else None
        case Constant(kind=kind, text=text):
            return ("constant", kind, text)
        case Operation(operator=operator):
            head: _Key = ("operation", operator)
        case Call(name=name, is_plain=True, is_window=False, condition=None):
            head = ("call", name.name.lower())
        case Cast(type=declared):
            head = ("cast", declared.name, declared.arguments, declared.dimensions)
        case _:
            return None
    parts = [key_of(scope, part) for part in parts_of(operand)]
    return None if None in parts else (*head, *parts)


class _Groups:
    """Knows what is grouped by, and which columns that leaves loose."""

    def __init__(self, typer: Typer, keys: set[_Key]) -> None:
        self._typer = typer
        self._scope = typer.scope
        self._keys = keys
        self._columns = {key[1:] for key in keys if key[0] == "column"}

    def loose(self, operand: Operand) -> Iterator[ColumnName | Star]:
        """Yield the columns in an expression that no group determines."""
        key = key_of(self._scope, operand)
        if key is not None and key in self._keys:
            return
        if isinstance(operand, Star):
            sources = self._scope.sources
            if operand.qualifier is None and any(map(self._is_source_loose, sources)):
                yield operand
        elif isinstance(operand, ColumnName):
            if self._is_loose(operand):
                yield operand
        else:
            for part in self._parts(operand):
                yield from self.loose(part)

    def _parts(self, operand: Operand) -> Iterator[Operand]:
        """Yield the parts of an expression; of an aggregate, or what may be one, none."""
        if not isinstance(operand, Call) or is_aggregate(self._typer, operand) is False:
            yield from parts_of(operand)

    def _is_loose(self, column: ColumnName) -> bool:
        owner = self._scope.owner(column.name)
        name = part_of(column.name)
        if not owner or name in SYSTEM_COLUMNS or (owner, name) in self._columns:
            return False
        return not self._is_determined(owner)

    def _is_determined(self, owner: str) -> bool:
        """Return whether the primary key of a source is grouped by, or may be."""
        relation = self._scope.sources[owner]
        grouped = [(owner, name) in self._columns for name in relation.key]
        return not relation.complete or (bool(grouped) and all(grouped))

    def _is_source_loose(self, owner: str) -> bool:
        relation = self._scope.sources[owner]
        names = [(owner, name) for name in relation.columns]
        return (
            relation.complete
            and not self._is_determined(owner)
            and not self._columns.issuperset(names)
        )
