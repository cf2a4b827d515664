"""Read queries as trees: what they give, from where, and under which conditions.

Sources: "SELECT" in PostgreSQL's manual, lang_select.html in SQLite's. Of clauses that compute
nothing (`FOR UPDATE`, `WINDOW`) only the extent is read.
"""

from __future__ import annotations

from typing import Final

from dal_audit.extract.sql.expressions import ExpressionReader
from dal_audit.extract.sql.tokens import Kind
from dal_audit.facts.sql_names import SqlName
from dal_audit.facts.sql_trees import (
    Call,
    CallSource,
    CommonTable,
    Compound,
    Join,
    Operand,
    QuerySource,
    QueryTree,
    Result,
    Select,
    Source,
    Star,
    TableSource,
    Unread,
    Values,
)

MAX_ROWS: Final = 4
"""So many rows of `VALUES` are read: there may be thousands, and they are alike."""

_AFTER_RESULTS: Final = frozenset(
    {
        "FROM", "WHERE", "GROUP", "HAVING", "WINDOW", "UNION", "INTERSECT", "EXCEPT", "ORDER",
        "LIMIT", "OFFSET", "FETCH", "FOR", "ON", "RETURNING", "INTO",
    }
)  # fmt: skip
"""Words that are no name for a result without `AS` before it."""

_AFTER_SOURCE: Final = _AFTER_RESULTS | {
    "AS", "CROSS", "FULL", "INNER", "JOIN", "LEFT", "NATURAL", "OUTER", "RIGHT", "USING", "SET",
    "TABLESAMPLE", "INDEXED", "NOT", "WITH", "DO", "VALUES", "SELECT", "WHEN", "AND", "OR",
}  # fmt: skip
"""Words that may follow a relation and are no name for it."""

_JOINS: Final = frozenset({"CROSS", "FULL", "INNER", "JOIN", "LEFT", "NATURAL", "RIGHT"})


