"""What stands in a PostgreSQL database: to the letter, and in portable terms.

Both are read from the system catalogues. What an extension brings is the extension's, and named by
it alone. Source: the manual, "System Catalogs".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final, TypeAlias

import psycopg

from dal_audit.replay.model import Aspects, Objects
from dal_audit.replay.portable_types import (
    columns_of,
    default_of,
    foreign_key,
    index_value,
    several,
)

Pairs: TypeAlias = Iterator[tuple[str, str]]

_OURS: Final = """\
WITH spaces AS (
  SELECT oid, nspname, CASE nspname WHEN 'public' THEN '' ELSE nspname || '.' END AS prefix
  FROM pg_catalog.pg_namespace
  WHERE nspname NOT LIKE 'pg\\_%' AND nspname <> 'information_schema'
), brought AS (
  SELECT classid, objid FROM pg_catalog.pg_depend WHERE deptype = 'e'
), relations AS (
  SELECT c.oid, c.relkind, c.relpersistence, c.reloptions, s.prefix || c.relname AS name
  FROM pg_catalog.pg_class c JOIN spaces s ON s.oid = c.relnamespace
  WHERE c.oid NOT IN (SELECT objid FROM brought
  WHERE classid = 'pg_class'::pg_catalog.regclass)
)
"""

_OBJECTS: Final = """\
SELECT 'schema ' || nspname, '' FROM spaces WHERE nspname <> 'public'
  AND ('pg_namespace'::pg_catalog.regclass::oid, oid) NOT IN (SELECT classid, objid FROM brought)
UNION ALL
SELECT CASE relkind WHEN 'v' THEN 'view ' WHEN 'm' THEN 'view ' ELSE 'table ' END || name,
  relkind::text || relpersistence::text || coalesce(reloptions::text, '')
  || CASE WHEN relkind IN ('v', 'm') THEN pg_catalog.pg_get_viewdef(oid) ELSE '' END
FROM relations WHERE relkind IN ('r', 'p', 'f', 'v', 'm')
UNION ALL
SELECT 'sequence ' || r.name, q.seqtypid::text || ' ' || q.seqincrement || ' ' || q.seqmax
FROM relations r JOIN pg_catalog.pg_sequence q ON q.seqrelid = r.oid
WHERE NOT EXISTS (
  SELECT FROM pg_catalog.pg_depend d WHERE d.objid = r.oid AND d.deptype IN ('a', 'i')
  AND d.classid = 'pg_class'::pg_catalog.regclass AND d.refobjsubid > 0
)
UNION ALL
SELECT 'column ' || r.name || '.' || a.attname,
  pg_catalog.format_type(a.atttypid, a.atttypmod) || ' ' || a.attnotnull || a.attidentity::text
  || a.attgenerated::text || CASE WHEN EXISTS (
    SELECT FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_sequence q ON q.seqrelid = d.objid
    WHERE d.refobjid = a.attrelid AND d.refobjsubid = a.attnum AND d.deptype IN ('a', 'i')
  ) THEN ' counter' ELSE coalesce(' ' || pg_catalog.pg_get_expr(e.adbin, e.adrelid), '') END
FROM pg_catalog.pg_attribute a JOIN relations r ON r.oid = a.attrelid
LEFT JOIN pg_catalog.pg_attrdef e ON e.adrelid = a.attrelid AND e.adnum = a.attnum
WHERE a.attnum > 0 AND NOT a.attisdropped AND r.relkind IN ('r', 'p', 'f')
UNION ALL
SELECT 'constraint ' || r.name || '.' || c.conname, pg_catalog.pg_get_constraintdef(c.oid)
FROM pg_catalog.pg_constraint c JOIN relations r ON r.oid = c.conrelid
WHERE c.contype IN ('c', 'f', 'p', 'u', 'x')
UNION ALL
SELECT 'index ' || t.name || '.' || r.name, pg_catalog.pg_get_indexdef(i.indexrelid)
FROM pg_catalog.pg_index i JOIN relations r ON r.oid = i.indexrelid
JOIN relations t ON t.oid = i.indrelid
WHERE NOT EXISTS (
  SELECT FROM pg_catalog.pg_constraint c
  WHERE c.conindid = i.indexrelid AND c.contype IN ('p', 'u', 'x')
)
UNION ALL
SELECT 'trigger ' || r.name || '.' || t.tgname, t.tgenabled::text
  || pg_catalog.pg_get_triggerdef(t.oid)
