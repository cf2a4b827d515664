"""What each SQL statement fails for the first time, given all that stands before it.

The migrations are followed in the order in which their tool runs them, for each backend those that
are meant for it; the parts that take a migration back are left out. A file that is none of them is
followed by itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product

from dal_audit.assemble.memo import query
from dal_audit.assemble.project import AUDITED, POLICY, STATEMENTS, Project
from dal_audit.assemble.second_runs import SchemaErrors, runs_of
from dal_audit.facts import FileFacts, Place
from dal_audit.facts.sql import SqlStatement
from dal_audit.schema import FOLLOWED, Database, SchemaError


@query(depends_on=(STATEMENTS, AUDITED, POLICY, runs_of))
def first_run_errors(project: Project) -> Mapping[Place, tuple[SchemaError, ...]]:
    """Return what statements fail for, by their places."""
    runs = runs_of(project)
    errors = SchemaErrors()
    backends = [backend for backend in FOLLOWED if backend in project.policy.backends]
    others = [file for file in project.files if file.path not in runs.paths]
    for file, backend in product(others, backends):
        _follow(file, backend, errors)
    return {**runs.errors, **errors.all()}


def _follow(file: FileFacts, backend: str, errors: SchemaErrors) -> None:
    """Note what the statements of a file fail for on a backend."""
    statements = [
        fact for fact in file.facts if isinstance(fact, SqlStatement) and fact.part != "down"
    ]
    if statements:
        database = Database(backend)
        database.begin(statements)
        for statement in statements:
            errors.add(Place(file.path, statement.span), database.apply(statement))
