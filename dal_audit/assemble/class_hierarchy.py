"""The classes of the whole program: found by name through re-exports, with what they inherit."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import cached_property
from typing import Final

from msgspec import Struct

from dal_audit.assemble.accessor_names import HANDLES, PLUMBING, words
from dal_audit.assemble.class_kinds import (
    ABSTRACT_BASES,
    PLAIN_BASES,
    PROTOCOLS,
    RECORD_MAKERS,
    RECORDS,
)
from dal_audit.assemble.driver_backing import DriverBacking, driver_backing_of
from dal_audit.assemble.memo import file_query, query
from dal_audit.assemble.method_order import merged
from dal_audit.assemble.module_names import ModuleNames, is_named, longest_module
from dal_audit.assemble.project import CLASSES, Project
from dal_audit.assemble.symbols import SymbolId, SymbolTable
from dal_audit.assemble.zones import Zones
from dal_audit.catalogue.drivers import RUST
from dal_audit.facts import OWN_MODULE, ClassDefinition, Member

_HELD: Final = PLUMBING | HANDLES


class Class(Struct, frozen=True):
    """A class of the project: its dotted name, its file and its shape."""

    name: str
    path: str
    shape: ClassDefinition


class Hierarchy:
    """All classes that were read, by their dotted names."""

    def __init__(
        self,
        classes: Iterable[Class],
        symbols: SymbolTable,
        names: ModuleNames,
        zones: Zones,
        driver_backed_storage: frozenset[str],
        backing: DriverBacking,
    ) -> None:
        """Take the classes, where names lead, and what uses a driver where storage is."""
        self.classes: dict[str, Class] = {}
        for found in classes:
            self.classes.setdefault(found.name, found)
        self.symbols = symbols
        self.names = names
        self.zones = zones
        self._driver_backed_storage = driver_backed_storage
        self._backing = backing
        self._found: dict[str, Class | None] = {}
        self._orders: dict[str, tuple[Class, ...]] = {}
        self._records: set[str] = set()

    def find(self, name: str, path: str) -> Class | None:
        """Return the class that a dotted name means in a file, followed through re-exports."""
        absolute = self.names.absolute(name, path)
        if absolute not in self._found:
            leads = self.symbols.resolve(absolute, path)
            self._found[absolute] = next(filter(None, map(self.classes.get, leads)), None)
        return self._found[absolute]

    def bases(self, derived: Class) -> Iterator[Class]:
        """Yield the direct bases of a class that are classes of the project."""
        for base in derived.shape.bases:
            found = self.find(base.origin, derived.path)
            if found is not None and found.name != derived.name:
                yield found

    def ancestors(self, derived: Class) -> Sequence[Class]:
        """Return a class and all that it inherits from, in the order in which Python looks."""
        waiting = [] if derived.name in self._orders else [derived]
        begun: dict[str, list[Class]] = {}
        while waiting:  # As deep as classes go: Python itself would not go there.
            current = waiting[-1]
            bases = begun.get(current.name)
            if bases is None:
                # A class that inherits from itself ends here.
                self._orders[current.name] = (current,)
                bases = begun[current.name] = list(self.bases(current))
                waiting += [base for base in reversed(bases) if base.name not in self._orders]
                continue
            waiting.pop()
            orders = [self._orders[base.name] for base in bases]
            self._orders[current.name] = (current, *merged([*orders, bases]))
            if self._is_record(current) or any(base.name in self._records for base in bases):
                self._records.add(current.name)
        return self._orders[derived.name]

    def is_made_of_fields(self, candidate: Class) -> bool:
        """Return whether a class is nothing but its fields, by its own word or what it inherits."""
        self.ancestors(candidate)
        return candidate.name in self._records

    def _is_record(self, candidate: Class) -> bool:
        is_by_base = not self.base_names(candidate).isdisjoint(RECORDS)
        return is_by_base or not RECORD_MAKERS.isdisjoint(candidate.shape.decorators)

    def all_definitions(self, owner: Class) -> Mapping[str, tuple[Class, tuple[Member, ...]]]:
        """Return all definitions of each member, from the nearest class that has it.

        Several are overloads, the parts of a property, or the branches of an `if`.
        """
        found: dict[str, tuple[Class, tuple[Member, ...]]] = {}
        for ancestor in self.ancestors(owner):
            own: dict[str, list[Member]] = {}
            for member in sorted(ancestor.shape.members, key=lambda member: member.local):
                own.setdefault(member.name, []).append(member)
            for name, members in own.items():
                found.setdefault(name, (ancestor, tuple(members)))
        return found

    def members(self, owner: Class) -> Mapping[str, tuple[Class, Member]]:
        """Return the members of a class, inherited ones too, each with the class that has it.

        The nearest definition of a name counts; in one class a definition in the class's own block
        counts before an attribute that only a method sets.
        """
        return {
            name: (definer, members[0])
            for name, (definer, members) in self.all_definitions(owner).items()
        }

    @cached_property
    def storage_base_files(self) -> frozenset[str]:
        """The files in which what storage classes inherit is looked for, read or not."""
        return frozenset(
            file
            for inherited in self._with_bases(
                found for found in self.in_order if self.zones.in_storage(found.path)
            )
            for base in inherited.shape.bases
            for file in self._files_on_the_way(base.origin, inherited.path)
        )

    def _with_bases(self, classes: Iterable[Class]) -> Iterable[Class]:
        """Return classes and all that they inherit from, each once."""
        found: dict[str, Class] = {}
        waiting = list(classes)
        while waiting:
            current = waiting.pop()
            if current.name not in found:
                found[current.name] = current
                waiting += self.bases(current)
        return found.values()

    def _files_on_the_way(self, name: str, path: str) -> Iterator[str]:
        """Yield the files of the modules that a class's name is followed through."""
        for absolute in self.symbols.resolve(name, path):
            yield from self._file_of(absolute)
            if absolute in self.classes:
                return

    def _file_of(self, name: str) -> Iterator[str]:
        """Yield the file of the module that a dotted name leads into."""
        module, _ = longest_module(name, self.names.files)
        if module:
            yield self.names.files[module]

    def is_known(self, derived: Class) -> bool:
        """Return whether all that a class inherits was read, so that it has no further members."""
        return all(
            self.find(base.origin, ancestor.path) is not None
            or self.names.absolute(base.origin, ancestor.path) in PLAIN_BASES
            or base.origin == f"{OWN_MODULE}object"
            for ancestor in self.ancestors(derived)
            for base in ancestor.shape.bases
        )

    def base_names(self, derived: Class) -> frozenset[str]:
        """Return what the bases of a class are called where it stands, as absolute names."""
        return frozenset(
            self.names.absolute(base.origin, derived.path) for base in derived.shape.bases
        )

    def is_interface(self, candidate: Class) -> bool:
        """Return whether a class is abstract by its own word: a Protocol, an ABC, abstract members.

        A class that inherits an interface and makes it concrete is none.
        """
        if candidate.shape.is_trait or not self.base_names(candidate).isdisjoint(ABSTRACT_BASES):
            return True
        return any(member.is_abstract for member in candidate.shape.members)

    def leaves_unimplemented(self, owned: tuple[Class, Member]) -> bool:
        """Return whether a class leaves a member to those that inherit it.

        Abstract members are left, methods that do nothing but raise, and what a Protocol only
        declares. A method of another class that does nothing is one that may be overridden.
        """
        owner, member = owned
        if member.is_abstract or member.refuses:
            return True
        is_done = member.kind == "class" or member.has_body
        return not is_done and self.is_protocol(owner)

    def is_protocol(self, candidate: Class) -> bool:
        """Return whether a class is a Protocol by its own word."""
        return not self.base_names(candidate).isdisjoint(PROTOCOLS)

    @cached_property
    def interfaces(self) -> tuple[Class, ...]:
        """The storage interfaces, configured or found."""
        configured = self.zones.policy.interfaces
        if configured is None:
            return tuple(self._found_interfaces())
        return tuple(
            candidate
            for candidate in self.in_order
            if any(is_meant(candidate, pattern) for pattern in configured)
            if candidate.shape.is_trait or not candidate.name.startswith(RUST)
        )

    def _found_interfaces(self) -> Iterator[Class]:
        """Yield each Protocol or ABC in storage that another storage class implements.

        It does so with the help of a driver if classes there use any: a storage package can hold
        other hierarchies. One that does some of what another leaves open is what backends share,
        and no interface.
        """
        implemented = self._implemented_in_storage
        found = [
            candidate
            for candidate in self._in_storage
            if candidate.name in implemented or candidate.shape.is_open
            if self.is_interface(candidate)
        ]
        names = {candidate.name for candidate in found}
        for candidate in found:
            wider = {ancestor.name for ancestor in self.ancestors(candidate)[1:]}
            if not self._implements(candidate) or names.isdisjoint(wider):
                yield candidate

    @cached_property
    def _in_storage(self) -> Sequence[Class]:
        """The classes of storage, without those of migrations."""
        return [
            found
            for found in self.in_order
            if self.zones.in_storage(found.path) and not self.zones.in_migrations(found.path)
        ]

    @property
    def _implemented_in_storage(self) -> frozenset[str]:
        """What concrete storage classes inherit, with the help of a driver if any does."""
        concrete = [found for found in self._in_storage if not self.is_interface(found)]
        if self._backing.files:
            driven = self._driven
            concrete = [found for found in concrete if found.name in driven]
        bases = (base for found in concrete for base in self.bases(found))
        return frozenset(inherited.name for inherited in self._with_bases(bases))

    @property
    def _driven(self) -> AbstractSet[str]:
        """The classes that may work with a driver, by themselves or by what they inherit."""
        heirs: dict[str, list[Class]] = {}
        for derived in self.in_order:
            for base in self.bases(derived):
                heirs.setdefault(base.name, []).append(derived)
        found: set[str] = set()
        waiting = [candidate for candidate in self.in_order if self._works_with_driver(candidate)]
        while waiting:
            current = waiting.pop()
            if current.name not in found:
                found.add(current.name)
                waiting += heirs.get(current.name, ())
        return found

    def _works_with_driver(self, candidate: Class) -> bool:
        """Return whether a class may work with a driver, by what it mentions or is handed."""
        path, shape = candidate.path, candidate.shape
        if path not in self._backing.files:
            return False
        return self._backing.reaches(path, shape.name) or any(map(_is_handed, shape.members))

    def _implements(self, derived: Class) -> bool:
        """Return whether a class has code for something that a class above it leaves open."""
        above = {
            member.name
            for ancestor in self.ancestors(derived)[1:]
            for member in ancestor.shape.members
            if self.leaves_unimplemented((ancestor, member))
        }
        return any(
            member.name in above and not self.leaves_unimplemented((derived, member))
            for member in derived.shape.members
        )

    @cached_property
    def in_order(self) -> Sequence[Class]:
        """All classes, by their names."""
        return [self.classes[name] for name in sorted(self.classes)]

    @cached_property
    def backends(self) -> tuple[tuple[Class, Class], ...]:
        """Each concrete storage class that implements an interface, with that interface.

        An abstract class in between is no backend, nor is a class outside storage. A class that
        implements several interfaces comes with each, but not with what one of them extends.
        """
        interfaces = {interface.name for interface in self.interfaces}
        return tuple(
            (candidate, interface)
            for candidate in self.in_order
            if self.zones.in_storage(candidate.path) and candidate.name not in interfaces
            if not self.is_interface(candidate)
            for interface in self._implemented_by(candidate, interfaces)
        )

    def _implemented_by(self, backend: Class, interfaces: AbstractSet[str]) -> Iterator[Class]:
        """Yield the interfaces that a class implements, without those that one of them extends."""
        covered: set[str] = set()
        for ancestor in self.ancestors(backend)[1:]:
            if ancestor.name in interfaces and ancestor.name not in covered:
                yield ancestor
                covered.update(wider.name for wider in self.ancestors(ancestor))

    @cached_property
    def families(self) -> tuple[tuple[Class, Class], ...]:
        """Each abstract storage class that several backends share, with the interface behind it.

        It does a part of what the interface leaves open, with a driver that its file imports: so it
        is the base of one engine's or one driver's implementations, and no narrower interface.
        """
        interfaces = {interface.name for interface in self.interfaces}
        return tuple(
            (candidate, interface)
            for candidate in self.in_order
            if candidate.path in self._driver_backed_storage and candidate.name not in interfaces
            if self.is_interface(candidate) and self._implements(candidate)
            for interface in self._implemented_by(candidate, interfaces)
        )

    @cached_property
    def backend_of(self) -> Mapping[str, tuple[Class, Class]]:
        """The backends and their families by their dotted names.

        Each comes with the first interface that it implements.
        """
        return {
            backend.name: (backend, interface)
            for backend, interface in reversed((*self.backends, *self.families))
        }

    def tainted_names(self) -> frozenset[SymbolId]:
        """Return each module and name by which a backend can be imported."""
        if not self.backend_of:
            return frozenset()
        return self.symbols.importable_as(
            (_module_of(backend), backend.shape.name.partition(".")[0])
            for backend, _ in self.backend_of.values()
        )


