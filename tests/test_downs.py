"""The downs that are written for migrations: their words, and that they restore schemas on engines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dal_audit.assemble.migration_sets import leaves_nothing
from dal_audit.catalogue.engine_names import Engine
from dal_audit.extract.sql.scripts import statements_of
from dal_audit.extract.sql.statements import split
from dal_audit.facts import START, Place
from dal_audit.facts.sql import SqlStatement
from dal_audit.fix.downs.completion import Addition, completion_of
from dal_audit.fix.downs.down import Down, down_of
from dal_audit.fix.downs.guard_block import unguarded
from dal_audit.fix.downs.written_schema import WrittenSchema
from dal_audit.replay.down_trials import try_downs
from dal_audit.replay.model import Command, Step
from dal_audit.replay.run import Engines, ReplayRequest
from dal_audit.replay.sqlite import Sqlite
from tests.sampling import runs

USERS = """\
CREATE TABLE users (
    id TEXT NOT NULL PRIMARY KEY, email VARCHAR(20) DEFAULT 'none' UNIQUE, age INT NOT NULL DEFAULT 0
);
CREATE INDEX users_age ON users (age)"""


def texts(script: str) -> list[str]:
    """Return the statements of a script."""
    return [script[own.start : own.end] for own in split(script).statements]


def read(script: str) -> list[tuple[SqlStatement, str]]:
    """Return the statements of a script with their texts."""
    return [(statements_of(text)[0], text) for text in map(unguarded, texts(script))]


def downs(backend: Engine, *scripts: str) -> list[Down]:
    """Return what takes migrations back that are run one after the other."""
    schema = WrittenSchema(backend)
    return [down_of(schema, read(script), leaves_nothing) for script in scripts]


def shown(down: Down) -> str:
    """Return a down as a script."""
    return "\n".join(
        f"{line.text};" if line.is_statement else f"-- {line.text}" for line in down.lines
    )


def steps(backend: Engine, scripts: Sequence[str]) -> tuple[Step, ...]:
    """Return migrations with the downs that are written for them."""
    return tuple(
        Step(str(number), commands(texts(script)), commands(down.statements))
        for number, (script, down) in enumerate(zip(scripts, downs(backend, *scripts), strict=True))
    )


def commands(statements: Sequence[str]) -> tuple[Command, ...]:
    return tuple(Command(Place("m.sql", START), text) for text in statements)


def failures(database: Sqlite, scripts: Sequence[str]) -> list[str]:
    """Return why the downs of migrations do not restore the schema of SQLite."""
    outcome = try_downs(database, steps("sqlite", scripts), lambda _done: None)
    return [trial.why_not for trial in outcome.trials if trial.why_not]


# What is written

UPS: dict[str, tuple[Engine, str, str]] = {
    "a table": (
        "sqlite",
        "CREATE TABLE t (a INT); CREATE INDEX i ON t (a)",
        "DROP TABLE IF EXISTS t;",
    ),
    "a guard that does nothing": ("sqlite", "CREATE TABLE IF NOT EXISTS users (a INT)", ""),
    "the order": (
        "postgresql",
        "CREATE TYPE mood AS ENUM ('a'); CREATE TABLE t (m mood); CREATE VIEW v AS SELECT m FROM t",
        "DROP VIEW IF EXISTS v;\nDROP TABLE IF EXISTS t;\nDROP TYPE IF EXISTS mood;",
    ),
    "a column": (
        "postgresql",
        "ALTER TABLE users ADD n INT",
        "ALTER TABLE users DROP COLUMN IF EXISTS n;",
    ),
    "a column of SQLite's": (
        "sqlite",
        "ALTER TABLE users ADD n INT",
        "ALTER TABLE users DROP COLUMN n;",
    ),
    "a dropped column": (
        "postgresql",
        "ALTER TABLE users DROP COLUMN age",
        (
            "-- The values of `age` are gone: they do not come back.\n"
            "ALTER TABLE users ADD COLUMN age INT NOT NULL DEFAULT 0;\n"
            "CREATE INDEX users_age ON users (age);"
        ),
    ),
    "a constraint without a name": (
        "postgresql",
        "ALTER TABLE users DROP CONSTRAINT users_email_key",
        "ALTER TABLE users ADD CONSTRAINT users_email_key UNIQUE (email);",
    ),
    "a type": (
        "postgresql",
        "ALTER TABLE users ALTER age TYPE BIGINT, ALTER age DROP DEFAULT",
        (
            "ALTER TABLE users ALTER COLUMN age TYPE INT USING age::INT;\n"
            "ALTER TABLE users ALTER COLUMN age SET DEFAULT 0;"
        ),
    ),
    "names": (
        "sqlite",
        "ALTER TABLE users RENAME COLUMN age TO years; ALTER TABLE users RENAME TO people",
        "ALTER TABLE people RENAME TO users;\nALTER TABLE users RENAME COLUMN years TO age;",
    ),
    "a frame": (
        "sqlite",
        "PRAGMA foreign_keys = OFF; BEGIN; DROP INDEX users_age; COMMIT; PRAGMA foreign_keys = ON",
        (
            "PRAGMA foreign_keys = OFF;\nBEGIN;\nCREATE INDEX users_age ON users (age);\nCOMMIT;\n"
            "PRAGMA foreign_keys = ON;"
        ),
    ),
    "a function with defaults": (
        "postgresql",
        "CREATE FUNCTION f(a integer DEFAULT 3, b text[]) RETURNS int AS $$ SELECT 1 $$ LANGUAGE sql",
        "DROP FUNCTION IF EXISTS f(a integer, b text[]);",
    ),
    "a function that is replaced": (
        "postgresql",
        (
            "CREATE FUNCTION f() RETURNS int AS $$ SELECT 1 $$ LANGUAGE sql;"
            "CREATE OR REPLACE FUNCTION f() RETURNS int AS $$ SELECT 2 $$ LANGUAGE sql"
        ),
        (
            "CREATE OR REPLACE FUNCTION f() RETURNS int AS $$ SELECT 1 $$ LANGUAGE sql;\n"
            "DROP FUNCTION IF EXISTS f();"
        ),
    ),
    "a comment": (
        "postgresql",
        "COMMENT ON TABLE users IS 'who'",
        "COMMENT ON TABLE users IS NULL;",
    ),
    "rows": (
        "sqlite",
        "INSERT INTO users (id) VALUES ('a')",
        "-- Rows are not taken back: `INSERT INTO users (id) VALUES ('a')`.",
    ),
    "a label": (
        "postgresql",
        "CREATE TYPE mood AS ENUM ('a'); ALTER TYPE mood ADD VALUE 'b'",
        ("DROP TYPE IF EXISTS mood;"),
    ),
    "what is not followed": (
        "postgresql",
        "DO $$ BEGIN NULL; END $$",
        "-- Not taken back: `DO $$ BEGIN NULL; END $$`.",
    ),
}


@pytest.mark.parametrize("what", UPS)
def test_a_down_is_written(what: str) -> None:
    backend, up, expected = UPS[what]
    assert shown(downs(backend, USERS, up)[1]) == expected


def test_a_table_comes_back_as_it_stood() -> None:
    """Its text is the one that made it, until something changed it."""
    same, changed = (
        downs("sqlite", USERS, change, "DROP TABLE users")[2].statements
        for change in ("SELECT 1", "ALTER TABLE users ADD COLUMN n INT")
    )
    assert same == tuple(texts(USERS))
    assert changed == (
        (
            "CREATE TABLE users (\n    id TEXT NOT NULL PRIMARY KEY,\n"
            "    email VARCHAR(20) DEFAULT 'none' UNIQUE,\n    age INT NOT NULL DEFAULT 0,\n    n INT\n)"
        ),
        "CREATE INDEX users_age ON users (age)",
    )


RISKS: dict[str, tuple[Engine, str, str]] = {
    "no NULL": ("sqlite", "ALTER TABLE t DROP COLUMN b", "takes no NULL"),
    "SQLite's defaults": ("sqlite", "ALTER TABLE t DROP COLUMN c", "only where no rows stand"),
    "a label by then": (
        "postgresql",
        "ALTER TYPE mood ADD VALUE 'b'; ALTER TYPE mood ADD VALUE 'c' BEFORE 'a'",
        "may hold 'b'",
    ),
    "NULL by then": ("postgresql", "ALTER TABLE t ALTER b DROP NOT NULL", "may hold NULL"),
    "what is not followed": ("postgresql", "DO $$ BEGIN NULL; END $$", "is not taken back"),
    "rows that are left": (
        "sqlite",
        (
            "CREATE TABLE n (a INT); INSERT INTO n (a) SELECT a FROM t; DROP TABLE t;"
            "ALTER TABLE n RENAME TO t"
        ),
        "do not come back",
    ),
}


@pytest.mark.parametrize("what", RISKS)
def test_a_risk_is_told(what: str) -> None:
    backend, up, words = RISKS[what]
    table = "CREATE TYPE mood AS ENUM ('a'); CREATE TABLE t (a INT, b INT NOT NULL, c TEXT DEFAULT CURRENT_TIMESTAMP)"
    assert [words in risk for risk in downs(backend, table, up)[1].risks] == [True]


# What they do on engines

ON_SQLITE = (
    USERS,
    "CREATE TABLE logs (id INTEGER PRIMARY KEY, who TEXT REFERENCES users (id) ON DELETE CASCADE)",
    "CREATE TRIGGER t AFTER INSERT ON users BEGIN UPDATE users SET age = 1; DELETE FROM logs; END",
    "CREATE VIEW v AS SELECT id FROM users",
    "DROP VIEW v; DROP TRIGGER t",
    "ALTER TABLE users RENAME COLUMN age TO years; ALTER TABLE users ADD COLUMN n REAL DEFAULT 1.5",
    "ALTER TABLE users DROP COLUMN n",
    "ALTER TABLE users RENAME TO people",
    (
        "PRAGMA foreign_keys = OFF; CREATE TABLE people_new (id TEXT NOT NULL PRIMARY KEY, email TEXT);"
        "INSERT INTO people_new SELECT id, email FROM people; DROP TABLE people;"
        "ALTER TABLE people_new RENAME TO people; CREATE UNIQUE INDEX users_age ON people (email)"
    ),
    (
        "ALTER TABLE people RENAME TO _people; CREATE TABLE people (id TEXT PRIMARY KEY, email TEXT, x INT);"
        "INSERT INTO people (id, email) SELECT id, email FROM _people; DROP TABLE _people"
    ),
    "DROP TABLE logs; DROP TABLE people",
)


def test_downs_restore_the_schema_of_sqlite() -> None:
    with closing(Sqlite(30.0)) as database:
        assert failures(database, ON_SQLITE) == []


ON_POSTGRESQL = (
    "CREATE TYPE mood AS ENUM ('sad', 'ok'); CREATE DOMAIN short AS TEXT CHECK (length(VALUE) < 9)",
    USERS,
    'CREATE TABLE "Logs" (id SERIAL PRIMARY KEY, "Who" TEXT REFERENCES users (id), m mood, s short)',
    "ALTER TABLE users ADD COLUMN m mood DEFAULT 'ok', ADD CONSTRAINT old CHECK (age > 3)",
    "CREATE UNIQUE INDEX CONCURRENTLY pair ON users (email, lower(id)) WHERE age > 1",
    "CREATE INDEX ON users (age, m)",
    "CREATE VIEW v AS SELECT id, age FROM users; CREATE MATERIALIZED VIEW w AS SELECT 1 AS one",
    (
        "CREATE FUNCTION f() RETURNS trigger AS $$ BEGIN RETURN NEW; END $$ LANGUAGE plpgsql;"
        "CREATE TRIGGER t BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION f()"
    ),
    "CREATE OR REPLACE FUNCTION f() RETURNS trigger AS $$ BEGIN RETURN NULL; END $$ LANGUAGE plpgsql",
    "ALTER TABLE users ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON users USING (id > 'a')",
    (
        "ALTER TYPE mood ADD VALUE 'mad' BEFORE 'ok'; ALTER TYPE mood ADD VALUE IF NOT EXISTS 'sad';"
        "ALTER TYPE mood ADD VALUE 'glad'; CREATE TABLE moods (every mood[] DEFAULT '{sad}')"
    ),
    "DROP TABLE moods; ALTER TYPE mood ADD VALUE 'odd'",
    "DROP VIEW v; ALTER TABLE users ALTER COLUMN age TYPE BIGINT, ALTER COLUMN age DROP DEFAULT",
    "ALTER TABLE users ALTER COLUMN email SET NOT NULL, ALTER COLUMN email SET DEFAULT 'x'",
    "ALTER TABLE users DROP CONSTRAINT users_email_key, DROP CONSTRAINT old",
    'ALTER TABLE "Logs" DROP CONSTRAINT "Logs_Who_fkey"',
    "DROP POLICY p ON users; DROP TRIGGER t ON users; DROP FUNCTION f()",
    "ALTER TABLE users RENAME COLUMN age TO years; ALTER INDEX users_age RENAME TO users_years",
    "ALTER TABLE users RENAME CONSTRAINT users_pkey TO pk; ALTER TYPE mood RENAME VALUE 'ok' TO 'fine'",
    "CREATE SCHEMA s; CREATE TABLE s.t (a INT, b INT REFERENCES users (id))".replace(
        "b INT", "b TEXT"
    ),
    "CREATE SEQUENCE q; ALTER TABLE users ADD FOREIGN KEY (id) REFERENCES users (id)",
    "CREATE TABLE kin (id INT, who TEXT REFERENCES users (id)); CREATE INDEX id ON kin (who)",
    'ALTER TABLE "Logs" ALTER COLUMN id DROP DEFAULT',
    'ALTER TABLE kin DROP COLUMN id; ALTER TABLE "Logs" ALTER COLUMN id TYPE BIGINT',
    (
        "ALTER TYPE mood RENAME TO old_mood; CREATE TYPE mood AS ENUM ('sad', 'fine', 'new');"
        "ALTER TABLE users ALTER COLUMN m DROP DEFAULT, ALTER COLUMN m TYPE mood USING m::text::mood;"
        'ALTER TABLE "Logs" ALTER COLUMN m TYPE mood USING m::text::mood; DROP TYPE old_mood'
    ),
    (
        "DO $$ BEGIN CREATE TYPE side AS ENUM ('l', 'r'); EXCEPTION WHEN duplicate_object THEN null; END $$;"
        "CREATE TABLE left_over (a side, b INT); CREATE TABLE target (b INT PRIMARY KEY);"
        "DO $$ BEGIN ALTER TABLE left_over ADD CONSTRAINT fk FOREIGN KEY (b) REFERENCES target (b);"
        " EXCEPTION WHEN duplicate_object THEN null; END $$"
    ),
    (
        "CREATE TABLE news (a INT); CREATE FUNCTION g() RETURNS trigger AS $$ BEGIN RETURN NEW; END $$"
        " LANGUAGE plpgsql; CREATE TRIGGER u AFTER INSERT ON news FOR EACH ROW EXECUTE FUNCTION g()"
    ),
    "DROP TABLE users CASCADE",
)


def test_downs_restore_the_schema_of_postgresql(server: str) -> None:
    with closing(Engines(ReplayRequest(url=server))) as engines:
        outcome = engines.try_downs(
            "postgresql", steps("postgresql", ON_POSTGRESQL), lambda _done, _total: None
        )
    assert [trial for trial in outcome.trials if trial.why_not] == []
    assert len(outcome.trials) == len(ON_POSTGRESQL)


def test_rows_come_back_where_a_table_was_made_anew() -> None:
    """Also what other tables refer to stays the same table."""
    up = ON_SQLITE[8].replace("people", "users")
    with closing(Sqlite(30.0)) as database:
        rows = "INSERT INTO users (id, email) VALUES ('a', 'b')"
        for text in (*texts(USERS), *texts(ON_SQLITE[1]), rows, *texts(up)):
            assert database.run(text) is None
        before = database.objects()["table logs"]
        for text in downs("sqlite", USERS, ON_SQLITE[1], up)[2].statements:
            assert database.run(text) is None
        assert database.objects()["table logs"] == before
        assert database.run("INSERT INTO users (id) VALUES ('a')") is not None  # It stands.


def test_a_down_is_no_good_that_leaves_or_breaks_something() -> None:
    up = commands(["CREATE TABLE t (a INT)"])
    bad = {
        "DROP TABLE x": "it fails: no such table: x",
        "SELECT 1": "together with its up it makes table `t`",
        "ALTER TABLE t RENAME TO u": "together with its up it makes table `u`",
    }
    for text, expected in bad.items():
        with closing(Sqlite(30.0)) as database:
            outcome = try_downs(database, [Step("m", up, commands([text]))], lambda _done: None)
            assert [trial.why_not for trial in outcome.trials] == [expected]
    once = commands(["CREATE TABLE IF NOT EXISTS t (a INT UNIQUE)", "INSERT INTO t VALUES (1)"])
    with closing(Sqlite(30.0)) as database:
        assert database.run("CREATE TABLE t (a INT UNIQUE)") is None
        outcome = try_downs(database, [Step("m", once, ())], lambda _done: None)
        assert outcome.trials[0].why_not.startswith("its up does not run after it: UNIQUE")


TABLES, COLUMNS = ("a", "b", '"C d"'), ("x", "y", '"Z z"')
TYPES = ("INT", "TEXT NOT NULL DEFAULT 'q'", "VARCHAR(9) UNIQUE", "REAL CHECK (1 > 0)", "")
FORMS = (
    "CREATE TABLE {t} (x {k}, y {l}, UNIQUE (x, y))",
    "CREATE TABLE IF NOT EXISTS {t} (x {k} /* , */, {c} {l} -- why\n)",
    "DROP TABLE IF EXISTS {t}",
    "ALTER TABLE {t} ADD COLUMN {c} {k}",
    "ALTER TABLE {t} DROP COLUMN {c}",
    "ALTER TABLE {t} RENAME COLUMN {c} TO {d}",
    "ALTER TABLE {t} RENAME TO {u}",
    "CREATE INDEX {i} ON {t} ({c} DESC)",
    "CREATE UNIQUE INDEX IF NOT EXISTS {i} ON {t} ({c}, {d}) WHERE {c} > 1",
    "DROP INDEX {i}",
    "CREATE VIEW v AS SELECT * FROM {t}",
    "DROP VIEW IF EXISTS v",
    (
        "CREATE TABLE n ({c} {k}, {d} {l}); INSERT INTO n ({c}) SELECT {c} FROM {t}; DROP TABLE {t};"
        "ALTER TABLE n RENAME TO {t}"
    ),
)


@st.composite
def statements(draw: st.DrawFn) -> str:
    """Draw a statement, or several that belong together."""
    names = {
        **{key: draw(st.sampled_from(TABLES)) for key in "tu"},
        **{key: draw(st.sampled_from(COLUMNS)) for key in "cd"},
        **{key: draw(st.sampled_from(TYPES)) for key in "kl"},
        "i": draw(st.sampled_from(("i", "j"))),
    }
    return draw(st.sampled_from(FORMS)).format(**names)


def accepted(database: Sqlite, scripts: Sequence[str]) -> Iterator[str]:
    """Yield the scripts that SQLite takes as a whole, which run on it."""
    for script in scripts:
        with database.trial(apart=True) as trial:
            refused = any(trial.run(text) for text in texts(script)) or has_broken_view(trial)
        if not refused:
            for text in texts(script):
                database.run(text)
            yield script


def has_broken_view(database: Sqlite) -> bool:
    """Return whether a view reads what is not there: SQLite alters no table then."""
    return "view v" in database.objects() and database.run("SELECT 1 FROM v") is not None


@given(st.lists(statements(), min_size=4, max_size=14), st.data())
@settings(max_examples=runs(200))
def test_any_migration_of_sqlite_is_taken_back(scripts: list[str], data: st.DataObject) -> None:
    with closing(Sqlite(30.0)) as database:
        run = [*accepted(database, scripts)]
    cut = data.draw(st.integers(0, len(run)))
    migrations = ["; ".join(run[:cut]), "; ".join(run[cut:])]
    with closing(Sqlite(30.0)) as database:
        assert failures(database, [script for script in migrations if script]) == []


# What completes a down that is there

COMPLETIONS: dict[str, tuple[Engine, str, str, tuple[str, ...]]] = {
    "what refers to a table goes first": (
        "postgresql",
        "CREATE TABLE t (a TEXT REFERENCES users (id)); CREATE TABLE n (b INT); CREATE TYPE m AS ENUM ('x')",
        "DROP TABLE n",
        ("DROP TYPE IF EXISTS m", "DROP TABLE n", "DROP TABLE IF EXISTS t"),
    ),
    "what a table needs goes last": (
        "postgresql",
        "CREATE TYPE m AS ENUM ('x'); CREATE TABLE t (a m); CREATE INDEX other ON users (id)",
        "BEGIN; DROP TABLE t; COMMIT",
        (
            "BEGIN",
            "DROP INDEX IF EXISTS other",
            "DROP TABLE t",
            "DROP TYPE IF EXISTS m",
            "COMMIT",
        ),
    ),
    "a column": (
        "sqlite",
        "ALTER TABLE users ADD COLUMN n INT; DROP INDEX users_age",
        "ALTER TABLE users DROP COLUMN n",
        ("CREATE INDEX users_age ON users (age)", "ALTER TABLE users DROP COLUMN n"),
    ),
    "nothing": ("sqlite", "CREATE TABLE t (a INT)", "DROP TABLE t", ()),
    "one that fails": (
        "sqlite",
        "CREATE TABLE t (a INT); CREATE TABLE n (a INT)",
        "DROP TABLE x",
        (),
    ),
}


@pytest.mark.parametrize("what", COMPLETIONS)
def test_a_down_is_completed(what: str) -> None:
    backend, up, down, expected = COMPLETIONS[what]
    found = [own.statements if own is not None else () for own in completed(backend, up, down)]
    assert found == [expected]
    if expected:
        assert completed(backend, up, "; ".join(expected)) == [None]


def completed(backend: Engine, up: str, down: str) -> list[Addition | None]:
    """Return what a down lacks that takes a migration back which is run after another."""
    schema = WrittenSchema(backend)
    down_of(schema, read(USERS), leaves_nothing)
    return [completion_of(schema, read(up), read(down), leaves_nothing)]
