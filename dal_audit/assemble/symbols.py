"""The whole program: names are followed through re-exports, aliases and calls to a driver.

What a module offers is a fact of its file; here the modules are linked. Drivers' objects are spread
from the modules that take them to those that take them from there, and each name is reached once:
chains of star imports and import cycles cost what they are long, not more.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from functools import cached_property
from typing import Final, Literal, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from dal_audit.assemble.module_names import ModuleNames
from dal_audit.catalogue.drivers import Catalogue, Driver
from dal_audit.catalogue.object_kinds import Kind, Kinds
from dal_audit.facts import LOCAL, Export, Place, Shape, Span

Form: TypeAlias = Literal["itself", "type", "subclass", "instance"]
"""How the object arrives: as what it is, inside a type that was put together, as the base of a
class, or made into an object."""

HELD: Final = frozenset({"connection", "cursor", "pool", "engine", "session"})
"""The roles of types that hold on to a database: an object of one, or a subclass, is the driver's.
Models, columns and results are not (judgement call 6)."""

MAX_ALIASES: Final = 16
"""How many names of modules are followed in one dotted name; a circle of them ends here."""

Key: TypeAlias = tuple[str, str]
"""A module's dotted name, and a name in it."""


class Hop(Struct, frozen=True):
    """A step on the way of a name: where it was handed on, and what happened there."""

    place: Place
    message: str


class Origin(Struct, frozen=True):
    """What a name comes from: a driver's object, by its dotted name, and the way from there.

    `hops` begin where the name was made and end where it was last handed on.
    """

    driver: Driver
    name: str
    kind: Kind
    hops: tuple[Hop, ...] = ()
    form: Form = "itself"


Link: TypeAlias = tuple[Export, str, Driver | None, tuple[str, str] | None]
"""A name that a module offers and one of its origins: absolute; with its driver, if it is one's;
and parted into the first name and the rest, if it is one of the module's own."""


class Module(Struct, frozen=True):
    """A module of the project, with its path and shape.

    `links` are those origins of its names that can be a driver's or the project's; `aliases` are
    the names by which it may hold modules of the project, and what these are called.
    """

    name: str
    path: str
    shape: Shape
    links: tuple[Link, ...]
    aliases: tuple[tuple[str, str], ...]


def module_of(
    path: str,
    shape: Shape,
    names: ModuleNames,
    driver_of: Callable[[str, str], Driver | None],
    is_foreign: Callable[[str], bool],
) -> Module:
    """Return a module with its links; they follow from the module and the names of all others.

    `is_foreign` tells which absolute names lead neither to a driver nor to the project.
    """
    name = names.of(path)
    links: list[Link] = []
    aliases = []
    for export in shape.exports:
        for origin in export.origins:
            absolute = names.absolute(origin, path)
            if is_foreign(absolute):
                continue
            if export.made in {"import", "alias"} and absolute in names.files:
                aliases.append((export.name, absolute))
            if origin.startswith(LOCAL):
                first, _, rest = origin.removeprefix(LOCAL).partition(".")
                if first != export.name:
                    links.append((export, absolute, None, (first, rest)))
                continue
            driver = driver_of(absolute, path)
            if driver is not None or absolute.partition(".")[0] in names.tops:
                links.append((export, absolute, driver, None))
    return Module(name, path, shape, tuple(links), tuple(aliases))


