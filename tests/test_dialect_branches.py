"""Branches on the engine: which engines run what stands in them."""

from __future__ import annotations

import ast

import pytest

from dal_audit.extract.python.dialect_branches import DialectBranches
from dal_audit.extract.python.dialect_tests import ANY

REST = "all but"


def engines(source: str) -> dict[str, str]:
    """Return for each text that begins with `at` which engines run it."""
    tree = ast.parse(source)
    branches = DialectBranches(tree)
    found = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and str(node.value).startswith("at"):
            own = branches.engines_at(node)
            told = frozenset(own) if own is not None else ANY
            is_rest = "other" in told and told != ANY
            found[str(node.value)] = (
                " ".join([REST, *sorted(ANY - told)])
                if is_rest
                else " ".join(sorted(told)) * (own is not None)
            )
    return found


@pytest.mark.parametrize(
    ("test", "holds", "fails"),
    [
        ("bind.dialect.name == 'sqlite'", "sqlite", "all but sqlite"),
        ("str(bind.engine.url).startswith('sqlite') is False", "all but sqlite", "sqlite"),
        ("url.startswith('sqlite') == True", "sqlite", "all but sqlite"),
        ("(bind.dialect.name == 'sqlite') is not False", "sqlite", "all but sqlite"),
        ("bind.supports_checks is False", "", ""),
        ("'postgresql' == op.get_bind().engine.name", "postgresql", "all but postgresql"),
        ("bind.dialect.name != 'postgres'", "all but postgresql", "postgresql"),
        ("connection.vendor in ('mysql', 'postgresql')", "mysql postgresql", "all but"),
        ("connection.vendor not in {'sqlite'}", "all but sqlite", "sqlite"),
        ("schema_editor.connection.vendor is 'sqlite'", "sqlite", "all but sqlite"),
        ("not is_sqlite()", "all but sqlite", "sqlite"),
        ("self.is_sqlite", "sqlite", "all but sqlite"),
        ("is_not_sqlite", "all but sqlite", "sqlite"),
        ("isinstance(engine, PostgresEngine)", "postgresql", "all but postgresql"),
        ("isinstance(d, (SQLiteDialect, m.PGDialect_postgresql))", "postgresql sqlite", "all but"),
        ("url.startswith('sqlite:')", "sqlite", "all but sqlite"),
        ("'postgresql' in url", "postgresql", "all but postgresql"),
        ("name == Dialect.SQLITE", "sqlite", "all but sqlite"),
        ("name == Dialect.SQLITE.value and flag", "sqlite", ""),
        ("name == 'sqlite' or name == 'postgresql'", "postgresql sqlite", "all but"),
        ("flag or is_sqlite", "", "all but sqlite"),
        ("NAME == 'sqlite'", "sqlite", "all but sqlite"),
        ("name == LITE", "sqlite", "all but sqlite"),
        ("on_lite()", "sqlite", "all but sqlite"),
        ("engine == 'django.db.backends.postgresql_psycopg2'", "postgresql", "all but postgresql"),
        ("by_early_return()", "postgresql", ""),
        ("flag", "", ""),
        ("name == 'red'", "", ""),
        ("name in ('sqlite', 'red')", "", ""),
        ("isinstance(x, Engine)", "", ""),
        ("isinstance(x, SqliteToPostgres)", "", ""),
        ("a == 'sqlite' == b", "", ""),
        ("sqlite_path", "", ""),
        ("len(names) > 1", "", ""),
    ],
)
def test_what_a_condition_asks_for(test: str, holds: str, fails: str) -> None:
    head = (
        "LITE = 'sqlite'\ndef on_lite():\n    return bind.dialect.name == LITE\n"
        "def by_early_return():\n    bind = f()\n"
        "    if bind.dialect.name != 'postgresql':\n        return False\n"
        "    return flag\n"
    )
    found = engines(f"{head}if {test}:\n    f('at a')\nelse:\n    f('at b')\nf('at c')\n")
    assert found["at a"] == holds
    assert found["at b"].removesuffix(" mysql postgresql").removesuffix(
        " postgresql sqlite"
    ) == fails.removesuffix(" mysql postgresql")
    assert not found["at c"]


