"""What fails in a second run, and on the way back, is what fails on the engines."""

from __future__ import annotations

import pytest

from dal_audit.extract.sql.scripts import statements_of
from dal_audit.extract.sql.statements import split
from dal_audit.schema import Database
from tests.engines.servers import Engine

TABLE = "create table t (id int primary key, a text, b text)"

AGAIN = [
    ("", "create table t (a int)"),
    ("", "create table if not exists t (a int)"),
    ("", "create table t (a int); drop table t"),
    ("", "drop table if exists t; create table t (a int)"),
    ("", "create temporary table x (a int)"),
    ("", "create temporary table x (a int); drop table x"),
    (TABLE, "create index i on t (a)"),
    (TABLE, "create index if not exists i on t (a)"),
    (TABLE, "create index i on t (a); drop index i"),
    (TABLE, "create index i on t (a); create table n (id int); drop table t; alter table n rename to t"),
    (TABLE, "create index if not exists i on t (b); alter table t rename column b to c"),
    (TABLE, "create index if not exists i on t (b); drop index i; alter table t drop column b"),
    (TABLE, "alter table t add column c int"),
    (TABLE, "alter table t add column if not exists c int"),
    (TABLE, "alter table t add column c int; alter table t drop column c"),
    (TABLE, "alter table t drop column b"),
    (TABLE, "alter table t drop column if exists b"),
    (TABLE, "alter table t drop column b; alter table t add column b int"),
    (TABLE, "alter table t drop column b, add column b int"),
    (TABLE, "alter table t rename to u"),
    (TABLE, "alter table t rename to u; create table t (id int)"),
    (TABLE, "alter table t rename to u; alter table u rename to t"),
    (TABLE, "alter table if exists t rename to u"),
    (TABLE, "alter table t rename column a to c"),
    (TABLE, "alter table t rename column a to c; alter table t rename column b to a"),
    (TABLE, "alter table t rename column a to c; alter table t rename column c to a"),
    (TABLE, "alter table t alter column a set not null, alter column a set default 'x'"),
    (TABLE, "alter table t alter column a type varchar(20)"),
    (TABLE, "alter table t add constraint c check (a <> '')"),
    (TABLE, "alter table t drop constraint if exists c; alter table t add constraint c check (a <> '')"),
    (TABLE, "alter table t add constraint c check (a <> ''); alter table t drop constraint c"),
    (TABLE, "alter table t add constraint c unique (a)"),
    (TABLE, "alter table t drop constraint t_pkey"),
    (TABLE, "alter table t drop constraint t_pkey; alter table t add primary key (id)"),
    (TABLE, "alter table t drop constraint t_pkey; alter table t add primary key (id, a)"),
    ("create table t (a int not null)", "alter table t add primary key (a)"),
    (TABLE, "alter table t rename constraint t_pkey to k"),
    (TABLE, "alter table t add constraint c unique (a); alter index c rename to d"),
    (TABLE, "create unique index i on t (a); alter table t add constraint c unique using index i"),
    (TABLE, "alter table t alter column id set not null, alter column id add generated always as identity"),
    (TABLE, "create table n (id int, constraint n_key primary key (id)); drop table t; alter table n rename to t"),
    (TABLE, "create table n (id int primary key, a text); insert into n (id, a) select id, a from t; drop table t; alter table n rename to t"),
    (TABLE, "create table n (id int primary key, c text); insert into n (id, c) select id, a from t; drop table t; alter table n rename to t"),
    (TABLE, "alter table t rename to o; create table t (id int primary key); insert into t (id) select id from o; drop table o"),
    (TABLE, "alter table t rename to o; create table t (id int primary key); insert into t (id) select id from o where a = 'x'; drop table o"),
    (TABLE, "update t set b = a; alter table t drop column a"),
    (TABLE, "update t set b = t.a from t as u where u.id = t.id; alter table t drop column a"),
    (TABLE, "delete from t where a = 'x'; alter table t drop column a"),
    (TABLE, "delete from t where b = 'x'; alter table t drop column a"),
    (TABLE, "insert into t (id) values (1)"),
    (TABLE, "insert into t values (1, 'a', 'b')"),
    (TABLE, "insert into t (id) values (1); delete from t"),
    (TABLE, "delete from t; insert into t (id) values (1)"),
    (TABLE, "delete from t where id in (1, 2); insert into t (id) values (8)"),
    (TABLE, "delete from t where id in (1, 2); insert into t (id) values (1); insert into t (id) values (2)"),
    (TABLE, "delete from t where id = 1; insert into t (id) values (1)"),
    (TABLE, "delete from t where id in (1, 2); insert into t (id) values (1), (8)"),
    (TABLE, "delete from t where id in (1, 2); insert into t (id) values (1), (2)"),
    (TABLE, "delete from t where id = 1; insert into t (id, a) values (8, 'x'), (1, 'y')"),
    (TABLE, "delete from t where id in (1, 2); insert into t values (2, 'x', 'y'), (1, lower('X'), 'y')"),
    ("create table d (tags text)", "alter table d alter column tags type text[] using string_to_array(tags, ',')"),
    ("create table d (n bigint)", "alter table d alter column n type timestamptz using to_timestamp(n)"),
    ("create table d (n text)", "alter table d alter column n type bigint using n::bigint"),
    ("create table d (n text)", "alter table d alter column n type varchar(9) using lower(n)"),
    ("create table d (n text)", "alter table d alter column n type date using to_date(n, 'YYYY')"),
    ("create type r as enum ('a', 'b', 'c'); create table m (x r)", "update m set x = 'a' where x = 'c'; create type s as enum ('a', 'b'); alter table m alter column x type s using x::text::s; alter type r rename to q; alter type s rename to r; drop type q"),
    ("create type r as enum ('a', 'b', 'c'); create table m (x r)", "update m set x = 'a' where x = 'b'; create type s as enum ('a', 'b'); alter table m alter column x type s using x::text::s; drop type r; alter type s rename to r"),
    ("create type r as enum ('a'); create table m (x r)", "alter type r add value if not exists 'b'; delete from m where x = 'a'"),
    (TABLE, "delete from t where id = 2; insert into t (id) values (1)"),
    (TABLE, "delete from t; insert into t (id) values (1); insert into t (id) values (2)"),
    (TABLE, "create table n (id int primary key); insert into n (id) values (1); insert into n (id) values (2); drop table t; alter table n rename to t"),
    (TABLE, "insert into t (id) values (1) on conflict do nothing"),
    (TABLE, "insert into t (id) values (1) on conflict (id) do update set a = 'x'"),
    (TABLE, "insert into t (id) select 1"),
    (TABLE, "insert into t (id) select 1 where not exists (select 1 from t where id = 1)"),
    ("create table t (a int)", "insert into t (a) values (1)"),
    ("create table t (a int unique)", "insert into t (a) values (null)"),
    ("create table t (a int)", "create unique index i on t (a); insert into t (a) values (-1)"),
    ("create table t (a int, l text not null default 'x' unique)", "insert into t (a) values (1)"),
    ("create table t (a int, b int, primary key (a, b))", "insert into t (a, b) values (1, 2)"),
    (TABLE, "create view v as select a from t"),
    (TABLE, "create or replace view v as select a from t"),
    (TABLE, "create view if not exists v as select a from t"),
    (TABLE, "drop view if exists v; create view v as select a from t"),
    (TABLE, "create view v as select a from t; drop view v"),
    ("create table t (a int); create view v as select a from t; create view w as select a from v", "drop view v cascade; create view v as select a from t; create view w as select a from v"),
    (TABLE, "drop table t"),
    (TABLE, "drop table if exists t"),
    ("create table t (a int); create index i on t (a)", "drop index i"),
    ("create table t (a int); create index i on t (a)", "drop index if exists i"),
    ("create table t (a int); create index i on t (a)", "alter index i rename to j"),
    ("create table t (a int); create index i on t (a)", "alter index if exists i rename to j"),
    ("", "create type m as enum ('a', 'b')"),
    ("create type m as enum ('a', 'b')", "alter type m add value 'c'"),
    ("create type m as enum ('a', 'b')", "alter type m add value if not exists 'c'"),
    ("create type m as enum ('a', 'b')", "alter type m rename value 'a' to 'c'"),
    ("create type m as enum ('a'); create table t (x m)", "create type n as enum ('a', 'b'); alter table t alter column x type n using (x::text::n); alter type m rename to o; alter type n rename to m; drop type o"),
    ("", "create domain d as int"),
    ("create type c as (x int)", "alter type c add attribute y int"),
    ("", "create sequence s"),
    ("", "create sequence if not exists s"),
    ("", "create schema s"),
    ("", "create schema if not exists s; create table if not exists s.t (a int); create index if not exists i on s.t (a)"),
    ("", "create schema if not exists s; create table if not exists s.t (a int); create index i on s.t (a)"),
    (TABLE, "create trigger g after insert on t begin select 1; end"),
    (TABLE, "create trigger if not exists g after insert on t begin select 1; end"),
    (TABLE, "create trigger g after insert on t begin select 1; end; drop table t; create table t (a int)"),
    ("", "create function f() returns int language sql as 'select 1'"),
    ("", "create or replace function f() returns int language sql as 'select 1'"),
    ("create function f(a int) returns int language sql as 'select 1'", "drop function f(int); create function f(a int, b int) returns int language sql as 'select 1'"),
    ("create function f(a int) returns int language sql as 'select 1'", "drop function f; create function f(a int, b int) returns int language sql as 'select 1'"),
    ("create function f(a int) returns int language sql as 'select 1'", "create function f(a int, b int) returns int language sql as 'select 1'; drop function f(int, int)"),
    ("create function f(a int) returns int language sql as 'select 1'", "drop function if exists f(int)"),
    ("create function f(a int) returns int language sql as 'select 1'", "alter function f(int) rename to g"),
    ("", "create function f(a numeric(3, 2), out b int) language sql as 'select 1'; drop function f(numeric)"),
    (TABLE, "create policy p on t using (true)"),
    (TABLE, "drop policy if exists p on t; create policy p on t using (true)"),
    (TABLE, "create rule r as on insert to t do nothing"),
    ("create table p (a int) partition by range (a); create table q (a int)", "alter table p attach partition q for values from (1) to (2)"),
    (TABLE, "do $$ begin alter table t drop constraint if exists c; end $$; alter table t add constraint c check (a <> '')"),
    (TABLE, "alter table t add column c int; do $$ begin perform c from t; end $$"),
    ('create table "T" (a int)', 'alter table "T" add column "b" int'),
    ('create table "T" ("A" int); create table t (a int)', 'alter table "T" drop column "A"'),
    ("", f"create table t (a int, constraint {'c' * 70} unique (a)); alter table t drop constraint {'c' * 70}; drop table t"),
]  # fmt: skip
"""What stands before a migration, and the migration."""

