"""DAL202 backend-accessor-on-interface."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dal_audit.assemble.accessor_names import is_accessor, is_telling, plumbing_names
from dal_audit.assemble.class_hierarchy import Class, hierarchy_of
from dal_audit.assemble.held_objects import held_objects_of
from dal_audit.assemble.interface_members import (
    InterfaceMember,
    exposed_by_member,
    interface_members,
)
from dal_audit.assemble.project import Project
from dal_audit.facts import FORWARDING, OWN_MODULE, TELLS_NOTHING, Member, Place
from dal_audit.judge.breach import Breach, Related
from dal_audit.judge.check import check


@check("DAL202")
def backend_accessor_on_interface(project: Project) -> Iterator[Breach]:
    """Flag a public member whose name is that of an accessor, where its type does not refute it.

    A member that names a driver's type is not reported once more; what only a method sets, and
    nobody declares, is no part of the interface's text.
    """
    members: dict[tuple[str, str], list[InterfaceMember]] = {}
    for offered in interface_members(project):
        if not offered.member.local:
            members.setdefault((offered.owner.name, offered.member.name), []).append(offered)
    yield from _forwarding(project)
    for definitions in members.values():
        if not _gives_away(definitions, project):
            continue
        if any(_is_refuted(definition, project) for definition in definitions):
            continue
        first = definitions[0]
        span = first.member.span
        place = Place(first.interface.path, first.interface.shape.span)
        yield Breach(
            Place(first.owner.path, span),
            f"`{first.title}` gives the backend behind the interface away by its name, and its "
            "type does not say that it is anything else",
            label="an accessor in the interface",
            extent=(span.line, span.end_line),
            related=(Related(place, f"the interface `{first.interface.shape.name}`"),),
        )


def _forwarding(project: Project) -> Iterator[Breach]:
    """Flag a special method of an interface that answers for all that its backend has."""
    hierarchy = hierarchy_of(project)
    for interface in hierarchy.interfaces:
        for owner, definitions in hierarchy.all_definitions(interface).values():
            for member in definitions:
                if member.name in FORWARDING and _is_backends(interface, member, project):
                    yield _forwards(interface, owner, member)


def _forwards(interface: Class, owner: Class, member: Member) -> Breach:
    span = member.span
    return Breach(
        Place(owner.path, span),
        f"`{owner.shape.name}.{member.name}` hands on whatever is asked of it to "
        f"`self.{member.gives[0]}`, which is the backend's",
        label="answers for the backend here",
        extent=(span.line, span.end_line),
        related=(
            Related(
                Place(interface.path, interface.shape.span),
                f"the interface `{interface.shape.name}`",
            ),
        ),
    )


def _is_backends(interface: Class, member: Member, project: Project) -> bool:
    """Return whether a method hands on to a driver's object, by its type or by its name."""
    hierarchy = hierarchy_of(project)
    held_objects = held_objects_of(project)
    heirs = [backend for backend, of in hierarchy.backends if of.name == interface.name]
    for name in member.gives:
        owned = [hierarchy.members(heir).get(name) for heir in (interface, *heirs)]
        known = [held_objects.of(*found) for found in owned if found is not None]
        if any(known) or (not known and is_accessor(name, plumbing_names(project))):
            return True
    return False


def _gives_away(definitions: Sequence[InterfaceMember], project: Project) -> bool:
    """Return whether a member is called as accessors are, and is one by what its name tells."""
    name = definitions[0].member.name
    configured = frozenset(project.policy.accessors)
    if name in configured:
        return True
    if not is_accessor(name, plumbing_names(project) | configured):
        return False
    return is_telling(name) or _is_plain([definition.member for definition in definitions])


def _is_plain(definitions: Sequence[Member]) -> bool:
    """Return whether a member can be had without naming anything: it takes no argument."""
    methods = [definition for definition in definitions if definition.kind == "method"]
    return all(parameter.has_default for method in methods for parameter in method.parameters)


def _is_refuted(offered: InterfaceMember, project: Project) -> bool:
    """Return whether a member is known to be something else, or is reported as a driver's type."""
    member = offered.member
    if member.kind == "class" or any(exposed_by_member(offered, project)):
        return True
    hierarchy = hierarchy_of(project)
    if any(
        hierarchy.find(maker, offered.owner.path) is not None
        or maker.rpartition(".")[2][:1].isupper()
        for maker in member.made_by
    ):
        return True
    # An attribute that begins as None is yet to become something.
    silent = TELLS_NOTHING if member.kind == "method" else TELLS_NOTHING | {"None"}
    names = {named.origin.removeprefix(OWN_MODULE).rpartition(".")[2] for named in member.types}
    return bool(names - silent)
