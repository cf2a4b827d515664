"""Which Rust files matter, by their bytes: those that hold one of some words."""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from dal_audit.catalogue.url_schemes import shipped_schemes

if TYPE_CHECKING:
    from ahocorasick_rs import BytesAhoCorasick

_URL: Final = re.compile(rb"([a-z0-9]+)(?:\+[\w-]+)?://")
_RAW_MARKS: Final = (b":memory:", b"#[path", b"dal-audit:")
"""What is looked for as it stands: a database in memory, modules whose files lie elsewhere, and
suppressions, which may be about what other readers find in a file."""

_SCHEMES: Final = frozenset(name.encode() for row in shipped_schemes() for name in row.names)

_LETTERS: Final = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")


class RustWords(Struct, frozen=True, dict=True):
    """Words that are looked for as whole words."""

    words: frozenset[str]

    @cached_property
    def _patterns(self) -> list[bytes]:
        return [word.encode() for word in sorted(self.words)]

    @cached_property
    def _automaton(self) -> BytesAhoCorasick:
        from ahocorasick_rs import BytesAhoCorasick  # only where there is Rust to be read

        return BytesAhoCorasick(self._patterns)

    def is_in(self, data: bytes) -> bool:
        """Return whether one of the words stands in some bytes."""
        if not self.words:
            return False
        for _, start, end in self._automaton.find_matches_as_indexes(data, overlapping=True):
            before = data[start - 1] if start else 0
            after = data[end] if end < len(data) else 0
            if before not in _LETTERS and after not in _LETTERS:
                return True
        return False


def has_marks(data: bytes) -> bool:
    """Return whether some bytes hold a database's URL, or what else has to be looked at."""
    if any(mark in data for mark in _RAW_MARKS):
        return True
    return b"://" in data and not _SCHEMES.isdisjoint(_URL.findall(data))
