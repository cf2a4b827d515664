"""Import closures: what files come to through import statements, their own and others'.

Whatever a name in a file stands for lies in a file that these lead to. Most is led to by few names:
a file that imports a package may come to all modules in it.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Final, TypeAlias

from dal_audit.assemble.class_hierarchy import hierarchy_of
from dal_audit.assemble.import_texts import imported_names
from dal_audit.assemble.module_names import longest_module
from dal_audit.assemble.project import Project

_SOURCE: Final = re.compile(r"from[\s\\]*(\.|\w+)")
"""The first name of the module that something is imported from, or the dot before it."""

_Node: TypeAlias = "str | tuple[str]"
"""A file by its path, or all that lies in a module by the module's name, as a tuple of it alone."""


class ImportClosure:
    """What some files come to."""

    def __init__(
        self,
        project: Project,
        starts: Iterable[str],
        goals: Mapping[str, AbstractSet[str]],
        further: Mapping[str, Sequence[str]],
    ) -> None:
        """Follow the imports of files; `goals` are sets of files by their names.

        `further` are the dotted names that files import beside what their statements tell.
        """
        self._bits = {name: 1 << number for number, name in enumerate(goals)}
        marks: defaultdict[_Node, int] = defaultdict(int)
        for name, paths in goals.items():
            for path in paths:
                marks[path] |= self._bits[name]
        self._reached = _spread(_importers(_Imports(project, further), starts), marks)

    def reaches(self, path: str, name: str) -> bool:
        """Return whether one of the files, or one that it comes to, comes to the goal of a name."""
        return bool(self._reached.get(path, 0) & self._bits.get(name, 0))


class _Imports:
    """Where each file's imports lead, and what the classes of storage in it inherit."""

    def __init__(self, project: Project, further: Mapping[str, Sequence[str]]) -> None:
        self._names = project.names
        self._statements = {file.path: file.importing for file in project.files}
        self._further = further
        self._tops = self._names.tops
        self._inside: defaultdict[str, list[_Node]] = defaultdict(list)
        for module in self._names.packages:
            self._inside[module.rpartition(".")[0]].append((module,))
        self._stated: dict[tuple[str, str], frozenset[_Node]] = {}
        self._inherited: defaultdict[str, set[_Node]] = defaultdict(set)
        hierarchy = hierarchy_of(project)
        for found in hierarchy.classes.values():
            if hierarchy.zones.in_storage(found.path):
                bases = hierarchy.ancestors(found)
                self._inherited[found.path].update(base.path for base in bases)

    def of(self, node: _Node) -> Iterable[_Node]:
        """Return what a file leads to, or what lies in a module."""
        if isinstance(node, tuple):
            return [self._names.packages[node[0]], *self._inside.get(node[0], ())]
        found = set(self._inherited.get(node, ()))
        found.update(self._meant(name, node) for name in self._further.get(node, ()))
        for statement in self._statements.get(node) or ():
            found |= self._told(statement, node)
        found.discard("")
        return found

    def _told(self, statement: str, path: str) -> frozenset[_Node]:
        """Return where a statement leads; a relative one means the same in all of a folder."""
        source = _SOURCE.match(statement)
        is_relative = source is not None and source[1].startswith(".")
        key = statement, path.rpartition("/")[0] if is_relative else ""
        found = self._stated.get(key)
        if found is None:
            is_foreign = source is not None and not is_relative and source[1] not in self._tops
            names = () if is_foreign else imported_names(statement)
            found = self._stated[key] = frozenset(self._meant(name, path) for name in names)
        return found

    def _meant(self, name: str, path: str) -> _Node:
        """Return what a name leads to in a file; an empty path where that is nothing here."""
        packages = self._names.packages
        module, rest = longest_module(self._names.absolute(name, path), packages)
        return packages.get(module, "") if rest not in {"", "*"} or not module else (module,)


def _importers(imports: _Imports, starts: Iterable[str]) -> Mapping[_Node, list[_Node]]:
    """Return all that some files lead to, each with what leads to it at once."""
    importers: dict[_Node, list[_Node]] = {start: [] for start in starts}
    waiting = list(importers)
    while waiting:
        node = waiting.pop()
        for found in imports.of(node):
            known = importers.get(found)
            if known is None:
                importers[found] = [node]
                waiting.append(found)
            else:
                known.append(node)
    return importers


def _spread(
    importers: Mapping[_Node, list[_Node]], marks: Mapping[_Node, int]
) -> Mapping[_Node, int]:
    """Return the marks of all that each node leads to, its own among them."""
    reached = {node: marks[node] for node in importers if node in marks}
    waiting = list(reached)
    while waiting:
        node = waiting.pop()
        found = reached[node]
        for importer in importers[node]:
            known = reached.get(importer, 0)
            if known | found != known:
                reached[importer] = known | found
                waiting.append(importer)
    return reached
