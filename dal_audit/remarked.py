"""What is remarked on the runs of a migration, as breaches."""

from __future__ import annotations

from collections.abc import Iterator

from dal_audit.facts import FileFacts, Place
from dal_audit.migrated import objections_of
from dal_audit.migration_runs import Remark, Run, remarks_of
from dal_audit.portable import judged, listed
from dal_audit.project import Project
from dal_audit.rule import Breach
from dal_audit.sql_facts import SqlStatement


def remarks(run: Run, statement: SqlStatement, project: Project) -> Iterator[Remark]:
    """Yield what is remarked on one run of a statement."""
    return (one for one in remarks_of(project).get(id(statement), ()) if one.run == run)


def rejecting(statement: SqlStatement, file: FileFacts, project: Project) -> frozenset[str]:
    """Return the backends that do not run a statement even once."""
    objections = objections_of(project).get(id(statement), ())
    return frozenset(
        backend
        for one in (
            *(one.fails_on for one in judged(statement, file, project)),
            *(one.backends for one in objections),
        )
        for backend in one
    )


def breach_of(one: Remark, file: FileFacts, message: str, *, fails_on: tuple[str, ...]) -> Breach:
    """Return a remark as a breach, with a message."""
    return Breach(
        Place(file.path, one.span),
        message,
        label=f"fails on {listed(fails_on)}" if fails_on else "",
        extent=(one.span.line, one.span.end_line),
        fails_on=fails_on,
        cure=one.cure,
    )
