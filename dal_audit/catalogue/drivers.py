"""The catalogue: what counts as a driver, and what is known of each one.

`rules/catalogue/drivers.toml` is the shipped catalogue; the configuration narrows it (`drivers`),
widens it (`extend-drivers`) and names the project's own import functions (`import-helpers`). The
catalogue in force is all that extraction knows of a project.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache, cached_property
from typing import Any, Final, Literal, TypeAlias

from msgspec import Raw, Struct, json
from msgspec.structs import replace

from dal_audit.catalogue.digest import sha256
from dal_audit.catalogue.resources import table

Kind: TypeAlias = Literal["driver", "orm", "store", "pool"]
"""A SQL driver; an ORM, query builder or migration library; a client of another kind of store; a
pool of whatever it is given."""

KIND_WORDS: Mapping[Kind, str] = {
    "driver": "database driver",
    "orm": "database toolkit",
    "store": "database client",
    "pool": "connection pool",
}


class DriverObjects(Struct, frozen=True, array_like=True):
    """A driver's objects by their dotted names.

    `types` maps a role (connection, cursor, pool, engine, session, model, other, and exception) to
    names; `makers` maps a callable to the type of what it returns.
    """

    types: tuple[tuple[str, tuple[str, ...]], ...] = ()
    makers: tuple[tuple[str, str], ...] = ()


NO_OBJECTS: Final = Raw(json.encode(DriverObjects()))


class Driver(Struct, frozen=True, omit_defaults=True):
    """A library that talks to a database.

    `modules` are dotted import names, each covering its submodules, `packages` the names by which
    it is installed; `written_objects` are its
    objects as JSON. Those are four fifths of the catalogue, and a run asks for few drivers' ones.
    """

    name: str
    modules: tuple[str, ...]
    packages: tuple[str, ...]
    kind: Kind
    dialect: str
    accessors: tuple[str, ...]
    executes: tuple[str, ...]
    written_objects: Raw
    models_per_app: bool = False
    """Whether models lie in each of a program's applications, so that no package can hold them."""

    def __hash__(self) -> int:
        """Return a hash; `Raw` has none."""
        return hash((self.name, self.modules))

    def objects(self) -> DriverObjects:
        """Read what the catalogue knows of the driver's objects."""
        return json.decode(self.written_objects, type=DriverObjects)


RUST: Final = "::"
"""Stands before the names of Rust, as Rust itself writes it before a crate's."""


def unknown_driver(module: str) -> Driver:
    """Return the driver that a module is of which the shipped catalogue knows nothing."""
    return Driver(module, (module,), (), "driver", "", (), (), NO_OBJECTS)


class Catalogue(Struct, frozen=True, dict=True):
    """The drivers in force, and the project's own functions that import by name."""

    drivers: tuple[Driver, ...]
    import_helpers: tuple[str, ...] = ()

    @cached_property
    def by_module(self) -> Mapping[str, Driver]:
        """The drivers by their modules."""
        return {module: driver for driver in self.drivers for module in driver.modules}

    @cached_property
    def _found(self) -> dict[str, Driver | None]:
        """The drivers of the names that were asked for: a program asks for a name many times."""
        return {}

    def driver_of(self, name: str) -> Driver | None:
        """Return the driver that a dotted name belongs to, matched by whole components.

        The longest module wins: `google.cloud.spanner.Client` is Spanner's whatever else lies
        below `google.cloud`.
        """
        if name not in self._found:
            module = self.module_of(name)
            self._found[name] = self.by_module[module] if module is not None else None
        return self._found[name]

    def module_of(self, name: str) -> str | None:
        """Return the catalogued module that a dotted name lies in, as the catalogue spells it."""
        while name and name not in self.by_module:
            name = name.rpartition(".")[0]
        return name or None

    def described(self, name: str) -> str:
        """Return what a driver's dotted name stands for, in words: the driver, or a part of it."""
        module = self.module_of(name) or name
        kind = KIND_WORDS[self.by_module[module].kind if module in self.by_module else "driver"]
        return f"a {kind}" if name == module else f"a part of the {kind} `{module}`"

    @property
    def digest(self) -> str:
        """A hash of all that extraction reads of the catalogue: a part of the cache's key."""
        text = repr((sorted(self.by_module), self.import_helpers))
        return sha256(text.encode()).hex()


