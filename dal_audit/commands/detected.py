"""What a project turns out to be: the values that `init` writes down and `config` shows as found.

All of it is read off an audited project.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from dal_audit.assemble.class_hierarchy import Class, Hierarchy, hierarchy_of
from dal_audit.assemble.project import Project
from dal_audit.assemble.storage_places import is_named_storage
from dal_audit.assemble.zones import MIGRATION_MARKER
from dal_audit.catalogue.drivers import RUST, Driver
from dal_audit.checks.concrete_backend import concrete_backend
from dal_audit.facts import Import
from dal_audit.migrations.tools import ALEMBIC, DJANGO
from dal_audit.policy import Backend, Migrations
from dal_audit.policy.model import DEFAULT_BACKENDS, ToolChoice

_TEST: Final = re.compile(r"(?:.*/)?(?:tests?/.*|test_[^/]*|[^/]*_test|conftest)\.pyi?")
"""Test files, by the names that pytest collects."""


class DetectedProject(Struct, frozen=True):
    """What was found in a project; paths are POSIX and relative to its root.

    `storage` are path globs, `interfaces` are written `module:Class`, and "." is the root.
    `drivers` are those that storage imports, `drivers_outside_storage` those that other files
    import, by file. `abstract` are all Protocols and ABCs in storage, `composition_roots` the files
    that name a concrete backend, tests left out, and `tests` the folders of tests that import a
    driver.
    """

    storage: tuple[str, ...]
    drivers: tuple[Driver, ...]
    drivers_outside_storage: Mapping[str, tuple[Driver, ...]]
    interfaces: tuple[str, ...]
    abstract: tuple[str, ...]
    source_roots: tuple[str, ...]
    migrations: tuple[Migrations, ...]
    composition_roots: tuple[str, ...]
    tests: tuple[str, ...]
    workflows: tuple[str, ...]
    storage_tests: tuple[str, ...] = ()
    is_storage_named: bool = True
    """Whether what is taken for storage has the name of it; else it is what implements access."""


def detect(project: Project) -> DetectedProject:
    """Return what was found in a project."""
    hierarchy = hierarchy_of(project)
    importing = dict(_imported(project))
    outside = {path: own for path, own in importing.items() if not project.in_storage(path)}
    drivers = {own.name: own for path in importing.keys() - outside for own in importing[path]}
    return DetectedProject(
        storage=project.storage,
        drivers=tuple(drivers[name] for name in sorted(drivers)),
        drivers_outside_storage=outside,
        interfaces=tuple(map(_spelled, hierarchy.interfaces)),
        abstract=tuple(map(_spelled, _abstract(hierarchy))),
        source_roots=tuple(root or "." for root in project.names.source_roots),
        migrations=tuple(_migrations(project)),
        composition_roots=tuple(sorted(set(_naming_backends(project)))),
        tests=tuple(sorted({path.partition("/")[0] for path in outside if _is_test(path)})),
        workflows=workflows_of(project),
        storage_tests=storage_tests_of(project),
        is_storage_named=all(map(is_named_storage, project.storage)),
    )


def _imported(project: Project) -> Iterator[tuple[str, tuple[Driver, ...]]]:
    """Yield each file that imports drivers, with these."""
    for file in project.files:
        own = {
            driver.name: driver
            for fact in file.facts
            if isinstance(fact, Import)
            for target in fact.targets
            if (driver := project.driver_of(target.name, file.path)) is not None
        }
        if own:
            yield file.path, tuple(own.values())


def _is_test(path: str) -> bool:
    return "/" in path and path.partition("/")[0] in {"test", "tests"}


def _abstract(hierarchy: Hierarchy) -> Iterator[Class]:
    for _, class_ in sorted(hierarchy.classes.items()):
        if hierarchy.zones.in_storage(class_.path) and hierarchy.is_interface(class_):
            yield class_


def _spelled(class_: Class) -> str:
    """Return a class as `interfaces` spells it."""
    module = class_.name.removesuffix(f".{class_.shape.name}").removeprefix(RUST)
    return f"{module}:{class_.shape.name}"


def _naming_backends(project: Project) -> Iterator[str]:
    """Yield the files that import a concrete backend, as DAL106 sees it, tests left out."""
    strict = project.with_policy(replace(project.policy, composition_roots=()))
    for file in strict.files:
        if _TEST.fullmatch(file.path):
            continue
        imports = (fact for fact in file.facts if isinstance(fact, Import))
        if any(True for fact in imports for _ in concrete_backend(fact, file, strict)):
            yield file.path


def _migrations(project: Project) -> Iterator[Migrations]:
    """Yield the folders of migrations, each once: of Python, of SQL, and those not understood."""
    found: dict[str, list[Migrations]] = {}
    for folder, tool, backends in _folders_with_tools(project):
        found.setdefault(folder, []).append(Migrations(folder or ".", tool, backends))
    for folder, several in sorted(found.items()):
        # Two tools in one folder are told apart by dal-audit, not by one word of configuration.
        yield several[0] if len(set(several)) == 1 else Migrations(folder or ".", "auto")


def _folders_with_tools(
    project: Project,
) -> Iterator[tuple[str, ToolChoice, tuple[Backend, ...] | None]]:
    """Yield each folder of migrations with its tool, and its backends where they are known."""
    for folder in project.zones.migration_folders:
        marker = f"{folder}/{MIGRATION_MARKER}".lstrip("/")
        yield folder, (ALEMBIC if marker in project.markers else DJANGO).name, None
    for migration_set in project.layout.sets:
        told = migration_set.backends or ()
        backends = tuple(name for name in DEFAULT_BACKENDS if name in told)
        yield migration_set.root, migration_set.tool, backends or None
    for unrecognised in project.layout.unrecognised:
        yield unrecognised.folder, "auto", None


def workflows_of(project: Project) -> tuple[str, ...]:
    """Return the CI workflows that run tests."""
    if not project.ci.files:
        return ()
    from dal_audit.assemble.workflows.coverage import coverage_of  # only where there is a CI system

    return tuple(sorted({leg.path for leg in coverage_of(project).all_legs}))


def storage_tests_of(project: Project) -> tuple[str, ...]:
    """Return the files of the storage tests; none where no CI runs tests."""
    if not project.ci.files:
        return ()
    from dal_audit.assemble.workflows.coverage import coverage_of

    return tuple(sorted(coverage_of(project).suites.storage))
