"""DAL104 driver-exception."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

from dal_audit.assemble.accessors import caught_errors
from dal_audit.assemble.driver_objects import DriverSource
from dal_audit.assemble.imported_names import uses_of_imports
from dal_audit.assemble.project import Project
from dal_audit.catalogue.drivers import RUST
from dal_audit.facts import FileFacts, Import, Place, Reference, ValueFacts
from dal_audit.fix.model import Fix
from dal_audit.judge.breach import ROLE_WORDS, Breach, Related, and_more
from dal_audit.judge.check import check
from dal_audit.judge.error_translation import translated


@check("DAL104")
def driver_exception(
    fact: Import | ValueFacts, file: FileFacts, project: Project
) -> Iterator[Breach]:
    """Flag a driver's exception that is caught outside storage, however it came there.

    It may be imported, or read of a storage object.
    """
    if project.in_storage(file.path):
        return
    if isinstance(fact, ValueFacts):
        yield from _read_of_objects(fact, file, project)
    else:
        yield from _imported(fact, file, project)


def _read_of_objects(fact: ValueFacts, file: FileFacts, project: Project) -> Iterator[Breach]:
    """Flag the exceptions that clauses read of storage's objects (`except store.Conflict`)."""
    read = [access for access in fact.accesses if access.caught]
    imported = uses_of_imports(file) if read else frozenset()
    for access in read:
        if (access.span.line, access.span.column) in imported:
            continue
        for error in islice(caught_errors(access, file.path, project), 1):
            yield Breach(
                Place(file.path, access.span),
                f"`{access.shown}.{access.attribute}` is `{error.name}`, an exception of "
                f"{error.driver.name}; only {project.storage_description} may catch it",
                label=f"catches what {error.driver.name} raises",
                extent=access.lines,
                driver=error.driver.name,
            )


def _imported(fact: Import, file: FileFacts, project: Project) -> Iterator[Breach]:
    """Flag the exceptions that clauses name by what an import brings."""
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
