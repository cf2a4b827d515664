"""The classes of the whole program: found by name through re-exports, with what they inherit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property, partial
from typing import Final, NamedTuple

from msgspec import Struct

from dal_audit.assemble.memo import once_linked
from dal_audit.assemble.module_names import is_named
from dal_audit.assemble.project import Project
from dal_audit.facts import LOCAL, ClassShape, FileFacts, Member, Shape

MAX_STEPS: Final = 64
"""How many re-exports are followed for one name; a circle of them ends here."""

ABSTRACT_BASES: Final = frozenset(
    {"typing.Protocol", "typing_extensions.Protocol", "abc.ABC", "zope.interface.Interface"}
)
"""Bases that make a class an interface (library reference, `abc` and `typing.Protocol`)."""

PROTOCOLS: Final = ABSTRACT_BASES - {"abc.ABC"}
"""Bases of classes that declare and do not implement."""

PLAIN_BASES: Final = ABSTRACT_BASES | {"typing.Generic", "typing_extensions.Generic"}
"""Bases that bring no members which a user would call."""


class Class(Struct, frozen=True):
    """A class of the project: its dotted name, its file and its shape."""

    name: str
    path: str
    shape: ClassShape


class _Offer(NamedTuple):
    """What a file's shape offers to others, by absolute names; no exports where it has no shape."""

    module: str
    classes: Sequence[Class]
    exports: Mapping[str, tuple[str, ...]] | None
    stars: tuple[str, ...]


def _offer(file: FileFacts, project: Project) -> _Offer:
    """Return what a file offers; names from outside the project lead to no class of it."""
    absolute, tops = project.names.absolute, project.names.tops
    module = project.module_name(file.path)
    classes: list[Class] = []
    exports: dict[str, tuple[str, ...]] | None = None
    stars: tuple[str, ...] = ()
    for fact in file.facts:
        if isinstance(fact, ClassShape):
            classes.append(Class(f"{module}.{fact.name}", file.path, fact))
        elif isinstance(fact, Shape):
            exports, stars = {}, tuple(absolute(star, file.path) for star in fact.stars)
            for export in fact.exports:
                if export.made not in {"import", "alias", "type"}:
                    continue
                names = [absolute(origin, file.path) for origin in export.origins]
                own = tuple(name for name in names if name.partition(".")[0] in tops)
                if own:
                    exports[export.name] = (*exports.get(export.name, ()), *own)
    return _Offer(module, classes, exports, stars)


