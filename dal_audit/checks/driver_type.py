"""DAL103 driver-type."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dal_audit.assemble.driver_flow import DriverFlow, driver_flows
from dal_audit.assemble.orm_models import declares_model
from dal_audit.assemble.project import Project
from dal_audit.facts import FileFacts, Import, Place, StringAnnotationName
from dal_audit.judge.breach import ROLE_WORDS, Breach, Related, and_more, flow_of
from dal_audit.judge.check import check
from dal_audit.judge.import_removal import removal_of

_KINDS = {
    "module": "the {driver} module",
    "type": "a {driver} type",
    "exception": "a {driver} exception",
    "other": "a part of {driver}",
}
_FORMS = {
    "type": "a type made of {driver}'s",
    "collection": "a collection with a part of {driver}",
    "subclass": "a subclass of {driver}'s",
    "instance": "a {driver} object",
}


@check("DAL103")
def driver_type(
    fact: Import | StringAnnotationName, file: FileFacts, project: Project
) -> Iterator[Breach]:
    """Flag a driver's object that reaches a file outside storage by way of other modules.

    One statement gives one breach a driver; the way of the first object and the uses of all hang
    on it.
    """
    if project.in_storage(file.path):
        return
    if isinstance(fact, StringAnnotationName):
        yield from _quoted(fact, file, project)
    elif project.policy.counts_import(type_checking=fact.type_checking):
        found: dict[str, list[DriverFlow]] = {}
        for leak in driver_flows(fact, file.path, project):
            if _declares_models(leak, file.path, project):
                continue
            found.setdefault(leak.source.driver.name, []).append(leak)
        for group in found.values():
            yield _arrival(group, fact, file, project)


def _declares_models(leak: DriverFlow, path: str, project: Project) -> bool:
    """Return whether what arrives is of use for nothing but models, where these are allowed."""
    driver = leak.source.driver
    return bool(leak.uses) and all(
        declares_model(use, driver, path, project) for _, use in leak.uses
    )


def _arrival(
    group: Sequence[DriverFlow], fact: Import, file: FileFacts, project: Project
) -> Breach:
    """Return the breach of a statement by which objects of one driver arrive."""
    first = group[0]
    words = _FORMS.get(first.source.form) or _KINDS[first.source.kind]
    what = words.format(driver=first.source.driver.name)
    flow = flow_of(first.source.steps)
    uses = [
        Related(Place(file.path, use.span), f"`{written}` is {ROLE_WORDS[use.role]} here")
        for leak in group
        for written, use in leak.uses
    ]
    inside = fact.statement.line <= first.span.line <= fact.statement.end_line
    return Breach(
        Place(file.path, first.span),
        f"`{first.name}`{and_more(len(group) - 1)} is {what}{_real_names(first)}; "
        f"only {project.storage_description} may use it",
        label=f"{what} arrives here",
        extent=(fact.statement.line, fact.statement.end_line) if inside else None,
        related=(*flow, *sorted(uses)),
        flow_length=len(flow),
        driver=first.source.driver.name,
        fix=removal_of(fact, [leak.span for leak in group], file.path, project, "unsafe"),
    )


def _real_names(leak: DriverFlow) -> str:
    """Return what an object really is, where the name that the file has for it does not say it."""
    names = [leak.source.name, *(other.name for other in leak.others)]
    return "" if names == [leak.name] else ", " + " or ".join(f"`{name}`" for name in names)


def _quoted(fact: StringAnnotationName, file: FileFacts, project: Project) -> Iterator[Breach]:
    driver = project.driver_of(fact.name, file.path)
    if driver is not None:
        yield Breach(
            Place(file.path, fact.span),
            f"`{fact.name}` in a string annotation is {driver.name}'s; "
            f"only {project.storage_description} may use it",
            label=f"names {driver.name}",
            driver=driver.name,
        )