@cache
def shipped_drivers() -> tuple[Driver, ...]:
    """Read `drivers.toml`."""
    return table("drivers", tuple[Driver, ...], driver_in)


@cache
def shipped_rust_drivers() -> tuple[Driver, ...]:
    """Read `drivers.rust.toml`; it is loaded only where there is Rust."""
    return table("drivers.rust", tuple[Driver, ...], rust_driver_in)


@cache
def shipped_catalogue() -> Catalogue:
    """Return the catalogue of a project that configures none."""
    return Catalogue(shipped_drivers())


def driver_in(row: Mapping[str, Any]) -> Driver:
    """Return the driver of a table in `drivers.toml`."""
    return Driver(
        name=row["name"],
        modules=tuple(row["modules"]),
        packages=tuple(row["packages"]),
        kind=row["kind"],
        dialect=row["dialect"],
        accessors=tuple(row["accessors"]),
        executes=tuple(row["executes"]),
        written_objects=Raw(json.encode(_objects_in(row))),
        models_per_app=row.get("models_per_app", False),
    )


def rust_driver_in(row: Mapping[str, Any]) -> Driver:
    """Return the driver of a table in `drivers.rust.toml`; names count from its first crate."""
    crates = tuple(f"{RUST}{crate}" for crate in row["crates"])

    def named(names: Iterable[str]) -> tuple[str, ...]:
        return tuple(f"{crates[0]}.{name}" for name in names)

    roles = {**row["types"], "exception": row["errors"]}
    types = tuple((role, named(names)) for role, names in roles.items() if names)
    makers = tuple(zip(named(row["makers"]), named(row["makers"].values()), strict=True))
    return Driver(
        name=row["name"],
        modules=crates,
        packages=(),
        kind=row["kind"],
        dialect=row["dialect"],
        accessors=tuple(row["accessors"]),
        executes=(*row["executes"], *named(row["queries"])),
        written_objects=Raw(json.encode(DriverObjects(types, makers))),
    )


def _objects_in(row: Mapping[str, Any]) -> DriverObjects:
    roles = {**row["types"], "exception": row["exceptions"]}
    types = tuple((role, tuple(names)) for role, names in roles.items() if names)
    return DriverObjects(types, tuple(row["makers"].items()))


def catalogue_in_force(
    *,
    only: Iterable[str] | None = None,
    also: Iterable[str] = (),
    import_helpers: Iterable[str] = (),
) -> Catalogue:
    """Return the shipped catalogue as the configuration narrows and widens it.

    `only` and `also` are dotted prefixes; what the catalogue knows of a prefix is kept, and a
    prefix that it does not know becomes a driver of that name. `import_helpers` are written
    `module:function`.
    """
    shipped = shipped_catalogue()
    drivers = list(shipped.drivers) if only is None else _named(only, shipped)
    known = {module for driver in drivers for module in driver.modules}
    drivers += _named((prefix for prefix in also if prefix not in known), shipped)
    helpers = tuple(sorted(helper.replace(":", ".") for helper in import_helpers))
    return Catalogue(tuple(drivers), helpers)


def with_crates(
    catalogue: Catalogue, *, only: Iterable[str] | None = None, also: Iterable[str] = ()
) -> Catalogue:
    """Return a catalogue in force with the drivers of Rust, narrowed and widened in the same way.

    A prefix may be written as Rust does (`sea_orm::prelude`).
    """
    shipped = Catalogue(shipped_rust_drivers())
    drivers = list(shipped.drivers) if only is None else _named(map(_crate, only), shipped)
    known = {module for driver in drivers for module in driver.modules}
    drivers += _named((name for name in map(_crate, also) if name not in known), shipped)
    return Catalogue((*catalogue.drivers, *drivers), catalogue.import_helpers)


def _crate(prefix: str) -> str:
    return RUST + prefix.removeprefix(RUST).replace("::", ".").replace("-", "_")


def _named(prefixes: Iterable[str], shipped: Catalogue) -> list[Driver]:
    """Return a driver for each prefix; prefixes of one shipped driver share it."""
    found: dict[str, Driver] = {}
    for prefix in prefixes:
        driver = shipped.driver_of(prefix) or unknown_driver(prefix)
        driver = found.get(driver.name) or replace(driver, modules=())
        if prefix not in driver.modules:
            found[driver.name] = replace(driver, modules=(*driver.modules, prefix))
    return list(found.values())
