"""What receivers are: the values of modules, followed through the whole program to their classes.

It says what it lacks: a file that a receiver leads into and that was not inspected yet is
`missing`, and the question is put again when that file has been read.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final, Literal, TypeAlias

from msgspec import Struct

from dal_audit.assemble.class_hierarchy import Class, Hierarchy, hierarchy_of
from dal_audit.assemble.memo import file_query, query
from dal_audit.assemble.module_names import ModuleNames, longest_module
from dal_audit.assemble.project import AUDITED, VALUES, Project
from dal_audit.facts import CALL, ITEM, AbstractValue, ValueFacts

TypeForm: TypeAlias = Literal[
    "object", "class", "function", "collection", "module", "external", "external_object"
]
"""What a receiver is: an object of a class, the class, a function, a collection, a module of the
project; a module or a class from outside the project, or an object of such a class."""

_OBJECT_OF: Final[Mapping[TypeForm, TypeForm]] = {
    "class": "object",
    "object": "object",
    "external": "external_object",
    "external_object": "external_object",
}
"""What an annotation makes of what it names."""


class ReceiverType(Struct, frozen=True):
    """What a value is: its form, and the file and the name in it that it goes back to."""

    form: TypeForm
    path: str
    name: str


class Receivers:
    """Follows values through the evidence of all files."""

    def __init__(
        self,
        evidence: Mapping[str, ValueFacts],
        audited: frozenset[str],
        names: ModuleNames,
        hierarchy: Hierarchy,
    ) -> None:
        """Take the evidence by the files' paths, and the paths of all that were audited."""
        self.names = names
        self.hierarchy = hierarchy
        self._evidence = evidence
        self._audited = audited
        self._asked: set[str] = set()
        self._values: dict[str, dict[str, tuple[AbstractValue, ...]]] = {}
        self._classes: dict[str, dict[str, tuple[str, ...]]] = {}
        self._types: dict[tuple[str, str], tuple[ReceiverType, ...]] = {}
        for path, known in evidence.items():
            if not known.is_whole:
                continue  # Where a receiver leads into such a file, it is inspected once more.
            self._values[path] = dict(known.values)
            self._classes[path] = dict(known.classes)

    def missing(
        self, matters: Callable[[str, str], bool] = lambda _path, _attribute: True
    ) -> frozenset[str]:
        """Return the files that must be inspected before all receivers are known.

        Those are asked for that `matter`, by the file and the attribute that is read of them.
        """
        owners = {
            receiver: None
            for path, evidence in self._evidence.items()
            for access in evidence.accesses
            if matters(path, access.attribute)
            for receiver in self.of(access.receivers, path)
        }
        for owner in owners:
            if owner.form in {"object", "class"}:
                deque(self.lineage(owner), maxlen=0)  # What it inherits decides as well.
        return frozenset(self._asked)

    def of(self, receivers: Iterable[AbstractValue], path: str) -> list[ReceiverType]:
        """Return all that an access's receiver can be; nothing where that is not known."""
        return list(dict.fromkeys(found for value in receivers for found in self._of(value, path)))

    def lineage(self, receiver: ReceiverType) -> Iterator[ReceiverType]:
        """Yield a class and what it inherits from, nearest first.

        The classes of storage are linked already; nothing needs to be inspected for them.
        """
        waiting = deque([ReceiverType("class", receiver.path, receiver.name)])
        seen = set()
        while waiting:
            found = waiting.popleft()
            if found not in seen:
                seen.add(found)
                yield found
                waiting += self._bases(found)

    def _bases(self, derived: ReceiverType) -> Iterator[ReceiverType]:
        """Yield what a class inherits from: of a storage class all, of another the next."""
        known = self._storage_class(derived.path, derived.name)
        if known is not None:
            for ancestor in self.hierarchy.ancestors(known)[1:]:
                yield ReceiverType("class", ancestor.path, ancestor.shape.name)
            return
        for base in self._classes.get(derived.path, {}).get(derived.name, ()):
            yield from (found for found in self._named(base, derived.path) if found.form == "class")

    def _of(self, value: AbstractValue, path: str) -> Iterator[ReceiverType]:
        types: Iterable[ReceiverType] = self._named(value.origin, path)
        if value.is_object:
            types = [
                ReceiverType(_OBJECT_OF[found.form], found.path, found.name)
                for found in types
                if found.form in _OBJECT_OF
            ]
        for step in value.steps:
            types = dict.fromkeys(inner for found in types for inner in self._step(found, step))
        yield from types

    def _named(self, name: str, path: str) -> Iterator[ReceiverType]:
        """Yield what a dotted name means in a file."""
        absolute = self.names.absolute(name, path)
        module, rest = longest_module(absolute, self.names.packages)
        if not module:
            yield ReceiverType("external", "", absolute)
            return
        types = [ReceiverType("module", self.names.packages[module], module)]
        for part in rest.split(".") if rest else ():
            types = [inner for found in types for inner in self._step(found, part)]
        yield from types

    def _step(self, receiver: ReceiverType, step: str) -> Iterator[ReceiverType]:
        """Yield what an attribute of a receiver is, or what a call of it gives."""
        match receiver.form:
            case "module":
                yield from self._in_module(receiver, step)
            case "external":
                yield from _of_external(receiver, step)
            case "class" if step == CALL:
                yield ReceiverType("object", receiver.path, receiver.name)
            case "function" if step == CALL:
                yield from self._own(receiver.path, receiver.name)
            case "collection" if step == ITEM:
                yield from self._own(receiver.path, receiver.name)
            case "object" if step == ITEM:
                for method in self._member(receiver, "__getitem__"):
                    yield from self._step(method, CALL)
            case "object" | "class" if step != CALL:
                yield from self._member(receiver, step)

    def _in_module(self, module: ReceiverType, name: str) -> Iterator[ReceiverType]:
        inner = self.names.packages.get(f"{module.name}.{name}")
        if inner is not None:
            yield ReceiverType("module", inner, f"{module.name}.{name}")
        elif module.path:
            yield from self._own(module.path, name)

    def _member(self, receiver: ReceiverType, name: str) -> Iterator[ReceiverType]:
        for owner in self.lineage(receiver):
            known = self._storage_class(owner.path, owner.name)
            if known is not None and all(member.name != name for member in known.shape.members):
                continue
            found = self._own(owner.path, f"{owner.name}.{name}")
            if found:
                yield from found
                return

    def _own(self, path: str, name: str) -> Sequence[ReceiverType]:
        """Return what a name in a file's module is: a class, a function, or what it is set to."""
        key = path, name
        if key not in self._types:
            self._types[key] = ()  # One that is made from itself ends here.
            self._types[key] = tuple(dict.fromkeys(self._followed(path, name)))
        return self._types[key]

    def _followed(self, path: str, name: str) -> Iterator[ReceiverType]:
        """Yield what a name is, through all modules that only hand it on, in the text's order."""
        seen = {(path, name)}
        waiting = [self._bindings(path, name)]
        while waiting:
            found = next(waiting[-1], None)
            if found is None:
                waiting.pop()
            elif isinstance(found, ReceiverType):
                yield found
            elif (inner := self._handed_on(*found)) is None:
                yield from self._of(*found)
            elif inner in self._types:
                yield from self._types[inner]
            elif inner not in seen:
                seen.add(inner)
                waiting.append(self._bindings(*inner))

    def _bindings(self, path: str, name: str) -> Iterator[ReceiverType | tuple[AbstractValue, str]]:
        """Yield what a name is bound to in a file's module, and the values that it is set to.

        Each value comes with the file that it is read in.
        """
        if self._storage_class(path, name) is not None:
            yield ReceiverType("class", path, name)
            return
        if path not in self._values:
            # A module that is not audited has no facts, and never will.
            if path in self._audited:
                self._asked.add(path)
            return
        if name in self._classes[path]:
            yield ReceiverType("class", path, name)
        if name + CALL in self._values[path]:
            yield ReceiverType("function", path, name + CALL)
        if name + ITEM in self._values[path]:
            yield ReceiverType("collection", path, name + ITEM)
        if name in self._values[path]:
            yield from ((value, path) for value in self._values[path][name])
        elif "." not in name:
            # It may have been taken by a star.
            yield from (
                (AbstractValue(f"{star}.{name}"), path) for star in self._evidence[path].stars
            )

    def _handed_on(self, value: AbstractValue, path: str) -> tuple[str, str] | None:
        """Return the file and the name in it that a value is nothing but another name for."""
        if value.is_object or value.steps:
            return None
        absolute = self.names.absolute(value.origin, path)
        module, rest = longest_module(absolute, self.names.packages)
        file = self.names.packages.get(module, "")
        return (file, rest) if file and rest and "." not in rest else None

    def _storage_class(self, path: str, name: str) -> Class | None:
        """Return the storage class of a name in a file, if it is one."""
        if not self.hierarchy.zones.in_storage(path):
            return None
        return self.hierarchy.classes.get(f"{self.names.of(path)}.{name}")


def _of_external(receiver: ReceiverType, step: str) -> Iterator[ReceiverType]:
    """Yield what is known of a receiver from outside: a module's part, or an object of a class.

    What a function from outside returns is not known, nor what an object of such a class holds.
    """
    if step != CALL:
        yield ReceiverType("external", "", f"{receiver.name}.{step}")
    elif receiver.name.rpartition(".")[2][:1].isupper():
        yield ReceiverType("external_object", "", receiver.name)


@file_query(of=(VALUES,))
def _evidence(_path: str, evidence: Sequence[ValueFacts], _project: Project) -> ValueFacts:
    """Return what was read last of a file's values."""
    return evidence[-1]


@query(depends_on=(_evidence, AUDITED, Project.names, hierarchy_of))
def receivers_of(project: Project) -> Receivers:
    """Return what the receivers of a project are; the evidence is indexed once."""
    return Receivers(
        _evidence(project),
        frozenset(file.path for file in project.files),
        project.names,
        hierarchy_of(project),
    )
