"""Which files read an attribute that matters: seen in their bytes, before any parser sees them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import Final

from ahocorasick_rs import BytesAhoCorasick, Implementation

from dal_audit.extract.python.prefilter.driver_marks import MANY
from dal_audit.facts import HEIRS_OF, LOADER

_AFTER: Final = re.compile(rb"(?![\w\x80-\xff])")
_OWN: Final = re.compile(rb"(?<![\w.\x80-\xff])self\Z")
_IMPORT_HEAD: Final = re.compile(rb"[ \t]*(?:import[ \t]+[\w., \t]*|(from)[ \t]+[\w.]*)")
_IMPORT_REST: Final = re.compile(rb"[\w.]*[ \t]+import\b")
_BY_NAME: Final = (b"getattr", b"attrgetter", b"methodcaller", b"__dict__", b"vars")
_QUOTES: Final = ((b'"', b'"'), (b"'", b"'"))
_WAYS: Final = 1 + len(_QUOTES)
"""In how many ways a name is looked for: behind a dot, and as a text."""
SPECIAL: Final[Mapping[str, str]] = {
    "__enter__": r"\bwith\b",
    "__aenter__": r"\bwith\b",
    "__iter__": r"\bfor\b",
    "__aiter__": r"\bfor\b",
    "__call__": r"[\w)\]]\s*\(",
    "__getitem__": r"[\w)\]]\s*\[",
}
"""The methods that syntax calls without their names, and how it does."""
_CLAUSE: Final = re.compile(rb"\s*case\b[^\n\r]*[(\[{\\]")
_GIVEN: Final = re.compile(rb"(?:[\s\\]|#[^\n\r]*)*=(?!=)")
_WORD_BEFORE: Final = re.compile(rb"[\w\x80-\xff]\Z")
_LOADER: Final = LOADER.encode()


class AccessorWords:
    """The names of attributes, and a test of bytes for accesses to them."""

    def __init__(self, words: Iterable[str], *, files: int = 1) -> None:
        """Take the names that matter, to look for them in so many files.

        Names of classes among them are marked by `HEIRS_OF`; `asked` are all of them.
        """
        self.asked = frozenset(words)
        self.words = attributes_of(self.asked)
        self._heirs = tuple(name.encode() for name in classes_of(self.asked))
        self._names = sorted(self.words)
        self._special = {
            word: re.compile(SPECIAL[word].encode()) for word in self._names if word in SPECIAL
        }
        # They begin with few bytes, so that most of the others are passed over at once.
        self._patterns = [
            before + name.encode() + after
            for name in self._names
            for before, after in ((b".", b""), *_QUOTES)
        ]
        kind = Implementation.DFA if files > MANY else None
        self._automaton = BytesAhoCorasick(self._patterns, implementation=kind)

    @cached_property
    def _bare(self) -> BytesAhoCorasick:
        """What finds the names, whatever stands around them."""
        return BytesAhoCorasick([name.encode() for name in self._names])

    def accessed(self, data: bytes) -> frozenset[str]:
        """Return the names of the attributes that bytes may access, and `LOADER` if it is there.

        What an object reads from itself (`self.name`) is no access, unless the bytes name a class
        that it may inherit it from.
        """
        found = set(self._by_syntax(data))
        quoted: set[str] = set()
        own: set[str] = set()
        for index, start, end in self._automaton.find_matches_as_indexes(data, overlapping=True):
            number, is_quoted = divmod(index, _WAYS)
            word = self._names[number]
            if is_quoted:
                quoted.add(word)
            elif word not in found and _is_read(data, start, end):
                (own if _OWN.search(data, max(start - 5, 0), start) else found).add(word)
        if quoted and any(mark in data for mark in _BY_NAME):
            found |= quoted
        if own and any(name in data for name in self._heirs):
            found |= own
        return frozenset(found)

    def _by_syntax(self, data: bytes) -> Iterator[str]:
        """Yield what bytes may access without a dot or a text, and `LOADER` if it is there."""
        yield from (word for word, mark in self._special.items() if mark.search(data))
        if _LOADER in data:
            yield LOADER
        if _has_class_patterns(data):
            yield from self._matched(data)

    def _matched(self, data: bytes) -> Iterator[str]:
        """Yield the names that something is given, as class patterns give attributes a pattern."""
        for index, start, end in self._bare.find_matches_as_indexes(data, overlapping=True):
            if _GIVEN.match(data, end) and not _WORD_BEFORE.search(data, max(start - 1, 0), start):
                yield self._names[index]


def _has_class_patterns(data: bytes) -> bool:
    """Return whether a `case` begins a line and opens a bracket there, as a class pattern needs."""
    start = data.find(b"case") if b"match" in data else -1
    while start >= 0:
        begin = max(data.rfind(b"\n", 0, start), data.rfind(b"\r", 0, start)) + 1
        if _CLAUSE.match(data, begin):
            return True
        start = data.find(b"case", start + 1)
    return False


def _is_read(data: bytes, start: int, end: int) -> bool:
    """Return whether a name behind a dot may be an attribute that is read."""
    if not _AFTER.match(data, end):
        return False
    head = _IMPORT_HEAD.fullmatch(data, data.rfind(b"\n", 0, start) + 1, start)
    # In `from app.session import Session` it is a module, and nobody reads an attribute.
    return head is None or (head[1] is not None and not _IMPORT_REST.match(data, end))


def classes_of(asked: Iterable[str]) -> frozenset[str]:
    """Return the names of the classes among what is asked for."""
    return frozenset(word.removeprefix(HEIRS_OF) for word in asked if word.startswith(HEIRS_OF))


def attributes_of(asked: Iterable[str]) -> frozenset[str]:
    """Return the names of attributes among what is asked for."""
    return frozenset(word for word in asked if not word.startswith(HEIRS_OF))
