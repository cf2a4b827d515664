"""DAL110 state-holds-connection."""

from __future__ import annotations

from collections.abc import Iterator

from dal_audit.assemble.class_hierarchy import hierarchy_of
from dal_audit.assemble.held_objects import HeldObject, held_objects_of
from dal_audit.assemble.project import Project
from dal_audit.assemble.state_classes import keeps_state
from dal_audit.facts import ClassShape, FileFacts, Member, Place
from dal_audit.judge.breach import Breach, flow_of
from dal_audit.judge.check import check


@check("DAL110")
def state_holds_connection(fact: ClassShape, file: FileFacts, project: Project) -> Iterator[Breach]:
    """Flag a field of a state class outside storage whose type is a driver's."""
    if project.in_storage(file.path):
        return
    hierarchy = hierarchy_of(project)
    own = hierarchy.classes.get(f"{project.module_name(file.path)}.{fact.name}")
    if own is None or not keeps_state(own, hierarchy):
        return
    fields: dict[str, tuple[Member, HeldObject]] = {}
    for member in fact.members:
        held = held_objects_of(project).of(own, member) if member.kind == "attribute" else None
        if held is not None and not project.allows_driver_type(held.source.driver, file.path):
            fields.setdefault(member.name, (member, held))
    for member, held in fields.values():
        yield _breach(fact, member, held, file)


def _breach(fact: ClassShape, member: Member, held: HeldObject, file: FileFacts) -> Breach:
    flow = flow_of(held.source.steps)
    # The type of a parameter stands elsewhere; what is reported is the field that it sets.
    span = held.span if held.span is not None and held.span > member.span else member.span
    return Breach(
        Place(file.path, span),
        f"`{fact.name}.{member.name}` holds {held.described}; "
        "the program's state may hold only the storage interface",
        label=f"a driver's {held.role} is kept here",
        extent=(member.span.line, span.end_line),
        related=flow,
        flow_length=len(flow),
        driver=held.source.driver.name,
    )