class Hierarchy:
    """All classes that were read, by their dotted names."""

    def __init__(self, project: Project) -> None:
        """Index the classes of a project."""
        self.project = project
        self.classes: dict[str, Class] = {}
        self.exports: dict[str, Mapping[str, tuple[str, ...]]] = {}
        self.stars: dict[str, tuple[str, ...]] = {}
        self._orders: dict[str, tuple[Class, ...]] = {}
        for offer in project.each("hierarchy", partial(_offer, project=project), project.files):
            for one in offer.classes:
                self.classes.setdefault(one.name, one)
            if offer.exports is not None:
                self.exports[offer.module] = offer.exports
                self.stars[offer.module] = offer.stars

    def find(self, name: str, path: str) -> Class | None:
        """Return the class that a dotted name means in a file, followed through re-exports."""
        return next(
            (self.classes[one] for one in self._trail(name, path) if one in self.classes), None
        )

    def _trail(self, name: str, path: str) -> Iterator[str]:
        """Yield the absolute names that a dotted name in a file is followed through."""
        waiting = [self.project.absolute(name, path)]
        seen: set[str] = set()
        while waiting and len(seen) < MAX_STEPS:
            one = waiting.pop(0)
            if one not in seen:
                seen.add(one)
                yield one
                waiting += self._next(one)

    def _next(self, name: str) -> Iterator[str]:
        """Yield what a name may be elsewhere: what its module imported, or took by a star."""
        module, rest = name, ""
        while module and module not in self.exports:
            module, _, last = module.rpartition(".")
            rest = f"{last}.{rest}" if rest else last
        if not module or not rest:
            return
        first, _, deeper = rest.partition(".")
        for origin in self.exports[module].get(first, ()):
            yield f"{origin}.{deeper}" if deeper else origin
        for star in self.stars[module]:
            yield f"{star}.{rest}"

    def bases(self, one: Class) -> Iterator[Class]:
        """Yield the direct bases of a class that are classes of the project."""
        for base in one.shape.bases:
            found = self.find(base.origin, one.path)
            if found is not None and found.name != one.name:
                yield found

    def ancestors(self, one: Class) -> Sequence[Class]:
        """Return a class and all that it inherits from, in the order in which Python looks."""
        known = self._orders.get(one.name)
        if known is None:
            # A class that inherits from itself ends here.
            self._orders[one.name] = (one,)
            bases = list(self.bases(one))
            known = (one, *_merged([*(list(self.ancestors(base)) for base in bases), bases]))
            self._orders[one.name] = known
        return known

    def definitions(self, one: Class) -> Mapping[str, tuple[Class, tuple[Member, ...]]]:
        """Return all definitions of each member, from the nearest class that has it.

        Several are overloads, the parts of a property, or the branches of an `if`.
        """
        found: dict[str, tuple[Class, tuple[Member, ...]]] = {}
        for ancestor in self.ancestors(one):
            own: dict[str, list[Member]] = {}
            for member in sorted(ancestor.shape.members, key=lambda member: member.local):
                own.setdefault(member.name, []).append(member)
            for name, members in own.items():
                found.setdefault(name, (ancestor, tuple(members)))
        return found

    def members(self, one: Class) -> Mapping[str, tuple[Class, Member]]:
        """Return the members of a class, inherited ones too, each with the class that has it.

        The nearest definition of a name counts; in one class a definition in the class's own block
        counts before an attribute that only a method sets.
        """
        return {
            name: (owner, members[0]) for name, (owner, members) in self.definitions(one).items()
        }

    @cached_property
    def beneath(self) -> frozenset[str]:
        """The files in which what storage classes inherit is looked for, read or not."""
        found: set[str] = set()
        for one in self._in_order:
            if not self.project.in_storage(one.path):
                continue
            for ancestor in self.ancestors(one):
                for base in ancestor.shape.bases:
                    for name in self._trail(base.origin, ancestor.path):
                        found.update(self._file_of(name))
                        if name in self.classes:
                            break
        return frozenset(found)

    def _file_of(self, name: str) -> Iterator[str]:
        """Yield the file of the module that a dotted name leads into."""
        files = self.project.names.files
        while name:
            if name in files:
                yield files[name]
                return
            name = name.rpartition(".")[0]

    def is_known(self, one: Class) -> bool:
        """Return whether all that a class inherits was read, so that it has no further members."""
        return all(
            self.find(base.origin, ancestor.path) is not None
            or self.project.absolute(base.origin, ancestor.path) in PLAIN_BASES
            or base.origin == f"{LOCAL}object"
            for ancestor in self.ancestors(one)
            for base in ancestor.shape.bases
        )

    def is_interface(self, one: Class) -> bool:
        """Return whether a class is abstract by its own word: a Protocol, an ABC, abstract members.

        A class that inherits an interface and makes it concrete is none.
        """
        own = {self.project.absolute(base.origin, one.path) for base in one.shape.bases}
        if own & ABSTRACT_BASES:
            return True
        return any(member.is_abstract for member in one.shape.members)

    def is_open(self, owned: tuple[Class, Member]) -> bool:
        """Return whether a class leaves a member to those that inherit it.

        Abstract members are left, methods that do nothing but raise, and what a Protocol only
        declares. A method of another class that does nothing is one that may be overridden.
        """
        owner, member = owned
        if member.is_abstract or member.refuses:
            return True
        is_done = member.kind == "class" or member.has_body
        return not is_done and self.is_protocol(owner)

    def is_protocol(self, one: Class) -> bool:
        """Return whether a class is a Protocol by its own word."""
        bases = {self.project.absolute(base.origin, one.path) for base in one.shape.bases}
        return not bases.isdisjoint(PROTOCOLS)

    @cached_property
    def interfaces(self) -> tuple[Class, ...]:
        """The storage interfaces, configured or found.

        Found is a Protocol or an ABC in storage that another storage class implements, with the
        help of a driver if classes there use any: a storage package can hold other hierarchies.
        One that does some of what another leaves open is what backends share, and no interface.
        """
        configured = self.project.policy.interfaces
        if configured is not None:
            return tuple(
                one
                for one in self._in_order
                if any(self._is_meant(one, pattern) for pattern in configured)
            )
        inside = [
            one
            for one in self._in_order
            if self.project.in_storage(one.path) and not self.project.in_migrations(one.path)
        ]
        driven = self._driven
        implemented = {
            ancestor.name
            for one in inside
            for lineage in [self.ancestors(one)]
            if not driven or any(ancestor.path in driven for ancestor in lineage)
            for ancestor in lineage[1:]
        }
        found = [one for one in inside if one.name in implemented and self.is_interface(one)]
        names = {one.name for one in found}
        return tuple(
            one
            for one in found
            if not self._implements(one)
            or names.isdisjoint(wider.name for wider in self.ancestors(one)[1:])
        )

    @cached_property
    def _driven(self) -> frozenset[str]:
        """The storage files that import a driver's object, or another one of these files."""
        importers: dict[str, set[str]] = {}
        for module, exports in self.exports.items():
            path = self.project.names.files.get(module, "")
            if self.project.in_storage(path):
                for origin in {one for origins in exports.values() for one in origins}:
                    for imported in self._file_of(origin):
                        importers.setdefault(imported, set()).add(path)
        waiting = list(self.project.driven_storage)
        found: set[str] = set()
        while waiting:
            path = waiting.pop()
            if path not in found:
                found.add(path)
                waiting += importers.get(path, ())
        return frozenset(found)

    def _implements(self, one: Class) -> bool:
        """Return whether a class has code for something that a class above it leaves open."""
        above = {
            member.name
            for ancestor in self.ancestors(one)[1:]
            for member in ancestor.shape.members
            if self.is_open((ancestor, member))
        }
        return any(
            member.name in above and not self.is_open((one, member)) for member in one.shape.members
        )

    @cached_property
    def _in_order(self) -> Sequence[Class]:
        """All classes, by their names."""
        return [self.classes[name] for name in sorted(self.classes)]

    def _is_meant(self, one: Class, pattern: str) -> bool:
        module, _, name = pattern.partition(":")
        own_module = one.name.removesuffix(f".{one.shape.name}")
        return is_named(own_module, module) and is_named(one.shape.name, name)

    @cached_property
    def backends(self) -> tuple[tuple[Class, Class], ...]:
        """Each concrete storage class that implements an interface, with that interface.

        An abstract class in between is no backend, nor is a class outside storage. A class that
        implements several interfaces comes with each, but not with what one of them extends.
        """
        interfaces = {one.name for one in self.interfaces}
        found = []
        for one in self._in_order:
            if not self.project.in_storage(one.path) or one.name in interfaces:
                continue
            if self.is_interface(one):
                continue
            covered: set[str] = set()
            for ancestor in self.ancestors(one)[1:]:
                if ancestor.name in interfaces and ancestor.name not in covered:
                    found.append((one, ancestor))
                    covered.update(wider.name for wider in self.ancestors(ancestor))
        return tuple(found)

    @cached_property
    def backend_of(self) -> Mapping[str, tuple[Class, Class]]:
        """The backends by their dotted names, each with the first interface that it implements."""
        return {one.name: (one, interface) for one, interface in reversed(self.backends)}

    def carried(self) -> frozenset[tuple[str, str]]:
        """Return each module and name by which a backend can be imported."""
        if not self.backends:
            return frozenset()
        takers: dict[str, list[tuple[str, str]]] = {}
        for module, exports in self.exports.items():
            for name, origins in exports.items():
                for origin in origins:
                    takers.setdefault(origin, []).append((module, name))
        fans: dict[str, list[str]] = {}
        for module, stars in self.stars.items():
            for star in stars:
                fans.setdefault(star, []).append(module)
        waiting = [
            (one.name.removesuffix(f".{one.shape.name}"), one.shape.name.partition(".")[0])
            for one, _ in self.backends
        ]
        found: set[tuple[str, str]] = set()
        while waiting:
            key = module, name = waiting.pop()
            if key not in found:
                found.add(key)
                waiting += takers.get(f"{module}.{name}", ())
                waiting += [(fan, name) for fan in fans.get(module, ())]
        return frozenset(found)


def _merged(orders: Sequence[Sequence[Class]]) -> Iterator[Class]:
    """Yield classes in the order that Python gives them (C3); where there is none, the next one."""
    waiting = [list(order) for order in orders if order]
    while waiting:
        later = {one.name for order in waiting for one in order[1:]}
        head = next((order[0] for order in waiting if order[0].name not in later), waiting[0][0])
        yield head
        without = [[one for one in order if one.name != head.name] for order in waiting]
        waiting = [order for order in without if order]


@once_linked
def hierarchy_of(project: Project) -> Hierarchy:
    """Return the classes of a project; they are linked once for all checks."""
    return Hierarchy(project)
