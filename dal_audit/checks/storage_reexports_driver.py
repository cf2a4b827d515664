"""DAL105 storage-reexports-driver."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from typing import Final

from msgspec.structs import replace

from dal_audit.assemble.driver_names import OWN_TYPES
from dal_audit.assemble.driver_objects import DriverSource
from dal_audit.assemble.imported_names import readers_of
from dal_audit.assemble.project import Project
from dal_audit.facts import Export, FileFacts, ModuleExports, Place
from dal_audit.fix.exports import unlisted
from dal_audit.judge.breach import Breach, flow_of
from dal_audit.judge.check import check


@check("DAL105")
def storage_reexports_driver(
    fact: ModuleExports, file: FileFacts, project: Project
) -> Iterator[Breach]:
    """Flag a driver's object that a storage module offers to its users."""
    if not project.in_storage(file.path):
        return
    module = project.module_name(file.path)
    is_package = file.path.rpartition("/")[2].startswith("__init__.")
    seen: set[str] = set()
    for export in _offered(fact, is_package=is_package):
        if export.name in seen:
            continue
        if export.reach and project.in_storage(project.names.files.get(export.reach, "")):
            continue
        # A name that branches bind to different things is each of them: this binding's own counts.
        origin = _itself(project.driver_sources.of_export(export, fact, file.path))
        if origin is not None:
            seen.add(export.name)
            breach = _offer(
                export.name, origin, Place(file.path, export.span), _remedy(export, fact)
            )
            readers = readers_of(module, export.name, project)
            yield replace(breach, fix=unlisted(fact, export.name, readers))
    yield from _listed(fact, module, project)
    is_seen = not (fact.reach and project.in_storage(project.names.files.get(fact.reach, "")))
    if (fact.offers_stars and is_seen) or (is_package and fact.offered is None):
        yield from _by_stars(fact, file, project)


def _listed(fact: ModuleExports, module: str, project: Project) -> Iterator[Breach]:
    """Flag what a module lists and has by a star."""
    own = {export.name for export in fact.exports}
    for name in fact.offered or ():
        origin = _driver_object(name, module, project) if name not in own else None
        if origin is not None:
            yield _offer(name, origin, origin.steps[-1].place, _UNLIST.format(name=name))


def _by_stars(fact: ModuleExports, file: FileFacts, project: Project) -> Iterator[Breach]:
    """Flag the stars of drivers in a package's `__init__`.

    Without `__all__` a star in another module serves the module itself.
    """
    for star, span in zip(fact.stars, fact.star_spans, strict=True):
        source = project.absolute(star, file.path)
        driver = project.driver_of(source, file.path)
        if driver is not None:
            yield Breach(
                Place(file.path, span),
                f"storage offers all of `{source}` to whoever imports it",
                label="offered from here",
                driver=driver.name,
                remedy=_NO_STAR if not fact.offers_stars else _PRIVATE,
            )


_NO_STAR: Final = (
    "Import from the driver in the modules that use it, not in the package's `__init__`."
)


def _driver_object(name: str, module: str, project: Project) -> DriverSource | None:
    """Return the object of a driver that a module's name is, if it is one itself."""
    return _itself(project.driver_sources.origin(module, name))


def _itself(origin: DriverSource | None) -> DriverSource | None:
    """Return a driver's object that is offered as it is, and belongs to no type of the project."""
    if origin is None or origin.form != "itself" or origin.driver is OWN_TYPES:
        return None
    return origin


_PRIVATE: Final = "Make it private to storage, and give callers a type of your own."
_UNLIST: Final = "Take `{name}` out of `__all__`, and offer the interface instead."


def _remedy(export: Export, shape: ModuleExports) -> str:
    """Say how to take back what a module offers, by the way in which it does so."""
    name = export.name
    if shape.offers_stars:
        return _PRIVATE
    if export.name in (shape.offered or ()):
        return _UNLIST.format(name=name)
    if export.made == "alias":
        return f"Call it `_{name}` if only storage uses it, and give callers a type of your own."
    if export.renamed:
        return f"Leave out `as {name}`, which offers it to whoever imports the module."
    return f"Import `{name}` in the modules that use it, not in the package's `__init__`."


def _offer(name: str, origin: DriverSource, place: Place, remedy: str) -> Breach:
    return Breach(
        place,
        f"storage offers {_named(name, origin)}",
        label="offered from here",
        related=flow_of(origin.steps[:-1]),
        flow_length=len(origin.steps) - 1,
        driver=origin.driver.name,
        remedy=remedy,
    )


def _named(name: str, origin: DriverSource) -> str:
    """Return what is offered, and what it really is where the name does not say it."""
    if name == origin.name:
        return f"the driver `{name}` itself to whoever imports it"
    return f"`{name}` to whoever imports it, and that is `{origin.name}`"


def _offered(shape: ModuleExports, *, is_package: bool) -> Iterator[Export]:
    """Yield the names that a module offers and does not only use.

    `__all__` decides where there is one. Without, a public alias is offered, and what a package's
    `__init__` imports without using it, or under the same name again (`x as x`, PEP 484).
    """
    listed = frozenset(shape.offered or ())
    is_told = shape.offered is not None and not shape.offers_more
    imported = {export.name for export in shape.exports if export.made == "import"}
    for export in shape.exports:
        is_public = not export.name.startswith("_") and "." not in export.name
        if export.name in listed or (
            not is_told and is_public and _offers(export, imported, is_package=is_package)
        ):
            yield export


def _offers(export: Export, imported: AbstractSet[str], *, is_package: bool) -> bool:
    """Return whether a public binding offers its name where `__all__` does not list it."""
    if export.made == "import":
        return export.renamed or (is_package and not export.used)
    # What stands in for an import that failed is offered as that import is.
    return export.made == "alias" and export.name not in imported