FROM pg_catalog.pg_trigger t JOIN relations r ON r.oid = t.tgrelid WHERE NOT t.tgisinternal
UNION ALL
SELECT 'policy ' || r.name || '.' || p.polname,
  p.polcmd::text || coalesce(pg_catalog.pg_get_expr(p.polqual, p.polrelid), '')
  || coalesce(pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid), '')
FROM pg_catalog.pg_policy p JOIN relations r ON r.oid = p.polrelid
UNION ALL
SELECT 'function ' || s.prefix || p.proname || '('
  || pg_catalog.pg_get_function_identity_arguments(p.oid) || ')',
  p.prokind::text || p.provolatile::text || p.prosecdef || p.proisstrict || p.prorettype::text
  || p.prosrc
FROM pg_catalog.pg_proc p JOIN spaces s ON s.oid = p.pronamespace
WHERE ('pg_proc'::pg_catalog.regclass::oid, p.oid) NOT IN (SELECT classid, objid FROM brought)
UNION ALL
SELECT 'type ' || s.prefix || t.typname,
  t.typtype::text || coalesce(pg_catalog.format_type(nullif(t.typbasetype, 0), t.typtypmod), '')
  || t.typnotnull || coalesce(t.typdefault, '') || coalesce((
    SELECT pg_catalog.string_agg(e.enumlabel, ',' ORDER BY e.enumsortorder)
    FROM pg_catalog.pg_enum e WHERE e.enumtypid = t.oid), '') || coalesce((
    SELECT pg_catalog.string_agg(pg_catalog.pg_get_constraintdef(c.oid), ',' ORDER BY c.conname)
    FROM pg_catalog.pg_constraint c WHERE c.contypid = t.oid), '') || coalesce((
    SELECT pg_catalog.string_agg(a.attname || ' ' || pg_catalog.format_type(a.atttypid,
      a.atttypmod), ',' ORDER BY a.attnum)
    FROM pg_catalog.pg_attribute a WHERE a.attrelid = t.typrelid AND NOT a.attisdropped
  ), '')
FROM pg_catalog.pg_type t JOIN spaces s ON s.oid = t.typnamespace
LEFT JOIN pg_catalog.pg_class c ON c.oid = t.typrelid
WHERE (t.typtype IN ('e', 'd', 'r') OR (t.typtype = 'c' AND c.relkind = 'c'))
  AND ('pg_type'::pg_catalog.regclass::oid, t.oid) NOT IN (SELECT classid, objid FROM brought)
UNION ALL
SELECT 'extension ' || extname, '' FROM pg_catalog.pg_extension WHERE extname <> 'plpgsql'
"""
"""Every object, named after its kind and its table, with its definition.

A column's own sequence goes by no name: the server makes one up, and another one where that
is taken.
"""

_COLUMNS: Final = """\
SELECT r.name, a.attname, a.attnotnull, a.attidentity::text, a.attgenerated::text,
  pg_catalog.pg_get_expr(e.adbin, e.adrelid)
FROM pg_catalog.pg_attribute a JOIN relations r ON r.oid = a.attrelid
LEFT JOIN pg_catalog.pg_attrdef e ON e.adrelid = a.attrelid AND e.adnum = a.attnum
WHERE a.attnum > 0 AND NOT a.attisdropped AND r.relkind IN ('r', 'p', 'f')
ORDER BY r.name, a.attnum
"""

_KEYS: Final = """\
SELECT r.name, c.contype::text, coalesce(o.name, ''), c.confdeltype::text, c.confupdtype::text,
  ARRAY(SELECT a.attname::text FROM pg_catalog.unnest(c.conkey) WITH ORDINALITY k (number, place)
    JOIN pg_catalog.pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.number
    ORDER BY k.place),
  ARRAY(SELECT a.attname::text FROM pg_catalog.unnest(c.confkey) WITH ORDINALITY k (number, place)
    JOIN pg_catalog.pg_attribute a ON a.attrelid = c.confrelid AND a.attnum = k.number
    ORDER BY k.place)
