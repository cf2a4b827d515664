"""Which members of which classes hold a driver's connection, cursor, pool, engine or session."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from dal_audit.assemble.class_hierarchy import Class
from dal_audit.assemble.memo import once_linked
from dal_audit.assemble.project import OWN_TYPES, Project
from dal_audit.assemble.symbols import HELD, Origin
from dal_audit.facts import LOCAL, Member, Span

OWN_OBJECT: Final = LOCAL + "self."
"""How an origin begins that is an attribute of the object itself."""

WRAPPER: Final = "wrapper"
"""The role of the project's own driver types."""

_TAKERS: Final = frozenset({"Callable", "type", "Type"})
"""Generic types that speak of a type and hold no object of it."""


class Held(Struct, frozen=True):
    """What a member holds or hands out: a driver's object, its role, and where the type stands."""

    origin: Origin
    role: str
    span: Span | None = None

    @property
    def described(self) -> str:
        """The object, as a message names it."""
        if self.role == WRAPPER:
            return f"`{self.origin.name}`, a driver type of the project"
        return f"a database {self.role}, `{self.origin.name}`"


class Holdings:
    """Answers what members hold; each is worked out once."""

    def __init__(self, project: Project) -> None:
        """Begin with nothing worked out."""
        self.project = project
        self._known: dict[tuple[str, Span], Held | None] = {}

    def of(self, owner: Class, member: Member) -> Held | None:
        """Return what a member of a class holds of a driver, or None."""
        key = (owner.name, member.span)
        if key not in self._known:
            self._known[key] = None  # A member that is made from itself ends here.
            self._known[key] = next(self._all(owner, member), None)
        return self._known[key]

    def _all(self, owner: Class, member: Member) -> Iterator[Held]:
        if member.kind == "class":
            return
        heads = {one.origin.rpartition(".")[2].removeprefix(LOCAL) for one in member.types}
        if not heads & _TAKERS:
            for one in member.types:
                held = self.annotated(one.origin, owner.path)
                if held is not None and (not member.is_value or held.origin.form == "instance"):
                    yield replace(held, span=one.span)
        for maker in member.made_by:
            if maker.startswith(OWN_OBJECT):
                yield from self._made_by_own(owner, maker.removeprefix(OWN_OBJECT))
            else:
                yield from self.called(maker, owner.path)
        for name in member.gives:
            for other in owner.shape.members:
                held = self.of(owner, other) if other.name == name else None
                if held is not None:
                    yield replace(held, span=None)

    def annotated(self, name: str, path: str) -> Held | None:
        """Return what an object is whose annotation is a dotted name in a file."""
        origin = self.project.program.resolve(name, path)
        return self._held(origin) if origin is not None else None

    def called(self, name: str, path: str) -> Iterator[Held]:
        """Yield what a call of a dotted name in a file makes."""
        origin = self.project.program.resolve(name, path)
        if origin is None:
            return
        if origin.driver is not OWN_TYPES:
            made = self.project.program.kinds.made_by(origin.name)
            origin = replace(origin, name=made)
        held = self._held(origin)
        if held is not None:
            yield held

    def _made_by_own(self, owner: Class, rest: str) -> Iterator[Held]:
        """Yield what a call of an attribute's method makes (`self._pool.acquire()`)."""
        first, _, deeper = rest.partition(".")
        for member in owner.shape.members:
            held = self.of(owner, member) if member.name == first else None
            if held is None:
                continue
            if not deeper:
                yield replace(held, span=None)
                continue
            made = self.project.program.kinds.made_by(f"{held.origin.name}.{deeper}")
            inner = self._held(replace(held.origin, name=made)) if made else None
            if inner is not None:
                yield inner

    def _held(self, origin: Origin) -> Held | None:
        if origin.driver is OWN_TYPES:
            return Held(origin, WRAPPER)
        role = self.project.program.kinds.role(origin.name)
        return Held(origin, role) if role in HELD else None


@once_linked
def holdings_of(project: Project) -> Holdings:
    """Return what the classes of a project hold; it is worked out once for all checks."""
    return Holdings(project)
