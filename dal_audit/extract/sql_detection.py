"""Tell SQL from English: whether a text is SQL, and what it does in a few words.

A text opens with a statement's words in one case (`SELECT`, `select`, never `Select`) and is built
as that statement is. Where the call speaks of a database, that is enough; where it does not,
sqlglot must read the text as that statement, too. It alone would not do: to sqlglot `Select one
from the list` is a query.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import Final

from dal_audit.extract.holes import UNKNOWN

_NAME: Final = rf'(?:[\w.$#@:{UNKNOWN}]|"[^"]+"|`[^`]+`|\[[^\]]+\]|\{{\w*\}}|%s|%\(\w+\)s)+'
_OBJECT: Final = (
    r"(?:TABLE|INDEX|(?:MATERIALIZED\s+)?VIEW|TRIGGER|FUNCTION|PROCEDURE|SCHEMA|DATABASE|SEQUENCE"
    r"|TYPE|EXTENSION|ROLE|USER|POLICY|DOMAIN|KEYSPACE)"
)
_ADJECTIVE: Final = (
    r"(?:OR\s+REPLACE|TEMP|TEMPORARY|UNIQUE|VIRTUAL|UNLOGGED|GLOBAL|LOCAL|EXTERNAL|FULLTEXT)"
)
_IF: Final = r"(?:CONCURRENTLY\s+)?(?:IF\s+(?:NOT\s+)?EXISTS\s+)?(?:ONLY\s+)?"

_STATEMENTS: Final = {
    "SELECT": r"SELECT\b(?=[\s(*]).+?(?:\bFROM\s+(?:ONLY\s+|LATERAL\s+)?(?P<t1>{n}|\(\s*SELECT)|$)",
    "INSERT": r"INSERT\s+(?:OR\s+\w+\s+|IGNORE\s+)?INTO\s+(?:TABLE\s+)?(?P<t2>{n})\s*(?:\S|$)",
    "REPLACE": r"REPLACE\s+INTO\s+(?P<t3>{n})\s*\S",
    "MERGE": r"MERGE\s+INTO\s+(?P<t4>{n})\s.*\bUSING\b",
    "UPDATE": r"UPDATE\s+(?:ONLY\s+|OR\s+\w+\s+)?(?P<t5>{n})\s.*?\bSET\s+{n}\s*=",
    "DELETE": r"DELETE\s+FROM\s+(?:ONLY\s+)?(?P<t6>{n})\s*(?:$|;|(?:AS\s+)?(?:\w+\s+)?"
    r"(?:WHERE|USING|RETURNING|LIMIT|ORDER)\b|[{u}{{%])",
    "WITH": r"WITH\s+(?:RECURSIVE\s+)?{n}\s*(?:\([^)]*\)\s*)?AS\s*(?:(?:NOT\s+)?MATERIALIZED\s*)?"
    r"(?:\(|{u})",
    "CREATE": rf"CREATE\s+(?:{_ADJECTIVE}\s+)*{_OBJECT}\s+{_IF}(?P<t7>{{n}})",
    "ALTER": rf"ALTER\s+{_OBJECT}\s+{_IF}(?P<t8>{{n}})\s+\S",
    "DROP": rf"DROP\s+{_OBJECT}\s+{_IF}(?P<t9>{{n}})\s*(?:$|;|,|CASCADE|RESTRICT|ON\b|{{u}})",
    "TRUNCATE": r"TRUNCATE\s+(?:TABLE\s+)?(?P<t10>{n})\s*(?:$|;|,|CASCADE|RESTART)",
    "PRAGMA": r"PRAGMA\s+{n}\s*(?:$|;|=|\()",
    "EXPLAIN": r"EXPLAIN\s+(?:\([^)]*\)\s*|ANALYZE\s+|QUERY\s+PLAN\s+|VERBOSE\s+)*"
    r"(?:SELECT|INSERT|UPDATE|DELETE|WITH)\b",
}
"""How a statement is built, by its verb; the verb is what a message calls it."""

_BARE: Final = (
    r"(?:BEGIN|COMMIT|ROLLBACK|END)(?:\s+(?:TRANSACTION|WORK|IMMEDIATE|EXCLUSIVE|DEFERRED))?"
    rf"|(?:SAVEPOINT|RELEASE(?:\s+SAVEPOINT)?|ROLLBACK\s+TO(?:\s+SAVEPOINT)?|USE|LISTEN"
    rf"|UNLISTEN|DETACH(?:\s+DATABASE)?)\s+{_NAME}"
    r"|(?:VACUUM|ANALYZE|REINDEX|CHECKPOINT)(?:\s.*)?"
    r"|(?:NOTIFY|ATTACH|GRANT|REVOKE|COPY|LOCK\s+TABLE|COMMENT\s+ON|REFRESH\s+MATERIALIZED)\s+.*"
    rf"|CALL\s+{_NAME}\s*\(.*"
    rf"|SET\s+(?:SESSION\s+|LOCAL\s+|GLOBAL\s+)?{_NAME}\s*(?:=|\bTO\b).*|SHOW\s+[\w\s.]+"
)
"""Statements so short or so free that only a call which speaks of a database makes SQL of them."""

_COMMENT: Final = re.compile(r"(?:\s+|--[^\n]*(?:\n|$)|/\*.*?\*/|[(;])*", re.DOTALL)
_FIRST_WORD: Final = re.compile(r"[A-Za-z]+")
_SYMBOL: Final = re.compile(rf"[*=<>()?;%$\[\]'{UNKNOWN}]|(?<![\w:]):\w")
_SENTENCE: Final = re.compile(r"[.!?…]\s*$|\b(?:the|your|this|these|please|an)\b(?!\s*[=.(,])")
_EXPRESSION: Final = re.compile(r"[A-Za-z_]\w*\s*[(=<>!]|\b[a-z_]+\.[a-z_]+\b|[A-Z]{4,}|'|::")

FRAGMENT: Final = "SQL"
"""What a text is called that is SQL and no statement."""


def read_sql(text: str, *, certain: bool) -> str:
    """Return what a text does as SQL (``SELECT on `users` ``); empty where it is no SQL.

    `certain` says that the text is handed to a database, so that it only has to look like SQL.
    """
    body = text[_COMMENT.match(text).end() :].rstrip(" \t\r\n;")  # type: ignore[union-attr]
    first = _FIRST_WORD.match(body)
    if first is None or not (first[0].isupper() or first[0].islower()):
        return ""
    verb, is_lower = first[0].upper(), first[0].islower()
    found = _pattern(verb).match(body) if verb in _STATEMENTS else None
    if found is None:
        is_bare = certain and _bare().fullmatch(body.upper() if is_lower else body)
        return f"`{verb}`" if is_bare else ""
    is_sql = _is_sql(verb, body, is_lower=is_lower, certain=certain)
    return _called(verb, _table(found)) if is_sql else ""


def begins_statement(text: str) -> bool:
    """Return whether a text begins with the verb of a statement, as all do that tell themselves."""
    first = _FIRST_WORD.match(text, _COMMENT.match(text).end())  # type: ignore[union-attr]
    return first is not None and first[0].upper() in _STATEMENTS


@cache
def _pattern(verb: str) -> re.Pattern[str]:
    """Return how a verb's statements are built; a start that meets no SQL does not wait for it."""
    pattern = _STATEMENTS[verb].format(n=_NAME, u=UNKNOWN)
    return re.compile(pattern, re.DOTALL | re.IGNORECASE)


