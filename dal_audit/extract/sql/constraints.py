"""Read the definitions of columns, and the constraints of columns and tables.

Sources: "CREATE TABLE" in both manuals, and SQLite's syntax diagrams `column-def`,
`column-constraint`, `table-constraint` and `foreign-key-clause`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeAlias

from dal_audit.extract.sql.cursor import Cursor
from dal_audit.extract.sql.elements import AFTER_TYPE, read_keys, read_type
from dal_audit.extract.sql.tokens import Kind
from dal_audit.extract.sql.trees import operand_expression
from dal_audit.facts.sql import Column, Constraint, ConstraintKind, Expression, Key, SqlName

_Phrase: TypeAlias = tuple[
    tuple[str, ...], ConstraintKind, Callable[[Cursor], Expression | None] | None
]

_TAILS: Final = (
    ("ON", "CONFLICT", "*"),
    ("NOT", "DEFERRABLE"),
    ("DEFERRABLE",),
    ("INITIALLY", "*"),
    ("NOT", "VALID"),
    ("NOT", "ENFORCED"),
    ("ENFORCED",),
    ("NO", "INHERIT"),
    ("NULLS", "NOT", "DISTINCT"),
    ("NULLS", "DISTINCT"),
    ("USING", "INDEX", "TABLESPACE", "*"),
    ("USING", "INDEX", "*"),
    ("USING", "BTREE"),
    ("USING", "HASH"),
    ("INCLUDE", "("),
    ("WITH", "("),
    ("WHERE", "("),
    ("ASC",),
    ("DESC",),
    ("AUTOINCREMENT",),
    ("AUTO_INCREMENT",),
    ("CLUSTERED",),
    ("STORED",),
    ("VIRTUAL",),
    ("PERSISTED",),
)
"""What may follow a constraint: `*` is any word, `(` a parenthesis with all in it."""

_TAILS_BY_WORD: Final = {
    first: tuple(tail for tail in _TAILS if tail[0] == first)
    for first in {tail[0] for tail in _TAILS}
}

_PAIRS: Final = {
    "UNIQUE": {"KEY", "INDEX", "(", "USING", "NULLS"},
    "FULLTEXT": {"KEY", "INDEX", "("},
    "SPATIAL": {"KEY", "INDEX", "("},
    "PRIMARY": {"KEY"},
    "FOREIGN": {"KEY"},
    "EXCLUDE": {"USING", "("},
    "CHECK": {"("},
    "NOT": {"NULL"},
}


def is_table_constraint(cursor: Cursor) -> bool:
    """Return whether a constraint stands at the place, where a column might."""
    word, after = cursor.word(), cursor.word(1)
    if word == "CONSTRAINT" or after in _PAIRS.get(word, ()):
        return True
    if word == "LIKE":
        is_last = cursor.at + 1 == cursor.limit or after in {",", ")"}
        return cursor.token.depth > 0 and not is_last
    if word in {"KEY", "INDEX"}:
        opening = 1 if after == "(" else 2
        index = cursor.at + opening + 1
        return (
            cursor.word(opening) == "("
            and index < cursor.limit
            and cursor.tokens[index].kind is not Kind.NUMBER
        )
    return False


def read_column(cursor: Cursor) -> Column:
    """Read a column's definition up to the comma or the parenthesis that ends it."""
    start = cursor.at
    name = cursor.name()
    declared = read_type(cursor)
    constraints = []
    while not cursor.done and cursor.word() not in {",", ")"}:
        constraints.append(read_column_constraint(cursor))
    return Column(cursor.span(start), name, declared, tuple(constraints))


def read_column_constraint(cursor: Cursor) -> Constraint:
    """Read one constraint of a column; raise NotUnderstoodError for what is none."""
    start = cursor.at
    name = cursor.name() if cursor.takes("CONSTRAINT") else None
    word = cursor.word()
    if word == "REFERENCES":
        return _references(cursor, start, name, ())
    kind: ConstraintKind = "other"
    expression: Expression | None = None
    words: tuple[str, ...] = ()
    for phrase, known, read in _KNOWN.get(word, ()):
        if cursor.takes(*phrase):
            kind = known
            expression = read(cursor) if read else None
            break
    else:
        if word in {"GENERATED", "AS"}:
            kind, expression, words = _generated(cursor)
        else:
            words = _other(cursor, named=name is not None)
    words += _tail(cursor)
    return Constraint(cursor.span(start), kind, name, expression=expression, words=words)


