"""Which files can take a driver's object from another module of the project: seen in their bytes.

Such a file imports the module that carries the object, and mentions the object's name; or it imports
the module as a whole. The words come from linking the project (`program`), never from a list kept by
hand, and an import is held against the whole dotted name, a relative one by the file's own path.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from ahocorasick_rs import BytesAhoCorasick

_BEFORE: Final = b" \t\f\r\n,\\.("
_FROM: Final = (b"from .", b"from\t.", b"from\\")
_AFTER: Final = re.compile(rb"(?![\w\x80-\xff])")
_FROM_PACKAGE: Final = re.compile(rb"from[\s\\]+(\.[\s\\.]*)import\b")
_STATEMENT: Final = re.compile(
    rb"(?:\bfrom[\s\\]*(?P<module>[\w.\s\\]*?)[\s\\]*)?\bimport\b(?P<names>[\s\S]*)\Z"
)
_MODULE_ONLY: Final = re.compile(rb"\bfrom[\s\\]*(?P<module>[\w.\s\\]*)\Z")
_DOTTED: Final = re.compile(rb"[\w.]*\Z")
_SPACE: Final = re.compile(rb"[\s\\]+")
_LIST: Final = re.compile(rb"\bimport[ \t\f\\\r\n]*\(\Z")
MAX_LIST: Final = 50_000
"""How many bytes back the beginning of an import's list of names is looked for."""

Carried = tuple[str, str]
"""A module's dotted name and a name in it."""


class Carriers:
    """The modules and names by which drivers' objects travel, and a test of bytes for them."""

    def __init__(self, carried: Iterable[Carried]) -> None:
        """Take the modules and names that carry an object."""
        self.names_of: dict[str, set[bytes]] = {}
        words: set[str] = set()
        for module, name in carried:
            self.names_of.setdefault(module.replace(".", "/"), set()).add(name.encode())
            words |= {module.rpartition(".")[2], name}
        self.words = frozenset(words)
        self._by_last: dict[bytes, list[str]] = {}
        for module in self.names_of:
            self._by_last.setdefault(module.rpartition("/")[2].encode(), []).append(module)
        lasts = sorted(self._by_last)
        self._patterns = [bytes([before]) + last for last in lasts for before in _BEFORE]
        self._first_other = len(self._patterns)
        self._patterns += _FROM
        self._automaton = BytesAhoCorasick(self._patterns) if lasts else None

    def reach(self, path: str, data: bytes) -> bool:
        """Return whether a file of this path with these bytes can take an object from a carrier."""
        if self._automaton is None:
            return False
        for index, start, end in self._automaton.find_matches_as_indexes(data, overlapping=True):
            if index >= self._first_other:
                if self._from_package(path, data, start):
                    return True
            elif _AFTER.match(data, end) and self._from_module(path, data, index, start, end):
                return True
        return False

    def _from_package(self, path: str, data: bytes, start: int) -> bool:
        """Decide on `from . import name`, where the package's own name is not written."""
        found = _FROM_PACKAGE.match(data, start)
        if found is None:
            return False
        package = _upwards(path, found[1].count(b"."))
        return any(
            name in data for module in self._ending(package) for name in self.names_of[module]
        )

    def _from_module(self, path: str, data: bytes, index: int, start: int, end: int) -> bool:
        """Decide on a module's last name in what may be an import statement."""
        head = _head(data, start, end)
        if head is None:
            return False
        candidates = self._by_last[self._patterns[index][1:]]
        for target, is_whole in _targets(head, path):
            for module in candidates:
                if not _same(target, module):
                    continue
                if is_whole or any(name in data for name in self.names_of[module]):
                    return True
        return False

    def _ending(self, package: str) -> Iterator[str]:
        last = package.rpartition("/")[2].encode()
        return (module for module in self._by_last.get(last, ()) if _same(package, module))


def _same(target: str, module: str) -> bool:
    """Return whether two slashed names can mean one module, whatever root each counts from."""
    return target == module or target.endswith(f"/{module}") or module.endswith(f"/{target}")


def _upwards(path: str, level: int) -> str:
    """Return the package that `level` dots mean in a file of this path."""
    parts = path.split("/")[:-1]
    return "/".join(parts[: len(parts) - (level - 1)])


def _head(data: bytes, start: int, end: int) -> bytes | None:
    """Return the import statement up to a name in it; None where the name stands in none."""
    line = start + 1
    while True:
        line = max(data.rfind(b"\n", 0, line - 1), data.rfind(b"\r", 0, line - 1)) + 1
        before = data[:line].rstrip(b"\r\n") if line else b""
        if not line or not before.endswith(b"\\"):
            break
        line = len(before)
    head = data[line:end]
    if b"import" in head or b"from" in head:
        return head
    opening = data.rfind(b"(", max(start - MAX_LIST, 0), start + 1)
    if opening < 0 or data.find(b")", opening, start) >= 0:
        return None
    first = max(data.rfind(b"\n", 0, opening), data.rfind(b"\r", 0, opening)) + 1
    if _LIST.search(data, max(opening - 64, 0), opening + 1) is None:
        return None
    return data[first:end]


def _targets(head: bytes, path: str) -> Iterator[tuple[str, bool]]:
    """Yield the slashed names that an import's text, cut after a name, can mean by that name.

    With each comes whether the module itself is bound, and not only something in it.
    """
    only = _MODULE_ONLY.search(head)
    if only is not None:
        yield _slashed(only["module"], path), False
        return
    found = _STATEMENT.search(head)
    if found is None:
        return
    last = _DOTTED.search(found["names"])
    name = last[0] if last else b""
    module = found["module"]
    if module is None:
        yield _slashed(name, path), True
    else:
        whole = _SPACE.sub(b"", module)
        joined = whole + name if whole.endswith(b".") else whole + b"." + name
        yield _slashed(joined, path), True


def _slashed(dotted: bytes, path: str) -> str:
    """Return a dotted name with slashes; leading dots count from the file's package."""
    text = _SPACE.sub(b"", dotted).decode("utf-8", "replace")
    rest = text.lstrip(".")
    level = len(text) - len(rest)
    slashed = rest.replace(".", "/")
    if not level:
        return slashed
    package = _upwards(path, level)
    return f"{package}/{slashed}" if package else slashed
