"""Read the statements about everything but tables and indexes, and those about rows."""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from dal_audit.extract.sql.cursor import Cursor
from dal_audit.extract.sql.elements import read_type
from dal_audit.extract.sql.tables import read_clause
from dal_audit.extract.sql.tokens import Kind
from dal_audit.extract.sql.trees import view_query
from dal_audit.extract.sql.value_rows import rows_behind
from dal_audit.facts.sql import (
    AlterObject,
    Change,
    Clause,
    CreateObject,
    Drop,
    Expression,
    SqlName,
    SqlType,
)

_OBJECTS: Final = (
    ("ACCESS", "METHOD"),
    ("AGGREGATE",),
    ("CAST",),
    ("COLLATION",),
    ("CONSTRAINT", "TRIGGER"),
    ("CONVERSION",),
    ("DATABASE",),
    ("DEFAULT", "PRIVILEGES"),
    ("DOMAIN",),
    ("EVENT", "TRIGGER"),
    ("EVENT",),
    ("EXTENSION",),
    ("FOREIGN", "DATA", "WRAPPER"),
    ("FOREIGN", "TABLE"),
    ("FUNCTION",),
    ("GROUP",),
    ("INDEX",),
    ("LANGUAGE",),
    ("MATERIALIZED", "VIEW"),
    ("OPERATOR", "CLASS"),
    ("OPERATOR", "FAMILY"),
    ("OPERATOR",),
    ("OWNED", "BY"),
    ("POLICY",),
    ("PROCEDURE",),
    ("PUBLICATION",),
    ("ROLE",),
    ("ROUTINE",),
    ("RULE",),
    ("SCHEMA",),
    ("SEQUENCE",),
    ("SERVER",),
    ("STATISTICS",),
    ("SUBSCRIPTION",),
    ("SYSTEM",),
    ("TABLE",),
    ("TABLESPACE",),
    ("TEXT", "SEARCH", "CONFIGURATION"),
    ("TEXT", "SEARCH", "DICTIONARY"),
    ("TEXT", "SEARCH", "PARSER"),
    ("TEXT", "SEARCH", "TEMPLATE"),
    ("TRANSFORM",),
    ("TRIGGER",),
    ("TYPE",),
    ("USER", "MAPPING"),
    ("USER",),
    ("VIEW",),
)
"""What `CREATE`, `ALTER` and `DROP` are about, in PostgreSQL, SQLite and MySQL."""

_OBJECTS_BY_WORD: Final = {
    first: tuple(words for words in _OBJECTS if words[0] == first)
    for first in {words[0] for words in _OBJECTS}
}

_NAMELESS: Final = frozenset(
    {"cast", "default privileges", "operator", "owned by", "system", "transform", "user mapping"}
)
_VIEWS: Final = frozenset({"view", "materialized view"})
_ON_A_TABLE: Final = frozenset({"trigger", "constraint trigger", "policy"})


def read_object(cursor: Cursor) -> str:
    """Read what a statement is about, and return it in lower case; empty for what is not known."""
    for words in _OBJECTS_BY_WORD.get(cursor.word(), ()):
        if cursor.takes(*words):
            return " ".join(words).lower()
    return ""


def create_object(cursor: Cursor, what: str, *, or_replace: bool, temporary: bool) -> CreateObject:
    """Read what follows `CREATE` and the object's kind.

    Raises NotUnderstoodError where no name follows.
    """
    if_not_exists = cursor.takes("IF", "NOT", "EXISTS")
    name = None if _is_unnamed(cursor, what) else cursor.name()
    start = cursor.at
    table: SqlName | None = None
    declared: SqlType | None = None
    values: tuple[str, ...] = ()
    if what in _ON_A_TABLE:
        if not cursor.skip_to("ON"):
            raise cursor.error("`ON` and a table were expected")
        cursor.expect("ON")
        table = cursor.name()
    elif what == "domain":
        cursor.takes("AS")
        declared = read_type(cursor)
    elif what == "type" and cursor.takes("AS", "ENUM"):
        what, values = "enum", _labels(cursor)
    cursor.at = cursor.limit
    rest = cursor.expression(start) if start < cursor.limit else None
    if rest is not None and what in _VIEWS:
        rest = replace(rest, tree=view_query(cursor, start))
    return CreateObject(
        what,
        name,
        or_replace=or_replace,
        if_not_exists=if_not_exists,
        temporary=temporary,
        table=table,
        type=declared,
        values=values,
        rest=rest,
    )


def _is_unnamed(cursor: Cursor, what: str) -> bool:
    """Return whether what is created is given no name."""
    if what == "schema":
        return cursor.sees("AUTHORIZATION")
    if what == "statistics":
        return cursor.word() in {"ON", "("}
    return what in _NAMELESS


def _labels(cursor: Cursor) -> tuple[str, ...]:
    """Read the labels of an enumeration, without their quotes."""
    if not cursor.sees("("):
        raise cursor.error("an enumeration's labels were expected")
    end = cursor.group_end()
    return tuple(
        token.text[1:-1].replace("''", "'")
        for token in cursor.tokens[cursor.at : end]
        if token.kind is Kind.STRING
    )


def alter_object(cursor: Cursor, what: str) -> AlterObject:
    """Read what follows `ALTER` and the object's kind."""
    if_exists = cursor.takes("IF", "EXISTS")
    name = None if what in _NAMELESS else cursor.name()
    start = cursor.at
    new_name: SqlName | None = None
    while cursor.skip_to("RENAME"):
        cursor.at += 1
        if cursor.takes("TO"):
            new_name = cursor.name()
            break
    cursor.at = cursor.limit
    rest: Expression | None = cursor.expression(start) if start < cursor.limit else None
    return AlterObject(what, name, new_name, rest, if_exists=if_exists)


