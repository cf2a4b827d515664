"""Migration sets of every tool's layout: files, order, up and down parts."""

from __future__ import annotations

import pytest

from tests.migration_layouts import GOOSE, downs, layout, only, ups

# Files in one folder


def test_plain_numbers_with_downs() -> None:
    found = only(
        ["db/migrations/0002_b.sql", "db/migrations/0001_a.sql", "db/migrations/0001_a.down.sql"]
    )
    assert (found.root, found.tool, found.series, found.evidence) == (
        "db/migrations",
        "plain",
        "integers",
        "name",
    )
    assert ups(found) == ["0001_a.sql", "0002_b.sql"]
    assert downs(found) == [["0001_a.down.sql"], []]
    first = found.migrations[0]
    assert (first.id, first.written, first.number, first.name) == ("0001_a", "0001", 1, "a")


def test_numbers_compare_as_numbers() -> None:
    found = only([f"migrations/{one}_x.up.sql" for one in (10, 9, 1, 100)])
    assert (found.tool, [one.number for one in found.migrations]) == (
        "golang-migrate",
        [1, 9, 10, 100],
    )
    assert found.version_table == "schema_migrations"


def test_widths_can_be_mixed() -> None:
    found = only(
        [
            "migrations/20210710035447_b.up.sql",
            "migrations/00_a.up.sql",
            "migrations/20220101000000_c.up.sql",
        ]
    )
    assert found.series == "timestamps"
    assert [one.stamped for one in found.migrations] == [False, True, True]


def test_duplicates_are_kept_and_said() -> None:
    found = only(["migrations/001_a.sql", "migrations/1_b.sql", "migrations/2_c.sql"])
    assert ups(found) == ["001_a.sql", "1_b.sql", "2_c.sql"]
    assert [[one.id for one in group] for group in found.duplicates()] == [["001_a", "1_b"]]


def test_a_down_of_another_name_belongs_to_the_number_if_that_is_unique() -> None:
    found = only(["migrations/1_a.up.sql", "migrations/1_b.down.sql", "migrations/2_x.down.sql"])
    assert downs(found) == [["1_b.down.sql"]]
    assert [one.path for one in found.orphans] == ["migrations/2_x.down.sql"]
    found = only(["migrations/1_a.up.sql", "migrations/1_c.up.sql", "migrations/1_b.down.sql"])
    assert downs(found) == [[], []]
    assert len(found.orphans) == 1


def test_directions_after_an_underscore() -> None:
    found = only(["migrations/1_a_up.sql", "migrations/1_a_down.sql", "migrations/2_take_down.sql"])
    assert ups(found) == ["1_a_up.sql", "2_take_down.sql"]
    assert downs(found) == [["1_a_down.sql"], []]


def test_goose_sections() -> None:
    found = only(
        {"m/20240101000000_a.sql": GOOSE, "m/20240102000000_b.sql": GOOSE, "m/00003_c.go": ""}
    )
    assert (found.tool, found.series, found.evidence) == ("goose", "timestamps", "marker")
    part = found.migrations[1]
    assert [one.lines for one in (*part.up, *part.down)] == [(2, 2), (4, 4)]
    assert part.up[0].takes(2, "up")
    assert not part.up[0].takes(4, "down")
    assert found.migrations[0].up[0].language == "other"
    assert found.version_table == "goose_db_version"


@pytest.mark.parametrize(
    ("tool", "text", "expected"),
    [
        ("dbmate", "-- migrate:up\na;\n-- migrate:down\nb;\n", ((2, 2), (4, 4))),
        ("sql-migrate", "-- +migrate Up\na;\n\n-- +migrate Down\n", ((2, 3), (5, 4))),
        ("tern", "a;\n---- create above / drop below ----\nb;\n", ((1, 1), (3, 3))),
        ("goose", "-- +goose Up\na;\n", ((2, 2), None)),
    ],
)
def test_sections(tool: str, text: str, expected: tuple[object, object]) -> None:
    found = only({"db/1_a.sql": text, "db/2_b.sql": text})
    one = found.migrations[0]
    assert found.tool == tool
    assert (one.up[0].lines, one.down[0].lines if one.down else None) == expected


def test_transactions_that_are_refused() -> None:
    found = only(
        {"migrations/1_a.sql": "-- +goose NO TRANSACTION\n" + GOOSE, "migrations/2_b.sql": GOOSE}
    )
    assert [one.transactional for one in found.migrations] == [False, True]


