"""What the catalogue knows of drivers' objects by their dotted names: their kinds and makers."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import Literal, TypeAlias

from dal_audit.catalogue.drivers import RUST, Catalogue, Driver, DriverObjects, shipped_catalogue

Kind: TypeAlias = Literal["module", "type", "exception", "other"]
"""What a driver's object is: the driver itself or a part of it, a class, an exception, or another
thing (a function, a constant)."""


class _Objects:
    """The objects of one driver."""

    def __init__(self, known: Iterable[DriverObjects]) -> None:
        """Index the types and makers."""
        self.roles: dict[str, str] = {}
        self.roles_by_last: dict[str, str] = {}
        """A type is reached by more paths than are documented."""
        self.makers: dict[str, str] = {}
        self.methods: dict[str, str] = {}
        """The makers that are methods, by the last names of type and method."""
        for objects in known:
            self._add_types(objects)
            self._add_makers(objects)

    def _add_types(self, objects: DriverObjects) -> None:
        for role, names in objects.types:
            for name in names:
                self.roles[name] = role
                self.roles_by_last.setdefault(name.rpartition(".")[2], role)

    def _add_makers(self, objects: DriverObjects) -> None:
        for maker, made in objects.makers:
            self.makers[maker] = made
            self.methods.setdefault(_method_key(maker), made)


_NOTHING = _Objects(())


class Kinds:
    """What the catalogue knows of dotted names.

    A driver's objects are read when one of its names is asked for: a project uses a few drivers.
    """

    def __init__(self, catalogue: Catalogue) -> None:
        """Take the drivers in force."""
        self.catalogue = catalogue
        self._objects: dict[str, _Objects] = {}
        """Each driver's objects by the driver's name."""

    @cached_property
    def _drivers(self) -> dict[str, list[Driver]]:
        """The drivers in force by their names."""
        found: dict[str, list[Driver]] = {}
        for driver in self.catalogue.drivers:
            found.setdefault(driver.name, []).append(driver)
        return found

    def _objects_of(self, driver: Driver | None) -> _Objects:
        """Return the objects of the drivers in force that bear a driver's name."""
        if driver is None:
            return _NOTHING
        if driver.name not in self._objects:
            drivers = self._drivers.get(driver.name, ())
            self._objects[driver.name] = _Objects(driver.objects() for driver in drivers)
        return self._objects[driver.name]

    def _listing(self, name: str) -> _Objects:
        """Return the objects among which a name is, where the catalogue spells it like this.

        A driver's objects are known by their names as soon as one of its modules is in force, so
        it is the shipped catalogue that says whose a name is. Crates hide nothing of each other.
        """
        if name.startswith(RUST):
            return self._reaching(name)
        return self._objects_of(shipped_catalogue().driver_of(name))

    def _reaching(self, name: str) -> _Objects:
        """Return the objects among which a name leads to one, by whatever path."""
        return self._objects_of(self.catalogue.driver_of(name))

    def names_in(self, module: str) -> list[str]:
        """Return the names in a driver's module that are known."""
        listed = self._listing(module)
        if module.startswith(RUST):
            # A type is reached by more paths than are documented, a prelude's among them.
            return sorted(
                {*listed.roles_by_last, *(name.rpartition(".")[2] for name in listed.makers)}
            )
        parted = (name.rpartition(".") for name in (*listed.roles, *listed.makers))
        return sorted({last for parent, _, last in parted if parent == module})

    def role(self, name: str) -> str:
        """Return the role of a driver's type, `exception` among them; empty for what is none."""
        role = self._listing(name).roles.get(name)
        if role is None:
            role = self._reaching(name).roles_by_last.get(name.rpartition(".")[2])
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
        made = self._listing(name).makers.get(name)
        return made if made is not None else self._reaching(name).methods.get(_method_key(name), "")

    def is_value(self, name: str) -> bool:
        """Return whether a driver's name is, as far as is known, a plain value: a version, a flag.

        What makes an object is none, nor what is called as classes are.
        """
        if self.of(name) != "other" or name in self._listing(name).makers:
            return False
        last = name.rpartition(".")[2].lstrip("_")
        return not (last[:1].isupper() and not last.isupper())


def _method_key(name: str) -> str:
    return ".".join(name.split(".")[-2:])
