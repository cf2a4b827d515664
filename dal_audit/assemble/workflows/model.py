"""What is known of a project's CI: legs, servers, and what keeps a leg from blocking a merge."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

from msgspec import Struct, field

from dal_audit.facts import Place
from dal_audit.facts.ci import CiJob, CiWorkflow


class Note(Struct, frozen=True, order=True):
    """A place on the way to something, and what happens there."""

    place: Place
    message: str


class Hindrance(Struct, frozen=True, order=True):
    """Why a leg does not keep a change from being merged: the place, and what stands there."""

    place: Place
    what: str


ServerHow: TypeAlias = Literal["service", "container", "compose", "system"]


class Server(Struct):
    """A PostgreSQL server that a job starts; `name` is what a message calls it."""

    place: Place
    name: str
    image: str
    how: ServerHow
    awaited: bool = False
    used: bool = False
    """Whether something spoke to it before it was awaited."""
    waits: tuple[Note, ...] = ()


class Print(Struct, frozen=True):
    """A command that writes variables to the log: their names, or all of them."""

    place: Place
    variables: tuple[str, ...]
    env: Mapping[str, str]
    everything: bool = False
    text: str = ""


class Leg(Struct, frozen=True, dict=True):
    """One run of a suite: a job, a combination of its matrix, and the command that runs tests.

    `env` is what reaches the tests. `axes` are the values of the combination, `own` the variables
    that are set for the command or its step. `is_opaque` says that what runs is not to be seen,
    `has_helper` that something before it is not: either may start a server by itself.
    """

    workflow: CiWorkflow
    path: str
    job: CiJob
    job_place: Place
    title: str
    words: tuple[str, ...]
    place: Place
    env: Mapping[str, str]
    own: Mapping[str, str]
    axes: Mapping[str, object]
    servers: tuple[Server, ...] = ()
    installs: tuple[tuple[str, ...], ...] = ()
    is_opaque: bool = False
    has_helper: bool = False
    hindrances: tuple[Hindrance, ...] = ()
    way: tuple[Note, ...] = ()
    folder: str = ""

    @property
    def may_start_server(self) -> bool:
        """Whether something of it is not to be seen that may start a server."""
        return self.is_opaque or self.has_helper

    @property
    def blocks(self) -> bool:
        """Whether a failure of this leg keeps a change from being merged."""
        return not self.hindrances


class JobRun(Struct):
    """What a job came to: its legs, servers and prints, over all of its combinations."""

    path: str
    job: CiJob
    legs: list[Leg] = field(default_factory=list)
    servers: list[Server] = field(default_factory=list)
    prints: list[Print] = field(default_factory=list)
