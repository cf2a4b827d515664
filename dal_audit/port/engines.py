"""Which engines a project speaks to, by what it imports and names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from dal_audit.assemble.project import Project
from dal_audit.catalogue.backend_names import backends_named
from dal_audit.catalogue.drivers import RUST, Driver
from dal_audit.catalogue.engine_words import engine_of
from dal_audit.facts import ConnectionUrl, DynamicImport, FileFacts, Import, Span

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


def part_engine(name: str, driver: Driver) -> str:
    """Return the engine that a part of a toolkit is named after; empty for one that speaks to all.

    `sqlalchemy.dialects.mysql` is one, and so is sqlx's `PgPool`.
    """
    own = max((module for module in driver.modules if name.startswith(module)), key=len, default="")
    for component in name.removeprefix(own).split("."):
        named = backends_named(_HUMP.sub("_", component))
        if len(named) == 1:
            return next(iter(named))
    return ""


def spelled(name: str) -> str:
    """Return a dotted name as its language spells it."""
    return name.removeprefix(RUST).replace(".", "::") if name.startswith(RUST) else name


def engines_today(project: Project) -> tuple[str, ...]:
    """Return the engines that a project speaks to, by their catalogue names, sorted.

    Told by the drivers and parts of toolkits that it imports, its connection URLs and the sets of
    its migrations.
    """
    found = {
        engine_spoken(driver) or part_engine(name, driver)
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
    return tuple(sorted(found - {""}))
