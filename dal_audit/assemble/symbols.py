"""The symbol table: the modules of a project, and where a dotted name leads through re-exports.

What a module offers is a fact of its file; here the modules are put together. A name is followed in
one place, `SymbolTable.resolve`; what it means to drivers and to classes is worked out on top.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Final, TypeAlias

from msgspec import Struct

from dal_audit.assemble.driver_names import DriverNames
from dal_audit.assemble.module_names import ModuleNames, longest_module
from dal_audit.catalogue.drivers import Driver
from dal_audit.facts import OWN_MODULE, Export, ModuleExports, Span

SymbolId: TypeAlias = tuple[str, str]
"""A module's dotted name, and a name in it."""

PendingExport: TypeAlias = tuple[Export, str, Driver | None, tuple[str, str] | None]
"""A name that a module offers and one of its origins: absolute; with its driver, if it is one's;
and parted into the first name and the rest, if it is one of the module's own."""

_HANDED_ON: Final = frozenset({"import", "alias", "type", "on-demand"})
"""How exports are made that stand for what their origins are."""


class Module(Struct, frozen=True):
    """A module of the project, with its path and exports; its names are absolute.

    `pending` are the origins of its names that can be a driver's or the project's; `aliases` the
    names by which it may hold modules of the project, and what these are called; `reexports` the
    names that stand for some of the project's, each with these; `stars` the modules that it takes
    all of, in the order of the text.
    """

    name: str
    path: str
    shape: ModuleExports
    pending: tuple[PendingExport, ...]
    aliases: tuple[tuple[str, str], ...]
    reexports: Mapping[str, tuple[str, ...]]
    stars: tuple[str, ...]

    def star_span(self, source: str) -> Span:
        """Return where the module takes all of another one, by that one's dotted name."""
        spans = zip(self.stars, self.shape.star_spans, strict=True)
        return next((span for star, span in spans if star == source), self.shape.span)


def module_of(path: str, shape: ModuleExports, names: ModuleNames, drivers: DriverNames) -> Module:
    """Return a module of a file; it follows from the file and the names of all modules."""
    name = f"{names.of(path)}.{shape.inner}" if shape.inner else names.of(path)
    pending: list[PendingExport] = []
    aliases = []
    reexports: dict[str, list[str]] = {}
    for export in shape.exports:
        for origin in export.origins:
            absolute = names.absolute(origin, path)
            is_local = absolute.partition(".")[0] in names.tops
            if not is_local and not drivers.may_mean_driver(absolute):
                continue
            if export.made in {"import", "alias"} and absolute in names.files:
                aliases.append((export.name, absolute))
            if is_local and export.made in _HANDED_ON:
                reexports.setdefault(export.name, []).append(absolute)
            if origin.startswith(OWN_MODULE):
                pending += _pending_here(export, origin, absolute)
            else:
                driver = drivers.owner_of(absolute, path)
                if driver is not None or is_local:
                    pending.append((export, absolute, driver, None))
    stars = tuple(names.absolute(star, path) for star in shape.stars)
    return Module(name, path, shape, tuple(pending), tuple(aliases), _frozen(reexports), stars)


def _frozen(several: Mapping[str, list[str]]) -> dict[str, tuple[str, ...]]:
    """Return lists as tuples, each name once: a name may be bound anew as often as one likes."""
    return {name: tuple(dict.fromkeys(found)) for name, found in several.items()}


def _pending_here(export: Export, origin: str, absolute: str) -> Iterator[PendingExport]:
    """Yield an export whose origin is one of the module's own names, but for itself."""
    first, _, rest = origin.removeprefix(OWN_MODULE).partition(".")
    if first != export.name:
        yield export, absolute, None, (first, rest)


