"""DAL204 interface-module-imports-driver."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dal_audit.assemble.class_hierarchy import Class, hierarchy_of
from dal_audit.assemble.project import Project
from dal_audit.catalogue.drivers import Driver
from dal_audit.facts import FileFacts, Import, Place, Target
from dal_audit.fix.model import Fix
from dal_audit.judge.breach import Breach, Related
from dal_audit.judge.check import check
from dal_audit.judge.import_removal import removal_of


@check("DAL204")
def interface_module_imports_driver(project: Project) -> Iterator[Breach]:
    """Flag a module that defines a storage interface and imports a driver.

    A module gives one breach a driver, at its first import; the other imports hang on it.
    """
    interfaces: dict[str, Class] = {}
    for known in hierarchy_of(project).interfaces:
        interfaces.setdefault(known.path, known)
    for file in project.files:
        interface = interfaces.get(file.path)
        if interface is None:
            continue
        found: dict[str, list[tuple[Driver, Import, Target]]] = {}
        for driver, fact, target in _driver_imports(file, project):
            found.setdefault(driver.name, []).append((driver, fact, target))
        for group in found.values():
            driver, fact, target = group[0]
            others = [
                Related(Place(file.path, other.span), f"`{other.name}` is imported here, too")
                for _, statement, other in group[1:]
                if statement is not fact
            ]
            defined = Related(Place(file.path, interface.shape.span), "the interface")
            yield Breach(
                Place(file.path, target.span),
                f"`{target.name}` is {project.catalogue.described(target.name)}, "
                f"and this module defines the storage interface `{interface.shape.name}`",
                label=f"{driver.name} comes in beside the interface",
                extent=(fact.statement.line, fact.statement.end_line),
                related=(defined, *others),
                driver=driver.name,
                fix=_removal(group, file.path, project),
            )


def _removal(
    group: Sequence[tuple[Driver, Import, Target]], path: str, project: Project
) -> Fix | None:
    """Return how imports of a driver are taken out, which one statement holds."""
    _, fact, _ = group[0]
    if any(statement is not fact for _, statement, _ in group):
        return None
    return removal_of(fact, [target.span for _, _, target in group], path, project)


def _driver_imports(file: FileFacts, project: Project) -> Iterator[tuple[Driver, Import, Target]]:
    for fact in file.facts:
        if not isinstance(fact, Import) or fact.by_path or fact.is_offer:
            continue
        if not project.policy.counts_import(type_checking=fact.type_checking):
            continue
        for target in fact.targets:
            driver = project.driver_of(target.name, file.path)
            if driver is not None:
                yield driver, fact, target
