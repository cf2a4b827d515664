"""Stores of one engine that implement no interface: structs of storage that are named for it.

In Rust a store is often used as it is, and its name says which engine it is for (`SqliteStore`).
"""

from __future__ import annotations

from dal_audit.assemble.accessor_names import PRODUCTS, words
from dal_audit.assemble.class_hierarchy import hierarchy_of
from dal_audit.assemble.held_objects import held_objects_of
from dal_audit.assemble.memo import query
from dal_audit.assemble.project import Project
from dal_audit.assemble.symbols import SymbolId
from dal_audit.catalogue.drivers import RUST


@query(depends_on=(hierarchy_of, held_objects_of))
def engine_stores(project: Project) -> frozenset[str]:
    """Return the names of the structs in storage that are named for an engine and hold a driver's.

    What implements an interface is one of that interface's backends, and not among them.
    """
    hierarchy = hierarchy_of(project)
    held = held_objects_of(project)
    return frozenset(
        owner.name
        for owner in hierarchy.in_order
        if owner.name.startswith(RUST) and project.in_storage(owner.path)
        if not owner.shape.is_trait and owner.name not in hierarchy.backend_of
        if not PRODUCTS.isdisjoint(words(owner.shape.name))
        if any(held.of(owner, member) is not None for member in owner.shape.members)
    )


def engine_store_names(project: Project) -> frozenset[SymbolId]:
    """Return each module and name by which such a store can be imported."""
    parted = (name.rpartition(".") for name in engine_stores(project))
    return project.symbols.importable_as((module, last) for module, _, last in parted)
