"""Rule files out by their bytes, before any parser sees them.

A file matters to the rules only if it names a driver in an import statement, holds one of the names
by which code imports at run time, an execute-like call and a word that SQL begins with, the scheme
of a database URL, or a suppression. All of them show in the bytes, so one pass of an
Aho-Corasick automaton over a file settles nine files in ten. Computed from the catalogue, never
kept by hand; the tests audit every example and fixture with and without it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import Final, NamedTuple, TypeAlias

from ahocorasick_rs import BytesAhoCorasick

from dal_audit.catalogue.drivers import Catalogue
from dal_audit.catalogue.url_schemes import schemes_in_force
from dal_audit.extract.python.prefilter.sql_marks import (
    begins_execution,
    calls_constructor,
    execute_marks,
    names_constructor,
    opens_sql,
    url_marks,
)
from dal_audit.extract.source import ASCII_SUPERSETS, declared_encoding, decode

_BEFORE_MODULE: Final = frozenset(b" \t\f\r\n,\\" + b"\"'[|(")
"""What can stand before a module's name in an import statement, and in a string annotation."""

_AFTER_MODULE: Final = re.compile(rb"(?![\w\x80-\xff])")
"""What follows the name of a driver's module."""

SUPPRESSION_MARK: Final = b"dal-audit:"

DYNAMIC_MARKS: Final = (
    b"importlib",
    b"import_module",
    b"__import__",
    b"resolve_name",
    b"module_from_spec",
    b"load_module",
    b"run_module",
    b"pydoc",
    b"import_string",
    b"importorskip",
    b"builtins",
)
"""Names without which no module is imported at run time (`python.LOADERS` reads them)."""

_EXECUTORS: Final = (b"exec", b"eval")
_MODULES: Final = b"modules"
_WORD: Final = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")
_DOT: Final = ord(".")
_IMPORTING: Final = re.compile(rb"\b(?:import|from)\b")
_DOTTED: Final = re.compile(rb"\.[A-Za-z_]")
"""What follows a module's name in a string annotation such as `"sqlite3.Connection"`."""
_CLASS_NAME: Final = re.compile(rb"(?:__class__|type\s*\([^()]*\))\s*\.\s*__(?:qual)?name__")
"""The name of an object's class, which tells one backend from another."""
_GAP: Final = rb"[ \t\f\r\n\\]*"


Trie: TypeAlias = dict[str, "Trie"]
"""Modules by their components; `""` is where a driver's module ends."""


class ByteSignals(NamedTuple):
    """What a file may hold.

    That is a driver in an import or a string annotation, SQL in execute-like calls, functions that
    make SQL, modules that are loaded by a name made at run time, database URLs, suppressions, and
    the names of objects' classes.
    """

    names: bool
    executes: bool
    constructs: bool
    loads: bool
    urls: bool
    suppresses: bool
    names_classes: bool = False

    def __bool__(self) -> bool:
        """Return whether a rule could find anything."""
        return any(tuple(self))