def _is_handed(member: Member) -> bool:
    """Return whether a member, or what it takes, is called like what drivers work with."""
    names = [parameter.name for parameter in member.parameters]
    held = [member.name] if member.kind in {"attribute", "property"} else []
    return any(words(name)[-1:] and words(name)[-1] in _HELD for name in (*names, *held))


def _module_of(owned: Class) -> str:
    """Return the dotted name of a class's module."""
    return owned.name.removesuffix(f".{owned.shape.name}")


def is_meant(candidate: Class, pattern: str) -> bool:
    """Return whether a class is one that an entry of `interfaces` names."""
    module, _, name = pattern.partition(":")
    return is_named(_module_of(candidate), module) and is_named(candidate.shape.name, name)


@file_query(of=(CLASSES,), depends_on=(Project.names,))
def _classes(path: str, shapes: Sequence[ClassDefinition], project: Project) -> tuple[Class, ...]:
    """Return the classes of a file."""
    module = project.module_name(path)
    return tuple(Class(f"{module}.{shape.name}", path, shape) for shape in shapes)


@query(
    depends_on=(
        _classes,
        Project.symbols,
        Project.names,
        Project.zones,
        Project.driver_backed_storage,
        driver_backing_of,
    )
)
def hierarchy_of(project: Project) -> Hierarchy:
    """Return the classes of a project; they are linked once for all checks."""
    return Hierarchy(
        (found for of_file in _classes(project).values() for found in of_file),
        project.symbols,
        project.names,
        project.zones,
        project.driver_backed_storage,
        driver_backing_of(project),
    )
