"""Which files read an attribute that matters: seen in their bytes, before any parser sees them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

from ahocorasick_rs import BytesAhoCorasick, Implementation

from dal_audit.extract.python.prefilter.driver_marks import MANY
from dal_audit.facts import HEIRS_OF

_AFTER: Final = re.compile(rb"(?![\w\x80-\xff])")
_OWN: Final = re.compile(rb"(?<![\w.\x80-\xff])self\Z")
_IMPORT_HEAD: Final = re.compile(rb"[ \t]*(?:import[ \t]+[\w., \t]*|(from)[ \t]+[\w.]*)")
_IMPORT_REST: Final = re.compile(rb"[\w.]*[ \t]+import\b")
_BY_NAME: Final = (b"getattr", b"attrgetter", b"methodcaller", b"__dict__", b"vars")
SPECIAL: Final[Mapping[str, str]] = {
    "__enter__": r"\bwith\b",
    "__aenter__": r"\bwith\b",
    "__iter__": r"\bfor\b",
    "__aiter__": r"\bfor\b",
    "__call__": r"[\w)\]]\s*\(",
    "__getitem__": r"[\w)\]]\s*\[",
}
"""The methods that syntax calls without their names, and how it does."""
_MATCHING: Final = (b"match", b"case")


class AccessorWords:
    """The names of attributes, and a test of bytes for an access to one of them."""

    def __init__(self, words: Iterable[str], *, files: int = 1) -> None:
        """Take the names that matter, to look for them in so many files.

        Names of classes among them are marked by `HEIRS_OF`; `asked` are all of them.
        """
        self.asked = frozenset(words)
        self.words = attributes_of(self.asked)
        self._heirs = classes_of(self.asked)
        names = sorted(word.encode() for word in self.words)
        self._patterns = [
            *(b"." + name for name in names),
            *(quote + name + quote for name in names for quote in (b'"', b"'")),
        ]
        self._first_quoted = len(names)
        marks = {SPECIAL[word] for word in self.words if word in SPECIAL}
        self._special = re.compile("|".join(sorted(marks)).encode()) if marks else None
        named = "|".join(map(re.escape, sorted(self.words)))
        self._matched = re.compile(rf"\b(?:{named})\s*=(?!=)".encode())
        kind = Implementation.DFA if files > MANY else None
        self._automaton = BytesAhoCorasick(self._patterns, implementation=kind) if names else None

    def accessed(self, data: bytes) -> bool:
        """Return whether bytes hold an access to one of the attributes.

        What an object reads from itself (`self.name`) is none, unless the bytes name a class that
        it may inherit it from.
        """
        if self._automaton is None:
            return False
        if self._special is not None and self._special.search(data):
            return True
        if all(word in data for word in _MATCHING) and self._matched.search(data):
            return True
        by_name: bool | None = None
        inherits: bool | None = None
        for index, start, end in self._automaton.find_matches_as_indexes(data, overlapping=True):
            if index >= self._first_quoted:
                if by_name is None:
                    by_name = any(mark in data for mark in _BY_NAME)
                if by_name:
                    return True
            elif _is_read(data, start, end):
                if not _OWN.search(data, max(start - 5, 0), start):
                    return True
                if inherits is None:
                    inherits = any(name.encode() in data for name in self._heirs)
                if inherits:
                    return True
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
