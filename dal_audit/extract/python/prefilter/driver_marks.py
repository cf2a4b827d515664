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
from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Final, Literal, NamedTuple, TypeAlias

from ahocorasick_rs import BytesAhoCorasick, Implementation

from dal_audit.catalogue.drivers import Catalogue
from dal_audit.catalogue.url_schemes import schemes_in_force
from dal_audit.extract.python.prefilter.class_name_marks import NAME_MARKS, compares_class_name
from dal_audit.extract.python.prefilter.sql_marks import (
    READERS_BY_NAME,
    begins_call,
    begins_execution,
    construction_marks,
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
    b"lazy_loader",
    b"dottedname",
    b"builtins",
)
"""Names without which no module is imported at run time (`python.LOADERS` reads them)."""

_EXECUTORS: Final = (b"exec", b"eval")
_MODULES: Final = b"modules"
_SYS: Final = re.compile(rb"sys\b(?<!\wsys)")
"""The name of the module; what begins with letters is found ten times as fast."""
_WORD: Final = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")
_DOT: Final = ord(".")
_IMPORTING: Final = re.compile(rb"\b(?:import|from)\b")
_DOTTED: Final = re.compile(rb"\.[A-Za-z_]")
"""What follows a module's name in a string annotation such as `"sqlite3.Connection"`."""
_TWO_WORDS: Final = re.compile(rb"\w\s+\w")
"""What stands between the names of no annotation: code, or prose."""


def _holds_any(*words: bytes) -> Callable[[bytes], bool]:
    """Return the test whether bytes hold one of some words."""
    return lambda data: any(word in data for word in words)


_ONLY_WITH: Final[Mapping[bytes, Callable[[bytes], bool]]] = {
    b"importlib": _holds_any(b"import_", b"load_module", b"from_spec", *READERS_BY_NAME),
    b"builtins": _holds_any(*_EXECUTORS, b"__import__", *READERS_BY_NAME),
    _MODULES: lambda data: _SYS.search(data) is not None,
}
"""Marks of imports at run time that are none in a file that fails a test.

It is asked once a file, as a generated one names `builtins` in each line.
"""
MANY: Final = 1000
"""Of so many files the search is worth an automaton that is faster and takes longer to make."""

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


_NO_SIGNALS: Final = ByteSignals(*[False] * 6)

Kind: TypeAlias = Literal[
    "names", "loads", "urls", "executes", "constructs", "suppresses", "names_classes"
]


