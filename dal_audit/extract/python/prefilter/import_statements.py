"""The import statements of a file as they are written, cut out of its bytes without a parser.

They are found where they stand nearly always: first on a line. Whatever else may be one (after a
semicolon or a colon, in a file with odd line ends) makes a file that must be looked at more
closely; a word `import` in a text or a comment costs no more than that.
"""

from __future__ import annotations

import re
from codecs import BOM_UTF8
from sys import intern
from typing import Final

from dal_audit.extract.quotations import starred

_IMPORT: Final = b"import"
_AFTER: Final = frozenset(b" \t(*\\")
"""What can follow the word `import` in a statement."""
_LAZY: Final = re.compile(rb"lazy[\s\\]+")
"""What makes an import a lazy one (PEP 810); what it names is the same."""
_FROM: Final = re.compile(rb"from[\s.\\][\w\s.\\\x80-\xff]*\Z")
"""What stands before the word, in a statement that begins its line."""
_MAY_FOLLOW: Final = re.compile(rb"(?:[;:]|^)[ \t]*(?:lazy[ \t]+)?(?:from\b[^;:#\"']*)?\Z")
"""What stands before the word, where a statement may begin within the line."""
_HARD: Final = re.compile(rb"[(;\\]")
"""What makes it less than plain where a statement ends."""
_BACKSLASH: Final = ord("\\")
_CONTINUING: Final = frozenset(b"\\\r")
_QUOTING: Final = frozenset(":='\"$")
"""No password stands without one of these; an import without a comment has none of them."""
_PLAIN: Final = r"(?:from [\w.]+ import (?:\([\w, \n]*\)|[\w,* ]+)|import [\w., ]+)(?=\n)"
"""A statement of nothing but names, in ASCII."""
_BLOCK: Final = re.compile(rf"(?:[ \t]*(?:{_PLAIN})?\n)*".encode())
_IN_BLOCK: Final = re.compile(_PLAIN)
MAX_HEAD: Final = 10_000
"""More bytes before the word on its line are not looked at: the cost must stay linear."""


def import_statements(data: bytes) -> tuple[str, ...] | None:
    """Return the texts of a file's import statements; None where the bytes alone do not tell.

    `data` are UTF-8 or its subset, with identifiers in NFKC. What only looks like a statement, in
    a docstring, is among them. A lazy import is told as the eager one that it delays.
    """
    if b"\f" in data or (b"\r" in data and data.count(b"\r") != data.count(b"\r\n")):
        return None
    found: list[str] = []
    data = data.removeprefix(BOM_UTF8)
    position = data.find(_IMPORT)
    while position >= 0:
        after = position + len(_IMPORT)
        if after < len(data) and data[after] in _AFTER:
            end = _behind_block(data, position, found) or _behind_statement(data, position, found)
            if end is None:
                return None
            after = max(after, end)
        position = data.find(_IMPORT, after)
    # Equal statements of many files are one object, so that they are handed on once.
    return tuple(map(intern, found))


def _behind_block(data: bytes, position: int, found: list[str]) -> int:
    """Add the plain statements from the line of a word `import` on, and return where they end.

    Most statements of most files are, and need no closer look. 0 where that line holds none.
    """
    start = data.rfind(b"\n", 0, position) + 1
    block = None if start > 1 and data[start - 2] in _CONTINUING else _BLOCK.match(data, start)
    if block is None or block.end() <= position:
        return 0
    text = block[0].decode("ascii")
    if "(" in text:
        found += _IN_BLOCK.findall(text)
    else:
        found += filter(None, map(str.lstrip, text.split("\n")))
    return block.end()


def _behind_statement(data: bytes, position: int, found: list[str]) -> int | None:
    """Add the statement of a word `import`, if there is one, and return where it ends.

    None where the bytes do not tell.
    """
    bounds = _bounds(data, position)
    if bounds is None:
        return None
    start, end = bounds
    if start < end:
        found.append(_told(data[start:end].decode("utf-8")))
    return end


def _told(statement: str) -> str:
    """Return a statement without passwords, as a comment behind it can hold one."""
    if _QUOTING.isdisjoint(statement):
        return statement
    return starred(statement, is_program=True)


def _bounds(data: bytes, position: int) -> tuple[int, int] | None:
    """Return where the statement of a word `import` begins and ends; the same where it is none.

    None where the bytes do not tell.
    """
    start, line = _logical_line(data, position)
    if position - start > MAX_HEAD:
        return None
    head = data[start:position].lstrip(b" \t")
    if head.startswith(b"lazy"):
        head = _LAZY.sub(b"", head, count=1)
    if (not head and start == line) or _FROM.match(head):
        end = _end(data, position + len(_IMPORT))
        return (position - len(head), end) if end >= 0 else None
    is_unclear = start < line or _MAY_FOLLOW.search(head)
    return None if is_unclear else (position, position)


def _logical_line(data: bytes, position: int) -> tuple[int, int]:
    """Return where the lines that a backslash joins begin, and the last line of them."""
    line = start = data.rfind(b"\n", 0, position) + 1
    while start > 1 and data[start - 2] in _CONTINUING and _is_continued(data, start - 1):
        start = data.rfind(b"\n", 0, start - 1) + 1
    return start, line


def _is_continued(data: bytes, newline: int) -> bool:
    """Return whether a backslash stands before the end of a line."""
    if newline > 1 and data[newline - 1] == ord("\r"):
        newline -= 1
    return newline > 0 and data[newline - 1] == _BACKSLASH


def _end(data: bytes, after: int) -> int:
    """Return where a statement ends, after its word `import`; -1 where that is not clear."""
    newline = data.find(b"\n", after)
    if newline >= 0 and not _HARD.search(data, after, newline):
        return newline
    start, is_list = after, False
    while True:
        newline = data.find(b"\n", start)
        line_end = newline if newline >= 0 else len(data)
        code = data[start:line_end].partition(b"#")[0]
        if b";" in code:
            return -1
        is_list = is_list or b"(" in code
        if b")" in code if is_list else not _is_continued(data, newline):
            return line_end
        if newline < 0:
            return -1
        start = newline + 1
