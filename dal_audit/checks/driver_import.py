"""DAL101 driver-import."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from dal_audit.assemble.orm_models import declares_model
from dal_audit.assemble.project import Project
from dal_audit.catalogue.drivers import Driver
from dal_audit.facts import FileFacts, Import, Place, Reference, Span, Target
from dal_audit.judge.breach import ROLE_WORDS, Breach, Related
from dal_audit.judge.check import check
from dal_audit.judge.import_removal import removal_of


@check("DAL101")
def driver_import(fact: Import, file: FileFacts, project: Project) -> Iterator[Breach]:
    """Flag an import of a catalogued driver in a file outside storage.

    One statement gives one breach a driver; the uses of what it binds hang on it. An import under
    `if TYPE_CHECKING:` counts too: a driver's type in a signature ties the caller to the driver
    just as a call does.
    """
    if project.in_storage(file.path) or fact.is_covered:
        return
    if not project.policy.counts_import(type_checking=fact.type_checking):
        return
    found: dict[str, tuple[Driver, list[Target]]] = {}
    for target in _counted(fact, file.path, project):
        driver = project.driver_of(target.name, file.path)
        if driver is not None:
            found.setdefault(driver.name, (driver, []))[1].append(target)
    for driver, targets in found.values():
        span, name = _narrowest(fact, targets[0], project)
        related = [
            Related(Place(file.path, use.span), f"`{use.name}` is {ROLE_WORDS[use.role]} here")
            for target in targets
            for use in target.uses
            if use.span != span
        ]
        yield Breach(
            Place(file.path, span),
            f"`{name}` is {project.catalogue.described(name)}; "
            f"only {project.storage_description} may import it",
            label=f"the {driver.name} {_noun(driver)} comes in here",
            extent=(fact.statement.line, fact.statement.end_line),
            severity="warning" if fact.is_quoted else None,
            related=tuple(sorted(related)),
            driver=driver.name,
            fix=removal_of(fact, [target.span for target in targets], file.path, project),
        )


def _counted(fact: Import, path: str, project: Project) -> Iterator[Target]:
    """Yield the targets without what declares models, where these are allowed."""
    for target in fact.targets:
        others = tuple(use for use in target.uses if not _is_allowed(use, target, path, project))
        if others == target.uses:
            yield target
        elif others and fact.by_path:  # Its place is that of the first path, which may be a derive.
            yield replace(target, span=others[0].span, name=others[0].name, packed_uses=others)
        elif others:
            yield replace(target, packed_uses=others)


def _is_allowed(use: Reference, target: Target, path: str, project: Project) -> bool:
    """Return whether a use makes a model of the project: Rust's of a row, or an ORM's."""
    if use.role == "derive":
        return project.policy.rust_row_models == "allow"
    driver = project.driver_of(target.name, path) if use.owner else None
    return driver is not None and declares_model(use, driver, path, project)


def _narrowest(fact: Import, target: Target, project: Project) -> tuple[Span, str]:
    """Return the place and the text of the name that reaches the driver."""
    if fact.module is None or fact.module_span is None:
        return target.span, target.name
    if project.catalogue.driver_of(fact.module) is not None:
        return fact.module_span, fact.module
    return target.span, target.name


def _noun(driver: Driver) -> str:
    return {"driver": "driver", "orm": "toolkit", "store": "client", "pool": "pool"}[driver.kind]
