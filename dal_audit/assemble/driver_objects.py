"""Drivers' objects: what one is, how it arrives, and what its attributes and calls give."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Literal, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from dal_audit.assemble.driver_names import OWN_TYPES
from dal_audit.catalogue.drivers import Driver
from dal_audit.catalogue.object_kinds import Kind, Kinds
from dal_audit.facts import CALL, ITEM, Place

Form: TypeAlias = Literal[
    "itself", "type", "collection", "subclass", "instance", "attribute", "function"
]
"""How the object arrives: as what it is, inside a type or a collection that was put together, as
the base of a class, made into an object, as an attribute of one, or as what a function of the
project gives when it is called."""

CONNECTION_ROLES: Final = frozenset({"connection", "cursor", "pool", "engine", "session"})
"""The roles of types that hold on to a database: an object of one, or a subclass, is the driver's.
Models, columns and results are not (judgement call 6)."""

_STEPS: Final = frozenset({CALL, ITEM})


class ReexportStep(Struct, frozen=True):
    """A step on the way of a name: where it was handed on, and what happened there."""

    place: Place
    message: str
    name: str
    """The name that it was given there."""


class DriverSource(Struct, frozen=True):
    """What a name comes from: a driver's object, by its dotted name, and the way from there.

    `steps` begin where the name was made and end where it was last handed on. The `name` of an
    instance is that of its type, and of an attribute that of the type with the attribute behind it;
    `function` is the path of the file whose function gives the object, if one does.
    """

    driver: Driver
    name: str
    kind: Kind
    steps: tuple[ReexportStep, ...] = ()
    form: Form = "itself"
    function: str = ""


class DriverObjects:
    """Follows attributes and calls of drivers' objects, as far as the catalogue knows them."""

    def __init__(self, kinds: Kinds) -> None:
        """Take what the catalogue knows of names."""
        self.kinds = kinds

    def named(self, driver: Driver, name: str) -> DriverSource | None:
        """Return what a dotted name of a driver means; calls may stand in it.

        None where that is not known, as of what an unknown function gives.
        """
        parts = name.split(".")
        count = next((index for index, part in enumerate(parts) if part in _STEPS), len(parts))
        head = ".".join(parts[:count])
        return self.follow(DriverSource(driver, head, self.kinds.of(head)), parts[count:])

    def follow(self, source: DriverSource, parts: Iterable[str]) -> DriverSource | None:
        """Return what attributes and calls of an object give, or None."""
        found: DriverSource | None = source
        for part in parts:
            found = self._step(found, part) if found is not None else None
        return found

    def value(self, source: DriverSource) -> DriverSource | None:
        """Return what an object is that is not called, or None where that is not known.

        Of an attribute it is known where all names of an object are alike (`client.database`), and
        where it is one of the exceptions that a connection has (`connection.IntegrityError`).
        """
        if source.form != "attribute":
            return source
        if self.kinds.role(source.name.rpartition(".")[0]) == "connection":
            exception = f"{source.name.partition('.')[0]}.{source.name.rpartition('.')[2]}"
            if self.kinds.of(exception) == "exception":  # PEP 249, optional extensions
                return replace(source, name=exception, kind="exception", form="itself")
        return self._made(source, f"{source.name.rpartition('.')[0]}.__getattr__")

    def instance(self, source: DriverSource, name: str) -> DriverSource | None:
        """Return an object of a driver's type that holds on to a database; None for another."""
        if self.kinds.role(name) not in CONNECTION_ROLES:
            return None
        return replace(source, name=name, kind=self.kinds.of(name), form="instance")

    def _step(self, source: DriverSource, part: str) -> DriverSource | None:
        if part == CALL:
            return self._called(source)
        if source.form == "attribute":
            value = self.value(source)
            return self._step(value, part) if value is not None else None
        if source.form == "instance":
            if part == ITEM:
                return self._made(source, f"{source.name}.__getitem__")
            return replace(source, name=f"{source.name}.{part}", kind="other", form="attribute")
        if source.form != "itself" or part == ITEM:
            return None
        name = f"{source.name}.{part}"
        return replace(source, name=name, kind=self.kinds.of(name))

    def _called(self, source: DriverSource) -> DriverSource | None:
        """Return what a call of an object gives."""
        if source.form == "attribute":
            return self._made(source, source.name)
        if source.form == "instance":
            # `SessionLocal()`: the object that a factory makes when it is called.
            return self._made(source, f"{source.name}.__call__")
        if source.form == "function":
            return replace(source, form="itself" if source.kind == "module" else "instance")
        if source.driver is OWN_TYPES:
            return replace(source, form="instance")
        if source.form == "collection":
            return None
        return self.instance(source, self.kinds.made_by(source.name))

    def _made(self, source: DriverSource, method: str) -> DriverSource | None:
        return self.instance(source, self.kinds.method_makes(method))
