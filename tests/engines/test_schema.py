"""What is objected to statements is what the engines object to, in the order of a migration."""

from __future__ import annotations

import pytest

from dal_audit.catalogue.engine_names import engine_names
from dal_audit.extract.sql.scripts import statements_of
from dal_audit.extract.sql.statements import split
from dal_audit.schema import Database
from tests.engines.servers import Engine

SCRIPTS = [
    "create table t (a int); create table t (b int)",
    "create table t (a int); create table T (b int)",
    'create table "T" (a int); create table t (b int)',
    "create table t (a int); create table if not exists t (b int)",
    "create table t (a int, A int)",
    "create table t (a int primary key, b int primary key)",
    "create table t (a int primary key, b int, primary key (b))",
    "create table t (a int); create index t on t (a)",
    "create table t (a int); create index i on t (a); create index i on t (a)",
    "create table t (a int); create index i on t (a); create index if not exists i on t (a)",
    "create table t (a int unique); create index t_a_key on t (a)",
    "create table t (a int primary key); create unique index t_pkey on t (a)",
    "create table t (a int); create index i on t (zz)",
    "create table c (a int references t (a)); create table t (a int primary key)",
    "create table t (a int primary key); create table c (a int references t)",
    "create table t (a int); create table c (a int references t)",
    "create table t (a int); create table c (a int references t (a))",
    "create table t (a int unique); create table c (a int references t (a))",
    "create table t (a int); create unique index u on t (a); create table c (a int references t (a))",
    "create table t (a int); create unique index u on t (a) where a > 0; create table c (a int references t (a))",
    "create table t (a text primary key); create table c (a int references t (a))",
    "create table t (a varchar(3) primary key); create table c (a text references t (a))",
    "create table t (a bigint primary key); create table c (a int references t (a))",
    "create table t (a numeric primary key); create table c (a int references t (a))",
    "create table t (a int primary key, b int references t (a))",
    "create table t (a int, b int, primary key (a, b)); create table c (a int, b int, foreign key (a, b) references t (a, b))",
    "create table t (a int, b int, primary key (a, b)); create table c (a int, b int, foreign key (a, b) references t (b, a))",
    "create table t (a int, b int, primary key (a, b)); create table c (a int references t (a))",
    "create table t (a int); create view v as select a from t; create table c (a int references v (a))",
    "create table t (a int); alter table t add column a int",
    "create table t (a int); alter table t add column b int unique",
    "create table t (a int); alter table t add column b int not null",
    "create table t (a int); alter table t add column b int primary key",
    "create table t (a int, b int); alter table t drop column b",
    "create table t (a int, b int unique); alter table t drop column b",
    "create table t (a int, b int primary key); alter table t drop column b",
    "create table t (a int, b int); create index i on t (b); alter table t drop column b",
    "create table t (a int, b int); create index i on t (a) where b > 0; alter table t drop column b",
    "create table t (a int, b int check (b > 0)); alter table t drop column b",
    "create table t (a int, b int, check (b > 0)); alter table t drop column b",
    "create table p (a int primary key); create table t (a int, b int references p (a)); alter table t drop column b",
    "create table p (a int primary key); create table t (a int, b int, foreign key (b) references p (a)); alter table t drop column b",
    "create table p (a int, b int unique); create table t (b int references p (b)); alter table p drop column b",
    "create table t (a int, b int); create view v as select b from t; alter table t drop column b",
    "create table t (a int, b int); create view v as select a from t; alter table t drop column b",
    "create table t (a int, b int); alter table t drop column c",
    "create table t (a int); create view v as select a from t; drop table t",
    "create table t (a int primary key); create table c (a int references t (a)); drop table t",
    "create table t (a int primary key); create table c (a int references t (a)); drop table c; drop table t",
    "create table t (a int); drop table t; drop table t",
    "create table t (a int); drop table t; drop table if exists t",
    "create table t (a int); drop table t; insert into t (a) values (1)",
    "create table t (a int); drop table t; create table t (b int); insert into t (b) values (1)",
    "create table t (a int); insert into t (b) values (1)",
    'create table t ("createdAt" int); insert into t (createdAt) values (1)',
    'create table "Users" (a int); insert into Users (a) values (1)',
    'create table "Users" (a int); create index i on users (a)',
    "create table t (a int); create index i on t (a); drop index i; drop index i",
    "create table t (a int); create index i on t (a); drop table t; create table t (a int); create index i on t (a)",
    "create table t (a int); alter table t rename to u; insert into u (a) values (1); insert into t (a) values (1)",
    "create table t (a int); create table u (a int); alter table t rename to u",
    "create table t (a int, b int); alter table t rename column a to b",
    "create table t (a int, b int); alter table t rename column a to c; create index i on t (c)",
    "create table t (a int, b int); alter table t rename column a to c; create index i on t (a)",
    "create table t (a int primary key); create table c (a int references t (a)); alter table t rename to u; drop table u",
    "create table t (a int); create view t as select 1",
    "create table t (a int); create view v as select a from t; create view v as select a from t",
    "create table t (b boolean default 0)",
    "create table t (b boolean default false)",
    "create table t (b boolean default 'f')",
    "create table t (b boolean default 'nope')",
    "create table t (b boolean default '1')",
    "create table t (n int default true)",
    "create table t (n int default 'x')",
    "create table t (n int default '12')",
    "create table t (n int default '')",
    "create table t (n int default -1)",
    "create table t (n int default (1))",
    "create table t (n numeric default '1.5')",
    "create table t (n numeric default 'x')",
    "create table t (n real default true)",
    "create table t (n int default current_timestamp)",
    "create table t (n int default '1.5')",
    "create table t (v text default 1)",
    "create table t (v text default true)",
    "create table t (v text default current_timestamp)",
    "create table t (v varchar(3) default 'toolong')",
    "create table t (d timestamp default 0)",
    "create table t (d timestamp default '')",
    "create table t (d timestamp default '0000-00-00 00:00:00')",
    "create table t (d timestamp default current_timestamp)",
    "create table t (d date default current_date)",
    "create table t (d date default current_timestamp)",
    "create table t (d date default current_time)",
    "create table t (d timestamp default current_date)",
    "create table t (d time default current_time)",
    "create table t (d time default current_timestamp)",
    "create table t (j json default '{}')",
    "create table t (j json default '')",
    "create table t (j jsonb default 0)",
    "create table t (j jsonb default '[]')",
    "create table t (u uuid default '')",
    "create table t (u uuid default '00000000-0000-0000-0000-000000000000')",
    "create table t (u uuid default 'x')",
    "create table t (a int, b int, constraint x unique (b)); create index x on t (a)",
    "create table t (a int); alter table t add column b int default 'x'",
    "create table t (a int, b int); create table c (a int, b int references t (b) on delete cascade)",
    'create table t (a int, "A" int)',
    'create table t ("dueDate" int); create index i on t (dueDate)',
    'create table t ("dueDate" int, b int); alter table t drop column dueDate',
    'create table t ("dueDate" int); alter table t rename column dueDate to b',
    'create table "Users" (a int); drop table users',
    'create table "Users" (a int); drop table if exists users',
    'create table "T" (a int primary key); create table c (a int references t (a))',
    'create table t (a int); create view "T" as select a from t',
    "create table t (b int references t (a), a int primary key)",
    "create table t (a int); drop table t; create index i on t (a)",
    "create table t (a int); alter table t rename to u; create table t (b int); drop table u; drop table t",
    "create table t (a int primary key); create table c (a int references t (a)); alter table c rename to d; drop table t",
    "create table t (a int primary key); create table c (a int references t (a)); alter table t rename column a to b; alter table t drop column b",
    "create table t (a int, b int); create temp table t (c int); create table t (a int)",
    "create table t (a int, b int unique, c int check (c > 0)); alter table t drop column c; alter table t drop column b",
    "create table t (a int, b int generated always as (a + 1) stored); alter table t drop column a",
    "create table t (a int, b int); create index i on t (a); alter table t rename column a to c; alter table t drop column c",
    "create table t (a int unique); alter table t rename to u; create table t (a int unique); create index u_a_key on t (a)",
    "create table t (a int); create index t_a_idx on t (a); drop table t; create table t_a_idx (b int)",
    "create table p (a int); create table t (a int, b int); create view v as select p.a from t join p on p.a = t.b; alter table t drop column a; alter table t drop column b",
    "create table p (a int); create table t (a int, b int); create view v as select x.a, y.b from t as y join p as x on x.a = y.b; alter table t drop column a",
    'create table t (a text, b text); update t set a = "x y"; update t set a = "b"; delete from t where a in ("p", "q")',
    'create table t (a text, b text); update t set a = "x" returning a as "z"; insert into t (a) values ("x"); update t as "x" set a = "x".b',
    'create table t (a text, b text); create index i on t (a) where b = "x"; update t set b = case when a = \'x\' then "y" end',
    'create table t ("ownerId" int); update t set ownerId = 3; update t set "ownerId" = 4',
    "create table t (a int, b int); update t set c = 1; update t as x set b = 1, A = 2",
    "create table t (a int); create unique index i on t (a); create table u (a int references t (a)); drop index i",
    "create table t (a int primary key); create unique index i on t (a); create table u (a int references t (a)); drop index i",
    "create table t (a int); create unique index i on t (a); create index k on t (a); drop index k; drop index i",
    "create table user (a int); drop table user",
    'create table "user" (a int); insert into "user" (a) values (1); insert into user (a) values (1)',
    "create table t (a int, end int)",
    "create table t (a int, offset int, window int)",
    "create table t (a int, key text, value text, type text, date text, name text)",
    "create table t (a int); alter table t add column desc text",
    "create table t (a int); alter table t rename column a to user",
    "create table t (a int); alter table t rename to user",
    'create table t ("user" int); create index i on t (user desc); create index k on t (user)',
    'create table t ("limit" int); create index i on t (limit)',
    'create table "user" (a int primary key); create table t (a int references user (a))',
    'create table "user" (a int primary key); create table t (a int, foreign key (a) references user (a))',
    "create table t (a int, constraint user check (a > 0))",
    "create table t (a int, primary key (a), b int)",
    "create table t (a int, constraint k check (a > 0), b int, c int)",
    "create table t (a int, b int, primary key (a), unique (b))",
    "create table t (a int, b int, c int); insert into t select 1, 2; insert into t values (1, 2, 3, 4)",
    "create table t (a int, b int, c int); insert into t values (1, 2), (3, 4); insert into t select * from t",
    "create table t (a int, b int); insert into t (a, b) select count(*), max(a + 1) from t; insert into t (a, b) select 1 from t",
    "create table t (a int, b int); insert into t (a, b) values (1, coalesce(2, 3), 4); insert into t (b) select a from t union select 1",
    "create table t (a int constraint c references t2 (b), b int); create table t2 (b int)",
    "create table p (b int primary key); create table t (a int constraint c references p (b), b int, constraint d unique (b)); alter table t drop constraint c; alter table t drop constraint d",
    "create table t (a int, constraint c check (a > 0), constraint d primary key (a)); alter table t drop constraint c; alter table t drop constraint d",
    "create table t (a int, constraint c unique (a)); create table u (a int, constraint c unique (a))",
    "create table t (a int, constraint c unique (a)); create table u (a int, constraint c check (a > 0))",
    "create table t (a int, constraint c check (a > 0)); create table u (a int, constraint c primary key (a))",
    "create table t (a int); create index c on t (a); create table u (a int, constraint c unique (a))",
    "create table t (a int); create view v as select * from t; alter table t add column b int; alter table t drop column b",
]
"""Scripts of which one engine or both refuse a statement, and the same with nothing to refuse."""