BACK = [
    ("create table t (a int primary key); create table c (a int references t (a))", "drop table t; drop table c"),
    ("create table t (a int primary key); create table c (a int references t (a))", "drop table c; drop table t"),
    ("create table t (a int primary key, b int references t (a))", "drop table t"),
    ("create table t (a int); create view v as select a from t", "drop view v; drop table t"),
    ("create table t (a int, b int); create index i on t (b)", "alter table t drop column b"),
    ("create table t (a int, b int); create index i on t (b)", "drop index i; alter table t drop column b"),
    ("create table t (a int, b int); create index i on t (b)", "drop table t; drop index i"),
    ("create table t (a int, b int); create index i on t (b)", "drop index if exists j; drop index j"),
    ("create table t (a int, b int)", "alter table t drop column c"),
    ("create table t (a int, b int)", "alter table t rename column c to d"),
    ("create table t (a int)", "drop table t; drop table t"),
    ("create table t (a int); alter table t rename to u", "drop table t"),
    ("create table t (a int); alter table t rename to u", "alter table u rename to t; drop table t"),
]  # fmt: skip
"""The ups of a migration, and its downs, in the words of both engines."""

BACK_IN_POSTGRESQL = [
    ("create table t (a int primary key); create table c (a int references t (a))", "drop table t cascade; drop table c"),
    ("create table t (a int primary key); create table c (a int references t (a))", "drop table t, c"),
    ("create table t (a int); create view v as select a from t", "drop table t cascade; drop view v"),
    ("create table t (a int); create view v as select a from t", "drop table t"),
    ("create table t (a int primary key); create table c (a int references t (a))", "alter table c drop constraint c_a_fkey; drop table t; drop table c"),
    ("create table t (a int primary key); create table c (a int references t (a))", "alter table c drop column a; drop table t; drop table c"),
    ("create type m as enum ('a')", "drop type m; drop type m"),
    ("create table t (a int); create index on t (a)", "drop index t_a_idx"),
    ("create table t (a int check (a > 0))", "alter table t drop constraint t_a_check; alter table t drop constraint t_a_check"),
    ("create table t (a int, check (a > 0))", "alter table t drop constraint t_a_check; alter table t drop constraint t_a_check"),
    ("create table t (a int, b int, check (a > b))", "alter table t drop constraint t_check; alter table t drop constraint t_check"),
    ("create table t (a int unique)", "alter table t drop constraint t_a_key; alter table t drop constraint t_a_key"),
    ("create schema s; create table s.t (a int)", "drop schema s cascade; drop table s.t"),
    ("create table t (a int); create function f() returns trigger language plpgsql as 'begin return new; end'; create trigger g before insert on t for each row execute function f()", "drop function f cascade; drop trigger g on t"),
    ("create table t (a int); create function f() returns trigger language plpgsql as 'begin return new; end'; create trigger g before insert on t for each row execute function f()", "drop trigger g on t; drop function f"),
]  # fmt: skip
"""The same, in the words of PostgreSQL."""


