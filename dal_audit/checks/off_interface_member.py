"""DAL206 off-interface-member."""

from __future__ import annotations

from collections.abc import Iterator

from dal_audit.assemble.class_hierarchy import Class, Hierarchy, hierarchy_of
from dal_audit.assemble.held_objects import held_objects_of
from dal_audit.assemble.project import Project
from dal_audit.catalogue.drivers import RUST
from dal_audit.facts import Member, Place
from dal_audit.judge.breach import Breach, Related
from dal_audit.judge.check import check

_ON_THE_CLASS = frozenset({"classmethod", "staticmethod"})
"""Whoever calls these names the backend in the call, as only the program's wiring may."""


@check("DAL206")
def off_interface_member(project: Project) -> Iterator[Breach]:
    """Flag a public method or property of a backend that none of its interfaces has.

    It is reported where it is written, once, whichever backends inherit it.
    """
    hierarchy = hierarchy_of(project)
    interfaces: dict[str, list[Class]] = {}
    for backend, interface in hierarchy.backends:
        interfaces.setdefault(backend.name, []).append(interface)
    seen: set[Place] = set()
    for name, implemented in interfaces.items():
        backend = hierarchy.classes[name]
        for owner, member in _beyond(backend, hierarchy):
            place = Place(owner.path, member.span)
            if place in seen or _is_fetched(owner, member, project):
                continue
            seen.add(place)
            first = implemented[0]
            yield Breach(
                place,
                f"`{owner.shape.name}.{member.name}` is public, and the interface "
                f"`{first.shape.name}` does not have it",
                label="only this backend has it",
                extent=(member.span.line, member.span.end_line),
                related=(Related(Place(first.path, first.shape.span), "the interface"),),
            )


def _is_fetched(owner: Class, member: Member, project: Project) -> bool:
    """Return whether a member hands out a driver's object, and is reported where that is fetched.

    That is certain in Rust alone, where each place is reported.
    """
    is_rust = owner.name.startswith(RUST)
    return is_rust and held_objects_of(project).of(owner, member) is not None


def _beyond(backend: Class, hierarchy: Hierarchy) -> Iterator[tuple[Class, Member]]:
    """Yield the public methods and properties of a backend that nothing abstract declares.

    A base that was not read may declare any of them.
    """
    if not hierarchy.is_known(backend):
        return
    declared = _declared(backend, hierarchy)
    for name, (owner, definitions) in hierarchy.all_definitions(backend).items():
        # A field and a method may bear one name (Rust).
        shown = (member for member in definitions if not member.is_private)
        member = next(shown, definitions[0])
        if (
            name.startswith("_")
            or member.is_private
            or name in declared
            or not hierarchy.zones.in_storage(owner.path)
        ):
            continue
        if member.kind in {"method", "property"} and _ON_THE_CLASS.isdisjoint(member.decorators):
            yield owner, member


def _declared(backend: Class, hierarchy: Hierarchy) -> set[str]:
    """Return the names of the members that the interfaces among a backend's bases have."""
    interfaces = {interface.name for interface in hierarchy.interfaces}
    return {
        name
        for ancestor in hierarchy.ancestors(backend)
        if ancestor.name in interfaces or hierarchy.is_interface(ancestor)
        for name in hierarchy.all_definitions(ancestor)
    }
