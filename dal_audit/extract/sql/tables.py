"""Read the statements about tables and indexes."""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from dal_audit.extract.sql.constraints import (
    is_table_constraint,
    read_column,
    read_table_constraint,
)
from dal_audit.extract.sql.cursor import Cursor
from dal_audit.extract.sql.elements import read_keys, read_type
from dal_audit.extract.sql.tokens import Kind
from dal_audit.extract.sql.trees import operand_expression, query_expression
from dal_audit.facts.sql import (
    ActionKind,
    AlterAction,
    AlterTable,
    Clause,
    Column,
    Constraint,
    CreateIndex,
    CreateTable,
    Expression,
)

_OPTIONS: Final = frozenset(
    {
        "AUTO_INCREMENT", "CHARACTER", "CHARSET", "COLLATE", "COMMENT", "DEFAULT", "ENGINE", "FOR",
        "INHERITS", "KEY_BLOCK_SIZE", "MAX_ROWS", "MIN_ROWS", "ON", "OPTIONS", "PACK_KEYS",
        "PARTITION", "ROW_FORMAT", "SERVER", "STATS_PERSISTENT", "STRICT", "TABLESPACE", "USING",
        "WITH", "WITHOUT",
    }
)  # fmt: skip
"""Words that an option of a table begins with."""

_INDEX_OPTIONS: Final = (
    "ALGORITHM", "COMMENT", "INCLUDE", "LOCK", "NULLS", "TABLESPACE", "USING", "WITH",
)  # fmt: skip
"""Words that an option of an index begins with, besides `WHERE`."""

_COLUMN_ACTIONS: Final = frozenset({"ADD", "DROP", "RESET", "RESTART", "SET"})
"""Words after a column that `ALTER TABLE` alters, besides `TYPE`."""

_OF_COLUMN: Final[tuple[tuple[tuple[str, ...], ActionKind], ...]] = (
    (("DROP", "DEFAULT"), "drop-default"),
    (("SET", "NOT", "NULL"), "set-not-null"),
    (("DROP", "NOT", "NULL"), "drop-not-null"),
)
"""What is altered of a column without a value."""

_OTHER_ACTIONS: Final = frozenset(
    {
        "ADD", "ALGORITHM", "ALTER", "ANALYZE", "ATTACH", "AUTO_INCREMENT", "CHANGE", "CHARACTER",
        "CHARSET", "CHECK", "CLUSTER", "COALESCE", "COLLATE", "COMMENT", "CONVERT", "DEFAULT",
        "DETACH", "DISABLE", "DISCARD", "DROP", "ENABLE", "ENGINE", "EXCHANGE", "FORCE", "IMPORT",
        "INHERIT", "KEY_BLOCK_SIZE", "LOCK", "MERGE", "MODIFY", "NO", "NOCHECK", "NOT", "OF",
        "OPTIMIZE", "OPTIONS", "ORDER", "OWNER", "PARTITION", "REBUILD", "RENAME", "REORGANIZE",
        "REPAIR", "REPLICA", "RESET", "ROW_FORMAT", "SET", "SPLIT", "SWITCH", "TABLESPACE",
        "TRUNCATE", "VALIDATE", "WITH", "WITHOUT",
    }
)  # fmt: skip
"""Verbs of the actions of `ALTER TABLE` that are not taken apart, of all engines."""

_OF_SET: Final = frozenset(
    {
        "(", "CACHE", "COMPRESSION", "CYCLE", "DATA", "DEFAULT", "EXPRESSION", "GENERATED",
        "INCREMENT", "MAXVALUE", "MINVALUE", "NO", "RESTART", "SEQUENCE", "START", "STATISTICS",
        "STORAGE",
    }
)  # fmt: skip
_OF_DROP: Final = frozenset({"DEFAULT", "EXPRESSION", "IDENTITY"})
"""What may follow `SET` and `DROP` of a column, besides `NOT NULL`."""

_WORDS_OF_CLAUSE: Final = 3


