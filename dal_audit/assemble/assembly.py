"""The stage: what all files say and what is configured become a project that can be judged."""

from __future__ import annotations

import os
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Final

from msgspec import Struct
from msgspec.structs import replace

from dal_audit.assemble.access_evidence import follow_accesses
from dal_audit.assemble.accessor_owners import accessors_of
from dal_audit.assemble.blind_spots import listed
from dal_audit.assemble.migration_layout import audited_scripts, layout_of
from dal_audit.assemble.named_scripts import scripts_named
from dal_audit.assemble.project import Project
from dal_audit.assemble.reachability import Leads, follow_again, follow_carriers, leads_of
from dal_audit.assemble.sql_files import SqlFiles
from dal_audit.catalogue.drivers import Catalogue
from dal_audit.catalogue.rulebook import ALWAYS, Rule
from dal_audit.discover.ci_listing import anchor_of
from dal_audit.discover.files import ProjectFiles
from dal_audit.discover.projects import ProjectScope
from dal_audit.extract.cache import Cache
from dal_audit.extract.sql_scripts import check_decodable, extract_scripts
from dal_audit.facts import FileFacts, SourceFile
from dal_audit.facts.ci import CiFiles
from dal_audit.facts.ci_files import is_ci_configuration
from dal_audit.policy import Policy
from dal_audit.policy.request import Request

if TYPE_CHECKING:
    from dal_audit.migrations.model import MigrationLayout
    from dal_audit.migrations.released import ReleasedChange


_EMBEDDED: Final = frozenset({"SqlStatement", "SqlFileName"})
"""The facts of SQL in code, by name: their records are loaded only where there is SQL."""


class Audited(Struct, frozen=True):
    """A project with all facts that its rules ask for.

    `scripts` are the paths of its SQL files, `unknown` sentences on what could not be found out.
    """

    project: Project
    scripts: frozenset[str]
    unknown: tuple[str, ...]
    linked: Project
    """The project as it is before its accesses are inspected: an edit goes on from here."""
    words: frozenset[str]
    """Which accesses there is evidence of."""
    others: tuple[FileFacts, ...]
    """The facts of the files of other languages than Python."""
    reads_sql: bool
    """Whether a rule asks what SQL says."""
    followed: Leads
    """What was followed through the files."""


def assemble(
    scope: ProjectScope,
    tree: ProjectFiles,
    catalogue: Catalogue,
    facts: Sequence[FileFacts],
    rules: Sequence[Rule],
    cache: Cache,
    request: Request,
) -> Audited:
    """Link the files of a project, and read on where names and migrations lead."""
    policy, jobs, shortcuts = scope.policy, request.jobs, request.shortcuts
    layout = layout_of(scope, tree, cache, jobs=jobs)
    scripts = audited_scripts(SqlFiles(policy, layout), tree, scope)
    edited, unknown = released_since(layout, policy.root, rules, request.since)
    ci = ci_of(tree, policy, rules, cache, request)
    sources = [file.path for file in (*tree.files, *tree.rust, *scripts)]
    read = [*sources, *(file.path for file in ci.audited)]
    project = Project(
        policy,
        catalogue,
        facts,
        tree.modules,
        tree.markers,
        layout=layout,
        listed=scope.listed,
        nested=scope.nested,
        empty=scope.empty_folders(read),
        # An editor sends what it shows, whatever that is.
        unread=() if request.instead else scope.unread(read),
        path_prefix=prefix_of(policy.root, request.folder),
        edited=edited,
        ci=ci,
        jobs=jobs,
    )
    linked = follow_carriers(project, tree.files, cache, jobs=jobs, shortcuts=shortcuts)
    followed, words = leads_of(linked), accessors_of(linked)
    reads_sql = _asks_for_sql(rules)
    inspected = _inspected(linked, tree, cache, request, reads_sql=reads_sql)
    scripts = [*scripts, *_named_by_code(inspected, tree, scripts)]
    others = (*scripts_facts(scripts, rules, cache, jobs=jobs), *ci.audited)
    missing = (f"nothing wrong in {listed(paths)}: {why}" for why, paths in tree.absent.items())
    return Audited(
        inspected.with_files([*inspected.files, *others]),
        frozenset(file.path for file in scripts),
        (*unknown, *missing),
        linked,
        words,
        others,
        reads_sql,
        followed,
    )


def reassemble(
    before: Audited,
    tree: ProjectFiles,
    edited: Sequence[FileFacts],
    cache: Cache,
    request: Request,
) -> Audited:
    """Return what a project is once some of its Python files say something else.

    What was read closely stays read so, although nothing may lead there any more: it says no more
    of other files than that they cannot be read.
    """
    facts = {file.path: file for file in edited}
    known = before.project.files[: len(tree.files)]
    project = before.project.with_files(
        [facts.get(file.path, file) for file in before.project.files]
    )
    project = follow_again(
        project,
        tree.files,
        facts.keys(),
        cache,
        shortcuts=request.shortcuts,
        followed=before.followed,
    )
    now = project.files[: len(tree.files)]
    linked = before.linked.with_files(
        [
            plain if new is old else new
            for new, old, plain in zip(now, known, before.linked.files, strict=True)
        ]
    )
    followed, words = leads_of(project), accessors_of(project)
    cache.inquiry.keep_names(followed.names)
    if tree.rust or words != before.words:
        project = _inspected(linked, tree, cache, request, reads_sql=before.reads_sql)
        project = project.with_files([*project.files, *before.others])
    else:
        fresh = {new.path for new, old in zip(now, known, strict=True) if new is not old}
        project = _inspected_again(project, fresh, before, tree, cache, request)
    return replace(before, project=project, linked=linked, words=words, followed=followed)


