"""DAL207 interface-returns-internals."""

from __future__ import annotations

from collections.abc import Iterator

from dal_audit.assemble.held_objects import held_objects_of
from dal_audit.assemble.interface_members import exposed_by_member, interface_members
from dal_audit.assemble.project import Project
from dal_audit.facts import Place
from dal_audit.judge.breach import Breach, Related, flow_of
from dal_audit.judge.check import check


@check("DAL207")
def interface_returns_internals(project: Project) -> Iterator[Breach]:
    """Flag a method or property of an interface whose own code hands out a driver's object.

    Where its types say so already, that is reported, and not what its code does.
    """
    for offered_member in interface_members(project):
        member = offered_member.member
        if member.kind not in {"method", "property"} or any(
            exposed_by_member(offered_member, project)
        ):
            continue
        held = held_objects_of(project).of(offered_member.owner, member)
        if held is None:
            continue
        way = flow_of(held.source.steps)
        interface = Place(offered_member.interface.path, offered_member.interface.shape.span)
        yield Breach(
            Place(offered_member.owner.path, member.span),
            f"`{offered_member.title}` hands out a database {held.role}, `{held.source.name}`,"
            " to whoever holds the storage interface",
            label=f"a database {held.role} gets out here",
            extent=(member.span.line, member.span.end_line),
            related=(
                *way,
                Related(interface, f"the interface `{offered_member.interface.shape.name}`"),
            ),
            flow_length=len(way),
            driver=held.source.driver.name,
        )
