"""From Python files to the SQL statements in them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

import msgspec
from msgspec.structs import replace

from dal_audit.catalogue.digest import sha256
from dal_audit.catalogue.drivers import Catalogue
from dal_audit.extract.cache import Cache
from dal_audit.extract.extractor import read_bytes
from dal_audit.extract.limits import MAX_PARSED_BYTES
from dal_audit.extract.notebook_bytes import python_bytes
from dal_audit.extract.parallel import PARSED_WORTH_A_PROCESS, spread
from dal_audit.extract.parser_warnings import unheard
from dal_audit.extract.surroundings import ALONE, Surroundings
from dal_audit.facts import FileFacts, Import, SourceFile

if TYPE_CHECKING:
    from typing import TypeAlias

    from dal_audit.facts.sql import SqlFileName, SqlStatement

    Found: TypeAlias = tuple[SqlStatement | SqlFileName, ...]


_FILES: Final = (b'.sql"', b".sql'")


def with_embedded_sql(
    files: Sequence[SourceFile],
    known: Sequence[FileFacts],
    paths: Mapping[str, Sequence[str] | None],
    catalogue: Catalogue,
    *,
    jobs: int | None = None,
    shortcuts: bool = True,
    cache: Cache | None = None,
) -> list[FileFacts]:
    """Return the known facts of all files, with the SQL statements in those of these paths.

    A file that cannot be read has none: the first look reports it. With the path of each of
    Alembic's revisions stands what it imports, with those of others None.
    """
    wanted = [file for file in files if file.path in paths and _may_be_read(file)]
    modules = {file.path: file for file in files}
    imports = {path: own for path, own in paths.items() if own is not None}
    surrounded = _surroundings(imports, modules, known, cache) if imports else {}

    def compute(missing: Sequence[SourceFile]) -> list[tuple[SqlStatement | SqlFileName, ...]]:
        if not missing:
            return []
        from dal_audit.facts.sql import SqlFileName, SqlStatement

        return spread(
            lambda part: [
                sql_in(
                    file,
                    catalogue,
                    shortcuts=shortcuts,
                    surroundings=surrounded.get(file.path),
                )
                for file in part
            ],
            missing,
            jobs=jobs,
            worth=PARSED_WORTH_A_PROCESS,
            answer=tuple[SqlStatement | SqlFileName, ...],
        )

    alone = [file for file in wanted if file.path not in surrounded]
    found = cache.other_of("embedded", alone, compute) if cache else compute(alone)
    by_path = {file.path: own for file, own in zip(alone, found, strict=True) if own}
    others = [file for file in wanted if file.path in surrounded]
    by_path.update(_with_surroundings(others, surrounded, compute, cache))
    if by_path:
        from dal_audit.extract.embedded.model_tables import with_model_tables
        from dal_audit.extract.migrations.project_modules import text_reader

        by_path = with_model_tables(by_path, tuple(modules), text_reader(modules, cache))
    return [
        replace(file, facts=(*file.facts, *by_path[file.path])) if file.path in by_path else file
        for file in known
    ]


def _surroundings(
    imports: Mapping[str, Sequence[str]],
    modules: Mapping[str, SourceFile],
    known: Sequence[FileFacts],
    cache: Cache | None,
) -> Mapping[str, Surroundings]:
    from dal_audit.extract.migrations.project_modules import text_reader
    from dal_audit.extract.migrations.surroundings import FLASK, surroundings_of

    def flask_modules() -> list[str]:
        imported = ((file.path, fact) for file in known for fact in file.facts)
        return sorted(
            {
                path
                for path, fact in imported
                if isinstance(fact, Import)
                and any(target.name.startswith(FLASK) for target in fact.targets)
            }
        )

    return surroundings_of(imports, modules, text_reader(modules, cache), flask_modules)


def _with_surroundings(
    files: Sequence[SourceFile],
    surrounded: Mapping[str, Surroundings],
    compute: Callable[[Sequence[SourceFile]], list[Found]],
    cache: Cache | None,
) -> dict[str, Found]:
    """Return the SQL of revisions by their paths, of those that have some.

    It is kept with a digest of what it hangs on besides the file's own content.
    """
    if not files:
        return {}
    encoder = msgspec.json.Encoder(order="sorted")
    digests = {path: sha256(encoder.encode(own)) for path, own in surrounded.items()}

    def dated(missing: Sequence[SourceFile]) -> list[tuple[bytes, Found]]:
        return [
            (digests[file.path], own) for file, own in zip(missing, compute(missing), strict=True)
        ]

    def is_current(path: str, result: tuple[bytes, Found]) -> bool:
        return result[0] == digests[path]

    found = cache.other_of("surrounded", files, dated, is_current) if cache else dated(files)
    return {file.path: own for file, (_, own) in zip(files, found, strict=True) if own}


def _may_be_read(file: SourceFile) -> bool:
    return not file.flaw and file.size <= MAX_PARSED_BYTES


def sql_in(
    file: SourceFile,
    catalogue: Catalogue,
    *,
    shortcuts: bool = True,
    surroundings: Surroundings | None = None,
) -> tuple[SqlStatement | SqlFileName, ...]:
    """Return the SQL in one file; most hold none, which shows in their bytes."""
    from dal_audit.extract.embedded.module import not_followed, statements_of_file
    from dal_audit.extract.migrations.python_revisions import may_be_revision, revision_in
    from dal_audit.extract.python.parse.deep_stack import deeply
    from dal_audit.extract.python.parse.parser import parse
    from dal_audit.extract.python.prefilter.driver_marks import searchable
    from dal_audit.extract.python.prefilter.sql_marks import gives_functions, opens_sql
    from dal_audit.extract.source import Lines, decode

    def holds_sql(data: bytes) -> bool:
        is_named = any(end in data for end in _FILES) or gives_functions(data)
        return is_named or opens_sql(searchable(data))

    def statements(text: str, data: bytes) -> tuple[SqlStatement | SqlFileName, ...]:
        tree, lines = parse(text, shortcuts=shortcuts), Lines(text)
        revision = revision_in(tree, lines) if may_be_revision(data) else None
        if revision is None and not holds_sql(data):
            return ()
        return statements_of_file(tree, lines, revision, catalogue, surroundings or ALONE)

    try:
        data, notebook = python_bytes(file.path, read_bytes(file.absolute, file.size))
        if not may_be_revision(data) and not holds_sql(data):
            return ()
        text = decode(data)
        with unheard():
            found = deeply(lambda: statements(text, data))
    except RecursionError:
        return (not_followed(),)
    except (OSError, ValueError):  # What is no text, or no Python, is a ValueError.
        return ()
    moved: tuple[SqlStatement | SqlFileName, ...] = notebook.moved(found) if notebook else found
    return moved
