"""Scratch databases on a server, each with a role of its own that may do nothing outside it.

A migration is anybody's text, and no pattern tells all the ways in which a statement can reach a
server's files, programs and other databases. So the server itself refuses them: migrations run as a
role that is no superuser, is in no other role, and owns nothing but the scratch database (and the
copies of it that it makes).
"""

from __future__ import annotations

import contextlib
import secrets
from typing import Any, Final

import psycopg
from psycopg import sql

from dal_audit.replay.database import EngineError
from dal_audit.replay.postgresql import connected, drop_database

PREFIX: Final = "dal_audit_replay_"

_NOBODY: Final = "NOSUPERUSER NOREPLICATION NOBYPASSRLS NOINHERIT CREATEDB"
"""What a scratch role is. A copy of a database is a database that its role makes."""

_OWNED_BY_ROLES: Final = 150000
"""The first version in which the owner of a database owns its schema `public`."""

_SAFE_ROLES: Final = 160000
"""The first version in which a role that may make roles cannot let itself into those of others."""

_REACHES_BEYOND: Final = """\
SELECT rolsuper OR EXISTS (
    SELECT FROM pg_catalog.pg_roles m
    WHERE (m.rolsuper OR m.rolname IN (
        'pg_execute_server_program', 'pg_read_server_files', 'pg_write_server_files'
    )) AND pg_catalog.pg_has_role(r.oid, m.oid, 'MEMBER')
) FROM pg_catalog.pg_roles r WHERE r.rolname = current_user"""


def create(connection: psycopg.Connection[Any], name: str, address: str, *, is_shared: bool) -> str:
    """Make an empty database for a role of its own; return what it is connected to with: a secret.

    `address` leads to the database as the one who makes it. Where that one may not make roles, and
    can reach nothing but databases, it is used itself. Raises EngineError where migrations would
    run with powers of the server's, psycopg.Error where the server refuses.
    """
    role = _role(connection, name, is_shared=is_shared)
    _database(connection, name, owner=name if role else "")
    if not role:
        return address
    if connection.info.server_version < _OWNED_BY_ROLES:
        _hand_over(address, name)
    own = psycopg.conninfo.make_conninfo(address, user=name, password=role)
    try:
        connected(own).close()
    except EngineError as error:
        if reaches_beyond(connection):
            raise EngineError(
                "migrations are run as a role without superuser, which the server does not let in"
                f" ({error}); give the URL of such a role that may make databases"
            ) from None
        drop(connection, name)
        _database(connection, name, owner="")
        return address
    return own


def reaches_beyond(connection: psycopg.Connection[Any]) -> bool:
    """Return whether who is connected can reach the server's files and programs."""
    row = connection.execute(_REACHES_BEYOND).fetchone()
    return row is None or bool(row[0])


def _role(connection: psycopg.Connection[Any], name: str, *, is_shared: bool) -> str:
    """Make a role; return its password, or nothing where none can be made nor is needed.

    On a server of our own, what all databases share is as much thrown away, so roles may be made.
    Raises EngineError where there must be one, psycopg.Error.
    """
    password = secrets.token_hex(16)
    may_make_roles = not is_shared and connection.info.server_version >= _SAFE_ROLES
    powers = f"{_NOBODY} {'CREATEROLE' if may_make_roles else 'NOCREATEROLE'}"
    made = sql.SQL("CREATE ROLE {} LOGIN PASSWORD {} " + powers)
    try:
        connection.execute(made.format(sql.Identifier(name), sql.Literal(password)))
    except psycopg.errors.InsufficientPrivilege:
        if reaches_beyond(connection):
            raise EngineError(
                "the user of the URL can reach the server's files and may make no role that cannot;"
                " give the URL of a user without such powers"
            ) from None
        return ""
    granted = sql.SQL("GRANT {} TO CURRENT_USER")  # Who gives a database away is in its role.
    connection.execute(granted.format(sql.Identifier(name)))
    return password


def _database(connection: psycopg.Connection[Any], name: str, *, owner: str) -> None:
    """Make a database that holds nothing but what the server itself brings."""
    made = sql.SQL("CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8'")
    owned = sql.SQL(" OWNER {}").format(sql.Identifier(owner)) if owner else sql.SQL("")
    connection.execute(made.format(sql.Identifier(name)) + owned)


def _hand_over(address: str, role: str) -> None:
    """Make a role the owner of the schema that each database has; others may not do that."""
    given = sql.SQL("ALTER SCHEMA public OWNER TO {}").format(sql.Identifier(role))
    with connected(address) as connection, contextlib.suppress(psycopg.Error):
        connection.execute(given)


def drop(connection: psycopg.Connection[Any], name: str) -> None:
    """Drop a database, all others of its role, and the role, whoever is still connected to them."""
    rows = connection.execute(
        "SELECT d.datname FROM pg_catalog.pg_database d WHERE d.datname IN (%s, %s) OR d.datdba ="
        " (SELECT r.oid FROM pg_catalog.pg_roles r WHERE r.rolname = %s)",
        (name, f"{name}_copy", name),
    ).fetchall()
    for (database,) in rows:
        drop_database(connection, database)
    found = connection.execute("SELECT FROM pg_catalog.pg_roles WHERE rolname = %s", (name,))
    if found.fetchone() is not None:
        # Roles that it made on a server of our own may hang on it: they go with the server.
        with contextlib.suppress(psycopg.Error):
            connection.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(name)))


def clear(connection: psycopg.Connection[Any]) -> None:
    """Drop the scratch databases and roles of keepers that are gone."""
    rows = connection.execute(
        "SELECT n.name FROM ("
        "SELECT d.datname AS name FROM pg_catalog.pg_database d"
        " JOIN pg_catalog.pg_roles r ON r.oid = d.datdba"
        " WHERE r.rolname = current_user OR starts_with(r.rolname, %(prefix)s)"
        " UNION SELECT r.rolname FROM pg_catalog.pg_roles r"
        ") n WHERE starts_with(n.name, %(prefix)s) AND NOT EXISTS ("
        "SELECT FROM pg_catalog.pg_stat_activity a"
        " WHERE a.application_name <> '' AND starts_with(n.name, a.application_name))"
        " ORDER BY n.name",
        {"prefix": PREFIX},
    ).fetchall()
    for (name,) in rows:
        with contextlib.suppress(psycopg.Error):  # Another keeper may be at it.
            drop(connection, name)