def drop(cursor: Cursor, what: str) -> Drop:
    """Read what follows `DROP` and the object's kind."""
    if what == "index":
        cursor.takes("CONCURRENTLY")
    if_exists = cursor.takes("IF", "EXISTS")
    dropped = [] if what in _NAMELESS else _dropped(cursor, what)
    table = cursor.name() if cursor.takes("ON") else None
    cascade = cursor.takes_one("CASCADE", "RESTRICT") == "CASCADE"
    if dropped and not cursor.done:
        raise cursor.error("a comma or the end of the statement was expected")
    arguments = tuple(count for _, count in dropped)
    return Drop(
        what,
        tuple(name for name, _ in dropped),
        if_exists=if_exists,
        cascade=cascade,
        table=table,
        arguments=arguments if set(arguments) - {None} else (),
    )


def _dropped(cursor: Cursor, what: str) -> list[tuple[SqlName, int | None]]:
    """Read the names of what is dropped, each with how many arguments a routine has, if it says."""
    found: list[tuple[SqlName, int | None]] = []
    while True:
        name = cursor.name()
        found.append((name, _count_group(cursor) if cursor.sees("(") else None))
        if what in {"operator class", "operator family"} and cursor.takes("USING"):
            cursor.name()
        if not cursor.takes(","):
            return found


def _count_group(cursor: Cursor) -> int:
    """Move over a parenthesis, and return how many items stand in it, between commas."""
    start, depth = cursor.at + 1, cursor.token.depth + 1
    cursor.skip_group()
    inside = range(start, cursor.at - 1)
    commas = sum(cursor.words[at] == "," and cursor.tokens[at].depth == depth for at in inside)
    return commas + 1 if inside else 0


def insert(cursor: Cursor, verb: str) -> Change:
    """Read what follows `INSERT` or `REPLACE`, up to the columns; then look for its conflicts."""
    start = cursor.at
    conflict = _or_clause(cursor)
    if conflict is None and cursor.takes_one("IGNORE", "LOW_PRIORITY", "DELAYED"):
        conflict = read_clause(cursor, start, cursor.at)
    if not cursor.takes("INTO") and conflict is None:
        raise cursor.error("`INTO` was expected")
    cursor.takes("TABLE")
    table = cursor.name()
    if cursor.takes("AS"):
        cursor.name()
    columns = _columns(cursor) if cursor.opens_list() else ()
    source = _rows(cursor)
    further = rows_behind(cursor)
    while _skips_to_conflict(cursor):
        at = cursor.at
        cursor.at += 2
        cursor.skip_to("RETURNING")
        conflict = read_clause(cursor, at, cursor.at)
    return Change(verb, table, columns, conflict, source, further)


def _or_clause(cursor: Cursor) -> Clause | None:
    """Read what a verb says of conflicts: `OR IGNORE`."""
    start = cursor.at
    if not cursor.takes("OR"):
        return None
    cursor.name()
    return read_clause(cursor, start, cursor.at)


def _columns(cursor: Cursor) -> tuple[SqlName, ...]:
    """Read the names of columns in their parenthesis; parts of an array or a record count as it."""
    found = []
    end = cursor.group_end()
    cursor.at += 1
    while cursor.at < end:
        found.append(cursor.name())
        if cursor.sees("["):
            cursor.skip_to(",")
        if cursor.at < end:
            cursor.expect(",")
    cursor.at = end + 1
    return tuple(found)


def _skips_to_conflict(cursor: Cursor) -> bool:
    """Move to the next `ON CONFLICT` or `ON DUPLICATE KEY`; return whether there is one."""
    while cursor.skip_to("ON"):
        if cursor.word(1) in {"CONFLICT", "DUPLICATE"}:
            return True
        cursor.at += 1
    return False


def _rows(cursor: Cursor) -> Expression | None:
    """Return what an `INSERT` takes its rows from, and stay where that begins.

    Of `VALUES` it is the first row: there may be thousands.
    """
    start = cursor.at
    if cursor.sees("VALUES", "("):
        cursor.at += 1
        end = cursor.group_end() + 1
    else:
        end = cursor.at if _skips_to_conflict(cursor) else cursor.limit
    cursor.at = start
    return cursor.expression(start, end) if start < end else None


def update(cursor: Cursor) -> Change:
    """Read what follows `UPDATE`, up to `SET`."""
    conflict = _or_clause(cursor)
    cursor.takes("ONLY")
    table = cursor.name()
    start = cursor.at
    if not cursor.skip_to("SET"):
        raise cursor.error("`SET` was expected")
    source = cursor.expression(start, cursor.limit)
    return Change("UPDATE", table, conflict=conflict, source=source)


def delete(cursor: Cursor) -> Change:
    """Read what follows `DELETE`, up to the table."""
    cursor.expect("FROM")
    cursor.takes("ONLY")
    table = cursor.name()
    source = None if cursor.done else cursor.expression(cursor.at, cursor.limit)
    return Change("DELETE", table, source=source)


def truncate(cursor: Cursor) -> Change:
    """Read what follows `TRUNCATE`; of several tables the first is kept."""
    cursor.takes("TABLE")
    cursor.takes("ONLY")
    return Change("TRUNCATE", cursor.name())
