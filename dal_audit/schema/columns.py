"""Columns and constraints of a schema's tables: what they demand, and what holds on to them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from dal_audit.catalogue.engine_names import engine_names
from dal_audit.facts import Span
from dal_audit.facts.sql import Column, Constraint, Expression, SqlName, SqlType
from dal_audit.schema.families import comparable, family_of, unfit_default
from dal_audit.schema.model import (
    BOTH,
    POSTGRESQL,
    ForeignKey,
    Objection,
    Schema,
    Table,
    TableColumn,
    exact_of,
    key_of,
)

_WORD: Final = re.compile(r"[^\W\d]\w*\Z")
MAX_DOMAINS: Final = 8
"""How many domains are followed to the type that they are of."""
MAX_NAME: Final = 63
"""How many bytes PostgreSQL keeps of a name (`NAMEDATALEN`, limits.html)."""


def words_of(expression: Expression) -> frozenset[str]:
    """Return the names in an expression, in lower case and without quotes; `*` is one of them."""
    found = set()
    for token in expression.tokens:
        text = token.strip('"`[]').lower()
        if text == "*" or _WORD.match(text):
            found.add(text)
    return frozenset(found)


class Columns:
    """Adds columns and constraints to the tables of a schema, and takes them away."""

    def __init__(self, schema: Schema) -> None:
        """Work on a schema."""
        self.schema = schema

    def add(self, key: str, column: Column) -> Iterator[Objection]:
        """Add a column to a table, with what is objected to its constraints."""
        table = self.schema.tables[key]
        name = column.name.name.lower()
        generated = [
            word
            for one in column.constraints
            if one.kind == "generated" and one.expression is not None
            for word in words_of(one.expression)
        ]
        table.columns[name] = TableColumn(exact_of(column.name), column.type, tuple(generated))
        yield from self.unknown_type(column.type)
        for one in column.constraints:
            if one.kind == "default" and one.expression is not None:
                yield from self.default(column.type, one.expression)
            elif one.kind != "check":
                # A column's own check goes with the column.
                yield from self._constrain(key, one, (name,), inline=True)

    def constrain(self, key: str, one: Constraint) -> Iterator[Objection]:
        """Add a constraint to a table, with what is objected to it."""
        columns = tuple(part.column.lower() for part in one.keys if part.column)
        if len(columns) == len(one.keys):
            yield from self._constrain(key, one, columns, inline=False)

    def _constrain(
        self, key: str, one: Constraint, columns: tuple[str, ...], *, inline: bool
    ) -> Iterator[Objection]:
        table = self.schema.tables[key]
        name = one.name.name.lower() if one.name else ""
        if one.kind == "primary-key":
            if table.primary and self.schema.is_certain(key):
                yield Objection(
                    one.span, BOTH, "the table has two primary keys", "Leave one of them out."
                )
            table.primary = columns
            self._imply(key, name or f"{table.exact}_pkey")
        elif one.kind == "unique":
            implied = name or "_".join((table.exact, *columns, "key"))
            table.uniques.append((implied, columns))
            self._imply(key, implied)
        elif one.kind == "check" and one.expression is not None:
            table.checks.append((name, words_of(one.expression)))
        elif one.kind == "references" and one.table is not None:
            target = key_of(one.table)
            referenced = tuple(column.lower() for column in one.referenced)
            made = ForeignKey(columns, target, referenced, name, inline)
            table.foreign.append(made)
            yield from self._foreign(table, made, one.table.span, one.table)

    def _imply(self, key: str, name: str) -> None:
        self.schema.implied[name[:MAX_NAME]] = key

    def _foreign(
        self, table: Table, made: ForeignKey, span: Span, name: SqlName
    ) -> Iterator[Objection]:
        """Object to a foreign key that PostgreSQL refuses (SQLite looks at rows only)."""
        refused = self._refused(table, made, name)
        if refused is not None:
            reason, cure = refused
            yield Objection(span, (POSTGRESQL,), reason, cure)

    def _refused(self, table: Table, made: ForeignKey, name: SqlName) -> tuple[str, str] | None:
        target = self.schema.tables.get(made.table)
        if target is None:
            if made.table in self.schema.views:
                return f"`{name.name}` is a view", "Refer to a table."
            is_to_come = self.schema.last_made.get(made.table, -1) > self.schema.statement
            if not is_to_come or name.schema:
                return None
            return (
                f"the table `{name.name}` does not stand yet",
                "Make the table that is referred to first.",
            )
        if target.exact != exact_of(name):
            return (
                f"the name is `{target.exact}`, and case counts in a name that was quoted",
                "Write all names in lower case, without quotes.",
            )
        columns = made.referenced or target.primary
        if not target.known:
            return None
        if not columns:
            return f"`{name.name}` has no primary key", "Name a column that is unique."
        unknown = [column for column in columns if column not in target.columns]
        if unknown:
            return f"`{name.name}` has no column `{unknown[0]}`", "Name a column that stands."
        if not self.schema.is_unique(made.table, columns):
            named = ", ".join(f"`{column}`" for column in columns)
            return (
                f"{named} of `{name.name}` is not unique",
                "Make what is referred to the primary key, or `UNIQUE`.",
            )
        for own, other in zip(made.columns, columns, strict=False):
            mine, theirs = table.columns.get(own), target.columns[other]
            if mine and not comparable(self.family(mine.type), self.family(theirs.type)):
                return (
                    f"`{own}` and `{name.name}.{other}` are of types that cannot be compared",
                    "Give both the same type.",
                )
        return None

    def default(self, declared: SqlType | None, expression: Expression) -> Iterator[Objection]:
        """Object to a default that PostgreSQL does not take for a type."""
        if declared is None or declared.dimensions:
            return
        labels = self.schema.types.get(declared.name.lower())
        found = unfit_default(expression.tokens, self.family(declared), labels)
        if found:
            yield Objection(
                expression.span,
                (POSTGRESQL,),
                f"{found} is no default for `{declared.name}`",
                _CURES.get(self.family(declared), "Write a literal of the column's type."),
            )

    def unknown_type(self, declared: SqlType | None) -> Iterator[Objection]:
        """Object to a type that PostgreSQL lacks, and that nothing so far has made."""
        if declared is None or self.schema.is_open or not _WORD.match(declared.name):
            return
        name = declared.name.lower()
        made = (self.schema.types, self.schema.domains, self.schema.tables, self.schema.views)
        listed = engine_names(POSTGRESQL)
        if listed is None or listed.has_type(name) or any(name in one for one in made):
            return
        yield Objection(
            declared.span,
            (POSTGRESQL,),
            f"there is no type `{declared.name}`, and no statement before makes one",
            "Write a type that both have, such as TEXT, INTEGER, REAL or TIMESTAMP.",
            is_about_type=True,
        )

    def family(self, declared: SqlType | None) -> str:
        """Return the family of a declared type, domains followed; empty where it is not known."""
        for _ in range(MAX_DOMAINS):
            if declared is None or declared.dimensions:
                return ""
            name = declared.name.lower()
            if name in self.schema.types:
                return ""
            if name not in self.schema.domains:
                return family_of(name)
            declared = self.schema.domains[name]
        return ""

    def holders(self, key: str, name: str) -> str:
        """Return what keeps SQLite from dropping a column, with its verb; empty where nothing does.

        The list is that of lang_altertable.html, "ALTER TABLE DROP COLUMN".
        """
        table = self.schema.tables[key]
        if name in table.primary:
            return "the primary key holds"
        if any(name in columns for _, columns in table.uniques):
            return "a `UNIQUE` constraint holds"
        for index, one in self.schema.indexes_of(key):
            if name in one.words:
                return f"the index `{index}` uses"
        if any(name in words for _, words in table.checks):
            return "a `CHECK` of the table uses"
        if any(name in one.columns and not one.inline for one in table.foreign):
            return "a foreign key of the table uses"
        if any(name in column.generated_from for column in table.columns.values()):
            return "a generated column uses"
        for view, words in sorted(self.schema.views.items()):
            if key in words and name in words:
                return f"the view `{view}` may read"
        return ""

    def dependents(self, key: str, name: str) -> str:
        """Return what keeps PostgreSQL from dropping a column, with its verb."""
        for other, one in self.schema.referring(key):
            if name in (one.referenced or self.schema.tables[key].primary):
                return f"`{other}` refers to"
        for view, words in sorted(self.schema.views.items()):
            if key in words and (name in words or "*" in words):
                return f"the view `{view}` may read"
        return ""

    def drop(self, key: str, name: str) -> None:
        """Take a column away, with all that goes with it."""
        table = self.schema.tables[key]
        del table.columns[name]
        table.primary = () if name in table.primary else table.primary
        table.uniques = [one for one in table.uniques if name not in one[1]]
        table.checks = [one for one in table.checks if name not in one[1]]
        table.foreign = [one for one in table.foreign if name not in one.columns]
        for index in [index for index, one in self.schema.indexes_of(key) if name in one.words]:
            del self.schema.indexes[index]
            self.schema.dropped[index] = self.schema.file

    def rename(self, key: str, old: str, new: SqlName) -> None:
        """Give a column another name, wherever the table itself uses it."""
        table = self.schema.tables[key]
        name = new.name.lower()

        def renamed(columns: tuple[str, ...]) -> tuple[str, ...]:
            return tuple(name if one == old else one for one in columns)

        column = table.columns.pop(old)
        column.name = exact_of(new)
        table.columns[name] = column
        table.primary = renamed(table.primary)
        table.uniques = [(one, renamed(columns)) for one, columns in table.uniques]
        table.checks = [(one, frozenset(renamed(tuple(words)))) for one, words in table.checks]
        table.foreign = [
            ForeignKey(renamed(one.columns), one.table, one.referenced, one.name, one.inline)
            for one in table.foreign
        ]
        for _, index in self.schema.indexes_of(key):
            index.columns = renamed(index.columns)
            index.words = frozenset(renamed(tuple(index.words)))
        for other in self.schema.tables.values():
            other.foreign = [
                ForeignKey(one.columns, one.table, renamed(one.referenced), one.name, one.inline)
                if one.table == key
                else one
                for one in other.foreign
            ]

    def release(self, key: str, name: str) -> None:
        """Take a constraint away, by its name."""
        table = self.schema.tables[key]
        if self.schema.implied.get(name) == key:
            del self.schema.implied[name]
            if name not in {one for one, _ in table.uniques}:
                table.primary = ()
        table.uniques = [one for one in table.uniques if one[0] != name]
        table.checks = [one for one in table.checks if one[0] != name]
        table.foreign = [one for one in table.foreign if one.name != name]


_CURES: Final = {
    "boolean": "Write `FALSE` or `TRUE`.",
    "integer": "Write a number.",
    "number": "Write a number.",
    "json": "Write a JSON document in quotes, such as `'{}'`.",
    "timestamp": "Write `CURRENT_TIMESTAMP`, or a time in quotes.",
}