def texts_of(script: str) -> list[str]:
    """Return the texts of a script's statements."""
    return [script[statement.start : statement.end] for statement in split(script).statements]


def failing(engine: Engine, before: list[str], script: str) -> list[bool]:
    """Return of each statement whether an engine fails, after those that it ran."""
    taken = list(before)
    answers = []
    for text in texts_of(script):
        error = engine.error([*taken, text])
        answers.append(bool(error))
        if not error:
            taken.append(text)
    return answers


def predicted(backend: str, before: list[str], script: str) -> list[bool]:
    """Return of each statement whether it is found to fail, after those before."""
    database = Database(backend)
    for text in before:
        for statement in statements_of(text):
            database.apply(statement)
    statements = list(statements_of(script))
    database.begin(statements)
    return [
        any(problem.effect == "fails" for problem in database.dry_run(statement))
        for statement in statements
    ]


@pytest.mark.parametrize(("before", "script"), AGAIN)
def test_what_fails_again_is_what_fails_on_the_engines(
    before: str, script: str, engines: tuple[Engine, ...]
) -> None:
    judged = 0
    for engine in engines[1:]:
        ran = [*texts_of(before), *texts_of(script)]
        if engine.error(ran):
            continue  # The engine does not run it even once.
        judged += 1
        assert predicted(engine.name, ran, script) == failing(engine, ran, script), engine.name
    assert judged


@pytest.mark.parametrize(("ups", "downs"), BACK)
def test_what_fails_on_the_way_back_is_what_fails_on_the_engines(
    ups: str, downs: str, engines: tuple[Engine, ...]
) -> None:
    for engine in engines[1:]:
        mine = predicted(engine.name, texts_of(ups), downs)
        theirs = failing(engine, texts_of(ups), downs)
        assert mine == theirs, engine.name


@pytest.mark.parametrize(("ups", "downs"), BACK_IN_POSTGRESQL)
def test_what_fails_on_the_way_back_in_postgresql(
    ups: str, downs: str, engines: tuple[Engine, ...]
) -> None:
    server = engines[-1]
    before = texts_of(ups)
    assert predicted(server.name, before, downs) == failing(server, before, downs)
