"""Pools that hold whatever they are given: a driver's connections, or an HTTP client's.

`deadpool::managed::Pool<M>` is a driver's where its manager is one's. What a file's pools are given
is read from their types; where none says so, the manifest tells whether there is a driver to pool.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from functools import cached_property

from dal_audit.assemble.rust.names import RustNames
from dal_audit.assemble.rust.resolution import Resolution
from dal_audit.facts.rust import RustFile, RustImpl, RustItem, RustPath, RustType

_BETWEEN: AbstractSet[int] = frozenset({len("<"), len("::<")})
"""How far what a type takes stands behind it."""


class Pools:
    """Tells whose connections the pools of a project's files hold."""

    def __init__(
        self, files: Mapping[str, RustFile], resolution: Resolution, names: RustNames
    ) -> None:
        """Take what paths mean where every pool counts as a driver's."""
        self.files = files
        self.resolution = resolution
        self.names = names

    def of_others(self) -> frozenset[str]:
        """Return the paths of the files whose pools hold nothing of a driver's."""
        return frozenset(
            path for path, read in self.files.items() if self._is_of_others(path, read)
        )

    def _is_of_others(self, path: str, read: RustFile) -> bool:
        externs = self.resolution.tree.crate_of[path].externs
        if externs is not None and self.names.pools.isdisjoint(externs.values()):
            return False  # The crate has no such pools.
        pools = [used for used in read.paths if self._is_pools(used.path, path, used.scope)]
        if not pools and not any(self._is_pools(use.path, path, use.scope) for use in read.uses):
            return False
        held = list(self._held(path, read, pools))
        if held:
            return not any(held)
        return externs is not None and not any(map(self._is_drivers, externs.values()))

    def _is_pools(self, spelled: str, path: str, scope: int) -> bool:
        return self._far(spelled, path, scope).partition(".")[0] in self.names.pools

    def _far(self, spelled: str, path: str, scope: int) -> str:
        found = self.resolution.meaning(spelled.removesuffix("::*"), path, scope)
        return found.far if found is not None else ""

    def _held(self, path: str, read: RustFile, pools: list[RustPath]) -> Iterator[bool]:
        """Yield of each pool whose type says what it holds whether that is a driver's."""
        starts = {(used.span.line, used.span.column): used for used in read.paths}
        for pool in pools:
            ends = (pool.span.end_line, pool.span.end_column)
            behind = (starts.get((ends[0], ends[1] + width)) for width in _BETWEEN)
            for manager in filter(None, behind):
                name = self._far(manager.path, path, manager.scope)
                if name:
                    yield self._manages(name)

    def _manages(self, name: str) -> bool:
        """Return whether what manages a pool's objects is a driver's, or makes a driver's ones."""
        return self._is_drivers(name) or name in self._managers or self._is_alias(name)

    def _is_drivers(self, name: str) -> bool:
        driver = self.names.driver_of(name)
        return driver is not None and driver.kind != "pool"

    def _is_alias(self, name: str) -> bool:
        module, _, last = name.rpartition(".")
        place = self.resolution.tree.places.get(module)
        if place is None:
            return False
        items = (item for item in self.files[place[0]].items if _is_called(item, last, place[1]))
        return any(self._names_driver(item.types, place[0], item.scope) for item in items)

    def _names_driver(self, types: tuple[RustType, ...], path: str, scope: int) -> bool:
        return any(self._is_drivers(self._far(part.path, path, scope)) for part in types)

    @cached_property
    def _managers(self) -> frozenset[str]:
        """The project's own types that make a driver's objects for a pool."""
        return frozenset(
            self._far(block.owner[0].path, path, block.scope)
            for path, read in self.files.items()
            for block in read.impls
            if self._is_manager(block, path)
        )

    def _is_manager(self, block: RustImpl, path: str) -> bool:
        if not block.owner or not block.trait:
            return False
        made = (member for member in block.members if member.kind == "type")
        return self._is_pools(block.trait[0].path, path, block.scope) and any(
            self._names_driver(member.types, path, block.scope) for member in made
        )


def _is_called(item: RustItem, name: str, scope: int) -> bool:
    return item.kind == "alias" and item.name == name and item.scope == scope
