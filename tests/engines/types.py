"""Write how PostgreSQL's types, casts, operators and functions fit together.

    python -m tests.engines.types

PostgreSQL says it in `pg_type`, `pg_cast`, `pg_operator`, `pg_proc` and `pg_aggregate`. What only
the engine itself can call is left out, as in `tests.engines.lists`.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import psycopg

from tests.engines.leash import leashed
from tests.engines.lists import FOLDER, POSTGRES_TYPES, SERIALS, SPELLINGS
from tests.engines.servers import postgres

FILE = FOLDER / "postgresql_types.json"

INTERNAL = (
    "internal", "cstring", "trigger", "event_trigger", "language_handler", "fdw_handler",
    "index_am_handler", "table_am_handler", "tsm_handler",
)  # fmt: skip

TYPES = """
SELECT t.typname, t.typcategory, t.typispreferred, format_type(t.oid, NULL),
       CASE WHEN t.typcategory = 'A' THEN e.typname END, t.typtype
FROM pg_type AS t LEFT JOIN pg_type AS e ON e.oid = t.typelem
WHERE t.typnamespace = 'pg_catalog'::regnamespace AND t.typtype IN ('b', 'p', 'r', 'm')
  AND t.typname !~ '^_?pg_(?!lsn|snapshot)'
"""
CASTS = """
SELECT s.typname, t.typname,
       CASE WHEN p.provolatile <> 'i' THEN upper(castcontext) ELSE castcontext::text END
FROM pg_cast LEFT JOIN pg_proc AS p ON p.oid = castfunc
JOIN pg_type AS s ON s.oid = castsource JOIN pg_type AS t ON t.oid = casttarget
ORDER BY s.typname, t.typname
"""
OPERATORS = """
SELECT o.oprname, coalesce(l.typname, ''), r.typname, t.typname, p.provolatile <> 'i'
FROM pg_operator AS o JOIN pg_proc AS p ON p.oid = o.oprcode LEFT JOIN pg_type AS l ON l.oid = o.oprleft
JOIN pg_type AS r ON r.oid = o.oprright JOIN pg_type AS t ON t.oid = o.oprresult
WHERE o.oprnamespace = 'pg_catalog'::regnamespace
"""
FUNCTIONS = """
SELECT p.proname, p.prokind::text, p.proretset, p.pronargdefaults, p.provariadic <> 0,
       (SELECT array_agg(y.typname ORDER BY u.place)
        FROM unnest(p.proargtypes::oid[]) WITH ORDINALITY AS u (type, place)
        JOIN pg_type AS y ON y.oid = u.type), r.typname, coalesce(a.aggkind::text, 'n'),
       p.provolatile <> 'i'
FROM pg_proc AS p JOIN pg_type AS r ON r.oid = p.prorettype
LEFT JOIN pg_aggregate AS a ON a.aggfnoid = p.oid
WHERE p.pronamespace = 'pg_catalog'::regnamespace
"""


def fitting(connection: psycopg.Connection[Any]) -> dict[str, object]:
    """Return how the types of a PostgreSQL fit together.

    `types` say of each its category, `*` where it is preferred in that, its title, and of an array
    what its items are. `names` are those that are declared, where they are others. `casts` are its
    targets by context: implicit, by assignment, explicit, in capitals where the time or settings
    count. `operators` and `functions` have their signatures, with a mark before: `@` of an
    aggregate, `#` of one that has an order, `!` of what needs a window, and `*` of what gives rows;
    `+` stands before a last argument that may repeat, `:2` behind two that may be left out, and `~`
    behind what does not give the same at all times.
    """
    ask = connection.execute
    types = {
        name: f"{category}{'*' * preferred} {element or ''} {title}"
        for name, category, preferred, title, element, kind in ask(TYPES).fetchall()
        if name not in INTERNAL
    }
    return {
        "engine": "postgresql",
        "version": connection.info.parameter_status("server_version").split()[0],  # type: ignore[union-attr]
        "types": dict(sorted(types.items())),
        "names": _names(connection, set(types)),
        "casts": _casts(ask(CASTS).fetchall(), set(types)),
        "operators": _signatures(
            (name, f"{left}{',' if left else ''}{right}>{result}{'~' * varies}")
            for name, left, right, result, varies in ask(OPERATORS).fetchall()
            if {left, right, result} - {""} <= set(types)
        ),
        "functions": _signatures(
            (name, _signature(*row))
            for name, *row in ask(FUNCTIONS).fetchall()
            if {*(row[4] or ()), row[5]} <= set(types)
        ),
    }


def _names(connection: psycopg.Connection[Any], types: set[str]) -> dict[str, str]:
    """Return the names by which types are declared, with those that the engine has for them."""
    ask = connection.execute
    keywords = [row[0] for row in ask("SELECT word FROM pg_get_keywords()")]
    found = {name: name for (name,) in ask(POSTGRES_TYPES) if name in types}
    for name in (*SPELLINGS, *keywords):
        try:
            row = ask("SELECT typname FROM pg_type WHERE oid = to_regtype(%s)", (name,)).fetchone()
        except psycopg.errors.SyntaxError:
            continue
        if row is not None and row[0] in types:
            found[name] = row[0]
    for serial in SERIALS:
        with connection.transaction(force_rollback=True):
            ask(f"CREATE TABLE t (c {serial})")
            (found[serial],) = ask(
                "SELECT typname FROM pg_attribute JOIN pg_type AS t ON t.oid = atttypid "
                "WHERE attrelid = 't'::regclass AND attname = 'c'"
            ).fetchone() or ("",)
    return dict(sorted(found.items()))


def _casts(rows: Iterable[Any], types: set[str]) -> dict[str, str]:
    found: dict[str, list[str]] = defaultdict(list)
    for source, target, context in rows:
        if source != target and {source, target} <= types:
            found[source].append(f"{context}{target}")
    return {source: " ".join(targets) for source, targets in sorted(found.items())}


def _signature(  # noqa: PLR0917
    kind: str,
    gives_rows: bool,
    defaults: int,
    repeats: bool,
    arguments: list[str] | None,
    result: str,
    order: str,
    varies: bool,
) -> str:
    listed = list(arguments or ())
    if repeats:
        listed[-1] = f"+{listed[-1]}"
    mark = {"a": "@" if order == "n" else "#", "w": "!"}.get(kind, "")
    optional = f":{defaults}" if defaults else ""
    return f"{mark}{','.join(listed)}{optional}>{'*' * gives_rows}{result}{'~' * varies}"


def _signatures(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    found: dict[str, set[str]] = defaultdict(set)
    for name, signature in pairs:
        found[name].add(signature)
    return {name: " ".join(sorted(several)) for name, several in sorted(found.items())}


def encode(found: dict[str, object]) -> str:
    """Return the file's text: one name a line, so that changes can be read."""
    return json.dumps(found, indent=0, ensure_ascii=False) + "\n"


def main() -> None:
    """Write the file."""
    with leashed() as url, postgres(url) as server:
        FILE.write_text(encode(fitting(server.connection)), encoding="utf-8")


if __name__ == "__main__":
    main()
