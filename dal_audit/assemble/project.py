"""Assemble: the facts of all files and the policy make a project, which answers for itself.

Here are what a project is given, what is worked out of that for everybody, and the doors to it;
what only some checks ask is a query beside its answer.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Final

from msgspec import Struct, field
from msgspec.structs import replace

from dal_audit.assemble.driver_names import OWN_TYPES, DriverNames
from dal_audit.assemble.driver_sources import DriverSources
from dal_audit.assemble.memo import FactsInput, FilesInput, Input, Memo, file_query, query
from dal_audit.assemble.module_names import NOTHING_GIVEN, ModuleNames, is_named
from dal_audit.assemble.sql_files import SqlFiles, made_by
from dal_audit.assemble.storage_places import hangs_on_imports, storage_in
from dal_audit.assemble.symbols import Module, SymbolId, SymbolTable, module_of
from dal_audit.assemble.zones import Zones
from dal_audit.catalogue.drivers import Catalogue, Driver
from dal_audit.catalogue.object_kinds import Kinds
from dal_audit.facts import (
    ClassDefinition,
    ConnectionUrl,
    DynamicImport,
    FileFacts,
    Import,
    ModuleExports,
    NameMentions,
    NotUnderstood,
    Place,
    Span,
    ValueFacts,
)
from dal_audit.facts.ci import CiFiles
from dal_audit.facts.sql import SqlStatement
from dal_audit.migrations.model import MigrationLayout
from dal_audit.policy import Policy, compile_globs

if TYPE_CHECKING:
    from dal_audit.migrations.released import ReleasedChange

POLICY: Final = Input("policy", attrgetter("policy"))
CATALOGUE: Final = Input("catalogue", attrgetter("catalogue"))
PATHS: Final = Input(
    "paths", lambda project: (project.modules, project.markers, project.given_names)
)
"""Which Python files and marker files there are, audited or not."""
LAYOUT: Final = Input("layout", attrgetter("layout"))
AUDITED: Final = FilesInput("audited", attrgetter("path"))
"""The paths of the files whose facts are there, in their order."""
IMPORTING: Final = FilesInput("importing", attrgetter("importing"))
"""The texts of all import statements, by file."""
IMPORTS: Final = FactsInput("imports", Import, DynamicImport)
EXPORTS: Final = FactsInput("exports", ModuleExports)
CLASSES: Final = FactsInput("classes", ClassDefinition)
MENTIONS: Final = FactsInput("mentions", NameMentions)
VALUES: Final = FactsInput("values", ValueFacts)
URLS: Final = FactsInput("urls", ConnectionUrl)
CI: Final = Input("ci", attrgetter("ci"))
"""What tells how the project is tested."""
STATEMENTS: Final = FactsInput("statements", SqlStatement, NotUnderstood)


@query(depends_on=(PATHS, POLICY))
def _names(project: Project) -> ModuleNames:
    roots = project.policy.source_roots
    return ModuleNames(project.modules, project.markers, roots, project.given_names)


@query(depends_on=(CATALOGUE, POLICY, _names))
def _driver_names(project: Project) -> DriverNames:
    return DriverNames(project.catalogue, project.names, project.policy.driver_types)


@file_query(of=(IMPORTS,), depends_on=(_driver_names,))
def _is_driver_importer(
    path: str, imports: Sequence[Import | DynamicImport], project: Project
) -> bool:
    """Return whether a file imports a driver."""
    drivers = project.driver_names
    return any(
        drivers.driver_of(name, path) is not None
        for fact in imports
        for name in (
            fact.names
            if isinstance(fact, DynamicImport)
            else (target.name for target in fact.targets)
        )
    )


@query(depends_on=(_is_driver_importer,), cuts_off=True)
def _driver_importers(project: Project) -> tuple[str, ...]:
    """Return the files that import a driver, in the files' order."""
    return tuple(path for path, is_so in _is_driver_importer(project).items() if is_so)


