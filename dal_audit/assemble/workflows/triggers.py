"""Which events start a workflow, and whether one of them comes before a change is merged."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, Final

from dal_audit.assemble.workflows.model import Hindrance
from dal_audit.extract.ci.expressions import UNKNOWN
from dal_audit.facts import Place
from dal_audit.facts.ci import CiJob, CiTrigger, CiWorkflow

_REQUESTS: Final = frozenset({"pull_request", "pull_request_target", "merge_group"})
_TYPES: Final = frozenset(
    {
        "opened",
        "synchronize",
        "reopened",
        "ready_for_review",
        "labeled",
        "edited",
        "checks_requested",
    }
)
"""Types of events that come while a pull request is open."""

_EVERY: Final = frozenset({"*", "**"})
_FEATURE: Final = "a-branch-of-its-own"
"""Stands for the branch of a change, which is none that a filter names."""

_REFS: Final = {
    "push": f"refs/heads/{_FEATURE}",
    "merge_group": f"refs/heads/gh-readonly-queue/{UNKNOWN}",
    "pull_request": f"refs/pull/{UNKNOWN}/merge",
}


def blocking(triggers: Iterable[CiTrigger]) -> list[CiTrigger]:
    """Return the triggers that start a run for every change before it is merged."""
    return [trigger for trigger in triggers if _blocks(trigger)]


def _blocks(trigger: CiTrigger) -> bool:
    if trigger.event in _REQUESTS:
        return trigger.types is None or bool(_TYPES.intersection(trigger.types))
    if trigger.event != "push" or trigger.tags_only:
        return False
    return trigger.branches is None or bool(_EVERY.intersection(trigger.branches))


def trigger_hindrance(
    path: str, workflow: CiWorkflow, job: CiJob, files: Sequence[str]
) -> Hindrance | None:
    """Return what keeps a job from running for every change; None where nothing does.

    `files` are the files of storage and its tests, as far as they are known: a filter of paths
    that none of them passes keeps the job from running.
    """
    found = blocking(workflow.triggers if job.triggers is None else job.triggers)
    if not found:
        key = job.triggers[0].key if job.triggers else workflow.triggers_key
        shown = _events_of(workflow, job)
        return Hindrance(Place(path, key), f"it runs on {shown}, never on a pull request")
    if files and not any(_passes(trigger, files) for trigger in found):
        key = found[0].paths_key or found[0].key
        return Hindrance(Place(path, key), "no file of storage or its tests passes the path filter")
    return None


def _events_of(workflow: CiWorkflow, job: CiJob) -> str:
    """Return on what a job runs, in words."""
    if job.triggers is not None and workflow.system != "github":
        return "some branches only"
    triggers = workflow.triggers if job.triggers is None else job.triggers
    return ", ".join(dict.fromkeys(trigger.event for trigger in triggers)) or "nothing"


def _passes(trigger: CiTrigger, files: Sequence[str]) -> bool:
    if trigger.paths is not None:
        return any(_is_listed(path, trigger.paths) for path in files)
    return not trigger.ignored_paths or any(
        not _is_listed(path, trigger.ignored_paths) for path in files
    )


def _is_listed(path: str, globs: Sequence[str]) -> bool:
    """Return whether a filter names a path; the last glob that matches decides."""
    listed = False
    for glob in globs:
        if re.fullmatch(_pattern(glob.removeprefix("!")), path):
            listed = not glob.startswith("!")
    return listed


def _pattern(glob: str) -> str:
    """Return a filter's glob as a pattern: `**` crosses folders, `*` does not."""
    parts = re.split(r"(\*\*/?|\*|\?)", glob)
    forms = {"**": ".*", "**/": "(?:.*/)?", "*": "[^/]*", "?": "[^/]?"}
    return "".join(forms.get(part, re.escape(part)) for part in parts)


def contexts_for(event: str) -> dict[str, Any]:
    """Return what an event tells of itself; what depends on people is not known."""
    kind = "pull_request" if event == "pull_request_target" else event
    ref = _REFS.get(kind, UNKNOWN)
    github = {
        "event_name": event,
        "ref": ref,
        "ref_name": ref.removeprefix("refs/heads/").removeprefix("refs/pull/"),
        "ref_type": "branch",
        "head_ref": UNKNOWN if kind == "pull_request" else "",
        "base_ref": UNKNOWN if kind == "pull_request" else "",
        UNKNOWN: UNKNOWN,
    }
    return {"github": github}
