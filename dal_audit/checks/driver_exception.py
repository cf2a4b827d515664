"""DAL104 driver-exception."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dal_audit.assemble.driver_objects import DriverSource
from dal_audit.assemble.project import Project
from dal_audit.catalogue.drivers import RUST
from dal_audit.facts import FileFacts, Import, Place, Reference
from dal_audit.fix.model import Fix
from dal_audit.judge.breach import ROLE_WORDS, Breach, Related, and_more
from dal_audit.judge.check import check
from dal_audit.judge.error_translation import translated


@check("DAL104")
def driver_exception(fact: Import, file: FileFacts, project: Project) -> Iterator[Breach]:
    """Flag a driver's exception that is caught outside storage, however it was imported."""
    if project.in_storage(file.path):
        return
    clauses: dict[int, list[tuple[Reference, DriverSource]]] = {}
    caught = [use for target in fact.targets for use in target.uses if use.role == "except"]
    for use in sorted(caught, key=lambda use: (use.span, use.name)):
        origin = project.driver_sources.resolve(use.name, file.path)
        # An error that storage derives from the driver's is translated; DAL103 asks for the rest.
        if origin is not None and origin.form != "subclass":
            found = clauses.setdefault(use.together or use.span.line, [])
            found.append((use, origin))
    for (use, origin), *others in clauses.values():
        driver = origin.driver.name
        is_rust = origin.name.startswith(RUST)
        noun, verb = ("error", "handle") if is_rust else ("exception", "catch")
        yield Breach(
            Place(file.path, use.span),
            f"`{origin.name}`{and_more(len(others))} is an {noun} of {driver}; "
            f"only {project.storage_description} may {verb} it",
            label=f"an error of {driver}'s" if is_rust else f"catches what {driver} raises",
            related=tuple(
                Related(
                    Place(file.path, other.span), f"`{error.name}` is {ROLE_WORDS['except']} here"
                )
                for other, error in others
            ),
            driver=driver,
            fix=None if is_rust else _translation([(use, origin), *others], file, project),
        )


def _translation(
    clause: Sequence[tuple[Reference, DriverSource]], file: FileFacts, project: Project
) -> Fix | None:
    """Return how a clause catches storage's errors instead; None where a name holds others, too."""
    if any(use.spelled is not None for use, _ in clause):
        return None
    return translated([(use.span, origin) for use, origin in clause], file, project)
