"""What a file says on other lines is found there again; what it says otherwise is not taken for it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from msgspec import inspect

from dal_audit.extract.line_moves import LINE_FIELDS, LineMoves, UnknownLineError
from dal_audit.facts import (
    START,
    Edit,
    Member,
    PythonFact,
    Reference,
    Span,
    Suppression,
    ValueFacts,
)
from dal_audit.facts.models import ModelOptions
from dal_audit.facts.sql import SqlFileName, SqlStatement

NO_LINES = frozenset(
    {"column", "end_column", "number", "starts", "arguments", "respelling", "first", "last"}
    | {"dimensions", "group"}
)
"""Numbers that are none of lines: columns, indexes, counts. `starts` are those of notebooks."""


def on(line: int, last: int = 0) -> Span:
    """Return a span on some lines."""
    return Span(line, 1, last or line, 5)


def allowed(line: int, about: int | None, reason: str = "why") -> Suppression:
    """Return a comment on a line, about another one."""
    return Suppression(on(line), about, (), reason)


def test_lines_are_followed() -> None:
    moves = LineMoves()
    assert moves.covers((allowed(1, 2), allowed(4, None)), (allowed(1, 3), allowed(6, None)))
    assert moves.are_in_order
    assert [moves.line(line) for line in (1, 2, 4)] == [1, 3, 6]
    assert moves.span(Span(2, 1, 5, 1)) == Span(3, 1, 7, 1)  # It ends with the fourth line.
    assert moves.span(START) == START
    assert not moves.covers(START, Span(2, 1, 2, 1))
    with pytest.raises(UnknownLineError):
        moves.line(3)


@pytest.mark.parametrize(
    "after",
    [
        allowed(1, 2, "another"),
        allowed(1, None),
        Suppression(Span(1, 2, 1, 5), 2, (), "why"),
        Suppression(on(1), 1, (), "why"),
        Suppression(on(1), 2, (), "why", whole=on(1)),
    ],
)
def test_what_is_said_otherwise_is_not_the_same(after: Suppression) -> None:
    assert LineMoves().covers(allowed(1, 2), allowed(1, 2))
    moves = LineMoves()
    assert not moves.covers((allowed(1, 2), allowed(1, 2)), (allowed(1, 2), after))


def test_a_field_of_the_name_of_one_with_lines_is_compared() -> None:
    before = ModelOptions(together=(("sale", "day"),))
    assert LineMoves().covers(before, ModelOptions(together=(("sale", "day"),)))
    for together in ((("sale", "hour"),), (("sale",),), (("sale", "day"), ("day",)), (), None):
        assert not LineMoves().covers(before, ModelOptions(together=together))


def test_what_changes_places_is_not_in_order() -> None:
    moves = LineMoves()
    assert moves.covers((on(1), on(2)), (on(2), on(1)))
    assert not moves.are_in_order


def test_an_edit_goes_where_its_span_went() -> None:
    moves = LineMoves()
    assert moves.covers(on(1), on(2))
    assert moves.edit(Edit(on(1), "text")) == Edit(on(2), "text")


def test_an_edit_between_two_lines_goes_where_both_went() -> None:
    moves = LineMoves()
    assert moves.covers((on(1), on(2), on(3), on(5)), (on(2), on(3), on(5), on(8)))

    def moved(line: int) -> int:
        return moves.edit(Edit(Span(line, 1, line, 1), "text")).span.line

    assert [moved(line) for line in (1, 2, 5)] == [2, 3, 8]
    for line in (3, 4):  # To what is above it, or to what is below it? Nothing is said on it.
        with pytest.raises(UnknownLineError):
            moved(line)


def test_what_is_called_as_a_line_is_compared_where_it_is_a_name() -> None:
    options = ModelOptions(together=(("a", "b"),))
    assert LineMoves().covers(options, ModelOptions(together=(("a", "b"),)))
    for other in ((("a", "c"),), (), (("a", "b"), ("c", "d"))):
        assert not LineMoves().covers(options, ModelOptions(together=other))


def test_each_number_in_facts_is_known_for_one_of_a_line_or_for_none() -> None:
    kinds = (PythonFact, Reference, Member, ValueFacts, SqlStatement, SqlFileName)
    numbers = {name for kind in kinds for name in _numbers(inspect.type_info(kind), set())}
    assert numbers >= {"line", "together", "lines", "extent"}
    assert numbers <= LINE_FIELDS | NO_LINES


def _numbers(kind: inspect.Type, seen: set[type]) -> Iterator[str]:
    """Yield the fields of records that hold numbers."""
    if isinstance(kind, inspect.StructType):
        if kind.cls in seen:
            return
        seen.add(kind.cls)
        for field in kind.fields:
            if _is_number(field.type):
                yield field.name
            yield from _numbers(field.type, seen)
    for part in _parts(kind):
        yield from _numbers(part, seen)


def _is_number(kind: inspect.Type) -> bool:
    return isinstance(kind, inspect.IntType) or (
        not isinstance(kind, inspect.StructType) and any(map(_is_number, _parts(kind)))
    )


def _parts(kind: inspect.Type) -> tuple[inspect.Type, ...]:
    if isinstance(kind, inspect.UnionType):
        return kind.types
    if isinstance(kind, inspect.TupleType):
        return kind.item_types
    return (kind.item_type,) if isinstance(kind, inspect.CollectionType) else ()
