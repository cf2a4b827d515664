"""Accessors: the attributes by which storage objects, or the program's state, hand out a driver's.

They are worked out from the classes themselves, and the configuration can name more.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from dal_audit.assemble.class_hierarchy import Class, Hierarchy, hierarchy_of
from dal_audit.assemble.held_objects import Held, holdings_of
from dal_audit.assemble.memo import once_linked
from dal_audit.assemble.project import Project
from dal_audit.assemble.receiver_types import Thing, receivers_of
from dal_audit.assemble.state_classes import keeps_state
from dal_audit.facts import Access, Member


class Fetched(Struct, frozen=True):
    """What an access fetches: by which member of which class, and what it is.

    `held` is None for an attribute that only the configuration calls an accessor; `owner` and
    `member` are, too, where the receiver's class is not known.
    """

    owner: Class | None
    member: Member | None
    held: Held | None


@once_linked
def accessors_of(project: Project) -> frozenset[str]:
    """Return the names of all attributes that hand out a driver's object."""
    hierarchy = hierarchy_of(project)
    holdings = holdings_of(project)
    found = {
        member.name
        for one in hierarchy.classes.values()
        if one.shape.members and _hands_out(one, hierarchy)
        for member in one.shape.members
        if not _is_special(member.name) and holdings.of(one, member) is not None
    }
    return frozenset(found | set(project.policy.accessors))


def fetched(access: Access, path: str, project: Project) -> Fetched | None:
    """Return what an access fetches from a storage object or the program's state, or None."""
    things = receivers_of(project).of(access.receivers, path)
    owned = [pair for thing in things for pair in _definitions(thing, access.attribute, project)]
    holdings = holdings_of(project)
    for owner, member in owned:
        if holdings.annotated(owner.name, owner.path) is not None:
            return None  # The receiver is a driver's object itself: where it came from is reported.
        held = holdings.of(owner, member)
        if held is not None:
            allowed = project.may_name(held.origin.driver, path)
            return None if allowed else Fetched(owner, member, held)
    if access.attribute not in project.policy.accessors:
        return None
    if not things:
        return Fetched(None, None, None)
    for owner, member in owned:
        if not member.types and not member.made_by:
            return Fetched(owner, member, None)
    return None


def _definitions(thing: Thing, name: str, project: Project) -> Iterator[tuple[Class, Member]]:
    """Yield the member that a name means on a thing, where its class hands out what it holds.

    A storage interface need not have it: then its implementations say what the name means.
    """
    if thing.form not in {"object", "class"}:
        return
    hierarchy = hierarchy_of(project)
    lineage = []
    for ancestor in receivers_of(project).lineage(thing):
        one = hierarchy.classes.get(f"{project.module_name(ancestor.path)}.{ancestor.name}")
        if one is not None:
            lineage.append(one)
    for one in lineage:
        found = [member for member in one.shape.members if member.name == name]
        if found:
            if _hands_out(one, hierarchy):
                yield from ((one, member) for member in found)
            return
    names = {one.name for one in lineage}
    for backend, interface in hierarchy.backends:
        if interface.name in names and name in (members := hierarchy.members(backend)):
            yield members[name]


def _hands_out(one: Class, hierarchy: Hierarchy) -> bool:
    """Return whether a class is storage's, or keeps the program's state."""
    return hierarchy.project.in_storage(one.path) or keeps_state(one, hierarchy)


def _is_special(name: str) -> bool:
    return name.startswith("__") and name.endswith("__")
