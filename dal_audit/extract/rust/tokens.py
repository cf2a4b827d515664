"""What macros are handed: tokens, which no grammar binds together.

Paths are read from them, and texts that a call or a macro among them is handed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from msgspec import Struct

_TEXT: Final = rb'b?c?r(?P<hashes>#*)".*?"(?P=hashes)|b?c?"(?:[^"\\]|\\.)*"'
_IDENT: Final = rb"(?:r#)?[A-Za-z_]\w*"
_PATH: Final = rb"(?:(?:\$crate|::|" + _IDENT + rb")\s*(?:::\s*" + _IDENT + rb")*)"
_TOKEN: Final = re.compile(
    rb"//[^\n]*|/\*.*?\*/|(?P<text>" + _TEXT + rb")|'(?:[^'\\\n]|\\.[^'\n]*)'|'\w+"
    rb"|(?P<path>" + _PATH + rb")|(?P<mark>[.!(){}\[\],;]|->|=>|[^\s\w])|\d[\w.]*",
    re.DOTALL,
)
_ESCAPE: Final = re.compile(r"\\(?:\n\s*|u\{([0-9a-fA-F_]+)\}|x([0-9a-fA-F]{2})|(.))", re.DOTALL)
_PLAIN: Final = {"n": "\n", "t": "\t", "r": "\r", "0": "\0"}


class TokenPath(Struct, frozen=True):
    """A path among tokens, by its bytes; `before` and `after` are the marks around it."""

    path: str
    start: int
    end: int
    after: str


class TokenText(Struct, frozen=True):
    """A text among tokens: the path that it is handed to, if any, and whether that is a macro."""

    text: str
    start: int
    end: int
    callee: TokenPath | None
    is_macro: bool


def tokens(data: bytes, start: int, end: int) -> Iterator[TokenPath | TokenText]:
    """Yield the paths and texts in a stretch of bytes."""
    callees: list[tuple[TokenPath | None, bool]] = [(None, False)]
    last: TokenPath | None = None
    before = b""
    for found in _TOKEN.finditer(data, start, end):
        if found["path"] is not None:
            last = None
            if before != b".":
                last = _path(found, data, end)
                yield last
            before = b"path"
        elif found["text"] is not None:
            callee, is_macro = callees[-1]
            yield TokenText(unquoted(found["text"]), found.start(), found.end(), callee, is_macro)
            before = b"text"
        elif found["mark"] is not None:
            mark = found["mark"]
            if mark in b"([{":
                is_call = before in {b"path", b"!", b">"} and mark == b"("
                callees.append((last if is_call else None, before == b"!"))
            elif mark in b")]}" and len(callees) > 1:
                callees.pop()
            before = mark
            if mark not in b"!<>" and mark != b"&":
                last = None


def _path(found: re.Match[bytes], data: bytes, end: int) -> TokenPath:
    spelled = re.sub(r"\s+|r#", "", found["path"].decode("utf-8", "replace"))
    after = data[found.end("path") : end].lstrip()[:1].decode("latin-1")
    path_end = found.start("path") + len(found["path"].rstrip())
    return TokenPath(spelled.replace("$crate", "crate"), found.start("path"), path_end, after)


def unquoted(literal: bytes) -> str:
    """Return what a literal of text says."""
    text = literal.decode("utf-8", "replace").lstrip("bc")
    if text.startswith("r"):
        return text[1:].strip("#")[1:-1]
    return _ESCAPE.sub(_unescaped, text[1:-1]) if "\\" in text else text[1:-1]


def _unescaped(found: re.Match[str]) -> str:
    if found[1] or found[2]:
        code = int((found[1] or found[2]).replace("_", ""), 16)
        return chr(code) if code <= 0x10FFFF else ""  # noqa: PLR2004  # Unicode's last
    if found[3] is None:
        return ""  # A backslash at the end of a line takes the space before the next with it.
    return _PLAIN.get(found[3], found[3])
