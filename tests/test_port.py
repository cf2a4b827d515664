"""`dal-audit port`: what holds a project to its engine, both ways, and what nobody could read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from dal_audit.commands.parser import cli
from dal_audit.facts import START, Place, Span
from dal_audit.policy.request import Request
from dal_audit.port.formats import PORT_FORMATS, render_surveys
from dal_audit.port.model import Hold, Remark, Survey
from dal_audit.port.paragraphs import located
from dal_audit.port.survey import surveys
from tests.invocation import run
from tests.reports import TRICKS

ON_SQLITE = {
    "app/storage/__init__.py": "",
    "app/storage/store.py": (
        "import sqlite3\n"
        "\n"
        "\n"
        "class SqliteStore:\n"
        "    def __init__(self, path: str) -> None:\n"
        "        self.connection = sqlite3.connect(path)\n"
        "\n"
        "    def old(self, day: str, order: str):\n"
        '        sql = "SELECT name FROM parts WHERE made < ? ORDER BY "\n'
        "        self.connection.execute(\"DELETE FROM parts WHERE made < datetime('now')\")\n"
        "        return self.connection.execute(sql + order, (day,))\n"
        "\n"
        "    def script(self, script: str) -> None:\n"
        "        self.connection.executescript(script)\n"
    ),
    "app/report.py": (
        "import sqlite3\n"
        "\n"
        "\n"
        "def report(connection: sqlite3.Connection) -> None:\n"
        "    connection.execute(\"SELECT strftime('%Y', made) FROM parts\")\n"
    ),
    "migrations/0001_parts.up.sql": (
        "CREATE TABLE parts (\n"
        "    id INTEGER PRIMARY KEY AUTOINCREMENT,\n"
        "    name TEXT COLLATE NOCASE\n"
        ");\n"
    ),
    "migrations/0001_parts.down.sql": "DROP TABLE IF EXISTS parts;\n",
    ".github/workflows/tests.yml": (
        "on: pull_request\n"
        "jobs:\n"
        "  tests:\n"
        "    runs-on: ubuntu-latest\n"
        "    steps:\n"
        "      - run: python -m pytest\n"
    ),
    "tests/test_store.py": (
        "from app.storage.store import SqliteStore\n"
        "\n"
        "\n"
        "def test_store(tmp_path):\n"
        "    SqliteStore(tmp_path / 'a').old('x', 'name')\n"
    ),
}
ON_POSTGRESQL = {
    "app/storage/__init__.py": "",
    "app/storage/store.py": (
        "import psycopg\n"
        "from sqlalchemy.dialects.postgresql import JSONB\n"
        "\n"
        'DEFAULT = "postgresql://localhost/parts"\n'
        "\n"
        "\n"
        "def newest(connection: psycopg.Connection, name: str):\n"
        "    return connection.execute(\n"
        '        "SELECT DISTINCT ON (name) id::text FROM parts WHERE name ILIKE %s", (name,)\n'
        "    )\n"
    ),
    "migrations/postgres/0001_parts.up.sql": (
        "CREATE EXTENSION IF NOT EXISTS citext;\n"
        "CREATE TABLE IF NOT EXISTS parts (id SERIAL PRIMARY KEY, data JSONB);\n"
    ),
    "migrations/postgres/0001_parts.down.sql": "DROP TABLE IF EXISTS parts;\n",
}


def make(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def survey(folder: Path, files: dict[str, str], target: Any) -> Survey:
    (found,) = surveys(Request(folder=make(folder, files)), target)
    return found


def told(holds: tuple[Hold, ...]) -> list[tuple[str, str]]:
    return [(hold.kind, located(hold.place)) for hold in holds]


def test_from_sqlite_to_postgresql(tmp_path: Path) -> None:
    found = survey(tmp_path, ON_SQLITE, "postgresql")
    assert found.today == ("sqlite",)
    assert told(found.holds) == [
        ("drivers", "app/storage/store.py:1:8"),
        ("leaks", "app/report.py:1:8"),
        ("leaks", "tests/test_store.py:5:5"),
        ("placeholders", "app/storage/store.py:9:52"),
        ("functions", "app/report.py:5:32"),
        ("functions", "app/storage/store.py:10:65"),
        ("functions", "migrations/0001_parts.up.sql:3:15"),
        ("ddl", "migrations/0001_parts.up.sql:2:28"),
        ("divergence", "migrations/0001_parts.up.sql:2:8"),
        ("ci", ".github/workflows/tests.yml:3:3"),
    ]
    assert [(gap.text, [*map(located, gap.places)]) for gap in found.gaps] == [
        ("what these calls run is put together elsewhere", ["app/storage/store.py:14:39"])
    ]


def test_from_postgresql_to_sqlite(tmp_path: Path) -> None:
    found = survey(tmp_path, ON_POSTGRESQL, "sqlite")
    assert found.today == ("postgresql",)
    assert told(found.holds) == [
        ("drivers", "app/storage/store.py:1:8"),
        ("toolkits", "app/storage/store.py:2:44"),
        ("urls", "app/storage/store.py:4:11"),
        ("placeholders", "app/storage/store.py:9:73"),
        ("functions", "app/storage/store.py:9:38"),
        ("functions", "app/storage/store.py:9:67"),
        ("types", "migrations/postgres/0001_parts.up.sql:2:38"),
        ("types", "migrations/postgres/0001_parts.up.sql:2:63"),
        ("dml", "app/storage/store.py:9:17"),
        ("administration", "migrations/postgres/0001_parts.up.sql:1:1"),
        ("migrations", "migrations/postgres"),
    ]
    questions = [question.text.partition("?")[0] for question in found.questions]
    assert any("extensions" in question for question in questions)


def test_nothing_is_in_the_way_of_the_engine_of_today(tmp_path: Path) -> None:
    files = {
        path: text.replace("executescript(script)", 'execute("SELECT 1")').replace("order,", '"1",')
        for path, text in ON_SQLITE.items()
    }
    found = survey(tmp_path, files, "sqlite")
    assert found.holds == ()
    assert found.gaps == ()
    assert found.is_clear
    assert found.statements == 6


def test_what_is_accepted_is_in_the_way_all_the_same(tmp_path: Path) -> None:
    files = {
        "dal-audit.toml": 'ignore = ["DAL3"]\nbackends = ["sqlite"]\n',
        "app/storage/store.py": (
            "import sqlite3\n"
            "\n"
            "\n"
            "def old(connection: sqlite3.Connection):\n"
            "    # dal-audit: allow[DAL302]: there is one engine\n"
            "    connection.execute(\"SELECT datetime('now')\")\n"
        ),
    }
    found = survey(tmp_path, files, "postgresql")
    assert "functions" in {hold.kind for hold in found.holds}


def test_modules_side_by_side_are_for_their_own_engines(tmp_path: Path) -> None:
    files = {
        "app/storage/sqlite.py": (
            "import sqlite3\n\n\ndef old(connection: sqlite3.Connection):\n"
            "    connection.execute(\"SELECT datetime('now')\")\n"
        ),
        "app/storage/sqlite_schema.py": 'COLUMNS = "SELECT name FROM sqlite_master"\n',
        "app/storage/postgres.py": (
            "import psycopg\n\n\ndef old(connection: psycopg.Connection):\n"
            '    connection.execute("SELECT now()")\n'
        ),
    }
    found = survey(tmp_path, files, "postgresql")
    assert found.holds == ()
    (apart,) = (question for question in found.questions if "its like" in question.text)
    assert [place.path for place in apart.places] == [
        "app/storage/sqlite.py",
        "app/storage/sqlite_schema.py",
    ]


def test_sets_side_by_side_are_for_their_own_engines(tmp_path: Path) -> None:
    files = {
        f"migrations/{engine}/0001_a.{side}.sql": text
        for engine, key in (("sqlite", "INTEGER"), ("postgres", "SERIAL"))
        for side, text in (
            ("up", f"CREATE TABLE IF NOT EXISTS a (id {key} PRIMARY KEY);\n"),
            ("down", "DROP TABLE IF EXISTS a;\n"),
        )
    }
    found = survey(tmp_path, files, "sqlite")
    assert [hold for hold in found.holds if "postgres" in hold.place.path] == []
    (apart,) = (question for question in found.questions if "its like" in question.text)
    assert [place.path for place in apart.places] == ["migrations/postgres"]


def test_files_of_sql_that_are_not_judged_are_said(tmp_path: Path) -> None:
    read = 'import sqlite3\n\n\ndef make(read):\n    return read("schema_sqlite.sql")\n'
    files = {
        "app/storage/store.py": read,
        "app/storage/schema_sqlite.sql": "CREATE TABLE a (b TEXT COLLATE NOCASE);\n",
        "notes/queries.sql": "SELECT 1;\n",
    }
    found = survey(tmp_path, files, "postgresql")
    unread = [place.path for gap in found.gaps for place in gap.places]
    assert unread == ["notes/queries.sql"]
    assert ("functions", "app/storage/schema_sqlite.sql:1:24") in told(found.holds)


def test_a_file_named_for_another_engine_is_said_or_has_its_like(tmp_path: Path) -> None:
    files = {
        "app/storage/store.py": (
            "import sqlalchemy\n\n\ndef make(read, engine):\n"
            '    return read("full.sqlite.sql" if engine else "full.postgres.sql")\n'
        ),
        "app/storage/full.sqlite.sql": "CREATE TABLE a (b TEXT COLLATE NOCASE);\n",
    }
    found = survey(tmp_path, files, "postgresql")
    unread = [place.path for gap in found.gaps for place in gap.places]
    assert unread == ["app/storage/full.sqlite.sql"]
    beside = {"app/storage/full.postgres.sql": "CREATE TABLE a (b TEXT);\n"}
    found = survey(tmp_path, beside, "postgresql")
    assert not [place for gap in found.gaps for place in gap.places]
    (apart,) = (question for question in found.questions if "its like" in question.text)
    assert [place.path for place in apart.places] == ["app/storage/full.sqlite.sql"]


def test_parts_that_no_catalogue_knows_count_by_their_names(tmp_path: Path) -> None:
    files = {
        "postgres_tools.py": "",
        "app/models.py": (
            "from django.contrib.postgres.fields import ArrayField\n"
            "from django.db import models\n\nimport postgres_tools\n"
            "from testing.postgresql import Postgresql, skipIfNotInstalled\n"
        ),
    }
    found = survey(tmp_path, files, "sqlite")
    assert [(hold.kind, hold.message.partition(" ")[0]) for hold in found.holds] == [
        ("toolkits", "`testing.postgresql`"),
        ("toolkits", "`django.contrib.postgres.fields.ArrayField`"),
    ]
    assert found.today == ("postgresql",)
    assert any("made of models" in question.text for question in found.questions)


def test_rust_is_asked_as_well(tmp_path: Path) -> None:
    files = {
        "Cargo.toml": '[package]\nname = "app"\n\n[dependencies]\nsqlx = "0.8"\n',
        "src/main.rs": "mod storage;\n\nfn main() {}\n",
        "src/storage.rs": (
            "use sqlx::PgPool;\n\npub async fn old(pool: &PgPool) {\n"
            '    sqlx::query("SELECT id::text FROM parts").execute(pool).await.unwrap();\n}\n'
        ),
    }
    found = survey(tmp_path, files, "sqlite")
    assert found.today == ("postgresql",)
    assert [(hold.kind, hold.message.partition(" ")[0]) for hold in found.holds] == [
        ("toolkits", "`sqlx::PgPool`"),
        ("functions", "`::`:"),
    ]
    assert found.gaps[0].text == "SQL that is no literal is not read in these files of Rust"


def test_a_folder_without_a_database_is_not_clear(tmp_path: Path) -> None:
    found = survey(tmp_path, {"app/main.py": "print(1)\n"}, "postgresql")
    assert found.holds == ()
    assert not found.is_clear
    assert "nothing was judged" in found.gaps[0].text


def test_sql_that_is_imported_from_storage_was_read_there(tmp_path: Path) -> None:
    files = {
        "app/storage/queries.py": 'OLD = "SELECT name FROM parts"\n',
        "app/storage/store.py": (
            "import sqlite3\n\nfrom app.storage.queries import OLD\n\n\n"
            "def old(connection: sqlite3.Connection, further: str):\n"
            "    connection.execute(OLD)\n"
            "    connection.execute(further)\n"
        ),
    }
    found = survey(tmp_path, files, "sqlite")
    unread = [located(place) for gap in found.gaps for place in gap.places]
    assert unread == ["app/storage/store.py:8:24"]


@pytest.mark.parametrize("form", ["text", "markdown"])
def test_texts_hold_every_place(form: str, tmp_path: Path) -> None:
    found = survey(tmp_path, ON_SQLITE, "postgresql")
    result = run(tmp_path, "port", "--to", "postgresql", "--format", form, "--show-all")
    assert result.exit_code == 1
    for hold in found.holds:
        assert located(hold.place) in result.stdout
    assert "put together elsewhere" in result.stdout.replace("\\", "")


def test_long_lists_are_folded(tmp_path: Path) -> None:
    lines = "".join(f"    connection.execute(\"SELECT strftime('%Y', {n})\")\n" for n in range(12))
    text = f"import sqlite3\n\n\ndef old(connection: sqlite3.Connection):\n{lines}"
    make(tmp_path, {"app/storage/store.py": text})
    assert "and 2 more (--show-all)" in run(tmp_path, "port", "--to", "postgresql").stdout
    shown = run(tmp_path, "port", "--to", "postgresql", "--show-all").stdout
    assert "--show-all" not in shown
    assert shown.count("strftime") >= 12


def test_json_says_the_same(tmp_path: Path) -> None:
    found = survey(tmp_path, ON_SQLITE, "postgresql")
    result = run(tmp_path, "port", "--to", "postgresql", "--format", "json")
    (port,) = json.loads(result.stdout)["ports"]
    assert [(hold["kind"], hold["path"]) for hold in port["holds"]] == [
        (hold.kind, hold.place.path) for hold in found.holds
    ]
    assert port["summary"]["places"] == len(found.holds)
    assert port["clear"] is False
    assert [gap["text"] for gap in port["not_read"]] == [gap.text for gap in found.gaps]


@pytest.mark.parametrize("trick", TRICKS)
def test_hostile_names_stay_names(trick: str) -> None:
    place = Place(f"{trick}.sql", Span(1, 2, 1, 3))
    remark = Remark(trick, (place,))
    hold = Hold("ddl", place, f"{trick} in `{trick}`", trick, "DAL305", "safe")
    found = Survey(trick, "sqlite", "3", (trick,), (hold,), (remark,), (remark,), 1, 1)
    plain = replace(
        found,
        project="a",
        today=("b",),
        holds=(Hold("ddl", Place("c", START), "d", "e", "DAL305", "safe"),),
        gaps=(Remark("f", (Place("g", START),)),),
        questions=(Remark("h", (Place("i", START),)),),
    )
    for form in PORT_FORMATS:
        text = render_surveys([found], form, show_all=False)
        usual = render_surveys([plain], form, show_all=False)
        assert len(text.split("\n")) == len(usual.split("\n")), form
        assert not set(text) & set("\x00\x07\x1b\u202e\u2066\u2028\r"), form


def test_the_command_knows_each_format() -> None:
    (form,) = (option for option in cli.commands["port"].params if option.name == "form")
    assert tuple(form.to_info_dict()["type"]["choices"]) == PORT_FORMATS


def test_a_clear_port_is_0_and_an_unknown_engine_2(tmp_path: Path) -> None:
    files = {
        "migrations/0001_a.up.sql": "CREATE TABLE IF NOT EXISTS a (id TEXT NOT NULL PRIMARY KEY);\n"
    }
    files["migrations/0001_a.down.sql"] = "DROP TABLE IF EXISTS a;\n"
    files[".github/workflows/tests.yml"] = ON_SQLITE[".github/workflows/tests.yml"]
    make(tmp_path, files)
    assert run(tmp_path, "port", "--to", "SQLite").exit_code == 0
    assert run(tmp_path, "port", "--to", "db2").exit_code == 2
    assert "port" in cli.commands