def _option(cursor: Cursor) -> Expression | None:
    """Read a parenthesis, if one opens."""
    return _group(cursor) if cursor.sees("(") else None


def _named(cursor: Cursor) -> Expression:
    """Read a name as an expression."""
    at = cursor.at
    cursor.name()
    return cursor.expression(at)


def _token(cursor: Cursor) -> Expression:
    """Read one token as an expression; raise NotUnderstoodError at the end."""
    if cursor.done:
        raise cursor.error("a value was expected")
    cursor.at += 1
    return cursor.expression(cursor.at - 1)


def _other(cursor: Cursor, *, named: bool) -> tuple[str, ...]:
    """Read a clause that constrains nothing; return its words."""
    word = cursor.takes_one("STORAGE", "COMPRESSION", "CHARSET", "AFTER")
    if word or cursor.takes("CHARACTER", "SET"):
        value = cursor.name().name
        return (word or "CHARACTER SET", value.upper())
    word = cursor.takes_one("FIRST", "INVISIBLE", "KEY")
    if word:
        return (word,)
    words = _tail(cursor)
    if not words and not named:
        raise cursor.error("a constraint of the column was expected")
    return words


def _generated(cursor: Cursor) -> tuple[ConstraintKind, Expression | None, tuple[str, ...]]:
    words: tuple[str, ...] = ()
    if cursor.takes("GENERATED"):
        words = ("ALWAYS",) if cursor.takes("ALWAYS") else ("BY DEFAULT",)
        if words == ("BY DEFAULT",):
            cursor.expect("BY", "DEFAULT")
            if cursor.takes("ON", "NULL"):
                words = ("BY DEFAULT ON NULL",)
    cursor.expect("AS")
    if cursor.takes("IDENTITY"):
        return "identity", _group(cursor) if cursor.sees("(") else None, words
    return "generated", _condition(cursor), words


_AFTER_DEFAULT: Final = AFTER_TYPE | {",", ")"}


def _default(cursor: Cursor) -> Expression:
    """Read a default's expression: up to the next constraint, the comma or the parenthesis."""
    start, depth = cursor.at, cursor.token.depth
    cases = 0
    while not cursor.done and cursor.token.depth >= depth:
        word = cursor.word()
        may_end = cursor.token.depth == depth and not cases and cursor.at > start
        if may_end and word in _AFTER_DEFAULT:
            break
        cases += (word == "CASE") - (word == "END" and cases > 0)
        if word == "(":
            cursor.skip_group()
        else:
            cursor.at += 1
    if cursor.at == start:
        raise cursor.error("an expression was expected")
    return operand_expression(cursor, start)


def _group(cursor: Cursor) -> Expression:
    """Read a parenthesis with all in it; raise NotUnderstoodError where none opens."""
    if cursor.word() != "(":
        raise cursor.error("`(` was expected")
    start = cursor.at
    cursor.skip_group()
    return cursor.expression(start)


def _condition(cursor: Cursor) -> Expression:
    """Read an expression in its parenthesis."""
    start = cursor.at
    _group(cursor)
    return operand_expression(cursor, start)


def _references(
    cursor: Cursor, start: int, name: SqlName | None, keys: tuple[Key, ...]
) -> Constraint:
    """Read a foreign key from `REFERENCES` on."""
    cursor.expect("REFERENCES")
    table = cursor.name()
    referenced = tuple(key.column for key in read_keys(cursor)) if cursor.sees("(") else ()
    actions: list[tuple[str, str]] = []
    words: tuple[str, ...] = ()
    while True:
        if cursor.sees("ON", "DELETE") or cursor.sees("ON", "UPDATE"):
            event = cursor.word(1).lower()
            cursor.at += 2
            actions.append((event, _action(cursor)))
            continue
        matching = cursor.takes("MATCH")
        found = ("MATCH " + cursor.name().name.upper(),) if matching else _tail(cursor)
        if not found:
            break
        words += found
    return Constraint(
        cursor.span(start),
        "references",
        name,
        keys,
        table=table,
        referenced=referenced,
        actions=tuple(actions),
        words=words,
    )


def _action(cursor: Cursor) -> str:
    """Read what a foreign key does; raise NotUnderstoodError for what it cannot do."""
    word = cursor.takes_one("CASCADE", "RESTRICT", "SET", "NO")
    if word == "SET":
        word += " " + (cursor.takes_one("NULL", "DEFAULT") or "?")
        if cursor.sees("("):
            cursor.skip_group()
    elif word == "NO":
        cursor.expect("ACTION")
        word += " ACTION"
    if not word or word.endswith("?"):
        raise cursor.error("a foreign key's action was expected")
    return word.lower()


