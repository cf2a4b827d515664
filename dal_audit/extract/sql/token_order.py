"""Whether the tokens of a query or a change may stand in their order, as far as pairs of them tell.

It is asked before a second reader is: what is not doubtful needs none, and what is doubtful may
still be right. So it is loose where a word has many uses.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from dal_audit.extract.sql.tokens import Kind, Token

_CLAUSES: Final = frozenset(
    {
        "AND", "AS", "BETWEEN", "BY", "ELSE", "END", "EXCEPT", "FROM", "GROUP", "HAVING", "IN",
        "INTERSECT", "INTO", "IS", "JOIN", "LIKE", "LIMIT", "OFFSET", "ON", "OR", "ORDER",
        "RETURNING", "SET", "TABLE", "THEN", "UNION", "USING", "VALUES", "WHEN", "WHERE", "WITH",
    }
)  # fmt: skip
"""Words that no expression begins with."""

_WANTING: Final = frozenset(
    {
        "AND", "AS", "BETWEEN", "BY", "DISTINCT", "ELSE", "ESCAPE", "FROM", "HAVING", "ILIKE", "IN",
        "INTO", "IS", "JOIN", "LIKE", "LIMIT", "NOT", "OFFSET", "ON", "OR", "RETURNING",
        "SET", "THEN", "UNION", "UPDATE", "WHEN", "WHERE",
    }
)  # fmt: skip
"""Words behind which something must stand."""

_PAIRS: Final = frozenset(
    {
        ("NOT", "IN"), ("NOT", "LIKE"), ("NOT", "BETWEEN"), ("IS", "DISTINCT"), ("AS", "VALUES"),
        ("INTO", "TABLE"), ("DISTINCT", "ON"), ("DISTINCT", "FROM"), ("UNION", "VALUES"),
        ("UPDATE", "SET"), ("IN", "TABLE"), ("FROM", "WITH"), ("UNION", "WITH"), ("AS", "WITH"),
        ("(", "VALUES"), ("(", "WITH"), ("(", "TABLE"), ("(", "WHERE"), ("(", "ORDER"), ("(", ")"),
    }
)  # fmt: skip
"""Two such words that stand side by side all the same."""

_BEFORE_VALUE: Final = frozenset(
    {"DATE", "TIME", "TIMESTAMP", "TIMESTAMPTZ", "INTERVAL", "ZONE", "BINARY", "UESCAPE"}
)
_NO_ALIAS: Final = frozenset({"WHERE", "HAVING", "SET", "VALUES", "LIMIT", "BY", "AND", "OR"})
_SIGNS: Final = frozenset({"+", "-", "~", "@", "*", "!!", "|/", "||/", "::", ":", "?", "@@"})
"""Operators that an expression may begin with, or that stand for other things."""

_NO_NAMES: Final = _CLAUSES | _WANTING | frozenset(
    {
        "ALL", "ANY", "ASC", "AT", "BOTH", "CASE", "CAST", "CHARACTER", "COLLATE", "CONFLICT",
        "CONSTRAINT", "CREATE", "CROSS", "CUBE", "CURRENT", "DATE", "DEFAULT", "DELETE", "DESC",
        "DIV", "DO", "DOUBLE", "DUPLICATE", "EXISTS", "FALSE", "FETCH", "FILTER", "FIRST",
        "FOLLOWING", "FOR", "FULL", "GLOB", "GROUPING", "IF", "IGNORE", "INNER", "INSERT",
        "INTERVAL", "ISNULL", "KEY", "LAST", "LATERAL", "LEADING", "LEFT", "MATCH", "MATCHED",
        "MATERIALIZED", "MERGE", "MOD", "NATURAL", "NOTHING", "NOTNULL", "NULL", "NULLS", "ONLY",
        "OPERATOR", "ORDINALITY", "OUTER", "OVER", "OVERLAPS", "PARTITION", "PRECEDING",
        "PRECISION", "PRIMARY", "RANGE", "RECURSIVE", "REGEXP", "REPLACE", "RIGHT", "RLIKE",
        "ROLLUP", "ROW", "ROWS", "SELECT", "SEPARATOR", "SETS", "SIMILAR", "SOME", "SYMMETRIC",
        "TEMP", "TEMPORARY", "TIME", "TIMESTAMP", "TO", "TRAILING", "TRUE", "UNBOUNDED",
        "UNKNOWN", "VALUE",
        "VARYING", "VIEW", "WINDOW", "WITHIN", "XOR", "ZONE",
    }
)  # fmt: skip
"""Words that are no names where they stand beside one."""

_CONNECTING: Final = frozenset({"AND", "OR", "WHERE", "FROM", "NOT", "HAVING", "JOIN", "INTO"})
_NOTHING_MORE: Final = frozenset(
    {")", ",", ";", "AND", "FROM", "GROUP", "HAVING", "OR", "THEN", "UNION", "WHEN", "WHERE"}
)
"""What cannot stand where an operand is wanted, in neither engine."""

_VALUES: Final = frozenset({Kind.STRING, Kind.NUMBER, Kind.PARAMETER})
_MARKS: Final = frozenset({Kind.WORD, Kind.PUNCTUATION, Kind.OPERATOR})
_END: Final = Token(Kind.PUNCTUATION, ";", 0, 0)


class Misfit(NamedTuple):
    """A token that does not fit the one before it: its place, and whether that is certain.

    The place is the number of tokens where something is missing at the end.
    """

    place: int
    is_certain: bool


def first_misfit(tokens: Sequence[Token], clause: str = "") -> Misfit | None:
    """Return the first token that does not fit the one before it; None where all of them may.

    `clause` is the word of the clause that the tokens stand in.
    """
    clauses: dict[int, str] = {}
    names = 0
    depth = 0
    after = _word(tokens[0])
    for place, (before, token) in enumerate(zip(tokens, [*tokens[1:], _END], strict=True), 1):
        word, after = after, _word(token)
        depth += (word == "(") - (word == ")")
        if depth < 0 or _lacks_for_sure(word, after):
            return Misfit(place - (depth < 0), is_certain=True)
        if word in _CLAUSES:
            clauses[before.depth] = word
        names = names + 1 if _is_name(before, word) else 0
        has_no_alias = clauses.get(before.depth, clause) in _NO_ALIAS
        is_name_too_many = names > (0 if has_no_alias else 1) and _is_name(token, after)
        is_odd = _is_group_too_many(word, after, tokens, place)
        is_odd = (
            is_odd
            or _lacks_operand(before, word, token, after)
            or _is_second(before, word, token, after)
        )
        if is_name_too_many or is_odd or _is_odd_point(before, word, token, after):
            return Misfit(place, is_certain=False)
    return Misfit(len(tokens), is_certain=True) if depth else None


def _lacks_for_sure(word: str, after: str) -> bool:
    """Return whether no engine takes two neighbours: nothing stands between them."""
    if word in {",", "("}:
        return after == "," or (word == "," and after in _NOTHING_MORE)
    return word in _CONNECTING and after in _NOTHING_MORE


def _is_group_too_many(word: str, after: str, tokens: Sequence[Token], place: int) -> bool:
    """Return whether a parenthesis opens behind another that is no query of an `INSERT`."""
    is_query = place + 1 < len(tokens) and tokens[place + 1].is_word("SELECT", "WITH", "VALUES")
    return word == ")" and after == "(" and not is_query


def _is_odd_point(before: Token, word: str, token: Token, after: str) -> bool:
    """Return whether a point has no name on one of its sides."""
    if after == "." and before.kind in _MARKS - {Kind.WORD}:
        return word not in {")", "]"}
    return word == "." and token.kind in _MARKS - {Kind.WORD} and after != "*"


def _word(token: Token) -> str:
    """Return a word in capitals, or a mark or operator; empty for what is quoted and for values."""
    return token.text.upper() if token.kind in _MARKS else ""


def _is_name(token: Token, word: str) -> bool:
    return token.kind is Kind.QUOTED or (token.kind is Kind.WORD and word not in _NO_NAMES)


def _lacks_operand(before: Token, word: str, token: Token, after: str) -> bool:
    """Return whether something must follow a token that does not."""
    is_operator = before.kind is Kind.OPERATOR
    wants = word != "*" if is_operator else word in _WANTING or word in {",", "("}
    if not wants or (word, after) in _PAIRS:
        return False
    if token.kind is Kind.OPERATOR:
        return after not in _SIGNS
    return after in {")", ",", ";"} or after in _CLAUSES


def _is_second(before: Token, word: str, token: Token, after: str) -> bool:
    """Return whether a value stands right behind another, or behind a closed parenthesis."""
    if token.kind in _VALUES:
        ends_operand = before.kind in _VALUES or word == ")" or _is_name(before, word)
        return ends_operand and word not in _BEFORE_VALUE
    if after == "(":
        return before.kind in _VALUES
    return after in {"CASE", "EXISTS", "CAST"} and (before.kind in _VALUES or word == ")")