@query(depends_on=(POLICY, AUDITED, IMPORTING, _names, _driver_importers), cuts_off=True)
def _storage(project: Project) -> tuple[str, ...]:
    """Return the path globs of the storage packages, configured or found."""
    if project.policy.storage is not None:
        return tuple(project.policy.storage)
    return storage_in(_driver_importers(project), project.files, project.names)


@query(depends_on=(POLICY, PATHS, _storage))
def _zones(project: Project) -> Zones:
    return Zones(project.policy, project.modules, project.markers, _storage(project))


@file_query(of=(EXPORTS,), depends_on=(_names, _driver_names))
def _modules(path: str, shapes: Sequence[ModuleExports], project: Project) -> Mapping[str, Module]:
    """Return the modules that a file holds, by their names within it; what was read last counts."""
    last = {shape.inner: shape for shape in shapes}
    return {
        inner: module_of(path, shape, project.names, project.driver_names)
        for inner, shape in last.items()
    }


@query(depends_on=(_modules, _names))
def _symbols(project: Project) -> SymbolTable:
    modules = [module for of in _modules(project).values() for module in of.values()]
    return SymbolTable(modules, project.names.absolute)


@query(depends_on=(CATALOGUE,))
def _kinds(project: Project) -> Kinds:
    return Kinds(project.catalogue)


@query(depends_on=(_symbols, _driver_names, _kinds))
def _driver_sources(project: Project) -> DriverSources:
    return DriverSources(project.symbols, project.driver_names, _kinds(project))


@query(depends_on=(IMPORTS, _driver_importers, _zones, _driver_sources), cuts_off=True)
def _driver_backed_storage(project: Project) -> frozenset[str]:
    """Return the storage files that import a driver's object, from it or from wherever it is."""
    found = project.zones.storage_paths.intersection(_driver_importers(project))
    others = project.zones.storage_paths - found
    sources = project.driver_sources
    return found.union(
        file.path
        for file in project.files
        if file.path in others
        for fact in file.facts
        if isinstance(fact, Import)
        if any(sources.resolve(target.name, file.path) for target in fact.targets)
    )


@query(depends_on=(POLICY, PATHS, _names, _zones), cuts_off=True)
def _always_read(project: Project) -> frozenset[str]:
    """Return the files whose classes are read whatever they import: storage and the interfaces."""
    globs = [name.partition(":")[0] for name in project.policy.interfaces or ()]
    named = [
        path
        for path in project.modules
        for glob in globs
        if is_named(project.module_name(path), glob)
    ]
    return project.zones.storage_paths.union(named)


@file_query(of=(STATEMENTS,))
def _made_by_file(
    _path: str, statements: Sequence[SqlStatement | NotUnderstood], _project: Project
) -> frozenset[str]:
    """Return what a file of SQL makes that is called like a function."""
    return made_by(fact for fact in statements if isinstance(fact, SqlStatement))


@query(depends_on=(STATEMENTS,), cuts_off=True)
def _embeds_sql(project: Project) -> bool:
    return any(
        isinstance(fact, SqlStatement) and fact.within is not None and not fact.within.is_unread
        for file in project.files
        for fact in file.facts
    )


@query(depends_on=(POLICY, LAYOUT, _made_by_file))
def _sql_files(project: Project) -> SqlFiles:
    return SqlFiles(project.policy, project.layout, _made_by_file(project))


