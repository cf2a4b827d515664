"""Read what a statement declares or changes, from its tokens.

No grammar of a whole dialect: as much structure as a schema needs that follows the migrations, with
what stands in expressions left as it is. sqlglot's trees are not the source of it, for they carry
no places, rename what they read, and take half of what SQLite and PostgreSQL accept as an opaque
command. What is not built as statements of its kind are is said to be not understood.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct, structs

from dal_audit.extract.sql.cursor import Cursor, NotUnderstoodError
from dal_audit.extract.sql.objects import (
    alter_object,
    create_object,
    delete,
    drop,
    insert,
    read_object,
    truncate,
    update,
)
from dal_audit.extract.sql.places import Places
from dal_audit.extract.sql.tables import (
    alter_table,
    create_index,
    create_table,
    create_virtual_table,
)
from dal_audit.extract.sql.tokens import Kind, Token
from dal_audit.extract.sql.trees import change_tree, query_tree
from dal_audit.facts.sql import Change, OtherStatement, Query, Structure, Transaction

_QUERIES: Final = frozenset({"SELECT", "VALUES", "TABLE"})
_TRANSACTIONS: Final = frozenset(
    {"ABORT", "BEGIN", "COMMIT", "END", "RELEASE", "ROLLBACK", "SAVEPOINT", "START"}
)
_OTHERS: Final = frozenset(
    {
        "ANALYZE", "ATTACH", "CALL", "CHECKPOINT", "CLOSE", "CLUSTER", "COMMENT", "COPY",
        "DEALLOCATE", "DECLARE", "DESCRIBE", "DETACH", "DISCARD", "DO", "EXEC", "EXECUTE",
        "EXPLAIN", "FETCH", "FLUSH", "GRANT", "IMPORT", "KILL", "LISTEN", "LOAD", "LOCK", "MOVE",
        "NOTIFY", "OPTIMIZE", "PRAGMA", "PREPARE", "REASSIGN", "REFRESH", "REINDEX", "RENAME",
        "REPAIR", "RESET", "REVOKE", "SECURITY", "SET", "SHOW", "UNLISTEN", "UNLOCK", "USE",
        "VACUUM",
    }
)  # fmt: skip
"""Statements whose inside no schema needs."""

_READING: Final = frozenset({"FROM", "INTO", "WITH", "("})
"""What a query that reads a table or calls a function holds."""

_ADJECTIVES: Final = frozenset(
    {"TEMP", "TEMPORARY", "UNLOGGED", "GLOBAL", "LOCAL", "RECURSIVE", "TRUSTED", "PROCEDURAL",
     "FULLTEXT", "SPATIAL", "EXTERNAL", "DEFAULT", "FORCE", "UNIQUE"}
)  # fmt: skip
_WORDS: Final = 3
_HEAD: Final = 16
"""Within so many tokens a statement says what it creates."""


_NOWHERE: Final = Places("")
"""The places of what is read for its words alone."""


class Reading(Struct, frozen=True):
    """What was read of a statement: its structure, or why and where it was not understood.

    `flaw_token` is None where the statement ends too early.
    """

    structure: Structure | None
    flaw: str = ""
    flaw_token: Token | None = None


def read_structure(tokens: tuple[Token, ...], places: Places) -> Reading:
    """Return the structure of a statement; `places` are those of the text that it stands in."""
    cursor = Cursor(tokens, places)
    try:
        return Reading(_statement(cursor))
    except NotUnderstoodError as error:
        return Reading(None, str(error), error.token)


def head_of(tokens: tuple[Token, ...]) -> str:
    """Return a statement's verb in capitals, and what it creates, alters or drops.

    It is empty for what begins with no word. Adjectives and `OR REPLACE` are left out: `CREATE OR
    REPLACE TEMP VIEW v` is a `CREATE VIEW`.
    """
    first = tokens[0].upper if tokens[0].kind is Kind.WORD else ""
    if first not in {"CREATE", "ALTER", "DROP"}:
        return first
    cursor = Cursor(tokens[:_HEAD], _NOWHERE)
    cursor.at = 1
    if first == "CREATE":
        _adjectives(cursor)
        cursor.takes("VIRTUAL")
    return f"{first} {read_object(cursor).upper()}".rstrip()


def _statement(cursor: Cursor) -> Structure:
    """Read a statement by its first word."""
    while cursor.sees("("):
        cursor.at += 1
    word = cursor.word()
    whole = None
    if word == "WITH":
        whole = cursor.expression(cursor.at, cursor.limit)
        word = _after_with(cursor)
    cursor.at += 1
    change = _change(cursor, word)
    if change is not None:
        tree = change_tree(cursor)
        return structs.replace(change, source=whole or change.source, tree=tree)
    if word == "CREATE":
        return _create(cursor)
    if word in {"ALTER", "DROP"}:
        return _alter_or_drop(cursor, word)
    return _changing_no_schema(cursor, word)


def _changing_no_schema(cursor: Cursor, word: str) -> Structure:
    """Return a statement that changes no schema and no rows; its first word was read."""
    if word in _QUERIES:
        constant = word == "SELECT" and _READING.isdisjoint(cursor.words)
        return Query(word, constant, query_tree(cursor, 0, cursor.limit))
    if word in _TRANSACTIONS:
        if cursor.token.kind is Kind.OPERATOR:
            raise cursor.error("the end of the statement was expected")
        return Transaction(_leading(cursor))
    if word in _OTHERS:
        return OtherStatement(_leading(cursor), _body(cursor) if word == "DO" else "")
    cursor.at -= 1
    raise cursor.error("no statement begins so")


def _alter_or_drop(cursor: Cursor, word: str) -> Structure:
    what = read_object(cursor)
    if not what:
        raise cursor.error(f"`{word}` of something unknown")
    if word == "DROP":
        return drop(cursor, what)
    return alter_table(cursor) if what == "table" else alter_object(cursor, what)


def _change(cursor: Cursor, word: str) -> Change | None:
    if word == "INSERT" or (word == "REPLACE" and cursor.word() != "("):
        return insert(cursor, word)
    if word == "UPDATE":
        return update(cursor)
    if word == "DELETE":
        return delete(cursor)
    if word == "TRUNCATE":
        return truncate(cursor)
    if word == "MERGE":
        cursor.expect("INTO")
        cursor.takes("ONLY")
        return Change(word, cursor.name())
    return None


def _after_with(cursor: Cursor) -> str:
    """Move over a statement's `WITH` to the verb after it, and return that."""
    start = cursor.at
    cursor.at += 1
    verbs = ("SELECT", "INSERT", "UPDATE", "DELETE", "VALUES", "MERGE", "REPLACE", "TABLE")
    if not cursor.skip_to(*verbs):
        cursor.at = start
        raise cursor.error("a `WITH` without a query after it")
    return cursor.word()