class QueryReader(ExpressionReader):
    """Reads queries, in expressions and by themselves."""

    def query(self) -> QueryTree:
        """Read a query with what stands before and after it."""
        self.nest()
        common = self.common_tables()
        body = self._compound()
        order, nulls_placed = self._order()
        limits = self._limits()
        self._skip_locks()
        self.nesting -= 1
        return QueryTree(body, common, order, limits, nulls_placed)

    def common_tables(self) -> tuple[CommonTable, ...]:
        """Read the queries after `WITH`, if it stands there."""
        cursor = self.cursor
        if not cursor.takes("WITH"):
            return ()
        cursor.takes("RECURSIVE")
        found = [self._common_table()]
        while cursor.takes(","):
            found.append(self._common_table())
        return tuple(found)

    def _common_table(self) -> CommonTable:
        cursor = self.cursor
        name = cursor.name()
        columns = self.names() if cursor.sees("(") else ()
        cursor.expect("AS")
        if cursor.sees("NOT", "MATERIALIZED"):
            cursor.at += 1
        cursor.takes("MATERIALIZED")
        cursor.expect("(")
        if not self.begins_query():
            cursor.at -= 1
            cursor.skip_group()
            return CommonTable(name, columns, None)
        query = self.query()
        cursor.expect(")")
        return CommonTable(name, columns, query)

    def names(self) -> tuple[SqlName, ...]:
        """Read names in parentheses."""
        cursor = self.cursor
        cursor.expect("(")
        found = [cursor.name()]
        while cursor.takes(","):
            found.append(cursor.name())
        cursor.expect(")")
        return tuple(found)

    # What is put together

    def _compound(self, *, is_close: bool = False) -> Select | Values | Compound:
        """Read `SELECT`s with `UNION` and the like; `INTERSECT` binds closest, if `is_close`."""
        start = self.cursor.at
        body = self._simple() if is_close else self._compound(is_close=True)
        words = {"INTERSECT"} if is_close else {"UNION", "EXCEPT"}
        while self.cursor.word() in words and self.cursor.token.kind is Kind.WORD:
            self.link()
            word = self.cursor.word()
            self.cursor.at += 1
            self.cursor.takes_one("ALL", "DISTINCT")
            right = self._simple() if is_close else self._compound(is_close=True)
            span = self.cursor.span(start)
            body = Compound(span, word, QueryTree(body), QueryTree(right))
        return body

    def _simple(self) -> Select | Values | Compound:
        cursor = self.cursor
        if cursor.sees("("):
            cursor.at += 1
            query = self.query()
            cursor.expect(")")
            if query.common or query.limits:
                raise cursor.error("a query in parentheses")
            return query.body
        start = cursor.at
        if cursor.takes("VALUES"):
            return Values(cursor.span(start), self.rows())
        cursor.expect("SELECT")
        return self._select(start)

    def rows(self) -> tuple[tuple[Operand, ...], ...]:
        """Read the first rows after `VALUES`, and go behind the last."""
        cursor = self.cursor
        found: list[tuple[Operand, ...]] = []
        while True:
            if len(found) < MAX_ROWS:
                cursor.expect("(")
                found.append(self.items())
                cursor.expect(")")
            else:
                cursor.skip_group()
            if not cursor.takes(","):
                return tuple(found)
            if not cursor.sees("("):
                raise cursor.error("a row was expected")

    def _select(self, start: int) -> Select:
        cursor = self.cursor
        is_distinct = bool(cursor.takes_one("DISTINCT", "ALL") == "DISTINCT")
        if is_distinct and cursor.takes("ON"):
            cursor.skip_group()
        results = () if cursor.word() in _AFTER_RESULTS else self.results()
        sources = self.sources() if cursor.takes("FROM") else ()
        where = self.operand() if cursor.takes("WHERE") else None
        grouped = self._grouped() if cursor.takes("GROUP", "BY") else None
        having = self.operand() if cursor.takes("HAVING") else None
        if cursor.takes("WINDOW"):
            cursor.skip_to("UNION", "INTERSECT", "EXCEPT", "ORDER", "LIMIT", "OFFSET", "FETCH")
        return Select(
            cursor.span(start),
            results,
            sources,
            where,
            grouped,
            having,
            is_distinct=is_distinct,
        )

    def _grouped(self) -> tuple[Operand, ...]:
        """Read what is grouped by."""
        found: list[Operand] = []
        while True:
            start = self.cursor.at
            word = self.cursor.takes_one("ROLLUP", "CUBE", "GROUPING", "DISTINCT", "ALL")
            if word or self.cursor.sees("(", ")"):
                self.cursor.takes("SETS")
                self.cursor.skip_group()
                found.append(Unread(self.cursor.span(start)))
            else:
                found.append(self.operand())
            if not self.cursor.takes(","):
                return tuple(found)

    # What comes of it

    def results(self) -> tuple[Result, ...]:
        """Read what a query gives, or a change returns, with commas between."""
        found = [self._result()]
        while self.cursor.takes(","):
            found.append(self._result())
        return tuple(found)

    def _result(self) -> Result:
        cursor = self.cursor
        start = cursor.at
        if cursor.takes("*"):
            return Result(Star(cursor.span(start)))
        if cursor.is_name() and cursor.word(1) == "." and cursor.word(2) == "*":
            cursor.limit, limit = cursor.at + 1, cursor.limit
            qualifier = cursor.name()
            cursor.limit = limit
            cursor.at += 2
            return Result(Star(cursor.span(start), qualifier))
        operand = self.operand()
        return Result(operand, self._alias(_AFTER_RESULTS))

    def _alias(self, following: frozenset[str]) -> SqlName | None:
        """Read the name that a result or a source is given, where it is given one."""
        cursor = self.cursor
        if cursor.takes("AS"):
            return cursor.name()
        if cursor.done or not cursor.is_name() or cursor.word() in following:
            return None
        return cursor.name()

    # From where

    def sources(self) -> tuple[Source, ...]:
        """Read what stands after `FROM`, with commas between."""
        found = [self._joined()]
        while self.cursor.takes(","):
            found.append(self._joined())
        return tuple(found)

    def _joined(self) -> Source:
        """Read a source with those that are joined to it."""
        cursor = self.cursor
        left = self._source()
        while cursor.word() in _JOINS:
            self.link()
            merged = cursor.takes("NATURAL")
            cursor.takes_one("CROSS", "FULL", "INNER", "LEFT", "RIGHT")
            cursor.takes("OUTER")
            cursor.expect("JOIN")
            right = self._source()
            condition = self.operand() if cursor.takes("ON") else None
            if condition is None and cursor.takes("USING"):
                self.names()
                merged = True
            left = Join(left, right, condition, merged=merged)
        return left

    def _source(self) -> Source:
        cursor = self.cursor
        cursor.takes("LATERAL")
        cursor.takes("ONLY")
        if cursor.sees("("):
            return self._in_parentheses()
        start = cursor.at
        name = cursor.name()
        if cursor.sees("("):
            return self._call_source(start, name)
        cursor.takes("*")
        alias, columns = self._source_name()
        if cursor.sees("TABLESAMPLE") or cursor.sees("INDEXED"):
            raise cursor.error("a source that is read in part")
        return TableSource(name, alias, columns)

    def _in_parentheses(self) -> Source:
        """Read a query, or sources that are joined, in parentheses."""
        cursor = self.cursor
        if self.begins_query():
            cursor.at += 1
            query = self.query()
            cursor.expect(")")
            alias, columns = self._source_name()
            return QuerySource(query, alias, columns)
        self.nest()
        cursor.at += 1
        inner = self._joined()
        cursor.expect(")")
        self.nesting -= 1
        if self._alias(_AFTER_SOURCE) is not None:
            raise cursor.error("a join with a name")
        return inner

    def _call_source(self, start: int, name: SqlName) -> Source:
        """Read a function after `FROM`; its columns are not known."""
        cursor = self.cursor
        cursor.skip_group()
        if cursor.takes("WITH"):
            cursor.expect("ORDINALITY")
        call = Call(cursor.span(start), name, (), is_plain=False)
        alias = self._alias(_AFTER_SOURCE)
        if cursor.sees("("):
            cursor.skip_group()
        return CallSource(call, alias)

    def _source_name(self) -> tuple[SqlName | None, tuple[SqlName, ...]]:
        """Read the name that a source is given, with those of its columns."""
        alias = self._alias(_AFTER_SOURCE)
        return alias, self.names() if alias is not None and self.cursor.sees("(") else ()

    # In which order

    def _order(self) -> tuple[tuple[Operand, ...], bool]:
        """Read what is ordered by, and whether every item says where NULLs go."""
        if not self.cursor.takes("ORDER", "BY"):
            return (), False
        found: list[Operand] = []
        placed = True
        while True:
            found.append(self.operand())
            if self.cursor.takes("USING"):
                self.cursor.at += 1
            self.cursor.takes_one("ASC", "DESC")
            placed &= self.cursor.takes("NULLS") and bool(self.cursor.takes_one("FIRST", "LAST"))
            if not self.cursor.takes(","):
                return tuple(found), placed

    def _limits(self) -> tuple[Operand, ...]:
        """Read how many rows are wanted, and from which on."""
        cursor = self.cursor
        found: list[Operand] = []
        while cursor.word() in {"LIMIT", "OFFSET", "FETCH"}:
            start = cursor.at
            word = cursor.takes_one("LIMIT", "OFFSET", "FETCH")
            if word == "FETCH" or cursor.takes("ALL"):
                cursor.skip_to("OFFSET", "FOR", ")", "ON", "RETURNING")
                found.append(Unread(cursor.span(start)))
                continue
            found.append(self.operand())
            cursor.takes_one("ROW", "ROWS")
            if cursor.takes(","):
                found.append(self.operand())
        return tuple(found)

    def _skip_locks(self) -> None:
        """Move over `FOR UPDATE` and the like."""
        while self.cursor.sees("FOR"):
            self.cursor.at += 1
            self.cursor.skip_to("FOR", ")")
