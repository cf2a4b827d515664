"""What was seen of each target backend: which leg runs the tests on it, and blocks."""

from __future__ import annotations

from msgspec import Struct

from dal_audit.assemble.project import Project
from dal_audit.assemble.workflows.coverage import Coverage, coverage_of
from dal_audit.assemble.workflows.guards import silences_of
from dal_audit.assemble.workflows.model import Leg


class Tested(Struct, frozen=True, order=True):
    """Whether tests of storage were seen to run on a backend, and to block; `by` says which."""

    backend: str
    by: str
    is_proved: bool


def tested_backends(project: Project) -> tuple[Tested, ...]:
    """Return what was seen of each target backend; nothing where there is no CI to be seen."""
    if not project.ci.files:
        return ()
    coverage = coverage_of(project)
    return tuple(_tested(backend, coverage, project) for backend in coverage.targets)


def _tested(backend: str, coverage: Coverage, project: Project) -> Tested:
    legs = [leg for leg in coverage.blocking_for(backend) if coverage.is_for(leg, backend)]
    # A leg that says itself what it is for is named first.
    legs.sort(key=lambda leg: not coverage.is_told(leg, backend))
    seen = [leg for leg in legs if coverage.is_seen(leg, backend)]
    silent = any(backend in silence.backends for silence in silences_of(project))
    if silent:
        return Tested(backend, "some of its tests skip in every job", is_proved=False)
    if seen:
        return Tested(backend, f"by {_named(seen[0])}", is_proved=True)
    if legs:
        return Tested(backend, f"by {_named(legs[0])}, as far as it is to be seen", is_proved=False)
    return Tested(backend, "no job was seen to run its tests and to block", is_proved=False)


def _named(leg: Leg) -> str:
    return f"{leg.title} in {leg.path}"