FROM pg_catalog.pg_constraint c JOIN relations r ON r.oid = c.conrelid
LEFT JOIN relations o ON o.oid = c.confrelid
WHERE c.contype IN ('c', 'f', 'p', 'u')
"""

_INDEXES: Final = """\
SELECT t.name, r.name, i.indisunique, i.indpred IS NOT NULL,
  ARRAY(SELECT coalesce(a.attname::text, '(expression)') || CASE WHEN (i.indoption[k - 1] & 1) = 1
      THEN ' desc' ELSE '' END
    FROM pg_catalog.generate_series(1, i.indnkeyatts) k
    LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[k - 1]
      AND i.indkey[k - 1] > 0
    ORDER BY k)
FROM pg_catalog.pg_index i JOIN relations r ON r.oid = i.indexrelid
JOIN relations t ON t.oid = i.indrelid
WHERE NOT EXISTS (
  SELECT FROM pg_catalog.pg_constraint c
  WHERE c.conindid = i.indexrelid AND c.contype IN ('p', 'u', 'x')
)
"""

_VIEWS: Final = "SELECT name FROM relations WHERE relkind IN ('v', 'm')"

_ACTIONS: Final = {
    "a": "NO ACTION",
    "r": "RESTRICT",
    "c": "CASCADE",
    "n": "SET NULL",
    "d": "SET DEFAULT",
}


def objects_of(connection: psycopg.Connection[Any]) -> Objects:
    """Return what stands in a database, to the letter."""
    return {str(name): str(definition) for name, definition in _rows(connection, _OBJECTS)}


def aspects_of(connection: psycopg.Connection[Any]) -> Aspects:
    """Return the schema of a database in portable terms."""
    found: Aspects = {}
    for (name,) in _rows(connection, _VIEWS):
        found[f"view {name.lower()}"] = ""
    for row in _rows(connection, _COLUMNS):
        found.update(_column(row))
    keys: dict[tuple[str, str], list[str]] = {}
    for row in _rows(connection, _KEYS):
        kind, value = _key(*row[1:])
        keys.setdefault((kind, row[0].lower()), []).append(value)
    for table in [key.partition(" ")[2] for key in found if key.startswith("table ")]:
        for kind in ("primary-key", "unique-sets", "foreign-keys", "checks"):
            values = keys.get((kind, table), [])
            found[f"{kind} {table}"] = several(set(values) if kind == "unique-sets" else values)
    for table, name, unique, partial, columns in _rows(connection, _INDEXES):
        value = index_value(table, columns, unique=unique, partial=partial)
        found[f"index {name.rpartition('.')[2].lower()}"] = value
    return found


def _rows(connection: psycopg.Connection[Any], query: str) -> list[tuple[Any, ...]]:
    """Return what a query gives that begins with what is ours."""
    return connection.execute((_OURS + query).encode()).fetchall()


def _column(row: tuple[Any, ...]) -> Pairs:
    table, name, not_null, identity, generated, default = row
    subject = f"{table.lower()}.{name.lower()}"
    yield f"table {table.lower()}", ""
    yield f"column {subject}", ""
    yield f"nullability {subject}", "not null" if not_null else "null"
    if not generated:
        yield f"default {subject}", "" if identity else default_of(default)


def _key(
    kind: str,
    other: str,
    deleted: str,
    updated: str,
    columns: Iterable[str],
    referenced: Iterable[str],
) -> tuple[str, str]:
    if kind == "p":
        return "primary-key", columns_of(columns)
    if kind == "u":
        return "unique-sets", columns_of(sorted(map(str.lower, columns)))
    if kind == "c":
        return "checks", columns_of(sorted(map(str.lower, columns)))
    actions = (_ACTIONS[deleted], _ACTIONS[updated])
    return "foreign-keys", foreign_key(columns, other, referenced, *actions)
