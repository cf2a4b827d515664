"""Owners: which names are accessors, and the files that a receiver must lead to for an access."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

from dal_audit.assemble.accessors import PLUMBING_READ, errors_of, handing_members, read_as
from dal_audit.assemble.class_hierarchy import Class, Hierarchy, hierarchy_of
from dal_audit.assemble.held_objects import held_objects_of
from dal_audit.assemble.memo import query
from dal_audit.assemble.project import POLICY, Project
from dal_audit.facts import HEIRS_OF, Member


@query(depends_on=(Project.driver_sources, hierarchy_of, held_objects_of), cuts_off=True)
def accessor_owners(project: Project) -> Mapping[str, frozenset[str]]:
    """Return the names of what hands out a driver's object or hands SQL on, each with its owners.

    These are the files of the classes and modules to one of which a receiver must lead. What the
    configuration calls an accessor is one of whatever receiver, and not among them.
    """
    hierarchy = hierarchy_of(project)
    found: defaultdict[str, set[str]] = defaultdict(set)
    for owner, member in _handing_on(project, hierarchy):
        found[read_as(member, owner)].add(owner.path)
    for name, path in _of_interfaces(hierarchy, frozenset(found)):
        found[name].add(path)
    for name, modules in project.driver_sources.modules_of_objects().items():
        files = (project.names.packages.get(module) for module in modules)
        found[name].update(filter(None, files))
    return {name: frozenset(paths) for name, paths in found.items()}


@query(depends_on=(POLICY, accessor_owners, hierarchy_of, held_objects_of), cuts_off=True)
def accessors_of(project: Project) -> frozenset[str]:
    """Return the names of all attributes that hand out a driver's object, or hand SQL on.

    With them go the names of storage's classes that others may inherit from, marked `HEIRS_OF`.
    """
    heirs = (f"{HEIRS_OF}{name.rpartition('.')[2]}" for name in _storage_handing(project))
    return frozenset(accessor_owners(project)).union(heirs, project.policy.accessors)


def _handing_on(project: Project, hierarchy: Hierarchy) -> Iterator[tuple[Class, Member]]:
    """Yield the members of classes that hand on a driver's object, its exception or SQL."""
    yield from handing_members(project)
    for owner in hierarchy.classes.values():
        if hierarchy.zones.in_storage(owner.path):
            for member in owner.shape.members:
                if member.executed or any(errors_of(owner, member, project)):
                    yield owner, member


def _of_interfaces(hierarchy: Hierarchy, names: frozenset[str]) -> Iterator[tuple[str, str]]:
    """Yield the names of accessors that classes have which stand for others, with their files.

    Those are interfaces, for what implements them, and Protocols, for what looks like them.
    """
    for backend, interface in hierarchy.backends:
        yield from ((name, interface.path) for name in names & hierarchy.members(backend).keys())
    yield from _of_protocols(hierarchy, names) if names else ()
    for interface in filter(hierarchy.is_known, hierarchy.interfaces):
        yield from ((name, interface.path) for name in PLUMBING_READ)


def _of_protocols(hierarchy: Hierarchy, names: frozenset[str]) -> Iterator[tuple[str, str]]:
    """Yield the names that classes of storage have which look like a Protocol, with its file."""
    alike = {
        frozenset(hierarchy.members(found))
        for found in hierarchy.classes.values()
        if hierarchy.zones.in_storage(found.path) and not hierarchy.is_protocol(found)
    }
    having = [(members, members & names) for members in alike if members & names]
    for protocol in filter(hierarchy.is_protocol, hierarchy.classes.values()):
        wanted = hierarchy.members(protocol).keys()
        for members, accessed in having:
            if wanted and wanted <= members:
                yield from ((name, protocol.path) for name in accessed)


def _storage_handing(project: Project) -> frozenset[str]:
    """Return the names of storage's classes that hand out a driver's object, or inherit one."""
    hierarchy = hierarchy_of(project)
    handing = {
        owner.name
        for owner, _ in handing_members(project)
        if hierarchy.zones.in_storage(owner.path)
    }
    return frozenset(
        owner.shape.name
        for owner in hierarchy.classes.values()
        if handing and hierarchy.zones.in_storage(owner.path)
        if any(ancestor.name in handing for ancestor in hierarchy.ancestors(owner))
    )
