"""Which files can take a driver's object from another module of the project: seen in their bytes.

Such a file imports the module that carries the object and mentions the object's name, or imports
the module as a whole, or reads the name as an attribute of the module. The words come from linking
the project (`program`), never from a list kept by hand, and an import is held against the whole
dotted name, a relative one by the file's own path.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from ahocorasick_rs import BytesAhoCorasick

_BEFORE: Final = b" \t\f\r\n,\\.("
_FROM: Final = tuple(b"from" + after for after in (b".", b"\\", b"\t", b"\f")) + tuple(
    b"from " + after for after in (b".", b"\\", b"\t", b"\f", b" ")
)
"""What `from . import name` can begin with, and `from package import name` hardly ever does."""
_AFTER: Final = re.compile(rb"(?![\w\x80-\xff])")
_FROM_PACKAGE: Final = re.compile(rb"from[\s\\]*(\.[\s\\.]*)import\b[\s\\]*(\*?)")
_STAR: Final = re.compile(rb"[\s\\]+import[\s\\]*\*")
_ATTRIBUTE: Final = re.compile(rb"[\s\\]*\.[\s\\]*([\w\x80-\xff]+)")
_MODULE: Final = re.compile(rb"[ .\w\x80-\xff]*")
_WORD: Final = re.compile(rb"[\w.\x80-\xff]+")
_SPACE: Final = re.compile(rb"[\s\\]+")
_NAMES: Final = re.compile(rb"[\w\s,\\\x80-\xff]*")
_OPENING: Final = re.compile(rb"\([\w\s,\\\x80-\xff]*\Z")
_IMPORT_LIST: Final = re.compile(rb"\bimport[\s\\]*\Z")
_BACKSLASH: Final = ord("\\")
MAX_STATEMENT: Final = 10_000
"""How many bytes back the beginning of an import's line is looked for."""

Carried = tuple[str, str]
"""A module's dotted name and a name in it."""


class Carriers:
    """The modules and names by which drivers' objects travel, and a test of bytes for them."""

    def __init__(self, carried: Iterable[Carried]) -> None:
        """Take the modules and names that carry an object."""
        self.names_of: dict[str, set[bytes]] = {}
        words: set[str] = set()
        for module, name in carried:
            self.names_of.setdefault(module.replace(".", "/"), set()).add(_bytes(name))
            words |= {*module.split("."), name}
        self.words = frozenset(words)
        self._by_last: dict[bytes, list[str]] = {}
        for module in self.names_of:
            self._by_last.setdefault(_bytes(module.rpartition("/")[2]), []).append(module)
        lasts = sorted(self._by_last)
        self._patterns = [bytes([before]) + last for last in lasts for before in _BEFORE]
        self._first_other = len(self._patterns)
        self._patterns += _FROM
        self._automaton = BytesAhoCorasick(self._patterns) if lasts else None

    def reach(self, path: str, data: bytes) -> bool:
        """Return whether a file of this path with these bytes can take an object from a carrier."""
        if self._automaton is None:
            return False
        statements = _Statements(data)
        for index, start, end in self._automaton.find_matches_as_indexes(data, overlapping=True):
            if index >= self._first_other:
                if self._from_package(path, data, start):
                    return True
            elif _AFTER.match(data, end) and self._from_module(path, statements, index, start, end):
                return True
        return False

    def _from_package(self, path: str, data: bytes, start: int) -> bool:
        """Decide on `from . import name`, where the package's own name is not written."""
        found = _FROM_PACKAGE.match(data, start)
        if found is None:
            return False
        package = _upwards(path, found[1].count(b"."))
        return any(
            found[2] or name in data
            for module in self._ending(package)
            for name in self.names_of[module]
        )

    def _from_module(
        self, path: str, statements: _Statements, index: int, start: int, end: int
    ) -> bool:
        """Decide on a module's last name in what may be an import, or a part of a dotted name."""
        data = statements.data
        candidates = self._by_last[self._patterns[index][1:]]
        if self._patterns[index].startswith(b"."):
            read = _ATTRIBUTE.match(data, end)
            if read is not None and any(read[1] in self.names_of[module] for module in candidates):
                return True
        return any(
            self._takes(data, end, module, is_whole=is_whole)
            for head in statements.heads(start, end)
            for target, is_whole in _targets(head, path)
            for module in candidates
            if _same(target, module)
        )

    def _takes(self, data: bytes, end: int, module: str, *, is_whole: bool) -> bool:
        """Return whether an import of a module, whose name ends here, brings one of its names."""
        return (
            is_whole
            or _STAR.match(data, end) is not None
            or any(name in data for name in self.names_of[module])
        )

    def _ending(self, package: str) -> Iterator[str]:
        last = _bytes(package.rpartition("/")[2])
        return (module for module in self._by_last.get(last, ()) if _same(package, module))


