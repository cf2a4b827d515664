"""What is found of the runs of a migration, as breaches."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, Literal

from dal_audit.assemble.engine_modules import backends_for
from dal_audit.assemble.first_runs import first_runs
from dal_audit.assemble.project import Project
from dal_audit.assemble.run_findings import RunFinding, RunKind
from dal_audit.assemble.second_runs import runs_of
from dal_audit.facts import FileFacts, Place
from dal_audit.facts.sql import SqlStatement
from dal_audit.judge.breach import Breach
from dal_audit.judge.sql_portability import at_same_place, extent_of, join_names, verdicts

_RUNS: Final[Mapping[RunKind, Literal["again", "all-again"]]] = {
    "rerun": "again",
    "rerun-all": "all-again",
}


def run_findings(
    run: RunKind, statement: SqlStatement, file: FileFacts, project: Project
) -> Iterator[tuple[RunFinding, tuple[str, ...]]]:
    """Yield what is found of one run of a statement, each with the backends that it holds on.

    Those that do not run the statement even once are left out.
    """
    every = runs_of(project).findings.get(Place(file.path, statement.span), ())
    found = [finding for finding in every if finding.run == run]
    several = at_same_place(statement, file) if found else ()
    if not several or several[0] is not statement:
        return  # What an operation comes to is told once.
    never = _rejecting(statement, file, project, is_down=run == "down")
    run_by = {own for each in several for own in backends_for(each, file.path, project)}
    for finding in found:
        backends = tuple(
            backend for backend in finding.cures if backend in run_by and backend not in never
        )
        if backends:
            yield finding, backends


def _rejecting(
    statement: SqlStatement, file: FileFacts, project: Project, *, is_down: bool
) -> frozenset[str]:
    """Return the backends that reject a statement, for its text or for what stands before it.

    What stands before it decides whether a down can be run, so that is no reason to say nothing.
    """
    place = Place(file.path, statement.span)
    errors = () if is_down else first_runs(project).errors.get(place, ())
    rejecting = [
        verdict.fails_on
        for own in at_same_place(statement, file)
        for verdict in verdicts(own, file, project)
    ]
    return frozenset().union(*rejecting, *(error.backends for error in errors))


def breach_of(
    finding: RunFinding, backends: Sequence[str], statement: SqlStatement, path: str, message: str
) -> Breach:
    """Return a finding about a statement as a breach on some of its backends, with a message."""
    failing = tuple(backends) if finding.effect == "fails" else ()
    return Breach(
        Place(path, finding.span),
        message,
        label=f"fails on {join_names(failing)}" if failing else "",
        extent=extent_of(statement, statement.span),
        fails_on=(),
        fails_later_on=failing,
        run=_RUNS.get(finding.run, ""),
        remedy=_cure(finding.cures[backends[0]], statement),
    )


_IN_CODE: Final = {
    "Write `IF NOT EXISTS`.": "Write `if_not_exists=True`.",
    "Write `IF EXISTS`.": "Write `if_exists=True`.",
}
_LOOK: Final = "Look with the inspector first whether it is there."


def _cure(cure: str, statement: SqlStatement) -> str:
    """Return a cure as the statement's own language has it: SQL, or an operation of code."""
    within = statement.within
    if within is None or not within.is_operation:
        return cure
    is_sql = "`" in cure and cure not in _IN_CODE
    return _LOOK if is_sql else _IN_CODE.get(cure, cure)
