"""The fields of the program's state that hold a driver's object."""

from __future__ import annotations

from collections.abc import Mapping

from dal_audit.assemble.class_hierarchy import hierarchy_of
from dal_audit.assemble.held_objects import HeldObject, held_objects_of
from dal_audit.assemble.project import Project
from dal_audit.assemble.state_classes import keeps_state
from dal_audit.facts import ClassDefinition, Member


def held_fields(
    shape: ClassDefinition, path: str, project: Project
) -> Mapping[str, tuple[Member, HeldObject]]:
    """Return the fields of a class that hold a driver's object, by name; none of another class."""
    hierarchy = hierarchy_of(project)
    own = hierarchy.classes.get(f"{project.module_name(path)}.{shape.name}")
    if own is None or not keeps_state(own, hierarchy):
        return {}
    fields: dict[str, tuple[Member, HeldObject]] = {}
    for member in shape.members:
        held = held_objects_of(project).of(own, member) if member.kind == "attribute" else None
        if held is not None and not project.allows_driver_type(held.source.driver, path):
            fields.setdefault(member.name, (member, held))
    return fields
