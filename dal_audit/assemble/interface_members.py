"""What users of storage interfaces see: public members, and the drivers' types in them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from dal_audit.assemble.class_hierarchy import Class, Hierarchy, hierarchy_of
from dal_audit.assemble.driver_objects import DriverSource
from dal_audit.assemble.held_objects import held_objects_of
from dal_audit.assemble.memo import query
from dal_audit.assemble.orm_models import model_origins
from dal_audit.assemble.project import Project
from dal_audit.facts import Member, Span, TypeName

PUBLIC_DUNDERS: Final = frozenset({"__enter__", "__aenter__", "__call__", "__iter__", "__aiter__"})
"""Special methods whose results users get to see, by `with`, a call or a loop."""


class InterfaceMember(Struct, frozen=True):
    """A public member of an interface: the class that defines it, and one of its definitions."""

    interface: Class
    owner: Class
    member: Member

    @property
    def title(self) -> str:
        """The member as a message names it."""
        return f"{self.owner.shape.name}.{self.member.name}"


class ExposedType(Struct, frozen=True):
    """A driver's object that a member of an interface names: where, in which part, and what."""

    span: Span
    part: str
    source: DriverSource


def is_public(name: str) -> bool:
    """Return whether a member belongs to a class's interface, by its name."""
    return not name.startswith("_") or name in PUBLIC_DUNDERS


@query(depends_on=(hierarchy_of,))
def interface_members(project: Project) -> tuple[InterfaceMember, ...]:
    """Return the public members of all interfaces, inherited and nested ones too.

    A definition that several interfaces inherit comes once.
    """
    found: dict[tuple[str, Span], InterfaceMember] = {}
    hierarchy = hierarchy_of(project)
    for interface in hierarchy.interfaces:
        for public in _public_members(hierarchy, interface, interface):
            found.setdefault((public.owner.path, public.member.span), public)
    return tuple(found.values())


def _public_members(
    hierarchy: Hierarchy, interface: Class, within: Class
) -> Iterator[InterfaceMember]:
    for name, (owner, definitions) in hierarchy.all_definitions(within).items():
        inner = hierarchy.classes.get(f"{owner.name}.{name}")
        for member in definitions if is_public(name) else ():
            yield InterfaceMember(interface, owner, member)
            if member.kind == "class" and inner is not None:
                yield from _public_members(hierarchy, interface, inner)


def exposed_by_member(public: InterfaceMember, project: Project) -> Iterator[ExposedType]:
    """Yield the drivers' types that a member names, each where it stands."""
    member, path = public.member, public.owner.path
    part = {"method": "returns", "property": "gives"}.get(member.kind, "is")
    for exposed in _named(member.types, part, path, project):
        # What a method sets may have its type from a parameter, far from the attribute.
        is_apart = member.local and exposed.span.line != member.span.line
        yield replace(exposed, span=member.span) if is_apart else exposed
    for parameter in member.parameters:
        yield from _named(parameter.types, f"takes `{parameter.name}` as", path, project)
    if member.kind == "attribute" and member.made_by and not member.types:
        held = held_objects_of(project).of(public.owner, member)
        if held is not None:
            yield ExposedType(member.span, "holds", held.source)


def exposed_by_class(owner: Class, project: Project) -> Iterator[ExposedType]:
    """Yield the drivers' types that a class inherits from, or that its bases take in brackets."""
    yield from _named(owner.shape.bases, "inherits from", owner.path, project)
    yield from _named(owner.shape.arguments, "is made for", owner.path, project)


def _named(
    types: tuple[TypeName, ...], part: str, path: str, project: Project
) -> Iterator[ExposedType]:
    for name in types:
        source = project.driver_sources.resolve(name.origin, path)
        source = source or _model(name.origin, path, project)
        if source is not None:
            yield ExposedType(name.span, part, source)


def _model(name: str, path: str, project: Project) -> DriverSource | None:
    """Return the driver's class that an ORM model is made of, where models are not allowed."""
    if project.policy.orm_models != "deny":
        return None
    found = hierarchy_of(project).find(name, path)
    source = next(model_origins(found, project), None) if found is not None else None
    return None if source is None else replace(source, form="subclass")