def read_clause(cursor: Cursor, start: int, end: int) -> Clause:
    """Return the tokens from one index up to another as a clause."""
    tokens = tuple(token.text for token in cursor.tokens[start:end])
    words: list[str] = []
    for token in cursor.tokens[start : min(end, start + _WORDS_OF_CLAUSE)]:
        if token.kind is not Kind.WORD:
            break
        words.append(token.upper)
    return Clause(cursor.span(start, end), tuple(words), tokens)


def create_table(cursor: Cursor, *, temporary: bool) -> CreateTable:
    """Read what follows `CREATE TABLE`; raise NotUnderstoodError where it is not built so."""
    if_not_exists = cursor.takes("IF", "NOT", "EXISTS")
    name = cursor.name()
    columns: list[Column] = []
    constraints: list[Constraint] = []
    options: list[Clause] = []
    start = cursor.at
    if cursor.takes("PARTITION", "OF") or cursor.takes("OF"):
        cursor.name()
        if cursor.sees("("):
            cursor.skip_group()
        options.append(read_clause(cursor, start, cursor.at))
    elif cursor.opens_list():
        _elements(cursor, columns, constraints)
    query = _options(cursor, options)
    if query is None and cursor.at == start:
        raise cursor.error("a table's columns were expected")
    return CreateTable(
        name,
        tuple(columns),
        tuple(constraints),
        tuple(options),
        if_not_exists=if_not_exists,
        temporary=temporary,
        query=query,
    )


def _elements(cursor: Cursor, columns: list[Column], constraints: list[Constraint]) -> None:
    """Read the columns and constraints of a table, in their parenthesis."""
    end = cursor.group_end()
    cursor.at += 1
    while cursor.at < end:
        if is_table_constraint(cursor):
            constraints.append(read_table_constraint(cursor))
            # SQLite wants no comma between the constraints of a table.
            if is_table_constraint(cursor):
                continue
        else:
            columns.append(read_column(cursor))
        if cursor.at < end:
            cursor.expect(",")
            if cursor.at == end:
                raise cursor.error("a column or a constraint was expected after the comma")
    cursor.at = end + 1


def _options(cursor: Cursor, options: list[Clause]) -> Expression | None:
    """Read a table's options; return the query after `AS`, if there is one."""
    while not cursor.done:
        start = cursor.at
        word = cursor.word()
        if word in {"AS", "SELECT", "("}:
            cursor.takes("AS")
            start = cursor.at
            cursor.at = cursor.limit
            return query_expression(cursor, start, cursor.limit) if start < cursor.limit else None
        if cursor.takes(","):
            continue
        if word not in _OPTIONS:
            raise cursor.error("an option of the table was expected")
        _skip_option(cursor)
        options.append(read_clause(cursor, start, cursor.at))
    return None


def _skip_option(cursor: Cursor) -> None:
    """Move over an option of a table, up to the next one."""
    is_default = cursor.takes("DEFAULT")
    cursor.at += not is_default
    while not cursor.done and cursor.word() not in {",", "AS", "SELECT"}:
        if cursor.word() in _OPTIONS:
            if not is_default:
                return
            is_default = False  # `DEFAULT CHARSET`: the second word belongs to the first.
        if cursor.sees("("):
            cursor.skip_group()
        else:
            cursor.at += 1


def create_virtual_table(cursor: Cursor) -> CreateTable:
    """Read what follows `CREATE VIRTUAL TABLE` (SQLite); its arguments are one option."""
    if_not_exists = cursor.takes("IF", "NOT", "EXISTS")
    name = cursor.name()
    cursor.expect("USING")
    module = cursor.name().name
    options: tuple[Clause, ...] = ()
    if cursor.sees("("):
        start = cursor.at
        cursor.skip_group()
        options = (read_clause(cursor, start, cursor.at),)
    return CreateTable(name, options=options, if_not_exists=if_not_exists, module=module.lower())


