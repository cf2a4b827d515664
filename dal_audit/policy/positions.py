"""Where the keys and values of a TOML document stand.

`tomli` tells no positions, so this scans the text once more, on demand and only after `tomli`
has accepted it: the scanner can be lenient, since it never decides what is valid. The grammar is
TOML 1.1 (toml.io/en/v1.1.0), which holds 1.0: newlines and a last comma in inline tables.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from functools import lru_cache
from typing import Final, TypeAlias

from dal_audit.facts import Span

KeyPath: TypeAlias = tuple[str | int, ...]
"""The way to a value: keys of tables and indexes of arrays."""

_Range: TypeAlias = tuple[int, int]

_TRIVIA: Final = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_BLANKS: Final = re.compile(r"[ \t]*")
_KEY: Final = re.compile(r'"(?:[^"\\]|\\.)*"|\'[^\']*\'|[^\s.=\[\]{}"\',#]+')
_SCALAR: Final = re.compile(
    r'"""(?:[^"\\]|\\[\s\S]|"{1,2}(?!"))*"{3,5}'
    r"|'''(?:[^']|'{1,2}(?!'))*'{3,5}"
    r'|"(?:[^"\\]|\\.)*"'
    r"|'[^']*'"
    r"|\d{4}-\d\d-\d\d \d\d:[^\s,\]}#]*"
    r"|[^\s,\]}#]+"
)
_CLOSER: Final = {"[": "]", "{": "}"}


class Places:
    """The places of all keys and values of one document.

    A value's place is its text. A table made by a header has the header as its place (`[ci]`,
    `[[waivers]]`), an array of tables that of its first header, and a table that only a dotted key
    or a longer header implies has that part of it.
    """

    def __init__(self, text: str) -> None:
        """Scan a document that `tomli` accepts."""
        self._text = text
        self._lines = [0, *(match.end() for match in re.finditer("\n", text))]
        scanner = _Scanner(text)
        scanner.document()
        self.keys: Final = scanner.keys
        self.values: Final = scanner.values

    def key(self, path: KeyPath) -> Span | None:
        """Return the place of the key that a path ends in."""
        return self._span(self.keys.get(path))

    def value(self, path: KeyPath) -> Span | None:
        """Return the place of the value that a path leads to."""
        return self._span(self.values.get(path))

    def _span(self, found: _Range | None) -> Span | None:
        if found is None:
            return None
        line, column = self.point(found[0])
        end_line, end_column = self.point(found[1])
        return Span(line, column, end_line, end_column)

    def point(self, offset: int) -> tuple[int, int]:
        """Return the line and the UTF-16 column of an offset, both 1-based."""
        line = bisect_right(self._lines, offset)
        before = self._text[self._lines[line - 1] : offset]
        return line, utf16_length(before) + 1


def utf16_length(text: str) -> int:
    """Count the UTF-16 code units of a text."""
    return len(text) if text.isascii() else len(text) + sum(char > "\uffff" for char in text)


@lru_cache(maxsize=4)
def places_of(text: str) -> Places:
    """Scan a document, once however often its places are asked for."""
    return Places(text)


class _Container:
    """An array or inline table whose end has not been reached."""

    def __init__(self, path: KeyPath, start: int, closer: str) -> None:
        self.path = path
        self.start = start
        self.closer = closer
        self.size = 0


class _Scanner:
    """One pass over a document; nesting is kept on a list, so depth is no danger."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.offset = 0
        self.keys: dict[KeyPath, _Range] = {}
        self.values: dict[KeyPath, _Range] = {}
        self.tables: dict[KeyPath, int] = {}

    def document(self) -> None:
        table: KeyPath = ()
        while self._next():
            if self._char() == "[":
                table = self._header()
            else:
                self._value(self._key(table))

    def _next(self) -> bool:
        self._skip(_TRIVIA)
        return self.offset < len(self.text)

    def _char(self) -> str:
        return self.text[self.offset]

    def _skip(self, pattern: re.Pattern[str]) -> _Range:
        match = pattern.match(self.text, self.offset)
        if match is None:
            message = f"not TOML at offset {self.offset}"
            raise ValueError(message)
        self.offset = match.end()
        return match.span()

    def _header(self) -> KeyPath:
        start = self.offset
        brackets = 2 if self.text.startswith("[[", start) else 1
        self.offset += brackets
        parts = self._dotted()
        self.offset += brackets
        place = (start, self.offset)
        path: KeyPath = ()
        for part, where in parts[:-1]:
            path = self._within((*path, part), where)
        last, where = parts[-1]
        path = (*path, last)
        self.keys.setdefault(path, where)
        if brackets == 1:
            self.values[path] = place
            return path
        self.values.setdefault(path, place)
        index = self.tables.get(path, 0)
        self.tables[path] = index + 1
        path = (*path, index)
        self.values[path] = place
        return path

    def _within(self, path: KeyPath, where: _Range) -> KeyPath:
        """Step into a table that a header goes through, of an array of tables the last one."""
        self.keys.setdefault(path, where)
        self.values.setdefault(path, where)
        size = self.tables.get(path)
        return path if size is None else (*path, size - 1)

    def _dotted(self) -> list[tuple[str, _Range]]:
        """Read a dotted key up to the `=` or `]` that ends it."""
        parts: list[tuple[str, _Range]] = []
        while True:
            self._skip(_BLANKS)
            place = self._skip(_KEY)
            parts.append((_key_text(self.text[slice(*place)]), place))
            self._skip(_BLANKS)
            if self._char() != ".":
                return parts
            self.offset += 1

    def _key(self, table: KeyPath) -> KeyPath:
        """Read a key and its `=`, and return the path of the value that follows."""
        path = table
        parts = self._dotted()
        for part, where in parts:
            path = (*path, part)
            self.keys.setdefault(path, where)
            self.values.setdefault(path, where)
        self.offset += 1
        self._skip(_TRIVIA)
        return path

    def _value(self, path: KeyPath) -> None:
        """Read a value with all that it holds."""
        open_: list[_Container] = []
        while True:
            closer = _CLOSER.get(self._char())
            if closer is None:
                self.values[path] = self._skip(_SCALAR)
            else:
                open_.append(_Container(path, self.offset, closer))
                self.offset += 1
            following = self._following(open_)
            if following is None:
                return
            path = following

    def _following(self, open_: list[_Container]) -> KeyPath | None:
        """Close what ends here; return the path of the next value, or None after the last."""
        while open_:
            container = open_[-1]
            self._skip(_TRIVIA)
            if self._char() == ",":
                self.offset += 1
                self._skip(_TRIVIA)
            if self._char() != container.closer:
                container.size += 1
                if container.closer == "]":
                    return (*container.path, container.size - 1)
                return self._key(container.path)
            self.offset += 1
            self.values[container.path] = (container.start, self.offset)
            open_.pop()
        return None


def _key_text(raw: str) -> str:
    """Return what a key, bare or quoted, stands for."""
    if raw[0] == "'" or (raw[0] == '"' and "\\" not in raw):
        return raw[1:-1]
    if raw[0] == '"':
        import tomli  # only for a key with escapes

        (key,) = tomli.loads(f"{raw} = 0")
        return key
    return raw
