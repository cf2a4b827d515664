"""DAL110 state-holds-connection."""

from __future__ import annotations

from collections.abc import Iterator

from dal_audit.assemble.held_objects import HeldObject
from dal_audit.assemble.project import Project
from dal_audit.assemble.state_fields import held_fields
from dal_audit.facts import ClassDefinition, FileFacts, Member, Place
from dal_audit.judge.breach import Breach, flow_of
from dal_audit.judge.check import check


@check("DAL110")
def state_holds_connection(
    fact: ClassDefinition, file: FileFacts, project: Project
) -> Iterator[Breach]:
    """Flag a field of a state class outside storage whose type is a driver's."""
    if project.in_storage(file.path):
        return
    for member, held in held_fields(fact, file.path, project).values():
        yield _breach(fact, member, held, file)


def _breach(fact: ClassDefinition, member: Member, held: HeldObject, file: FileFacts) -> Breach:
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
