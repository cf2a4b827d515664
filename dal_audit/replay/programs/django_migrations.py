"""Runs the migrations of a Django app one by one, on the databases that it is told.

The project's settings hold, but for its databases: there is one, the scratch database.
"""

from __future__ import annotations

import ast
import os
import re
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import FrameType
from typing import Any

from dal_audit.replay.programs.session import (
    AbsentError,
    Journal,
    UnfitError,
    ancestors,
    place,
    serve,
)

SETTINGS = "DJANGO_SETTINGS_MODULE"
_NAMED = re.compile(SETTINGS + r"[\"']\s*,\s*[\"']([\w.]+)[\"']")
ENGINES = {
    "sqlite": "django.db.backends.sqlite3",
    "postgresql": "django.db.backends.postgresql",
}
_DATABASE = {
    "database": "NAME",
    "user": "USER",
    "password": "PASSWORD",
    "host": "HOST",
    "port": "PORT",
}


class App:
    """An app of a project that is set up, and the database of the last request."""

    def __init__(self, folder: Path, root: Path, target: dict[str, str]) -> None:
        """Set the project up. Raises UnfitError where it cannot be, AbsentError without the app."""
        try:
            import django
            from django.conf import settings
        except ImportError as error:
            raise UnfitError(f"Django cannot be imported: {error}") from None
        _enter(folder, root)
        try:
            settings.DATABASES = {"default": self.database(target)}
            settings.DATABASE_ROUTERS = []
            django.setup()
        except Exception as error:
            raise UnfitError(
                f"the settings do not load: {type(error).__name__}: {error}"
            ) from error
        self.label = _label(folder)
        self.places: dict[str, list[tuple[int, int]]] = {}
        self.journal = Journal(self.locate)

    @staticmethod
    def database(target: dict[str, str]) -> dict[str, Any]:
        """Return the settings of a database."""
        named = {key: target[word] for word, key in _DATABASE.items() if target.get(word)}
        return {"ENGINE": ENGINES[target["engine"]], **named}

    def answered(self, request: dict[str, Any]) -> dict[str, Any]:
        """Do what is asked for, and return what came of it."""
        from django.db import connection

        connection.close()
        connection.settings_dict.update(self.database(request["target"]))
        self.journal.begin()
        failure = None
        try:
            with connection.execute_wrapper(self.noted):
                self.do(request["do"], request["name"])
        except BaseException as error:  # noqa: BLE001  # a project's code raises what it likes
            failure = self.journal.failure(error)
        finally:
            connection.close()
        return {"statements": self.journal.statements, "failure": failure}

    def do(self, what: str, name: str) -> None:
        """Run one migration; `again` makes the table of migrations forget it first."""
        from django.db import connection
        from django.db.migrations.executor import MigrationExecutor

        executor = MigrationExecutor(connection)
        recorder = executor.recorder
        target = (self.label, name)
        if what == "begin":
            recorder.ensure_schema()
        elif what == "before":
            plan = executor.migration_plan([target])
            others = [(step.app_label, step.name) for step, _ in plan]
            executor.migrate([node for node in others if node != target])
        elif what == "down":
            executor.migrate([], plan=list(_undoing(executor.loader, target)))
        else:
            if what == "again":
                recorder.record_unapplied(*target)
                executor.loader.build_graph()
            executor.migrate([target])

    def noted(self, execute: Any, sql: Any, params: Any, many: Any, context: Any) -> Any:
        """Note a statement, and run it."""
        self.journal.note(str(sql))
        try:
            return execute(sql, params, many, context)
        except Exception:
            self.journal.refused = str(sql)
            raise

    def locate(self, frame: FrameType, _line: int) -> dict[str, Any] | None:
        """Return the operation that a frame of Django's runs, or its migration at least."""
        if frame.f_globals.get("__name__") == "django.db.migrations.migration":
            migration, operation = frame.f_locals.get("self"), frame.f_locals.get("operation")
        elif frame.f_code.co_name in {"apply_migration", "unapply_migration"}:
            migration, operation = frame.f_locals.get("migration"), None
        else:
            return None
        if migration is None or getattr(migration, "app_label", None) != self.label:
            return None
        path = import_module(type(migration).__module__).__file__ or ""
        if path not in self.places:
            self.places[path] = list(_operations(ast.parse(Path(path).read_bytes())))
        lines = self.places[path]
        operations = [id(own) for own in migration.operations]
        number = operations.index(id(operation)) if id(operation) in operations else 0
        first, last = lines[number] if number < len(lines) else (1, 1)
        return place(os.path.realpath(path), first, last, is_made=_is_made(operation))


def _undoing(loader: Any, target: tuple[str, str]) -> Iterator[tuple[Any, bool]]:
    """Yield what has to be taken back for a migration to be, last the migration itself.

    Not by going to its parents: that takes back their other children, too, and fails where one
    parent comes from another.
    """
    for node in loader.graph.backwards_plan(target):
        if node in loader.applied_migrations:
            yield loader.graph.nodes[node], True


def _is_made(operation: Any) -> bool:
    """Return whether Django writes the SQL of an operation, and not who wrote the migration."""
    own = type(operation)
    return own.__module__.startswith("django.") and own.__name__ not in {"RunSQL", "RunPython"}


def _operations(tree: ast.Module) -> Iterator[tuple[int, int]]:
    """Yield the first and the last line of each operation of a migration."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Assign) or not isinstance(node.value, (ast.List, ast.Tuple)):
            continue
        if any(isinstance(name, ast.Name) and name.id == "operations" for name in node.targets):
            for element in node.value.elts:
                yield element.lineno, element.end_lineno or element.lineno


def _enter(folder: Path, root: Path) -> None:
    """Go where the project's `manage.py` is, and take the settings that it names."""
    for candidate in ancestors(folder, root):
        program = Path(candidate, "manage.py")
        if program.is_file():
            found = _NAMED.search(program.read_text(encoding="utf-8", errors="replace"))
            os.chdir(candidate)
            sys.path.insert(0, str(candidate))
            if found:
                os.environ[SETTINGS] = found.group(1)
                return
    raise UnfitError("there is no manage.py above it that names its settings")


def _label(folder: Path) -> str:
    """Return the label of the app with migrations in a folder. Raises AbsentError without one."""
    from django.apps import apps
    from django.db.migrations.loader import MigrationLoader

    for app in apps.get_app_configs():
        name, _ = MigrationLoader.migrations_module(app.label)
        try:
            paths = list(import_module(name).__path__) if name else []
        except ImportError:
            continue
        if os.path.realpath(folder) in map(os.path.realpath, paths):
            return str(app.label)
    raise AbsentError("no app that is installed has these migrations")


def main(folder: Path, root: Path) -> None:
    """Answer requests on the migrations in a folder."""
    apps: list[App] = []

    def answered(request: dict[str, Any]) -> dict[str, Any]:
        if not apps:
            apps.append(App(folder, root, request["target"]))
        return apps[0].answered(request)

    serve(answered)
