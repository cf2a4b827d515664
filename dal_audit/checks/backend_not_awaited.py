"""DAL502 backend-not-awaited."""

from __future__ import annotations

from collections.abc import Iterator

from dal_audit.assemble.project import Project
from dal_audit.assemble.workflows.coverage import coverage_of
from dal_audit.assemble.workflows.model import Server
from dal_audit.facts import Place
from dal_audit.judge.breach import Breach
from dal_audit.judge.check import check


@check("DAL502")
def backend_not_awaited(project: Project) -> Iterator[Breach]:
    """Flag a server of a target backend that the tests of its job may find not ready yet."""
    coverage = coverage_of(project)
    if "postgresql" not in coverage.targets:
        return
    seen: dict[Place, Server] = {}
    for run in coverage.runs:
        if run.legs:
            for server in run.servers:
                if server.used and not server.awaited:
                    seen.setdefault(server.place, server)
    for place, server in sorted(seen.items()):
        yield Breach(place, _message(server), remedy=_cure(server))


def _message(server: Server) -> str:
    image = f" ({server.image})" if server.image and server.image != server.name else ""
    if server.how == "service":
        return f"service `{server.name}`{image} has no health check, and no step waits for it"
    return f"the command starts `{server.name}`{image} and does not wait until it answers"


def _cure(server: Server) -> str:
    if server.how == "service":
        return "Add `--health-cmd pg_isready` to the service's `options`."
    if server.how == "compose":
        return "Give the service a `healthcheck` in the compose file, and start it with `--wait`."
    return "Wait for it in the next step: `until pg_isready -h localhost; do sleep 1; done`."
