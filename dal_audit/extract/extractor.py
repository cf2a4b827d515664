"""Extract: from the bytes of files to facts.

The only stage that knows parsers. What it finds depends on a file's bytes and the catalogue in
force, never on the policy; so facts can be cached by content (their place is `extract_file`).
"""

from __future__ import annotations

import gc
import os
import sys
import warnings
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from msgspec import Struct

from dal_audit.catalogue.drivers import Catalogue
from dal_audit.extract.cache import Cache
from dal_audit.extract.parallel import (
    HASHED_WORTH_A_PROCESS,
    PARSED_WORTH_A_PROCESS,
    WORTH_A_PROCESS,
    spread,
)
from dal_audit.facts import (
    START,
    Attention,
    Fact,
    FileFacts,
    NotUnderstood,
    PythonFact,
    SourceFile,
    Suppression,
)

# What reads files is imported where one is read: a warm run knows all of them already.
if TYPE_CHECKING:
    from dal_audit.extract.python.prefilter.driver_marks import Prefilter
    from dal_audit.extract.python.prefilter.import_marks import Carriers

Result = TypeVar("Result")

_Packed: TypeAlias = tuple[tuple[PythonFact, ...], Attention, tuple[str, ...] | None]
"""The fields of a Python file's facts, without the path, which may be no text."""

THOROUGH_BYTES = 1 << 20
"""Up to this much Python in a project, every file is parsed, so that a syntax error is reported in
a file that names no driver, too. In a larger one a file that its bytes rule out stays unparsed."""

MAX_PARSED_BYTES = 16 << 20
"""Larger files are not parsed: a syntax tree takes a hundred times the memory of its text."""


def extract(
    files: Sequence[SourceFile],
    catalogue: Catalogue,
    *,
    jobs: int | None = None,
    shortcuts: bool = True,
    cache: Cache | None = None,
) -> list[FileFacts]:
    """Return the facts of each file, in the order of the files.

    `jobs` limits the number of processes (None: as many as pay). Without `shortcuts` nothing is
    ruled out by its bytes and LibCST reads every file whole; the findings are the same.
    """

    def compute(missing: Sequence[SourceFile]) -> list[FileFacts]:
        look = look_at(files, catalogue, shortcuts=shortcuts)
        worth = PARSED_WORTH_A_PROCESS if look.thorough or not shortcuts else WORTH_A_PROCESS
        return _facts_of(lambda part: _batch(part, look, extract_file), missing, jobs, worth)

    return cache.through("first", files, compute) if cache else compute(files)


def extract_reached(
    files: Sequence[SourceFile],
    known: Sequence[FileFacts],
    catalogue: Catalogue,
    lead: Lead,
    *,
    jobs: int | None = None,
    shortcuts: bool = True,
    cache: Cache | None = None,
) -> list[FileFacts]:
    """Return the facts of each file, read whole where it takes, or may take, what is carried.

    A file that nothing leads to, or that has been read whole, keeps what is `known` of it.
    """
    waiting = [file for file, facts in zip(files, known, strict=True) if facts.attention != "whole"]
    doubtful = [one for one in waiting if one.path in lead.doubtful and one.path not in lead.due]
    due = lead.due.union(_reached(doubtful, lead.carried, jobs) if doubtful else ())

    def compute(missing: Sequence[SourceFile]) -> list[FileFacts]:
        look = look_at(files, catalogue, shortcuts=shortcuts)
        return _facts_of(
            lambda part: _batch(part, look, _extract_whole), missing, jobs, PARSED_WORTH_A_PROCESS
        )

    chosen = [one for one in waiting if one.path in due and not one.flaw]
    found = cache.through("whole", chosen, compute) if cache else compute(chosen)
    by_path = {one.path: one for one in found}
    return [by_path.get(file.path, file) for file in known]


def _reached(
    doubtful: Sequence[SourceFile], carried: frozenset[tuple[str, str]], jobs: int | None
) -> list[str]:
    """Return the paths of the files whose bytes show how to take one of the carried names."""
    from dal_audit.extract.python.prefilter.import_marks import Carriers

    carriers = Carriers(carried)
    answers = spread(
        lambda part: [_is_reached(one, carriers) for one in part],
        doubtful,
        jobs=jobs,
        worth=WORTH_A_PROCESS,
    )
    return [one.path for one, is_so in zip(doubtful, answers, strict=True) if is_so]


