"""The reading of Rust: files in processes and through the cache, and what crates there are."""

from __future__ import annotations

import gc
from collections.abc import Mapping, Sequence
from typing import Any, Final

from dal_audit.extract.cache import Cache
from dal_audit.extract.extractor import read_bytes, read_file
from dal_audit.extract.parallel import PARSED_WORTH_A_PROCESS, WORTH_A_PROCESS, spread
from dal_audit.facts import FileFacts, SourceFile
from dal_audit.facts.rust import CargoManifest, RustFact

ADVICE: Final = (
    "there is Rust here, and what reads it is not installed: `pip install dal-audit[rust]`, "
    'or leave Rust out by `exclude = ["*.rs"]`'
)
"""What is said where the optional parser is missing: nothing is green because it was not read."""


def has_parser() -> bool:
    """Return whether Rust can be read."""
    from dal_audit.extract.rust.syntax import MissingParserError, parser

    try:
        parser()
    except MissingParserError:
        return False
    return True


def extract_rust(
    files: Sequence[SourceFile], *, jobs: int | None, cache: Cache | None = None
) -> list[FileFacts]:
    """Return what Rust files spell, in the order of the files."""

    def compute(missing: Sequence[SourceFile]) -> list[tuple[RustFact, ...]]:
        answer: Any = tuple[RustFact, ...]
        return spread(_batch, missing, jobs=jobs, worth=PARSED_WORTH_A_PROCESS, answer=answer)

    found = cache.other_of("rust", files, compute) if cache else compute(files)
    return [
        FileFacts(file.path, facts, "whole")  # type: ignore[arg-type]  # They become other facts.
        for file, facts in zip(files, found, strict=True)
    ]


def _batch(part: Sequence[SourceFile]) -> list[tuple[RustFact, ...]]:
    collecting = gc.isenabled()
    gc.disable()
    try:
        return [_facts(file) for file in part]
    finally:
        if collecting:
            gc.enable()


def _facts(file: SourceFile) -> tuple[RustFact, ...]:
    from dal_audit.extract.rust.module_facts import rust_facts  # only where there is Rust

    read = read_file(file, lambda data: FileFacts(file.path, rust_facts(data), "whole"))  # type: ignore[arg-type]
    return read.facts  # type: ignore[return-value]


def holding(
    files: Sequence[SourceFile], words: frozenset[str], *, jobs: int | None, marks: bool = False
) -> frozenset[str]:
    """Return the paths of the files whose bytes hold one of some words, or a mark.

    What cannot be read is among them: its reading says so.
    """
    from dal_audit.extract.rust.prefilter import RustWords, has_marks

    wanted = RustWords(words)

    def batch(part: Sequence[SourceFile]) -> list[bool]:
        return [_holds(file) for file in part]

    def _holds(file: SourceFile) -> bool:
        if file.flaw:
            return True
        try:
            data = read_bytes(file.absolute, file.size)
        except OSError:
            return True
        return wanted.is_in(data) or (marks and has_marks(data))

    answers = spread(batch, files, jobs=jobs, worth=WORTH_A_PROCESS, answer=bool)
    return frozenset(file.path for file, is_so in zip(files, answers, strict=True) if is_so)


def read_manifests(files: Sequence[SourceFile]) -> Mapping[str, CargoManifest]:
    """Return what the manifests say, by their folders; one that cannot be read says nothing."""
    from dal_audit.extract.rust.manifest import manifest_of

    found: dict[str, CargoManifest] = {}
    for file in files:
        try:
            manifest = manifest_of(read_bytes(file.absolute, file.size))
        except OSError:
            continue
        if manifest is not None:
            found[file.path.rpartition("/")[0]] = manifest
    return found
