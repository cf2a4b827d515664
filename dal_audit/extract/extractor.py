"""Extract: from the bytes of files to facts.

The only stage that knows parsers. What it finds depends on a file's bytes and the catalogue in
force, never on the policy; so facts can be cached by content (their place is `extract_file`).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import count as numbers
from typing import TYPE_CHECKING, Final, Literal, TypeAlias, TypeVar

from msgspec import Struct

from dal_audit.catalogue.drivers import Catalogue
from dal_audit.extract.cache import Cache
from dal_audit.extract.foreign_modules import foreign_modules
from dal_audit.extract.limits import too_much_of
from dal_audit.extract.notebook_bytes import NOTEBOOK, facts_of_notebook
from dal_audit.extract.parallel import (
    HASHED_WORTH_A_PROCESS,
    PARSED_WORTH_A_PROCESS,
    WORTH_A_PROCESS,
    spread,
)
from dal_audit.extract.reader_modules import load_readers
from dal_audit.extract.text_table import TextTable
from dal_audit.facts import (
    START,
    Fact,
    FileFacts,
    NotUnderstood,
    PythonFact,
    ReadDepth,
    SourceFile,
)

# What reads files is imported where one is read: a warm run knows all of them already.
if TYPE_CHECKING:
    from dal_audit.extract.python.module_facts import Depth
    from dal_audit.extract.python.prefilter.driver_marks import ByteSignals, Prefilter

Result = TypeVar("Result")

_Packed: TypeAlias = tuple[tuple[PythonFact, ...], ReadDepth, tuple[str, ...] | None]
"""The fields of a Python file's facts, without the path, which may be no text."""

_ATTENTION: Final[Mapping[Depth, ReadDepth]] = {"marked": "read", "linked": "linked"}
"""How closely a file was read, by what it was read for; whole where nothing is left out."""

THOROUGH_BYTES = 1 << 20
"""Up to this much Python in a project, every file is parsed, so that a syntax error is reported in
a file that names no driver, too. In a larger one a file that its bytes rule out stays unparsed."""


def extract(
    files: Sequence[SourceFile],
    options: Callable[[], ExtractionOptions],
    *,
    jobs: int | None = None,
    cache: Cache | None = None,
    count: Callable[[int, int], None] = lambda _read, _of: None,
) -> list[FileFacts]:
    """Return the facts of each file, in the order of the files.

    They are looked at as the `options` say, which are asked for where a file is read. `jobs` limits
    the number of processes (None: as many as pay). `count` is told how many are read.
    """

    def compute(missing: Sequence[SourceFile]) -> list[FileFacts]:
        at_hand = options()
        worth = WORTH_A_PROCESS if at_hand.skips_ruled_out else PARSED_WORTH_A_PROCESS
        return _facts_of(
            lambda part: _batch(part, at_hand, extract_file),
            missing,
            jobs,
            worth,
            lambda done: count(done, len(missing)),
        )

    return cache.facts_of("first", files, compute) if cache else compute(files)


def read_whole(
    files: Sequence[SourceFile],
    options: Callable[[], ExtractionOptions],
    jobs: int | None,
    cache: Cache | None,
    kind: Literal["whole", "storage"] = "whole",
) -> list[FileFacts]:
    """Return the facts of files that are read whole, whatever their bytes hold."""

    def compute(missing: Sequence[SourceFile]) -> list[FileFacts]:
        at_hand = options()
        return _facts_of(
            lambda part: _batch(part, at_hand, _extract_deep), missing, jobs, PARSED_WORTH_A_PROCESS
        )

    if not files:
        return []
    return cache.facts_of(kind, files, compute) if cache else compute(files)


def first_look(files: Sequence[SourceFile], options: ExtractionOptions) -> list[FileFacts]:
    """Return the facts of each file by a first look."""
    return list(_batch(files, options, extract_file))


def deep_look(files: Sequence[SourceFile], options: ExtractionOptions) -> list[FileFacts]:
    """Return the facts of each file read whole."""
    return list(_batch(files, options, _extract_deep))


def _facts_of(
    batch: Callable[[Sequence[SourceFile]], Iterable[FileFacts]],
    files: Sequence[SourceFile],
    jobs: int | None,
    worth: int,
    told: Callable[[int], object] = lambda _done: None,
) -> list[FileFacts]:
    """Spread the reading of Python files over processes."""
    table, done = TextTable(), numbers()

    def packed(part: Sequence[SourceFile]) -> Iterator[_Packed]:
        return ((file.facts, file.attention, file.importing) for file in batch(part))  # type: ignore[misc]

    def taken(answer: _Packed) -> _Packed:
        told(next(done))
        return table.shared(*answer)

    found = spread(
        packed, files, jobs=jobs, worth=worth, answer=_Packed, apart=load_readers, taken=taken
    )
    return [FileFacts(file.path, *answer) for file, answer in zip(files, found, strict=True)]


def digests_of(files: Sequence[SourceFile], *, jobs: int | None = None) -> list[bytes]:
    """Return a hash of each file's bytes; empty for a file that cannot be read."""
    return spread(
        lambda part: [_digest(file) for file in part],
        files,
        jobs=jobs,
        worth=HASHED_WORTH_A_PROCESS,
    )


def _digest(file: SourceFile) -> bytes:
    import hashlib

    try:
        data = read_bytes(file.absolute, file.size)
        # The same bytes are another thing under another name.
        kind = NOTEBOOK.encode() if file.path.endswith(NOTEBOOK) else b""
        return hashlib.sha256(kind + data).digest()[:16]
    except OSError:
        return b""


