"""The cache: facts by content, in one file for a project.

What a run asks for is a memo of extraction: the facts of a file's first look, of a reading of the
whole, of what its accesses show, and of SQL, each by a hash of the file's bytes, and with it the
claims that a second reading bore out. A file is known
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
from collections.abc import Set as AbstractSet
from pathlib import Path
from time import time_ns as now_ns
from typing import Final, TypeVar

from msgspec import MsgspecError, Raw
from msgspec.msgpack import Decoder, Encoder

from dal_audit.catalogue.digest import sha256
from dal_audit.catalogue.drivers import Catalogue
from dal_audit.catalogue.installation import installation
from dal_audit.extract.cache_contents import (
    NOTHING,
    Content,
    Payload,
    Stored,
    StoredFile,
)
from dal_audit.extract.cache_file import make_folder, write_cache
from dal_audit.extract.cache_form import HEAD, KEY_BYTES, MAGIC, SETTLED_NS, payload_of
from dal_audit.extract.cache_kinds import FactsKind, Kind, OtherKind, decoder_of
from dal_audit.extract.inquiries import KINDS, OF_WORDS, Inquiry, Question
from dal_audit.extract.text_table import TextTable
from dal_audit.facts import FileFacts, FileStamp, SourceFile, stamp_of
from dal_audit.facts.claims import Claim

Result = TypeVar("Result")

MAX_BYTES: Final = 1 << 30
"""A larger cache is not written."""


class Cache:
    """The memo of one run over one project."""

    def __init__(self, place: Path | None, key: bytes, given: Iterable[Path] = ()) -> None:
        """Read what is kept at a place under a key; no place means that nothing is kept.

        `given` are files of facts from elsewhere. Raises FactsError where one cannot be used.
        """
        self.place = place
        self.key = key
        self.now = now_ns()
        self.words = b""
        self.changed = False
        self._contents: dict[bytes, Content] = {}
        self._files: dict[str, tuple[FileStamp, Content]] = {}
        self._seen: dict[str, tuple[SourceFile, Content]] = {}
        self._young: dict[str, Content] = {}
        """What files that may still change say as they are now, as far as it was given."""
        self._borne_out: dict[str, frozenset[Claim]] = {}
        self._encoder = Encoder()
        self.inquiry = Inquiry.opened()
        """What this run asked of the files' contents."""
        self._asked_for: tuple[str, ...] = ()
        self._read: set[str] = set()
        """The files of which something was learned in this run."""
        if place is not None:
            self._load(place)
        files = tuple(given)
        self.is_given = bool(files)
        self.is_used = place is not None or self.is_given
        for file in files:
            self._take(file)
        self.is_new = not self._contents

    def _take(self, file: Path) -> None:
        """Take the facts of a file that was made elsewhere, where none are known."""
        for content in contents_of(file, self.key):
            own = self._contents.setdefault(content.digest, content)
            for kind in content.__struct_fields__[1:]:
                if getattr(own, kind) == NOTHING:
                    setattr(own, kind, getattr(content, kind))

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
            stored = Decoder(Stored).decode(payload)
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
        if not self.is_used:
            return
        unknown = []
        young = []
        for file in files:
            known = self._files.get(file.path)
            if known is not None and known[0] == file.stamp:
                self._seen[file.path] = file, known[1]
                self._files[file.path] = file.stamp, known[1]  # Equal, and one object.
            elif not file.flaw and max(file.stamp[1:3]) < self.now - SETTLED_NS:
                unknown.append(file)
            elif not file.flaw and self.is_given:
                young.append(file)
        self.hash_files(unknown, digests_of(unknown))
        for file, digest in zip(young, digests_of(young), strict=True):
            if digest in self._contents:
                self._young[file.path] = self._contents[digest]
        self.changed = self.changed or bool(unknown) or self._files.keys() != self._seen.keys()
        if self.changed and self._seen and self.place is not None:
            # Early, so that the folder above is old enough when the next run looks at its time.
            with contextlib.suppress(OSError):
                make_folder(self.place.parent)

    @property
    def foreign(self) -> frozenset[str] | None:
        """The modules of the standard library that stay strangers; None where that is not kept."""
        return frozenset(self.inquiry.foreign) if self.is_used else None

    def seen(self) -> list[tuple[SourceFile, Content]]:
        """Return the files whose content is known, with what is kept of it."""
        return list(self._seen.values())

    def kept_of(self, path: str, kind: Kind) -> bytes | Raw:
        """Return what an earlier run kept of a file; nil where that is nothing."""
        return getattr(self._files[path][1], kind) if path in self._files else NOTHING

    def hash_files(self, files: Sequence[SourceFile], digests: Sequence[bytes]) -> None:
        """Note which content files have by their digests."""
        for file, digest in zip(files, digests, strict=True):
            if digest:
                content = self._contents.get(digest)
                if content is None:
                    content = self._contents[digest] = Content(digest)
                self._seen[file.path] = file, content
                self._read.add(file.path)

    def forget(self, path: str) -> None:
        """Forget which content a file had: it has another one by now."""
        self._seen.pop(path, None)
        self._young.pop(path, None)
        self._borne_out.pop(path, None)
        self.inquiry.forget(path)

    def note_first(self, file: SourceFile, facts: FileFacts) -> None:
        """Take down what a file answers to a first look since it has another text."""
        answers = self._kept(file, "first", (facts.attention, facts.importing, facts.facts))
        self._note("first", [file], answers)

    def set_words(self, words: Iterable[str]) -> None:
        """Say what evidence is asked for; what was kept for other words is of no use."""
        self._asked_for = tuple(sorted(words))
        self.inquiry.keep_words(self._asked_for)
        digest = sha256("\0".join(self._asked_for).encode())
        if digest != self.words:
            self.words = digest
            for content in self._contents.values():
                content.accessed = content.accesses = content.named = NOTHING

    def facts_of(
        self,
        kind: FactsKind,
        files: Sequence[SourceFile],
        compute: Callable[[Sequence[SourceFile]], list[FileFacts]],
    ) -> list[FileFacts]:
        """Return the facts of the files: those that are kept, and the others computed and kept."""
        table = TextTable()

        def read(path: str, raw: Raw) -> FileFacts:
            attention, importing, facts = decoder_of(kind).decode(raw)
            return FileFacts(path, *table.shared(facts, attention, importing))

        return self._through(
            kind, files, compute, read, lambda file: (file.attention, file.importing, file.facts)
        )

    def other_of(
        self,
        kind: OtherKind,
        files: Sequence[SourceFile],
        compute: Callable[[Sequence[SourceFile]], list[Result]],
        is_current: Callable[[str, Result], bool] = lambda _path, _result: True,
    ) -> list[Result]:
        """Return something else of the files, in the same way.

        What was kept of a path and is not current any more is computed again.
        """

        def read(path: str, raw: Raw) -> Result:
            result: Result = decoder_of(kind).decode(raw)[0]
            if not is_current(path, result):
                raise MsgspecError  # It hangs on more than the file, and that is another now.
            return result

        return self._through(kind, files, compute, read, lambda result: (result,))

    def borne_out(self, file: SourceFile) -> frozenset[Claim]:
        """Return the claims about a file's content that a second reading bore out."""
        known = self._borne_out.get(file.path)
        seen = self._seen.get(file.path)
        if known is not None or seen is None or seen[1].claims == NOTHING:
            return known or frozenset()
        try:
            return frozenset(decoder_of("claims").decode(seen[1].claims)[0])
        except (MsgspecError, UnicodeDecodeError):
            return frozenset()

    def keep_borne_out(self, file: SourceFile, claims: AbstractSet[Claim]) -> None:
        """Keep further claims that a second reading of a file bore out."""
        known = self._borne_out[file.path] = self.borne_out(file) | claims
        seen = self._seen.get(file.path)
        if seen is not None and claims:
            with contextlib.suppress(UnicodeEncodeError):  # Of a name that is no text.
                seen[1].claims = Raw(self._encoder.encode((tuple(sorted(known)),)))
                self.changed = True
                self._read.add(file.path)

    def _through(
        self,
        kind: Kind,
        files: Sequence[SourceFile],
        compute: Callable[[Sequence[SourceFile]], list[Result]],
        read: Callable[[str, Raw], Result],
        kept: Callable[[Result], object],
    ) -> list[Result]:
        if not self.is_used:
            return compute(files)
        found: dict[str, Result] = {}
        answers: list[tuple[str, bytes | Raw]] = []
        missing = []
        for file in files:
            seen = self._seen.get(file.path)
            content = seen[1] if seen is not None else self._young.get(file.path)
            raw: Raw = getattr(content, kind) if content is not None else NOTHING
            if raw == NOTHING:
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
            words = self._asked_for if kind in OF_WORDS else ()
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
        files = [StoredFile(file.path, file.stamp, numbers[id(content)]) for file, content in kept]
        payload = Payload(self.words, contents, files)
        if sum(map(len, payload)) <= MAX_BYTES:
            with contextlib.suppress(OSError):
                write_cache(self.place, self.key, payload, self.now)


