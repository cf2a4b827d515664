"""Where a statement writes types: in columns, after `::`, in a CAST, and in what declares types.

Only places are said; what the types are is the business of patterns and of the reading of tables.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from dal_audit.extract.sql.tokens import Kind, Token


class TypePlaces(Struct, frozen=True):
    """The tokens at which a type begins, and the names of columns that have none."""

    types: frozenset[int]
    untyped: frozenset[int]


_NO_COLUMN: Final = frozenset(
    {
        "CONSTRAINT",
        "PRIMARY",
        "UNIQUE",
        "CHECK",
        "FOREIGN",
        "EXCLUDE",
        "LIKE",
        "FULLTEXT",
        "SPATIAL",
        "NOT",
    }
)
"""Words at which an item of a table is no column, where they are not quoted."""

_NO_TYPE: Final = frozenset(
    {
        "CONSTRAINT",
        "PRIMARY",
        "UNIQUE",
        "CHECK",
        "REFERENCES",
        "DEFAULT",
        "NOT",
        "NULL",
        "COLLATE",
        "GENERATED",
        "AS",
        "KEY",
        "AUTOINCREMENT",
        "AUTO_INCREMENT",
    }
)
"""Words that follow a column's name where it has no type."""

_TYPED: Final = frozenset({"::", "RETURNS", "CAST", "TRY_CAST"})
"""What an expression holds that has a type in it."""

_TABLE_WORDS: Final = frozenset({"TEMP", "TEMPORARY", "UNLOGGED", "LOCAL", "GLOBAL", "FOREIGN"})


def type_places(tokens: Sequence[Token]) -> TypePlaces:
    """Return where types stand in a statement."""
    words = [
        "" if token.kind in {Kind.STRING, Kind.QUOTED, Kind.PARAMETER} else token.text.upper()
        for token in tokens
    ]
    types = _in_expressions(tokens, words)
    untyped: set[int] = set()
    if words[:1] == ["CREATE"]:
        _in_create(tokens, words, types, untyped)
    elif words[:1] == ["ALTER"]:
        types |= _in_alter(words)
        if words[1:2] == ["TABLE"]:
            untyped |= _untyped_in_alter(words)
    return TypePlaces(frozenset(types), frozenset(untyped))


def _in_expressions(tokens: Sequence[Token], words: list[str]) -> set[int]:
    """Return the places after `::`, and after the `AS` of a CAST, and after RETURNS."""
    found: set[int] = set()
    if _TYPED.isdisjoint(words):
        return found
    casts: dict[int, int] = {}
    for place, word in enumerate(words):
        match word:
            case "::" | "RETURNS":
                found.add(place + 1)
            case "(" if place and words[place - 1] in {"CAST", "TRY_CAST"}:
                casts[tokens[place].depth + 1] = place
            case ")":
                casts.pop(tokens[place].depth + 1, None)
            case "AS" if casts.pop(tokens[place].depth, None) is not None:
                found.add(place + 1)
            case _:
                pass
    return found


def _in_create(
    tokens: Sequence[Token], words: list[str], types: set[int], untyped: set[int]
) -> None:
    """Add the types of the columns of a table, of a composite type, and of a domain."""
    kind = next((word for word in words[1:] if word not in _TABLE_WORDS), "")
    if kind == "DOMAIN" and "AS" in words[:6]:
        types.add(words.index("AS") + 1)
    opening = _opening_of_columns(kind, words)
    if opening is None:
        return
    closing = _in_columns(tokens, words, opening, types, untyped)
    if kind == "TABLE" and words[closing + 1 : closing + 2] in (["AS"], ["SELECT"], ["WITH"]):
        untyped.clear()  # the names of a query's columns


def _opening_of_columns(kind: str, words: list[str]) -> int | None:
    """Return where the parenthesis with the columns of a table or a composite type opens."""
    if kind not in {"TABLE", "TYPE"} or "(" not in words:
        return None
    opening = words.index("(")
    if kind == "TYPE":
        return opening if words[opening - 1] == "AS" else None
    has_none = {"AS", "OF", "LIKE", "PARTITION", "SELECT"} & set(words[:opening])
    return None if has_none else opening


def _in_columns(
    tokens: Sequence[Token], words: list[str], opening: int, types: set[int], untyped: set[int]
) -> int:
    """Add the types of the columns in a parenthesis; return where it closes."""
    depth = tokens[opening].depth + 1
    is_item = True
    for at in range(opening + 1, len(words)):
        if words[at] == ")" and tokens[at].depth < depth:
            return at
        if is_item:
            _column(tokens, words, at, types, untyped)
        is_item = words[at] == "," and tokens[at].depth == depth
    return len(words)


def _column(
    tokens: Sequence[Token], words: list[str], at: int, types: set[int], untyped: set[int]
) -> None:
    """Add the type of the column whose name stands here, if a column does."""
    if tokens[at].kind not in {Kind.WORD, Kind.QUOTED, Kind.STRING} or words[at] in _NO_COLUMN:
        return
    after = at + 1
    if after >= len(words) or words[after] in {",", ")"} or words[after] in _NO_TYPE:
        untyped.add(at)
    elif tokens[after].kind in {Kind.WORD, Kind.QUOTED}:
        types.add(after)


def _in_alter(words: list[str]) -> set[int]:
    """Return the types of added and of changed columns; the first word is `ALTER`."""
    found: set[int] = set()
    declared: set[int] = set()
    for place, word in enumerate(words):
        if word == "TYPE" and words[place - 1] != "ALTER":  # It is a name behind `ALTER`.
            found.add(place + 1)
        if word in {"ADD", "MODIFY", "CHANGE"}:
            at = _name_of_column(words, place)
            if words[at : at + 1] and words[at] not in _NO_COLUMN:
                declared.add(at + 1)
    return found | {at for at in declared if at < len(words) and words[at] not in _NO_TYPE}


def _untyped_in_alter(words: list[str]) -> set[int]:
    """Return the columns that an `ALTER TABLE` adds without a type."""
    added = (place for place, word in enumerate(words) if word == "ADD")
    names = [_name_of_column(words, place) for place in added]
    return {
        at
        for at in names
        if words[at : at + 1]
        and words[at] not in _NO_COLUMN | {"(", "VALUE", "GENERATED", "INDEX", "KEY", "PARTITION"}
        and (words[at + 1 : at + 2] in ([], [","]) or words[at + 1] in _NO_TYPE)
    }


def _name_of_column(words: list[str], place: int) -> int:
    """Return where the column's name stands behind `ADD`, `MODIFY` or `CHANGE`; the new one."""
    at = place + 1 + (words[place + 1 : place + 2] == ["COLUMN"])
    if words[at : at + 3] == ["IF", "NOT", "EXISTS"]:
        at += 3
    if words[at : at + 1] == ["("]:
        at += 1
    return at + (words[place] == "CHANGE")