def _facts_of(
    batch: Callable[[Sequence[SourceFile]], list[FileFacts]],
    files: Sequence[SourceFile],
    jobs: int | None,
    worth: int,
) -> list[FileFacts]:
    """Spread the reading of Python files over processes."""

    def packed(part: Sequence[SourceFile]) -> list[tuple[Any, Attention, tuple[str, ...] | None]]:
        return [(one.facts, one.attention, one.importing) for one in batch(part)]

    found = spread(packed, files, jobs=jobs, worth=worth, answer=_Packed)
    return [
        FileFacts(file.path, facts, attention, importing and tuple(map(sys.intern, importing)))
        for file, (facts, attention, importing) in zip(files, found, strict=True)
    ]


def extract_scripts(
    files: Sequence[SourceFile], *, jobs: int | None = None, cache: Cache | None = None
) -> list[FileFacts]:
    """Return the facts of each SQL file, in the order of the files."""
    return (
        cache.through("script", files, partial(_scripts, jobs)) if cache else _scripts(jobs, files)
    )


def extract_legibility(files: Sequence[SourceFile]) -> list[FileFacts]:
    """Return of each SQL file only why it cannot be read, where no rule asks what it says."""
    from dal_audit.extract.source import UndecodableError, decode_script, not_decoded

    def read(path: str, data: bytes) -> FileFacts:
        try:
            decode_script(data)
        except UndecodableError as error:
            return FileFacts(path, (not_decoded(data, error),), "read")
        return FileFacts(path, (), "read")

    return [_read_file(file, partial(read, file.path)) for file in files]


def _scripts(jobs: int | None, files: Sequence[SourceFile]) -> list[FileFacts]:
    if not files:
        return []
    from dal_audit.extract.sql.scripts import script_facts  # only where there is SQL
    from dal_audit.facts.sql import SqlStatement

    def read(file: SourceFile) -> tuple[Fact, ...]:
        return _read_file(file, lambda data: FileFacts(file.path, script_facts(data), "read")).facts

    found = spread(
        lambda part: [read(one) for one in part],
        files,
        jobs=jobs,
        worth=PARSED_WORTH_A_PROCESS,
        answer=tuple[SqlStatement | Suppression | NotUnderstood, ...],
    )
    return [FileFacts(file.path, facts, "read") for file, facts in zip(files, found, strict=True)]


def digests_of(files: Sequence[SourceFile], *, jobs: int | None = None) -> list[bytes]:
    """Return a hash of each file's bytes; empty for a file that cannot be read."""
    return spread(
        lambda part: [_digest(one) for one in part], files, jobs=jobs, worth=HASHED_WORTH_A_PROCESS
    )


def _digest(file: SourceFile) -> bytes:
    import hashlib

    try:
        return hashlib.sha256(read_bytes(file.absolute, file.size)).digest()[:16]
    except OSError:
        return b""


def _read_file(file: SourceFile, facts_of: Callable[[bytes], FileFacts]) -> FileFacts:
    """Return what is made of a file's bytes; a file that cannot be read yields `NotUnderstood`."""
    detail = file.flaw
    if not detail:
        try:
            return facts_of(read_bytes(file.absolute, file.size))
        except OSError as error:
            detail = (error.strerror or type(error).__name__).lower()
    return FileFacts(file.path, (NotUnderstood(START, "unreadable", detail),), "read")


def is_small(files: Sequence[SourceFile]) -> bool:
    """Return whether a project is small enough to parse all of it."""
    return sum(file.size for file in files) <= THOROUGH_BYTES


class Lead(Struct, frozen=True):
    """Where a round of following leads.

    It leads to the files in `due`, and to those in `doubtful` whose bytes show how to take one of
    the `carried` names from its module.
    """

    carried: frozenset[tuple[str, str]]
    due: frozenset[str]
    doubtful: frozenset[str]


class Look(Struct, frozen=True):
    """How files are looked at: for what, and how closely."""

    catalogue: Catalogue
    foreign: frozenset[str]
    thorough: bool = False
    shortcuts: bool = True


def look_at(files: Sequence[SourceFile], catalogue: Catalogue, *, shortcuts: bool = True) -> Look:
    """Return how the files of a project are looked at."""
    foreign = foreign_modules((file.path for file in files), catalogue)
    return Look(catalogue, foreign, thorough=is_small(files), shortcuts=shortcuts)


