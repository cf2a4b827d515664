"""Read the elements that definitions consist of: declared types, and keys.

What SQLite and PostgreSQL accept is read, and what MySQL accepts in the same places, because it is
found in the wild. Sources: "CREATE TABLE" in both manuals, and SQLite's syntax diagrams `type-name`
and `indexed-column`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from dal_audit.extract.sql.cursor import Cursor
from dal_audit.extract.sql.tokens import Kind
from dal_audit.facts.sql import Expression, Key, SqlName, SqlType

AFTER_TYPE: Final = frozenset(
    {
        "AFTER", "AS", "AUTOINCREMENT", "AUTO_INCREMENT", "CHARSET", "CHECK", "COLLATE", "COMMENT",
        "COMPRESSION", "CONSTRAINT", "DEFAULT", "DEFERRABLE", "FIRST", "FOREIGN", "GENERATED",
        "IDENTITY", "INITIALLY", "INVISIBLE", "KEY", "NOT", "NULL", "ON", "PRIMARY", "REFERENCES",
        "STORAGE", "UNIQUE", "USING",
    }
)  # fmt: skip
"""Words that end a type, and a default: a constraint begins there."""


def read_type(cursor: Cursor) -> SqlType | None:
    """Read a declared type; None where none is written."""
    start = cursor.at
    if cursor.word() in AFTER_TYPE or not cursor.is_name():
        return None
    name = cursor.name()
    words = [_title(name)]
    arguments: list[str] = []
    dimensions = 0
    while not cursor.done:
        match cursor.word():
            case "(":
                end = cursor.group_end()
                arguments += [item.text for item in _items(cursor, cursor.at, end)]
                cursor.at = end + 1
            case "[" | "ARRAY":
                dimensions += _dimension(cursor)
            case word if _ends_type(cursor, word):
                break
            case word:
                words.append(word.lower())
                cursor.at += 1
    return SqlType(
        cursor.span(start), " ".join(words), tuple(arguments), dimensions, name.quoted[-1]
    )


def _title(name: SqlName) -> str:
    """Return a type's name with its schema; in small letters what is not quoted."""
    plain = name.name if name.quoted[-1] else name.name.lower()
    return f"{name.schema}.{plain}" if name.schema else plain


def _dimension(cursor: Cursor) -> bool:
    """Move over `[…]`, or over `ARRAY`, which is a dimension where no bracket follows."""
    if cursor.takes("ARRAY"):
        return not cursor.sees("[")
    cursor.skip_to("]")
    cursor.expect("]")
    return True


def _ends_type(cursor: Cursor, word: str) -> bool:
    if word in AFTER_TYPE or cursor.token.kind is not Kind.WORD:
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


def read_keys(
    cursor: Cursor, read: Callable[[Cursor, int, int], Expression] = Cursor.expression
) -> tuple[Key, ...]:
    """Read the columns and expressions of a key or an index, in their parenthesis.

    `read` makes an expression of the tokens between two indexes. Raises NotUnderstoodError where no
    parenthesis opens or none closes it.
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
        if cursor.at == start or (cursor.at == end - 1 and cursor.word() == ","):
            raise cursor.error("a column was expected beside the comma")
        keys.append(_key(cursor, start, cursor.at, read))
        cursor.at += 1
    cursor.at = end + 1
    return tuple(keys)


def _key(
    cursor: Cursor, start: int, end: int, read: Callable[[Cursor, int, int], Expression]
) -> Key:
    """Return one item of a key: a column if it begins with a bare name, else an expression."""
    first = cursor.tokens[start]
    following = cursor.words[start + 1] if start + 1 < end else ""
    prefix = following == "(" and cursor.tokens[start + 2].kind is Kind.NUMBER
    named = first.kind in {Kind.WORD, Kind.QUOTED, Kind.TEMPLATE} and (
        start + 1 == end or prefix or cursor.tokens[start + 1].kind is Kind.WORD
    )
    if not named:
        return Key(cursor.span(start, end), "", read(cursor, start, end))
    place = cursor.at
    cursor.at = start
    column = cursor.name()
    words = tuple(token.text.upper() for token in cursor.tokens[cursor.at : end])
    expression = cursor.expression(start, cursor.at)
    cursor.at = place
    return Key(cursor.span(start, end), column.name, expression, words)


def read_cast_type(cursor: Cursor) -> SqlType:
    """Read a type that an operator or another word may follow."""
    at = cursor.at
    name = cursor.name()
    words = [_title(name).removeprefix("pg_catalog.")]
    for phrase in _LONG_TYPES.get(words[0], ()):
        if cursor.takes(*phrase):
            words += [word.lower() for word in phrase]
            break
    arguments = _arguments(cursor) if cursor.opens_list() else ()
    zone = cursor.word()
    if zone in {"WITH", "WITHOUT"} and cursor.takes(zone, "TIME", "ZONE"):
        words += [zone.lower(), "time", "zone"]
    dimensions = 0
    while cursor.takes("["):
        cursor.skip_to("]")
        cursor.expect("]")
        dimensions += 1
    return SqlType(cursor.span(at), " ".join(words), arguments, dimensions, name.quoted[-1])


def _arguments(cursor: Cursor) -> tuple[str, ...]:
    """Read a type's arguments, in their parenthesis."""
    first = cursor.at + 1
    cursor.skip_group()
    return tuple(token.text for token in cursor.tokens[first : cursor.at - 1] if token.text != ",")


_LONG_TYPES: Final = {
    "double": (("PRECISION",),),
    "character": (("VARYING",),),
    "char": (("VARYING",),),
    "bit": (("VARYING",),),
    "national": (("CHARACTER", "VARYING"), ("CHARACTER",), ("CHAR", "VARYING"), ("CHAR",)),
}
"""The further words of types of several, by the first."""