class Program:
    """The linked modules of a project."""

    def __init__(
        self,
        modules: Iterable[Module],
        catalogue: Catalogue,
        driver_of: Callable[[str, str], Driver | None],
        absolute: Callable[[str, str], str],
    ) -> None:
        """Link the modules; `driver_of` and `absolute` read a dotted name as a file means it.

        `driver_of` also knows the project's own types that count as a driver's.
        """
        self.modules: Mapping[str, Module] = {module.name: module for module in modules}
        self.driver_of = driver_of
        self.absolute = absolute
        self.kinds = Kinds(catalogue)
        self._module_aliases: dict[Key, str] = {
            (module.name, name): other
            for module in self.modules.values()
            for name, other in module.aliases
            if other in self.modules
        }
        self._splits: dict[str, tuple[Key, str] | None] = {}
        self._meanings: dict[str, tuple[Origin, ...]] = {}
        """What names mean that mean the same in all files."""
        self._origins: dict[Key, dict[str, Origin]] = {}
        """What each name comes from, by the drivers' names: branches can bind several."""
        self._link()

    def resolve(self, name: str, path: str) -> Origin | None:
        """Return the driver's object that a dotted name means in a file, or None.

        Where branches bind objects of several drivers, it is the one with the shortest way.
        """
        found = self.resolve_all(name, path)
        return found[0] if found else None

    def resolve_all(self, name: str, path: str) -> tuple[Origin, ...]:
        """Return the driver's objects that a dotted name can mean in a file, one a driver."""
        absolute = self.absolute(name, path)
        known = self._meanings.get(absolute)
        if known is not None:
            return known
        driver = self.driver_of(absolute, path)
        if driver is not None:
            return (Origin(driver, absolute, self.kinds.of(absolute)),)
        known = tuple(self._meant(absolute))
        # A module of the project can hide a driver's from some of its files.
        if self.kinds.catalogue.driver_of(absolute) is None:
            self._meanings[absolute] = known
        return known

    def _meant(self, absolute: str) -> Iterator[Origin]:
        """Yield the driver's objects that a name of the project can mean, in whatever file."""
        split = self._split(absolute)
        if split is None:
            return
        key, rest = split
        for found in self._origins.get(key, {}).values():
            inner = self._attribute(found, rest) if rest else found
            if inner is not None:
                yield inner

    def leads_on(self, absolute: str) -> bool:
        """Return whether longer names than this one may mean an object that this one does not.

        They may below a module and a package, and in a name that stands for a module; not in a
        class, a function or a value of which no driver's object is known.
        """
        split = self._split(absolute)
        if split is None or absolute in self._packages:
            return True
        key, _ = split
        return key in self._module_aliases or key in self._origins

    @cached_property
    def _packages(self) -> AbstractSet[str]:
        """The modules, and all that lies above one."""
        found: set[str] = set()
        for module in self.modules:
            name = module
            while name and name not in found:
                found.add(name)
                name = name.rpartition(".")[0]
        return found

    def origin(self, module: str, name: str) -> Origin | None:
        """Return the driver's object that a module offers under a name, or None."""
        return next(iter(self._origins.get((module, name), {}).values()), None)

    def carried(self) -> frozenset[Key]:
        """Return each module and name by which a driver's object can be reached.

        A name that stands for a module of the project is one, where that module carries an object
        or is on the way to one that does.
        """
        aliases: dict[str, list[Key]] = {}
        for key, target in self._module_aliases.items():
            aliases.setdefault(target, []).append(key)
        found = set(self._origins)
        queue = deque(sorted({module for module, _ in found}))
        seen: set[str] = set()
        while queue:
            module = queue.popleft()
            while module and module not in seen:
                seen.add(module)
                found.update(aliases.get(module, ()))
                queue.extend(key[0] for key in aliases.get(module, ()))
                module = module.rpartition(".")[0]
        return frozenset(found)

    # Linking

    def _link(self) -> None:
        """Spread what modules take from drivers to all who take it from them, breadth first."""
        waiting: dict[Key, list[tuple[Module, Export, str]]] = {}
        stars: dict[str, list[Module]] = {}
        queue: deque[tuple[Key, Origin]] = deque()
        for name in sorted(self.modules):
            module = self.modules[name]
            for link in module.links:
                self._begin(module, link, waiting, queue)
            for star in module.shape.stars:
                source = self.absolute(star, module.path)
                driver = self.driver_of(source, module.path)
                if driver is None:
                    stars.setdefault(source, []).append(module)
                    continue
                for last in self.kinds.names_in(source):
                    found = Origin(driver, f"{source}.{last}", self.kinds.of(f"{source}.{last}"))
                    self._by_star(found, last, module, source, queue)
        while queue:
            key, found = queue.popleft()
            for module, export, rest in waiting.get(key, ()):
                inner = self._attribute(found, rest) if rest else found
                if inner is not None:
                    self._hand_on(inner, module, export, queue)
            for module in stars.get(key[0], ()):
                self._star(key, found, module, queue)

    def _begin(
        self,
        module: Module,
        link: Link,
        waiting: dict[Key, list[tuple[Module, Export, str]]],
        queue: deque[tuple[Key, Origin]],
    ) -> None:
        """Note what an export stands for: a driver's object, or a name that may come to be one."""
        export, absolute, driver, own = link
        if own is not None:
            waiting.setdefault((module.name, own[0]), []).append((module, export, own[1]))
        elif driver is not None:
            self._hand_on(Origin(driver, absolute, self.kinds.of(absolute)), module, export, queue)
        elif (split := self._split(absolute)) is not None:
            waiting.setdefault(split[0], []).append((module, export, split[1]))

    def _hand_on(
        self, found: Origin, module: Module, export: Export, queue: deque[tuple[Key, Origin]]
    ) -> None:
        made = self._as(export, found)
        if made is not None:
            message = _WORDS[export.made].format(name=export.name, origin=found.name)
            hop = Hop(Place(module.path, export.span), message)
            self._take((module.name, export.name), replace(made, hops=(*found.hops, hop)), queue)

    def _take(self, key: Key, origin: Origin, queue: deque[tuple[Key, Origin]]) -> None:
        """Note what a name comes from; the first way to each driver counts."""
        known = self._origins.setdefault(key, {})
        if origin.driver.name not in known:
            known[origin.driver.name] = origin
            queue.append((key, origin))

    def _star(
        self, key: Key, found: Origin, module: Module, queue: deque[tuple[Key, Origin]]
    ) -> None:
        """Hand a name on by `from … import *`, which leaves private and unlisted names out."""
        source, name = key
        shape = self.modules[source].shape
        is_open = shape.offered is None or shape.offers_more
        if name not in (shape.offered or ()) and not (is_open and not name.startswith("_")):
            return
        self._by_star(found, name, module, source, queue)

    def star_of(self, source: str, module: Module) -> Span:
        """Return where a module takes all of another one, by that one's dotted name."""
        shape = module.shape
        for star, span in zip(shape.stars, shape.star_spans, strict=True):
            if self.absolute(star, module.path) == source:
                return span
        return shape.span

    def _by_star(
        self,
        found: Origin,
        name: str,
        module: Module,
        source: str,
        queue: deque[tuple[Key, Origin]],
    ) -> None:
        """Note what a star brings; a class of the module's own takes the name from it."""
        is_own = any(one.name == name and one.made == "class" for one in module.shape.exports)
        if is_own:
            return
        place = Place(module.path, self.star_of(source, module))
        hop = Hop(place, f"`{name}` is imported here by a star")
        self._take((module.name, name), replace(found, hops=(*found.hops, hop)), queue)

    def _as(self, export: Export, found: Origin) -> Origin | None:
        """Return what an export is, given the driver's object that it was made from."""
        if export.made in {"import", "alias"}:
            return found
        if export.made == "type":
            return replace(found, form="type") if found.form == "itself" else found
        if export.made == "class":
            is_kept = found.kind == "exception" or self.kinds.role(found.name) in HELD
            if not is_kept or found.form == "instance":
                return None
            return replace(found, form="subclass")
        if found.form == "instance":
            # `SessionLocal()`: the object that a factory makes when it is called.
            is_call = export.made == "call"
            made = self.kinds.makers.get(f"{found.name}.__call__", "") if is_call else ""
        elif export.made == "annotation":
            made = found.name
        else:
            made = self.kinds.made_by(found.name)
        if self.kinds.role(made) not in HELD:
            return None
        return replace(found, name=made, kind=self.kinds.of(made), form="instance")

    def _attribute(self, found: Origin, rest: str) -> Origin | None:
        """Return what an attribute of a driver's object is; that of an instance is not known."""
        if found.form != "itself":
            return None
        name = f"{found.name}.{rest}"
        return replace(found, name=name, kind=self.kinds.of(name))

    # Names

    def _split(self, name: str) -> tuple[Key, str] | None:
        """Split a dotted name into a module of the project, a name in it, and the rest.

        The longest module wins; names that stand for modules are followed.
        """
        if name not in self._splits:
            self._splits[name] = self._parted(name)
        return self._splits[name]

    def _parted(self, name: str) -> tuple[Key, str] | None:
        for _ in range(MAX_ALIASES):
            module, rest = name, ""
            while module and module not in self.modules:
                module, _, last = module.rpartition(".")
                rest = f"{last}.{rest}" if rest else last
            if not module:
                return None
            if not rest:
                # A name of the package hides the module of that name: `from .engine import engine`.
                package, _, last = module.rpartition(".")
                return ((package, last), "") if package in self.modules else None
            first, _, deeper = rest.partition(".")
            alias = self._module_aliases.get((module, first))
            if alias is None or not deeper:
                return (module, first), deeper
            name = f"{alias}.{deeper}"
        return None


_WORDS: Final = {
    "import": "`{name}` is imported here",
    "alias": "`{name}` is named here after `{origin}`",
    "call": "`{name}` is made here by `{origin}`",
    "annotation": "`{name}` is annotated as `{origin}` here",
    "type": "`{name}` is put together here from `{origin}`",
    "class": "`{name}` is a subclass of `{origin}`",
}