def create_index(cursor: Cursor, *, unique: bool) -> CreateIndex:
    """Read what follows `CREATE INDEX`; raise NotUnderstoodError where it is not built so."""
    start = cursor.at
    concurrently = cursor.span(start, start + 1) if cursor.takes("CONCURRENTLY") else None
    if_not_exists = cursor.takes("IF", "NOT", "EXISTS")
    name = None if cursor.sees("ON") and not if_not_exists else cursor.name()
    method = cursor.name().name.lower() if cursor.takes("USING") else ""
    cursor.expect("ON")
    cursor.takes("ONLY")
    table = cursor.name()
    if cursor.takes("USING"):
        method = cursor.name().name.lower()
    keys = read_keys(cursor, operand_expression)
    where: Expression | None = None
    options: list[Clause] = []
    while not cursor.done:
        at = cursor.at
        if cursor.takes("WHERE"):
            at, cursor.at = cursor.at, cursor.limit
            where = operand_expression(cursor, at)
            break
        if not cursor.takes_one(*_INDEX_OPTIONS):
            raise cursor.error("an option of the index was expected")
        if cursor.sees("("):
            cursor.skip_group()
        cursor.skip_to("WHERE", *_INDEX_OPTIONS)
        options.append(read_clause(cursor, at, cursor.at))
    return CreateIndex(
        name,
        table,
        keys,
        unique=unique,
        if_not_exists=if_not_exists,
        concurrently=concurrently,
        method=method,
        where=where,
        options=tuple(options),
    )


def alter_table(cursor: Cursor) -> AlterTable:
    """Read what follows `ALTER TABLE`; raise NotUnderstoodError where it is not built so."""
    if_exists = cursor.takes("IF", "EXISTS")
    cursor.takes("ONLY")
    table = cursor.name()
    cursor.takes("*")
    actions = []
    while True:
        actions.append(_action(cursor))
        if not cursor.takes(","):
            break
    if not cursor.done:
        raise cursor.error("a comma or the end of the statement was expected")
    return AlterTable(table, tuple(actions), if_exists=if_exists)


def _action(cursor: Cursor) -> AlterAction:
    if cursor.sees("ADD"):
        return _add(cursor)
    if cursor.sees("DROP"):
        return _drop(cursor)
    if cursor.sees("ALTER") and not cursor.sees("ALTER", "CONSTRAINT"):
        return _alter_column(cursor)
    if cursor.sees("RENAME"):
        return _rename(cursor)
    start = cursor.at
    if cursor.takes("SET", "SCHEMA"):
        new_name = cursor.name()
        return AlterAction(cursor.span(start), "set-schema", ("SET", "SCHEMA"), new_name=new_name)
    return _other(cursor, start)


def _other(cursor: Cursor, start: int) -> AlterAction:
    """Read an action that is not taken apart, up to the comma after it."""
    if cursor.done:
        raise cursor.error("an action was expected")
    cursor.at = start
    cursor.skip_to(",")
    clause = read_clause(cursor, start, cursor.at)
    if not clause.words or clause.words[0] not in _OTHER_ACTIONS:
        cursor.at = start
        raise cursor.error("an action was expected")
    return AlterAction(clause.span, "other", clause.words, expression=cursor.expression(start))


def _add(cursor: Cursor) -> AlterAction:
    start = cursor.at
    cursor.expect("ADD")
    if is_table_constraint(cursor):
        constraint = read_table_constraint(cursor)
        words = ("ADD", "CONSTRAINT") if constraint.name else ("ADD",)
        return AlterAction(
            cursor.span(start), "add-constraint", words, constraint.name, constraint=constraint
        )
    explicit = cursor.takes("COLUMN")
    if_not_exists = cursor.takes("IF", "NOT", "EXISTS")
    if cursor.sees("("):
        return _other(cursor, start)  # Several columns in one parenthesis: MySQL and Oracle.
    column = read_column(cursor)
    return AlterAction(
        cursor.span(start),
        "add-column",
        ("ADD", "COLUMN") if explicit else ("ADD",),
        column.name,
        column=column,
        if_not_exists=if_not_exists,
    )


