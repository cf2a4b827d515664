"""What an import in one file takes of a driver, by way of other modules of the project."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet

from msgspec import Struct

from dal_audit.assemble.driver_objects import DriverSource
from dal_audit.assemble.driver_sources import DriverSources
from dal_audit.assemble.memo import file_query, query
from dal_audit.assemble.project import IMPORTS, Project
from dal_audit.facts import DynamicImport, Import, Reference, Span, Target


class DriverFlow(Struct, frozen=True):
    """A driver's object that reaches a file: where it is named, what it is, where it is used.

    `name` and the `uses` are as the file spells them; `others` are what else it can be, where
    branches bind objects of several drivers.
    """

    span: Span
    name: str
    source: DriverSource
    uses: tuple[tuple[str, Reference], ...]
    others: tuple[DriverSource, ...] = ()


def driver_flows(fact: Import, path: str, project: Project) -> Iterator[DriverFlow]:
    """Yield what an import statement takes of drivers that it does not name itself.

    A name that is imported is one; so is an attribute of a module that is imported
    (`from app import storage`, then `storage.sqlite3.connect`), once for each object.
    """
    drivers = project.driver_names
    for target in fact.targets:
        name = drivers.names.absolute(target.name, path)
        # What DAL101 reports is not reported once more.
        if drivers.is_foreign(name) or drivers.driver_of(name, path) is not None:
            continue
        if target.name.endswith("*"):
            yield from _by_star(fact, target, path, project)
        else:
            yield from _by_name(fact, target, path, project)


def _by_name(fact: Import, target: Target, path: str, project: Project) -> Iterator[DriverFlow]:
    """Yield what an imported name is, or what is reached from it."""
    name = project.absolute(target.name, path)
    sources = [
        source
        for source in project.driver_sources.resolve_all(name, path)
        if not project.allows_driver_type(source.driver, path)
    ]
    if sources:
        first, *others = sources
        uses = _spelled(fact, target, target.uses)
        yield DriverFlow(target.span, target.bound or target.name, first, uses, (*others,))
    elif project.may_mean_driver(name) or project.driver_sources.leads_on(name):
        bound = 1 if fact.binds_top(target) else name.count(".") + 1
        yield from _through_module(fact, target, bound, path, project)


def _by_star(fact: Import, target: Target, path: str, project: Project) -> Iterator[DriverFlow]:
    """Yield what a star brings that the file uses, or hands on, once for each driver."""
    found: dict[str, tuple[str, DriverSource, list[Reference]]] = {}
    for name, taken in _handed_on(target, path, project):
        found.setdefault(taken.driver.name, (name, taken, []))
    for use in target.uses:
        source = project.driver_sources.resolve(use.name, path)
        if source is not None and not project.allows_driver_type(source.driver, path):
            name = use.name.rpartition(".")[2]
            found.setdefault(source.driver.name, (name, source, []))[2].append(use)
    for name, source, uses in found.values():
        yield DriverFlow(target.span, name, source, _spelled(fact, target, uses))


def _handed_on(target: Target, path: str, project: Project) -> Iterator[tuple[str, DriverSource]]:
    """Yield what a star brings that other files take from this one."""
    module = project.module_name(path)
    star = project.absolute(target.name, path).removesuffix("*")
    for name in sorted(_taken(project).get(module, ())):
        source = project.driver_sources.resolve(f"{star}{name}", path)
        if source is not None and not project.allows_driver_type(source.driver, path):
            yield name, source


@file_query(of=(IMPORTS,), depends_on=(Project.names,))
def _taken_by(
    path: str, imports: Sequence[Import | DynamicImport], project: Project
) -> frozenset[str]:
    """Return what a file's statements import by name, as absolute names."""
    targets = (target for fact in imports if isinstance(fact, Import) for target in fact.targets)
    return frozenset(project.absolute(target.name, path) for target in targets)


@query(depends_on=(_taken_by,))
def _taken(project: Project) -> Mapping[str, AbstractSet[str]]:
    """Return which names of each module other modules import."""
    found: dict[str, set[str]] = {}
    for names in _taken_by(project).values():
        for name in names:
            module, _, last = name.rpartition(".")
            found.setdefault(module, set()).add(last)
    return found


def _through_module(
    fact: Import, target: Target, bound: int, path: str, project: Project
) -> Iterator[DriverFlow]:
    """Yield what is reached from a module; `bound` components of its name are what is imported."""
    found: dict[str, tuple[Reference, DriverSource, list[Reference]]] = {}
    names, sources = project.names, project.driver_sources
    # What a class names and a file catches is reported where it is caught (DAL104).
    is_class = sources.is_class(names.absolute(target.name, path))
    for use in target.uses:
        if is_class and use.role == "except":
            continue
        source = _reached(names.absolute(use.name, path), bound, path, sources)
        if source is not None and not project.allows_driver_type(source.driver, path):
            found.setdefault(source.driver.name, (use, source, []))[2].append(use)
    for first, source, uses in found.values():
        others = _spelled(fact, target, uses[1:])
        yield DriverFlow(first.span, fact.written(target, first), source, others)


def _spelled(
    fact: Import, target: Target, uses: Iterable[Reference]
) -> tuple[tuple[str, Reference], ...]:
    """Return the uses of what is imported, each as the file spells it."""
    return tuple((fact.written(target, use), use) for use in uses)


def _reached(name: str, bound: int, path: str, sources: DriverSources) -> DriverSource | None:
    """Return the driver's object that a dotted name means or leads through (`db.engine.begin`)."""
    whole = sources.resolve(name, path)
    if whole is not None:
        return whole
    parts = name.split(".")
    for count in range(bound + 1, len(parts)):
        source = sources.resolve(".".join(parts[:count]), path)
        if source is not None:
            return source
    return None
