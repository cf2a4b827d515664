"""What an editor shows above an interface: its backends, and what each still lacks."""

from __future__ import annotations

from collections.abc import Iterator

from lsprotocol import types

from dal_audit.assemble.class_hierarchy import Class, Hierarchy, hierarchy_of
from dal_audit.assemble.conformance import is_intermediate, missing_members
from dal_audit.assemble.project import Project
from dal_audit.server.diagnostics import range_of

MOST_NAMED = 3
"""So many of the members that a backend lacks are named."""


def lenses_of(project: Project, path: str) -> Iterator[types.CodeLens]:
    """Yield a lens for each interface in a file."""
    hierarchy = hierarchy_of(project)
    for interface in hierarchy.interfaces:
        if interface.path == path:
            yield types.CodeLens(
                range_of(interface.shape.span),
                command=types.Command(_title(interface, hierarchy), ""),
            )


def _title(interface: Class, hierarchy: Hierarchy) -> str:
    backends = [
        _described(backend, interface, hierarchy)
        for backend, implemented in hierarchy.backends
        if implemented.name == interface.name and not is_intermediate(backend)
    ]
    if not backends:
        return "storage interface without a backend"
    return f"{len(backends)} backend{'s' * (len(backends) > 1)}: {', '.join(backends)}"


def _described(backend: Class, interface: Class, hierarchy: Hierarchy) -> str:
    name = backend.shape.name
    lacking = [member.name for _, member in missing_members(backend, interface, hierarchy)]
    if not lacking:
        return name
    more = f" and {len(lacking) - MOST_NAMED} more" if len(lacking) > MOST_NAMED else ""
    return f"{name} (lacks {', '.join(lacking[:MOST_NAMED])}{more})"
