"""A schema of SQLite in portable terms, as its pragmas tell it.

A check is not told by any: it is read from the table's own text. Source: the manual, "PRAGMA
Statements".
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable, Iterator
from typing import Any, Final, TypeAlias

from dal_audit.extract.sql.scripts import statements_of
from dal_audit.extract.sql.tokens import Kind, Token, tokenize
from dal_audit.facts.sql import Constraint, CreateTable
from dal_audit.replay.model import Aspects
from dal_audit.replay.portable_types import (
    EXPRESSION,
    columns_of,
    default_of,
    foreign_key,
    index_value,
    several,
)

Pairs: TypeAlias = Iterator[tuple[str, str]]

_NAMED: Final = re.compile(r"\0constraint\0[^\0]+\0")
"""A constraint's name, in words between which NUL stands."""
_BRACKETED: Final = re.compile(r"default\0\(\0([^\0()]+)\0\)")
"""A default of one word in brackets."""


def aspects_of(connection: sqlite3.Connection) -> Aspects:
    """Return the schema of a database."""
    rows = connection.execute(
        "SELECT type, name, sql FROM sqlite_master WHERE type IN ('table', 'view')"
        " AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
    ).fetchall()
    shadows = _shadows(connection)
    found: Aspects = {}
    for kind, name, sql in rows:
        found[f"{kind} {name.lower()}"] = ""
        if kind == "table" and name not in shadows:
            found.update(_table(connection, name, sql or ""))
        elif name in shadows:
            del found[f"{kind} {name.lower()}"]
    return found


def definition_of(sql: str) -> str:
    """Return what a text of the schema's table says, without case, quotes, spaces and comments.

    The columns and constraints of a table are in the order of the alphabet: a column that comes
    back stands last. A copy of a table may have brackets around a default, and a name for a
    constraint that had none: SQLite makes nothing of either.
    """
    words = [_bare(token) for token in tokenize(sql) if token.kind is not Kind.COMMENT]
    if words[:2] != ["create", "table"] or "(" not in words:
        return " ".join(words)
    opening = words.index("(")
    rows = [""]
    depth = 0
    for word in words[opening + 1 :]:
        depth += (word == "(") - (word == ")")
        if depth == 0 and word == ",":
            rows.append("")
        else:
            rows[-1] += f"\0{word}"
    rows[-1], _, options = rows[-1].rpartition("\0)")
    plain = (_BRACKETED.sub(r"default\0\1", _NAMED.sub("\0", row)) for row in rows)
    return ",".join((*words[:opening], *sorted(plain), options)).replace("\0", " ")


def _bare(token: Token) -> str:
    if token.kind is Kind.QUOTED:
        return token.text[1:-1].lower()
    return token.text if token.kind is Kind.STRING else token.text.lower()


def _shadows(connection: sqlite3.Connection) -> set[str]:
    """Return the tables in which virtual tables keep what they hold (since SQLite 3.37)."""
    rows = connection.execute("PRAGMA table_list").fetchall()
    return {row[1] for row in rows if row[2] == "shadow"}


def _table(connection: sqlite3.Connection, name: str, sql: str) -> Pairs:
    table = name.lower()
    columns = _pragma(connection, "table_xinfo", name)
    keys = [row[1] for row in sorted(columns, key=lambda row: row[5]) if row[5]]
    for _, column, _, not_null, default, key, hidden in columns:
        subject = f"{table}.{column.lower()}"
        yield f"column {subject}", ""
        # In a key, only silent-divergence speaks of SQLite's NULL.
        yield f"nullability {subject}", "not null" if not_null or key else "null"
        if hidden == 0:
            yield f"default {subject}", default_of(default)
    yield f"primary-key {table}", columns_of(keys) if keys else ""
    yield from _indexes(connection, name)
    yield f"foreign-keys {table}", several(_foreign_keys(connection, name))
    yield f"checks {table}", several(_checks(sql, [row[1].lower() for row in columns]))


def _indexes(connection: sqlite3.Connection, name: str) -> Pairs:
    uniques = []
    for _, index, unique, origin, partial in _pragma(connection, "index_list", name):
        keys = [row for row in _pragma(connection, "index_xinfo", index) if row[5]]
        if origin == "c":
            written = [f"{row[2] or EXPRESSION}{' desc' if row[3] else ''}" for row in keys]
            value = index_value(name, written, unique=bool(unique), partial=bool(partial))
            yield f"index {index.lower()}", value
        elif origin == "u":
            uniques.append(columns_of(sorted(row[2].lower() for row in keys)))
    yield f"unique-sets {name.lower()}", several(set(uniques))


def _foreign_keys(connection: sqlite3.Connection, name: str) -> Iterator[str]:
    keys: dict[int, list[tuple[Any, ...]]] = {}
    for row in _pragma(connection, "foreign_key_list", name):
        keys.setdefault(row[0], []).append(row)
    for rows in keys.values():
        rows.sort(key=lambda row: row[1])
        _, _, table, _, _, updated, deleted, _ = rows[0]
        referenced = [row[4] for row in rows]
        if None in referenced:  # It refers to the primary key.
            others = _pragma(connection, "table_info", table)
            referenced = [row[1] for row in sorted(others, key=lambda row: row[5]) if row[5]]
        yield foreign_key([row[3] for row in rows], table, referenced, deleted, updated)


def _checks(sql: str, columns: list[str]) -> Iterator[str]:
    """Yield the columns that each check of a table speaks of."""
    made = [statement.structure for statement in statements_of(sql)]
    if len(made) != 1 or not isinstance(made[0], CreateTable):
        return
    constraints: list[Constraint] = [*made[0].constraints]
    for column in made[0].columns:
        constraints += column.constraints
    for constraint in constraints:
        if constraint.kind == "check" and constraint.expression is not None:
            words = {token.strip('"`[]').lower() for token in constraint.expression.tokens}
            yield columns_of(_within(columns, words))


def _within(columns: Iterable[str], words: set[str]) -> list[str]:
    return sorted(column for column in columns if column in words)


def _pragma(connection: sqlite3.Connection, name: str, of: str) -> list[tuple[Any, ...]]:
    quoted = of.replace('"', '""')
    return connection.execute(f'PRAGMA {name}("{quoted}")').fetchall()
