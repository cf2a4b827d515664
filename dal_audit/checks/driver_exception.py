"""DAL104 driver-exception."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dal_audit.assemble.driver_objects import DriverSource
from dal_audit.assemble.project import Project
from dal_audit.catalogue.drivers import RUST
from dal_audit.facts import FileFacts, Import, Place, Span
from dal_audit.judge.breach import ROLE_WORDS, Breach, Related, and_more
from dal_audit.judge.check import check
from dal_audit.judge.error_translation import translated


@check("DAL104")
def driver_exception(fact: Import, file: FileFacts, project: Project) -> Iterator[Breach]:
    """Flag a driver's exception that is caught outside storage, however it was imported."""
    if project.in_storage(file.path):
        return
    clauses: dict[int, list[tuple[Place, DriverSource]]] = {}
    caught = [use for target in fact.targets for use in target.uses if use.role == "except"]
    for use in sorted(caught, key=lambda use: use.span):
        origin = project.driver_sources.resolve(use.name, file.path)
        # An error that storage derives from the driver's is translated; DAL103 asks for the rest.
        if origin is not None and origin.form != "subclass":
            found = clauses.setdefault(use.together or use.span.line, [])
            found.append((Place(file.path, use.span), origin))
    for (place, origin), *others in clauses.values():
        driver = origin.driver.name
        is_rust = origin.name.startswith(RUST)
        noun, verb = ("error", "handle") if is_rust else ("exception", "catch")
        yield Breach(
            place,
            f"`{origin.name}`{and_more(len(others))} is an {noun} of {driver}; "
            f"only {project.storage_description} may {verb} it",
            label=f"an error of {driver}'s" if is_rust else f"catches what {driver} raises",
            related=tuple(
                Related(other, f"`{caught.name}` is {ROLE_WORDS['except']} here")
                for other, caught in others
            ),
            driver=driver,
            fix=None if is_rust else translated(_caught([(place, origin), *others]), file, project),
        )


def _caught(clause: Sequence[tuple[Place, DriverSource]]) -> Sequence[tuple[Span, DriverSource]]:
    return [(place.span, origin) for place, origin in clause]
