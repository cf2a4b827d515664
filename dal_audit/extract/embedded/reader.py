"""From Python files to the SQL statements in them."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from dal_audit.catalogue.drivers import Catalogue
from dal_audit.extract.cache import Cache
from dal_audit.extract.extractor import read_bytes
from dal_audit.extract.limits import MAX_PARSED_BYTES
from dal_audit.extract.notebook_bytes import python_bytes
from dal_audit.extract.parallel import PARSED_WORTH_A_PROCESS, spread
from dal_audit.facts import FileFacts, SourceFile

if TYPE_CHECKING:
    from dal_audit.facts.sql import SqlFileName, SqlStatement


_FILES: Final = (b'.sql"', b".sql'")


def with_embedded_sql(
    files: Sequence[SourceFile],
    known: Sequence[FileFacts],
    paths: AbstractSet[str],
    catalogue: Catalogue,
    *,
    jobs: int | None = None,
    shortcuts: bool = True,
    cache: Cache | None = None,
) -> list[FileFacts]:
    """Return the known facts of all files, with the SQL statements in those of these paths.

    A file that cannot be read has none: the first look reports it.
    """
    wanted = [file for file in files if file.path in paths and _may_be_read(file)]

    def compute(missing: Sequence[SourceFile]) -> list[tuple[SqlStatement | SqlFileName, ...]]:
        if not missing:
            return []
        from dal_audit.facts.sql import SqlFileName, SqlStatement

        return spread(
            lambda part: [sql_in(file, catalogue, shortcuts=shortcuts) for file in part],
            missing,
            jobs=jobs,
            worth=PARSED_WORTH_A_PROCESS,
            answer=tuple[SqlStatement | SqlFileName, ...],
        )

    found = cache.other_of("embedded", wanted, compute) if cache else compute(wanted)
    by_path = {file.path: own for file, own in zip(wanted, found, strict=True) if own}
    if by_path:
        from dal_audit.extract.embedded.model_tables import with_model_tables
        from dal_audit.extract.migrations.project_modules import text_reader

        modules = {file.path: file for file in files}
        by_path = with_model_tables(by_path, tuple(modules), text_reader(modules, cache))
    return [
        replace(file, facts=(*file.facts, *by_path[file.path])) if file.path in by_path else file
        for file in known
    ]


def _may_be_read(file: SourceFile) -> bool:
    return not file.flaw and file.size <= MAX_PARSED_BYTES


def sql_in(
    file: SourceFile, catalogue: Catalogue, *, shortcuts: bool = True
) -> tuple[SqlStatement | SqlFileName, ...]:
    """Return the SQL in one file; most hold none, which shows in their bytes."""
    from dal_audit.extract.embedded.module import not_followed, statements_of_file
    from dal_audit.extract.migrations.reader import revision_of_bytes
    from dal_audit.extract.python.parse.deep_stack import deeply
    from dal_audit.extract.python.parse.parser import parse
    from dal_audit.extract.python.prefilter.driver_marks import searchable
    from dal_audit.extract.python.prefilter.sql_marks import gives_functions, opens_sql
    from dal_audit.extract.source import Lines, decode

    try:
        data, notebook = python_bytes(file.path, read_bytes(file.absolute, file.size))
        revision = revision_of_bytes(data)
        may_hold = any(end in data for end in _FILES) or gives_functions(data)
        if revision is None and not may_hold and not opens_sql(searchable(data)):
            return ()
        text = decode(data)
        with warnings.catch_warnings():
            # `ast.parse` warns of what the audited code does; that is no business of ours.
            warnings.simplefilter("ignore")
            found = deeply(
                lambda: statements_of_file(
                    parse(text, shortcuts=shortcuts), Lines(text), revision, catalogue
                )
            )
    except RecursionError:
        return (not_followed(),)
    except (OSError, ValueError):  # What is no text, or no Python, is a ValueError.
        return ()
    moved: tuple[SqlStatement | SqlFileName, ...] = notebook.moved(found) if notebook else found
    return moved
