"""Read the elements that definitions consist of: types, keys, columns and constraints.

What SQLite and PostgreSQL accept is read, and what MySQL accepts in the same places, because it is
found in the wild. Sources: "CREATE TABLE" in both manuals, and SQLite's syntax diagrams
`column-def`, `column-constraint`, `table-constraint`, `foreign-key-clause`, `indexed-column`.
"""

from __future__ import annotations

from typing import Final

from dal_audit.extract.sql.cursor import Cursor
from dal_audit.extract.sql.tokens import Kind
from dal_audit.sql_facts import (
    Column,
    Constraint,
    ConstraintKind,
    Expression,
    Key,
    SqlName,
    SqlType,
)

_AFTER_TYPE: Final = frozenset(
    {
        "AFTER", "AS", "AUTOINCREMENT", "AUTO_INCREMENT", "CHARSET", "CHECK", "COLLATE", "COMMENT",
        "COMPRESSION", "CONSTRAINT", "DEFAULT", "DEFERRABLE", "FIRST", "FOREIGN", "GENERATED",
        "IDENTITY", "INITIALLY", "INVISIBLE", "KEY", "NOT", "NULL", "ON", "PRIMARY", "REFERENCES",
        "STORAGE", "UNIQUE", "USING",
    }
)  # fmt: skip
"""Words that end a type, and a default: a constraint begins there."""

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
    first: tuple(one for one in _TAILS if one[0] == first) for first in {one[0] for one in _TAILS}
}

_PAIRS: Final = {
    "UNIQUE": {"KEY", "INDEX"},
    "PRIMARY": {"KEY"},
    "FOREIGN": {"KEY"},
    "EXCLUDE": {"USING", "("},
    "CHECK": {"("},
    "NOT": {"NULL"},
}


def read_type(cursor: Cursor) -> SqlType | None:
    """Read a declared type; None where none is written."""
    start = cursor.at
    if cursor.word() in _AFTER_TYPE or not cursor.is_name():
        return None
    name = cursor.name()
    words = [name.name if name.quoted[-1] else name.name.lower()]
    if name.schema:
        words[0] = f"{name.schema}.{words[0]}"
    arguments: list[str] = []
    dimensions = 0
    while not cursor.done:
        word = cursor.word()
        if word == "(":
            end = cursor.group_end()
            arguments += [item.text for item in _items(cursor, cursor.at, end)]
            cursor.at = end + 1
        elif word == "[":
            while not cursor.done and cursor.word() != "]":
                cursor.at += 1
            cursor.expect("]")
            dimensions += 1
        elif word == "ARRAY":
            cursor.at += 1
            dimensions += not cursor.sees("[")
        elif cursor.token.kind is not Kind.WORD or _ends_type(cursor, word):
            break
        else:
            words.append(word.lower())
            cursor.at += 1
    return SqlType(
        cursor.span(start), " ".join(words), tuple(arguments), dimensions, name.quoted[-1]
    )


def _ends_type(cursor: Cursor, word: str) -> bool:
    if word in _AFTER_TYPE:
        return True
    if word == "WITH":
        return cursor.word(1) not in {"TIME", "LOCAL", "TIMEZONE"}
    return word == "CHARACTER" and cursor.word(1) == "SET"


def _items(cursor: Cursor, opening: int, closing: int) -> list[Expression]:
    """Return what stands between the commas of a parenthesis, each as an expression."""
    found: list[Expression] = []
    depth = cursor.tokens[opening].depth + 1
    start = opening + 1
    for index in range(opening + 1, closing + 1):
        if index == closing or (cursor.words[index] == "," and cursor.tokens[index].depth == depth):
            if index > start:
                found.append(cursor.expression(start, index))
            start = index + 1
    return found


def read_keys(cursor: Cursor) -> tuple[Key, ...]:
    """Read the columns and expressions of a key or an index, in their parenthesis.

    Raises NotUnderstoodError where no parenthesis opens or none closes it.
    """
    if cursor.word() != "(":
        raise cursor.error("a list in parentheses was expected")
    end = cursor.group_end()
    depth = cursor.token.depth + 1
    cursor.at += 1
    keys = []
    while cursor.at < end:
        start = cursor.at
        while cursor.at < end and not (cursor.word() == "," and cursor.token.depth == depth):
            cursor.at += 1
        if cursor.at > start:
            keys.append(_key(cursor, start, cursor.at))
        cursor.at += 1
    cursor.at = end + 1
    return tuple(keys)


def _key(cursor: Cursor, start: int, end: int) -> Key:
    """Return one item of a key: a column if it begins with a bare name, else an expression."""
    first = cursor.tokens[start]
    following = cursor.words[start + 1] if start + 1 < end else ""
    prefix = following == "(" and cursor.tokens[start + 2].kind is Kind.NUMBER
    named = first.kind in {Kind.WORD, Kind.QUOTED, Kind.TEMPLATE} and (
        start + 1 == end or prefix or cursor.tokens[start + 1].kind is Kind.WORD
    )
    if not named:
        return Key(cursor.span(start, end), "", cursor.expression(start, end))
    place = cursor.at
    cursor.at = start
    column = cursor.name()
    words = tuple(one.text.upper() for one in cursor.tokens[cursor.at : end])
    expression = cursor.expression(start, cursor.at)
    cursor.at = place
    return Key(cursor.span(start, end), column.name, expression, words)