class FactsError(ValueError):
    """A file of facts cannot be used; the message says why."""


def contents_of(file: Path, key: bytes) -> list[Content]:
    """Return what a file of facts holds. Raises FactsError, OSError where it cannot be read."""
    if not file.is_file():
        raise FactsError(f"{file}: there is no such file")
    data = file.read_bytes()
    payload = payload_of(data, key)
    if payload is None:
        is_whole = payload_of(data, data[len(MAGIC) : len(MAGIC) + KEY_BYTES]) is not None
        reason = (
            "its facts are of another version, Python, catalogue or tree"
            if is_whole
            else "it is no whole file of facts"
        )
        raise FactsError(f"{file}: {reason}")
    try:
        return Decoder(Stored).decode(payload).contents
    except (MsgspecError, UnicodeDecodeError) as error:
        raise FactsError(f"{file}: it is no whole file of facts") from error


def no_cache() -> Cache:
    """Return a cache that keeps nothing."""
    return Cache(None, b"")


def key_of(catalogue: Catalogue, *, thorough: bool, foreign: Iterable[str]) -> bytes:
    """Return a hash of all that facts depend on beside the files' bytes.

    That is how files are looked at, the catalogue in force, and what is installed.
    """
    said = [*installation(), catalogue.digest, str(thorough), *sorted(foreign)]
    return sha256("\0".join(said).encode())


def _is_as_it_was(file: SourceFile) -> bool:
    """Return whether a file still has the stamp that it was found with."""
    try:
        return stamp_of(os.stat(file.absolute)) == file.stamp  # noqa: PTH116  # many strings
    except OSError:
        return False
