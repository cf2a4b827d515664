"""Gates: jobs that only judge how others ended, and what makes them let a failure pass."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from dal_audit.assemble.workflows.coverage import Coverage
from dal_audit.assemble.workflows.model import Hindrance, Leg
from dal_audit.facts import Place
from dal_audit.facts.ci import CiCommand, CiJob, CiStep, CiWorkflow

_JUDGES: Final = re.compile(
    r"alls-green|done-action|needs-check|wait-for-status|merge-me|all-green"
)
_JUDGING: Final = frozenset(
    {
        ":",
        "[",
        "[[",
        "contains",
        "echo",
        "exit",
        "false",
        "for",
        "grep",
        "jq",
        "local",
        "node",
        "printf",
        "python",
        "python3",
        "set",
        "test",
        "true",
    }
)
_LOOK: Final = re.compile(
    r"needs\.|toJSON\(needs\)|tojson\(needs\)|needs\[|\$\{?\w*(?:RESULT|NEEDS)", re.IGNORECASE
)
_STATUS: Final = re.compile(r"\b(?:always|cancelled|failure)\s*\(|!\s*cancelled")
_FAILURE: Final = re.compile(r"\bfailure\s*\(|contains\s*\(\s*needs|needs\.")
_PLAIN_ALWAYS: Final = re.compile(
    r"\s*(?:\$\{\{)?\s*(?:always\(\)|!\s*cancelled\(\))\s*(?:\}\})?\s*"
)


def gate_hindrances(coverage: Coverage) -> Iterator[Hindrance]:
    """Yield what makes a gate let the failure of a leg pass."""
    legs = [leg for backend in coverage.targets for leg in coverage.legs_for(backend)]
    for path, workflow in sorted(coverage.workflows.items()):
        own = [leg for leg in legs if _starts_in(leg, path)]
        if workflow.system == "github" and own:
            yield from _of_workflow(path, workflow, own, coverage)


def _starts_in(leg: Leg, path: str) -> bool:
    return leg.path == path or any(note.place.path == path for note in leg.way)


def _of_workflow(
    path: str, workflow: CiWorkflow, legs: list[Leg], coverage: Coverage
) -> Iterator[Hindrance]:
    jobs = {job.name: job for job in workflow.jobs}
    yield from _missing(path, workflow, jobs)
    tested = {_job_in(leg, path, workflow) for leg in legs} - {""}
    configured = coverage.policy.ci.gate
    gates = [job for job in workflow.jobs if _is_gate(job, configured)]
    judged: set[str] = set()
    for gate in gates:
        reached = _reached(gate, jobs)
        judged |= reached
        if reached & tested:
            yield from _of_gate(path, gate)
    if any(_reached(gate, jobs) & tested for gate in gates):
        yield from _left_out(path, workflow, gates, judged, coverage)


def _job_in(leg: Leg, path: str, workflow: CiWorkflow) -> str:
    """Return the job of a workflow that a leg is, or that calls it."""
    if leg.path == path:
        return leg.job.name
    places = {note.place for note in leg.way}
    for job in workflow.jobs:
        if job.uses is not None and Place(path, job.uses.span) in places:
            return job.name
    return ""


def _missing(path: str, workflow: CiWorkflow, jobs: dict[str, CiJob]) -> Iterator[Hindrance]:
    """Yield a job that another waits for and that is not there: GitHub refuses the workflow."""
    for job in workflow.jobs:
        for need in job.needs:
            if need.text not in jobs:
                what = f"`{job.name}` needs `{need.text}`, which is no job,"
                yield Hindrance(Place(path, job.needs_key or need.span), what)


def _is_gate(job: CiJob, configured: str | None) -> bool:
    """Return whether a job does nothing but judge those that it waits for."""
    if not job.needs or not job.steps:
        return False
    if configured is not None:
        return job.name == configured
    return all(map(_judges, job.steps))


def _judges(step: CiStep) -> bool:
    if step.uses is not None:
        return _JUDGES.search(step.uses.text) is not None
    return bool(step.script) and all(map(_is_judging, step.script))


def _is_judging(command: CiCommand) -> bool:
    if command.output and "GITHUB_STEP_SUMMARY" not in command.output:
        return False
    return not command.words or command.words[0] in _JUDGING


def _reached(gate: CiJob, jobs: dict[str, CiJob]) -> set[str]:
    """Return the jobs that a gate waits for, and those that these wait for."""
    found: set[str] = set()
    waiting = [need.text for need in gate.needs]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            if name in jobs:
                waiting += [need.text for need in jobs[name].needs]
    return found


def _of_gate(path: str, gate: CiJob) -> Iterator[Hindrance]:
    place = Place(path, gate.key)
    condition = gate.condition.value.text if gate.condition is not None else ""
    if not _STATUS.search(condition):
        what = f"the gate `{gate.name}` is skipped when a job that it needs fails, and"
        yield Hindrance(place, f"{what} skipped counts as success:")
    elif not any(map(_looks, gate.steps)) and not _FAILURE.search(condition):
        yield Hindrance(place, f"the gate `{gate.name}` runs always and looks at no result:")


def _looks(step: CiStep) -> bool:
    """Return whether a step looks at how the jobs ended."""
    texts = [setting.value.text for setting in (*step.env, *step.inputs)]
    texts += [word for command in step.script for word in command.words]
    if step.condition is not None:
        texts.append(step.condition.value.text)
    if any(_FAILURE.search(text) for text in texts[-1:] if step.condition is not None):
        return True
    return step.uses is not None or any(map(_LOOK.search, texts))


def _left_out(
    path: str, workflow: CiWorkflow, gates: list[CiJob], judged: set[str], coverage: Coverage
) -> Iterator[Hindrance]:
    """Yield the backends none of whose legs in a workflow a gate waits for."""
    for backend in coverage.targets:
        names = {
            _job_in(leg, path, workflow)
            for leg in coverage.blocking_for(backend)
            if _starts_in(leg, path)
        } - {""}
        if names and not names & judged:
            gate = gates[0]
            shown = ", ".join(f"`{name}`" for name in sorted(names))
            what = f"the gate `{gate.name}` does not wait for {shown} on `{backend}`:"
            yield Hindrance(Place(path, gate.needs_key or gate.key), what)
