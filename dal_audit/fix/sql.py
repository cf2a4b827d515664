"""Fix SQL by the respellings of the portability catalogue.

A respelling is safe where every backend that takes the old text does the same with the new one, and
each other one what these do. What that depends on beside the text itself is decided here, by what
the statement declares; what cannot be told is unsafe. The tests run each one on the engines.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from dal_audit.catalogue.portability import Feature, Respelling
from dal_audit.facts import Span
from dal_audit.facts.sql import (
    AlterTable,
    Column,
    CreateTable,
    OtherStatement,
    Rewriting,
    SqlConstruct,
    SqlStatement,
)
from dal_audit.fix.model import Fix

PROVEN: Final = frozenset({"sqlite", "postgresql"})
"""The backends on which the tests run what a respelling comes to."""

EXPRESSIONS: Final = frozenset({"constants", "functions", "literals", "operators", "types"})
"""The kinds of rows whose texts may stand in a list of results, and name a column there."""

_HOLE: Final = re.compile(r"\{\w\}")

_CLOCKS: Final = frozenset({"CURRENT_DATE", "CURRENT_TIME", "CURRENT_TIMESTAMP"})
"""What SQLite takes as the default of a new table's column, and of no column that it adds to rows
(sqlite.org/lang_altertable.html); nor does it take one there that begins with a parenthesis."""

TIMESTAMPS: Final = frozenset(
    {
        "datetime",
        "timestamp",
        "timestamptz",
        "timestamp with time zone",
        "timestamp without time zone",
    }
)


def fix_of(
    construct: SqlConstruct, feature: Feature, statement: SqlStatement, backends: tuple[str, ...]
) -> Fix | None:
    """Return how a construct is fixed; None where its row does not say it.

    Nothing is offered for backends on which it was never run.
    """
    rewriting = construct.rewriting
    if rewriting is None or not PROVEN.issuperset(backends):
        return None
    if "sqlite" in backends and _adds_clock(construct, rewriting, statement):
        return None
    respelling = feature.fixes[rewriting.respelling]
    is_safe = (
        CONDITIONS[respelling.safe](construct, statement)
        and not (rewriting.names_result and feature.kind in EXPRESSIONS)
        and statement.structure is not None
        and not _is_torn(statement)
    )
    return Fix(_message(respelling, rewriting), rewriting.edits, "safe" if is_safe else "unsafe")


def _adds_clock(construct: SqlConstruct, rewriting: Rewriting, statement: SqlStatement) -> bool:
    """Return whether a fix makes a clock the default of a column that is added, where none was.

    That would only give one refusal for another.
    """
    becomes = {word for edit in rewriting.edits for word in edit.text.upper().split()}
    if not isinstance(statement.structure, AlterTable) or _CLOCKS.isdisjoint(becomes):
        return False
    refused = {"(", *_CLOCKS}
    return any(
        refused.isdisjoint(word.upper() for word in words[:1])
        for _, words in _defaults(construct, statement)
    )


def _is_torn(statement: SqlStatement) -> bool:
    """Return whether a statement in code has holes, so that what it declares is not known."""
    return statement.within is not None and isinstance(statement.structure, OtherStatement)


def _message(respelling: Respelling, rewriting: Rewriting) -> str:
    """Return what a respelling comes to, in a few words: with its holes, where it has any."""
    written = _HOLE.sub("…", respelling.to).removesuffix(" (").strip()
    if "{" in respelling.to and ":" in respelling.to:
        written = " … ".join(edit.text.strip() for edit in rewriting.edits)
    if not written:
        return "take it out"
    return (
        f"write `{written}`"
        if "\n" not in written and "`" not in written
        else "write it in other quotes"
    )


def _always(_construct: SqlConstruct, _statement: SqlStatement) -> bool:
    return True


def _never(_construct: SqlConstruct, _statement: SqlStatement) -> bool:
    return False


def _is_lower_case(construct: SqlConstruct, _statement: SqlStatement) -> bool:
    """Return whether a quoted name has no capitals.

    PostgreSQL keeps them where a name is quoted, and takes them away where it is not: then the
    name in quotes and the name without are two.
    """
    texts = [edit.text for edit in construct.rewriting.edits] if construct.rewriting else []
    return all(text == text.lower() for text in texts)


def _is_not_a_key(construct: SqlConstruct, statement: SqlStatement) -> bool:
    """Return whether a type is not that of a primary key: `INTEGER` makes that a row's number."""
    made = statement.structure
    if not isinstance(made, CreateTable):
        return True
    keys = {
        key.column.lower()
        for constraint in made.constraints
        if constraint.kind == "primary-key"
        for key in constraint.keys
    }
    return not any(
        _lies_in(construct.span, column.span)
        and (
            column.name.name.lower() in keys
            or any(constraint.kind == "primary-key" for constraint in column.constraints)
        )
        for column in made.columns
    )


def _is_timestamp_default(construct: SqlConstruct, statement: SqlStatement) -> bool:
    """Return whether a text is the default of a column for points in time.

    In a column for text, the engines would keep them in forms of their own.
    """
    return any(name in TIMESTAMPS for name in _defaulted(construct, statement))


def _is_date_default(construct: SqlConstruct, statement: SqlStatement) -> bool:
    return "date" in _defaulted(construct, statement)


def _defaulted(construct: SqlConstruct, statement: SqlStatement) -> Iterator[str]:
    """Yield the type of the column in whose default a construct is all that there is."""
    for column, words in _defaults(construct, statement):
        values = [word for word in words if word[0] not in "()'"]
        if column.type is not None and len(values) == 1:
            yield column.type.name


def _defaults(
    construct: SqlConstruct, statement: SqlStatement
) -> Iterator[tuple[Column, tuple[str, ...]]]:
    """Yield each column in whose default a construct lies, and the words of that default."""
    for column in _columns(statement):
        for constraint in column.constraints:
            if constraint.kind != "default" or constraint.expression is None:
                continue
            if _lies_in(construct.span, constraint.span):
                yield column, constraint.expression.tokens


def _columns(statement: SqlStatement) -> tuple[Column, ...]:
    made = statement.structure
    if isinstance(made, CreateTable):
        return made.columns
    if isinstance(made, AlterTable):
        return tuple(action.column for action in made.actions if action.column is not None)
    return ()


def _lies_in(inner: Span, outer: Span) -> bool:
    return (outer.line, outer.column) <= (inner.line, inner.column) and (
        inner.end_line,
        inner.end_column,
    ) <= (outer.end_line, outer.end_column)


CONDITIONS: Final[Mapping[str, Callable[[SqlConstruct, SqlStatement], bool]]] = {
    "always": _always,
    "": _never,
    "lower-case": _is_lower_case,
    "not-a-key": _is_not_a_key,
    "timestamp-default": _is_timestamp_default,
    "date-default": _is_date_default,
}
"""When a respelling is safe, by the words that the catalogue has for it."""
