"""Which files can take a driver's object from another module of the project: seen in their bytes.

Such a file imports the module that carries the object, or the name of the object from a package;
both stand in an import statement, and the object's name stands somewhere in the file. The words come
from linking the project (`program`), never from a list kept by hand.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from ahocorasick_rs import BytesAhoCorasick

from dal_audit.extract.prefilter import in_import

_BEFORE: Final = b" \t\f\r\n,\\.("
_AFTER: Final = re.compile(rb"(?![\w\x80-\xff])")
_IMPORT: Final = re.compile(rb"\bimport[ \t\f\\\r\n]*\Z")
_ONLY_NAMES: Final = re.compile(rb"\bimport\b")
MAX_LIST: Final = 20_000
"""How many bytes back the opening parenthesis of an import's list of names is looked for."""

Carried = tuple[str, str]
"""A module's dotted name and a name in it, `*` for a module that hands on all it has."""


class Carriers:
    """The words by which drivers' objects travel, and a test of bytes for them."""

    def __init__(self, carried: Iterable[Carried]) -> None:
        """Take the modules and names that carry an object."""
        self.names_of: dict[bytes, set[bytes]] = {}
        self.names: set[bytes] = set()
        for module, name in carried:
            last = module.rpartition(".")[2].encode()
            self.names_of.setdefault(last, set()).add(name.encode())
            self.names.add(name.encode())
        words = sorted(self.names_of.keys() | self.names)
        self.words = frozenset(word.decode() for word in words)
        self._patterns = [bytes([before]) + word for word in words for before in _BEFORE]
        self._automaton = BytesAhoCorasick(self._patterns) if words else None

    def reach(self, data: bytes) -> bool:
        """Return whether a file with these bytes can take an object from a carrier."""
        if self._automaton is None:
            return False
        for index, start, end in self._automaton.find_matches_as_indexes(data, overlapping=True):
            if not _AFTER.match(data, end):
                continue
            word = self._patterns[index][1:]
            in_list = _in_list(data, start)
            if not in_list and not in_import(data, start):
                continue
            if in_list or word in self.names or _ONLY_NAMES.search(_line(data, start)):
                return True
            if any(name in data for name in self.names_of.get(word, ())):
                return True
        return False


def _line(data: bytes, position: int) -> bytes:
    start = max(data.rfind(b"\n", 0, position), data.rfind(b"\r", 0, position)) + 1
    return data[start : position + 1]


def _in_list(data: bytes, position: int) -> bool:
    """Return whether a position lies between the parentheses of `from … import (…)`."""
    opening = data.rfind(b"(", max(position - MAX_LIST, 0), position + 1)
    if opening < 0 or data.find(b")", opening, position) >= 0:
        return False
    return _IMPORT.search(data, max(opening - 64, 0), opening) is not None