@pytest.mark.parametrize(
    ("body", "rest"),
    [
        ("return", "all but sqlite"),
        ("raise E", "all but sqlite"),
        ("f()", ""),
    ],
)
def test_what_is_left_behind_a_branch_that_ends(body: str, rest: str) -> None:
    source = f"def g():\n    if name == 'sqlite':\n        {body}\n    f('at a')\n    h('at b')\n"
    assert engines(source) == {"at a": rest, "at b": rest}


def test_other_forms() -> None:
    found = engines("""
def g(bind):
    name = bind.dialect.name
    is_lite = name == "sqlite"
    if is_lite:
        f("at bound")
    if name == "mysql":
        f("at mysql")
    elif name == "sqlite":
        f("at elif")
    else:
        raise E
    f("at end")
    x = "at if" if is_lite else "at else"
    y = {"sqlite": "at table", "postgresql": ["at row"]}[name]
    match name:
        case "sqlite" | "postgresql":
            f("at case")
        case _:
            f("at rest")


def h(engine):
    assert isinstance(engine, PostgresEngine)
    f("at assert")


class SqliteStore:
    SQL = "at class"

    def run(self):
        f("at method")


class SqliteToPostgres:
    SQL = "at both"


POSTGRES_TABLES = ["at constant"]


def search_sqlite():
    f("at function")


def search_sqlite_first():
    f("at another")
""")
    assert found == {
        "at bound": "sqlite",
        "at mysql": "mysql",
        "at elif": "sqlite",
        "at end": "mysql sqlite",
        "at if": "sqlite",
        "at else": "mysql",
        "at table": "sqlite",
        "at row": "",
        "at case": "sqlite",
        "at rest": "mysql",
        "at assert": "postgresql",
        "at class": "sqlite",
        "at method": "sqlite",
        "at both": "",
        "at constant": "postgresql",
        "at function": "sqlite",
        "at another": "",
    }


def test_a_name_that_stands_for_itself_ends() -> None:
    assert engines("x = x or y\nz = not z\nif x and z:\n    f('at a')\n") == {"at a": ""}


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("@postgres_only\ndef run(schema_editor):\n    go('at')\n", "postgresql"),
        ("@tools.requires_sqlite()\ndef run():\n    go('at')\n", "sqlite"),
        ("@postgres\ndef run():\n    go('at')\n", ""),
        ("sqlite_cursor.execute('at')", "sqlite"),
        ("self.postgres.execute(sql('at'))", "postgresql"),
        ("sqlite_cursor.send('at')", ""),
        ("from_sqlite_to_postgres.execute('at')", ""),
        ("op.execute('at')", ""),
        ("self.execute('sqlite3', path, 'at')", "sqlite"),
        ("self.execute('psql', 'at', check=False)", "postgresql"),
        ("self.execute('ls', 'at')", ""),
        ("def validate_postgres_extensions(driver):\n    driver.run('at')", "postgresql"),
        ("def copy_postgres_rows(driver):\n    driver.run('at')", ""),
    ],
)
def test_names_limit_what_runs(source: str, told: str) -> None:
    assert engines(source) == {"at": told}


def test_a_function_that_a_table_chooses_by_the_engine_is_for_that_engine() -> None:
    source = """
def lock():
    run("at lock")

def pretend():
    run("at pretend")

def check():
    run("at check")

def shared():
    run("at shared")

CHECKS = {"postgresql": check, "postgresql+psycopg2": check, "sqlite": shared}
LOCKS = {"sqlite": pretend}
chosen = LOCKS.get(scheme, lock)
shared()
"""
    assert engines(source) == {
        "at lock": "all but sqlite",
        "at pretend": "sqlite",
        "at check": "postgresql",
        "at shared": "",
    }