def foreign_modules(paths: Iterable[str], catalogue: Catalogue) -> frozenset[str]:
    """Return the standard library's modules, by their first names, that stay strangers.

    What is imported from them is no driver's, and nothing of the project's: no file or folder of
    it has such a name.
    """
    own = set()
    folders = set()
    for path in paths:
        folder, _, name = path.rpartition("/")
        own.add(name.partition(".")[0])
        folders.add(folder)
    own.update(part for folder in folders for part in folder.split("/"))
    drivers = {module.partition(".")[0] for module in catalogue.by_module}
    return sys.stdlib_module_names - own - drivers


def _batch(
    part: Iterable[SourceFile],
    look: Look,
    extraction: Callable[[SourceFile, Look, Prefilter], Result],
) -> list[Result]:
    from dal_audit.extract.python.prefilter.driver_marks import Prefilter

    prefilter = Prefilter(look.catalogue)
    # Syntax trees hold no cycles worth collecting while they are read: 5 to 20 % of the time.
    collecting = gc.isenabled()
    gc.disable()
    try:
        with warnings.catch_warnings():
            # `ast.parse` warns of what the audited code does; that is no business of ours.
            warnings.simplefilter("ignore")
            return [extraction(one, look, prefilter) for one in part]
    finally:
        if collecting:
            gc.enable()


def read_bytes(path: str, size: int) -> bytes:
    """Return a file's bytes; `size` is what it had when it was discovered.

    One `read` of the right size does for nearly every file, without the layers of `open`.
    """
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
    try:
        data = os.read(descriptor, size + 1)
        if len(data) == size:
            return data
        parts = [data]
        while part := os.read(descriptor, 1 << 20):
            parts.append(part)
        return b"".join(parts)
    finally:
        os.close(descriptor)


def extract_file(file: SourceFile, look: Look, prefilter: Prefilter) -> FileFacts:
    """Return the facts of one Python file; one that cannot be read yields `NotUnderstood`."""
    return _read_file(file, lambda data: extract_bytes(file.path, data, look, prefilter))


def _is_reached(file: SourceFile, carriers: Carriers) -> bool:
    """Return whether a file's bytes show how to take one of the carried names from its module."""
    if file.flaw:
        return False
    from dal_audit.extract.python.prefilter.driver_marks import searchable
    from dal_audit.extract.source import UndecodableError

    try:
        return carriers.reach(file.path, searchable(read_bytes(file.absolute, file.size)))
    except (OSError, UndecodableError):
        return False  # The first look has reported it.


def _extract_whole(file: SourceFile, look: Look, prefilter: Prefilter) -> FileFacts:
    return _read_file(
        file, lambda data: extract_bytes(file.path, data, look, prefilter, reached=True)
    )


def extract_bytes(
    path: str, data: bytes, look: Look, prefilter: Prefilter, *, reached: bool = False
) -> FileFacts:
    """Return the facts of a file's bytes; `reached` says that a carrier was seen in them."""
    from dal_audit.extract.python.prefilter.driver_marks import searchable
    from dal_audit.extract.python.prefilter.import_statements import import_statements
    from dal_audit.extract.source import UndecodableError, decode, not_decoded

    importing = None
    try:
        plain = searchable(data)
        importing = import_statements(plain)
        signals = prefilter.signals(plain)
        ruled_out = not reached and not signals
        if ruled_out and look.shortcuts and not look.thorough:
            return FileFacts(path, (), "ruled-out", importing)
        if len(data) > MAX_PARSED_BYTES:
            detail = f"larger than {MAX_PARSED_BYTES >> 20} MiB"
            return FileFacts(path, (NotUnderstood(START, "unreadable", detail),), "read")
        text = decode(data)
    except UndecodableError as error:
        return FileFacts(path, (not_decoded(data, error),), "read")
    from dal_audit.extract.python.module_facts import (  # only where it is needed
        python_facts,
        syntax_flaws,
    )

    if ruled_out and look.shortcuts:
        return FileFacts(path, tuple(syntax_flaws(text)), "read", importing)
    whole = reached or signals.names or not look.shortcuts
    facts = python_facts(
        text,
        look.catalogue,
        prefilter=prefilter,
        signals=signals,
        foreign=look.foreign,
        whole=whole,
        shortcuts=look.shortcuts,
    )
    if ruled_out and not look.thorough:
        # Without shortcuts more is parsed; what counts as a finding must not change by that.
        facts = [one for one in facts if not isinstance(one, NotUnderstood)]
    return FileFacts(path, tuple(facts), "whole" if whole else "read", importing)
