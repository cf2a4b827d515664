"""Read statements that change rows as trees."""

from __future__ import annotations

from dal_audit.extract.sql.queries import QueryReader
from dal_audit.extract.sql.tokens import Kind
from dal_audit.facts.sql_names import SqlName
from dal_audit.facts.sql_trees import (
    Assignment,
    ChangeTree,
    CommonTable,
    DeleteTree,
    InsertTree,
    Operand,
    QueryTree,
    Result,
    UpdateTree,
    Values,
)


class ChangeReader(QueryReader):
    """Reads `INSERT`, `UPDATE` and `DELETE`."""

    def change(self) -> ChangeTree:
        """Read a statement from its first word on."""
        common = self.common_tables()
        match self.cursor.takes_one("INSERT", "REPLACE", "UPDATE", "DELETE"):
            case "UPDATE":
                return self._update(common)
            case "DELETE":
                return self._delete(common)
            case "INSERT" | "REPLACE":
                return self._insert(common)
            case _:
                raise self.cursor.error("a change of rows was expected")

    def _insert(self, common: tuple[CommonTable, ...]) -> ChangeTree:
        cursor = self.cursor
        if cursor.takes("OR"):
            cursor.at += 1
        cursor.takes("IGNORE")
        cursor.takes("INTO")
        table = cursor.name()
        alias = cursor.name() if cursor.takes("AS") else None
        columns = self.names() if cursor.sees("(") and not self.begins_query() else ()
        if cursor.takes("OVERRIDING"):
            cursor.at += 2
        rows = None if cursor.takes("DEFAULT", "VALUES") else self._rows()
        assignments, where = self._conflicts()
        returning = self._returning()
        return InsertTree(table, columns, rows, alias, common, assignments, where, returning)

    def _rows(self) -> QueryTree:
        start = self.cursor.at
        if self.cursor.takes("VALUES"):
            rows = self.rows()
            return QueryTree(Values(self.cursor.span(start), rows))
        return self.query()

    def _conflicts(self) -> tuple[tuple[Assignment, ...], Operand | None]:
        """Read what is done on conflicts; of several clauses the last."""
        cursor = self.cursor
        assignments: tuple[Assignment, ...] = ()
        where: Operand | None = None
        while cursor.takes("ON", "CONFLICT"):
            if not cursor.skip_to("DO"):
                raise cursor.error("`DO` was expected")
            cursor.expect("DO")
            if cursor.takes("UPDATE"):
                cursor.expect("SET")
                assignments = self._assignments()
                where = self.operand() if cursor.takes("WHERE") else None
            else:
                cursor.expect("NOTHING")
        return assignments, where

    def _update(self, common: tuple[CommonTable, ...]) -> ChangeTree:
        cursor = self.cursor
        if cursor.takes("OR"):
            cursor.at += 1
        cursor.takes("ONLY")
        table, alias = self._target()
        cursor.expect("SET")
        assignments = self._assignments()
        sources = self.sources() if cursor.takes("FROM") else ()
        where = self.operand() if cursor.takes("WHERE") else None
        returning = self._returning()
        return UpdateTree(table, assignments, alias, common, sources, where, returning)

    def _delete(self, common: tuple[CommonTable, ...]) -> ChangeTree:
        cursor = self.cursor
        cursor.expect("FROM")
        cursor.takes("ONLY")
        table, alias = self._target()
        sources = self.sources() if cursor.takes("USING") else ()
        where = self.operand() if cursor.takes("WHERE") else None
        return DeleteTree(table, alias, common, sources, where, self._returning())

    def _target(self) -> tuple[SqlName, SqlName | None]:
        """Read the table that is changed, and the name that it is given."""
        cursor = self.cursor
        table = cursor.name()
        cursor.takes("*")
        is_named = cursor.takes("AS") or (
            cursor.is_name() and cursor.word() not in {"SET", "WHERE", "USING", "RETURNING"}
        )
        return table, cursor.name() if is_named else None

    def _assignments(self) -> tuple[Assignment, ...]:
        found = [self._assignment()]
        while self.cursor.takes(","):
            found.append(self._assignment())
        return tuple(found)

    def _assignment(self) -> Assignment:
        cursor = self.cursor
        columns = self.names() if cursor.sees("(") else (cursor.name(),)
        if cursor.token.kind is not Kind.OPERATOR:
            raise cursor.error("`=` was expected")
        cursor.expect("=")
        return Assignment(columns, self.operand())

    def _returning(self) -> tuple[Result, ...]:
        return self.results() if self.cursor.takes("RETURNING") else ()
