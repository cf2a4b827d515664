"""How a backend stands to its interface: what it lacks, and which parameters it gives otherwise."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from dal_audit.assemble.accessor_names import words
from dal_audit.assemble.class_hierarchy import Class, Hierarchy
from dal_audit.assemble.interface_members import is_public
from dal_audit.facts import Member, Parameter

KEPT: Final = frozenset(
    {"abstractmethod", "override", "final", "classmethod", "staticmethod", "wraps", "deprecated"}
    | {"cache", "lru_cache", "contextmanager", "asynccontextmanager"}
)
"""Decorators that leave a method's parameters as they are written."""

AWAITABLE: Final = frozenset(
    {"Awaitable", "Coroutine", "Future", "Task", "Deferred", "AsyncIterator", "AsyncIterable"}
    | {"AsyncGenerator", "AsyncContextManager", "AbstractAsyncContextManager"}
)
"""Types of results by which a plain method is as good as an `async` one."""

_BASE_WORDS: Final = frozenset({"abstract", "base", "mixin"})
"""Words in the names of classes that are made to be inherited."""

_BY_POSITION: Final = frozenset({"positional-only", "plain"})
_BY_NAME: Final = frozenset({"plain", "keyword-only"})


def missing_members(
    backend: Class, interface: Class, hierarchy: Hierarchy
) -> Iterator[tuple[Class, Member]]:
    """Yield the members that a backend has to implement and does not, each with its owner.

    A class that answers for any name (`__getattr__`), or that inherits what was not read, lacks
    nothing that could be told.
    """
    given = hierarchy.definitions(backend)
    if "__getattr__" in given or "__getattribute__" in given or not hierarchy.is_known(backend):
        return
    wider = {one.name for one in hierarchy.ancestors(interface)}
    for name, (owner, definitions) in hierarchy.definitions(interface).items():
        if not is_public(name) or not any(map(hierarchy.is_open, _with(owner, definitions))):
            continue
        if any(one.has_body and not one.is_abstract for one in definitions):
            continue
        found, members = given[name]
        is_declared = any(one.is_abstract for one in members) or (
            hierarchy.is_protocol(found) and not any(one.has_body for one in members)
        )
        if found.name in wider or is_declared:
            yield owner, definitions[0]


def is_intermediate(backend: Class) -> bool:
    """Return whether a class is one for others to complete, where it lacks members.

    It is called a base, or declares and implements nothing itself, as a stub does.
    """
    if _BASE_WORDS.intersection(words(backend.shape.name)):
        return True
    methods = [one for one in backend.shape.members if one.kind == "method"]
    return bool(methods) and not any(one.has_body for one in methods)


def _with(owner: Class, members: Sequence[Member]) -> list[tuple[Class, Member]]:
    return [(owner, member) for member in members]


def difference(declared: Member, given: Member) -> str:
    """Return how a method's parameters differ from the interface's; empty where calls fit both.

    Calls that the interface allows must be calls that the backend takes: it may take more.
    """
    kinds = {one.kind for one in declared.parameters}
    taken = {one.kind for one in given.parameters}
    if {"list", "mapping"} <= kinds or {"list", "mapping"} <= taken:
        return ""
    return (
        next(_of_positions(declared, given), "")
        or next(_of_names(declared, given), "")
        or next(_of_further(declared, given), "")
        or _of_awaiting(declared, given)
    )


def _of_positions(declared: Member, given: Member) -> Iterator[str]:
    """Yield what does not fit of the parameters that arguments reach by position."""
    wanted = [one for one in declared.parameters if one.kind in _BY_POSITION]
    offered = [one for one in given.parameters if one.kind in _BY_POSITION]
    takes_list = any(one.kind == "list" for one in given.parameters)
    takes_mapping = any(one.kind == "mapping" for one in given.parameters)
    for index, one in enumerate(wanted):
        if index >= len(offered):
            by_name = next((p for p in given.parameters if p.name == one.name), None)
            if by_name is not None and by_name.kind == "keyword-only":
                yield f"takes `{one.name}` by name alone"
            elif not takes_list and not (takes_mapping and one.kind == "plain"):
                yield f"does not take `{one.name}`"
            continue
        other = offered[index]
        if one.kind == "plain" and other.name != one.name and not _is_nameless(one):
            yield f"takes `{other.name}` where the interface has `{one.name}`"
        elif one.kind == "plain" and other.kind == "positional-only" and not _is_nameless(one):
            yield f"takes `{one.name}` by position alone"
        elif one.has_default and not other.has_default:
            yield f"needs `{other.name}`, which the interface leaves out"
    for other in offered[len(wanted) :]:
        if not other.has_default and not any(
            one.kind == "keyword-only" and one.name == other.name for one in declared.parameters
        ):
            yield f"needs `{other.name}`, which the interface does not have"


def _of_names(declared: Member, given: Member) -> Iterator[str]:
    """Yield what does not fit of the parameters that arguments reach by name alone."""
    offered = {one.name: one for one in given.parameters if one.kind in _BY_NAME}
    takes_mapping = any(one.kind == "mapping" for one in given.parameters)
    wanted = {one.name for one in declared.parameters if one.kind in _BY_NAME}
    for one in declared.parameters:
        if one.kind != "keyword-only":
            continue
        other = offered.get(one.name)
        if other is None:
            if not takes_mapping:
                yield f"does not take `{one.name}`"
        elif one.has_default and not other.has_default:
            yield f"needs `{one.name}`, which the interface leaves out"
    for name, other in offered.items():
        if other.kind == "keyword-only" and not other.has_default and name not in wanted:
            yield f"needs `{name}`, which the interface does not have"


def _of_further(declared: Member, given: Member) -> Iterator[str]:
    """Yield what does not fit of `*args` and `**kwargs`."""
    kinds = {one.kind for one in given.parameters}
    for one in declared.parameters:
        if one.kind == "list" and "list" not in kinds:
            yield f"does not take `*{one.name}`"
        if one.kind == "mapping" and "mapping" not in kinds:
            yield f"does not take `**{one.name}`"


def _of_awaiting(declared: Member, given: Member) -> str:
    if declared.is_async == given.is_async:
        return ""
    names = {one.origin.rpartition(".")[2] for one in (*declared.types, *given.types)}
    if names & AWAITABLE:
        return ""
    return "is `async`" if given.is_async else "is not `async`"


def _is_nameless(one: Parameter) -> bool:
    """Return whether a parameter says by its name that nobody passes it by name."""
    return one.name.startswith("_")


def is_comparable(members: Sequence[Member]) -> bool:
    """Return whether a method's parameters are those of its one definition, as it is written."""
    return (
        len(members) == 1 and members[0].kind == "method" and KEPT.issuperset(members[0].decorators)
    )
