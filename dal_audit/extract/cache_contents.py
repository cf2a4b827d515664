"""What a cache's file holds: contents by their digests, and the files that have them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from msgspec import Raw, Struct
from msgspec.msgpack import Encoder
from msgspec.structs import astuple

from dal_audit.facts import FactRecord, FileStamp

NOTHING: Final = Raw(b"\xc0")
"""Nil: no facts are written so."""


class Content(Struct, array_like=True, gc=False):
    """What is kept of one content, by its digest; nil for what was not asked for yet."""

    digest: bytes
    first: Raw = NOTHING
    accessed: Raw = NOTHING
    whole: Raw = NOTHING
    accesses: Raw = NOTHING
    named: Raw = NOTHING
    loads: Raw = NOTHING
    marks: Raw = NOTHING
    script: Raw = NOTHING
    revision: Raw = NOTHING
    embedded: Raw = NOTHING
    surrounded: Raw = NOTHING
    ci: Raw = NOTHING
    suite: Raw = NOTHING
    rust: Raw = NOTHING
    storage: Raw = NOTHING
    claims: Raw = NOTHING


class StoredFile(FactRecord, frozen=True):
    """A file as it was seen last, and the number of its content."""

    path: str
    stamp: FileStamp
    content: int


class Stored(FactRecord, frozen=True):
    """All that the cache's file holds; `words` tells what its evidence was asked for."""

    words: bytes
    contents: list[Content]
    files: list[StoredFile]


class Payload:
    """A `Stored` as it is written: piece by piece, as all of it takes much memory."""

    def __init__(self, words: bytes, contents: list[Content], files: list[StoredFile]) -> None:
        """Take its fields."""
        self.words = words
        self.contents = contents
        self.files = files

    def __iter__(self) -> Iterator[bytes]:
        """Yield the pieces: a list of three, of which two are long lists."""
        encode = Encoder().encode
        yield b"\x93" + encode(self.words)
        yield _head_of_list(self.contents)
        yield from (encode(_asked_for(content)) for content in self.contents)
        yield _head_of_list(self.files)
        yield from map(encode, self.files)


def _asked_for(content: Content) -> Sequence[object]:
    """Return a content's fields but for the last ones that were not asked for.

    Each nil that is read back is an object, and most contents were asked for one thing or two.
    """
    fields = astuple(content)
    end = len(fields)
    while fields[end - 1] == NOTHING:
        end -= 1
    return fields[:end]


def _head_of_list(items: Sequence[object]) -> bytes:
    """Return how a list begins in MessagePack (array 32)."""
    return b"\xdd" + len(items).to_bytes(4, "big")
