"""DAL504 failure-does-not-block."""

from __future__ import annotations

from collections.abc import Iterator

from dal_audit.assemble.project import Project
from dal_audit.assemble.workflows.coverage import Coverage, coverage_of
from dal_audit.assemble.workflows.gates import gate_hindrances
from dal_audit.assemble.workflows.model import Hindrance, Leg
from dal_audit.judge.breach import Breach, Related
from dal_audit.judge.check import check


@check("DAL504")
def failure_does_not_block(project: Project) -> Iterator[Breach]:
    """Flag what lets a change in although the tests fail on a target backend."""
    coverage = coverage_of(project)
    if coverage.is_elsewhere:
        return
    found: dict[Hindrance, list[tuple[str, Leg]]] = {}
    for backend in coverage.targets:
        legs = coverage.legs_for(backend)
        if legs and not any(leg.blocks for leg in legs):
            nearest = min(legs, key=lambda leg: (len(leg.hindrances), leg.place))
            found.setdefault(nearest.hindrances[0], []).append((backend, nearest))
    for hindrance, hindered in sorted(found.items()):
        yield _breach(hindrance, hindered, coverage)
    for hindrance in dict.fromkeys(gate_hindrances(coverage)):
        message = f"{hindrance.what} a failure of the storage tests does not block"
        yield Breach(hindrance.place, message)


def _breach(hindrance: Hindrance, hindered: list[tuple[str, Leg]], coverage: Coverage) -> Breach:
    backends = " and ".join(f"`{backend}`" for backend, _ in hindered)
    leg = hindered[0][1]
    only = "only leg" if len(coverage.legs_for(hindered[0][0])) == 1 else "leg"
    which = (
        f"its {only} {leg.title}" if only == "only leg" else f"{leg.title}, the nearest of its legs"
    )
    related = [Related(note.place, note.message) for note in leg.way]
    related += [Related(other.place, f"{other.what} besides") for other in leg.hindrances[1:]]
    return Breach(
        hindrance.place,
        f"a failure on {backends} does not block: {_said(hindrance)} on {which}",
        related=tuple(dict.fromkeys(related))[:8],
    )


def _said(hindrance: Hindrance) -> str:
    return hindrance.what.rstrip(",")
