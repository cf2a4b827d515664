"""Make trees of stretches of a statement; where one is not understood there is none.

The readers of structure keep what they read: a tree is something more, and its lack says nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar

from msgspec.structs import replace

from dal_audit.extract.sql.changes import ChangeReader
from dal_audit.extract.sql.cursor import Cursor, NotUnderstoodError
from dal_audit.facts.sql import Expression
from dal_audit.facts.sql_trees import ChangeTree, QueryTree

_Tree = TypeVar("_Tree")


def change_tree(cursor: Cursor) -> ChangeTree | None:
    """Return a whole statement that changes rows as a tree."""
    return _read(cursor, 0, cursor.limit, ChangeReader.change)


def query_tree(cursor: Cursor, start: int, end: int) -> QueryTree | None:
    """Return a stretch of tokens as a query."""
    return _read(cursor, start, end, ChangeReader.query)


def operand_expression(cursor: Cursor, start: int, end: int | None = None) -> Expression:
    """Return the tokens from one index up to another as an expression with its tree."""
    stop = cursor.at if end is None else end
    tree = _read(cursor, start, stop, ChangeReader.operand)
    return replace(cursor.expression(start, stop), tree=tree)


def query_expression(cursor: Cursor, start: int, end: int) -> Expression:
    """Return the same of a query, which may be followed by what says whether it is run."""
    last = end
    while last > start and cursor.words[last - 1] in _AFTER_QUERY:
        last -= 1
    has_words = last < end and cursor.words[last] == "WITH"
    tree = query_tree(cursor, start, last if has_words else end)
    return replace(cursor.expression(start, end), tree=tree)


def view_query(cursor: Cursor, start: int) -> QueryTree | None:
    """Return the query of a view, of which the tokens from `start` on follow its name."""
    place, cursor.at = cursor.at, start
    found = cursor.skip_to("AS")
    begin, cursor.at = cursor.at + 1, place
    if not found:
        return None
    tree = query_expression(cursor, begin, cursor.limit).tree
    return tree if isinstance(tree, QueryTree) else None


_AFTER_QUERY: Final = frozenset(
    {"WITH", "NO", "DATA", "LOCAL", "CASCADED", "CHECK", "OPTION"}
)  # fmt: skip
"""`WITH NO DATA`, `WITH LOCAL CHECK OPTION`."""


def _read(
    cursor: Cursor, start: int, end: int, read: Callable[[ChangeReader], _Tree]
) -> _Tree | None:
    """Read a stretch that must be of one piece. The cursor stays where it is."""
    place, limit = cursor.at, cursor.limit
    cursor.at, cursor.limit = start, end
    try:
        found = read(ChangeReader(cursor))
        is_whole = cursor.done
    except NotUnderstoodError:
        return None
    finally:
        cursor.at, cursor.limit = place, limit
    return found if is_whole else None
