"""The survey: an audit's facts, asked what holds a project to the engines that it has."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from dal_audit.assemble.blind_spots import blind_spots
from dal_audit.assemble.crossings import crossings
from dal_audit.assemble.engine_modules import backends_for
from dal_audit.assemble.module_names import longest_module
from dal_audit.assemble.project import Project
from dal_audit.audit import Reading, projects_of, read_project
from dal_audit.catalogue.engine_names import Engine
from dal_audit.catalogue.rulebook import rules
from dal_audit.discover.projects import ProjectScope
from dal_audit.extract.embedded.unknown_sql import unknown_sql
from dal_audit.facts import START, Place
from dal_audit.facts.sql import SqlStatement
from dal_audit.judge.run import RUST_FILE
from dal_audit.policy import Policy
from dal_audit.policy.model import DEFAULT_BACKENDS
from dal_audit.policy.request import Request
from dal_audit.port.drivers import driver_holds, leaks
from dal_audit.port.engines import engines_today, imported
from dal_audit.port.model import KIND_TITLES, Hold, Remark, Survey, title_of
from dal_audit.port.projection import modules_apart, projected, scripts_of_others
from dal_audit.port.questions import questions
from dal_audit.port.sql import judged_sql, unread_placeholders
from dal_audit.port.surroundings import ci_gaps, ci_holds, set_holds

_SPECIAL: Final = re.compile(r"[\[*?{]")
_ORDER: Final = list(KIND_TITLES)


def surveys(request: Request, target: Engine) -> list[Survey]:
    """Return what stands between each project that is asked for and an engine.

    What was accepted (suppressions, waivers, the baseline, rules that are off) counts: a port meets
    it all the same. Raises as `audit` does.
    """
    return [_survey(scope, request, target) for scope in projects_of(request).scopes]


def _survey(scope: ProjectScope, request: Request, target: Engine) -> Survey:
    asked = replace(request, select=None, ignore=(), extend_select=(), tests=True)
    policy = _unaccepting(scope.policy)
    reading = read_project(replace(scope, policy=policy), asked)
    wide = read_project(replace(scope, policy=_widened(policy, reading.audited.project)), asked)
    project, running = reading.audited.project, wide.audited.project
    seen = projected(running, target)

    today = engines_today(project)
    holds, gaps = judged_sql(seen, target, today)
    apart = modules_apart(running, target)
    holds += unread_placeholders(running, target, apart)
    holds += driver_holds(project, target, apart)
    holds += set_holds(project, target)
    holds += ci_holds(project, target)
    gaps += _unread(wide, target, apart)
    gaps += ci_gaps(project, target)
    judged = list(_judged(seen, target))
    if not judged and not today:
        gaps.insert(0, Remark("no driver, no SQL and no migration was found: nothing was judged"))
    survey = Survey(
        "",
        target,
        ".".join(map(str, policy.version_of(target))),
        today,
        tuple(sorted(holds, key=_order)),
        tuple(gaps),
        questions(running, target, today, holds),
        len(judged),
        len(set(judged)),
    )
    return _moved(survey, scope.policy.root, request.folder)


def _unaccepting(policy: Policy) -> Policy:
    """Return a policy under which all rules run, for every engine that is known in full."""
    return replace(
        policy,
        select=None,
        ignore=(),
        extend_select=(),
        severity=(),
        per_file_ignores=(),
        backends=DEFAULT_BACKENDS,
    )


def _widened(policy: Policy, project: Project) -> Policy:
    """Return a policy whose storage is all that holds drivers or SQL, so that all SQL is read."""
    read = {file.path for file in project.files}
    found = sorted({breach.place.path for _, breach in leaks(project)} & read)
    return replace(policy, storage=(*project.storage, *map(_literal, found)))


def _literal(path: str) -> str:
    """Return the glob that matches one path."""
    return _SPECIAL.sub(lambda char: f"[{char[0]}]", path)


def _judged(project: Project, target: Engine) -> Iterator[str]:
    """Yield the file of each statement that was judged for an engine."""
    for file in project.files:
        for fact in file.facts:
            if isinstance(fact, SqlStatement) and target in backends_for(fact, file.path, project):
                yield file.path


def _order(hold: Hold) -> tuple[object, ...]:
    return (_ORDER.index(hold.kind), hold.place, hold.message)


# What was not read


def _unread(reading: Reading, target: Engine, apart: AbstractSet[str]) -> Iterator[Remark]:
    project, tree = reading.audited.project, reading.tree
    unknown = unknown_sql(tree.files, project.zones.storage_paths - apart, reading.catalogue)
    places = [
        Place(path, call.span)
        for path, calls in sorted(unknown.items())
        for call in calls
        if not _is_read(call.origins, path, project)
    ]
    if places:
        yield Remark("what these calls run is put together elsewhere", tuple(places))
    read = {file.path for file in project.files}
    scripts = tuple(Place(file.path, START) for file in tree.scripts if file.path not in read)
    if scripts:
        yield Remark(
            "files of SQL that are in no set, and that no code names, are not read", scripts
        )
    yield from _of_other_engines(project, target, apart)
    yield from _of_rust(project)
    said = [
        *blind_spots(project, rules(), tree.templates, tree.absent),
        *crossings(project, (), project.policy.root),
    ]
    for spot in said:
        # That there is no interface, or no order, is nothing that a port waits for.
        if spot.scope in {"sql", "python", "rust", "ci"} or not spot.is_total:
            yield Remark(spot.reason)


def _is_read(origins: Sequence[str], path: str, project: Project) -> bool:
    """Return whether a text comes from modules of the project whose SQL is read where it stands."""
    names = project.names
    modules = [longest_module(names.absolute(name, path), names.files)[0] for name in origins]
    return bool(modules) and all(
        module and project.in_storage(names.files[module]) for module in modules
    )


def _of_other_engines(
    project: Project, target: Engine, apart: AbstractSet[str]
) -> Iterator[Remark]:
    """Yield which files of SQL are for other engines by their names, and have none beside them."""
    paths = sorted(scripts_of_others(project, target) - apart)
    if paths:
        yield Remark(
            f"files of SQL that are for other engines were not judged for {title_of(target)}",
            tuple(Place(path, START) for path in paths),
        )


def _of_rust(project: Project) -> Iterator[Remark]:
    """Yield which files of Rust reach a driver: SQL that they put together is not listed."""
    rust = [file for file in project.files if file.path.endswith(RUST_FILE)]
    places = tuple(
        Place(file.path, START)
        for file in rust
        if any(project.driver_of(name, file.path) for name, _ in imported(file))
    )
    if places:
        is_read = any(isinstance(fact, SqlStatement) for file in rust for fact in file.facts)
        what = "SQL that is no literal" if is_read else "SQL"
        yield Remark(f"{what} is not read in these files of Rust", places)


# Paths


def _moved(survey: Survey, root: Path, folder: Path) -> Survey:
    """Return a survey with paths relative to the current folder."""
    name = Path(os.path.relpath(root, folder)).as_posix()

    def move(place: Place) -> Place:
        return Place(os.path.normpath(f"{name}/{place.path}"), place.span)

    def moved(remark: Remark) -> Remark:
        return replace(remark, places=tuple(map(move, remark.places)))

    return replace(
        survey,
        project=name,
        holds=tuple(replace(hold, place=move(hold.place)) for hold in survey.holds),
        gaps=tuple(map(moved, survey.gaps)),
        questions=tuple(map(moved, survey.questions)),
    )
