"""Expressions over columns of many types, made by chance, and what PostgreSQL says of each.

    python -m tests.engines.expressions [--count 20000] [--seed 1]

The grammar knows of types just enough that PostgreSQL takes a part of what it makes. Each statement is judged by
dal-audit and run on the engine; printed are how many each refuses, and those that dal-audit refuses
and PostgreSQL takes, of which there must be none.
"""

from __future__ import annotations

import argparse
import random
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import psycopg

from dal_audit.extract.sql.scripts import statements_of
from dal_audit.schema import Database
from tests.engines.leash import leashed
from tests.engines.servers import postgres

FLAVOURS = {
    "number": {"a": "INTEGER", "b": "BIGINT", "c": "SMALLINT", "n": "NUMERIC(8, 2)", "r": "REAL", "f": "DOUBLE PRECISION"},
    "text": {"t": "TEXT", "v": "VARCHAR(20)", "k": "CHAR(4)"},
    "truth": {"o": "BOOLEAN"},
    "time": {"d": "DATE", "s": "TIMESTAMP", "z": "TIMESTAMPTZ", "h": "TIME", "i": "INTERVAL"},
    "other": {"u": "UUID", "j": "JSON", "p": "JSONB", "y": "BYTEA", "e": "INTEGER[]", "w": "TEXT[]"},
}  # fmt: skip
"""A table's columns: one of each common type, by what they are used for."""

COLUMNS = {name: declared for columns in FLAVOURS.values() for name, declared in columns.items()}
TABLES = (
    f"CREATE TABLE x (id INTEGER PRIMARY KEY, {', '.join(map(' '.join, COLUMNS.items()))});\n"
    "CREATE TABLE q (id INTEGER PRIMARY KEY, a INTEGER, t TEXT, o BOOLEAN, d DATE)"
)
LITERALS = {
    "number": ("0", "1", "-1", "2.5", "1e3", "3000000000", "'1'", "NULL"),
    "text": ("'1'", "'x'", "''", "'a%'", "NULL"),
    "truth": ("TRUE", "FALSE", "'true'", "NULL"),
    "time": ("CURRENT_DATE", "CURRENT_TIMESTAMP", "'2024-02-03'", "'10:00'", "NULL"),
    "other": ("'{}'", "X'41'", "'00000000-0000-0000-0000-000000000000'", "NULL"),
}
OPERATORS = {
    "number": ("+", "-", "*", "/", "%", "&", "|", "<<", "^"),
    "text": ("||", "||", "->>"),
    "truth": (
        "=",
        "<>",
        "<",
        ">",
        "<=",
        ">=",
        "AND",
        "OR",
        "LIKE",
        "NOT LIKE",
        "IS DISTINCT FROM",
        "@>",
    ),
    "time": ("+", "-"),
    "other": ("->", "||", "-"),
}
FUNCTIONS = {
    "number": (
        "length text",
        "abs number",
        "round number",
        "round number number",
        "floor number",
        "sqrt number",
        "mod number number",
        "strpos text text",
        "octet_length text",
        "power number number",
        "sign number",
        "json_array_length other",
        "array_length other number",
        "cardinality other",
        "date_part text time",
        "ceil number",
        "char_length text",
        "ascii text",
        "instr text text",
    ),
    "text": (
        "lower text",
        "upper text",
        "trim text",
        "replace text text text",
        "substr text number number",
        "concat text number",
        "left text number",
        "to_char time text",
        "to_char number text",
        "md5 text",
        "lpad text number text",
        "reverse text",
        "initcap text",
        "jsonb_typeof other",
        "chr number",
    ),
    "truth": ("starts_with text text", "isfinite time", "pg_is_in_recovery"),
    "time": ("date_trunc text time", "date time", "age time time", "to_date text text", "now"),
    "other": ("to_jsonb number", "array_append other number", "gen_random_uuid", "to_json text"),
}
AGGREGATES = (
    "sum number",
    "avg number",
    "min text",
    "max number",
    "max time",
    "count other",
    "bool_and truth",
    "string_agg text text",
    "array_agg number",
)
CAST_TYPES = {
    "number": ("INTEGER", "NUMERIC", "BIGINT", "REAL"), "text": ("TEXT", "VARCHAR(5)"), "truth": ("BOOLEAN",),
    "time": ("DATE", "TIMESTAMP", "INTERVAL"), "other": ("JSONB", "UUID"),
}  # fmt: skip
SURPRISE = 0.08
"""How often something of another flavour stands where one is wanted."""


