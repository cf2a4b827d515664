"""The grammar of tokens: one expression, whose groups say what was matched.

No alternative can be tried in two ways, so that reading takes linear time, whatever the text is.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

# Said is what is no letter, for that is ASCII alone: a class of all letters of Unicode takes the
# compiler of expressions milliseconds each time.
_FIRST: Final = r"[^\x00-@\[-^`{-\x7f]"
_LETTER: Final = r"[^\x00-/:-@\[-^`{-\x7f]"
_NEXT: Final = r"[^\x00-#%-/:-@\[-^`{-\x7f]"
_NAME: Final = rf"{_FIRST}{_LETTER}*"

_NUMERALS: Final = (
    r"0[xX][0-9a-fA-F_]+|0[oO][0-7_]+|0[bB][01_]+"
    r"|[0-9][0-9_]*(?:\.(?!\.)[0-9_]*)?(?:[eE][+-]?[0-9]+)?"
    rf"|(?<!{_NEXT})(?<![\"\]`.])\.[0-9][0-9_]*(?:[eE][+-]?[0-9]+)?"
)
_PARAMETERS: Final = (
    rf"\$[0-9]+|\${_FIRST}{_NEXT}*|@{_FIRST}{_NEXT}*|%\(\w+\)s"
    rf"|(?<!{_NEXT})(?<![:\])]):(?:'\w+'|\"\w+\")"
)
_TEMPLATE_IN_QUOTES: Final = r"\"[^\"{}\r\n]*\{\{[^{}\r\n]*\}\}[^\"{}\r\n]*\""
"""It may have quotes of its own: `"{{ index .Options "Schema" }}"`."""

_OPERATORS: Final = (
    "->>", "#>>", "<->>", "<<->", "<->", "<=>", "<#>", "<+>", "<~>", "<<%", "%>>", "||/", "|/",
    "!~~*", "!~~", "~~*", "~~", "!~*", "!~", "~*", "~<=~", "~>=~", "~<~", "~>~", "~=", "@@@", "@@",
    "@>", "<@", "@?", "?|", "?&", "->", "#>", "#-", "#=", "-|-", "&&&", "&&", "&<|", "|&>", "&<",
    "&>", "<<|", "|>>", "<<=", ">>=", "<<", ">>", "<=", ">=", "<>", "!=", "==", "=>", ":=", "::",
    "||", "<^", ">^", "^@", "%>", "<%", "!!",
)  # fmt: skip
"""Operators of more than one character, of both engines and of common extensions (pgvector,
pg_trgm, PostGIS). A list, because reading on as PostgreSQL does would take `=@p1` amiss."""

_LONGEST_FIRST: Final = "|".join(
    re.escape(operator) for operator in sorted(_OPERATORS, key=len, reverse=True)
)

# In the order of the numbers below; the delimiter in force comes first, the client's lines second.
_GRAMMAR: Final = "|".join(
    (
        # The words first, they are half of all; a prefix of a string is none.
        rf"((?!(?:[eExXbBnN]|[uU]&)'|[uU]&\"){_FIRST}{_NEXT}*)",
        r"([(),;])",
        # Either closed, or open up to the end; no way back, so no attempt is made twice.
        r"((?:[bBnNxX]|[uU]&)?'[^']*(?:''[^']*)*'?)",
        rf"({_NUMERALS})",
        r"(-->[ \t]*(?i:statement-breakpoint)|--[^\r\n]*)",
        r"(/\*)",
        rf"({_TEMPLATE_IN_QUOTES}|(?:[uU]&)?\"[^\"]*(?:\"\"[^\"]*)*\"?|`[^`]*(?:``[^`]*)*`?)",
        r"([eE]'[^'\\]*(?:(?:''|\\.|\\\Z)[^'\\]*)*'?)",
        rf"(\$(?:{_NAME})?\$)",
        r"(\[[^\[\]\r\n]*\])",
        r"(\$\{[^{}\s]*\}|\{\{[^{}]*\}\}|\{%[^{}]*%\}|\#\{[^{}\s]*\})",
        rf"({_PARAMETERS})",
        rf"((?<!:):{_LETTER}{_NEXT}*|\?(?:[0-9]+|(?=\|\|)|(?![|&]))|%s(?!{_NEXT}))",
        rf"({_LONGEST_FIRST}|[-+*/<>=~!@\#%^&|`?:])",
        r"([.\[\]])",
        r"(\\[A-Za-z.!?;][^\r\n]*)",
        r"([^ \t\r\n\f\v])",
    )
)
_LINE_GRAMMAR: Final = (
    r"(^(?:(?i:GO)(?:[ \t]+[0-9]+)?[ \t]*(?=[\r\n]|\Z)|(?i:DELIMITER)[ \t]+[^\r\n]+"
    r"|\.[a-z]+\b[^\r\n]*))"
)
"""Lines to sqlcmd (`GO`), to mysql (`DELIMITER //`) and to sqlite3 (`.read x`)."""

_SPACES: Final = r"[ \t\r\n\f\v]*"

(
    DELIMITER,
    CLIENT_LINE,
    WORD,
    PUNCTUATION,
    STRING,
    NUMBER,
    LINE_COMMENT,
    BLOCK_COMMENT,
    QUOTED,
    ESCAPED,
    DOLLAR,
    BRACKETS,
    TEMPLATE,
    PARAMETER,
    DOUBTFUL,
    OPERATOR,
    POINT,
    BACKSLASH,
    UNKNOWN,
) = range(1, 20)
"""The numbers of the groups."""

DIRECTIVE: Final = re.compile(
    r"--[ \t]*(?:\+(?:goose|migrate)\b|migrate:(?:up|down)\b|>[ \t]*statement-breakpoint\b"
    r"|(?:changeset|rollback|liquibase)\b|atlas:delimiter\b)"
    r"|---- create above / drop below ----",
    re.IGNORECASE,
)
"""Comments that migration tools act upon."""


@lru_cache(maxsize=16)
def expression(delimiter: str) -> re.Pattern[str]:
    """Return the expression of a token, with the delimiter in force as the first group.

    The group is the token. The match takes in the spaces behind it, too, where none of them can be
    a delimiter's: to search on from there would try each alternative at each of them, which takes
    longer than all tokens do.
    """
    grammar = f"({re.escape(delimiter)})|{_LINE_GRAMMAR}|{_GRAMMAR}"
    behind = "" if delimiter[:1].isspace() else _SPACES
    return re.compile(f"(?:{grammar}){behind}", re.DOTALL | re.MULTILINE)
