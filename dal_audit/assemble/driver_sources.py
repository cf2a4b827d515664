"""Where drivers' objects come to: what names stand for, through re-exports, aliases and calls.

Drivers' objects are spread over the symbol table, from the modules that take them to those that
take them from there, and each name is reached once: chains of star imports and import cycles cost
what they are long, not more.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Final, TypeAlias

from msgspec.structs import replace

from dal_audit.assemble.driver_names import DriverNames
from dal_audit.assemble.driver_objects import (
    CONNECTION_ROLES,
    DriverObjects,
    DriverSource,
    ReexportStep,
)
from dal_audit.assemble.symbols import Module, PendingExport, SymbolId, SymbolTable
from dal_audit.catalogue.object_kinds import Kinds
from dal_audit.facts import CALL, Export, ModuleExports, Place

Reached: TypeAlias = tuple[SymbolId, DriverSource]
"""A name that was reached, and what it comes from."""


class DriverSources:
    """Which names of a project's modules are drivers' objects."""

    def __init__(self, symbols: SymbolTable, drivers: DriverNames, kinds: Kinds) -> None:
        """Spread the drivers' objects over the symbols of a project."""
        self.symbols = symbols
        self.drivers = drivers
        self.kinds = kinds
        self.objects = DriverObjects(kinds)
        self._meanings: dict[str, tuple[DriverSource, ...]] = {}
        """What names mean that mean the same in all files."""
        self._sources: dict[SymbolId, dict[str, DriverSource]] = {}
        """What each name comes from, by the drivers' names: branches can bind several."""
        self._spread()

    def resolve(self, name: str, path: str) -> DriverSource | None:
        """Return the driver's object that a dotted name means in a file, or None.

        Where branches bind objects of several drivers, it is the one with the shortest way.
        """
        found = self.resolve_all(name, path)
        return found[0] if found else None

    def resolve_all(self, name: str, path: str) -> tuple[DriverSource, ...]:
        """Return the driver's objects that a dotted name can mean in a file, one a driver."""
        absolute = self.symbols.absolute(name, path)
        known = self._meanings.get(absolute)
        if known is not None:
            return known
        driver = self.drivers.owner_of(absolute, path)
        if driver is not None:
            named = self.objects.named(driver, absolute)
            value = self.objects.value(named) if named is not None else None
            return () if value is None else (value,)
        known = tuple(self._meant(absolute)) or tuple(self._of_classes(absolute, path))
        # A module of the project can hide a driver's from some of its files.
        if self.drivers.catalogue.driver_of(absolute) is None:
            self._meanings[absolute] = known
        return known

    def function(self, name: str, path: str) -> DriverSource | None:
        """Return what a function of the project gives of a driver, by its name in a file."""
        parted = self.symbols.symbol_of(self.symbols.absolute(name, path))
        if parted is None or parted[1]:
            return None
        sources = self._sources.get(parted[0], {}).values()
        return next((source for source in sources if source.form == "function"), None)

    def _meant(self, absolute: str) -> Iterator[DriverSource]:
        """Yield the driver's objects that a name of the project can mean, in whatever file.

        A function is none, whatever it gives.
        """
        parted = self.symbols.symbol_of(absolute)
        if parted is None:
            return
        symbol, rest = parted
        for source in self._sources.get(symbol, {}).values():
            behind = self._behind(source, rest)
            inner = self.objects.value(behind) if behind is not None else None
            if inner is not None and inner.form != "function":
                yield inner

    def _of_classes(self, absolute: str, path: str) -> Iterator[DriverSource]:
        """Yield what the attribute of a class stands for, which the class or a base of it names."""
        waiting = [absolute] if self._named_inside else []
        seen: set[str] = set()
        while waiting:
            name = waiting.pop(0)
            for lead in self.symbols.resolve(name, path) if name not in seen else ():
                parted = self.symbols.symbol_of(lead)
                if parted is not None and parted[1]:
                    yield from self._of_class(*parted)
                    waiting += self._of_bases(*parted)
            seen.add(name)

    def _of_class(self, symbol: SymbolId, rest: str) -> Iterator[DriverSource]:
        module, name = symbol
        exports = self.symbols.modules[module].shape.exports
        is_class = any(export.name == name and export.made == "class" for export in exports)
        # An object that a class holds is fetched from it: that is an accessor's business.
        fetched = {"attribute", "function", "instance" if is_class else "attribute"}
        parts = rest.split(".")
        for count in range(1, len(parts) + 1):
            inner = (module, ".".join((name, *parts[:count])))
            for source in self._sources.get(inner, {}).values():
                found = self._behind(source, ".".join(parts[count:]))
                if found is not None and found.form not in fetched:
                    yield found

    def _of_bases(self, symbol: SymbolId, rest: str) -> Iterator[str]:
        """Yield what an attribute is called where a class inherits it from."""
        return (f"{base}.{rest}" for base in self._bases.get(symbol, ()))

    @cached_property
    def _bases(self) -> Mapping[SymbolId, Sequence[str]]:
        """The absolute names of the bases of classes, by their symbols."""
        found: dict[SymbolId, list[str]] = {}
        for module in self.symbols.modules.values():
            for export in module.shape.exports:
                if export.made == "class" and export.origins:
                    bases = found.setdefault((module.name, export.name), [])
                    bases += (self.symbols.absolute(base, module.path) for base in export.origins)
        return found

    @cached_property
    def _holders(self) -> frozenset[SymbolId]:
        """The names of classes by which an attribute can be had that stands for a driver's."""
        found: frozenset[SymbolId] = frozenset()
        new = frozenset((module, name.partition(".")[0]) for module, name in self._named_inside)
        while not new <= found:
            found |= self.symbols.importable_as(new)
            new = frozenset(heir for base in found for heir in self._heirs.get(base, ()))
        return found

    @cached_property
    def _named_inside(self) -> Sequence[SymbolId]:
        """The names in classes that stand for drivers' objects."""
        return [symbol for symbol in self._sources if "." in symbol[1]]

    @cached_property
    def _heirs(self) -> Mapping[SymbolId, Sequence[SymbolId]]:
        """The classes that inherit what a name stands for, by its symbol."""
        found: dict[SymbolId, list[SymbolId]] = {}
        for heir, bases in self._bases.items():
            for base in bases:
                parted = self.symbols.symbol_of(base)
                if parted is not None and not parted[1]:
                    found.setdefault(parted[0], []).append(heir)
        return found

    def is_class(self, name: str) -> bool:
        """Return whether an absolute name is that of a class by which a driver's is reached."""
        parted = self.symbols.symbol_of(name)
        return parted is not None and parted[0] in self._holders

    def _behind(self, source: DriverSource, rest: str) -> DriverSource | None:
        """Return what the attributes and calls give that stand behind a name."""
        return self.objects.follow(source, rest.split(".") if rest else ())

    def leads_on(self, absolute: str) -> bool:
        """Return whether longer names than this one may mean an object that this one does not.

        They may below a module and a package, and in a name that stands for a module; not in a
        class, a function or a value of which no driver's object is known.
        """
        parted = self.symbols.symbol_of(absolute)
        if parted is None or absolute in self.symbols.packages:
            return True
        symbol, _ = parted
        is_known = symbol in self._sources or symbol in self._holders
        return is_known or symbol in self.symbols.module_aliases

    def origin(self, module: str, name: str) -> DriverSource | None:
        """Return the driver's object that a module offers under a name, or None."""
        return next(iter(self._sources.get((module, name), {}).values()), None)

    def modules_of_objects(self) -> Mapping[str, Sequence[str]]:
        """Return the names by which modules offer connections and the like, or functions do.

        Each comes with these modules.
        """
        found: dict[str, list[str]] = {}
        for (module, name), sources in self._sources.items():
            if any(source.form in {"instance", "function"} for source in sources.values()):
                found.setdefault(name, []).append(module)
        return found

    def of_export(self, export: Export, shape: ModuleExports, path: str) -> DriverSource | None:
        """Return the driver's object that one binding of a name in a file gives it, or None."""
        own = self.drivers.names.of(path)
        module = self.symbols.modules[f"{own}.{shape.inner}" if shape.inner else own]
        found = (source for origin in export.origins for source in self.resolve_all(origin, path))
        return next(filter(None, (self._handed_on(each, module, export) for each in found)), None)

    def tainted_names(self) -> frozenset[SymbolId]:
        """Return each module and name by which a driver's object can be reached.

        A name that stands for a module of the project is one, where that module has such a name or
        is on the way to one that does.
        """
        aliases: dict[str, list[SymbolId]] = {}
        for symbol, target in self.symbols.module_aliases.items():
            aliases.setdefault(target, []).append(symbol)
        found = {symbol for symbol in self._sources if "." not in symbol[1]}.union(self._holders)
        queue = deque(sorted({module for module, _ in found}))
        seen: set[str] = set()
        while queue:
            module = queue.popleft()
            while module and module not in seen:
                seen.add(module)
                found.update(aliases.get(module, ()))
                queue.extend(symbol[0] for symbol in aliases.get(module, ()))
                module = module.rpartition(".")[0]
        return frozenset(found)

    # Spreading

    def _spread(self) -> None:
        """Spread what modules take from drivers to all who take it from them, breadth first."""
        waiting: dict[SymbolId, list[tuple[Module, Export, str]]] = {}
        stars: dict[str, list[Module]] = {}
        queue: deque[Reached] = deque()
        for _, module in sorted(self.symbols.modules.items()):
            for pending in module.pending:
                self._begin(module, pending, waiting, queue)
            for source in module.stars:
                if not self._star_of_driver(source, module, queue):
                    stars.setdefault(source, []).append(module)
        while queue:
            symbol, found = queue.popleft()
            for module, export, rest in waiting.get(symbol, ()):
                inner = self._behind(found, rest)
                if inner is not None:
                    self._hand_on(inner, module, export, queue)
            for module in stars.get(symbol[0], ()):
                self._star(symbol, found, module, queue)

    def _begin(
        self,
        module: Module,
        pending: PendingExport,
        waiting: dict[SymbolId, list[tuple[Module, Export, str]]],
        queue: deque[Reached],
    ) -> None:
        """Note what an export stands for: a driver's object, or a name that may come to be one."""
        export, absolute, driver, own = pending
        if own is not None:
            waiting.setdefault((module.name, own[0]), []).append((module, export, own[1]))
        elif driver is not None:
            named = self.objects.named(driver, absolute)
            if named is not None:
                self._hand_on(named, module, export, queue)
        elif (parted := self.symbols.symbol_of(absolute)) is not None:
            waiting.setdefault(parted[0], []).append((module, export, parted[1]))

    def _hand_on(
        self, found: DriverSource, module: Module, export: Export, queue: deque[Reached]
    ) -> None:
        made = self._handed_on(found, module, export)
        if made is not None:
            self._take((module.name, export.name), made, queue)

    def _handed_on(
        self, found: DriverSource, module: Module, export: Export
    ) -> DriverSource | None:
        """Return what an export is, with the step that it is on the way."""
        made = self._as(export, found, module)
        if made is None:
            return None
        message = _WORDS[export.made].format(name=export.name, origin=found.name)
        step = ReexportStep(Place(module.path, export.span), message, export.name)
        return replace(made, steps=(*found.steps, step))

    def _take(self, symbol: SymbolId, source: DriverSource, queue: deque[Reached]) -> None:
        """Note what a name comes from; the first way to each driver counts."""
        known = self._sources.setdefault(symbol, {})
        if source.driver.name not in known:
            known[source.driver.name] = source
            queue.append((symbol, source))

    def _star_of_driver(self, source: str, module: Module, queue: deque[Reached]) -> bool:
        """Note what a star brings that is a driver's, as far as it is known; return if it is."""
        driver = self.drivers.owner_of(source, module.path)
        if driver is None:
            return False
        for name in self.kinds.names_in(source):
            named = self.objects.named(driver, f"{source}.{name}")
            if named is not None:
                self._by_star(named, name, module, source, queue)
        return True

    def _star(
        self, symbol: SymbolId, found: DriverSource, module: Module, queue: deque[Reached]
    ) -> None:
        """Hand a name on by `from … import *`, which leaves private and unlisted names out."""
        source, name = symbol
        shape = self.symbols.modules[source].shape
        is_open = shape.offered is None or shape.offers_more
        first = name.partition(".")[0]
        if first in (shape.offered or ()) or (is_open and not name.startswith("_")):
            self._by_star(found, name, module, source, queue)

    def _by_star(
        self, found: DriverSource, name: str, module: Module, source: str, queue: deque[Reached]
    ) -> None:
        """Note what a star brings; a class of the module's own takes the name from it."""
        exports = module.shape.exports
        if any(export.name == name and export.made == "class" for export in exports):
            return
        place = Place(module.path, module.star_span(source))
        step = ReexportStep(place, f"`{name}` is imported here by a star", name)
        self._take((module.name, name), replace(found, steps=(*found.steps, step)), queue)

    def _as(self, export: Export, found: DriverSource, module: Module) -> DriverSource | None:
        """Return what an export is, given the driver's object that it was made from."""
        if export.made == "call":
            return self._instance(self.objects.follow(found, (CALL,)))
        value = self.objects.value(found)
        if value is None or export.made == "import":
            return value
        if value.form == "itself" and self.kinds.is_value(value.name):
            return None  # A version, a flag: what is copied from a driver names nothing of it.
        if export.made in {"alias", "on-demand"}:
            return value
        if export.made == "class":
            return self._subclass(value)
        if export.made == "annotation":
            return self._object_of(value)
        if export.made == "function":
            is_object = value.form == "instance" or _is_module(value)
            return replace(value, form="function", function=module.path) if is_object else None
        return replace(value, form=export.made) if value.form == "itself" else value

    def _object_of(self, found: DriverSource) -> DriverSource | None:
        """Return what is annotated as a driver's type, or as a type that is made of one."""
        return None if found.form == "function" else self.objects.instance(found, found.name)

    def _instance(self, found: DriverSource | None) -> DriverSource | None:
        """Return an object, if it holds on to a database; the project's own types tell nothing."""
        return self.objects.instance(found, found.name) if found is not None else None

    def _subclass(self, found: DriverSource) -> DriverSource | None:
        """Return what a class is whose base is a driver's object."""
        if found.form == "instance":
            return None
        is_kept = found.kind == "exception" or self.kinds.role(found.name) in CONNECTION_ROLES
        return replace(found, form="subclass") if is_kept else None


def _is_module(found: DriverSource) -> bool:
    return found.form == "itself" and found.kind == "module"


_WORDS: Final = {
    "import": "`{name}` is imported here",
    "alias": "`{name}` is named here after `{origin}`",
    "call": "`{name}` is made here by `{origin}`",
    "annotation": "`{name}` is annotated as `{origin}` here",
    "type": "`{name}` is put together here from `{origin}`",
    "collection": "`{name}` is a collection here with `{origin}` in it",
    "class": "`{name}` is a subclass of `{origin}`",
    "on-demand": "`__getattr__` answers `{name}` with `{origin}`",
    "function": "`{name}` gives an object of `{origin}`",
}
