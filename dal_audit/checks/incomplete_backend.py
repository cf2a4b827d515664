"""DAL205 incomplete-backend."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dal_audit.assemble.class_hierarchy import Class, Hierarchy, hierarchy_of
from dal_audit.assemble.conformance import (
    difference,
    is_comparable,
    is_intermediate,
    missing_members,
)
from dal_audit.assemble.interface_members import is_public
from dal_audit.assemble.project import Project
from dal_audit.facts import Member, Place
from dal_audit.judge.breach import Breach, Related
from dal_audit.judge.check import check

MOST_NAMED = 5
"""How many missing members a message names; all are related places."""


@check("DAL205")
def incomplete_backend(project: Project) -> Iterator[Breach]:
    """Flag a backend that lacks members of its interface, or gives them other parameters.

    What a backend lacks is one breach an interface; a method with other parameters is one each,
    where it is written, whichever backends inherit it.
    """
    hierarchy = hierarchy_of(project)
    seen: set[Place] = set()
    for backend, interface, missing in _pairs(hierarchy):
        if missing:
            yield _lacking(backend, interface, missing)
        for breach in _differing(backend, interface, hierarchy):
            if breach.place not in seen:
                seen.add(breach.place)
                yield breach


def _pairs(hierarchy: Hierarchy) -> Iterator[tuple[Class, Class, list[tuple[Class, Member]]]]:
    """Yield each backend with its interface, and what it lacks of it.

    What a backend inherits from an incomplete one is that one's to complete.
    """
    lacks = {
        (backend.name, interface.name): list(missing_members(backend, interface, hierarchy))
        for backend, interface in hierarchy.backends
        if not is_intermediate(backend)
    }
    for backend, interface in hierarchy.backends:
        inherited = {
            (owner.path, member.span)
            for ancestor in hierarchy.ancestors(backend)[1:]
            for owner, member in lacks.get((ancestor.name, interface.name), ())
        }
        own = lacks.get((backend.name, interface.name), ())
        yield (
            backend,
            interface,
            [lack for lack in own if (lack[0].path, lack[1].span) not in inherited],
        )


def _lacking(backend: Class, interface: Class, missing: Sequence[tuple[Class, Member]]) -> Breach:
    names = [f"`{member.name}`" for _, member in missing]
    listed = ", ".join(names[:MOST_NAMED])
    if len(names) > MOST_NAMED:
        listed += f" and {len(names) - MOST_NAMED} more"
    return Breach(
        Place(backend.path, backend.shape.span),
        f"`{backend.shape.name}` lacks {listed} of the interface `{interface.shape.name}`",
        label="an incomplete backend",
        extent=backend.shape.extent,
        related=tuple(
            Related(Place(owner.path, member.span), f"`{member.name}` is declared here")
            for owner, member in missing
        ),
    )


def _differing(backend: Class, interface: Class, hierarchy: Hierarchy) -> Iterator[Breach]:
    wider = {ancestor.name for ancestor in hierarchy.ancestors(interface)}
    given = hierarchy.all_definitions(backend)
    for name, (owner, declared) in hierarchy.all_definitions(interface).items():
        found, members = given[name]
        if not is_public(name) or found.name in wider:
            continue
        if not is_comparable(declared) or not is_comparable(members):
            continue
        how = difference(declared[0], members[0])
        if how:
            span = members[0].span
            yield Breach(
                Place(found.path, span),
                f"`{found.shape.name}.{name}` {how}: a call that the interface "
                f"`{interface.shape.name}` allows does not fit",
                label="not as the interface has it",
                extent=(span.line, span.end_line),
                related=(Related(Place(owner.path, declared[0].span), "the interface has it so"),),
            )
