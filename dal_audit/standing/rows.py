"""What statements that change rows do to a database, and what they do the second time."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final

from dal_audit.facts.sql import Change, Expression, SqlName
from dal_audit.standing.model import CLEARED, FILLED, ROWS, Thing
from dal_audit.standing.reads import check_reads
from dal_audit.standing.state import State

_LITERAL: Final = re.compile(r"[+-]?[0-9.][\w.]*\Z|(?:[eExXbBnN]|[uU]&)?'.*'\Z", re.DOTALL)
_WORDS: Final = frozenset({"TRUE", "FALSE", "CURRENT_DATABASE"})
_GUARDS: Final = frozenset({"EXISTS", "EXCEPT"})
_CONFLICT: Final = "Write `ON CONFLICT DO NOTHING`."
_OPERATORS: Final = frozenset({"+", "-", "*", "/", "||"})
_UNIQUE: Final = frozenset({"primary-key", "unique"})


def change(state: State, one: Change) -> None:
    """Change the rows of a table."""
    if one.table is None:
        return
    name = state.fold(one.table)
    if state.is_gone(name):
        state.misses(
            one.table.span,
            f"there is no `{one.table.name}`",
            "Change the rows before the table goes, in a migration of its own.",
            name,
        )
    table = state.relations.get(name) or Thing("table")
    if one.verb in {"INSERT", "REPLACE", "MERGE"}:
        _insert(state, one, one.table, table)
    else:
        check_reads(state, one.source, (name,))
        if one.verb == "UPDATE":
            _update(state, one, one.table)
    if table.kind == "table" and one.verb != "UPDATE":
        is_filling = one.verb in {"INSERT", "REPLACE", "MERGE"}
        state.set_part(state.table(name), ROWS, FILLED if is_filling else CLEARED)


def _insert(state: State, one: Change, target: SqlName, table: Thing) -> None:
    name = state.fold(target)
    for column in one.columns:
        folded = state.fold(column)
        if table.lacks(("column", folded)):
            state.misses(
                column.span,
                f"`{name}` has no column `{column.name}`",
                "Name columns that stand after the migration.",
                folded,
            )
    tokens = one.source.tokens if one.source is not None else ()
    words = {token.upper() for token in tokens}
    is_row = bool(tokens) and tokens[0].upper() == "VALUES"
    is_plain = is_row or "FROM" not in words
    if not is_plain:
        check_reads(state, one.source, ())
    is_guarded = bool(words & _GUARDS) or _is_anti_join(tokens)
    if one.verb != "INSERT" or one.conflict is not None or (is_guarded and not is_row):
        return
    if table.text.lower().startswith("fts") and [column.name.lower() for column in one.columns] == [
        target.name.lower()
    ]:
        return  # A command to the index, such as `'rebuild'` (SQLite manual, FTS5 section 6).
    if table.parts.get(ROWS) != FILLED:
        return
    if is_row or (is_plain and "WHERE" not in words):
        key = _constant_key(state, one, table)
        if key:
            listed = ", ".join(f"`{column}`" for column in key)
            state.clashes(
                target.span,
                f"a row with this {listed} stands already",
                _CONFLICT,
                name,
            )
            return
    state.changes(
        "changes-data",
        target.span,
        f"the rows are put into `{target.name}` once more",
        f"{_CONFLICT} Or insert only what is not there yet: `WHERE NOT EXISTS (…)`.",
    )


def _is_anti_join(tokens: Sequence[str]) -> bool:
    """Return whether a query looks for what is not there yet, by `IS NULL` or `NOT IN`."""
    words = [token.upper() for token in tokens]
    return any(pair in {("IS", "NULL"), ("NOT", "IN")} for pair in pairwise(words))


def _constant_key(state: State, one: Change, table: Thing) -> tuple[str, ...]:
    """Return the columns of a unique key in which an `INSERT` writes the same values every time."""
    values = _values(one.source)
    columns = [state.fold(column) for column in one.columns] or table.names("column")
    if values is None or len(values) != len(columns):
        return ()
    given = dict(zip(columns, values, strict=True))
    keys: list[tuple[str, ...]] = [
        part.columns
        for part in (table.parts[("constraint", name)] for name in table.names("constraint"))
        if part.kind in _UNIQUE
    ]
    keys += [index.columns for _, index in state.indexes_of(table) if index.unique]
    for key in keys:
        if key and all(_is_constant(given, column, table) for column in key):
            return key
    return ()


def _is_constant(given: dict[str, tuple[str, ...]], column: str, table: Thing) -> bool:
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
    return len(bare) == 1 and (bool(_LITERAL.match(bare[0])) or bare[0].upper() in _WORDS)


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
    for one in tokens:
        depth += (one in {"(", "["}) - (one in {")", "]"})
        if one == "," and depth == 0:
            values.append([])
        else:
            values[-1].append(one)
    return [tuple(value) for value in values]


def _assignments(state: State, tokens: Sequence[str]) -> Iterator[tuple[str, int, int]]:
    """Yield the columns that an `UPDATE` sets, with where the tokens of their values begin and end.

    Of several that are set at once, `(a, b) = …`, each has all the values.
    """
    words = [token.upper() for token in tokens]
    start = words.index("SET") + 1 if "SET" in words else len(tokens)
    depth = 0
    bounds = [start]
    end = len(tokens)
    for at in range(start, len(tokens)):
        depth += (tokens[at] == "(") - (tokens[at] == ")")
        if depth == 0 and words[at] in {"WHERE", "FROM", "RETURNING"}:
            end = at
            break
        if depth == 0 and tokens[at] == ",":
            bounds.append(at + 1)
    for first, last in pairwise((*bounds, end + 1)):
        one = tokens[first : last - 1]
        if "=" in one:
            at = first + one.index("=")
            for column in (state.fold_token(token) for token in tokens[first:at]):
                if column:
                    yield column, at + 1, last - 1


def set_columns(state: State, tokens: Sequence[str]) -> list[str]:
    """Return the columns that an `UPDATE` sets, folded."""
    return [column for column, _, _ in _assignments(state, tokens)]


def _update(state: State, one: Change, target: SqlName) -> None:
    """Note an `UPDATE` that goes on from what stands, such as `SET n = n + 1`.

    What a condition asks about the column may be a guard, and then nothing is said.
    """
    tokens = one.source.tokens if one.source is not None else ()
    assigned = list(_assignments(state, tokens))
    end = max((last for _, _, last in assigned), default=0)
    later = {state.fold_token(token) for token in tokens[end:]}
    for column, first, last in assigned:
        if column not in later and _goes_on(state, tokens[first:last], column):
            state.changes(
                "changes-data",
                target.span,
                f"`{column}` goes on from what it was set to",
                "Set it to what follows from other columns, or only `WHERE` it is not set yet.",
            )
            return


def _goes_on(state: State, value: Sequence[str], column: str) -> bool:
    """Return whether a value is put together from its own column by an operator."""
    depth = 0
    for at, one in enumerate(value):
        depth += (one == "(") - (one == ")")
        if depth == 0 and state.fold_token(one) == column:
            around = {*value[max(at - 1, 0) : at], *value[at + 1 : at + 2]}
            if around & _OPERATORS:
                return True
    return False
