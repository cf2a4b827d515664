"""What receivers are: the values of modules, followed through the whole program to their classes.

It says what it lacks: a file that a receiver leads into and that was not inspected yet is
`missing`, and the question is put again when that file has been read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Final, Literal, TypeAlias

from msgspec import Struct

from dal_audit.assemble.class_hierarchy import Class, hierarchy_of
from dal_audit.assemble.memo import once
from dal_audit.assemble.project import Project
from dal_audit.facts import CALL, Access, Evidence, FileFacts, Known

Form: TypeAlias = Literal["object", "class", "function", "module", "elsewhere", "stranger"]
"""What a thing is: an object of a class, the class, a function, a module of the project; a module
or a class from outside the project, or an object of such a class."""

_OBJECT_OF: Final[Mapping[Form, Form]] = {
    "class": "object",
    "object": "object",
    "elsewhere": "stranger",
    "stranger": "stranger",
}
"""What an annotation makes of what it names."""


class Thing(Struct, frozen=True):
    """What a value is: its form, and the file and the name in it that it goes back to."""

    form: Form
    path: str
    name: str


class Receivers:
    """Follows values through the evidence of all files."""

    def __init__(self, project: Project, files: Sequence[FileFacts]) -> None:
        """Index the evidence in the facts of a project's files."""
        self.project = project
        self.files = files
        self.hierarchy = hierarchy_of(project)
        self.asked: set[str] = set()
        self._accesses: list[tuple[str, Sequence[Access]]] = []
        self._values: dict[str, dict[str, tuple[Known, ...]]] = {}
        self._classes: dict[str, dict[str, tuple[str, ...]]] = {}
        self._stars: dict[str, tuple[str, ...]] = {}
        self._things: dict[tuple[str, str], tuple[Thing, ...]] = {}
        self._packages = project.names.packages
        for path, evidence in filter(None, project.each("receivers", _evidence_of, files)):
            self._accesses.append((path, evidence.accesses))
            self._values[path] = dict(evidence.values)
            self._classes[path] = dict(evidence.classes)
            self._stars[path] = evidence.stars

    @cached_property
    def _known(self) -> frozenset[str]:
        """The audited files."""
        return frozenset(file.path for file in self.files)

    def missing(self) -> frozenset[str]:
        """Return the files that must be inspected before all receivers are known."""
        for path, accesses in self._accesses:
            for access in accesses:
                self.of(access.receivers, path)
        return frozenset(self.asked)

    def of(self, receivers: Iterable[Known], path: str) -> list[Thing]:
        """Return all that an access's receiver can be; nothing where that is not known."""
        return list(dict.fromkeys(thing for one in receivers for thing in self._of(one, path)))

    def lineage(self, thing: Thing) -> Iterator[Thing]:
        """Yield a class and what it inherits from, nearest first.

        The classes of storage are linked already; nothing needs to be inspected for them.
        """
        waiting, seen = [Thing("class", thing.path, thing.name)], set()
        while waiting:
            one = waiting.pop(0)
            if one in seen:
                continue
            seen.add(one)
            yield one
            known = self._storage_class(one.path, one.name)
            if known is not None:
                ancestors = self.hierarchy.ancestors(known)[1:]
                waiting += [Thing("class", each.path, each.shape.name) for each in ancestors]
                continue
            for base in self._classes.get(one.path, {}).get(one.name, ()):
                waiting += [t for t in self._named(base, one.path) if t.form == "class"]

    def _of(self, known: Known, path: str) -> Iterator[Thing]:
        things = list(self._named(known.origin, path))
        if known.is_object:
            things = [
                Thing(_OBJECT_OF[one.form], one.path, one.name)
                for one in things
                if one.form in _OBJECT_OF
            ]
        for step in known.steps:
            things = list(dict.fromkeys(next_ for one in things for next_ in self._step(one, step)))
        yield from things

    def _named(self, name: str, path: str) -> Iterator[Thing]:
        """Yield what a dotted name means in a file."""
        absolute = self.project.absolute(name, path)
        module, rest = absolute, list[str]()
        while module and module not in self._packages:
            module, _, last = module.rpartition(".")
            rest.insert(0, last)
        if not module:
            yield Thing("elsewhere", "", absolute)
            return
        things = [Thing("module", self._packages[module], module)]
        for part in rest:
            things = [next_ for one in things for next_ in self._step(one, part)]
        yield from things

    def _step(self, thing: Thing, step: str) -> Iterator[Thing]:
        """Yield what an attribute of a thing is, or what a call of it gives."""
        if thing.form == "module":
            inner = self._packages.get(f"{thing.name}.{step}")
            if inner is not None:
                yield Thing("module", inner, f"{thing.name}.{step}")
            elif thing.path:
                yield from self._own(thing.path, step)
        elif thing.form == "elsewhere":
            yield from _of_elsewhere(thing, step)
        elif step == CALL:
            if thing.form == "class":
                yield Thing("object", thing.path, thing.name)
            elif thing.form == "function":
                yield from self._followed(thing.path, thing.name)
        elif thing.form in {"object", "class"}:
            yield from self._member(thing, step)

    def _member(self, thing: Thing, name: str) -> Iterator[Thing]:
        for owner in self.lineage(thing):
            known = self._storage_class(owner.path, owner.name)
            if known is not None and all(one.name != name for one in known.shape.members):
                continue
            found = list(self._own(owner.path, f"{owner.name}.{name}"))
            if found:
                yield from found
                return

    def _own(self, path: str, name: str) -> Iterator[Thing]:
        """Yield what a name in a file's module is: a class, a function, or what it is set to."""
        if self._storage_class(path, name) is not None:
            yield Thing("class", path, name)
            return
        if path not in self._values:
            # A module that is not audited has no facts, and never will.
            if path in self._known:
                self.asked.add(path)
            return
        if name in self._classes[path]:
            yield Thing("class", path, name)
        if name + CALL in self._values[path]:
            yield Thing("function", path, name + CALL)
        if name in self._values[path]:
            yield from self._followed(path, name)
        elif "." not in name:
            yield from self._by_star(path, name)

    def _by_star(self, path: str, name: str) -> Iterator[Thing]:
        """Yield what a name is that a module may have taken by `from … import *`."""
        key = path, f"*.{name}"
        if key not in self._things:
            self._things[key] = ()
            found = (t for star in self._stars[path] for t in self._named(f"{star}.{name}", path))
            self._things[key] = tuple(dict.fromkeys(found))
        yield from self._things[key]

    def _storage_class(self, path: str, name: str) -> Class | None:
        """Return the storage class of a name in a file, if it is one."""
        if not self.project.in_storage(path):
            return None
        return self.hierarchy.classes.get(f"{self.project.module_name(path)}.{name}")

    def _followed(self, path: str, name: str) -> Iterator[Thing]:
        """Yield what a name's values are; one that is made from itself ends here."""
        key = path, name
        if key not in self._things:
            self._things[key] = ()
            values = (thing for one in self._values[path][name] for thing in self._of(one, path))
            self._things[key] = tuple(dict.fromkeys(values))
        yield from self._things[key]


def _evidence_of(file: FileFacts) -> tuple[str, Evidence] | None:
    """Return a file's evidence with its path; None where it has none."""
    found = [(file.path, fact) for fact in file.facts if isinstance(fact, Evidence)]
    return found[-1] if found else None


def _of_elsewhere(thing: Thing, step: str) -> Iterator[Thing]:
    """Yield what is known of a thing from outside: a module's part, or an object of a class.

    What a function from outside returns is not known, nor what an object of such a class holds.
    """
    if step != CALL:
        yield Thing("elsewhere", "", f"{thing.name}.{step}")
    elif thing.name.rpartition(".")[2][:1].isupper():
        yield Thing("stranger", "", thing.name)


@once
def receivers_of(project: Project) -> Receivers:
    """Return what the receivers of a project are; the evidence is indexed once."""
    return Receivers(project, project.files)