@dataclass(slots=True)
class Grammar:
    """Makes expressions and statements by chance; `is_bare` ones have no columns."""

    chance: random.Random
    prefix: str = ""
    is_bare: bool = False
    flavours: Mapping[str, Sequence[str]] = field(
        default_factory=lambda: {name: tuple(own) for name, own in FLAVOURS.items()}
    )

    def pick(self, several: Iterable[str]) -> str:
        return self.chance.choice(tuple(several))

    def flavour(self) -> str:
        return self.pick(FLAVOURS)

    def operand(self, depth: int, flavour: str) -> str:
        """Return an expression, most often of a flavour."""
        if self.chance.random() < SURPRISE:
            flavour = self.flavour()
        if depth <= 0 or self.chance.random() < 0.25:
            return self.leaf(flavour)
        make = self.chance.choice((
            self.binary, self.binary, self.binary, self.call, self.call, self.case, self.cast, self.common,
            self.query, self.sign,
        ) if flavour != "truth" else (
            self.binary, self.binary, self.binary, self.binary, self.call, self.case, self.cast, self.test,
            self.member, self.between, self.sign, self.quantified, self.query,
        ))  # fmt: skip
        return make(depth - 1, flavour)

    def leaf(self, flavour: str) -> str:
        columns = self.flavours.get(flavour, ())
        if columns and not self.is_bare and self.chance.random() < 0.7:
            return self.prefix + self.pick(columns)
        return self.pick(LITERALS[flavour])

    def binary(self, depth: int, flavour: str) -> str:
        operator = self.pick(OPERATORS[flavour])
        inner = flavour
        if flavour == "truth" and operator not in {"AND", "OR"}:
            inner = (
                "text" if "LIKE" in operator else "other" if operator == "@>" else self.flavour()
            )
        elif operator.startswith("->"):
            inner = "other"
        left = self.operand(depth, inner)
        right = self.operand(
            depth, self.pick(("number", "time", inner)) if flavour == "time" else inner
        )
        return f"({left} {operator} {right})"

    def call(self, depth: int, flavour: str) -> str:
        name, *wanted = self.pick(FUNCTIONS[flavour]).split()
        return f"{name}({', '.join(self.operand(depth, own) for own in wanted)})"

    def common(self, depth: int, flavour: str) -> str:
        name = self.pick(("coalesce", "nullif", "greatest", "least"))
        return f"{name}({self.operand(depth, flavour)}, {self.operand(depth, flavour)})"

    def case(self, depth: int, flavour: str) -> str:
        inner = self.flavour() if self.chance.random() < 0.3 else ""
        subject = f" {self.operand(depth, inner)}" if inner else ""
        value, other = self.operand(depth, flavour), self.operand(depth, flavour)
        otherwise = f" ELSE {other}" if self.chance.random() < 0.7 else ""
        return f"CASE{subject} WHEN {self.operand(depth, inner or 'truth')} THEN {value}{otherwise} END"

    def cast(self, depth: int, flavour: str) -> str:
        source = self.pick((flavour, "text"))
        return f"CAST({self.operand(depth, source)} AS {self.pick(CAST_TYPES[flavour])})"

    def test(self, depth: int, flavour: str) -> str:
        test = self.pick(("IS NULL", "IS NOT NULL", "IS TRUE", "IS NOT FALSE"))
        inner = self.flavour() if "NULL" in test else flavour
        return f"({self.operand(depth, inner)} {test})"

    def member(self, depth: int, _: str) -> str:
        inner = self.flavour()
        items = ", ".join(self.operand(depth - 1, inner) for _ in range(self.chance.randint(1, 3)))
        return f"({self.operand(depth, inner)} {self.pick(('IN', 'NOT IN'))} ({items}))"

    def between(self, depth: int, _: str) -> str:
        inner = self.flavour()
        return f"({self.operand(depth, inner)} BETWEEN {self.leaf(inner)} AND {self.leaf(inner)})"

    def sign(self, depth: int, flavour: str) -> str:
        word = {"truth": "NOT", "number": self.pick("-+~")}.get(flavour, "")
        return f"({word} {self.operand(depth, flavour)})"

    def inner(self) -> Grammar:
        flavours = {"number": ("a", "id"), "text": ("t",), "truth": ("o",), "time": ("d",)}
        return Grammar(self.chance, "q.", flavours=flavours)

    def query(self, depth: int, _: str) -> str:
        inner = self.inner()
        where = f" WHERE {inner.operand(depth - 1, 'truth')}" if self.chance.random() < 0.3 else ""
        name, *wanted = self.pick(AGGREGATES).split()
        arguments = ", ".join(inner.operand(depth - 1, own) for own in wanted)
        return f"(SELECT {name}({arguments}) FROM q{where})"

    def quantified(self, depth: int, _: str) -> str:
        own = self.pick(("number", "text", "time"))
        return f"({self.operand(depth, own)} IN (SELECT {self.inner().operand(depth - 1, own)} FROM q))"

    def statement(self) -> str:
        """Return a statement."""
        make = self.chance.choice((
            self.selection, self.selection, self.update, self.update, self.insert, self.deletion,
            self.union, self.groups, self.groups, self.index, self.check, self.default, self.change,
            self.insertion, self.derived,
        ))  # fmt: skip
        return make()

    def target(self) -> tuple[str, str]:
        """Return a flavour and a column of it."""
        flavour = self.flavour()
        return flavour, self.pick(FLAVOURS[flavour])

    def selection(self) -> str:
        limit = self.pick(("", "", f" LIMIT {self.pick(('1', '2.5', 'TRUE', 'NULL'))}"))
        return f"SELECT {self.operand(2, self.flavour())} FROM x WHERE {self.operand(2, 'truth')}{limit}"

    def update(self) -> str:
        flavour, column = self.target()
        where = f" WHERE {self.operand(2, 'truth')}" if self.chance.random() < 0.5 else ""
        return f"UPDATE x SET {column} = {self.operand(2, flavour)}{where}"

    def insert(self) -> str:
        flavour, column = self.target()
        return f"INSERT INTO x (id, {column}) VALUES (1, {self.bare().operand(2, flavour)}), (2, {self.bare().operand(1, flavour)})"

    def bare(self) -> Grammar:
        return Grammar(self.chance, is_bare=True)

    def insertion(self) -> str:
        flavour, column = self.target()
        return f"INSERT INTO x (id, {column}) SELECT id, {self.operand(2, flavour)} FROM x"

    def deletion(self) -> str:
        return f"DELETE FROM x WHERE {self.operand(3, 'truth')}"

    def union(self) -> str:
        word, flavour = self.pick(("UNION", "UNION ALL", "EXCEPT")), self.flavour()
        return f"SELECT {self.operand(2, flavour)} FROM x {word} SELECT {self.operand(1, flavour)} FROM x"

    def derived(self) -> str:
        """Return a query of a query, or of one after `WITH`."""
        flavour = self.flavour()
        query = f"SELECT {self.operand(2, flavour)} AS m, id FROM x"
        outer = f"m IN ({self.bare().operand(1, flavour)})"
        if self.chance.random() < 0.5:
            return f"WITH g AS ({query}) SELECT * FROM g JOIN x ON g.id = x.id WHERE {outer}"
        return f"SELECT l.m FROM ({query}) AS l WHERE {outer}"

    def groups(self) -> str:
        keys = self.chance.sample(("id", "a", "t", "o", "d"), self.chance.randint(1, 2))
        others = ("n", "a", "t", "lower(t)", "a + 1", "max(n)", "count(*)", "coalesce(max(t), t)")
        shown = [self.pick((*keys, *keys, *keys, *others)) for _ in range(2)]
        having = f" HAVING {self.pick(('count(*) > 1', 'max(a) > 2', 'a > 1', 'count(*)'))}"
        order = f" ORDER BY {self.pick((*shown, 't', '1'))}"
        tail = self.pick(("", having)) + self.pick(("", "", order))
        return f"SELECT {', '.join(shown)} FROM x GROUP BY {', '.join(keys)}{tail}"

    def index(self) -> str:
        return f"CREATE INDEX made ON x ((a + 1), a) WHERE {self.operand(1, 'truth')}"

    def check(self) -> str:
        return f"ALTER TABLE x ADD CONSTRAINT made CHECK ({self.operand(2, 'truth')})"

    def default(self) -> str:
        flavour, column = self.target()
        return (
            f"ALTER TABLE x ALTER COLUMN {column} SET DEFAULT ({self.bare().operand(1, flavour)})"
        )

    def change(self) -> str:
        flavour, column = self.target()
        wanted = self.pick(CAST_TYPES[self.pick((flavour, self.flavour()))])
        using = f" USING {self.operand(1, flavour)}" if self.chance.random() < 0.4 else ""
        return f"ALTER TABLE x ALTER COLUMN {column} TYPE {wanted}{using}"


