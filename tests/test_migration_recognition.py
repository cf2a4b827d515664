"""Which backends migration sets are meant for, what is configured, and whatever a listing holds."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dal_audit.migrations.detect import backend_of_script
from dal_audit.migrations.names import is_script, is_stamp, parse_name
from dal_audit.policy.model import Migrations
from tests.migration_layouts import GOOSE, TABLE, layout, only, ups

# Backends


@pytest.mark.parametrize(
    ("path", "backend"),
    [
        ("migrations/postgres/1_a.sql", "postgresql"),
        ("migrations/sqlite3/1_a.sql", "sqlite"),
        ("migrations_sqlite/1_a.sql", "sqlite"),
        ("riverpgxv5/migration/1_a.sql", "postgresql"),
        ("sqlite/migrations/mysql/1_a.sql", "mysql"),
        ("migrations/1_a.sql", ""),
        ("sqlite_to_postgres/migrations/1_a.sql", ""),
        ("upgrade/migrations/1_a.sql", ""),
    ],
)
def test_the_backend_of_a_folder(path: str, backend: str) -> None:
    assert only([path]).backends == ((backend,) if backend else None)


def test_sets_side_by_side_are_paired() -> None:
    found = layout(
        ["db/sqlite/migrations/1_a.sql", "db/postgres/migrations/1_a.sql", "x/migrations/1_a.sql"]
    )
    assert [(one.root, one.paired) for one in found.sets] == [
        ("db/postgres/migrations", ("db/sqlite/migrations",)),
        ("db/sqlite/migrations", ("db/postgres/migrations",)),
        ("x/migrations", ()),
    ]


def test_sets_for_one_backend_are_no_pair() -> None:
    found = layout(["db/pg/migrations/1_a.sql", "db/postgres/migrations/1_a.sql"])
    assert [one.paired for one in found.sets] == [(), ()]


def test_single_files_for_one_backend() -> None:
    found = only(
        [
            "delta/1_a.sql",
            "delta/2_b.sql.postgres",
            "delta/2_b.sql.sqlite",
            "delta/3_c.postgres.up.sql",
            "delta/4_d_sqlite.sql",
            "delta/4_d_pg.sql",
            "delta/5_drop_sqlite.sql",
        ]
    )
    assert [one.path.rpartition("/")[2] for one in found.for_backend("postgresql")] == [
        "1_a.sql",
        "2_b.sql.postgres",
        "3_c.postgres.up.sql",
        "4_d_pg.sql",
        "5_drop_sqlite.sql",
    ]
    assert found.backends is None
    assert found.duplicates() == ()


def test_the_backend_of_a_file_in_no_set() -> None:
    assert backend_of_script("a/full.sql.postgres") == "postgresql"
    assert backend_of_script("a/schema.postgresql.sql") == "postgresql"
    assert backend_of_script("SQL/sqlite.initial.sql") == "sqlite"
    assert backend_of_script("schema/mysql/v8/schema.sql") == "mysql"
    assert backend_of_script("schema.sql") == ""


# What is configured, and what is not understood


def test_the_configuration_comes_first() -> None:
    files = {"db/1_a.sql": GOOSE, "db/2_b.sql": GOOSE}
    found = only(files, Migrations("db", "plain", ("sqlite",)), table="t")
    assert (found.tool, found.evidence, found.backends, found.version_table) == (
        "plain",
        "configured",
        ("sqlite",),
        "t",
    )
    assert found.migrations[0].up[0].lines is None


def test_a_configured_folder_is_a_set_whatever_its_names() -> None:
    found = only(["kamctl/b-create.sql", "kamctl/a-create.sql"], Migrations("./kamctl/"))
    assert (found.tool, found.series, ups(found)) == (
        "plain",
        "named",
        ["a-create.sql", "b-create.sql"],
    )
    found = only(["SQL/postgres.initial.sql", "SQL/sqlite.initial.sql"], Migrations("SQL"))
    assert [len(found.for_backend(one)) for one in ("sqlite", "postgresql", "mysql")] == [1, 1, 0]


def test_sets_below_a_configured_folder() -> None:
    found = layout(["m/sqlite/1_a.sql", "m/postgres/1_a.sql", "other/x.sql"], Migrations("m"))
    assert [(one.root, one.backends) for one in found.sets] == [
        ("m/postgres", ("postgresql",)),
        ("m/sqlite", ("sqlite",)),
    ]
    assert found.unrecognised == ()


def test_the_innermost_configured_folder_counts() -> None:
    files = {"db/m/1_a.sql": GOOSE, "1_b.sql": ""}
    found = layout(files, Migrations(".", "plain"), Migrations("db", "dbmate"))
    assert [(one.root, one.tool) for one in found.sets] == [("", "plain"), ("db/m", "dbmate")]


def test_a_folder_that_no_pattern_fits_is_said() -> None:
    found = layout(["db/migrations/users.sql", "db/migrations/roles.sql", "db/queries/x.sql"])
    assert found.sets == ()
    assert [(one.folder, one.paths) for one in found.unrecognised] == [
        ("db/migrations", ("db/migrations/roles.sql", "db/migrations/users.sql"))
    ]
    found = layout(["db/1_a.sql", "db/seed/x.sql"], Migrations("db"))
    assert [one.paths for one in found.unrecognised] == [("db/seed/x.sql",)]


def test_files_that_are_no_migrations() -> None:
    query = "SELECT 1;\n"
    assert (
        layout({"queries/01_a.sql": query, "queries/02_b.sql": query, "dump.sql": TABLE}).sets == ()
    )
    found = only({"initdb/01_a.sql": TABLE, "initdb/02_b.sql": TABLE})
    assert (found.tool, found.evidence) == ("plain", "number")
    found = only(["migrations/1_a.sql", "migrations/2_b.sql", "migrations/schema.sql"])
    assert found.strays == ("migrations/schema.sql",)


def test_programs_beside_sql_files() -> None:
    found = only(
        [
            "migrations/1_a.up.sql",
            "migrations/1_pre.go",
            "migrations/2_b.go",
            "migrations/2_b_test.go",
        ]
    )
    assert ups(found) == ["1_a.up.sql", "2_b.go"]


# Names


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.sql", True),
        ("A.SQL", True),
        ("a.sql.postgres", True),
        ("a.sql.gz", False),
        ("a.up.psql", True),
        ("a.psql", False),
        ("a.down.ddl", True),
        ("a.py", False),
        ("sql", False),
    ],
)
def test_names_of_sql_files(name: str, *, expected: bool) -> None:
    assert is_script(name) is expected


@pytest.mark.parametrize(
    ("name", "written", "version", "stamped"),
    [
        ("0001_a.sql", "0001", (1,), False),
        ("01event.sql", "01", (1,), False),
        ("0188.up.sql", "0188", (188,), False),
        ("V0001.Initial.up.sql", "0001", (1,), False),
        ("1.10_a.sql", "1.10", (1, 10), False),
        ("20240115180414_a.sql", "20240115180414", (20240115180414,), True),
        ("1700000000_a.sql", "1700000000", (1700000000,), True),
        ("2026_05_18_a.sql", "2026_05_18", (20260518000000,), True),
        ("2014_10_12_000000_a.sql", "2014_10_12_000000", (20141012000000,), True),
        ("2026-06-15-094002-0001_a.sql", "2026-06-15-094002-0001", (20260615094002, 1), True),
        ("2026_a.sql", "2026", (2026,), False),
        ("a.sql", "", (), False),
    ],
)
def test_numbers_in_names(
    name: str, written: str, version: tuple[int, ...], *, stamped: bool
) -> None:
    found = parse_name(name)
    assert found is not None
    assert (found.written, found.version, found.stamped) == (written, version, stamped)


def test_what_is_a_point_in_time() -> None:
    assert is_stamp("00000000000000")
    assert not is_stamp("000001")
    assert not is_stamp("99999999")


# Whatever a listing holds

WORDS = st.sampled_from(
    [
        *(
            "migrations",
            "versions",
            "sqlite",
            "postgres",
            "delta",
            "v1.2",
            "73",
            "deploy",
            "revert",
        ),
        *("1_a", "01_a_x", "meta", "db", "2024-01-01-000000_x", "20240101000000_y"),
    ]
)
NAMES = st.sampled_from(
    [
        *("1_a.sql", "1_a.up.sql", "1_a.down.sql", "2_b.sql.postgres", "2_b.sql.sqlite", "x.sql"),
        *("V1__a.sql", "U1__a.sql", "R__a.sql", "up.sql", "down.sql", "migration.sql", "1_a.go"),
        *("a.rollback.sql", "001_sqlite_upgrade.sql", "001_x.py", "env.py", "sqitch.plan"),
        *("atlas.sum", "_journal.json", "migration_lock.toml", "Cargo.toml", "go.mod", "x.py"),
        *("1_a_up.sql", "1_a_down.sql", "3_c_pg.sql", "3_c_sqlite.sql", "a/..sql", ".sql"),
    ]
)
TEXTS = st.sampled_from(
    [
        *(
            "",
            GOOSE,
            "-- migrate:up\n",
            "--liquibase formatted sql\n--changeset a:1\nx;\n--changeset\n",
        ),
        *("-- depends: x 1_a\n", "a 2013\n@t\na 2014\n", '{"entries": [{"idx": 0, "tag": "1_a"}]}'),
        *(
            "revision = 'a'\ndown_revision = 'b'\ndef upgrade(): pass\n",
            "[dependencies]\nsqlx = '1'\nrefinery='1'\n",
        ),
        *("class Migration(m.Migration):\n    dependencies = [('db', '001_x')]\n", TABLE),
        *("from yoyo import step\nstep('x')\n", "\ud7ff\u2028-- +goose Down\n"),
    ]
)
ODD = st.text("a1_.-V", min_size=1, max_size=9).map(lambda one: one + ".sql")
PATHS = st.builds(
    lambda folders, name: "/".join([*folders, name]), st.lists(WORDS, max_size=4), NAMES | ODD
)
CONFIGURED = st.lists(
    st.builds(
        Migrations,
        st.sampled_from([".", "db", "migrations", "./migrations/sqlite/", "no"]),
        st.sampled_from(
            ["auto", "plain", "goose", "liquibase", "diesel", "flyway", "sqitch", "yoyo", "django"]
        ),
    ),
    max_size=2,
)


@settings(max_examples=200)
@given(st.dictionaries(PATHS, TEXTS, max_size=14), CONFIGURED, st.randoms(use_true_random=False))
def test_any_listing(
    files: dict[str, str], configured: list[Migrations], dice: random.Random
) -> None:
    found = layout(files, *configured)
    taken: dict[str, int] = {}
    for one in found.sets:
        assert one.root == "" or any(path.startswith(one.root + "/") for path in one.paths())
        for path in one.paths():
            taken[path] = taken.get(path, 0) + 1
        for backend in ("sqlite", "postgresql"):
            assert set(one.for_backend(backend)) <= set(one.migrations)
        assert {item for group in one.duplicates() for item in group} <= set(one.migrations)
    for folder in found.unrecognised:
        for path in folder.paths:
            taken[path] = taken.get(path, 0) + 1
    assert set(taken) <= set(files)
    assert set(taken.values()) <= {1}
    shuffled = list(files.items())
    dice.shuffle(shuffled)
    assert layout(dict(shuffled), *configured) == found
