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
from dal_audit.catalogue.drivers import RUST
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
        if backend.name.startswith(RUST):
            continue  # Its compiler takes no incomplete one.
        if missing:
            yield _lacking(backend, interface, missing, hierarchy)
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


def _lacking(
    backend: Class, interface: Class, missing: Sequence[tuple[Class, Member]], hierarchy: Hierarchy
) -> Breach:
    above = {ancestor.name for ancestor in hierarchy.ancestors(backend)}
    raising: list[tuple[Class, Member]] = []
    lacked: list[tuple[Class, Member]] = []
    for owner, member in missing:
        inherits = owner.name in above and member.refuses and not member.is_abstract
        (raising if inherits else lacked).append((owner, member))
    return Breach(
        Place(backend.path, backend.shape.span),
        f"`{backend.shape.name}` {_what(lacked, raising, interface)}",
        label="an incomplete backend",
        extent=backend.shape.extent,
        related=(*_related(lacked, "is declared"), *_related(raising, "only raises")),
    )


def _what(
    lacked: Sequence[tuple[Class, Member]],
    raising: Sequence[tuple[Class, Member]],
    interface: Class,
) -> str:
    """Say what a backend lacks, and what it inherits that does nothing but raise."""
    of = f"the interface `{interface.shape.name}`"
    if not raising:
        return f"lacks {_listed(lacked)} of {of}"
    verb = "raises" if len(raising) == 1 else "raise"
    if not lacked:
        return f"inherits {_listed(raising)} of {of}, which only {verb}"
    return f"lacks {_listed(lacked)} of {of}, and inherits {_listed(raising)}, which only {verb}"


def _listed(members: Sequence[tuple[Class, Member]]) -> str:
    names = [f"`{member.name}`" for _, member in members]
    listed = ", ".join(names[:MOST_NAMED])
    more = len(names) - MOST_NAMED
    return f"{listed} and {more} more" if more > 0 else listed


def _related(members: Sequence[tuple[Class, Member]], what: str) -> Iterator[Related]:
    for owner, member in members:
        yield Related(Place(owner.path, member.span), f"`{member.name}` {what} here")


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
