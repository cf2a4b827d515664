"""Migration sets of files that are given as texts or as names, for the tests of all layouts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from dal_audit.extract.migrations.directives import migration_marks
from dal_audit.extract.migrations.python_revisions import revision_of
from dal_audit.extract.migrations.tool_settings import tool_settings
from dal_audit.migrations.detect import find_sets
from dal_audit.migrations.listing import wanted
from dal_audit.migrations.model import MigrationLayout, MigrationSet, Sources
from dal_audit.policy.model import Migrations

GOOSE = "-- +goose Up\nCREATE TABLE a (b INT);\n-- +goose Down\nDROP TABLE a;\n"
TABLE = "CREATE TABLE a (b INT);\n"


def layout(
    files: Mapping[str, str] | Iterable[str], *configured: Migrations, table: str | None = None
) -> MigrationLayout:
    """Return the layout of files, given with their texts or as names of empty ones."""
    texts = dict(files) if isinstance(files, Mapping) else dict.fromkeys(files, "")
    need = wanted(texts, [one.path for one in configured])
    revisions = {path: one for path in need.modules if (one := revision_of(texts[path]))}
    sources = Sources(
        tuple(texts),
        {path: migration_marks(texts[path]) for path in need.scripts},
        revisions,
        {path: tool_settings(path.rpartition("/")[2], texts[path]) for path in need.settings},
    )
    return find_sets(sources, configured, table)


def only(
    files: Mapping[str, str] | Iterable[str], *configured: Migrations, table: str | None = None
) -> MigrationSet:
    """Return the one set that files make, in a layout that is understood."""
    found = layout(files, *configured, table=table)
    assert not found.unrecognised
    assert len(found.sets) == 1, [one.root for one in found.sets]
    return found.sets[0]


def ups(found: MigrationSet) -> list[str]:
    """Return the names of the up files, in order."""
    return [one.path.rpartition("/")[2] for one in found.migrations]


def downs(found: MigrationSet) -> list[list[str]]:
    """Return the names of each migration's down files."""
    return [[part.path.rpartition("/")[2] for part in one.down] for one in found.migrations]
