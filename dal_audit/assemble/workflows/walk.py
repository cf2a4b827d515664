"""A job, walked through step by step for each combination of its matrix."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from posixpath import join, normpath
from typing import Any, Final

from msgspec.structs import replace

from dal_audit.assemble.workflows.commands import Call, calls_of, may_test
from dal_audit.assemble.workflows.environment import (
    expanded,
    filled,
    given_by,
    keeps,
    reaching,
    written,
)
from dal_audit.assemble.workflows.hindrances import of_job, of_settings
from dal_audit.assemble.workflows.matrix import combinations_of, title_of
from dal_audit.assemble.workflows.model import Hindrance, JobRun, Leg, Note, Print, Server
from dal_audit.assemble.workflows.outcome import swallowed
from dal_audit.assemble.workflows.servers import services_of, started_by, uses, waits
from dal_audit.assemble.workflows.state import Files, Start, State
from dal_audit.assemble.workflows.targets import called_targets
from dal_audit.assemble.workflows.titles import is_unknown, said, unknown_suite
from dal_audit.extract.ci.expressions import (
    UNKNOWN,
    interpolate,
    truth_of,
    value_of,
)
from dal_audit.extract.ci.shell import commands_at
from dal_audit.facts import Place, Span
from dal_audit.facts.ci import CiCommand, CiJob, CiSetting, CiStep, CiTarget, CiWorkflow

MAX_DEPTH: Final = 5
"""How far is followed what a command calls."""

MAX_LEGS: Final = 4000
"""How many legs of one project are looked at."""

_INPUT: Final = re.compile(r"(?:^|[-_])(?:args?|command|cmd|pytest|run|script|tests?)(?:$|[-_])")

_OPEN: Final = ("github", "job", "needs", "runner", "secrets", "steps", "strategy", "vars")
"""The contexts of which nothing is known."""

_INSTALLERS: Final = frozenset({"pip", "pip3", "pdm", "poetry", "uv"})
_SERVER_ACTION: Final = re.compile(r"postgres", re.IGNORECASE)


class JobWalk:
    """Walks through one job; what it finds is in `run`."""

    def __init__(self, files: Files, path: str, workflow: CiWorkflow, job: CiJob) -> None:
        """Take the job and the files that its commands may lead to."""
        self.files = files
        self.path = path
        self.workflow = workflow
        self.job = job
        self.jobs = {other.name: other for other in workflow.jobs}
        self.run = JobRun(path, job)
        self.combinations: Sequence[Mapping[str, Any]] = ()

    def walk(self, start: Start) -> JobRun:
        """Walk through all combinations of the job's matrix."""
        for state in self._states(start):
            state.way = (*state.way, Note(self._place(self.job.key), f"the job `{self.job.name}`"))
            for step in self.job.steps:
                self._step(step, self.path, state)
            self.run.servers += state.servers
        return self.run

    def calls(self, start: Start) -> Iterator[tuple[State, dict[str, Any]]]:
        """Yield the combinations with which a job calls another workflow, and their inputs."""
        for state in self._states(start):
            yield (
                state,
                {
                    setting.name: value_of(setting.value.text, state.contexts)
                    for setting in self.job.inputs
                },
            )

    def _states(self, start: Start) -> Iterator[State]:
        contexts = self._contexts(start.inputs)
        self.combinations = combinations_of(self.job.matrix, contexts)
        for combination in self.combinations:
            state = self._state(combination, contexts, start)
            own = of_job(self.path, self.job, self.jobs, state)
            state.hindrances = (*start.hindrances, *own)
            state.way = start.way
            yield state

    def _contexts(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        return {"inputs": dict(inputs), "env": {UNKNOWN: UNKNOWN}, **dict.fromkeys(_OPEN, UNKNOWN)}

    def _state(
        self, combination: Mapping[str, Any], contexts: Mapping[str, Any], start: Start
    ) -> State:
        own = title_of(self.job.name, combination)
        known = start.events[0] if len(start.events) == 1 else {}
        state = State(
            {**contexts, **known, "matrix": combination},
            start.events,
            {},
            {**start.combination, **combination},
            f"{start.title} / {own}" if start.title else own,
        )
        if self.workflow.system in {"gitlab", "azure"}:
            state.env = {
                name: value for name, value in combination.items() if isinstance(value, str)
            }
        self._set(state, self.workflow.env)
        self._set(state, self.job.env)
        state.servers = list(services_of(self.path, self.job, state.contexts))
        state.folder = self.job.directory or self.workflow.directory
        state.shell = self.job.shell or self.workflow.shell
        return state

    def _place(self, span: Span) -> Place:
        return Place(self.path, span)

    def _set(self, state: State, settings: Iterable[CiSetting]) -> None:
        """Set the variables of a workflow, a job or a step; none sees another of the same table."""
        made = {
            setting.name: interpolate(setting.value.text, state.contexts) for setting in settings
        }
        state.env = {**state.env, **made}
        state.contexts = {**state.contexts, "env": {UNKNOWN: UNKNOWN, **state.env}}

    # Steps

    def _step(self, step: CiStep, path: str, state: State, depth: int = 0) -> None:
        if len(self.run.legs) > MAX_LEGS or self._is_left_out(step, state):
            return
        inner = self._entered(step, path, state)
        if step.uses is not None:
            self._used(step, path, inner, depth)
        self._script(step.script, path, inner, 0)
        if step.script:
            self._by_title(step, path, inner)
        state.has_helper = inner.has_helper
        names = written(step)
        kept = {name: value for name, value in inner.env.items() if name in names}
        state.env = {**state.env, **kept}
        state.contexts = {**state.contexts, "env": {UNKNOWN: UNKNOWN, **state.env}}

    def _entered(self, step: CiStep, path: str, state: State) -> State:
        """Return what holds in a step, with its own variables, folder and shell."""
        hindrances = of_settings(path, step.condition, step.soft, state)
        folder = interpolate(step.directory, state.contexts) if step.directory else ""
        inner = replace(
            state,
            own={},
            hindrances=(*state.hindrances, *hindrances),
            folder=folder or state.folder,
            shell=step.shell or state.shell,
        )
        self._set(inner, step.env)
        changed = inner.env.items() - state.env.items()
        inner.own = {name: value for name, value in inner.env.items() if (name, value) in changed}
        if step.name:
            inner.way = (*inner.way, Note(Place(path, step.span), f"the step `{step.name}`"))
        return inner

    def _is_left_out(self, step: CiStep, state: State) -> bool:
        """Return whether a step is for other combinations of the matrix."""
        condition = step.condition
        if condition is None or "matrix." not in condition.value.text:
            return False
        contexts = {**state.contexts, "github": {UNKNOWN: UNKNOWN}}
        if truth_of(condition.value.text, contexts) is not False:
            return False
        return any(
            truth_of(condition.value.text, {**contexts, "matrix": other}) is not False
            for other in self.combinations
        )

    def _used(self, step: CiStep, path: str, state: State, depth: int) -> None:
        """Follow a composite action of the project, or read what another one is told to run."""
        assert step.uses is not None  # noqa: S101  # its caller looked
        name = step.uses.text
        if name.startswith("./") and depth < MAX_DEPTH:
            self._composite(step, path, state, depth)
            return
        if _SERVER_ACTION.search(name):
            state.servers.append(
                Server(Place(path, step.uses.span), name, "", "system", awaited=True)
            )
        for setting in step.inputs:
            if _INPUT.search(setting.name.lower()):
                text = interpolate(setting.value.text, state.contexts)
                self._script(commands_at(text, setting.value.span), path, state, 0)

    def _composite(self, step: CiStep, path: str, state: State, depth: int) -> None:
        assert step.uses is not None  # noqa: S101
        folder = normpath(step.uses.text)
        for name in ("action.yml", "action.yaml"):
            action = self.files.actions.get(normpath(join(folder, name)))
            if action is None:
                continue
            given = {
                setting.name: value_of(setting.value.text, state.contexts)
                for setting in step.inputs
            }
            contexts = {**state.contexts, "inputs": {**dict(action.parameters), **given}}
            note = Note(Place(path, step.uses.span), f"the action `{step.uses.text}`")
            inner = replace(state, contexts=contexts, way=(*state.way, note), shell="")
            for own in action.steps:
                self._step(own, normpath(join(folder, name)), inner, depth + 1)
            state.env, state.has_helper = inner.env, inner.has_helper
            return
        state.has_helper = True

    def _by_title(self, step: CiStep, path: str, state: State) -> None:
        """Take an unknown program for a suite where its step is called a test."""
        command = unknown_suite(step)
        places = {leg.place for leg in self.run.legs}
        if command is None or any(Place(path, known.span) in places for known in step.script):
            return
        words = tuple(interpolate(word, state.contexts) for word in command.words)
        self._leg(Call("script", words), command, path, state, is_opaque=True)

    # Commands

    def _script(self, commands: Sequence[CiCommand], path: str, state: State, depth: int) -> None:
        """Walk through the commands of a script; what it sets and where it goes stays in it."""
        outer = state.hindrances
        traced = False
        folders = [state.folder]
        for index, command in enumerate(commands):
            # Where a group goes is forgotten at its end.
            folders = [*folders[: command.depth + 1]]
            folders += [state.folder] * (command.depth + 1 - len(folders))
            state.folder = folders[-1]
            ready = filled(command, state)
            self._environment(ready, commands, index, state)
            hidden = swallowed(
                commands, index, has_pipefail=_has_pipefail(state.shell, self.job.runner)
            )
            if hidden is not None:
                found = Hindrance(Place(path, hidden[0].span), hidden[1])
                state.hindrances = (*outer, found)
            traced = traced or (ready.words[:1] == ("set",) and "-x" in "".join(ready.words[1:2]))
            self._print(command, commands[index + 1 :], path, state, traced=traced)
            self._waiting(ready, path, state)
            for call in calls_of(ready):
                self._call(call, ready, path, state, depth)
            folders[-1] = state.folder
            state.hindrances = outer

    def _environment(
        self, command: CiCommand, commands: Sequence[CiCommand], index: int, state: State
    ) -> None:
        """Take in what a command sets for what comes after it."""
        words = command.words
        if words[:1] == ("cd",) and len(words) > 1:
            state.folder = normpath(join(state.folder, words[1]))
        if not words:
            state.env = {**state.env, **dict(command.assigned)}
            state.own = {**state.own, **dict(command.assigned)}
        elif words[0] in {"export", "declare", "set"} or keeps(command):
            made = given_by([*commands[:index], command], index)
            may_be = made.keys() & state.env.keys() if command.part == "branch" else set()
            # Only a run knows which branch it takes.
            made |= {name: f"{state.env[name]}\n{made[name]}" for name in sorted(may_be)}
            state.env = {**state.env, **made}

    def _print(
        self,
        command: CiCommand,
        following: Sequence[CiCommand],
        path: str,
        state: State,
        *,
        traced: bool,
    ) -> None:
        from dal_audit.assemble.workflows.prints import print_of

        found = print_of(command, following, traced=traced)
        if found is not None:
            variables, everything, text = found
            place = Place(path, command.span)
            text = interpolate(text, state.contexts)
            self.run.prints.append(Print(place, variables, state.env, everything, text))

    def _waiting(self, command: CiCommand, path: str, state: State) -> None:
        """Take in which servers a command starts, speaks to and waits for, and what it installs."""
        words = command.words
        if waits(words, command):
            _await(state.servers)
        elif uses(words):
            _use(state.servers)
        inner = tuple(word for word in words if word != "sudo")
        started = started_by(inner, command, path, self.files.composes, state.folder, state.env)
        state.servers += _not_running(started, state.servers)
        if "install" in words or not _INSTALLERS.isdisjoint(words[:1]):
            state.installs.append(words)

    def _call(self, call: Call, command: CiCommand, path: str, state: State, depth: int) -> None:
        if call.does == "suite":
            self._leg(call, command, path, state)
        elif call.does != "other":
            before = len(self.run.legs)
            found = called_targets(call, self.files.tools, state.folder, state.env)
            if found is None or depth >= MAX_DEPTH:
                self._unseen(call, command, path, state)
                return
            for target in found[1]:
                self._target(target, found[0], call, command, path, state, depth)
            if len(self.run.legs) == before and _may_hide_tests(call, found[1]):
                self._leg(call, command, path, state, is_opaque=True)

    def _unseen(self, call: Call, command: CiCommand, path: str, state: State) -> None:
        """Take what is not to be seen for a suite where it may be one, else for a helper."""
        if call.does in {"tox", "nox"} or may_test(call):
            self._leg(call, command, path, state, is_opaque=True)
        elif call.does != "package":
            state.has_helper = True
            _await(state.servers)

    def _target(
        self,
        target: CiTarget,
        file: str,
        call: Call,
        command: CiCommand,
        path: str,
        state: State,
        depth: int,
    ) -> None:
        """Walk through what a command calls in another file."""
        way = (*state.way, Note(Place(path, command.span), said(call.words)))
        if target.name:
            way = (*way, Note(Place(file, target.span), f"`{target.name}`"))
        inner = replace(
            state,
            env=reaching(state.env, target, dict(call.assigned)),
            own={**state.own, **dict(target.env)},
            combination={**state.combination, call.does: target.name},
            way=way,
            shell="bash -eo pipefail" if call.does in {"tox", "nox"} else "",
            folder=normpath(join(state.folder, call.folder)),
        )
        self._script(target.commands, file, inner, depth + 1)
        state.has_helper = state.has_helper or inner.has_helper

    def _leg(
        self,
        call: Call,
        command: CiCommand,
        path: str,
        state: State,
        *,
        is_opaque: bool = False,
    ) -> None:
        _use(state.servers)
        assigned = {name: expanded(value, state.env) for name, value in call.assigned}
        place = Place(path, command.span)
        self.run.legs.append(
            Leg(
                self.workflow,
                self.path,
                self.job,
                self._place(self.job.key),
                state.title,
                call.words,
                place,
                {**state.env, **assigned},
                {**state.own, **assigned},
                state.combination,
                tuple(state.servers),
                tuple(state.installs),
                is_opaque,
                state.has_helper,
                tuple(dict.fromkeys(state.hindrances)),
                (*state.way, Note(place, said(call.words))),
                state.folder,
            )
        )


def _may_hide_tests(call: Call, targets: Iterable[CiTarget]) -> bool:
    """Return whether targets that are called tests run programs of which nothing is known."""
    commands = (command for target in targets for command in target.commands)
    return call.does not in {"tox", "nox"} and may_test(call) and any(map(is_unknown, commands))


def _has_pipefail(shell: str, runner: str) -> bool:
    """Return whether a pipe fails with any of its commands: `bash` alone is told to, by GitHub."""
    return shell == "bash" or "pipefail" in shell or "pwsh" in shell or "windows" in runner.lower()


def _not_running(started: Iterable[Server], servers: Iterable[Server]) -> list[Server]:
    """Return servers but for those that run: compose starts each once."""
    running = {server.name for server in servers if server.how == "compose"}
    return [server for server in started if server.name not in running]


def _await(servers: Iterable[Server]) -> None:
    """Take servers for ready that nothing has spoken to yet."""
    for server in servers:
        server.awaited = server.awaited or not server.used


def _use(servers: Iterable[Server]) -> None:
    for server in servers:
        server.used = True