def _drop(cursor: Cursor) -> AlterAction:
    start = cursor.at
    cursor.expect("DROP")
    if (cursor.word() in {"PRIMARY", "FOREIGN"} and cursor.word(1) == "KEY") or (
        cursor.word() in {"INDEX", "KEY", "CHECK"} and cursor.is_name(1)
    ):
        return _other(cursor, start)  # MySQL's: neither engine drops these so.
    is_constraint = cursor.takes("CONSTRAINT")
    explicit = not is_constraint and cursor.takes("COLUMN")
    if_exists = cursor.takes("IF", "EXISTS")
    name = cursor.name()
    cascade = cursor.takes_one("CASCADE", "RESTRICT") == "CASCADE"
    kind: ActionKind = "drop-constraint" if is_constraint else "drop-column"
    words = ("DROP", "CONSTRAINT") if is_constraint else ("DROP", "COLUMN")
    return AlterAction(
        cursor.span(start),
        kind,
        words if explicit or is_constraint else ("DROP",),
        name,
        if_exists=if_exists,
        cascade=cascade,
    )


def _alter_column(cursor: Cursor) -> AlterAction:
    start = cursor.at
    cursor.expect("ALTER")
    words = ("ALTER", "COLUMN") if cursor.takes("COLUMN") else ("ALTER",)
    name = cursor.name()
    if cursor.takes("SET", "DATA", "TYPE") or cursor.takes("TYPE"):
        declared = read_type(cursor)
        using = _using(cursor)
        return AlterAction(
            cursor.span(start), "alter-type", words, name, type=declared, expression=using
        )
    if cursor.takes("SET", "DEFAULT"):
        at = cursor.at
        cursor.skip_to(",")
        return AlterAction(
            cursor.span(start),
            "set-default",
            words,
            name,
            expression=operand_expression(cursor, at),
        )
    kind: ActionKind = next((kind for phrase, kind in _OF_COLUMN if cursor.takes(*phrase)), "other")
    if kind == "other" and not _is_column_action(cursor):
        raise cursor.error("what to alter of the column was expected")
    rest = _rest(cursor)
    return AlterAction(cursor.span(start), kind, words, name, expression=rest)


def _is_column_action(cursor: Cursor) -> bool:
    """Return whether something is done to a column that is not taken apart."""
    word, after = cursor.word(), cursor.word(1)
    if word in {"SET", "DROP"}:
        return after in (_OF_SET if word == "SET" else _OF_DROP)
    return word in _COLUMN_ACTIONS


def _using(cursor: Cursor) -> Expression | None:
    """Read what a column's new values are made by, and what else stands there, up to the comma."""
    rest = _rest(cursor)
    if rest is None or rest.tokens[0].upper() != "USING":
        return rest
    start = cursor.at - len(rest.tokens) + 1
    return replace(rest, tree=operand_expression(cursor, start).tree)


def _rest(cursor: Cursor) -> Expression | None:
    """Read what is left of an action, up to the comma."""
    start = cursor.at
    cursor.skip_to(",")
    return cursor.expression(start) if cursor.at > start else None


def _rename(cursor: Cursor) -> AlterAction:
    start = cursor.at
    cursor.expect("RENAME")
    if cursor.takes_one("TO", "AS"):
        new_name = cursor.name()
        return AlterAction(cursor.span(start), "rename-table", ("RENAME", "TO"), new_name=new_name)
    if cursor.word() in {"INDEX", "KEY"} and cursor.word(1) != "TO":
        return _other(cursor, start)
    kind: ActionKind = "rename-constraint" if cursor.takes("CONSTRAINT") else "rename-column"
    words = ("RENAME", "CONSTRAINT") if kind == "rename-constraint" else ("RENAME",)
    if kind == "rename-column" and cursor.word(1) != "TO" and cursor.takes("COLUMN"):
        words = ("RENAME", "COLUMN")
    name = cursor.name()
    cursor.expect("TO")
    new_name = cursor.name()
    return AlterAction(cursor.span(start), kind, words, name, new_name)
