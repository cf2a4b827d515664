"""Azure Pipelines: `azure-pipelines.yml` as facts.

The form is that of Microsoft's "YAML schema reference". Nothing waits for service containers.
"""

from __future__ import annotations

import re
from typing import Final

from yaml.nodes import MappingNode, Node

from dal_audit.extract.ci.scripts import commands_in
from dal_audit.extract.ci.yaml_tree import Document, entry, items, key_node, pairs
from dal_audit.facts import Span
from dal_audit.facts.ci import CiJob, CiMatrix, CiService, CiSetting, CiStep, CiTrigger, CiWorkflow

_TEMPLATE: Final = re.compile(r"^[ \t]*(?:-[ \t]+)*(?:template|extends)[ \t]*:", re.MULTILINE)
_SCRIPTS: Final = ("script", "bash", "powershell", "pwsh")


def workflow_in(document: Document) -> CiWorkflow | None:
    """Return the jobs of a pipeline; None for a document that has none."""
    root = document.root
    if not isinstance(root, MappingNode):
        return None
    reader = _Reader(document, root)
    jobs = tuple(reader.jobs())
    leads_on = _TEMPLATE.search(document.text) is not None
    if not jobs and not leads_on:
        return None
    key = key_node(root, "pr") or key_node(root, "trigger")
    place = document.span(key) if key is not None else Span(1, 1, 1, 1)
    env = reader.variables(entry(root, "variables"))
    triggers = reader.triggers(place)
    return CiWorkflow(document.span(root), "azure", triggers, place, jobs, env, leads_on=leads_on)


class _Reader:
    """Reads the jobs of one pipeline."""

    def __init__(self, document: Document, root: MappingNode) -> None:
        self.document = document
        self.root = root
        containers = items(entry(entry(root, "resources"), "containers"))
        self.containers = {
            str(getattr(entry(container, "container"), "value", "")): container
            for container in containers
        }

    def triggers(self, place: Span) -> tuple[CiTrigger, ...]:
        """Return what starts the pipeline: without a word about it, each push and each request."""
        found = []
        if getattr(entry(self.root, "pr"), "value", "") != "none":
            found.append(CiTrigger("pull_request", place))
        trigger = entry(self.root, "trigger")
        if getattr(trigger, "value", "") != "none":
            branches = self._branches(trigger)
            found.append(CiTrigger("push", place, branches))
        return tuple(found)

    def _branches(self, trigger: Node | None) -> tuple[str, ...] | None:
        if trigger is None:
            return None
        node = trigger
        if isinstance(trigger, MappingNode):
            node = (
                entry(entry(trigger, "branches"), "include")
                or entry(trigger, "branches")
                or trigger
            )
        names = tuple(str(item.value) for item in items(node))
        return None if "*" in names else names

    def variables(self, node: Node | None) -> tuple[CiSetting, ...]:
        """Return variables, which are a table or a list of names and values."""
        if isinstance(node, MappingNode):
            return self.document.settings(node)
        found = []
        for item in items(node):
            name, value = entry(item, "name"), self.document.text_of(entry(item, "value"))
            if name is not None and value is not None and isinstance(name.value, str):
                found.append(CiSetting(name.value, self.document.span(name), value))
        return tuple(found)

    def jobs(self) -> list[CiJob]:
        stages = items(entry(self.root, "stages"))
        nodes = [job for stage in stages for job in items(entry(stage, "jobs"))]
        nodes += items(entry(self.root, "jobs"))
        found = [self._job(node) for node in nodes if isinstance(node, MappingNode)]
        if entry(self.root, "steps") is not None:
            found.append(self._job(self.root))
        return found

    def _job(self, node: Node) -> CiJob:
        key = key_node(node, "job") or key_node(node, "deployment") or key_node(node, "steps")
        span = self.document.span(key if key is not None else node)
        name = getattr(entry(node, "job"), "value", "") or "steps"
        return CiJob(
            str(name),
            span,
            condition=self._condition(node),
            soft=self.document.setting(node, "continueOnError"),
            matrix=self._matrix(entry(entry(node, "strategy"), "matrix")),
            env=() if node is self.root else self.variables(entry(node, "variables")),
            services=tuple(self._services(entry(node, "services"))),
            steps=tuple(self._step(step) for step in items(entry(node, "steps"))),
        )

    def _condition(self, node: Node) -> CiSetting | None:
        """Return a condition only where it is constant: Azure's functions are not worked out."""
        found = self.document.setting(node, "condition")
        return found if found is not None and found.value.text.strip() == "false" else None

    def _services(self, node: Node | None) -> list[CiService]:
        found = []
        for key, value in pairs(node):
            container = self.containers.get(value.value) if isinstance(value.value, str) else value
            image = getattr(entry(container, "image"), "value", "") or ""
            options = str(getattr(entry(container, "options"), "value", "") or "")
            checked = "--health-cmd" in options
            span = self.document.span(key)
            found.append(CiService(key.value, span, str(image), options, checked))
        return found

    def _matrix(self, node: Node | None) -> CiMatrix | None:
        if not isinstance(node, MappingNode):
            return None
        legs = tuple(self.document.data(value) for _, value in pairs(node))
        return CiMatrix(self.document.span(node), include=legs)

    def _step(self, node: Node) -> CiStep:
        name = getattr(entry(node, "displayName"), "value", "")
        return CiStep(
            self.document.span(node),
            str(name),
            commands_in(self.document, entry(node, *_SCRIPTS)),
            env=self.document.settings(entry(node, "env")),
            condition=self._condition(node),
            soft=self.document.setting(node, "continueOnError"),
        )
