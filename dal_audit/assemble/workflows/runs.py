"""All jobs of a project's CI, walked through: from the workflows that an event starts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from posixpath import normpath
from typing import Any, Final, TypeVar

from dal_audit.assemble.workflows.model import Hindrance, JobRun, Note
from dal_audit.assemble.workflows.state import Files, Start
from dal_audit.assemble.workflows.triggers import blocking, contexts_for, trigger_hindrance
from dal_audit.assemble.workflows.walk import JobWalk
from dal_audit.extract.ci.expressions import Contexts
from dal_audit.facts import FileFacts, Place
from dal_audit.facts.ci import CiAction, CiCompose, CiJob, CiTool, CiWorkflow
from dal_audit.policy import compile_globs

MAX_CALLS: Final = 4
"""How deep workflows may call each other, as GitHub has it."""

MAX_RUNS: Final = 2000

Kind = TypeVar("Kind")


class Runs:
    """Walks through the jobs of all workflows."""

    def __init__(
        self, facts: Sequence[FileFacts], configured: Sequence[str] | None, files: Sequence[str]
    ) -> None:
        """Take the facts of CI, the globs of its own workflows, and what filters of paths see.

        That are the files of storage and of its tests.
        """
        self.paths = files
        self.files = Files(
            _by_path(facts, CiWorkflow),
            _by_path(facts, CiAction),
            _by_path(facts, CiTool),
            _by_path(facts, CiCompose),
        )
        chosen = compile_globs(configured or (), anchored=True)
        self.own = [path for path in sorted(self.files.workflows) if not configured or chosen(path)]
        self.found: list[JobRun] = []
        self.called: set[str] = set()
        self.unread: dict[Place, str] = {}
        """The jobs that run something which lies in no file of the project, by their places."""

    def walk(self) -> list[JobRun]:
        """Return what the jobs came to: those that events start, then those that nobody calls."""
        for path in self.own:
            workflow = self.files.workflows[path]
            called = [trigger.event == "workflow_call" for trigger in workflow.triggers]
            if not called or not all(called):
                self._workflow(path, workflow)
        for path in self.own:
            workflow = self.files.workflows[path]
            events = {trigger.event for trigger in workflow.triggers}
            if events == {"workflow_call"} and path not in self.called:
                place = Place(path, workflow.triggers_key)
                self._uncalled(path, workflow, Hindrance(place, "no workflow calls its workflow,"))
        return self.found

    def _workflow(self, path: str, workflow: CiWorkflow) -> None:
        for job in workflow.jobs:
            hindrances = tuple(self._hindrances(path, workflow, job))
            start = Start(_events(workflow, job), hindrances=hindrances)
            self._job(path, workflow, job, start, 0)

    def _job(self, path: str, workflow: CiWorkflow, job: CiJob, start: Start, depth: int) -> None:
        """Walk through a job, or through the workflow that it calls."""
        walk = JobWalk(self.files, path, workflow, job)
        if job.uses is None:
            self.found.append(walk.walk(start))
            return
        target = normpath(job.uses.text.partition("@")[0])
        called = self.files.workflows.get(target)
        if called is None and blocking(workflow.triggers):
            self.unread[Place(path, job.key)] = f"{job.name} {job.uses.text}"
        if called is None or depth > MAX_CALLS or len(self.found) > MAX_RUNS:
            return
        self.called.add(target)
        note = Note(Place(path, job.uses.span), f"the job `{job.name}` calls `{target}`")
        for state, given in walk.calls(start):
            inputs = {**_defaults(called), **given}
            inner = Start(
                start.events,
                inputs,
                state.hindrances,
                (*start.way, note),
                state.title,
                {**state.combination, **_texts(inputs)},
            )
            for further in called.jobs:
                self._job(target, called, further, inner, depth + 1)

    def _hindrances(self, path: str, workflow: CiWorkflow, job: CiJob) -> Iterator[Hindrance]:
        found = trigger_hindrance(path, workflow, job, self.paths)
        if found is not None:
            yield found
        if workflow.system == "github" and workflow.duplicates:
            key = workflow.duplicates[0]
            what = f"the key `{key.text}` stands twice, so that GitHub refuses the workflow,"
            yield Hindrance(Place(path, key.span), what)

    def _uncalled(self, path: str, workflow: CiWorkflow, hindrance: Hindrance) -> None:
        for job in workflow.jobs:
            walk = JobWalk(self.files, path, workflow, job)
            self.found.append(walk.walk(Start([{}], _defaults(workflow), (hindrance,))))


def _events(workflow: CiWorkflow, job: CiJob) -> list[Contexts]:
    """Return what is known at each event before a merge that starts a job; of none, nothing is."""
    triggers = workflow.triggers if job.triggers is None else job.triggers
    events = dict.fromkeys(trigger.event for trigger in blocking(triggers))
    return [contexts_for(event) for event in events] or [{}]


def _defaults(workflow: CiWorkflow) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for name, text in workflow.parameters:
        made[name] = {"true": True, "false": False}.get(text, text)
    return made


def _texts(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the inputs that are texts: they choose as the values of a matrix do."""
    return {name: value for name, value in values.items() if isinstance(value, str)}


def _by_path(files: Sequence[FileFacts], kind: type[Kind]) -> dict[str, Kind]:
    return {file.path: fact for file in files for fact in file.facts if isinstance(fact, kind)}
