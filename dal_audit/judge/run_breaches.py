"""What is remarked on the runs of a migration, as breaches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dal_audit.assemble.first_runs import objections_of
from dal_audit.assemble.project import Project
from dal_audit.assemble.second_runs import Remark, Run, remarks_of
from dal_audit.facts import FileFacts, Place
from dal_audit.facts.sql import SqlStatement
from dal_audit.judge.breach import Breach
from dal_audit.judge.sql_portability import join_names, verdicts


def remarks(
    run: Run, statement: SqlStatement, file: FileFacts, project: Project
) -> Iterator[tuple[Remark, tuple[str, ...]]]:
    """Yield what is remarked on one run of a statement, each with the backends that it holds on.

    Those that do not run the statement even once are left out.
    """
    found = [remark for remark in remarks_of(project).get(id(statement), ()) if remark.run == run]
    never = _rejecting(statement, file, project) if found else frozenset()
    for remark in found:
        backends = tuple(backend for backend in remark.cures if backend not in never)
        if backends:
            yield remark, backends


def _rejecting(statement: SqlStatement, file: FileFacts, project: Project) -> frozenset[str]:
    """Return the backends that reject a statement, for its text or for what stands before it."""
    objections = objections_of(project).get(id(statement), ())
    return frozenset(
        backend
        for several in (
            *(verdict.fails_on for verdict in verdicts(statement, file, project)),
            *(objection.backends for objection in objections),
        )
        for backend in several
    )


def breach_of(
    remark: Remark, backends: Sequence[str], statement: SqlStatement, path: str, message: str
) -> Breach:
    """Return a remark on a statement as a breach on some of its backends, with a message."""
    failing = tuple(backends) if remark.effect == "fails" else ()
    return Breach(
        Place(path, remark.span),
        message,
        label=f"fails on {join_names(failing)}" if failing else "",
        extent=(statement.span.line, statement.span.end_line),
        fails_on=(),
        fails_later_on=failing,
        remedy=remark.cures[backends[0]],
    )
