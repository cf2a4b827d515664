"""DAL104 driver-exception."""

from __future__ import annotations

from collections.abc import Iterator

from dal_audit.facts import FileFacts, Import, Place
from dal_audit.project import Project
from dal_audit.rule import Breach, check


@check("DAL104")
def driver_exception(fact: Import, file: FileFacts, project: Project) -> Iterator[Breach]:
    """Flag a driver's exception that is caught outside storage, however it was imported."""
    if project.in_storage(file.path):
        return
    for target in fact.targets:
        for use in target.uses:
            if use.role != "except":
                continue
            origin = project.program.resolve(use.name, file.path)
            if origin is None:
                continue
            yield Breach(
                Place(file.path, use.span),
                f"`{origin.name}` is an exception of {origin.driver.name}; "
                f"only {project.boundary} may catch it",
                label=f"catches what {origin.driver.name} raises",
            )
