"""What macros are handed: tokens, which no grammar binds together.

Paths are read from them, and texts that a call or a macro among them is handed.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from typing import Final

from msgspec import Struct

_TEXT: Final = rb'b?c?r(?P<hashes>#*)".*?"(?P=hashes)|b?c?"(?:[^"\\]|\\.)*"'
_FURTHER: Final = rb'(?:\s*\+\s*(?:"(?:[^"\\]|\\.)*"|r"[^"]*"|r#".*?"#|r##".*?"##))*'
"""What some macros take as one text with a literal before it (`query!("a" + "b")`)."""
_IDENT: Final = rb"(?:r#)?[A-Za-z_]\w*"
_PATH: Final = rb"(?:(?:\$crate|::|" + _IDENT + rb")\s*(?:::\s*" + _IDENT + rb")*)"
_TOKEN: Final = re.compile(
    rb"(?:(?P<path>(?!b?c?r?#*\")" + _PATH + rb")|//[^\n]*|/\*.*?\*/"
    rb"|(?P<text>(?:" + _TEXT + rb")" + _FURTHER + rb")|'(?:[^'\\\n]|\\.[^'\n]*)'|'\w+"
    rb"|(?P<mark>[.!(){}\[\],;]|->|=>|[^\s\w])|\d[\w.]*)\s*",
    re.DOTALL,
)
"""What tokens are, the most frequent first; a text may have letters before its quote."""
_NEXT: Final = re.compile(rb"\s*(.?)", re.DOTALL)
_BETWEEN: Final = re.compile(r"\s+|r#")
LITERAL: Final = re.compile(_TEXT, re.DOTALL)
"""A literal of text, in the bytes of a file."""

ESCAPE: Final = re.compile(rb"\\(?:\r?\n\s*|u\{([0-9a-fA-F_]+)\}|x([0-9a-fA-F]{2})|(.))", re.DOTALL)
"""An escape in a literal that is not raw."""

_PLAIN: Final = {b"n": "\n", b"t": "\t", b"r": "\r", b"0": "\0"}


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


_CALLING: Final = frozenset({b"path", b"!", b">"})
"""What stands before the parenthesis of a call."""
_KEEPING: Final = frozenset({b"!", b"<", b">", b"&"})
"""The marks behind which a path may still be what a parenthesis belongs to."""


def tokens(data: bytes, start: int, end: int) -> Iterator[TokenPath | TokenText]:
    """Yield the paths and texts in a stretch of bytes."""
    callees: list[tuple[TokenPath | None, bool]] = [(None, False)]
    last: TokenPath | None = None
    before = b""
    for found in _TOKEN.finditer(data, start, end):
        kind = found.lastgroup
        if kind == "path":
            last = None
            if before != b".":
                last = _path(found, data, end)
                yield last
            before = b"path"
        elif kind == "text":
            callee, is_macro = callees[-1]
            yield TokenText(unquoted(found["text"]), *found.span("text"), callee, is_macro)
            before = b"text"
        elif kind == "mark":
            mark = found["mark"]
            if mark in b"([{":
                is_call = mark == b"(" and before in _CALLING
                callees.append((last if is_call else None, before == b"!"))
            elif mark in b")]}" and len(callees) > 1:
                callees.pop()
            before = mark
            if mark not in _KEEPING:
                last = None


def _path(found: re.Match[bytes], data: bytes, end: int) -> TokenPath:
    written = found["path"]
    spelled = written.decode("utf-8", "replace")
    if not spelled.isidentifier():
        spelled = _BETWEEN.sub("", spelled).replace("$crate", "crate")
    start, following = found.span("path")
    after = _NEXT.match(data, following, end)[1].decode("latin-1")  # type: ignore[index]
    return TokenPath(spelled, start, start + len(written.rstrip()), after)


def unquoted(literal: bytes) -> str:
    """Return what a literal of text says, or several that are joined by `+`."""
    if b"+" in literal:
        return "".join(_unquoted(found[0]) for found in LITERAL.finditer(literal))
    return _unquoted(literal)


def _unquoted(literal: bytes) -> str:
    text = literal.lstrip(b"bc")
    if text.startswith(b"r"):
        return text[1:].strip(b"#")[1:-1].decode("utf-8", "replace")
    inner = text[1:-1]
    if b"\\" in inner:
        inner = ESCAPE.sub(lambda found: character(found).encode(), inner)
    return inner.decode("utf-8", "replace")


def character(found: re.Match[bytes]) -> str:
    """Return what an escape stands for; a backslash at a line's end takes the next one's space."""
    if found[1] or found[2]:
        code = int((found[1] or found[2]).replace(b"_", b""), 16)
        is_one = code <= sys.maxunicode and not 0xD800 <= code < 0xE000  # noqa: PLR2004  # Surrogates
        return chr(code) if is_one else ""
    if found[3] is None:
        return ""
    return _PLAIN.get(found[3], found[3].decode("utf-8", "replace"))