class Project(Struct, frozen=True, eq=False, weakref=True):
    """A project's facts and policy; every path in it is POSIX and relative to its root."""

    policy: Policy
    catalogue: Catalogue
    files: Sequence[FileFacts]
    modules: frozenset[str]
    """The paths of all Python files of the project, audited or not."""
    markers: frozenset[str] = frozenset()
    listed: Collection[str] = ()
    """The paths of all files in the project's folder that git knows of, whatever they are."""
    nested: tuple[str, ...] = ()
    """The folders of other projects below the root."""
    empty: tuple[str, ...] = ()
    """The folders that were asked for and hold nothing to audit."""
    unread: tuple[str, ...] = ()
    """The files that were asked for and are not audited."""
    layout: MigrationLayout = field(default_factory=MigrationLayout)
    """The migration sets."""
    edited: tuple[ReleasedChange, ...] = ()
    """The migrations that are not what was released, as far as git tells."""
    given_names: Mapping[str, str] = NOTHING_GIVEN
    """The modules' names that their language gives by rules of its own, by the files' paths."""
    path_prefix: str = ""
    """What leads from the current folder to the root, ending in a slash; messages use it."""
    ci: CiFiles = field(default_factory=CiFiles)
    """What tells how the project is tested."""
    jobs: int | None = 1
    """How many processes may work at what it is asked; None for as many as there are cores."""
    memo: Memo = field(default_factory=Memo)
    """What is known of this project, and of it before its last edit."""

    names = _names
    """The names of the project's modules."""
    driver_names = _driver_names
    """Whose a dotted name is."""
    zones = _zones
    """Where storage and migrations are, and who may name a backend."""
    symbols = _symbols
    """The symbol table."""
    driver_sources = _driver_sources
    """Which names are drivers' objects, and by which way."""
    driver_backed_storage = _driver_backed_storage
    always_read = _always_read
    sql_files = _sql_files
    """Which SQL files are migrations, and which backends run them."""

    def with_files(self, files: Sequence[FileFacts]) -> Project:
        """Return the project with other facts of its files.

        What does not depend on those that are new is not worked out again.
        """
        return replace(self, files=files)

    def with_policy(self, policy: Policy) -> Project:
        """Return the project under another policy, to be asked beside this one."""
        return replace(self, policy=policy, memo=Memo())

    # Drivers

    def driver_of(self, name: str, path: str) -> Driver | None:
        """Return the driver that an absolute dotted name means in a file, if it means one."""
        return self.driver_names.driver_of(name, path)

    def own_driver_type(self, name: str) -> Driver | None:
        """Return what stands for the project where a name is one of its `driver-types`."""
        return self.driver_names.own_driver_type(name)

    def may_mean_driver(self, name: str) -> bool:
        """Return whether an absolute name, or a longer one, may be a driver's by itself."""
        return self.driver_names.may_mean_driver(name)

    def is_foreign(self, name: str) -> bool:
        """Return whether an absolute name lies outside the project and all drivers."""
        return self.driver_names.is_foreign(name)

    def is_import_helper(self, name: str, path: str) -> bool:
        """Return whether a function that is called in a file is one of the import helpers."""
        return self.absolute(name, path) in self.catalogue.import_helpers

    def allows_driver_type(self, driver: Driver, path: str) -> bool:
        """Return whether a file may name a driver's types: composition roots the project's own."""
        return driver is OWN_TYPES and self.in_composition_root(path)

    def tainted_names(self) -> frozenset[SymbolId]:
        """Return each module and name by which a driver's object can be imported."""
        return self.driver_sources.tainted_names() | self.driver_names.own_types()

    @property
    def imports_driver(self) -> bool:
        """Whether a file imports a driver, or the project calls types of its own a driver's."""
        return bool(_driver_importers(self) or self.policy.driver_types)

    @property
    def hangs_on_imports(self) -> bool:
        """Whether more hangs on who imports what than where drivers' objects come to."""
        is_guessed = self.policy.storage is None
        return bool(self.policy.driver_types) or (
            is_guessed and hangs_on_imports(_driver_importers(self), self.files)
        )

    @property
    def modules_on_demand(self) -> tuple[str, ...]:
        """The storage modules that make names on demand (PEP 562), of which nothing is known."""
        return tuple(
            sorted(
                module.path
                for of_file in _modules(self).values()
                for module in of_file.values()
                if module.shape.is_dynamic and self.in_storage(module.path)
            )
        )

    # Zones

    @property
    def storage(self) -> tuple[str, ...]:
        """The path globs of the storage packages, configured or found."""
        return self.zones.storage

    @property
    def storage_description(self) -> str:
        """The storage packages, as a message names them."""
        return self.zones.storage_description(self.path_prefix)

    def in_storage(self, path: str) -> bool:
        """Return whether a file lies in the storage package, where drivers may appear."""
        return self.zones.in_storage(path)

    def in_migrations(self, path: str) -> bool:
        """Return whether a file lies among the migrations."""
        return self.zones.in_migrations(path)

    def in_composition_root(self, path: str) -> bool:
        """Return whether a file may name concrete backends."""
        return self.zones.in_composition_root(path)

    @property
    def has_sql(self) -> bool:
        """Whether there are migrations, or other files of SQL."""
        is_laid_out = bool(self.layout.sets or self.layout.unrecognised)
        others = self.modules | {file.path for file in self.ci.audited}
        return is_laid_out or any(file.path not in others for file in self.files) or self.embeds_sql

    embeds_sql = _embeds_sql
    """Whether code of the project holds SQL that is judged."""

    # Modules

    def module_name(self, path: str) -> str:
        """Return the dotted name of a file's module, from the innermost source root above it."""
        return self.names.of(path)

    def has_module(self, glob: str) -> bool:
        """Return whether a dotted glob names a module of the project.

        Where source roots are not configured, the name may also count from a folder below them.
        """
        return any(is_named(name, glob) for name in map(self.module_name, self.modules))

    def absolute(self, name: str, path: str) -> str:
        """Return a dotted name as an absolute one, as a file means it."""
        return self.names.absolute(name, path)

    def matches_file(self, glob: str, *, anchored: bool) -> bool:
        """Return whether a configured glob matches a file of the project, audited or not."""
        return any(map(compile_globs([glob], anchored=anchored), self.listed or self.modules))

    # What is said of it

    @property
    def assumptions(self) -> tuple[str, ...]:
        """What is assumed where nothing is configured, a line each."""
        return tuple(self._assumptions())

    def _assumptions(self) -> Iterator[str]:
        yield from self.zones.assumptions()
        for glob in self.policy.composition_roots or ():
            if not self.matches_file(glob, anchored=True):
                yield f"no composition root by `{glob}`, which matches no file"
        if self.policy.migrations is None:
            yield from self.sql_files.assumptions()
        yield from self._assumed_backends()
        if self.modules_on_demand:
            yield f"nothing of what `__getattr__` hands out: {', '.join(self.modules_on_demand)}"
        if self.ci.foreign:
            yield f"nothing of what these files have run: {', '.join(self.ci.foreign)}"
        if self.policy.source_roots is None and self.names.importable:
            yield f"source roots: {', '.join(root or '.' for root in self.names.source_roots)}"

    def _assumed_backends(self) -> Iterator[str]:
        """Yield which backends, and which versions of them, are taken to run the SQL."""
        if not self.has_sql and not self.ci.files:
            return
        if self.policy.key_place_of(("backends",)) is None:
            yield f"backends: {self._backends}"
        elif self.has_sql and self.policy.key_place_of(("backend-versions",)) is None:
            yield f"backend versions: {self._backends}"

    @property
    def _backends(self) -> str:
        """The backends that SQL must run on, each with its oldest version."""
        return ", ".join(
            f"{backend} {'.'.join(map(str, self.policy.version_of(backend)))}"
            for backend in self.policy.backends
        )

    def place_of(self, key: tuple[str | int, ...]) -> Place:
        """Return the place of a configured value; the project's root where there is none."""
        span = self.policy.place_of(key) if key else None
        return Place(self.configuration or ".", span or Span(1, 1, 1, 1))

    @property
    def configuration(self) -> str:
        """The path of the configuration file, relative to the root; empty where there is none."""
        if self.policy.file is None:
            return ""
        return Path(os.path.relpath(self.policy.file, self.policy.root)).as_posix()
