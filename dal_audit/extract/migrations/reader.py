"""From a file's bytes to what it says about migrations, each by the kind of the file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from dal_audit.extract.cache import Cache
from dal_audit.extract.migrations.directives import migration_marks
from dal_audit.extract.migrations.project_modules import read_file, text_reader
from dal_audit.extract.parallel import PARSED_WORTH_A_PROCESS, spread
from dal_audit.extract.secrets import text_for_facts
from dal_audit.extract.source import UndecodableError, decode
from dal_audit.facts import SourceFile
from dal_audit.facts.migrations import MigrationMarks, Revision, ToolSettings


def marks_of_bytes(data: bytes) -> MigrationMarks:
    """Return the directives of an SQL file; bytes that are not UTF-8 do not hide them."""
    text = data.decode("utf-8-sig", "replace")
    marks = migration_marks(text)
    # Only directives hold words of the text, and few files have any.
    return migration_marks(text_for_facts(text, is_program=True)) if marks.directives else marks


def revision_of_bytes(data: bytes) -> Revision | None:
    """Return the migration that a Python file declares; None for any other file."""
    from dal_audit.extract.migrations.python_revisions import may_be_revision, revision_of

    if not may_be_revision(data):
        return None
    try:
        return revision_of(text_for_facts(decode(data), is_program=True))
    except UndecodableError:
        return None


def settings_of_bytes(name: str, data: bytes) -> tuple[ToolSettings, ...]:
    """Return what a tool's own file says; `name` is the last part of its path."""
    from dal_audit.extract.migrations.tool_settings import tool_settings

    return tool_settings(name, data.decode("utf-8-sig", "replace"))


def marks_of_files(
    files: Sequence[SourceFile], cache: Cache | None = None
) -> dict[str, MigrationMarks]:
    """Return the directives of SQL files by their paths; of those that can be read."""
    marks = cache.other_of("marks", files, _marks) if cache else _marks(files)
    return {file.path: own for file, own in zip(files, marks, strict=True) if own is not None}


def _marks(files: Sequence[SourceFile]) -> list[MigrationMarks | None]:
    datas = (read_file(file.absolute, file.size) for file in files)
    return [None if data is None else marks_of_bytes(data) for data in datas]


def revisions_of_files(
    files: Sequence[SourceFile],
    modules: Mapping[str, SourceFile],
    cache: Cache | None = None,
    *,
    jobs: int | None = None,
) -> dict[str, Revision]:
    """Return the migrations that Python files declare by their paths; most files declare none.

    `modules` are all Python files of the project: an operation's class may lie in any of them.
    """

    def read(missing: Sequence[SourceFile]) -> list[Revision | None]:
        return spread(
            declared_revisions,
            missing,
            jobs=jobs,
            worth=PARSED_WORTH_A_PROCESS,
            answer=Revision | None,
        )

    found = cache.other_of("revision", files, read) if cache else read(files)
    revisions = {
        file.path: revision
        for file, revision in zip(files, found, strict=True)
        if revision is not None
    }
    if not any(revision.customs for revision in revisions.values()):
        return revisions
    from dal_audit.extract.migrations.custom_operations import with_customs  # few have any

    return with_customs(revisions, text_reader(modules, cache), tuple(modules))


def declared_revisions(files: Sequence[SourceFile]) -> list[Revision | None]:
    """Return the migration that each Python file declares; None for any other file."""
    datas = (read_file(file.absolute, file.size) for file in files)
    return [None if data is None else revision_of_bytes(data) for data in datas]


def settings_of_files(
    root: Path, paths: Sequence[str], cache: Cache | None = None
) -> dict[str, tuple[ToolSettings, ...]]:
    """Return what tools' own files say, by their paths below a root; of those that can be read.

    That is in no file's own facts: a kept audit hangs on every byte of them.
    """
    if cache:
        cache.inquiry.bar(paths)
    return {
        path: settings_of_bytes(path.rpartition("/")[2], data)
        for path in paths
        if (data := read_file(str(root / path), 0)) is not None
    }
