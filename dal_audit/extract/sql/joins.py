"""Where the joins of a query are not built alike in both engines.

PostgreSQL wants a condition for each join but `CROSS` and `NATURAL`, and lets it ask for the tables
of its own join alone, not for those before the comma. SQLite takes a join without a condition, has
all tables before it in sight, and takes no two conditions in a row. Sources: PostgreSQL's
sql-select.html and queries-table-expressions.html, SQLite's lang_select.html.
"""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from itertools import takewhile
from typing import Final

from dal_audit.extract.sql.tokens import Kind, Token

UNJOINED: Final = "<join-without-condition>"
UNPAIRED: Final = "<condition-too-many>"
OUTSIDE: Final = "<table-before-comma>"

_ENDS: Final = frozenset(
    {
        "EXCEPT", "FETCH", "FOR", "GROUP", "HAVING", "INTERSECT", "LIMIT", "OFFSET", "ORDER",
        "RETURNING", "SET", "UNION", "WHEN", "WHERE", "WINDOW",
    }
)  # fmt: skip
"""Words at which the tables of a query end."""

_KINDS: Final = frozenset({"LEFT", "RIGHT", "FULL", "INNER", "OUTER"})
_NO_ALIAS: Final = _ENDS | _KINDS | {"CROSS", "JOIN", "NATURAL", "ON", "STRAIGHT_JOIN", "USING"}
_CONDITIONS: Final = frozenset({"ON", "USING"})
_BEFORE_TABLE: Final = frozenset({"FROM", ",", "JOIN"})
_NAMES: Final = frozenset({Kind.WORD, Kind.QUOTED})


def join_marks(tokens: Sequence[Token]) -> dict[str, list[int]]:
    """Return the places of the tokens that show it, by what they show."""
    found: dict[str, list[int]] = {}
    for place, token in enumerate(tokens):
        if token.is_word("FROM") and place and not tokens[place - 1].is_word("DISTINCT"):
            _Tables(tokens, place, found).read()
    return {mark: sorted(set(places)) for mark, places in found.items()}


class _Tables:
    """Goes through the tables of one `FROM`; what lies in parentheses is not looked into."""

    def __init__(self, tokens: Sequence[Token], start: int, found: dict[str, list[int]]) -> None:
        depth = tokens[start].depth
        within = takewhile(lambda at: tokens[at].depth >= depth, range(start, len(tokens)))
        self._tokens = tokens
        self._found = found
        self._places = [at for at in within if tokens[at].depth == depth]
        self._at = 0
        self._waiting: list[int] = []
        self._before: set[str] = set()
        self._own: set[str] = set()

    def read(self) -> None:
        """Note what is amiss."""
        last = ""
        while self._word() and self._word() not in _ENDS:
            word, place = self._word(), self._places[self._at]
            self._at += 1
            if word in _BEFORE_TABLE:
                self._begin(word, place)
            elif word in _CONDITIONS:
                self._pair(place, is_second=last in _CONDITIONS)
            last = word if word in _BEFORE_TABLE | _CONDITIONS else last
        self._note(UNJOINED, self._waiting)

    def _word(self) -> str:
        """Return the token at the place, in capitals; a space for what is quoted."""
        if self._at >= len(self._places):
            return ""
        token = self._tokens[self._places[self._at]]
        return token.upper if token.kind in {Kind.WORD, Kind.PUNCTUATION} else " "

    def _note(self, mark: str, places: Sequence[int]) -> None:
        if places:
            self._found.setdefault(mark, []).extend(places)

    def _begin(self, word: str, place: int) -> None:
        """Begin with a table behind `FROM`, a comma or a `JOIN`."""
        if word == ",":
            self._note(UNJOINED, self._waiting)
            self._waiting = []
            self._before |= self._own
            self._own = set()
        elif word == "JOIN" and not self._has_no_condition(place):
            self._waiting.append(place)
        self._own.add(self._table())

    def _has_no_condition(self, place: int) -> bool:
        """Return whether a join is `CROSS` or `NATURAL`."""
        at = place - 1
        while self._tokens[at].upper in _KINDS:
            at -= 1
        return self._tokens[at].is_word("CROSS", "NATURAL")

    def _pair(self, place: int, *, is_second: bool) -> None:
        """Take a condition for that of the last join that waits for one."""
        if not self._waiting:
            return
        if is_second:
            self._note(UNPAIRED, [place])
        self._waiting.pop()
        if self._before and self._tokens[place].is_word("ON"):
            self._look_outside(place)

    def _look_outside(self, place: int) -> None:
        """Note the first table that a condition asks for and that stands before the comma."""
        depth = self._tokens[place].depth
        for at in range(place + 1, len(self._tokens) - 1):
            token = self._tokens[at]
            ends_it = token.text == "," or token.is_word(*_NO_ALIAS)
            if token.depth < depth or (token.depth == depth and ends_it) or token.is_word("SELECT"):
                return
            name = _name(token)
            if self._tokens[at + 1].text == "." and name in self._before - self._own:
                self._note(OUTSIDE, [at])
                return

    def _table(self) -> str:
        """Read a table, a query in parentheses or a call of a function; return what it goes by."""
        while self._word() in {"LATERAL", "ONLY", "(", ")"}:
            self._at += 1
        name = self._takes_name()
        while self._word() == ".":
            self._at += 1
            name = self._takes_name(reserved=frozenset())
        while self._word() in {"(", ")"}:
            self._at += 1
        self._at += self._word() == "AS"
        return self._takes_name() or name

    def _takes_name(self, reserved: AbstractSet[str] = _NO_ALIAS) -> str:
        """Move over a name if one is next, and return it; behind a point no word is reserved."""
        if not self._word() or self._word() in reserved:
            return ""
        name = _name(self._tokens[self._places[self._at]])
        self._at += bool(name)
        return name


def _name(token: Token) -> str:
    """Return a name without its quotes, in lower case; empty where a token is none."""
    return token.text.strip('"`[]').lower() if token.kind in _NAMES else ""
