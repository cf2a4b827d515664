"""Which tables and columns a statement reads, as far as its tokens show it without doubt."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from msgspec import Struct, field

from dal_audit.facts.sql import Expression
from dal_audit.standing.state import State

_BEFORE_TABLE: Final = frozenset({"FROM", "JOIN", "INTO", "UPDATE", "USING"})
_NO_ALIAS: Final = frozenset(
    {
        "AS", "CROSS", "EXCEPT", "FULL", "GROUP", "HAVING", "INNER", "INTERSECT", "JOIN", "LEFT",
        "LIMIT", "NATURAL", "ON", "ORDER", "OUTER", "RETURNING", "RIGHT", "SET", "UNION", "USING",
        "WHERE", "WINDOW", "WHEN",
    }
)  # fmt: skip
"""Words that may follow a table and are no name for it."""

_CURE: Final = (
    "Do what reads it and what takes it away in migrations of their own, or guard the reading with "
    "a look at whether it stands."
)


class Reading(Struct):
    """The tables that are read, by the names that they go by, and the names used.

    `names` are what may be columns: each with the table or alias before it, empty where there is
    none, and the token as it is spelled.
    """

    tables: dict[str, str] = field(default_factory=dict)
    names: list[tuple[str, str, str]] = field(default_factory=list)
    has_star: bool = False


def reading_of(state: State, tokens: Sequence[str], target: str = "") -> Reading:
    """Return what the tokens of a statement read; `target` is the table that it is about."""
    found = Reading()
    if target:
        found.tables[target.rpartition(".")[2]] = target
    index = 0
    lists_tables = False
    while index < len(tokens):
        word = tokens[index].upper()
        if word in _BEFORE_TABLE or (word == "," and lists_tables):
            is_distinct = index > 0 and tokens[index - 1].upper() == "DISTINCT"
            at = _table(state, tokens, index + 1, found) if not is_distinct else index
            if at > index + 1:
                lists_tables = word in {"FROM", ","}
                index = at
                continue
        elif word in {"WHERE", "SET", "SELECT", "VALUES", ")"}:
            lists_tables = False
        index = _name(state, tokens, index, found)
    return found


def _table(state: State, tokens: Sequence[str], index: int, found: Reading) -> int:
    """Read a table's name and alias; return where they end: the place itself if none is there."""
    at = index
    while at < len(tokens) and tokens[at].upper() in {"ONLY", "LATERAL"}:
        at += 1
    parts: list[str] = []
    while at < len(tokens) and (part := state.fold_token(tokens[at])):
        parts.append(part)
        at += 1
        if at < len(tokens) and tokens[at] == ".":
            at += 1
        else:
            break
    if not parts or (at < len(tokens) and tokens[at] == "("):
        return index
    if len(parts) > 1 and parts[0] in {"public", "main"}:
        parts = parts[1:]
    name = ".".join(parts)
    found.tables[parts[-1]] = name
    if at < len(tokens) and tokens[at].upper() == "AS":
        at += 1
    if at < len(tokens) and tokens[at].upper() not in _NO_ALIAS:
        alias = state.fold_token(tokens[at])
        if alias:
            found.tables[alias] = name
            at += 1
    return at


def _name(state: State, tokens: Sequence[str], index: int, found: Reading) -> int:
    """Read a name, with what qualifies it, or one token that is none; return where it ends."""
    spelled = tokens[index]
    before = tokens[index - 1].upper() if index else ""
    if spelled == "*" and before in {"SELECT", ".", ",", "DISTINCT"}:
        found.has_star = True
        return index + 1
    first = state.fold_token(spelled)
    after = tokens[index + 1] if index + 1 < len(tokens) else ""
    if not first or before in {"AS", "::", ":"} or after == "(":
        return index + 1
    if after != ".":
        found.names.append(("", first, spelled))
        return index + 1
    last = tokens[index + 2] if index + 2 < len(tokens) else ""
    name = state.fold_token(last)
    if name and (index + 3 >= len(tokens) or tokens[index + 3] not in {".", "("}):
        found.names.append((first, name, last))
    elif last == "*":
        found.has_star = True
    return index + 3


def missing_of(state: State, reading: Reading) -> Iterator[tuple[str, str]]:
    """Yield the tables that are read and known to be gone, and the columns, with their tables."""
    pool = [name for name in dict.fromkeys(reading.tables.values()) if name in state.relations]
    for name in pool:
        if state.is_gone(name):
            yield name, ""
    for qualifier, column, spelled in reading.names:
        if state.is_sqlite and spelled.startswith('"') and not qualifier:
            continue  # A string, where no column is called so.
        within = [reading.tables[qualifier]] if qualifier in reading.tables else pool
        if qualifier and qualifier not in reading.tables:
            continue
        had = [name for name in within if column in state.former.get(name, ())]
        if had and all(_lacks(state, name, column) for name in within):
            yield had[0], column


def _lacks(state: State, name: str, column: str) -> bool:
    table = state.relations.get(name)
    if table is None or table.kind != "table":
        return False
    return table.lacks(("column", column))


def check_reads(state: State, expression: Expression | None, targets: Sequence[str]) -> None:
    """Note what an expression reads and what no longer stands: the first of it."""
    if expression is None:
        return
    reading = reading_of(state, expression.tokens, *targets)
    for table, column in missing_of(state, reading):
        reason = f"`{table}` has no column `{column}`" if column else f"there is no `{table}`"
        state.misses(expression.span, reason, _CURE, column or table)
        return