def statements(seed: int, count: int) -> Iterator[str]:
    """Yield statements that are made by chance."""
    grammar = Grammar(random.Random(seed))
    for _ in range(count):
        yield grammar.statement()


def objections_to(statement: str, backend: str = "postgresql") -> list[str]:
    """Return why a statement is found to be refused by a backend, behind the tables."""
    database = Database(backend)
    parts = list(statements_of(f"{TABLES};\n{statement}"))
    database.begin(parts)
    *before, last = parts
    for part in before:
        assert not database.apply(part)
    lacking = [f"no {call.name}" for call in last.calls if backend in call.lacked_by]
    return [*lacking, *(error.reason for error in database.apply(last))]


@dataclass(slots=True)
class Score:
    """How verdicts and the engine agree: counts, and the statements about which they do not."""

    counts: Counter[str] = field(default_factory=Counter)
    false_alarms: list[str] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)

    def judge(self, statement: str, engine_says: str) -> None:
        """Count a statement by what the engine says: an error, or nothing."""
        reasons = objections_to(statement)
        self.counts[
            ("seen" if reasons else "missed") if engine_says else ("false" if reasons else "right")
        ] += 1
        if reasons and not engine_says:
            self.false_alarms.append(f"{statement}\n    {reasons[0]}")
        elif engine_says and not reasons:
            self.missed.append(f"{statement}\n    {engine_says}")

    def line(self) -> str:
        refused = self.counts["seen"] + self.counts["missed"]
        return (
            f"{self.counts.total()} statements, of which PostgreSQL refuses {refused}; "
            f"{self.counts['seen']} of these are seen, and {self.counts['false']} others refused"
        )


class Prepared:
    """An engine on which the tables stand, so that each statement runs in a savepoint of them."""

    def __init__(self, connection: psycopg.Connection[object]) -> None:
        self.connection = connection

    def says(self, statement: str) -> str:
        """Return the error of a statement; empty where it is taken."""
        try:
            with self.connection.transaction(force_rollback=True):
                self.connection.execute(statement.encode())
        except psycopg.Error as error:
            return str(error).splitlines()[0]
        return ""


def main() -> None:
    """Print how verdicts and the engine agree."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=20000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--shown", type=int, default=20)
    options = parser.parse_args()
    found = Score()
    with (
        leashed() as url,
        postgres(url) as server,
        server.connection.transaction(force_rollback=True),
    ):
        server.connection.execute(TABLES.encode())
        engine = Prepared(server.connection)
        for statement in statements(options.seed, options.count):
            found.judge(statement, engine.says(statement))
    print(found.line())
    print("refused by dal-audit alone:", *found.false_alarms[: options.shown], sep="\n")
    print("missed:", *found.missed[: options.shown], sep="\n")


if __name__ == "__main__":
    main()
