"""From a project's files to its migration sets: what of them is read, and which are audited."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec.structs import replace

from dal_audit.assemble.sql_files import SqlFiles
from dal_audit.assemble.zones import MIGRATION_MARKER
from dal_audit.discover.files import ProjectFiles, is_script
from dal_audit.discover.projects import ProjectScope
from dal_audit.extract.cache import Cache
from dal_audit.facts import SourceFile
from dal_audit.migrations.folders import may_be_module
from dal_audit.migrations.model import MigrationLayout, Sources
from dal_audit.policy import Policy


def layout_of(
    scope: ProjectScope, tree: ProjectFiles, cache: Cache | None = None, *, jobs: int | None = None
) -> MigrationLayout:
    """Find the migration sets, from the paths of all files and what a few of them say."""
    policy = scope.policy
    homes = _homes(policy, tree)
    modules = {file.path: file for file in tree.files if may_be_module(file.path, homes)}
    if not tree.scripts and not modules:
        return MigrationLayout()
    from dal_audit.extract.migrations.reader import (
        marks_of_files,
        revisions_of_files,
        settings_of_files,
    )
    from dal_audit.migrations.detect import find_sets
    from dal_audit.migrations.listing import wanted
    from dal_audit.migrations.tools import ALEMBIC

    scripts = {file.path: file for file in tree.scripts}
    paths = (*(path for path in scope.listed if not is_script(path)), *scripts)
    needed = wanted(paths, homes)
    sources = Sources(
        paths,
        marks_of_files(_known(scripts, needed.scripts), cache),
        revisions_of_files(
            _known(modules, needed.modules),
            {file.path: file for file in tree.files},
            cache,
            jobs=jobs,
        ),
        settings_of_files(policy.root, needed.settings, cache),
    )
    imports = {
        path: revision.imports
        for path, revision in sources.revisions.items()
        if revision.framework == ALEMBIC.name
    }
    found = find_sets(sources, policy.migrations or (), policy.version_table)
    around = {path.rpartition("/")[0] for path in sources.revisions}
    found = replace(found, imports=imports)
    if not around:
        return found
    from dal_audit.extract.migrations.library_needs import needs_around  # not for SQL alone

    needs = needs_around(around, policy.root, scope.listed, cache)
    return replace(found, needs=tuple(sorted(needs.items())))


def _homes(policy: Policy, tree: ProjectFiles) -> list[str]:
    """Return the folders that are known to hold migrations: configured ones, and Alembic's."""
    configured = [folder.path for folder in policy.migrations or ()]
    markers = [path for path in tree.markers if path.endswith(MIGRATION_MARKER)]
    return [*configured, *(path.rpartition("/")[0] for path in markers)]


def _known(files: Mapping[str, SourceFile], paths: Iterable[str]) -> list[SourceFile]:
    return [files[path] for path in paths if path in files]


def audited_scripts(known: SqlFiles, tree: ProjectFiles, scope: ProjectScope) -> list[SourceFile]:
    """Return the SQL files to audit: those of migrations, and those whose paths were given."""
    given = frozenset(scope.requested)
    return [file for file in tree.scripts if file.path in given or known.is_migration(file.path)]
