"""Which SQL files are migrations, and which backends run them."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from dal_audit.assemble.sql_files import SqlFiles
from dal_audit.migrations.detect import find_sets
from dal_audit.migrations.model import Sources
from dal_audit.policy import Migrations, Policy, default_policy


def files_of(*paths: str, migrations: tuple[Migrations, ...] | None = None) -> SqlFiles:
    """Return what is known of these paths, by their names alone."""
    policy: Policy = replace(default_policy(Path("/project")), migrations=migrations)
    return SqlFiles(policy, find_sets(Sources(paths), migrations or ()))


@pytest.mark.parametrize(
    "path",
    [
        "migrations/0001_a.sql",
        "db/migrations/20240101120000_a.sql",
        "app/migrations/0001_a.up.sql",
        "migrations/anything.sql",
        "flyway/V1__a.sql",
        "migrations/2024-01-01-000000_a/up.sql",
    ],
)
def test_migrations_are_found(path: str) -> None:
    assert files_of(path).is_migration(path)


@pytest.mark.parametrize("path", ["queries/report.sql", "schema.sql", "tests/data/dump.sql"])
def test_other_scripts_are_none(path: str) -> None:
    assert not files_of(path, "migrations/0001_a.sql").is_migration(path)


def test_what_is_configured_is_all_there_is() -> None:
    files = files_of("sql/a.sql", "migrations/0001_a.sql", migrations=(Migrations("sql"),))
    assert files.is_migration("sql/a.sql")
    assert not files.is_migration("migrations/0001_a.sql")


@pytest.mark.parametrize(
    ("path", "backends"),
    [
        ("migrations/0001_a.sql", ("sqlite", "postgresql")),
        ("migrations/postgres/0001_a.sql", ("postgresql",)),
        ("migrations/sqlite3/0001_a.sql", ("sqlite",)),
        ("migrations/mysql/0001_a.sql", ()),
        ("scripts/full.sql.postgres", ("postgresql",)),
        ("scripts/schema.sqlite.sql", ("sqlite",)),
        ("scripts/fill.sql", ("sqlite", "postgresql")),
    ],
)
def test_a_path_says_which_backends_run_it(path: str, backends: tuple[str, ...]) -> None:
    assert files_of(path).backends_of(path) == backends


def test_the_configuration_counts_before_the_path() -> None:
    configured = (
        Migrations("migrations/postgres", backends=("sqlite",)),
        Migrations("migrations/sqlite"),
    )
    files = files_of(
        "migrations/postgres/0001_a.sql", "migrations/sqlite/0001_a.sql", migrations=configured
    )
    assert files.backends_of("migrations/postgres/0001_a.sql") == ("sqlite",)
    assert files.backends_of("migrations/sqlite/0001_a.sql") == ("sqlite",)


def test_what_is_assumed_is_said() -> None:
    files = files_of(
        "migrations/postgres/0001_a.sql",
        "migrations/postgres/0002_b.sql",
        "migrations/mysql/0001_a.sql",
        "migrations/mysql/0002_b.sql",
    )
    assert list(files.assumptions()) == [
        "SQL migrations: migrations/postgres",
        "SQL of other engines: migrations/mysql",
    ]


def test_the_files_of_a_set_have_its_root_in_common() -> None:
    files = files_of("migrations/0001_a.sql", "migrations/0002_b.sql", "scripts/fill.sql")
    assert files.set_of("migrations/0001_a.sql") == files.set_of("migrations/0002_b.sql")
    assert files.set_of("scripts/fill.sql") == "scripts"