def read_file(file: SourceFile, facts_of: Callable[[bytes], FileFacts]) -> FileFacts:
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


class ExtractionOptions(Struct, frozen=True, dict=True):
    """How files are looked at: for what, and how closely."""

    catalogue: Catalogue
    foreign: frozenset[str]
    thorough: bool = False
    shortcuts: bool = True
    depth: Depth = "whole"
    """How closely a file is read that is not only read for what its bytes show."""

    @property
    def skips_ruled_out(self) -> bool:
        """Whether a file that its bytes rule out is not even parsed."""
        return self.shortcuts and not self.thorough

    @cached_property
    def prefilter(self) -> Prefilter:
        """What rules files out by their bytes, for as few as a round of following leads to."""
        from dal_audit.extract.python.prefilter.driver_marks import Prefilter

        return Prefilter(self.catalogue)


def options_for(
    files: Sequence[SourceFile],
    catalogue: Catalogue,
    roots: Sequence[str] | None,
    *,
    shortcuts: bool = True,
    foreign: frozenset[str] | None = None,
) -> ExtractionOptions:
    """Return how the files of a project are looked at.

    `roots` are its source roots, where they are configured; `foreign` modules may be known. Without
    `shortcuts` nothing is ruled out by its bytes and LibCST reads every file whole; the findings
    are the same.
    """
    if foreign is None:
        foreign = foreign_modules((file.path for file in files), catalogue, roots or ())
    return ExtractionOptions(catalogue, foreign, thorough=is_small(files), shortcuts=shortcuts)


def _batch(
    part: Sequence[SourceFile],
    options: ExtractionOptions,
    extraction: Callable[[SourceFile, ExtractionOptions, Prefilter], Result],
) -> Iterator[Result]:
    """Return what is extracted of some files, one after the other."""
    from dal_audit.extract.python.prefilter.driver_marks import MANY, Prefilter

    is_many = len(part) > MANY
    prefilter = Prefilter(options.catalogue, files=len(part)) if is_many else options.prefilter
    return (extraction(file, options, prefilter) for file in part)


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


def extract_file(file: SourceFile, options: ExtractionOptions, prefilter: Prefilter) -> FileFacts:
    """Return the facts of one Python file; one that cannot be read yields `NotUnderstood`."""
    return read_file(file, lambda data: extract_bytes(file.path, data, options, prefilter))


def _extract_deep(file: SourceFile, options: ExtractionOptions, prefilter: Prefilter) -> FileFacts:
    return read_file(
        file, lambda data: extract_bytes(file.path, data, options, prefilter, reached=True)
    )


def extract_bytes(
    path: str,
    data: bytes,
    options: ExtractionOptions,
    prefilter: Prefilter,
    *,
    reached: bool = False,
) -> FileFacts:
    """Return the facts of a file's bytes; `reached` says that a carrier was seen in them."""
    if path.endswith(NOTEBOOK):
        return facts_of_notebook(
            path, data, lambda code: _facts_of_code(path, code, options, prefilter, reached=reached)
        )
    return _facts_of_code(path, data, options, prefilter, reached=reached)


def _facts_of_code(
    path: str,
    data: bytes,
    options: ExtractionOptions,
    prefilter: Prefilter,
    *,
    reached: bool,
) -> FileFacts:
    """Return the facts of Python's bytes."""
    from dal_audit.extract.python.prefilter.driver_marks import searchable
    from dal_audit.extract.python.prefilter.import_statements import import_statements
    from dal_audit.extract.secrets import text_for_facts
    from dal_audit.extract.source import UndecodableError, decode, not_decoded

    importing = None
    try:
        plain = searchable(data)
        importing = import_statements(plain)
        signals = prefilter.signals(plain, importing)
        ruled_out = not reached and not signals
        if ruled_out and options.skips_ruled_out:
            return FileFacts(path, (), "ruled-out", importing)
        if detail := too_much_of(data):
            return FileFacts(path, (NotUnderstood(START, "unreadable", detail),), "read")
        text = text_for_facts(decode(data), is_program=True)
    except UndecodableError as error:
        return FileFacts(path, (not_decoded(data, error),), "read")
    facts, attention = _facts_of_text(
        text, options, prefilter, signals, reached=reached, ruled_out=ruled_out
    )
    return FileFacts(path, tuple(facts), attention, importing)


def _facts_of_text(
    text: str,
    options: ExtractionOptions,
    prefilter: Prefilter,
    signals: ByteSignals,
    *,
    reached: bool,
    ruled_out: bool,
) -> tuple[Iterable[Fact], ReadDepth]:
    """Return the facts of a module's text, and how closely it was read for them."""
    from dal_audit.extract.python.module_facts import (  # only where it is needed
        python_facts,
        syntax_flaws,
    )

    if ruled_out and options.shortcuts:
        return syntax_flaws(text), "read"
    depth = _depth_of(options, signals, reached=reached)
    facts = python_facts(
        text,
        options.catalogue,
        prefilter=prefilter,
        signals=signals,
        foreign=options.foreign,
        depth=depth,
        shortcuts=options.shortcuts,
    )
    if ruled_out and not options.thorough:
        # Without shortcuts more is parsed; what counts as a finding must not change by that.
        facts = [fact for fact in facts if not isinstance(fact, NotUnderstood)]
    return facts, _ATTENTION.get(depth, "whole")


def _depth_of(options: ExtractionOptions, signals: ByteSignals, *, reached: bool) -> Depth:
    """Return for what a module is read.

    What it hands to functions of others is asked where it is known that some hand SQL on.
    """
    if reached or not options.shortcuts:
        return options.depth
    return "linked" if signals.names else "marked"