def test_flyway() -> None:
    found = only(
        [
            f"sql/{one}.sql"
            for one in ("V1_10__c", "V1.9__b", "R__view", "U1.9__b", "B1.9__base", "V1__a")
        ]
    )
    assert (found.tool, found.series) == ("flyway", "versions")
    assert ups(found) == [
        "V1__a.sql",
        "B1.9__base.sql",
        "V1.9__b.sql",
        "V1_10__c.sql",
        "R__view.sql",
    ]
    assert downs(found) == [[], [], ["U1.9__b.sql"], [], []]
    assert [one.role for one in found.migrations][1:2] == ["baseline"]
    assert found.migrations[-1].role == "repeatable"
    assert found.duplicates() == ()


def test_an_unversioned_migration_of_refinery_is_no_undo() -> None:
    files = {
        "Cargo.toml": '[dependencies]\nrefinery = "0.8"\n',
        "migrations/V1__a.sql": "",
        "migrations/U2__b.sql": "",
    }
    found = only(files)
    assert (found.tool, ups(found)) == ("refinery", ["V1__a.sql", "U2__b.sql"])
    del files["Cargo.toml"]
    found = only(files)
    assert found.tool == "flyway"
    assert [one.path for one in found.orphans] == ["migrations/U2__b.sql"]


def test_sqlx() -> None:
    cargo = '[dependencies]\nsqlx = { version = "0.8", features = ["postgres"] }\n'
    found = only(
        {
            "a/Cargo.toml": cargo,
            "a/migrations/1_a.sql": "-- no-transaction\n",
            "a/migrations/2_b.up.sql": "",
            "a/migrations/2_b.down.sql": "",
        }
    )
    assert (found.tool, found.version_table, found.backends) == (
        "sqlx",
        "_sqlx_migrations",
        ("postgresql",),
    )
    assert [one.transactional for one in found.migrations] == [False, True]


def test_yoyo() -> None:
    found = only(
        {
            "migrations/b.sql": "-- depends: z\n",
            "migrations/z.sql": "",
            "migrations/z.rollback.sql": "",
            "migrations/a.py": "from yoyo import step\nsteps = [step('x')]\n",
            "migrations/post-apply.sql": "",
        }
    )
    assert (found.tool, found.series) == ("yoyo", "graph")
    assert ups(found) == ["a.py", "z.sql", "b.sql", "post-apply.sql"]
    assert downs(found)[1] == ["z.rollback.sql"]
    assert found.migrations[-1].role == "hook"


def test_settings_beside_the_folder_tell_of_yoyo() -> None:
    found = only(["yoyo.ini", "migrations/b.sql", "migrations/a.sql"])
    assert (found.tool, found.series, found.evidence) == ("yoyo", "named", "sibling")
    assert ups(found) == ["a.sql", "b.sql"]


def test_liquibase() -> None:
    text = (
        "--liquibase formatted sql\n--changeset ann:b dbms:postgresql,h2\nx;\n--rollback y;\n"
        "--changeset ann:a runInTransaction:false\nz;\n"
    )
    found = only(
        {
            "changelog/2.sql": text,
            "changelog/notes.sql": "",
            "changelog/1.sql": text.replace("ann", "bob"),
        }
    )
    assert [one.id for one in found.migrations] == ["bob:b", "bob:a", "ann:b", "ann:a"]
    first, second = found.migrations[:2]
    assert (first.backends, second.backends) == (("h2", "postgresql"), None)
    assert (first.up[0].lines, first.down[0].lines) == ((3, 4), (4, 4))
    assert first.up[0].takes(3)
    assert not first.up[0].takes(4, "down")
    assert not second.transactional
    assert found.strays == ("changelog/notes.sql",)


def test_drizzle_goes_by_its_journal() -> None:
    journal = '{"dialect": "sqlite", "entries": [{"idx": 1, "tag": "0000_z"}, {"idx": 0, "tag": "0001_a"}, {"idx": 2, "tag": "0002_gone"}]}'
    found = only(
        {
            "drizzle/meta/_journal.json": journal,
            "drizzle/0000_z.sql": "",
            "drizzle/0001_a.sql": "",
            "drizzle/0003_x.sql": "",
        }
    )
    assert (found.tool, found.evidence, found.backends) == ("drizzle", "sibling", ("sqlite",))
    assert ups(found) == ["0001_a.sql", "0000_z.sql"]
    assert found.missing == ("0002_gone",)
    assert found.strays == ("drizzle/0003_x.sql",)


