"""Read expressions as trees, by the binding of their operators.

The precedence is PostgreSQL's (sql-syntax-lexical.html, "Operator Precedence"), and what SQLite has
besides is read along (lang_expr.html). What is built otherwise is not understood, and then there is
no tree: a wrong one would be worse.
"""

from __future__ import annotations

from typing import Final

from dal_audit.extract.sql.operands import OperandReader
from dal_audit.extract.sql.tokens import Kind
from dal_audit.facts.sql_trees import Operand, Subquery, Unread

_OR, _AND, _NOT, _IS, _COMPARED, _MATCHED, _OTHER, _ADDED, _MULTIPLIED, _POWER = range(1, 11)
_ZONE, _COLLATED, _SIGN, _CAST = range(11, 15)

_SYMBOLS: Final = {
    "<": _COMPARED, ">": _COMPARED, "=": _COMPARED, "==": _COMPARED, "<=": _COMPARED,
    ">=": _COMPARED, "<>": _COMPARED, "!=": _COMPARED,
    "+": _ADDED, "-": _ADDED, "*": _MULTIPLIED, "/": _MULTIPLIED, "%": _MULTIPLIED, "^": _POWER,
}  # fmt: skip
_WORDS: Final = {
    "OR": _OR, "AND": _AND, "IS": _IS, "ISNULL": _IS, "NOTNULL": _IS, "BETWEEN": _MATCHED,
    "IN": _MATCHED, "LIKE": _MATCHED, "ILIKE": _MATCHED, "SIMILAR": _MATCHED, "GLOB": _MATCHED,
    "REGEXP": _MATCHED, "MATCH": _MATCHED, "NOT": _MATCHED, "COLLATE": _COLLATED,
}  # fmt: skip
"""Words that follow an operand, and how closely they bind; `NOT` is that of `NOT IN` there."""

_TRUTHS: Final = ("TRUE", "FALSE", "UNKNOWN", "NULL")
_QUANTIFIERS: Final = frozenset({"ANY", "SOME", "ALL"})


class ExpressionReader(OperandReader):
    """Reads operands with the operators between them."""

    def operand(self, power: int = 0) -> Operand:
        """Read an operand with all operators after it that bind closer than `power`."""
        self.nest()
        start = self.cursor.at
        left = self.first()
        is_chain = False
        while (binding := self._binding()) > power:
            if is_chain and binding > _AND:
                self.link()
            left = self._further(left, start, binding)
            is_chain = True
        self.nesting -= 1
        return left

    # What follows an operand

    def _binding(self) -> int:
        """Return how closely the operator at the place binds; 0 where none stands there."""
        cursor = self.cursor
        if cursor.done:
            return 0
        word = cursor.word()
        kind = cursor.token.kind
        if kind is Kind.WORD:
            if word == "AT":
                return _ZONE if cursor.sees("AT", "TIME", "ZONE") else 0
            return self._binding_of_not() if word == "NOT" else _WORDS.get(word, 0)
        if kind is Kind.OPERATOR:
            return _CAST if word == "::" else _SYMBOLS.get(word, _OTHER)
        return _SYMBOLS.get(word, 0) or (_CAST if word == "[" else 0)

    def _binding_of_not(self) -> int:
        after = self.cursor.word(1)
        return _IS if after == "NULL" else _MATCHED if _WORDS.get(after) == _MATCHED else 0

    def _further(self, left: Operand, start: int, binding: int) -> Operand:
        """Read an operator and what it takes besides its left operand."""
        match binding:
            case 1 | 2:
                return self._logical(left, start, binding)
            case 4:
                return self._test(left, start)
            case 6:
                return self._match(left, start)
            case 11:
                self.cursor.at += 3
                return self.operation(start, "AT TIME ZONE", left, self.operand(_ZONE))
            case 12:
                self.cursor.at += 1
                self.cursor.name()
                return self.operation(start, "COLLATE", left)
            case 14:
                return self.cast_or_part(left, start)
            case _:
                return self._binary(left, start, binding)

    def _logical(self, left: Operand, start: int, binding: int) -> Operand:
        """Read `AND` or `OR`, any number of them as one."""
        word = self.cursor.word()
        operands = [left]
        while self.cursor.takes(word):
            operands.append(self.operand(binding))
        return self.operation(start, word, *operands)

    def _test(self, left: Operand, start: int) -> Operand:
        """Read what follows `IS`, or its short forms."""
        cursor = self.cursor
        if cursor.takes_one("ISNULL", "NOTNULL") or cursor.takes("NOT", "NULL"):
            return self.operation(start, "IS NULL", left)
        cursor.expect("IS")
        cursor.takes("NOT")
        if cursor.takes("DISTINCT", "FROM"):
            return self.operation(start, "IS DISTINCT FROM", left, self.operand(_IS))
        word = cursor.takes_one(*_TRUTHS)
        if word:
            return self.operation(start, f"IS {word}", left)
        return self.operation(start, "IS", left, self.operand(_IS))

    def _match(self, left: Operand, start: int) -> Operand:
        """Read `IN`, `BETWEEN`, `LIKE` and the like, with or without `NOT`."""
        cursor = self.cursor
        negation = "NOT " if cursor.takes("NOT") else ""
        word = cursor.word()
        cursor.at += 1
        if word == "IN":
            return self.operation(start, f"{negation}IN", left, *self._listed())
        if word == "BETWEEN":
            cursor.takes_one("SYMMETRIC", "ASYMMETRIC")
            lower = self.operand(_MATCHED)
            cursor.expect("AND")
            return self.operation(start, f"{negation}BETWEEN", left, lower, self.operand(_MATCHED))
        if word == "SIMILAR":
            cursor.expect("TO")
            word = "SIMILAR TO"
        operands = [left, self._quantified() or self.operand(_MATCHED)]
        if cursor.takes("ESCAPE"):
            operands.append(self.operand(_MATCHED))
        return self.operation(start, f"{negation}{word}", *operands)

    def _listed(self) -> tuple[Operand, ...]:
        """Read what stands in the parenthesis after `IN`."""
        start = self.cursor.at
        self.cursor.expect("(")
        if self.cursor.takes(")"):
            return ()
        found: tuple[Operand, ...]
        if self.begins_query():
            query = self.query()
            self.cursor.expect(")")
            return (Subquery(self.cursor.span(start), query),)
        found = self.items()
        self.cursor.expect(")")
        return found

    def _binary(self, left: Operand, start: int, binding: int) -> Operand:
        operator = self.cursor.word()
        self.cursor.at += 1
        if not operator or (operator == "=" and self.cursor.word() == "="):
            raise self.cursor.error("an operator was expected")
        right = self._quantified()
        if right is not None:
            return self.operation(start, "ANY", left, right)
        return self.operation(start, operator, left, self.operand(binding))

    def _quantified(self) -> Operand | None:
        """Read `ANY (…)`; return None where something else stands."""
        start = self.cursor.at
        if self.cursor.word() not in _QUANTIFIERS or self.cursor.word(1) != "(":
            return None
        self.cursor.at += 1
        self.cursor.skip_group()
        return Unread(self.cursor.span(start))
