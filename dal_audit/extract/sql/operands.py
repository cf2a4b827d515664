"""Read operands: constants, names, calls, and the forms that have a grammar of their own."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Final

from dal_audit.extract.sql.cursor import Cursor, NotUnderstoodError
from dal_audit.extract.sql.elements import read_cast_type, read_type
from dal_audit.extract.sql.operand_words import (
    CLOCKS,
    NAMES_OF_CALLS,
    NO_OPERAND,
    OWN_GRAMMAR,
    TYPES_BEFORE_STRINGS,
    WHO,
    constant_kind,
)
from dal_audit.extract.sql.tokens import Kind
from dal_audit.facts.sql_names import SqlName, SqlType
from dal_audit.facts.sql_trees import (
    Call,
    Case,
    Cast,
    ColumnName,
    Constant,
    Operand,
    Operation,
    QueryTree,
    Row,
    Star,
    Subquery,
    Unread,
)

MAX_NESTING: Final = 30
"""How deep operands and queries may lie in one another: no text ends in a recursion too deep."""
MAX_LINKS: Final = 60
"""How many operators, joins and unions may follow another, each of which makes the tree higher."""

NOT: Final = 3
SIGN: Final = 13
"""How closely the operators before an operand bind."""

_AFTER_QUERY: Final = frozenset({")", "UNION", "INTERSECT", "EXCEPT", "ORDER", "LIMIT", "OFFSET"})
"""What may follow a query in parentheses that is a part of another."""

_UNITS: Final = ("YEAR", "MONTH", "DAY", "HOUR", "MINUTE", "SECOND")
_PREFIXES: Final = frozenset({"+", "-", "~", "@"})


class OperandReader(ABC):
    """Reads operands from a cursor on; each method leaves it behind what it has read.

    All raise NotUnderstoodError for what is built otherwise.
    """

    def __init__(self, cursor: Cursor) -> None:
        """Begin at the place of a cursor."""
        self.cursor = cursor
        self.nesting = 0
        self._links = 0

    def nest(self) -> None:
        """Begin what lies in another; whoever does so takes one from `nesting` at its end."""
        self.nesting += 1
        if self.nesting > MAX_NESTING:
            raise self.cursor.error("expressions that are nested too deep")

    def link(self) -> None:
        """Note that a tree grows by what follows it."""
        self._links += 1
        if self._links > MAX_LINKS:
            raise self.cursor.error("too many operators in a row")

    @abstractmethod
    def operand(self, power: int = 0) -> Operand:
        """Read an operand with all operators after it that bind closer than `power`."""

    def query(self) -> QueryTree:
        """Read a query; where only an expression is asked for, there is none."""
        raise self.cursor.error("a query in an expression")

    def items(self) -> tuple[Operand, ...]:
        """Read operands with commas between them."""
        found = [self.operand()]
        while self.cursor.takes(","):
            found.append(self.operand())
        return tuple(found)

    def operation(self, start: int, operator: str, *operands: Operand) -> Operation:
        """Return an operation that begins at a token and ends at the place."""
        return Operation(self.cursor.span(start), operator, operands)

    def first(self) -> Operand:
        """Read an operand with the operators before it."""
        cursor = self.cursor
        start, word = cursor.at, cursor.word()
        if word == "NOT" and cursor.token.kind is Kind.WORD:
            cursor.at += 1
            return self.operation(start, "NOT", self.operand(NOT))
        if word in _PREFIXES:
            cursor.at += 1
            return self.operation(start, word, self.operand(SIGN))
        if word == "(":
            return self._parenthesis()
        kind = constant_kind(cursor)
        if kind is not None:
            cursor.at += 1
            return Constant(cursor.span(start), kind, cursor.tokens[start].text)
        return self._named() if cursor.token.kind in {Kind.WORD, Kind.QUOTED} else self._unread()

    def _unread(self) -> Operand:
        """Read what stands for a value that is not known: a parameter, what a tool fills in."""
        cursor = self.cursor
        if cursor.token.kind not in {Kind.PARAMETER, Kind.TEMPLATE}:
            raise cursor.error("an expression was expected")
        start = cursor.at
        cursor.at += 1
        if not cursor.done and cursor.token.kind in {Kind.WORD, Kind.TEMPLATE, Kind.QUOTED}:
            before = cursor.tokens[start]
            if cursor.token.start == before.end or cursor.sees("."):
                raise cursor.error("a name that is put together")
        return Unread(cursor.span(start))

    def begins_query(self) -> bool:
        """Return whether a query begins at the place, in any number of parentheses."""
        ahead = 0
        while self.cursor.word(ahead) == "(":
            ahead += 1
        if self.cursor.word(ahead) not in {"SELECT", "WITH", "VALUES"}:
            return False
        return all(map(self._is_all_query, range(1, ahead)))

    def _is_all_query(self, ahead: int) -> bool:
        """Return whether a parenthesis further on is all that the one around it begins with.

        It is not where a query is the first operand of an expression: `((SELECT 1) + 1)`.
        """
        cursor = self.cursor
        place = cursor.at
        cursor.at += ahead
        end = cursor.group_end() + 1
        cursor.at = place
        return end >= cursor.limit or cursor.words[end] in _AFTER_QUERY

    def _parenthesis(self) -> Operand:
        """Read a query, a row, or one expression in parentheses."""
        cursor = self.cursor
        start = cursor.at
        if self.begins_query():
            cursor.at += 1
            query = self.query()
            cursor.expect(")")
            return Subquery(cursor.span(start), query)
        cursor.at += 1
        found = self.items()
        cursor.expect(")")
        if cursor.sees("."):
            raise cursor.error("a part of a record")
        return found[0] if len(found) == 1 else Row(cursor.span(start), found)

    def _named(self) -> Operand:
        """Read an operand that begins with a word: a name, a call, a form of the grammar."""
        cursor = self.cursor
        start, word = cursor.at, cursor.word()
        special = self._form(start, word) if cursor.token.kind is Kind.WORD else None
        if special is not None:
            return special
        if word in NO_OPERAND and not (word in NAMES_OF_CALLS and cursor.word(1) == "("):
            raise cursor.error("an expression was expected")
        name = cursor.name()
        if cursor.sees("("):
            return self._call(start, name)
        if cursor.token.kind is Kind.STRING and word.lower() in TYPES_BEFORE_STRINGS:
            cursor.at = start
            declared = read_cast_type(cursor)
            string = Constant(cursor.span(cursor.at, cursor.at + 1), "string", cursor.token.text)
            cursor.at += 1
            return Cast(cursor.span(start), string, declared)
        return ColumnName(name)

    def _form(self, start: int, word: str) -> Operand | None:
        """Read a form that has a grammar of its own; None where none stands at the place."""
        if word == "CASE":
            return self._case(start)
        if self.cursor.word(1) in {"(", "["}:
            return self._form_with_group(start, word)
        return self._form_of_a_word(start, word)

    def _form_with_group(self, start: int, word: str) -> Operand | None:
        """Read a form in which a parenthesis or a bracket follows its first word."""
        match word:
            case "CAST":
                return self._cast(start)
            case "EXISTS" | "ARRAY":
                return self._exists_or_array(start, word)
            case "ROW":
                self.cursor.at += 2
                found = () if self.cursor.sees(")") else self.items()
                self.cursor.expect(")")
                return Row(self.cursor.span(start), found)
            case _:
                return self._form_of_a_word(start, word)

    def _form_of_a_word(self, start: int, word: str) -> Operand | None:
        """Read a clock, with its precision, or another word that stands for a value."""
        cursor = self.cursor
        if word in CLOCKS and cursor.word(1) != ".":
            cursor.at += 1
            if cursor.sees("("):
                cursor.skip_group()
            return Constant(cursor.span(start), "clock", word)
        if word in WHO or word == "DEFAULT":
            cursor.at += 1
            return Unread(cursor.span(start))
        return self._interval(start) if word == "INTERVAL" else None

    def _interval(self, start: int) -> Operand | None:
        """Read `INTERVAL '1' DAY`; None where it is no string that follows."""
        cursor = self.cursor
        if start + 1 >= cursor.limit or cursor.tokens[start + 1].kind is not Kind.STRING:
            return None
        cursor.at += 2
        if cursor.takes_one(*_UNITS) and cursor.takes("TO"):
            cursor.at += 1
        declared = SqlType(cursor.span(start, start + 1), "interval")
        text = cursor.tokens[start + 1].text
        string = Constant(cursor.span(start + 1, start + 2), "string", text)
        return Cast(cursor.span(start), string, declared)

    def _case(self, start: int) -> Operand:
        cursor = self.cursor
        cursor.at += 1
        subject = None if cursor.sees("WHEN") else self.operand()
        branches = []
        while cursor.takes("WHEN"):
            condition = self.operand()
            cursor.expect("THEN")
            branches.append((condition, self.operand()))
        otherwise = self.operand() if cursor.takes("ELSE") else None
        cursor.expect("END")
        return Case(cursor.span(start), subject, tuple(branches), otherwise)

    def _cast(self, start: int) -> Operand:
        cursor = self.cursor
        cursor.at += 2
        operand = self.operand()
        cursor.expect("AS")
        declared = read_type(cursor)
        if declared is None:
            raise cursor.error("a type was expected")
        cursor.expect(")")
        return Cast(cursor.span(start), operand, declared)

    def _exists_or_array(self, start: int, word: str) -> Operand:
        cursor = self.cursor
        cursor.at += 1
        if not (cursor.sees("(") and self.begins_query()):
            if word == "EXISTS":
                raise cursor.error("a query was expected")
            if cursor.sees("("):
                cursor.skip_group()
                return Unread(cursor.span(start))
            return self.cast_or_part(Unread(cursor.span(start)), start)
        cursor.at += 1
        query = self.query()
        cursor.expect(")")
        return Subquery(cursor.span(start), query, "EXISTS" if word == "EXISTS" else "ARRAY")

    # Calls

    def _call(self, start: int, name: SqlName) -> Operand:
        """Read the arguments of a call, and what follows them."""
        cursor = self.cursor
        end = cursor.group_end()
        cursor.at += 1
        arguments: tuple[Operand, ...] = ()
        is_plain = name.name.lower() not in OWN_GRAMMAR or bool(name.schema)
        if is_plain:
            try:
                arguments, is_plain = self._arguments()
            except NotUnderstoodError:
                is_plain = False
        if cursor.at != end:
            is_plain, cursor.at = False, end
        cursor.at = end + 1
        condition, is_window, is_whole = self._after_call()
        return Call(
            cursor.span(start),
            name,
            arguments if is_plain else (),
            condition,
            is_window=is_window,
            is_plain=is_plain and is_whole,
        )

    def _arguments(self) -> tuple[tuple[Operand, ...], bool]:
        """Read arguments up to the parenthesis; return them, and whether they were all there is."""
        cursor = self.cursor
        if cursor.sees(")"):
            return (), True
        if cursor.sees("*", ")"):
            cursor.at += 1
            return (Star(cursor.span(cursor.at - 1)),), True
        nesting = self.nesting
        cursor.takes_one("DISTINCT", "ALL")
        try:
            found = (
                (self._subquery(),)
                if self.begins_query() and cursor.word() != "("
                else self.items()
            )
        finally:
            self.nesting = nesting
        return found, cursor.sees(")")

    def _subquery(self) -> Operand:
        start = self.cursor.at
        return Subquery(self.cursor.span(start, start + 1), self.query())

    def _after_call(self) -> tuple[Operand | None, bool, bool]:
        """Read what follows a call; return its filter, whether it is a window's, and plain."""
        cursor = self.cursor
        is_plain = not cursor.takes("WITHIN", "GROUP")
        if not is_plain:
            cursor.skip_group()
        condition = None
        if cursor.sees("FILTER", "("):
            cursor.at += 2
            cursor.expect("WHERE")
            condition = self.operand()
            cursor.expect(")")
        is_window = cursor.takes("OVER")
        if is_window and cursor.sees("("):
            cursor.skip_group()
        elif is_window:
            cursor.name()
        return condition, is_window, is_plain

    def cast_or_part(self, left: Operand, start: int) -> Operand:
        """Read `::type`, or a subscript."""
        if self.cursor.takes("::"):
            return Cast(self.cursor.span(start), left, read_cast_type(self.cursor))
        depth = 0
        while not self.cursor.done:
            depth += (self.cursor.word() == "[") - (self.cursor.word() == "]")
            self.cursor.at += 1
            if not depth:
                return Unread(self.cursor.span(start))
        raise self.cursor.error("a bracket that nothing closes")