IN_POSTGRESQL = [
    "create table t (a text, d date, s timestamp, z timestamptz); create index i on t (lower(a)); create index k on t ((z::date))",
    "create table t (a text, d date, s timestamp, z timestamptz); create index i on t (date(s)); create index k on t (date(z)); create index l on t (to_char(s, 'YYYY'))",
    "create table t (a int, z timestamptz); create index i on t (a) where z > now(); create index k on t (a) where z > '2024-02-03'; create index l on t (a) where z > current_timestamp",
    "create table t (d date, s timestamptz); create index i on t (d) where s > d; create index k on t ((d || 'x')); create index l on t ((cast(d as text)))",
    "create table t (a text, b text generated always as (lower(a)) stored); create table u (d date, b text generated always as (d::text) stored)",
    'create table t (a text, b text); update t "x" set a = "x".b',
    "create type m as enum ('a'); create table t (x m default 'b')",
    "create type m as enum ('a'); alter type m rename to n; create table t (x n default 'a'); create table u (x m)",
    "create domain d as int; create table t (x d default 'x')",
    "create domain d as int; create domain e as d; create table t (x e default true)",
    "create type m as enum ('a'); drop type m; create table t (x m)",
    "create type m as enum ('a'); create table t (x m); drop type m; drop table t; drop type m",
    "create type m as enum ('a'); create table t (x int, y m[]); drop type m; alter table t drop column y; drop type m",
    "create type m as enum ('a'); create table t (x m); alter table t alter column x type text; drop type m",
    "create domain d as int; create table t (x d); drop domain d; drop domain if exists d; drop domain d cascade",
    "create type \"M\" as enum ('a'); create table t (x M)",
    "create table t (a int); create table u (x t)",
    "create table t (a int unique); drop index t_a_key",
    "create table t (a int unique); alter table t drop constraint t_a_key; create index t_a_key on t (a)",
    "create table t (a int primary key); create table c (a int references t (a)); drop table t cascade; create table t (a int); drop table t",
    "create table t (a int primary key); create table c (a int references t (a)); alter table c drop constraint c_a_fkey; drop table t",
    "create table t (a int primary key); create table c (a int references t (a)); alter table t rename to u; alter table c drop constraint c_a_fkey; drop table u",
    "create table t (a int primary key); create table c (a int references t (a)); alter table c drop column a, add column b int; drop table t",
    "create table t (a int, b int); create view v as select a from t; create or replace view v as select a from t where a > 0; alter table t drop column b",
    "create table t (a int, b int); alter table t drop column b, add column b text; alter table t alter column b set default true; alter table t alter column b set default 1",
    "create table t (a int); alter table t add primary key (a); alter table t add primary key (a)",
    "create table t (a int primary key, b int); alter table t add constraint k primary key (b); alter table t drop constraint t_pkey; alter table t add constraint t_pkey primary key (a, b)",
    "create table t (a int) partition by range (a); create index i on t (b)",
    "create table t (a int, b int); alter table if exists T add column B int",
    "create schema s; create table s.t (a int); create index i on s.t (a); drop index s.i; create index i on s.t (a)",
    "create type m as enum ('a'); create table t (a m); drop type m; drop table t; drop type m",
    "create type m as enum ('a'); create table t (a m); drop type m cascade; create domain d as int; create table u (a d[]); drop domain d",
    "create table t (a int, b int); create view v as select * from t; alter table t add column c int; alter table t drop column c; alter table t drop column b",
    "create table t (a int); create function f () returns trigger language plpgsql as 'begin return new; end'; create trigger g before insert on t for each row execute function f (); alter function f () rename to h; alter trigger g on t rename to k; drop function h cascade; create function h () returns trigger language plpgsql as 'begin return new; end'; create trigger k before insert on t for each row execute function h ()",
]
"""The same, in the words of PostgreSQL."""


