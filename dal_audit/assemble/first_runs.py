"""What each SQL statement fails for the first time, given all that stands before it.

The migrations are followed in the order in which their tool runs them, for each backend those that
are meant for it; the parts that take a migration back are left out. A file that is none of them is
followed by itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product

from msgspec import Struct

from dal_audit.assemble.engine_modules import backends_for, engine_modules
from dal_audit.assemble.memo import query
from dal_audit.assemble.migration_sets import statements_by_file
from dal_audit.assemble.project import AUDITED, POLICY, Project
from dal_audit.assemble.run_findings import SchemaErrors
from dal_audit.assemble.second_runs import runs_of
from dal_audit.facts import FileFacts, Place
from dal_audit.facts.sql import SqlStatement
from dal_audit.schema import FOLLOWED, Database, Divergence, Exemption, SchemaError


class FirstRuns(Struct, frozen=True):
    """What statements fail for, what the catalogue is wrong about, and what is not treated alike.

    All of it is by the places of the statements.
    """

    errors: Mapping[Place, tuple[SchemaError, ...]]
    exemptions: Mapping[Place, tuple[Exemption, ...]]
    divergences: Mapping[Place, tuple[Divergence, ...]]


@query(depends_on=(AUDITED, POLICY, runs_of, statements_by_file, engine_modules))
def first_runs(project: Project) -> FirstRuns:
    """Run each statement of a project once, on databases that are only thought of."""
    runs = runs_of(project)
    errors = SchemaErrors()
    backends = [backend for backend in FOLLOWED if backend in project.policy.backends]
    scripts = statements_by_file(project)
    others = [
        file
        for file in project.files
        if file.path not in runs.paths and scripts[file.path].statements
    ]
    for file, backend in product(others, backends):
        _follow(file, backend, project, errors)
    return FirstRuns(
        {**runs.errors, **errors.all()},
        {**runs.exemptions, **errors.exemptions},
        {**runs.divergences, **errors.divergences},
    )


def _follow(file: FileFacts, backend: str, project: Project, errors: SchemaErrors) -> None:
    """Note what the statements of a file fail for on a backend.

    Those in code are run by themselves: in which order they are run is not known.
    """
    statements = [
        fact for fact in file.facts if isinstance(fact, SqlStatement) and fact.part != "down"
    ]
    scripts = [[fact for fact in statements if fact.within is None]]
    scripts += [
        [fact]
        for fact in statements
        if fact.within is not None and backend in backends_for(fact, file.path, project)
    ]
    for script in filter(None, scripts):
        database = Database(backend)
        database.begin(script)
        for statement in script:
            errors.run(database, Place(file.path, statement.span), statement)
