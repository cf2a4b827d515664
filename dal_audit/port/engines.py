"""Which engines a project speaks to, by what it imports and names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from dal_audit.assemble.import_texts import imported_names
from dal_audit.assemble.project import Project
from dal_audit.catalogue.backend_names import backends_named
from dal_audit.catalogue.drivers import RUST, Driver
from dal_audit.catalogue.engine_words import engine_of
from dal_audit.facts import ConnectionUrl, DynamicImport, FileFacts, Import, Span
from dal_audit.facts.ci import DeclaredBackend

_HUMP: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
"""Where a word begins in a name such as `PgPool`."""


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


def named_part(name: str) -> tuple[str, str]:
    """Return the engine that a component of a dotted name is called after, and the name up to it.

    `sqlalchemy.dialects.mysql` has such a component, and so has sqlx's `PgPool`. Both are empty
    where there is none, or where one speaks of several.
    """
    components = name.split(".")
    for count, component in enumerate(components, 1):
        named = backends_named(_HUMP.sub("_", component))
        if len(named) == 1:
            return next(iter(named)), ".".join(components[:count])
    return "", ""


def foreign_parts(file: FileFacts, project: Project) -> dict[str, str]:
    """Return what a file imports that is called after an engine, with that engine.

    It is neither the project's own nor in the catalogue of drivers: `testing.postgresql`.
    """
    found = {}
    for statement in file.importing or ():
        for name in imported_names(statement):
            engine, part = named_part(name)
            is_own = name.startswith(".") or project.names.is_local(name, file.path)
            if engine and not is_own and project.driver_of(name, file.path) is None:
                found[part] = engine
    return found


def spelled(name: str) -> str:
    """Return a dotted name as its language spells it."""
    return name.removeprefix(RUST).replace(".", "::") if name.startswith(RUST) else name


def engines_today(project: Project) -> tuple[str, ...]:
    """Return the engines that a project speaks to, by their catalogue names, sorted.

    Told by the drivers and parts of toolkits that it imports, its connection URLs, and the sets of
    its migrations; where none of these tells, by what its manifests and settings declare.
    """
    found = {
        engine_spoken(driver) or named_part(name)[0]
        for file in project.files
        for name, _ in imported(file)
        if (driver := project.driver_of(name, file.path)) is not None
    }
    found |= {
        engine
        for file in project.files
        for fact in file.facts
        if isinstance(fact, ConnectionUrl)
        for engine in backends_named(fact.scheme)
    }
    found |= {engine for own in project.layout.sets for engine in own.engines()}
    found |= {engine for file in project.files for engine in foreign_parts(file, project).values()}
    return tuple(sorted(found - {""} or _declared(project)))


def _declared(project: Project) -> set[str]:
    """Return the engines that manifests and settings declare, whether or not code speaks to them.

    A library that is tested with many drivers declares them all.
    """
    return {
        fact.backend
        for file in project.ci.files
        for fact in file.facts
        if isinstance(fact, DeclaredBackend)
    }
