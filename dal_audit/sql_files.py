"""Which SQL files are migrations, and which backends run them.

The configuration decides; where it is silent, the paths do, as far as the migration tools' own
layouts give them away.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cached_property
from typing import Final

from dal_audit.policy import Policy, compile_globs

_FOLDERS: Final = frozenset(
    {"changelog", "changelogs", "deploy", "drizzle", "migrate", "migration", "migrations", "revert"}
)
"""What the tools call the folders that hold their migrations."""

_NUMBERED: Final = re.compile(
    r"\d+(?:[._-].*)?\.sql\Z"  # plain numbers, dbmate, goose, golang-migrate, sqlx, tern, atlas
    r"|[VUB]\d+(?:[._]\d+)*__.+\.sql\Z|R__.+\.sql\Z"  # Flyway, refinery
    r"|.+\.(?:up|down|rollback)\.sql\Z",  # golang-migrate, sqlx; yoyo
    re.IGNORECASE,
)
_NUMBERED_FOLDER: Final = re.compile(r"\d[\d-]*_[^/]*/(?:up|down|migration)\.sql\Z")
"""Diesel's and Prisma's: a folder a migration."""

_ENGINES: Final = {
    "sqlite": "sqlite",
    "sqlite3": "sqlite",
    "pg": "postgresql",
    "postgres": "postgresql",
    "postgresql": "postgresql",
    "psql": "postgresql",
    "cockroach": "",
    "duckdb": "",
    "h2": "",
    "mariadb": "",
    "mssql": "",
    "mysql": "",
    "oracle": "",
    "sqlserver": "",
}
"""What engines are called in paths; empty for one that no project here can have as a target."""

_IN_NAME: Final = re.compile(
    r"\.sql\.(?P<after>\w+)\Z|\.(?P<before>\w+)\.sql\Z|\A\d+_(?P<migrate>\w+)_(?:up|down)grade\.sql\Z"
)
"""`full.sql.postgres`, `schema.postgresql.sql`, `001_sqlite_upgrade.sql` (SQLAlchemy-migrate)."""

_SEVERAL: Final = 2


class SqlFiles:
    """The SQL files of a project, as the configuration and their paths tell them apart."""

    def __init__(self, policy: Policy, paths: Iterable[str]) -> None:
        """Take the project's policy, and the paths of its SQL files relative to its root."""
        self.policy = policy
        self.paths = tuple(paths)
        self._configured = tuple(
            (compile_globs((_below(one.path), one.path), anchored=True), one.backends)
            for one in policy.migrations or ()
        )

    def is_migration(self, path: str) -> bool:
        """Return whether a file belongs to a set of migrations."""
        if self.policy.migrations is not None:
            return any(covers(path) for covers, _ in self._configured)
        return path in self._found

    @cached_property
    def _found(self) -> frozenset[str]:
        by_folder: dict[str, list[str]] = {}
        for path in self.paths:
            by_folder.setdefault(path.rpartition("/")[0], []).append(path)
        found: set[str] = set()
        for folder, paths in by_folder.items():
            if not _FOLDERS.isdisjoint(folder.lower().split("/")):
                found.update(paths)
                continue
            in_series = [path for path in paths if _NUMBERED.match(path.rpartition("/")[2])]
            if len(in_series) >= _SEVERAL:
                found.update(in_series)
        found.update(path for path in self.paths if _NUMBERED_FOLDER.search(path))
        return frozenset(found)

    def backends_of(self, path: str) -> tuple[str, ...]:
        """Return the backends that run a file, in the policy's order; none for another engine's.

        A set that is meant for a backend which is no target is judged for that backend all the
        same: it is there to be run.
        """
        for covers, backends in self._configured:
            if backends is not None and covers(path):
                return backends
        engine = _engine_of(path)
        if engine is None:
            return self.policy.backends
        return (engine,) if engine else ()


def _below(folder: str) -> str:
    """Return the glob of all that lies below a configured folder."""
    folder = folder.strip("/").removeprefix("./")
    return f"{folder}/**" if folder not in {"", "."} else "**"


def _engine_of(path: str) -> str | None:
    """Return the engine that a path names, the innermost first; None where it names none."""
    *folders, name = path.lower().split("/")
    in_name = _IN_NAME.search(name)
    if in_name:
        word = next(filter(None, in_name.groups()), "")
        if word in _ENGINES:
            return _ENGINES[word]
    for folder in reversed(folders):
        named = [_ENGINES[word] for word in re.split(r"[-_.]", folder) if word in _ENGINES]
        if len(set(named)) == 1:
            return named[0]
    return None