def _bytes(name: str) -> bytes:
    """Return a name as source spells it.

    A path that is no UTF-8 (PEP 383) gives bytes that no source holds: no statement can name it.
    """
    return name.encode("utf-8", "surrogatepass")


def _same(target: str, module: str) -> bool:
    """Return whether two slashed names can mean one module, whatever root each counts from.

    A target that begins with a slash counts from the project's folder.
    """
    return target == module or target.endswith(f"/{module}") or module.endswith(f"/{target}")


def _upwards(path: str, level: int) -> str:
    """Return the package that `level` dots mean in a file of this path, with a slash before it."""
    parts = ["", *path.split("/")[:-1]]
    return "/".join(parts[: max(len(parts) - (level - 1), 1)])


class _Statements:
    """The import statements of one file, looked for backwards from the names in them."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.openings: dict[int, int | None] = {}
        """For each line that holds nothing but names, where the list that it lies in is opened."""

    def heads(self, start: int, end: int) -> Iterator[bytes]:
        """Yield what may be an import up to a name in it: its own line, or its list's opening."""
        line = self.line_start(start + 1)
        head = self.data[max(line, end - MAX_STATEMENT) : end]
        if b"import" in head or b"from" in head:
            yield head
        if _NAMES.fullmatch(head[:-1]):
            opening = self.opening(line)
            if opening is not None:
                before = self.data[self.line_start(opening) : opening]
                yield before + self.data[start:end]

    def line_start(self, position: int) -> int:
        """Return where the line at a position begins, with the lines that it continues."""
        data, first = self.data, position - MAX_STATEMENT
        while True:
            newline = data.rfind(b"\n", 0, position)
            line = max(newline, data.rfind(b"\r", newline + 1, position)) + 1
            last = line - 2 if data[max(line - 2, 0) : line] == b"\r\n" else line - 1
            if last < max(first, 1) or data[last - 1] != _BACKSLASH:
                return line
            position = last

    def opening(self, line: int) -> int | None:
        """Return where the list of an import is opened that a line of names lies in.

        Between the parentheses stand names, commas and comments: the first line above that holds
        anything else decides.
        """
        data, passed, found = self.data, [], None
        while line and line not in self.openings:
            passed.append(line)
            last = line - 1
            newline = data.rfind(b"\n", 0, last)
            line = max(newline, data.rfind(b"\r", newline + 1, last)) + 1
            names = data[line:last].partition(b"#")[0]
            if _NAMES.fullmatch(names):
                continue
            opening = _OPENING.search(names)
            if opening is not None:
                before = data[self.line_start(line + opening.start()) : line + opening.start()]
                found = line + opening.start() if _IMPORT_LIST.search(before) else None
            break
        else:
            found = self.openings.get(line)
        self.openings.update(dict.fromkeys(passed, found))
        return found


def _targets(head: bytes, path: str) -> Iterator[tuple[str, bool]]:
    """Yield the slashed name that an import's text, cut after a name, can mean by that name.

    With it comes whether the module itself is bound, and not only something in it.
    """
    text = _SPACE.sub(b" ", head).rpartition(b";")[2]
    before, names = _cut(text, b"import")
    if names is None:
        _, module = _cut(text, b"from")
        if module is not None and _MODULE.fullmatch(module):
            yield _slashed(module, path), False
        return
    name = _WORD.findall(names.replace(b" .", b".").replace(b". ", b"."))[-1:]
    _, module = _cut(before, b"from")
    if module is None or not _MODULE.fullmatch(module):
        yield from ((_slashed(last, path), True) for last in name)
    else:
        whole = module.replace(b" ", b"")
        dot = b"" if whole.endswith(b".") else b"."
        yield from ((_slashed(whole + dot + last, path), True) for last in name)


def _cut(text: bytes, word: bytes) -> tuple[bytes, bytes | None]:
    """Split a text at the last place where a word stands; None where it does not."""
    position = text.rfind(word)
    while position >= 0:
        after = position + len(word)
        if _AFTER.match(text, after) and not _WORD.match(text[max(position - 1, 0) : position]):
            return text[:position], text[after:]
        position = text.rfind(word, 0, position)
    return text, None


def _slashed(dotted: bytes, path: str) -> str:
    """Return a dotted name with slashes; leading dots count from the file's package."""
    text = _SPACE.sub(b"", dotted).decode("utf-8", "replace")
    rest = text.lstrip(".")
    level = len(text) - len(rest)
    slashed = rest.replace(".", "/")
    if not level:
        return slashed
    return f"{_upwards(path, level)}/{slashed}"
