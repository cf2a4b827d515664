"""Whose a dotted name is: a driver's, the project's own, or nobody's that matters."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Final

from dal_audit.assemble.module_names import ModuleNames
from dal_audit.catalogue.drivers import Catalogue, Driver, unknown_driver

OWN_TYPES: Final = unknown_driver("storage")
"""Stands for the project itself as the owner of its `driver-types`."""


class DriverNames:
    """Tells the names of drivers in a project from those of its own modules."""

    def __init__(
        self, catalogue: Catalogue, names: ModuleNames, driver_types: Sequence[str]
    ) -> None:
        """Take the catalogue, the modules' names, and the globs of the project's driver types."""
        self.catalogue = catalogue
        self.names = names
        self.driver_types = driver_types
        self._tops = frozenset(module.partition(".")[0] for module in catalogue.by_module)
        """What the names of the drivers' modules begin with."""
        self._own: dict[str, Driver | None] = {}

    def driver_of(self, name: str, path: str) -> Driver | None:
        """Return the driver that an absolute dotted name means in a file, if it means one."""
        driver = self.catalogue.driver_of(name)
        if driver is None or self.names.is_local(name, path):
            return None
        return driver

    def owner_of(self, name: str, path: str) -> Driver | None:
        """Return the driver of a dotted name; the project's own driver types have one, too."""
        return self.driver_of(name, path) or self.own_driver_type(name)

    def own_driver_type(self, name: str) -> Driver | None:
        """Return what stands for the project where a name is one of its `driver-types`."""
        if not self.driver_types:
            return None
        if name not in self._own:
            self._own[name] = OWN_TYPES if self._is_own(name) else None
        return self._own[name]

    def _is_own(self, name: str) -> bool:
        parts = name.split(".")
        heads = [".".join(parts[:count]) for count in range(1, len(parts) + 1)]
        return any(fnmatchcase(head, glob) for head in heads for glob in self.driver_types)

    def own_types(self) -> frozenset[tuple[str, str]]:
        """Return each module and name by which one of the project's driver types is imported.

        Of a glob it is the longest text that all names have that it matches.
        """
        parted = (glob.rpartition(".") for glob in self.driver_types)
        return frozenset((module, max(last.split("*"), key=len)) for module, _, last in parted)

    def is_foreign(self, name: str) -> bool:
        """Return whether an absolute name lies outside the project and all drivers."""
        top = name.partition(".")[0]
        return top not in self.names.tops and not self.may_mean_driver(name)

    def may_mean_driver(self, name: str) -> bool:
        """Return whether an absolute name, or a longer one, may be a driver's by itself."""
        return bool(self.driver_types) or name.partition(".")[0] in self._tops
