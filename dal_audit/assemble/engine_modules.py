"""Which engines run the SQL in a module of code.

A statement's own code tells first: the branch that it stands in, and the driver of what executes
it. A module is for one engine alone where the configuration says so, or its path names that engine,
or all SQL drivers that it imports are that engine's. Everything else is for all backends.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from msgspec import Struct

from dal_audit.assemble.memo import file_query, query
from dal_audit.assemble.named_scripts import FILE_NAMES, is_script, script_readers
from dal_audit.assemble.project import IMPORTS, LAYOUT, POLICY, STATEMENTS, Project
from dal_audit.catalogue.drivers import Driver
from dal_audit.catalogue.engine_words import engine_of, engines_in
from dal_audit.facts import DynamicImport, Import, NotUnderstood
from dal_audit.facts.sql import SqlFileName, SqlStatement
from dal_audit.policy import compile_globs

SHOWN: Final = 4
"""How many modules a line of assumptions names."""


def backends_for(statement: SqlStatement, path: str, project: Project) -> tuple[str, ...]:
    """Return the backends that run a statement of a file."""
    backends = _backends_of(path, project)
    within = statement.within
    if within is None:
        return backends
    if within.engines is not None:
        backends = tuple(backend for backend in backends if backend in within.engines)
    engine = _engine_of_drivers([project.driver_of(name, path) for name in within.receivers])
    return tuple(backend for backend in backends if backend == engine) if engine else backends


def _backends_of(path: str, project: Project) -> tuple[str, ...]:
    """Return the backends that run a file, of SQL or of code."""
    engine = engine_modules(project).get(path, "")
    if not engine:
        return project.sql_files.backends_of(path)
    return (engine,) if engine in dict(project.policy.backend_versions) else ()


class _Imports(Struct, frozen=True):
    """The engine of the drivers that a file imports; empty for none, and for several."""

    engine: str


@file_query(of=(IMPORTS,), depends_on=(Project.driver_names,))
def _engine_imported(
    path: str, imports: Sequence[Import | DynamicImport], project: Project
) -> _Imports:
    names = [
        name
        for fact in imports
        for name in (
            fact.names
            if isinstance(fact, DynamicImport)
            else (target.name for target in fact.targets)
        )
    ]
    return _Imports(_engine_of_drivers([project.driver_of(name, path) for name in names]))


@file_query(of=(STATEMENTS, FILE_NAMES))
def _embeds(
    _path: str, facts: Sequence[SqlStatement | SqlFileName | NotUnderstood], _project: Project
) -> bool:
    """Return whether a file is code with SQL in it, or with names of SQL files."""
    return any(
        isinstance(fact, SqlFileName)
        or (isinstance(fact, SqlStatement) and fact.within is not None)
        for fact in facts
    )


@query(depends_on=(POLICY, LAYOUT, _engine_imported, _embeds, script_readers, Project.sql_files))
def engine_modules(project: Project) -> Mapping[str, str]:
    """Return the engine of each module of code that is for one alone, by its path."""
    is_migration = project.sql_files.is_migration
    holders = [path for path, embeds in _embeds(project).items() if embeds]
    engine = _found(project) if project.policy.engine_modules is None else _configured(project)
    found = {path: engine(path) for path in holders if not is_migration(path)}
    for path, modules in script_readers(project).items():
        engines = {found.get(module, "") for module in modules}
        if len(engines) == 1 and not is_migration(path):
            found[path] = found.get(path) or engines.pop()
    return {path: engine for path, engine in found.items() if engine}


def _configured(project: Project) -> Callable[[str], str]:
    """Return what says which engine the configuration has for a module; empty for none."""
    engines = [
        (engine, compile_globs(globs, anchored=True))
        for engine, globs in project.policy.engine_modules or ()
    ]
    return lambda path: next((engine for engine, covers in engines if covers(path)), "")


def _found(project: Project) -> Callable[[str], str]:
    """Return what says which engine a module names, or imports the drivers of."""
    imported = _engine_imported(project)
    return lambda path: _named(path) or (imported[path].engine if path in imported else "")


def assumptions(project: Project) -> Iterator[str]:
    """Yield which modules are taken to be for one engine, where that is not configured."""
    if project.policy.engine_modules is not None:
        return
    shown = [
        f"{path} ({engine})"
        for path, engine in sorted(engine_modules(project).items())
        if not is_script(path)
    ]
    if len(shown) > SHOWN:
        shown[SHOWN:] = [f"{len(shown) - SHOWN} more"]
    if shown:
        yield f"SQL for one engine alone: {', '.join(shown)}"


def _named(path: str) -> str:
    """Return the one engine that a module's name, or that of the nearest folder, speaks of."""
    for component in reversed(path.removesuffix(".py").split("/")):
        named = engines_in(component)
        if named:
            return next(iter(named)) if len(named) == 1 else ""
    return ""


def _engine_of_drivers(drivers: Sequence[Driver | None]) -> str:
    """Return the engine that all of some drivers speak to; empty where one may speak to others.

    A store that runs a language of its own, and no SQL, is an engine by its driver's name.
    """
    known = [driver for driver in drivers if driver is not None]
    of_sql = [driver for driver in known if driver.kind != "store"]
    engines = {engine_of(driver.dialect) or driver.dialect for driver in of_sql}
    engines = engines or {driver.name for driver in known if driver.executes}
    return engines.pop() if len(engines) == 1 else ""
