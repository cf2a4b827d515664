"""The classes of the whole program: found by name through re-exports, with what they inherit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Final

from dal_audit.facts import ClassShape, FileFacts, Member, Shape
from dal_audit.project import Project

MAX_STEPS: Final = 64
"""How many re-exports are followed for one name; a circle of them ends here."""

ABSTRACT_BASES: Final = frozenset(
    {"typing.Protocol", "typing_extensions.Protocol", "abc.ABC", "zope.interface.Interface"}
)
"""Bases that make a class an interface (library reference, `abc` and `typing.Protocol`)."""


@dataclass(frozen=True, slots=True)
class Class:
    """A class of the project: its dotted name, its file and its shape."""

    name: str
    path: str
    shape: ClassShape


class Hierarchy:
    """All classes that were read, by their dotted names."""

    def __init__(self, project: Project) -> None:
        """Index the classes of a project."""
        self.project = project
        self.classes: dict[str, Class] = {}
        self.exports: dict[str, dict[str, tuple[str, ...]]] = {}
        self.stars: dict[str, tuple[str, ...]] = {}
        for file in project.files:
            self._index(file)

    def _index(self, file: FileFacts) -> None:
        module = self.project.module_name(file.path)
        for fact in file.facts:
            if isinstance(fact, ClassShape):
                name = f"{module}.{fact.name}"
                self.classes.setdefault(name, Class(name, file.path, fact))
            elif isinstance(fact, Shape):
                named: dict[str, tuple[str, ...]] = {}
                for export in fact.exports:
                    if export.made in {"import", "alias", "type"}:
                        origins = tuple(self.project.absolute(o, file.path) for o in export.origins)
                        named[export.name] = (*named.get(export.name, ()), *origins)
                self.exports[module] = named
                self.stars[module] = tuple(
                    self.project.absolute(star, file.path) for star in fact.stars
                )

    def find(self, name: str, path: str) -> Class | None:
        """Return the class that a dotted name means in a file, followed through re-exports."""
        waiting = [self.project.absolute(name, path)]
        seen: set[str] = set()
        while waiting and len(seen) < MAX_STEPS:
            one = waiting.pop(0)
            if one in seen:
                continue
            seen.add(one)
            found = self.classes.get(one)
            if found is not None:
                return found
            waiting += self._next(one)
        return None

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

    def ancestors(self, one: Class) -> list[Class]:
        """Return a class and all that it inherits from, nearest first, each once."""
        found: list[Class] = []
        waiting = [one]
        while waiting:
            nearest = waiting.pop(0)
            if nearest not in found:
                found.append(nearest)
                waiting += self.bases(nearest)
        return found

    def members(self, one: Class) -> Mapping[str, tuple[Class, Member]]:
        """Return the members of a class, inherited ones too, each with the class that has it.

        The nearest definition of a name counts; in one class a definition in the class's own block
        counts before an attribute that only a method sets.
        """
        found: dict[str, tuple[Class, Member]] = {}
        for ancestor in self.ancestors(one):
            own = sorted(ancestor.shape.members, key=lambda member: member.local)
            for member in own:
                found.setdefault(member.name, (ancestor, member))
        return found

    def is_interface(self, one: Class) -> bool:
        """Return whether a class is abstract by its own word: a Protocol, an ABC, an abstract member.

        A class that inherits an interface and makes it concrete is none.
        """
        own = {self.project.absolute(base.origin, one.path) for base in one.shape.bases}
        if own & ABSTRACT_BASES:
            return True
        return any(member.is_abstract for member in one.shape.members)

    @cached_property
    def interfaces(self) -> tuple[Class, ...]:
        """The storage interfaces, configured or found.

        Found is a Protocol or an ABC in storage that another storage class implements.
        """
        configured = self.project.policy.interfaces
        if configured is not None:
            return tuple(
                one
                for one in self._sorted()
                if any(self._is_meant(one, pattern) for pattern in configured)
            )
        implemented = {
            ancestor.name
            for one in self._sorted()
            if self.project.in_storage(one.path)
            for ancestor in self.ancestors(one)[1:]
        }
        return tuple(
            one
            for one in self._sorted()
            if self.project.in_storage(one.path)
            and one.name in implemented
            and self.is_interface(one)
        )

    def _sorted(self) -> list[Class]:
        return [self.classes[name] for name in sorted(self.classes)]

    def _is_meant(self, one: Class, pattern: str) -> bool:
        module, _, name = pattern.partition(":")
        own_module = one.name.removesuffix(f".{one.shape.name}")
        return self.project.is_named(own_module, module) and self.project.is_named(
            one.shape.name, name
        )

    @cached_property
    def backends(self) -> tuple[tuple[Class, Class], ...]:
        """Each concrete storage class that implements an interface, with that interface.

        An abstract class in between is no backend, nor is a class outside storage.
        """
        interfaces = {one.name: one for one in self.interfaces}
        found = []
        for one in self._sorted():
            if not self.project.in_storage(one.path) or one.name in interfaces:
                continue
            if self.is_interface(one):
                continue
            for ancestor in self.ancestors(one)[1:]:
                if ancestor.name in interfaces:
                    found.append((one, ancestor))
                    break
        return tuple(found)


@lru_cache(maxsize=8)
def hierarchy_of(project: Project) -> Hierarchy:
    """Return the classes of a project; they are linked once for all checks."""
    return Hierarchy(project)