def test_words_are_reserved_where_the_engine_says_so(engines: tuple[Engine, ...]) -> None:
    _, sqlite, server = engines
    for engine in (sqlite, server):
        listed = engine_names(engine.name)
        assert listed is not None
        for word in sorted(listed.keywords):
            script = f"create table t (a int, {word} int)"
            (statement,) = statements_of(script)
            is_objected = statement.structure is None or objected(script, engine.name) != [False]
            if word not in OF_CONSTRAINTS:
                assert is_objected == (refused(script, engine) != [False]), (engine.name, word)


OF_CONSTRAINTS = frozenset(
    {"check", "constraint", "foreign", "primary", "unique", "exclude", "like"}
)
"""Words that begin what stands beside columns, so that there is more to be read than a name."""


def refused(script: str, engine: Engine) -> list[bool]:
    """Return of each statement whether an engine refuses it, after those that it took."""
    taken: list[str] = []
    answers = []
    for statement in split(script).statements:
        text = script[statement.start : statement.end]
        error = engine.error([*taken, text])
        answers.append(bool(error))
        if not error:
            taken.append(text)
    return answers


def objected(script: str, backend: str) -> list[bool]:
    """Return of each statement whether a backend is found to refuse it."""
    database = Database(backend)
    statements = list(statements_of(script))
    database.begin(statements)
    return [bool(database.apply(statement)) for statement in statements]


@pytest.mark.parametrize("script", SCRIPTS)
def test_what_is_objected_is_what_the_engines_refuse(
    script: str, engines: tuple[Engine, ...]
) -> None:
    _, sqlite, server = engines
    for engine in (sqlite, server):
        assert objected(script, engine.name) == refused(script, engine), engine.name


@pytest.mark.parametrize("script", IN_POSTGRESQL)
def test_what_is_objected_is_what_postgresql_refuses(
    script: str, engines: tuple[Engine, ...]
) -> None:
    server = engines[-1]
    assert objected(script, server.name) == refused(script, server)
