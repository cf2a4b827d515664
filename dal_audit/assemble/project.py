"""Assemble: the facts of all files and the policy make a project, which knows its zones."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from msgspec import Struct, field
from msgspec.structs import replace

from dal_audit.assemble.memo import linked
from dal_audit.assemble.module_names import ModuleNames, is_named
from dal_audit.assemble.sql_files import SqlFiles
from dal_audit.assemble.symbols import Module, Program, module_of
from dal_audit.catalogue.drivers import Catalogue, Driver
from dal_audit.facts import DynamicImport, FileFacts, Import, Place, Shape, Span
from dal_audit.migrations.model import MigrationLayout
from dal_audit.policy import Policy, compile_globs

if TYPE_CHECKING:
    from dal_audit.migrations.released import Edited

Result = TypeVar("Result")

STORAGE_NAMES = frozenset({"storage", "dal", "db", "database", "persistence", "repositories"})
"""What a storage package is called where none is configured."""

MIGRATION_MARKER = "script.py.mako"
"""Alembic's template: the folder that holds it is an Alembic environment."""

_DJANGO: Final = re.compile(r"((?:.*/)?migrations)/\d{4}_\w+\.py\Z")
"""What Django calls an app's migrations (django-admin, `makemigrations`)."""

OWN_TYPES = Driver("storage", ("storage",))
"""Stands for the project itself as the owner of its `driver-types`."""


STABLE: Final = frozenset(
    {
        "_driver_tops",
        "_importers",
        "_kept",
        "_in_composition_root",
        "_in_migrations",
        "_in_storage",
        "_migration_folders",
        "_migration_globs",
        "_storage_folders",
        "_storage_modules",
        "close",
        "names",
        "storage",
    }
)
"""What closer reading does not change: a first look finds all imports of drivers."""

LINKED: Final = frozenset({"driven_storage", "program"})
"""What changes only with the imports, shapes and classes of files."""