def test_atlas() -> None:
    found = only({"m/20240101000000_a.sql": "-- atlas:txmode none\n", "m/atlas.sum": "h1:x"})
    assert (found.tool, found.migrations[0].transactional) == ("atlas", False)


def test_sqlalchemy_migrate() -> None:
    found = only(
        {
            "repo/migrate.cfg": "[db_settings]\nversion_table=mine\n",
            "repo/versions/001_a.py": "def upgrade(migrate_engine): x()\ndef downgrade(migrate_engine): pass\n",
            "repo/versions/002_sqlite_upgrade.sql": "",
            "repo/versions/002_sqlite_downgrade.sql": "",
            "repo/versions/002_postgresql_upgrade.sql": "",
            "repo/versions/003_default_upgrade.sql": "",
        }
    )
    assert found.tool == "sqlalchemy-migrate"
    assert [(one.number, one.backends) for one in found.migrations] == [
        (1, None),
        (2, ("postgresql",)),
        (2, ("sqlite",)),
        (3, None),
    ]
    assert [one.number for one in found.for_backend("sqlite")] == [1, 2, 3]
    assert found.duplicates() == ()
    assert found.engines() == {"sqlite", "postgresql"}


# Folders


def test_diesel() -> None:
    found = only(
        {
            "migrations/2024-01-02-000000_b/up.sql": "",
            "migrations/2024-01-02-000000_b/metadata.toml": "run_in_transaction = false",
            "migrations/00000000000000_a/up.sql": "",
            "migrations/00000000000000_a/down.sql": "",
            "migrations/2025-01-01-000000_c/down.sql": "",
        }
    )
    assert (found.tool, found.series) == ("diesel", "timestamps")
    assert [one.written for one in found.migrations] == ["00000000000000", "2024-01-02-000000"]
    assert [bool(one.down) for one in found.migrations] == [True, False]
    assert [one.transactional for one in found.migrations] == [True, False]
    assert len(found.orphans) == 1


def test_prisma() -> None:
    found = only(
        {
            "prisma/migrations/20240102000000_b/migration.sql": "",
            "prisma/migrations/01_init/migration.sql": "",
            "prisma/migrations/migration_lock.toml": 'provider = "postgresql"',
        }
    )
    assert (found.tool, found.backends, found.evidence) == ("prisma", ("postgresql",), "sibling")
    assert [one.id for one in found.migrations] == ["01_init", "20240102000000_b"]


def test_sqitch() -> None:
    found = only(
        {
            "db/sqitch.plan": "%project=x\nb 2013 A <a@b>\na/c [b] 2013 A <a@b>\ngone 2013 A <a@b>\n",
            "db/sqitch.conf": "[core]\n\tengine = sqlite\n",
            "db/deploy/a/c.sql": "",
            "db/deploy/b.sql": "",
            "db/deploy/other.sql": "",
            "db/revert/b.sql": "",
            "db/revert/old.sql": "",
            "db/verify/b.sql": "",
        }
    )
    assert (found.tool, found.backends) == ("sqitch", ("sqlite",))
    assert [(one.id, len(one.down)) for one in found.migrations] == [("b", 1), ("a/c", 0)]
    assert found.missing == ("gone",)
    assert found.strays == ("db/deploy/other.sql", "db/verify/b.sql")
    assert [one.path for one in found.orphans] == ["db/revert/old.sql"]


def test_sqitch_says_its_engine_in_the_scripts() -> None:
    found = only({"sqitch.plan": "b 2013\n", "deploy/b.sql": "-- Deploy x:b to pg\n"})
    assert found.backends == ("postgresql",)


def test_a_folder_for_each_version() -> None:
    found = only(
        [
            "schema/versioned/v1.10/b.sql",
            "schema/versioned/v1.9/z.sql",
            "schema/versioned/v1.9/a.sql",
        ]
    )
    assert (found.root, found.series) == ("schema/versioned", "versions")
    assert [one.id for one in found.migrations] == ["v1.9/a", "v1.9/z", "v1.10/b"]
    assert found.duplicates() == ()


# Python


