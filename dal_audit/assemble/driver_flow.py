"""What an import in one file takes of a driver, by way of other modules of the project."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from dal_audit.assemble.project import Project
from dal_audit.assemble.symbols import Origin
from dal_audit.facts import Import, Reference, Span, Target


class Leak(Struct, frozen=True):
    """A driver's object that reaches a file: where it is named, what it is, where it is used.

    `others` are what else it can be, where branches bind objects of several drivers.
    """

    span: Span
    name: str
    origin: Origin
    uses: tuple[Reference, ...]
    others: tuple[Origin, ...] = ()


def leaks(fact: Import, path: str, project: Project) -> Iterator[Leak]:
    """Yield what an import statement takes of drivers that it does not name itself.

    A name that is imported is one; so is an attribute of a module that is imported
    (`from app import storage`, then `storage.sqlite3.connect`), once for each object.
    """
    for target in fact.targets:
        name = project.absolute(target.name, path)
        if project.is_foreign(name):
            continue
        # What DAL101 reports is not reported once more.
        if project.driver_of(name, path) is not None:
            continue
        if target.name.endswith("*"):
            yield from _by_star(target, path, project)
            continue
        origins = [
            origin
            for origin in project.program.resolve_all(name, path)
            if not project.may_name(origin.driver, path)
        ]
        if origins:
            first, *others = origins
            bound = target.bound or target.name
            yield Leak(target.span, bound, first, target.uses, tuple(others))
        elif project.may_mean_driver(name) or project.program.leads_on(name):
            is_top = fact.module is None and target.bound == name.partition(".")[0]
            depth = 1 if is_top else name.count(".") + 1
            yield from _through_module(target, depth, path, project)


def _by_star(target: Target, path: str, project: Project) -> Iterator[Leak]:
    """Yield what a star brings that the file uses, once for each driver."""
    found: dict[str, tuple[str, Origin, list[Reference]]] = {}
    for use in target.uses:
        origin = project.program.resolve(use.name, path)
        if origin is not None and not project.may_name(origin.driver, path):
            name = use.name.rpartition(".")[2]
            found.setdefault(origin.driver.name, (name, origin, []))[2].append(use)
    for name, origin, uses in found.values():
        yield Leak(target.span, name, origin, tuple(uses))


def _through_module(target: Target, bound: int, path: str, project: Project) -> Iterator[Leak]:
    """Yield what is reached from a module; `bound` components of its name are what is imported."""
    found: dict[str, tuple[Reference, Origin, list[Reference]]] = {}
    for use in target.uses:
        origin = _reached(project.absolute(use.name, path), bound, path, project)
        if origin is not None and not project.may_name(origin.driver, path):
            found.setdefault(origin.driver.name, (use, origin, []))[2].append(use)
    for first, origin, uses in found.values():
        yield Leak(first.span, first.name, origin, tuple(uses[1:]))


def _reached(name: str, bound: int, path: str, project: Project) -> Origin | None:
    """Return the driver's object that a dotted name means or leads through (`db.engine.begin`)."""
    whole = project.program.resolve(name, path)
    if whole is not None:
        return whole
    parts = name.split(".")
    for count in range(bound + 1, len(parts)):
        origin = project.program.resolve(".".join(parts[:count]), path)
        if origin is not None:
            return origin
    return None