class Project(Struct, frozen=True, eq=False, dict=True):
    """A project's facts and zones; every path in it is POSIX and relative to its root."""

    policy: Policy
    catalogue: Catalogue
    files: Sequence[FileFacts]
    modules: frozenset[str]
    """The paths of all Python files of the project, audited or not."""
    markers: frozenset[str] = frozenset()
    empty: tuple[str, ...] = ()
    """The folders that were asked for and hold nothing to audit."""
    layout: MigrationLayout = field(default_factory=MigrationLayout)
    """The migration sets."""
    edited: tuple[Edited, ...] = ()
    """The migrations that are not what was released, as far as git tells."""
    prefix: str = ""
    """What leads from the current folder to the root, ending in a slash; messages use it."""

    def with_files(self, files: Sequence[FileFacts]) -> Project:
        """Return the project with more facts of its files.

        What its paths and the imports of drivers decide is known from the first look at the files.
        """
        new = self._with(files, STABLE)
        # What is linked points back to its project, and nobody collects such circles in time.
        for name in LINKED | linked():
            self.__dict__.pop(name, None)
        return new

    def with_more(self, files: Sequence[FileFacts]) -> Project:
        """Return the project with further facts that leave all imports, shapes and classes as is.

        What is linked stays so.
        """
        return self._with(files, STABLE | LINKED | linked())

    def _with(self, files: Sequence[FileFacts], stays: AbstractSet[str]) -> Project:
        new = replace(self, files=files)
        new.__dict__.update({name: self.__dict__[name] for name in stays & self.__dict__.keys()})
        return new

    @cached_property
    def assumptions(self) -> tuple[str, ...]:
        """What is assumed where nothing is configured, a line each."""
        return tuple(self._assumptions())

    @cached_property
    def program(self) -> Program:
        """The project's modules, linked."""
        found = self.each("program", self._modules_in, self.files)
        modules = (module for of_file in found for module in of_file)
        return Program(modules, self.catalogue, self._owner_of, self.names.absolute)

    def _modules_in(self, file: FileFacts) -> Sequence[Module]:
        return [
            module_of(file.path, fact, self.names, self._owner_of, self.is_foreign)
            for fact in file.facts
            if isinstance(fact, Shape)
        ]

    def each(
        self, purpose: str, work: Callable[[FileFacts], Result], files: Sequence[FileFacts]
    ) -> Iterator[Result]:
        """Yield what follows from the facts of each file that has any, in the files' order.

        It is kept for a purpose, and worked out again only where a file's facts changed.
        """
        known = self._kept.setdefault(purpose, {})
        for file in files:
            if file.facts:
                seen = known.get(file.path)
                if seen is None or seen[0] is not file:
                    seen = known[file.path] = file, work(file)
                yield seen[1]

    @cached_property
    def _kept(self) -> dict[str, dict[str, tuple[FileFacts, Any]]]:
        return {}

    def _owner_of(self, name: str, path: str) -> Driver | None:
        """Return the driver of a dotted name; the project's own driver types have one, too."""
        driver = self.catalogue.driver_of(name)
        if driver is not None and not self.names.is_local(name, path):
            return driver
        return self.own_driver_type(name) if self.policy.driver_types else None

    def own_driver_type(self, name: str) -> Driver | None:
        """Return what stands for the project where a name is one of its `driver-types`."""
        globs = self.policy.driver_types
        if not globs:
            return None
        parts = name.split(".")
        heads = [".".join(parts[:count]) for count in range(1, len(parts) + 1)]
        is_one = any(fnmatchcase(head, glob) for head in heads for glob in globs)
        return OWN_TYPES if is_one else None

    def may_name(self, driver: Driver, path: str) -> bool:
        """Return whether a file may name a driver's types: composition roots the project's own."""
        return driver is OWN_TYPES and self.in_composition_root(path)

    @cached_property
    def _in_composition_root(self) -> Callable[[str], bool]:
        return compile_globs(self.policy.composition_roots or (), anchored=True)

    def in_composition_root(self, path: str) -> bool:
        """Return whether a file may name concrete backends."""
        return self._in_composition_root(path)

    @cached_property
    def close(self) -> frozenset[str]:
        """The files whose classes are read whatever they import: storage and the interfaces."""
        modules = [one.partition(":")[0] for one in self.policy.interfaces or ()]
        named = [
            path
            for path in self.modules
            for glob in modules
            if is_named(self.module_name(path), glob)
        ]
        return self._in_storage.union(named)

    def carried(self) -> frozenset[tuple[str, str]]:
        """Return each module and name by which a driver's object can be imported."""
        own = {
            (glob.rpartition(".")[0], max(glob.rpartition(".")[2].split("*"), key=len))
            for glob in self.policy.driver_types
        }
        return frozenset(self.program.carried()) | own

    # Zones

    @cached_property
    def storage(self) -> tuple[str, ...]:
        """The path globs of the storage packages, configured or found."""
        if self.policy.storage is not None:
            return tuple(self.policy.storage)
        return tuple(f"{folder}/**" for folder in self._storage_folders) or self._storage_modules

    @cached_property
    def _in_storage(self) -> frozenset[str]:
        matches = compile_globs((*self.storage, *self._migration_globs), anchored=True)
        return frozenset(path for path in self.modules if matches(path))

    def in_storage(self, path: str) -> bool:
        """Return whether a file lies in the storage package, where drivers may appear."""
        return path in self._in_storage

    @cached_property
    def _in_migrations(self) -> Callable[[str], bool]:
        return compile_globs(self._migration_globs, anchored=True)

    @cached_property
    def _migration_globs(self) -> tuple[str, ...]:
        configured = tuple(one.path.rstrip("/") + "/**" for one in self.policy.migrations or ())
        if self.policy.storage is not None:
            return configured
        return (*configured, *(f"{one}/**" if one else "**" for one in self.migration_folders))

    def in_migrations(self, path: str) -> bool:
        """Return whether a file lies among the migrations."""
        return self._in_migrations(path)

    @cached_property
    def driven_storage(self) -> frozenset[str]:
        """The storage files that import a driver's object, from it or from wherever it is."""
        found = {path for path in self._importers if self.in_storage(path)}
        found.update(
            file.path
            for file in self.files
            if file.facts and file.path not in found and self.in_storage(file.path)
            for fact in file.facts
            if isinstance(fact, Import)
            if any(self.program.resolve(one.name, file.path) for one in fact.targets)
        )
        return frozenset(found)

    @cached_property
    def _importers(self) -> tuple[str, ...]:
        """The files that import a driver."""
        return tuple(
            file.path
            for file in self.files
            if any(self._is_driver_import(fact, file.path) for fact in file.facts)
        )

    def _is_driver_import(self, fact: object, path: str) -> bool:
        if isinstance(fact, Import):
            names: Iterable[str] = (target.name for target in fact.targets)
        elif isinstance(fact, DynamicImport):
            names = fact.names
        else:
            return False
        return any(self.driver_of(name, path) for name in names)

    @cached_property
    def _storage_folders(self) -> tuple[str, ...]:
        """Folders with a storage package's name below which a file imports a driver."""
        found: set[str] = set()
        for path in self._importers:
            parts = path.split("/")[:-1]
            for index, part in enumerate(parts):
                if part in STORAGE_NAMES:
                    found.add("/".join(parts[: index + 1]))
                    break
        return tuple(sorted(found))

    @cached_property
    def _storage_modules(self) -> tuple[str, ...]:
        """Single files with a storage package's name, where there is no such package."""
        return tuple(
            sorted(
                path
                for path in self._importers
                if path.rpartition("/")[2].rpartition(".")[0] in STORAGE_NAMES
            )
        )

    @cached_property
    def migration_folders(self) -> tuple[str, ...]:
        """The folders of Python migrations ("" is the root): Alembic environments, and Django's."""
        of_alembic = {
            path.rpartition("/")[0]
            for path in self.markers
            if path.rpartition("/")[2] == MIGRATION_MARKER
        }
        of_django = {found[1] for path in self.modules if (found := _DJANGO.match(path))}
        return tuple(sorted(of_alembic | of_django))

    @cached_property
    def sql_files(self) -> SqlFiles:
        """The project's SQL files: which are migrations, and which backends run them."""
        return SqlFiles(self.policy, self.layout, self.files)

    @property
    def has_sql(self) -> bool:
        """Whether there are migrations, or other files of SQL."""
        is_laid_out = bool(self.layout.sets or self.layout.unrecognised)
        return is_laid_out or any(file.path not in self.modules for file in self.files)

    # Modules

    @cached_property
    def names(self) -> ModuleNames:
        """The names of the project's modules."""
        return ModuleNames(self.modules, self.markers, self.policy.source_roots)

    @property
    def source_roots(self) -> tuple[str, ...]:
        """The folders that absolute imports resolve from, configured or found ("" is the root)."""
        return self.names.source_roots

    def driver_of(self, name: str, path: str) -> Driver | None:
        """Return the driver that an absolute dotted name means in a file, if it means one."""
        driver = self.catalogue.driver_of(name)
        if driver is None or self.names.is_local(name, path):
            return None
        return driver

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

    def is_foreign(self, name: str) -> bool:
        """Return whether an absolute name lies outside the project and all drivers."""
        top = name.partition(".")[0]
        return top not in self.names.tops and not self.may_mean_driver(name)

    def may_mean_driver(self, name: str) -> bool:
        """Return whether an absolute name, or a longer one, may be a driver's by itself."""
        return bool(self.policy.driver_types) or name.partition(".")[0] in self._driver_tops

    @cached_property
    def _driver_tops(self) -> frozenset[str]:
        """What the names of the drivers' modules begin with."""
        return frozenset(module.partition(".")[0] for module in self.catalogue.by_module)

    def is_import_helper(self, name: str, path: str) -> bool:
        """Return whether a function that is called in a file is one of the import helpers."""
        return self.absolute(name, path) in self.catalogue.import_helpers

    # What is assumed

    def _assumptions(self) -> Iterable[str]:
        if self.policy.storage is None:
            if self.storage:
                yield f"storage: {', '.join(one.removesuffix('/**') for one in self.storage)}"
            else:
                yield "storage: none found, so no file may import a driver"
            if self.migration_folders:
                yield f"migrations: {', '.join(one or '.' for one in self.migration_folders)}"
        if self.policy.migrations is None:
            yield from self.sql_files.assumptions()
        on_demand = sorted(
            file.path
            for file in self.files
            for fact in file.facts
            if isinstance(fact, Shape) and fact.is_dynamic and self.in_storage(file.path)
        )
        if on_demand:
            yield f"nothing of what `__getattr__` hands out: {', '.join(on_demand)}"
        if self.policy.source_roots is None:
            yield f"source roots: {', '.join(one or '.' for one in self.source_roots)}"

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

    @property
    def boundary(self) -> str:
        """The storage packages, as a message names them."""
        names = [glob.removesuffix("/**").removesuffix("/*") for glob in self.storage]
        if not names:
            return "the storage package"
        shown = " or ".join(f"`{self.prefix}{name}`" for name in names[:2])
        return f"{shown} or {len(names) - 2} more" if len(names) > 2 else shown  # noqa: PLR2004
