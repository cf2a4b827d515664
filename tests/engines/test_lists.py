"""The lists of names are what the engines at hand say."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from dal_audit.catalogue.engine_names import engine_names
from dal_audit.catalogue.portability import version_key
from tests.engines.lists import FOLDER, arities, encode, postgresql, sqlite, sqlite_arity
from tests.engines.servers import Engine, Postgres
from tests.engines.types import FILE, fitting
from tests.engines.types import encode as types_text

MATHEMATICS = "ENABLE_MATH_FUNCTIONS"


def _check(made: dict[str, object], file: Path) -> None:
    """Demand the very list of this version; of a newer one, that it has all that is listed."""
    listed = json.loads(file.read_text(encoding="utf-8"))
    if made["version"] == listed["version"]:
        assert encode(made) == file.read_text(encoding="utf-8"), "run python -m tests.engines.lists"
        return
    functions = made["functions"]
    assert isinstance(functions, dict)
    newer = version_key(str(made["version"])) > version_key(listed["version"])
    less, more = (listed["functions"], functions) if newer else (functions, listed["functions"])
    assert set(less) <= set(more)


def test_the_list_of_sqlite_is_what_the_newest_says() -> None:
    _check(sqlite(), FOLDER / "sqlite.json")


def test_the_list_of_postgresql_is_what_it_says(engines: tuple[Engine, ...]) -> None:
    server = next(engine for engine in engines if isinstance(engine, Postgres))
    _check(postgresql(server.connection), FOLDER / "postgresql.json")


def test_how_types_fit_together_is_what_postgresql_says(engines: tuple[Engine, ...]) -> None:
    server = next(engine for engine in engines if isinstance(engine, Postgres))
    made, text = fitting(server.connection), FILE.read_text(encoding="utf-8")
    listed = json.loads(text)
    if made["version"] == listed["version"]:
        assert types_text(made) == text, "run python -m tests.engines.types"
        return
    for part in ("types", "casts", "operators", "functions"):
        found = made[part]
        assert isinstance(found, dict)
        assert len(set(found) & set(listed[part])) * 10 > 9 * len(found), part


def test_an_older_sqlite_has_no_function_that_the_list_lacks() -> None:
    names = engine_names("sqlite")
    assert names is not None
    with closing(sqlite3.connect(":memory:")) as connection:
        rows = connection.execute(
            "SELECT name, narg FROM pragma_function_list WHERE builtin"
        ).fetchall()
        options = {row[0] for row in connection.execute("PRAGMA compile_options")}
    extra = {"soundex"} if "SOUNDEX" in options else set[str]()
    assert {row[0] for row in rows} - extra <= set(names.functions)
    if MATHEMATICS in options:
        assert "floor" in names.functions


@pytest.mark.parametrize(
    ("name", "sqlite_knows", "postgresql_knows"),
    [
        ("coalesce", True, True),
        ("NOW", False, True),
        ("strftime", True, False),
        ("int4in", False, True),
        ("bthandler", False, False),
        ("no_such_function", False, False),
        ("greatest", False, True),
    ],
)
def test_an_unknown_function_is_known_to_be_unknown(
    name: str, sqlite_knows: bool, postgresql_knows: bool
) -> None:
    one, two = engine_names("sqlite"), engine_names("postgresql")
    assert one is not None
    assert two is not None
    assert (one.has_function(name), two.has_function(name)) == (sqlite_knows, postgresql_knows)


def test_the_number_of_arguments_counts() -> None:
    one, two = engine_names("sqlite"), engine_names("postgresql")
    assert one is not None
    assert two is not None
    assert one.takes("max", 2)
    assert not two.takes("max", 2)
    assert two.takes("concat", 9)
    assert not two.takes("concat", 0)
    assert one.takes("coalesce", 2)
    assert not one.takes("coalesce", 1)


def test_types_are_those_that_can_be_declared() -> None:
    one, two = engine_names("sqlite"), engine_names("postgresql")
    assert one is not None
    assert two is not None
    assert one.has_type("anything at all")
    for name in ("bigint", "Double Precision", "timestamp with time zone", "serial", "jsonb"):
        assert two.has_type(name)
    for name in ("blob", "datetime", "trigger", "citext", "pg_class"):
        assert not two.has_type(name)
    assert two.operators is not None
    assert {"~", "@>", "||"} <= two.operators


def test_of_another_engine_nothing_is_known() -> None:
    assert engine_names("no-such-engine") is None


def test_ranges_of_arguments_are_put_together() -> None:
    rows = [("f", 1, 1), ("F", 2, 3), ("f", 5, 5), ("g", 1, 1), ("g", 1, -1), ("h", 0, 0)]
    assert arities(rows) == {"f": "1..3 5", "g": "1..", "h": "0"}
    assert sqlite_arity("x", -1) == ("x", 0, -1)
    assert sqlite_arity("x", -4) == ("x", 2, -1)
