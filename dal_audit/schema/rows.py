"""What statements that change rows do to a database, and what they do the second time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise, takewhile
from typing import Final

from dal_audit.facts.sql import Change, Expression, SqlName
from dal_audit.schema.enum_labels import unknown_label
from dal_audit.schema.objects_model import ABSENT, DbObject
from dal_audit.schema.reads import check_reads
from dal_audit.schema.row_history import (
    FILLING,
    LITERAL,
    ends_itself,
    note_rows,
    takes_place,
    was_filled_before,
)
from dal_audit.schema.state import State
from dal_audit.schema.table_parts import unique_keys

_WORDS: Final = frozenset({"TRUE", "FALSE", "CURRENT_DATABASE"})
_GUARDS: Final = frozenset({"EXISTS", "EXCEPT"})
_CONFLICT: Final = "Write `ON CONFLICT DO NOTHING`."
_OPERATORS: Final = frozenset({"+", "-", "*", "/", "||"})


def change_rows(state: State, change: Change) -> None:
    """Change the rows of a table."""
    if change.table is None:
        return
    name = state.fold(change.table)
    if state.is_gone(name):
        state.missing_object(
            change.table.span,
            f"there is no `{change.table.name}`",
            "Change the rows before the table goes, in a migration of its own.",
            name,
        )
    table = state.relations.get(name) or DbObject("table")
    if change.verb in FILLING:
        _insert(state, change, change.table, table)
    else:
        check_reads(state, change.source, (name,))
        _check_labels(state, change, table)
        if change.verb == "UPDATE":
            _update(state, change, change.table)
    if table.kind == "table" and change.verb != "UPDATE":
        note_rows(state, change, state.table(name))


def _check_labels(state: State, change: Change, table: DbObject) -> None:
    """Note that PostgreSQL does not know a text as a label of the enumeration that a column is."""
    if state.is_sqlite or change.source is None:
        return
    column, text = unknown_label(state, change.source.tokens, table)
    if column:
        reason = f"`{column}` is of a type without the label {text}"
        cure = "Compare it as text: `CAST(… AS TEXT)`."
        state.missing_object(change.source.span, reason, cure, column)


def _insert(state: State, change: Change, target: SqlName, table: DbObject) -> None:
    _check_columns(state, change, state.fold(target), table)
    tokens = change.source.tokens if change.source is not None else ()
    words = [token.upper() for token in tokens]
    is_row = words[:1] == ["VALUES"]
    if not is_row and "FROM" in words:
        check_reads(state, change.source, ())
    if not _repeats(change) or _is_command(change, target, table):
        return
    if is_row or not _looks_first(words):
        first = _constant_key(state, change, table, words)
        _put_in(state, target, table, [first, *_keys_behind(state, change, table, first)])


def _put_in(
    state: State, target: SqlName, table: DbObject, rows: Sequence[Mapping[str, str]]
) -> None:
    """Note that rows are put in again, which have these values in a unique key, if they have one.

    Those that take the place of rows that were taken out are none.
    """
    again = [row for row in rows if len(row) != 1 or not takes_place(state, table, *row.items())]
    if not again or not was_filled_before(state, table):
        return
    if again[0] or not table.parts.get(ABSENT):
        _note_repeated(state, target, tuple(again[0]))


def _keys_behind(
    state: State, change: Change, table: DbObject, first: Mapping[str, str]
) -> Iterator[dict[str, str]]:
    """Yield the values of further rows in the key of the first, where they are literals."""
    columns = [state.fold(column) for column in change.columns] or table.names("column")
    for values in change.further:
        given = dict(zip(columns, values, strict=False))
        row = {column: given.get(column, "") for column in first}
        if row and all(row.values()):
            yield row


def _check_columns(state: State, change: Change, name: str, table: DbObject) -> None:
    """Note the columns into which values are put, and that are gone."""
    for column in change.columns:
        folded = state.fold(column)
        if table.lacks(("column", folded)):
            reason = f"`{name}` has no column `{column.name}`"
            cure = "Name columns that stand after the migration."
            state.missing_object(column.span, reason, cure, folded)


def _repeats(change: Change) -> bool:
    """Return whether rows are put in whatever stands there."""
    return change.verb == "INSERT" and change.conflict is None


def _is_command(change: Change, target: SqlName, table: DbObject) -> bool:
    """Return whether a row is a command to an index of texts, such as `'rebuild'`.

    It is put into the column that is called as the table (SQLite manual, FTS5 section 6).
    """
    columns = [column.name.lower() for column in change.columns]
    return table.text.lower().startswith("fts") and columns == [target.name.lower()]


def _note_repeated(state: State, target: SqlName, key: tuple[str, ...]) -> None:
    """Note that the same rows are inserted again, which have a unique key if it is not empty."""
    if key:
        listed = ", ".join(f"`{column}`" for column in key)
        reason = f"a row with this {listed} stands already"
        state.existing_object(target.span, reason, _CONFLICT, state.fold(target))
        return
    if state.opaque_code.names(state.fold(target)):
        return  # Other code may make the table anew.
    state.note_change(
        "changes-data",
        target.span,
        f"the rows are put into `{target.name}` once more",
        f"{_CONFLICT} Or insert only what is not there yet: `WHERE NOT EXISTS (…)`.",
    )


def _looks_first(words: Sequence[str]) -> bool:
    """Return whether a query looks for what is not there yet, as by `EXISTS` or `NOT IN`."""
    is_anti_join = any(pair in {("IS", "NULL"), ("NOT", "IN")} for pair in pairwise(words))
    return is_anti_join or not _GUARDS.isdisjoint(words)


def _constant_key(
    state: State, change: Change, table: DbObject, words: Sequence[str]
) -> dict[str, str]:
    """Return a unique key in which an `INSERT` writes the same every time, with its values."""
    is_row = words[:1] == ["VALUES"] or {"FROM", "WHERE"}.isdisjoint(words)
    values = _values(change.source) if is_row else None
    columns = [state.fold(column) for column in change.columns] or table.names("column")
    if values is None or len(values) != len(columns):
        return {}
    given = dict(zip(columns, values, strict=True))
    for key in unique_keys(state, table):
        if all(_is_constant(given, column, table) for column in key):
            return {column: " ".join(given.get(column, ())) for column in key}
    return {}


def _is_constant(given: dict[str, tuple[str, ...]], column: str, table: DbObject) -> bool:
    """Return whether a column gets the same value whenever the row is inserted, and no NULL."""
    tokens: Sequence[str] = given.get(column, ())
    if column not in given:
        part = table.parts.get(("column", column))
        if part is None or part.default is None:
            return False
        tokens = part.default.split(" ")
    bare = [token for token in tokens if token not in {"(", ")", "-", "+"}]
    if len(bare) > 1 and bare[1] == "::":
        bare = bare[:1]
    return len(bare) == 1 and (bool(LITERAL.match(bare[0])) or bare[0].upper() in _WORDS)


def _values(source: Expression | None) -> list[tuple[str, ...]] | None:
    """Return the tokens of each value in a row: of `VALUES`, or of a `SELECT` without a table."""
    if source is None or not source.tokens:
        return None
    tokens = list(source.tokens)
    if tokens[0].upper() == "VALUES":
        tokens = tokens[2:-1]
    elif tokens[0].upper() == "SELECT":
        tokens = tokens[1:]
    else:
        return None
    values: list[list[str]] = [[]]
    depth = 0
    for spelled in tokens:
        depth += (spelled in {"(", "["}) - (spelled in {")", "]"})
        if spelled == "," and depth == 0:
            values.append([])
        else:
            values[-1].append(spelled)
    return [tuple(value) for value in values]


def _assignments(state: State, tokens: Sequence[str]) -> Iterator[tuple[str, int, int]]:
    """Yield the columns that an `UPDATE` sets, with where the tokens of their values begin and end.

    Of several that are set at once, `(a, b) = …`, each has all the values.
    """
    for first, last in pairwise(_bounds(tokens)):
        assigned = tokens[first : last - 1]
        at = first + assigned.index("=") if "=" in assigned else first
        for column in filter(None, map(state.fold_token, tokens[first:at])):
            yield column, at + 1, last - 1


def _bounds(tokens: Sequence[str]) -> list[int]:
    """Return where the assignments of an `UPDATE` begin, and behind the last where one would."""
    words = [token.upper() for token in tokens]
    start = words.index("SET") + 1 if "SET" in words else len(tokens)
    bounds = [start]
    depth = 0
    for at in range(start, len(tokens)):
        depth += (tokens[at] == "(") - (tokens[at] == ")")
        if depth == 0 and words[at] in {"WHERE", "FROM", "RETURNING"}:
            return [*bounds, at + 1]
        if depth == 0 and tokens[at] == ",":
            bounds.append(at + 1)
    return [*bounds, len(tokens) + 1]


def set_columns(state: State, tokens: Sequence[str]) -> list[str]:
    """Return the columns that an `UPDATE` sets, folded."""
    return [column for column, _, _ in _assignments(state, tokens)]


def columns_set_whole(state: State, tokens: Sequence[str]) -> list[str]:
    """Return the columns that an `UPDATE` of a single table sets, folded; not those set in part."""
    words = [token.upper() for token in tokens]
    if "SET" not in words or not {"JOIN", ","}.isdisjoint(words[: words.index("SET")]):
        return []
    found: list[str] = []
    for first, last in pairwise(_bounds(tokens)):
        named = list(takewhile(lambda spelled: spelled != "=", tokens[first : last - 1]))
        if not {".", "["} & set(named):
            found += filter(None, map(state.fold_token, named))
    return found


def _update(state: State, change: Change, target: SqlName) -> None:
    """Note an `UPDATE` that goes on from what stands, such as `SET n = n + 1`.

    What a condition asks about the column may be a guard, and then nothing is said.
    """
    tokens = change.source.tokens if change.source is not None else ()
    assigned = list(_assignments(state, tokens))
    end = max((last for _, _, last in assigned), default=0)
    values = {column: tokens[first:last] for column, first, last in assigned}
    if ends_itself(state, values, tokens[end:]):
        return
    later = {state.fold_token(token) for token in tokens[end:]}
    for column, first, last in assigned:
        if column not in later and _goes_on(state, tokens[first:last], column):
            state.note_change(
                "changes-data",
                target.span,
                f"`{column}` goes on from what it was set to",
                "Set it to what follows from other columns, or only `WHERE` it is not set yet.",
            )
            return


def _goes_on(state: State, value: Sequence[str], column: str) -> bool:
    """Return whether a value is put together from its own column by an operator."""
    depth = 0
    for at, spelled in enumerate(value):
        depth += (spelled == "(") - (spelled == ")")
        if depth == 0 and state.fold_token(spelled) == column:
            around = {*value[max(at - 1, 0) : at], *value[at + 1 : at + 2]}
            if around & _OPERATORS:
                return True
    return False
