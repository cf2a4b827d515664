"""What in storage works with a driver: files, and the functions and classes in them.

A file that imports a driver can hold other things as well: records, plug-ins, compressors. A
definition works with a driver where its text mentions what is a driver's, or a definition that
does; what a text does not mention, it does not use.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from typing import TypeAlias

from msgspec import Struct

from dal_audit.assemble.memo import query
from dal_audit.assemble.module_names import longest_module
from dal_audit.assemble.project import IMPORTS, MENTIONS, POLICY, Project
from dal_audit.facts import DynamicImport, FileFacts, Import, NameMentions

Definition: TypeAlias = tuple[str, str]
"""The path of a file and a name of its outermost block; all of the file where it is empty."""


class DriverBacking(Struct, frozen=True):
    """The storage files that reach a driver, and what in them does.

    Of a file that is not in `told` nothing finer is known: all in it may.
    """

    files: frozenset[str] = frozenset()
    told: frozenset[str] = frozenset()
    definitions: frozenset[Definition] = frozenset()

    def reaches(self, path: str, name: str) -> bool:
        """Return whether what a file defines by a name, dotted or not, may work with a driver."""
        if path not in self.told:
            return path in self.files
        return (path, name.partition(".")[0]) in self.definitions


@query(
    depends_on=(
        POLICY,
        IMPORTS,
        MENTIONS,
        Project.symbols,
        Project.names,
        Project.zones,
        Project.driver_sources,
        Project.driver_backed_storage,
    )
)
def driver_backing_of(project: Project) -> DriverBacking:
    """Return what works with a driver; nothing where the interfaces are configured.

    Then nobody asks which classes of storage are some.
    """
    if project.policy.interfaces is not None:
        return DriverBacking()
    files = _reaching_files(project)
    told = {
        file.path: fact.definitions
        for file in project.files
        if file.path in files
        for fact in file.facts
        if isinstance(fact, NameMentions)
    }
    links = _Links(project, files, frozenset(told))
    for file in project.files:
        if file.path in told:
            links.add(file, told[file.path])
    return DriverBacking(files, frozenset(told), links.reached())


def _reaching_files(project: Project) -> frozenset[str]:
    """Return the storage files that import a driver's object, or another one of these files."""
    importers: dict[str, set[str]] = {}
    for module in project.symbols.modules.values():
        origins = {origin for found in module.reexports.values() for origin in found}
        for origin in origins if project.in_storage(module.path) else ():
            owner, _ = longest_module(origin, project.names.files)
            if owner:
                importers.setdefault(project.names.files[owner], set()).add(module.path)
    waiting = list(project.driver_backed_storage)
    found: set[str] = set()
    while waiting:
        path = waiting.pop()
        if path not in found:
            found.add(path)
            waiting += importers.get(path, ())
    return frozenset(found)


class _Links:
    """Which definitions mention which, and those that mention a driver."""

    def __init__(self, project: Project, files: AbstractSet[str], told: AbstractSet[str]) -> None:
        self.project = project
        self.files = files
        self.told = told
        self.mentioned_by: dict[Definition, list[Definition]] = {}
        self.found: set[Definition] = set()

    def add(self, file: FileFacts, definitions: tuple[tuple[str, tuple[str, ...]], ...]) -> None:
        """Add the definitions of a file."""
        imported: dict[str, list[str]] = {}
        for fact in file.facts:
            for target in fact.targets if isinstance(fact, Import) else ():
                imported.setdefault(target.bound, []).append(target.name)
        # What a star or a load by name brings is nowhere mentioned.
        loads = any(isinstance(fact, DynamicImport) for fact in file.facts)
        takes_all = loads or any(self._is_driven(name, file.path) for name in imported.get("", ()))
        for name, mentioned in definitions:
            if takes_all:
                self.found.add((file.path, name))
            for word in mentioned:
                self._link((file.path, name), word, imported)

    def _link(self, user: Definition, word: str, imported: Mapping[str, list[str]]) -> None:
        path = user[0]
        if word not in imported:
            self.mentioned_by.setdefault((path, word), []).append(user)
        for name in imported.get(word, ()):
            for led in self._leads(name, path):
                self.mentioned_by.setdefault(led, []).append(user)
            if self._is_drivers(name, path):
                self.found.add(user)

    def _is_driven(self, name: str, path: str) -> bool:
        return self._is_drivers(name, path) or any(True for _ in self._leads(name, path))

    def _is_drivers(self, name: str, path: str) -> bool:
        return self.project.driver_sources.resolve(name, path) is not None

    def _leads(self, name: str, path: str) -> Iterator[Definition]:
        """Yield the definitions in storage files that reach a driver which a name leads to."""
        names = self.project.names
        for absolute in self.project.symbols.resolve(name, path):
            module, rest = longest_module(absolute, names.files)
            file = names.files[module] if module else ""
            if file in self.files:
                yield file, rest.partition(".")[0]

    def reached(self) -> frozenset[Definition]:
        """Return the definitions that mention a driver, or another one of these."""
        wholes = [led for led in self.mentioned_by if not led[1] or led[0] not in self.told]
        waiting = [*self.found, *(user for led in wholes for user in self.mentioned_by[led])]
        found: set[Definition] = set()
        while waiting:
            definition = waiting.pop()
            if definition not in found:
                found.add(definition)
                waiting += self.mentioned_by.get(definition, ())
        return frozenset(found)
