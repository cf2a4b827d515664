"""Which members of which classes hold a driver's connection, cursor, pool, engine or session."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from dal_audit.assemble.class_hierarchy import Class
from dal_audit.assemble.driver_names import OWN_TYPES
from dal_audit.assemble.driver_objects import CONNECTION_ROLES, DriverSource
from dal_audit.assemble.driver_sources import DriverSources
from dal_audit.assemble.memo import query
from dal_audit.assemble.project import CLASSES, Project
from dal_audit.facts import CALL, OWN_MODULE, Member, Span

OWN_OBJECT: Final = OWN_MODULE + "self."
"""How an origin begins that is an attribute of the object itself."""

WRAPPER: Final = "wrapper"
"""The role of the project's own driver types."""

MODULE: Final = "module"
"""The role of a driver's module that an attribute is set to (`self.db = sqlite3`)."""

_TYPE_GENERICS: Final = frozenset({"Callable", "type", "Type"})
"""Generic types that speak of a type and hold no object of it."""


class HeldObject(Struct, frozen=True):
    """What a member holds or hands out: a driver's object, its role, and where the type stands."""

    source: DriverSource
    role: str
    span: Span | None = None

    @property
    def described(self) -> str:
        """The object, as a message names it."""
        if self.role == WRAPPER:
            return f"`{self.source.name}`, a driver type of the project"
        if self.role == MODULE:
            return f"`{self.source.name}`, a module of the driver"
        return f"a database {self.role}, `{self.source.name}`"


class HeldObjects:
    """Answers what members hold; each is worked out once."""

    def __init__(self, sources: DriverSources) -> None:
        """Begin with nothing worked out."""
        self.sources = sources
        self._known: dict[tuple[str, Span], HeldObject | None] = {}
        self._by_name: dict[str, dict[str, list[Member]]] = {}

    def of(self, owner: Class, member: Member) -> HeldObject | None:
        """Return what a member of a class holds of a driver, or None."""
        waiting = [member]
        begun: set[Span] = set()
        while waiting:  # As deep as members go: Python itself would not go there.
            current = waiting[-1]
            key = (owner.name, current.span)
            if key not in self._known and current.span not in begun:
                begun.add(current.span)
                needed = self._needed(owner, current)
                waiting += [other for other in needed if other.span not in begun]
                continue
            waiting.pop()
            if key not in self._known:
                self._known[key] = None  # A member that is made from itself ends here.
                self._known[key] = next(self._all(owner, current), None)
        return self._known[owner.name, member.span]

    def _needed(self, owner: Class, member: Member) -> Iterator[Member]:
        """Yield the members of the same class that one is made by, or gives."""
        for maker in member.made_by:
            if maker.startswith(OWN_OBJECT):
                yield from self._members(owner, maker.removeprefix(OWN_OBJECT).partition(".")[0])
        for name in member.gives:
            yield from self._members(owner, name)

    def _members(self, owner: Class, name: str) -> Sequence[Member]:
        """Return the members of a class that have a name."""
        by_name = self._by_name.get(owner.name)
        if by_name is None:
            by_name = self._by_name[owner.name] = {}
            for member in owner.shape.members:
                by_name.setdefault(member.name, []).append(member)
        return by_name.get(name, ())

    def _all(self, owner: Class, member: Member) -> Iterator[HeldObject]:
        if member.kind == "class":
            return
        yield from self._typed(owner, member)
        for maker in member.made_by:
            if maker.startswith(OWN_OBJECT):
                yield from self._made_by_own(owner, maker.removeprefix(OWN_OBJECT))
            else:
                yield from self.called(maker, owner.path)
        for name in member.gives:
            yield from (replace(held, span=None) for held in self._named(owner, name))

    def _typed(self, owner: Class, member: Member) -> Iterator[HeldObject]:
        """Yield what a member holds by its types."""
        heads = {name.origin.rpartition(".")[2].removeprefix(OWN_MODULE) for name in member.types}
        if heads & _TYPE_GENERICS:
            return
        for name in member.types:
            held = self.annotated(name.origin, owner.path)
            if held is not None and (not member.is_value or held.source.form == "instance"):
                yield replace(held, span=name.span)
            elif member.is_value and (module := self._module(name.origin, owner.path)):
                yield HeldObject(module, MODULE, name.span)

    def _module(self, name: str, path: str) -> DriverSource | None:
        """Return the driver's module that a dotted name means in a file, or None."""
        source = self.sources.resolve(name, path)
        is_one = source is not None and source.kind == "module" and source.form == "itself"
        return source if is_one else None

    def _named(self, owner: Class, name: str) -> Iterator[HeldObject]:
        """Yield what the members of a name hold."""
        for member in self._members(owner, name):
            held = self.of(owner, member)
            if held is not None:
                yield held

    def annotated(self, name: str, path: str) -> HeldObject | None:
        """Return what an object is whose annotation is a dotted name in a file."""
        source = self.sources.resolve(name, path)
        return self.held(source) if source is not None else None

    def called(self, name: str, path: str) -> Iterator[HeldObject]:
        """Yield what a call of a dotted name in a file makes."""
        source = self.sources.resolve(f"{name}.{CALL}", path)
        held = self.held(source) if source is not None else None
        if held is not None:
            yield held

    def _made_by_own(self, owner: Class, rest: str) -> Iterator[HeldObject]:
        """Yield what a call of an attribute's method makes (`self._pool.acquire()`)."""
        first, _, deeper = rest.partition(".")
        for held in self._named(owner, first):
            if not deeper:
                yield replace(held, span=None)
                continue
            own = replace(held.source, form="instance")
            made = self.sources.objects.follow(own, (*deeper.split("."), CALL))
            inner = self.held(made) if made is not None else None
            if inner is not None:
                yield inner

    def given(self, source: DriverSource) -> HeldObject | None:
        """Return what a function gives as an object that is held: a driver's module is one, too."""
        return HeldObject(source, MODULE) if source.kind == "module" else self.held(source)

    def held(self, source: DriverSource) -> HeldObject | None:
        """Return a driver's object as one that is held; None where it holds on to no database."""
        if source.driver is OWN_TYPES:
            return HeldObject(source, WRAPPER)
        role = self.sources.kinds.role(source.name)
        return HeldObject(source, role) if role in CONNECTION_ROLES else None


@query(depends_on=(CLASSES, Project.driver_sources))
def held_objects_of(project: Project) -> HeldObjects:
    """Return what the classes of a project hold; it is worked out once for all checks."""
    return HeldObjects(project.driver_sources)
