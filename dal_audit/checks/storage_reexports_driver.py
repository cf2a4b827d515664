"""DAL105 storage-reexports-driver."""

from __future__ import annotations

from collections.abc import Iterator

from dal_audit.facts import Export, FileFacts, Place, Shape
from dal_audit.program import Origin
from dal_audit.project import OWN_TYPES, Project
from dal_audit.rule import Breach, Related, check


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
        origin = project.program.origin(module, export.name)
        if origin is None or origin.form != "itself" or origin.driver is OWN_TYPES:
            continue
        if export.made == "alias" and origin.kind == "other":
            continue  # `config = context.config` keeps a value; it names nothing of the driver.
        seen.add(export.name)
        yield Breach(
            Place(file.path, export.span),
            f"storage offers {_named(export.name, origin)}",
            label="offered from here",
            related=tuple(Related(hop.place, hop.message) for hop in origin.hops[:-1]),
            way=len(origin.hops) - 1,
        )


def _named(name: str, origin: Origin) -> str:
    """Return what is offered, and what it really is where the name does not say it."""
    if name == origin.name:
        return f"the driver `{name}` itself to whoever imports it"
    return f"`{name}` to whoever imports it, and that is `{origin.name}`"


def _is_offered(export: Export, shape: Shape, *, is_package: bool) -> bool:
    """Return whether a module offers a name and does not only use it.

    `__all__` decides where there is one. Without, a public alias is offered, and what a package's
    `__init__` imports without using it, or under the same name again (`x as x`, PEP 484).
    """
    if shape.offered is not None:
        return export.name in shape.offered
    if export.name.startswith("_"):
        return False
    if export.made == "import":
        return export.renamed or (is_package and not export.used)
    return export.made == "alias"
