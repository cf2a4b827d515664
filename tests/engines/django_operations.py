"""Django's operations, run with Django on an engine: what comes of them once."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any, Final

import django
from django.apps import apps
from django.conf import settings
from django.db import connections, migrations, transaction
from django.db.migrations.state import ProjectState
from sqlalchemy import URL

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
"""
"""What stands before an operation is run, an operation a paragraph."""

IMPORTS: Final = """\
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import (
    ArrayField, DateTimeRangeField, IntegerRangeField,
)
from django.contrib.postgres.indexes import BrinIndex, HashIndex
from django.contrib.postgres.operations import AddConstraintNotValid, AddIndexConcurrently
from django.contrib.postgres.search import SearchVectorField
from django.db import migrations, models
from django.db.models import F
from django.db.models.functions import Lower, Now
"""


def configure(url: URL, file: Path) -> None:
    """Set Django up with a database on each engine, under the engine's name."""
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


def error_of(engine: str, example: str) -> str:
    """Return what an operation fails for on fresh tables; empty where it runs."""
    names: dict[str, Any] = {}
    exec(IMPORTS, names)
    operations = eval(f"[{','.join(operations_of(TABLES))}, {example}]", names)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return _on_sqlite(operations) if engine == "sqlite" else _on_postgresql(operations)


def _on_sqlite(operations: list[Any]) -> str:
    """Run operations in a file that is removed: SQLite lets tables be altered in no transaction."""
    connection = connections["default"]
    try:
        return _outcome(operations, connection)
    finally:
        connection.close()
        Path(connection.settings_dict["NAME"]).unlink()


def _on_postgresql(operations: list[Any]) -> str:
    """Run operations in a transaction that is rolled back."""
    try:
        with transaction.atomic(using="postgresql"):
            found = _outcome(operations, connections["postgresql"])
            transaction.set_rollback(True, using="postgresql")
            return found
    finally:
        connections["postgresql"].close()


def _outcome(operations: list[Any], connection: Any) -> str:
    """Run operations; return what the last of them fails for."""
    state = ProjectState()
    for operation in operations[:-1]:
        state = _run(operation, state, connection)
    try:
        _run(operations[-1], state, connection)
    except Exception as error:  # noqa: BLE001  # whatever it is: the operation fails
        return f"{type(error).__name__}: {error}"
    return ""


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