class SymbolTable:
    """The names that the modules of a project hold, and those that they hand on."""

    def __init__(self, modules: Iterable[Module], absolute: Callable[[str, str], str]) -> None:
        """Put modules together; `absolute` reads a dotted name as a file means it."""
        self.modules: Mapping[str, Module] = {module.name: module for module in modules}
        self.absolute = absolute
        self._symbols: dict[str, tuple[SymbolId, str] | None] = {}

    def resolve(self, name: str, path: str) -> Iterator[str]:
        """Yield the absolute names that a dotted name in a file leads to, nearest first.

        They are what it is called where it stands, and what each module on the way had imported, or
        may have taken by a star. A symbol is not followed again with the same attributes behind it,
        nor with more before these: so circles end, those too in which a name grows, and a chain
        costs what it is long.
        """
        absolute = self.absolute(name, path)
        yield absolute
        parted = self._parted(absolute)
        # Most names lead nowhere.
        if parted is not None and (leads := self._next(*parted)):
            yield from self._followed(absolute, parted, leads)

    def _followed(
        self, absolute: str, parted: tuple[str, str, str], leads: Sequence[str]
    ) -> Iterator[str]:
        """Yield what a name leads to, by the symbol and attributes in it, and its next names."""
        waiting = deque(leads)
        met = {absolute}
        followed: dict[SymbolId, list[str]] = {parted[:2]: [parted[2]]}
        while waiting:
            absolute = waiting.popleft()
            if absolute in met:
                continue
            met.add(absolute)
            yield absolute
            known = self._parted(absolute)
            if known is not None:
                module, first, deeper = known
                earlier = followed.setdefault((module, first), [])
                if not any(_ends_in(deeper, attributes) for attributes in earlier):
                    earlier.append(deeper)
                    waiting += self._next(module, first, deeper)

    def _parted(self, absolute: str) -> tuple[str, str, str] | None:
        """Part an absolute name into a module, a name in it, and the attributes behind that."""
        module, rest = longest_module(absolute, self.modules)
        if not module or not rest:
            return None
        first, _, deeper = rest.partition(".")
        return module, first, deeper

    def _next(self, name: str, first: str, deeper: str) -> list[str]:
        """Return what a name of a module may be elsewhere."""
        module = self.modules[name]
        origins = module.reexports.get(first, ())
        if not origins and not module.stars:
            return []
        tail = f".{deeper}" if deeper else ""
        leads = [origin + tail for origin in origins]
        return leads + [f"{star}.{first}{tail}" for star in module.stars]

    def symbol_of(self, name: str) -> tuple[SymbolId, str] | None:
        """Part an absolute name into the symbol that it is about, and the attributes behind it.

        The longest module wins; names that stand for modules are followed as far as the name goes.
        """
        if name not in self._symbols:
            self._symbols[name] = self._symbol_of(name)
        return self._symbols[name]

    def _symbol_of(self, name: str) -> tuple[SymbolId, str] | None:
        while True:
            module, rest = longest_module(name, self.modules)
            if not module:
                return None
            if not rest:
                # A name of the package hides the module of that name: `from .engine import engine`.
                package, _, last = module.rpartition(".")
                return ((package, last), "") if package in self.modules else None
            first, _, deeper = rest.partition(".")
            alias = self.module_aliases.get((module, first))
            if alias is None or not deeper:
                return (module, first), deeper
            # Each time less is left behind the module: so it ends.
            name = f"{alias}.{deeper}"

    @cached_property
    def module_aliases(self) -> Mapping[SymbolId, str]:
        """The names that stand for modules, with these."""
        return {
            (module.name, name): other
            for module in self.modules.values()
            for name, other in module.aliases
            if other in self.modules
        }

    @cached_property
    def packages(self) -> frozenset[str]:
        """The modules, and all that lies above one."""
        found: set[str] = set()
        for name in self.modules:
            package = name
            while package and package not in found:
                found.add(package)
                package = package.rpartition(".")[0]
        return frozenset(found)

    @cached_property
    def _takers(self) -> tuple[Mapping[str, Sequence[SymbolId]], Mapping[str, Sequence[str]]]:
        """Which names stand for an absolute one, and which modules take all of another."""
        importers: dict[str, list[SymbolId]] = {}
        fans: dict[str, list[str]] = {}
        for module in self.modules.values():
            for name, origins in module.reexports.items():
                for origin in origins:
                    importers.setdefault(origin, []).append((module.name, name))
            for star in module.stars:
                fans.setdefault(star, []).append(module.name)
        return importers, fans

    def importable_as(self, symbols: Iterable[SymbolId]) -> frozenset[SymbolId]:
        """Return by which modules and names some symbols can be imported, their own among them."""
        waiting = list(symbols)
        if not waiting:
            return frozenset()
        importers, fans = self._takers
        found: set[SymbolId] = set()
        while waiting:
            symbol = waiting.pop()
            if symbol not in found:
                found.add(symbol)
                waiting += importers.get(".".join(symbol), ())
                waiting += [(fan, symbol[1]) for fan in fans.get(symbol[0], ())]
        return frozenset(found)


def _ends_in(name: str, tail: str) -> bool:
    """Return whether a dotted name ends in another one, which may be empty."""
    return not tail or name == tail or name.endswith(f".{tail}")