def _tail(cursor: Cursor) -> tuple[str, ...]:
    """Read all that may follow a constraint; return its phrases."""
    found: list[str] = []
    while True:
        start = cursor.at
        if not any(_takes_tail(cursor, phrase) for phrase in _TAILS_BY_WORD.get(cursor.word(), ())):
            return tuple(found)
        found.append(" ".join(token.text.upper() for token in cursor.tokens[start : cursor.at]))


def _takes_tail(cursor: Cursor, phrase: tuple[str, ...]) -> bool:
    """Move over a phrase if it comes next; return whether it did."""
    if phrase[-1] == "*":
        taken = cursor.takes(*phrase[:-1])
        cursor.at = min(cursor.at + taken, cursor.limit)
        return taken
    if not cursor.sees(*phrase):
        return False
    if phrase[-1] == "(":
        cursor.at += len(phrase) - 1
        cursor.skip_group()
    else:
        cursor.at += len(phrase)
    return True


_KNOWN: Final[dict[str, tuple[_Phrase, ...]]] = {
    "NOT": ((("NOT", "NULL"), "not-null", None),),
    "NULL": ((("NULL",), "null", None),),
    "PRIMARY": ((("PRIMARY", "KEY"), "primary-key", None),),
    "UNIQUE": ((("UNIQUE", "KEY"), "unique", None), (("UNIQUE",), "unique", None)),
    "DEFAULT": ((("DEFAULT",), "default", _default),),
    "CHECK": ((("CHECK",), "check", _condition),),
    "IDENTITY": ((("IDENTITY",), "identity", _option),),
    "COLLATE": ((("COLLATE",), "collate", _named),),
    "ON": ((("ON", "UPDATE"), "on-update", _default),),
    "COMMENT": ((("COMMENT",), "comment", _token),),
}
"""A column's constraints by their first word: their words, and what reads what follows."""


def read_table_constraint(cursor: Cursor) -> Constraint:
    """Read one constraint of a table; raise NotUnderstoodError for what is none."""
    start = cursor.at
    name = cursor.name() if cursor.takes("CONSTRAINT") else None
    if cursor.takes("FOREIGN", "KEY"):
        if not cursor.sees("("):
            name = cursor.name()
        return _references(cursor, start, name, read_keys(cursor))
    kind, keys, expression, words = _asked_of_rows(cursor)
    if kind in _KEYED:
        words = _tail(cursor)  # `NULLS NOT DISTINCT`, `USING INDEX name`
        if cursor.is_name() and cursor.word(1) == "(":
            name = cursor.name()
        if cursor.sees("("):
            keys = read_keys(cursor)
    words += _tail(cursor)
    if cursor.takes("COMMENT"):
        cursor.at += 1
    return Constraint(cursor.span(start), kind, name, keys, expression, words=words)


_KEYED: Final = frozenset({"primary-key", "unique", "index"})


def _asked_of_rows(
    cursor: Cursor,
) -> tuple[ConstraintKind, tuple[Key, ...], Expression | None, tuple[str, ...]]:
    """Read what a table's constraint asks for, up to its keys."""
    at = cursor.at
    if cursor.takes("PRIMARY", "KEY"):
        return "primary-key", (), None, ()
    if cursor.takes("UNIQUE"):
        cursor.takes_one("KEY", "INDEX")
        return "unique", (), None, ()
    if cursor.takes("CHECK"):
        return "check", (), _condition(cursor), ()
    if cursor.takes("NOT", "NULL"):
        at = cursor.at
        column = cursor.name()
        return "not-null", (Key(column.span, column.name, cursor.expression(at)),), None, ()
    if cursor.takes("EXCLUDE"):
        words = (f"USING {cursor.name().name.upper()}",) if cursor.takes("USING") else ()
        return "exclude", (), _group(cursor), words
    if cursor.takes("LIKE"):
        cursor.skip_to(",")
        return "other", (), cursor.expression(at), ("LIKE",)
    if cursor.takes_one("FULLTEXT", "SPATIAL", "KEY", "INDEX"):
        cursor.takes_one("KEY", "INDEX")
        return "index", (), None, ()
    raise cursor.error("a constraint of the table was expected")