def is_table_constraint(cursor: Cursor) -> bool:
    """Return whether a constraint stands at the place, where a column might."""
    word, after = cursor.word(), cursor.word(1)
    if word == "CONSTRAINT":
        return True
    if word in _PAIRS and after in _PAIRS[word]:
        return True
    if word == "UNIQUE":
        return after in {"(", "USING", "NULLS"}
    if word == "LIKE":
        return cursor.token.depth > 0 and after not in {"", ","}
    if word in {"FULLTEXT", "SPATIAL"}:
        return after in {"KEY", "INDEX", "("}
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
    if cursor.takes("NOT", "NULL"):
        kind = "not-null"
    elif cursor.takes("NULL"):
        kind = "null"
    elif cursor.takes("PRIMARY", "KEY"):
        kind = "primary-key"
    elif cursor.takes("UNIQUE"):
        cursor.takes("KEY")
        kind = "unique"
    elif cursor.takes("DEFAULT"):
        kind, expression = "default", _default(cursor)
    elif cursor.takes("CHECK"):
        kind, expression = "check", _group(cursor)
    elif word in {"GENERATED", "AS"}:
        kind, expression, words = _generated(cursor)
    elif cursor.takes("IDENTITY"):
        kind = "identity"
        if cursor.sees("("):
            expression = _group(cursor)
    elif cursor.takes("COLLATE"):
        at = cursor.at
        cursor.name()
        kind, expression = "collate", cursor.expression(at)
    elif cursor.takes("ON", "UPDATE"):
        kind, expression = "on-update", _default(cursor)
    elif cursor.takes("COMMENT"):
        kind, expression = "comment", cursor.expression(cursor.at, cursor.at + 1)
        cursor.at += 1
    else:
        words = _other(cursor, named=name is not None)
    words += _tail(cursor)
    return Constraint(cursor.span(start), kind, name, expression=expression, words=words)


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
    return "generated", _group(cursor), words


def _default(cursor: Cursor) -> Expression:
    """Read a default's expression: up to the next constraint, the comma or the parenthesis."""
    start, depth = cursor.at, cursor.token.depth
    cases = 0
    while not cursor.done and cursor.token.depth >= depth:
        word = cursor.word()
        if cursor.token.depth == depth and not cases and cursor.at > start:
            if word in _AFTER_TYPE or word in {",", ")"}:
                break
        cases += (word == "CASE") - (word == "END" and cases > 0)
        if word == "(":
            cursor.skip_group()
        else:
            cursor.at += 1
    if cursor.at == start:
        raise cursor.error("an expression was expected")
    return cursor.expression(start)


def _group(cursor: Cursor) -> Expression:
    """Read a parenthesis with all in it; raise NotUnderstoodError where none opens."""
    if cursor.word() != "(":
        raise cursor.error("`(` was expected")
    start = cursor.at
    cursor.skip_group()
    return cursor.expression(start)


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
        elif cursor.takes("MATCH"):
            words += ("MATCH " + cursor.name().name.upper(),)
        else:
            tail = _tail(cursor)
            if not tail:
                break
            words += tail
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
        found.append(" ".join(one.text.upper() for one in cursor.tokens[start : cursor.at]))


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


def read_table_constraint(cursor: Cursor) -> Constraint:
    """Read one constraint of a table; raise NotUnderstoodError for what is none."""
    start = cursor.at
    name = cursor.name() if cursor.takes("CONSTRAINT") else None
    kind: ConstraintKind = "other"
    keys: tuple[Key, ...] = ()
    expression: Expression | None = None
    words: tuple[str, ...] = ()
    if cursor.takes("FOREIGN", "KEY"):
        if not cursor.sees("("):
            name = cursor.name()
        return _references(cursor, start, name, read_keys(cursor))
    if cursor.takes("PRIMARY", "KEY"):
        kind = "primary-key"
    elif cursor.takes("UNIQUE"):
        kind = "unique"
        cursor.takes_one("KEY", "INDEX")
    elif cursor.takes("CHECK"):
        kind, expression = "check", _group(cursor)
    elif cursor.takes("NOT", "NULL"):
        at = cursor.at
        column = cursor.name()
        kind = "not-null"
        keys = (Key(column.span, column.name, cursor.expression(at)),)
    elif cursor.takes("EXCLUDE"):
        kind = "exclude"
        if cursor.takes("USING"):
            words = (f"USING {cursor.name().name.upper()}",)
        expression = _group(cursor)
    elif cursor.takes("LIKE"):
        at = cursor.at - 1
        cursor.skip_to(",")
        words, expression = ("LIKE",), cursor.expression(at)
    elif cursor.takes_one("FULLTEXT", "SPATIAL", "KEY", "INDEX"):
        kind = "index"
        cursor.takes_one("KEY", "INDEX")
    else:
        raise cursor.error("a constraint of the table was expected")
    if kind in {"primary-key", "unique", "index"}:
        words = _tail(cursor)  # `NULLS NOT DISTINCT`, `USING INDEX name`
        if cursor.is_name() and cursor.word(1) == "(":
            name = cursor.name()
        if cursor.sees("("):
            keys = read_keys(cursor)
    words += _tail(cursor)
    if cursor.takes("COMMENT"):
        cursor.at += 1
    return Constraint(cursor.span(start), kind, name, keys, expression, words=words)
