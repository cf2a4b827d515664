"""A database that is only thought of: what is written can be taken back, and nothing stops it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dal_audit.extract.sql.scripts import statements_of
from dal_audit.facts.sql import SqlStatement
from dal_audit.schema import FOLLOWED, Database, Losses, differences
from dal_audit.schema.journal import Journal
from dal_audit.schema.objects_model import NAME, DbObject

POOL = """
create table t (a int primary key, b text unique, c int references u (x) check (c > 0));
create table if not exists u (x int, y text, check (x > 0), foreign key (y) references t (b));
create table v as select * from t; create table w (like t); create temp table x (a int);
create table s.t (a int); create index on t (a); create unique index i on t (b) where a > 0;
create index if not exists j on u (lower(y)); create index k on s.t (a);
alter table t add column d int; alter table t add column if not exists d int;
alter table t drop column b; alter table t drop column if exists d, add constraint e check (a > 1);
alter table t rename to u; alter table u rename to t; alter table t rename column a to z;
alter table t add primary key (a); alter table t add unique (b); alter table t drop constraint e;
alter table t rename constraint e to f; alter table t add constraint g unique using index i;
alter table t alter column a type bigint, alter column b set not null, alter column c drop default;
alter table t alter column a add generated always as identity; alter table t set schema s;
alter table t attach partition u for values in (1); alter table if exists n inherit t;
create view p as select a, b from t; create or replace view p as select x from u;
create materialized view q as select a from p; drop view p cascade; drop materialized view q;
create type m as enum ('a', 'b'); alter type m add value 'c'; alter type m rename value 'a' to 'd';
alter type m rename to n; alter type m add attribute r int; drop type m; create domain m as int;
create trigger g after insert on t begin select 1; end; drop trigger g; drop trigger g on t;
create function f() returns int language sql as 'select 1'; drop function f(int); create sequence o;
create policy l on t using (true); alter policy l on t rename to h; drop policy if exists l on t;
create rule r as on insert to t do nothing; alter index i rename to j; alter index if exists j rename to i;
alter view p rename to q; alter function f() rename to g; create extension e; create schema s;
drop table t; drop table if exists t, u cascade; drop index i; drop schema s cascade; drop sequence o;
insert into t (a, b) values (1, 'x'); insert into t select * from u; replace into t values (1, 'x', 2);
insert into t (a) select x from u where not exists (select 1 from t); insert into t default values;
update t set a = a + 1; update t set (a, b) = (1, 2); update u set x = t.a from t where t.a = u.x;
delete from t where a in (select x from u); truncate t; merge into t using u on true when matched then delete;
with y as (select a from t) insert into u select a from y; do $$ begin drop table t; execute 'x'; end $$;
select 1; vacuum; comment on table t is 'x'; pragma foreign_keys = on; create nonsense;
"""
STATEMENTS = statements_of(POOL)


def test_the_pool_is_read() -> None:
    assert [statement.flaw for statement in STATEMENTS if statement.structure is None] == [
        "`CREATE` of something unknown"
    ]


def picture(thing: Any) -> object:
    """Return what stands as plain values, without the tables of which nothing is known."""
    if isinstance(thing, DbObject):
        parts = {key: picture(part) for key, part in thing.parts.items() if key != NAME}
        return (thing.kind, thing.text, parts, sorted(thing.owned), thing.columns, thing.words)
    return thing


def pictures(database: Database) -> object:
    """Return all that stands in a database as plain values."""
    state = database.state
    known = {
        name: picture(thing)
        for name, thing in state.relations.items()
        if thing is None or thing.complete or len(thing.parts) > 1 or thing.kind != "table"
    }
    return known, {key: picture(thing) for key, thing in state.others.items()}


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(FOLLOWED),
    st.lists(st.sampled_from(STATEMENTS), max_size=12),
    st.lists(st.sampled_from(STATEMENTS), max_size=8),
)
def test_no_order_of_statements_stops_it_and_all_can_be_taken_back(
    backend: str, before: list[SqlStatement], script: list[SqlStatement]
) -> None:
    database = Database(backend)
    database.begin(before)
    losses = Losses(database.state)
    for statement in before:
        list(losses.of(statement))
        database.apply(statement)
        losses.note(statement)
    stood = pictures(database)
    mark = database.state.journal.savepoint
    for step, statement in enumerate(script):
        database.state.journal.step = step
        database.dry_run(statement)
        database.apply_anyway(statement)
    list(differences(database.state, mark, 0))
    database.state.journal.roll_back(mark)
    assert pictures(database) == stood


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(FOLLOWED), st.lists(st.sampled_from(STATEMENTS), max_size=12))
def test_a_statement_that_fails_does_nothing(backend: str, before: list[SqlStatement]) -> None:
    database = Database(backend)
    for statement in before:
        stood = pictures(database)
        if any(problem.effect == "fails" for problem in database.dry_run(statement)):
            assert pictures(database) == stood


def test_a_journal_takes_back_what_was_written() -> None:
    journal = Journal()
    mapping = {"a": 1}
    journal.write(mapping, "a", 2)
    mark = journal.savepoint
    journal.write(mapping, "b", 3)
    journal.remove(mapping, "a")
    journal.remove(mapping, "none")
    assert mapping == {"b": 3}
    journal.roll_back(mark)
    assert mapping == {"a": 2}
    journal.roll_back(0)
    assert mapping == {"a": 1}


@pytest.mark.parametrize(
    ("ups", "downs", "told"),
    [
        ("create table t (a int)", "", [("left", "the table `t`")]),
        ("create table t (a int)", "drop table t", []),
        ("alter table o add column c int", "", [("left", "the column `c` of `o`")]),
        ("alter table o add column c int", "alter table o drop column c", []),
        ("drop index o_b", "", [("lost", "the index `o_b`")]),
        ("drop index o_b", "create index o_b on o (b)", []),
        ("drop index o_b", "create index o_b on o (a)", [("changed", "the index `o_b` with another definition")]),
        ("drop table o", "create table o (a int); create index o_b on o (a)", [
            ("changed", "the table `o` without the column `b`"),
            ("changed", "the index `o_b` with another definition"),
        ]),
        ("drop table o", "create table o (a int, b text)", [("lost", "the index `o_b`")]),
        ("drop table o", "create table o (a int, b int); create index o_b on o (b)", [
            ("changed", "the table `o` with another definition of `b`"),
        ]),
        ("alter table o rename to p", "alter table p rename to o", []),
        ("alter table o rename to p", "", [("lost", "the table `o`"), ("left", "the table `p`")]),
        ("alter table o alter column b set default 'x'", "", [("changed", "the column `b` of `o` as another")]),
        ("create type m as enum ('a')", "drop type m", []),
        ("alter table o add column c int; drop index o_b", "drop table o; create table o (a integer, b text); create index o_b on o (b)", []),
        ("alter table o drop column b", "alter table o add column b text; create index o_b on o (b)", []),
        ("alter table o alter column a type bigint, alter column b set default 'x'", "alter table o alter column a type int4, alter column b drop default", []),
        ("alter table o alter column b set default 'x'; drop index o_b", "drop table o; create table o (a int, b text default 'x'::text); create index o_b on o (b)", [
            ("changed", "the table `o` with another definition of `b`"),
        ]),
        ("create type m as enum ('a')", "", [("left", "the type `m`")]),
        ("create table n (a int); drop table o; alter table n rename to o", "create table n (a int, b text); drop table o; alter table n rename to o; create index o_b on o (b)", []),
    ],
)  # fmt: skip
def test_what_is_another_after_the_way_back(
    ups: str, downs: str, told: list[tuple[str, str]]
) -> None:
    database = Database("postgresql")
    for statement in statements_of("create table o (a int, b text); create index o_b on o (b)"):
        database.apply(statement)
    database.state.journal.clear()
    up = statements_of(ups)
    for step, statement in enumerate([*up, *statements_of(downs)]):
        database.state.journal.step = step
        database.apply_anyway(statement)
    found = differences(database.state, 0, len(up) - 1)
    assert [(difference.change, difference.what) for difference in found] == told


def calls_of(work: Callable[[], None]) -> int:
    """Return how many calls, of Python's functions and of built-in ones, some work makes."""
    count = 0

    def note(frame: FrameType, event: str, argument: object) -> None:
        nonlocal count
        count += event in {"call", "c_call"}

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        work()
    finally:
        sys.setprofile(before)
    return count


def test_a_long_set_takes_work_in_proportion() -> None:
    def work(count: int) -> int:
        text = ";".join(
            f"create table t{n} (id int primary key, x int references t{n // 2} (id));"
            f"create index i{n} on t{n} (x); alter table t{n} add column y int;"
            f"create table n{n} (id int); drop table t{n} cascade; alter table n{n} rename to t{n}"
            for n in range(count)
        )
        statements = statements_of(text)
        database = Database("postgresql")

        def run() -> None:
            database.begin(statements)
            for statement in statements:
                database.apply(statement)
            for statement in statements:
                database.dry_run(statement)

        return calls_of(run)

    assert work(400) < work(50) * 8 * 1.5
