"""What follows from the schema that stands where a statement is run.

That is what the statement fails for, and what the engines do not treat alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from dal_audit.assemble.engine_modules import backends_for
from dal_audit.assemble.first_runs import first_runs
from dal_audit.assemble.project import Project
from dal_audit.facts import FileFacts, Place, Span
from dal_audit.facts.sql import Change, SqlStatement
from dal_audit.judge.breach import Breach
from dal_audit.judge.sql_portability import (
    at_same_place,
    extent_of,
    join_names,
    overlap,
    rejecting,
    verdicts,
)
from dal_audit.judge.verdicts import FUNCTION, PortabilityVerdict
from dal_audit.schema import FOLLOWED, SchemaError

TYPES, DECLARATIONS, CHANGES = "DAL304", "DAL305", "DAL306"


def objections(
    rule_id: str, statement: SqlStatement, file: FileFacts, project: Project
) -> Iterator[Breach]:
    """Yield what a statement fails for because of what the migrations made before it."""
    objected = list(_objections_of_rule(rule_id, statement, file, project))
    several = at_same_place(statement, file) if objected else ()
    if not several or several[0] is not statement:
        return  # What an operation comes to is told once.
    backends = tuple(
        dict.fromkeys(own for each in several for own in backends_for(each, file.path, project))
    )
    said = [verdict for each in several for verdict in verdicts(each, file, project)]
    for objection in objected:
        fails_on = tuple(backend for backend in backends if backend in objection.backends)
        if fails_on and not _is_said(objection.span, fails_on, said):
            yield Breach(
                Place(file.path, objection.span),
                f"{rejecting(fails_on)} this: {objection.reason}",
                label=f"fails on {join_names(fails_on)}",
                extent=extent_of(statement, objection.span),
                fails_on=fails_on,
                remedy=objection.cure,
            )


def divergences(
    statement: SqlStatement, file: FileFacts, project: Project
) -> Iterator[tuple[str, Breach]]:
    """Yield the kinds of what the engines do not treat alike for what a schema knows, as breaches.

    What an engine rejects, or is told of the text alone, is not told again.
    """
    place = Place(file.path, statement.span)
    found = first_runs(project).divergences.get(place, ())
    backends = backends_for(statement, file.path, project)
    if not found or not set(FOLLOWED) <= set(backends):
        return
    said = [verdict.construct.span for verdict in verdicts(statement, file, project)]
    said += [error.span for error in first_runs(project).errors.get(place, ())]
    for divergence in found:
        if not any(overlap(divergence.span, span) for span in said):
            yield (
                divergence.kind,
                Breach(
                    Place(file.path, divergence.span),
                    f"{divergence.title}: {divergence.difference}",
                    label="this is not treated alike",
                    extent=extent_of(statement, divergence.span),
                    severity="warning",
                    fails_on=(),
                    remedy=divergence.cure,
                ),
            )


def _objections_of_rule(
    rule_id: str, statement: SqlStatement, file: FileFacts, project: Project
) -> Iterator[SchemaError]:
    own = CHANGES if isinstance(statement.structure, Change) else DECLARATIONS
    for objection in first_runs(project).errors.get(Place(file.path, statement.span), ()):
        if rule_id == _RULES.get(objection.about, own):
            yield objection


_RULES = {"type": TYPES, "function": FUNCTION, "query": CHANGES}
"""The rules of what errors are about; all others are those of their statements."""


def _is_said(place: Span, fails_on: Sequence[str], said: Iterable[PortabilityVerdict]) -> bool:
    """Return whether a verdict tells of the same text that these backends reject it."""
    return any(
        set(fails_on) <= set(verdict.fails_on) and overlap(place, verdict.construct.span)
        for verdict in said
    )
