"""Which files read an attribute that matters: seen in their bytes, before any parser sees them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

from ahocorasick_rs import BytesAhoCorasick, Implementation

from dal_audit.extract.python.prefilter.driver_marks import MANY
from dal_audit.facts import HEIRS_OF, LOADER

_AFTER: Final = re.compile(rb"(?![\w\x80-\xff])")
_OWN: Final = re.compile(rb"(?<![\w.\x80-\xff])self\Z")
_IMPORT_HEAD: Final = re.compile(rb"[ \t]*(?:import[ \t]+[\w., \t]*|(from)[ \t]+[\w.]*)")
_IMPORT_REST: Final = re.compile(rb"[\w.]*[ \t]+import\b")
_BY_NAME: Final = (b"getattr", b"attrgetter", b"methodcaller", b"__dict__", b"vars")
_QUOTES: Final = (b'"', b"'")
SPECIAL: Final[Mapping[str, str]] = {
    "__enter__": r"\bwith\b",
    "__aenter__": r"\bwith\b",
    "__iter__": r"\bfor\b",
    "__aiter__": r"\bfor\b",
    "__call__": r"[\w)\]]\s*\(",
    "__getitem__": r"[\w)\]]\s*\[",
}
"""The methods that syntax calls without their names, and how it does."""
_CASE: Final = re.compile(rb"case(?![\w\x80-\xff])")


class AccessorWords:
    """The names of attributes, and a test of bytes for accesses to them."""

    def __init__(self, words: Iterable[str], *, files: int = 1) -> None:
        """Take the names that matter, to look for them in so many files.

        Names of classes among them are marked by `HEIRS_OF`; `asked` are all of them.
        """
        self.asked = frozenset(words)
        self.words = attributes_of(self.asked)
        self._heirs = tuple(name.encode() for name in classes_of(self.asked))
        names = sorted(self.words)
        self._named = [*names, *(name for name in names for _quote in _QUOTES), LOADER]
        self._patterns = [
            *(b"." + name.encode() for name in names),
            *(quote + name.encode() + quote for name in names for quote in _QUOTES),
            LOADER.encode(),
        ]
        self._first_quoted = len(names)
        self._special = {
            word: re.compile(SPECIAL[word].encode()) for word in names if word in SPECIAL
        }
        named = "|".join(map(re.escape, names))
        self._matched = re.compile(rf"\b({named})\s*=(?!=)".encode())
        kind = Implementation.DFA if files > MANY else None
        self._automaton = BytesAhoCorasick(self._patterns, implementation=kind)

    def accessed(self, data: bytes) -> frozenset[str]:
        """Return the names of the attributes that bytes may access, and `LOADER` if it is there.

        What an object reads from itself (`self.name`) is no access, unless the bytes name a class
        that it may inherit it from.
        """
        found = {word for word, mark in self._special.items() if mark.search(data)}
        if self.words and _has_cases(data):
            found.update(name.decode() for name in self._matched.findall(data))
        by_name: bool | None = None
        inherits: bool | None = None
        for index, start, end in self._automaton.find_matches_as_indexes(data, overlapping=True):
            word = self._named[index]
            if word in found:
                continue
            if index >= self._first_quoted:
                if by_name is None:
                    by_name = any(mark in data for mark in _BY_NAME)
                if by_name or word == LOADER:
                    found.add(word)
            elif _is_read(data, start, end):
                of_self = _OWN.search(data, max(start - 5, 0), start)
                if of_self and inherits is None:
                    inherits = any(name in data for name in self._heirs)
                if inherits or not of_self:
                    found.add(word)
        return frozenset(found)


def _has_cases(data: bytes) -> bool:
    """Return whether a `case` begins a line, as each part of a `match` does."""
    return b"match" in data and any(
        not data[max(data.rfind(b"\n", 0, start), data.rfind(b"\r", 0, start)) + 1 : start].strip()
        for start in (found.start() for found in _CASE.finditer(data))
    )


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
