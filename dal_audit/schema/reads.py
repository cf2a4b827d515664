"""Which tables and columns a statement reads, as far as its tokens show it without doubt."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from msgspec import Struct, field

from dal_audit.facts.sql import Expression
from dal_audit.schema.state import State

_BEFORE_TABLE: Final = frozenset({"FROM", "JOIN", "INTO", "UPDATE", "USING"})
_NO_ALIAS: Final = frozenset(
    {
        "AS", "CROSS", "EXCEPT", "FULL", "GROUP", "HAVING", "INNER", "INTERSECT", "JOIN", "LEFT",
        "LIMIT", "NATURAL", "ON", "ORDER", "OUTER", "RETURNING", "RIGHT", "SET", "UNION", "USING",
        "WHERE", "WINDOW", "WHEN",
    }
)  # fmt: skip
"""Words that may follow a table and are no name for it."""

_ENDS_LIST: Final = frozenset({"WHERE", "SET", "SELECT", "VALUES", ")"})
_BEFORE_STAR: Final = frozenset({"SELECT", ".", ",", "DISTINCT"})
_DEFAULT_SCHEMAS: Final = frozenset({"public", "main"})
_CURE: Final = (
    "Do what reads it and what takes it away in migrations of their own, or guard the reading with "
    "a look at whether it stands."
)


class Reading(Struct):
    """The tables that are read, by the names that they go by, and the names used.

    `names` are what may be columns: each with the table or alias before it, empty where there is
    none, and the token as it is spelled. `words` are all names, once they were asked for.
    """

    tables: dict[str, str] = field(default_factory=dict)
    names: list[tuple[str, str, str]] = field(default_factory=list)
    has_star: bool = False
    words: frozenset[str] | None = None


def reading_of(state: State, tokens: Sequence[str], target: str = "") -> Reading:
    """Return what the tokens of a statement read; `target` is the table that it is about.

    A statement is run several times, and read once.
    """
    key = (id(tokens), target)
    known = state.readings.get(key)
    if known is None or known[0] is not tokens:
        known = state.readings[key] = (tokens, _Reader(state, tokens).read(target))
    reading: Reading = known[1]
    return reading


def words_read(state: State, tokens: Sequence[str]) -> frozenset[str]:
    """Return all names in the tokens of a query: those of which the table is said as `t.column`."""
    reading = reading_of(state, tokens)
    if reading.words is None:
        reading.words = frozenset(_words(state, tokens, reading.tables))
    return reading.words


def _words(state: State, tokens: Sequence[str], tables: Mapping[str, str]) -> Iterator[str]:
    for at, token in enumerate(tokens):
        name = state.fold_token(token)
        if name:
            is_qualified = at > 1 and tokens[at - 1] == "."
            table = tables.get(state.fold_token(tokens[at - 2]), "") if is_qualified else ""
            yield f"{table}.{name}" if table else name


class _Reader:
    """Goes through the tokens of a statement and notes the tables and names in it."""

    def __init__(self, state: State, tokens: Sequence[str]) -> None:
        self._state = state
        self._tokens = tokens
        self._words = ["", *(token.upper() for token in tokens), "", "", ""]
        self._found = Reading()

    def _word(self, index: int) -> str:
        """Return a token in capitals; empty before the first, and for three behind the last."""
        return self._words[index + 1]

    def _name(self, index: int) -> str:
        """Return the name that a token is, folded; empty where it is none."""
        return self._state.fold_token(self._tokens[index]) if index < len(self._tokens) else ""

    def read(self, target: str) -> Reading:
        """Return what is read."""
        if target:
            self._found.tables[target.rpartition(".")[2]] = target
        index = 0
        lists_tables = False
        while index < len(self._tokens):
            word = self._word(index)
            at = index + 1
            if self._is_before_table(word, index, lists_tables=lists_tables):
                at = self._read_table(index + 1)
            elif word in _ENDS_LIST:
                lists_tables = False
            if at > index + 1:
                lists_tables = word in {"FROM", ","}
            index = at if at > index + 1 else self._read_name(index)
        return self._found

    def _is_before_table(self, word: str, index: int, *, lists_tables: bool) -> bool:
        if word == ",":
            return lists_tables
        return word in _BEFORE_TABLE and self._word(index - 1) != "DISTINCT"

    def _read_table(self, index: int) -> int:
        """Read a table's name and alias; return where they end: the place itself if none is there.

        A function is none.
        """
        at = index
        while self._word(at) in {"ONLY", "LATERAL"}:
            at += 1
        parts: list[str] = []
        while part := self._name(at):
            parts.append(part)
            at += 1
            if self._word(at) != ".":
                break
            at += 1
        if not parts or self._word(at) == "(":
            return index
        name = ".".join(parts[1:] if len(parts) > 1 and parts[0] in _DEFAULT_SCHEMAS else parts)
        self._found.tables[parts[-1]] = name
        at += self._word(at) == "AS"
        alias = self._name(at) if self._word(at) not in _NO_ALIAS else ""
        if alias:
            self._found.tables[alias] = name
        return at + bool(alias)

    def _read_name(self, index: int) -> int:
        """Read a name, with what qualifies it, or a token that is none; return where it ends."""
        name, before, after = self._name(index), self._word(index - 1), self._word(index + 1)
        if not name or before in {"AS", "::", ":"} or after == "(":
            self._found.has_star |= self._word(index) == "*" and before in _BEFORE_STAR
            return index + 1
        if after != ".":
            self._found.names.append(("", name, self._tokens[index]))
            return index + 1
        last = self._name(index + 2)
        self._found.has_star |= self._word(index + 2) == "*"
        if last and self._word(index + 3) not in {".", "("}:
            self._found.names.append((name, last, self._tokens[index + 2]))
        return index + 3


def has_open_star(state: State, tokens: Sequence[str]) -> bool:
    """Return whether a query reads all columns of what it does not define itself.

    `count(*)` and a product are no such thing, nor is `SELECT * FROM` a query that `WITH` names.
    """
    if not reading_of(state, tokens).has_star:
        return False
    words = ["", *(token.upper() for token in tokens), "", "", ""]
    defined = {
        word
        for before, word, verb, opening in zip(words, words[1:], words[2:], words[3:], strict=False)
        if before in {"WITH", "RECURSIVE", ","} and verb == "AS" and opening == "("
    }
    return any(
        words[at] == "*"
        and words[at - 1] in _BEFORE_STAR
        and not (words[at + 1] == "FROM" and words[at + 2] in defined and words[at + 3] in _ALONE)
        for at in range(1, len(words) - 3)
    )


_ALONE: Final = frozenset({"", ")", ";", "UNION", "EXCEPT", "INTERSECT", "WHERE", "ORDER", "LIMIT"})
"""What follows the one table of a query."""


def missing_of(state: State, reading: Reading) -> Iterator[tuple[str, str]]:
    """Yield the tables that are read and known to be gone, and the columns, with their tables."""
    pool = [name for name in dict.fromkeys(reading.tables.values()) if name in state.relations]
    for name in filter(state.is_gone, pool):
        yield name, ""
    for qualifier, column, spelled in reading.names:
        meant = (reading.tables[qualifier],) if qualifier in reading.tables else ()
        within = meant if qualifier or _may_be_text(state, spelled) else pool
        had = _first_with(state, within, column)
        if had and _all_lack(state, within, column):
            yield had, column


def _first_with(state: State, names: Sequence[str], column: str) -> str:
    """Return the first table that ever had a column; empty where none had."""
    return next((name for name in names if column in state.former_columns.get(name, ())), "")


def _may_be_text(state: State, spelled: str) -> bool:
    """Return whether a name is a string where no column is called so: in SQLite, in quotes."""
    return state.is_sqlite and spelled.startswith('"')


def _all_lack(state: State, names: Sequence[str], column: str) -> bool:
    """Return whether all of these are tables that are known to lack a column."""
    tables = [state.relations.get(name) for name in names]
    return all(
        table is not None and table.kind == "table" and table.lacks(("column", column))
        for table in tables
    )


def check_reads(state: State, expression: Expression | None, targets: Sequence[str]) -> None:
    """Note what an expression reads and what no longer stands: the first of it."""
    if expression is None:
        return
    reading = reading_of(state, expression.tokens, *targets)
    for table, column in missing_of(state, reading):
        reason = f"`{table}` has no column `{column}`" if column else f"there is no `{table}`"
        state.missing_object(expression.span, reason, _CURE, column or table)
        return