@cache
def _bare() -> re.Pattern[str]:
    return re.compile(_BARE, re.DOTALL)


def _table(found: re.Match[str]) -> str:
    """Return the first table that a statement's pattern took; empty where it took none."""
    tables = (name for group, name in found.groupdict().items() if group.startswith("t"))
    return next(filter(None, tables), "")


def _is_sql(verb: str, body: str, *, is_lower: bool, certain: bool) -> bool:
    """Return whether a text that is built as a statement is one, and no English."""
    if is_lower and _SENTENCE.search(body) and not _SYMBOL.search(body):
        return False
    return certain or _is_firm(verb, body, lower=is_lower)


def is_fragment(text: str) -> bool:
    """Return whether a part of a statement says something by itself (`now()`, not `, `)."""
    return _EXPRESSION.search(text) is not None


def _called(verb: str, table: str) -> str:
    known = re.sub(r"[\"`\[\]]", "", table)
    if re.fullmatch(r"\w+(?:\.\w+)*", known) and known.upper() not in {"SELECT", "DUAL"}:
        return f"`{verb}` on `{known}`"
    return f"`{verb}`"


def _is_firm(verb: str, body: str, *, lower: bool) -> bool:
    """Return whether a text is SQL by itself, whatever it is handed to."""
    if lower and not _SYMBOL.search(body):
        return False
    if verb in {"PRAGMA", "EXPLAIN"}:
        return True
    if _SENTENCE.search(body.lower()) and not _SYMBOL.search(body):
        return False
    return _parses_as(verb, body)


@lru_cache(maxsize=1 << 10)
def _parses_as(verb: str, text: str) -> bool:
    """Return whether sqlglot reads a text as the statement that it begins as.

    A hole can stand for anything; where it stands for more than a name, no parser takes the text,
    and its shape must do.
    """
    # A hook on files without SQL must not pay for sqlglot's import, a tenth of a second.
    import sqlglot
    from sqlglot import expressions as exp
    from sqlglot.errors import SqlglotError

    from dal_audit.extract.sql.second_reader import silent

    whole = re.sub(rf"{UNKNOWN}|\{{\w*\}}|%s|%\(\w+\)s", "hole", text)
    with silent():
        for dialect in ("", "postgres", "sqlite", "mysql"):
            try:
                trees = sqlglot.parse(whole, read=dialect or None)
            except (SqlglotError, RecursionError):
                continue
            tree = trees[0] if trees else None
            if isinstance(tree, exp.Query):
                return tree.find(exp.From) is not None or _says_something(tree)
            return tree is not None and not isinstance(tree, (exp.Alias, exp.Column))
    return whole != text and verb != "SELECT"


def _says_something(tree: object) -> bool:
    """Return whether a query without FROM is more than a list of names."""
    from sqlglot import expressions as exp

    return isinstance(tree, exp.Query) and any(
        not isinstance(selected.unalias(), exp.Column) for selected in tree.selects
    )
