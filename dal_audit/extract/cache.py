"""The cache: facts by content, in one file for a project.

What a run asks for is a memo of extraction: the facts of a file's first look, of a reading of the
whole, of what its accesses show, and of SQL, each by a hash of the file's bytes. A file is known
again by its path and stamp (size, times, inode), and by its bytes where these differ. Findings are
never kept, so a changed configuration costs nothing.

The file is read by types and nothing in it is run. Whatever is wrong with it, it is as if it were
not there.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from pathlib import Path
from time import time_ns as now_ns
from typing import Any, Final, Literal, TypeAlias, TypeVar

from msgspec import MsgspecError, Raw, Struct
from msgspec.msgpack import Decoder, Encoder

from dal_audit.catalogue.digest import sha256
from dal_audit.catalogue.drivers import Catalogue
from dal_audit.catalogue.installation import installation
from dal_audit.extract.cache_file import make_folder, write_cache
from dal_audit.extract.cache_form import HEAD, SETTLED_NS, payload_of
from dal_audit.extract.inquiries import KINDS, Inquiry, Question
from dal_audit.facts import (
    FactRecord,
    FileFacts,
    FileStamp,
    NotUnderstood,
    PythonFact,
    ReadDepth,
    SourceFile,
    Suppression,
    ValueFacts,
    stamp_of,
)

FactsKind: TypeAlias = Literal["first", "whole", "script"]
OtherKind: TypeAlias = Literal[
    "accesses", "named", "marks", "revision", "embedded", "ci", "suite", "rust"
]
Kind: TypeAlias = FactsKind | OtherKind
"""Of what something is kept: the first look at a Python file, a reading of the whole, an SQL file;
the accesses in a file, what a file says that accesses led to, what a migration tool reads in it,
the migration that a Python file is, the SQL in it, what a file
of Rust spells."""

Result = TypeVar("Result")


MAX_BYTES: Final = 1 << 30
"""A larger cache is not written."""


_NOTHING: Final = Raw(b"\xc0")
"""Nil: no facts are written so."""


class _Content(Struct, array_like=True, gc=False):
    """What is kept of one content, by its digest; nil for what was not asked for yet."""

    digest: bytes
    first: Raw = _NOTHING
    whole: Raw = _NOTHING
    accesses: Raw = _NOTHING
    named: Raw = _NOTHING
    marks: Raw = _NOTHING
    script: Raw = _NOTHING
    revision: Raw = _NOTHING
    embedded: Raw = _NOTHING
    ci: Raw = _NOTHING
    suite: Raw = _NOTHING
    rust: Raw = _NOTHING


class _File(FactRecord, frozen=True):
    """A file as it was seen last, and the number of its content."""

    path: str
    stamp: FileStamp
    content: int


class _Stored(FactRecord, frozen=True):
    """All that the cache's file holds; `words` tells what its evidence was asked for."""

    words: bytes
    contents: list[_Content]
    files: list[_File]


