"""What is said not to be treated alike gives other rows on the engines, and its look-alikes the same."""

from __future__ import annotations

import pytest

from dal_audit.extract.sql.scripts import statements_of
from dal_audit.schema import Database
from dal_audit.schema.divergence_kinds import KINDS
from tests.engines.servers import Engine, Rows

DIVERGENT = [
    ("time-arithmetic", "create table t (a date, b date); insert into t values ('2024-03-01', '2024-02-01'); select a - b from t"),
    ("time-arithmetic", "create table t (a date); insert into t values ('2024-03-01'); select cast(a + 1 as text) from t"),
    ("numeric-quotient", "create table t (a numeric, b int); insert into t values (7, 2); select a / b > 3 from t"),
    ("numeric-quotient", "create table t (a numeric); insert into t values (7); select a / 2 > 3 from t"),
    ("division-by-column", "create table t (a int, b int); insert into t values (1, 0); select a / b from t"),
    ("division-by-column", "create table t (a int, b int); insert into t values (1, 0); update t set a = a % b; select a from t"),
    ("fraction-as-text", "create table t (a double precision); insert into t values (1); select a || '' from t"),
    ("fraction-as-text", "create table t (a numeric(8, 2)); insert into t values (1.5); select a || '' from t"),
    ("fraction-as-text", "create table t (a double precision); insert into t values (2); select cast(a as text) from t"),
    ("boolean-as-text", "create table t (a boolean); insert into t values (true); select a || '' from t"),
    ("boolean-as-text", "create table t (a boolean); insert into t values (true); select cast(a as text) from t"),
    ("boolean-and-text", "create table t (a boolean); insert into t values (true); select count(*) from t where a = 'true'"),
    ("boolean-and-text", "create table t (a boolean); insert into t values ('true'); select count(*) from t where a"),
    ("boolean-and-text", "create table t (a boolean); insert into t values (false); update t set a = 't'; select count(*) from t where a"),
    ("case-beyond-ascii", "create table t (a text); insert into t values ('ÄRGER'); select count(*) from t where lower(a) = 'ärger'"),
    ("case-beyond-ascii", "create table t (a text); insert into t values ('Ärger'); select count(*) from t where lower(a) like 'ä%'"),
    ("cast-of-fraction", "create table t (a double precision); insert into t values (2.7); select cast(a as integer) from t"),
    ("cast-of-fraction", "create table t (a numeric(8, 1)); insert into t values (2.5); select cast(a as integer) from t"),
    ("round-of-double", "create table t (a double precision); insert into t values (2.5); select cast(round(a) as integer) from t"),
    ("order-of-nulls", "create table t (a int, b int); insert into t values (1, null), (2, 1); select a from t order by b limit 1"),
    ("order-of-nulls", "create table t (a int, b int); insert into t values (1, null), (2, 1); create view v as select a from t order by b limit 1; select a from v"),
    ("null-in-key", "create table t (a int, b int, primary key (a, b)); insert into t values (1, null); select count(*) from t"),
    ("null-in-key", "create table t (a text, primary key (a)); insert into t values (null); select count(*) from t"),
    ("star-in-view", "create table t (a int); insert into t values (1); create view v as select * from t; alter table t add column b int default 7; select * from v"),
]  # fmt: skip
"""A kind, and a script whose last statement does not answer alike on both engines."""

ALIKE = [
    "create table t (a int, b int); insert into t values (7, 2); select a / 2, a % 2 from t",
    "create table t (a int, b int); insert into t values (7, 0); select a / nullif(b, 0) from t",
    "create table t (a int, b int); insert into t values (7, 0); select a / b from t where b <> 0",
    "create table t (a int, b int); insert into t values (7, 0); select case when b <> 0 then a / b end from t",
    "create table t (a int, b int check (b > 0)); insert into t values (7, 2); select a / b from t",
    "create table t (a numeric); insert into t values (7); select a / 2.0 > 3 from t",
    "create table t (a double precision); insert into t values (7); select a / 2 > 3 from t",
    "create table t (a int); insert into t values (7); select a || '' from t",
    "create table t (a int); insert into t values (7); select cast(a as text) from t",
    "create table t (a boolean); insert into t values (true); select count(*) from t where a = true",
    "create table t (a text); insert into t values ('A'); select count(*) from t where lower(a) = 'a'",
    "create table t (a text); insert into t values ('ä'); select count(*) from t where a = 'ä'",
    "create table t (a int); insert into t values (2); select cast(a as integer) from t",
    "create table t (a double precision); insert into t values (2.5); select floor(a) = 2 from t",
    "create table t (a int, b int not null); insert into t values (1, 2); select a from t order by b limit 1",
    "create table t (a int, b int); insert into t values (1, null), (2, 1); select a from t order by b nulls last limit 1",
    "create table t (a int, b int); insert into t values (1, null), (2, 1); select a from t where b is not null order by b limit 1",
    "create table t (a int not null, b int not null, primary key (a, b)); insert into t values (1, 2); select count(*) from t",
    "create table t (a integer, primary key (a)); insert into t values (1); select count(*) from t",
    "create table t (a int); insert into t values (1); create view v as select a from t; alter table t add column b int default 7; select * from v",
]  # fmt: skip
"""Scripts that are built alike, and of which nothing is to be said."""


def kinds(script: str) -> set[str]:
    """Return the kinds of divergence that are found in a script."""
    database = Database("postgresql")
    parts = list(statements_of(script))
    database.begin(parts)
    found = set()
    for part in parts:
        database.apply(part)
        found |= {divergence.kind for divergence in database.divergences}
    return found


def in_common(rows: Rows | str) -> object:
    """Return an answer without the types that only one engine has; an error is one as any other."""
    if isinstance(rows, str):
        return "error"
    return [[value if isinstance(value, str) or value is None else float(str(value)) if not isinstance(value, bool) else float(value) for value in row] for row in rows]  # fmt: skip


@pytest.mark.parametrize(("kind", "script"), DIVERGENT)
def test_the_engines_do_not_answer_alike(
    kind: str, script: str, engines: tuple[Engine, ...]
) -> None:
    _, sqlite, server = engines
    assert kind in kinds(script)
    assert in_common(sqlite.rows(script)) != in_common(server.rows(script))


@pytest.mark.parametrize("script", ALIKE)
def test_the_engines_answer_alike(script: str, engines: tuple[Engine, ...]) -> None:
    _, sqlite, server = engines
    assert kinds(script) == set()
    assert in_common(sqlite.rows(script)) == in_common(server.rows(script))


def test_every_kind_is_proved() -> None:
    assert {kind for kind, _ in DIVERGENT} == set(KINDS)
