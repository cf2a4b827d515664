"""Facts on their way to another machine: what some files say, in one file, by their contents.

It has the form of a cache, without paths and stamps, which mean nothing elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from dal_audit.extract.cache import Cache
from dal_audit.extract.cache_contents import Payload
from dal_audit.extract.cache_form import head_of
from dal_audit.facts import SourceFile

Digests = Callable[[Sequence[SourceFile]], list[bytes]]


class Collection(Cache):
    """The facts of some files of a project, all of them new."""

    def __init__(self, key: bytes, files: Sequence[SourceFile], digests_of: Digests) -> None:
        """Take the files, however young, by what hashes them."""
        super().__init__(None, key)
        self.is_used = True
        self._digests_of = digests_of
        readable = [file for file in files if not file.flaw]
        self.hash_files(readable, digests_of(readable))

    def data(self) -> bytes:
        """Return the bytes of a facts file; without files that changed since they were hashed."""
        seen = self.seen()
        now = self._digests_of([file for file, _ in seen])
        found = {
            content.digest: content
            for (_, content), digest in zip(seen, now, strict=True)
            if content.digest == digest
        }
        changed = {
            content.digest
            for (_, content), digest in zip(seen, now, strict=True)
            if content.digest != digest
        }
        kept = [found[digest] for digest in sorted(found) if digest not in changed]
        payload = b"".join(Payload(self.words, kept, []))
        return head_of(self.key, payload) + payload