def test_alembic() -> None:
    def text(own: str, parent: str) -> str:
        return (
            f"revision = '{own}'\ndown_revision = {parent}\n"
            "def upgrade():\n    op.execute('SELECT 1')\ndef downgrade():\n    pass\n"
        )

    found = only(
        {
            "alembic.ini": "[alembic]\nscript_location = app/alembic\n",
            "app/alembic/env.py": "from alembic import context\nx(version_table='mine')\n",
            "app/alembic/script.py.mako": "",
            "app/alembic/versions/a_last.py": text("a", "('m', 'n')"),
            "app/alembic/versions/m_x.py": text("m", "'z'"),
            "app/alembic/versions/n_x.py": text("n", "'z'"),
            "app/alembic/versions/z_first.py": text("z", "None"),
            "app/alembic/versions/seed.sql": "",
        }
    )
    assert (found.root, found.tool, found.series) == ("app/alembic", "alembic", "graph")
    assert [one.id for one in found.migrations] == ["z", "m", "n", "a"]
    assert found.migrations[0].name == "first"
    assert found.version_table == "mine"
    assert found.strays == ("app/alembic/versions/seed.sql",)
    assert found.migrations[0].down[0].state == "empty"


def test_django() -> None:
    def text(*parents: str) -> str:
        pairs = "".join(f"('shop', '{one}'), " for one in parents)
        return f"class Migration(migrations.Migration):\n    dependencies = [('auth', '0001_initial'), {pairs}]\n"

    found = only(
        {
            "shop/migrations/__init__.py": "",
            "shop/migrations/0001_initial.py": text(),
            "shop/migrations/0002_a.py": text("0002_b"),
            "shop/migrations/0002_b.py": text("0001_initial"),
        }
    )
    assert (found.tool, found.series) == ("django", "graph")
    assert [one.id for one in found.migrations] == ["0001_initial", "0002_b", "0002_a"]
    assert found.duplicates() == ()  # The graph decides.


def test_an_app_with_a_label_of_its_own() -> None:
    def text(*parents: tuple[str, str]) -> str:
        return f"class Migration(migrations.Migration):\n    dependencies = {list(parents)}\n"

    files = {
        "a/shop/migrations/0001_z.py": text(("auth", "0001_initial"), ("store", "0002_a")),
        "a/shop/migrations/0002_a.py": text(),
    }
    assert [one.id for one in only(files).migrations] == ["0002_a", "0001_z"]


def test_another_app_of_a_label_of_its_own_is_not_taken_for_the_app() -> None:
    def text(*parents: tuple[str, str], replaces: tuple[str, str] | None = None) -> str:
        squashed = f"    replaces = [{replaces}]\n" if replaces else ""
        return f"class Migration(migrations.Migration):\n    dependencies = {list(parents)}\n{squashed}"

    files = {
        "core/migrations/0001_initial.py": text(),
        "core/migrations/0002_a.py": text(("shop", "0001_initial")),
        "admin/migrations/0001_initial.py": text(("shop", "0001_initial")),
        "prices/migrations/0001_initial.py": text(("shop", "0001_initial")),
        "prices/migrations/0002_b.py": text(("shop", "0001_initial"), ("shop", "0007_gone")),
        "prices/migrations/0003_c.py": text(
            ("x_prices", "0002_b"), replaces=("x_prices", "0002_z")
        ),
    }
    labels = {own.root: own.label for own in layout(files).sets}
    assert labels == {
        "core/migrations": "shop",
        "admin/migrations": "admin",
        "prices/migrations": "x_prices",
    }


def test_any_env_py_is_no_environment() -> None:
    found = layout(
        {
            "env.py": "x = 1\n",
            "a/versions/1.py": "revision = 'a'\ndown_revision = None\ndef upgrade(): pass\n",
            "b/versions/1.py": "revision = 'a'\ndown_revision = None\ndef upgrade(): pass\n",
        }
    )
    assert [one.root for one in found.sets] == ["a/versions", "b/versions"]


def test_a_circle_is_read_to_its_end() -> None:
    def text(own: str, parent: str) -> str:
        return f"revision = '{own}'\ndown_revision = '{parent}'\ndef upgrade(): pass\n"

    found = only(
        {f"versions/{own}.py": text(own, parent) for own, parent in ("ab", "bc", "ca", "da")}
    )
    assert [one.id for one in found.migrations] == ["a", "c", "b", "d"]