def _inspected_again(
    project: Project,
    fresh: AbstractSet[str],
    before: Audited,
    tree: ProjectFiles,
    cache: Cache,
    request: Request,
) -> Project:
    """Return a project with what the accesses in some files show.

    In all others the same accesses were asked for before.
    """
    project = follow_accesses(
        project, tree.files, cache, jobs=1, shortcuts=request.shortcuts, fresh=fresh
    )
    if not before.reads_sql:
        return project
    plain = project.with_files(
        [_without_sql(file) if file.facts else file for file in project.files]
    )
    found = embedded_sql(plain, tree.files, cache, request)
    python = kept_files(project.files, found.files[: len(tree.files)])
    return project.with_files([*python, *project.files[len(tree.files) :]])


def _without_sql(file: FileFacts) -> FileFacts:
    """Return a file's facts without the SQL that was read in its code."""
    facts = tuple(fact for fact in file.facts if type(fact).__name__ not in _EMBEDDED)
    return file if len(facts) == len(file.facts) else replace(file, facts=facts)


def kept_files(before: Sequence[FileFacts], now: Sequence[FileFacts]) -> list[FileFacts]:
    """Return files as they are now; as they were before where they say the same.

    What is known of those (`memo`) needs no comparison then.
    """
    known = {file.path: file for file in before}
    return [known[file.path] if known.get(file.path) == file else file for file in now]


def _inspected(
    linked: Project, tree: ProjectFiles, cache: Cache, request: Request, *, reads_sql: bool
) -> Project:
    """Return a linked project with what its accesses show, and with the files of Rust.

    The SQL in its code is read, too, where a rule asks for it.
    """
    project = follow_accesses(
        linked, tree.files, cache, jobs=request.jobs, shortcuts=request.shortcuts
    )
    if reads_sql:
        project = embedded_sql(project, tree.files, cache, request)
    if not tree.rust:
        return project
    from dal_audit.assemble.rust.reading import with_rust  # only where there is Rust

    return with_rust(
        project,
        tree,
        cache,
        jobs=request.jobs,
        shortcuts=request.shortcuts,
        reads_sql=reads_sql,
    )


def embedded_sql(
    project: Project, files: Sequence[SourceFile], cache: Cache, request: Request
) -> Project:
    """Return a project with the SQL in its modules of storage, and in migrations in Python.

    Elsewhere SQL is a breach by itself, whatever it says.
    """
    of_sets = {path for found in project.layout.sets for path in found.paths()}
    paths = project.zones.storage_paths.union(path for path in of_sets if path.endswith(".py"))
    if paths.isdisjoint(file.path for file in files):
        return project
    from dal_audit.extract.embedded.reader import with_embedded_sql  # only where there is storage

    return project.with_files(
        with_embedded_sql(
            files,
            project.files,
            {path: project.layout.imports.get(path) for path in paths},
            project.catalogue,
            jobs=request.jobs,
            shortcuts=request.shortcuts,
            cache=cache,
        )
    )


def _named_by_code(
    project: Project, tree: ProjectFiles, known: Sequence[SourceFile]
) -> list[SourceFile]:
    """Return the SQL files that code of storage names and that are not audited anyway."""
    audited = {file.path for file in known}
    others = {file.path: file for file in tree.scripts if file.path not in audited}
    return [others[path] for path in scripts_named(project, others)]


def _asks_for_sql(rules: Sequence[Rule]) -> bool:
    return any("sql" in rule.languages for rule in rules if rule.name not in ALWAYS)


def ci_of(
    tree: ProjectFiles, policy: Policy, rules: Sequence[Rule], cache: Cache, request: Request
) -> CiFiles:
    """Return what tells how the project is tested; nothing where nobody asks for it."""
    if not request.tests and not any("ci" in rule.languages for rule in rules):
        return CiFiles()
    if not tree.ci and any(map(is_ci_configuration, chain(*tree.absent.values()))):
        return CiFiles()  # There is some, and nobody could read it.
    if not tree.ci:
        return CiFiles(anchor=anchor_of(policy.root), is_known=True)
    from dal_audit.assemble.workflows.files import read_ci  # only where there is a CI system

    return read_ci(tree, policy, cache)


def scripts_facts(
    scripts: Sequence[SourceFile], rules: Sequence[Rule], cache: Cache, *, jobs: int | None
) -> list[FileFacts]:
    """Return the facts of SQL files; only whether they can be read, where no rule asks for more."""
    if _asks_for_sql(rules):
        return extract_scripts(scripts, jobs=jobs, cache=cache)
    return check_decodable(scripts)


def released_since(
    layout: MigrationLayout, root: Path, rules: Sequence[Rule], revision: str | None
) -> tuple[tuple[ReleasedChange, ...], tuple[str, ...]]:
    """Return what became of released migrations, and what is to be said if that is not known."""
    if not layout.sets:
        return (), ()
    from dal_audit.migrations.released import edited_migrations  # only where there are migrations

    return edited_migrations(layout, root, rules, revision)


def prefix_of(root: Path, folder: Path) -> str:
    """Return what leads to a root from the current folder; nothing where it leads out of it."""
    relative = Path(os.path.relpath(root, folder)).as_posix()
    return "" if relative == "." or relative.startswith("..") else f"{relative}/"
