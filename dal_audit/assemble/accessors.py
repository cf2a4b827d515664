"""Accessors: the attributes by which storage objects, or the program's state, hand out a driver's.

They are worked out from the classes themselves, and the configuration can name more.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from typing import Final

from msgspec import Struct

from dal_audit.assemble.accessor_names import PLUMBING
from dal_audit.assemble.class_hierarchy import Class, Hierarchy, hierarchy_of
from dal_audit.assemble.driver_objects import DriverSource
from dal_audit.assemble.held_objects import HeldObject, held_objects_of
from dal_audit.assemble.memo import query
from dal_audit.assemble.project import Project
from dal_audit.assemble.receiver_types import ReceiverType, receivers_of
from dal_audit.assemble.state_classes import keeps_state
from dal_audit.catalogue.drivers import RUST
from dal_audit.facts import AttributeRead, Import, Member, Reference, UseKind

_CALLING: Final[frozenset[UseKind]] = frozenset({"call", "dependency"})
"""The parts that a function plays where it is called."""


_CALLED_BY_SYNTAX: Final = frozenset(
    {"__enter__", "__aenter__", "__call__", "__getitem__", "__iter__", "__aiter__"}
)
"""Special methods that others call by a `with`, a call, brackets or a loop."""

PLUMBING_READ: Final = PLUMBING | {f"_{name}" for name in PLUMBING}
"""What gives itself away on a storage interface, though nobody in view has it."""


class DriverFetch(Struct, frozen=True):
    """What an access fetches: by which member of which class, and what it is.

    `held` is None for an attribute that only the configuration calls an accessor; `owner` and
    `member` are, too, where the receiver's class is not known, or the receiver is a `module`.
    """

    owner: Class | None
    member: Member | None
    held: HeldObject | None
    module: str = ""


class FunctionFetch(Struct, frozen=True):
    """A use by which a function is called, how it is written, and the object that is given."""

    use: Reference
    written: str
    held: HeldObject


def function_fetches(fact: Import, path: str, project: Project) -> Iterator[FunctionFetch]:
    """Yield the calls of storage's functions that an import brings and that give a driver's object.

    What a framework calls for a parameter (`Depends(get_session)`) is called as well.
    """
    for target in fact.targets:
        for use in target.uses:
            found = _given(use, path, project) if use.role in _CALLING else None
            if found is not None:
                yield FunctionFetch(use, fact.written(target, use), found)


def _given(use: Reference, path: str, project: Project) -> HeldObject | None:
    """Return what a function of storage gives that a use means."""
    source = project.driver_sources.function(use.name, path)
    if source is None or not project.in_storage(source.function):
        return None
    if use.name.startswith(RUST) and not _is_told(use.name, project):
        return None  # Rust's accessors are the methods and fields of types.
    if project.allows_driver_type(source.driver, path):
        return None
    return held_objects_of(project).given(source)


def _is_told(name: str, project: Project) -> bool:
    """Return whether the configuration calls a function an accessor."""
    return name.rpartition(".")[2] in project.policy.accessors


@query(depends_on=(hierarchy_of, held_objects_of), cuts_off=True)
def handed_out(project: Project) -> frozenset[str]:
    """Return the names of the members of classes by which these hand out a driver's object."""
    return frozenset(read_as(member, owner) for owner, member in handing_members(project))


@query(depends_on=(hierarchy_of, held_objects_of), cuts_off=True)
def handing_classes(project: Project) -> frozenset[str]:
    """Return the names of the classes that hand out a driver's object."""
    return frozenset(owner.shape.name for owner, _ in handing_members(project))


def handing_members(project: Project) -> Iterator[tuple[Class, Member]]:
    """Yield the members of classes by which these hand out a driver's object."""
    hierarchy = hierarchy_of(project)
    held_objects = held_objects_of(project)
    for owner in hierarchy.classes.values():
        if owner.shape.members and _hands_out(owner, hierarchy):
            for member in owner.shape.members:
                if _is_read(member.name) and held_objects.of(owner, member) is not None:
                    yield owner, member


def errors_of(owner: Class, member: Member, project: Project) -> Iterator[DriverSource]:
    """Yield the drivers' exceptions that an attribute of a class is set to."""
    for name in member.types if member.is_value else ():
        source = project.driver_sources.resolve(name.origin, owner.path)
        if source is not None and source.kind == "exception" and source.form != "subclass":
            yield source


def caught_errors(read: AttributeRead, path: str, project: Project) -> Iterator[DriverSource]:
    """Yield the drivers' exceptions that an `except` catches by an attribute of storage's."""
    for receiver in receivers_of(project).of(read.receivers, path) if read.caught else ():
        for owner, member in _definitions(receiver, read.attribute, project):
            yield from errors_of(owner, member, project)


def driver_fetch(access: AttributeRead, path: str, project: Project) -> DriverFetch | None:
    """Return what an access fetches from a storage object or the program's state, or None."""
    receivers = receivers_of(project).of(access.receivers, path)
    owned = [
        pair for receiver in receivers for pair in _definitions(receiver, access.attribute, project)
    ]
    held_objects = held_objects_of(project)
    for receiver in receivers:
        held = _of_module(receiver, access.attribute, project)
        if held is not None and not project.allows_driver_type(held.source.driver, path):
            return DriverFetch(None, None, held, receiver.name)
    for owner, member in owned:
        if held_objects.annotated(owner.name, owner.path) is not None:
            return None  # The receiver is a driver's object itself: where it came from is reported.
        held = held_objects.of(owner, member)
        if held is not None:
            allowed = project.allows_driver_type(held.source.driver, path)
            return None if allowed else DriverFetch(owner, member, held)
    if access.attribute not in project.policy.accessors:
        return None if owned else _beyond_interface(receivers, access.attribute, project)
    return _configured(owned) if receivers else DriverFetch(None, None, None)


