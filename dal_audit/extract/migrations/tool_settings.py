"""The files in which migration tools keep their settings, and those that name a tool.

Read are drizzle's journal, Prisma's lock, Sqitch's plan and settings, Alembic's `env.py`,
diesel's `metadata.toml`, `migrate.cfg`, and what `Cargo.toml` and `go.mod` ask for. Sources: the
tools' manuals. What cannot be read says nothing: no migration is lost by that, only a better order.
"""

from __future__ import annotations

import configparser
import json
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import tomli

from dal_audit.facts.migrations import Tool, ToolSettings

if TYPE_CHECKING:
    from collections.abc import Mapping

_CRATES: Final[tuple[tuple[str, Tool], ...]] = (
    ("refinery", "refinery"),
    ("diesel_migrations", "diesel"),
    ("diesel", "diesel"),
    ("sqlx", "sqlx"),
)
_MODULES: Final[tuple[tuple[str, Tool], ...]] = (
    ("github.com/pressly/goose", "goose"),
    ("github.com/golang-migrate/migrate", "golang-migrate"),
    ("github.com/rubenv/sql-migrate", "sql-migrate"),
    ("github.com/jackc/tern", "tern"),
    ("github.com/amacneil/dbmate", "dbmate"),
)
_GO_DRIVERS: Final = {
    "github.com/mattn/go-sqlite3": "sqlite",
    "github.com/glebarez/go-sqlite": "sqlite",
    "github.com/ncruces/go-sqlite3": "sqlite",
    "modernc.org/sqlite": "sqlite",
    "zombiezen.com/go/sqlite": "sqlite",
    "github.com/jackc/pgx": "postgres",
    "github.com/lib/pq": "postgres",
    "github.com/go-sql-driver/mysql": "mysql",
    "github.com/denisenkom/go-mssqldb": "mssql",
    "github.com/microsoft/go-mssqldb": "mssql",
    "github.com/marcboeker/go-duckdb": "duckdb",
    "github.com/duckdb/duckdb-go": "duckdb",
}
"""Modules of Go that speak to one engine."""
_VERSION_TABLE: Final = re.compile(r"\bversion_table\s*=\s*([\"'])(\w+)\1")


def tool_settings(name: str, text: str) -> tuple[ToolSettings, ...]:
    """Return what a file says, by its name (the last part of its path) and its text."""
    read = READERS.get(name)
    return () if read is None else read(text)


def _journal(text: str) -> tuple[ToolSettings, ...]:
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        content = None
    if not isinstance(content, dict):
        return (ToolSettings("drizzle"),)
    entries = content.get("entries")
    rows = [
        (entry["idx"], entry["tag"])
        for entry in _list(entries)
        if isinstance(entry, dict)
        and isinstance(entry.get("idx"), int)
        and isinstance(entry.get("tag"), str)
    ]
    order = tuple(tag for _index, tag in sorted(rows, key=lambda row: row[0]))
    return (ToolSettings("drizzle", order, _string(content, "dialect")),)


def _lock(text: str) -> tuple[ToolSettings, ...]:
    return (ToolSettings("prisma", engine=_string(_toml(text), "provider")),)


def _plan(text: str) -> tuple[ToolSettings, ...]:
    """Read Sqitch's plan; a change that was reworked has its first script under a tag's name."""
    names: list[str] = []
    last: dict[str, int] = {}
    reworked: set[int] = set()
    tag_after: dict[int, str] = {}
    untagged: list[int] = []
    for line in text.splitlines():
        word = line.split("#", 1)[0].split(maxsplit=1)
        if not word or word[0].startswith(("%", "-")):
            continue
        name = word[0].removeprefix("+")
        if name.startswith("@"):
            tag_after.update(dict.fromkeys(untagged, name))
            untagged.clear()
        elif name:
            if name in last:
                reworked.add(last[name])
            last[name] = len(names)
            untagged.append(len(names))
            names.append(name)
    order = [
        name + tag_after.get(index, "") if index in reworked else name
        for index, name in enumerate(names)
    ]
    return (ToolSettings("sqitch", tuple(order)),)


def _sqitch_conf(text: str) -> tuple[ToolSettings, ...]:
    found = re.search(r"^\s*engine\s*=\s*(\w+)", text, re.MULTILINE)
    return (ToolSettings("sqitch", engine=found[1] if found else ""),)


