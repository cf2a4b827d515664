"""The reading of what tells how a project is tested: files of CI, and files of tests."""

from __future__ import annotations

from collections.abc import Container, Sequence

from dal_audit.extract.cache import Cache
from dal_audit.extract.extractor import read_bytes, read_file
from dal_audit.facts import (
    Fact,
    FileFacts,
    SourceFile,
)


def extract_ci(
    files: Sequence[SourceFile], cache: Cache | None = None, workflows: Container[str] = ()
) -> list[FileFacts]:
    """Return the facts of files that have to do with CI, in the order of the files.

    `workflows` are the paths of those that are read as GitHub's wherever they lie.
    """
    from dal_audit.extract.ci import facts_of_kind
    from dal_audit.facts.ci import CiRead  # only where there is CI
    from dal_audit.facts.ci_files import CiKind, ci_kind_of

    def kind_of(file: SourceFile) -> CiKind | None:
        return "github" if file.path in workflows else ci_kind_of(file.path)

    def read(file: SourceFile) -> CiRead:
        kind = kind_of(file)
        facts = read_file(
            file, lambda data: FileFacts(file.path, facts_of_kind(kind, data), "read")
        )
        return CiRead(kind or "", facts.facts)  # type: ignore[arg-type]

    def of_kind(file: SourceFile, known: CiRead) -> CiRead:
        # Equal bytes may have been read as what another file is.
        return known if known.kind == (kind_of(file) or "") else read(file)

    def compute(missing: Sequence[SourceFile]) -> list[CiRead]:
        return [read(file) for file in missing]

    found = cache.other_of("ci", files, compute) if cache else compute(files)
    return [
        FileFacts(file.path, known.facts, "read")
        for file, known in zip(files, map(of_kind, files, found), strict=True)
    ]


def extract_suites(files: Sequence[SourceFile], cache: Cache | None = None) -> list[FileFacts]:
    """Return what files of tests say about the backends that they run on."""

    def compute(missing: Sequence[SourceFile]) -> list[tuple[Fact, ...]]:
        return [suite_of(file) for file in missing]

    found = cache.other_of("suite", files, compute) if cache else compute(files)
    return [FileFacts(file.path, facts, "read") for file, facts in zip(files, found, strict=True)]


def suite_of(file: SourceFile) -> tuple[Fact, ...]:
    """Return what a file of tests says about the backends that they run on."""
    from dal_audit.extract.python.suite_files import suite_facts
    from dal_audit.extract.rust.suite_files import rust_suite_facts  # only where there is CI

    facts_of = rust_suite_facts if file.path.endswith(".rs") else suite_facts
    try:
        return facts_of(read_bytes(file.absolute, file.size))
    except OSError:
        return ()  # It is said where the file is audited.
