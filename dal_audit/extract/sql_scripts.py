"""The reading of SQL files: their statements, or only whether they can be read."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from dal_audit.extract.cache import Cache
from dal_audit.extract.extractor import read_file
from dal_audit.extract.parallel import (
    PARSED_WORTH_A_PROCESS,
    spread,
)
from dal_audit.facts import (
    Fact,
    FileFacts,
    NotUnderstood,
    SourceFile,
    Suppression,
)


def extract_scripts(
    files: Sequence[SourceFile], *, jobs: int | None = None, cache: Cache | None = None
) -> list[FileFacts]:
    """Return the facts of each SQL file, in the order of the files."""
    return (
        cache.facts_of("script", files, partial(_scripts, jobs)) if cache else _scripts(jobs, files)
    )


def check_decodable(files: Sequence[SourceFile]) -> list[FileFacts]:
    """Return of each SQL file only why it cannot be read, where no rule asks what it says."""
    from dal_audit.extract.source import UndecodableError, decode_script, not_decoded

    def read(path: str, data: bytes) -> FileFacts:
        try:
            decode_script(data)
        except UndecodableError as error:
            return FileFacts(path, (not_decoded(data, error),), "read")
        return FileFacts(path, (), "read")

    return [read_file(file, partial(read, file.path)) for file in files]


def _scripts(jobs: int | None, files: Sequence[SourceFile]) -> list[FileFacts]:
    if not files:
        return []
    from dal_audit.extract.sql.patterns import shipped_matcher  # only where there is SQL
    from dal_audit.extract.sql.scripts import script_facts
    from dal_audit.facts.sql import SqlStatement

    shipped_matcher()  # Before forking, as each process needs it.

    def read(file: SourceFile) -> tuple[Fact, ...]:
        return read_file(file, lambda data: FileFacts(file.path, script_facts(data), "read")).facts

    found = spread(
        lambda part: [read(file) for file in part],
        files,
        jobs=jobs,
        worth=PARSED_WORTH_A_PROCESS,
        answer=tuple[SqlStatement | Suppression | NotUnderstood, ...],
    )
    return [FileFacts(file.path, facts, "read") for file, facts in zip(files, found, strict=True)]