class Cache:
    """The memo of one run over one project."""

    def __init__(self, place: Path | None, key: bytes) -> None:
        """Read what is kept at a place under a key; no place means that nothing is kept."""
        self.place = place
        self.key = key
        self.now = now_ns()
        self.words = b""
        self.changed = False
        self._contents: dict[bytes, _Content] = {}
        self._files: dict[str, tuple[FileStamp, _Content]] = {}
        self._seen: dict[str, tuple[SourceFile, _Content]] = {}
        self._encoder = Encoder()
        self.inquiry = Inquiry.opened()
        """What this run asked of the files' contents."""
        self._asked_for: tuple[str, ...] = ()
        self._read: set[str] = set()
        """The files of which something was learned in this run."""
        if place is not None:
            self._load(place)

    def _load(self, place: Path) -> None:
        try:
            state = place.lstat()
            # Neither a link, nor a pipe that nobody writes to, nor what no run would have kept.
            if not stat.S_ISREG(state.st_mode) or state.st_size > MAX_BYTES + HEAD:
                return
            data = place.read_bytes()
        except OSError:
            return
        payload = payload_of(data, self.key)
        if payload is None:
            return
        try:
            stored = Decoder(_Stored).decode(payload)
            files = {
                file.path: (file.stamp, stored.contents[file.content]) for file in stored.files
            }
        except (MsgspecError, IndexError, UnicodeDecodeError):
            return
        self.words = stored.words
        self._contents = {content.digest: content for content in stored.contents}
        self._files = files

    def identify(
        self,
        files: Iterable[SourceFile],
        digests_of: Callable[[Sequence[SourceFile]], list[bytes]],
    ) -> None:
        """Find out which content each file has.

        `digests_of` hashes the files whose stamps are not known; empty for one that it cannot read.
        """
        if self.place is None:
            return
        unknown = []
        for file in files:
            known = self._files.get(file.path)
            if known is not None and known[0] == file.stamp:
                self._seen[file.path] = file, known[1]
            elif not file.flaw and max(file.stamp[1:3]) < self.now - SETTLED_NS:
                unknown.append(file)
        self._hashed(unknown, digests_of(unknown))
        self.changed = self.changed or bool(unknown) or self._files.keys() != self._seen.keys()
        if self.changed and self._seen:
            # Early, so that the folder above is old enough when the next run looks at its time.
            with contextlib.suppress(OSError):
                make_folder(self.place.parent)

    def _hashed(self, files: Sequence[SourceFile], digests: Sequence[bytes]) -> None:
        """Note which content files have by their digests."""
        for file, digest in zip(files, digests, strict=True):
            if digest:
                content = self._contents.get(digest)
                if content is None:
                    content = self._contents[digest] = _Content(digest)
                self._seen[file.path] = file, content
                self._read.add(file.path)

    def forget(self, path: str) -> None:
        """Forget which content a file had: it has another one by now."""
        self._seen.pop(path, None)
        self.inquiry = Inquiry.opened()

    def set_words(self, words: Iterable[str]) -> None:
        """Say what evidence is asked for; what was kept for other words is of no use."""
        self._asked_for = tuple(sorted(words))
        digest = sha256("\0".join(self._asked_for).encode())
        if digest != self.words:
            self.words = digest
            for content in self._contents.values():
                content.accesses = content.named = _NOTHING

    def facts_of(
        self,
        kind: FactsKind,
        files: Sequence[SourceFile],
        compute: Callable[[Sequence[SourceFile]], list[FileFacts]],
    ) -> list[FileFacts]:
        """Return the facts of the files: those that are kept, and the others computed and kept."""
        decode = _decoder(kind).decode
        shared: dict[str, str] = {}

        def read(path: str, raw: Raw) -> FileFacts:
            attention, importing, facts = decode(raw)
            if importing:
                # Most statements stand in several files: one text for all takes half the memory.
                importing = tuple(
                    [shared.setdefault(statement, statement) for statement in importing]
                )
            return FileFacts(path, facts, attention, importing)

        return self._through(
            kind, files, compute, read, lambda file: (file.attention, file.importing, file.facts)
        )

    def other_of(
        self,
        kind: OtherKind,
        files: Sequence[SourceFile],
        compute: Callable[[Sequence[SourceFile]], list[Result]],
    ) -> list[Result]:
        """Return something else of the files, in the same way."""

        def read(_path: str, raw: Raw) -> Result:
            return _decoder(kind).decode(raw)[0]  # type: ignore[no-any-return]

        return self._through(kind, files, compute, read, lambda result: (result,))

    def _through(
        self,
        kind: Kind,
        files: Sequence[SourceFile],
        compute: Callable[[Sequence[SourceFile]], list[Result]],
        read: Callable[[str, Raw], Result],
        kept: Callable[[Result], object],
    ) -> list[Result]:
        if self.place is None:
            return compute(files)
        found: dict[str, Result] = {}
        answers: list[tuple[str, bytes | Raw]] = []
        missing = []
        for file in files:
            seen = self._seen.get(file.path)
            raw: Raw = getattr(seen[1], kind) if seen is not None else _NOTHING
            if raw == _NOTHING:
                missing.append(file)
                continue
            try:
                found[file.path] = read(file.path, raw)
                answers.append((file.path, raw))
            except (MsgspecError, UnicodeDecodeError):
                missing.append(file)
        if missing:
            for file, result in zip(missing, compute(missing), strict=True):
                found[file.path] = result
                answers += self._kept(file, kind, kept(result))
        self._note(kind, files, answers)
        return [found[file.path] for file in files]

    def _kept(self, file: SourceFile, kind: Kind, result: object) -> list[tuple[str, Raw]]:
        """Keep what was computed of a file, where its content is known; return it as it is kept."""
        try:
            raw = Raw(self._encoder.encode(result))
        except UnicodeEncodeError:
            # Lone surrogates, as an escape in a string can make them, are not kept.
            self.inquiry.bar([file.path])
            return []
        seen = self._seen.get(file.path)
        if seen is not None:
            setattr(seen[1], kind, raw)
            self.changed = True
            self._read.add(file.path)
        return [(file.path, raw)]

    def _note(
        self,
        kind: Kind,
        files: Sequence[SourceFile],
        answers: Sequence[tuple[str, bytes | Raw]],
    ) -> None:
        """Take down what files were asked, and what each answered."""
        if kind in KINDS:
            words = self._asked_for if kind in {"accesses", "named"} else ()
            self.inquiry.note(Question(kind, words), answers)  # type: ignore[arg-type]
        else:
            self.inquiry.bar(file.path for file in files)

    def save(self) -> None:
        """Write what is known, unless nothing is new; a failure to write is none of the audit.

        The new file takes the old one's place at once, so that another run sees one or the other.
        """
        if self.place is None or not self.changed:
            return
        # What was changed while the audit ran may have been read in either state.
        read = [self._seen[path] for path in self._read if path in self._seen]
        doubtful = {id(content) for file, content in read if not _is_as_it_was(file)}
        kept = [seen for seen in self._seen.values() if id(seen[1]) not in doubtful]
        contents = list({id(content): content for _, content in kept}.values())
        numbers = {id(content): number for number, content in enumerate(contents)}
        files = [_File(file.path, file.stamp, numbers[id(content)]) for file, content in kept]
        payload = self._encoder.encode(_Stored(self.words, contents, files))
        if len(payload) <= MAX_BYTES:
            with contextlib.suppress(OSError):
                write_cache(self.place, self.key, payload, self.now)


