"""The tables that Django makes of models, and those that the audit thinks it makes."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import Any, Final, TypeAlias

from dal_audit.catalogue.drivers import shipped_catalogue
from dal_audit.extract.embedded.module import statements_of_file
from dal_audit.extract.migrations.python_revisions import revision_of
from dal_audit.extract.source import Lines
from dal_audit.facts import START
from dal_audit.facts.models import ModelOperation
from dal_audit.facts.sql import SqlStatement, Structure
from dal_audit.schema.database import Database
from dal_audit.schema.objects_model import ColumnPart
from dal_audit.schema.orm.replay import ModelReplay
from tests.engines.django_operations import IMPORTS, TABLES, operations_of

Tables: TypeAlias = dict[str, dict[str, tuple[str, bool]]]
"""From tables to columns to their types and whether they take no NULL."""

_COLUMNS: Final = """
SELECT relname, attname, format_type(atttypid, atttypmod), attnotnull
FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r'
AND attnum > 0 AND NOT attisdropped
"""
_INDEXES: Final = """
SELECT relname FROM pg_class
WHERE relnamespace = current_schema()::regnamespace AND relkind = 'i'
UNION SELECT conname FROM pg_constraint
WHERE connamespace = current_schema()::regnamespace AND contype IN ('c', 'f', 'p', 'u', 'x')
"""
_LONG_NAMES: Final = {
    "varchar": "character varying",
    "bool": "boolean",
    "char": "character",
    "time": "time without time zone",
}


def tables_of(connection: Any) -> tuple[Tables, set[str]]:
    """Return the tables in a database, and the names of their indexes and constraints."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(_COLUMNS)
            rows = cursor.fetchall()
            cursor.execute(_INDEXES)
            names = {name for (name,) in cursor.fetchall()}
        else:
            cursor.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            tables = [name for (name,) in cursor.fetchall() if not name.startswith("sqlite_")]
            rows = []
            for table in tables:
                cursor.execute(f'PRAGMA table_xinfo("{table}")')
                rows += [(table, own[1], own[2], bool(own[3])) for own in cursor.fetchall()]
            cursor.execute("SELECT name FROM sqlite_master WHERE type = 'index'")
            names = {
                name for (name,) in cursor.fetchall() if not name.startswith("sqlite_autoindex")
            }
    found: Tables = {}
    for table, column, declared, not_null in rows:
        found.setdefault(table, {})[column] = (declared, not_null)
    return found, names


class Thought:
    """A database that is only thought of, on which an example is run and taken back."""

    def __init__(self, engine: str, example: str) -> None:
        """Run an example."""
        self._database = Database(engine)
        self._database.state.file = 1
        replay = ModelReplay()
        self._downs: list[Structure] = []
        before = len(operations_of(TABLES))
        for number, fact in enumerate(_statements(example)):
            structure = fact.structure
            downs: Sequence[Structure] = ()
            if fact.part == "down":
                self._downs += (
                    []
                    if structure is None or isinstance(structure, ModelOperation)
                    else [structure]
                )
            elif isinstance(structure, ModelOperation):
                ups, downs = replay.run("shop", structure).statements(engine, START)
                self._run(ups)
            else:
                self._database.apply(fact)
            if number >= before:
                self._downs = [*downs, *self._downs]

    def take_back(self) -> None:
        """Take the example back."""
        self._run(self._downs)

    def _run(self, structures: Any) -> None:
        for structure in structures:
            self._database.apply(SqlStatement(START, "", structure))

    def tables(self) -> tuple[Tables, set[str]]:
        """Return the tables, and the names of their indexes and constraints."""
        state = self._database.state
        found: Tables = {}
        names = set()
        for name, relation in state.relations.items():
            if relation is None:
                continue
            if relation.kind != "table":
                names.add(name)
                continue
            found[name] = {}
            for (kind, part_name), part in relation.parts.items():
                if kind == "column" and isinstance(part, ColumnPart):
                    found[name][part_name] = (self._type(part), part.not_null)
                elif kind == "constraint" and part is not None and state.backend != "sqlite":
                    names.add(part_name)
        return found, names

    def _type(self, part: ColumnPart) -> str:
        declared = part.declared
        if declared is None:
            return "?"
        name = declared.name
        if self._database.state.backend == "postgresql":
            name = _LONG_NAMES.get(name, name)
        sizes = f"({','.join(declared.arguments)})" if declared.arguments else ""
        return f"{name}{sizes}{'[]' * declared.dimensions}"


def _statements(example: str) -> list[SqlStatement]:
    """Return the operations on models before an example, and its own, with its statements."""
    before = TABLES.strip().replace("\nmigrations", ",\nmigrations")
    text = (
        f"{IMPORTS}\n\nclass Migration(migrations.Migration):\n    dependencies = []\n"
        f"    operations = [{before}, {example}]\n"
    )
    found = statements_of_file(ast.parse(text), Lines(text), revision_of(text), shipped_catalogue())
    return [fact for fact in found if isinstance(fact, SqlStatement)]


def flaw_of(engine: str, thought: tuple[Tables, set[str]], real: tuple[Tables, set[str]]) -> str:
    """Return in what what is thought differs from what is; a type that is not known fits any."""
    for table in real[0].keys() | thought[0].keys():
        mine, theirs = thought[0].get(table), real[0].get(table)
        if mine is None or theirs is None or mine.keys() != theirs.keys():
            return f"{engine} {table}: {mine} instead of {theirs}"
        for column, (declared, not_null) in theirs.items():
            own, own_not_null = mine[column]
            if own_not_null != not_null or own.lower() not in {"?", declared.lower()}:
                return f"{engine} {table}.{column}: {mine[column]} instead of {theirs[column]}"
    difference = sorted(thought[1] ^ real[1])
    return f"{engine} names: {difference}" if difference else ""
