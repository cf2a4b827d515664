"""Runs the revisions of an Alembic environment one by one, on the databases that it is told.

The project's `env.py` runs as it stands. Whatever database it means to connect to, it gets the
scratch database: connections are made by this program alone.
"""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from types import FrameType
from typing import Any

from dal_audit.replay.programs.session import (
    Journal,
    UnfitError,
    ancestors,
    end_of_statement,
    place,
    serve,
)

DRIVERS = ("psycopg2", "psycopg", "asyncpg", "pg8000")
"""SQLAlchemy's drivers of PostgreSQL, the one that it takes by itself first."""


class Revisions:
    """An environment: its configuration, its revisions, and the database of the last request."""

    def __init__(self, folder: Path, root: Path) -> None:
        """Read it. Raises UnfitError where Alembic is not there."""
        try:
            from alembic.config import Config
            from alembic.script import ScriptDirectory
        except ImportError as error:
            raise UnfitError(f"Alembic cannot be imported: {error}") from None
        home = _home(folder, root)
        ini = next(_configurations(home, root), None)
        os.chdir(ini.parent if ini else root)
        self.config = Config(str(ini) if ini else None)
        self.config.set_main_option("script_location", str(home).replace("%", "%%"))
        self.environment = (home / "env.py").read_text(encoding="utf-8", errors="replace")
        self.written_url = self.config.get_main_option("sqlalchemy.url") or ""
        self.script = ScriptDirectory.from_config(self.config)
        self.heads: dict[str, tuple[str, ...]] = {}
        self.url: Any = None
        self.engines: list[Any] = []
        self.journal = Journal(self.locate)
        self.trees: dict[str, ast.Module | None] = {
            os.path.realpath(revision.path): None for revision in self.script.walk_revisions()
        }
        self._listen()

    def answered(self, request: dict[str, Any]) -> dict[str, Any]:
        """Do what is asked for, and return what came of it."""
        self.point_to(request["target"])
        self.journal.begin()
        failure = None
        try:
            self.do(request["do"], request["name"])
        except UnfitError:
            raise
        except BaseException as error:  # noqa: BLE001  # a project's code raises what it likes
            failure = self.journal.failure(error)
        finally:
            while self.engines:
                self.engines.pop().dispose()
        return {"statements": self.journal.statements, "failure": failure}

    def do(self, what: str, name: str) -> None:
        """Run one revision; `again` makes the version table forget it first."""
        if what == "begin":
            self.run(lambda _heads, _context: [])
        elif what == "up":
            self.run(lambda heads, _context: self.upgrade(name, heads))
        elif what == "again":
            before: Any = self.heads[name] or "base"
            self.run(lambda heads, _context: self.script._stamp_revs(before, heads), purge=True)
            self.run(lambda heads, _context: self.upgrade(name, heads))
        elif what == "down":
            self.run(lambda _heads, _context: self.downgrade(name))

    def upgrade(self, name: str, heads: tuple[str, ...]) -> list[Any]:
        """Return the one step that runs a revision, and keep what was there before it."""
        from alembic.runtime.migration import MigrationStep

        self.heads[name] = tuple(heads)
        revision: Any = self.script.get_revision(name)
        return [MigrationStep.upgrade_from_script(self.script.revision_map, revision)]

    def downgrade(self, name: str) -> list[Any]:
        """Return the one step that undoes a revision."""
        from alembic.runtime.migration import MigrationStep

        revision: Any = self.script.get_revision(name)
        return [MigrationStep.downgrade_from_script(self.script.revision_map, revision)]

    def run(self, steps: Any, **options: Any) -> None:
        """Run the project's `env.py` with a function that says which steps it takes."""
        from alembic.runtime.environment import EnvironmentContext
        from sqlalchemy import create_engine
        from sqlalchemy.pool import NullPool

        url = self.url.render_as_string(hide_password=False)
        self.config.set_main_option("sqlalchemy.url", url.replace("%", "%%"))
        os.environ["DATABASE_URL"] = url
        environment = EnvironmentContext(
            self.config, self.script, fn=steps, destination_rev="head", **options
        )
        if "attributes" not in self.environment:
            with environment:
                self.script.run_env()
            return
        engine = create_engine(self.url, poolclass=NullPool)
        with engine.begin() as connection, environment:
            self.config.attributes["connection"] = connection
            self.script.run_env()

    def point_to(self, target: dict[str, str]) -> None:
        """Choose the URL of a database, with the driver that the project has for it."""
        from sqlalchemy.engine import URL

        if target["engine"] == "sqlite":
            is_async = "async_engine" in self.environment and find_spec("aiosqlite") is not None
            name = "sqlite+aiosqlite" if is_async else "sqlite"
            self.url = URL.create(name, database=target["database"])
            return
        socket = target["host"].startswith("/")
        self.url = URL.create(
            f"postgresql+{self.driver()}",
            target["user"],
            target["password"] or None,
            None if socket else target["host"] or None,
            int(target["port"]) if target["port"] and not socket else None,
            target["database"],
            _socket(target) if socket else {},
        )

    def driver(self) -> str:
        """Return the driver of PostgreSQL that the project uses. Raises UnfitError without one."""
        written = self.written_url.partition("://")[0].partition("+")[2]
        is_async = "async_engine" in self.environment
        wanted = (written, "asyncpg" if is_async else "", "psycopg" if is_async else "", *DRIVERS)
        found = next((name for name in wanted if name and find_spec(name) is not None), None)
        if found is None:
            raise UnfitError(f"it has no driver of PostgreSQL ({', '.join(DRIVERS)})")
        return found

    def locate(self, frame: FrameType, line: int) -> dict[str, Any] | None:
        """Return the place in a revision that a frame stands at, if it runs one."""
        path = os.path.realpath(frame.f_code.co_filename)
        if path not in self.trees:
            return None
        tree = self.trees[path] or ast.parse(Path(path).read_bytes())
        self.trees[path] = tree
        return place(path, line, end_of_statement(tree, line))

    def _listen(self) -> None:
        """Make all connections here, and note what is run on them."""
        from sqlalchemy import event
        from sqlalchemy.engine import Engine

        @event.listens_for(Engine, "do_connect")
        def connect(dialect: Any, _record: Any, _arguments: Any, _named: Any) -> Any:
            if dialect.name != self.url.get_backend_name():
                raise UnfitError(
                    f"env.py connects to {dialect.name}, not to what `sqlalchemy.url` or"
                    f" DATABASE_URL says ({self.url.get_backend_name()})"
                )
            url = self.url.set(drivername=f"{dialect.name}+{dialect.driver}")
            arguments, named = dialect.create_connect_args(url)
            return dialect.connect(*arguments, **named)

        @event.listens_for(Engine, "engine_connect")
        def opened(connection: Any, *_rest: Any) -> None:
            self.engines.append(connection.engine)

        @event.listens_for(Engine, "before_cursor_execute")
        def noted(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
            self.journal.note(statement)

        @event.listens_for(Engine, "handle_error")
        def refused(context: Any) -> None:
            self.journal.refused = context.statement or ""


def _socket(target: dict[str, str]) -> dict[str, str]:
    port = {"port": target["port"]} if target["port"] else {}
    return {"host": target["host"], **port}


def _home(folder: Path, root: Path) -> Path:
    """Return the folder with the `env.py` of a set. Raises UnfitError where there is none."""
    for candidate in ancestors(folder, root):
        if (candidate / "env.py").is_file():
            return candidate
    raise UnfitError("there is no env.py at its revisions or above")


def _configurations(home: Path, root: Path) -> Iterator[Path]:
    for candidate in ancestors(home, root):
        if (candidate / "alembic.ini").is_file():
            yield candidate / "alembic.ini"


def main(folder: Path, root: Path) -> None:
    """Answer requests on the revisions in a folder."""
    revisions: list[Revisions] = []

    def answered(request: dict[str, Any]) -> dict[str, Any]:
        if not revisions:
            revisions.append(Revisions(folder, root))
        return revisions[0].answered(request)

    serve(answered)