def no_cache() -> Cache:
    """Return a cache that keeps nothing."""
    return Cache(None, b"")


def key_of(catalogue: Catalogue, *, thorough: bool, foreign: Iterable[str]) -> bytes:
    """Return a hash of all that facts depend on beside the files' bytes.

    That is how files are looked at, the catalogue in force, and what is installed.
    """
    said = [*installation(), catalogue.digest, str(thorough), *sorted(foreign)]
    return sha256("\0".join(said).encode())


@cache
def _decoder(kind: Kind) -> Decoder[Any]:
    """Return what reads the facts of a kind back; it knows their types when it is first needed."""
    if kind == "script":
        from dal_audit.facts.sql import SqlStatement

        fact = SqlStatement | Suppression | NotUnderstood
        return Decoder(tuple[ReadDepth, tuple[str, ...] | None, tuple[fact, ...]])
    if kind == "marks":
        from dal_audit.facts.migrations import MigrationMarks

        return Decoder(tuple[MigrationMarks | None])
    if kind == "revision":
        from dal_audit.facts.migrations import Revision

        return Decoder(tuple[Revision | None])
    if kind == "embedded":
        from dal_audit.facts.sql import SqlFileName, SqlStatement

        return Decoder(tuple[tuple[SqlStatement | SqlFileName, ...]])
    if kind == "ci":
        from dal_audit.facts.ci import CiRead

        return Decoder(tuple[CiRead])
    if kind == "suite":
        from dal_audit.facts.ci import SuiteFile

        return Decoder(tuple[tuple[SuiteFile | Suppression, ...]])
    if kind == "rust":
        from dal_audit.facts.rust import RustFact

        return Decoder(tuple[tuple[RustFact, ...]])
    if kind in {"accesses", "named"}:
        return Decoder(tuple[ValueFacts | None])
    return Decoder(tuple[ReadDepth, tuple[str, ...] | None, tuple[PythonFact, ...]])


def _is_as_it_was(file: SourceFile) -> bool:
    """Return whether a file still has the stamp that it was found with."""
    try:
        return stamp_of(os.stat(file.absolute)) == file.stamp  # noqa: PTH116  # many strings
    except OSError:
        return False
