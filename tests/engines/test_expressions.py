"""What is said of the types of expressions is what the engines say: never more, and seldom less."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.engines.expressions import TABLES, Prepared, Score, objections_to, statements
from tests.engines.servers import Engine, Postgres
from tests.sampling import runs

SEED = 20261128
COUNT = 4000
SEEN = 0.9
"""Of what PostgreSQL refuses, how much is to be seen: the rest are values, and no types."""

NOT_TYPES = re.compile(
    r"no such function|syntax error|unrecognized token|wrong number of arguments|prohibited"
    r"|non-deterministic|constraint failed|non-constant|aggregate|malformed JSON|overflow"
)
"""What SQLite objects to in such statements: it takes every type for every other."""

OF_LIMITS = "datatype mismatch"
"""The one place where it does not is `LIMIT`."""


@pytest.fixture(scope="module")
def prepared(engines: tuple[Engine, ...]) -> Iterator[Prepared]:
    server = engines[-1]
    assert isinstance(server, Postgres)
    with server.connection.transaction(force_rollback=True):
        server.connection.execute(TABLES.encode())
        yield Prepared(server.connection)


def test_nothing_is_refused_that_postgresql_takes(prepared: Prepared) -> None:
    found = Score()
    for statement in statements(SEED, runs(COUNT)):
        found.judge(statement, prepared.says(statement))
    print(found.line())
    assert found.false_alarms == []
    assert found.counts["right"] > found.counts.total() / 4
    assert found.counts["seen"] > SEEN * (found.counts["seen"] + found.counts["missed"])


def test_sqlite_refuses_nothing_for_its_types(engines: tuple[Engine, ...]) -> None:
    sqlite = engines[1]
    for statement in statements(SEED + 1, runs(COUNT) // 2):
        error = sqlite.error(
            [TABLES.replace("INTEGER[]", "TEXT").replace("TEXT[]", "TEXT"), statement]
        )
        is_of_limit = error == OF_LIMITS and "LIMIT" in statement
        assert not error or is_of_limit or NOT_TYPES.search(error), (statement, error)
        assert error or objections_to(statement, "sqlite") == []
