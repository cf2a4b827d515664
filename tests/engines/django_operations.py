"""Django's operations, run with Django on an engine: what comes of them once."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Final

import django
from django.apps import apps
from django.conf import settings
from django.db import connections, migrations, transaction
from django.db.migrations.state import ProjectState
from sqlalchemy import URL

from dal_audit.catalogue.portability import Verdict

TABLES: Final = """
migrations.CreateModel("P", fields=[("id", models.AutoField(primary_key=True))])
migrations.CreateModel("T", fields=[
    ("id", models.AutoField(primary_key=True)),
    ("a", models.IntegerField()), ("b", models.CharField(max_length=50)),
])
migrations.CreateModel("F", fields=[
    ("id", models.AutoField(primary_key=True)),
    ("p", models.ForeignKey("shop.P", on_delete=models.CASCADE)),
])
migrations.CreateModel("X", fields=[
    ("id", models.AutoField(primary_key=True)),
    ("u", models.IntegerField(unique=True)),
    ("v", models.IntegerField(null=True)),
    ("c", models.CharField(max_length=50, null=True)),
], options={
    "indexes": [models.Index(fields=["v"], name="ixx")],
    "constraints": [models.CheckConstraint(condition=models.Q(v__gt=0), name="ckx")],
})
"""
"""What stands before an operation is run, an operation a paragraph."""

IMPORTS: Final = """\
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import (
    ArrayField, DateTimeRangeField, HStoreField, IntegerRangeField,
)
from django.contrib.postgres.indexes import BrinIndex, BTreeIndex, GinIndex, HashIndex
from django.contrib.postgres.operations import (
    AddConstraintNotValid, AddIndexConcurrently, CreateCollation, CreateExtension,
    HStoreExtension, RemoveCollation, RemoveIndexConcurrently, TrigramExtension, ValidateConstraint,
)
from django.contrib.postgres.search import SearchVectorField
from django.db import migrations, models
from django.db.models import F
from django.db.models.functions import Lower, Now


def by_vendor(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("COMMENT ON TABLE shop_t IS 'x'")
"""


def configure(url: URL, file: Path) -> None:
    """Set Django up with a database on each engine, under the engine's name; once for all."""
    if settings.configured:
        return
    settings.configure(
        DATABASES={
            "default": {"ENGINE": "django.db.backends.sqlite3", "NAME": str(file)},
            "postgresql": {
                "ENGINE": "django.db.backends.postgresql",
                "NAME": url.database,
                "USER": url.username or "",
                "PASSWORD": url.password or "",
                "HOST": url.query.get("host") or url.host or "",
                "PORT": url.port or "",
            },
        },
        INSTALLED_APPS=["django.contrib.contenttypes"],
        USE_TZ=True,
    )
    django.setup()
    assert apps.ready


def is_at_least(version: str) -> bool:
    """Return whether a version is given, and the installed Django is no older."""
    return bool(version) and tuple(map(int, version.split("."))) <= django.VERSION


def error_of(engine: str, example: str, *, is_taken_back: bool = False) -> str:
    """Return what an operation fails for on fresh tables, or its way back; empty where it runs."""
    names: dict[str, Any] = {}
    exec(IMPORTS, names)
    operations = eval(f"[{','.join(operations_of(TABLES))}, {example}]", names)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        run = partial(_outcome, operations, is_taken_back=is_taken_back)
        return str(_on_sqlite(run) if engine == "sqlite" else _on_postgresql(run))


def looked_at(engine: str, example: str, look: Callable[[Any], Any]) -> tuple[Any, Any]:
    """Return what shows in a database behind an operation, and when it is taken back."""
    names: dict[str, Any] = {}
    exec(IMPORTS, names)
    *before, operation = eval(f"[{','.join(operations_of(TABLES))}, {example}]", names)

    def outcome(connection: Any) -> tuple[Any, Any]:
        state = ProjectState()
        for own in before:
            state = _run(own, state, connection)
        after = _run(operation, state, connection)
        found = look(connection)
        if operation.reversible:
            with connection.schema_editor(atomic=False) as editor:
                operation.database_backwards("shop", editor, after, state)
        return found, look(connection)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found: tuple[Any, Any] = (_on_sqlite if engine == "sqlite" else _on_postgresql)(outcome)
        return found


def _on_sqlite(outcome: Callable[[Any], Any]) -> Any:
    """Run operations in a file that is removed: SQLite lets tables be altered in no transaction."""
    connection = connections["default"]
    try:
        return outcome(connection)
    finally:
        connection.close()
        Path(connection.settings_dict["NAME"]).unlink()


def _on_postgresql(outcome: Callable[[Any], Any]) -> Any:
    """Run operations in a transaction that is rolled back."""
    try:
        with transaction.atomic(using="postgresql"):
            found = outcome(connections["postgresql"])
            transaction.set_rollback(True, using="postgresql")
            return found
    finally:
        connections["postgresql"].close()


def _outcome(operations: list[Any], connection: Any, *, is_taken_back: bool) -> str:
    """Run operations; return what the last of them fails for, or its way back."""
    state = ProjectState()
    for operation in operations[:-1]:
        state = _run(operation, state, connection)
    try:
        after = _run(operations[-1], state, connection)
        if is_taken_back:
            with connection.schema_editor(atomic=False) as editor:
                operations[-1].database_backwards("shop", editor, after, state)
    except Exception as error:  # noqa: BLE001  # whatever it is: the operation fails
        return f"{type(error).__name__}: {error}"
    return ""


def takes(engine: str, verdict: Verdict) -> bool:
    """Return whether an engine is said to take an operation, from a version on or in all."""
    if isinstance(verdict, bool):
        return verdict
    connection = connections["default" if engine == "sqlite" else engine]
    found = connection.get_database_version()
    connection.close()
    return bool(found >= tuple(map(int, verdict.split("."))))


def operations_of(text: str) -> list[str]:
    parts = text.replace("\nmigrations", "\0migrations").split("\0")
    return [part for part in parts if part.strip()]


def _run(operation: migrations.operations.base.Operation, state: Any, connection: Any) -> Any:
    """Run an operation; return the state behind it."""
    after = state.clone()
    operation.state_forwards("shop", after)
    with connection.schema_editor(atomic=False) as editor:
        operation.database_forwards("shop", editor, state, after)
    return after
