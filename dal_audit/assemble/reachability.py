"""Follow: what names lead to is read, round by round, until nothing new is found."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import lru_cache, partial
from typing import Final

from msgspec import Struct

from dal_audit.assemble.class_hierarchy import hierarchy_of
from dal_audit.assemble.import_index import ImportIndex, import_index_of
from dal_audit.assemble.module_names import ModuleNames
from dal_audit.assemble.project import Project
from dal_audit.assemble.sql_functions import importable_sql_functions
from dal_audit.assemble.symbols import SymbolId
from dal_audit.extract.cache import Cache
from dal_audit.extract.extractor import ExtractionOptions, options_for
from dal_audit.extract.frontier import Frontier, extract_deep
from dal_audit.facts import OWN_MODULE, FileFacts, ModuleExports, SourceFile

_READ_AHEAD: Final = frozenset({"import", "alias", "class"})
"""How names are made that nearly always carry what their origins carry."""


class Leads(Struct, frozen=True):
    """What is followed: names that carry something, files that are read anyway, functions.

    `functions` are those of storage that hand SQL on.
    """

    names: frozenset[SymbolId] = frozenset()
    files: frozenset[str] = frozenset()
    functions: frozenset[SymbolId] = frozenset()

    def __bool__(self) -> bool:
        """Return whether there is anything to follow."""
        return bool(self.names or self.files or self.functions)

    def __or__(self, other: Leads) -> Leads:
        """Return both together."""
        return Leads(
            self.names | other.names, self.files | other.files, self.functions | other.functions
        )

    def __and__(self, other: Leads) -> Leads:
        """Return what both have."""
        return Leads(
            self.names & other.names, self.files & other.files, self.functions & other.functions
        )

    def __sub__(self, other: Leads) -> Leads:
        """Return what the other has not."""
        return Leads(
            self.names - other.names, self.files - other.files, self.functions - other.functions
        )


NOTHING: Final = Leads()


def leads_of(project: Project) -> Leads:
    """Return what there is to follow, by all that was read so far."""
    hierarchy = hierarchy_of(project)
    return Leads(
        project.tainted_names() | hierarchy.tainted_names(),
        project.always_read | hierarchy.storage_base_files,
        importable_sql_functions(project),
    )


def follow_carriers(
    project: Project,
    files: Sequence[SourceFile],
    cache: Cache,
    *,
    jobs: int | None,
    shortcuts: bool,
    followed: Leads = NOTHING,
) -> Project:
    """Read, round by round, what the tainted names reach: those of drivers' objects and backends.

    Each round links the project and looks for the files that can import what was found; it ends
    when no further name is tainted. Files that can hand SQL to a function of storage are read, too.
    `files` are the project's first; what the others say stays as it is. What was `followed` before
    is not followed again.
    """
    others = project.files[len(files) :]
    options = _options_of(files, project, cache, shortcuts=shortcuts)
    reader = _Reader(files, import_index_of(project), options, jobs, cache)
    while new := leads_of(project) - followed:
        followed |= new
        known = project.files[: len(files)]
        facts = reader.read_on(project, known, new)
        if all(found is before for found, before in zip(facts, known, strict=True)):
            return project
        project = project.with_files([*facts, *others])
    return project


def follow_again(
    project: Project,
    files: Sequence[SourceFile],
    edited: AbstractSet[str],
    cache: Cache,
    *,
    shortcuts: bool,
    followed: Leads,
) -> Project:
    """Read on in a project in which some files have another text, which was not read whole yet.

    They are led to by all that there is to follow, the others by what was not `followed` before.
    """
    of_edited = [file for file in files if file.path in edited]
    options = _options_of(files, project, cache, shortcuts=shortcuts)
    caught_up = NOTHING
    while new := leads_of(project) - caught_up:
        caught_up |= new
        known = [file for file in project.files if file.path in edited]
        index = ImportIndex(known, project.names.absolute)
        facts = _Reader(of_edited, index, options, 1, cache).read_on(project, known, new)
        read = {file.path: file for file in facts}
        if all(found is before for found, before in zip(facts, known, strict=True)):
            break
        project = project.with_files([read.get(file.path, file) for file in project.files])
    # What is there no more would be new if it came back.
    return follow_carriers(
        project, files, cache, jobs=1, shortcuts=shortcuts, followed=followed & leads_of(project)
    )


def _options_of(
    files: Sequence[SourceFile], project: Project, cache: Cache, *, shortcuts: bool
) -> Callable[[], ExtractionOptions]:
    """Return what makes the options by which files are read, once it is asked."""
    roots = project.policy.source_roots
    asked = partial(options_for, files, project.catalogue, roots, shortcuts=shortcuts)
    return lru_cache(1)(partial(asked, foreign=cache.foreign))


class _Reader(Struct, frozen=True):
    """Reads files on where a round leads: these files, by what this index says of them."""

    files: Sequence[SourceFile]
    index: ImportIndex
    options: Callable[[], ExtractionOptions]
    jobs: int | None
    cache: Cache

    def read_on(
        self, project: Project, known: Sequence[FileFacts], new: Leads
    ) -> Sequence[FileFacts]:
        """Return what the files say of which these facts are known, read where `new` leads."""
        index = self.index
        due = new.files | index.importers_of(new.names)
        due |= index.matching(project.policy.driver_types)
        callers = _callers(new.functions, index)
        frontier = Frontier(new.names, due, index.may_import(new.names), callers)
        facts, ahead = known, set(new.names)
        while frontier.carried or facts is known:
            facts = extract_deep(
                self.files, facts, self.options, frontier, jobs=self.jobs, cache=self.cache
            )
            further = _handed_on(project, facts, frontier) - ahead
            ahead |= further
            frontier = Frontier(further, index.importers_of(further), frozenset())
        return facts


def _handed_on(
    project: Project, facts: Sequence[FileFacts], frontier: Frontier
) -> frozenset[SymbolId]:
    """Return under which names the files that a round led to offer what it carried.

    So a chain of imports and classes is read in one round, however long it is; what those names
    are is for the next to say, once the project is linked.
    """
    carried: dict[str, set[str]] = {}
    for module, name in frontier.carried:
        carried.setdefault(module, set()).add(name)
    return frozenset(
        (project.names.of(file.path), name)
        for file in facts
        if file.path in frontier.due
        for shape in file.facts
        if isinstance(shape, ModuleExports)
        for name in _offered(shape, file.path, carried, project.names)
    )


def _offered(
    shape: ModuleExports, path: str, carried: Mapping[str, AbstractSet[str]], names: ModuleNames
) -> Iterator[str]:
    """Yield the names by which a module offers what others carry to it."""
    found: set[str] = set()
    for export in shape.exports if carried else ():
        for origin in export.origins if export.made in _READ_AHEAD else ():
            own = origin.removeprefix(OWN_MODULE)
            module, _, name = names.absolute(origin, path).rpartition(".")
            if name in carried.get(module, ()) or (own != origin and own in found):
                found.add(export.name)
    yield from found
    for star in shape.stars if carried else ():
        yield from carried.get(names.absolute(star, path), ())


def _callers(functions: frozenset[SymbolId], index: ImportIndex) -> frozenset[str]:
    """Return the files that can call some functions."""
    return index.importers_of(functions) | index.may_import(functions) if functions else frozenset()
