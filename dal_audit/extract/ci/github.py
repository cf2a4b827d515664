"""GitHub Actions (also Forgejo's and Gitea's): workflows and composite actions as facts.

The form is that of GitHub's "Workflow syntax" and "Metadata syntax" pages.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from dal_audit.extract.ci.scripts import commands_in
from dal_audit.extract.ci.yaml_tree import (
    Document,
    entry,
    items,
    key_node,
    pairs,
    tables_and_lists,
)
from dal_audit.facts import Span
from dal_audit.facts.ci import (
    CiAction,
    CiJob,
    CiMatrix,
    CiService,
    CiStep,
    CiText,
    CiTrigger,
    CiWorkflow,
)

HEALTH: Final = re.compile(r"--health-cmd\b")
_START: Final = Span(1, 1, 1, 1)


def workflow_in(document: Document) -> CiWorkflow | None:
    """Return a workflow; None for a document that has no jobs."""
    root = document.root
    jobs = entry(root, "jobs")
    if not isinstance(jobs, MappingNode):
        return None
    triggers = key_node(root, "on")
    call = entry(entry(root, "on"), "workflow_call")
    return CiWorkflow(
        document.span(root) if root is not None else _START,
        "github",
        triggers_in(document),
        document.span(triggers) if triggers is not None else _START,
        tuple(_job(document, key.value, document.span(key), value) for key, value in pairs(jobs)),
        document.settings(entry(root, "env")),
        _parameters(entry(call, "inputs")),
        _shell(root),
        _directory(root),
        duplicates_in(document),
    )


def action_in(document: Document) -> CiAction | None:
    """Return a composite action; None for one that is run by something else."""
    steps = entry(entry(document.root, "runs"), "steps")
    if not isinstance(steps, SequenceNode) or document.root is None:
        return None
    return CiAction(
        document.span(document.root),
        tuple(_step(document, step) for step in steps.value),
        _parameters(entry(document.root, "inputs")),
    )


def triggers_in(document: Document) -> tuple[CiTrigger, ...]:
    """Return what starts a workflow: one event, a list, or a table with filters."""
    value = entry(document.root, "on")
    if not isinstance(value, MappingNode):
        return tuple(
            CiTrigger(text.text, text.span)
            for item in items(value)
            if (text := document.text_of(item)) is not None
        )
    return tuple(
        _trigger(document, key.value, document.span(key), node) for key, node in pairs(value)
    )


def _trigger(document: Document, event: str, key: Span, node: Node) -> CiTrigger:
    branches = _texts(document, entry(node, "branches"))
    tags = entry(node, "tags", "tags-ignore")
    return CiTrigger(
        event,
        key,
        branches,
        _texts(document, entry(node, "paths")),
        _texts(document, entry(node, "paths-ignore")) or (),
        _texts(document, entry(node, "types")),
        tags is not None and branches is None and entry(node, "branches-ignore") is None,
        _place(document, key_node(node, "paths") or key_node(node, "paths-ignore")),
    )


def _place(document: Document, node: Node | None) -> Span | None:
    return None if node is None else document.span(node)


def _texts(document: Document, node: Node | None) -> tuple[str, ...] | None:
    if node is None:
        return None
    found = [document.text_of(item) for item in items(node)]
    return tuple(text.text for text in found if text is not None)


def _parameters(node: Node | None) -> tuple[tuple[str, str], ...]:
    """Return the inputs that a workflow or an action takes, with their defaults."""
    return tuple((key.value, _text(entry(value, "default"))) for key, value in pairs(node))


def _shell(node: Node | None) -> str:
    return _text(entry(entry(entry(node, "defaults"), "run"), "shell"))


def _directory(node: Node | None) -> str:
    return _text(entry(entry(entry(node, "defaults"), "run"), "working-directory"))


def _job(document: Document, name: str, key: Span, node: Node) -> CiJob:
    needs = key_node(node, "needs")
    steps = entry(node, "steps")
    uses = entry(node, "uses")
    return CiJob(
        name,
        key,
        _needs(document, node),
        _place(document, needs),
        document.setting(node, "if"),
        document.setting(node, "continue-on-error"),
        _matrix(document, entry(entry(node, "strategy"), "matrix")),
        document.settings(entry(node, "env")),
        services_in(document, entry(node, "services")),
        tuple(_step(document, step) for step in items(steps)),
        document.text_of(uses),
        document.settings(entry(node, "with")),
        _shell(node),
        _text(entry(node, "runs-on")),
        _directory(node),
    )


def _needs(document: Document, node: Node) -> tuple[CiText, ...]:
    found = (document.text_of(item) for item in items(entry(node, "needs")))
    return tuple(text for text in found if text is not None)


def _matrix(document: Document, node: Node | None) -> CiMatrix | None:
    if node is None:
        return None
    if not isinstance(node, MappingNode):
        text = document.text_of(node)
        return CiMatrix(document.span(node), computed=text.text if text else "")
    include, exclude = entry(node, "include"), entry(node, "exclude")
    axes = tuple(
        (key.value, document.data(value))
        for key, value in pairs(node)
        if key.value not in {"include", "exclude"}
    )
    computed = " ".join(filter(None, map(_text, (include, exclude))))
    return CiMatrix(
        document.span(node),
        axes,
        tuple(document.data(item) for item in items(include)),
        tuple(document.data(item) for item in items(exclude)),
        computed,
    )


def services_in(document: Document, node: Node | None) -> tuple[CiService, ...]:
    """Return the services of a job, or of a compose file, by their keys."""
    return tuple(
        _service(document, key.value, document.span(key), value) for key, value in pairs(node)
    )


def _service(document: Document, name: str, key: Span, node: Node) -> CiService:
    image = entry(node, "image")
    text = document.text_of(image if image is not None else node)
    options = _text(entry(node, "options"))
    checked = HEALTH.search(options) is not None or entry(node, "healthcheck") is not None
    needs = tuple(_needed_services(entry(node, "depends_on")))
    return CiService(name, key, text.text if text else "", options, checked, needs)


def _needed_services(node: Node | None) -> Iterator[tuple[str, bool]]:
    """Yield the services that one of a compose file depends on, in the short or the long form."""
    for key, value in pairs(node):
        yield key.value, _text(entry(value, "condition")) == "service_healthy"
    if isinstance(node, SequenceNode):
        yield from ((_text(item), False) for item in node.value)


def _text(node: Node | None) -> str:
    """Return a scalar's text; nothing for any other node."""
    value = getattr(node, "value", "")
    return value if isinstance(value, str) else ""


def _step(document: Document, node: Node) -> CiStep:
    return CiStep(
        document.span(node),
        _text(entry(node, "name")),
        commands_in(document, entry(node, "run")),
        document.text_of(entry(node, "uses")),
        document.settings(entry(node, "with")),
        document.settings(entry(node, "env")),
        document.setting(node, "if"),
        document.setting(node, "continue-on-error"),
        _text(entry(node, "shell")),
        _text(entry(node, "id")),
        _text(entry(node, "working-directory")),
    )


def duplicates_in(document: Document) -> tuple[CiText, ...]:
    """Return the keys that stand twice in one table: GitHub refuses a workflow with such a key."""
    holders = tables_and_lists(document.root)
    tables = (holder for holder in holders if isinstance(holder, MappingNode))
    keys = (key for table in tables for key in _repeated(table))
    found = (CiText(key.value, document.span(key)) for key in keys)
    return tuple(sorted(found, key=lambda text: text.span))


def _repeated(table: MappingNode) -> Iterator[ScalarNode]:
    """Yield the keys of a table that stood in it before."""
    names: set[str] = set()
    for key, _ in pairs(table):
        if key.value in names:
            yield key
        names.add(key.value)