def _body(cursor: Cursor) -> str:
    """Return the code of a `DO` block as it stands, with its quotes."""
    return next((token.text for token in cursor.tokens if token.kind is Kind.STRING), "")


def _leading(cursor: Cursor) -> tuple[str, ...]:
    """Return the first words of the statement."""
    found = []
    for index in range(min(_WORDS, cursor.limit)):
        if cursor.tokens[index].kind is not Kind.WORD:
            break
        found.append(cursor.words[index])
    return tuple(found)


def _adjectives(cursor: Cursor) -> tuple[bool, bool, bool]:
    """Move over what stands between `CREATE` and the object's kind.

    Return whether it says `OR REPLACE`, that the thing is temporary, and that it is unique.
    """
    words = set()
    while word := _adjective(cursor):
        words.add(word)
    return "OR" in words, not words.isdisjoint({"TEMP", "TEMPORARY"}), "UNIQUE" in words


def _adjective(cursor: Cursor) -> str:
    """Move over a word or a phrase; return its first word, and nothing where there is none."""
    if cursor.takes("OR", "REPLACE") or cursor.takes("OR", "ALTER"):
        return "OR"
    if cursor.sees("DEFINER", "="):
        # MySQL: `DEFINER = user@host` before a view or a trigger.
        cursor.skip_to("VIEW", "TRIGGER", "FUNCTION", "PROCEDURE", "EVENT", "SQL")
        return "DEFINER"
    if cursor.takes("SQL", "SECURITY"):
        cursor.at += 1
        return "SQL"
    return cursor.takes_one(*_ADJECTIVES)


def _create(cursor: Cursor) -> Structure:
    or_replace, temporary, unique = _adjectives(cursor)
    if cursor.takes("VIRTUAL", "TABLE"):
        return create_virtual_table(cursor)
    what = read_object(cursor)
    if not what:
        raise cursor.error("`CREATE` of something unknown")
    if what in {"table", "foreign table"}:
        return create_table(cursor, temporary=temporary)
    if what == "index":
        return create_index(cursor, unique=unique)
    return create_object(cursor, what, or_replace=or_replace, temporary=temporary)
