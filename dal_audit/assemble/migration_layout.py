"""From a project's files to its migration sets: what of them is read, and which are audited."""

from __future__ import annotations

from dal_audit.assemble.sql_files import SqlFiles
from dal_audit.assemble.zones import MIGRATION_MARKER
from dal_audit.discover.files import ProjectFiles, is_script
from dal_audit.discover.projects import ProjectScope
from dal_audit.extract.cache import Cache
from dal_audit.facts import SourceFile
from dal_audit.migrations.folders import may_be_module
from dal_audit.migrations.model import MigrationLayout, Sources


def layout_of(
    scope: ProjectScope, tree: ProjectFiles, cache: Cache | None = None, *, jobs: int | None = None
) -> MigrationLayout:
    """Find the migration sets, from the paths of all files and what a few of them say."""
    policy = scope.policy
    homes = [folder.path for folder in policy.migrations or ()]
    homes += [path.rpartition("/")[0] for path in tree.markers if path.endswith(MIGRATION_MARKER)]
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

    known = {file.path: file for file in tree.scripts}
    paths = [path for path in scope.listed if not is_script(path)] + [*known]
    needed = wanted(paths, homes)
    scripts = [known[path] for path in needed.scripts if path in known]
    revisions = [modules[path] for path in needed.modules if path in modules]
    sources = Sources(
        tuple(paths),
        marks_of_files(scripts, cache),
        revisions_of_files(revisions, cache, jobs=jobs),
        settings_of_files(policy.root, needed.settings),
    )
    return find_sets(sources, policy.migrations or (), policy.version_table)


def audited_scripts(known: SqlFiles, tree: ProjectFiles, scope: ProjectScope) -> list[SourceFile]:
    """Return the SQL files to audit: those of migrations, and those whose paths were given."""
    given = frozenset(scope.requested)
    return [file for file in tree.scripts if file.path in given or known.is_migration(file.path)]
