"""What the catalogue knows of drivers' objects by their dotted names: their kinds and makers."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from functools import cached_property
from typing import Literal, TypeAlias

from dal_audit.catalogue.drivers import Catalogue, Driver

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
        self._methods: dict[str, str] = {}
        """The makers that are methods, by their driver and the last names of type and method."""
        for driver in catalogue.drivers:
            for role, names in (*driver.types, ("exception", driver.exceptions)):
                for name in names:
                    self.roles[name] = role
                    # A type is reached by more paths than are documented.
                    self.roles.setdefault(f"{driver.name}:{name.rpartition('.')[2]}", role)
            for maker, made in driver.makers:
                self.makers[maker] = made
                self._methods.setdefault(self._method_key(driver, maker), made)

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
        made = self.method_makes(name)
        return made or (name if self.of(name) == "type" else "")

    def method_makes(self, name: str) -> str:
        """Return the type of what a method of a driver's type gives; empty where it is not known.

        The type may be named by any path that leads to it.
        """
        made = self.makers.get(name)
        if made is not None:
            return made
        driver = self.catalogue.driver_of(name)
        return self._methods.get(self._method_key(driver, name), "") if driver is not None else ""

    def is_value(self, name: str) -> bool:
        """Return whether a driver's name is, as far as is known, a plain value: a version, a flag.

        What makes an object is none, nor what is called as classes are.
        """
        if self.of(name) != "other" or name in self.makers:
            return False
        last = name.rpartition(".")[2].lstrip("_")
        return not (last[:1].isupper() and not last.isupper())

    @staticmethod
    def _method_key(driver: Driver, name: str) -> str:
        return f"{driver.name}:{'.'.join(name.split('.')[-2:])}"
