"""Write what each engine has by name: `python -m tests.engines.lists`.

PostgreSQL says it in `pg_proc`, `pg_type`, `pg_operator` and `pg_get_keywords()`, SQLite in
`pragma_function_list`. What only the engine itself can call is left out: functions that take or
give `internal` or a handler's type. Of SQLite it is the newest's core: what its
extensions add (`builtin` is 0) and what a build has by choice (`OPTIONAL`) is left out.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import apsw
import psycopg

from tests.engines.leash import leashed
from tests.engines.servers import postgres

FOLDER = Path(__file__).resolve().parents[2] / "rules" / "catalogue" / "engines"

POSTGRES_FUNCTIONS = """
SELECT p.proname,
       coalesce(a.aggnumdirectargs + (p.pronargs - a.aggnumdirectargs)
                * (a.aggkind = 'n')::integer, p.pronargs) - p.pronargdefaults,
       CASE WHEN p.provariadic <> 0 THEN -1
            ELSE coalesce(a.aggnumdirectargs + (p.pronargs - a.aggnumdirectargs)
                          * (a.aggkind = 'n')::integer, p.pronargs) END
FROM pg_proc AS p LEFT JOIN pg_aggregate AS a ON a.aggfnoid = p.oid
WHERE p.pronamespace = 'pg_catalog'::regnamespace
  AND NOT EXISTS (
    SELECT 1 FROM unnest(p.proargtypes::oid[] || p.prorettype) AS u (type)
    JOIN pg_type AS y ON y.oid = u.type
    WHERE y.typname IN ('internal', 'trigger', 'event_trigger', 'language_handler',
                        'fdw_handler', 'index_am_handler', 'table_am_handler', 'tsm_handler'))
"""
POSTGRES_TYPES = """
SELECT typname FROM pg_type
WHERE typnamespace = 'pg_catalog'::regnamespace AND typtype IN ('b', 'd', 'e', 'r', 'm')
  AND typcategory <> 'A' AND typname !~ '^pg_(?!lsn|snapshot)'
"""
SPELLINGS = (
    "bit varying", "char varying", "character varying", "double precision", "national char",
    "national char varying", "national character", "national character varying", "nchar varying",
    "time with time zone", "time without time zone", "timestamp with time zone",
    "timestamp without time zone",
)  # fmt: skip
"""Names of types that are of several words, as PostgreSQL's manual lists them."""

OPTIONAL = frozenset({"median", "percentile", "percentile_cont", "percentile_disc"})
"""What SQLite has only with SQLITE_ENABLE_PERCENTILE, which apsw sets and a default build does not."""

NO_NAMES = "RT"
"""The categories of PostgreSQL's words that name no table and no column: reserved, of functions."""

SERIALS = ("bigserial", "serial", "serial2", "serial4", "serial8", "smallserial")


def arities(rows: Iterable[tuple[str, int, int]]) -> dict[str, str]:
    """Return the numbers of arguments that each name takes, neighbours put together."""
    bounds: dict[str, set[tuple[int, int]]] = {}
    for name, least, most in rows:
        bounds.setdefault(name.lower(), set()).add((least, most))
    return {name: " ".join(_merged(found)) for name, found in sorted(bounds.items())}


def _merged(bounds: set[tuple[int, int]]) -> list[str]:
    """Return ranges in order, each once."""
    merged: list[list[int]] = []
    for least, most in sorted(bounds, key=lambda one: (one[0], one[1] < 0, one[1])):
        last = merged[-1] if merged else None
        if last is not None and (last[1] < 0 or least <= last[1] + 1):
            last[1] = -1 if -1 in {last[1], most} else max(last[1], most)
        else:
            merged.append([least, most])
    return [
        str(least) if least == most else f"{least}.." if most < 0 else f"{least}..{most}"
        for least, most in merged
    ]


def postgresql(connection: psycopg.Connection[Any]) -> dict[str, object]:
    """Return what a PostgreSQL has."""
    ask = connection.execute
    categories = dict(ask("SELECT word, catcode::text FROM pg_get_keywords()").fetchall())
    keywords = list(categories)
    aliases = {name for name in (*SPELLINGS, *keywords) if _is_type(connection, name)}
    types = {row[0] for row in ask(POSTGRES_TYPES)} | aliases
    for serial in SERIALS:
        with connection.transaction(force_rollback=True):
            ask(f"CREATE TABLE t (c {serial})")
        types.add(serial)
    return {
        "engine": "postgresql",
        "version": connection.info.parameter_status("server_version").split()[0],  # type: ignore[union-attr]
        "functions": arities(ask(POSTGRES_FUNCTIONS).fetchall()),
        "types": sorted(types),
        "operators": sorted({row[0] for row in ask("SELECT oprname FROM pg_operator")}),
        "keywords": sorted(keywords),
        "reserved": sorted(word for word, code in categories.items() if code in NO_NAMES),
    }


def _is_type(connection: psycopg.Connection[Any], name: str) -> bool:
    """Return whether the grammar reads a word, or several, as a type that is there."""
    try:
        found = connection.execute(
            "SELECT true FROM pg_type WHERE oid = to_regtype(%s) AND typtype <> 'p'", (name,)
        ).fetchone()
    except psycopg.errors.SyntaxError:
        return False
    return found is not None


def sqlite() -> dict[str, object]:
    """Return what the newest SQLite has in its core; it takes any name for a type."""
    connection = apsw.Connection(":memory:")
    rows = connection.execute("SELECT name, narg FROM pragma_function_list WHERE builtin")
    keywords = sorted(word.lower() for word in apsw.keywords)
    return {
        "engine": "sqlite",
        "version": apsw.sqlite_lib_version(),
        "functions": arities(
            sqlite_arity(name, count) for name, count in rows if name not in OPTIONAL
        ),
        "types": None,
        "operators": None,
        "keywords": keywords,
        "reserved": [word for word in keywords if not _may_be_name(connection, word)],
    }


def _may_be_name(connection: apsw.Connection, word: str) -> bool:
    """Return whether SQLite takes a word without quotes for a column's name."""
    try:
        connection.execute(f"CREATE TEMP TABLE names ({word} TEXT); DROP TABLE names")
    except apsw.SQLError:
        return False
    return True


def sqlite_arity(name: str, count: int) -> tuple[str, int, int]:
    """Return the arguments that SQLite means: -1 is any number, -3 any from one on, -4 from two."""
    if count >= 0:
        return name, count, count
    return name, max(0, -count - 2), -1


def encode(names: dict[str, object]) -> str:
    """Return a list as it is written: one name a line, so that changes can be read."""
    return json.dumps(names, indent=0, ensure_ascii=False) + "\n"


def main() -> None:
    """Write both files."""
    FOLDER.mkdir(exist_ok=True)
    with leashed() as url, postgres(url) as server:
        lists = (sqlite(), postgresql(server.connection))
    for names in lists:
        (FOLDER / f"{names['engine']}.json").write_text(encode(names), encoding="utf-8")


if __name__ == "__main__":
    main()