class Prefilter:
    """Decides from the bytes of Python source whether its syntax must be read."""

    def __init__(self, catalogue: Catalogue, *, files: int = 1) -> None:
        """Build the automaton from the catalogue in force, for so many files."""
        self._below = _trie(catalogue.by_module)
        self._tops = list(self._below)
        self._rest: dict[str, re.Pattern[bytes]] = {}
        helpers = tuple(name.rpartition(".")[2].encode() for name in catalogue.import_helpers)
        marks: dict[Kind, Sequence[bytes]] = {
            "names": [top.encode() for top in self._tops],
            "loads": (*_EXECUTORS, _MODULES, *DYNAMIC_MARKS, *helpers),
            "urls": url_marks(schemes_in_force(catalogue)),
            "executes": execute_marks(),
            "constructs": construction_marks(),
            "suppresses": (SUPPRESSION_MARK,),
            "names_classes": NAME_MARKS,
        }
        self._patterns = [mark for several in marks.values() for mark in several]
        self._kinds = [kind for kind, several in marks.items() for _ in several]
        self._only_with = {
            index: _ONLY_WITH[mark]
            for index, mark in enumerate(self._patterns)
            if mark in _ONLY_WITH
        }
        self._holds: dict[Kind, Callable[[int, int, int, bytes], bool]] = {
            "names": self._names,
            "loads": self._loads,
            "urls": lambda _index, _start, _end, _data: True,
            "executes": lambda _index, start, _end, data: begins_execution(data, start),
            "constructs": lambda _index, _start, end, data: begins_call(data, end),
            "suppresses": lambda _index, _start, _end, _data: True,
            "names_classes": lambda _index, start, end, data: compares_class_name(data, start, end),
        }
        # A search by it takes half the time, and to make it twelve times as long.
        kind = Implementation.DFA if files > MANY else None
        self._automaton = BytesAhoCorasick(self._patterns, implementation=kind)

    def signals(self, data: bytes, importing: Sequence[str] | None = None) -> ByteSignals:
        """Return what source that is made `searchable` is to be searched for.

        `importing` are its import statements, if they are known: what only looks like one is none.
        """
        found = self._kinds_in(data)
        if "names" in found and importing is not None:
            imports = "\n".join(importing).encode("utf-8", "replace")
            if "names" not in self._kinds_in(imports) and not self._annotates(data):
                found.discard("names")
        return _confirmed(found, data, importing) if found else _NO_SIGNALS

    def _kinds_in(self, data: bytes) -> set[Kind]:
        found: set[Kind] = set()
        vain: set[int] = set()
        for index, start, end in self._automaton.find_matches_as_indexes(data, overlapping=True):
            kind = self._kinds[index]
            if kind in found or index in vain:
                continue
            if index in self._only_with and not self._only_with[index](data):
                vain.add(index)
            elif self._holds[kind](index, start, end, data):
                found.add(kind)
        return found

    def _annotates(self, data: bytes) -> bool:
        """Return whether a driver's module may stand in a string annotation."""
        found = self._automaton.find_matches_as_indexes(data, overlapping=True)
        return any(
            index < len(self._tops)
            and _DOTTED.match(data, end) is not None
            and self._is_driver(index, start, end, data)
            and _in_annotation(data, start, end)
            for index, start, end in found
        )

    def _names(self, index: int, start: int, end: int, data: bytes) -> bool:
        """Return whether a driver's first name is a driver's module in an import or annotation."""
        return self._is_driver(index, start, end, data) and (
            in_import(data, start - 1) or _in_annotation(data, start, end)
        )

    def _is_driver(self, index: int, start: int, end: int, data: bytes) -> bool:
        """Return whether a driver's first name is a driver's module, where one may be named."""
        may_be = start and data[start - 1] in _BEFORE_MODULE
        return bool(may_be) and self._rest_of(self._tops[index]).match(data, end) is not None

    def _rest_of(self, top: str) -> re.Pattern[bytes]:
        """Return what must follow a first name; few files name more than a few of them."""
        if top not in self._rest:
            below = self._below[top]
            self._rest[top] = _AFTER_MODULE if "" in below else re.compile(_rest_pattern(below))
        return self._rest[top]

    def _loads(self, index: int, start: int, _end: int, data: bytes) -> bool:
        """Return whether a mark of imports at run time may stand for one."""
        pattern = self._patterns[index]
        if pattern != _MODULES and pattern not in _EXECUTORS:
            return True
        end = start + len(pattern)
        before = data[start - 1] if start else 0
        if before in _WORD or (end < len(data) and data[end] in _WORD):
            return False
        # A method (`model.eval()`) is another thing; `builtins.exec` has a mark of its own.
        return pattern == _MODULES or before != _DOT


def _in_annotation(data: bytes, start: int, end: int) -> bool:
    """Return whether a module's name can stand in a text that is read as a type.

    Between the quote and the name stand other names and brackets, but never one word after another.
    """
    if _DOTTED.match(data, end) is None:
        return False
    quote = max(data.rfind(b'"', 0, start), data.rfind(b"'", 0, start))
    return quote >= 0 and _TWO_WORDS.search(data, quote + 1, start + 1) is None


def _confirmed(
    found: AbstractSet[Kind], data: bytes, importing: Sequence[str] | None
) -> ByteSignals:
    """Return what holds of what was found: what runs SQL needs some, and a maker of SQL its name.

    What makes SQL is a driver's own: imported from it, or read of an object of it.
    """
    names = "names" in found
    return ByteSignals(
        names,
        executes="executes" in found and opens_sql(data),
        constructs=(names and names_constructor(data, importing))
        or ("constructs" in found and opens_sql(data)),
        loads="loads" in found,
        urls="urls" in found,
        suppresses="suppresses" in found,
        names_classes="names_classes" in found,
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
    return rb"(?:" + _GAP + rb"\." + _GAP + rb"(?:" + deeper + rb")|" + _GAP + rb"(?:import|as)\b)"


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
