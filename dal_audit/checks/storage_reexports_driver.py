"""DAL105 storage-reexports-driver."""

from __future__ import annotations

from collections.abc import Iterator

from dal_audit.assemble.driver_names import OWN_TYPES
from dal_audit.assemble.driver_sources import DriverSource
from dal_audit.assemble.project import Project
from dal_audit.facts import Export, FileFacts, Place, Shape
from dal_audit.judge.breach import Breach, Related
from dal_audit.judge.check import check


@check("DAL105")
def storage_reexports_driver(fact: Shape, file: FileFacts, project: Project) -> Iterator[Breach]:
    """Flag a driver's object that a storage module offers to its users."""
    if not project.in_storage(file.path):
        return
    module = project.module_name(file.path)
    is_package = file.path.rpartition("/")[2].startswith("__init__.")
    seen: set[str] = set()
    for export in fact.exports:
        if export.name in seen or not _is_offered(export, fact, is_package=is_package):
            continue
        origin = project.driver_sources.origin(module, export.name)
        if origin is None or origin.form != "itself" or origin.driver is OWN_TYPES:
            continue
        if export.made == "alias" and origin.kind == "other":
            continue  # `config = context.config` keeps a value; it names nothing of the driver.
        seen.add(export.name)
        yield Breach(
            Place(file.path, export.span),
            f"storage offers {_named(export.name, origin)}",
            label="offered from here",
            related=tuple(Related(step.place, step.message) for step in origin.steps[:-1]),
            way=len(origin.steps) - 1,
            driver=origin.driver.name,
        )
    yield from _starred(fact, file, project, is_package=is_package)


def _starred(
    fact: Shape, file: FileFacts, project: Project, *, is_package: bool
) -> Iterator[Breach]:
    """Flag what a module lists and has by a star, and a star of a driver in a package's `__init__`.

    Without `__all__` a star in another module serves the module itself.
    """
    module = project.symbols.modules.get(project.module_name(file.path))
    if module is None:
        return
    own = {export.name for export in fact.exports}
    for name in fact.offered or ():
        origin = project.driver_sources.origin(module.name, name) if name not in own else None
        if origin is not None and origin.form == "itself" and origin.driver is not OWN_TYPES:
            yield Breach(
                origin.steps[-1].place,
                f"storage offers {_named(name, origin)}",
                label="offered from here",
                related=tuple(Related(step.place, step.message) for step in origin.steps[:-1]),
                way=len(origin.steps) - 1,
                driver=origin.driver.name,
            )
    for star, span in zip(fact.stars, fact.star_spans, strict=True):
        source = project.absolute(star, file.path)
        is_offered = is_package and fact.offered is None
        driver = project.driver_of(source, file.path)
        if is_offered and driver is not None:
            yield Breach(
                Place(file.path, span),
                f"storage offers all of `{source}` to whoever imports it",
                label="offered from here",
                driver=driver.name,
            )


def _named(name: str, origin: DriverSource) -> str:
    """Return what is offered, and what it really is where the name does not say it."""
    if name == origin.name:
        return f"the driver `{name}` itself to whoever imports it"
    return f"`{name}` to whoever imports it, and that is `{origin.name}`"


def _is_offered(export: Export, shape: Shape, *, is_package: bool) -> bool:
    """Return whether a module offers a name and does not only use it.

    `__all__` decides where there is one. Without, a public alias is offered, and what a package's
    `__init__` imports without using it, or under the same name again (`x as x`, PEP 484).
    """
    if shape.offered is not None and (export.name in shape.offered or not shape.offers_more):
        return export.name in shape.offered
    if export.name.startswith("_"):
        return False
    if export.made == "import":
        return export.renamed or (is_package and not export.used)
    return export.made == "alias"
