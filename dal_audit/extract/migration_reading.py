"""From a file's bytes to what it says about migrations, each by the kind of the file."""

from __future__ import annotations

from dal_audit.extract.migration_marks import migration_marks
from dal_audit.extract.revisions import may_be_revision, revision_of
from dal_audit.extract.source import UndecodableError, decode
from dal_audit.extract.tool_settings import tool_settings
from dal_audit.migration_facts import MigrationMarks, Revision, ToolSettings


def marks_of_bytes(data: bytes) -> MigrationMarks:
    """Return the directives of an SQL file; bytes that are not UTF-8 do not hide them."""
    return migration_marks(data.decode("utf-8-sig", "replace"))


def revision_of_bytes(data: bytes) -> Revision | None:
    """Return the migration that a Python file declares; None for any other file."""
    if not may_be_revision(data):
        return None
    try:
        return revision_of(decode(data))
    except UndecodableError:
        return None


def settings_of_bytes(name: str, data: bytes) -> tuple[ToolSettings, ...]:
    """Return what a tool's own file says; `name` is the last part of its path."""
    return tool_settings(name, data.decode("utf-8-sig", "replace"))
