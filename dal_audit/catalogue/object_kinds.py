"""What the catalogue knows of drivers' objects by their dotted names: their kinds and makers."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from functools import cached_property
from typing import Literal, TypeAlias

from dal_audit.catalogue.drivers import Catalogue

Kind: TypeAlias = Literal["module", "type", "exception", "other"]
"""What a driver's object is: the driver itself or a part of it, a class, an exception, or another
thing (a function, a constant)."""


class Kinds:
    """What the catalogue knows of dotted names."""

    def __init__(self, catalogue: Catalogue) -> None:
        """Index the types, exceptions and makers of all drivers in force."""
        self.catalogue = catalogue
        self.roles: dict[str, str] = {}
        self.makers: dict[str, str] = {}
        for driver in catalogue.drivers:
            for role, names in (*driver.types, ("exception", driver.exceptions)):
                for name in names:
                    self.roles[name] = role
                    # A type is reached by more paths than are documented.
                    self.roles.setdefault(f"{driver.name}:{name.rpartition('.')[2]}", role)
            self.makers.update(driver.makers)

    def names_in(self, module: str) -> list[str]:
        """Return the names in a driver's module that are known."""
        return sorted(self._by_module.get(module, ()))

    @cached_property
    def _by_module(self) -> Mapping[str, AbstractSet[str]]:
        found: dict[str, set[str]] = {}
        for name in (*self.roles, *self.makers):
            module, _, last = name.rpartition(".")
            found.setdefault(module, set()).add(last)
        return found

    def role(self, name: str) -> str:
        """Return the role of a driver's type, `exception` among them; empty for what is none."""
        role = self.roles.get(name)
        if role is None:
            driver = self.catalogue.driver_of(name)
            last = name.rpartition(".")[2]
            role = self.roles.get(f"{driver.name}:{last}") if driver else None
        return role or ""

    def of(self, name: str) -> Kind:
        """Return what a driver's dotted name is."""
        if name in self.catalogue.by_module:
            return "module"
        role = self.role(name)
        if role:
            return "exception" if role == "exception" else "type"
        return "other"

    def made_by(self, name: str) -> str:
        """Return the type of what calling a driver's object gives; empty where it is not known."""
        made = self.makers.get(name)
        return made if made is not None else name if self.of(name) == "type" else ""
