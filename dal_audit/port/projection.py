"""A project seen from its next engine: its SQL as if the target ran it.

What the project runs on an engine of today alone (by the driver that executes it, by a branch, by
the name of its set) is run by the target, too, where nothing of the project is for the target
itself. Where something is, both stand side by side, and each is for its own engine.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from msgspec.structs import replace

from dal_audit.assemble.engine_modules import engine_modules
from dal_audit.assemble.project import Project
from dal_audit.catalogue.engine_names import Engine
from dal_audit.facts import FileFacts
from dal_audit.facts.sql import Embedding, SqlStatement
from dal_audit.migrations.model import MigrationLayout, MigrationSet
from dal_audit.port.engines import engine_spoken


def projected(project: Project, target: Engine) -> Project:
    """Return a project whose SQL the target runs, as far as it has none of its own for it."""
    files, layout, policy = project.files, project.layout, project.policy
    if not has_own_code(project, target):
        files = [replace(file, facts=_freed(file, project, target)) for file in files]
        policy = replace(policy, engine_modules=())
    if not has_own_sets(project, target):
        sets = tuple(_without_engines(own) for own in layout.sets)
        layout = MigrationLayout(sets, layout.unrecognised)
        if policy.migrations is not None:
            shared = tuple(replace(folder, backends=None) for folder in policy.migrations)
            policy = replace(policy, migrations=shared)
    return replace(project.with_policy(policy), files=files, layout=layout)


def has_own_sets(project: Project, target: Engine) -> bool:
    """Return whether a set of migrations is for the target by its name or by configuration."""
    configured = project.policy.migrations or ()
    is_told = any(target in (folder.backends or ()) for folder in configured)
    return is_told or any(target in own.engines() for own in project.layout.sets)


def has_own_code(project: Project, target: Engine) -> bool:
    """Return whether code runs SQL on the target alone: by its module, its driver, or a branch."""
    if target in engine_modules(project).values():
        return True
    return any(
        _is_for(within, file.path, project, target)
        for file in project.files
        for within in embeddings(file)
    )


def modules_apart(project: Project, target: Engine) -> frozenset[str]:
    """Return the modules that are for other engines, and have their like for the target beside.

    They are those of code, the migrations in sets of their own, and other files of SQL by their
    names. Whether each has its like there is for people to say.
    """
    found: frozenset[str] = frozenset()
    if has_own_code(project, target):
        modules = engine_modules(project).items()
        found = frozenset(path for path, engine in modules if engine != target)
    if has_own_sets(project, target):
        found = found.union(*(own.paths() for own in sets_of_others(project, target)))
    scripts = _loose_scripts(project)
    if (target,) in scripts.values():
        found |= scripts_of_others(project, target)
    return found


def scripts_of_others(project: Project, target: Engine) -> frozenset[str]:
    """Return the files of SQL in no set that are for other engines by their names."""
    scripts = _loose_scripts(project).items()
    return frozenset(path for path, engines in scripts if target not in engines)


def _loose_scripts(project: Project) -> Mapping[str, tuple[str, ...]]:
    """Return the files of SQL that are in no set, each with the backends that run it."""
    of_sets = project.layout.by_path()
    return {
        file.path: project.sql_files.backends_of(file.path)
        for file in project.files
        if file.path.endswith(".sql") and file.path not in of_sets
    }


def sets_of_others(project: Project, target: Engine) -> Iterator[MigrationSet]:
    """Yield the sets of migrations that are for other engines than a target alone."""
    for own in project.layout.sets:
        if own.engines() and target not in own.engines():
            yield own


def embeddings(file: FileFacts) -> Iterator[Embedding]:
    """Yield the code around each statement of a file that stands in code."""
    for fact in file.facts:
        if isinstance(fact, SqlStatement) and fact.within is not None:
            yield fact.within


def _is_for(within: Embedding, path: str, project: Project, target: Engine) -> bool:
    if within.engines is not None and target in within.engines:
        return True
    return target in receiving(within, path, project)


def receiving(within: Embedding, path: str, project: Project) -> frozenset[str]:
    """Return the engines of the drivers that execute a statement, as far as they are known."""
    drivers = (project.driver_of(name, path) for name in within.receivers)
    return frozenset(filter(None, map(engine_spoken, drivers)))


def _freed(file: FileFacts, project: Project, target: Engine) -> tuple[object, ...]:
    """Return a file's facts, with no statement that is for other engines alone."""
    return tuple(
        replace(fact, within=_open_to(fact.within, file.path, project, target))
        if isinstance(fact, SqlStatement) and fact.within is not None
        else fact
        for fact in file.facts
    )


def _open_to(within: Embedding, path: str, project: Project, target: Engine) -> Embedding:
    engines = within.engines
    if engines is not None and target not in engines:
        engines = (*engines, target)
    receivers = within.receivers
    if receiving(within, path, project) - {target}:
        receivers = ()
    return replace(within, engines=engines, receivers=receivers)


def _without_engines(own: MigrationSet) -> MigrationSet:
    migrations = tuple(replace(migration, backends=None) for migration in own.migrations)
    return replace(own, backends=None, migrations=migrations)
