"""What holds at a step of a job: variables, servers, what hinders it, and where it runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct, field

from dal_audit.assemble.workflows.model import Hindrance, Note, Server
from dal_audit.extract.ci.expressions import Contexts
from dal_audit.facts.ci import CiAction, CiCompose, CiTool, CiWorkflow


class Files(Struct, frozen=True):
    """The facts of a project's CI, by path."""

    workflows: Mapping[str, CiWorkflow]
    actions: Mapping[str, CiAction]
    tools: Mapping[str, CiTool]
    composes: Mapping[str, CiCompose]


class Start(Struct, frozen=True):
    """With what a job begins: the events that start it, and what a calling workflow hands it.

    `title` and `combination` are those of the calling job's leg.
    """

    events: Sequence[Contexts]
    inputs: Mapping[str, Any] = field(default_factory=dict)
    hindrances: tuple[Hindrance, ...] = ()
    way: tuple[Note, ...] = ()
    title: str = ""
    combination: Mapping[str, Any] = field(default_factory=dict)


class State(Struct):
    """What holds at a step of a job, for one combination of its matrix.

    `own` are the variables of the step or command alone; `folder` is where it runs.
    """

    contexts: dict[str, Any]
    events: Sequence[Contexts]
    env: dict[str, str]
    combination: Mapping[str, Any]
    title: str
    servers: list[Server] = field(default_factory=list)
    installs: list[tuple[str, ...]] = field(default_factory=list)
    own: dict[str, str] = field(default_factory=dict)
    hindrances: tuple[Hindrance, ...] = ()
    way: tuple[Note, ...] = ()
    folder: str = ""
    shell: str = ""
    has_helper: bool = False
    """Whether something ran that is not to be seen, and may have started a server."""
