"""DAL107 backend-accessor."""

from __future__ import annotations

from collections.abc import Iterator

from dal_audit.assemble.accessors import DriverFetch, FunctionFetch, driver_fetch, function_fetches
from dal_audit.assemble.imported_names import uses_of_imports
from dal_audit.assemble.project import Project
from dal_audit.assemble.state_fields import held_fields
from dal_audit.catalogue.drivers import RUST
from dal_audit.facts import (
    AttributeRead,
    ClassDefinition,
    FileFacts,
    Import,
    Place,
    ValueFacts,
)
from dal_audit.judge.breach import ROLE_WORDS, Breach, Related, flow_of
from dal_audit.judge.check import check


@check("DAL107")
def backend_accessor(
    fact: ValueFacts | Import, file: FileFacts, project: Project
) -> Iterator[Breach]:
    """Flag a driver's object that storage hands to a file outside it.

    One attribute of one class gives one breach a file, and one function one for each import of it;
    the other places hang on the first. In Rust, where a field's type says for certain what is read,
    each place is one.
    """
    if project.in_storage(file.path):
        return
    if isinstance(fact, Import):
        yield from _given_by_functions(fact, file, project)
    else:
        yield from _fetched(fact, file, project)


def _given_by_functions(fact: Import, file: FileFacts, project: Project) -> Iterator[Breach]:
    """Flag what the functions of storage give that a file imports and calls."""
    groups: dict[str, list[FunctionFetch]] = {}
    fetches = list(function_fetches(fact, file.path, project))
    kept = _lines_of_state(file, project) if fetches else frozenset()
    for fetch in fetches:
        if fetch.use.span.line in kept:
            continue
        groups.setdefault(fetch.use.name, []).append(fetch)
    for first, *others in groups.values():
        flow = flow_of(first.held.source.steps)
        yield Breach(
            Place(file.path, first.use.span),
            f"`{first.written}` gives {first.held.described}, to whoever calls it; "
            f"only {project.storage_description} may use it",
            label="storage's own object is fetched here",
            related=(
                *flow,
                *(
                    Related(
                        Place(file.path, other.use.span),
                        f"`{other.written}` is {_called(other)} here",
                    )
                    for other in others
                ),
            ),
            flow_length=len(flow),
            driver=first.held.source.driver.name,
        )


def _lines_of_state(file: FileFacts, project: Project) -> frozenset[int]:
    """Return the lines on which the program's state is set to an object, which DAL110 reports."""
    return frozenset(
        member.span.line
        for shape in file.facts
        if isinstance(shape, ClassDefinition)
        for member, _ in held_fields(shape, file.path, project).values()
    )


def _called(fetch: FunctionFetch) -> str:
    return ROLE_WORDS[fetch.use.role]


def _fetched(fact: ValueFacts, file: FileFacts, project: Project) -> Iterator[Breach]:
    """Flag what is read from objects of storage's classes."""
    groups: dict[tuple[object, ...], list[tuple[AttributeRead, DriverFetch]]] = {}
    imported = uses_of_imports(file)
    for access in sorted(fact.accesses, key=lambda access: access.span):
        found = driver_fetch(access, file.path, project) if not access.sql else None
        start = access.span.line, access.span.column
        if found is not None and not (found.module and start in imported):
            if access.by_self and not _is_inherited(found, project):
                continue
            owner = found.owner.name if found.owner else found.module or f"{access.shown}."
            apart = access.span if owner.startswith(RUST) else None
            groups.setdefault((owner, access.attribute, apart), []).append((access, found))
    for (access, found), *others in groups.values():
        way = _way(found)
        yield Breach(
            Place(file.path, access.span),
            f"`{_shown(access)}` fetches {_what(found)} from {_whom(found)}; "
            f"only {project.storage_description} may use it",
            label="storage's own object is fetched here",
            extent=access.lines,
            related=(
                *way,
                *(
                    Related(Place(file.path, other.span), f"`{_shown(other)}` is fetched here")
                    for other, _ in others
                ),
            ),
            flow_length=len(way),
            driver=found.held.source.driver.name if found.held is not None else "",
        )


def _is_inherited(found: DriverFetch, project: Project) -> bool:
    """Return whether what an object reads of itself comes from a class of storage."""
    return found.owner is not None and project.in_storage(found.owner.path)


def _shown(access: AttributeRead) -> str:
    """Return the access as code, without the beginning of a long receiver."""
    shown = access.shown.replace("`", "'")
    short = shown if len(shown) <= 40 else f"…{shown[-40:]}"  # noqa: PLR2004
    return f"{short}.{access.attribute}"


def _what(found: DriverFetch) -> str:
    if found.held is None and found.member is None and found.owner is not None:
        return "what no storage interface may have,"
    if found.held is None:
        return "what the configuration calls an accessor"
    return f"{found.held.described},"


def _whom(found: DriverFetch) -> str:
    if found.module:
        return f"the module `{found.module}`"
    return "a receiver of unknown class" if found.owner is None else f"`{found.owner.shape.name}`"


def _way(found: DriverFetch) -> list[Related]:
    """Return how the object came to be held, up to the member that hands it out."""
    hops = found.held.source.steps if found.held is not None else ()
    if found.owner is None or found.member is None:
        return [*flow_of(hops)]
    verb = "holds" if found.member.kind == "attribute" else "hands out"
    name = f"{found.owner.shape.name}.{found.member.name}"
    place = Place(found.owner.path, found.member.span)
    return [*flow_of(hops), Related(place, f"`{name}` {verb} the object here", name)]
