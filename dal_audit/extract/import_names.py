"""What files import as only a parser can tell: by odd statements, and by calls with a name."""

from __future__ import annotations

from collections.abc import Sequence

from dal_audit.extract.cache import Cache
from dal_audit.extract.extractor import read_bytes
from dal_audit.extract.limits import MAX_PARSED_BYTES, too_much_of
from dal_audit.extract.notebook_bytes import python_bytes
from dal_audit.extract.parallel import WORTH_A_PROCESS, spread
from dal_audit.extract.parser_warnings import unheard
from dal_audit.extract.reader_modules import load_evidence_reader
from dal_audit.facts import LOADER, SourceFile


def further_imports(
    files: Sequence[SourceFile], *, jobs: int | None, cache: Cache
) -> list[tuple[str, ...]]:
    """Return the dotted names that each file imports beside what its statements tell."""

    def compute(missing: Sequence[SourceFile]) -> list[tuple[str, ...]]:
        return spread(
            lambda part: map(further_names, part),
            missing,
            jobs=jobs,
            worth=WORTH_A_PROCESS,
            answer=tuple[str, ...],
            apart=load_evidence_reader,
        )

    return cache.other_of("loads", files, compute)


def further_names(file: SourceFile) -> tuple[str, ...]:
    """Return the dotted names that a file imports beside what its statements tell.

    Those are what it loads by a name, and all names where the statements cannot be told by bytes.
    There are none in a file that cannot be read.
    """
    if file.flaw or file.size > MAX_PARSED_BYTES:
        return ()
    from dal_audit.extract.python.prefilter.driver_marks import searchable
    from dal_audit.extract.python.prefilter.import_statements import import_statements

    try:
        data, _ = python_bytes(file.path, read_bytes(file.absolute, file.size))
        plain = searchable(data)
        is_told = import_statements(plain) is not None
        return () if is_told and LOADER.encode() not in plain else _parsed(data, is_told=is_told)
    except (OSError, ValueError, RecursionError):  # What is no text, or no Python, is a ValueError.
        return ()


def _parsed(data: bytes, *, is_told: bool) -> tuple[str, ...]:
    """Return what a parser says that is imported, without the statements if they are told."""
    if too_much_of(data):
        return ()
    from dal_audit.extract.python.loaded_names import loaded_names, stated_names
    from dal_audit.extract.python.parse.deep_stack import deeply
    from dal_audit.extract.source import decode

    text = decode(data)
    with unheard():
        names = deeply(lambda: [*loaded_names(text), *(() if is_told else stated_names(text))])
    return tuple(dict.fromkeys(names))