class Prefilter:
    """Decides from the bytes of Python source whether its syntax must be read."""

    def __init__(self, catalogue: Catalogue) -> None:
        """Build the automaton from the catalogue in force."""
        self._below = _trie(catalogue.by_module)
        self._tops = list(self._below)
        self._rest: dict[str, re.Pattern[bytes]] = {}
        helpers = tuple(name.rpartition(".")[2].encode() for name in catalogue.import_helpers)
        self._patterns = [top.encode() for top in self._tops]
        self._first_other = len(self._patterns)
        self._patterns += [*_EXECUTORS, _MODULES, *DYNAMIC_MARKS, *helpers]
        self._first_url = len(self._patterns)
        self._patterns += url_marks(schemes_in_force(catalogue))
        self._first_execute = len(self._patterns)
        self._patterns += execute_marks()
        self._comment = len(self._patterns)
        self._patterns.append(SUPPRESSION_MARK)
        self._automaton = BytesAhoCorasick(self._patterns)

    def signals(self, data: bytes) -> ByteSignals:
        """Return what source that is made `searchable` is to be searched for."""
        names = executes = loads = urls = suppresses = False
        for index, start, end in self._automaton.find_matches_as_indexes(data, overlapping=True):
            if index < self._first_other:
                names = names or self._names(index, start, end, data)
            elif index < self._first_url:
                loads = loads or self._other(index, start, data)
            elif index < self._first_execute:
                urls = True
            elif index < self._comment:
                executes = executes or begins_execution(data, start)
            else:
                suppresses = True
        return _confirmed(ByteSignals(names, executes, names, loads, urls, suppresses), data)

    def _names(self, index: int, start: int, end: int, data: bytes) -> bool:
        """Return whether a driver's first name is a driver's module in an import or annotation."""
        if not start or data[start - 1] not in _BEFORE_MODULE:
            return False
        return self._rest_of(self._tops[index]).match(data, end) is not None and (
            in_import(data, start - 1) or _DOTTED.match(data, end) is not None
        )

    def _rest_of(self, top: str) -> re.Pattern[bytes]:
        """Return what must follow a first name; few files name more than a few of them."""
        if top not in self._rest:
            below = self._below[top]
            self._rest[top] = _AFTER_MODULE if "" in below else re.compile(_rest_pattern(below))
        return self._rest[top]

    def _other(self, index: int, start: int, data: bytes) -> bool:
        pattern = self._patterns[index]
        if pattern == _MODULES:
            return b"sys" in data and not (start and data[start - 1] in _WORD)
        if pattern in _EXECUTORS:
            # A method (`model.eval()`) is another thing; `builtins.exec` has a mark of its own.
            end = start + len(pattern)
            is_longer = end < len(data) and data[end] in _WORD
            before = data[start - 1] if start else 0
            return not is_longer and before not in _WORD and before != _DOT
        return True


def _confirmed(found: ByteSignals, data: bytes) -> ByteSignals:
    """Return what holds of what was found: what runs SQL needs some, and a maker of SQL its name.

    What makes SQL is a driver's own: imported from it, or read of an object of it.
    """
    return found._replace(
        executes=found.executes and opens_sql(data),
        constructs=names_constructor(data) and (found.constructs or calls_constructor(data)),
        names_classes=_CLASS_NAME.search(data) is not None,
    )


def searchable_text(text: str) -> bytes:
    """Return the same of text that was decoded, or never was bytes."""
    return unicodedata.normalize("NFKC", text).encode("utf-8", "replace")


def searchable(data: bytes) -> bytes:
    """Return bytes in which a search for ASCII text finds what Python would read there.

    Raises UndecodableError where the bytes are no text.
    """
    encoding = declared_encoding(data)
    if data.isascii() and encoding in ASCII_SUPERSETS and b"\0" not in data:
        return data
    text = decode(data)
    # Python compares identifiers in NFKC (language reference, "Identifiers and keywords"):
    # an import in full-width letters imports the module of the plain name.
    if encoding == "utf-8" and unicodedata.is_normalized("NFKC", text):
        return data
    return unicodedata.normalize("NFKC", text).encode("utf-8")


def _trie(modules: Iterable[str]) -> Trie:
    """Return modules as a trie of their components."""
    trie: Trie = {}
    for module in modules:
        node = trie
        for part in module.split("."):
            node = node.setdefault(part, {})
        node[""] = {}
    return trie


def _rest_pattern(below: Trie) -> bytes:
    """Return a pattern for what must follow a module's first component to reach a driver."""
    if "" in below:
        return _AFTER_MODULE.pattern
    deeper = b"|".join(
        re.escape(part.encode()) + _rest_pattern(rest) for part, rest in sorted(below.items())
    )
    return rb"(?:" + _GAP + rb"\." + _GAP + rb"(?:" + deeper + rb")|" + _GAP + rb"import\b)"


def in_import(data: bytes, position: int) -> bool:
    """Return whether `import` or `from` stands before a position in its logical line."""
    start = position
    while True:
        start = max(data.rfind(b"\n", 0, start), data.rfind(b"\r", 0, start))
        if _IMPORTING.search(data, max(start, 0), position + 1):
            return True
        if data[max(start - 1, 0) : start] == b"\r":
            start -= 1
        if start <= 0 or data[start - 1 : start] != b"\\":
            return False
