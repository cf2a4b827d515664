"""DAL201 driver-type-in-interface."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec import Struct

from dal_audit.assemble.class_hierarchy import Class, hierarchy_of
from dal_audit.assemble.interface_members import (
    ExposedType,
    exposed_by_class,
    exposed_by_member,
    interface_members,
)
from dal_audit.assemble.project import Project
from dal_audit.facts import Place
from dal_audit.judge.breach import Breach, Related, flow_of
from dal_audit.judge.check import check

_FORMS = {
    "itself": "`{name}`",
    "type": "a type made of `{name}`",
    "collection": "a collection of `{name}`",
    "subclass": "a subclass of `{name}`",
    "instance": "an object of `{name}`",
}


@check("DAL201")
def driver_type_in_interface(project: Project) -> Iterator[Breach]:
    """Flag a driver's type that a public member of a storage interface names.

    A method gives one breach a definition and driver, so an overload has its own; the parts of a
    property and the assignments of an attribute are one.
    """
    for interface in hierarchy_of(project).interfaces:
        bases = Offering(interface, interface, interface.shape.name, interface.shape.extent[0])
        yield from _breaches(bases, exposed_by_class(interface, project))
    found: dict[tuple[object, ...], tuple[Offering, list[ExposedType]]] = {}
    for offered_member in interface_members(project):
        apart = offered_member.member.span if offered_member.member.kind == "method" else None
        key = (offered_member.owner.name, offered_member.member.name, apart)
        offering = Offering(
            offered_member.interface,
            offered_member.owner,
            offered_member.title,
            offered_member.member.span.line,
        )
        found.setdefault(key, (offering, []))[1].extend(exposed_by_member(offered_member, project))
    for offering, shown in found.values():
        yield from _breaches(offering, shown)


class Offering(Struct, frozen=True):
    """What names types: the interface, the class where it is written, its title and first line."""

    interface: Class
    owner: Class
    title: str
    line: int


def _breaches(offering: Offering, shown: Iterable[ExposedType]) -> Iterator[Breach]:
    found: dict[str, list[ExposedType]] = {}
    for part in shown:
        found.setdefault(part.source.driver.name, []).append(part)
    for group in found.values():
        span, origin = group[0].span, group[0].source
        what = _FORMS[origin.form].format(name=origin.name)
        way = flow_of(origin.steps)
        others = [
            Related(
                Place(offering.owner.path, other.span), f"it {other.part} `{other.source.name}`"
            )
            for other in group[1:]
        ]
        inherited = []
        if not offering.owner.name.startswith(offering.interface.name):
            place = Place(offering.interface.path, offering.interface.shape.span)
            inherited = [
                Related(place, f"the interface `{offering.interface.shape.name}` inherits it")
            ]
        yield Breach(
            Place(offering.owner.path, span),
            f"`{offering.title}` {group[0].part} {what};"
            " a storage interface names no type of a driver",
            label="a driver's type in the interface",
            extent=(min(offering.line, span.line), span.end_line),
            related=(*way, *others, *inherited),
            flow_length=len(way),
            driver=origin.driver.name,
        )