def _of_module(receiver: ReceiverType, name: str, project: Project) -> HeldObject | None:
    """Return what a module of the project that something is set to gives by a name."""
    if receiver.form != "module":
        return None
    source = project.driver_sources.origin(receiver.name, name)
    if source is None or source.form not in {"instance", "function"}:
        return None
    if source.form == "function" and not project.in_storage(source.function):
        return None  # What a function outside storage makes is reported there.
    return held_objects_of(project).held(source)


def hands_on(read: AttributeRead, path: str, project: Project) -> bool:
    """Return whether a method of storage that is handed SQL hands it on to what executes it."""
    return any(
        member.executed
        for receiver in receivers_of(project).of(read.receivers, path)
        for _, member in _definitions(receiver, read.attribute, project)
    )


def _beyond_interface(
    receivers: Iterable[ReceiverType], name: str, project: Project
) -> DriverFetch | None:
    """Return the fetch of plumbing from a storage interface that does not have it."""
    if name not in PLUMBING_READ:
        return None
    hierarchy = hierarchy_of(project)
    interfaces = {interface.name for interface in hierarchy.interfaces}
    for receiver in receivers:
        lineage = list(_lineage(receiver, project)) if receiver.form == "object" else []
        if lineage and lineage[0].name in interfaces and hierarchy.is_known(lineage[0]):
            return DriverFetch(lineage[0], None, None)
    return None


def _configured(owned: Iterable[tuple[Class, Member]]) -> DriverFetch | None:
    """Return the fetch by the first member of which nothing is known but the configured name."""
    for owner, member in owned:
        if not member.types and not member.made_by:
            return DriverFetch(owner, member, None)
    return None


def _definitions(
    receiver: ReceiverType, name: str, project: Project
) -> Iterator[tuple[Class, Member]]:
    """Yield the member that a name means on a receiver, if its class hands out what it holds.

    A storage interface need not have it: then its implementations say what the name means.
    """
    if receiver.form not in {"object", "class"}:
        return
    if name in _CALLED_BY_SYNTAX and receiver.form == "class":
        return  # What syntax calls on a class is its metaclass's.
    hierarchy = hierarchy_of(project)
    lineage = list(_lineage(receiver, project))
    for owner in lineage:
        found = [
            (owner, member) for member in owner.shape.members if read_as(member, owner) == name
        ]
        if found:
            yield from found if _hands_out(owner, hierarchy) else ()
        if not all(_says_nothing(member) for _, member in found):
            return
    yield from _implementations({owner.name for owner in lineage}, name, hierarchy)
    for owner in lineage[:1]:
        yield from _look_alikes(owner, name, hierarchy)


def _says_nothing(member: Member) -> bool:
    """Return whether a class only sets an attribute, and leaves it to its bases what that is."""
    known = {name.origin for name in member.types} - {"None"}
    return member.kind == "attribute" and not (known or member.made_by or member.gives)


def _implementations(
    names: AbstractSet[str], name: str, hierarchy: Hierarchy
) -> Iterator[tuple[Class, Member]]:
    """Yield what a name means in the backends of these interfaces."""
    for backend, interface in hierarchy.backends:
        if interface.name in names and name in (members := hierarchy.members(backend)):
            yield members[name]


def _look_alikes(
    protocol: Class, name: str, hierarchy: Hierarchy
) -> Iterator[tuple[Class, Member]]:
    """Yield what a name means in the storage classes that a Protocol's members all have."""
    if not hierarchy.is_protocol(protocol):
        return
    wanted = hierarchy.members(protocol).keys()
    for candidate in hierarchy.in_order if wanted else ():
        if hierarchy.zones.in_storage(candidate.path) and not hierarchy.is_protocol(candidate):
            members = hierarchy.members(candidate)
            if name in members and wanted <= members.keys():
                yield members[name]


def _lineage(receiver: ReceiverType, project: Project) -> Iterator[Class]:
    """Yield the class of a receiver and what it inherits from, as far as they were read."""
    classes = hierarchy_of(project).classes
    for ancestor in receivers_of(project).lineage(receiver):
        owner = classes.get(f"{project.module_name(ancestor.path)}.{ancestor.name}")
        if owner is not None:
            yield owner


def _hands_out(owner: Class, hierarchy: Hierarchy) -> bool:
    """Return whether a class is storage's, or keeps the program's state."""
    return hierarchy.zones.in_storage(owner.path) or keeps_state(owner, hierarchy)


def read_as(member: Member, owner: Class) -> str:
    """Return the name by which others read a member: of a private one, the mangled one."""
    is_private = member.name.startswith("__") and not member.name.endswith("__")
    if not is_private or owner.name.startswith(RUST):
        return member.name
    return f"_{owner.shape.name.rpartition('.')[2].lstrip('_')}{member.name}"


def _is_read(name: str) -> bool:
    """Return whether others read a member by its name, or by what calls it without."""
    return name in _CALLED_BY_SYNTAX or not (name.startswith("__") and name.endswith("__"))
