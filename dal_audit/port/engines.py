"""Which engines a project speaks to, by what it imports and names."""

from __future__ import annotations

from collections.abc import Iterator

from dal_audit.assemble.project import Project
from dal_audit.catalogue.backend_names import backends_named
from dal_audit.catalogue.drivers import Driver
from dal_audit.catalogue.engine_words import engine_of
from dal_audit.facts import ConnectionUrl, DynamicImport, FileFacts, Import, Span


def engine_spoken(driver: Driver | None) -> str:
    """Return the one engine that a driver speaks to; empty for none, and for several."""
    return "" if driver is None else engine_of(driver.dialect) or driver.dialect


def imported(file: FileFacts) -> Iterator[tuple[str, Span]]:
    """Yield the dotted names that a file imports, each with its place."""
    for fact in file.facts:
        if isinstance(fact, Import):
            yield from ((target.name, target.span) for target in fact.targets)
        elif isinstance(fact, DynamicImport):
            yield from ((name, fact.span) for name in fact.names)


def part_engine(name: str, driver: Driver) -> str:
    """Return the engine that a part of a toolkit is named after: `sqlalchemy.dialects.mysql`."""
    own = max((module for module in driver.modules if name.startswith(module)), key=len, default="")
    for component in name.removeprefix(own).split("."):
        named = backends_named(component)
        if len(named) == 1:
            return next(iter(named))
    return ""


def engines_today(project: Project) -> tuple[str, ...]:
    """Return the engines that a project speaks to, by their catalogue names, sorted.

    Told by the drivers it imports, its connection URLs and the sets of its migrations.
    """
    found = {
        engine
        for file in project.files
        for name, _ in imported(file)
        if (engine := engine_spoken(project.driver_of(name, file.path)))
    }
    found |= {
        engine
        for file in project.files
        for fact in file.facts
        if isinstance(fact, ConnectionUrl)
        for engine in backends_named(fact.scheme)
    }
    found |= {engine for own in project.layout.sets for engine in own.engines()}
    return tuple(sorted(found))
