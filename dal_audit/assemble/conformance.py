"""How a backend stands to its interface: what it lacks, and which parameters it gives otherwise."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from typing import Final

from dal_audit.assemble.accessor_names import words
from dal_audit.assemble.class_hierarchy import Class, Hierarchy
from dal_audit.assemble.interface_members import is_public
from dal_audit.facts import Member, Parameter, ParameterKind

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
    given = hierarchy.all_definitions(backend)
    if "__getattr__" in given or "__getattribute__" in given or not hierarchy.is_known(backend):
        return
    wider = {ancestor.name for ancestor in hierarchy.ancestors(interface)}
    for name, (owner, definitions) in hierarchy.all_definitions(interface).items():
        if is_public(name) and _is_left_open(owner, definitions, hierarchy):
            found, members = given[name]
            if found.name in wider or _is_declared(found, members, hierarchy):
                yield owner, definitions[0]


def _is_left_open(owner: Class, definitions: Sequence[Member], hierarchy: Hierarchy) -> bool:
    """Return whether a member has to be implemented: no definition of it is of use by itself."""
    return any(
        hierarchy.leaves_unimplemented((owner, member)) for member in definitions
    ) and not any(member.has_body and not member.is_abstract for member in definitions)


def _is_declared(owner: Class, members: Sequence[Member], hierarchy: Hierarchy) -> bool:
    """Return whether a class declares a member once more, and does not implement it."""
    return any(member.is_abstract for member in members) or (
        hierarchy.is_protocol(owner) and not any(member.has_body for member in members)
    )


def is_intermediate(backend: Class) -> bool:
    """Return whether a class is one for others to complete, where it lacks members.

    It is called a base, or declares and implements nothing itself, as a stub does.
    """
    if _BASE_WORDS.intersection(words(backend.shape.name)):
        return True
    methods = [member for member in backend.shape.members if member.kind == "method"]
    return bool(methods) and not any(method.has_body for method in methods)


def difference(declared: Member, given: Member) -> str:
    """Return how a method's parameters differ from the interface's; empty where calls fit both.

    Calls that the interface allows must be calls that the backend takes: it may take more.
    """
    if {"list", "mapping"} <= _kinds(declared) or {"list", "mapping"} <= _kinds(given):
        return ""
    return (
        next(_of_positions(declared, given), "")
        or next(_of_names(declared, given), "")
        or next(_of_further_names(declared, given), "")
        or next(_of_further(declared, given), "")
        or _of_awaiting(declared, given)
    )


def _kinds(method: Member) -> AbstractSet[ParameterKind]:
    return {parameter.kind for parameter in method.parameters}


def _of_positions(declared: Member, given: Member) -> Iterator[str]:
    """Yield what does not fit of the parameters that arguments reach by position."""
    wanted = _positional(declared)
    offered = _positional(given)
    for index, parameter in enumerate(wanted):
        if index >= len(offered):
            yield from _of_unreached(parameter, given)
        else:
            yield from _of_position(parameter, offered[index])
    by_name = {parameter.name for parameter in _by_name_alone(declared)}
    for other in offered[len(wanted) :]:
        if not other.has_default and other.name not in by_name:
            yield f"needs `{other.name}`, which the interface does not have"


def _positional(method: Member) -> Sequence[Parameter]:
    return [parameter for parameter in method.parameters if parameter.kind in _BY_POSITION]


def _of_unreached(wanted: Parameter, given: Member) -> Iterator[str]:
    """Yield how a method does not take what is passed behind all of its positions."""
    by_name = next((other for other in given.parameters if other.name == wanted.name), None)
    if by_name is not None and by_name.kind == "keyword-only":
        yield f"takes `{wanted.name}` by name alone"
        return
    kinds = _kinds(given)
    if "list" not in kinds and not ("mapping" in kinds and wanted.kind == "plain"):
        yield f"does not take `{wanted.name}`"


def _of_position(wanted: Parameter, other: Parameter) -> Iterator[str]:
    """Yield what does not fit of the parameter in the place of another."""
    is_named = wanted.kind == "plain" and not _is_nameless(wanted)
    if is_named and other.name != wanted.name:
        yield f"takes `{other.name}` where the interface has `{wanted.name}`"
    elif is_named and other.kind == "positional-only":
        yield f"takes `{wanted.name}` by position alone"
    elif wanted.has_default and not other.has_default:
        yield f"needs `{other.name}`, which the interface leaves out"


def _of_names(declared: Member, given: Member) -> Iterator[str]:
    """Yield what does not fit of the parameters that the interface has by name alone."""
    offered = {param.name: param for param in given.parameters if param.kind in _BY_NAME}
    takes_mapping = "mapping" in _kinds(given)
    for wanted in _by_name_alone(declared):
        other = offered.get(wanted.name)
        if other is None and not takes_mapping:
            yield f"does not take `{wanted.name}`"
        elif other is not None and wanted.has_default and not other.has_default:
            yield f"needs `{wanted.name}`, which the interface leaves out"


def _of_further_names(declared: Member, given: Member) -> Iterator[str]:
    """Yield what a method needs by name alone that the interface does not have."""
    known = {param.name for param in declared.parameters if param.kind in _BY_NAME}
    for needed in _by_name_alone(given):
        if not needed.has_default and needed.name not in known:
            yield f"needs `{needed.name}`, which the interface does not have"


def _by_name_alone(method: Member) -> Sequence[Parameter]:
    return [parameter for parameter in method.parameters if parameter.kind == "keyword-only"]


def _of_further(declared: Member, given: Member) -> Iterator[str]:
    """Yield what does not fit of `*args` and `**kwargs`."""
    kinds = _kinds(given)
    for wanted in declared.parameters:
        if wanted.kind == "list" and "list" not in kinds:
            yield f"does not take `*{wanted.name}`"
        if wanted.kind == "mapping" and "mapping" not in kinds:
            yield f"does not take `**{wanted.name}`"


def _of_awaiting(declared: Member, given: Member) -> str:
    if declared.is_async == given.is_async:
        return ""
    names = {name.origin.rpartition(".")[2] for name in (*declared.types, *given.types)}
    if names & AWAITABLE:
        return ""
    return "is `async`" if given.is_async else "is not `async`"


def _is_nameless(parameter: Parameter) -> bool:
    """Return whether a parameter says by its name that nobody passes it by name."""
    return parameter.name.startswith("_")


def is_comparable(members: Sequence[Member]) -> bool:
    """Return whether a method's parameters are those of its one definition, as it is written."""
    return (
        len(members) == 1 and members[0].kind == "method" and KEPT.issuperset(members[0].decorators)
    )
