"""What users of storage interfaces see: public members, and the drivers' types in them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from dal_audit.assemble.class_hierarchy import Class, Hierarchy, hierarchy_of
from dal_audit.assemble.held_objects import holdings_of
from dal_audit.assemble.memo import once_linked
from dal_audit.assemble.project import Project
from dal_audit.assemble.symbols import Origin
from dal_audit.facts import Member, Span, TypeName

SPOKEN: Final = frozenset({"__enter__", "__aenter__", "__call__", "__iter__", "__aiter__"})
"""Special methods whose results users get to see, by `with`, a call or a loop."""


class Offered(Struct, frozen=True):
    """A public member of an interface: the class that defines it, and one of its definitions."""

    interface: Class
    owner: Class
    member: Member

    @property
    def title(self) -> str:
        """The member as a message names it."""
        return f"{self.owner.shape.name}.{self.member.name}"


class Shown(Struct, frozen=True):
    """A driver's object that a member of an interface names: where, in which part, and what."""

    span: Span
    part: str
    origin: Origin


def is_public(name: str) -> bool:
    """Return whether a member belongs to a class's interface, by its name."""
    return not name.startswith("_") or name in SPOKEN


@once_linked
def offered_members(project: Project) -> tuple[Offered, ...]:
    """Return the public members of all interfaces, inherited and nested ones too.

    A definition that several interfaces inherit comes once.
    """
    found: dict[tuple[str, Span], Offered] = {}
    hierarchy = hierarchy_of(project)
    for interface in hierarchy.interfaces:
        for one in _offered(hierarchy, interface, interface):
            found.setdefault((one.owner.path, one.member.span), one)
    return tuple(found.values())


def _offered(hierarchy: Hierarchy, interface: Class, one: Class) -> Iterator[Offered]:
    for name, (owner, definitions) in hierarchy.definitions(one).items():
        if not is_public(name):
            continue
        for member in definitions:
            yield Offered(interface, owner, member)
            inner = hierarchy.classes.get(f"{owner.name}.{name}")
            if member.kind == "class" and inner is not None:
                yield from _offered(hierarchy, interface, inner)


def shown_by_member(one: Offered, project: Project) -> Iterator[Shown]:
    """Yield the drivers' types that a member names, each where it stands."""
    member, path = one.member, one.owner.path
    part = {"method": "returns", "property": "gives"}.get(member.kind, "is")
    for shown in _named(member.types, part, path, project):
        # What a method sets may have its type from a parameter, far from the attribute.
        is_apart = member.local and shown.span.line != member.span.line
        yield replace(shown, span=member.span) if is_apart else shown
    for parameter in member.parameters:
        yield from _named(parameter.types, f"takes `{parameter.name}` as", path, project)
    if member.kind == "attribute" and member.made_by and not member.types:
        held = holdings_of(project).of(one.owner, member)
        if held is not None:
            yield Shown(member.span, "holds", held.origin)


def shown_by_class(one: Class, project: Project) -> Iterator[Shown]:
    """Yield the drivers' types that a class inherits from, or that its bases take in brackets."""
    yield from _named(one.shape.bases, "inherits from", one.path, project)
    yield from _named(one.shape.arguments, "is made for", one.path, project)


def _named(types: tuple[TypeName, ...], part: str, path: str, project: Project) -> Iterator[Shown]:
    for one in types:
        origin = project.program.resolve(one.origin, path) or _model(one.origin, path, project)
        if origin is not None:
            yield Shown(one.span, part, origin)


def _model(name: str, path: str, project: Project) -> Origin | None:
    """Return the driver's class that an ORM model is made of, where models are not allowed."""
    if project.policy.orm_models == "allow":
        return None
    hierarchy = hierarchy_of(project)
    found = hierarchy.find(name, path)
    for ancestor in hierarchy.ancestors(found) if found is not None else ():
        for base in ancestor.shape.bases:
            origin = project.program.resolve(base.origin, ancestor.path)
            if origin is not None and origin.kind == "type":
                return replace(origin, form="subclass")
    return None