def _env(text: str) -> tuple[ToolSettings, ...]:
    """Read Alembic's `env.py`, which gives the version table its name."""
    if "alembic" not in text:
        return ()
    found = _VERSION_TABLE.search(text)
    return (ToolSettings("alembic", version_table=found[2] if found else ""),)


def _migrate_cfg(text: str) -> tuple[ToolSettings, ...]:
    table = _section(text, "db_settings").get("version_table", "")
    return (ToolSettings("sqlalchemy-migrate", version_table=table),)


def _metadata(text: str) -> tuple[ToolSettings, ...]:
    off = _toml(text).get("run_in_transaction") is False
    return (ToolSettings("diesel", transactional=not off),)


def _cargo(text: str) -> tuple[ToolSettings, ...]:
    content = _toml(text)
    crates: dict[str, set[str]] = {}
    for table in (content, _table(content, "workspace")):
        for key in ("dependencies", "dev-dependencies", "build-dependencies"):
            for crate, wish in _table(table, key).items():
                crates.setdefault(crate, set()).update(_features(wish))
    tools: dict[Tool, str] = {}
    for crate, tool in _CRATES:
        if crate in crates and not tools.get(tool):
            tools[tool] = _engine_of(crates[crate])
    return tuple(ToolSettings(tool, engine=engine) for tool, engine in tools.items())


def _features(wish: object) -> list[str]:
    """Return the features that a crate is asked for with."""
    asked = _list(wish.get("features")) if isinstance(wish, dict) else []
    return [feature for feature in asked if isinstance(feature, str)]


_ENGINES_OF_FEATURES: Final = {
    "sqlite": frozenset({"sqlite", "rusqlite"}),
    "postgres": frozenset({"postgres"}),
    "mysql": frozenset({"mysql"}),
}
"""The words in features of crates (sqlx, diesel, refinery) that ask for an engine."""


def _engine_of(features: set[str]) -> str:
    """Return the one engine that a crate is built for; empty for none or several."""
    engines = {
        engine
        for engine, words in _ENGINES_OF_FEATURES.items()
        for feature in features
        if not words.isdisjoint(re.split(r"[-_]", feature))
    }
    return engines.pop() if len(engines) == 1 else ""


def _go(text: str) -> tuple[ToolSettings, ...]:
    asked = re.findall(r"^\s*(?:require\s+)?([\w.]+(?:/[\w.~-]+)+)\s+v(.*)", text, re.MULTILINE)
    modules = [module for module, _ in asked]
    direct = [module for module, rest in asked if "// indirect" not in rest]
    tools = dict.fromkeys(
        tool
        for prefix, tool in _MODULES
        if any(f"{name}/".startswith(f"{prefix}/") for name in modules)
    )
    engines = {
        engine
        for prefix, engine in _GO_DRIVERS.items()
        if any(f"{module}/".startswith(f"{prefix}/") for module in direct)
    }
    engine = engines.pop() if len(engines) == 1 else ""
    return tuple(ToolSettings(tool, engine=engine) for tool in tools)


def _toml(text: str) -> Mapping[str, Any]:
    try:
        return tomli.loads(text)
    except (ValueError, RecursionError):
        return {}


def _table(content: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = content.get(key)
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _string(content: Mapping[str, Any], key: str) -> str:
    value = content.get(key)
    return value if isinstance(value, str) else ""


def _section(text: str, name: str) -> Mapping[str, str]:
    parser = configparser.RawConfigParser(strict=False)
    try:
        parser.read_string(text)
    except configparser.Error:
        return {}
    return dict(parser[name]) if parser.has_section(name) else {}


READERS: Final[Mapping[str, Callable[[str], tuple[ToolSettings, ...]]]] = {
    "_journal.json": _journal,
    "migration_lock.toml": _lock,
    "sqitch.plan": _plan,
    "sqitch.conf": _sqitch_conf,
    "env.py": _env,
    "migrate.cfg": _migrate_cfg,
    "metadata.toml": _metadata,
    "refinery.toml": lambda _text: (ToolSettings("refinery"),),
    "Cargo.toml": _cargo,
    "go.mod": _go,
}
"""The files that are read, by their names."""
