"""CircleCI: `.circleci/config.yml` as facts.

The form is that of CircleCI's "Configuration reference". The first image of a job runs its steps,
the others are servers that nothing waits for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from yaml.nodes import MappingNode, Node, ScalarNode

from dal_audit.extract.ci.scripts import commands_in
from dal_audit.extract.ci.yaml_tree import (
    Document,
    entry,
    items,
    key_node,
    merged,
    pairs,
    with_merges,
)
from dal_audit.facts import Span
from dal_audit.facts.ci import (
    CiData,
    CiJob,
    CiMatrix,
    CiService,
    CiSetting,
    CiStep,
    CiText,
    CiTrigger,
    CiWorkflow,
)

_PARAMETER: Final = re.compile(r"<<\s*(?:parameters|pipeline\.parameters)\.([\w-]+)\s*>>")
MAX_DEPTH: Final = 8

PIPEFAIL: Final = "bash -eo pipefail"
"""How the commands of a step are run, so that a pipe fails with any of its commands."""


def workflow_in(document: Document) -> CiWorkflow | None:
    """Return the jobs of a configuration; None for a document that has none."""
    root = document.root
    if not isinstance(entry(root, "jobs"), MappingNode) or root is None:
        return None
    start = Span(1, 1, 1, 1)
    reader = _Reader(document, root)
    every = (CiTrigger("push", start), CiTrigger("pull_request", start))
    leads_on = getattr(entry(root, "setup"), "value", "") == "true"
    jobs = tuple(reader.jobs())
    return CiWorkflow(document.span(root), "circleci", every, start, jobs, leads_on=leads_on)


class _Reader:
    """Reads the jobs of one configuration, and where its workflows use them."""

    def __init__(self, document: Document, root: Node) -> None:
        self.document = document
        self.commands = {key.value: node for key, node in merged(entry(root, "commands"))}
        self.executors = {key.value: node for key, node in merged(entry(root, "executors"))}
        self.bodies = merged(entry(root, "jobs"))
        self.uses: dict[str, list[Node | None]] = {}
        self.places: dict[str, Span] = {}
        workflows = entry(root, "workflows")
        self.has_workflows = workflows is not None
        for _, workflow in merged(workflows):
            for item in items(entry(workflow, "jobs")):
                self._use(item)

    def _use(self, item: Node) -> None:
        if isinstance(item, ScalarNode):
            self._used(item, None)
        for key, value in pairs(item):
            self._used(key, value)

    def _used(self, key: ScalarNode, use: Node | None) -> None:
        self.uses.setdefault(key.value, []).append(use)
        self.places.setdefault(key.value, self.document.span(key))

    def jobs(self) -> list[CiJob]:
        found = []
        for key, node in self.bodies:
            uses = self.uses.get(key.value, [] if self.has_workflows else [None])
            span = self.document.span(key)
            found += [self._job(key.value, span, with_merges(node), use) for use in uses]
        return [*found, *self._of_orbs()]

    def _of_orbs(self) -> Iterator[CiJob]:
        """Yield the jobs that workflows take from orbs, which lie in no file of the project."""
        for name, place in self.places.items():
            if "/" in name:
                yield CiJob(name, place, uses=CiText(name, place))

    def _job(self, name: str, key: Span, node: Node, use: Node | None) -> CiJob:
        executor = self._executor(node)
        images = items(entry(node, "docker") or entry(executor, "docker"))
        env = [*self._env(executor), *self._env(node)]
        if images:
            env += self._env(images[0])
        called = self.document.text_of(entry(use, "name"))
        requires = key_node(use, "requires")
        needed = map(self.document.text_of, items(entry(use, "requires")))
        return CiJob(
            called.text if called else name,
            key,
            tuple(text for text in needed if text is not None),
            None if requires is None else self.document.span(requires),
            matrix=self._matrix(node, use),
            env=tuple(env),
            services=tuple(self._service(image) for image in images[1:]),
            steps=tuple(self._steps(entry(node, "steps"))),
            shell=PIPEFAIL,
            triggers=self._triggers(use),
        )

    def _executor(self, node: Node) -> Node | None:
        named = entry(node, "executor")
        name = getattr(entry(named, "name") or named, "value", "")
        found = self.executors.get(name) if isinstance(name, str) else None
        return None if found is None else with_merges(found)

    def _env(self, node: Node | None) -> tuple[CiSetting, ...]:
        value = entry(node, "environment")
        return () if value is None else self.document.settings(with_merges(value))

    def _service(self, node: Node) -> CiService:
        table = with_merges(node) if isinstance(node, MappingNode) else node
        for key, value in pairs(table):
            if key.value == "image" and isinstance(value.value, str):
                name = value.value.partition(":")[0].rpartition("/")[2]
                return CiService(name, self.document.span(key), value.value)
        return CiService("", self.document.span(node), "")

    def _steps(self, node: Node | None, depth: int = 0) -> list[CiStep]:
        """Return the steps of a job, with those of the commands that it uses."""
        found: list[CiStep] = []
        for item in items(node) if depth < MAX_DEPTH else ():
            for key, value in pairs(item):
                if key.value == "run":
                    found.append(self._run(item, value))
                else:
                    found += self._steps(entry(self.commands.get(key.value), "steps"), depth + 1)
            if isinstance(item.value, str):
                found += self._steps(entry(self.commands.get(item.value), "steps"), depth + 1)
        return found

    def _run(self, item: Node, node: Node) -> CiStep:
        command = node if isinstance(node.value, str) else entry(node, "command")
        name = self.document.text_of(entry(node, "name"))
        when = self.document.setting(node, "when")
        return CiStep(
            self.document.span(item),
            name.text if name else "",
            commands_in(self.document, command),
            env=self._env(node),
            condition=when if when is not None and when.value.text == "on_fail" else None,
            shell=PIPEFAIL,
        )

    def _triggers(self, use: Node | None) -> tuple[CiTrigger, ...] | None:
        branches = entry(entry(use, "filters"), "branches")
        only = entry(branches, "only")
        if only is not None:
            names = tuple(str(item.value) for item in items(only))
            if not any(name.startswith("/") for name in names):
                return (CiTrigger("push", self.document.span(only), names),)
        ignored = entry(branches, "ignore")
        if ignored is not None and any(item.value == "/.*/" for item in items(ignored)):
            return (CiTrigger("push", self.document.span(ignored), ()),)
        return None

    def _matrix(self, node: Node, use: Node | None) -> CiMatrix | None:
        """Return a job's legs: the values that a workflow hands it, or its parameters' defaults."""
        defaults = [
            (key.value, self.document.data(default))
            for key, value in merged(entry(node, "parameters"))
            if (default := entry(value, "default")) is not None
        ]
        given = entry(entry(use, "matrix"), "parameters")
        axes = {name: _listed(value) for name, value in defaults}
        for key, value in (*pairs(use), *pairs(given)):
            axes[key.value] = _listed(self.document.data(value))
        for name in ("requires", "filters", "context", "matrix", "name"):
            axes.pop(name, None)
        return CiMatrix(self.document.span(node), tuple(axes.items())) if axes else None


def _listed(value: CiData) -> CiData:
    return value if value.kind == "list" else CiData("list", value.span, items=(value,))


def with_expressions(text: str) -> str:
    """Return a configuration with its parameters written as GitHub's expressions.

    They mean the same, so one evaluation does for both; each is as long as it was.
    """

    def written(found: re.Match[str]) -> str:
        return f"${{{{matrix.{found[1]}".ljust(len(found[0]) - 2) + "}}"

    return _PARAMETER.sub(written, text)
