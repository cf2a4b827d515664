"""What of a job or a step keeps a failure of its tests from counting, or the tests from running."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from dal_audit.assemble.workflows.model import Hindrance
from dal_audit.assemble.workflows.state import State
from dal_audit.assemble.workflows.titles import shortened
from dal_audit.assemble.workflows.triggers import blocking
from dal_audit.extract.ci.expressions import truth_of
from dal_audit.facts import Place
from dal_audit.facts.ci import CiJob, CiSetting

MAX_DEPTH: Final = 5
"""How far jobs are followed to those that they need."""

_STATUS: Final = re.compile(r"\b(?:always|cancelled|failure)\s*\(")


def of_job(path: str, job: CiJob, jobs: Mapping[str, CiJob], state: State) -> Iterator[Hindrance]:
    """Yield what of a job, or of those that it needs, keeps its failure from counting."""
    yield from of_settings(path, job.condition, job.soft, state)
    skipped = _skipped(path, job, jobs, state, 0)
    if skipped is not None:
        yield skipped


def of_settings(
    path: str, condition: CiSetting | None, soft: CiSetting | None, state: State
) -> Iterator[Hindrance]:
    """Yield what of a job's or step's keys keeps it from running, or its failure from counting."""
    if condition is not None:
        text = condition.value.text
        known = [truth_of(text, {**state.contexts, **event}) for event in state.events]
        if all(answer is False for answer in known) or condition.name == "when":
            what = f"`{condition.name}: {shortened(text)}` never holds before a merge"
            yield Hindrance(Place(path, condition.key), what)
    if soft is not None and truth_of(soft.value.text, state.contexts) is True:
        yield Hindrance(Place(path, soft.key), f"`{soft.name}`")


def _skipped(
    path: str, job: CiJob, jobs: Mapping[str, CiJob], state: State, depth: int
) -> Hindrance | None:
    """Return what keeps a needed job from ever running, so that this one is skipped."""
    runs_anyway = job.condition is not None and _STATUS.search(job.condition.value.text)
    if runs_anyway or depth > MAX_DEPTH:
        return None
    needed = (jobs[need.text] for need in job.needs if need.text in jobs)
    found = (
        _stopped(path, other, state) or _skipped(path, other, jobs, state, depth + 1)
        for other in needed
    )
    return next(filter(None, found), None)


def _stopped(path: str, job: CiJob, state: State) -> Hindrance | None:
    """Return what keeps a job from running for every change; its matrix does not matter to it."""
    if job.triggers is not None and not blocking(job.triggers):
        what = f"`{job.name}`, which it needs, runs on some branches only,"
        return Hindrance(Place(path, job.triggers[0].key), what)
    return next(of_settings(path, job.condition, None, state), None)
