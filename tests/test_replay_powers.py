"""What migrations may do on a PostgreSQL: the server itself keeps them to their database."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, cast

import psycopg
import pytest
from psycopg.sql import Composed

from dal_audit.replay.database import EngineError
from dal_audit.replay.postgresql import Postgresql, drop_database
from dal_audit.replay.scratch_database import PREFIX
from dal_audit.replay.workers import postgres

FILE = "/etc/hostname"
LOADED = f"CREATE TABLE IF NOT EXISTS t (a text); COPY t FROM $${FILE}$$"


def left_on(url: str) -> list[str]:
    """Return the scratch databases and roles on a server."""
    with psycopg.connect(url) as connection:
        rows = connection.execute(
            "SELECT datname FROM pg_database UNION ALL SELECT rolname FROM pg_roles"
        ).fetchall()
    return [name for (name,) in rows if name.startswith(PREFIX)]


@pytest.fixture(scope="module", params=["shared", "own"])
def database(request: pytest.FixtureRequest, server: str) -> Iterator[Postgresql]:
    """A scratch database of a replay, on a server with others and on one of its own."""
    url = server if request.param == "shared" else ""
    # As if there were no guard that reads statements: `is_shared` only adds to it.
    with (
        postgres(url) as keeper,
        closing(Postgresql(keeper.scratch(), 5, is_shared=False)) as lent,
    ):
        yield lent
    assert left_on(server) == []


@pytest.mark.parametrize(
    "text",
    [
        "DO $$ BEGIN EXECUTE 'COPY (SELECT 1) TO PROGRAM ''touch {trace}'''; END $$",
        "COPY (SELECT 1) TO U&'{trace}'",
        "COPY (SELECT 1) TO $${trace}$$",
        LOADED,
        f"SELECT pg_read_file('{FILE}')",
        "SELECT pg_ls_dir('.')",
        f"SELECT lo_import('{FILE}')",
        "SELECT lo_export(lo_create(0), '{trace}')",
        "SELECT pg_reload_conf()",
        "SET ROLE postgres",
        "SET SESSION AUTHORIZATION postgres",
        "DO $$ BEGIN EXECUTE 'GRANT pg_execute_server_program TO CURRENT_USER'; END $$",
        "DO $$ BEGIN EXECUTE 'ALTER ROLE CURRENT_USER SUPERUSER'; END $$",
        "DO $$ BEGIN EXECUTE 'ALTER DATABASE postgres RENAME TO mine'; END $$",
        "CREATE FUNCTION f() RETURNS int LANGUAGE c AS 'libc.so.6', 'getpid'",
        "CREATE EXTENSION file_fdw",
        "CREATE EXTENSION dblink",
    ],
)
def test_the_server_refuses_what_reaches_beyond(
    text: str, database: Postgresql, tmp_path: Path
) -> None:
    tmp_path.chmod(0o777)
    trace = tmp_path / "trace"
    refusal = database.run(text.format(trace=trace))
    assert refusal is not None, text
    assert not trace.exists()


def test_a_refusal_says_why(database: Postgresql) -> None:
    refusal = database.run(f"SELECT pg_read_file('{FILE}')")
    assert refusal is not None
    assert "no superuser" in refusal.message


def test_a_migration_owns_its_database(database: Postgresql) -> None:
    for text in (
        "CREATE TABLE public.a (id int)",
        "CREATE SCHEMA s",
        "CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS $$ BEGIN RETURN 1; END $$",
        "DROP SCHEMA public CASCADE",
        "CREATE SCHEMA public",
    ):
        assert database.run(text) is None, text


@pytest.mark.parametrize("powers", ["CREATEDB", "CREATEDB CREATEROLE"])
def test_a_user_without_superuser_will_do(powers: str, server: str) -> None:
    with postgres(user_of(server, powers)) as keeper:
        for _ in range(2):
            with closing(Postgresql(keeper.scratch(), 5, is_shared=True)) as database:
                assert database.run("CREATE TABLE a (id int)") is None
                assert database.run(f"SELECT pg_read_file('{FILE}')") is not None
                with database.trial(apart=True) as copy:
                    assert copy.run("INSERT INTO a VALUES (1)") is None
    assert left_on(server) == []


def test_a_user_with_powers_that_it_cannot_give_up_is_refused(server: str) -> None:
    url = user_of(server, "CREATEDB IN ROLE pg_read_server_files")
    with postgres(url) as keeper, pytest.raises(EngineError, match="without such powers"):
        keeper.scratch()
    assert left_on(server) == []


def user_of(server: str, powers: str) -> str:
    """Return the URL of a new user with some powers."""
    name = f"user_{secrets.token_hex(6)}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {name} LOGIN PASSWORD 'x' {powers}".encode())
    return psycopg.conninfo.make_conninfo(server, user=name, password="x")


def test_a_database_goes_whose_worker_may_not_be_ended_by_force() -> None:
    """The server's worker that vacuums comes when it likes; so its refusal is played."""
    run: list[str] = []

    class Refusing:
        def execute(self, statement: Composed) -> None:
            run.append(statement.as_string())
            if "FORCE" in run[-1]:
                raise psycopg.errors.InsufficientPrivilege

    drop_database(cast("psycopg.Connection[Any]", Refusing()), "d")
    assert run == [
        'DROP DATABASE IF EXISTS "d" WITH (FORCE)',
        'DROP DATABASE IF EXISTS "d"',
    ]
