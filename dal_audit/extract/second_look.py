"""Inspect: a second look, at the files that read what storage keeps, and at what they name.

A file whose bytes hold no accessor's name has no access; it is read only where another file's
receivers lead into it. Whoever knows where imports lead says which of the others are read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING, Final, TypeAlias

from msgspec.structs import replace

from dal_audit.extract.cache import Cache
from dal_audit.extract.extractor import read_bytes
from dal_audit.extract.limits import MAX_PARSED_BYTES, too_much_of
from dal_audit.extract.notebook_bytes import python_bytes
from dal_audit.extract.parallel import PARSED_WORTH_A_PROCESS, WORTH_A_PROCESS, spread
from dal_audit.extract.parser_warnings import unheard
from dal_audit.extract.reader_modules import load_evidence_reader
from dal_audit.facts import START, Fact, FileFacts, NotUnderstood, SourceFile, ValueFacts

if TYPE_CHECKING:
    from dal_audit.extract.python.prefilter.attribute_marks import AccessorWords


Accessed: TypeAlias = tuple[str, ...]
"""The words that a file's bytes access, sorted."""
NOTHING: Final = ValueFacts(START, (), ())
"""The evidence of a file that cannot be read, where another file's receivers lead into it."""
SPARED: Final = ValueFacts(START, (), (), is_whole=False)
"""The evidence of a file whose accesses lead nowhere that matters, as its imports tell."""


def accessed_words(
    files: Sequence[SourceFile], words: Iterable[str], *, jobs: int | None, cache: Cache
) -> list[Accessed]:
    """Return which of the words each file's bytes may access, sorted, with `LOADER` if it is there.

    Of a file that cannot be read they are none.
    """

    def compute(missing: Sequence[SourceFile]) -> list[Accessed]:
        if not missing:
            return []
        from dal_audit.extract.python.prefilter.attribute_marks import AccessorWords

        found = AccessorWords(words, files=len(missing))
        return spread(
            lambda part: (accessed_in(file, found) for file in part),
            missing,
            jobs=jobs,
            worth=WORTH_A_PROCESS,
            answer=Accessed,
        )

    return cache.other_of("accessed", files, compute)


def accessed_in(file: SourceFile, words: AccessorWords) -> Accessed:
    """Return which of the words a file's bytes may access, sorted; none where it cannot be read."""
    if file.flaw or file.size > MAX_PARSED_BYTES:
        return ()
    from dal_audit.extract.python.prefilter.driver_marks import searchable

    try:
        data, _ = python_bytes(file.path, read_bytes(file.absolute, file.size))
        return tuple(sorted(words.accessed(searchable(data))))
    except (OSError, ValueError):  # What is no text is a ValueError.
        return ()


def inspect_accesses(
    files: Sequence[SourceFile],
    known: Sequence[FileFacts],
    words: Iterable[str],
    *,
    jobs: int | None = None,
    shortcuts: bool = True,
    cache: Cache | None = None,
) -> list[FileFacts]:
    """Return the known facts, with evidence for each of these files.

    Without `shortcuts` it is all that the files' names stand for, too.
    """
    asked = frozenset(words)
    unclear = _not_understood(known)

    def batch(part: Sequence[SourceFile]) -> Iterator[ValueFacts | None]:
        return (
            evidence_of(
                file,
                asked,
                always=not shortcuts,
                shortcuts=shortcuts,
                may_cut=file.path not in unclear,
            )
            for file in part
        )

    def compute(missing: Sequence[SourceFile]) -> list[ValueFacts | None]:
        return spread(
            batch,
            missing,
            jobs=jobs,
            worth=PARSED_WORTH_A_PROCESS,
            answer=ValueFacts | None,
            apart=load_evidence_reader,
        )

    made = cache.other_of("accesses", files, compute) if cache else compute(files)
    return joined(known, files, made)


def inspect_named(
    files: Sequence[SourceFile],
    known: Sequence[FileFacts],
    words: Iterable[str],
    paths: AbstractSet[str],
    *,
    jobs: int | None = None,
    shortcuts: bool = True,
    cache: Cache | None = None,
) -> list[FileFacts]:
    """Return the known facts, with evidence for the files of these paths.

    One that cannot be read has some, too, and it is empty: nobody needs to ask for it again.
    """
    wanted = [file for file in files if file.path in paths]
    asked = frozenset(words)

    def batch(part: Sequence[SourceFile]) -> Iterator[ValueFacts]:
        return (
            evidence_of(file, asked, always=True, shortcuts=shortcuts) or NOTHING for file in part
        )

    def compute(missing: Sequence[SourceFile]) -> list[ValueFacts]:
        return spread(
            batch,
            missing,
            jobs=jobs,
            worth=PARSED_WORTH_A_PROCESS,
            answer=ValueFacts,
            apart=load_evidence_reader,
        )

    made = cache.other_of("named", wanted, compute) if cache else compute(wanted)
    return joined(known, wanted, made)


def joined(
    known: Sequence[FileFacts], files: Sequence[SourceFile], made: Sequence[ValueFacts | None]
) -> list[FileFacts]:
    """Return the known facts, with the evidence that was made of these files."""
    by_path = {
        file.path: evidence
        for file, evidence in zip(files, made, strict=True)
        if evidence is not None
    }
    return [
        replace(
            file,
            facts=(*_without_evidence(file.facts), evidence_),
            attention="read" if file.attention == "ruled-out" else file.attention,
        )
        if (evidence_ := by_path.get(file.path))
        else file
        for file in known
    ]


def _without_evidence(facts: tuple[Fact, ...]) -> Iterator[Fact]:
    """Yield the facts of a file but for what was known of its accesses alone."""
    return (fact for fact in facts if not isinstance(fact, ValueFacts))


def _not_understood(known: Sequence[FileFacts]) -> frozenset[str]:
    """Return the files that cannot be read whole: what else is in them is not made out in parts."""
    return frozenset(
        file.path for file in known if any(isinstance(fact, NotUnderstood) for fact in file.facts)
    )


def evidence_of(
    file: SourceFile,
    words: AbstractSet[str],
    *,
    always: bool,
    shortcuts: bool = True,
    may_cut: bool = True,
) -> ValueFacts | None:
    """Return a file's evidence; None where it was reported as not understood.

    It is `always` whole; else of accesses, and where the file `may_cut` be, only what tells of
    those is parsed.
    """
    if file.flaw or file.size > MAX_PARSED_BYTES:
        return None
    # Only where a file is read:
    from dal_audit.extract.python.parse.deep_stack import deeply
    from dal_audit.extract.python.parse.parser import parse
    from dal_audit.extract.python.value_facts import evidence, evidence_of_accesses
    from dal_audit.extract.secrets import text_for_facts
    from dal_audit.extract.source import Lines, decode

    try:
        data, notebook = python_bytes(file.path, read_bytes(file.absolute, file.size))
        if too_much_of(data):
            return None
        text = text_for_facts(decode(data), is_program=True)
        with unheard():
            found = deeply(
                lambda: (
                    evidence(parse(text, shortcuts=shortcuts), Lines(text), words)
                    if always
                    else evidence_of_accesses(Lines(text), words, may_cut=may_cut)
                )
            )
    except (OSError, ValueError, RecursionError):  # What is no text, or no Python, is a ValueError.
        return None
    return found if notebook is None or found is None else notebook.moved(found)
